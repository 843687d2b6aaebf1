/* measure/messages.h -- a table of messages to measure on: CSV (UTF-8) with a head that names its columns. */
#ifndef MEASURE_MESSAGES_H
#define MEASURE_MESSAGES_H
#include "base/base.h"
struct arena;

struct message {
        const char *id, *reporter, *subject, *detail;       /* columns msg_id, user_id, subject, detail */
        const char *text;               /* subject, line end, detail */
        int64_t time;                   /* created_at, in Beijing time; 0: cannot be read */
        int64_t support, oppose;        /* how many people agreed and disagreed; without the column 0 */
};
struct messages { struct message *at; size_t n; };
/* Everything lives in the arena.  ERR_NOT_FOUND: no such file; ERR_INVALID names the line or the column that is missing. */
bool messages_read(struct arena *, const char *path, struct messages *, struct err *) MUST_CHECK;

/* SplitMix64 (Steele, Lea, Flood 2014): the same choices for the same seed. */
struct draw { uint64_t state; };
uint64_t draw_next(struct draw *);
size_t draw_below(struct draw *, size_t n);     /* 0 .. n-1; n > 0 */
bool draw_chance(struct draw *, double share);
#endif
