/* task/task_test.c -- timers, outbox and scheduler on both engines. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store.h"
#include "store/testing.h"
#include "task/inside.h"
#include "task/task.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char SCRIPT_EFFECTS[] = "CREATE TABLE effect (id SERIAL_KEY, what TEXT NOT NULL, doer INTEGER NOT NULL);";
static const char SQL_EFFECT[] = "INSERT INTO effect (what, doer) VALUES ($1, $2)";
static const char SQL_COUNT[] = "SELECT count(*) FROM effect";
static const char SQL_DISTINCT[] = "SELECT count(DISTINCT what) FROM effect";
static const char SQL_SETTLED[] = "SELECT count(*) FROM outbox_settled";
static const char SQL_WAITING[] = "SELECT -count(*) FROM timer WHERE parked = 0";
static const char SQL_DOERS[] = "SELECT count(DISTINCT doer) FROM effect";

/* The migrations of this folder and the table the handlers write to. */
static const struct migration *own_migrations(void)
{
        static struct migration list[8];
        int n = 0;
        for (const struct migration *m = all_migrations; m->capability; m++) {
                if (text_is(m->capability, "task"))
                        list[n++] = *m;
        }
        list[n] = (struct migration){"task_test", 1, SCRIPT_EFFECTS};
        return list;
}

struct world {
        struct store *store;
        int doer;
        atomic_int runs, failures; /* failures: how many of the next runs fail */
        int pause_us;
        atomic_int news;
};

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

struct question {
        const char *sql;
        int64_t answer;
};

static bool ask(struct tx *tx, void *ctx, struct err *e)
{
        struct question *q = ctx;
        return tx_int(tx, &q->answer, -1, e, q->sql, NO_ARGS);
}

static int64_t number_of(struct store *s, const char *sql)
{
        struct question q = {sql, 0};
        struct err e;
        ok(store_read(s, ask, &q, &e), &e);
        return q.answer;
}

static bool wait_for(struct store *s, const char *sql, int64_t wanted)
{
        for (int i = 0; i < 3000; i++) {
                if (number_of(s, sql) >= wanted)
                        return true;
                usleep(20000);
        }
        return false;
}

/* --- handlers -------------------------------------------------------------------------------- */

struct effect {
        const char *what;
        int doer;
};

static bool write_effect(struct tx *tx, void *ctx, struct err *e)
{
        const struct effect *f = ctx;
        return tx_change(tx, e, SQL_EFFECT, ARGS(V(f->what), V(f->doer))) == 1;
}

static bool run_timer(void *ctx, const struct timer *t, int64_t now, struct err *e)
{
        struct world *w = ctx;
        (void)now;
        atomic_fetch_add(&w->runs, 1);
        if (w->pause_us)
                usleep((useconds_t)w->pause_us);
        if (atomic_load(&w->failures) > 0 && atomic_fetch_sub(&w->failures, 1) > 0)
                return err_set(e, ERR_BUSY, "not now");
        struct effect f = {.what = t->key, .doer = w->doer};
        return store_write(w->store, write_effect, &f, e);
}

static bool take_events(void *ctx, const struct event *at, size_t n, struct err *e)
{
        struct world *w = ctx;
        if (atomic_load(&w->failures) > 0 && atomic_fetch_sub(&w->failures, 1) > 0)
                return err_set(e, ERR_BUSY, "not now");
        for (size_t i = 0; i < n; i++) {
                struct effect f = {.what = at[i].key, .doer = w->doer};
                if (!store_write(w->store, write_effect, &f, e))
                        return false;
        }
        return true;
}

static void told(void *ctx)
{
        struct world *w = ctx;
        atomic_fetch_add(&w->news, 1);
}

static const struct timer_kind KIND = {.name = "test", .about = "writes its key", .run = run_timer, .most_tries = 3};
static const struct timer_kind *const KINDS[] = {&KIND, NULL};
static const struct consumer CONSUMER = {.name = "tester", .about = "writes the keys", .take = take_events};
static const struct consumer *const CONSUMERS[] = {&CONSUMER, NULL};

static struct scheduler *start(struct world *w, const struct timer_kind *const *kinds, const struct consumer *const *consumers,
                               int64_t lease)
{
        struct err e;
        struct scheduler *s;
        struct scheduler_options o = {
                .store = w->store, .kinds = kinds, .consumers = consumers, .ctx = w, .news = told, .lease = lease};
        ok(scheduler_start(&s, &o, &e), &e);
        return s;
}

/* --- writing --------------------------------------------------------------------------------------- */

