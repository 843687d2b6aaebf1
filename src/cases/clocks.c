/* cases/clocks.c -- the clocks of a case: which move starts, stops, pauses and resumes them is data (clocks.csv), and so is the
 * ladder of who is told when (escalation.csv).  What a move does to clocks is computed without the store, so that the same code
 * makes them anew from a history. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"
#include <stdio.h>

static const char SQL_PUT[] =
        "INSERT INTO case_clock(case_id, clock, round, state, unit, started_at, warn_at, due, remaining, limit_unit, overdue,"
        " ended_at, step_at)"
        " SELECT $1, $2, COALESCE(MAX(round), 0) + 1, 'running', $3, $4, $5, $6, 0, $7, 0, 0, $8"
        " FROM case_clock WHERE case_id = $1 AND clock = $2";
static const char SQL_LIVE[] =
        "SELECT clock, round, state, started_at, warn_at, due, remaining, limit_unit, told, overdue FROM case_clock"
        " WHERE case_id = $1 AND state IN ('running', 'paused') ORDER BY clock, round";
static const char SQL_SET[] = "UPDATE case_clock SET state = $4, warn_at = $5, due = $6, remaining = $7, ended_at = $8, told = $9,"
                              " step_at = $10, overdue = $11"
                              " WHERE case_id = $1 AND clock = $2 AND round = $3";
static const char SQL_NEXT[] = "SELECT MIN(CASE WHEN step_at > 0 AND (overdue = 1 OR step_at < next) THEN step_at ELSE next END)"
                               " FROM (SELECT step_at, overdue, CASE WHEN warn_at > 0 AND warn_at < due THEN warn_at ELSE due END"
                               " AS next FROM case_clock WHERE case_id = $1 AND state = 'running' AND (overdue = 0 OR step_at > 0)"
                               ") c";

const char *const clock_states[] = {"running", "paused", "met", "missed"};

/* --- what a move does to clocks: no store ------------------------------------------------------------------------------------- */

static bool works(enum limit_unit unit)
{
        return unit == LIMIT_WORK_HOUR || unit == LIMIT_WORK_DAY;
}

/* Time from an instant to the due instant, in the clock's own kind of time; negative when it is overdue by then. */
static int64_t left(const struct calendar *cal, const struct case_clock *c, int64_t from)
{
        if (!works(c->unit))
                return c->due - from;
        return from <= c->due ? calendar_worked(cal, from, c->due) : -calendar_worked(cal, c->due, from);
}

/* When the step of the ladder is to be told; one before the deadline whose time passed before `from` is told then. */
static bool step_instant(const struct calendar *cal, const struct case_clock *c, const struct clock_step *s, int64_t length,
                         int64_t from, int64_t *at, struct err *e)
{
        const int64_t spare = length / 100 * (s->percent - 100);
        if (s->percent >= 100)
                return calendar_after(cal, c->due, spare, c->unit, at, e)
                       && (s->later.unit == LIMIT_NONE || calendar_due(cal, *at, s->later, at, NULL, e));
        const int64_t until = left(cal, c, from) + spare;
        return calendar_after(cal, from, until > 0 ? until : 0, c->unit, at, e);
}

bool clock_next_step(const struct calendar *cal, const struct clock_rule *rule, int64_t length, struct case_clock *c, int64_t from,
                     struct err *e)
{
        c->step_at = 0;
        for (size_t i = 0; i < rule->n_steps; i++) {
                int64_t at;
                if (c->told >> i & 1)
                        continue;
                if (!step_instant(cal, c, &rule->steps[i], length, from, &at, e))
                        return false;
                if (c->step_at == 0 || at < c->step_at)
                        c->step_at = at;
        }
        return true;
}

bool clock_steps_due(const struct calendar *cal, const struct clock_rule *rule, int64_t length, struct case_clock *c, int64_t now,
                     int64_t *due, struct err *e)
{
        *due = 0;
        for (size_t i = 0; i < rule->n_steps; i++) {
                int64_t at;
                if (c->told >> i & 1)
                        continue;
                if (!step_instant(cal, c, &rule->steps[i], length, now, &at, e))
                        return false;
                if (at > now)
                        continue;
                c->told |= (int64_t)1 << i;
                /* Of the repetitions that passed while nobody looked the last one is told. */
                if (i > 0 && rule->steps[i].later.unit != LIMIT_NONE)
                        *due &= ~((int64_t)1 << (i - 1));
                *due |= (int64_t)1 << i;
        }
        return clock_next_step(cal, rule, length, c, now, e);
}

static int64_t length_of(const struct clock_turn *t, const struct clock_rule *rule)
{
        return calendar_length(t->calendar, clock_limit(rule, t->item, t->urgent));
}

