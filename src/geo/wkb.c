/* geo/wkb.c -- well-known binary (OGC 06-103r4, 8.2): reading with every bound checked, writing polygons, checking by GEOS. */
#include "geo/wkb.h"
#include "base/arena.h"
#include <stdlib.h>
#include <geos_c.h>
#include <math.h>

enum { TYPE_POLYGON = 3, TYPE_MULTIPOLYGON = 6, RINGS_MOST = 100000 };

struct reader {
        const unsigned char *at, *end;
        bool big;
        struct err *e;
};

static bool take(struct reader *r, void *out, size_t n)
{
        if ((size_t)(r->end - r->at) < n)
                return err_both(r->e, ERR_INVALID, NULL, "the shape ends too early", "图形数据不完整");
        unsigned char *to = out;
        for (size_t i = 0; i < n; i++)
                to[r->big ? n - 1 - i : i] = r->at[i];
        r->at += n;
        return true;
}

static bool take_head(struct reader *r, uint32_t *type)
{
        unsigned char order = 0;
        if (!take(r, &order, 1))
                return false;
        if (order > 1)
                return err_both(r->e, ERR_INVALID, NULL, "the shape is not WKB", "图形不是 WKB 格式");
        r->big = order == 0;
        return take(r, type, 4);
}

static bool take_ring(struct reader *r, struct arena *a, struct ring *ring)
{
        uint32_t n = 0;
        if (!take(r, &n, 4))
                return false;
        if (n < 4 || n > (size_t)(r->end - r->at) / 16)
                return err_both(r->e, ERR_INVALID, NULL, "a ring has %u points; at least 4 are needed", "环有%u个点，至少需要4个",
                                n);
        struct point *points = NEW_ARRAY(a, struct point, n);
        for (uint32_t i = 0; i < n; i++) {
                if (!take(r, &points[i].lon, 8) || !take(r, &points[i].lat, 8))
                        return false;
                if (!point_valid(points[i]))
                        return err_both(r->e, ERR_INVALID, NULL, "point %u is out of range (longitude first, degrees)",
                                        "第%u个点超出范围（经度在前，单位为度）", i + 1);
        }
        if (points[0].lon != points[n - 1].lon || points[0].lat != points[n - 1].lat)
                return err_both(r->e, ERR_INVALID, NULL, "a ring does not end where it begins", "环没有闭合");
        *ring = (struct ring){points, n};
        return true;
}

static bool take_polygon(struct reader *r, struct arena *a, struct outline *o, size_t *room)
{
        uint32_t n = 0;
        if (!take(r, &n, 4))
                return false;
        if (n == 0 || n > RINGS_MOST)
                return err_both(r->e, ERR_INVALID, NULL, "a polygon has %u rings", "多边形有%u个环", n);
        for (uint32_t i = 0; i < n; i++) {
                if (o->n == *room) {
                        struct ring *more = NEW_ARRAY(a, struct ring, *room * 2);
                        memcpy(more, o->rings, *room * sizeof *more);
                        o->rings = more;
                        *room *= 2;
                }
                if (!take_ring(r, a, &o->rings[o->n]))
                        return false;
                o->n++;
        }
        return true;
}

bool wkb_outline(struct arena *a, const void *wkb, size_t n, struct outline *out, struct err *e)
{
        struct reader r = {.at = wkb, .end = (const unsigned char *)wkb + n, .e = e};
        uint32_t type = 0, parts = 0;
        size_t room = 4;
        *out = (struct outline){.rings = NEW_ARRAY(a, struct ring, room)};
        if (!take_head(&r, &type))
                return false;
        if (type == TYPE_POLYGON) {
                if (!take_polygon(&r, a, out, &room))
                        return false;
        } else if (type == TYPE_MULTIPOLYGON) {
                if (!take(&r, &parts, 4))
                        return false;
                for (uint32_t i = 0; i < parts; i++) {
                        if (!take_head(&r, &type))
                                return false;
                        if (type != TYPE_POLYGON)
                                return err_both(e, ERR_INVALID, NULL, "a part is not a polygon", "部分图形不是多边形");
                        if (!take_polygon(&r, a, out, &room))
                                return false;
                }
        } else {
                return err_both(e, ERR_INVALID, NULL, "the shape is neither a polygon nor a multipolygon",
                                "图形不是多边形或多部件多边形");
        }
        return (r.at == r.end && out->n > 0) || err_both(e, ERR_INVALID, NULL, "bytes follow the shape", "图形之后还有多余数据");
}

