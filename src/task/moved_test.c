/* task/moved_test.c -- a database brought into another PostgreSQL server by pg_dump: its transactions have numbers that are still
 * to come there, so events would wait for them, and what a consumer has read would lie in the future. */
#include "base/clock.h"
#include "base/log.h"
#include "store/store.h"
#include "store/testing.h"
#include "task/task.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
        atomic_int events, last;
};

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct seen *s = ctx;
        (void)e;
        for (size_t i = 0; i < n; i++)
                atomic_store(&s->last, atoi(events[i].key));
        atomic_fetch_add(&s->events, (int)n);
        return true;
}
static const struct consumer CONSUMER = {.name = "tester", .about = "counts", .take = take};
static const struct consumer *const CONSUMERS[] = {&CONSUMER, NULL};

static bool put(struct tx *tx, void *ctx, struct err *e)
{
        char key[16];
        (void)snprintf(key, sizeof key, "%d", *(int *)ctx);
        return outbox_put(tx, "test", key, "{}", clock_now(), e);
}

static void put_event(struct store *s, int key)
{
        struct err e;
        if (!store_write(s, put, &key, &e))
                fail_msg("%s", e.text);
}

static void see(struct store *s, struct seen *seen, int wanted)
{
        static const struct timer_kind *const none[] = {NULL};
        struct scheduler *sch;
        struct err e;
        const struct scheduler_options o = {.store = s, .kinds = none, .consumers = CONSUMERS, .ctx = seen};
        assert_true(scheduler_start(&sch, &o, &e));
        for (int i = 0; i < 500 && atomic_load(&seen->events) < wanted; i++)
                usleep(20000);
        usleep(200000);
        scheduler_stop(&sch);
        assert_int_equal(atomic_load(&seen->events), wanted);
}

static void events_go_on_in_another_server(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct seen seen = {0};
                struct store *s;
                assert_true(test_store_open(&s, pg, test_migrations(all_migrations, "task", NULL)));
                put_event(s, 1);
                put_event(s, 2);
                see(s, &seen, 2);
                put_event(s, 3);
                assert_true(test_script(s, "UPDATE outbox SET tx = tx + 1000000000 WHERE tx > 0;"
                                           "UPDATE outbox_cursor SET tx = tx + 1000000000 WHERE tx > 0;"));
                put_event(s, 4);
                see(s, &seen, 4); /* each once */
                assert_int_equal(atomic_load(&seen.last), 4);
                put_event(s, 5);
                see(s, &seen, 5);
                store_close(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(events_go_on_in_another_server)};
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
