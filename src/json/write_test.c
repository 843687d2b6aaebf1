/* json/write_test.c -- numbers are written as short as they read back the same; times and texts are what they were. */
#include "json/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char *written(struct arena *a, double number)
{
        struct buf b = BUF_LIMIT(200);
        struct json j = json_to(&b);
        json_real(&j, NULL, number);
        char *text = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return text;
}

static void known_numbers(void **state)
{
        static const struct {
                double number;
                const char *text;
        } cases[] = {
                {0, "0"},
                {1, "1"},
                {-1, "-1"},
                {0.5, "0.5"},
                {114.3456789, "114.3456789"},
                {-22.7, "-22.7"},
                {1e-7, "0.0000001"},
                {99999999, "99999999"},
                {100, "100"},
                {0.1, "0.1"},
                {123456.789, "123456.789"},
                {1e300, "1e+300"},
                {1e-8, "1e-08"},
                {NAN, "null"},
                {INFINITY, "null"},
        };
        struct arena *a = arena_new();
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                assert_string_equal(written(a, cases[i].number), cases[i].text);
        arena_free(&a);
}

/* Random bits, and random decimals of 0 to 9 places: whatever is written reads back as the same number. */
static void numbers_read_back_the_same(void **state)
{
        uint64_t seed = 88172645463325252U;
        (void)state;
        for (int i = 0; i < 200000; i++) {
                struct arena *a = arena_new();
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                double number = (double)(int64_t)seed / pow(10, 8 + (int)(seed % 12));
                if (i % 2)
                        memcpy(&number, &seed, sizeof number);
                const char *text = written(a, number);
                if (isfinite(number) && strtod(text, NULL) != number)
                        fail_msg("%.17g was written as %s", number, text);
                arena_free(&a);
        }
}

static void instants(void **state)
{
        char text[TIME_TEXT_SIZE];
        int64_t instant;
        (void)state;
        assert_string_equal(time_text(text, 0, 0), "1970-01-01T00:00:00+00:00");
        assert_string_equal(time_text(text, 1, -90), "1969-12-31T22:30:00.000001-01:30");
        for (int64_t i = 0; i < INT64_C(4102444800); i += 86400 * 7 + 3607) /* until 2100 */ {
                assert_true(time_parse(time_text(text, i * USEC_SECOND + 42, ZONE_SHANGHAI), ZONE_SHANGHAI, &instant));
                assert_true(instant == i * USEC_SECOND + 42);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_numbers),
                cmocka_unit_test(numbers_read_back_the_same),
                cmocka_unit_test(instants),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
