/* http/check.c -- what the route table demands of a request, before its handler runs. */
#include "base/map.h"
#include "base/text.h"
#include "form/form.h"
#include "http/inside.h"
#include <stdio.h>

/* --- requests a minute ------------------------------------------------------------------------------------------ */
static void tell_allowance(struct exchange *x, const struct allowance *a)
{
        reply_header(&x->rp, "RateLimit-Limit", arena_format(x->arena, "%d", a->limit));
        reply_header(&x->rp, "RateLimit-Remaining", arena_format(x->arena, "%d", a->left));
        reply_header(&x->rp, "RateLimit-Reset", arena_format(x->arena, "%d", a->reset));
}

/* Takes one from a bucket and keeps the narrower allowance; per_minute 0: there is no such bucket. */
static bool take(const struct exchange *x, uint64_t key, int per_minute, struct allowance *narrow)
{
        struct allowance a;
        if (per_minute == 0)
                return true;
        const bool room = bucket_take(x->server->buckets, key, per_minute, clock_steady(), &a);
        if (!room || narrow->limit == 0 || a.left < narrow->left)
                *narrow = a;
        return room;
}

static bool take_by_address(const struct exchange *x, bool reads, struct allowance *narrow)
{
        struct server *s = x->server;
        atomic_int *rate = reads ? &s->rate_reads : &s->rate_writes;
        return take(x, address_key(&x->client, (uint64_t)(uintptr_t)rate), atomic_load(rate), narrow);
}

/* Keys and accounts have a bucket of their own, wherever they come from. */
static bool take_by_name(const struct exchange *x, struct allowance *narrow)
{
        const struct actor *who = &x->rq.actor;
        const uint64_t seed = who->account != 0 ? 1 : 2; /* an account and a key may have the same name */
        return take(x, hash_bytes(who->name, strlen(who->name), seed) | 1, atomic_load(&x->server->rate_key), narrow);
}

static bool take_all(const struct exchange *x, struct allowance *narrow)
{
        const struct route *route = x->compiled->route;
        const bool reads = text_is(route->method, "GET");
        if (x->rq.actor.role != ROLE_PUBLIC)
                return !text_starts(route->path, "/api/") || take_by_name(x, narrow);
        return take(x, address_key(&x->client, (uint64_t)(uintptr_t)route), route->per_minute, narrow)
               && (!text_starts(route->path, "/api/") || take_by_address(x, reads, narrow));
}

static bool too_many(struct exchange *x, const struct allowance *a, int *status, struct err *e)
{
        *status = MHD_HTTP_TOO_MANY_REQUESTS;
        reply_header(&x->rp, "Retry-After", arena_format(x->arena, "%d", a->wait));
        if (x->rq.actor.role != ROLE_PUBLIC)
                return err_both(e, ERR_BUSY, NULL, "too many requests of this key or account; try again in %d seconds",
                                "此密钥或账号请求过于频繁，请 %d 秒后再试", a->wait);
        return err_both(e, ERR_BUSY, NULL, "too many requests from your address; try again in %d seconds",
                        "您的地址请求过于频繁，请 %d 秒后再试", a->wait);
}

static bool check_rate(struct exchange *x, int *status, struct err *e)
{
        struct allowance narrow = {.limit = 0};
        const bool room = take_all(x, &narrow);
        if (narrow.limit > 0)
                tell_allowance(x, &narrow);
        return room || too_many(x, &narrow, status, e);
}

/* Who tries keys counts as who changes something without one. */
static bool check_refused(struct exchange *x, int *status, struct err *e)
{
        struct allowance narrow = {.limit = 0};
        if (e->kind == ERR_DENIED && x->rq.actor.role == ROLE_PUBLIC && !take_by_address(x, false, &narrow))
                return too_many(x, &narrow, status, e);
        return false;
}

/* --- query --------------------------------------------------------------------------------------------------------- */
static const struct query_param *param_find(const struct query_param *params, const char *name)
{
        for (; params && params->name; params++)
                if (text_is(params->name, name))
                        return params;
        return NULL;
}

static bool check_choice(const struct query_param *q, const char *value, struct err *e)
{
        char list[200] = "";
        for (const char *const *c = q->choices; *c; c++) {
                if (text_is(*c, value))
                        return true;
                const size_t n = strlen(list);
                (void)snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", *c);
        }
        return err_both(e, ERR_INVALID, q->name, "\"%s\" must be one of: %s", "“%s”须为其中之一：%s", q->name, list);
}

static bool check_number(const struct query_param *q, const char *value, struct err *e)
{
        int64_t whole = 0;
        double real = 0;
        if (q->type == SHAPE_INT ? !text_to_int(value, &whole) : !text_to_real(value, &real))
                return q->type == SHAPE_INT
                               ? err_both(e, ERR_INVALID, q->name, "\"%s\" must be a whole number", "“%s”须为整数", q->name)
                               : err_both(e, ERR_INVALID, q->name, "\"%s\" must be a number", "“%s”须为数值", q->name);
        if (q->type == SHAPE_INT)
                real = (double)whole;
        if ((q->least != 0 || q->most != 0) && (real < q->least || real > q->most))
                return err_both(e, ERR_INVALID, q->name, "\"%s\" must be between %g and %g", "“%s”须在 %g 与 %g 之间", q->name,
                                q->least, q->most);
        return true;
}