bool clock_begin(const struct clock_turn *t, const struct clock_rule *rule, struct case_clock *out, struct err *e)
{
        const struct limit limit = clock_limit(rule, t->item, t->urgent);
        *out = (struct case_clock){0};
        if (limit.unit == LIMIT_NONE)
                return true;
        const int64_t length = calendar_length(t->calendar, limit);
        *out = (struct case_clock){.clock = rule->clock, .rule = rule, .started = t->now, .unit = limit.unit, .changed = true};
        return calendar_due(t->calendar, t->now, limit, &out->due, NULL, e)
               && calendar_after(t->calendar, t->now, length / 100 * rule->warn, limit.unit, &out->warn_at, e)
               && clock_next_step(t->calendar, rule, length, out, t->now, e);
}

/* Overtime is judged at the moment the unit hands over: an instant equal to the due instant is in time. */
static void stop(const struct clock_turn *t, struct case_clock *c, bool *late)
{
        const bool missed = c->state == CLOCK_RUNNING ? c->due < t->now : c->remaining < 0;
        c->state = missed ? CLOCK_MISSED : CLOCK_MET;
        c->ended = t->now;
        c->changed = true;
        *late = *late || missed;
}

static void pause(const struct clock_turn *t, struct case_clock *c)
{
        c->remaining = left(t->calendar, c, t->now);
        c->state = CLOCK_PAUSED;
        c->changed = true;
}

static bool resume(const struct clock_turn *t, struct case_clock *c, struct err *e)
{
        const struct calendar *cal = t->calendar;
        /* It warns as long before it is due as it would have done without the pause. */
        const int64_t until_warning = c->remaining - left(cal, c, c->warn_at);
        c->state = CLOCK_RUNNING;
        c->changed = true;
        if (c->remaining <= 0)
                c->due = t->now + c->remaining;
        else if (!calendar_after(cal, t->now, c->remaining, c->unit, &c->due, e)
                 || (c->warn_at > 0
                     && !calendar_after(cal, t->now, until_warning > 0 ? until_warning : 0, c->unit, &c->warn_at, e)))
                return false;
        c->remaining = 0;
        return clock_next_step(cal, c->rule, length_of(t, c->rule), c, t->now, e);
}

enum bearing { CLOCKS_RUN, CLOCKS_PAUSE, CLOCKS_OFF };

/* What a state says of the clocks of its cases; a last state ends them. */
static enum bearing bearing(const struct state *s)
{
        if (s->last || text_is(s->clock, "off"))
                return CLOCKS_OFF;
        return text_is(s->clock, "paused") ? CLOCKS_PAUSE : CLOCKS_RUN;
}

/* A start of the same clock ends its running round first.  The state the case comes to has the last word: where clocks are paused
 * none runs, and what was paused runs on where they run. */
static bool turn_live(const struct clock_turn *t, struct clock_book *b, bool *late, struct err *e)
{
        const enum bearing now = bearing(t->dest);
        const bool wakes = bearing(t->origin) == CLOCKS_PAUSE && now == CLOCKS_RUN;
        for (size_t i = 0; i < b->n; i++) {
                struct case_clock *k = &b->at[i];
                const struct clock_rule *c = k->rule;
                if (k->state > CLOCK_PAUSED)
                        continue;
                if (!c || now == CLOCKS_OFF || names_move(c->stops, c->n_stops, t->move)
                    || names_move(c->starts, c->n_starts, t->move))
                        stop(t, k, late);
                else if (k->state == CLOCK_RUNNING && (now == CLOCKS_PAUSE || names_move(c->pauses, c->n_pauses, t->move)))
                        pause(t, k);
                else if (k->state == CLOCK_PAUSED && (wakes || names_move(c->resumes, c->n_resumes, t->move)) && !resume(t, k, e))
                        return false;
        }
        return true;
}

bool clock_book_turn(struct clock_book *b, const struct clock_turn *t, bool *late, struct err *e)
{
        if (!turn_live(t, b, late, e))
                return false;
        if (bearing(t->dest) != CLOCKS_RUN)
                return true;
        const struct workflow *w = t->workflow;
        for (size_t i = 0; i < w->n_clocks && b->n < CASE_CLOCKS_MOST; i++) {
                if (!names_move(w->clocks[i].starts, w->clocks[i].n_starts, t->move))
                        continue;
                if (!clock_begin(t, &w->clocks[i], &b->at[b->n], e))
                        return false;
                b->n += b->at[b->n].rule != NULL;
        }
        return true;
}

static struct case_clock *item_clock(struct clock_book *b)
{
        for (size_t i = 0; i < b->n; i++)
                if (b->at[i].rule && b->at[i].rule->of_item && b->at[i].state == CLOCK_RUNNING)
                        return &b->at[i];
        return NULL;
}

bool clock_book_extend(struct clock_book *b, const struct clock_turn *t, struct err *e)
{
        struct case_clock *c = item_clock(b);
        if (!c)
                return true;
        const struct limit limit = clock_limit(c->rule, t->item, t->urgent);
        const int64_t length = calendar_length(t->calendar, limit), before = c->due;
        if (limit.unit == LIMIT_NONE)
                return true;
        c->changed = true;
        c->told = 0; /* the time given anew has its own ladder */
        return calendar_after(t->calendar, before, length, limit.unit, &c->due, e)
               && calendar_after(t->calendar, before, length / 100 * c->rule->warn, limit.unit, &c->warn_at, e)
               && clock_next_step(t->calendar, c->rule, length, c, t->now, e);
}

