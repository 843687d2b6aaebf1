/* privacy/privacy_api.c -- a reporter opened for a purpose, cases by phone number, and the record of both.
 *
 * A phone number is searched for by POST: in an address it would stand in the logs of every proxy on the way.
 */
#include "privacy/privacy.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/view.h"
#include "district/district.h"
#include "http/http.h"
#include "sight/sight_api.h"

/* sight stays NULL, and e tells why, when no pack is loaded. */
static struct mover looker_of(const struct request *rq, struct err *e)
{
        return (struct mover){
                .name = rq->actor.name, .unit = rq->actor.unit, .role = (int)rq->actor.role, .sight = sight_of(rq, e)};
}

static struct purpose purpose_of(const struct request *rq)
{
        return (struct purpose){json_get_text(rq->body, "purpose", NULL), json_get_text(rq->body, "note", NULL)};
}

static bool post_reporter(struct request *rq, struct reply *rp, struct err *e)
{
        const struct mover who = looker_of(rq, e);
        const struct purpose purpose = purpose_of(rq);
        struct reporter r;
        if (!who.sight || !reporter_unmask(rq->app, rq->arena, request_param(rq, "number"), &who, &purpose, rq->now, &r, e))
                return false;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "name", r.name);
        json_text(&rp->json, "phone", r.phone);
        json_text(&rp->json, "email", r.email);
        json_bool(&rp->json, "confidential", r.confidential);
        json_object_end(&rp->json);
        return true;
}

static bool post_search(struct request *rq, struct reply *rp, struct err *e)
{
        const struct mover who = looker_of(rq, e);
        const struct purpose purpose = purpose_of(rq);
        struct json *j = &rp->json;
        struct found_case *at;
        size_t n;
        bool complete;
        if (!who.sight
            || !reporter_search(rq->app, rq->arena, json_get_text(rq->body, "phone", ""), &who, &purpose, rq->now, &at, &n,
                                &complete, e))
                return false;
        json_object(j, NULL);
        json_array(j, "cases");
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_text(j, "number", at[i].number);
                json_text(j, "state", at[i].state);
                json_text(j, "title", at[i].title);
                json_time(j, "created", at[i].created);
                json_bool(j, "confidential", at[i].confidential);
                json_object_end(j);
        }
        json_array_end(j);
        json_bool(j, "complete", complete);
        json_object_end(j);
        return true;
}

static void access_json(struct json *j, struct arena *a, const struct access_row *r)
{
        json_object(j, NULL);
        json_text(j, "id", arena_format(a, "%lld", (long long)r->id));
        json_time(j, "at", r->at);
        json_text(j, "actor", r->actor);
        json_text(j, "role", r->role);
        json_text(j, "unit", r->unit);
        json_text(j, "action", r->action);
        json_text(j, "number", text_empty(r->number) ? NULL : r->number);
        json_text(j, "fields", r->fields);
        json_text(j, "purpose", r->purpose);
        json_text(j, "note", r->note);
        json_int(j, "found", r->found);
        json_object_end(j);
}

/* Who sees a part of the district asks about a case that he sees. */
static bool may_look_back(struct request *rq, const struct access_filter *f, struct err *e)
{
        struct case_detail d;
        const struct sight *sight = sight_of(rq, e);
        if (!sight || sight->all)
                return sight != NULL;
        if (!f->number)
                return err_both(e, ERR_DENIED, "number", "you see a part of the district: name the case (number)",
                                "您的数据范围不是全区，请指定案件编号（number）");
        return case_read_now(rq->store, rq->arena, f->number, sight, &d, e);
}

static bool get_access(struct request *rq, struct reply *rp, struct err *e)
{
        struct access_filter f = {.number = request_query(rq, "number"),
                                  .actor = request_query(rq, "actor"),
                                  .limit = request_limit(rq, 50, 500)};
        const char *after = request_query(rq, "after");
        struct json *j = &rp->json;
        struct access_row *at;
        size_t n;
        if (after && (!text_to_int(after, &f.before) || f.before < 1))
                return err_both(e, ERR_INVALID, "after", "\"%s\" is not a place in this list; take it from \"next\"",
                                "“%s”不是此列表的位置，请使用上一页的 next", after);
        if (!may_look_back(rq, &f, e) || !access_page(rq->store, rq->arena, &f, &at, &n, e))
                return false;
        json_object(j, NULL);
        json_array(j, "access");
        for (size_t i = 0; i < n; i++)
                access_json(j, rq->arena, &at[i]);
        json_array_end(j);
        if (n == (size_t)f.limit)
                json_text(j, "next", arena_format(rq->arena, "%lld", (long long)at[n - 1].id));
        json_object_end(j);
        return true;
}

