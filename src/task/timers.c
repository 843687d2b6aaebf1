/* task/timers.c -- rows that fall due.  A lease is `wake` in the future; its `stamp` proves that it is still ours. */
#include "base/arena.h"
#include "store/store.h"
#include "task/inside.h"
#include <stdio.h>

static const char SQL_SET[] =
        "INSERT INTO timer (kind, key, due, wake, payload) VALUES ($1, $2, $3, $3, $4)"
        " ON CONFLICT (kind, key) DO UPDATE SET due = excluded.due, wake = excluded.wake, payload = excluded.payload,"
        " tries = 0, parked = 0, error = NULL, stamp = timer.stamp + 1";

static const char SQL_HASTEN[] =
        "INSERT INTO timer (kind, key, due, wake) VALUES ($1, $2, $3, $3)"
        " ON CONFLICT (kind, key) DO UPDATE SET due = excluded.due, wake = excluded.wake, tries = 0, parked = 0, error = NULL,"
        " stamp = timer.stamp + 1 WHERE timer.wake > excluded.wake OR timer.parked = 1";

static const char SQL_CLEAR[] = "DELETE FROM timer WHERE kind = $1 AND key = $2";

/* The index begins with the kind, so the kinds are walked through; no count reads more than 100,000 entries. */
static const char SQL_COUNTS[] =
        "WITH RECURSIVE kinds(kind) AS (SELECT min(kind) FROM timer WHERE parked = 0 UNION ALL"
        " SELECT (SELECT min(kind) FROM timer WHERE parked = 0 AND kind > k.kind) FROM kinds k WHERE k.kind IS NOT NULL)"
        " SELECT (SELECT count(*) FROM (SELECT 1 FROM timer WHERE parked = 0 LIMIT 100000) w),"
        " (SELECT CAST(sum((SELECT count(*) FROM"
        " (SELECT 1 FROM timer WHERE parked = 0 AND kind = k.kind AND wake <= $1 LIMIT 100000) o)) AS BIGINT) FROM kinds k),"
        " (SELECT count(*) FROM (SELECT 1 FROM timer WHERE parked = 1 LIMIT 100000) p),"
        " (SELECT min((SELECT min(wake) FROM timer WHERE parked = 0 AND kind = k.kind)) FROM kinds k)";

static const char SQL_NEXT[] = "SELECT wake FROM timer WHERE parked = 0 AND kind = $1 ORDER BY wake LIMIT 1";

/* Two schedulers that meet: one of them runs its transaction again and finds what the other has left. */
static const char SQL_LEASE[] =
        "UPDATE timer SET wake = $2, tries = tries + 1, stamp = stamp + 1"
        " WHERE (kind, key) IN (SELECT kind, key FROM timer WHERE parked = 0 AND kind = $4 AND wake <= $1 ORDER BY wake LIMIT $3)"
        " AND parked = 0 AND wake <= $1"
        " RETURNING kind, key, due, payload, tries - 1, stamp";

static const char SQL_HOLD[] = "UPDATE timer SET wake = $4 WHERE kind = $1 AND key = $2 AND stamp = $3";
static const char SQL_FINISH[] = "DELETE FROM timer WHERE kind = $1 AND key = $2 AND stamp = $3";
static const char SQL_PUT_OFF[] = "UPDATE timer SET wake = $4, parked = $5, error = $6 WHERE kind = $1 AND key = $2 AND stamp = $3";

bool timer_set(struct tx *tx, const char *kind, const char *key, int64_t due, const char *payload, struct err *e)
{
        return tx_send(tx, e, SQL_SET, ARGS(V(kind), V(key), V(due), V(payload)));
}

bool timer_hasten(struct tx *tx, const char *kind, const char *key, int64_t due, struct err *e)
{
        return tx_send(tx, e, SQL_HASTEN, ARGS(V(kind), V(key), V(due)));
}

bool timer_clear(struct tx *tx, const char *kind, const char *key, struct err *e)
{
        return tx_send(tx, e, SQL_CLEAR, ARGS(V(kind), V(key)));
}

/* --- counting -------------------------------------------------------------------------------- */

struct counts {
        int64_t now;
        struct timer_counts *out;
};

static bool count(struct tx *tx, void *ctx, struct err *e)
{
        struct counts *c = ctx;
        struct rows r;
        if (tx_first(tx, &r, e, SQL_COUNTS, ARGS(V(c->now))) != 1)
                return false;
        const int64_t oldest = rows_null(&r, 3) ? c->now : rows_int(&r, 3);
        *c->out = (struct timer_counts){rows_int(&r, 0), rows_int(&r, 1), rows_int(&r, 2), oldest < c->now ? c->now - oldest : 0};
        return rows_done(&r, e);
}

