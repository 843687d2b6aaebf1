/* signin/standing_api.c -- absence over HTTP: one's own, and anybody's by an administrator. */
#include "signin/standing.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "signin/signin.h"

static void stand_in_json(struct json *j, struct arena *a, const struct stand_in *s)
{
        json_object(j, NULL);
        json_text(j, "id", arena_format(a, "%lld", (long long)s->id));
        json_text(j, "absent", s->absent);
        json_text(j, "deputy", s->deputy);
        json_time(j, "from", s->from);
        json_time(j, "until", s->until);
        json_text(j, "made_by", s->made_by);
        json_object_end(j);
}

static bool get_standing(struct request *rq, struct reply *rp, struct err *e)
{
        struct stand_in *at;
        struct json *j = &rp->json;
        size_t n;
        if (!stand_in_list(rq->store, rq->arena, rq->actor.name, rq->actor.role == ROLE_ADMIN, rq->now, &at, &n, e))
                return false;
        json_object(j, NULL);
        json_array(j, "stand_ins");
        for (size_t i = 0; i < n; i++)
                stand_in_json(j, rq->arena, &at[i]);
        json_array_end(j);
        json_object_end(j);
        return true;
}

static bool post_standing(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        const struct rulebook *rules = district_rules(d, e);
        const bool admin = rq->actor.role == ROLE_ADMIN;
        struct stand_in s = {.id = id_new(d->ids, rq->now),
                             .absent = json_get_text(rq->body, "absent", rq->actor.name),
                             .deputy = json_get_text(rq->body, "deputy", ""),
                             .from = request_instant(json_get_text(rq->body, "from", NULL), rq->now),
                             .until = request_instant(json_get_text(rq->body, "until", NULL), 0),
                             .made_by = rq->actor.name};
        if (!rules)
                return false;
        if (!admin && (rq->actor.account == 0 || !text_is(s.absent, rq->actor.name)))
                return err_both(e, ERR_DENIED, "absent", "an administrator says who stands in for others",
                                "代他人设置代理须由管理员操作");
        if (!stand_in_add(rq->store, rq->arena, rules->units, &s, rq->now, e))
                return false;
        rp->status = 201;
        stand_in_json(&rp->json, rq->arena, &s);
        return true;
}

static bool delete_standing(struct request *rq, struct reply *rp, struct err *e)
{
        int64_t id = 0;
        rp->status = 204;
        if (!text_to_int(request_param(rq, "id"), &id))
                id = 0;
        return stand_in_end(rq->store, id, rq->actor.name, rq->actor.role == ROLE_ADMIN, rq->now, e);
}

static const struct shape standing_body[] = {
        {.name = "deputy",
         .type = SHAPE_TEXT,
         .required = true,
         .least = 1,
         .most = 60,
         .about = "Login of who stands in; of the same role."},
        {.name = "until", .type = SHAPE_TIME, .required = true, .about = "At most a year ahead."},
        {.name = "from", .type = SHAPE_TIME, .about = "Now when unsaid."},
        {.name = "absent", .type = SHAPE_TEXT, .least = 1, .most = 60, .about = "Oneself when unsaid; others by an administrator."},
        {0},
};
static const struct shape standing_members[] = {
        {.name = "id", .type = SHAPE_TEXT, .required = true},
        {.name = "absent", .type = SHAPE_TEXT, .required = true},
        {.name = "deputy", .type = SHAPE_TEXT, .required = true},
        {.name = "from", .type = SHAPE_TIME, .required = true},
        {.name = "until", .type = SHAPE_TIME, .required = true},
        {.name = "made_by", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape standing_element[] = {{.type = SHAPE_OBJECT, .fields = standing_members}, {0}};
static const struct shape standing_answer[] = {
        {.name = "stand_ins", .type = SHAPE_ARRAY, .required = true, .fields = standing_element, .about = "By their ends."}, {0}};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/stand_ins",
         .roles = ROLE_STAFF,
         .run = get_standing,
         .answer = standing_answer,
         .about = "Who stands in for whom: one's own, all for an administrator."},
        {.method = "POST",
         .path = "/api/v1/stand_ins",
         .roles = ROLE_STAFF,
         .run = post_standing,
         .body = standing_body,
         .answer = standing_members,
         .about =
                 "Says who stands in while one is absent; the deputy sees and may what one sees and may, and histories name both."},
        {.method = "DELETE",
         .path = "/api/v1/stand_ins/{id}",
         .roles = ROLE_STAFF,
         .run = delete_standing,
         .about = "Takes it back: by either of the two, or an administrator."},
        {0},
};
const struct route *const standing_routes = routes;
