/* geo/geo_test.c -- the Chinese map systems, WKB, and the area index against GEOS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "geo/geo.h"
#include <geos_c.h>
#include <math.h>

static uint64_t draw64(uint64_t *seed)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

/* 0 <= x < 1 */
static double part(uint64_t *seed)
{
        return (double)(draw64(seed) >> 11) / 9007199254740992.0;
}

static struct point point_in(uint64_t *seed, double west, double south, double east, double north)
{
        return (struct point){west + part(seed) * (east - west), south + part(seed) * (north - south)};
}

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

/* --- map systems ------------------------------------------------------------------------------------------------------- */

static void there_and_back_is_less_than_a_centimetre(void **state)
{
        uint64_t seed = 7;
        (void)state;
        for (int i = 0; i < 200000; i++) {
                const struct point p = point_in(&seed, 73.7, 3.9, 135.0, 53.5);
                assert_true(point_metres(point_from_gcj02(point_to_gcj02(p)), p) < 0.01);
                assert_true(point_metres(point_from_bd09(point_to_bd09(p)), p) < 0.01);
                const double away = point_metres(point_to_gcj02(p), p), bd = point_metres(point_to_bd09(p), point_to_gcj02(p));
                assert_true(away > 10 && away < 1500);
                assert_true(bd > 500 && bd < 1500);
        }
}

static void elsewhere_nothing_moves(void **state)
{
        static const struct point places[] = {{-0.1276, 51.5072}, {-74.006, 40.7128},  {151.2093, -33.8688},
                                              {2.35, 48.85},      {139.6917, 35.6895}, {0, 0},
                                              {-180, -90},        {180, 90},           {71.9, 30},
                                              {100, 56.5}};
        (void)state;
        for (size_t i = 0; i < COUNT_OF(places); i++) {
                const struct point p = places[i];
                struct point (*const all[])(struct point) = {point_to_gcj02, point_from_gcj02, point_to_bd09, point_from_bd09};
                for (size_t k = 0; k < COUNT_OF(all); k++) {
                        const struct point q = all[k](p);
                        assert_true(q.lon == p.lon && q.lat == p.lat);
                }
        }
}

/* Values printed in the manuals of public implementations (coordtransform, gcoord). */
static void known_points(void **state)
{
        static const struct point origin = {116.404, 39.915}, as_gcj = {116.41024449916938, 39.91640428150164},
                                  gcj_as_bd = {116.41036949371029, 39.92133699351021},
                                  bd_as_gcj = {116.39762729119315, 39.90865673957631}, plaza = {116.403988, 39.914266},
                                  plaza_as_bd = {116.41661560068297, 39.92196580126834};
        (void)state;
        assert_true(point_metres(point_to_gcj02(origin), as_gcj) < 0.001);
        assert_true(point_metres(point_to_bd09(plaza), plaza_as_bd) < 0.001);
        /* From one shifted system to the other by way of WGS-84. */
        assert_true(point_metres(point_to_bd09(point_from_gcj02(origin)), gcj_as_bd) < 0.01);
        assert_true(point_metres(point_to_gcj02(point_from_bd09(origin)), bd_as_gcj) < 1); /* their inverse is approximate */
}

static void distances(void **state)
{
        (void)state;
        assert_true(point_metres((struct point){114, 22}, (struct point){114, 22}) == 0.0);
        assert_true(fabs(point_metres((struct point){0, 0}, (struct point){90, 0}) - 6371008.8 * 1.5707963267948966) < 0.01);
        assert_true(fabs(point_metres((struct point){0, 0}, (struct point){180, 0}) - 6371008.8 * 3.141592653589793) < 0.01);
        assert_true(fabs(point_metres((struct point){114, 22}, (struct point){114, 23}) - 6371008.8 * 0.017453292519943295) < 0.01);
        assert_true(point_valid((struct point){180, -90}));
        assert_false(point_valid((struct point){180.1, 0}));
        assert_false(point_valid((struct point){0, -90.1}));
        assert_false(point_valid((struct point){(double)NAN, 0}));
        assert_false(point_valid((struct point){0, (double)INFINITY}));
}

/* --- WKB -------------------------------------------------------------------------------------------------------------------- */

static const struct point square[] = {{0, 0}, {4, 0}, {4, 4}, {0, 4}, {0, 0}};
static const struct point hole[] = {{1, 1}, {1, 2}, {2, 2}, {2, 1}, {1, 1}};

