/* ledger/ledger_test.c -- chains, and what the check finds: altered, dropped, moved, forged rows, on both engines. */
#include "ledger/world_test.h"
#include <pthread.h>
#include <stdatomic.h>

static struct ledger_verdict verdict_of(struct world *w)
{
        struct ledger_verdict v;
        struct err e;
        ok(ledger_verify(w->store, NULL, NULL, NULL, &v, &e), &e);
        return v;
}

static void is_whole(struct world *w, int64_t cases, int64_t rows)
{
        const struct ledger_verdict v = verdict_of(w);
        assert_string_equal(v.first, "");
        assert_int_equal(v.faults, 0);
        assert_int_equal(v.cases, cases);
        assert_int_equal(v.rows, rows);
}

struct reading {
        struct arena *arena;
        int64_t subject;
        struct ledger_row *rows;
        size_t n;
};

static bool read_rows(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *r = ctx;
        return ledger_rows(tx, r->arena, r->subject, &r->rows, &r->n, e);
}

static void rows_come_back_in_order(struct world *w)
{
        struct reading r = {.arena = w->arena, .subject = 7};
        struct err e;
        add_rows(w, 7, 40);
        add_rows(w, 8, 1);
        ok(store_read(w->store, read_rows, &r, &e), &e);
        assert_int_equal(r.n, 40);
        for (size_t i = 0; i < r.n; i++) {
                assert_int_equal(r.rows[i].seq, (int64_t)i + 1);
                assert_string_equal(r.rows[i].entry.move, "go");
                assert_string_equal(r.rows[i].entry.unit, "");
                assert_string_equal(r.rows[i].entry.form, "{\"n\":1}");
                assert_int_equal(r.rows[i].entry.at, 1007);
                assert_true(i == 0 || memcmp(r.rows[i].hash, r.rows[i - 1].hash, SHA256_SIZE) != 0);
        }
        is_whole(w, 2, 41);
}

/* The first program that opens a store is node 1; its first writer's lane is 4, as many as there are writers before it. */
/* The bytes of ledger/digest.h written down by hand: who verifies with another program must get the same. */
static void the_digest_is_as_documented(struct world *w)
{
        static const unsigned char bytes[] = "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                             "\0\0\0\0\0\0\0\5"
                                             "\0\0\0\0\0\0\0\1"
                                             "\0\0\0\0\0\0\0\4"
                                             "\0\0\0\0\0\0\0\1"
                                             "\0\0\0\0\0\0\3\355"
                                             "\0\0\0\0\0\0\0\2go"
                                             "\0\0\0\0\0\0\0\1a"
                                             "\0\0\0\0\0\0\0\1b"
                                             "\0\0\0\0\0\0\0\3ana"
                                             "\0\0\0\0\0\0\0\5clerk"
                                             "\0\0\0\0\0\0\0\0"
                                             "\0\0\0\0\0\0\0\7{\"n\":1}";
        unsigned char hash[SHA256_SIZE];
        struct reading r = {.arena = w->arena, .subject = 5};
        struct err e;
        add_rows(w, 5, 1);
        ok(store_read(w->store, read_rows, &r, &e), &e);
        sha256(bytes, sizeof bytes - 1, hash);
        assert_memory_equal(hash, r.rows[0].hash, SHA256_SIZE);
}

