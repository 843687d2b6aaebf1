/* privacy/reseal.c -- seals with the active key what older ones sealed.
 *
 * A batch is read, opened and sealed anew outside the writing transaction; then each row is replaced only if it is still as it was
 * read.  So it may be broken off or run twice at any time: a row has its old values or its new ones, and says which key they need.
 */
#include "privacy/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"

/* Walks the index (sealed_by, report_id).  When the key file has lost its newest key, rows of a higher number are left alone. */
static const char SQL_OLDER[] = "SELECT report_id, sealed_by, erased_at, name, phone, email FROM reporter WHERE sealed_by < $1"
                                " AND (sealed_by, report_id) > ($2, $3) ORDER BY sealed_by, report_id LIMIT $4";
static const char SQL_RESEAL[] = "UPDATE reporter SET name = $1, phone = $2, email = $3, phone_index = $4, sealed_by = $5"
                                 " WHERE report_id = $6 AND sealed_by = $7 AND erased_at = $8";
static const char SQL_COUNT[] = "SELECT COUNT(*) FROM (SELECT 1 FROM reporter WHERE sealed_by = $1 LIMIT 1000000000) AS n";
static const char SQL_COUNT_OLDER[] = "SELECT COUNT(*) FROM (SELECT 1 FROM reporter WHERE sealed_by < $1 LIMIT 1000000000) AS n";
static const char SQL_ANY_OLDER[] = "SELECT 1 FROM reporter WHERE sealed_by < $1 LIMIT 1";

enum { BATCH = 200 };

struct old_row {
        int64_t report, sealed_by, erased;
        struct sealed fields[FIELDS];
        struct sealed_reporter new;
        bool opened;
};
struct batch {
        struct district *district;
        struct arena *arena;
        const struct keys *keys;
        const struct resealing *from;
        struct old_row at[BATCH];
        size_t n;
};

static bool read_batch(struct tx *tx, void *ctx, struct err *e)
{
        struct batch *b = ctx;
        struct rows r;
        b->n = 0;
        if (!tx_rows(tx, &r, e, SQL_OLDER,
                     ARGS(V(keys_active(b->keys)), V(b->from->after_key), V(b->from->after_report), V(BATCH))))
                return false;
        while (b->n < BATCH && rows_next(&r)) {
                struct old_row *o = &b->at[b->n++];
                *o = (struct old_row){.report = rows_int(&r, 0), .sealed_by = rows_int(&r, 1), .erased = rows_int(&r, 2)};
                sealed_fields_read(&r, b->arena, 3, o->fields);
        }
        return rows_done(&r, e);
}

static bool seal_anew(struct batch *b, struct old_row *o, struct err *e)
{
        const char *texts[FIELDS];
        struct err lost;
        o->opened = reporter_open(b->arena, b->keys, o->report, o->fields, texts, &lost);
        if (!o->opened)
                log_event(LOG_ERROR, "keys.unopened", "report=%lld cause=\"%s\"", (long long)o->report, lost.text);
        return !o->opened || reporter_seal_fields(b->arena, b->keys, o->report, texts, &o->new, e);
}

static bool write_batch(struct tx *tx, void *ctx, struct err *e)
{
        const struct batch *b = ctx;
        for (size_t i = 0; i < b->n; i++) {
                const struct old_row *o = &b->at[i];
                const struct sealed_reporter *n = &o->new;
                if (o->opened
                    && !tx_send(tx, e, SQL_RESEAL,
                                ARGS(V_BLOB(n->fields[0].bytes, n->fields[0].n), V_BLOB(n->fields[1].bytes, n->fields[1].n),
                                     V_BLOB(n->fields[2].bytes, n->fields[2].n), V_BLOB(n->index.bytes, n->index.n),
                                     V(n->sealed_by), V(o->report), V(o->sealed_by), V(o->erased))))
                        return false;
        }
        return true;
}

