/* http/routes_test.c -- addresses found: endings of segments, and who refuses for an address without route. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/text.h"
#include "http/inside.h"

static bool run(struct request *rq, struct reply *rp, struct err *e)
{
        return rq && rp && e;
}

static void refuse(const struct request *rq, struct reply *rp, int status, const char *sentence)
{
        (void)rq, (void)rp, (void)status, (void)sentence;
}

static const struct route routes[] = {
        {.method = "GET", .path = "/x/{code}.json", .run = run},
        {.method = "GET", .path = "/x/{code}.xml", .run = run, .refuse = refuse},
        {.method = "GET", .path = "/x/{rest*}", .run = run, .refuse = refuse},
        {.method = "GET", .path = "/y", .run = run},
        {0},
};

static void endings_and_refusers(void **state)
{
        struct arena *a = arena_new();
        const struct route *const tables[] = {routes, NULL};
        const struct route_list list = routes_compile(a, tables, NULL);
        static const struct {
                const char *method, *path;
                int found; /* in the table; -1 none */
                const char *code;
                int near;
        } cases[] = {
                {"GET", "/x/a.json", 0, "a", 0},     {"GET", "/x/a.b.xml", 1, "a.b", 1}, {"HEAD", "/x/%E4%B8%80%2exml", 1, "一", 1},
                {"GET", "/x/.xml", 2, NULL, 2},      {"GET", "/x/a", 2, NULL, 2},        {"POST", "/x/a.json", -1, NULL, 0},
                {"POST", "/x/deep/er", -1, NULL, 2}, {"GET", "/y", 3, NULL, 3},          {"GET", "/z", -1, NULL, -1},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                struct uri u;
                struct err e;
                char allow[64];
                assert_true(uri_parse(a, cases[i].path, &u, &e));
                const struct compiled *c = routes_find(&list, cases[i].method, &u, allow);
                assert_ptr_equal(c ? c->route : NULL, cases[i].found < 0 ? NULL : &routes[cases[i].found]);
                if (cases[i].code)
                        assert_string_equal(route_param(a, c, &u, "code"), cases[i].code);
                assert_ptr_equal(routes_near(&list, &u), cases[i].near < 0 ? NULL : &routes[cases[i].near]);
        }
        arena_free(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(endings_and_refusers)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
