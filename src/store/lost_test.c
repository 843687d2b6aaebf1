/* store/lost_test.c -- a database server that says nothing, or is not there (PostgreSQL only). */
#include "store/store.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/testing.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct migration MIGRATIONS[] = {{"test", 1, "CREATE TABLE thing (id INTEGER PRIMARY KEY);"}, {0}};

static const char SQL_PUT[] = "INSERT INTO thing (id) VALUES ($1)";
static const char SQL_COUNT[] = "SELECT count(*) FROM thing";
static const char SQL_SLEEP[] = "SELECT 1 FROM (SELECT pg_sleep(3)) AS x";

static const char SQL_ASLEEP[] = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";

static bool put_and_sleep(struct tx *tx, void *ctx, struct err *e)
{
        int64_t one;
        ++*(int *)ctx;
        return tx_send(tx, e, SQL_PUT, ARGS(V(1))) && tx_int(tx, &one, 0, e, SQL_SLEEP, NO_ARGS);
}

static bool put_one(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return tx_change(tx, e, SQL_PUT, ARGS(V(2))) == 1; /* the row 1 is locked until the server notices that nobody listens */
}

/* Given up after the silence agreed on, not run again, nothing of it is there; then all goes on. */
static void a_silent_server_is_lost(void **state)
{
        char dsn[600];
        struct err e;
        struct store *s;
        int runs = 0;
        (void)state;
        if (test_store_engines() < 2)
                skip();
        test_store_dsn(dsn, sizeof dsn, true);
        assert_true(store_open(&s, &(struct store_options){.dsn = dsn, .migrations = MIGRATIONS, .silence_ms = 1000}, &e));
        test_store_drop(s);
        const int64_t began = clock_steady();
        assert_false(store_write(s, put_and_sleep, &runs, &e));
        assert_true(clock_steady() - began < 2500000);
        assert_int_equal(e.kind, ERR_BUSY);
        assert_int_equal(runs, 1);
        assert_int_equal(test_number(s, SQL_COUNT), 0);
        assert_true(store_write(s, put_one, NULL, &e));
        assert_int_equal(test_number(s, SQL_COUNT), 1);
        assert_int_equal(store_figures(s).reconnects, 1);
        while (test_number(s, SQL_ASLEEP) > 0)
                usleep(50000);
        store_close(&s);
}

/* Whoever starts the program is told what to look at. */
static void a_server_that_is_away_is_named(void **state)
{
        struct err e;
        struct store *s;
        (void)state;
        assert_false(store_open(&s, &(struct store_options){.dsn = "postgres://nobody@127.0.0.1:1/none"}, &e));
        assert_int_equal(e.kind, ERR_BUSY);
        assert_non_null(strstr(e.text, "database server cannot be reached"));
        assert_non_null(strstr(e.zh, "数据库"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_silent_server_is_lost),
                cmocka_unit_test(a_server_that_is_away_is_named),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
