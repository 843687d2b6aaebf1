/* task/clock_test.c -- leases when the clock is set back. */
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "store/testing.h"
#include "task/inside.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LEASE_SECONDS = 60 };

static bool takes(struct store *s, int64_t owner, int64_t now)
{
        struct cursor at;
        struct err e;
        bool got = false;
        if (!cursor_lease(s, "letters", owner, now, now + LEASE_SECONDS * USEC_SECOND, &at, &got, &e))
                fail_msg("%s", e.text);
        return got;
}

/* Who died with the clock a day ahead does not hold the consumer for that day; who lives with a clock a little ahead does. */
static void a_lease_of_tomorrow_is_void(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct store *s;
                const int64_t now = clock_now();
                assert_true(test_store_open(&s, pg, test_migrations(all_migrations, "task", NULL)));
                assert_true(takes(s, 1, now));
                assert_false(takes(s, 2, now + 1));
                assert_true(takes(s, 2, now + (LEASE_SECONDS + 1) * USEC_SECOND));
                assert_false(takes(s, 1, now - 5 * USEC_MINUTE));
                assert_true(takes(s, 1, now - USEC_DAY));
                assert_false(takes(s, 2, now - USEC_DAY + 1));
                store_close(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(a_lease_of_tomorrow_is_void)};
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
