/* crypto/totp_test.c -- the vectors of RFC 4226 (appendix D) and RFC 6238 (appendix B), and what counts as a right code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "crypto/totp.h"

static const unsigned char SECRET[] = "12345678901234567890";

static void codes_by_counter(void **state)
{
        static const char *const wanted[] = {"755224", "287082", "359152", "969429", "338314",
                                             "254676", "287922", "162583", "399871", "520489"};
        (void)state;
        for (size_t i = 0; i < COUNT_OF(wanted); i++) {
                char code[7];
                hotp(SECRET, TOTP_SECRET_SIZE, i, 6, code);
                assert_string_equal(code, wanted[i]);
        }
}

static void codes_by_time(void **state)
{
        static const struct {
                int64_t second;
                const char *code;
        } at[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                  {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};
        (void)state;
        for (size_t i = 0; i < COUNT_OF(at); i++) {
                char code[9];
                hotp(SECRET, TOTP_SECRET_SIZE, (uint64_t)totp_step(at[i].second * USEC_SECOND), 8, code);
                assert_string_equal(code, at[i].code);
        }
}

static void a_code_counts_once_and_half_a_minute_early_or_late(void **state)
{
        const int64_t now = 1111111109 * USEC_SECOND;
        int64_t step = 0, other;
        (void)state;
        assert_true(totp_right(SECRET, "081804", now, 0, &step));
        assert_int_equal(step, totp_step(now));
        assert_false(totp_right(SECRET, "081804", now, step, &other));
        assert_true(totp_right(SECRET, "081804", now + 30 * USEC_SECOND, 0, &other));
        assert_true(totp_right(SECRET, "081804", now - 30 * USEC_SECOND, 0, &other));
        assert_false(totp_right(SECRET, "081804", now + 62 * USEC_SECOND, 0, &other));
        assert_false(totp_right(SECRET, "081805", now, 0, &other));
        assert_false(totp_right(SECRET, "81804", now, 0, &other));
        assert_false(totp_right(SECRET, "", now, 0, &other));
}

static void a_secret_by_hand(void **state)
{
        char text[TOTP_BASE32_SIZE];
        (void)state;
        totp_base32(SECRET, text);
        assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(codes_by_counter),
                cmocka_unit_test(codes_by_time),
                cmocka_unit_test(a_code_counts_once_and_half_a_minute_early_or_late),
                cmocka_unit_test(a_secret_by_hand),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
