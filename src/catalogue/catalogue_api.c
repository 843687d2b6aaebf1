/* catalogue/catalogue_api.c -- GET /api/v1/items. */
#include "catalogue/catalogue.h"
#include "base/arena.h"
#include "base/text.h"
#include "http/http.h"
#include "pack/pack.h"
#include "store/store.h"

/* Levels and leaves are read from the tree itself; four levels at most, so three look-ups up suffice. */
#define ITEM_COLUMNS \
        "SELECT i.position, i.code, i.name, i.name_en, i.parent, i.grade," \
        " 1 + (CASE WHEN p1.code IS NULL THEN 0 ELSE 1 END) + (CASE WHEN p2.code IS NULL THEN 0 ELSE 1 END)" \
        " + (CASE WHEN p3.code IS NULL THEN 0 ELSE 1 END)," \
        " CASE WHEN EXISTS (SELECT 1 FROM item c WHERE c.version = i.version AND c.parent = i.code) THEN 0 ELSE 1 END," \
        " COALESCE(i.amount, p1.amount, p2.amount, p3.amount), COALESCE(i.unit, p1.unit, p2.unit, p3.unit)" \
        " FROM item i LEFT JOIN item p1 ON p1.version = i.version AND p1.code = i.parent" \
        " LEFT JOIN item p2 ON p2.version = i.version AND p2.code = p1.parent" \
        " LEFT JOIN item p3 ON p3.version = i.version AND p3.code = p2.parent" \
        " WHERE i.version = $1 AND i.position > $2"
static const char SQL_ALL[] = ITEM_COLUMNS " ORDER BY i.position LIMIT $3";
static const char SQL_BELOW[] = ITEM_COLUMNS " AND i.parent = $4 ORDER BY i.position LIMIT $3";
static const char SQL_TOP[] = ITEM_COLUMNS " AND i.parent IS NULL ORDER BY i.position LIMIT $3";

struct page {
        struct request *rq;
        struct reply *rp;
        const char *parent;
        int64_t after, version;
        int limit;
};

static void item_json(const struct rows *r, struct arena *a, struct json *j)
{
        json_object(j, NULL);
        json_text(j, "code", rows_text(r, a, 1));
        json_text(j, "name", rows_text(r, a, 2));
        json_text(j, "name_en", rows_text(r, a, 3));
        json_text(j, "parent", rows_text(r, a, 4));
        json_text(j, "grade", rows_text(r, a, 5));
        json_int(j, "level", rows_int(r, 6));
        json_bool(j, "leaf", rows_int(r, 7) != 0);
        if (rows_null(r, 8)) {
                json_null(j, "limit");
        } else {
                json_object(j, "limit");
                json_real(j, "amount", rows_real(r, 8));
                json_text(j, "unit", rows_text(r, a, 9));
                json_object_end(j);
        }
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
        bool ok = text_is(p->parent, "") ? tx_rows(tx, &r, e, SQL_TOP, ARGS(V(p->version), V(p->after), V(p->limit)))
                  : p->parent ? tx_rows(tx, &r, e, SQL_BELOW, ARGS(V(p->version), V(p->after), V(p->limit), V(p->parent)))
                              : tx_rows(tx, &r, e, SQL_ALL, ARGS(V(p->version), V(p->after), V(p->limit)));
        if (!ok)
                return false;
        json_object(j, NULL);
        json_array(j, "items");
        for (; rows_next(&r); n++) {
                item_json(&r, p->rq->arena, j);
                last = rows_int(&r, 0);
        }
        json_array_end(j);
        if (n == p->limit)
                json_text(j, "next", arena_format(p->rq->arena, "%lld", (long long)last));
        json_object_end(j);
        return rows_done(&r, e);
}

static bool get_items(struct request *rq, struct reply *rp, struct err *e)
{
        struct page p = {.rq = rq, .rp = rp, .parent = request_query(rq, "parent"), .limit = request_limit(rq, 200, 1000)};
        const char *after = request_query(rq, "after");
        if (after && !text_to_int(after, &p.after))
                return err_both(e, ERR_INVALID, "after", "\"%s\" is not a place in this list; take it from \"next\"",
                                "“%s”不是此列表的位置，请使用上一页的 next", after);
        if (!store_read(rq->store, read_page, &p, e))
                return false;
        rp->etag = arena_format(rq->arena, "items-%lld-%s-%lld-%d", (long long)p.version, p.parent ? p.parent : "*",
                                (long long)p.after, p.limit);
        return true;
}

static const struct query_param query[] = {
        {.name = "parent", .type = SHAPE_TEXT, .most = 40, .about = "Only items right below this one; empty: only the top level."},
        {.name = "after", .type = SHAPE_TEXT, .most = 40, .about = "\"next\" of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 1000, .about = "Items in a page; 200 when unsaid."},
        {0},
};
static const struct shape limit_members[] = {
        {.name = "amount", .type = SHAPE_REAL, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape item_members[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "name_en", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "parent", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "grade", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "level", .type = SHAPE_INT, .required = true, .about = "1 to 4."},
        {.name = "leaf", .type = SHAPE_BOOL, .required = true, .about = "true: cases are filed under it."},
        {.name = "limit", .type = SHAPE_OBJECT, .required = true, .nullable = true, .fields = limit_members},
        {0},
};
static const struct shape item_element[] = {{.type = SHAPE_OBJECT, .fields = item_members}, {0}};
static const struct shape answer[] = {
        {.name = "items", .type = SHAPE_ARRAY, .required = true, .fields = item_element},
        {.name = "next", .type = SHAPE_TEXT, .about = "Give it as \"after\" for the next page; absent on the last."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/items",
         .roles = ROLE_ALL,
         .run = get_items,
         .query = query,
         .answer = answer,
         .about = "The catalogue: items with their limits."},
        {0},
};
const struct route *const catalogue_routes = routes;
