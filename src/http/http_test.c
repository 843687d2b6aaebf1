/* http/http_test.c -- a real server on a free port, asked by a plain socket. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "http/http.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

/* --- a small district of routes ----------------------------------------------------------------------------------------- */
struct app {
        pthread_mutex_t lock;
        pthread_cond_t open;
        bool held;
        atomic_int running, most, closed;
        int64_t events;
};

static bool get_echo(struct request *rq, struct reply *rp, struct err *e)
{
        (void)e;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "name", request_param(rq, "name"));
        json_text(&rp->json, "q", request_query(rq, "q"));
        json_text(&rp->json, "language", rq->language);
        json_text(&rp->json, "address", rq->address);
        json_object_end(&rp->json);
        rp->etag = request_query(rq, "etag");
        return true;
}

static bool post_thing(struct request *rq, struct reply *rp, struct err *e)
{
        if (json_get_int(rq->body, "n", 0) == 13)
                return err_both(e, ERR_CONFLICT, "n", "%d is taken", "%d 已被占用", 13);
        if (json_get_int(rq->body, "n", 0) == 14)
                return err_set(e, ERR_FAULT, "the secret cause");
        rp->status = 201;
        json_object(&rp->json, NULL);
        json_int(&rp->json, "n", json_get_int(rq->body, "n", 0));
        json_object_end(&rp->json);
        return true;
}

static bool get_held(struct request *rq, struct reply *rp, struct err *e)
{
        struct app *app = rq->app;
        (void)e;
        const int now = atomic_fetch_add(&app->running, 1) + 1;
        if (now > atomic_load(&app->most))
                atomic_store(&app->most, now);
        (void)pthread_mutex_lock(&app->lock);
        while (app->held)
                (void)pthread_cond_wait(&app->open, &app->lock);
        (void)pthread_mutex_unlock(&app->lock);
        atomic_fetch_sub(&app->running, 1);
        json_object(&rp->json, NULL);
        json_object_end(&rp->json);
        return true;
}

static bool get_big(struct request *rq, struct reply *rp, struct err *e)
{
        (void)rq, (void)e;
        rp->type = "text/plain";
        for (int i = 0; i < 10000; i++)
                buf_text(&rp->body, "yiwang ");
        return true;
}

struct ticker {
        struct app *app;
        int64_t at;
};
static bool ticker_next(void *ctx, struct buf *out, struct err *e)
{
        struct ticker *t = ctx;
        (void)e;
        (void)pthread_mutex_lock(&t->app->lock);
        for (; t->at < t->app->events; t->at++)
                buf_format(out, "id: %lld\ndata: tick\n\n", (long long)t->at + 1);
        (void)pthread_mutex_unlock(&t->app->lock);
        return true;
}
static void ticker_close(void *ctx)
{
        struct ticker *t = ctx;
        atomic_fetch_add(&t->app->closed, 1);
        free(t);
}
static const struct stream ticker = {ticker_next, ticker_close};

static bool get_ticks(struct request *rq, struct reply *rp, struct err *e)
{
        (void)e;
        struct ticker *t = calloc(1, sizeof *t);
        assert_non_null(t);
        t->app = rq->app;
        rp->stream = &ticker;
        rp->stream_ctx = t;
        return true;
}

static const char *const colours[] = {"red", "blue", NULL};
static const struct query_param echo_query[] = {
        {.name = "q", .type = SHAPE_TEXT, .most = 10},
        {.name = "n", .type = SHAPE_INT, .least = 1, .most = 9},
        {.name = "colour", .type = SHAPE_TEXT, .choices = colours},
        {.name = "etag", .type = SHAPE_TEXT},
        {0},
};
static const struct shape thing[] = {
        {.name = "n", .type = SHAPE_INT, .required = true, .least = 0, .most = 100, .about = "A number."}, {0}};
