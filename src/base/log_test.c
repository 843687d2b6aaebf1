/* base/log_test.c -- what a line looks like, in both forms, whatever the values are. */
#include "base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char line[LOG_LINE];

static void values_are_escaped(void **state)
{
        (void)state;
        log_line(line, LOG_LOGFMT, LOG_INFO, "a.b", NULL, "n=%d plain=%s cause=\"%s\" empty=\"%s\"", 7, "x",
                 "said \"no\"\nand\\went", "");
        assert_string_equal(line, "info a.b n=7 plain=x cause=\"said \\\"no\\\"\\u000aand\\\\went\" empty=\"\"");
        log_line(line, LOG_JSON, LOG_WARN, "a.b", "r-1", "n=%d plain=%s cause=\"%s\" ms=%.1f", -7, "7", "said \"no\"\n", 1.25);
        assert_string_equal(line, "{\"level\":\"warn\",\"event\":\"a.b\",\"request\":\"r-1\",\"n\":-7,\"plain\":\"7\","
                                  "\"cause\":\"said \\\"no\\\"\\u000a\",\"ms\":1.2}");
        /* A value cannot make another pair, whatever is in it. */
        log_line(line, LOG_LOGFMT, LOG_ERROR, "a.b", NULL, "name=%s more=%s", "x y=z", "a=b");
        assert_string_equal(line, "error a.b name=\"x y=z\" more=\"a=b\"");
}

static void every_conversion(void **state)
{
        (void)state;
        log_line(line, LOG_LOGFMT, LOG_DEBUG, "a.b", NULL, "a=%lld b=%zu c=%u d=%.*s e=%ld f=segment-%08u g=\"v %d, %s\"",
                 -5000000000LL, (size_t)9, 4000000000U, 3, "abcdef", 8L, 42U, 3, "w");
        assert_string_equal(line, "debug a.b a=-5000000000 b=9 c=4000000000 d=abc e=8 f=segment-00000042 g=\"v 3, w\"");
}

static void long_lines_are_cut_whole(void **state)
{
        char text[3000], cut[3000];
        (void)state;
        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        /* One value is cut at its room, in the middle of no character. */
        (void)snprintf(cut, sizeof cut, "%.1022s\xe4\xb8\xad", text);
        log_line(line, LOG_JSON, LOG_INFO, "a.b", NULL, "v=%s w=%d", cut, 1);
        assert_non_null(strstr(line, "x\",\"w\":1}"));
        /* Too many of them: the line says so, and is still JSON. */
        log_line(line, LOG_JSON, LOG_INFO, "a.b", NULL, "a=%s b=%s c=%s d=%s e=%s", text, text, text, text, text);
        assert_string_equal(line, "{\"level\":\"info\",\"event\":\"a.b\",\"cut\":\"yes\"}");
}

static void requests_nest(void **state)
{
        (void)state;
        assert_null(log_request("one"));
        assert_string_equal(log_request("two"), "one");
        assert_string_equal(log_request_now(), "two");
        assert_string_equal(log_request(NULL), "two");
        assert_null(log_request_now());
}

static void lost_lines_are_counted(void **state)
{
        (void)state;
        const int kept = dup(STDERR_FILENO), before = (int)log_lost();
        assert_true(kept >= 0);
        (void)fflush(stderr);
        (void)close(STDERR_FILENO);
        log_event(LOG_ERROR, "a.b", "n=%d", 1);
        assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
        (void)close(kept);
        assert_int_equal(log_lost(), before + 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_are_escaped),       cmocka_unit_test(every_conversion),
                cmocka_unit_test(long_lines_are_cut_whole), cmocka_unit_test(requests_nest),
                cmocka_unit_test(lost_lines_are_counted),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