int64_t clock_book_due(const struct clock_book *b)
{
        int64_t first = 0;
        for (size_t i = 0; i < b->n; i++) {
                const struct case_clock *c = &b->at[i];
                if (c->state != CLOCK_RUNNING || !c->rule)
                        continue;
                if (c->rule->of_item)
                        return c->due;
                if (first == 0 || c->due < first)
                        first = c->due;
        }
        return first;
}

/* --- the clocks of a case in the store ---------------------------------------------------------------------------------------- */

static enum clock_state state_of(const char *name)
{
        for (size_t i = 0; i < COUNT_OF(clock_states); i++)
                if (text_is(clock_states[i], name))
                        return (enum clock_state)i;
        return CLOCK_RUNNING;
}

static bool read_live(struct moving *m, struct clock_book *b, struct err *e)
{
        struct rows r;
        b->n = 0;
        if (!tx_rows(m->tx, &r, e, SQL_LIVE, ARGS(V(m->row.id))))
                return false;
        while (b->n < CASE_CLOCKS_MOST && rows_next(&r)) {
                struct case_clock *c = &b->at[b->n++];
                *c = (struct case_clock){
                        .clock = rows_text(&r, m->arena, 0),
                        .round = rows_int(&r, 1),
                        .state = state_of(rows_text(&r, m->arena, 2)),
                        .started = rows_int(&r, 3),
                        .warn_at = rows_int(&r, 4),
                        .due = rows_int(&r, 5),
                        .remaining = rows_int(&r, 6),
                        .unit = limit_unit_of(rows_text(&r, m->arena, 7)),
                        .told = rows_int(&r, 8),
                        .overdue = rows_int(&r, 9) != 0,
                };
                c->rule = clock_rule_find(m->workflow, c->clock);
        }
        return rows_done(&r, e);
}

bool case_clock_set(struct tx *tx, int64_t case_id, const struct case_clock *c, struct err *e)
{
        return tx_send(tx, e, SQL_SET,
                       ARGS(V(case_id), V(c->clock), V(c->round), V(clock_states[c->state]), V(c->warn_at), V(c->due),
                            V(c->remaining), V(c->ended), V(c->told), V(c->step_at), V(c->overdue ? 1 : 0)));
}

static bool write_changed(struct moving *m, const struct clock_book *b, struct err *e)
{
        for (size_t i = 0; i < b->n; i++) {
                const struct case_clock *c = &b->at[i];
                if (!c->changed)
                        continue;
                if (c->round > 0 ? !case_clock_set(m->tx, m->row.id, c, e)
                                 : !tx_send(m->tx, e, SQL_PUT,
                                            ARGS(V(m->row.id), V(c->clock), V(m->unit), V(c->started), V(c->warn_at), V(c->due),
                                                 V(limit_unit_name(c->unit)), V(c->step_at))))
                        return false;
        }
        return true;
}

static struct clock_turn turn_of(const struct moving *m, const char *item)
{
        const struct state *origin = state_find(m->workflow, m->row.state);
        return (struct clock_turn){
                .calendar = m->calendar,
                .workflow = m->workflow,
                .move = m->move->name,
                .origin = origin,
                .dest = m->move->dest ? m->move->dest : origin,
                .item = item_find(m->rules->catalogue, item),
                .urgent = m->row.urgent,
                .now = m->now,
        };
}

bool clocks_turn(struct moving *m, int64_t *due, bool *late, struct err *e)
{
        struct clock_book b;
        const struct clock_turn t = turn_of(m, m->item);
        *late = m->row.late;
        if (!read_live(m, &b, e) || !clock_book_turn(&b, &t, late, e) || !write_changed(m, &b, e))
                return false;
        *due = clock_book_due(&b);
        return clocks_set_timer(m->tx, m->row.id, e);
}

bool clock_of_item(struct moving *m, int64_t *due, bool extend, struct err *e)
{
        struct clock_book b;
        *due = 0;
        if (!read_live(m, &b, e))
                return false;
        const struct case_clock *c = item_clock(&b);
        if (!c)
                return true;
        *due = c->due;
        const struct clock_turn t = turn_of(m, m->row.item);
        return !extend || (clock_book_extend(&b, &t, e) && write_changed(m, &b, e));
}

bool clocks_set_timer(struct tx *tx, int64_t case_id, struct err *e)
{
        char key[24];
        int64_t next;
        (void)snprintf(key, sizeof key, "%lld", (long long)case_id);
        if (!tx_int(tx, &next, 0, e, SQL_NEXT, ARGS(V(case_id))))
                return false;
        return next ? timer_set(tx, case_clock_timer.name, key, next, NULL, e) : timer_clear(tx, case_clock_timer.name, key, e);
}
