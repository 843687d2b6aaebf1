/* twin/twin.h -- real places in memory: areas now (district > subdistrict > community > grid, and duty layers); entities later. */
#ifndef TWIN_TWIN_H
#define TWIN_TWIN_H
#include "base/base.h"
#include "geo/geo.h"
struct arena;
struct tx;
struct pack_part;
struct route;

enum area_level { AREA_DISTRICT, AREA_SUBDISTRICT, AREA_COMMUNITY, AREA_GRID, AREA_DUTY };      /* also the layer of the index */
struct area {
        const char *code, *name, *name_en;
        const struct area *parent;      /* NULL for the district */
        enum area_level level;
        bool schematic;                 /* the outline is a drawing of ours, not a surveyed border */
        struct point low, high;         /* box; all 0 without an outline */
        int order;
};
const char *area_level_name(enum area_level);
struct twin;
/* The twin owns an area index: free it with twin_free(); the rest lives in the arena. */
bool twin_load(struct tx *, struct arena *, int64_t version, struct twin **, struct err *) MUST_CHECK;
void twin_free(struct twin *);
const struct area *area_find(const struct twin *, const char *code);            /* NULL when unknown */
const struct area *area_by_name(const struct twin *, const char *name, const struct area *within);     /* or alias (area_aliases.csv); NULL */
/* The i-th other name of an area (area_aliases.csv), from 0; NULL behind the last. */
const struct area *twin_alias(const struct twin *, size_t i, const char **name);
const struct area *area_near(const struct twin *, const char *wrong);
size_t area_count(const struct twin *);
const struct area *area_at(const struct twin *, size_t);
const struct area *area_up(const struct area *, enum area_level);               /* itself or the ancestor of that level; NULL */
const struct area *twin_district(const struct twin *);

struct place {
        struct point point; bool has_point;
        const struct area *area;        /* the smallest known area; NULL when nothing is known */
        bool outside;                   /* the point lies outside the district */
};
/* The walk's "place": from a point (wins), else an area code.  ERR_INVALID names the field and the mend: out of range,
 * swapped longitude and latitude (the swapped point would lie in the district), unknown area code. */
bool twin_locate(const struct twin *, const struct point *point, const char *area_code, struct place *, struct err *) MUST_CHECK;

extern const struct pack_part twin_pack;
extern const struct route *const twin_routes;        /* GET /api/v1/areas */
#endif
