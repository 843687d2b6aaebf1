/* dispute/dispute.h -- disputes over responsibility: a unit contests, handling goes on, units state positions, the panel rules once,
 * and the ruling becomes a precedent that routing uses from then on (routing/precedents.c).
 *
 * Principles (process.md, "Dispatch and responsibility"): who can act most effectively leads; who permits, supervises; who is in charge,
 * answers; of several the first receiver leads; nobody -> the unit of the place.  Act first, argue after.
 */
#ifndef DISPUTE_DISPUTE_H
#define DISPUTE_DISPUTE_H
#include "base/base.h"
struct arena;
struct buf;
struct case_part;
struct pack_part;
struct route;
struct tx;
struct vocabulary;

extern const struct vocabulary dispute_words;
extern const struct case_part dispute_part;     /* "disputes" of a case's answer */
extern const struct route *const dispute_routes;        /* disputes that wait, precedents, changes of the list */
/* Notes which approved changes of the list a pack that comes into force has. */
extern const struct pack_part dispute_pack;

/* A change of the list that was approved and stands in no pack yet: a row of routes.csv for one item and one area. */
struct list_change { int64_t precedent; const char *item, *area, *lead, *assists; };    /* assists: codes, separated by '|' */
/* Approved changes, the newest first, at most 1,000; texts live in the arena. */
bool list_changes_approved(struct tx *, struct arena *, struct list_change **out, size_t *n, struct err *) MUST_CHECK;
/* Adds to `out` the text of routes.csv with the changes as its first rows.  A row for the same item and area (and any kind of thing)
 * goes; all others stay byte for byte.  The same changes again give the same text.  ERR_INVALID: it is not routes.csv. */
bool list_amend(const char *routes, size_t bytes, const struct list_change *, size_t n, struct buf *out, struct err *) MUST_CHECK;
#endif
