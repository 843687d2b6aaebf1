/* dispute/list_test.c -- changes of the list come into routes.csv as its first rows; what they do not touch stays byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dispute/dispute.h"

static const struct list_change one[] = {{7, "i1", "a1", "u9", "u2|u3"}};

static void becomes(const char *before, const struct list_change *changes, size_t n, const char *after)
{
        struct buf out = BUF_LIMIT(10000), again = BUF_LIMIT(10000);
        struct err e;
        if (!list_amend(before, strlen(before), changes, n, &out, &e))
                fail_msg("%s", e.text);
        assert_string_equal(out.at, after);
        assert_true(list_amend(out.at, out.length, changes, n, &again, &e)); /* the same again changes nothing */
        assert_string_equal(again.at, after);
        buf_free(&again);
        buf_free(&out);
}

static void changes_are_the_first_rows(void **state)
{
        (void)state;
        becomes("item,area,unit,assists,note\ni1,a2,u1,,x\n\"i2\",a1,u1,,\"a \"\"b\"\"\nc\"\r\n", one, 1,
                "item,area,unit,assists,note\ni1,a1,u9,u2|u3,裁决先例7\ni1,a2,u1,,x\n\"i2\",a1,u1,,\"a \"\"b\"\"\nc\"\r\n");
        becomes("\xEF\xBB\xBFitem\tarea\tunit\n", one, 1, "\xEF\xBB\xBFitem\tarea\tunit\ni1\ta1\tu9\n");
        becomes("unit,item,area", one, 1, "unit,item,area\nu9,i1,a1\n"); /* columns in any order, no last line end */
}

static void a_row_that_answered_the_same_goes(void **state)
{
        (void)state;
        becomes("item,area,kind,unit\ni1,a1,,u1\ni1,a1,bin,u4\ni1,a1,*,u5\ni1,*,,u6\n", one, 1,
                "item,area,kind,unit\ni1,a1,,u9\ni1,a1,bin,u4\ni1,*,,u6\n");
        static const struct list_change two[] = {{9, "i1", "a1", "u8", ""}, {7, "i1", "a1", "u9", ""}, {5, "i,2", "a1", "u9", ""}};
        becomes("item,area,unit,note\ni1,a1,u1,\n", two, 3, "item,area,unit,note\ni1,a1,u8,裁决先例9\n\"i,2\",a1,u9,裁决先例5\n");
}

static void refuses(const char *text)
{
        struct buf out = BUF_LIMIT(10000);
        struct err e = {.kind = ERR_NONE};
        assert_false(list_amend(text, strlen(text), one, 1, &out, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_true(*e.text && *e.zh);
        buf_free(&out);
}

static void another_file_is_refused(void **state)
{
        (void)state;
        refuses("");
        refuses("code,name\n1,2\n");
        refuses("item,area,unit\n\"i1,a1\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(changes_are_the_first_rows),
                cmocka_unit_test(a_row_that_answered_the_same_goes),
                cmocka_unit_test(another_file_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
