/* ledger/audit_test.c -- what a forger does, up to computing chains, leaves and nodes anew, and what the check says. */
#include "ledger/world_test.h"
#include "base/clock.h"
#include "ledger/checkpoint.h"
#include "ledger/digest.h"
#include "ledger/tree.h"
#include <stdlib.h>
#include <unistd.h>

static const char SQL_OUTSIDE[] = "SELECT h.subject, h.seq, h.hash FROM history h LEFT JOIN ledger_leaf l ON l.subject = h.subject"
                                  " AND l.seq = h.seq WHERE l.idx IS NULL ORDER BY h.subject, h.seq LIMIT 256";
static const char SQL_SET_ROW[] = "UPDATE history SET hash = $3 WHERE subject = $1 AND seq = $2";
static const char SQL_SET_TIP[] = "UPDATE tip SET hash = $2 WHERE subject = $1";

#define DAY_0 1764374400000000
static char key_folder[] = "/tmp/yiwang-audit-XXXXXX", key_file[60];

static struct signers *signers_of_test(void)
{
        struct signers *s;
        struct err e;
        ok(signers_open(&s, key_file, true, SIGN_ED25519, &e), &e);
        return s;
}

/* --- the tree ------------------------------------------------------------------------------------------------------------ */
struct growing {
        struct arena *arena;
        struct tree_growth plan;
        bool grown;
};

static bool plan(struct tx *tx, void *ctx, struct err *e)
{
        struct growing *g = ctx;
        struct rows r;
        if (!tree_plan(tx, &g->plan, e) || !tx_rows(tx, &r, e, SQL_OUTSIDE, NO_ARGS))
                return false;
        while (!tree_full(&g->plan) && rows_next(&r)) {
                struct tree_row row = {.subject = rows_int(&r, 0), .seq = rows_int(&r, 1)};
                size_t n;
                memcpy(row.digest, rows_blob(&r, g->arena, 2, &n), sizeof row.digest);
                tree_add(&g->plan, &row);
        }
        return rows_done(&r, e);
}

static bool write_growth(struct tx *tx, void *ctx, struct err *e)
{
        struct growing *g = ctx;
        return tree_write(tx, &g->plan, &g->grown, e);
}

static void sweep(struct world *w)
{
        struct growing *g = NEW(w->arena, struct growing);
        struct err e;
        g->arena = w->arena;
        do {
                ok(store_read(w->store, plan, g, &e), &e);
                ok(store_write(w->store, write_growth, g, &e), &e);
                assert_true(g->grown);
        } while (tree_full(&g->plan));
}

static const char *checkpoint_at(struct world *w, int64_t now)
{
        struct signers *signers = signers_of_test();
        const char *note;
        struct err e;
        ok(checkpoint_make(w->store, w->arena, "test/ledger", signers, now, &note, &e), &e);
        signers_close(&signers);
        return note;
}

static struct ledger_verdict verdict_with(struct world *w, const struct checkpoint *seen)
{
        struct signers *signers = signers_of_test();
        const struct ledger_proofs proofs = {signers, seen};
        struct ledger_verdict v;
        struct err e;
        ok(ledger_verify(w->store, &proofs, NULL, NULL, &v, &e), &e);
        signers_close(&signers);
        return v;
}

static void says(struct world *w, const struct checkpoint *seen, const char *what)
{
        const struct ledger_verdict v = verdict_with(w, seen);
        if ((*what == '\0') != (v.faults == 0) || !strstr(v.first, what))
                fail_msg("says: %s\n  not: %s", v.first, what);
}

