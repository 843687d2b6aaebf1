/* signin/standing.h -- absence: from when until when, and who stands in.  For that time the deputy, of the same role, sees what the absent
 * person sees and acts for what he belongs to; histories name both. */
#ifndef SIGNIN_STANDING_H
#define SIGNIN_STANDING_H
#include "base/base.h"
struct arena;
struct store;
struct units;

enum { STANDINGS_MOST = 500 };
struct stand_in { int64_t id, from, until, ended; const char *absent, *deputy, *made_by; };      /* logins; ended 0 = in force */
/* ERR_NOT_FOUND: no such login (or disabled); ERR_INVALID: oneself, another role, a unit that is neither the same nor above nor below, or a
 * span that is over, backwards or longer than a year. */
bool stand_in_add(struct store *, struct arena *, const struct units *, const struct stand_in *, int64_t now, struct err *) MUST_CHECK;
/* By the absent person, the deputy, or (all) an administrator.  ERR_NOT_FOUND: none of theirs has that id, or it was taken back. */
bool stand_in_end(struct store *, int64_t id, const char *login, bool all, int64_t now, struct err *) MUST_CHECK;
/* Those that are not over, of that person or of all, by their ends; at most 500. */
bool stand_in_list(struct store *, struct arena *, const char *login, bool all, int64_t now, struct stand_in **, size_t *n,
                   struct err *) MUST_CHECK;
#endif