static const struct route table[] = {
        {.method = "GET", .path = "/echo/{name}", .roles = ROLE_ALL, .run = get_echo, .query = echo_query, .about = "Echo."},
        {.method = "POST",
         .path = "/things",
         .roles = ROLE_ALL,
         .run = post_thing,
         .body = thing,
         .answer = thing,
         .body_most = 1000,
         .about = "Things."},
        {.method = "GET", .path = "/held", .roles = ROLE_ALL, .run = get_held, .about = "Waits."},
        {.method = "GET", .path = "/slow", .roles = ROLE_ALL, .run = get_held, .slow = true, .about = "Waits slowly."},
        {.method = "GET", .path = "/big", .roles = ROLE_ALL, .run = get_big, .about = "Big."},
        {.method = "GET", .path = "/staff", .roles = ROLE_CLERK, .run = get_echo, .about = "Staff."},
        {.method = "GET", .path = "/few", .roles = ROLE_ALL, .run = get_held, .per_minute = 3, .about = "Few."},
        {.method = "GET", .path = "/ticks", .roles = ROLE_ALL, .run = get_ticks, .about = "Live."},
        {0},
};
static const struct route *const tables[] = {table, NULL};

static bool identify(struct request *rq, struct err *e)
{
        const char *a = request_header(rq, "Authorization");
        if (a && text_is(a, "Bearer clerk"))
                rq->actor = (struct actor){.role = ROLE_CLERK, .name = "clerk"};
        else if (a && text_is(a, "Bearer unit"))
                rq->actor = (struct actor){.role = ROLE_UNIT, .name = "unit"};
        else if (a)
                return err_both(e, ERR_DENIED, NULL, "unknown key", "密钥无效");
        return true;
}

/* --- asking ---------------------------------------------------------------------------------------------------------------- */
struct fixture {
        struct app app;
        struct server *server;
};

static int start(void **state, int workers, int queue)
{
        struct fixture *f = calloc(1, sizeof *f);
        struct err e = {0};
        assert_non_null(f);
        (void)pthread_mutex_init(&f->app.lock, NULL);
        (void)pthread_cond_init(&f->app.open, NULL);
        const struct server_options o = {.port = 0,
                                         .routes = tables,
                                         .app = &f->app,
                                         .identify = identify,
                                         .workers = workers,
                                         .queue = queue,
                                         .title = "test",
                                         .release = "1",
                                         .idle_seconds = 2,
                                         .streams = 2};
        if (!server_start(&f->server, &o, &e))
                fail_msg("%s", e.text);
        *state = f;
        return 0;
}
static int start_usual(void **state)
{
        return start(state, 8, 100);
}
static int start_narrow(void **state)
{
        return start(state, 1, 2);
}

static int stop(void **state)
{
        struct fixture *f = *state;
        server_stop(&f->server);
        assert_null(f->server);
        free(f);
        return 0;
}

static int dial(const struct fixture *f)
{
        const int s = socket(AF_INET, SOCK_STREAM, 0);
        const struct sockaddr_in to = {.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)server_port(f->server)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const struct timeval patience = {.tv_sec = 20};
        assert_int_equal(connect(s, (const struct sockaddr *)&to, sizeof to), 0);
        assert_int_equal(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
        return s;
}

static void send_text(int s, const char *text, size_t n)
{
        for (size_t sent = 0; sent < n;) {
                const ssize_t m = send(s, text + sent, n - sent, MSG_NOSIGNAL);
                if (m <= 0)
                        return;
                sent += (size_t)m;
        }
}

enum { ROOM = 200000 };
/* Reads until the server closes or `until` has been seen. */
static void receive(int s, char *out, const char *until)
{
        size_t n = 0;
        ssize_t m;
        out[0] = '\0';
        while (n + 1 < ROOM && (m = recv(s, out + n, ROOM - 1 - n, 0)) > 0) {
                n += (size_t)m;
                out[n] = '\0';
                if (until && strstr(out, until))
                        return;
        }
}

/* One request on a connection of its own; the whole answer. */
static const char *ask(const struct fixture *f, char *out, const char *method, const char *path, const char *headers,
                       const char *body)
{
        char text[4000];
        const int n =
                snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
                         method, path, headers, strlen(body), body);
        const int s = dial(f);
        send_text(s, text, (size_t)n);
        receive(s, out, NULL);
        (void)close(s);
        return out;
}

