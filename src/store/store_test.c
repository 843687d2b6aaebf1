/* store/store_test.c -- values, transactions, batches, faults, on both engines. */
#include "store/store.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "store/dialect.h"
#include "store/testing.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char SCHEMA[] = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, size REAL, data BLOB, UNIQUE (name));"
                             "CREATE TABLE part (thing INTEGER NOT NULL REFERENCES thing(id), n INTEGER NOT NULL CHECK (n >= 0));"
                             "CREATE TABLE tally (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
                             "INSERT INTO tally (id, n) VALUES (1, 0);";
static const struct migration MIGRATIONS[] = {{"test", 1, SCHEMA}, {0}};

static const char SQL_PUT[] = "INSERT INTO thing (data, size, name, id) VALUES ($4, $3, $2, $1)";
static const char SQL_GET[] = "SELECT id, name, size, data FROM thing WHERE id = $1";
static const char SQL_ALL[] = "SELECT id FROM thing WHERE id >= $1 ORDER BY id";
static const char SQL_COUNT[] = "SELECT count(*) FROM thing";
static const char SQL_PART[] = "INSERT INTO part (thing, n) VALUES ($1, $2)";
static const char SQL_PARTS[] = "SELECT count(*) FROM part";
static const char SQL_TALLY[] = "SELECT n FROM tally WHERE id = 1";
static const char SQL_SET_TALLY[] = "UPDATE tally SET n = $1 WHERE id = 1";

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

struct thing {
        int64_t id;
        const char *name;
        bool refuse;
};

static bool put_thing(struct tx *tx, void *ctx, struct err *e)
{
        const struct thing *t = ctx;
        if (tx_change(tx, e, SQL_PUT, ARGS(V(t->id), V(t->name), V_NULL, V_NULL)) != 1)
                return false;
        return !t->refuse || err_set(e, ERR_INVALID, "refused %lld", (long long)t->id);
}

static bool put(struct store *s, int64_t id, const char *name, struct err *e)
{
        return store_write(s, put_thing, &(struct thing){id, name, false}, e);
}

/* --- values --------------------------------------------------------------------------------- */

static bool put_values(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        char text[] = "it's a \"测试\" \\x41 %s\n";
        return tx_change(tx, e, SQL_PUT, ARGS(V(INT64_MAX), V(text), V(0.1), V_BLOB("a\0b\\\xff", 5))) == 1
               && tx_change(tx, e, SQL_PUT, ARGS(V(INT64_MIN), V(""), V(-1e300), V_BLOB("", 0))) == 1
               && tx_change(tx, e, SQL_PUT, ARGS(V(true), V((const char *)NULL), V_NULL, V_BLOB(NULL, 3))) == 1
               && tx_change(tx, e, SQL_PUT, ARGS(V(2), V("two"), V(3.0), V_NULL)) == 1;
}

static bool check_values(struct tx *tx, void *ctx, struct err *e)
{
        struct arena *a = ctx;
        struct rows r;
        size_t n;
        assert_int_equal(tx_first(tx, &r, e, SQL_GET, ARGS(V(INT64_MAX))), 1);
        assert_true(rows_int(&r, 0) == INT64_MAX);
        assert_string_equal(rows_text(&r, a, 1), "it's a \"测试\" \\x41 %s\n");
        assert_true(rows_real(&r, 2) == 0.1);
        assert_memory_equal(rows_blob(&r, a, 3, &n), "a\0b\\\xff", 5);
        assert_int_equal(n, 5);
        ok(rows_done(&r, e), e);
        assert_int_equal(tx_first(tx, &r, e, SQL_GET, ARGS(V(INT64_MIN))), 1);
        assert_true(rows_int(&r, 0) == INT64_MIN && rows_real(&r, 2) == -1e300);
        assert_string_equal(rows_text(&r, a, 1), "");
        assert_non_null(rows_blob(&r, a, 3, &n));
        assert_int_equal(n, 0);
        ok(rows_done(&r, e), e);
        assert_int_equal(tx_first(tx, &r, e, SQL_GET, ARGS(V(1))), 1);
        assert_true(rows_null(&r, 1) && rows_null(&r, 2) && rows_null(&r, 3) && !rows_null(&r, 0));
        assert_null(rows_text(&r, a, 1));
        assert_null(rows_blob(&r, a, 3, &n));
        assert_true(rows_int(&r, 2) == 0 && rows_real(&r, 2) == 0.0);
        ok(rows_done(&r, e), e);
        assert_int_equal(tx_first(tx, &r, e, SQL_GET, ARGS(V(3))), 0);
        return true;
}

