/* task/outbox.c -- events written with the thing they tell of, and how far each consumer has read. */
#include "base/arena.h"
#include "store/store.h"
#include "task/inside.h"

static const char SQL_PUT[] = "INSERT INTO outbox (time, topic, key, payload) VALUES ($1, $2, $3, $4)";

/* One order, two ways to it: on SQLite seq alone is the order and the key; PostgreSQL has the index on (tx, seq). */
static const char SQL_READ_SEQ[] =
        "SELECT tx, seq, time, topic, key, payload FROM outbox_settled WHERE seq > $1 ORDER BY seq LIMIT $2";
static const char SQL_READ_TX[] =
        "SELECT tx, seq, time, topic, key, payload FROM outbox_settled WHERE tx > 0 AND (tx, seq) > ($1, $2)"
        " ORDER BY tx, seq LIMIT $3";
static const char SQL_LAST_SEQ[] = "SELECT tx, seq FROM outbox_settled ORDER BY seq DESC LIMIT 1";
static const char SQL_LAST_TX[] = "SELECT tx, seq FROM outbox_settled WHERE tx > 0 ORDER BY tx DESC, seq DESC LIMIT 1";

static const char SQL_CURSOR[] = "SELECT tx, seq FROM outbox_cursor WHERE consumer = $1";
/* A lease that ends after $5 was given by a clock that has been set back since: nobody gives one for so long. */
static const char SQL_LEASE[] =
        "INSERT INTO outbox_cursor (consumer, tx, seq, owner, until) VALUES ($1, 0, 0, $2, $4)"
        " ON CONFLICT (consumer) DO UPDATE SET owner = excluded.owner, until = excluded.until"
        " WHERE outbox_cursor.until < $3 OR outbox_cursor.until > $5 OR outbox_cursor.owner = excluded.owner"
        " RETURNING tx, seq";
static const char SQL_MOVE[] = "UPDATE outbox_cursor SET tx = $3, seq = $4, until = $5 WHERE consumer = $1 AND owner = $2";
static const char SQL_RELEASE[] = "UPDATE outbox_cursor SET until = 0 WHERE owner = $1";

/* Looks only at the oldest rows, so that it costs nothing while none is old enough. */
static const char SQL_CLEAN[] =
        "DELETE FROM outbox WHERE seq IN (SELECT o.seq FROM (SELECT seq, tx, time FROM outbox ORDER BY seq LIMIT 1000) o"
        " WHERE o.time < $1 AND (o.tx < $2 OR (o.tx = $2 AND o.seq <= $3)))";

/* PostgreSQL only. */
static const char SQL_ADOPT[] =
        "UPDATE outbox SET tx = 1 WHERE tx > 0 AND tx >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
static const char SQL_ADOPT_CURSOR[] =
        "UPDATE outbox_cursor SET tx = 1 WHERE tx >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint";

static bool adopt(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return !tx_is_postgres(tx)
               || (tx_change(tx, e, SQL_ADOPT, NO_ARGS) >= 0 && tx_change(tx, e, SQL_ADOPT_CURSOR, NO_ARGS) >= 0);
}

bool outbox_adopt(struct store *s, struct err *e)
{
        return store_write(s, adopt, NULL, e);
}

bool outbox_put(struct tx *tx, const char *topic, const char *key, const char *payload, int64_t now, struct err *e)
{
        return tx_send(tx, e, SQL_PUT, ARGS(V(now), V(topic), V(key), V(payload)));
}

int cursor_order(struct cursor a, struct cursor b)
{
        if (a.tx != b.tx)
                return a.tx < b.tx ? -1 : 1;
        return (a.seq > b.seq) - (a.seq < b.seq);
}

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
        struct arena *arena;
        struct cursor after;
        int64_t most;
        struct event *out;
        size_t n;
};

static bool open_rows(struct tx *tx, const struct reading *w, struct rows *r, struct err *e)
{
        if (tx_is_postgres(tx))
                return tx_rows(tx, r, e, SQL_READ_TX, ARGS(V(w->after.tx), V(w->after.seq), V(w->most)));
        return tx_rows(tx, r, e, SQL_READ_SEQ, ARGS(V(w->after.seq), V(w->most)));
}

static bool read_events(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *w = ctx;
        struct rows r;
        if (!open_rows(tx, w, &r, e))
                return false;
        for (w->n = 0; rows_next(&r) && w->n < (size_t)w->most; w->n++) {
                w->out[w->n] = (struct event){
                        .at = {.tx = rows_int(&r, 0), .seq = rows_int(&r, 1)},
                        .time = rows_int(&r, 2),
                        .topic = rows_text(&r, w->arena, 3),
                        .key = rows_text(&r, w->arena, 4),
                        .payload = rows_text(&r, w->arena, 5),
                };
        }
        return rows_done(&r, e);
}

struct behind {
        const char *consumer;
        int64_t now, events, lag;
};

