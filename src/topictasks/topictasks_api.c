/* topictasks/topictasks_api.c -- what people do with a task: report progress, add and remove cases, close, open again. */
#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "json/json.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "topictasks/inside.h"

struct acting {
        struct request *rq;
        const struct sight *sight;
        struct topic_act act;
        bool (*run)(struct tx *, const struct topic_act *, struct err *);
        bool (*move)(struct moving *, const struct topic_act *, const char *number, struct err *);
        const char *number;
};

static bool act_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct acting *x = ctx;
        if (x->run)
                return x->run(tx, &x->act, e);
        const struct mover mover = {.name = x->act.actor, .unit = x->act.unit, .role = (int)x->rq->actor.role, .sight = x->sight};
        struct moving m = {.district = x->rq->app, .arena = x->rq->arena, .tx = tx, .mover = &mover, .now = x->act.at};
        return x->move(&m, &x->act, x->number, e);
}

/* Fills in who acts on which task, and does it. */
static bool act(struct acting *x, const char *name, const char *text, struct err *e)
{
        struct request *rq = x->rq;
        struct district *d = rq->app;
        int64_t id;
        x->sight = sight_of(rq, e);
        if (!x->sight || !topic_task_seen(rq, &id, e))
                return false;
        x->act = (struct topic_act){.id = id_new(d->ids, rq->now),
                                    .task = id,
                                    .act = name,
                                    .actor = rq->actor.name,
                                    .unit = rq->actor.unit,
                                    .text = text,
                                    .at = rq->now};
        return store_write(d->store, act_once, x, e);
}

static bool act_and_answer(struct acting *x, struct reply *rp, const char *name, const char *text, struct err *e)
{
        return act(x, name, text, e) && topic_task_answer(x->rq, rp, x->act.task, e);
}

static bool post_note(struct request *rq, struct reply *rp, struct err *e)
{
        rp->status = 201;
        return act_and_answer(&(struct acting){.rq = rq, .run = topic_task_note}, rp, "note", json_get_text(rq->body, "text", ""),
                              e);
}

static bool post_close(struct request *rq, struct reply *rp, struct err *e)
{
        return act_and_answer(&(struct acting){.rq = rq, .run = topic_task_close}, rp, "closed",
                              json_get_text(rq->body, "result", ""), e);
}

static bool post_reopen(struct request *rq, struct reply *rp, struct err *e)
{
        return act_and_answer(&(struct acting){.rq = rq, .run = topic_task_reopen}, rp, "reopened",
                              json_get_text(rq->body, "reason", ""), e);
}

static bool post_member(struct request *rq, struct reply *rp, struct err *e)
{
        struct acting x = {.rq = rq, .move = topic_task_add, .number = json_get_text(rq->body, "number", "")};
        rp->status = 201;
        return act_and_answer(&x, rp, "added", json_get_text(rq->body, "reason", ""), e);
}

static bool delete_member(struct request *rq, struct reply *rp, struct err *e)
{
        struct acting x = {.rq = rq, .move = topic_task_remove, .number = request_param(rq, "number")};
        rp->status = 204;
        return act(&x, "removed", "", e);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------- */

static const struct shape note_body[] = {
        {.name = "text", .type = SHAPE_TEXT, .required = true, .least = 2, .most = 4000, .about = "How far it has come."}, {0}};
static const struct shape close_body[] = {
        {.name = "result", .type = SHAPE_TEXT, .required = true, .least = 2, .most = 4000, .about = "What ended the cause."}, {0}};
static const struct shape reopen_body[] = {{.name = "reason", .type = SHAPE_TEXT, .required = true, .least = 2, .most = 2000}, {0}};
static const struct shape member_body[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 60, .about = "Of the case."},
        {.name = "reason", .type = SHAPE_TEXT, .most = 2000},
        {0},
};
static const struct route routes[] = {
        {.method = "POST",
         .path = "/api/v1/topic_tasks/{id}/notes",
         .roles = ROLE_DISPATCHER | ROLE_UNIT | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = post_note,
         .body = note_body,
         .answer = topic_task_shape,
         .about = "Reports progress; also by the people of the owner."},
        {.method = "POST",
         .path = "/api/v1/topic_tasks/{id}/close",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = post_close,
         .body = close_body,
         .answer = topic_task_shape,
         .about = "Closes the task with its result; no more cases join it."},
        {.method = "POST",
         .path = "/api/v1/topic_tasks/{id}/reopen",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = post_reopen,
         .body = reopen_body,
         .answer = topic_task_shape,
         .about = "Opens again what was closed in the last 30 days."},
        {.method = "POST",
         .path = "/api/v1/topic_tasks/{id}/members",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = post_member,
         .body = member_body,
         .answer = topic_task_shape,
         .about = "Adds a case by hand; its history says so."},
        {.method = "DELETE",
         .path = "/api/v1/topic_tasks/{id}/members/{number}",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = delete_member,
         .about = "Takes a case out, for good: it does not join again by itself."},
        {0},
};
const struct route *const topic_act_routes = routes;