struct many {
        int from, to;
        int64_t due;
        bool clear;
};

static bool set_many(struct tx *tx, void *ctx, struct err *e)
{
        const struct many *m = ctx;
        for (int i = m->from; i < m->to; i++) {
                char key[20];
                snprintf(key, sizeof key, "k%06d", i);
                if (!(m->clear ? timer_clear(tx, "test", key, e) : timer_set(tx, "test", key, m->due, NULL, e)))
                        return false;
        }
        return true;
}

static void set_timers(struct store *s, int from, int to, int64_t due)
{
        struct err e;
        struct many m = {from, to, due, false};
        ok(store_write(s, set_many, &m, &e), &e);
}

static bool put_many(struct tx *tx, void *ctx, struct err *e)
{
        const struct many *m = ctx;
        for (int i = m->from; i < m->to; i++) {
                char key[20];
                snprintf(key, sizeof key, "k%06d", i);
                if (!outbox_put(tx, "test", key, "{}", m->due, e))
                        return false;
        }
        return true;
}

static void put_events(struct store *s, int from, int to, int64_t time)
{
        struct err e;
        struct many m = {from, to, time, false};
        ok(store_write(s, put_many, &m, &e), &e);
}

static void counts_are(struct store *s, int64_t waiting, int64_t overdue, int64_t parked)
{
        struct err e;
        struct timer_counts c = {0};
        ok(timers_counts(s, clock_now(), &c, &e), &e);
        assert_int_equal(c.waiting, waiting);
        assert_int_equal(c.overdue, overdue);
        assert_int_equal(c.parked, parked);
        assert_true(overdue > 0 ? c.lag > 0 : c.lag == 0);
}

/* --- tests: timers ------------------------------------------------------------------------------------ */

static void timers_are_set_moved_and_cleared(struct store *s)
{
        struct err e;
        int64_t wake, now = clock_now();
        set_timers(s, 0, 3, now + USEC_HOUR);
        counts_are(s, 3, 0, 0);
        set_timers(s, 0, 1, now - USEC_HOUR);
        counts_are(s, 3, 1, 0);
        ok(timers_next(s, KINDS, &wake, &e), &e);
        assert_int_equal(wake, now - USEC_HOUR);
        struct many m = {0, 4, 0, true}; /* one of them does not exist */
        ok(store_write(s, set_many, &m, &e), &e);
        counts_are(s, 0, 0, 0);
        ok(timers_next(s, KINDS, &wake, &e), &e);
        assert_true(wake == INT64_MAX);
}

static void a_moved_timer_is_no_longer_held(struct store *s)
{
        struct err e;
        struct leased *at;
        size_t n;
        bool held;
        int64_t now = clock_now();
        struct arena *a = arena_new();
        set_timers(s, 0, 2, now - 1);
        ok(timers_lease(s, a, KINDS, now, now + USEC_MINUTE, 10, &at, &n, &e), &e);
        assert_int_equal(n, 2);
        assert_int_equal(at[0].timer.tries, 0);
        struct leased *none;
        size_t zero;
        ok(timers_lease(s, a, KINDS, now, now + USEC_MINUTE, 10, &none, &zero, &e), &e);
        assert_int_equal(zero, 0);
        set_timers(s, 0, 1, now + USEC_HOUR); /* during its run it is set anew */
        at[0].done = at[1].done = true;
        ok(timers_hold(s, &at[0], now + 2 * USEC_MINUTE, &held, &e), &e);
        bool first = text_is(at[0].timer.key, "k000000");
        assert_int_equal(held, !first);
        ok(timers_settle(s, at, n, &e), &e);
        counts_are(s, 1, 0, 0);
        int64_t wake;
        ok(timers_next(s, KINDS, &wake, &e), &e);
        assert_int_equal(wake, now + USEC_HOUR);
        arena_free(&a);
}

static void due_timers_run_once_also_late(struct store *s)
{
        struct world w = {.store = s};
        set_timers(s, 0, 300, clock_now() - 3 * USEC_DAY); /* the program was down meanwhile */
        set_timers(s, 300, 310, clock_now() + 300000);
        set_timers(s, 310, 320, clock_now() + USEC_DAY);
        struct scheduler *sch = start(&w, KINDS, NULL, 0);
        assert_true(wait_for(s, SQL_COUNT, 310));
        scheduler_stop(&sch);
        assert_null(sch);
        assert_int_equal(number_of(s, SQL_COUNT), 310);
        assert_int_equal(number_of(s, SQL_DISTINCT), 310);
        counts_are(s, 10, 0, 0);
}