static void ignore(const char *message, void *ctx)
{
        (void)message;
        (void)ctx;
}

bool wkb_check(const void *wkb, size_t n, struct err *e)
{
        struct arena *a = arena_new();
        struct outline o;
        bool ok = wkb_outline(a, wkb, n, &o, e);
        arena_free(&a);
        if (!ok)
                return false;
        GEOSContextHandle_t g = GEOS_init_r();
        (void)GEOSContext_setErrorMessageHandler_r(g, ignore, NULL);
        (void)GEOSContext_setNoticeMessageHandler_r(g, ignore, NULL);
        GEOSWKBReader *reader = GEOSWKBReader_create_r(g);
        if (!reader)
                abort();
        GEOSGeometry *shape = GEOSWKBReader_read_r(g, reader, wkb, n);
        if (!shape) {
                ok = err_both(e, ERR_INVALID, NULL, "the shape cannot be read", "无法读取图形");
        } else if (GEOSisValid_r(g, shape) != 1) {
                char *reason = GEOSisValidReason_r(g, shape);
                ok = err_both(e, ERR_INVALID, NULL, "the shape is not valid: %s", "图形无效：%s", reason ? reason : "unknown");
                GEOSFree_r(g, reason);
        }
        GEOSGeom_destroy_r(g, shape);
        GEOSWKBReader_destroy_r(g, reader);
        GEOS_finish_r(g);
        return ok;
}

bool wkb_box(const void *wkb, size_t n, struct point *low, struct point *high, struct err *e)
{
        struct arena *a = arena_new();
        struct outline o;
        bool ok = wkb_outline(a, wkb, n, &o, e);
        if (ok)
                *low = *high = o.rings[0].at[0];
        for (size_t i = 0; ok && i < o.n; i++)
                for (size_t k = 0; k < o.rings[i].n; k++) {
                        const struct point p = o.rings[i].at[k];
                        low->lon = fmin(low->lon, p.lon);
                        low->lat = fmin(low->lat, p.lat);
                        high->lon = fmax(high->lon, p.lon);
                        high->lat = fmax(high->lat, p.lat);
                }
        arena_free(&a);
        return ok;
}

static unsigned char *put32(unsigned char *at, uint32_t v)
{
        for (int i = 0; i < 4; i++)
                *at++ = (unsigned char)(v >> (8 * i));
        return at;
}

static unsigned char *put_real(unsigned char *at, double v)
{
        uint64_t bits;
        memcpy(&bits, &v, sizeof bits);
        for (int i = 0; i < 8; i++)
                *at++ = (unsigned char)(bits >> (8 * i));
        return at;
}

void wkb_polygon(struct arena *a, const struct ring *rings, size_t n_rings, void **wkb, size_t *n)
{
        *n = 9;
        for (size_t i = 0; i < n_rings; i++)
                *n += 4 + 16 * rings[i].n;
        unsigned char *at = arena_alloc(a, *n);
        *wkb = at;
        *at++ = 1;
        at = put32(at, TYPE_POLYGON);
        at = put32(at, (uint32_t)n_rings);
        for (size_t i = 0; i < n_rings; i++) {
                at = put32(at, (uint32_t)rings[i].n);
                for (size_t k = 0; k < rings[i].n; k++) {
                        at = put_real(at, rings[i].at[k].lon);
                        at = put_real(at, rings[i].at[k].lat);
                }
        }
}
