/* same/same.h -- is this new report the same matter as a case we have?
 *
 * An index of open and recent cases in memory.  A case is kept as a sketch (about 190 bytes, no text): a weighted sample of its
 * shingles, the places it names, point, area codes, item, time.  A question walks a bounded number of cases that share a rare
 * shingle, a cell of 250 m or an area with it; there is no scan.  Pure: no store, no clock.
 *
 * Many threads may ask while one changes the index.  Answers do not depend on the order in which cases were added, as long as no
 * list of cases is longer than what a question walks (see index.c).
 */
#ifndef SAME_SAME_H
#define SAME_SAME_H
#include "base/base.h"
#include "geo/geo.h"
struct arena;
struct folded;
struct rare;
struct same_index;

struct matter {
        int64_t id;                     /* of the case; for a question it may be 0 */
        const struct folded *text;      /* of the report, perhaps with its address line in front */
        bool has_point;
        struct point point;
        const char *grid, *community;   /* area codes; NULL: unknown */
        const char *item, *item_group;  /* codes of the item and of its parent; NULL: unknown */
        int64_t time;                   /* instant */
        uint64_t reporter;              /* a hash of who reports, 0: unknown */
};

/* `rare`: how rare shingles are (rare_learn_text(), fed with any few thousand earlier reports); it belongs to the index from now on
 * and no longer changes.  NULL: all the same.
 * `most`: cases kept; when one more comes, the one added first is forgotten.  Memory grows with the cases. */
struct same_index *same_new(struct rare **rare, size_t most);
void same_free(struct same_index **);   /* sets NULL */

/* Adds a case, or replaces the one with this id. */
void same_add(struct same_index *, const struct matter *);
/* Adds a case older than all there are, for filling an index from the newest backwards while it is asked.  One that is there already
 * stays as it is.  False: the index is full, and nothing is forgotten for an older one. */
bool same_add_before(struct same_index *, const struct matter *);
bool same_remove(struct same_index *, int64_t id);      /* false: not there */
bool same_has(struct same_index *, int64_t id);
/* How many cases there are, and all bytes the index uses. */
struct same_size { size_t cases, bytes; };
struct same_size same_size(struct same_index *);

enum same_outcome { SAME_NEW, SAME_ASKS, SAME_JOINS };
enum { SAME_PHRASES = 4, SAME_MOST = 16 };
struct same_parts {                     /* what speaks for the same matter: 1, against it: -1, unknown: 0 */
        double shared;                  /* share of the weight of both texts together that is in both, 0 .. 1 */
        double inside;                  /* the same of the text that is more contained in the other, 0 .. 1 */
        double spot;                    /* by points, else by area codes */
        double named;                   /* by the places that the texts name */
        double time;                    /* 1: the same hour, 0.5: thirty days between */
        double item;                    /* 1 equal, 0.5 the same group, -1 different */
        double reporter;                /* 1 the same */
        double metres;                  /* between the points; -1: not known */
};
struct alike {
        int64_t id;
        double probability;             /* of being the same matter: score.c */
        enum same_outcome outcome;
        struct same_parts parts;
        struct same_phrase { uint32_t from, to; } phrases[SAME_PHRASES];        /* shared, longest first: bytes of the new text */
        size_t n_phrases;
};
/* From where on a case joins by itself, and from where on somebody is asked. */
struct same_limits { double joins, asks; };
struct same_limits same_limits(void);   /* as measured (doc/triage.md) */

/* The likeliest cases, likeliest first (then by id), at most `most` (up to SAME_MOST); what is surely new is left out, so 0 means
 * new.  limits NULL: same_limits().  Scratch memory comes from the arena. */
size_t same_find(struct same_index *, struct arena *, const struct matter *, const struct same_limits *, struct alike out[], size_t most);
/* The same, and then adds the case: less work than one after the other. */
size_t same_find_add(struct same_index *, struct arena *, const struct matter *, const struct same_limits *, struct alike out[],
                     size_t most);
#endif
