/* cases/move.c -- the one way a case changes. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/text.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "sight/sight.h"
#include "store/store.h"
#include "task/task.h"
#include "twin/twin.h"

static const char SQL_CASE[] =
        "SELECT id, version, created_at, number, track, workflow, state, unit, item, title, subdistrict, community, grid,"
        " urgent, open, late, seq, tip FROM cases WHERE number = $1";
/* The state test and the write are one statement, so two people cannot both win; seq also refuses a move
 * that was decided on an older reading of the case. */
static const char SQL_MOVE[] =
        "UPDATE cases SET state = $4, open = $5, unit = $6, item = $7, due = $8, late = $9, closed_at = $10, seq = $11, tip = $12"
        " WHERE id = $1 AND state = $2 AND seq = $3";

static bool no_case(const char *number, struct err *e)
{
        return err_both(e, ERR_NOT_FOUND, "number", "there is no case \"%s\"; check the number or code",
                        "没有找到“%s”，请核对编号或查询码", number);
}
static const char SQL_REMARK[] = "UPDATE cases SET seq = $3, tip = $4 WHERE id = $1 AND seq = $2";

static bool read_case(struct moving *m, const char *number, struct err *e)
{
        struct rows r;
        struct arena *a = m->arena;
        size_t n;
        int found = tx_first(m->tx, &r, e, SQL_CASE, ARGS(V(number)));
        if (found < 0)
                return false;
        if (found == 0)
                return no_case(number, e);
        m->row = (struct case_row){
                .id = rows_int(&r, 0),
                .version = rows_int(&r, 1),
                .created = rows_int(&r, 2),
                .number = rows_text(&r, a, 3),
                .track = rows_text(&r, a, 4),
                .workflow = rows_text(&r, a, 5),
                .state = rows_text(&r, a, 6),
                .unit = rows_text(&r, a, 7),
                .item = rows_text(&r, a, 8),
                .title = rows_text(&r, a, 9),
                .subdistrict = rows_text(&r, a, 10),
                .community = rows_text(&r, a, 11),
                .grid = rows_text(&r, a, 12),
                .urgent = rows_int(&r, 13) != 0,
                .open = rows_int(&r, 14) != 0,
                .late = rows_int(&r, 15) != 0,
                .tip = {.seq = rows_int(&r, 16)},
        };
        const void *tip = rows_blob(&r, a, 17, &n);
        if (tip && n == SHA256_SIZE)
                memcpy(m->row.tip.hash, tip, n);
        m->unit = m->row.unit;
        m->item = m->row.item;
        return rows_done(&r, e);
}

static bool may_move(struct moving *m, const char *name, struct err *e)
{
        m->move = move_find(m->workflow, name);
        if (!m->move)
                return err_both(e, ERR_INVALID, "move", "the workflow \"%s\" has no move \"%s\"; see /api/v1/workflows",
                                "流程“%s”没有动作“%s”，可查 /api/v1/workflows", m->workflow->name, name);
        if (!move_allows(m->move, m->mover->role))
                return err_both(e, ERR_DENIED, NULL, "the role %s may not take the move \"%s\"", "角色%s不能执行动作“%s”",
                                m->mover->role ? role_name(m->mover->role) : "system", name);
        if (m->mover->seen && m->mover->seen != m->row.tip.seq)
                return err_both(e, ERR_CONFLICT, NULL, "case %s has changed since you read it; read it again",
                                "案件%s在您查看之后已有变动，请刷新后再试", m->row.number);
        if (!move_starts_at(m->move, m->row.state))
                return err_both(e, ERR_CONFLICT, NULL, "case %s is in state %s, where the move \"%s\" does not start",
                                "案件%s处于“%s”状态，不能执行动作“%s”", m->row.number, m->row.state, name);
        return true;
}

/* The form as it is kept: with the reason of the choice when a unit was assigned. */
static char *kept_form(const struct moving *m, int64_t due)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        if (m->behind)
                json_text(&j, "behind", m->behind->name);
        if (m->mover->instead)
                json_text(&j, "instead_of", m->mover->instead);
        for (const struct json_value *v = m->behind ? NULL : json_first(m->form); v; v = json_next(v))
                if (!text_is(json_name(v), "move") && !text_is(json_name(v), "instead_of") && !text_is(json_name(v), "seen"))
                        json_copy(&j, json_name(v), v);
        if (m->answer.lead) {
                json_text(&j, "assigned", m->answer.lead->code);
                json_text(&j, "row", m->answer.row);
                json_text(&j, "why", m->answer.why);
                json_text(&j, "why_zh", m->answer.why_zh);
        }
        if (m->found)
                json_copy(&j, "found", m->found);
        if (due)
                json_time(&j, "due", due);
        json_object_end(&j);
        char *text = arena_copy(m->arena, b.at, b.length);
        buf_free(&b);
        return text;
}

