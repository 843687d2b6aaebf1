/* asks/timer.c -- the instants of what was asked: a suspension ends by itself; an unanswered supervision is told. */
#include "asks/rows.h"
#include "base/arena.h"
#include "base/text.h"
#include "district/district.h"
#include "json/json.h"
#include "store/store.h"
#include "task/task.h"

static const char SQL_NUMBER[] = "SELECT number, unit FROM cases WHERE id = $1";
static const char SQL_SUSPENDED[] =
        "SELECT COUNT(*) FROM case_ask WHERE case_id = $1 AND kind = 'suspension' AND state = 'open' AND"
        " until <= $2 AND told = 0";
static const char SQL_UNANSWERED[] = "SELECT n, level FROM case_ask WHERE case_id = $1 AND kind = 'supervision' AND state = 'open'"
                                     " AND until <= $2 AND told = 0 ORDER BY n";
static const char SQL_TOLD[] = "UPDATE case_ask SET told = 1 WHERE case_id = $1 AND until > 0 AND until <= $2 AND state IN ('open',"
                               " 'passed')";

struct ring {
        struct arena *arena;
        int64_t id, now, suspended;
        const char *number;
};

static bool tell_unanswered(struct tx *tx, const struct ring *ring, const char *unit, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_UNANSWERED, ARGS(V(ring->id), V(ring->now))))
                return false;
        bool any = rows_next(&r);
        const char *level = any ? rows_text(&r, ring->arena, 1) : "";
        if (!rows_done(&r, e) || !any)
                return !any;
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "number", ring->number);
        json_text(&j, "unit", unit);
        json_text(&j, "level", level);
        json_object_end(&j);
        const bool ok = outbox_put(tx, "supervision_overdue", ring->number, b.at, ring->now, e);
        buf_free(&b);
        return ok;
}

static bool ring_once(struct tx *tx, void *ctx, struct err *e)
{
        struct ring *ring = ctx;
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_NUMBER, ARGS(V(ring->id)));
        if (found <= 0)
                return found == 0;
        ring->number = rows_text(&r, ring->arena, 0);
        const char *unit = rows_text(&r, ring->arena, 1);
        return rows_done(&r, e) && tx_int(tx, &ring->suspended, 0, e, SQL_SUSPENDED, ARGS(V(ring->id), V(ring->now)))
               && tell_unanswered(tx, ring, unit, e) && tx_send(tx, e, SQL_TOLD, ARGS(V(ring->id), V(ring->now)))
               && ask_set_timer(tx, ring->id, e);
}

/* The move first: were the row marked first, a crash in between would leave the case suspended for ever. */
static bool resume(struct district *d, struct ring *ring, struct err *e)
{
        static const struct mover program = {.name = "system", .role = 0};
        if (cases_move(d, ring->arena, ring->number, "resume", &program, NULL, ring->now, e))
                return true;
        return e->kind == ERR_CONFLICT; /* somebody was faster, or the case has ended */
}

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct ring *ring = ctx;
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_NUMBER, ARGS(V(ring->id)));
        if (found <= 0)
                return found == 0;
        ring->number = rows_text(&r, ring->arena, 0);
        return rows_done(&r, e) && tx_int(tx, &ring->suspended, 0, e, SQL_SUSPENDED, ARGS(V(ring->id), V(ring->now)));
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        struct ring ring = {.now = now, .arena = arena_new()};
        bool ok = text_to_int(timer->key, &ring.id) || err_set(e, ERR_FAULT, "timer case-ask has the key \"%s\"", timer->key);
        ok = ok && store_read(d->store, look, &ring, e) && (ring.suspended == 0 || resume(d, &ring, e))
             && store_write(d->store, ring_once, &ring, e);
        arena_free(&ring.arena);
        return ok;
}

const struct timer_kind ask_timer = {
        .name = "case-ask",
        .about = "Ends suspensions and tells of supervision that was not answered in time.",
        .run = run,
};
