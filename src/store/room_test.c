/* store/room_test.c -- no room for SQLite: on the disk (the limit of a file's size stands for it) and in memory. */
#include "store/store.h"
#include "base/base.h"
#include "base/log.h"
#include "store/testing.h"
#include <setjmp.h>
#include <limits.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static const struct migration MIGRATIONS[] = {{"test", 1, "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"}, {0}};

static const char SQL_PUT[] = "INSERT INTO thing (id, name) VALUES ($1, $2)";
static const char SQL_COUNT[] = "SELECT count(*) FROM thing";

struct row {
        int64_t id;
        const char *name;
};

static bool put(struct tx *tx, void *ctx, struct err *e)
{
        const struct row *r = ctx;
        return tx_change(tx, e, SQL_PUT, ARGS(V(r->id), V(r->name))) == 1;
}

/* Files may have so many bytes. */
static void disk_of(rlim_t bytes)
{
        struct rlimit limit;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
        limit.rlim_cur = bytes;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool open_in(struct store **s, const char *dir, struct err *e)
{
        char dsn[80];
        (void)snprintf(dsn, sizeof dsn, "sqlite:%s/db", dir);
        return store_open(s, &(struct store_options){.dsn = dsn, .migrations = MIGRATIONS}, e);
}

/* The WAL meets the end of the disk long before the database does: it is emptied, and work goes on. */
static int fill(struct store *s, int times, const char *name, struct err *e)
{
        int refused = 0;
        for (int64_t i = 1; i <= times; i++) {
                while (!store_write(s, put, &(struct row){i, name}, e)) {
                        assert_int_equal(e->kind, ERR_BUSY);
                        assert_non_null(strstr(e->text, "full"));
                        assert_true(++refused < times / 4);
                }
        }
        return refused;
}

static void a_wal_without_room_is_emptied(void **state)
{
        enum { ROWS = 1000, ROOM = 512 << 10 };
        char dir[] = "/tmp/yiwang-room-XXXXXX", file[80], big[4096];
        struct store *s;
        struct err e;
        (void)state;
        assert_non_null(mkdtemp(dir));
        assert_true(open_in(&s, dir, &e));
        disk_of(ROOM);
        assert_true(fill(s, ROWS, "small", &e) > 0);
        assert_int_equal(test_number(s, SQL_COUNT), ROWS);
        /* And a database without room says so, keeps what it has, and goes on when there is room. */
        memset(big, 'x', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        int64_t at = ROWS;
        while (store_write(s, put, &(struct row){at + 1, big}, &e))
                assert_true(++at < ROWS * 10);
        assert_int_equal(e.kind, ERR_BUSY);
        assert_non_null(strstr(e.text, "full"));
        assert_true(e.zh[0]);
        for (int i = 0; i < 3; i++)
                at += store_write(s, put, &(struct row){at + 1, big}, &e);
        const int64_t kept = test_number(s, SQL_COUNT);
        assert_int_equal(kept, at);
        disk_of(RLIM_INFINITY);
        assert_true(store_write(s, put, &(struct row){at + 2, big}, &e));
        assert_int_equal(test_number(s, SQL_COUNT), kept + 1);
        store_close(&s);
        assert_true(open_in(&s, dir, &e));
        assert_int_equal(test_number(s, SQL_COUNT), kept + 1);
        store_close(&s);
        (void)snprintf(file, sizeof file, "%s/db", dir);
        assert_int_equal(unlink(file), 0);
        assert_int_equal(rmdir(dir), 0); /* SQLite has taken its other files away */
}

/* --- memory --------------------------------------------------------------------------------------------- */

static sqlite3_mem_methods usual;
static atomic_long left = LONG_MAX; /* allocations of SQLite until there is no memory any more */

static void *may_allocate(int n)
{
        return atomic_fetch_sub(&left, 1) > 0 ? usual.xMalloc(n) : NULL;
}

static void *may_reallocate(void *old, int n)
{
        return atomic_fetch_sub(&left, 1) > 0 ? usual.xRealloc(old, n) : NULL;
}

/* From whichever allocation on there is no memory, for ROLLBACK neither: the store is busy, and with memory the next write and the
 * next read work. */
static void a_store_without_memory_recovers(void **state)
{
        char big[20000];
        struct store *s;
        struct err e;
        (void)state;
        memset(big, 'x', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        int64_t id = 0, kept = 0;
        bool good = false;
        for (int n = 0; !good; n++) {
                assert_true(n < 1000);
                assert_true(test_store_open(&s, false, MIGRATIONS)); /* with no statement prepared */
                kept = 0;
                for (int step = 0; step < 2; step++) {
                        atomic_store(&left, n);
                        good = store_write(s, put, &(struct row){++id, big}, &e);
                        atomic_store(&left, LONG_MAX);
                        if (!good)
                                assert_int_equal(e.kind, ERR_BUSY);
                        kept += good;
                        if (!store_write(s, put, &(struct row){++id, "small"}, &e))
                                fail_msg("after failure %d: %s", n, e.text);
                        assert_int_equal(test_number(s, SQL_COUNT), ++kept);
                        atomic_store(&left, n);
                        const bool looked = store_alive(s, &e);
                        atomic_store(&left, LONG_MAX);
                        assert_true(looked || e.kind == ERR_BUSY);
                        assert_true(store_alive(s, &e));
                }
                store_close(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_wal_without_room_is_emptied),
                cmocka_unit_test(a_store_without_memory_recovers),
        };
        log_least(LOG_ERROR + 1); /* each refusal is an error */
        (void)signal(SIGXFSZ, SIG_IGN);
        assert(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) == SQLITE_OK);
        sqlite3_mem_methods ours = usual;
        ours.xMalloc = may_allocate;
        ours.xRealloc = may_reallocate;
        assert(sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