static bool reseal_batch(struct batch *b, struct resealing *r, struct err *e)
{
        if (!store_read(b->district->store, read_batch, b, e))
                return false;
        for (size_t i = 0; i < b->n; i++)
                if (!seal_anew(b, &b->at[i], e))
                        return false;
        if (b->n > 0 && !store_write(b->district->store, write_batch, b, e))
                return false;
        for (size_t i = 0; i < b->n; i++) {
                r->done += b->at[i].opened;
                r->failed += !b->at[i].opened;
        }
        r->more = b->n == BATCH;
        if (b->n > 0) {
                r->after_key = b->at[b->n - 1].sealed_by;
                r->after_report = b->at[b->n - 1].report;
        }
        return true;
}

bool reporters_reseal(struct district *d, struct resealing *r, struct err *e)
{
        struct arena *a = arena_new();
        struct batch *b = NEW(a, struct batch);
        *b = (struct batch){.district = d, .arena = a, .keys = keyring_now(d->keys), .from = r};
        const bool ok = reseal_batch(b, r, e);
        arena_free(&a);
        return ok;
}

/* --- counting --------------------------------------------------------------------------------------------------------------- */
struct counting {
        int64_t key, active, n;
};

static bool count_once(struct tx *tx, void *ctx, struct err *e)
{
        struct counting *c = ctx;
        int64_t unnumbered = 0;
        if (c->key < 0)
                return tx_int(tx, &c->n, 0, e, SQL_COUNT_OLDER, ARGS(V(c->active)));
        /* What was sealed before keys had numbers needs key 1. */
        if (c->key == 1 && !tx_int(tx, &unnumbered, 0, e, SQL_COUNT, ARGS(V(0))))
                return false;
        const bool ok = tx_int(tx, &c->n, 0, e, SQL_COUNT, ARGS(V(c->key)));
        c->n += unnumbered;
        return ok;
}

bool reporters_sealed_by(struct district *d, int key, int64_t *n, struct err *e)
{
        struct counting c = {.key = key, .active = keys_active(keyring_now(d->keys))};
        const bool ok = store_read(d->store, count_once, &c, e);
        *n = c.n;
        return ok;
}

/* --- in the background -------------------------------------------------------------------------------------------------------- */
enum { RUN_USEC = USEC_SECOND / 2 };

static bool set_again(struct tx *tx, void *ctx, struct err *e)
{
        return timer_set(tx, reporter_reseal_timer.name, "all", *(const int64_t *)ctx, NULL, e);
}

/* Half a second at a time, as long again nothing: intake goes first. */
static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        struct resealing r = {.more = true};
        const int64_t end = clock_steady() + RUN_USEC;
        (void)timer;
        while (r.more && clock_steady() < end)
                if (!reporters_reseal(d, &r, e))
                        return false;
        if (r.done > 0 || r.failed > 0)
                log_event(LOG_INFO, "keys.resealed", "reporters=%lld failed=%lld more=%d", (long long)r.done, (long long)r.failed,
                          r.more);
        int64_t next = now + 2 * RUN_USEC;
        return !r.more || store_write(d->store, set_again, &next, e);
}

const struct timer_kind reporter_reseal_timer = {
        .name = "reporter-reseal",
        .about = "Seals with the active key what older keys sealed.",
        .run = run,
};

struct starting {
        int64_t now, active;
};

static bool start_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct starting *s = ctx;
        int64_t older;
        return tx_int(tx, &older, 0, e, SQL_ANY_OLDER, ARGS(V(s->active)))
               && (older == 0 || timer_set(tx, reporter_reseal_timer.name, "all", s->now, NULL, e))
               && timer_set(tx, reporter_expiry_timer.name, "all", s->now, NULL, e);
}

bool privacy_start(struct district *d, int64_t now, struct err *e)
{
        struct starting s = {.now = now, .active = keys_active(keyring_now(d->keys))};
        return store_write(d->store, start_once, &s, e);
}