/* Six cases of three rows; in the tree with two checkpoints, after nine and after all of them. */
static void make_rows(struct world *w)
{
        assert_true(test_script(w->store,
                                "DELETE FROM history; DELETE FROM tip; UPDATE ledger_lane SET last = 0; DELETE FROM ledger_leaf;"
                                "DELETE FROM ledger_node; DELETE FROM ledger_checkpoint; UPDATE ledger_tree SET size = 0;"));
        for (int64_t subject = 1; subject <= 6; subject++) {
                add_rows(w, subject, 3);
                if (subject % 3 == 0) {
                        sweep(w);
                        (void)checkpoint_at(w, DAY_0 + subject * USEC_DAY);
                }
        }
        says(w, NULL, "");
}

/* --- a forger who knows how digests are made ------------------------------------------------------------------------------ */
struct forging {
        struct arena *arena;
        int64_t subject;
};

/* The chain of the case computed anew from what its rows say now. */
static bool chain_anew(struct tx *tx, void *ctx, struct err *e)
{
        struct forging *f = ctx;
        struct ledger_row *rows;
        size_t n;
        unsigned char hash[SHA256_SIZE] = {0};
        if (!ledger_rows(tx, f->arena, f->subject, &rows, &n, e))
                return false;
        for (size_t i = 0; i < n; i++) {
                const struct ledger_place place = {rows[i].seq, rows[i].lane, rows[i].ordinal};
                unsigned char previous[SHA256_SIZE];
                memcpy(previous, hash, sizeof hash);
                ledger_digest(i ? previous : NULL, &rows[i].entry, &place, hash);
                if (tx_change(tx, e, SQL_SET_ROW, ARGS(V(f->subject), V(rows[i].seq), V_BLOB(hash, sizeof hash))) != 1)
                        return false;
        }
        return tx_change(tx, e, SQL_SET_TIP, ARGS(V(f->subject), V_BLOB(hash, sizeof hash))) == 1;
}

static void forge_chain(struct world *w, int64_t subject)
{
        struct err e;
        ok(store_write(w->store, chain_anew, &(struct forging){w->arena, subject}, &e), &e);
}

static const char TAKE_OVER[] =
        "UPDATE ledger_leaf SET digest = (SELECT hash FROM history h WHERE h.subject = ledger_leaf.subject AND"
        " h.seq = ledger_leaf.seq);";

static void do_script(struct world *w, const char *script)
{
        if (!test_script(w->store, script))
                fail_msg("%s", script);
}

struct harm {
        const char *script; /* done to the rows */
        int64_t forged;     /* then this case's chain is computed anew; 0 = none */
        const char *says;
};
static const struct harm harms[] = {
        /* changed */
        {"UPDATE history SET actor = 'bob' WHERE subject = 2 AND seq = 2;", 0, "case YW2: row 2 (go) was altered"},
        {"UPDATE history SET actor = 'bob' WHERE subject = 2 AND seq = 2;", 2,
         "case YW2: row 2 (go) is not the one in the tree, leaf 4"},
        {"UPDATE history SET at = at - 1 WHERE subject = 5 AND seq = 1;", 5,
         "case YW5: row 1 (go) is not the one in the tree, leaf 12"},
        /* dropped: the last, one in the middle, a whole case with its place in the lane */
        {"DELETE FROM history WHERE subject = 2 AND seq = 3; UPDATE tip SET seq = 2 WHERE subject = 2;", 2,
         "case YW2: row 3 is missing: it is in the tree as leaf 5"},
        {"DELETE FROM history WHERE subject = 2 AND seq = 2; UPDATE history SET seq = 2 WHERE subject = 2 AND seq = 3;"
         "UPDATE tip SET seq = 2 WHERE subject = 2;",
         2, "case YW2: row 3 is missing: it is in the tree as leaf 5"},
        {"DELETE FROM history WHERE subject = 6; DELETE FROM tip WHERE subject = 6;"
         "UPDATE ledger_lane SET last = last - 1 WHERE last = 6;",
         0, "case 6: row 1 is missing: it is in the tree as leaf 15"},
        /* reordered */
        {"UPDATE history SET seq = 9 WHERE subject = 2 AND seq = 2; UPDATE history SET seq = 2 WHERE subject = 2 AND seq = 3;"
         "UPDATE history SET seq = 3 WHERE subject = 2 AND seq = 9; UPDATE history SET move = 'x' WHERE subject = 2 AND seq = 2;",
         2, "case YW2: row 2 (x) is not the one in the tree, leaf 4"},
        /* inserted in the middle */
        {"UPDATE history SET seq = 4 WHERE subject = 2 AND seq = 3;"
         "INSERT INTO history SELECT subject, 3, lane, ordinal, 'put', origin, dest, actor, role, unit, form, at, hash FROM history"
         " WHERE subject = 2 AND seq = 2; UPDATE tip SET seq = 4 WHERE subject = 2;",
         2, "case YW2: row 3 (put) is not the one in the tree, leaf 5"},
        /* inserted at the end, but the case does not know of it */
        {"INSERT INTO history SELECT subject, 4, lane, ordinal, 'put', origin, dest, actor, role, unit, form, at, hash FROM history"
         " WHERE subject = 2 AND seq = 3;",
         0, "case YW2: row 4 (put) was altered"},
        /* inserted at the end as if it were old */
        {"INSERT INTO history SELECT subject, 4, lane, ordinal, 'put', origin, dest, actor, role, unit, form, at, hash FROM history"
         " WHERE subject = 2 AND seq = 3; UPDATE tip SET seq = 4 WHERE subject = 2;",
         2, "case YW2: row 4 is not in the tree, though it says it is older than its checkpoints"},
};

