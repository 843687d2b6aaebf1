/* signin/api_keys_api.c -- API keys, given out and revoked by an administrator. */
#include "signin/signin.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "people/people.h"

static bool get_keys(struct request *rq, struct reply *rp, struct err *e)
{
        struct key_view *at;
        struct json *j = &rp->json;
        size_t n;
        if (!key_list(rq->store, rq->arena, &at, &n, e))
                return false;
        json_object(j, NULL);
        json_array(j, "keys");
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_text(j, "name", at[i].name);
                json_text(j, "role", role_name(at[i].role));
                json_text(j, "channel", at[i].channel);
                json_text(j, "scopes", at[i].scopes);
                json_time(j, "created", at[i].created);
                json_time(j, "expires", at[i].expires);
                json_time(j, "revoked", at[i].revoked);
                json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
        return true;
}

static bool post_key(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        struct key_wish wish = {.name = json_get_text(rq->body, "name", ""),
                                .channel = json_get_text(rq->body, "channel", NULL),
                                .expires = request_instant(json_get_text(rq->body, "expires", NULL), 0),
                                .scopes = json_get_text(rq->body, "scopes", NULL),
                                .role = role_of_name(json_get_text(rq->body, "role", "channel"))};
        const char *key;
        if (!key_add(rq->store, rq->arena, id_new(d->ids, rq->now), &wish, rq->now, &key, e))
                return false;
        rp->status = 201;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "name", wish.name);
        json_text(&rp->json, "key", key);
        json_time(&rp->json, "expires", wish.expires);
        json_object_end(&rp->json);
        return true;
}

static bool delete_key(struct request *rq, struct reply *rp, struct err *e)
{
        rp->status = 204;
        return key_revoke(rq->store, request_param(rq, "name"), rq->now, e);
}

static const char *const key_roles[] = {"channel", "clerk", "dispatcher", "supervisor", "admin", NULL};
static const struct shape key_body[] = {
        {.name = "name", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 60, .about = "Names it; unique."},
        {.name = "role", .type = SHAPE_TEXT, .choices = key_roles, .about = "channel when unsaid."},
        {.name = "channel", .type = SHAPE_TEXT, .most = 40, .about = "Reports of this channel only; any when unsaid."},
        {.name = "scopes",
         .type = SHAPE_TEXT,
         .most = 60,
         .about = "report, read, events, move, personal, sms, joined by |; all the role may when unsaid."},
        {.name = "expires", .type = SHAPE_TIME, .about = "Never when unsaid."},
        {0},
};
static const struct shape key_answer[] = {
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "key", .type = SHAPE_TEXT, .required = true, .about = "Told this once; only its digest is kept."},
        {.name = "expires", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape key_members[] = {
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "role", .type = SHAPE_TEXT, .required = true},
        {.name = "channel", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "scopes", .type = SHAPE_TEXT, .required = true},
        {.name = "created", .type = SHAPE_TIME, .required = true},
        {.name = "expires", .type = SHAPE_TIME, .required = true, .nullable = true},
        {.name = "revoked", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape key_element[] = {{.type = SHAPE_OBJECT, .fields = key_members}, {0}};
static const struct shape keys_answer[] = {{.name = "keys", .type = SHAPE_ARRAY, .required = true, .fields = key_element}, {0}};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/keys",
         .roles = ROLE_ADMIN,
         .run = get_keys,
         .answer = keys_answer,
         .about = "API keys: names, roles, scopes, and until when; never the keys themselves."},
        {.method = "POST",
         .path = "/api/v1/keys",
         .roles = ROLE_ADMIN,
         .run = post_key,
         .body = key_body,
         .answer = key_answer,
         .about = "Makes an API key and tells it once."},
        {.method = "DELETE",
         .path = "/api/v1/keys/{name}",
         .roles = ROLE_ADMIN,
         .run = delete_key,
         .about = "Revokes an API key, within 10 seconds."},
        {0},
};
const struct route *const api_key_routes = routes;
