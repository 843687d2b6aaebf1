/* asks/rows.h -- the rows of asks, for this folder. */
#ifndef ASKS_ROWS_H
#define ASKS_ROWS_H
#include "asks/asks.h"
#include "cases/moves.h"

struct ask { const char *kind, *level, *state; int64_t until; };
/* Adds one for the mover, with the form's reason and reason_code. */
bool ask_put(struct moving *, const struct ask *, struct err *) MUST_CHECK;
/* The newest of that kind in that state: 1 found, 0 none, -1 failed. */
int ask_find(struct moving *, const char *kind, const char *state, struct ask_view *, struct err *) MUST_CHECK;
/* How many of that kind are in that state; "" for any state. */
bool ask_count(struct moving *, const char *kind, const char *state, int64_t *n, struct err *) MUST_CHECK;
/* The next state of one: `passed` notes who passed it, any other who decided it, with the form's reason (or result) as reply. */
bool ask_turn(struct moving *, const struct ask_view *, const char *state, struct err *) MUST_CHECK;
/* When the mover asked for one of that kind last; 0 = never. */
bool ask_last_by(struct moving *, const char *kind, int64_t *at, struct err *) MUST_CHECK;
/* Sets the case's timer to the next `until` of an ask that waits. */
bool ask_set_timer(struct tx *, int64_t case_id, struct err *) MUST_CHECK;

/* supervision levels of a pack version */
struct level { const char *name, *zh, *en; int role; struct limit limit; };
/* 1 found, 0 there is none of that name, -1 failed. */
int level_find(struct moving *, const char *name, struct level *, struct err *) MUST_CHECK;
#endif
