/* experience/experience.h -- who handles a case, learned from who handled the cases before it.
 *
 * An online estimator.  A case is seen in about thirty *contexts* (its item, its item in its community, its source, ...).  Each
 * context value keeps a *cell*: how many cases went to which unit, fading with time.  What the cells say is added up with learned
 * weights and becomes a probability for each unit (logistic mixing, as in M. Mahoney, "Adaptive Weighing of Context Models for Lossless
 * Data Compression", 2005).  Learning a case costs as little as answering one; nothing is trained in batches.
 *
 * Names of items, areas, sources and units are opaque: codes or names, of any catalogue.  What a case does not say is left out.
 * Any number of threads may answer while one learns: a lock inside sees to it.
 */
#ifndef EXPERIENCE_EXPERIENCE_H
#define EXPERIENCE_EXPERIENCE_H
#include "base/base.h"
#include "base/buf.h"
struct arena;
struct experience;

enum { CIRCUMSTANCE_ITEMS = 4, CIRCUMSTANCE_AREAS = 3 };
/* NULL and "" = not said. */
struct circumstance {
        const char *item[CIRCUMSTANCE_ITEMS]; size_t n_item;    /* from the coarsest to the finest */
        const char *area[CIRCUMSTANCE_AREAS]; size_t n_area;    /* likewise; each place has its own level (street, community, grid) */
        const char *source, *property;
        const char *owner;                                      /* whom the responsibility list names */
        const char *kind;                                       /* event or part, or whatever else divides the cases */
        int64_t time;
};

/* Groups of contexts and parts that may be left out, to measure what they are worth. */
enum experience_part {
        EXPERIENCE_SOURCE = 1, EXPERIENCE_PROPERTY = 2, EXPERIENCE_AREA = 4 /* all levels */, EXPERIENCE_COMMUNITY = 8 /* below the first */,
        EXPERIENCE_ITEM = 16 /* the finest level */, EXPERIENCE_OWNER = 32, EXPERIENCE_KIND = 64,
        EXPERIENCE_ROLES = 128 /* what was learned in other areas */, EXPERIENCE_LEAN = 256 /* corrections in each cell */,
        EXPERIENCE_RECENT = 512 /* fast counts and the last unit */
};
struct experience_options {
        double half_life, recent_half_life;     /* days until a case counts half; 0 = 400 and 30 */
        size_t cells_most;                      /* the stalest go when there are more; 0 = 262,144 (about 40 MB) */
        unsigned without;                       /* of enum experience_part */
};
struct experience *experience_new(const struct experience_options *);
void experience_free(struct experience **);

/* Why a unit: the context that speaks most for it.  "Of 38 cases of this item in this community since March 34 went there." */
struct ground {
        size_t item, area;              /* how many levels the like cases share; 0 = of any item, any area */
        bool source, property, owner, kind;     /* whether they share these */
        bool elsewhere;                 /* they lie in any area and went to the unit that is there what this one is here */
        double of, cases;               /* faded counts: so many like cases, of which went to the unit */
        int64_t since;                  /* when the first of them was learned */
};
struct likely {
        const char *unit;               /* lives in the arena */
        double probability;             /* of the mixture; all units together have at most 1 */
        double certainty;               /* how often such an answer was right: calibrated; all together at most 1 */
        struct ground ground;
        double item_of, item_cases;     /* faded counts of cases of this very item, anywhere; of these the unit's */
};
/* The likeliest units first, at most `room` (up to 16); returns how many, 0 when nothing was learned yet. */
size_t experience_answer(const struct experience *, const struct circumstance *, struct arena *, struct likely *out, size_t room);

/* The case went to the unit.  Cases come about in the order of time; a late one counts as if it came now.
 * `role`: what the unit is beside its like in other areas ("market office" for the market office of one street; unit_role() makes one);
 * NULL = not known. */
void experience_learn(struct experience *, const struct circumstance *, const char *unit, const char *role);

struct experience_size { size_t cells, units; int64_t learned; };
struct experience_size experience_size(const struct experience *);

/* All of it as bytes that do not depend on the machine, with version and checksum.  Overflow is seen in the buffer. */
void experience_write(const struct experience *, struct buf *);
/* ERR_INVALID: not such bytes, of another version, cut or damaged. */
bool experience_read(const void *bytes, size_t n, struct experience **out, struct err *) MUST_CHECK;

/* --- unit_names.c: one unit under several names --------------------------------------------------------------------------- */
/* Names come one by one.  "X" and "X（A）" are one unit as long as no other "X（B）" was seen; what was one stays one.
 * Only what has been seen counts, so a replay in the order of time is honest.  Not safe for several threads. */
struct unit_names;
struct unit_names *unit_names_new(void);
void unit_names_free(struct unit_names **);
/* Both are names of one unit, whatever they look like: what a pack says of its aliases.  To be called before the names come. */
void unit_names_alias(struct unit_names *, const char *name, const char *other);
/* The unit's key: the first of its names, or the first of unit_names_alias(); lives as long as the names. */
const char *unit_names_key(struct unit_names *, const char *name);
/* How the unit of that key is to be shown: without parentheses while that is clear. */
const char *unit_names_label(const struct unit_names *, const char *key);

/* The name without the area's names and what goes with them: "综合执法队" of "龙田街道综合执法队" in 龙田街道, "" of "老坑社区" in
 * 老坑社区.  NULL when no area's name is in it. */
const char *unit_role(struct arena *, const char *name, const char *const *areas, size_t n);
#endif