static void values_come_back(struct store *s)
{
        struct err e;
        struct arena *a = arena_new();
        ok(store_write(s, put_values, NULL, &e), &e);
        ok(store_read(s, check_values, a, &e), &e);
        arena_free(&a);
        assert_int_equal(number_of(s, "SELECT id = 1 FROM thing WHERE id = 1"), 1);
        assert_int_equal(number_of(s, "SELECT id = 2 FROM thing WHERE id = 1"), 0);
        assert_int_equal(number_of(s, "SELECT sum(id) FROM thing WHERE id IN (1, 2)"), 3);
        assert_int_equal(number_of(s, "SELECT size FROM thing WHERE id = 2"), 3);
        assert_int_equal(number_of(s, "SELECT id FROM thing WHERE id = 77"), -1);
}

/* --- transactions ----------------------------------------------------------------------------- */

static void a_refusal_leaves_nothing(struct store *s)
{
        struct err e;
        assert_false(store_write(s, put_thing, &(struct thing){1, "one", true}, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_string_equal(e.text, "refused 1");
        assert_int_equal(number_of(s, SQL_COUNT), 0);
        ok(put(s, 1, "one", &e), &e);
        assert_int_equal(number_of(s, SQL_COUNT), 1);
}

static bool part_of_nothing(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return tx_change(tx, e, SQL_PART, ARGS(V(99), V(1))) == 1;
}

static bool part_below_nothing(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return tx_change(tx, e, SQL_PART, ARGS(V(1), V(-1))) == 1;
}

static bool too_few(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return tx_change(tx, e, SQL_PART, ARGS(V(1))) == 1;
}

static void keys_that_say_no_are_conflicts(struct store *s)
{
        struct err e;
        ok(put(s, 1, "one", &e), &e);
        assert_false(put(s, 1, "other", &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_false(put(s, 2, "one", &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_true(e.zh[0]);
        assert_false(store_write(s, part_of_nothing, NULL, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_false(store_write(s, part_below_nothing, NULL, &e)); /* a CHECK: our own fault */
        assert_int_equal(e.kind, ERR_FAULT);
        assert_false(store_write(s, too_few, NULL, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_int_equal(number_of(s, SQL_COUNT), 1);
}

static bool ignores_a_failure(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        struct rows r;
        struct err first;
        assert_int_equal(tx_change(tx, e, SQL_PUT, ARGS(V(5), V("five"), V_NULL, V_NULL)), 1);
        assert_int_equal(tx_change(tx, &first, SQL_PUT, ARGS(V(5), V("again"), V_NULL, V_NULL)), -1);
        assert_int_equal(tx_first(tx, &r, e, SQL_GET, ARGS(V(5))), -1);
        assert_string_equal(first.text, e->text);
        return true;
}

static void a_broken_transaction_cannot_commit(struct store *s)
{
        struct err e;
        assert_false(store_write(s, ignores_a_failure, NULL, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_int_equal(number_of(s, SQL_COUNT), 0);
}

/* Rows left open, the same statement inside itself, changes while rows are open. */
static bool untidy(struct tx *tx, void *ctx, struct err *e)
{
        struct rows a, b, c;
        (void)ctx;
        for (int i = 1; i <= 3; i++)
                assert_int_equal(tx_change(tx, e, SQL_PUT, ARGS(V(i), V_NULL, V_NULL, V_NULL)), 1);
        int seen = 0;
        bool fine = tx_rows(tx, &a, e, SQL_ALL, ARGS(V(0)));
        while (fine && rows_next(&a)) {
                fine = tx_rows(tx, &b, e, SQL_ALL, ARGS(V(rows_int(&a, 0))));
                while (fine && rows_next(&b))
                        seen++;
                fine = fine && rows_done(&b, e);
        }
        assert_int_equal(seen, 6);
        fine = fine && rows_done(&a, e) && tx_rows(tx, &c, e, SQL_ALL, ARGS(V(0))) && rows_next(&c)
               && tx_rows(tx, &a, e, SQL_ALL, ARGS(V(0)));
        return fine && tx_change(tx, e, SQL_SET_TALLY, ARGS(V(7))) == 1;
}

static void rows_left_open_do_no_harm(struct store *s)
{
        struct err e;
        ok(store_write(s, untidy, NULL, &e), &e);
        ok(put(s, 4, NULL, &e), &e);
        assert_int_equal(number_of(s, SQL_TALLY), 7);
        assert_int_equal(number_of(s, SQL_COUNT), 4);
}

static void readers_cannot_write(struct store *s)
{
        struct err e;
        struct store *view = store_readonly(s);
        assert_false(store_write(view, put_thing, &(struct thing){1, "one", false}, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_false(store_read(s, put_thing, &(struct thing){1, "one", false}, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_int_equal(number_of(view, SQL_COUNT), 0);
        assert_int_equal(store_node(view), store_node(s));
        assert_true(store_readonly(view) == view && store_is_postgres(view) == store_is_postgres(s));
        ok(store_alive(view, &e), &e);
        ok(put(s, 1, "one", &e), &e);
        assert_int_equal(number_of(view, SQL_COUNT), 1);
}

static bool look_twice(struct tx *tx, void *ctx, struct err *e)
{
        int64_t before, after;
        ok(tx_int(tx, &before, -1, e, SQL_COUNT, NO_ARGS), e);
        ok(put(ctx, 9, "nine", e), e);
        ok(tx_int(tx, &after, -1, e, SQL_COUNT, NO_ARGS), e);
        assert_int_equal(before, after);
        return true;
}

static void a_read_sees_one_moment(struct store *s)
{
        struct err e;
        ok(store_read(s, look_twice, s, &e), &e);
        assert_int_equal(number_of(s, SQL_COUNT), 1);
}

static bool write_inside(struct tx *tx, void *ctx, struct err *e)
{
        return tx_is_postgres(tx) ? err_set(e, ERR_FAULT, "not tried") : put(ctx, 1, "one", e);
}

static void a_write_inside_a_write_is_refused(struct store *s)
{
        struct err e;
        assert_false(store_write(s, write_inside, s, &e));
        assert_int_equal(e.kind, ERR_FAULT);
}

static bool many_texts(struct tx *tx, void *ctx, struct err *e)
{
        char sql[64];
        int64_t n;
        (void)ctx;
        for (int i = 0; i < 3000; i++) { /* all at one address, more than are kept */
                snprintf(sql, sizeof sql, "SELECT %d + count(*) FROM thing", i);
                ok(tx_int(tx, &n, -1, e, sql, NO_ARGS), e);
                assert_int_equal(n, i);
        }
        assert_false(tx_prepares(tx, "SELECT nothing FROM nowhere", e));
        return true;
}

static bool prepares(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return tx_prepares(tx, SQL_PUT, e) && tx_prepares(tx, SQL_GET, e);
}

static void statements_made_at_run_time_work(struct store *s)
{
        struct err e;
        ok(store_read(s, many_texts, NULL, &e) || store_is_postgres(s), &e);
        ok(store_read(s, prepares, NULL, &e), &e);
}

/* --- many at once --------------------------------------------------------------------------------- */

struct crowd {
        struct store *store;
        int number;
        bool good;
        pthread_t thread;
};

static bool empty_things(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return tx_change(tx, e, "DELETE FROM thing", NO_ARGS) >= 0;
}

/* Every fifth is refused after its insert, every seventh meets a key that is there already. */
static void *crowd_member(void *arg)
{
        struct crowd *c = arg;
        struct err e;
        c->good = true;
        for (int i = 0; i < 60; i++) {
                int64_t id = 1000 + c->number * 100 + i;
                struct thing t = {.id = i % 7 == 6 ? 1 : id, .refuse = i % 5 == 4};
                bool done = store_write(c->store, put_thing, &t, &e);
                enum err_kind wanted = t.id == 1 ? ERR_CONFLICT : t.refuse ? ERR_INVALID : ERR_NONE;
                char words[40];
                snprintf(words, sizeof words, "refused %lld", (long long)id);
                c->good = c->good && done == (wanted == ERR_NONE) && (done || e.kind == wanted)
                          && (wanted != ERR_INVALID || text_is(e.text, words));
        }
        return NULL;
}

/* 16 at once, each with members that fail among those that do not. */
static void crowd_writes(struct store *s)
{
        struct crowd crowd[16];
        for (int i = 0; i < 16; i++) {
                crowd[i] = (struct crowd){.store = s, .number = i};
                assert_int_equal(pthread_create(&crowd[i].thread, NULL, crowd_member, &crowd[i]), 0);
        }
        for (int i = 0; i < 16; i++) {
                pthread_join(crowd[i].thread, NULL);
                assert_true(crowd[i].good);
        }
}

static void a_failing_member_harms_no_neighbour(struct store *s)
{
        struct err e;
        int each = 0;
        for (int i = 0; i < 60; i++)
                each += i % 7 != 6 && i % 5 != 4;
        /* Whether members meet in one transaction is the machine's affair: again until some have. */
        for (int again = 0; again < 20 && (again == 0 || (!store_is_postgres(s) && store_figures(s).alone == 0)); again++) {
                ok(store_write(s, empty_things, NULL, &e), &e);
                ok(put(s, 1, "one", &e), &e);
                crowd_writes(s);
                assert_int_equal(number_of(s, SQL_COUNT), 1 + 16 * each);
                assert_int_equal(
                        number_of(s, "SELECT count(*) FROM thing WHERE id >= 1000 AND id % 100 % 7 <> 6 AND id % 100 % 5 <> 4"),
                        16 * each);
        }
        assert_true(store_is_postgres(s) || store_figures(s).alone > 0);
}

static bool add_one(struct tx *tx, void *ctx, struct err *e)
{
        int64_t n;
        (void)ctx;
        return tx_int(tx, &n, 0, e, SQL_TALLY, NO_ARGS) && tx_change(tx, e, SQL_SET_TALLY, ARGS(V(n + 1))) == 1;
}

static void *add_many(void *arg)
{
        struct crowd *c = arg;
        struct err e;
        c->good = true;
        for (int done = 0; done < 25;) {
                if (store_write(c->store, add_one, NULL, &e))
                        done++;
                else
                        c->good = c->good && e.kind == ERR_BUSY;
        }
        return NULL;
}

/* What was read cannot change under a writer: no addition is lost. */
static void read_then_write_is_safe(struct store *s)
{
        struct crowd crowd[8];
        for (int i = 0; i < 8; i++) {
                crowd[i] = (struct crowd){.store = s};
                assert_int_equal(pthread_create(&crowd[i].thread, NULL, add_many, &crowd[i]), 0);
        }
        for (int i = 0; i < 8; i++) {
                pthread_join(crowd[i].thread, NULL);
                assert_true(crowd[i].good);
        }
        assert_int_equal(number_of(s, SQL_TALLY), 200);
}

struct gate {
        sem_t entered, leave;
};

static bool wait_at_gate(struct tx *tx, void *ctx, struct err *e)
{
        struct gate *g = ctx;
        (void)tx, (void)e;
        sem_post(&g->entered);
        sem_wait(&g->leave);
        return true;
}

struct blocker {
        struct store *store;
        struct gate *gate;
};

static void *block(void *arg)
{
        const struct blocker *b = arg;
        struct err e;
        return store_write(b->store, wait_at_gate, b->gate, &e) ? NULL : arg;
}

static void *put_one(void *arg)
{
        struct crowd *c = arg;
        struct err e;
        c->good = put(c->store, c->number, NULL, &e);
        return NULL;
}

/* One writer is held, as many as the queue has room for wait, the next is told that all are busy. */
static void a_full_queue_is_busy(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                char dsn[600] = "sqlite::memory:";
                struct err e;
                struct store *s;
                if (pg)
                        test_store_dsn(dsn, sizeof dsn, true);
                struct store_options o = {.dsn = dsn, .migrations = MIGRATIONS, .queue = 2, .writers = 1};
                ok(store_open(&s, &o, &e), &e);
                test_store_drop(s);
                struct gate g;
                sem_init(&g.entered, 0, 0);
                sem_init(&g.leave, 0, 0);
                struct blocker b = {s, &g};
                struct crowd waiting[2];
                pthread_t blocking;
                assert_int_equal(pthread_create(&blocking, NULL, block, &b), 0);
                sem_wait(&g.entered);
                for (int i = 0; i < 2; i++) {
                        waiting[i] = (struct crowd){.store = s, .number = i};
                        assert_int_equal(pthread_create(&waiting[i].thread, NULL, put_one, &waiting[i]), 0);
                }
                while (store_figures(s).queue_now < 2)
                        usleep(1000);
                assert_false(put(s, 7, NULL, &e));
                assert_int_equal(e.kind, ERR_BUSY);
                assert_true(e.zh[0]);
                sem_post(&g.leave);
                pthread_join(blocking, NULL);
                for (int i = 0; i < 2; i++) {
                        pthread_join(waiting[i].thread, NULL);
                        assert_true(waiting[i].good);
                }
                assert_int_equal(number_of(s, SQL_COUNT), 2);
                struct store_figures f = store_figures(s);
                assert_true(f.busy == 1 && f.queue_most == 2 && f.queue_now == 0);
                store_close(&s);
        }
}

/* --- the n-th failure -------------------------------------------------------------------------------- */

static bool put_whole(struct tx *tx, void *ctx, struct err *e)
{
        int64_t id = *(int64_t *)ctx;
        return tx_change(tx, e, SQL_PUT, ARGS(V(id), V_NULL, V_NULL, V_NULL)) == 1
               && tx_change(tx, e, SQL_PART, ARGS(V(id), V(1))) == 1 && tx_change(tx, e, SQL_PART, ARGS(V(id), V(2))) == 1;
}

static void *put_wholes(void *arg)
{
        struct crowd *c = arg;
        struct err e;
        int64_t id = c->number;
        c->good = store_write(c->store, put_whole, &id, &e) || e.kind == ERR_BUSY;
        return NULL;
}

static void never_half(struct store *s)
{
        bool struck = true;
        int64_t id = 0, whole = 0;
        for (int n = 1; struck; n++) {
                struct err e;
                store_fail_at(s, n);
                id++;
                bool done = store_write(s, put_whole, &id, &e);
                struck = store_failed(s);
                store_fail_at(s, 0);
                assert_int_equal(done, !struck);
                assert_true(done || e.kind == ERR_BUSY);
                whole += done;
                assert_int_equal(number_of(s, SQL_COUNT), whole);
                assert_int_equal(number_of(s, SQL_PARTS), 2 * whole);
                assert_true(n < 20);
        }
        assert_int_equal(id, 5); /* three statements, one commit, and the run without a failure */
        struct crowd crowd[8];
        for (int n = 1; n <= 40; n++) {
                store_fail_at(s, n);
                for (int i = 0; i < 8; i++) {
                        crowd[i] = (struct crowd){.store = s, .number = 100 + n * 8 + i};
                        assert_int_equal(pthread_create(&crowd[i].thread, NULL, put_wholes, &crowd[i]), 0);
                }
                for (int i = 0; i < 8; i++) {
                        pthread_join(crowd[i].thread, NULL);
                        assert_true(crowd[i].good);
                }
        }
        store_fail_at(s, 0);
        assert_int_equal(number_of(s, SQL_PARTS), 2 * number_of(s, SQL_COUNT));
        assert_int_equal(number_of(s, "SELECT count(*) FROM (SELECT thing FROM part GROUP BY thing HAVING count(*) <> 2) x"), 0);
}

/* --- running them -------------------------------------------------------------------------------------------- */

static void on_both(void **state)
{
        void (*test)(struct store *) = *(void (**)(struct store *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct store *s;
                assert_true(test_store_open(&s, pg, MIGRATIONS));
                test(s);
                store_close(&s);
        }
}

/* clang-format off */
/* clang-format on */

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH_OF(struct store, values_come_back),
                BOTH_OF(struct store, a_refusal_leaves_nothing),
                BOTH_OF(struct store, keys_that_say_no_are_conflicts),
                BOTH_OF(struct store, a_broken_transaction_cannot_commit),
                BOTH_OF(struct store, rows_left_open_do_no_harm),
                BOTH_OF(struct store, readers_cannot_write),
                BOTH_OF(struct store, a_read_sees_one_moment),
                BOTH_OF(struct store, a_write_inside_a_write_is_refused),
                BOTH_OF(struct store, statements_made_at_run_time_work),
                BOTH_OF(struct store, a_failing_member_harms_no_neighbour),
                BOTH_OF(struct store, read_then_write_is_safe),
                BOTH_OF(struct store, never_half),
                cmocka_unit_test(a_full_queue_is_busy),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
