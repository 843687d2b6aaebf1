/* http/exchange.c -- one request from its first line to its answer: MHD's callbacks and the worker's part. */
#include "base/log.h"
#include "base/text.h"
#include "edge/head.h"
#include "http/inside.h"
#include "store/store.h"
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_DEFAULT = 64 << 10, ANSWER_MOST = 64 << 20 };
/* A head that has begun must be there after HEAD_SECONDS; bodies must come and answers go at LEAST_RATE (bytes a second), with
 * idle_seconds to spare. */
enum { HEAD_SECONDS = 10, LEAST_RATE = 4096 };

/* --- the connection -------------------------------------------------------------------------------------------------- */
static int64_t idle_usec(const struct server *s)
{
        return (int64_t)s->options.idle_seconds * USEC_SECOND;
}

/* MHD cuts who is silent for idle_seconds; who sends a byte now and then has this long until his head is there. */
static int64_t until_head(const struct server *s)
{
        return clock_steady() + idle_usec(s) + HEAD_SECONDS * USEC_SECOND;
}

static int64_t until_moved(const struct server *s, size_t bytes)
{
        return clock_steady() + idle_usec(s) + (int64_t)(bytes / LEAST_RATE) * USEC_SECOND;
}

static void must_end(struct exchange *x, int64_t until)
{
        if (x->guest)
                guest_until(x->guest, until);
}

static struct address peer_of(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        return address_of(info ? info->client_addr : NULL);
}

enum MHD_Result exchange_admit(void *ctx, const struct sockaddr *sa, socklen_t n)
{
        const struct server *s = ctx;
        const struct address a = address_of(sa);
        (void)n;
        return guests_room(s->guests, &a) ? MHD_YES : MHD_NO;
}

void exchange_connection(void *ctx, struct MHD_Connection *connection, void **guest, enum MHD_ConnectionNotificationCode what)
{
        const struct server *s = ctx;
        if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
                struct guest *going = *guest;
                guest_free(s->guests, &going);
                *guest = NULL;
                return;
        }
        const struct address a = peer_of(connection);
        const int socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        /* A peer that has vanished without a word, also one with a live stream. */
        const unsigned lost = (unsigned)s->options.idle_seconds * 1000;
        (void)setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost, sizeof lost);
        *guest = guest_new(s->guests, socket, &a, until_head(s));
}

/* --- what is known from the first bytes ----------------------------------------------------------------------------- */
static enum MHD_Result keep_last(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
        const char **last = ctx;
        (void)kind;
        if (value && strcasecmp(name, "X-Forwarded-For") == 0)
                *last = value;
        return MHD_YES;
}

/* Some proxies add to the line that came, others add a line: the last address of the last line is theirs. */
static void find_client(struct exchange *x)
{
        char text[ADDRESS_TEXT_SIZE];
        const char *forwarded = NULL;
        struct address named;
        x->client = peer_of(x->connection);
        x->rq.secure = x->server->tls != NULL;
        (void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, keep_last, &forwarded);
        if (address_same(&x->client, &x->server->proxy)) {
                const char *scheme = request_header(&x->rq, "X-Forwarded-Proto");
                x->rq.secure = scheme ? text_is(scheme, "https") : x->rq.secure;
                if (forwarded && address_forwarded(forwarded, &named))
                        x->client = named;
        } else if (forwarded && !atomic_exchange(&x->server->stranger_told, true)) {
                log_event(LOG_WARN, "http.proxy",
                          "address=%s cause=\"X-Forwarded-For is not believed; if it is your proxy, set trusted_proxy\"",
                          address_text(&x->client, text));
        }
        x->rq.address = arena_text(x->arena, address_text(&x->client, text));
}

static enum MHD_Result keep_line(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
        struct head *h = ctx;
        (void)kind;
        if (h->n < HEAD_LINES_MOST)
                h->lines[h->n] = (struct head_line){name, value};
        h->n++;
        return MHD_YES;
}

/* MHD forgives what it should not; see head.h. */
static void check_head(struct exchange *x, const char *url, const char *method, const char *version)
{
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        struct head h = {
                .method = method, .uri = url, .version = version, .asked = x->rq.path, .size = info ? info->header_size : 0};
        (void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, keep_line, &h);
        if (!head_check(&h, &x->head_status, &x->head_fault))
                x->close = true;
        else
                x->head_status = 0;
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
        const union MHD_ConnectionInfo *guest = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        x->guest = guest ? guest->socket_context : NULL;
        must_end(x, clock_steady() + HEAD_SECONDS * USEC_SECOND);
        atomic_fetch_add(&s->in_flight, 1);
        return x;
}

