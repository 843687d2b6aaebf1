/* geo/wkb.h -- polygons out of WKB, as rings of points.  Inside this folder. */
#ifndef GEO_WKB_H
#define GEO_WKB_H
#include "geo/geo.h"

/* Rings of one polygon or multipolygon; shells and holes alike, since containment counts crossings of all of them. */
struct outline { struct ring *rings; size_t n; };
bool wkb_outline(struct arena *, const void *wkb, size_t n, struct outline *, struct err *) MUST_CHECK;
#endif
