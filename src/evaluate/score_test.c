/* evaluate/score_test.c -- figures of answers whose truth is known, against figures made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "evaluate/route.h"
#include <math.h>

static void near_to(double a, double b)
{
        if (fabs(a - b) > 1e-4)
                fail_msg("%g is not %g", a, b);
}

/* The interval of 8 in 10 by Wilson's formula, as in many books: 0.4902 to 0.9433. */
static void shares_have_intervals(void **state)
{
        (void)state;
        const struct share s = share_of(8, 10), none = share_of(0, 10), all = share_of(10, 10), nothing = share_of(0, 0);
        near_to(s.value, 0.8);
        near_to(s.low, 0.4902);
        near_to(s.high, 0.9433);
        near_to(none.low, 0);
        near_to(none.high, 0.2775);
        near_to(all.low, 0.7225);
        near_to(all.high, 1);
        assert_true(nothing.value == 0 && nothing.low == 0 && nothing.high == 1);
}

static void the_surest_are_covered(void **state)
{
        (void)state;
        /* Of the three surest all are right; of the five surest four. */
        struct verdict v[] = {{0.4, false, true},  {0.9, true, true}, {0.8, true, true}, {0.7, true, true},
                              {0.6, false, false}, {0.5, true, true}, {0.1, false, true}};
        struct score s;
        double threshold;
        score_verdicts(v, COUNT_OF(v), &s);
        near_to(s.top1.value, 4.0 / 7);
        near_to(s.top3.value, 6.0 / 7);
        near_to(s.coverage[1], 3.0 / 7);
        assert_int_equal(coverage_at(v, COUNT_OF(v), 0.8, &threshold), 5);
        near_to(threshold, 0.5);
        assert_int_equal(coverage_at(v, COUNT_OF(v), 1, &threshold), 3);
        near_to(threshold, 0.7);
        near_to(s.brier, (0.01 + 0.04 + 0.09 + 0.36 + 0.25 + 0.16 + 0.01) / 7);
}

/* Whoever is as sure is in or out together. */
static void equal_certainty_is_not_cut(void **state)
{
        (void)state;
        struct verdict v[] = {{0.9, true, true}, {0.9, false, false}, {0.9, true, true}, {0.2, false, false}};
        double threshold;
        assert_int_equal(coverage_at(v, COUNT_OF(v), 0.95, &threshold), 0);
        assert_true(threshold > 1);
        assert_int_equal(coverage_at(v, COUNT_OF(v), 0.6, &threshold), 3);
        assert_int_equal(coverage_at(v, 0, 0.6, &threshold), 0);
}

static void bins_tell_how_honest_certainty_is(void **state)
{
        (void)state;
        struct verdict v[] = {{0.55, true, true}, {0.55, false, true}, {1, true, true}, {0.95, false, true}};
        struct score s;
        score_verdicts(v, COUNT_OF(v), &s);
        assert_int_equal(s.bins[5].n, 2);
        assert_int_equal(s.bins[9].n, 2);
        near_to(s.bins[5].right, 0.5);
        near_to(s.bins[9].certainty, 0.975);
        near_to(s.ece, 0.5 * 0.05 + 0.5 * 0.475);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(shares_have_intervals),
                cmocka_unit_test(the_surest_are_covered),
                cmocka_unit_test(equal_certainty_is_not_cut),
                cmocka_unit_test(bins_tell_how_honest_certainty_is),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
