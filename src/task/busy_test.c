/* task/busy_test.c -- a scheduler that gives way to others still comes to its end, and stops while it gives way. */
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "store/testing.h"
#include "task/task.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

enum { EVENTS = 600, A_ROUND = 256 };

struct seen {
        atomic_int events, rounds, asked;
};

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct seen *s = ctx;
        (void)events;
        (void)e;
        atomic_fetch_add(&s->rounds, 1);
        atomic_fetch_add(&s->events, (int)n);
        return true;
}
static const struct consumer CONSUMER = {.name = "tester", .about = "counts", .take = take};
static const struct consumer *const CONSUMERS[] = {&CONSUMER, NULL};

static bool always_busy(void *ctx)
{
        struct seen *s = ctx;
        atomic_fetch_add(&s->asked, 1);
        return true;
}

static bool put_all(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        for (int i = 0; i < EVENTS; i++) {
                char key[16];
                (void)snprintf(key, sizeof key, "%d", i);
                if (!outbox_put(tx, "test", key, "{}", clock_now(), e))
                        return false;
        }
        return true;
}

static void others_go_first(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct seen seen = {0};
                struct scheduler *sch;
                struct store *s;
                struct err e;
                assert_true(test_store_open(&s, pg, test_migrations(all_migrations, "task", NULL)));
                assert_true(store_write(s, put_all, NULL, &e));
                const struct scheduler_options o = {
                        .store = s, .consumers = CONSUMERS, .ctx = &seen, .yields = true, .busy = always_busy};
                assert_true(scheduler_start(&sch, &o, &e));
                for (int i = 0; i < 3000 && atomic_load(&seen.events) < EVENTS; i++)
                        usleep(20000);
                scheduler_stop(&sch);
                assert_null(sch);
                assert_int_equal(atomic_load(&seen.events), EVENTS);
                assert_true(atomic_load(&seen.asked) >= EVENTS / A_ROUND);
                assert_true(atomic_load(&seen.asked) >= atomic_load(&seen.rounds) - 1); /* behind each round, or it was stopped */
                store_close(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(others_go_first)};
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
