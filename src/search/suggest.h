/* search/suggest.h -- how a word may go on.  Only names of the pack are suggested: of items, areas and units, which everyone may read.
 * Words of reports are not: a word that stands in one case only would tell that this case exists to whom it is not shown. */
#ifndef SEARCH_SUGGEST_H
#define SEARCH_SUGGEST_H
#include "base/base.h"
struct arena;
struct fold;
struct rulebook;

enum { SUGGEST_MOST = 10 };
struct suggestion { const char *kind, *code, *text; };  /* kind: item, area, unit; texts are the rulebook's */
/* Names that begin with the text, then those that have it inside; in each the shorter first, then by kind and the order of the pack.  The
 * same name of the same kind once.  Returns how many. */
size_t suggest(const struct fold *, struct arena *, const struct rulebook *, const char *text, struct suggestion out[SUGGEST_MOST]);
#endif
