/* edge/buckets.h -- token buckets: how many requests a minute somebody has left.
 *
 * A bucket of N a minute holds N and fills by one every 60/N seconds.  What is kept of one is an instant: when it will be full
 * again (the generic cell rate algorithm, ITU-T I.371), so a full bucket needs no place.  Memory is bounded: when all places near a
 * newcomer's are taken he shares the one that is full soonest; strangers can make each other wait, nobody passes uncounted.
 */
#ifndef EDGE_BUCKETS_H
#define EDGE_BUCKETS_H
#include "base/base.h"
struct buckets;

struct allowance {
        int limit, left;        /* requests a minute; requests that may come at once */
        int reset;              /* seconds until the bucket is full again, rounded up */
        int wait;               /* when refused: seconds until there is room, at least 1 */
};

struct buckets *buckets_new(void);
void buckets_free(struct buckets **);
/* Takes one from the bucket `key` of `per_minute` (1 to 60 million); false when it is empty.  steady: microseconds of a clock that
 * never goes back. */
bool bucket_take(struct buckets *, uint64_t key, int per_minute, int64_t steady, struct allowance *);
#endif
