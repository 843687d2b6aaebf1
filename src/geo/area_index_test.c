/* geo/area_index_test.c -- the area index against GEOS: random outlines with holes and parts, points inside, outside, on borders.
 * */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/log.h"
#include "geo/geo.h"
#include <geos_c.h>
#include <math.h>
#include <pthread.h>

enum { SHAPES_MOST = 400, ROUNDS = 16, POINTS = 5000 };
/* Nearer to a border than this, rounding decides: both answers are right. */
static const double HAIR = 1e-12;

struct world {
        struct arena *arena;
        GEOSContextHandle_t geos;
        struct area_shape shapes[SHAPES_MOST];
        GEOSGeometry *geometry[SHAPES_MOST], *border[SHAPES_MOST];
        const GEOSPreparedGeometry *prepared[SHAPES_MOST];
        int n;
        struct point *corners;
        int n_corners; /* of all rings */
        struct area_index *index;
};

static uint64_t draw64(uint64_t *seed)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

static double part(uint64_t *seed)
{
        return (double)(draw64(seed) >> 11) / 9007199254740992.0;
}

static int draw(uint64_t *seed, int below)
{
        return (int)(part(seed) * below);
}

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

static struct world world_new(void)
{
        struct world w = {.arena = arena_new(), .geos = GEOS_init_r()};
        w.corners = NEW_ARRAY(w.arena, struct point, 100000);
        return w;
}

static void world_free(struct world *w)
{
        for (int i = 0; i < w->n; i++) {
                GEOSPreparedGeom_destroy_r(w->geos, w->prepared[i]);
                GEOSGeom_destroy_r(w->geos, w->border[i]);
                GEOSGeom_destroy_r(w->geos, w->geometry[i]);
        }
        area_index_free(&w->index);
        GEOS_finish_r(w->geos);
        arena_free(&w->arena);
}

static void add_shape(struct world *w, const void *wkb, size_t n, int layer)
{
        struct err e;
        const int i = w->n++;
        assert_true(i < SHAPES_MOST);
        ok(wkb_check(wkb, n, &e), &e);
        w->shapes[i] = (struct area_shape){.wkb = wkb, .n = n, .id = 1000 + i, .layer = layer};
        GEOSWKBReader *reader = GEOSWKBReader_create_r(w->geos);
        w->geometry[i] = GEOSWKBReader_read_r(w->geos, reader, wkb, n);
        GEOSWKBReader_destroy_r(w->geos, reader);
        w->prepared[i] = GEOSPrepare_r(w->geos, w->geometry[i]);
        w->border[i] = GEOSBoundary_r(w->geos, w->geometry[i]);
}

/* A star around a centre: never crosses itself. */
static struct ring star(struct world *w, uint64_t *seed, struct point centre, double size, int corners)
{
        struct point *at = NEW_ARRAY(w->arena, struct point, corners + 1);
        for (int i = 0; i < corners; i++) {
                const double angle = 6.283185307179586 * i / corners, r = size * (0.5 + 0.5 * part(seed));
                at[i] = (struct point){centre.lon + r * cos(angle), centre.lat + r * sin(angle)};
                w->corners[w->n_corners++] = at[i];
        }
        at[corners] = at[0];
        return (struct ring){at, (size_t)corners + 1};
}

static void put32(unsigned char *at, int v)
{
        for (int i = 0; i < 4; i++)
                at[i] = (unsigned char)(v >> (8 * i));
}

static void add_star(struct world *w, uint64_t *seed, struct point centre, double size, int layer)
{
        const struct ring rings[] = {star(w, seed, centre, size, 5 + draw(seed, 40)),
                                     star(w, seed, centre, size * 0.3, 3 + draw(seed, 9))};
        void *one, *two;
        size_t n1, n2;
        wkb_polygon(w->arena, rings, part(seed) < 0.4 ? 2 : 1, &one, &n1);
        if (part(seed) < 0.6) {
                add_shape(w, one, n1, layer);
                return;
        }
        const struct ring apart = star(w, seed, (struct point){centre.lon + 2.2 * size, centre.lat}, size, 5 + draw(seed, 20));
        wkb_polygon(w->arena, &apart, 1, &two, &n2);
        unsigned char *all = arena_alloc(w->arena, 9 + n1 + n2);
        all[0] = 1;
        put32(all + 1, 6);
        put32(all + 5, 2);
        memcpy(all + 9, one, n1);
        memcpy(all + 9 + n1, two, n2);
        add_shape(w, all, 9 + n1 + n2, layer);
}