static int status_of(const char *answer)
{
        return text_starts(answer, "HTTP/1.1 ") ? atoi(answer + 9) : 0;
}

#define ASK(...) ask(f, out, __VA_ARGS__)
#define JSON_BODY "Content-Type: application/json\r\n"

static void parameters_and_query_are_decoded_and_checked(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        assert_non_null(strstr(ASK("GET", "/echo/a%2Fb%20%E5%9D%AA?q=1%2B1+x", "", ""),
                               "{\"name\":\"a/b 坪\",\"q\":\"1+1 x\",\"language\":\"en\",\"address\":\"127.0.0.1\"}"));
        assert_non_null(strstr(ASK("GET", "/echo/x?lang=zh", "", ""), "\"language\":\"zh\""));
        assert_int_equal(status_of(ASK("GET", "/echo/x?unknown=1", "", "")), 400);
        assert_non_null(strstr(out, "\"field\":\"unknown\""));
        assert_int_equal(status_of(ASK("GET", "/echo/x?n=10", "", "")), 400);
        assert_int_equal(status_of(ASK("GET", "/echo/x?n=9", "", "")), 200);
        assert_int_equal(status_of(ASK("GET", "/echo/x?n=x", "", "")), 400);
        assert_int_equal(status_of(ASK("GET", "/echo/x?colour=green", "", "")), 400);
        assert_int_equal(status_of(ASK("GET", "/echo/x?q=12345678901", "", "")), 400);
        assert_int_equal(status_of(ASK("GET", "/echo/x?q=1&q=2", "", "")), 400);
        assert_int_equal(status_of(ASK("GET", "/echo/%FF", "", "")), 400);
        assert_int_equal(status_of(ASK("GET", "/echo/%0", "", "")), 400);
        assert_int_equal(status_of(ASK("GET", "/nothing", "", "")), 404);
        assert_int_equal(status_of(ASK("DELETE", "/things", "", "")), 405);
        assert_non_null(strstr(out, "Allow: POST"));
        free(out);
}

static void bodies_are_checked_against_their_shape(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        assert_int_equal(status_of(ASK("POST", "/things", JSON_BODY, "{\"n\":7}")), 201);
        assert_non_null(strstr(out, "{\"n\":7}"));
        assert_int_equal(status_of(ASK("POST", "/things", JSON_BODY, "{\"n\":\"x\"}")), 400);
        assert_non_null(strstr(out, "\"field\":\"n\""));
        assert_non_null(strstr(out, "application/problem+json"));
        assert_int_equal(status_of(ASK("POST", "/things", JSON_BODY, "{\"n\":7,\"m\":1}")), 400);
        assert_int_equal(status_of(ASK("POST", "/things", JSON_BODY, "{\"n\":7")), 400);
        assert_int_equal(status_of(ASK("POST", "/things", JSON_BODY, "")), 400);
        assert_int_equal(status_of(ASK("POST", "/things", "Content-Type: text/plain\r\n", "{\"n\":7}")), 415);
        assert_int_equal(status_of(ASK("POST", "/things", JSON_BODY, "{\"n\":13}")), 409);
        assert_int_equal(status_of(ASK("POST", "/things?lang=zh", JSON_BODY, "{\"n\":13}")), 409);
        assert_non_null(strstr(out, "13 已被占用"));
        assert_int_equal(status_of(ASK("POST", "/things", JSON_BODY, "{\"n\":14}")), 500);
        assert_null(strstr(out, "secret"));
        free(out);
}

static void large_bodies_are_refused_before_they_are_read(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        const char head[] =
                "POST /things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2000000000\r\n\r\n";
        const int s = dial(f);
        send_text(s, head, sizeof head - 1);
        receive(s, out, "\"request\"");
        assert_int_equal(status_of(out), 413);
        (void)close(s);
        free(out);
}

static void roles_decide(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        assert_int_equal(status_of(ASK("GET", "/staff", "", "")), 401);
        assert_non_null(strstr(out, "WWW-Authenticate: Bearer"));
        assert_int_equal(status_of(ASK("GET", "/staff", "Authorization: Bearer nobody\r\n", "")), 401);
        assert_int_equal(status_of(ASK("GET", "/staff", "Authorization: Bearer unit\r\n", "")), 403);
        free(out);
}