static bool write_state(struct moving *m, const struct state *dest, struct err *e)
{
        int64_t due;
        bool late;
        const bool ends = dest->last;
        struct ledger_tip tip = m->row.tip;
        if (!clocks_turn(m, &due, &late, e))
                return false;
        struct ledger_entry entry = {
                .subject = m->row.id,
                .move = m->move->name,
                .origin = m->row.state,
                .dest = dest->name,
                .actor = m->mover->name,
                .role = m->mover->role ? role_name(m->mover->role) : "system",
                .unit = m->mover->unit,
                .form = kept_form(m, due),
                .at = m->now,
        };
        if (!ledger_append(m->tx, &tip, &entry, e))
                return false;
        int changed = tx_change(m->tx, e, SQL_MOVE,
                                ARGS(V(m->row.id), V(m->row.state), V(m->row.tip.seq), V(dest->name), V(ends ? 0 : 1), V(m->unit),
                                     V(m->item), V(due), V(late ? 1 : 0), V(ends ? m->now : (int64_t)0), V(tip.seq),
                                     V_BLOB(tip.hash, sizeof tip.hash)));
        if (changed < 0)
                return false;
        m->row.state = dest->name;
        m->row.unit = m->unit;
        m->row.item = m->item;
        m->row.open = !ends;
        m->row.late = late;
        m->row.tip = tip;
        return changed == 1
               || err_both(e, ERR_CONFLICT, NULL, "somebody else has just moved case %s; read it again",
                           "案件%s刚被他人处理，请刷新后再试", m->row.number);
}

bool case_tell(struct tx *tx, const struct case_row *row, const struct case_news *news, struct err *e)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "number", row->number);
        json_text(&j, "track", row->track);
        json_text(&j, "move", news->move);
        json_text(&j, "state", news->state);
        json_text(&j, "unit", news->unit);
        json_text(&j, "area", row->community);
        json_time(&j, "at", news->at);
        if (news->files)
                json_bool(&j, "files", true);
        if (news->item)
                json_text(&j, "item", news->item);
        json_object_end(&j);
        bool ok = outbox_put(tx, "case", row->number, b.at, news->told, e);
        buf_free(&b);
        return ok;
}

bool case_event_files(struct arena *a, const struct event *event)
{
        struct err ignored;
        return text_is(event->topic, "case")
               && json_get_bool(json_parse(a, event->payload, strlen(event->payload), &ignored), "files", false);
}

static void forget(struct moving *m)
{
        m->tasks = NULL;
        m->asks = NULL;
        m->knows_dispute = false;
}

/* The move m->move, once it may be taken and its needs are met. */
static bool take(struct moving *m, struct err *e)
{
        const struct state *dest = m->move->dest ? m->move->dest : state_find(m->workflow, m->row.state);
        forget(m);
        m->found = NULL;
        for (const struct effect *const *x = m->move->effects; *x; x++)
                if ((*x)->before && !(*x)->before(m, e))
                        return false;
        const bool other_item = !text_is(m->item, m->row.item);
        if (!write_state(m, dest, e))
                return false;
        for (const struct effect *const *x = m->move->effects; *x; x++)
                if ((*x)->after && !(*x)->after(m, e))
                        return false;
        forget(m);
        const struct case_news news = {.move = m->move->name,
                                       .state = dest->name,
                                       .unit = m->unit,
                                       .item = other_item ? m->item : NULL,
                                       .at = m->now,
                                       .told = m->now};
        return case_tell(m->tx, &m->row, &news, e);
}

static bool needs_met(struct moving *m, struct err *e)
{
        for (const struct guard *const *g = m->move->needs; *g; g++)
                if (!(*g)->met(m, e))
                        return false;
        return true;
}

/* The first of the moves that follow the one just taken whose needs are met; NULL = none. */
static const struct move *next_of(struct moving *m)
{
        const struct move *taken = m->move;
        for (const struct move *const *next = taken->next; *next; next++) {
                struct err unmet;
                m->move = *next;
                if (move_starts_at(*next, m->row.state) && needs_met(m, &unmet))
                        return *next;
        }
        m->move = taken;
        return NULL;
}

