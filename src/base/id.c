/* base/id.c -- see id.h. */
#include "base/id.h"
#include "base/clock.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODE_BITS = 10, SEQUENCE_BITS = 12, NUMBERS_A_SECOND = 10000, STEP_SECONDS = 5 };
static const int64_t EPOCH_MS = INT64_C(1577836800000); /* 2020-01-01T00:00:00Z */

struct id_source {
        int node;
        _Atomic int64_t last;        /* milliseconds << SEQUENCE_BITS | sequence */
        _Atomic int64_t last_number; /* seconds * NUMBERS_A_SECOND + count in that second */
        _Atomic int64_t past;        /* numbers given to instants that lay behind the last one */
};

struct id_source *id_source_new(int node)
{
        struct id_source *s = calloc(1, sizeof *s);
        if (!s)
                abort();
        s->node = node & ((1 << NODE_BITS) - 1);
        return s;
}

void id_source_free(struct id_source **s)
{
        free(*s);
        *s = NULL;
}

/* The larger of `least` and the one after the last, given out once. */
static int64_t advance(_Atomic int64_t *last, int64_t least)
{
        int64_t seen = atomic_load(last), next;
        do
                next = least > seen ? least : seen + 1;
        while (!atomic_compare_exchange_weak(last, &seen, next));
        return next;
}

int64_t id_new(struct id_source *s, int64_t now)
{
        int64_t ms = now / 1000 - EPOCH_MS;
        int64_t tick = advance(&s->last, (ms < 1 ? 1 : ms) << SEQUENCE_BITS);
        int64_t sequence = tick & ((1 << SEQUENCE_BITS) - 1);
        return (tick >> SEQUENCE_BITS) << (NODE_BITS + SEQUENCE_BITS) | (int64_t)s->node << SEQUENCE_BITS | sequence;
}

/* A second that lies well behind is not a clock that stepped but a record brought in later: its number says its own second,
 * from the middle on, where numbers given in that second itself seldom are. */
static int64_t number_tick(struct id_source *s, int64_t second)
{
        if (second >= atomic_load(&s->last_number) / NUMBERS_A_SECOND - STEP_SECONDS)
                return advance(&s->last_number, second * NUMBERS_A_SECOND);
        return second * NUMBERS_A_SECOND + (NUMBERS_A_SECOND / 2 + atomic_fetch_add(&s->past, 1)) % NUMBERS_A_SECOND;
}

char *number_new(struct id_source *s, const char *prefix, int64_t now, char out[NUMBER_SIZE])
{
        int64_t tick = number_tick(s, now / USEC_SECOND);
        struct civil c = civil_of(tick / NUMBERS_A_SECOND * USEC_SECOND, ZONE_SHANGHAI);
        /* Processes that share a store begin at different places of the second, so that they seldom meet. */
        int64_t sequence = (tick + s->node % 10 * (NUMBERS_A_SECOND / 10)) % NUMBERS_A_SECOND;
        (void)snprintf(out, NUMBER_SIZE, "%.10s%04d%02d%02d%02d%02d%02d%04d", prefix, c.year, c.month, c.day, c.hour, c.minute,
                       c.second, (int)sequence);
        return out;
}