static void a_nudge_is_quicker_than_the_clock(struct store *s)
{
        struct world w = {.store = s};
        struct scheduler *sch = start(&w, KINDS, NULL, 0);
        usleep(100000);
        int64_t from = clock_steady();
        set_timers(s, 0, 1, clock_now());
        scheduler_nudge(sch);
        assert_true(wait_for(s, SQL_COUNT, 1));
        assert_true(clock_steady() - from < 500000);
        scheduler_stop(&sch);
}

static void failing_timers_are_tried_again_and_then_parked(struct store *s)
{
        struct world w = {.store = s};
        atomic_store(&w.failures, 1);
        set_timers(s, 0, 1, clock_now());
        struct scheduler *sch = start(&w, KINDS, NULL, 0);
        int64_t from = clock_steady();
        assert_true(wait_for(s, SQL_COUNT, 1));
        assert_true(clock_steady() - from > 900000); /* a second's pause after the first failure */
        assert_int_equal(atomic_load(&w.runs), 2);
        atomic_store(&w.failures, 1000);
        set_timers(s, 1, 2, clock_now());
        for (int i = 0; i < 400 && atomic_load(&w.runs) < 5; i++)
                usleep(20000);
        usleep(200000);
        scheduler_stop(&sch);
        assert_int_equal(atomic_load(&w.runs), 5);
        counts_are(s, 0, 0, 1);
        set_timers(s, 1, 2, clock_now() + USEC_DAY); /* setting it takes it out of the park */
        counts_are(s, 1, 0, 0);
}

static void a_dead_holder_loses_its_lease(struct store *s)
{
        struct err e;
        struct leased *at;
        size_t n;
        int64_t now = clock_now();
        struct arena *a = arena_new();
        struct world w = {.store = s};
        set_timers(s, 0, 5, now);
        ok(timers_lease(s, a, KINDS, now, now + 600000, 10, &at, &n, &e), &e); /* and never settled */
        assert_int_equal(n, 5);
        struct scheduler *sch = start(&w, KINDS, NULL, USEC_SECOND);
        usleep(300000);
        assert_int_equal(number_of(s, SQL_COUNT), 0);
        assert_true(wait_for(s, SQL_COUNT, 5));
        scheduler_stop(&sch);
        counts_are(s, 0, 0, 0);
        arena_free(&a);
}

/* A program runs one scheduler for what is quick and one for what waits for others; neither touches the other's timers. */
static void a_timer_is_run_by_the_scheduler_of_its_kind(struct store *s)
{
        struct world w = {.store = s};
        static const struct timer_kind other = {.name = "other", .about = "not ours", .run = run_timer};
        static const struct timer_kind *const others[] = {&other, NULL};
        set_timers(s, 0, 100, clock_now());
        struct scheduler *stranger = start(&w, others, NULL, 0);
        usleep(200000);
        assert_int_equal(number_of(s, SQL_COUNT), 0);
        counts_are(s, 100, 100, 0);
        struct scheduler *ours = start(&w, KINDS, NULL, 0);
        assert_true(wait_for(s, SQL_COUNT, 100));
        scheduler_stop(&ours);
        scheduler_stop(&stranger);
        counts_are(s, 0, 0, 0);
}

/* --- tests: outbox ------------------------------------------------------------------------------------- */

static void events_come_in_order_after_a_cursor(struct store *s)
{
        struct err e;
        struct event *at;
        size_t n;
        struct cursor last;
        struct arena *a = arena_new();
        ok(outbox_last(s, &last, &e), &e);
        assert_true(last.tx == 0 && last.seq == 0);
        put_events(s, 0, 10, 77);
        put_events(s, 10, 20, 78);
        assert_true(wait_for(s, SQL_SETTLED, 20)); /* PostgreSQL: when all older transactions of the cluster ended */
        ok(outbox_read(s, a, (struct cursor){0, 0}, 15, &at, &n, &e), &e);
        assert_int_equal(n, 15);
        for (size_t i = 0; i < n; i++) {
                char key[32];
                snprintf(key, sizeof key, "k%06d", (int)i);
                assert_string_equal(at[i].key, key);
                assert_string_equal(at[i].topic, "test");
                assert_int_equal(at[i].time, i < 10 ? 77 : 78);
        }
        ok(outbox_read(s, a, at[14].at, 15, &at, &n, &e), &e);
        assert_int_equal(n, 5);
        ok(outbox_last(s, &last, &e), &e);
        assert_int_equal(cursor_order(last, at[4].at), 0);
        arena_free(&a);
}

