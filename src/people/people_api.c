/* people/people_api.c -- units. */
#include "people/people.h"
#include "base/arena.h"
#include "base/text.h"
#include "http/http.h"
#include "pack/pack.h"
#include "store/store.h"

static const char SQL_UNITS[] =
        "SELECT position, code, name, name_en, kind, parent, area FROM unit WHERE version = $1 AND position > $2 ORDER BY position"
        " LIMIT $3";

struct page {
        struct request *rq;
        struct reply *rp;
        int64_t after, version;
        int limit;
};

static bool read_units(struct tx *tx, void *ctx, struct err *e)
{
        struct page *p = ctx;
        struct arena *a = p->rq->arena;
        struct json *j = &p->rp->json;
        struct rows r;
        int64_t last = 0;
        int n = 0;
        if (!pack_active(tx, &p->version, e) || !tx_rows(tx, &r, e, SQL_UNITS, ARGS(V(p->version), V(p->after), V(p->limit))))
                return false;
        json_object(j, NULL);
        json_array(j, "units");
        for (; rows_next(&r); n++) {
                last = rows_int(&r, 0);
                json_object(j, NULL);
                json_text(j, "code", rows_text(&r, a, 1));
                json_text(j, "name", rows_text(&r, a, 2));
                json_text(j, "name_en", rows_text(&r, a, 3));
                json_text(j, "kind", rows_text(&r, a, 4));
                json_text(j, "parent", rows_text(&r, a, 5));
                json_text(j, "area", rows_text(&r, a, 6));
                json_object_end(j);
        }
        json_array_end(j);
        if (n == p->limit)
                json_text(j, "next", arena_format(a, "%lld", (long long)last));
        json_object_end(j);
        return rows_done(&r, e);
}

static bool get_units(struct request *rq, struct reply *rp, struct err *e)
{
        struct page p = {.rq = rq, .rp = rp, .limit = request_limit(rq, 200, 1000)};
        const char *after = request_query(rq, "after");
        if (after && !text_to_int(after, &p.after))
                return err_both(e, ERR_INVALID, "after", "\"%s\" is not a place in this list; take it from \"next\"",
                                "“%s”不是此列表的位置，请使用上一页的 next", after);
        if (!store_read(rq->store, read_units, &p, e))
                return false;
        rp->etag = arena_format(rq->arena, "units-%lld-%lld-%d", (long long)p.version, (long long)p.after, p.limit);
        return true;
}

static const struct shape unit_members[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "name_en", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "kind", .type = SHAPE_TEXT, .required = true},
        {.name = "parent", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "area", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {0},
};
static const struct shape unit_element[] = {{.type = SHAPE_OBJECT, .fields = unit_members}, {0}};
static const struct shape units_answer[] = {
        {.name = "units", .type = SHAPE_ARRAY, .required = true, .fields = unit_element},
        {.name = "next", .type = SHAPE_TEXT, .about = "Give it as \"after\" for the next page; absent on the last."},
        {0},
};
static const struct query_param units_query[] = {
        {.name = "after", .type = SHAPE_TEXT, .most = 40, .about = "\"next\" of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 1000, .about = "Units in a page; 200 when unsaid."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/units",
         .roles = ROLE_ALL,
         .run = get_units,
         .query = units_query,
         .answer = units_answer,
         .about = "Units: departments, subdistricts, communities, firms."},
        {0},
};
const struct route *const people_routes = routes;
