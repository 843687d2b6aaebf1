/* signin/shifts_api.c -- hours on duty over HTTP: planned and seen in one's own unit and below, everywhere by who dispatches or
 * supervises. */
#include "signin/shifts.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "signin/signin.h"

static bool scope_of(const struct request *rq, struct shift_scope *scope, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        *scope = (struct shift_scope){.units = rules->units,
                                      .all = (rq->actor.role & (ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN)) != 0,
                                      .unit = rq->actor.unit};
        return true;
}

static void shift_json(struct json *j, struct arena *a, const struct shift *s, int64_t now)
{
        json_object(j, NULL);
        json_text(j, "id", arena_format(a, "%lld", (long long)s->id));
        json_text(j, "login", s->login);
        json_text(j, "name", s->name);
        json_text(j, "unit", s->unit);
        json_time(j, "from", s->from);
        json_time(j, "until", s->until);
        json_bool(j, "on_duty", s->from <= now && now < s->until);
        json_text(j, "made_by", s->made_by);
        json_object_end(j);
}

static bool get_shifts(struct request *rq, struct reply *rp, struct err *e)
{
        struct shift_scope scope;
        struct shift *at;
        struct json *j = &rp->json;
        const int64_t from = request_instant(request_query(rq, "from"), rq->now),
                      until = request_instant(request_query(rq, "until"), from + 7 * USEC_DAY);
        size_t n;
        if (!scope_of(rq, &scope, e))
                return false;
        if (until <= from || until - from > 31 * USEC_DAY)
                return err_both(e, ERR_INVALID, "until", "until must lie behind from, and within 31 days of it",
                                "结束时间应晚于开始时间，且不超过31天");
        if (!shifts_list(rq->store, rq->arena, &scope, from, until, &at, &n, e))
                return false;
        json_object(j, NULL);
        json_array(j, "shifts");
        for (size_t i = 0; i < n; i++)
                shift_json(j, rq->arena, &at[i], rq->now);
        json_array_end(j);
        json_object_end(j);
        return true;
}

static bool post_shift(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        struct shift_scope scope;
        struct shift s = {.login = json_get_text(rq->body, "login", ""),
                          .from = request_instant(json_get_text(rq->body, "from", NULL), rq->now),
                          .until = request_instant(json_get_text(rq->body, "until", NULL), 0),
                          .made_by = rq->actor.name};
        const int64_t weeks = json_get_int(rq->body, "weeks", 1);
        int64_t ids[SHIFT_WEEKS_MOST];
        for (size_t i = 0; i < SHIFT_WEEKS_MOST; i++)
                ids[i] = id_new(d->ids, rq->now);
        if (!scope_of(rq, &scope, e) || !shifts_add(rq->store, rq->arena, &scope, &s, ids, (int)weeks, rq->now, e))
                return false;
        rp->status = 201;
        json_object(&rp->json, NULL);
        json_array(&rp->json, "ids");
        for (int i = 0; i < weeks; i++)
                json_text(&rp->json, NULL, arena_format(rq->arena, "%lld", (long long)ids[i]));
        json_array_end(&rp->json);
        json_object_end(&rp->json);
        return true;
}

static bool delete_shift(struct request *rq, struct reply *rp, struct err *e)
{
        struct shift_scope scope;
        int64_t id = 0;
        rp->status = 204;
        if (!text_to_int(request_param(rq, "id"), &id))
                id = 0;
        return scope_of(rq, &scope, e) && shift_end(rq->store, rq->arena, &scope, id, rq->now, e);
}

static const struct query_param query[] = {
        {.name = "from", .type = SHAPE_TIME, .about = "Shifts that end after this instant; now when unsaid."},
        {.name = "until", .type = SHAPE_TIME, .about = "Shifts that begin before it; a week later when unsaid."},
        {0},
};
static const struct shape members[] = {
        {.name = "id", .type = SHAPE_TEXT, .required = true},
        {.name = "login", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "from", .type = SHAPE_TIME, .required = true},
        {.name = "until", .type = SHAPE_TIME, .required = true},
        {.name = "on_duty", .type = SHAPE_BOOL, .required = true, .about = "Whether it is now."},
        {.name = "made_by", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape element[] = {{.type = SHAPE_OBJECT, .fields = members}, {0}};
static const struct shape list_answer[] = {
        {.name = "shifts", .type = SHAPE_ARRAY, .required = true, .fields = element, .about = "By their ends; at most 500."}, {0}};
static const struct shape an_id[] = {{.type = SHAPE_TEXT}, {0}};
static const struct shape add_answer[] = {{.name = "ids", .type = SHAPE_ARRAY, .required = true, .fields = an_id}, {0}};
static const struct shape body[] = {
        {.name = "login", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 60, .about = "Whose shift."},
        {.name = "from", .type = SHAPE_TIME, .about = "Now when unsaid."},
        {.name = "until", .type = SHAPE_TIME, .required = true, .about = "Within a day of from."},
        {.name = "weeks",
         .type = SHAPE_INT,
         .least = 1,
         .most = SHIFT_WEEKS_MOST,
         .about = "The same hours for so many weeks; 1 when unsaid."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/shifts",
         .roles = ROLE_STAFF,
         .run = get_shifts,
         .query = query,
         .answer = list_answer,
         .about = "Hours on duty in one's own unit and those below it; in all for dispatchers, supervisors and administrators."},
        {.method = "POST",
         .path = "/api/v1/shifts",
         .roles = ROLE_STAFF,
         .run = post_shift,
         .body = body,
         .answer = add_answer,
         .about = "Plans a shift of somebody of one's own unit or below.  Work of a unit is not assigned to who is off duty while"
                  " somebody else of it is on duty."},
        {.method = "DELETE",
         .path = "/api/v1/shifts/{id}",
         .roles = ROLE_STAFF,
         .run = delete_shift,
         .about = "Takes a shift back."},
        {0},
};
const struct route *const shift_routes = routes;
