/* closings/closings_api.c -- false closings (假闭环), one by one and by who closed. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "closings/closings.h"
#include "district/district.h"
#include "json/json.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "twin/twin.h"

static const char LIST[] =
        "SELECT c.number, f.created_at, f.closed_at, f.item, f.unit, f.community, f.near, f.metres, f.case_id, c.title, CASE WHEN"
        " EXISTS (SELECT 1 FROM cases c WHERE c.id = f.other AND ";
static const char LIST_FROM[] = ") THEN (SELECT o.number FROM cases o WHERE o.id = f.other) ELSE NULL END FROM false_closing f"
                                " JOIN cases c ON c.id = f.case_id WHERE f.created_at >= ";
static const char LIST_ORDER[] = " ORDER BY f.created_at DESC, f.case_id DESC LIMIT ";
/* Of several cases behind one closing, one counts. */
static const char SQL_BY_UNIT[] =
        "SELECT k.unit, k.closed, COALESCE(f.again, 0), COALESCE(f.perhaps, 0) FROM (SELECT unit, COUNT(*) AS closed FROM closing"
        " WHERE at >= $1 AND at < $2 AND refused = 0 GROUP BY unit) k LEFT JOIN (SELECT unit, COUNT(DISTINCT CASE WHEN"
        " near <> 'community' THEN other END) AS again, COUNT(DISTINCT CASE WHEN near = 'community' THEN other END) AS perhaps"
        " FROM false_closing WHERE closed_at >= $1 AND closed_at < $2 GROUP BY unit) f ON f.unit = k.unit"
        " ORDER BY 3 DESC, 4 DESC, 2 DESC, 1 LIMIT $3";
static const char SQL_BY_ITEM[] =
        "SELECT k.item, k.closed, COALESCE(f.again, 0), COALESCE(f.perhaps, 0) FROM (SELECT item, COUNT(*) AS closed FROM closing"
        " WHERE at >= $1 AND at < $2 AND refused = 0 GROUP BY item) k LEFT JOIN (SELECT item, COUNT(DISTINCT CASE WHEN"
        " near <> 'community' THEN other END) AS again, COUNT(DISTINCT CASE WHEN near = 'community' THEN other END) AS perhaps"
        " FROM false_closing WHERE closed_at >= $1 AND closed_at < $2 GROUP BY item) f ON f.item = k.item"
        " ORDER BY 3 DESC, 4 DESC, 2 DESC, 1 LIMIT $3";

static const int64_t span_usual = 30 * USEC_DAY, span_most = 92 * USEC_DAY;

static bool read_span(const struct request *rq, int64_t *from, int64_t *to, struct err *e)
{
        *to = request_instant(request_query(rq, "to"), rq->now + 1);
        *from = request_instant(request_query(rq, "from"), *to - span_usual);
        return (*from < *to && *to - *from <= span_most)
               || err_both(e, ERR_INVALID, "to", "to must lie behind from, and within 92 days of it",
                           "结束时间应晚于开始时间，且不超过92天");
}

static const char *item_name(const struct rulebook *rules, const char *code)
{
        const struct item *item = item_find(rules->catalogue, code);
        return item ? item->name : "";
}

static const char *unit_name(const struct rulebook *rules, const char *code)
{
        const struct unit *unit = unit_find(rules->units, code);
        return unit ? unit->name : "";
}

/* --- one by one ------------------------------------------------------------------------------------------------------------- */

struct listing {
        struct request *rq;
        struct reply *rp;
        const struct rulebook *rules;
        struct query *query;
        int64_t limit;
};

static void row_json(const struct listing *l, const struct rows *r, struct json *j)
{
        struct arena *a = l->rq->arena;
        const int64_t created = rows_int(r, 1), closed = rows_int(r, 2);
        const char *item = rows_text(r, a, 3), *unit = rows_text(r, a, 4), *community = rows_text(r, a, 5);
        const struct area *area = area_find(l->rules->twin, community);
        json_object(j, NULL);
        json_text(j, "number", rows_text(r, a, 0));
        json_text(j, "title", rows_text(r, a, 9));
        json_text(j, "closed_number", rows_text(r, a, 10));
        json_time(j, "created", created);
        json_time(j, "closed", closed);
        json_real(j, "hours", (double)(created - closed) / (double)USEC_HOUR);
        json_text(j, "item", item);
        json_text(j, "item_name", item_name(l->rules, item));
        json_text(j, "unit", unit);
        json_text(j, "unit_name", unit_name(l->rules, unit));
        json_text(j, "community", community);
        json_text(j, "community_name", area ? area->name : "");
        json_text(j, "near", rows_text(r, a, 6));
        if (rows_real(r, 7) < 0)
                json_null(j, "metres");
        else
                json_real(j, "metres", (double)(int64_t)(rows_real(r, 7) + 0.5));
        json_object_end(j);
}

