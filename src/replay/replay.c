/* replay/replay.c -- see replay.h. */
#include "replay/replay.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/moves.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "store/store.h"
#include <string.h>

/* These read tables of cases/; what is to be changed there is changed by cases/. */
static const char SQL_CLOCKS[] =
        "SELECT clock, round, state, started_at, warn_at, due, remaining, limit_unit, told, ended_at, overdue"
        " FROM case_clock WHERE case_id = $1 ORDER BY clock, round";
static const char SQL_CASE[] = "SELECT id, number, version, workflow, urgent FROM cases WHERE number = $1";
static const char SQL_NEXT[] =
        "SELECT id, number, version, workflow, urgent FROM cases WHERE id > $1 AND open >= $2 ORDER BY id LIMIT 1";
/* A case while its history is gone through. */
struct replay {
        struct tx *tx;
        struct arena *arena;
        const struct rulebook *rules;
        const struct calendar *calendar;
        const struct workflow *workflow;
        int64_t id;
        const char *number;
        bool urgent;
        /* results */
        bool late;
        struct clock_book live;
        size_t room; /* of both lists */
        struct case_clock *all;
        size_t n_all; /* as the history makes them: ended ones, then the live ones */
        struct case_clock *kept;
        size_t n_kept; /* as the store has them */
};

static bool has_effect(const struct move *m, const char *name)
{
        for (const struct effect *const *x = m->effects; *x; x++)
                if (text_is((*x)->name, name))
                        return true;
        return false;
}

/* Numbers new clocks and sets ended ones aside. */
static void settle(struct replay *p)
{
        size_t kept = 0;
        for (size_t i = 0; i < p->live.n; i++) {
                struct case_clock c = p->live.at[i];
                if (c.round == 0) {
                        c.round = 1;
                        for (size_t k = 0; k < p->n_all; k++)
                                c.round += text_is(p->all[k].clock, c.clock);
                        for (size_t k = 0; k < kept; k++)
                                c.round += text_is(p->live.at[k].clock, c.clock);
                }
                if (c.state <= CLOCK_PAUSED)
                        p->live.at[kept++] = c;
                else
                        p->all[p->n_all++] = c;
        }
        p->live.n = kept;
}

/* The rows that filing writes in one go (cases/file.c): the program's, of one instant, up to the first of another move. */
static size_t filing_rows(const struct ledger_row *rows, size_t n)
{
        static const char *const moves[] = {"receive", "file", "dispatch"};
        size_t done = 0;
        for (size_t i = 0; i < COUNT_OF(moves) && done < n; i++)
                if (text_is(rows[done].entry.move, moves[i]) && text_is(rows[done].entry.actor, "system")
                    && rows[done].entry.at == rows[0].entry.at)
                        done++;
        return done;
}

static const struct json_value *form_of(struct replay *p, const struct ledger_row *row)
{
        struct err ignored;
        return json_parse(p->arena, row->entry.form, strlen(row->entry.form), &ignored);
}

static const struct item *item_in(struct replay *p, const struct ledger_row *row, const struct item *present)
{
        const struct json_value *code = json_get(form_of(p, row), "item");
        return code ? item_find(p->rules->catalogue, json_text_of(code)) : present;
}

static bool turn(struct replay *p, const struct ledger_row *row, const struct move *move, const struct item *before,
                 const struct item *after, struct err *e)
{
        const struct state *dest = state_find(p->workflow, row->entry.dest);
        const struct state *origin = text_empty(row->entry.origin) ? dest : state_find(p->workflow, row->entry.origin);
        if (!dest || !origin)
                return err_set(e, ERR_FAULT, "case %s was in a state that its workflow does not have", p->number);
        struct clock_turn t = {.calendar = p->calendar,
                               .workflow = p->workflow,
                               .move = move->name,
                               .origin = origin,
                               .dest = dest,
                               .item = before,
                               .urgent = p->urgent,
                               .now = row->entry.at};
        if (has_effect(move, "extend") && !clock_book_extend(&p->live, &t, e))
                return false;
        t.item = after;
        if (!clock_book_turn(&p->live, &t, &p->late, e))
                return false;
        settle(p);
        return true;
}

static bool go_through(struct replay *p, struct err *e)
{
        struct ledger_row *rows;
        size_t n;
        if (!ledger_rows(p->tx, p->arena, p->id, &rows, &n, e))
                return false;
        const size_t filed = filing_rows(rows, n);
        const struct item *item = filed ? item_in(p, &rows[filed - 1], NULL) : NULL;
        /* A row starts each clock once at most. */
        p->room = n * p->workflow->n_clocks + CASE_CLOCKS_MOST;
        p->all = NEW_ARRAY(p->arena, struct case_clock, p->room);
        for (size_t i = 0; i < n; i++) {
                const struct move *move = move_find(p->workflow, rows[i].entry.move);
                if (!move && text_is(rows[i].entry.origin, rows[i].entry.dest))
                        continue; /* a remark */
                if (!move)
                        return err_set(e, ERR_FAULT, "case %s took the move %s, which its workflow does not have", p->number,
                                       rows[i].entry.move);
                const struct item *after = i >= filed && has_effect(move, "set_item") ? item_in(p, &rows[i], item) : item;
                if (!turn(p, &rows[i], move, item, after, e))
                        return false;
                item = after;
                if (i + 1 == filed) { /* what begins and ends within filing is not kept */
                        p->n_all = 0;
                        p->late = false;
                        for (size_t k = 0; k < p->live.n; k++)
                                p->live.at[k].round = 1;
                }
        }
        for (size_t i = 0; i < p->live.n; i++)
                p->all[p->n_all++] = p->live.at[i];
        return true;
}

