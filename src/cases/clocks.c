/* cases/clocks.c -- the clocks of a case: which move starts, stops, pauses and resumes them is data (clocks.csv). */
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
        " ended_at)"
        " SELECT $1, $2, COALESCE(MAX(round), 0) + 1, 'running', $3, $4, $5, $6, 0, $7, 0, 0"
        " FROM case_clock WHERE case_id = $1 AND clock = $2";
static const char SQL_LIVE[] = "SELECT clock, round, state, warn_at, due, remaining, limit_unit FROM case_clock"
                               " WHERE case_id = $1 AND state IN ('running', 'paused') ORDER BY clock, round";
/* Overtime is judged at the moment the unit hands over: an instant equal to the due instant is in time. */
static const char SQL_STOP[] =
        "UPDATE case_clock SET state = CASE WHEN (state = 'running' AND due < $4) OR (state = 'paused' AND remaining < 0)"
        " THEN 'missed' ELSE 'met' END, ended_at = $4"
        " WHERE case_id = $1 AND clock = $2 AND round = $3";
static const char SQL_PAUSE[] =
        "UPDATE case_clock SET state = 'paused', remaining = $4 WHERE case_id = $1 AND clock = $2 AND round = $3";
static const char SQL_RESUME[] =
        "UPDATE case_clock SET state = 'running', due = $4, warn_at = $5, remaining = 0 WHERE case_id = $1 AND clock = $2 AND"
        " round = $3";
static const char SQL_NEXT[] = "SELECT MIN(CASE WHEN warn_at > 0 AND warn_at < due THEN warn_at ELSE due END) FROM case_clock"
                               " WHERE case_id = $1 AND state = 'running' AND overdue = 0";

enum { LIVE_MOST = 64 };
struct live {
        const char *clock;
        int64_t round, warn_at, due, remaining;
        bool running, gone;
        enum limit_unit unit;
};

bool clock_plan(const struct rulebook *rules, const struct clock_rule *rule, const struct item *item, bool urgent, int64_t start,
                struct clock_plan *out, struct err *e)
{
        struct limit limit = clock_limit(rule, item, urgent);
        *out = (struct clock_plan){0};
        if (limit.unit == LIMIT_NONE)
                return true;
        int64_t warned = calendar_length(rules->calendar, limit) / 100 * rule->warn;
        *out = (struct clock_plan){.rule = rule, .started = start, .unit = limit.unit};
        return calendar_due(rules->calendar, start, limit, &out->due, NULL, e)
               && calendar_after(rules->calendar, start, warned, limit.unit, &out->warn_at, e);
}

bool clock_put(struct tx *tx, int64_t case_id, const char *unit, const struct clock_plan *p, struct err *e)
{
        return tx_send(tx, e, SQL_PUT,
                       ARGS(V(case_id), V(p->rule->clock), V(unit), V(p->started), V(p->warn_at), V(p->due),
                            V(limit_unit_name(p->unit))));
}

static bool read_live(struct moving *m, struct live *live, size_t *n, struct err *e)
{
        struct rows r;
        *n = 0;
        if (!tx_rows(m->tx, &r, e, SQL_LIVE, ARGS(V(m->row.id))))
                return false;
        while (*n < LIVE_MOST && rows_next(&r))
                live[(*n)++] = (struct live){
                        .clock = rows_text(&r, m->arena, 0),
                        .round = rows_int(&r, 1),
                        .running = text_is(rows_text(&r, m->arena, 2), "running"),
                        .warn_at = rows_int(&r, 3),
                        .due = rows_int(&r, 4),
                        .remaining = rows_int(&r, 5),
                        .unit = limit_unit_of(rows_text(&r, m->arena, 6)),
                };
        return rows_done(&r, e);
}

static bool stop(struct moving *m, struct live *l, bool *late, struct err *e)
{
        l->gone = true;
        if (l->running ? l->due < m->now : l->remaining < 0)
                *late = true;
        return tx_send(m->tx, e, SQL_STOP, ARGS(V(m->row.id), V(l->clock), V(l->round), V(m->now)));
}

