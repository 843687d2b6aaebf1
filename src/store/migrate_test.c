/* store/migrate_test.c -- the schema is made once, recorded with its hash, and never changed behind the record's back. */
#include "store/store.h"
#include "base/arena.h"
#include "base/log.h"
#include "store/dialect.h"
#include "store/testing.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char SCHEMA[] = "CREATE TABLE thing (id INTEGER PRIMARY KEY);";
static const struct migration MIGRATIONS[] = {{"test", 1, SCHEMA}, {0}};
static const char SQL_PUT[] = "INSERT INTO thing (id) VALUES ($1)";
static const char SQL_COUNT[] = "SELECT count(*) FROM thing";

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

static bool put_id(struct tx *tx, void *ctx, struct err *e)
{
        return tx_change(tx, e, SQL_PUT, ARGS(V(*(int64_t *)ctx))) == 1;
}

static void remove_database(const char *dsn)
{
        static const char *const ends[] = {"", "-wal", "-shm"};
        char file[640];
        for (size_t i = 0; strncmp(dsn, "sqlite:", 7) == 0 && i < COUNT_OF(ends); i++) {
                snprintf(file, sizeof file, "%s%s", dsn + 7, ends[i]);
                unlink(file);
        }
}

static bool opens(const char *dsn, const struct migration *list, struct store **s, struct err *e)
{
        struct store_options o = {.dsn = dsn, .migrations = list};
        return store_open(s, &o, e);
}