static void every_forgery_is_named(struct world *w)
{
        for (size_t i = 0; i < COUNT_OF(harms); i++) {
                make_rows(w);
                do_script(w, harms[i].script);
                if (harms[i].forged)
                        forge_chain(w, harms[i].forged);
                says(w, NULL, harms[i].says);
        }
}

static void a_row_put_in_as_if_old_is_found_also_in_the_tree(struct world *w)
{
        struct err e;
        make_rows(w);
        /* Exactly as the program appends, but for the instant. */
        ok(store_write(w->store, append, &(struct job){.subject = 2, .move = "go", .form = "{}", .at = DAY_0}, &e), &e);
        sweep(w);
        (void)checkpoint_at(w, DAY_0 + 9 * USEC_DAY);
        says(w, NULL, "case YW2: row 4 (go) was put in later than it says");
        /* One that says when it came is a row like others. */
        make_rows(w);
        ok(store_write(w->store, append, &(struct job){.subject = 2, .move = "go", .form = "{}", .at = DAY_0 + 8 * USEC_DAY}, &e),
           &e);
        says(w, NULL, "");
        assert_int_equal(verdict_with(w, NULL).waiting, 1);
        sweep(w);
        (void)checkpoint_at(w, DAY_0 + 9 * USEC_DAY);
        says(w, NULL, "");
        assert_int_equal(verdict_with(w, NULL).leaves, 19);
        assert_int_equal(verdict_with(w, NULL).checkpoints, 3);
}

