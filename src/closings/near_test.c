/* closings/near_test.c -- when two cases are at one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "closings/closings.h"

static const double METRE = 1 / 111195.0; /* degrees of latitude */

static struct spot spot(double north, const char *grid, const char *community)
{
        return (struct spot){.has_point = true, .point = {114.3, 22.7 + north * METRE}, .grid = grid, .community = community};
}

static void two_points_decide(void **state)
{
        (void)state;
        double metres;
        const struct spot here = spot(0, "g1", "c1"), door = spot(90, "g2", "c2"), street = spot(110, "g1", "c1");
        assert_int_equal(spots_near(&here, &door, &metres), NEAR_POINT);
        assert_true(metres > 89 && metres < 91);
        assert_int_equal(spots_near(&here, &street, &metres), NEAR_NOT);
}

static void else_the_smallest_area_both_know(void **state)
{
        (void)state;
        double metres;
        const struct spot here = spot(0, "g1", "c1"), same = {.grid = "g1", .community = "c1"},
                          next = {.grid = "g2", .community = "c1"}, wide = {.grid = "", .community = "c1"},
                          other = {.grid = "", .community = "c2"}, nowhere = {.grid = "", .community = ""};
        assert_int_equal(spots_near(&here, &same, &metres), NEAR_GRID);
        assert_true(metres < 0);
        assert_int_equal(spots_near(&same, &next, &metres), NEAR_NOT);
        assert_int_equal(spots_near(&next, &wide, &metres), NEAR_COMMUNITY);
        assert_int_equal(spots_near(&here, &other, &metres), NEAR_NOT);
        assert_int_equal(spots_near(&nowhere, &nowhere, &metres), NEAR_NOT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_points_decide),
                cmocka_unit_test(else_the_smallest_area_both_know),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