static void strangers_are_slowed_and_keys_are_not(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        assert_int_equal(status_of(ASK("GET", "/few", "", "")), 200);
        for (int i = 0; i < 6 && status_of(out) != 429; i++) /* a new minute may begin between two of them */
                ASK("GET", "/few", "", "");
        assert_int_equal(status_of(out), 429);
        assert_non_null(strstr(out, "Retry-After: "));
        assert_int_equal(status_of(ASK("GET", "/few", "Authorization: Bearer clerk\r\n", "")), 200);
        free(out);
}

static void etag_and_gzip(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        assert_non_null(strstr(ASK("GET", "/echo/x?etag=v1", "", ""), "ETag: W/\"v1\""));
        assert_int_equal(status_of(ASK("GET", "/echo/x?etag=v1", "If-None-Match: W/\"v1\"\r\n", "")), 304);
        assert_int_equal(status_of(ASK("GET", "/echo/x?etag=v1", "If-None-Match: W/\"v10\"\r\n", "")), 200);
        assert_non_null(strstr(ASK("GET", "/big", "", ""), "Content-Length: 70000"));
        assert_non_null(strstr(ASK("GET", "/big", "Accept-Encoding: gzip\r\n", ""), "Content-Encoding: gzip"));
        assert_null(strstr(ASK("GET", "/echo/x", "Accept-Encoding: gzip\r\n", ""), "Content-Encoding"));
        free(out);
}

static void release(struct app *app)
{
        (void)pthread_mutex_lock(&app->lock);
        app->held = false;
        (void)pthread_cond_broadcast(&app->open);
        (void)pthread_mutex_unlock(&app->lock);
}