static bool write_list(struct tx *tx, void *ctx, struct err *e)
{
        const struct listing *l = ctx;
        struct json *j = &l->rp->json;
        struct rows r;
        int64_t n = 0, created = 0, id = 0;
        buf_clear(&l->rp->body); /* a transaction function may run again */
        *j = json_to(&l->rp->body);
        json_object(j, NULL);
        json_array(j, "false_closings");
        const struct value *args = query_args(l->query);
        bool ok = tx_rows(tx, &r, e, l->query->text.at, args);
        while (ok && rows_next(&r)) {
                row_json(l, &r, j);
                created = rows_int(&r, 1);
                id = rows_int(&r, 8);
                n++;
        }
        json_array_end(j);
        if (n == l->limit)
                json_text(j, "next", arena_format(l->rq->arena, "%lld.%lld", (long long)created, (long long)id));
        json_object_end(j);
        return ok && rows_done(&r, e);
}

static bool add_after(struct query *q, const struct request *rq, struct err *e)
{
        char **parts;
        int64_t created, id;
        const char *after = request_query(rq, "after");
        if (!after)
                return true;
        if (text_split(rq->arena, after, '.', &parts) != 2 || !text_to_int(parts[0], &created) || !text_to_int(parts[1], &id))
                return err_both(e, ERR_INVALID, "after",
                                "\"%s\" is not a place in this list; take it from \"next\" of the page before",
                                "“%s”不是此列表的位置，请使用上一页返回的 next", after);
        query_text(q, " AND (f.created_at, f.case_id) < (");
        query_arg(q, V(created));
        query_text(q, ", ");
        query_arg(q, V(id));
        query_text(q, ")");
        return true;
}

static void add_filter(struct query *q, const struct request *rq, const char *name, const char *condition)
{
        const char *value = request_query(rq, name);
        if (!value)
                return;
        query_text(q, condition);
        query_arg(q, V(value));
}

static bool make_query(struct query *q, const struct request *rq, const struct sight *sight, int64_t limit, struct err *e)
{
        int64_t from, to;
        if (!read_span(rq, &from, &to, e))
                return false;
        query_text(q, LIST);
        sight_seen(q, sight);
        query_text(q, LIST_FROM);
        query_arg(q, V(from));
        query_text(q, " AND f.created_at < ");
        query_arg(q, V(to));
        /* Expressions: the index of the instants leads. */
        add_filter(q, rq, "item", " AND f.item || '' = ");
        add_filter(q, rq, "unit", " AND f.unit || '' = ");
        add_filter(q, rq, "near", " AND f.near || '' = ");
        query_text(q, " AND ");
        sight_seen(q, sight);
        if (!add_after(q, rq, e))
                return false;
        query_text(q, LIST_ORDER);
        query_arg(q, V(limit));
        return true;
}

static bool get_list(struct request *rq, struct reply *rp, struct err *e)
{
        const struct sight *sight = sight_of(rq, e);
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!sight || !rules)
                return false;
        struct query q = query_new(rq->arena);
        struct listing l = {rq, rp, rules, &q, request_limit(rq, 50, 200)};
        const bool ok = make_query(&q, rq, sight, l.limit, e) && store_read(rq->store, write_list, &l, e);
        buf_free(&q.text);
        return ok;
}

/* --- by who closed, or by item ---------------------------------------------------------------------------------------------- */

struct counting {
        struct request *rq;
        struct reply *rp;
        const struct rulebook *rules;
        int64_t from, to;
        bool by_item;
};

