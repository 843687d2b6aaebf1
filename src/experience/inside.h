/* experience/inside.h -- what the files of this folder share. */
#ifndef EXPERIENCE_INSIDE_H
#define EXPERIENCE_INSIDE_H
#include "experience/experience.h"
#include <pthread.h>

enum {
        COUNTS_MOST = 128,              /* units in a cell; the weakest goes */
        UNITS_MOST = 1 << 16,
        CONTEXTS = 41, FEATURES = 3,
        HOME_SLOTS = 6
};

/* --- cells.c: counts that fade -------------------------------------------------------------------------------------------- */
struct count {
        uint32_t of;                    /* index of a unit; in role cells the role's hash; in hit cells 1 = right, 0 = wrong */
        float all, recent;              /* faded cases as of the cell's `at`, by both half-lives */
        float lean, slope;              /* learned correction of the unit's score here, and the sum of its squared gradients */
};
struct cell {
        uint64_t key;                   /* 0 = empty place */
        int64_t at, since;
        uint32_t last;                  /* which count came last */
        uint32_t n, room;
        struct count *counts;
};
struct cells { struct cell *at; size_t n, room, most; };
void cells_free(struct cells *);
struct cell *cells_find(const struct cells *, uint64_t key);            /* NULL when there is none */
/* Makes it when there is none; may move all other cells, and drop the stalest. */
struct cell *cells_take(struct cells *, uint64_t key, int64_t now);
struct cell *cells_put(struct cells *, uint64_t key);                   /* an empty one; the key is not there and there is room */
/* Lets what is in the cell fade to `now`, drops what has faded away and adds one case. */
void cell_add(struct cell *, uint32_t of, int64_t now, const double half_life[2]);
/* What is left of the counts at `now`: factors for `all` and `recent`. */
void cell_fade(const struct cell *, int64_t now, const double half_life[2], double left[2]);
struct count *cell_count(const struct cell *, uint32_t of);             /* NULL when there is none */

/* --- contexts.c: in what a case is seen ----------------------------------------------------------------------------------- */
enum part {
        LEAF = 1, PARENT = 2, ROOT = 4,         /* of the item's path; where two are the same only the finer one is there */
        STREET = 8, COMMUNITY = 16, GRID = 32,  /* area[0], [1], [2] */
        SOURCE = 64, PROPERTY = 128, OWNER = 256, KIND = 512
};
struct context { unsigned parts; bool roles; };
const struct context *context_at(size_t);       /* 0 ... CONTEXTS - 1; the first has no parts: all cases */
/* Keys of the contexts; 0 = the case does not say enough, or the context is left out. */
void contexts_of(const struct circumstance *, unsigned without, uint64_t keys[CONTEXTS]);
uint64_t area_key(const struct circumstance *, size_t level);          /* 0 = not said */
uint64_t item_key(const struct circumstance *);                         /* of the whole path */
bool context_is_item(size_t context);           /* the item alone */
struct ground context_ground(size_t context, const struct circumstance *);

/* --- estimator.c ---------------------------------------------------------------------------------------------------------- */
struct home { uint64_t area[HOME_SLOTS]; float cases[HOME_SLOTS], total; };
struct unit { char *name, *role; struct home home[CIRCUMSTANCE_AREAS]; };
enum { SURE_FEATURES = 4 };
struct experience {
        pthread_rwlock_t lock;
        struct experience_options options;
        struct cells cells;
        struct unit *units; size_t n_units, room_units;
        uint32_t *names; size_t room_names;             /* hash table of index + 1 */
        struct home everybody[CIRCUMSTANCE_AREAS];      /* where all cases lie */
        double weight[CONTEXTS][FEATURES], slope[CONTEXTS][FEATURES];
        double sure[SURE_FEATURES], sure_slope[SURE_FEATURES];
        double novel;                                   /* how often the unit was in no cell of the case */
        int64_t learned;
};

/* --- units.c -------------------------------------------------------------------------------------------------------------- */
uint32_t known_unit(const struct experience *, const char *name);       /* UINT32_MAX when there is none */
uint32_t take_unit(struct experience *, const char *name);              /* UINT32_MAX when there are too many; may move all units */
void unit_learn_role(struct unit *, const char *role);                  /* NULL = says nothing */
void home_add(struct home *, uint64_t area);
/* What the unit is for a case in these areas (0 = not said), as a number that local units of one role share; 0 = not known. */
uint32_t unit_role_in(const struct experience *, uint32_t unit, const uint64_t areas[CIRCUMSTANCE_AREAS]);
#endif