/* Time from an instant to the due instant, in the clock's own kind of time; negative when it is overdue by then. */
static int64_t left(const struct calendar *cal, const struct live *l, int64_t from)
{
        if (l->unit != LIMIT_WORK_HOUR && l->unit != LIMIT_WORK_DAY)
                return l->due - from;
        return from <= l->due ? calendar_worked(cal, from, l->due) : -calendar_worked(cal, l->due, from);
}

static bool pause(struct moving *m, struct live *l, struct err *e)
{
        l->running = false;
        l->remaining = left(m->rules->calendar, l, m->now);
        return tx_send(m->tx, e, SQL_PAUSE, ARGS(V(m->row.id), V(l->clock), V(l->round), V(l->remaining)));
}

static bool resume(struct moving *m, struct live *l, struct err *e)
{
        const struct calendar *cal = m->rules->calendar;
        /* It warns as long before it is due as it would have done without the pause. */
        const int64_t until_warning = l->remaining - left(cal, l, l->warn_at);
        l->running = true;
        if (l->remaining <= 0)
                l->due = m->now + l->remaining;
        else if (!calendar_after(cal, m->now, l->remaining, l->unit, &l->due, e)
                 || (l->warn_at > 0
                     && !calendar_after(cal, m->now, until_warning > 0 ? until_warning : 0, l->unit, &l->warn_at, e)))
                return false;
        return tx_send(m->tx, e, SQL_RESUME, ARGS(V(m->row.id), V(l->clock), V(l->round), V(l->due), V(l->warn_at)));
}

/* What the move does to the clocks that live: a start of the same clock ends its running round first. */
static bool turn_live(struct moving *m, struct live *live, size_t n, bool *late, struct err *e)
{
        const char *move = m->move->name;
        bool at_end = m->move->dest && m->move->dest->last;
        for (size_t i = 0; i < n; i++) {
                const struct clock_rule *c = clock_rule_find(m->workflow, live[i].clock);
                bool ok = true;
                if (!c || at_end || names_move(c->stops, c->n_stops, move) || names_move(c->starts, c->n_starts, move))
                        ok = stop(m, &live[i], late, e);
                else if (live[i].running && names_move(c->pauses, c->n_pauses, move))
                        ok = pause(m, &live[i], e);
                else if (!live[i].running && names_move(c->resumes, c->n_resumes, move))
                        ok = resume(m, &live[i], e);
                if (!ok)
                        return false;
        }
        return true;
}

int64_t clocks_shown_due(const struct clock_plan *plans, size_t n)
{
        int64_t first = 0;
        for (size_t i = 0; i < n; i++) {
                if (plans[i].rule->of_item)
                        return plans[i].due;
                if (first == 0 || plans[i].due < first)
                        first = plans[i].due;
        }
        return first;
}

static bool start_new(struct moving *m, const struct item *item, struct clock_plan *plans, size_t *n, struct err *e)
{
        const struct workflow *w = m->workflow;
        for (size_t i = 0; i < w->n_clocks && *n < LIVE_MOST; i++) {
                struct clock_plan p;
                if (!names_move(w->clocks[i].starts, w->clocks[i].n_starts, m->move->name))
                        continue;
                if (!clock_plan(m->rules, &w->clocks[i], item, m->row.urgent, m->now, &p, e))
                        return false;
                if (!p.rule)
                        continue;
                if (!clock_put(m->tx, m->row.id, m->unit, &p, e))
                        return false;
                plans[(*n)++] = p;
        }
        return true;
}

bool clocks_turn(struct moving *m, int64_t *due, bool *late, struct err *e)
{
        struct live live[LIVE_MOST];
        struct clock_plan plans[LIVE_MOST];
        size_t n_live, n = 0;
        const struct item *item = item_find(m->rules->catalogue, m->item);
        *late = m->row.late;
        if (!read_live(m, live, &n_live, e) || !turn_live(m, live, n_live, late, e))
                return false;
        for (size_t i = 0; i < n_live && n < LIVE_MOST; i++) {
                const struct clock_rule *c = clock_rule_find(m->workflow, live[i].clock);
                if (c && !live[i].gone && live[i].running)
                        plans[n++] = (struct clock_plan){.rule = c, .due = live[i].due};
        }
        if ((!m->move->dest || !m->move->dest->last) && !start_new(m, item, plans, &n, e))
                return false;
        *due = clocks_shown_due(plans, n);
        return clocks_set_timer(m->tx, m->row.id, e);
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