/* --- tables ---------------------------------------------------------------------------------------------------------------- */
static const char *const purpose_words[] = {"verify", "handle", "call_back", "supervise", "legal", "own_request", NULL};
#define PURPOSE_SHAPES \
        {.name = "purpose", .type = SHAPE_TEXT, .required = true, .choices = purpose_words, .about = "What for."}, \
        { \
                .name = "note", .type = SHAPE_TEXT, .required = true, .least = 2, .most = 400, .about = "Why, in words; kept." \
        }
static const struct shape unmask_body[] = {PURPOSE_SHAPES, {0}};
static const struct shape search_body[] = {
        {.name = "phone",
         .type = SHAPE_TEXT,
         .required = true,
         .least = 5,
         .most = 40,
         .about = "The number, in any way of writing it."},
        PURPOSE_SHAPES,
        {0},
};
static const struct shape reporter_answer[] = {
        {.name = "name", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "phone", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "email", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "confidential", .type = SHAPE_BOOL, .required = true},
        {0},
};
static const struct shape found_members[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true},       {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "title", .type = SHAPE_TEXT, .required = true},        {.name = "created", .type = SHAPE_TIME, .required = true},
        {.name = "confidential", .type = SHAPE_BOOL, .required = true}, {0},
};
static const struct shape found_element[] = {{.type = SHAPE_OBJECT, .fields = found_members}, {0}};
static const struct shape search_answer[] = {
        {.name = "cases", .type = SHAPE_ARRAY, .required = true, .fields = found_element, .about = "Newest first, at most 100."},
        {.name = "complete",
         .type = SHAPE_BOOL,
         .required = true,
         .about = "false: reporters from before this search existed are still being sealed anew and may be missing."},
        {0},
};
static const struct shape access_members[] = {
        {.name = "id", .type = SHAPE_TEXT, .required = true},
        {.name = "at", .type = SHAPE_TIME, .required = true},
        {.name = "actor",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "Login or name of a key; system: a timer; command: the command line."},
        {.name = "role", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "action", .type = SHAPE_TEXT, .required = true, .about = "unmask, search, erase or expire."},
        {.name = "number", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "Case number."},
        {.name = "fields", .type = SHAPE_TEXT, .required = true},
        {.name = "purpose", .type = SHAPE_TEXT, .required = true},
        {.name = "note", .type = SHAPE_TEXT, .required = true},
        {.name = "found", .type = SHAPE_INT, .required = true, .about = "How many reporters."},
        {0},
};
static const struct shape access_element[] = {{.type = SHAPE_OBJECT, .fields = access_members}, {0}};
static const struct shape access_answer[] = {
        {.name = "access", .type = SHAPE_ARRAY, .required = true, .fields = access_element},
        {.name = "next", .type = SHAPE_TEXT, .about = "Give it as \"after\" for the next page; absent on the last."},
        {0},
};
static const struct query_param access_query[] = {
        {.name = "number", .type = SHAPE_TEXT, .most = 40, .about = "Of this case only."},
        {.name = "actor", .type = SHAPE_TEXT, .most = 60, .about = "Of this person or key only."},
        {.name = "after", .type = SHAPE_TEXT, .most = 40, .about = "\"next\" of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 500, .about = "Rows in a page; 50 when unsaid."},
        {0},
};

static const struct route routes[] = {
        {.method = "POST",
         .path = "/api/v1/cases/{number}/reporter",
         .roles = ROLE_STAFF,
         .run = post_reporter,
         .body = unmask_body,
         .answer = reporter_answer,
         .about = "Who reported, unmasked, for a purpose; recorded.  Confidential reporters: clerks and dispatchers only."},
        {.method = "POST",
         .path = "/api/v1/reporters/search",
         .roles = ROLE_STAFF & ~(unsigned)ROLE_UNIT,
         .run = post_search,
         .body = search_body,
         .answer = search_answer,
         .about = "Cases whose reporter gave that phone number; recorded."},
        {.method = "GET",
         .path = "/api/v1/personal_access",
         .roles = ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_access,
         .query = access_query,
         .answer = access_answer,
         .about =
                 "Who looked at or erased whose personal data, when and why; newest first.  Who sees a part of the district names a"
                 " case."},
        {0},
};
const struct route *const privacy_routes = routes;
