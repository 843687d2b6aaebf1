/* people/people_api.c -- sessions and units. */
#include "people/people.h"
#include "base/arena.h"
#include "base/text.h"
#include "http/http.h"
#include "pack/pack.h"
#include "store/store.h"

static void account_json(const struct account *a, struct json *j)
{
        json_object(j, "account");
        json_text(j, "login", a->login);
        json_text(j, "name", a->name);
        json_text(j, "role", role_name(a->role));
        json_text(j, "unit", a->unit);
        json_text(j, "area", a->area);
        json_object_end(j);
}

static bool post_session(struct request *rq, struct reply *rp, struct err *e)
{
        struct session s;
        const char *login = json_get_text(rq->body, "login", json_get_text(rq->body, "user", ""));
        if (text_empty(login))
                return err_both(e, ERR_INVALID, "login", "\"login\" is missing", "缺少登录名“login”");
        if (!session_open(rq->store, rq->arena, login, json_get_text(rq->body, "password", ""), rq->now, &s, e))
                return false;
        rp->status = 201;
        reply_header(rp, "Set-Cookie",
                     arena_format(rq->arena, "yiwang_session=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200%s", s.token,
                                  rq->secure ? "; Secure" : ""));
        json_object(&rp->json, NULL);
        json_text(&rp->json, "token", s.token);
        json_text(&rp->json, "csrf", s.csrf);
        json_time(&rp->json, "expires", s.expires);
        account_json(&s.account, &rp->json);
        json_object_end(&rp->json);
        return true;
}

static bool delete_session(struct request *rq, struct reply *rp, struct err *e)
{
        const char *bearer = request_header(rq, "Authorization"), *cookie = request_cookie(rq, "yiwang_session");
        const char *token = bearer && strlen(bearer) > 7 ? bearer + 7 : cookie;
        rp->status = 204;
        reply_header(rp, "Set-Cookie",
                     arena_format(rq->arena, "yiwang_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0%s",
                                  rq->secure ? "; Secure" : ""));
        return !token || session_close(rq->store, token, e);
}

static bool get_session(struct request *rq, struct reply *rp, struct err *e)
{
        (void)e;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "name", rq->actor.name);
        json_text(&rp->json, "role", role_name((int)rq->actor.role));
        json_text(&rp->json, "unit", rq->actor.unit);
        json_text(&rp->json, "area", rq->actor.area);
        json_object_end(&rp->json);
        return true;
}

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

static const struct shape session_body[] = {
        {.name = "login", .type = SHAPE_TEXT, .most = 60, .about = "Login of the account."},
        {.name = "user", .type = SHAPE_TEXT, .most = 60, .about = "The same under another name."},
        {.name = "password", .type = SHAPE_TEXT, .required = true, .most = 200, .about = "Its password."},
        {0},
};
static const struct shape account_members[] = {
        {.name = "login", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "role", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "area", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {0},
};
static const struct shape session_answer[] = {
        {.name = "token",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "Give it as Authorization: Bearer, or let the cookie carry it."},
        {.name = "csrf", .type = SHAPE_TEXT, .required = true, .about = "Send it as X-CSRF-Token with changes made by the cookie."},
        {.name = "expires", .type = SHAPE_TIME, .required = true},
        {.name = "account", .type = SHAPE_OBJECT, .required = true, .fields = account_members},
        {0},
};
static const struct shape who_answer[] = {
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "role", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "area", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {0},
};
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
        {.method = "POST",
         .path = "/api/v1/session",
         .roles = ROLE_ALL,
         .run = post_session,
         .body = session_body,
         .answer = session_answer,
         .per_minute = 30,
         .slow = true,
         .about = "Signs a person of the staff in."},
        {.method = "DELETE", .path = "/api/v1/session", .roles = ROLE_ALL, .run = delete_session, .about = "Signs out."},
        {.method = "GET",
         .path = "/api/v1/session",
         .roles = ROLE_ALL,
         .run = get_session,
         .answer = who_answer,
         .about = "Who is asking."},
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