static void an_old_tip_is_a_conflict(struct world *w)
{
        struct err e;
        struct job first = {.subject = 9, .move = "go", .form = NULL}, second = {.subject = 9, .move = "come", .keep_tip = true};
        ok(store_write(w->store, append, &first, &e), &e);
        second.tip = first.tip;
        ok(store_write(w->store, append, &second, &e), &e);
        struct job late = {.subject = 9, .move = "stay", .tip = first.tip, .keep_tip = true};
        assert_false(store_write(w->store, append, &late, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_true(*e.zh);
        is_whole(w, 1, 2);
}

/* --- what is done to the tables behind our back, and what the check says ------------------------------------------- */

struct harm {
        const char *script, *says;
};

static const struct harm harms[] = {
        {"UPDATE history SET move = 'gone' WHERE subject = 3 AND seq = 2;", "case YW3: row 2 (gone) was altered"},
        {"UPDATE history SET origin = 'x' WHERE subject = 3 AND seq = 2;", "case YW3: row 2 (go) was altered"},
        {"UPDATE history SET dest = 'x' WHERE subject = 3 AND seq = 3;", "case YW3: row 3 (go) was altered"},
        {"UPDATE history SET actor = 'bob' WHERE subject = 3 AND seq = 1;", "case YW3: row 1 (go) was altered"},
        {"UPDATE history SET role = 'admin' WHERE subject = 3 AND seq = 2;", "case YW3: row 2 (go) was altered"},
        {"UPDATE history SET unit = 'city' WHERE subject = 3 AND seq = 2;", "case YW3: row 2 (go) was altered"},
        {"UPDATE history SET form = '{}' WHERE subject = 3 AND seq = 2;", "case YW3: row 2 (go) was altered"},
        {"UPDATE history SET at = at + 1 WHERE subject = 3 AND seq = 2;", "case YW3: row 2 (go) was altered"},
        /* Text moved from one column to its neighbour. */
        {"UPDATE history SET origin = 'ab', dest = '' WHERE subject = 3 AND seq = 2;", "case YW3: row 2 (go) was altered"},
        {"UPDATE history SET hash = (SELECT hash FROM history WHERE subject = 4 AND seq = 2) WHERE subject = 3 AND seq = 2;",
         "case YW3: row 2 (go) was altered"},
        {"UPDATE history SET ordinal = ordinal + 1 WHERE subject = 3 AND seq = 1;", "case YW3: row 1 (go) was altered"},
        {"UPDATE history SET lane = 5 WHERE subject = 3 AND seq = 1;", "case YW3: row 1 (go) was altered"},
        {"DELETE FROM history WHERE subject = 3 AND seq = 2;", "case YW3: row 2 is missing"},
        {"DELETE FROM history WHERE subject = 3 AND seq = 1;", "case YW3: row 1 is missing"},
        {"DELETE FROM history WHERE subject = 3 AND seq = 3;", "case YW3: its last rows are gone (2 of 3 are there)"},
        {"DELETE FROM history WHERE subject = 3;", "case YW3: its history does not begin with row 1"},
        {"DELETE FROM history WHERE subject = 3; DELETE FROM tip WHERE subject = 3;", "lane 4 has no ordinal 3"},
        {"DELETE FROM history WHERE subject = 3; UPDATE ledger_lane SET last = 0 WHERE lane = 4;",
         "case YW3: its history does not begin with row 1"},
        {"DELETE FROM tip WHERE subject = 3;", "case 3: the history is there, but the case is gone"},
        {"UPDATE tip SET hash = (SELECT hash FROM tip WHERE subject = 4) WHERE subject = 3;",
         "case YW3: row 3 is not the one the case points to"},
        {"UPDATE tip SET seq = 4 WHERE subject = 3;", "case YW3: its last rows are gone (3 of 4 are there)"},
        /* Two rows change places. */
        {"UPDATE history SET seq = 9 WHERE subject = 3 AND seq = 2; UPDATE history SET seq = 2 WHERE subject = 3 AND seq = 3;"
         "UPDATE history SET seq = 3 WHERE subject = 3 AND seq = 9;",
         "case YW3: row 2 (go) was altered"},
        /* A row of one case in another. */
        {"UPDATE history SET subject = 4, seq = 4 WHERE subject = 3 AND seq = 3;",
         "case YW3: its last rows are gone (2 of 3 are there)"},
        {"INSERT INTO history SELECT 99, seq, lane, ordinal, move, origin, dest, actor, role, unit, form, at, hash"
         " FROM history WHERE subject = 3;"
         "INSERT INTO tip SELECT 99, seq, hash FROM tip WHERE subject = 3;",
         "case YW99: lane 4 has two cases with ordinal 3"},
};

static bool write_script(struct tx *tx, void *ctx, struct err *e)
{
        return tx_script(tx, ctx, e);
}

static void every_harm_is_found(struct world *w)
{
        for (size_t i = 0; i < COUNT_OF(harms); i++) {
                assert_true(test_script(w->store, "DELETE FROM history; DELETE FROM tip; UPDATE ledger_lane SET last = 0;"));
                for (int64_t subject = 1; subject <= 6; subject++)
                        add_rows(w, subject, 3);
                is_whole(w, 6, 18);
                char script[600];
                struct err e;
                (void)snprintf(script, sizeof script, "%s", harms[i].script);
                ok(store_write(w->store, write_script, script, &e), &e);
                const struct ledger_verdict v = verdict_of(w);
                assert_true(v.faults > 0);
                if (!strstr(v.first, harms[i].says))
                        fail_msg("%s\n  says: %s\n  not: %s", harms[i].script, v.first, harms[i].says);
        }
}

static void a_fault_behind_the_first_page_is_found(struct world *w)
{
        /* More rows than one page holds, made in the database: only the last case is ours. */
        add_rows(w, 1, 2500);
        add_rows(w, 2, 3);
        is_whole(w, 2, 2503);
        assert_true(test_script(w->store, "UPDATE history SET at = 1 WHERE subject = 2 AND seq = 3;"));
        assert_string_equal(verdict_of(w).first, "case YW2: row 3 (go) was altered");
        assert_int_equal(verdict_of(w).faults, 1);
}

/* --- while others write ---------------------------------------------------------------------------------------------- */

struct writing {
        struct world *world;
        atomic_bool stop;
        atomic_int failed;
        int64_t first;
};

static void *keep_writing(void *ctx)
{
        struct writing *g = ctx;
        for (int64_t i = 0; !atomic_load(&g->stop); i++) {
                struct err e;
                struct job j = {.subject = g->first + i % 150, .move = "go", .form = "{}"};
                if (!store_write(g->world->store, append, &j, &e))
                        atomic_fetch_add(&g->failed, 1);
        }
        return NULL;
}

static void a_check_under_way_sees_no_fault(struct world *w)
{
        enum { WRITERS = 3 };
        struct writing writing[WRITERS];
        pthread_t threads[WRITERS];
        for (int i = 0; i < WRITERS; i++) {
                writing[i] = (struct writing){.world = w, .first = 1 + i * 1000};
                assert_int_equal(pthread_create(&threads[i], NULL, keep_writing, &writing[i]), 0);
        }
        struct ledger_verdict v;
        int checks = 0;
        do {
                v = verdict_of(w);
                checks++;
        } while (v.faults == 0 && (v.rows < 5000 || checks < 4) && checks < 3000);
        for (int i = 0; i < WRITERS; i++)
                atomic_store(&writing[i].stop, true);
        for (int i = 0; i < WRITERS; i++) {
                (void)pthread_join(threads[i], NULL);
                assert_int_equal(atomic_load(&writing[i].failed), 0);
        }
        assert_string_equal(v.first, "");
        assert_true(v.rows > 2000);
        assert_int_equal(verdict_of(w).faults, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(rows_come_back_in_order),
                BOTH(the_digest_is_as_documented),
                BOTH(an_old_tip_is_a_conflict),
                BOTH(every_harm_is_found),
                BOTH(a_fault_behind_the_first_page_is_found),
                BOTH(a_check_under_way_sees_no_fault),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