static bool write_counts(struct tx *tx, void *ctx, struct err *e)
{
        const struct counting *c = ctx;
        struct json *j = &c->rp->json;
        struct rows r;
        buf_clear(&c->rp->body);
        *j = json_to(&c->rp->body);
        json_object(j, NULL);
        json_time(j, "from", c->from);
        json_time(j, "to", c->to);
        json_array(j, "counts");
        bool ok = tx_rows(tx, &r, e, c->by_item ? SQL_BY_ITEM : SQL_BY_UNIT,
                          ARGS(V(c->from), V(c->to), V((int64_t)request_limit(c->rq, 50, 500))));
        while (ok && rows_next(&r)) {
                const char *code = rows_text(&r, c->rq->arena, 0);
                json_object(j, NULL);
                json_text(j, "code", code);
                json_text(j, "name", c->by_item ? item_name(c->rules, code) : unit_name(c->rules, code));
                json_int(j, "closed", rows_int(&r, 1));
                json_int(j, "again", rows_int(&r, 2));
                json_int(j, "again_in_community", rows_int(&r, 3));
                json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
        return ok && rows_done(&r, e);
}

static bool get_counts(struct request *rq, struct reply *rp, struct err *e)
{
        const struct sight *sight = sight_of(rq, e);
        struct counting c = {.rq = rq, .rp = rp, .rules = district_rules(rq->app, e)};
        c.by_item = text_is(request_query(rq, "by"), "item");
        if (!sight || !c.rules)
                return false;
        if (!sight->all)
                return err_both(e, ERR_DENIED, NULL, "counts of the district are told to those who see every case of it",
                                "全区统计仅向可查看全区案件的人员提供");
        return read_span(rq, &c.from, &c.to, e) && store_read(rq->store, write_counts, &c, e);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------- */

static const char *const by_words[] = {"unit", "item", NULL};
static const char *const near_words[] = {"point", "grid", "community", NULL};
static const struct query_param list_query[] = {
        {.name = "from", .type = SHAPE_TIME, .about = "Filed again at or after this instant; 30 days before `to` when unsaid."},
        {.name = "to", .type = SHAPE_TIME, .about = "Filed again before it; now when unsaid.  At most 92 days behind `from`."},
        {.name = "item", .type = SHAPE_TEXT},
        {.name = "unit", .type = SHAPE_TEXT, .about = "That had closed."},
        {.name = "near", .type = SHAPE_TEXT, .choices = near_words, .about = "Only what is the same place by this."},
        {.name = "after", .type = SHAPE_TEXT, .about = "`next` of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 200, .about = "50 when unsaid."},
        {0},
};
static const struct query_param counts_query[] = {
        {.name = "by", .type = SHAPE_TEXT, .choices = by_words, .about = "unit when unsaid."},
        {.name = "from", .type = SHAPE_TIME, .about = "Closed at or after this instant; 30 days before `to` when unsaid."},
        {.name = "to",
         .type = SHAPE_TIME,
         .about = "Closed before it; now when unsaid.  What was closed in the last 72 hours may still come again."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 500, .about = "50 when unsaid."},
        {0},
};
static const struct shape row_members[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true, .about = "Of the case that came again."},
        {.name = "title", .type = SHAPE_TEXT, .required = true},
        {.name = "closed_number",
         .type = SHAPE_TEXT,
         .required = true,
         .nullable = true,
         .about = "Of the case closed before; null: the caller may not see it."},
        {.name = "created", .type = SHAPE_TIME, .required = true},
        {.name = "closed", .type = SHAPE_TIME, .required = true},
        {.name = "hours", .type = SHAPE_REAL, .required = true, .about = "From closing to filing; at most 72."},
        {.name = "item", .type = SHAPE_TEXT, .required = true},
        {.name = "item_name", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .about = "In charge when it was closed."},
        {.name = "unit_name", .type = SHAPE_TEXT, .required = true},
        {.name = "community", .type = SHAPE_TEXT, .required = true},
        {.name = "community_name", .type = SHAPE_TEXT, .required = true},
        {.name = "near",
         .type = SHAPE_TEXT,
         .required = true,
         .choices = near_words,
         .about = "Why the place is the same: points at most 100 m apart; without two points, the grid, else the community."},
        {.name = "metres", .type = SHAPE_REAL, .required = true, .nullable = true, .about = "Between the points."},
        {0},
};
static const struct shape row_element[] = {{.type = SHAPE_OBJECT, .fields = row_members}, {0}};
static const struct shape list_answer[] = {
        {.name = "false_closings", .type = SHAPE_ARRAY, .required = true, .fields = row_element},
        {.name = "next", .type = SHAPE_TEXT, .about = "Where the next page begins; missing on the last."},
        {0},
};
static const struct shape count_members[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "closed", .type = SHAPE_INT, .required = true, .about = "Cases closed, without those that were rejected."},
        {.name = "again",
         .type = SHAPE_INT,
         .required = true,
         .about = "Of them, those that came again within 72 hours at the point or in the grid."},
        {.name = "again_in_community",
         .type = SHAPE_INT,
         .required = true,
         .about = "Likewise, where only the community is known: in large communities mostly chance."},
        {0},
};
static const struct shape count_element[] = {{.type = SHAPE_OBJECT, .fields = count_members}, {0}};
static const struct shape counts_answer[] = {
        {.name = "from", .type = SHAPE_TIME, .required = true},
        {.name = "to", .type = SHAPE_TIME, .required = true},
        {.name = "counts",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = count_element,
         .about = "The most that came again first."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/false_closings",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_list,
         .query = list_query,
         .answer = list_answer,
         .about = "Cases of a place and item where another was closed within 72 hours before, newest first."},
        {.method = "GET",
         .path = "/api/v1/false_closings/counts",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_counts,
         .query = counts_query,
         .answer = counts_answer,
         .about = "How many cases each unit closed, or were closed of each item, and how many of them came again within 72 hours."},
        {0},
};
const struct route *const closing_routes = routes;
