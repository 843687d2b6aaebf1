/* replay/replay.h -- the clocks of a case made anew from its history: after a holiday was moved, after a fault, and to prove that what
 * the store says follows from what happened.
 *
 * The case's own rules (limits, which move starts what) are those it was opened under; the calendar is the one in force.
 */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H
#include "base/base.h"
struct arena;
struct district;
struct mover;
struct vocabulary;

extern const struct vocabulary replay_words;    /* need `clocks_differ`, effect `recompute` */

/* A clock whose row is not what the history makes of it. */
struct clock_change {
        const char *clock; int64_t round;
        const char *old_state, *new_state;      /* "" = there is no such clock */
        int64_t old_due, new_due;               /* instants; of a paused clock: what is left, microseconds of its own time */
};
struct case_replay {
        int64_t id;
        const char *number;
        const struct clock_change *changes; size_t n_changes;
};
/* Looks only.  The next case behind `after` (id); open cases only unless `ended`.  *found false: there is none.  Texts live in the arena.
 * ERR_INVALID when the calendar knows a year no more. */
bool replay_next(struct district *, struct arena *, int64_t after, bool ended, bool *found, struct case_replay *, struct err *) MUST_CHECK;
/* The same for one case.  ERR_NOT_FOUND. */
bool replay_case(struct district *, struct arena *, const char *number, struct case_replay *, struct err *) MUST_CHECK;
#endif