bool timers_counts(struct store *s, int64_t now, struct timer_counts *out, struct err *e)
{
        struct counts c = {now, out};
        return store_read(s, count, &c, e);
}

struct next {
        const struct timer_kind *const *kinds;
        int64_t wake;
};

static bool next(struct tx *tx, void *ctx, struct err *e)
{
        struct next *x = ctx;
        int64_t wake;
        x->wake = INT64_MAX;
        for (const struct timer_kind *const *k = x->kinds; k && *k; k++) {
                if (!tx_int(tx, &wake, INT64_MAX, e, SQL_NEXT, ARGS(V((*k)->name))))
                        return false;
                if (wake < x->wake)
                        x->wake = wake;
        }
        return true;
}

bool timers_next(struct store *s, const struct timer_kind *const *kinds, int64_t *wake, struct err *e)
{
        struct next x = {.kinds = kinds};
        const bool ok = store_read(s, next, &x, e);
        *wake = x.wake;
        return ok;
}

/* --- leasing ------------------------------------------------------------------------------------- */

struct lease {
        struct arena *arena;
        const struct timer_kind *const *kinds;
        int64_t now, until, most;
        struct leased *out; /* room for `most` of each kind, so that many of one kind do not keep the others waiting */
        size_t n;
};

static bool lease_kind(struct tx *tx, struct lease *l, const char *kind, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_LEASE, ARGS(V(l->now), V(l->until), V(l->most), V(kind))))
                return false;
        for (int64_t n = 0; rows_next(&r) && n < l->most; n++, l->n++) {
                struct leased *one = &l->out[l->n];
                *one = (struct leased){.stamp = rows_int(&r, 5)};
                one->timer = (struct timer){
                        .kind = rows_text(&r, l->arena, 0),
                        .key = rows_text(&r, l->arena, 1),
                        .due = rows_int(&r, 2),
                        .payload = rows_text(&r, l->arena, 3),
                        .tries = (int)rows_int(&r, 4),
                };
        }
        return rows_done(&r, e);
}

static bool lease(struct tx *tx, void *ctx, struct err *e)
{
        struct lease *l = ctx;
        l->n = 0;
        for (const struct timer_kind *const *k = l->kinds; k && *k; k++)
                if (!lease_kind(tx, l, (*k)->name, e))
                        return false;
        return true;
}

bool timers_lease(struct store *s, struct arena *a, const struct timer_kind *const *kinds, int64_t now, int64_t until, size_t most,
                  struct leased **out, size_t *n, struct err *e)
{
        struct lease l = {.arena = a, .kinds = kinds, .now = now, .until = until, .most = (int64_t)most};
        size_t count = 0;
        while (kinds && kinds[count])
                count++;
        l.out = NEW_ARRAY(a, struct leased, most * (count + 1));
        if (!store_write(s, lease, &l, e))
                return false;
        *out = l.out;
        *n = l.n;
        return true;
}

struct hold {
        const struct leased *one;
        int64_t until;
        int changed;
};

static bool hold(struct tx *tx, void *ctx, struct err *e)
{
        struct hold *h = ctx;
        const struct timer *t = &h->one->timer;
        h->changed = tx_change(tx, e, SQL_HOLD, ARGS(V(t->kind), V(t->key), V(h->one->stamp), V(h->until)));
        return h->changed >= 0;
}

bool timers_hold(struct store *s, struct leased *one, int64_t until, bool *held, struct err *e)
{
        struct hold h = {.one = one, .until = until};
        if (!store_write(s, hold, &h, e))
                return false;
        *held = h.changed == 1;
        return true;
}

/* --- after the runs -------------------------------------------------------------------------------- */

struct settle {
        const struct leased *at;
        size_t n;
};

static bool settle_one(struct tx *tx, const struct leased *one, struct err *e)
{
        const struct timer *t = &one->timer;
        if (one->done)
                return tx_send(tx, e, SQL_FINISH, ARGS(V(t->kind), V(t->key), V(one->stamp)));
        return tx_send(tx, e, SQL_PUT_OFF,
                       ARGS(V(t->kind), V(t->key), V(one->stamp), V(one->wake), value_bool(one->parked), V(one->error)));
}

static bool settle(struct tx *tx, void *ctx, struct err *e)
{
        const struct settle *s = ctx;
        for (size_t i = 0; i < s->n; i++) {
                if (!settle_one(tx, &s->at[i], e))
                        return false;
        }
        return true;
}

bool timers_settle(struct store *s, const struct leased *at, size_t n, struct err *e)
{
        return n == 0 || store_write(s, settle, &(struct settle){at, n}, e);
}