static void pause_until(const atomic_int *value, int wanted)
{
        for (int i = 0; i < 2000 && atomic_load(value) != wanted; i++)
                (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        assert_int_equal(atomic_load(value), wanted);
}

static void a_full_queue_says_busy_and_nothing_is_lost(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        const char text[] = "GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        int sockets[3];
        f->app.held = true;
        for (int i = 0; i < 3; i++) {
                sockets[i] = dial(f);
                send_text(sockets[i], text, sizeof text - 1);
                pause_until(&f->app.running, 1);
                (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        }
        assert_int_equal(status_of(ASK("GET", "/held", "", "")), 503);
        assert_non_null(strstr(out, "Retry-After: 1"));
        release(&f->app);
        for (int i = 0; i < 3; i++) {
                receive(sockets[i], out, NULL);
                assert_int_equal(status_of(out), 200);
                (void)close(sockets[i]);
        }
        free(out);
}

static void slow_work_leaves_room_for_others(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        const char text[] = "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        int sockets[10];
        f->app.held = true;
        for (int i = 0; i < 10; i++) {
                sockets[i] = dial(f);
                send_text(sockets[i], text, sizeof text - 1);
        }
        pause_until(&f->app.running, 4);
        assert_int_equal(status_of(ASK("GET", "/echo/x", "", "")), 200);
        assert_int_equal(atomic_load(&f->app.most), 4);
        release(&f->app);
        for (int i = 0; i < 10; i++) {
                receive(sockets[i], out, NULL);
                assert_int_equal(status_of(out), 200);
                (void)close(sockets[i]);
        }
        assert_int_equal(atomic_load(&f->app.most), 4);
        free(out);
}

static void a_dripping_client_is_cut(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        const char half[] = "POST /things HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{";
        const int s = dial(f);
        const int64_t began = clock_steady();
        send_text(s, half, sizeof half - 1);
        receive(s, out, NULL);
        assert_true(clock_steady() - began < 15 * USEC_SECOND);
        assert_string_equal(out, "");
        (void)close(s);
        free(out);
}

static void streams_tell_what_happens_and_end_with_the_server(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        const char text[] = "GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n";
        const int s = dial(f);
        send_text(s, text, sizeof text - 1);
        receive(s, out, ": welcome");
        assert_non_null(strstr(out, "Content-Type: text/event-stream"));
        for (int i = 1; i <= 5; i++) {
                char wanted[20];
                (void)pthread_mutex_lock(&f->app.lock);
                f->app.events = i;
                (void)pthread_mutex_unlock(&f->app.lock);
                server_wake_streams(f->server);
                (void)snprintf(wanted, sizeof wanted, "id: %d\n", i);
                receive(s, out, wanted);
                assert_non_null(strstr(out, wanted));
        }
        const int second = dial(f);
        send_text(second, text, sizeof text - 1);
        receive(second, out, "id: 5");
        assert_int_equal(status_of(ASK("GET", "/ticks", "", "")), 503);
        server_stop(&f->server);
        receive(s, out, NULL);
        assert_int_equal(atomic_load(&f->app.closed), 3);
        (void)close(s);
        (void)close(second);
        free(out);
}

struct caller {
        struct fixture *f;
        int good;
};
static void *call_many(void *ctx)
{
        struct caller *c = ctx;
        char *out = malloc(ROOM);
        for (int i = 0; i < 100; i++) {
                const struct fixture *f = c->f;
                c->good += status_of(i % 2 ? ASK("POST", "/things", JSON_BODY, "{\"n\":7}") : ASK("GET", "/echo/x", "", "")) / 100
                           == 2;
        }
        free(out);
        return NULL;
}

static void many_at_once(void **state)
{
        struct fixture *f = *state;
        char *out = malloc(ROOM);
        struct caller callers[16];
        pthread_t threads[16];
        for (int i = 0; i < 16; i++) {
                callers[i] = (struct caller){.f = f};
                assert_int_equal(pthread_create(&threads[i], NULL, call_many, &callers[i]), 0);
        }
        for (int i = 0; i < 16; i++) {
                (void)pthread_join(threads[i], NULL);
                assert_int_equal(callers[i].good, 100);
        }
        assert_non_null(strstr(ASK("GET", "/metrics", "", ""),
                               "yiwang_http_requests_total{method=\"POST\",route=\"/things\",status=\"2xx\"} 800\n"));
        assert_non_null(strstr(out, "yiwang_http_request_seconds_count{method=\"GET\",route=\"/echo/{name}\"} 800\n"));
        free(out);
}

static void the_document_names_every_route(void **state)
{
        struct fixture *f = *state;
        struct arena *a = arena_new();
        struct err e = {0};
        char *out = malloc(ROOM);
        ASK("GET", "/api/openapi.json", "", "");
        const char *body = strstr(out, "\r\n\r\n") + 4;
        const struct json_value *doc = json_parse(a, body, strlen(body), &e);
        assert_non_null(doc);
        assert_string_equal(json_get_text(doc, "openapi", ""), "3.1.0");
        const struct json_value *paths = json_get(doc, "paths");
        assert_int_equal(json_count(paths), 8 + 4);
        assert_non_null(json_get(json_get(paths, "/things"), "post"));
        arena_free(&a);
        free(out);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(parameters_and_query_are_decoded_and_checked, start_usual, stop),
                cmocka_unit_test_setup_teardown(bodies_are_checked_against_their_shape, start_usual, stop),
                cmocka_unit_test_setup_teardown(large_bodies_are_refused_before_they_are_read, start_usual, stop),
                cmocka_unit_test_setup_teardown(roles_decide, start_usual, stop),
                cmocka_unit_test_setup_teardown(strangers_are_slowed_and_keys_are_not, start_usual, stop),
                cmocka_unit_test_setup_teardown(etag_and_gzip, start_usual, stop),
                cmocka_unit_test_setup_teardown(a_full_queue_says_busy_and_nothing_is_lost, start_narrow, stop),
                cmocka_unit_test_setup_teardown(slow_work_leaves_room_for_others, start_usual, stop),
                cmocka_unit_test_setup_teardown(a_dripping_client_is_cut, start_usual, stop),
                cmocka_unit_test_setup_teardown(streams_tell_what_happens_and_end_with_the_server, start_usual, stop),
                cmocka_unit_test_setup_teardown(many_at_once, start_usual, stop),
                cmocka_unit_test_setup_teardown(the_document_names_every_route, start_usual, stop),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