static bool check_param(const struct query_param *q, const char *value, struct err *e)
{
        int64_t instant;
        const size_t most = q->most > 0 ? (size_t)q->most : 200;
        switch (q->type) {
        case SHAPE_INT:
        case SHAPE_REAL:
                return check_number(q, value, e);
        case SHAPE_BOOL:
                return text_is(value, "true") || text_is(value, "false")
                       || err_both(e, ERR_INVALID, q->name, "\"%s\" must be true or false", "“%s”须为 true 或 false", q->name);
        case SHAPE_TIME:
                return time_parse(value, ZONE_SHANGHAI, &instant)
                       || err_both(e, ERR_INVALID, q->name, "\"%s\" must be a time such as 2026-11-23T09:30:00+08:00",
                                   "“%s”须为时间，如 2026-11-23T09:30:00+08:00", q->name);
        default:
                if (text_characters(value) > most)
                        return err_both(e, ERR_INVALID, q->name, "\"%s\" may have at most %zu characters", "“%s”最多 %zu 个字符",
                                        q->name, most);
                return !q->choices || check_choice(q, value, e);
        }
}

static bool check_query(const struct exchange *x, struct err *e)
{
        const struct query_param *params = x->compiled->route->query;
        for (size_t i = 0; i < x->uri.n_query; i++) {
                const struct pair *p = &x->uri.query[i];
                const struct query_param *q = param_find(params, p->name);
                if (text_is(p->name, "lang"))
                        continue;
                if (!q && x->compiled->route->any_query)
                        continue;
                if (!q)
                        return err_both(e, ERR_INVALID, p->name, "unknown query parameter \"%.40s\"; see /api/openapi.json",
                                        "未知的查询参数“%.40s”，请见 /api/openapi.json", p->name);
                if (!check_param(q, p->value, e))
                        return false;
        }
        for (const struct query_param *q = params; q && q->name; q++)
                if (q->required && !request_query(&x->rq, q->name))
                        return err_both(e, ERR_INVALID, q->name, "the query parameter \"%s\" is missing", "缺少查询参数“%s”",
                                        q->name);
        return true;
}

/* --- caller and body ------------------------------------------------------------------------------------------------- */
static bool check_caller(struct exchange *x, int *status, struct err *e)
{
        const struct route *route = x->compiled->route;
        struct request *rq = &x->rq;
        rq->actor = (struct actor){.role = ROLE_PUBLIC, .name = "public"};
        if (x->server->options.identify && !x->server->options.identify(rq, e))
                return check_refused(x, status, e);
        if (!(route->roles & (unsigned)rq->actor.role))
                return rq->actor.role == ROLE_PUBLIC
                               ? err_both(e, ERR_DENIED, NULL, "sign in first, or send a key: Authorization: Bearer KEY",
                                          "请先登录，或提供密钥：Authorization: Bearer KEY")
                               : err_both(e, ERR_DENIED, NULL, "your role may not do this", "您的角色无权进行此操作");
        return check_rate(x, status, e);
}

static bool is_json(const char *type)
{
        const size_t n = type ? strcspn(type, "; ") : 0;
        return n == strlen("application/json") && strncasecmp(type, "application/json", n) == 0;
}

/* Forms are read before the caller is known, since his key may stand in them. */
static bool read_form(struct exchange *x, int *status, struct err *e)
{
        const struct route *route = x->compiled->route;
        struct request *rq = &x->rq;
        struct form *form = NEW(x->arena, struct form);
        if (route->form_body) {
                const char *type = request_header(rq, "Content-Type");
                if (!form_is(type) && (type || x->body.length > 0)) {
                        *status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
                        return err_both(e, ERR_INVALID, NULL,
                                        "send a form: application/x-www-form-urlencoded or multipart/form-data",
                                        "请以表单发送：application/x-www-form-urlencoded 或 multipart/form-data");
                }
                if (x->body.length > 0 && !form_parse(x->arena, type, x->body.at, x->body.length, form, e))
                        return false;
                rq->form = form;
        }
        if (route->key_name) {
                rq->key = form_value(rq->form, route->key_name);
                rq->key = rq->key ? rq->key : request_query(rq, route->key_name);
        }
        return true;
}

static bool check_body(struct exchange *x, int *status, struct err *e)
{
        const struct route *route = x->compiled->route;
        struct request *rq = &x->rq;
        rq->raw = x->body.at ? x->body.at : "";
        rq->raw_n = x->body.length;
        if (route->raw_body || route->form_body)
                return true;
        if (!route->body)
                return x->body.length == 0 || err_both(e, ERR_INVALID, NULL, "this request takes no body", "此请求不接受正文");
        if (x->body.length == 0)
                return err_both(e, ERR_INVALID, NULL, "the body is missing: send a JSON object", "缺少请求正文：请发送 JSON 对象");
        if (!is_json(request_header(rq, "Content-Type"))) {
                *status = MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
                return err_both(e, ERR_INVALID, NULL, "send JSON with Content-Type: application/json",
                                "请以 Content-Type: application/json 发送 JSON");
        }
        rq->body = json_parse(x->arena, rq->raw, rq->raw_n, e);
        return rq->body && shape_check(rq->body, route->body, e);
}

bool exchange_check(struct exchange *x, int *status, struct err *e)
{
        *status = 0;
        return read_form(x, status, e) && check_caller(x, status, e) && check_query(x, e) && check_body(x, status, e);
}
