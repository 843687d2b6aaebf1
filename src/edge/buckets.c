/* edge/buckets.c -- see buckets.h. */
#include "edge/buckets.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdlib.h>

enum { PLACES = 65536, TRIES = 8 }; /* 1 MiB */
struct bucket {
        uint64_t key;
        int64_t full; /* when it is full again; in the past: the place is free */
};
struct buckets {
        pthread_mutex_t lock;
        struct bucket at[PLACES];
};

struct buckets *buckets_new(void)
{
        struct buckets *b = calloc(1, sizeof *b);
        if (!b)
                abort();
        (void)pthread_mutex_init(&b->lock, NULL);
        return b;
}

void buckets_free(struct buckets **b)
{
        if (!*b)
                return;
        (void)pthread_mutex_destroy(&(*b)->lock);
        free(*b);
        *b = NULL;
}

static struct bucket *place_of(struct buckets *b, uint64_t key, int64_t now)
{
        struct bucket *soonest = NULL;
        for (unsigned i = 0; i < TRIES; i++) {
                struct bucket *one = &b->at[(key + i) % PLACES];
                if (one->key == key)
                        return one;
                if (!soonest || one->full < soonest->full)
                        soonest = one;
        }
        if (soonest->full <= now)
                *soonest = (struct bucket){.key = key};
        return soonest;
}

static int seconds_up(int64_t usec)
{
        return (int)((usec + USEC_SECOND - 1) / USEC_SECOND);
}

bool bucket_take(struct buckets *b, uint64_t key, int per_minute, int64_t steady, struct allowance *out)
{
        const int64_t each = USEC_MINUTE / per_minute;
        (void)pthread_mutex_lock(&b->lock);
        struct bucket *one = place_of(b, key, steady);
        int64_t full = one->full > steady ? one->full : steady;
        const bool room = full + each - steady <= USEC_MINUTE;
        if (room)
                one->full = full += each;
        (void)pthread_mutex_unlock(&b->lock);
        const int64_t used = full - steady, left = used < USEC_MINUTE ? (USEC_MINUTE - used) / each : 0;
        *out = (struct allowance){.limit = per_minute, .left = (int)left, .reset = seconds_up(used)};
        if (!room) {
                const int wait = seconds_up(used + each - USEC_MINUTE);
                out->wait = wait > 0 ? wait : 1;
        }
        return room;
}