static enum clock_state state_named(const char *name)
{
        size_t i = 0;
        while (i < CLOCK_MISSED && !text_is(clock_states[i], name))
                i++;
        return (enum clock_state)i;
}

static bool read_kept(struct replay *p, struct err *e)
{
        struct rows r;
        p->kept = NEW_ARRAY(p->arena, struct case_clock, p->room);
        if (!tx_rows(p->tx, &r, e, SQL_CLOCKS, ARGS(V(p->id))))
                return false;
        while (p->n_kept < p->room && rows_next(&r))
                p->kept[p->n_kept++] = (struct case_clock){
                        .clock = rows_text(&r, p->arena, 0),
                        .round = rows_int(&r, 1),
                        .state = state_named(rows_text(&r, p->arena, 2)),
                        .started = rows_int(&r, 3),
                        .warn_at = rows_int(&r, 4),
                        .due = rows_int(&r, 5),
                        .remaining = rows_int(&r, 6),
                        .unit = limit_unit_of(rows_text(&r, p->arena, 7)),
                        .told = rows_int(&r, 8),
                        .ended = rows_int(&r, 9),
                        .overdue = rows_int(&r, 10) != 0,
                };
        return rows_done(&r, e);
}

static const struct case_clock *same_clock(const struct case_clock *list, size_t n, const struct case_clock *c)
{
        for (size_t i = 0; i < n; i++)
                if (list[i].round == c->round && text_is(list[i].clock, c->clock))
                        return &list[i];
        return NULL;
}

static bool differs(const struct case_clock *was, const struct case_clock *is)
{
        return was->state != is->state || was->started != is->started || was->ended != is->ended
               || (was->state == CLOCK_PAUSED ? was->remaining != is->remaining : was->due != is->due);
}

static int64_t shown(const struct case_clock *c)
{
        return c->state == CLOCK_PAUSED ? c->remaining : c->due;
}

static void compare(struct replay *p, struct case_replay *out)
{
        struct clock_change *list = NEW_ARRAY(p->arena, struct clock_change, p->n_all + p->n_kept + 1);
        *out = (struct case_replay){.id = p->id, .number = p->number, .changes = list};
        for (size_t i = 0; i < p->n_kept; i++) {
                const struct case_clock *was = &p->kept[i], *is = same_clock(p->all, p->n_all, was);
                if (!is || differs(was, is))
                        list[out->n_changes++] = (struct clock_change){
                                was->clock, was->round,        clock_states[was->state], is ? clock_states[is->state] : "",
                                shown(was), is ? shown(is) : 0};
        }
        for (size_t i = 0; i < p->n_all; i++)
                if (!same_clock(p->kept, p->n_kept, &p->all[i]))
                        list[out->n_changes++] =
                                (struct clock_change){p->all[i].clock,  p->all[i].round, "", clock_states[p->all[i].state], 0,
                                                      shown(&p->all[i])};
}

/* --- looking ----------------------------------------------------------------------------------------------------------------- */

struct looking {
        struct district *district;
        struct arena *arena;
        const char *number; /* NULL: the next behind `after` */
        int64_t after;
        bool ended, found;
        struct case_replay *out;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *l = ctx;
        struct rows r;
        struct replay p = {.tx = tx, .arena = l->arena};
        const int found = l->number ? tx_first(tx, &r, e, SQL_CASE, ARGS(V(l->number)))
                                    : tx_first(tx, &r, e, SQL_NEXT, ARGS(V(l->after), V(l->ended ? 0 : 1)));
        l->found = found > 0;
        if (found <= 0)
                return found == 0;
        p.id = rows_int(&r, 0);
        p.number = rows_text(&r, l->arena, 1);
        const int64_t version = rows_int(&r, 2);
        const char *workflow = rows_text(&r, l->arena, 3);
        p.urgent = rows_int(&r, 4) != 0;
        if (!rows_done(&r, e))
                return false;
        p.rules = district_rules_of(l->district, version, e);
        const struct rulebook *active = district_rules(l->district, e);
        if (!p.rules || !active)
                return false;
        p.calendar = active->calendar;
        p.workflow = workflow_find(p.rules->workflows, workflow);
        if (!p.workflow)
                return err_set(e, ERR_FAULT, "workflow %s of version %lld is gone", workflow, (long long)version);
        if (!go_through(&p, e) || !read_kept(&p, e))
                return false;
        compare(&p, l->out);
        return true;
}

