/* server/returns_api.c -- how often each unit gives back what it was given: returning is counted, and seen by all
 * whom it concerns. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "json/json.h"
#include "people/people.h"
#include "server/serve.h"
#include "sight/sight_api.h"
#include "store/store.h"

/* By the index of cases by their creation, then the tasks of each: as long as the period is. */
static const char COUNTS[] =
        "SELECT t.unit, COUNT(*), CAST(SUM(CASE WHEN t.state = 'returned' THEN 1 ELSE 0 END) AS BIGINT) FROM cases c"
        " JOIN case_task t ON t.case_id = c.id AND t.kind = 'lead' WHERE c.created_at >= ";
static const char COUNTS_UNTIL[] = " AND c.created_at < ";
static const char COUNTS_SEEN[] = " AND ";
static const char COUNTS_END[] = " GROUP BY t.unit ORDER BY 3 DESC, 1";

static const int64_t USUAL = 30 * USEC_DAY, LONGEST = 366 * USEC_DAY;

struct counting {
        struct request *rq;
        struct reply *rp;
        const struct sight *sight;
        const struct units *units;
        int64_t from, until;
};

static struct query counts_query(const struct counting *c)
{
        struct query q = query_new(c->rq->arena);
        query_text(&q, COUNTS);
        query_arg(&q, V(c->from));
        query_text(&q, COUNTS_UNTIL);
        query_arg(&q, V(c->until));
        query_text(&q, COUNTS_SEEN);
        sight_seen(&q, c->sight);
        query_text(&q, COUNTS_END);
        return q;
}

static void unit_json(const struct counting *c, const struct rows *r, struct json *j)
{
        const char *code = rows_text(r, c->rq->arena, 0);
        const struct unit *unit = unit_find(c->units, code);
        const int64_t given = rows_int(r, 1), returned = rows_int(r, 2);
        /* A unit sees the cases it had, which are all of its own and some of others. */
        if (c->rq->actor.role == ROLE_UNIT && !sight_covers(c->sight, code, NULL, NULL, NULL))
                return;
        json_object(j, NULL);
        json_text(j, "code", code);
        json_text(j, "name", unit ? unit->name : code);
        json_int(j, "given", given);
        json_int(j, "returned", returned);
        json_real(j, "rate", (double)returned / (double)given);
        json_object_end(j);
}

static bool count(struct tx *tx, void *ctx, struct err *e)
{
        const struct counting *c = ctx;
        struct json *j = &c->rp->json;
        struct query q = counts_query(c);
        struct rows r;
        const bool asked = tx_rows(tx, &r, e, q.text.at, query_args(&q));
        buf_free(&q.text);
        if (!asked)
                return false;
        buf_clear(&c->rp->body); /* a transaction function may run again */
        *j = json_to(&c->rp->body);
        json_object(j, NULL);
        json_time(j, "from", c->from);
        json_time(j, "until", c->until);
        json_array(j, "units");
        while (rows_next(&r))
                unit_json(c, &r, j);
        json_array_end(j);
        json_object_end(j);
        return rows_done(&r, e);
}

static bool get_returns(struct request *rq, struct reply *rp, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        const struct sight *sight = sight_of(rq, e);
        if (!rules || !sight)
                return false;
        const int64_t until = request_instant(request_query(rq, "until"), rq->now);
        struct counting c = {.rq = rq,
                             .rp = rp,
                             .sight = sight,
                             .units = rules->units,
                             .from = request_instant(request_query(rq, "from"), until - USUAL),
                             .until = until};
        if (c.until <= c.from || c.until - c.from > LONGEST)
                return err_both(e, ERR_INVALID, "until", "until must lie behind from, and within a year of it",
                                "结束时间应晚于开始时间，且不超过一年");
        return store_read(rq->store, count, &c, e);
}

static const struct query_param query[] = {
        {.name = "from", .type = SHAPE_TIME, .about = "Cases that came in from then on; 30 days before `until` when unsaid."},
        {.name = "until", .type = SHAPE_TIME, .about = "Cases that came in before then; now when unsaid."},
        {0},
};
static const struct shape members[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "given", .type = SHAPE_INT, .required = true, .about = "How often it was put in charge of a case."},
        {.name = "returned", .type = SHAPE_INT, .required = true, .about = "How often it returned it."},
        {.name = "rate", .type = SHAPE_REAL, .required = true, .about = "Returned of given."},
        {0},
};
static const struct shape element[] = {{.type = SHAPE_OBJECT, .fields = members}, {0}};
static const struct shape answer[] = {
        {.name = "from", .type = SHAPE_TIME, .required = true},
        {.name = "until", .type = SHAPE_TIME, .required = true},
        {.name = "units", .type = SHAPE_ARRAY, .required = true, .fields = element, .about = "Most returns first."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/returns",
         .roles = ROLE_UNIT | ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_returns,
         .query = query,
         .answer = answer,
         .about = "How often units returned the cases they were given, of the cases in sight; a unit sees its own and those"
                  " below it."},
        {0},
};
const struct route *const return_routes = routes;
