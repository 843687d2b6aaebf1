/* json/json_test.c -- what json_parse() refuses beyond what is no JSON at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "json/json.h"

static void refuses(const char *text, const char *sentence)
{
        struct arena *a = arena_new();
        struct err e = {0};
        assert_null(json_parse(a, text, strlen(text), &e));
        assert_true(e.kind == ERR_INVALID && e.zh[0]);
        assert_string_equal(e.text, sentence);
        arena_free(&a);
}

static void numbers_have_a_value(void **state)
{
        (void)state;
        refuses("1e999", "a number is too large");
        refuses("{\"a\":[1,-2e400]}", "a number is too large");
        struct arena *a = arena_new();
        struct err e = {0};
        const struct json_value *v = json_parse(a, "1e308", 5, &e);
        assert_true(v && json_real_of(v) == 1e308);
        v = json_parse(a, "1e-999", 6, &e);
        assert_true(v && json_real_of(v) == 0);
        arena_free(&a);
}

static void names_stand_once_and_texts_are_whole(void **state)
{
        (void)state;
        refuses("{\"a\":1,\"a\":2}", "the name \"a\" stands twice in one object");
        refuses("[\"\xFF\"]", "the text is not UTF-8 at byte 2");
        refuses("{\"1\":1,", "the text stops being JSON at byte 6");
        refuses("[1] [2]", "the text stops being JSON at byte 3");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_have_a_value),
                cmocka_unit_test(names_stand_once_and_texts_are_whole),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
