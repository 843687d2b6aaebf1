/* evidence/words.c -- what the pack demands before a move (evidence.csv), the guard that asks for it, and how it is waived. */
#include "evidence/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/moves.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "pack/pack.h"
#include "store/store.h"

static const char SQL_RULE[] =
        "INSERT INTO evidence_rule(version, place, item, move, kind, least, metres, dated, name, name_en, value_unit,"
        " value_most) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
static const char SQL_RULES[] = "SELECT item, kind, least, metres, dated, name, name_en, value_unit, value_most FROM evidence_rule"
                                " WHERE version = $1 AND move = $2 AND item IN ($3, $4, $5, $6, '*')";

/* --- the pack ---------------------------------------------------------------------------------------------------------------- */

static const char SQL_ITEM[] =
        "SELECT r.place, 'there is no item ' || r.item, '没有事项' || r.item FROM evidence_rule r WHERE r.version = $1"
        " AND r.item <> '*' AND NOT EXISTS (SELECT 1 FROM item i WHERE i.version = r.version AND i.code = r.item)";
static const char SQL_MOVE[] =
        "SELECT r.place, 'no workflow has a move ' || r.move || ' that needs evidence', '没有须提供佐证（evidence）的动作' || r.move"
        " FROM evidence_rule r WHERE r.version = $1 AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = r.version"
        " AND m.name = r.move AND '|' || m.needs || '|' LIKE '%|evidence|%')";
static const char SQL_LEAST[] = "SELECT place, 'least is a number from 1 to 20', 'least 应为1至20' FROM evidence_rule"
                                " WHERE version = $1 AND (least < 1 OR least > 20)";
static const char SQL_METRES[] =
        "SELECT place, 'metres and value_most are more than 0', 'metres 和 value_most 应大于0' FROM evidence_rule"
        " WHERE version = $1 AND (metres <= 0 OR value_most <= 0)";
static const char SQL_MEASURED[] =
        "SELECT place, 'value_unit and value_most belong to a measurement, metres and dated to a picture',"
        " 'value_unit、value_most 只用于测量，metres、dated 只用于照片' FROM evidence_rule WHERE version = $1"
        " AND ((kind <> 'measurement' AND (value_unit IS NOT NULL OR value_most IS NOT NULL))"
        " OR (kind IN ('measurement', 'signature') AND (metres IS NOT NULL OR dated IS NOT NULL)))";

static const char *const kind_choices[] = {"photo_before", "photo_after", "photo", "signature", "measurement", NULL};
static const char *const yes_choices[] = {"yes", "no", NULL};
static const struct pack_column columns[] = {
        {"item", PACK_TEXT, true, NULL, "The item, with all below it; * = every item.  Of one kind the lowest item's row counts."},
        {"move", PACK_TEXT, true, NULL, "Before this move."},
        {"kind", PACK_TEXT, true, kind_choices, "What is demanded."},
        {"least", PACK_INT, true, NULL, "So many pieces."},
        {"metres", PACK_REAL, false, NULL, "Taken at most so far from the place of the case."},
        {"dated", PACK_TEXT, false, yes_choices, "The picture says when it was taken, and that was after the case came in."},
        {"name", PACK_TEXT, true, NULL, "What it shows, Chinese."},
        {"name_en", PACK_TEXT, true, NULL, "The same, English."},
        {"value_unit", PACK_TEXT, false, NULL, "Unit of a measurement."},
        {"value_most", PACK_REAL, false, NULL, "A measurement may be at most this."},
        {0},
};
static const struct pack_table tables[] = {{"evidence.csv", false, columns, SQL_RULE}, {0}};
static const char *const checks[] = {SQL_ITEM, SQL_MOVE, SQL_LEAST, SQL_METRES, SQL_MEASURED, NULL};
const struct pack_part evidence_pack = {.capability = "evidence", .tables = tables, .checks = checks};

/* --- what a move demands ----------------------------------------------------------------------------------------------------- */

enum { RULES_MOST = 32, ITEM_LEVELS = 4 };
struct rule {
        const char *kind, *name, *name_en, *value_unit;
        int64_t least;
        bool has_metres, dated, has_most;
        double metres, most;
        int depth; /* of the item it was written for; 0 = every item */
};

static int depth_of(const char *const *codes, const char *item)
{
        for (int i = 0; i < ITEM_LEVELS; i++)
                if (text_is(codes[i], item))
                        return ITEM_LEVELS - i;
        return 0;
}

/* Of each kind the row of the lowest item. */
static void take_rule(struct rule *rules, size_t *n, const struct rule *one)
{
        for (size_t i = 0; i < *n; i++)
                if (text_is(rules[i].kind, one->kind)) {
                        if (one->depth >= rules[i].depth)
                                rules[i] = *one;
                        return;
                }
        if (*n < RULES_MOST)
                rules[(*n)++] = *one;
}

