/* open311/query.h -- statements whose text depends on what is asked for; every value stays a typed parameter. */
#ifndef OPEN311_QUERY_H
#define OPEN311_QUERY_H
#include "base/base.h"
#include "base/buf.h"
#include "store/store.h"
struct arena;

/* Whose reports somebody sees whole, with text, address and media; of all others he sees what the public may. */
struct sight {
        bool all;                               /* clerks, dispatchers, supervisors, administrators */
        const char *channel;                    /* a key: the reports of its channel; NULL */
        const char **units; size_t n_units;     /* people of a unit: cases with it or with units below it */
};

struct query { struct arena *arena; struct buf text; struct value *args; int n, room; };
struct query query_new(struct arena *);         /* its memory is the arena's */
void query_text(struct query *, const char *);
void query_arg(struct query *, struct value);   /* appends $N */
/* Appends ($N, $N+1, ...).  The last value is repeated up to a power of two, so that there are few statements.  n >= 1. */
void query_texts(struct query *, const char *const *, size_t n);
void query_ints(struct query *, const int64_t *, size_t n);
/* Appends a condition on the case c (a row of `cases`): seen whole. */
void query_seen(struct query *, const struct sight *);
/* Appends a condition on the case c: it may be shown at all.  What somebody reported in confidence is shown only to who sees it whole. */
void query_visible(struct query *, const struct sight *);
const struct value *query_args(struct query *); /* ended by VALUE_END */
#endif
