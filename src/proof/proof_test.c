/* proof/proof_test.c -- the sweep: every row comes in once and in order, wherever it is begun again and whichever call of the store
 * fails; transactions that commit out of order; on both engines. */
#include "cases/world_test.h"
#include "ledger/tree.h"
#include "proof/sweep.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static const char IN_ORDER[] =
        "SELECT COUNT(*) FROM ledger_leaf a JOIN ledger_leaf b ON b.subject = a.subject AND b.seq = a.seq + 1"
        " WHERE b.idx <= a.idx";
static const char OUTSIDE[] = "SELECT COUNT(*) FROM history h LEFT JOIN ledger_leaf l ON l.subject = h.subject AND l.seq = h.seq"
                              " WHERE l.idx IS NULL OR l.digest <> h.hash";

static int64_t number(struct world *w, const char *sql)
{
        return test_number(w->district.store, sql);
}

static void file_one(struct world *w)
{
        (void)case_new(w, "010101", "990101001001", false, at("2026-11-23 09:00"));
}

static void all_is_in(struct world *w)
{
        assert_int_equal(number(w, OUTSIDE), 0);
        assert_int_equal(number(w, IN_ORDER), 0);
        assert_int_equal(number(w, "SELECT COUNT(*) FROM ledger_leaf"), number(w, "SELECT COUNT(*) FROM history"));
        assert_int_equal(number(w, "SELECT size FROM ledger_tree"), number(w, "SELECT COUNT(*) FROM history"));
        ledger_is_whole(w);
}

static int64_t sweep(struct world *w, int64_t now, bool walk)
{
        struct sweep s = {.walk = walk};
        struct err e;
        ok(sweep_all(w->district.store, now, &s, &e), &e);
        return s.added;
}

/* Until all rows are in: PostgreSQL gives no event that another transaction of the same server, such as one of another test, could
 * still come before. */
static int64_t sweep_in(struct world *w, int64_t now)
{
        int64_t added = 0;
        for (int i = 0; i < 400; i++) {
                added += sweep(w, now, false);
                if (number(w, OUTSIDE) == 0)
                        break;
                nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        }
        return added;
}

static void file_some(struct world *w, int n)
{
        for (int i = 0; i < n; i++)
                file_one(w);
}

static void rows_come_in_once(struct world *w)
{
        file_some(w, 30);
        const int64_t rows = number(w, "SELECT COUNT(*) FROM history");
        assert_int_equal(sweep_in(w, 1000), rows);
        all_is_in(w);
        assert_int_equal(sweep(w, 1000, false), 0);
        assert_int_equal(sweep(w, 1000, true), 0);
        file_some(w, 2);
        assert_true(sweep_in(w, 1000) > 0);
        all_is_in(w);
        /* All events once more, as after a move to a server with other numbers of transactions. */
        assert_true(test_script(w->district.store, "UPDATE ledger_tree SET tx = 9000000000000000, seq = 9000000000000000;"));
        file_some(w, 2);
        assert_int_equal(sweep_in(w, 1000), number(w, "SELECT COUNT(*) FROM history") * 2 / 34); /* of 34 cases, all alike */
        all_is_in(w);
}

/* What the outbox does not tell of any more, the first walk and the daily one find. */
static void rows_without_news_are_found(struct world *w)
{
        const int64_t day = (int64_t)24 * 3600 * 1000000;
        file_some(w, 20);
        assert_true(test_script(w->district.store, "DELETE FROM outbox;"));
        assert_true(sweep(w, 1000, false) > 0);
        all_is_in(w);
        file_some(w, 3);
        assert_true(test_script(w->district.store, "DELETE FROM outbox;"));
        assert_int_equal(sweep(w, 2000, false), 0);
        assert_true(number(w, OUTSIDE) > 0);
        assert_true(sweep(w, 1000 + day, false) > 0);
        all_is_in(w);
}

static void whichever_call_fails_all_comes_in(struct world *w)
{
        struct store *s = w->district.store;
        for (int64_t at = 1;; at++) {
                struct sweep some = {.walk = true};
                struct err e;
                file_some(w, 1);
                store_fail_at(s, at);
                const bool done = sweep_all(s, at, &some, &e);
                const bool failed = store_failed(s);
                store_fail_at(s, 0);
                assert_true(done || failed);
                if (!failed) {
                        assert_true(at > 10);
                        break;
                }
                (void)sweep(w, at, true);
                all_is_in(w);
        }
        all_is_in(w);
}

/* --- many at once -------------------------------------------------------------------------------------------------------- */
struct crowd {
        struct world *world;
        atomic_bool stop;
        atomic_int failed;
};

static void *keep_filing(void *ctx)
{
        struct crowd *c = ctx;
        struct world mine = *c->world;
        mine.arena = arena_new();
        for (int i = 0; i < 40; i++)
                file_one(&mine);
        arena_free(&mine.arena);
        return NULL;
}

static void *keep_sweeping(void *ctx)
{
        struct crowd *c = ctx;
        while (!atomic_load(&c->stop)) {
                struct sweep s = {.walk = false};
                struct err e;
                if (!sweep_step(c->world->district.store, 1000, &s, &e) && e.kind != ERR_BUSY && e.kind != ERR_CONFLICT)
                        atomic_fetch_add(&c->failed, 1);
        }
        return NULL;
}

static void sweeps_and_filings_at_once_miss_nothing(struct world *w)
{
        struct crowd c = {.world = w};
        pthread_t filers[3], sweepers[2];
        for (size_t i = 0; i < COUNT_OF(filers); i++)
                assert_int_equal(pthread_create(&filers[i], NULL, keep_filing, &c), 0);
        for (size_t i = 0; i < COUNT_OF(sweepers); i++)
                assert_int_equal(pthread_create(&sweepers[i], NULL, keep_sweeping, &c), 0);
        for (size_t i = 0; i < COUNT_OF(filers); i++)
                (void)pthread_join(filers[i], NULL);
        atomic_store(&c.stop, true);
        for (size_t i = 0; i < COUNT_OF(sweepers); i++)
                (void)pthread_join(sweepers[i], NULL);
        assert_int_equal(atomic_load(&c.failed), 0);
        (void)sweep(w, 1000, false); /* by events alone */
        all_is_in(w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(rows_come_in_once),
                BOTH(rows_without_news_are_found),
                BOTH(whichever_call_fails_all_comes_in),
                BOTH(sweeps_and_filings_at_once_miss_nothing),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
