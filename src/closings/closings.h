/* closings/closings.h -- false closings (假闭环): the same place and item again within 72 hours of closing.
 *
 * A consumer of the outbox notes each closing and looks, for each new case, for the last closing of its item and place before it.
 * So both are found by an index when they happen, and a list reads only what was found.
 */
#ifndef CLOSINGS_CLOSINGS_H
#define CLOSINGS_CLOSINGS_H
#include "base/base.h"
#include "geo/geo.h"
struct consumer;
struct route;

/* Where a case is: the point, when it has one, and the areas it lies in ("" = not known). */
struct spot { bool has_point; struct point point; const char *grid, *community; };
enum near { NEAR_NOT, NEAR_POINT, NEAR_GRID, NEAR_COMMUNITY };
/* Whether two spots are one place.  With two points these decide: 100 m, across borders too.  Else two grids, else two communities; the
 * coarser it is, the likelier is chance, so the answer says by what it goes.  *metres: between the points, -1 = not known. */
enum near spots_near(const struct spot *, const struct spot *, double *metres);

extern const struct consumer closings_consumer;
extern const struct route *const closing_routes;
#endif
