/* cases/clock_timer.c -- the one timer of a case: it warns, tells that a clock was overrun, climbs the ladder (escalation.csv), and
 * sets itself to the next instant.  After a time in which nothing ran it is late, but loses none. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "store/store.h"
#include "task/task.h"

static const char SQL_CASE[] = "SELECT number, version, workflow, state, item, urgent FROM cases WHERE id = $1";
static const char SQL_DUE[] =
        "SELECT clock, round, due, unit FROM case_clock WHERE case_id = $1 AND state = 'running' AND overdue = 0"
        " AND (due <= $2 OR (warn_at > 0 AND warn_at <= $2)) ORDER BY clock, round";
static const char SQL_WARNED[] = "UPDATE case_clock SET warn_at = 0 WHERE case_id = $1 AND clock = $2 AND round = $3";
static const char SQL_OVERDUE[] = "UPDATE case_clock SET warn_at = 0, overdue = 1 WHERE case_id = $1 AND clock = $2 AND round = $3";
static const char SQL_STEPS[] =
        "SELECT clock, round, due, unit, limit_unit, told FROM case_clock WHERE case_id = $1 AND state = 'running'"
        " AND step_at > 0 AND step_at <= $2 ORDER BY clock, round";
static const char SQL_TOLD[] = "UPDATE case_clock SET told = $4, step_at = $5 WHERE case_id = $1 AND clock = $2 AND round = $3";

enum { DUE_MOST = 32 };
struct ringing {
        const char *unit;
        struct case_clock clock;
};
struct ring {
        struct district *district;
        struct arena *arena;
        int64_t id, now;
        /* the case */
        const char *number, *state;
        const struct workflow *workflow;
        const struct calendar *calendar;
        const struct item *item;
        bool urgent;
};

static bool put_event(struct tx *tx, const struct ring *ring, const char *topic, const struct ringing *r,
                      const struct clock_step *step, struct err *e)
{
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "number", ring->number);
        json_text(&j, "clock", r->clock.clock);
        json_text(&j, "unit", r->unit);
        json_time(&j, "due", r->clock.due);
        if (step) {
                json_text(&j, "to", step->to);
                json_int(&j, "percent", step->percent);
                if (step->level)
                        json_text(&j, "level", step->level);
        }
        json_object_end(&j);
        const bool ok = outbox_put(tx, topic, ring->number, b.at, ring->now, e);
        buf_free(&b);
        return ok;
}

static bool tell_due(struct tx *tx, const struct ring *ring, const struct ringing *r, struct err *e)
{
        const bool overdue = r->clock.due <= ring->now;
        return put_event(tx, ring, overdue ? "overdue" : "warning", r, NULL, e)
               && tx_send(tx, e, overdue ? SQL_OVERDUE : SQL_WARNED, ARGS(V(ring->id), V(r->clock.clock), V(r->clock.round)));
}

/* A step orders supervision where the case stands so that it can be ordered; elsewhere it is only told. */
static bool order(struct tx *tx, const struct ring *ring, const struct ringing *r, const struct clock_step *step, struct err *e)
{
        static const struct mover program = {.name = "system"};
        const struct move *supervise = move_find(ring->workflow, "supervise");
        if (!supervise || !move_starts_at(supervise, ring->state))
                return true;
        struct buf b = BUF_LIMIT(1 << 12);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "level", step->level);
        json_text(&j, "reason", arena_format(ring->arena, "%s %d%%", r->clock.rule->name, step->percent));
        json_object_end(&j);
        struct moving m = {.district = ring->district, .arena = ring->arena, .tx = tx, .mover = &program, .now = ring->now};
        m.form = json_parse(ring->arena, b.at, b.length, e);
        buf_free(&b);
        return m.form && case_move_within(&m, ring->number, supervise->name, e);
}