static bool read_rules(struct moving *m, struct rule *rules, size_t *n, struct err *e)
{
        const char *codes[ITEM_LEVELS] = {"", "", "", ""};
        const struct item *item = item_find(m->rules->catalogue, m->row.item);
        struct rows r;
        *n = 0;
        for (int i = 0; item && i < ITEM_LEVELS; i++, item = item->parent)
                codes[i] = item->code;
        if (!tx_rows(m->tx, &r, e, SQL_RULES,
                     ARGS(V(m->row.version), V(m->move->name), V(codes[0]), V(codes[1]), V(codes[2]), V(codes[3]))))
                return false;
        while (rows_next(&r)) {
                const struct rule one = {
                        .depth = depth_of(codes, rows_text(&r, m->arena, 0)),
                        .kind = rows_text(&r, m->arena, 1),
                        .least = rows_int(&r, 2),
                        .has_metres = !rows_null(&r, 3),
                        .metres = rows_real(&r, 3),
                        .dated = !rows_null(&r, 4) && text_is(rows_text(&r, m->arena, 4), "yes"),
                        .name = rows_text(&r, m->arena, 5),
                        .name_en = rows_text(&r, m->arena, 6),
                        .value_unit = rows_null(&r, 7) ? "" : rows_text(&r, m->arena, 7),
                        .has_most = !rows_null(&r, 8),
                        .most = rows_real(&r, 8),
                };
                take_rule(rules, n, &one);
        }
        return rows_done(&r, e);
}

/* --- the guard --------------------------------------------------------------------------------------------------------------- */

/* Since when the lead task of now runs: after rework what showed the work before counts no more. */
static bool work_began(struct moving *m, int64_t *since, struct err *e)
{
        *since = m->row.created;
        if (!case_open_tasks(m, e))
                return false;
        for (size_t i = 0; i < m->n_tasks; i++)
                if (text_is(m->tasks[i].kind, "lead"))
                        *since = m->tasks[i].since;
        return true;
}

static bool counts(const struct moving *m, const struct rule *rule, const struct evidence *p, int64_t since)
{
        if (!text_is(p->kind, rule->kind) || (p->at < since && !text_is(p->kind, "photo_before")))
                return false;
        return (!rule->has_metres || (p->has_metres && p->metres <= rule->metres)) && (!rule->dated || p->taken >= m->row.created)
               && (!rule->has_most || p->value <= rule->most);
}

static bool waived(const struct moving *m, const struct evidence *list, size_t n, int64_t since)
{
        for (size_t i = 0; i < n; i++)
                if (text_is(list[i].kind, "waiver") && list[i].at >= since && !text_is(list[i].actor, m->mover->name))
                        return true;
        return false;
}

static bool missing(const struct moving *m, const struct rule *r, int64_t have, struct err *e)
{
        struct buf en = BUF_LIMIT(300), zh = BUF_LIMIT(300);
        if (r->has_metres) {
                buf_format(&en, ", taken within %g m of the place", r->metres);
                buf_format(&zh, "，须在现场%g米内拍摄", r->metres);
        }
        if (r->dated) {
                buf_format(&en, ", dated after the case came in");
                buf_format(&zh, "，拍摄时间须在受理之后");
        }
        if (r->has_most) {
                buf_format(&en, ", at most %g %s", r->most, r->value_unit);
                buf_format(&zh, "，不超过%g%s", r->most, r->value_unit);
        }
        const char *more = arena_text(m->arena, en.at ? en.at : ""), *more_zh = arena_text(m->arena, zh.at ? zh.at : "");
        buf_free(&en);
        buf_free(&zh);
        const char *sentence = arena_format(m->arena, "%s: %lld of %lld \"%s\" (%s%s)", m->move->en, (long long)have,
                                            (long long)r->least, r->kind, r->name_en, more);
        const char *sentence_zh = arena_format(m->arena, "%s前须有%lld件“%s”%s，现有%lld件", m->move->zh, (long long)r->least,
                                               r->name, more_zh, (long long)have);
        return err_both(e, ERR_INVALID, "evidence", "%.0s%s; add it, or let somebody else waive it (move waive_evidence)",
                        "%s%.0s；请补充，或由他人说明理由后免除（waive_evidence）", sentence_zh, sentence);
}

static bool evidence_met(struct moving *m, struct err *e)
{
        struct rule rules[RULES_MOST];
        struct evidence *list;
        size_t n_rules, n;
        int64_t since;
        if (!read_rules(m, rules, &n_rules, e))
                return false;
        if (n_rules == 0)
                return true;
        if (!evidence_of(m->tx, m->arena, m->row.id, &list, &n, e) || !work_began(m, &since, e))
                return false;
        if (waived(m, list, n, since))
                return true;
        for (size_t i = 0; i < n_rules; i++) {
                int64_t have = 0;
                for (size_t k = 0; k < n; k++)
                        have += counts(m, &rules[i], &list[k], since);
                if (have < rules[i].least)
                        return missing(m, &rules[i], have, e);
        }
        return true;
}

/* --- the waiver -------------------------------------------------------------------------------------------------------------- */

static bool waive(struct moving *m, struct err *e)
{
        struct evidence *list;
        size_t n;
        if (!evidence_of(m->tx, m->arena, m->row.id, &list, &n, e))
                return false;
        const struct evidence piece = {
                .n = n ? list[n - 1].n + 1 : 1,
                .kind = "waiver",
                .hash = "",
                .type = "",
                .note = json_get_text(m->form, "reason", ""),
                .actor = m->mover->name,
                .unit = m->mover->unit ? m->mover->unit : "",
                .at = m->now,
        };
        return evidence_put(m->tx, m->row.id, &piece, e);
}

/* A field, though it is not of the form: so the move is offered, and the screen says what is missing. */
static const struct field no_field[] = {{0}};
static const struct guard guards[] = {
        {"evidence", evidence_met, no_field, "What evidence.csv demands of the item was added, or waived by another person."},
        {0},
};
static const struct effect effects[] = {
        {"waive_evidence", NULL, waive, NULL, "Evidence is not demanded of the work in hand; the mover answers for it."},
        {0},
};
const struct vocabulary evidence_words = {guards, effects};
