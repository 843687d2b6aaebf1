/* matters/inside.h -- for this folder only. */
#ifndef MATTERS_INSIDE_H
#define MATTERS_INSIDE_H
#include "base/base.h"
struct arena;
struct district;
struct rulebook;

/* By which who reports says "the same as that one".  Sealed, another one each time: it tells nothing of
 * the case, nor that two tokens mean the same one.  It gives no right to anything. */
bool matters_token(struct district *, struct arena *, int64_t case_id, char **out, struct err *) MUST_CHECK;
/* 0: it is none, or of a key that is gone. */
int64_t matters_token_case(struct district *, struct arena *, const char *token);

/* Whether the program may merge into a case in that state: where the case might be merged itself, its answer is still to come. */
bool matters_joinable(const struct rulebook *, const char *workflow, const char *state);
/* What the consumer finds is looked at again when the index is filled: so it holds that off while it looks and writes. */
void matters_look_begin(struct district *);
void matters_look_end(struct district *);
#endif
