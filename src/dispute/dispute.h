/* dispute/dispute.h -- disputes over responsibility: a unit contests, handling goes on, units state positions, the panel rules once,
 * and the ruling becomes a precedent that routing uses from then on (routing/precedents.c).
 *
 * Principles (process.md, "Dispatch and responsibility"): who can act most effectively leads; who permits, supervises; who is in charge,
 * answers; of several the first receiver leads; nobody -> the unit of the place.  Act first, argue after.
 */
#ifndef DISPUTE_DISPUTE_H
#define DISPUTE_DISPUTE_H
#include "base/base.h"
struct case_part;
struct route;
struct vocabulary;

extern const struct vocabulary dispute_words;
extern const struct case_part dispute_part;     /* "disputes" of a case's answer */
extern const struct route *const dispute_routes;        /* disputes that wait, precedents, changes of the list */
#endif