/* A corner, a point of an edge between two corners, or any point. */
static struct point any_point(const struct world *w, uint64_t *seed, double west, double south, double size)
{
        const int kind = draw(seed, 4);
        if (kind == 0)
                return w->corners[draw(seed, w->n_corners)];
        if (kind == 1) {
                const int i = draw(seed, w->n_corners - 1);
                const double t = part(seed) < 0.3 ? 0.5 : part(seed);
                const struct point a = w->corners[i], b = w->corners[i + 1];
                return (struct point){a.lon + t * (b.lon - a.lon), a.lat + t * (b.lat - a.lat)};
        }
        return (struct point){west + part(seed) * size, south + part(seed) * size};
}

static int first_of_geos(const struct world *w, const GEOSGeometry *at, int layer)
{
        for (int i = 0; i < w->n; i++)
                if (w->shapes[i].layer == layer && GEOSPreparedIntersects_r(w->geos, w->prepared[i], at) == 1)
                        return w->shapes[i].id;
        return -1;
}

/* Where the answers differ: a border must be so near that both are right. */
static bool within_a_hair(const struct world *w, const GEOSGeometry *at, int layer, int id)
{
        for (int i = 0; i < w->n; i++) {
                double away = 1;
                if (w->shapes[i].layer != layer)
                        continue;
                (void)GEOSDistance_r(w->geos, w->border[i], at, &away);
                const bool inside = GEOSPreparedIntersects_r(w->geos, w->prepared[i], at) == 1;
                if (w->shapes[i].id == id)
                        return inside || away <= HAIR;
                if (inside && away > HAIR)
                        return false;
        }
        return id == -1;
}

static void compare(const struct world *w, struct point p, int layer)
{
        int ids[AREA_LAYERS];
        GEOSGeometry *at = GEOSGeom_createPointFromXY_r(w->geos, p.lon, p.lat);
        (void)area_index_find(w->index, p, ids);
        if (ids[layer] != first_of_geos(w, at, layer) && !within_a_hair(w, at, layer, ids[layer]))
                fail_msg("%.17g %.17g in layer %d: %d", p.lon, p.lat, layer, ids[layer]);
        GEOSGeom_destroy_r(w->geos, at);
}

static void stars_answer_as_geos(void **state)
{
        uint64_t seed = 99;
        (void)state;
        for (int round = 0; round < ROUNDS; round++) {
                struct world w = world_new();
                struct err e;
                for (int i = 1 + draw(&seed, 30); i > 0; i--)
                        add_star(&w, &seed, (struct point){114 + part(&seed), 22 + part(&seed)}, 0.01 + 0.2 * part(&seed),
                                 draw(&seed, 3));
                ok(area_index_new(&w.index, w.shapes, (size_t)w.n, &e), &e);
                for (int i = 0; i < POINTS; i++)
                        compare(&w, any_point(&w, &seed, 113.8, 21.8, 1.6), i % 4);
                world_free(&w);
        }
}

/* --- a district without gaps ------------------------------------------------------------------------------------------ */

enum { SIDE = 9 };

static struct point knot(const struct point *knots, int x, int y)
{
        return knots[y * (SIDE + 1) + x];
}

/* Triangles over crooked squares: every border has two sides. */
static void add_mesh(struct world *w, uint64_t *seed)
{
        struct point *knots = NEW_ARRAY(w->arena, struct point, (SIDE + 1) * (SIDE + 1));
        for (int y = 0; y <= SIDE; y++)
                for (int x = 0; x <= SIDE; x++) {
                        const bool edge = x == 0 || y == 0 || x == SIDE || y == SIDE;
                        knots[y * (SIDE + 1) + x] = (struct point){114 + 0.1 * x + (edge ? 0 : 0.06 * (part(seed) - 0.5)),
                                                                   22 + 0.1 * y + (edge ? 0 : 0.06 * (part(seed) - 0.5))};
                }
        for (int y = 0; y < SIDE; y++)
                for (int x = 0; x < SIDE; x++) {
                        const struct point a = knot(knots, x, y), b = knot(knots, x + 1, y), c = knot(knots, x + 1, y + 1),
                                           d = knot(knots, x, y + 1);
                        const struct point halves[2][4] = {{a, b, c, a}, {a, c, d, a}};
                        for (int i = 0; i < 2; i++) {
                                void *wkb;
                                size_t n;
                                for (int k = 0; k < 4; k++)
                                        w->corners[w->n_corners++] = halves[i][k];
                                wkb_polygon(w->arena, &(struct ring){halves[i], 4}, 1, &wkb, &n);
                                add_shape(w, wkb, n, 2);
                        }
                }
}