static void refused(const void *wkb, size_t n, const char *says)
{
        struct err e = {0};
        assert_false(wkb_check(wkb, n, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        if (!strstr(e.text, says))
                fail_msg("says: %s, wanted: %s", e.text, says);
        assert_true(*e.zh);
}

static void refused_ring(struct arena *a, const struct point *points, size_t n, const char *says)
{
        void *wkb;
        size_t length;
        wkb_polygon(a, &(struct ring){points, n}, 1, &wkb, &length);
        refused(wkb, length, says);
}

static void wrong_shapes_are_refused(void **state)
{
        static const struct point open[] = {{0, 0}, {4, 0}, {4, 4}, {0, 4}}, few[] = {{0, 0}, {4, 0}, {0, 0}},
                                  far[] = {{0, 0}, {400, 0}, {4, 4}, {0, 0}}, bow[] = {{0, 0}, {4, 4}, {4, 0}, {0, 4}, {0, 0}},
                                  nan[] = {{0, 0}, {(double)NAN, 0}, {4, 4}, {0, 0}},
                                  outside[] = {{9, 9}, {9, 10}, {10, 10}, {9, 9}};
        struct arena *a = arena_new();
        void *wkb;
        size_t n;
        struct err e;
        (void)state;
        refused_ring(a, open, COUNT_OF(open), "does not end where it begins");
        refused_ring(a, few, COUNT_OF(few), "at least 4");
        refused_ring(a, far, COUNT_OF(far), "out of range");
        refused_ring(a, nan, COUNT_OF(nan), "out of range");
        refused_ring(a, bow, COUNT_OF(bow), "Self-intersection");
        wkb_polygon(a, (struct ring[]){{square, 5}, {outside, 4}}, 2, &wkb, &n);
        refused(wkb, n, "not valid");
        wkb_polygon(a, (struct ring[]){{square, 5}, {hole, 5}}, 2, &wkb, &n);
        ok(wkb_check(wkb, n, &e), &e);
        unsigned char *bytes = wkb;
        for (size_t cut = 0; cut < n; cut++)
                refused(bytes, cut, "");
        unsigned char *longer = arena_alloc(a, n + 1);
        memcpy(longer, bytes, n);
        refused(longer, n + 1, "bytes follow");
        bytes[0] = 7;
        refused(bytes, n, "not WKB");
        bytes[0] = 1;
        bytes[1] = 1;
        refused(bytes, n, "neither a polygon nor a multipolygon");
        bytes[1] = 3;
        memset(bytes + 9, 0xFF, 4); /* four thousand million points */
        refused(bytes, n, "points");
        arena_free(&a);
}

/* What a spatial database gives: big endian, multipolygon. */
static void foreign_bytes_are_read(void **state)
{
        struct err e;
        struct point low, high;
        size_t n;
        GEOSContextHandle_t g = GEOS_init_r();
        GEOSWKTReader *reader = GEOSWKTReader_create_r(g);
        GEOSWKBWriter *writer = GEOSWKBWriter_create_r(g);
        GEOSGeometry *shape = GEOSWKTReader_read_r(g, reader, "MULTIPOLYGON(((1 1,3 1,3 2,1 2,1 1)),((-5 -6,-4 -6,-4 -5,-5 -6)))");
        (void)state;
        for (int order = 0; order < 2; order++) {
                GEOSWKBWriter_setByteOrder_r(g, writer, order);
                unsigned char *wkb = GEOSWKBWriter_write_r(g, writer, shape, &n);
                ok(wkb_check(wkb, n, &e), &e);
                ok(wkb_box(wkb, n, &low, &high, &e), &e);
                assert_true(low.lon == -5 && low.lat == -6 && high.lon == 3 && high.lat == 2);
                GEOSFree_r(g, wkb);
        }
        GEOSGeom_destroy_r(g, shape);
        GEOSWKTReader_destroy_r(g, reader);
        GEOSWKBWriter_destroy_r(g, writer);
        GEOS_finish_r(g);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(there_and_back_is_less_than_a_centimetre),
                cmocka_unit_test(elsewhere_nothing_moves),
                cmocka_unit_test(known_points),
                cmocka_unit_test(distances),
                cmocka_unit_test(wrong_shapes_are_refused),
                cmocka_unit_test(foreign_bytes_are_read),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