bool replay_next(struct district *d, struct arena *a, int64_t after, bool ended, bool *found, struct case_replay *out,
                 struct err *e)
{
        struct looking l = {.district = d, .arena = a, .after = after, .ended = ended, .out = out};
        const bool ok = store_read(d->store, look, &l, e);
        *found = l.found;
        return ok;
}

bool replay_case(struct district *d, struct arena *a, const char *number, struct case_replay *out, struct err *e)
{
        struct looking l = {.district = d, .arena = a, .number = number, .out = out};
        return store_read(d->store, look, &l, e)
               && (l.found || err_both(e, ERR_NOT_FOUND, "number", "there is no case %s", "没有案件%s", number));
}

/* --- words ------------------------------------------------------------------------------------------------------------------- */

static bool replay_of(struct moving *m, struct replay *p, struct err *e)
{
        *p = (struct replay){
                .tx = m->tx,
                .arena = m->arena,
                .rules = m->rules,
                .calendar = m->calendar,
                .workflow = m->workflow,
                .id = m->row.id,
                .number = m->row.number,
                .urgent = m->row.urgent,
        };
        return go_through(p, e) && read_kept(p, e);
}

static bool clocks_differ_met(struct moving *m, struct err *e)
{
        struct replay p;
        struct case_replay r;
        if (!replay_of(m, &p, e))
                return false;
        compare(&p, &r);
        for (size_t i = 0; i < r.n_changes; i++)
                if (text_empty(r.changes[i].old_state) || text_empty(r.changes[i].new_state))
                        return err_both(e, ERR_FAULT, NULL,
                                        "clock %s of case %s does not follow from its history; run yiwang ledger verify",
                                        "计时%s与案件%s的流转记录不符，请运行 yiwang ledger verify", r.changes[i].clock,
                                        m->row.number);
        return r.n_changes > 0
               || err_both(e, ERR_CONFLICT, NULL, "the clocks of case %s are as its history and the calendar make them",
                           "案件%s的计时无须重算", m->row.number);
}

static void found_json(struct moving *m, const struct case_replay *r)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        struct err ignored;
        json_array(&j, NULL);
        for (size_t i = 0; i < r->n_changes; i++) {
                const struct clock_change *c = &r->changes[i];
                json_object(&j, NULL);
                json_text(&j, "clock", c->clock);
                json_int(&j, "round", c->round);
                json_text(&j, "old_state", c->old_state);
                json_text(&j, "new_state", c->new_state);
                json_time(&j, "old_due", text_is(c->old_state, "paused") ? 0 : c->old_due);
                json_time(&j, "new_due", text_is(c->new_state, "paused") ? 0 : c->new_due);
                json_object_end(&j);
        }
        json_array_end(&j);
        m->found = json_parse(m->arena, b.at, b.length, &ignored);
        buf_free(&b);
}

/* A warning or a passing that was told of a deadline which now lies ahead is told again when it comes. */
static struct case_clock corrected(const struct moving *m, const struct case_clock *was, const struct case_clock *is)
{
        struct case_clock c = *is;
        c.told = was->due < is->due ? 0 : was->told;
        c.overdue = was->overdue && is->due <= m->now;
        if (was->warn_at == 0 && is->warn_at <= m->now)
                c.warn_at = 0;
        return c;
}

static bool recompute(struct moving *m, struct err *e)
{
        struct replay p;
        struct case_replay r;
        if (!replay_of(m, &p, e))
                return false;
        compare(&p, &r);
        for (size_t i = 0; i < p.n_kept; i++) {
                const struct case_clock *is = same_clock(p.all, p.n_all, &p.kept[i]);
                if (!is || !differs(&p.kept[i], is))
                        continue;
                struct case_clock c = corrected(m, &p.kept[i], is);
                const struct item *item = item_find(m->rules->catalogue, m->row.item);
                const int64_t length = calendar_length(m->calendar, clock_limit(is->rule, item, m->row.urgent));
                if ((c.state == CLOCK_RUNNING && !clock_next_step(m->calendar, is->rule, length, &c, m->now, e))
                    || !case_clock_set(m->tx, m->row.id, &c, e))
                        return false;
        }
        found_json(m, &r);
        m->row.late = p.late;
        return true;
}

/* A field, though it is not of the form: whoever looks at a case does not have its history gone through to be offered this. */
static const struct field no_field[] = {{0}};
static const struct guard guards[] = {
        {"clocks_differ", clocks_differ_met, no_field, "The clocks are not what the history and the calendar make of them."},
        {0},
};
static const struct effect effects[] = {
        {"recompute", recompute, NULL, NULL, "The clocks are made anew from the history; old and new are kept with the move."},
        {0},
};
const struct vocabulary replay_words = {guards, effects};
