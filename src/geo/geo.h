/* geo/geo.h -- WGS-84 points, conversion from the Chinese map systems, shapes, and the area index. */
#ifndef GEO_GEO_H
#define GEO_GEO_H
#include "base/base.h"
struct arena;

struct point { double lon, lat; };      /* degrees, WGS-84 unless a name says otherwise */

bool point_valid(struct point);                         /* finite, in range */
struct point point_from_gcj02(struct point);            /* by iteration, back to under 1 cm inside China */
struct point point_to_gcj02(struct point);              /* outside China's rough box: unchanged */
struct point point_from_bd09(struct point);
struct point point_to_bd09(struct point);               /* the same */
double point_metres(struct point, struct point);        /* great circle, mean radius 6,371,008.8 m */

/* ERR_INVALID says what is wrong with a polygon or multipolygon: not closed, fewer than 4 points, out of range,
 * self-crossing (GEOS's reason and place). */
bool wkb_check(const void *wkb, size_t n, struct err *) MUST_CHECK;
/* rings: arrays of points, first the shell; the bytes live in the arena. */
struct ring { const struct point *at; size_t n; };
void wkb_polygon(struct arena *, const struct ring *rings, size_t n_rings, void **wkb, size_t *n);
bool wkb_box(const void *wkb, size_t n, struct point *low, struct point *high, struct err *) MUST_CHECK;

/* The area index: which areas hold a point.  Built once, then read by any number of threads without a lock.
 * A grid of cells stands in front: a cell that lies inside exactly the same areas everywhere answers at once ("sure");
 * others ask GEOS's prepared polygons.  A point on a border belongs to the first area (in the order given) that touches it. */
struct area_index;
struct area_shape { const void *wkb; size_t n; int id; int layer; };   /* id >= 0; at most one area per layer answers */
bool area_index_new(struct area_index **, const struct area_shape *, size_t n, struct err *) MUST_CHECK;
void area_index_free(struct area_index **);
enum { AREA_LAYERS = 8 };
/* ids[layer] = id or -1 for each of the AREA_LAYERS; number of layers that answered. */
int area_index_find(const struct area_index *, struct point, int ids[AREA_LAYERS]);
#endif
