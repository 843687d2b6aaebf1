/* same/inside.h -- for this folder only: sketches and how two are compared. */
#ifndef SAME_INSIDE_H
#define SAME_INSIDE_H
#include "same/same.h"

/* A shingle's rank is -ln(u) / weight with u made of its hash, so the lowest ranks of a text are a sample in which each shingle
 * stands as often as its weight says, and every text samples alike (Cohen, "Size-estimation framework", 1997; bottom-k sketches,
 * Cohen and Kaplan, 2007).  Of a case only the KEYS + MARKS lowest are kept. */
enum { KEYS = 6, MARKS = 28, PLACES = 6 };
enum { GRAMS_MOST = 4096, BUCKETS = 4096 };             /* of a question's text: 2,000 characters' worth are compared */

struct gram { float rank; uint32_t hash, from, to; };   /* folded characters */
struct sketch {                         /* of a whole text */
        struct gram *grams;             /* by rank */
        size_t n;
        uint16_t places[PLACES];        /* that it names, the rarest first */
        size_t n_places;
};
/* `rare` may be NULL.  Everything lives in the arena. */
void sketch_make(struct sketch *, struct arena *, const struct folded *, const struct rare *);
double gram_rarity(const struct rare *, uint32_t hash); /* 0 .. 1; without a table 1 */
uint16_t gram_mark(uint32_t hash);      /* what is kept of a shingle beyond the first KEYS */

enum { KEPT_POINT = 1, KEPT_GONE = 2, KEPT_ALL = 4 };   /* KEPT_ALL: the sketch holds every shingle of the text */
/* A case as it is kept; `links` are numbers of cases added before, 0 = none (index.c). */
struct kept {
        int64_t id;
        uint32_t number, minute, reporter, item, grid, community;
        int32_t lon, lat;               /* 1e-7 degrees */
        float last_rank;                /* of the sketch */
        uint16_t item_group;
        uint8_t n_grams, n_places, flags;
        uint32_t keys[KEYS + 1];        /* hashes of the lowest grams; the last is where it is */
        uint32_t links[KEYS + 1];
        uint16_t marks[MARKS], places[PLACES];
};

/* What compares with every case: the question's own sketch and codes. */
struct question {
        const struct matter *matter;
        struct sketch sketch;
        struct kept as_kept;
        struct arena *arena;
        uint16_t first[BUCKETS], next[GRAMS_MOST];      /* grams by mark: the place in sketch.grams + 1; 0 = none */
};
/* The question lives in the arena. */
struct question *question_new(struct arena *, const struct matter *, const struct rare *);
void kept_make(struct kept *, const struct matter *, const struct sketch *);
void same_compare(const struct question *, const struct kept *, struct same_parts *);
double same_probability(const struct same_parts *);
/* Fills the phrases of `out` with the longest runs of the question's text that the case's sketch has too. */
void same_explain(const struct question *, const struct kept *, struct alike *out);
#endif