static bool take_next(struct moving *m, struct err *e)
{
        static const struct mover program = {.name = "system"};
        enum { CHAIN_MOST = 4 };
        const struct move *taken = m->move;
        for (int i = 0; i < CHAIN_MOST && next_of(m); i++) {
                m->mover = &program;
                m->behind = taken;
                taken = m->move;
                m->answer = (struct answer){0};
                if (!take(m, e))
                        return false;
        }
        return true;
}

/* Reads the case and what it goes by. */
static bool set_out(struct moving *m, const char *number, struct err *e)
{
        bool seen = true;
        forget(m);
        m->answer = (struct answer){0};
        m->behind = NULL;
        if (!read_case(m, number, e) || !sight_sees(m->tx, m->arena, m->mover->sight, m->row.id, &seen, e))
                return false;
        if (!seen)
                return no_case(number, e);
        m->rules = district_rules_of(m->district, m->row.version, e);
        const struct rulebook *active = district_rules(m->district, e);
        if (!m->rules || !active)
                return false;
        m->calendar = active->calendar;
        m->workflow = workflow_find(m->rules->workflows, m->row.workflow);
        return m->workflow
               || err_set(e, ERR_FAULT, "workflow %s of version %lld is gone", m->row.workflow, (long long)m->row.version);
}

bool case_move_within(struct moving *m, const char *number, const char *move, struct err *e)
{
        return set_out(m, number, e) && may_move(m, move, e) && needs_met(m, e) && take(m, e) && take_next(m, e);
}

bool case_remark_within(struct moving *m, const char *number, const char *name, struct err *e)
{
        if (!set_out(m, number, e))
                return false;
        struct ledger_tip tip = m->row.tip;
        const struct ledger_entry entry = {
                .subject = m->row.id,
                .move = name,
                .origin = m->row.state,
                .dest = m->row.state,
                .actor = m->mover->name,
                .role = m->mover->role ? role_name(m->mover->role) : "system",
                .unit = m->mover->unit,
                .form = kept_form(m, 0),
                .at = m->now,
        };
        if (!ledger_append(m->tx, &tip, &entry, e))
                return false;
        const int changed = tx_change(m->tx, e, SQL_REMARK,
                                      ARGS(V(m->row.id), V(m->row.tip.seq), V(tip.seq), V_BLOB(tip.hash, sizeof tip.hash)));
        m->row.tip = tip;
        return changed == 1
               || (changed == 0
                   && err_both(e, ERR_CONFLICT, NULL, "somebody else has just moved case %s; read it again",
                               "案件%s刚被他人处理，请刷新后再试", m->row.number));
}

struct job {
        const struct moving *asked;
        const char *number, *move;
};

static bool move_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct job *job = ctx;
        struct moving m = *job->asked; /* a transaction function may run more than once */
        m.tx = tx;
        return case_move_within(&m, job->number, job->move, e);
}

bool cases_move(struct district *d, struct arena *a, const char *number, const char *move, const struct mover *mover,
                const struct json_value *form, int64_t now, struct err *e)
{
        const struct moving m = {.district = d, .arena = a, .mover = mover, .form = form, .now = now};
        return store_write(d->store, move_once, &(struct job){&m, number, move}, e);
}

/* What a form must still give is no reason not to offer a move. */
static bool offered(struct moving *m, const struct move *move)
{
        struct err unmet;
        if (!move_allows(move, m->mover->role) || !move_starts_at(move, m->row.state))
                return false;
        m->move = move;
        for (const struct guard *const *g = move->needs; *g; g++)
                if (!(*g)->fields && !(*g)->met(m, &unmet))
                        return false;
        return true;
}

bool cases_offer(struct tx *tx, struct district *d, struct arena *a, const char *number, const struct mover *mover,
                 const struct case_part *const *missing, int64_t now, const struct move ***moves, size_t *n, struct err *e)
{
        struct moving m = {.district = d, .arena = a, .tx = tx, .mover = mover, .now = now};
        *n = 0;
        if (!set_out(&m, number, e))
                return false;
        for (; missing && *missing; missing++)
                if ((*missing)->none)
                        (*missing)->none(&m);
        *moves = NEW_ARRAY(a, const struct move *, m.workflow->n_moves);
        for (size_t i = 0; i < m.workflow->n_moves; i++)
                if (offered(&m, &m.workflow->moves[i]))
                        (*moves)[(*n)++] = &m.workflow->moves[i];
        return true;
}