/* --- the tree itself ------------------------------------------------------------------------------------------------- */
static const struct harm tree_harms[] = {
        {"UPDATE ledger_leaf SET digest = (SELECT digest FROM ledger_leaf l WHERE l.idx = 3) WHERE idx = 4;", 0,
         "case YW2: row 2 (go) is not the one in the tree, leaf 4"},
        {"DELETE FROM ledger_leaf WHERE idx = 4;", 0, "case YW2: row 2 is not in the tree, though row 3 is"},
        {"DELETE FROM ledger_leaf WHERE idx = 17;", 0, "leaf 17 of the tree is gone"},
        {"UPDATE ledger_leaf SET idx = 99 WHERE idx = 4; UPDATE ledger_leaf SET idx = 4 WHERE idx = 5;"
         "UPDATE ledger_leaf SET idx = 5 WHERE idx = 99;",
         0, "case YW2: row 3 is in the tree before row 2"},
        {"UPDATE ledger_leaf SET idx = 99 WHERE idx = 4; UPDATE ledger_leaf SET idx = 4 WHERE idx = 10;"
         "UPDATE ledger_leaf SET idx = 10 WHERE idx = 99;",
         0, "case YW4: row 2 is in the tree before row 1"},
        {"UPDATE ledger_node SET hash = (SELECT digest FROM ledger_leaf WHERE idx = 1);", 0,
         "the tree does not fit its leaves 0 to 15"},
        {"DELETE FROM ledger_node;", 0, "the tree does not fit its leaves 0 to 15"},
        {"DELETE FROM ledger_leaf WHERE idx > 12; UPDATE ledger_tree SET size = 13; DELETE FROM ledger_node;", 0,
         "the tree has 13 leaves, fewer than its checkpoint of size 18"},
        {"UPDATE ledger_checkpoint SET size = 10 WHERE size = 9;", 0, "the checkpoint of size 10 was altered"},
        {"UPDATE ledger_checkpoint SET note = 'nothing' WHERE size = 9;", 0, "the checkpoint of size 9 was altered"},
        {"UPDATE ledger_checkpoint SET note = REPLACE(note, 'time 2025', 'time 2024') WHERE size = 9;", 0,
         "the checkpoint of size 9 has no signature of ours"},
        {"UPDATE ledger_checkpoint SET note = REPLACE(note, 'test/ledger', 'test/other') WHERE size = 9;", 0,
         "the checkpoint of size 9 has no signature of ours"},
};

static void a_tree_that_was_touched_is_found(struct world *w)
{
        for (size_t i = 0; i < COUNT_OF(tree_harms); i++) {
                make_rows(w);
                do_script(w, tree_harms[i].script);
                says(w, NULL, tree_harms[i].says);
        }
}

/* The whole tree made again from the forged rows, in the order it had. */
static void forge_tree(struct world *w)
{
        do_script(w, "DELETE FROM ledger_leaf; DELETE FROM ledger_node; UPDATE ledger_tree SET size = 0;");
        sweep(w);
}

