/* twin/twin_api.c -- GET /api/v1/areas, with outlines as GeoJSON when wanted. */
#include "twin/twin.h"
#include "base/arena.h"
#include "base/text.h"
#include "geo/wkb.h"
#include "http/http.h"
#include "pack/pack.h"
#include "store/store.h"

#define AREA_COLUMNS \
        "SELECT a.position, a.code, a.name, a.name_en, a.level, a.parent, o.schematic, CASE WHEN $4 = 1 THEN o.outline END FROM" \
        " area a" \
        " LEFT JOIN area_outline o ON o.version = a.version AND o.code = a.code WHERE a.version = $1 AND a.position > $2"
static const char SQL_ALL[] = AREA_COLUMNS " ORDER BY a.position LIMIT $3";
static const char SQL_LEVEL[] = AREA_COLUMNS " AND a.level = $5 ORDER BY a.position LIMIT $3";
static const char SQL_BELOW[] = AREA_COLUMNS " AND a.parent = $5 ORDER BY a.position LIMIT $3";

struct page {
        struct request *rq;
        struct reply *rp;
        const char *level, *parent;
        int64_t after, version;
        int limit;
        bool outlines;
};

static void outline_json(const struct rows *r, struct arena *a, struct json *j)
{
        struct outline o;
        struct err ignored;
        size_t n;
        const void *wkb = rows_blob(r, a, 7, &n);
        if (!wkb || !wkb_outline(a, wkb, n, &o, &ignored)) {
                json_null(j, "outline");
                return;
        }
        json_object(j, "outline");
        json_text(j, "type", "Polygon");
        json_array(j, "coordinates");
        for (size_t i = 0; i < o.n; i++) {
                json_array(j, NULL);
                for (size_t k = 0; k < o.rings[i].n; k++) {
                        json_array(j, NULL);
                        json_real(j, NULL, o.rings[i].at[k].lon);
                        json_real(j, NULL, o.rings[i].at[k].lat);
                        json_array_end(j);
                }
                json_array_end(j);
        }
        json_array_end(j);
        json_object_end(j);
}

static void area_json(const struct page *p, const struct rows *r, struct json *j)
{
        struct arena *a = p->rq->arena;
        json_object(j, NULL);
        json_text(j, "code", rows_text(r, a, 1));
        json_text(j, "name", rows_text(r, a, 2));
        json_text(j, "name_en", rows_text(r, a, 3));
        json_text(j, "level", rows_text(r, a, 4));
        json_text(j, "parent", rows_text(r, a, 5));
        json_bool(j, "schematic", rows_int(r, 6) != 0);
        if (p->outlines)
                outline_json(r, a, j);
        json_object_end(j);
}

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        struct page *p = ctx;
        struct json *j = &p->rp->json;
        struct rows r;
        int64_t last = 0;
        int n = 0;
        if (!pack_active(tx, &p->version, e))
                return false;
        const struct value v[] = {V(p->version), V(p->after), V(p->limit), V(p->outlines ? 1 : 0)};
        bool ok = p->parent  ? tx_rows(tx, &r, e, SQL_BELOW, ARGS(v[0], v[1], v[2], v[3], V(p->parent)))
                  : p->level ? tx_rows(tx, &r, e, SQL_LEVEL, ARGS(v[0], v[1], v[2], v[3], V(p->level)))
                             : tx_rows(tx, &r, e, SQL_ALL, ARGS(v[0], v[1], v[2], v[3]));
        if (!ok)
                return false;
        json_object(j, NULL);
        json_array(j, "areas");
        for (; rows_next(&r); n++) {
                area_json(p, &r, j);
                last = rows_int(&r, 0);
        }
        json_array_end(j);
        if (n == p->limit)
                json_text(j, "next", arena_format(p->rq->arena, "%lld", (long long)last));
        json_object_end(j);
        return rows_done(&r, e);
}

static bool get_areas(struct request *rq, struct reply *rp, struct err *e)
{
        struct page p = {.rq = rq,
                         .rp = rp,
                         .level = request_query(rq, "level"),
                         .parent = request_query(rq, "parent"),
                         .limit = request_limit(rq, 200, 1000),
                         .outlines = text_is(request_query(rq, "outline"), "yes")};
        const char *after = request_query(rq, "after");
        if (after && !text_to_int(after, &p.after))
                return err_both(e, ERR_INVALID, "after", "\"%s\" is not a place in this list; take it from \"next\"",
                                "“%s”不是此列表的位置，请使用上一页的 next", after);
        if (!store_read(rq->store, read_page, &p, e))
                return false;
        rp->etag = arena_format(rq->arena, "areas-%lld-%s-%s-%lld-%d-%d", (long long)p.version, p.level ? p.level : "*",
                                p.parent ? p.parent : "*", (long long)p.after, p.limit, p.outlines);
        return true;
}

static const char *const level_choices[] = {"district", "subdistrict", "community", "grid", "duty", NULL};
static const char *const outline_choices[] = {"yes", "no", NULL};
static const struct query_param query[] = {
        {.name = "level", .type = SHAPE_TEXT, .choices = level_choices, .about = "Only areas of this level."},
        {.name = "parent", .type = SHAPE_TEXT, .most = 40, .about = "Only areas right below this one."},
        {.name = "outline", .type = SHAPE_TEXT, .choices = outline_choices, .about = "yes: with the outline as a GeoJSON polygon."},
        {.name = "after", .type = SHAPE_TEXT, .most = 40, .about = "\"next\" of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 1000, .about = "Areas in a page; 200 when unsaid."},
        {0},
};
static const struct shape outline_members[] = {{.name = "type", .type = SHAPE_TEXT, .required = true},
                                               {.name = "coordinates", .type = SHAPE_ANY, .required = true},
                                               {0}};
static const struct shape area_members[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "name_en", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "level", .type = SHAPE_TEXT, .required = true},
        {.name = "parent", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "schematic",
         .type = SHAPE_BOOL,
         .required = true,
         .about = "true: the outline is a drawing, not a surveyed border."},
        {.name = "outline", .type = SHAPE_OBJECT, .nullable = true, .fields = outline_members},
        {0},
};
static const struct shape area_element[] = {{.type = SHAPE_OBJECT, .fields = area_members}, {0}};
static const struct shape answer[] = {
        {.name = "areas", .type = SHAPE_ARRAY, .required = true, .fields = area_element},
        {.name = "next", .type = SHAPE_TEXT, .about = "Give it as \"after\" for the next page; absent on the last."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/areas",
         .roles = ROLE_ALL,
         .run = get_areas,
         .query = query,
         .answer = answer,
         .about = "Areas: district, subdistricts, communities, grids."},
        {0},
};
const struct route *const twin_routes = routes;
