/* cases/timer.c -- the one timer of a case: warns, tells that a clock was overrun, and sets itself to the next instant. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/text.h"
#include "district/district.h"
#include "json/json.h"
#include "store/store.h"
#include "task/task.h"

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