static bool look_behind(struct tx *tx, void *ctx, struct err *e)
{
        struct behind *b = ctx;
        struct reading w = {.most = 1};
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_CURSOR, ARGS(V(b->consumer)));
        if (found > 0)
                w.after = (struct cursor){rows_int(&r, 0), rows_int(&r, 1)};
        if (found < 0 || (found > 0 && !rows_done(&r, e)) || !open_rows(tx, &w, &r, e))
                return false;
        const bool any = rows_next(&r);
        const int64_t first = any ? rows_int(&r, 1) : 0;
        b->lag = any && rows_int(&r, 2) < b->now ? b->now - rows_int(&r, 2) : 0;
        b->events = 0;
        if (!rows_done(&r, e))
                return false;
        if (!any)
                return true;
        found = tx_first(tx, &r, e, tx_is_postgres(tx) ? SQL_LAST_TX : SQL_LAST_SEQ, NO_ARGS);
        b->events = found > 0 && rows_int(&r, 1) > first ? rows_int(&r, 1) - first + 1 : 1;
        return found > 0 ? rows_done(&r, e) : found == 0;
}

bool outbox_behind(struct store *s, const char *consumer, int64_t now, int64_t *events, int64_t *lag, struct err *e)
{
        struct behind b = {.consumer = consumer, .now = now};
        const bool ok = store_read(s, look_behind, &b, e);
        *events = b.events;
        *lag = b.lag;
        return ok;
}

bool outbox_read(struct store *s, struct arena *a, struct cursor after, size_t most, struct event **out, size_t *n, struct err *e)
{
        struct reading w = {.arena = a, .after = after, .most = (int64_t)most, .out = NEW_ARRAY(a, struct event, most)};
        if (!store_read(s, read_events, &w, e))
                return false;
        *out = w.out;
        *n = w.n;
        return true;
}

static bool take_cursor(struct rows *r, int found, struct cursor *c, struct err *e)
{
        *c = (struct cursor){0, 0};
        if (found <= 0)
                return found == 0;
        *c = (struct cursor){.tx = rows_int(r, 0), .seq = rows_int(r, 1)};
        return rows_done(r, e);
}

static bool last(struct tx *tx, void *ctx, struct err *e)
{
        struct rows r;
        int found = tx_first(tx, &r, e, tx_is_postgres(tx) ? SQL_LAST_TX : SQL_LAST_SEQ, NO_ARGS);
        return take_cursor(&r, found, ctx, e);
}

bool outbox_last(struct store *s, struct cursor *out, struct err *e)
{
        return store_read(s, last, out, e);
}

/* Clocks of two machines differ by less than so many leases. */
enum { LEASES_AWAY = 10 };

/* --- cursors -------------------------------------------------------------------------------------- */

struct standing {
        const char *consumer;
        int64_t owner, now, until;
        struct cursor at;
        int changed;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct standing *w = ctx;
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_CURSOR, ARGS(V(w->consumer)));
        return take_cursor(&r, found, &w->at, e);
}

bool cursor_read(struct store *s, const char *consumer, struct cursor *out, struct err *e)
{
        struct standing w = {.consumer = consumer};
        bool ok = store_read(s, look, &w, e);
        *out = w.at;
        return ok;
}

static bool lease(struct tx *tx, void *ctx, struct err *e)
{
        struct standing *w = ctx;
        struct rows r;
        const int64_t far = w->now + LEASES_AWAY * (w->until - w->now);
        w->changed = tx_first(tx, &r, e, SQL_LEASE, ARGS(V(w->consumer), V(w->owner), V(w->now), V(w->until), V(far)));
        return take_cursor(&r, w->changed, &w->at, e);
}

bool cursor_lease(struct store *s, const char *consumer, int64_t owner, int64_t now, int64_t until, struct cursor *out, bool *got,
                  struct err *e)
{
        struct standing w = {.consumer = consumer, .owner = owner, .now = now, .until = until};
        if (!store_write(s, lease, &w, e))
                return false;
        *out = w.at;
        *got = w.changed == 1;
        return true;
}

static bool move(struct tx *tx, void *ctx, struct err *e)
{
        struct standing *w = ctx;
        w->changed = tx_change(tx, e, SQL_MOVE, ARGS(V(w->consumer), V(w->owner), V(w->at.tx), V(w->at.seq), V(w->until)));
        return w->changed >= 0;
}

bool cursor_move(struct store *s, const char *consumer, int64_t owner, int64_t until, struct cursor at, bool *held, struct err *e)
{
        struct standing w = {.consumer = consumer, .owner = owner, .until = until, .at = at};
        if (!store_write(s, move, &w, e))
                return false;
        *held = w.changed == 1;
        return true;
}

static bool release(struct tx *tx, void *ctx, struct err *e)
{
        const struct standing *w = ctx;
        return tx_change(tx, e, SQL_RELEASE, ARGS(V(w->owner))) >= 0;
}

bool cursor_release(struct store *s, int64_t owner, struct err *e)
{
        return store_write(s, release, &(struct standing){.owner = owner}, e);
}

/* --- cleaning --------------------------------------------------------------------------------------- */

static bool clean(struct tx *tx, void *ctx, struct err *e)
{
        struct standing *w = ctx;
        w->changed = tx_change(tx, e, SQL_CLEAN, ARGS(V(w->until), V(w->at.tx), V(w->at.seq)));
        return w->changed >= 0;
}

bool outbox_clean(struct store *s, int64_t before, struct cursor taken, int *deleted, struct err *e)
{
        struct standing w = {.until = before, .at = taken};
        bool ok = store_write(s, clean, &w, e);
        *deleted = ok ? w.changed : 0;
        return ok;
}
