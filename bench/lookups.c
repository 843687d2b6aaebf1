/* bench/lookups.c -- point to areas and item to unit, in memory, beside GEOS alone (STRtree and prepared polygons) on the same
 * outlines.
 *
 * bench_lookups DATA     a folder made by `yiwang init` (SQLite).  Prints one line of JSON.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "cases/cases.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "intake/channels.h"
#include "routing/routing.h"
#include "store/store.h"
#include "twin/twin.h"
#include <geos_c.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 200000, QUESTIONS = 200000 };
static const char SQL_OUTLINES[] = "SELECT code, outline FROM area_outline WHERE version = $1";

static void die(const char *what)
{
        fprintf(stderr, "bench_lookups: %s\n", what);
        exit(1);
}

/* xorshift64*: the same points in every run. */
static double next_share(uint64_t *seed)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return (double)((*seed * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* --- GEOS ---------------------------------------------------------------------------------------------------------------- */
struct outline {
        const struct area *area;
        const GEOSPreparedGeometry *prepared;
};
struct geos {
        GEOSContextHandle_t h;
        GEOSSTRtree *tree;
        struct outline *shapes;
        size_t n;
        const struct twin *twin;
        struct arena *arena;
        int64_t version;
};

static bool read_outlines(struct tx *tx, void *ctx, struct err *e)
{
        struct geos *g = ctx;
        struct rows r;
        bool ok = tx_rows(tx, &r, e, SQL_OUTLINES, ARGS(V(g->version)));
        for (; ok && rows_next(&r); g->n++) {
                size_t n;
                const unsigned char *wkb = rows_blob(&r, g->arena, 1, &n);
                GEOSGeometry *shape = GEOSGeomFromWKB_buf_r(g->h, wkb, n);
                g->shapes[g->n] = (struct outline){area_find(g->twin, rows_text(&r, g->arena, 0)), GEOSPrepare_r(g->h, shape)};
                GEOSSTRtree_insert_r(g->h, g->tree, shape, &g->shapes[g->n]);
        }
        return ok && rows_done(&r, e);
}

struct hit {
        struct geos *g;
        const GEOSGeometry *point;
        int found;
};
static void on_box(void *item, void *ctx)
{
        const struct outline *s = item;
        struct hit *h = ctx;
        h->found += GEOSPreparedIntersects_r(h->g->h, s->prepared, h->point) == 1;
}

static void quiet(const char *message, void *ctx)
{
        (void)message, (void)ctx;
}

static double geos_rate(struct geos *g, const struct point *points)
{
        const int64_t began = clock_steady();
        int found = 0;
        for (size_t i = 0; i < POINTS; i++) {
                GEOSGeometry *p = GEOSGeom_createPointFromXY_r(g->h, points[i].lon, points[i].lat);
                struct hit h = {.g = g, .point = p};
                GEOSSTRtree_query_r(g->h, g->tree, p, on_box, &h);
                GEOSGeom_destroy_r(g->h, p);
                found += h.found;
        }
        if (found == 0)
                die("GEOS found nothing");
        return POINTS * 1e6 / (double)(clock_steady() - began);
}

/* --- ours ------------------------------------------------------------------------------------------------------------------ */
static double twin_rate(const struct twin *twin, const struct point *points)
{
        const int64_t began = clock_steady();
        size_t found = 0;
        for (size_t i = 0; i < POINTS; i++) {
                struct place place;
                struct err e;
                found += twin_locate(twin, &points[i], NULL, &place, &e) && place.area;
        }
        if (found == 0)
                die("no point lies in an area");
        return POINTS * 1e6 / (double)(clock_steady() - began);
}

static double routing_rate(const struct rulebook *rules, uint64_t seed)
{
        const size_t items = item_count(rules->catalogue), areas = area_count(rules->twin);
        const int64_t began = clock_steady();
        for (size_t i = 0; i < QUESTIONS; i++) {
                struct answer answer;
                const struct question q = {.item = item_at(rules->catalogue, (size_t)(next_share(&seed) * (double)items)),
                                           .area = area_at(rules->twin, (size_t)(next_share(&seed) * (double)areas)),
                                           .turn = "1"};
                routing_resolve(rules->routing, &q, &answer);
                if (!answer.lead)
                        die("routing gave no unit");
        }
        return QUESTIONS * 1e6 / (double)(clock_steady() - began);
}

static struct point *make_points(struct arena *a, const struct twin *twin)
{
        const struct area *d = twin_district(twin);
        struct point *points = NEW_ARRAY(a, struct point, POINTS);
        uint64_t seed = 42;
        for (size_t i = 0; i < POINTS; i++)
                points[i] = (struct point){d->low.lon + (d->high.lon - d->low.lon) * next_share(&seed),
                                           d->low.lat + (d->high.lat - d->low.lat) * next_share(&seed)};
        return points;
}

int main(int argc, char **argv)
{
        struct arena *a = arena_new();
        struct err e = {0};
        struct store *store;
        struct district d;
        if (argc != 2)
                die("use: bench_lookups DATA");
        const struct store_options so = {.dsn = arena_format(a, "sqlite:%s/yiwang.db", argv[1]), .migrations = all_migrations};
        const char *key = arena_format(a, "%s/seal.key", argv[1]);
        const struct rulebook_readers readers = {.workflows = workflows_load, .channels = channels_load};
        if (!store_open(&store, &so, &e)
            || !district_open(&d, &(struct district_options){.store = store, .key_file = key, .readers = readers}, &e))
                die(e.text);
        const struct rulebook *rules = district_rules(&d, &e);
        if (!rules)
                die(e.text);
        struct geos g = {.h = GEOS_init_r(), .twin = rules->twin, .arena = a, .version = rules->version};
        GEOSContext_setErrorMessageHandler_r(g.h, quiet, NULL);
        g.tree = GEOSSTRtree_create_r(g.h, 10);
        g.shapes = NEW_ARRAY(a, struct outline, area_count(rules->twin) + 1);
        if (!store_read(store, read_outlines, &g, &e))
                die(e.text);
        const struct point *points = make_points(a, rules->twin);
        const double ours = twin_rate(rules->twin, points), theirs = geos_rate(&g, points);
        printf("{\"outlines\":%zu,\"area_lookups_per_s\":%.0f,\"geos_per_s\":%.0f,\"routing_per_s\":%.0f}\n", g.n, ours, theirs,
               routing_rate(rules, 7));
        district_close(&d);
        store_close(&store);
        return 0;
}
