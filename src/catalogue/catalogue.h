/* catalogue/catalogue.h -- the responsibility list's items: a tree of at most four levels; one pack version in memory, immutable.
 * */
#ifndef CATALOGUE_CATALOGUE_H
#define CATALOGUE_CATALOGUE_H
#include "base/base.h"
#include "calendar/calendar.h"
struct arena;
struct tx;
struct pack_part;
struct route;

/* What a report of an item is asked beside its text (item_attributes.csv). */
struct choice { const char *key, *name; };
struct attribute {
        const char *code;
        const char *datatype;                   /* string, number, datetime, text, singlevaluelist, multivaluelist */
        bool required;
        const char *description;                /* the question */
        const char *datatype_description;       /* how to answer it; NULL when unsaid */
        int64_t order;
        struct choice *choices; size_t n_choices;       /* of lists */
        const struct attribute *next;           /* of the same item, in their order */
};

struct item {
        const char *code, *name, *name_en;
        const struct item *parent;              /* NULL for level 1 */
        int level;                              /* 1..4 */
        bool leaf;
        const char *grade;                      /* A, B, C; NULL */
        const char *workflow;                   /* "standard" */
        struct limit handle, handle_urgent;     /* inherited from the parent when its own are empty */
        const char *scope, *closing, *law;      /* NULL when unsaid */
        int order;                              /* position in the file: 0.. */
        const struct attribute *attributes;     /* its own; those of the items above hold too (item_attributes) */
        const char *aliases;                    /* other paths that mean it, one a line; NULL */
};
struct catalogue;
bool catalogue_load(struct tx *, struct arena *, int64_t version, struct catalogue **, struct err *) MUST_CHECK;
const struct item *item_find(const struct catalogue *, const char *code);      /* NULL when unknown */
/* By the names from level 1 down ("市容环卫", "垃圾问题", "生活垃圾"), also by aliases (item_aliases.csv); NULL. */
const struct item *item_by_path(const struct catalogue *, const char *const *names, size_t n);
size_t item_count(const struct catalogue *);
const struct item *item_at(const struct catalogue *, size_t);
/* The item's attributes and those of the items above it, each code once (the lower item's wins), by order; in the arena. */
const struct attribute **item_attributes(struct arena *, const struct item *, size_t *n);
/* The known code or name nearest to a wrong one (for error sentences); NULL when none is near. */
const struct item *item_near(const struct catalogue *, const char *wrong);

extern const struct pack_part catalogue_pack;
extern const struct route *const catalogue_routes;   /* GET /api/v1/items */
#endif