static void a_tree_made_anew_does_not_fit_its_checkpoints(struct world *w)
{
        struct signers *signers = signers_of_test();
        struct checkpoint seen;
        const char *note;
        struct err e;
        make_rows(w);
        do_script(w, "UPDATE history SET actor = 'bob' WHERE subject = 4 AND seq = 1;");
        forge_chain(w, 4);
        do_script(w, TAKE_OVER);
        says(w, NULL, "case YW1: the tree does not fit its leaves 0 to 15; the first is row 1 of this case");
        forge_tree(w);
        says(w, NULL, "case YW4: rows 9 to 17 of the tree are not those of the checkpoint of 2025-12-");
        /* Such a tree is not signed again. */
        assert_false(checkpoint_make(w->store, w->arena, "test/ledger", signers, DAY_0, &note, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        /* With the checkpoint gone, too, nothing in the store tells; the one that was kept elsewhere does. */
        make_rows(w);
        ok(note_read(w->arena, checkpoint_at(w, DAY_0 + 9 * USEC_DAY), &seen, &e), &e);
        assert_int_equal(seen.size, 18);
        says(w, &seen, "");
        do_script(w,
                  "UPDATE history SET actor = 'bob' WHERE subject = 4 AND seq = 1; DELETE FROM ledger_checkpoint WHERE size > 9;");
        forge_chain(w, 4);
        forge_tree(w);
        (void)checkpoint_at(w, DAY_0 + 9 * USEC_DAY);
        says(w, NULL, "");
        says(w, &seen, "rows 9 to 17 of the tree are not those of the checkpoint given of 2025-12-");
        seen.size = 40;
        says(w, &seen, "fewer than the checkpoint given, of size 40");
        signers_close(&signers);
}

static void a_checkpoint_of_another_key_is_none_of_ours(struct world *w)
{
        char other[80];
        struct signers *theirs;
        const char *note;
        struct err e;
        make_rows(w);
        do_script(w, "DELETE FROM ledger_checkpoint;");
        (void)snprintf(other, sizeof other, "%s.other", key_file);
        ok(signers_open(&theirs, other, true, SIGN_SM2, &e), &e);
        ok(checkpoint_make(w->store, w->arena, "test/ledger", theirs, DAY_0, &note, &e), &e);
        assert_true(note_signed(note, theirs));
        says(w, NULL, "the checkpoint of size 18 has no signature of ours");
        /* Ours takes its place, and is made once. */
        const char *ours = checkpoint_at(w, DAY_0 + USEC_DAY);
        assert_string_equal(checkpoint_at(w, DAY_0 + 2 * USEC_DAY), ours);
        says(w, NULL, "");
        signers_close(&theirs);
        (void)unlink(other);
}

static void a_fault_behind_the_first_page_is_found(struct world *w)
{
        make_rows(w);
        add_rows(w, 7, 2100);
        sweep(w);
        (void)checkpoint_at(w, DAY_0 + 9 * USEC_DAY);
        says(w, NULL, "");
        do_script(w, "UPDATE history SET actor = 'bob' WHERE subject = 7 AND seq = 2090;");
        forge_chain(w, 7);
        says(w, NULL, "case YW7: row 2090 (go) is not the one in the tree, leaf 2107");
        assert_int_equal(verdict_with(w, NULL).faults, 11);
        do_script(w, TAKE_OVER);
        says(w, NULL, "case YW7: the tree does not fit its leaves 2096 to 2111; the first is row 2079 of this case");
}

/* --- notes ------------------------------------------------------------------------------------------------------------- */
static void a_note_is_read_in_one_form_only(struct world *w)
{
        static const char *const bad[] = {
                "",
                "x",
                "x\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
                "x\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
                "x y\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAA\n",
                "x\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAA\n",
                "x\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— x AAAA\n",
                "x\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n\n— x AAAA\n",
                "x\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\ntime soon\n\n— x AAAA\n",
        };
        static const char good[] = "x\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nmore\n\n— x AAAA\n";
        struct checkpoint c;
        struct err e;
        for (size_t i = 0; i < COUNT_OF(bad); i++)
                if (note_read(w->arena, bad[i], &c, &e))
                        fail_msg("%s", bad[i]);
        ok(note_read(w->arena, good, &c, &e), &e);
        assert_int_equal(c.size, 1);
        assert_string_equal(c.origin, "x");
        struct signers *signers = signers_of_test();
        assert_false(note_signed(good, signers));
        /* Any byte of a note of ours changed, and it is no longer ours. */
        make_rows(w);
        const char *note = checkpoint_at(w, DAY_0 + 9 * USEC_DAY);
        assert_true(note_signed(note, signers));
        for (size_t i = 0; note[i + 1]; i++) {
                char *changed = arena_text(w->arena, note);
                changed[i] = (char)(changed[i] ^ 1);
                if (note_signed(changed, signers))
                        fail_msg("byte %zu of\n%s", i, note);
        }
        signers_close(&signers);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(every_forgery_is_named),
                BOTH(a_row_put_in_as_if_old_is_found_also_in_the_tree),
                BOTH(a_tree_that_was_touched_is_found),
                BOTH(a_tree_made_anew_does_not_fit_its_checkpoints),
                BOTH(a_checkpoint_of_another_key_is_none_of_ours),
                BOTH(a_fault_behind_the_first_page_is_found),
                BOTH(a_note_is_read_in_one_form_only),
        };
        log_least(LOG_ERROR);
        if (!mkdtemp(key_folder))
                return 1;
        (void)snprintf(key_file, sizeof key_file, "%s/ledger.key", key_folder);
        const int failed = cmocka_run_group_tests(tests, NULL, NULL);
        (void)unlink(key_file);
        (void)rmdir(key_folder);
        return failed;
}
