/* routing/precedents.c -- rulings on disputes as routing knowledge: asked before the responsibility list.
 *
 * Rows are only ever added (dispute/ writes them): a later ruling on the same pattern goes before an earlier one, and one without a
 * lead takes the earlier ones back.  So refreshing means reading what came behind the last row seen.
 */
#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "people/people.h"
#include "routing/routing.h"
#include "store/store.h"
#include "twin/twin.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const char SQL_NEW[] = "SELECT id, item, area, owner, lead, assists, principle FROM precedent WHERE id > $1 ORDER BY id";

enum { BUCKETS = 4096 };
struct precedent {
        int64_t id;
        const char *item, *area, *owner, *lead, *principle;
        char **assists;
        size_t n_assists;
        struct precedent *next; /* in its bucket, newest first */
};
struct precedents {
        pthread_mutex_t reading; /* of the store: guards arena, last and fresh */
        struct arena *arena;
        int64_t last;
        struct precedent *fresh; /* read, not yet in the buckets; oldest last */
        pthread_rwlock_t lock;   /* guards the buckets: nobody waits for the store */
        struct precedent *bucket[BUCKETS];
};

struct precedents *precedents_new(void)
{
        struct precedents *p = calloc(1, sizeof *p);
        if (!p || pthread_rwlock_init(&p->lock, NULL) != 0 || pthread_mutex_init(&p->reading, NULL) != 0)
                abort();
        p->arena = arena_new();
        return p;
}

void precedents_free(struct precedents **precedents)
{
        struct precedents *p = *precedents;
        if (!p)
                return;
        (void)pthread_rwlock_destroy(&p->lock);
        (void)pthread_mutex_destroy(&p->reading);
        arena_free(&p->arena);
        free(p);
        *precedents = NULL;
}

static struct precedent **bucket_of(struct precedents *p, const char *item)
{
        return &p->bucket[hash_bytes(item, strlen(item), 0) % BUCKETS];
}

static void add(struct precedents *p, const struct rows *r)
{
        struct precedent *one = NEW(p->arena, struct precedent);
        *one = (struct precedent){
                .id = rows_int(r, 0),
                .item = rows_text(r, p->arena, 1),
                .area = rows_text(r, p->arena, 2),
                .owner = rows_text(r, p->arena, 3),
                .lead = rows_text(r, p->arena, 4),
                .principle = rows_text(r, p->arena, 6),
        };
        one->n_assists = text_split(p->arena, rows_text(r, p->arena, 5), '|', &one->assists);
        one->next = p->fresh;
        p->fresh = one;
        p->last = one->id;
}

/* Newest first in the buckets, so the oldest of the fresh ones goes in first. */
static void show(struct precedents *p)
{
        struct precedent *in_order = NULL;
        while (p->fresh) {
                struct precedent *one = p->fresh;
                p->fresh = one->next;
                one->next = in_order;
                in_order = one;
        }
        (void)pthread_rwlock_wrlock(&p->lock);
        while (in_order) {
                struct precedent *one = in_order, **bucket = bucket_of(p, one->item);
                in_order = one->next;
                one->next = *bucket;
                *bucket = one;
        }
        (void)pthread_rwlock_unlock(&p->lock);
}

static bool read_new(struct tx *tx, void *ctx, struct err *e)
{
        struct precedents *p = ctx;
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_NEW, ARGS(V(p->last))))
                return false;
        while (rows_next(&r))
                add(p, &r);
        return rows_done(&r, e);
}

bool precedents_refresh(struct precedents *p, struct store *store, struct err *e)
{
        (void)pthread_mutex_lock(&p->reading);
        const bool ok = store_read(store, read_new, p, e);
        if (ok && p->fresh)
                show(p);
        (void)pthread_mutex_unlock(&p->reading);
        return ok;
}

/* How far the area of the question lies below that of the precedent; -1 = not inside. */
static int depth_below(const struct area *area, const char *code)
{
        int depth = 0;
        for (; area; area = area->parent, depth++)
                if (text_is(area->code, code))
                        return depth;
        return -1;
}

/* The ruling for the smallest area around the place; of several for the same area the newest. */
static const struct precedent *find(struct precedents *p, const struct question *q)
{
        const struct precedent *best = NULL;
        int nearest = 0;
        for (const struct precedent *one = *bucket_of(p, q->item->code); one; one = one->next) {
                const int depth = text_is(one->item, q->item->code) ? depth_below(q->area, one->area) : -1;
                if (depth < 0 || !text_is(one->owner, q->owner ? q->owner : "") || (best && depth >= nearest))
                        continue;
                best = one;
                nearest = depth;
        }
        return best && !text_empty(best->lead) ? best : NULL;
}

bool precedents_answer(struct precedents *p, const struct units *units, const struct question *q, struct answer *out)
{
        if (!q->item || !q->area)
                return false;
        (void)pthread_rwlock_rdlock(&p->lock);
        const struct precedent *one = find(p, q);
        const struct unit *lead = one ? unit_find(units, one->lead) : NULL; /* a later pack may not know it any more */
        if (lead) {
                *out = (struct answer){.lead = lead, .step = STEP_PRECEDENT, .row = "", .sure = true};
                for (size_t i = 0; i < one->n_assists && out->n_assists < ASSISTS_MOST; i++)
                        if ((out->assists[out->n_assists] = unit_find(units, one->assists[i])))
                                out->n_assists++;
                (void)snprintf(out->why, sizeof out->why, "Precedent %lld: %.60s goes to %.60s (%.60s).", (long long)one->id,
                               q->item->name, lead->name, one->principle);
                (void)snprintf(out->why_zh, sizeof out->why_zh, "依据先例%lld：%.60s由%.60s负责（%.60s）。", (long long)one->id,
                               q->item->name, lead->name, one->principle);
                (void)text_mend(out->why);
                (void)text_mend(out->why_zh);
        }
        (void)pthread_rwlock_unlock(&p->lock);
        return lead != NULL;
}