static void a_consumer_goes_on_where_it_stood(struct store *s)
{
        struct world w = {.store = s};
        put_events(s, 0, 600, 1);
        struct scheduler *sch = start(&w, NULL, CONSUMERS, 0);
        assert_true(wait_for(s, SQL_COUNT, 600));
        scheduler_stop(&sch);
        put_events(s, 600, 610, 1);
        atomic_store(&w.failures, 1);
        sch = start(&w, NULL, CONSUMERS, 0);
        assert_true(wait_for(s, SQL_COUNT, 610));
        usleep(200000);
        scheduler_stop(&sch);
        assert_int_equal(number_of(s, SQL_COUNT), 610);
        assert_int_equal(number_of(s, SQL_DISTINCT), 610);
        assert_true(atomic_load(&w.news) >= 2);
}

static void old_events_go_once_all_have_them(struct store *s)
{
        static const char SQL_LEFT[] = "SELECT 5 - count(*) FROM outbox";
        struct world w = {.store = s};
        struct err e;
        struct cursor last;
        put_events(s, 0, 3000, clock_now() - 30 * USEC_DAY);
        put_events(s, 3000, 3005, clock_now());
        atomic_store(&w.failures, 1);
        struct scheduler *sch = start(&w, NULL, CONSUMERS, 0);
        usleep(400000);
        assert_int_equal(number_of(s, SQL_LEFT), -3000); /* not taken yet: kept, however old */
        scheduler_stop(&sch);
        sch = start(&w, NULL, CONSUMERS, 0);
        assert_true(wait_for(s, SQL_COUNT, 3005));
        scheduler_stop(&sch);
        const struct scheduler_options aside = {.store = s, .consumers = CONSUMERS, .ctx = &w, .news = told, .keep = -1};
        const int64_t left = number_of(s, SQL_LEFT);
        ok(scheduler_start(&sch, &aside, &e), &e);
        put_events(s, 3005, 3006, clock_now());
        assert_true(wait_for(s, SQL_COUNT, 3006));
        assert_int_equal(number_of(s, SQL_LEFT), left - 1); /* another scheduler cleans */
        scheduler_stop(&sch);
        sch = start(&w, NULL, CONSUMERS, 0); /* cleans at its first rounds */
        assert_true(wait_for(s, SQL_LEFT, -1));
        scheduler_stop(&sch);
        ok(outbox_last(s, &last, &e), &e);
        assert_int_equal(last.seq, 3006);
}

static void a_number_is_never_given_twice(struct store *s)
{
        struct err e;
        struct cursor before, after;
        int n;
        put_events(s, 0, 5, 1);
        assert_true(wait_for(s, SQL_SETTLED, 5));
        ok(outbox_last(s, &before, &e), &e);
        ok(outbox_clean(s, 2, before, &n, &e), &e);
        assert_int_equal(n, 5);
        put_events(s, 5, 6, 3);
        assert_true(wait_for(s, SQL_SETTLED, 1));
        ok(outbox_last(s, &after, &e), &e);
        assert_true(cursor_order(after, before) > 0 && after.seq > before.seq);
}

/* --- tests: several at once ------------------------------------------------------------------------------ */

struct putter {
        struct store *store;
        int from;
};

static void *put_slowly(void *arg)
{
        const struct putter *p = arg;
        for (int i = 0; i < 100; i++)
                put_events(p->store, p->from + 3 * i, p->from + 3 * i + 3, 1);
        return NULL;
}

static void no_event_is_passed_over(struct store *s)
{
        pthread_t threads[8];
        struct putter p[8];
        struct err e;
        struct cursor at = {0, 0};
        int seen = 0;
        for (int i = 0; i < 8; i++) {
                p[i] = (struct putter){s, i * 300};
                assert_int_equal(pthread_create(&threads[i], NULL, put_slowly, &p[i]), 0);
        }
        struct arena *a = arena_new();
        for (int64_t late = clock_now() + USEC_MINUTE; seen < 2400 && clock_now() < late;) {
                struct event *events;
                size_t n;
                ok(outbox_read(s, a, at, 100, &events, &n, &e), &e);
                for (size_t i = 0; i < n; i++) {
                        assert_true(cursor_order(events[i].at, at) > 0);
                        at = events[i].at;
                        seen++;
                }
                arena_reset(a);
        }
        for (int i = 0; i < 8; i++)
                pthread_join(threads[i], NULL);
        assert_int_equal(seen, 2400);
        arena_free(&a);
}

