/* closings/near.c -- whether two cases are at one place. */
#include "base/text.h"
#include "closings/closings.h"

static const double METRES_MOST = 100;

enum near spots_near(const struct spot *a, const struct spot *b, double *metres)
{
        *metres = -1;
        if (a->has_point && b->has_point) {
                *metres = point_metres(a->point, b->point);
                return *metres <= METRES_MOST ? NEAR_POINT : NEAR_NOT;
        }
        if (!text_empty(a->grid) && !text_empty(b->grid))
                return text_is(a->grid, b->grid) ? NEAR_GRID : NEAR_NOT;
        return !text_empty(a->community) && text_is(a->community, b->community) ? NEAR_COMMUNITY : NEAR_NOT;
}