static void begin(struct exchange *x, const char *url, const char *method, const char *version)
{
        struct request *rq = &x->rq;
        x->begun = true;
        check_head(x, url, method, version);
        rq->method = arena_text(x->arena, method);
        rq->id = request_id(x);
        find_client(x);
        rq->language = language(x);
        const bool reads = text_is(method, "GET") || text_is(method, "HEAD");
        if (x->server->options.store)
                rq->store = reads ? store_readonly(x->server->options.store) : x->server->options.store;
        if (x->uri_ok && !x->head_status)
                x->compiled = routes_find(&x->server->routes, method, &x->uri, x->allow);
        if (!x->compiled)
                return;
        rq->route = x->compiled->route;
        x->body.limit = rq->route->body_most > 0 ? rq->route->body_most : BODY_DEFAULT;
        const char *length = request_header(rq, "Content-Length");
        int64_t n = 0;
        x->too_large = length && (!text_to_int(length, &n) || (size_t)n > x->body.limit);
        if (!x->too_large && (size_t)n > BODY_DEFAULT) {
                x->no_room = !bodies_take(x->server->bodies, address_key(&x->client, 0), (size_t)n);
                x->taken = x->no_room ? 0 : (size_t)n;
        }
        must_end(x, until_moved(x->server, x->too_large ? 0 : (size_t)n));
}

/* --- the worker's part ---------------------------------------------------------------------------------------------- */
/* Whoever may not because he is nobody is told to sign in. */
static int refused_status(const struct exchange *x, const struct err *e)
{
        if (x->rp.status >= 400)
                return x->rp.status;
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
        if (x->head_status) {
                exchange_refuse(x, x->head_status, &x->head_fault);
        } else if (!x->uri_ok) {
                x->close = true;
                exchange_refuse(x, 400, &x->uri_fault);
        } else if (!x->compiled && x->allow[0]) {
                reply_header(&x->rp, "Allow", x->allow);
                (void)err_both(&e, ERR_INVALID, NULL, "this address takes %s only", "此地址仅接受 %s", x->allow);
                exchange_refuse(x, 405, &e);
        } else if (!x->compiled) {
                (void)err_both(&e, ERR_NOT_FOUND, NULL, "there is nothing at this address", "此地址不存在");
                exchange_refuse(x, 404, &e);
        } else if (x->too_large || x->body.overflow) {
                x->close = true;
                (void)err_both(&e, ERR_INVALID, NULL, "the body may have at most %zu bytes", "正文最多 %zu 字节", x->body.limit);
                exchange_refuse(x, 413, &e);
        } else if (x->no_room) {
                x->close = true;
                (void)err_both(&e, ERR_BUSY, NULL, "too many large bodies are coming in; try again shortly",
                               "正在接收的大请求过多，请稍后再试");
                exchange_refuse(x, 503, &e);
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
        must_end(x, x->rp.stream ? 0 : until_moved(x->server, x->sent));
        const enum MHD_Result done = MHD_queue_response(x->connection, x->status, x->response);
        MHD_destroy_response(x->response);
        x->response = NULL;
        return done;
}

/* Hands a whole request to the workers; says "busy" at once when their queue is full. */
static enum MHD_Result hand_over(struct exchange *x)
{
        x->phase = WAITING;
        must_end(x, 0);
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
        (void)ctx, (void)connection;
        if (!x->begun) {
                begin(x, url, method, version);
                /* Refusing before the body is read is what keeps a 2 GiB upload from being read; it ends the connection. */
                const bool lost = !x->uri_ok || !x->compiled;
                if (x->head_status || x->too_large || x->no_room || (lost && request_header(&x->rq, "Content-Length")))
                        return refuse_early(x) ? send_answer(x) : MHD_NO;
                return MHD_YES;
        }
        if (*n > 0) {
                buf_add(&x->body, bytes, *n);
                *n = 0;
                return x->body.overflow ? MHD_NO : MHD_YES;
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
        if (atomic_load(&s->access_log) && x->begun)
                log_event(LOG_INFO, "http.request", "method=%s route=%s status=%u ms=%.1f bytes=%zu role=%d name=\"%s\" cut=%s",
                          x->rq.method, x->compiled ? x->compiled->route->path : "-", x->status, (double)usec / 1000.0, x->sent,
                          (int)x->rq.actor.role, x->rq.actor.name ? x->rq.actor.name : "-",
                          code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "no" : "yes");
        must_end(x, until_head(s));
        (void)log_request(before);
        if (x->response)
                MHD_destroy_response(x->response);
        if (x->taken > 0)
                bodies_give(x->server->bodies, address_key(&x->client, 0), x->taken);
        buf_free(&x->body);
        buf_free(&x->rp.body);
        struct arena *a = x->arena;
        arena_free(&a);
        *cls = NULL;
        atomic_fetch_sub(&s->in_flight, 1);
}
