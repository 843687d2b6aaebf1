/* http/exchange.c -- one request from its first line to its answer: MHD's callbacks and the worker's part. */
#include "base/log.h"
#include "base/text.h"
#include "http/inside.h"
#include "store/store.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_DEFAULT = 64 << 10, ANSWER_MOST = 64 << 20 };
/* Longest a client may take for one request, whatever it drips. */
static const int IDLE_TIMES = 4;

/* --- what is known from the first bytes ----------------------------------------------------------------------------- */
static const char *client_address(const struct exchange *x)
{
        char text[INET6_ADDRSTRLEN] = "?";
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        const struct sockaddr *a = info ? info->client_addr : NULL;
        if (a && a->sa_family == AF_INET)
                (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)a)->sin_addr, text, sizeof text);
        else if (a && a->sa_family == AF_INET6)
                (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, text, sizeof text);
        const char *proxy = x->server->options.trusted_proxy, *forwarded = request_header(&x->rq, "X-Forwarded-For");
        if (!proxy || !forwarded || !text_is(proxy, text))
                return arena_text(x->arena, text);
        const char *last = strrchr(forwarded, ',');
        return text_trim(x->arena, last ? last + 1 : forwarded);
}

static const char *request_id(struct exchange *x)
{
        const char *given = request_header(&x->rq, "X-Request-Id");
        const size_t n = given ? strspn(given, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") : 0;
        if (n > 0 && n <= 64 && !given[n])
                return arena_text(x->arena, given);
        return arena_format(x->arena, "%s-%llx", x->server->id_prefix, (unsigned long long)atomic_fetch_add(&x->server->ids, 1));
}

static const char *language(struct exchange *x)
{
        const char *said = request_query(&x->rq, "lang");
        if (!said)
                said = request_header(&x->rq, "Accept-Language");
        return said && strncasecmp(said, "zh", 2) == 0 ? "zh" : "en";
}

void *exchange_new(void *ctx, const char *uri, struct MHD_Connection *connection)
{
        struct server *s = ctx;
        struct arena *a = arena_new();
        struct exchange *x = NEW(a, struct exchange);
        *x = (struct exchange){
                .server = s, .connection = connection, .arena = a, .started = clock_steady(), .body = BUF_LIMIT(BODY_DEFAULT)};
        x->rp.body = BUF_LIMIT(ANSWER_MOST);
        x->rp.json = json_to(&x->rp.body);
        x->rp.inside = x;
        x->rq = (struct request){.arena = a,
                                 .app = s->options.app,
                                 .now = clock_now(),
                                 .inside = x,
                                 .path = arena_text(a, uri),
                                 .id = "",
                                 .language = "en"};
        x->uri_ok = uri_parse(a, uri, &x->uri, &x->uri_fault);
        atomic_fetch_add(&s->in_flight, 1);
        return x;
}

static void begin(struct exchange *x, const char *method)
{
        struct request *rq = &x->rq;
        x->begun = true;
        rq->method = arena_text(x->arena, method);
        rq->id = request_id(x);
        rq->address = client_address(x);
        rq->language = language(x);
        const bool reads = text_is(method, "GET") || text_is(method, "HEAD");
        if (x->server->options.store)
                rq->store = reads ? store_readonly(x->server->options.store) : x->server->options.store;
        if (x->uri_ok)
                x->compiled = routes_find(&x->server->routes, method, &x->uri, x->allow);
        if (!x->compiled)
                return;
        rq->route = x->compiled->route;
        x->body.limit = rq->route->body_most > 0 ? rq->route->body_most : BODY_DEFAULT;
        const char *length = request_header(rq, "Content-Length");
        int64_t n;
        x->too_large = length && (!text_to_int(length, &n) || n < 0 || (size_t)n > x->body.limit);
}

/* --- the worker's part ---------------------------------------------------------------------------------------------- */
/* Whoever may not because he is nobody is told to sign in. */
static int refused_status(const struct exchange *x, const struct err *e)
{
        return e->kind == ERR_DENIED && x->rq.actor.role == ROLE_PUBLIC ? MHD_HTTP_UNAUTHORIZED : problem_status(e->kind);
}

void exchange_run(struct exchange *x)
{
        struct err e = {0};
        int status = 0;
        const char *before = log_request(x->rq.id);
        x->rq.now = clock_now();
        if (!exchange_check(x, &status, &e) || !x->compiled->route->run(&x->rq, &x->rp, &e))
                exchange_refuse(x, status ? status : refused_status(x, &e), &e);
        else
                exchange_finish(x);
        (void)log_request(before);
        x->phase = ANSWERED;
        MHD_resume_connection(x->connection); /* from here on it may be gone */
}

/* --- MHD's callbacks -------------------------------------------------------------------------------------------------- */
static bool refuse_early(struct exchange *x)
{
        struct err e = {0};
        if (!x->uri_ok) {
                exchange_refuse(x, 400, &x->uri_fault);
        } else if (!x->compiled && x->allow[0]) {
                reply_header(&x->rp, "Allow", x->allow);
                (void)err_both(&e, ERR_INVALID, NULL, "this address takes %s only", "此地址仅接受 %s", x->allow);
                exchange_refuse(x, 405, &e);
        } else if (!x->compiled) {
                (void)err_both(&e, ERR_NOT_FOUND, NULL, "there is nothing at this address", "此地址不存在");
                exchange_refuse(x, 404, &e);
        } else if (x->too_large || x->body.overflow) {
                (void)err_both(&e, ERR_INVALID, NULL, "the body may have at most %zu bytes", "正文最多 %zu 字节", x->body.limit);
                exchange_refuse(x, 413, &e);
        } else if (atomic_load(&x->server->stopping)) {
                (void)err_both(&e, ERR_BUSY, NULL, "the server is stopping; try again shortly", "服务器正在停止，请稍后再试");
                exchange_refuse(x, 503, &e);
        } else {
                return false;
        }
        return true;
}

static enum MHD_Result send_answer(struct exchange *x)
{
        const enum MHD_Result done = MHD_queue_response(x->connection, x->status, x->response);
        MHD_destroy_response(x->response);
        x->response = NULL;
        return done;
}

/* Hands a whole request to the workers; says "busy" at once when their queue is full. */
static enum MHD_Result hand_over(struct exchange *x)
{
        x->phase = WAITING;
        MHD_suspend_connection(x->connection);
        if (pool_put(x->server->pool, x, x->compiled->route->slow))
                return MHD_YES;
        const struct err busy = {.kind = ERR_BUSY,
                                 .text = "too many requests are waiting; try again in a second",
                                 .zh = "系统繁忙，请稍后再试"};
        atomic_fetch_add(&x->server->refused, 1);
        exchange_refuse(x, 503, &busy);
        x->phase = ANSWERED;
        MHD_resume_connection(x->connection);
        return MHD_YES;
}

enum MHD_Result exchange_on(void *ctx, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                            const char *bytes, size_t *n, void **cls)
{
        struct exchange *x = *cls;
        const struct server *s = ctx;
        (void)connection, (void)url, (void)version;
        if (!x->begun) {
                begin(x, method);
                /* Refusing before the body is read is what keeps a 2 GiB upload from being read. */
                if (x->too_large || !x->uri_ok || !x->compiled)
                        return refuse_early(x) ? send_answer(x) : MHD_NO;
                return MHD_YES;
        }
        if (*n > 0) {
                buf_add(&x->body, bytes, *n);
                *n = 0;
                const bool slow = clock_steady() - x->started > (int64_t)s->options.idle_seconds * IDLE_TIMES * USEC_SECOND;
                return slow || x->body.overflow ? MHD_NO : MHD_YES;
        }
        if (x->phase == ANSWERED)
                return send_answer(x);
        if (x->phase == WAITING)
                return MHD_YES;
        return refuse_early(x) ? send_answer(x) : hand_over(x);
}

void exchange_done(void *ctx, struct MHD_Connection *connection, void **cls, enum MHD_RequestTerminationCode code)
{
        struct exchange *x = *cls;
        struct server *s = ctx;
        (void)connection;
        if (!x)
                return;
        const int64_t usec = clock_steady() - x->started;
        const char *before = log_request(x->begun ? x->rq.id : NULL);
        if (x->compiled && x->status)
                figures_count(x->compiled, x->status, usec);
        /* The route, not the path: a tracking code is a key to a case. */
        if (s->options.access_log && x->begun)
                log_event(LOG_INFO, "http.request", "method=%s route=%s status=%u ms=%.1f bytes=%zu role=%d name=\"%s\" cut=%s",
                          x->rq.method, x->compiled ? x->compiled->route->path : "-", x->status, (double)usec / 1000.0, x->sent,
                          (int)x->rq.actor.role, x->rq.actor.name ? x->rq.actor.name : "-",
                          code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "no" : "yes");
        (void)log_request(before);
        if (x->response)
                MHD_destroy_response(x->response);
        buf_free(&x->body);
        buf_free(&x->rp.body);
        struct arena *a = x->arena;
        arena_free(&a);
        *cls = NULL;
        atomic_fetch_sub(&s->in_flight, 1);
}
