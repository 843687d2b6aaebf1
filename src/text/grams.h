/* text/grams.h -- the features of a text: ideographs, pairs of neighbouring ideographs, and words of other letters, as 32-bit keys.
 *
 * Pairs do not reach across marks, blanks and digits; digits and marks themselves are no features (measured in doc/triage.md: they
 * bring nothing).  Keys are hashes: two grams share one with a chance of 1 in 4 thousand million.
 */
#ifndef TEXT_GRAMS_H
#define TEXT_GRAMS_H
#include "text/fold.h"

struct gram { uint32_t key, from, n; };         /* key is never 0; characters from .. from + n - 1 of the folded text */
struct gram_count { uint32_t key, count; };

/* Every occurrence, in order; in the arena. */
size_t grams_list(const struct folded *, struct arena *, struct gram **);
/* Each key once with how often it occurs, in the order of first occurrence; in the arena. */
size_t grams_count(const struct gram *, size_t n, struct arena *, struct gram_count **);
#endif