/* Two programs on one database: each timer and each event has its effect once, and both have worked. */
static void two_schedulers_share_the_work(const char *dsn)
{
        struct world w[2] = {{.doer = 1, .pause_us = 1000}, {.doer = 2, .pause_us = 1000}};
        struct scheduler *sch[2];
        struct err e;
        struct store_options o = {.dsn = dsn, .migrations = own_migrations()};
        for (int i = 0; i < 2; i++)
                ok(store_open(&w[i].store, &o, &e), &e);
        assert_int_not_equal(store_node(w[0].store), store_node(w[1].store));
        set_timers(w[0].store, 0, 1000, clock_now());
        put_events(w[0].store, 1000, 2000, 1);
        for (int i = 0; i < 2; i++)
                sch[i] = start(&w[i], KINDS, CONSUMERS, 0);
        assert_true(wait_for(w[0].store, SQL_COUNT, 2000));
        usleep(100000);
        for (int i = 0; i < 2; i++)
                scheduler_stop(&sch[i]);
        assert_int_equal(number_of(w[0].store, SQL_COUNT), 2000);
        assert_int_equal(number_of(w[0].store, SQL_DISTINCT), 2000);
        assert_int_equal(number_of(w[0].store, SQL_DOERS), 2);
        counts_are(w[0].store, 0, 0, 0);
        test_store_drop(w[1].store);
        for (int i = 0; i < 2; i++)
                store_close(&w[i].store);
}

/* The child is killed in the middle of a run; what it held comes to the parent when the lease ends. */
static void a_killed_process_loses_nothing(const char *dsn)
{
        struct store_options o = {.dsn = dsn, .migrations = own_migrations()};
        struct err e;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                struct world w = {.doer = 1, .pause_us = 10000};
                if (!store_open(&w.store, &o, &e))
                        _exit(1);
                set_timers(w.store, 0, 100, clock_now());
                start(&w, KINDS, NULL, USEC_SECOND);
                sleep(30);
                _exit(1);
        }
        usleep(700000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct world w = {.doer = 2};
        ok(store_open(&w.store, &o, &e), &e);
        struct scheduler *sch = start(&w, KINDS, NULL, USEC_SECOND);
        assert_true(wait_for(w.store, SQL_DISTINCT, 100));
        assert_true(wait_for(w.store, SQL_WAITING, 0)); /* those the child ran and did not settle run again when its lease ends */
        scheduler_stop(&sch);
        assert_int_equal(number_of(w.store, SQL_DISTINCT), 100);
        assert_true(number_of(w.store, SQL_COUNT) <= 100 + 64); /* a batch may run twice */
        counts_are(w.store, 0, 0, 0);
        test_store_drop(w.store);
        store_close(&w.store);
}

/* --- running them ------------------------------------------------------------------------------------------ */

static void on_both(void **state)
{
        void (*test)(struct store *) = *(void (**)(struct store *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct store *s;
                assert_true(test_store_open(&s, pg, own_migrations()));
                test(s);
                store_close(&s);
        }
}

static void on_both_by_dsn(void **state)
{
        void (*test)(const char *) = *(void (**)(const char *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                char dsn[600], file[640];
                test(test_store_dsn(dsn, sizeof dsn, pg));
                for (int i = 0; !pg && i < 3; i++) {
                        snprintf(file, sizeof file, "%s%s", dsn + strlen("sqlite:"), (const char *[]){"", "-wal", "-shm"}[i]);
                        unlink(file);
                }
        }
}

#define BY_DSN(test) \
        { \
#test, on_both_by_dsn, NULL, NULL, &(void (*)(const char *)) \
                { \
                        test \
                } \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH_OF(struct store, timers_are_set_moved_and_cleared),
                BOTH_OF(struct store, a_moved_timer_is_no_longer_held),
                BOTH_OF(struct store, due_timers_run_once_also_late),
                BOTH_OF(struct store, a_nudge_is_quicker_than_the_clock),
                BOTH_OF(struct store, failing_timers_are_tried_again_and_then_parked),
                BOTH_OF(struct store, a_dead_holder_loses_its_lease),
                BOTH_OF(struct store, a_timer_is_run_by_the_scheduler_of_its_kind),
                BOTH_OF(struct store, events_come_in_order_after_a_cursor),
                BOTH_OF(struct store, a_consumer_goes_on_where_it_stood),
                BOTH_OF(struct store, old_events_go_once_all_have_them),
                BOTH_OF(struct store, a_number_is_never_given_twice),
                BOTH_OF(struct store, no_event_is_passed_over),
                BY_DSN(two_schedulers_share_the_work),
                BY_DSN(a_killed_process_loses_nothing),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
