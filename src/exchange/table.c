/* exchange/table.c -- see table.h; and what the exchange reads from a pack. */
#include "exchange/table.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "pack/pack.h"
#include "people/people.h"
#include "store/store.h"
#include "twin/twin.h"

static const char SQL_ADD_PEER[] =
        "INSERT INTO exchange_peer(version, place, code, name, name_en, direction, unit, role, channel, items, areas, properties,"
        " channels, on_conflict) VALUES ($1, $2, $3, $4, $5, $6, $7, COALESCE($8, 'unit'), $9, COALESCE($10, '*'),"
        " COALESCE($11, '*'), COALESCE($12, '*'), COALESCE($13, '*'), $14)";
static const char SQL_ADD_STATUS[] = "INSERT INTO exchange_status(version, place, peer, direction, ours, word, moves, on_conflict)"
                                     " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char SQL_PEERS[] =
        "SELECT code, name, name_en, direction, unit, role, channel, items, areas, properties, channels FROM exchange_peer"
        " WHERE version = $1 ORDER BY code";
static const char SQL_STATUSES[] =
        "SELECT s.peer, s.direction, s.ours, s.word, s.moves, COALESCE(s.on_conflict, p.on_conflict) FROM exchange_status s"
        " JOIN exchange_peer p ON p.version = s.version AND p.code = s.peer WHERE s.version = $1 ORDER BY s.peer, s.word";

enum { PEERS_MOST = 256, STATUSES_MOST = 256 };
static const char *const rule_names[] = {"ours", "theirs", "ask", NULL};
static const char *const directions[] = {"in", "out", "both", NULL};
static const char *const ways[] = {"in", "out", NULL};
static const char *const roles[] = {"unit", "clerk", "dispatcher", "supervisor", NULL};

/* --- in memory --------------------------------------------------------------------------------------------------------------- */
/* '*' = no list: all. */
static char **read_list(struct arena *a, const char *text, size_t *n)
{
        char **list = NULL;
        *n = 0;
        if (!text_empty(text) && !text_is(text, "*"))
                *n = text_split(a, text, '|', &list);
        return list;
}

static void read_peer(const struct rows *r, struct arena *a, struct peer *p)
{
        const char *direction = rows_text(r, a, 3);
        *p = (struct peer){
                .code = rows_text(r, a, 0),
                .name = rows_text(r, a, 1),
                .name_en = rows_text(r, a, 2),
                .in = !text_is(direction, "out"),
                .out = !text_is(direction, "in"),
                .unit = rows_text(r, a, 4),
                .role = role_of_name(rows_text(r, a, 5)),
                .channel = rows_text(r, a, 6),
                .statuses = NEW_ARRAY(a, struct status, STATUSES_MOST),
        };
        p->items = read_list(a, rows_text(r, a, 7), &p->n_items);
        p->areas = read_list(a, rows_text(r, a, 8), &p->n_areas);
        p->properties = read_list(a, rows_text(r, a, 9), &p->n_properties);
        p->channels = read_list(a, rows_text(r, a, 10), &p->n_channels);
}

static void read_status(const struct rows *r, struct arena *a, struct peers *all)
{
        const char *code = rows_text(r, a, 0), *rule = rows_text(r, a, 5);
        struct peer *p = all->at;
        while (p < all->at + all->n && !text_is(p->code, code))
                p++;
        if (p == all->at + all->n || p->n_statuses == STATUSES_MOST)
                return;
        struct status *s = &p->statuses[p->n_statuses++];
        *s = (struct status){.out = text_is(rows_text(r, a, 1), "out"), .ours = rows_text(r, a, 2), .word = rows_text(r, a, 3)};
        s->moves = read_list(a, rows_text(r, a, 4), &s->n_moves);
        while (s->rule < RULE_ASK && !text_is(rule_names[s->rule], rule))
                s->rule++;
}

bool peers_load(struct tx *tx, struct arena *a, int64_t version, struct peers **out, struct err *e)
{
        struct peers *all = NEW(a, struct peers);
        struct rows r;
        *all = (struct peers){.at = NEW_ARRAY(a, struct peer, PEERS_MOST)};
        if (!tx_rows(tx, &r, e, SQL_PEERS, ARGS(V(version))))
                return false;
        while (all->n < PEERS_MOST && rows_next(&r))
                read_peer(&r, a, &all->at[all->n++]);
        if (!rows_done(&r, e) || !tx_rows(tx, &r, e, SQL_STATUSES, ARGS(V(version))))
                return false;
        while (rows_next(&r))
                read_status(&r, a, all);
        *out = all;
        return rows_done(&r, e);
}

