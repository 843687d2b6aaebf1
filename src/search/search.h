/* search/search.h -- cases found by what was written: title, report, later notes, address, item, number.
 *
 * The index is derived.  A consumer of the outbox feeds it behind the writes, never inside them, so a new case is found a moment later;
 * it reads a case as it stands now, so an event that comes twice, or late, does no harm.  What somebody finds is what he may see
 * (sight/): the index only says where to look.  Nothing of reporters is in it, nor any number that may be somebody's (text/tokens.h).
 */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H
#include "base/base.h"
struct arena;
struct consumer;
struct district;
struct route;
struct timer_kind;

extern const struct consumer search_consumer;
extern const struct timer_kind search_build_timer;      /* brings in what is older than the index */
extern const struct route *const search_routes;

/* When the server starts. */
bool search_start(struct district *, int64_t now, struct err *) MUST_CHECK;

/* Makes the index anew from the cases, while a server runs or not; goes on where a run that broke off was.  empty: what is there is
 * thrown away first, and searches find little until it is done; else each case is replaced one by one. */
struct rebuild_options {
        bool empty;
        void (*progress)(void *ctx, int64_t done);      /* cases of this run; may be NULL */
        void *ctx;
};
struct rebuild_result { int64_t cases; bool resumed; };
bool search_rebuild(struct district *, const struct rebuild_options *, struct rebuild_result *, struct err *) MUST_CHECK;
#endif
