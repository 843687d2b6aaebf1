/* matters/matters.h -- is this the same matter as a case we have?  (并案)
 *
 * An index in memory of the newest cases (same/same.h), in each process; it is brought up to date by the cases' ids.  A consumer
 * looks at each new case a moment after it was filed, not on the way of the report: what is surely the same joins by itself where the
 * pack lets the program merge; what may be is told to the dispatcher.  A merge is undone like any other (unmerge).
 */
#ifndef MATTERS_MATTERS_H
#define MATTERS_MATTERS_H
#include "base/base.h"
#include "geo/geo.h"
struct arena;
struct consumer;
struct district;
struct matters;
struct queue_part;
struct route;
struct rulebook;

/* Sets district.matters; learns from the newest reports which words are common.  The index fills by a thread of low priority, from the
 * newest case backwards, while it is asked. */
bool matters_open(struct district *, struct err *) MUST_CHECK;
void matters_close(struct district *);

struct matter_question {
        int64_t id;                             /* of the case itself; only earlier ones are like it.  0 = not filed yet */
        const char *title, *text;               /* title may be NULL */
        bool has_point; struct point point;
        const char *grid, *community;           /* codes; NULL = not known */
        const char *item;                       /* code; NULL */
        int64_t time;
        int64_t follows;                        /* the case that the reporter says it is the same as; 0 */
};
enum { LIKE_MOST = 3, LIKE_PHRASES = 4 };
struct like {                                   /* texts live in the arena */
        int64_t id;
        double probability, metres;             /* metres -1 = not known */
        bool joins, followed;                   /* followed: the reporter says so, and it is told whatever the texts say */
        const char *phrases[LIKE_PHRASES]; size_t n_phrases;
};
/* Brings the index up to date with newer cases: wholly, or with a page of them, so that nobody waits.  Cases from the id `before` on are
 * left out; 0 = none. */
bool matters_feed(struct district *, const struct rulebook *, bool whole, int64_t before, struct err *) MUST_CHECK;
/* Earlier cases that are likely the same matter, likeliest first, of those in the index; for one that was merged stands the case it
 * belongs to.  The case itself is in the index from then on, if it has an id. */
bool matters_find(struct district *, const struct rulebook *, struct arena *, const struct matter_question *, bool open_only,
                  struct like out[LIKE_MOST], size_t *n, struct err *) MUST_CHECK;

extern const struct consumer matters_consumer;  /* for a scheduler of its own: it may take seconds */
extern const struct queue_part matters_queue_part;      /* "alike" of the dispatch queue */
extern const struct route *const matters_routes;
#endif
