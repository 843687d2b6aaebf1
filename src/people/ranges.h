/* people/ranges.h -- ranges.csv of one pack version in memory.  Inside this folder. */
#ifndef PEOPLE_RANGES_H
#define PEOPLE_RANGES_H
#include "people/people.h"

enum { RANGES_MOST = 64 };      /* roles x kinds of unit are fewer */
struct role_range { const char *kind; int role; enum range range; };
struct ranges { struct role_range *at; size_t n; };
bool ranges_load(struct tx *, struct arena *, int64_t version, struct ranges *, struct err *) MUST_CHECK;
/* The row of role and kind, else that of the role for any kind, else the default.  kind NULL: of no unit. */
enum range ranges_find(const struct ranges *, int role, const char *kind);
#endif
