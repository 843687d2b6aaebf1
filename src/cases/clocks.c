/* cases/clocks.c -- the clocks of a case: which move starts, stops, pauses and resumes them is data (clocks.csv).  Below, the
 * one timer of a case: it warns, tells that a clock was overrun, and sets itself to the next instant. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
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

enum bearing { CLOCKS_RUN, CLOCKS_PAUSE, CLOCKS_OFF };

/* What a state says of the clocks of its cases; a last state ends them. */
static enum bearing bearing(const struct state *s)
{
        if (s->last || text_is(s->clock, "off"))
                return CLOCKS_OFF;
        return text_is(s->clock, "paused") ? CLOCKS_PAUSE : CLOCKS_RUN;
}

/* What the move does to the clocks that live: a start of the same clock ends its running round first.  The state the case comes to has
 * the last word: where clocks are paused none runs, and what was paused runs on where they run. */
static bool turn_live(struct moving *m, const struct state *origin, const struct state *dest, struct live *live, size_t n,
                      bool *late, struct err *e)
{
        const char *move = m->move->name;
        const enum bearing now = bearing(dest);
        const bool wakes = bearing(origin) == CLOCKS_PAUSE && now == CLOCKS_RUN;
        for (size_t i = 0; i < n; i++) {
                const struct clock_rule *c = clock_rule_find(m->workflow, live[i].clock);
                bool ok = true;
                if (!c || now == CLOCKS_OFF || names_move(c->stops, c->n_stops, move) || names_move(c->starts, c->n_starts, move))
                        ok = stop(m, &live[i], late, e);
                else if (live[i].running && (now == CLOCKS_PAUSE || names_move(c->pauses, c->n_pauses, move)))
                        ok = pause(m, &live[i], e);
                else if (!live[i].running && (wakes || names_move(c->resumes, c->n_resumes, move)))
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
        const struct state *origin = state_find(m->workflow, m->row.state), *dest = m->move->dest ? m->move->dest : origin;
        *late = m->row.late;
        if (!read_live(m, live, &n_live, e) || !turn_live(m, origin, dest, live, n_live, late, e))
                return false;
        for (size_t i = 0; i < n_live && n < LIVE_MOST; i++) {
                const struct clock_rule *c = clock_rule_find(m->workflow, live[i].clock);
                if (c && !live[i].gone && live[i].running)
                        plans[n++] = (struct clock_plan){.rule = c, .due = live[i].due};
        }
        if (bearing(dest) == CLOCKS_RUN && !start_new(m, item, plans, &n, e))
                return false;
        *due = clocks_shown_due(plans, n);
        return clocks_set_timer(m->tx, m->row.id, e);
}

/* One more of the original limit behind the present deadline (process.md, "Extension"). */
static bool lengthen(struct moving *m, const struct live *l, const struct clock_rule *rule, struct err *e)
{
        const struct calendar *cal = m->rules->calendar;
        const struct limit limit = clock_limit(rule, item_find(m->rules->catalogue, m->row.item), m->row.urgent);
        const int64_t length = calendar_length(cal, limit);
        int64_t due, warn_at;
        if (limit.unit == LIMIT_NONE || !calendar_after(cal, l->due, length, limit.unit, &due, e)
            || !calendar_after(cal, l->due, length / 100 * rule->warn, limit.unit, &warn_at, e))
                return limit.unit == LIMIT_NONE;
        return tx_send(m->tx, e, SQL_RESUME, ARGS(V(m->row.id), V(l->clock), V(l->round), V(due), V(warn_at)));
}

bool clock_of_item(struct moving *m, int64_t *due, bool extend, struct err *e)
{
        struct live live[LIVE_MOST];
        size_t n;
        *due = 0;
        if (!read_live(m, live, &n, e))
                return false;
        for (size_t i = 0; i < n; i++) {
                const struct clock_rule *rule = clock_rule_find(m->workflow, live[i].clock);
                if (!rule || !rule->of_item || !live[i].running)
                        continue;
                *due = live[i].due;
                return !extend || lengthen(m, &live[i], rule, e);
        }
        return true;
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

/* --- the timer -------------------------------------------------------------------------------------------------------------- */

static const char SQL_CASE[] = "SELECT number, unit, track, community, state FROM cases WHERE id = $1";
static const char SQL_DUE[] =
        "SELECT clock, round, due, unit FROM case_clock WHERE case_id = $1 AND state = 'running' AND overdue = 0"
        " AND (due <= $2 OR (warn_at > 0 AND warn_at <= $2)) ORDER BY clock, round";
static const char SQL_WARNED[] = "UPDATE case_clock SET warn_at = 0 WHERE case_id = $1 AND clock = $2 AND round = $3";
static const char SQL_OVERDUE[] = "UPDATE case_clock SET warn_at = 0, overdue = 1 WHERE case_id = $1 AND clock = $2 AND round = $3";

enum { DUE_MOST = 32 };
struct ringing {
        const char *clock, *unit;
        int64_t round, due;
};
struct ring {
        int64_t id, now;
        struct arena *arena;
};

static bool tell(struct tx *tx, const struct ring *ring, const char *number, const struct ringing *r, struct err *e)
{
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        const char *topic = r->due <= ring->now ? "overdue" : "warning";
        json_object(&j, NULL);
        json_text(&j, "number", number);
        json_text(&j, "clock", r->clock);
        json_text(&j, "unit", r->unit);
        json_time(&j, "due", r->due);
        json_object_end(&j);
        bool ok = outbox_put(tx, topic, number, b.at, ring->now, e);
        buf_free(&b);
        return ok && tx_send(tx, e, r->due <= ring->now ? SQL_OVERDUE : SQL_WARNED, ARGS(V(ring->id), V(r->clock), V(r->round)));
}

static bool ring_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct ring *ring = ctx;
        struct ringing due[DUE_MOST];
        struct rows r;
        size_t n = 0;
        int found = tx_first(tx, &r, e, SQL_CASE, ARGS(V(ring->id)));
        if (found <= 0)
                return found == 0; /* no such case: nothing to ring for */
        const char *number = rows_text(&r, ring->arena, 0);
        if (!rows_done(&r, e) || !tx_rows(tx, &r, e, SQL_DUE, ARGS(V(ring->id), V(ring->now))))
                return false;
        while (n < DUE_MOST && rows_next(&r))
                due[n++] = (struct ringing){.clock = rows_text(&r, ring->arena, 0),
                                            .round = rows_int(&r, 1),
                                            .due = rows_int(&r, 2),
                                            .unit = rows_text(&r, ring->arena, 3)};
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!tell(tx, ring, number, &due[i], e))
                        return false;
        return clocks_set_timer(tx, ring->id, e);
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        struct ring ring = {.now = now, .arena = arena_new()};
        bool ok = text_to_int(timer->key, &ring.id) || err_set(e, ERR_FAULT, "timer case-clock has the key \"%s\"", timer->key);
        ok = ok && store_write(d->store, ring_once, &ring, e);
        arena_free(&ring.arena);
        return ok;
}

const struct timer_kind case_clock_timer = {
        .name = "case-clock",
        .about = "Warns of a clock that runs out and tells when it has.",
        .run = run,
};
