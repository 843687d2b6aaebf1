/* http/reply.c -- what a handler sees of a request, and how its reply becomes an answer: problems, ETag, gzip, headers. */
#include "base/log.h"
#include "base/text.h"
#include "edge/headers.h"
#include "http/inside.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_FROM = 1024 };

/* --- the request ---------------------------------------------------------------------------------------------- */
const char *request_param(const struct request *rq, const char *name)
{
        const struct exchange *x = rq->inside;
        const char *value = route_param(rq->arena, x->compiled, &x->uri, name);
        assert(value);
        return value;
}

const char *request_query(const struct request *rq, const char *name)
{
        const struct exchange *x = rq->inside;
        for (size_t i = 0; i < x->uri.n_query; i++)
                if (text_is(x->uri.query[i].name, name))
                        return x->uri.query[i].value;
        return NULL;
}

const char *request_header(const struct request *rq, const char *name)
{
        const struct exchange *x = rq->inside;
        return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *request_cookie(const struct request *rq, const char *name)
{
        return cookie_value(rq->arena, request_header(rq, "Cookie"), name);
}

bool request_match(const struct request *rq, const char *version, bool *said)
{
        const char *list = request_header(rq, "If-Match");
        const size_t n = strlen(version);
        *said = list != NULL;
        for (const char *at = list; at && *at;) {
                at += strspn(at, " \t,");
                if (*at == '*')
                        return true;
                at += text_starts(at, "W/") ? 2 : 0;
                const size_t end = *at == '"' ? strcspn(at + 1, "\"") : 0;
                if (*at == '"' && end == n && at[n + 1] == '"' && strncmp(at + 1, version, n) == 0)
                        return true;
                at += *at == '"' ? end + 1 + (at[end + 1] == '"') : strcspn(at, ",");
        }
        return !list;
}

int64_t request_instant(const char *text, int64_t otherwise)
{
        int64_t at;
        return text && time_parse(text, ZONE_SHANGHAI, &at) ? at : otherwise;
}

int request_limit(const struct request *rq, int otherwise, int most)
{
        int64_t n;
        const char *text = request_query(rq, "limit");
        if (!text || !text_to_int(text, &n))
                return otherwise;
        return n < 1 ? 1 : n > most ? most : (int)n;
}

/* --- problems (RFC 9457) ------------------------------------------------------------------------------------------ */
static const struct {
        int status;
        const char *slug, *en, *zh;
} problems[] = {
        {400, "invalid", "The request is not valid", "请求无效"},
        {401, "sign-in", "Sign in first", "需要登录"},
        {403, "denied", "Not allowed", "无权操作"},
        {404, "not-found", "Not found", "未找到"},
        {405, "method", "This address does not take this method", "此地址不支持该方法"},
        {409, "conflict", "Not possible in the present state", "当前状态下无法进行"},
        {412, "changed", "It has changed since you read it", "查看之后已有变动"},
        {411, "length", "The length of the body is missing", "缺少正文长度"},
        {413, "too-large", "The body is too large", "请求正文过大"},
        {414, "uri", "The address is too long", "地址过长"},
        {415, "media-type", "Wrong media type", "不支持的内容类型"},
        {417, "expectation", "This expectation cannot be met", "无法满足 Expect"},
        {429, "too-many", "Too many requests", "请求过于频繁"},
        {431, "head", "The head of the request is too large", "请求头过大"},
        {503, "busy", "Busy, try again", "系统繁忙，请稍后再试"},
        {500, "fault", "The server failed", "服务器出错"},
};

int problem_status(enum err_kind kind)
{
        switch (kind) {
        case ERR_INVALID:
                return 400;
        case ERR_DENIED:
                return 403;
        case ERR_NOT_FOUND:
                return 404;
        case ERR_CONFLICT:
                return 409;
        case ERR_BUSY:
                return 503;
        default:
                return 500;
        }
}

/* The sentence for the reader.  What went wrong inside is for the log, not for strangers. */
static const char *sentence(const struct request *rq, int status, const struct err *e)
{
        const bool zh = text_is(rq->language, "zh");
        if (status != 500)
                return zh && e->zh[0] ? e->zh : e->text;
        log_event(LOG_ERROR, "http.fault", "route=%s cause=\"%s\"", rq->route ? rq->route->path : "-", e->text);
        return zh ? "服务器内部出错，已记录；请将请求编号告知管理员"
                  : "the server made a mistake and logged it; tell the administrator the request id";
}

static void begin_refusal(struct reply *rp, int status)
{
        buf_clear(&rp->body);
        rp->json = json_to(&rp->body);
        rp->status = status;
        rp->etag = NULL;
        if (status == 401)
                reply_header(rp, "WWW-Authenticate", "Bearer");
        if (status == 503)
                reply_header(rp, "Retry-After", "1");
}

void problem_answer(struct reply *rp, const struct request *rq, int status, const struct err *e)
{
        size_t i = 0;
        while (i + 1 < COUNT_OF(problems) && problems[i].status != status)
                i++;
        const bool zh = text_is(rq->language, "zh");
        const char *detail = sentence(rq, status, e);
        begin_refusal(rp, status);
        rp->type = "application/problem+json";
        json_object(&rp->json, NULL);
        json_text(&rp->json, "type", arena_format(rq->arena, "urn:yiwang:problem:%s", problems[i].slug));
        json_text(&rp->json, "title", zh ? problems[i].zh : problems[i].en);
        json_int(&rp->json, "status", status);
        json_text(&rp->json, "detail", detail);
        if (e->field[0])
                json_text(&rp->json, "field", e->field);
        json_text(&rp->json, "request", rq->id);
        if (rp->problem)
                rp->problem(rp->problem_ctx, &rp->json);
        json_object_end(&rp->json);
}

/* In the route's own form, or as a problem; an address without route is refused as those beside it are. */
static void refuse(struct exchange *x, int status, const struct err *e)
{
        const struct route *r = x->compiled ? x->compiled->route : routes_near(&x->server->routes, &x->uri);
        if (!r || !r->refuse) {
                problem_answer(&x->rp, &x->rq, status, e);
                return;
        }
        const char *text = sentence(&x->rq, status, e);
        begin_refusal(&x->rp, status);
        r->refuse(&x->rq, &x->rp, status, text);
}

void problem_write(struct reply *rp, const struct request *rq, const struct err *e)
{
        problem_answer(rp, rq, problem_status(e->kind), e);
}

/* --- the reply ---------------------------------------------------------------------------------------------------- */
void reply_header(struct reply *rp, const char *name, const char *value)
{
        struct exchange *x = rp->inside;
        struct header *h = NEW(x->arena, struct header);
        assert(!strpbrk(value, "\r\n") && !strpbrk(name, "\r\n"));
        *h = (struct header){arena_text(x->arena, name), arena_text(x->arena, value), x->headers};
        x->headers = h;
}

static bool gzip_wanted(const struct exchange *x)
{
        const char *accepts = request_header(&x->rq, "Accept-Encoding"), *type = x->rp.type;
        for (const struct header *h = x->headers; h; h = h->next)
                if (strcasecmp(h->name, "Content-Encoding") == 0)
                        return false;
        const bool text = !type || text_starts(type, "application/json") || text_starts(type, "application/geo+json")
                          || text_starts(type, "application/problem") || text_starts(type, "text/");
        return text && x->rp.body.length >= GZIP_FROM && accepts && strstr(accepts, "gzip");
}

/* Replaces the body by its gzip form; leaves it alone when that would not be smaller. */
static bool gzip_body(struct exchange *x)
{
        z_stream z = {0};
        struct buf *body = &x->rp.body;
        if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
                return false;
        unsigned char *out = arena_alloc(x->arena, body->length);
        z.next_in = (unsigned char *)body->at;
        z.avail_in = (unsigned)body->length;
        z.next_out = out;
        z.avail_out = (unsigned)body->length;
        const bool smaller = deflate(&z, Z_FINISH) == Z_STREAM_END;
        const size_t n = z.total_out;
        (void)deflateEnd(&z);
        if (smaller) {
                buf_clear(body);
                buf_add(body, out, n);
        }
        return smaller;
}

static bool same_etag(const struct exchange *x)
{
        const char *known = request_header(&x->rq, "If-None-Match"), *etag = x->rp.etag;
        const char *at = known && etag ? strstr(known, etag) : NULL;
        return at && at > known && at[-1] == '"' && at[strlen(etag)] == '"';
}

static void add(struct MHD_Response *r, const char *name, const char *value)
{
        errno = 0;
        if (MHD_add_response_header(r, name, value) != MHD_YES && errno == ENOMEM)
                abort(); /* an answer without its type, or zipped without saying so, would be misread */
}

static void add_headers(struct exchange *x, struct MHD_Response *r)
{
        bool cache = false, policy = false;
        for (const struct header *h = x->headers; h; h = h->next) {
                cache = cache || strcasecmp(h->name, "Cache-Control") == 0;
                policy = policy || strcasecmp(h->name, "Content-Security-Policy") == 0;
                add(r, h->name, h->value);
        }
        add(r, "X-Request-Id", x->rq.id);
        for (const struct edge_header *h = edge_headers; h->name; h++)
                add(r, h->name, h->value);
        if (!policy)
                add(r, "Content-Security-Policy", edge_policy);
        if (x->rq.secure)
                add(r, "Strict-Transport-Security", edge_transport);
        if (x->rp.etag)
                add(r, "ETag", arena_format(x->arena, "W/\"%s\"", x->rp.etag));
        if (!cache)
                add(r, "Cache-Control", x->rp.etag ? "private, no-cache" : "no-store");
        if (x->close || atomic_load(&x->server->stopping))
                add(r, "Connection", "close");
}

static struct MHD_Response *live_answer(struct exchange *x)
{
        struct MHD_Response *r = live_response(x->server->lives, x->connection, x->rp.stream, x->rp.stream_ctx);
        if (!r) {
                const struct err busy = {.kind = ERR_BUSY,
                                         .text = "too many live streams are open; try again later",
                                         .zh = "实时连接过多，请稍后再试"};
                x->rp.stream->close(x->rp.stream_ctx);
                x->rp.stream = NULL;
                problem_write(&x->rp, &x->rq, &busy);
                return NULL;
        }
        x->status = 200;
        add(r, "Content-Type", "text/event-stream");
        add(r, "X-Accel-Buffering", "no");
        return r;
}

static struct MHD_Response *whole_answer(struct exchange *x)
{
        if (x->rp.body.overflow) {
                const struct err fault = {.kind = ERR_FAULT, .text = "the answer is over 64 MiB"};
                buf_free(&x->rp.body);
                refuse(x, 500, &fault);
        }
        x->status = x->rp.status ? (unsigned)x->rp.status : 200;
        const bool same = x->status == 200 && same_etag(x);
        const bool zipped = !same && gzip_wanted(x) && gzip_body(x);
        x->sent = same ? 0 : x->rp.body.length;
        struct MHD_Response *r = MHD_create_response_from_buffer(x->sent, x->sent > 0 ? x->rp.body.at : "", MHD_RESPMEM_PERSISTENT);
        if (!r)
                abort();
        if (same)
                x->status = 304;
        else if (x->sent > 0)
                add(r, "Content-Type", x->rp.type ? x->rp.type : "application/json; charset=utf-8");
        if (zipped)
                add(r, "Content-Encoding", "gzip");
        if (x->sent >= GZIP_FROM)
                add(r, "Vary", "Accept-Encoding");
        return r;
}

void exchange_finish(struct exchange *x)
{
        struct MHD_Response *r = x->rp.stream ? live_answer(x) : NULL;
        x->response = r ? r : whole_answer(x);
        add_headers(x, x->response);
}

void exchange_refuse(struct exchange *x, int status, const struct err *e)
{
        refuse(x, status, e);
        exchange_finish(x);
}
