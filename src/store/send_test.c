/* store/send_test.c -- statements nobody waits for: they are there after the commit, or the commit tells. */
#include "store/store.h"
#include "base/log.h"
#include "store/testing.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char SCHEMA[] = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
                             "CREATE TABLE tally (id INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
                             "INSERT INTO tally (id, n) VALUES (1, 0);";
static const struct migration MIGRATIONS[] = {{"test", 1, SCHEMA}, {0}};

static const char SQL_PUT[] = "INSERT INTO thing (id, name) VALUES ($1, $2)";
static const char SQL_COUNT[] = "SELECT count(*) FROM thing";
static const char SQL_TALLY[] = "SELECT n FROM tally WHERE id = 1";
static const char SQL_SET_TALLY[] = "UPDATE tally SET n = $1 WHERE id = 1";

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

enum { SENT = 200 }; /* more than one pipeline holds */

static bool sends_many(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        for (int64_t i = 1; i <= SENT; i++) {
                char name[24];
                (void)snprintf(name, sizeof name, "sent %d", (int)i);
                if (!tx_send(tx, e, SQL_PUT, ARGS(V(i), V((const char *)name))))
                        return false;
        }
        return true;
}

/* The first fails, and the second was never prepared before: on PostgreSQL it is skipped together with its preparation. */
static bool sends_in_vain(struct tx *tx, void *ctx, struct err *e)
{
        const bool *waits = ctx;
        struct err none;
        const bool first = tx_send(tx, &none, SQL_PUT, ARGS(V(1), V("again")));
        const bool second = tx_send(tx, &none, SQL_SET_TALLY, ARGS(V(7)));
        assert_int_equal(first, second); /* SQLite tells at once */
        if (!*waits)
                return true; /* the commit tells */
        assert_int_equal(tx_change(tx, e, SQL_SET_TALLY, ARGS(V(8))), -1);
        return false;
}

static bool sets_tally(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return tx_send(tx, e, SQL_SET_TALLY, ARGS(V(9)));
}

static void sent_on(struct store *s)
{
        struct err e;
        ok(store_write(s, sends_many, NULL, &e), &e);
        assert_int_equal(test_number(s, SQL_COUNT), SENT);
        for (int waits = 0; waits < 2; waits++) {
                assert_false(store_write(s, sends_in_vain, &(bool){waits}, &e));
                assert_int_equal(e.kind, ERR_CONFLICT);
                assert_int_equal(test_number(s, SQL_COUNT), SENT);
                assert_int_equal(test_number(s, SQL_TALLY), 0);
        }
        ok(store_write(s, sets_tally, NULL, &e), &e);
        assert_int_equal(test_number(s, SQL_TALLY), 9);
}

/* --- tx_expect(): counts taken for granted ---------------------------------------------------------------------------- */

static const char SQL_PUT_NEW[] = "INSERT INTO thing (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
static const char SQL_ADD_TALLY[] = "UPDATE tally SET n = n + 1 WHERE id = 1";

struct guess {
        int64_t id;
        int added, runs;
};

/* What follows the guess must not stay when the guess was wrong. */
static bool guesses(struct tx *tx, void *ctx, struct err *e)
{
        struct guess *g = ctx;
        g->runs++;
        g->added = tx_expect(tx, e, SQL_PUT_NEW, ARGS(V(g->id), V("expected")), 1);
        return g->added == 0 || (g->added == 1 && tx_send(tx, e, SQL_ADD_TALLY, NO_ARGS));
}

static void expected_on(struct store *s)
{
        struct err e;
        struct guess g = {.id = 5};
        ok(store_write(s, guesses, &g, &e), &e);
        assert_int_equal(g.added, 1);
        assert_int_equal(g.runs, 1);
        g.runs = 0;
        ok(store_write(s, guesses, &g, &e), &e);
        assert_int_equal(g.added, 0);
        assert_int_equal(g.runs, store_is_postgres(s) ? 2 : 1);
        assert_int_equal(test_number(s, SQL_TALLY), 1);
        assert_int_equal(test_number(s, SQL_COUNT), 1);
}

enum { GUESSERS = 24, GUESSES = 60, THINGS = 40 };
struct guesser {
        struct store *store;
        int64_t seed;
        int added;
        pthread_t thread;
};

static void *guess_on(void *ctx)
{
        struct guesser *w = ctx;
        for (int i = 0; i < GUESSES; i++) {
                struct guess g = {.id = 1 + (w->seed * 31 + i * 7) % THINGS};
                struct err e;
                if (!store_write(w->store, guesses, &g, &e))
                        return (void *)1;
                w->added += g.added;
        }
        return NULL;
}

/* Many guess at once about the same rows, several in one transaction: each row is added once, and the tally tells the same. */
static void guessed_at_once_on(struct store *s)
{
        struct guesser w[GUESSERS];
        int added = 0;
        for (int i = 0; i < GUESSERS; i++) {
                w[i] = (struct guesser){.store = s, .seed = i};
                assert_int_equal(pthread_create(&w[i].thread, NULL, guess_on, &w[i]), 0);
        }
        for (int i = 0; i < GUESSERS; i++) {
                void *failed;
                assert_int_equal(pthread_join(w[i].thread, &failed), 0);
                assert_null(failed);
                added += w[i].added;
        }
        assert_int_equal(added, THINGS);
        assert_int_equal(test_number(s, SQL_COUNT), THINGS);
        assert_int_equal(test_number(s, SQL_TALLY), THINGS);
}

static void on_both(void (*test)(struct store *))
{
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct store *s;
                assert_true(test_store_open(&s, pg, MIGRATIONS));
                test(s);
                store_close(&s);
        }
}

static void a_wrong_guess_runs_again(void **state)
{
        (void)state;
        on_both(expected_on);
}

static void many_guess_at_once(void **state)
{
        (void)state;
        on_both(guessed_at_once_on);
}

static void what_was_sent_is_there_or_told(void **state)
{
        (void)state;
        on_both(sent_on);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_sent_is_there_or_told),
                cmocka_unit_test(a_wrong_guess_runs_again),
                cmocka_unit_test(many_guess_at_once),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