const struct peer *peer_find(const struct peers *all, const char *code)
{
        for (size_t i = 0; all && i < all->n; i++)
                if (text_is(all->at[i].code, code))
                        return &all->at[i];
        return NULL;
}

const struct peer *peer_of_unit(const struct peers *all, const char *unit)
{
        for (size_t i = 0; all && i < all->n; i++)
                if (all->at[i].out && all->at[i].unit && text_is(all->at[i].unit, unit))
                        return &all->at[i];
        return NULL;
}

static const char *word_for(const struct peer *p, const char *ours)
{
        for (size_t i = 0; i < p->n_statuses; i++)
                if (p->statuses[i].out && text_is(p->statuses[i].ours, ours))
                        return p->statuses[i].word;
        return NULL;
}

const char *peer_word(const struct peer *p, const char *move, const char *state, bool only_move)
{
        const char *word = word_for(p, move);
        return word || only_move ? word : word_for(p, state);
}

const struct status *peer_status(const struct peer *p, const char *word, struct err *e)
{
        struct buf known = BUF_LIMIT(160);
        for (size_t i = 0; i < p->n_statuses; i++) {
                if (p->statuses[i].out)
                        continue;
                if (text_is(p->statuses[i].word, word)) {
                        buf_free(&known);
                        return &p->statuses[i];
                }
                buf_format(&known, "%s%s", known.length ? ", " : "", p->statuses[i].word);
        }
        (void)err_both(e, ERR_INVALID, "status", "the status \"%.40s\" is not known here; known are: %.150s",
                       "本平台不认识状态“%.40s”；可用：%.150s", word, known.at ? known.at : "-");
        buf_free(&known);
        return NULL;
}

static bool lists(char **list, size_t n, const char *code)
{
        bool found = n == 0;
        for (size_t i = 0; i < n && !found; i++)
                found = text_is(list[i], code);
        return found;
}

bool peer_covers(const struct peer *p, const struct rulebook *rules, const struct case_kind *k)
{
        bool item = p->n_items == 0, area = p->n_areas == 0;
        for (const struct item *i = item ? NULL : item_find(rules->catalogue, k->item); i && !item; i = i->parent)
                item = lists(p->items, p->n_items, i->code);
        for (const struct area *x = area ? NULL : area_find(rules->twin, k->area); x && !area; x = x->parent)
                area = lists(p->areas, p->n_areas, x->code);
        return item && area && lists(p->properties, p->n_properties, k->property) && lists(p->channels, p->n_channels, k->channel);
}

/* --- loading a pack ---------------------------------------------------------------------------------------------------------- */
static const struct pack_column peer_columns[] = {
        {"peer", PACK_TEXT, true, NULL, "Code of the other platform: of its addresses here and of the settings."},
        {"name", PACK_TEXT, true, NULL, "Name, Chinese."},
        {"name_en", PACK_TEXT, false, NULL, "Name, English."},
        {"direction", PACK_TEXT, true, directions, "out: cases go to it; in: they come from it; both."},
        {"unit", PACK_TEXT, false, NULL, "The unit here that stands for it; what is dispatched to it goes out."},
        {"role", PACK_TEXT, false, roles, "Its moves are taken as if by this role; unit when empty."},
        {"channel", PACK_TEXT, false, NULL, "Channel its cases are reported through; its API key has it too."},
        {"items", PACK_TEXT, false, NULL, "Only cases of these items (and those below) go out; a list."},
        {"areas", PACK_TEXT, false, NULL, "Only cases of these areas (and those within) go out; a list."},
        {"properties", PACK_TEXT, false, NULL, "Only cases of these properties go out; a list."},
        {"channels", PACK_TEXT, false, NULL, "Only cases that came by these channels go out; a list."},
        {"conflict", PACK_TEXT, true, rule_names, "Who is right when both sides changed a case: ours, theirs, ask."},
        {0},
};
static const struct pack_column status_columns[] = {
        {"peer", PACK_TEXT, true, NULL, "Code of peers.csv."},
        {"direction", PACK_TEXT, true, ways, "out: what we say; in: what we hear."},
        {"ours", PACK_TEXT, false, NULL, "out: our state, or a move (which wins)."},
        {"status", PACK_TEXT, true, NULL, "The word between both platforms."},
        {"moves", PACK_TEXT, false, NULL, "in: list of moves; each is taken that starts where the case then is."},
        {"conflict", PACK_TEXT, false, rule_names, "in: instead of the peer's rule."},
        {0},
};
static const struct pack_table tables[] = {
        {"exchange/peers.csv", false, peer_columns, SQL_ADD_PEER},
        {"exchange/statuses.csv", false, status_columns, SQL_ADD_STATUS},
        {0},
};

