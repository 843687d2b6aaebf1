/* store/file_test.c -- what happens to the file of SQLite behind the program's back. */
#include "store/store.h"
#include "base/log.h"
#include "store/testing.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct migration MIGRATIONS[] = {{"test", 1, "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"}, {0}};

static const char SQL_PUT[] = "INSERT INTO thing (id, name) VALUES ($1, $2)";
static const char SQL_COUNT[] = "SELECT count(*) FROM thing";

struct place {
        char dir[40], file[60], dsn[80];
};

static struct place place_new(void)
{
        struct place p = {.dir = "/tmp/yiwang-file-XXXXXX"};
        assert_non_null(mkdtemp(p.dir));
        (void)snprintf(p.file, sizeof p.file, "%s/db", p.dir);
        (void)snprintf(p.dsn, sizeof p.dsn, "sqlite:%s", p.file);
        return p;
}

static void place_remove(const struct place *p)
{
        assert_int_equal(unlink(p->file), 0);
        assert_int_equal(rmdir(p->dir), 0); /* SQLite has taken its other files away */
}

static bool open_at(const struct place *p, struct store **s, struct err *e)
{
        return store_open(s, &(struct store_options){.dsn = p->dsn, .migrations = MIGRATIONS}, e);
}

static bool put(struct tx *tx, void *ctx, struct err *e)
{
        static const char name[] = "a name that takes some room, so that there are pages enough to damage one of them";
        const int64_t *id = ctx;
        return tx_change(tx, e, SQL_PUT, ARGS(V(*id), V((const char *)name))) == 1;
}

/* Nobody would find what is written into a file without a name. */
static void a_file_that_is_gone_takes_nothing(void **state)
{
        struct place p = place_new();
        struct store *s;
        struct err e;
        char away[70];
        (void)state;
        (void)snprintf(away, sizeof away, "%s.away", p.file);
        assert_true(open_at(&p, &s, &e));
        assert_true(store_write(s, put, &(int64_t){1}, &e));
        assert_int_equal(rename(p.file, away), 0);
        assert_false(store_write(s, put, &(int64_t){2}, &e));
        assert_int_equal(e.kind, ERR_BUSY);
        assert_non_null(strstr(e.text, "moved or deleted"));
        assert_int_equal(test_number(s, SQL_COUNT), 1);
        assert_int_equal(rename(away, p.file), 0);
        assert_true(store_write(s, put, &(int64_t){2}, &e));
        assert_int_equal(test_number(s, SQL_COUNT), 2);
        store_close(&s);
        place_remove(&p);
}

static void a_damaged_page_is_found(void **state)
{
        struct place p = place_new();
        struct store *s;
        struct err e;
        struct stat about = {.st_size = 0};
        static const char zeros[4096];
        (void)state;
        assert_true(open_at(&p, &s, &e));
        for (int64_t i = 0; i < 2000; i++)
                assert_true(store_write(s, put, &i, &e));
        assert_true(store_whole(s, &e));
        store_close(&s);
        const int f = open(p.file, O_WRONLY | O_CLOEXEC);
        assert_true(f >= 0 && fstat(f, &about) == 0);
        assert_int_equal(pwrite(f, zeros, sizeof zeros, about.st_size / 2 / (off_t)sizeof zeros * (off_t)sizeof zeros),
                         sizeof zeros);
        assert_int_equal(close(f), 0);
        assert_true(open_at(&p, &s, &e));
        assert_false(store_whole(s, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_non_null(strstr(e.text, "restore the last backup"));
        assert_non_null(strstr(e.zh, "备份"));
        store_close(&s);
        place_remove(&p);
}

static void what_is_no_database_is_said_to_be_damaged(void **state)
{
        struct place p = place_new();
        struct store *s;
        struct err e;
        (void)state;
        FILE *f = fopen(p.file, "w");
        assert_non_null(f);
        for (int i = 0; i < 1000; i++)
                assert_true(fprintf(f, "no database %d\n", i) > 0);
        assert_int_equal(fclose(f), 0);
        assert_false(open_at(&p, &s, &e));
        assert_non_null(strstr(e.text, "restore the last backup"));
        place_remove(&p);
}

enum { WRITERS = 2, BIG = 1 << 20, EACH = 300 };

struct writing {
        struct store *s;
        int64_t first;
        int written;
};

static bool put_big(struct tx *tx, void *ctx, struct err *e)
{
        struct writing *w = ctx;
        char *big = calloc(1, BIG + 1);
        assert_non_null(big);
        memset(big, 'x', BIG);
        const int n = tx_change(tx, e, SQL_PUT, ARGS(V(w->first + w->written), V((const char *)big)));
        free(big);
        return n == 1;
}

static void *write_on(void *writing)
{
        struct writing *w = writing;
        struct err e;
        while (w->written < EACH && store_write(w->s, put_big, w, &e))
                w->written++;
        return NULL;
}

/* 600 MiB without a pause: what is checkpointed beside the writer must let the log begin anew. */
static void the_log_stays_small_while_writing_never_rests(void **state)
{
        struct place p = place_new();
        struct store *s;
        struct err e;
        struct stat about = {.st_size = 0};
        char log[70];
        pthread_t thread[WRITERS];
        struct writing w[WRITERS];
        (void)state;
        (void)snprintf(log, sizeof log, "%s-wal", p.file);
        assert_true(open_at(&p, &s, &e));
        for (int i = 0; i < WRITERS; i++) {
                w[i] = (struct writing){.s = s, .first = (int64_t)i * EACH};
                assert_int_equal(pthread_create(&thread[i], NULL, write_on, &w[i]), 0);
        }
        for (int i = 0; i < WRITERS; i++) {
                assert_int_equal(pthread_join(thread[i], NULL), 0);
                assert_int_equal(w[i].written, EACH);
        }
        assert_int_equal(stat(log, &about), 0);
        assert_true(about.st_size < (off_t)400 << 20);
        assert_int_equal(test_number(s, SQL_COUNT), WRITERS * EACH);
        store_close(&s);
        place_remove(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_file_that_is_gone_takes_nothing),
                cmocka_unit_test(a_damaged_page_is_found),
                cmocka_unit_test(what_is_no_database_is_said_to_be_damaged),
                cmocka_unit_test(the_log_stays_small_while_writing_never_rests),
        };
        log_least(LOG_ERROR + 1); /* the errors are wanted */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
