/* http/fuzz_uri.c -- the first line of a request and its cookies: decoded UTF-8 in every segment and pair, each name once. */
#include "base/text.h"
#include "http/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static bool run(struct request *rq, struct reply *rp, struct err *e)
{
        return rq && rp && e;
}

static const struct route routes[] = {
        {.method = "GET", .path = "/", .run = run},
        {.method = "GET", .path = "/a/{one}/b", .run = run},
        {.method = "POST", .path = "/a/{one}/b", .run = run},
        {.method = "GET", .path = "/files/{path*}", .run = run},
        {0},
};

static void well_formed(const char *text)
{
        const size_t n = strlen(text);
        assert(text_utf8_fault(text, n) == n);
}

static void check_routes(struct arena *a, const struct uri *u)
{
        const struct route *const tables[] = {routes, NULL};
        const struct route_list list = routes_compile(a, tables, NULL);
        static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE"};
        for (size_t i = 0; i < COUNT_OF(methods); i++) {
                char allow[64];
                struct compiled *c = routes_find(&list, methods[i], u, allow);
                if (c && c->n > 0 && !c->rest)
                        assert(strcmp(route_param(a, c, u, "one"), u->segments[1]) == 0);
                if (c && c->rest)
                        well_formed(route_param(a, c, u, "path"));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        const char *text = arena_copy(a, bytes, n), *cookie;
        struct uri u;
        struct err e = {0};
        if (uri_parse(a, text, &u, &e)) {
                assert(u.n_segments <= 32 && u.n_query <= 64);
                for (size_t i = 0; i < u.n_segments; i++)
                        well_formed(u.segments[i]);
                for (size_t i = 0; i < u.n_query; i++) {
                        well_formed(u.query[i].name);
                        well_formed(u.query[i].value);
                        for (size_t k = 0; k < i; k++)
                                assert(strcmp(u.query[i].name, u.query[k].name) != 0);
                }
                check_routes(a, &u);
        } else {
                assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        }
        if ((cookie = cookie_value(a, text, "session")) != NULL)
                assert(strstr(text, "session=") && strlen(cookie) < n && !strchr(cookie, ';'));
        arena_free(&a);
        return 0;
}