static void migrations_are_recorded(const char *dsn)
{
        static const struct migration two[] = {{"test", 1, SCHEMA},
                                               {"test", 2, "CREATE TABLE extra (id INTEGER PRIMARY KEY);"},
                                               {0}};
        static const struct migration changed[] = {{"test", 1, "CREATE TABLE thing (id INTEGER PRIMARY KEY, more TEXT);"}, {0}};
        static const struct migration broken[] = {{"test", 1, SCHEMA},
                                                  {"test", 2, "CREATE TABLE a (id INTEGER); CREATE TABEL b;"},
                                                  {0}};
        struct err e;
        struct store *s;
        ok(opens(dsn, MIGRATIONS, &s, &e), &e);
        int node = store_node(s);
        store_close(&s);
        assert_null(s);
        assert_false(opens(dsn, changed, &s, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_non_null(strstr(e.text, "test/1 has changed"));
        assert_false(opens(dsn, broken, &s, &e));
        assert_null(s);
        ok(opens(dsn, two, &s, &e), &e); /* nothing of the broken one is there */
        assert_int_not_equal(store_node(s), node);
        assert_int_equal(number_of(s, "SELECT count(*) FROM schema_done WHERE length(sha256) = 64 AND at > 0"), 2);
        assert_int_equal(number_of(s, "SELECT count(*) FROM extra"), 0);
        store_close(&s);
        assert_false(opens(dsn, MIGRATIONS, &s, &e));
        assert_non_null(strstr(e.text, "newer than this program"));
        ok(opens(dsn, NULL, &s, &e), &e);
        test_store_drop(s);
        store_close(&s);
}

struct opening {
        const char *dsn;
        struct store *store;
        struct err e;
        bool good;
        pthread_t thread;
};

static void *open_it(void *arg)
{
        struct opening *o = arg;
        o->good = opens(o->dsn, MIGRATIONS, &o->store, &o->e);
        return NULL;
}

static void programs_may_open_at_the_same_time(const char *dsn)
{
        struct opening o[6];
        for (int i = 0; i < 6; i++) {
                o[i] = (struct opening){.dsn = dsn};
                assert_int_equal(pthread_create(&o[i].thread, NULL, open_it, &o[i]), 0);
        }
        for (int i = 0; i < 6; i++)
                pthread_join(o[i].thread, NULL);
        for (int i = 0; i < 6; i++) {
                ok(o[i].good, &o[i].e);
                for (int k = 0; k < i; k++)
                        assert_int_not_equal(store_node(o[i].store), store_node(o[k].store));
        }
        struct err e;
        for (int64_t i = 0; i < 6; i++)
                ok(store_write(o[i].store, put_id, &i, &e), &e);
        assert_int_equal(number_of(o[0].store, SQL_COUNT), 6);
        test_store_drop(o[0].store);
        for (int i = 5; i >= 0; i--)
                store_close(&o[i].store);
}

static void the_dialect_leaves_quotes_and_comments(void **state)
{
        struct arena *a = arena_new();
        (void)state;
        static const char IN[] =
                "CREATE TABLE t (k SERIAL_KEY, a INTEGER, b REAL, c BLOB, REALM TEXT, x_INTEGER TEXT -- REAL BLOB\n"
                ", d TEXT DEFAULT 'it''s INTEGER', \"BLOB\" TEXT /* REAL */) WITHOUT\n  ROWID;";
        static const char OUT[] =
                "CREATE TABLE t (k BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a BIGINT, b DOUBLE PRECISION, c BYTEA,"
                " REALM TEXT, x_INTEGER TEXT -- REAL BLOB\n"
                ", d TEXT DEFAULT 'it''s INTEGER', \"BLOB\" TEXT /* REAL */) ;";
        assert_string_equal(dialect_schema(a, IN, true), OUT);
        assert_string_equal(dialect_schema(a, "a INTEGER WITHOUT ROWID; 'open REAL", false), "a INTEGER WITHOUT ROWID; 'open REAL");
        assert_string_equal(dialect_schema(a, "", true), "");
        const char *const each = "a INTEGER; ON_SQLITE b ';' -- ;\n; ON_POSTGRES c; d";
        assert_string_equal(dialect_schema(a, each, true), "a BIGINT;   c; d");
        assert_string_equal(dialect_schema(a, each, false), "a INTEGER;  b ';' -- ;\n;  d");
        assert_string_equal(dialect_schema(a, "ON_SQLITE open", true), "");
        struct err e;
        struct store *s;
        assert_false(opens("mysql://x", NULL, &s, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        arena_free(&a);
}

static void on_both(void (*test)(const char *dsn))
{
        for (int pg = 0; pg < test_store_engines(); pg++) {
                char dsn[600];
                test(test_store_dsn(dsn, sizeof dsn, pg));
                remove_database(dsn);
        }
}

static void the_schema_is_recorded(void **state)
{
        (void)state;
        on_both(migrations_are_recorded);
}

static void many_programs_start(void **state)
{
        (void)state;
        for (int again = 0; again < 10; again++) /* that two turn a new SQLite file to WAL at the same moment is rare */
                on_both(programs_may_open_at_the_same_time);
}

/* --- kill -9 in the middle ----------------------------------------------------------------------------------------------- */
/* Makes a table, fills it for many seconds, makes another. */
static const char SLOW[] =
        "CREATE TABLE half (n INTEGER);"
        "INSERT INTO half (n) WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 100000000)"
        " SELECT n FROM i;"
        "CREATE TABLE whole (n INTEGER);";
static const char SLOW_POSTGRES[] = "CREATE TABLE half (n INTEGER); INSERT INTO half (n) VALUES (1); SELECT pg_sleep(6);"
                                    "CREATE TABLE whole (n INTEGER);";
static const char QUICK[] = "CREATE TABLE half (n INTEGER); INSERT INTO half (n) VALUES (1); CREATE TABLE whole (n INTEGER);";
static const struct migration WITH_QUICK[] = {{"test", 1, SCHEMA}, {"test", 2, QUICK}, {0}};

static bool try_open(const char *dsn, const struct migration *list, struct store **s, struct err *e)
{
        const struct store_options o = {.dsn = dsn, .migrations = list, .readers = 1, .writers = 1};
        return store_open(s, &o, e);
}

static void killed_in_the_middle(const char *dsn)
{
        const struct migration slow[] = {{"test", 1, SCHEMA}, {"test", 2, *dsn == 's' ? SLOW : SLOW_POSTGRES}, {0}};
        struct store *s;
        struct err e;
        int how;
        ok(try_open(dsn, MIGRATIONS, &s, &e), &e);
        int64_t id = 7;
        ok(store_write(s, put_id, &id, &e), &e);
        store_close(&s);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
                (void)try_open(dsn, slow, &s, &e);
                _exit(0); /* it would have ended: the test below then fails */
        }
        for (int i = 0; i < 3; i++)
                usleep(500000);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        /* The old state, for the old program; PostgreSQL notices the loss at the end of the statement ... */
        bool open = false;
        for (int i = 0; !open && i < 10; i++)
                open = try_open(dsn, MIGRATIONS, &s, &e);
        ok(open, &e);
        assert_int_equal(number_of(s, SQL_COUNT), 1);
        assert_int_equal(number_of(s, "SELECT count(*) FROM schema_done"), 1);
        store_close(&s);
        /* ... and for the new one, which begins that file again. */
        ok(try_open(dsn, WITH_QUICK, &s, &e), &e);
        assert_int_equal(number_of(s, SQL_COUNT), 1);
        assert_int_equal(number_of(s, "SELECT count(*) FROM half"), 1);
        assert_int_equal(number_of(s, "SELECT count(*) FROM whole"), 0);
        assert_int_equal(number_of(s, "SELECT count(*) FROM schema_done"), 2);
        test_store_drop(s);
        store_close(&s);
}

static void a_killed_migration_leaves_the_old_state(void **state)
{
        (void)state;
        on_both(killed_in_the_middle);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_schema_is_recorded),
                cmocka_unit_test(many_programs_start),
                cmocka_unit_test(a_killed_migration_leaves_the_old_state),
                cmocka_unit_test(the_dialect_leaves_quotes_and_comments),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
