/* text/shingles.h -- what two texts have in common: short runs of characters, and how rare each run is.
 *
 * A shingle is a run of two or three neighbouring units; a unit is one ideograph, or a word or number of other scripts.  Marks and
 * blanks between units do not count, so punctuation changes nothing.  A word of at least two letters is a shingle by itself.
 */
#ifndef TEXT_SHINGLES_H
#define TEXT_SHINGLES_H
#include "base/base.h"
struct arena;
struct folded;

struct unit { uint32_t from, to, hash; bool word; };        /* folded characters from .. to-1 */
/* The units of a text in order; the array lives in the arena. */
size_t text_units(const struct folded *, struct arena *, struct unit **out);

struct shingle { uint32_t hash, from, to, times; }; /* folded characters from .. to-1, where it stands first; how often */
/* Each different shingle once, by hash; a text of a single unit is one shingle.  The array lives in the arena. */
size_t text_shingles(const struct folded *, struct arena *, struct shingle **out);

/* A hash spread over 32 bits (the finalizer of MurmurHash3, A. Appleby, public domain). */
uint32_t hash_mix(uint32_t);

/* In how many texts each feature (any hash) was found, in a table of 4 MiB: features that share a cell look commoner than they are,
 * never rarer.  Learning is not for several threads; asking is. */
struct rare;
struct rare *rare_new(void);
void rare_free(struct rare **);         /* sets NULL */
/* The different features of one text.  Beyond 60,000 texts older ones count half, again and again. */
void rare_learn(struct rare *, const uint32_t *hashes, size_t n);
/* 1: never seen; 0: in every text.  ln((N + 50) / (df + 1)) / ln(N + 50): the inverse document frequency (Sparck Jones 1972) as a
 * share of its greatest value; 50 made-up texts without the feature keep a young table from judging. */
double rare_weight(const struct rare *, uint32_t hash);
uint32_t rare_texts(const struct rare *, uint32_t hash);         /* in how many texts (at least) it was */
size_t rare_bytes(const struct rare *);         /* of memory; NULL: 0 */
#endif