/* A citizen who stands on a border stands in one of the two areas, never in none. */
static void borders_have_no_gaps(void **state)
{
        uint64_t seed = 5;
        (void)state;
        for (int round = 0; round < ROUNDS; round++) {
                struct world w = world_new();
                struct err e;
                add_mesh(&w, &seed);
                ok(area_index_new(&w.index, w.shapes, (size_t)w.n, &e), &e);
                for (int i = 0; i < POINTS; i++) {
                        int ids[AREA_LAYERS];
                        const struct point p = any_point(&w, &seed, 114, 22, 0.9);
                        if (p.lon < 114.0001 || p.lat < 22.0001 || p.lon > 114.8999 || p.lat > 22.8999)
                                continue;
                        compare(&w, p, 2);
                        if (area_index_find(w.index, p, ids) != 1)
                                fail_msg("%.17g %.17g lies in a gap", p.lon, p.lat);
                }
                world_free(&w);
        }
}

static void on_a_border_the_first_area_answers(void **state)
{
        static const struct point left[] = {{114, 22}, {114.5, 22}, {114.5, 22.5}, {114, 22.5}, {114, 22}},
                                  right[] = {{114.5, 22}, {115, 22}, {115, 22.5}, {114.5, 22.5}, {114.5, 22}};
        (void)state;
        for (int swapped = 0; swapped < 2; swapped++) {
                struct world w = world_new();
                struct err e;
                int ids[AREA_LAYERS];
                for (int i = 0; i < 2; i++) {
                        void *wkb;
                        size_t n;
                        wkb_polygon(w.arena, &(struct ring){i == swapped ? left : right, 5}, 1, &wkb, &n);
                        add_shape(&w, wkb, n, 3);
                }
                ok(area_index_new(&w.index, w.shapes, 2, &e), &e);
                for (int i = 0; i <= 1000; i++) {
                        assert_int_equal(area_index_find(w.index, (struct point){114.5, 22 + i * 0.0005}, ids), 1);
                        assert_int_equal(ids[3], 1000);
                }
                assert_int_equal(area_index_find(w.index, (struct point){114, 22}, ids), 1);
                assert_int_equal(ids[3], 1000 + swapped);
                assert_int_equal(area_index_find(w.index, (struct point){113.9999, 22}, ids), 0);
                assert_int_equal(area_index_find(w.index, (struct point){114.25, 22.5000001}, ids), 0);
                world_free(&w);
        }
}

/* --- many readers ------------------------------------------------------------------------------------------------------------ */

struct reader {
        const struct area_index *index;
        uint64_t seed;
        int64_t sum;
};

static void *read_many(void *ctx)
{
        struct reader *r = ctx;
        int ids[AREA_LAYERS];
        for (int i = 0; i < 20000; i++) {
                const struct point p = {114 + part(&r->seed), 22 + part(&r->seed)};
                (void)area_index_find(r->index, p, ids);
                for (int l = 0; l < AREA_LAYERS; l++)
                        r->sum += ids[l];
        }
        return NULL;
}

static void threads_share_it(void **state)
{
        uint64_t seed = 3;
        struct world w = world_new();
        struct reader readers[4];
        pthread_t threads[4];
        struct err e;
        (void)state;
        add_mesh(&w, &seed);
        for (int i = 0; i < 20; i++)
                add_star(&w, &seed, (struct point){114 + part(&seed), 22 + part(&seed)}, 0.1, 0);
        ok(area_index_new(&w.index, w.shapes, (size_t)w.n, &e), &e);
        for (int i = 0; i < 4; i++) {
                readers[i] = (struct reader){w.index, 17, 0};
                assert_int_equal(pthread_create(&threads[i], NULL, read_many, &readers[i]), 0);
        }
        for (int i = 0; i < 4; i++)
                (void)pthread_join(threads[i], NULL);
        for (int i = 1; i < 4; i++)
                assert_int_equal(readers[i].sum, readers[0].sum);
        world_free(&w);
}

static void an_empty_index_knows_nothing(void **state)
{
        struct area_index *x;
        struct err e;
        int ids[AREA_LAYERS];
        (void)state;
        ok(area_index_new(&x, NULL, 0, &e), &e);
        assert_int_equal(area_index_find(x, (struct point){114, 22}, ids), 0);
        for (int l = 0; l < AREA_LAYERS; l++)
                assert_int_equal(ids[l], -1);
        area_index_free(&x);
        assert_null(x);
        area_index_free(&x);
        const unsigned char wrong[] = {1, 3, 0, 0, 0, 1, 0, 0, 0};
        assert_false(area_index_new(&x, &(struct area_shape){.wkb = wrong, .n = sizeof wrong}, 1, &e));
        assert_int_equal(e.kind, ERR_INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(stars_answer_as_geos),
                cmocka_unit_test(borders_have_no_gaps),
                cmocka_unit_test(on_a_border_the_first_area_answers),
                cmocka_unit_test(threads_share_it),
                cmocka_unit_test(an_empty_index_knows_nothing),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
