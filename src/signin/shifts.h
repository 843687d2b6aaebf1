/* signin/shifts.h -- hours on duty.  Who has shifts (ahead, or in the last 31 days) and none now is off duty; who has none is on duty
 * whenever the unit works.  While somebody of a unit is on duty, its work is not assigned to one who is off (cases/guards.c reads it). */
#ifndef SIGNIN_SHIFTS_H
#define SIGNIN_SHIFTS_H
#include "base/base.h"
struct arena;
struct store;
struct units;

enum { SHIFTS_MOST = 500, SHIFT_WEEKS_MOST = 53 };
struct shift { int64_t id, from, until; const char *login, *name, *unit, *made_by; };   /* unit: code, "" = none */

/* Whose shifts somebody plans or sees: of all units, or of those at and below his own. */
struct shift_scope { const struct units *units; bool all; const char *unit; };
/* The same hours in each of `weeks` weeks, the first as `first` says; all or none.  ids: one for each week.
 * ERR_NOT_FOUND: no such login; ERR_DENIED: a person outside the scope; ERR_INVALID: over, backwards, longer than a day, or more than 53 weeks. */
bool shifts_add(struct store *, struct arena *, const struct shift_scope *, const struct shift *first, const int64_t *ids, int weeks,
                int64_t now, struct err *) MUST_CHECK;
/* ERR_NOT_FOUND: no shift of the scope has that id, or it was taken back. */
bool shift_end(struct store *, struct arena *, const struct shift_scope *, int64_t id, int64_t now, struct err *) MUST_CHECK;
/* Those of the scope that lie in part between the two instants, by their beginnings; at most 500. */
bool shifts_list(struct store *, struct arena *, const struct shift_scope *, int64_t from, int64_t until, struct shift **, size_t *n,
                 struct err *) MUST_CHECK;
#endif