static bool climb(struct tx *tx, const struct ring *ring, struct ringing *r, struct err *e)
{
        const struct clock_rule *rule = clock_rule_find(ring->workflow, r->clock.clock);
        int64_t due = 0;
        if (!rule)
                return tx_send(tx, e, SQL_TOLD,
                               ARGS(V(ring->id), V(r->clock.clock), V(r->clock.round), V(r->clock.told), V((int64_t)0)));
        r->clock.rule = rule;
        const int64_t length = calendar_length(ring->calendar, clock_limit(rule, ring->item, ring->urgent));
        if (!clock_steps_due(ring->calendar, rule, length, &r->clock, ring->now, &due, e)
            || !tx_send(tx, e, SQL_TOLD,
                        ARGS(V(ring->id), V(r->clock.clock), V(r->clock.round), V(r->clock.told), V(r->clock.step_at))))
                return false;
        for (size_t i = 0; i < rule->n_steps; i++)
                if ((due >> i & 1) != 0
                    && (!put_event(tx, ring, "escalation", r, &rule->steps[i], e)
                        || (rule->steps[i].level && !order(tx, ring, r, &rule->steps[i], e))))
                        return false;
        return true;
}

static bool read_due(struct tx *tx, const struct ring *ring, const char *sql, struct ringing *due, size_t *n, struct err *e)
{
        struct rows r;
        const bool steps = sql == SQL_STEPS;
        *n = 0;
        if (!tx_rows(tx, &r, e, sql, ARGS(V(ring->id), V(ring->now))))
                return false;
        while (*n < DUE_MOST && rows_next(&r)) {
                struct ringing *one = &due[(*n)++];
                *one = (struct ringing){
                        .unit = rows_text(&r, ring->arena, 3),
                        .clock = {.clock = rows_text(&r, ring->arena, 0), .round = rows_int(&r, 1), .due = rows_int(&r, 2)}};
                if (steps) {
                        one->clock.unit = limit_unit_of(rows_text(&r, ring->arena, 4));
                        one->clock.told = rows_int(&r, 5);
                }
        }
        return rows_done(&r, e);
}

/* 1 found, 0 none, -1 failed. */
static int read_case(struct tx *tx, struct ring *ring, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_CASE, ARGS(V(ring->id)));
        if (found <= 0)
                return found;
        ring->number = rows_text(&r, ring->arena, 0);
        const int64_t version = rows_int(&r, 1);
        const char *workflow = rows_text(&r, ring->arena, 2), *item = rows_text(&r, ring->arena, 4);
        ring->state = rows_text(&r, ring->arena, 3);
        ring->urgent = rows_int(&r, 5) != 0;
        if (!rows_done(&r, e))
                return -1;
        const struct rulebook *rules = district_rules_of(ring->district, version, e), *active = district_rules(ring->district, e);
        if (!rules || !active)
                return -1;
        ring->workflow = workflow_find(rules->workflows, workflow);
        ring->calendar = active->calendar;
        ring->item = item_find(rules->catalogue, item);
        if (ring->workflow)
                return 1;
        (void)err_set(e, ERR_FAULT, "workflow %s of version %lld is gone", workflow, (long long)version);
        return -1;
}

static bool ring_once(struct tx *tx, void *ctx, struct err *e)
{
        struct ring *ring = ctx;
        struct ringing due[DUE_MOST];
        size_t n;
        const int found = read_case(tx, ring, e);
        if (found <= 0)
                return found == 0; /* no such case: nothing to ring for */
        if (!read_due(tx, ring, SQL_DUE, due, &n, e))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!tell_due(tx, ring, &due[i], e))
                        return false;
        if (!read_due(tx, ring, SQL_STEPS, due, &n, e))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!climb(tx, ring, &due[i], e))
                        return false;
        return clocks_set_timer(tx, ring->id, e);
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct ring ring = {.district = ctx, .now = now, .arena = arena_new()};
        bool ok = text_to_int(timer->key, &ring.id) || err_set(e, ERR_FAULT, "timer case-clock has the key \"%s\"", timer->key);
        ok = ok && store_write(ring.district->store, ring_once, &ring, e);
        arena_free(&ring.arena);
        return ok;
}

const struct timer_kind case_clock_timer = {
        .name = "case-clock",
        .about = "Warns of a clock that runs out, tells when it has, and whom the ladder names.",
        .run = run,
};
