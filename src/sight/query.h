/* sight/query.h -- statements whose text depends on what is asked for; every value stays a typed parameter. */
#ifndef SIGHT_QUERY_H
#define SIGHT_QUERY_H
#include "base/base.h"
#include "base/buf.h"
#include "store/store.h"
struct arena;

/* The report that a row c of `cases` was filed from: its own, or that of the case it was split off. */
#define CASE_REPORT "CASE WHEN c.report > 0 THEN c.report ELSE c.id END"

struct query { struct arena *arena; struct buf text; struct value *args; int n, room; };
struct query query_new(struct arena *);         /* the arguments are the arena's; the text is freed with buf_free(), or lent to it */
void query_text(struct query *, const char *);
void query_arg(struct query *, struct value);   /* appends $N */
/* Appends ($N, $N+1, ...).  The last value is repeated up to a power of two, so that there are few statements.  n >= 1. */
void query_texts(struct query *, const char *const *, size_t n);
void query_ints(struct query *, const int64_t *, size_t n);
const struct value *query_args(struct query *); /* ended by VALUE_END */
#endif
