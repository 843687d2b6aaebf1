/* http/refuse_test.c -- routes with forms, with keys beside Authorization, and with refusals in a form of their own. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "form/form.h"
#include "http/http.h"

static bool post_form(struct request *rq, struct reply *rp, struct err *e)
{
        const char *a = form_value(rq->form, "a");
        (void)e;
        buf_format(&rp->body, "%s says %s", rq->actor.name, a ? a : "nothing");
        rp->type = "text/plain";
        return true;
}

static bool fails(struct request *rq, struct reply *rp, struct err *e)
{
        (void)rq;
        buf_text(&rp->body, "half an answer");
        return err_set(e, ERR_FAULT, "the secret cause");
}

static void refuse(const struct request *rq, struct reply *rp, int status, const char *sentence)
{
        (void)rq;
        rp->status = status == 401 ? 403 : status;
        rp->type = "text/x-refusal";
        buf_format(&rp->body, "<%d %s>", status, sentence);
}

static const struct route table[] = {
        {.method = "POST",
         .path = "/form",
         .roles = ROLE_CLERK,
         .run = post_form,
         .form_body = true,
         .key_name = "key",
         .any_query = true,
         .body_most = 200,
         .refuse = refuse,
         .about = "Takes a form."},
        {.method = "GET", .path = "/own/fails", .roles = ROLE_ALL, .run = fails, .refuse = refuse, .about = "Fails."},
        {.method = "GET", .path = "/own/{rest*}", .roles = ROLE_ALL, .run = fails, .refuse = refuse, .about = "All below."},
        {0},
};
static const struct route *const tables[] = {table, NULL};

static bool identify(struct request *rq, struct err *e)
{
        const char *bearer = request_header(rq, "Authorization"), *key = bearer ? bearer : rq->key;
        rq->actor = (struct actor){.role = ROLE_PUBLIC, .name = "public"};
        if (!key)
                return true;
        if (!text_is(key, "clerk"))
                return err_both(e, ERR_DENIED, NULL, "unknown key", "密钥无效");
        rq->actor = (struct actor){.role = ROLE_CLERK, .name = "clerk"};
        return true;
}

static int start(void **state)
{
        struct err e = {0};
        struct server *s;
        const struct server_options o = {.routes = tables, .identify = identify, .workers = 2};
        if (!server_start(&s, &o, &e))
                fail_msg("%s", e.text);
        *state = s;
        return 0;
}

static int stop(void **state)
{
        struct server *s = *state;
        server_stop(&s);
        return 0;
}

/* One request; the answer's status in *status, its body as text. */
static char *ask(const struct server *server, const char *head, const char *body, int *status)
{
        enum { ROOM = 8192 };
        static const char end[] = "\r\n\r\n";
        char text[2000], *out = calloc(1, ROOM);
        const struct sockaddr_in to = {.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)server_port(server)),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int s = socket(AF_INET, SOCK_STREAM, 0);
        const int n = snprintf(text, sizeof text, "%s\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", head,
                               strlen(body), body);
        size_t got = 0;
        assert_non_null(out);
        assert_int_equal(connect(s, (const struct sockaddr *)&to, sizeof to), 0);
        assert_int_equal(send(s, text, (size_t)n, MSG_NOSIGNAL), n);
        for (ssize_t m; (m = recv(s, out + got, ROOM - 1 - got, 0)) > 0;)
                got += (size_t)m;
        (void)close(s);
        int64_t code = 0;
        out[12] = '\0';
        assert_true(text_to_int(out + 9, &code));
        *status = (int)code;
        char *from = strstr(out + 13, end);
        assert_non_null(from);
        memmove(out, from + strlen(end), strlen(from + strlen(end)) + 1);
        return out;
}

#define FORM "\r\nContent-Type: application/x-www-form-urlencoded"
static void each_in_its_own_form(void **state)
{
        static const char too_long[] =
                "a=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
                "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
        static const struct {
                const char *head, *body;
                int status;
                const char *says; /* what the body begins with */
        } cases[] = {
                {"POST /form HTTP/1.1" FORM, "key=clerk&a=1+2", 200, "clerk says 1 2"},
                {"POST /form?key=clerk&unknown=1 HTTP/1.1" FORM, "a=x", 200, "clerk says x"},
                {"POST /form HTTP/1.1\r\nAuthorization: clerk" FORM, "a=x&key=other", 200, "clerk says x"},
                {"POST /form HTTP/1.1\r\nAuthorization: clerk", "", 200, "clerk says nothing"},
                {"POST /form HTTP/1.1" FORM, "a=x", 403, "<401 sign in"},
                {"POST /form HTTP/1.1" FORM, "a=x&key=other", 403, "<401 unknown key"},
                {"POST /form HTTP/1.1" FORM, "a=%", 400, "<400 the form is broken"},
                {"POST /form HTTP/1.1\r\nContent-Type: application/json", "{}", 415, "<415 send a form"},
                {"POST /form HTTP/1.1" FORM, too_long, 413, "<413 the body may have"},
                {"GET /form HTTP/1.1", "", 405, "<405 this address takes POST only"},
                {"POST /form?a=%zz HTTP/1.1", "", 400, "<400 the query"},
                {"GET /own/fails HTTP/1.1", "", 500, "<500 the server made a mistake"},
                {"POST /own/deep/er HTTP/1.1", "", 404, "<404 there is nothing"},
                {"GET /elsewhere HTTP/1.1", "", 404, "{\"type\":\"urn:yiwang:problem:not-found\""},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                int status;
                char *body = ask(*state, cases[i].head, cases[i].body, &status);
                if (status != cases[i].status || !text_starts(body, cases[i].says) || strstr(body, "secret")
                    || strstr(body, "half"))
                        fail_msg("%s: %d %s", cases[i].head, status, body);
                free(body);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(each_in_its_own_form, start, stop)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