static const char SQL_PEER_TWICE[] =
        "SELECT MAX(place), 'peer ' || code || ' stands twice', '平台' || code || '重复' FROM exchange_peer WHERE version = $1"
        " GROUP BY code HAVING COUNT(*) > 1";
static const char SQL_NO_UNIT[] =
        "SELECT p.place, 'cases go to ' || p.code || ', so the column unit must name a unit of units.csv',"
        " '案件需送往' || p.code || '，unit 列应为 units.csv 中的单位' FROM exchange_peer p WHERE p.version = $1"
        " AND (p.direction <> 'in' OR p.unit IS NOT NULL)"
        " AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.version = p.version AND u.code = p.unit)";
static const char SQL_NO_CHANNEL[] =
        "SELECT p.place, 'the column channel must name a channel of channels.csv', 'channel 列应为 channels.csv 中的渠道'"
        " FROM exchange_peer p WHERE p.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM channel c WHERE c.version = p.version AND c.code = p.channel)";
static const char SQL_UNIT_TWICE[] =
        "SELECT MAX(place), 'unit ' || unit || ' stands for two peers', '单位' || unit || '对应两个平台' FROM exchange_peer"
        " WHERE version = $1 AND unit IS NOT NULL AND direction <> 'in' GROUP BY unit HAVING COUNT(*) > 1";
static const char SQL_NO_PEER[] =
        "SELECT s.place, 'there is no peer ' || s.peer || ' in exchange/peers.csv', 'exchange/peers.csv 中没有' || s.peer"
        " FROM exchange_status s WHERE s.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM exchange_peer p WHERE p.version = s.version AND p.code = s.peer)";
static const char SQL_STATUS_TWICE[] =
        "SELECT MAX(place), 'the same stands twice: ' || COALESCE(ours, word), '重复：' || COALESCE(ours, word)"
        " FROM (SELECT place, peer, direction, word, CASE WHEN direction = 'out' THEN ours END ours FROM exchange_status"
        " WHERE version = $1) s GROUP BY peer, direction, ours, CASE WHEN direction = 'in' THEN word END, COALESCE(ours, word)"
        " HAVING COUNT(*) > 1";
static const char SQL_NO_OURS[] =
        "SELECT s.place, 'the column ours must name a state or a move of a workflow', 'ours 列应为流程的状态或动作'"
        " FROM exchange_status s WHERE s.version = $1 AND s.direction = 'out'"
        " AND NOT EXISTS (SELECT 1 FROM workflow_state w WHERE w.version = s.version AND w.name = s.ours)"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = s.version AND m.name = s.ours)";
/* Every move of the list, taken off the list one by one. */
static const char SQL_NO_MOVE[] =
        "WITH RECURSIVE part(place, name, rest) AS (SELECT place, CAST('' AS TEXT), CAST(moves || '|' AS TEXT) FROM exchange_status"
        " WHERE version = $1 AND direction = 'in' AND moves IS NOT NULL"
        " UNION ALL SELECT place, SUBSTR(rest, 1, LENGTH(rest) - LENGTH(LTRIM(rest, 'abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'))), SUBSTR(LTRIM(rest, 'abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-'), 2) FROM part WHERE rest <> '')"
        " SELECT place, 'no workflow has the move ' || name, '流程中没有动作' || name FROM part WHERE name <> ''"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = $1 AND m.name = part.name)";
static const char *const checks[] = {SQL_PEER_TWICE,   SQL_NO_UNIT, SQL_NO_CHANNEL,
                                     SQL_UNIT_TWICE,   SQL_NO_PEER, SQL_NO_OURS,
                                     SQL_STATUS_TWICE, SQL_NO_MOVE, NULL};
const struct pack_part exchange_pack = {.capability = "exchange", .tables = tables, .checks = checks};
