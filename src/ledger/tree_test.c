/* ledger/tree_test.c -- the kept tree gives the roots and proofs of RFC 6962 and grows in any steps, by one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "ledger/reference_test.h"
#include "ledger/tree.h"
#include "store/store.h"
#include "store/testing.h"

enum { MOST = 1400 };

struct world {
        struct store *store;
        struct merkle_hash leaves[MOST]; /* hashes of what is in the tree */
        int64_t size;
};

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

static struct tree_row row_of(int64_t i)
{
        struct tree_row r = {.subject = 1 + i / 7, .seq = 1 + i % 7};
        sha256(&i, sizeof i, r.digest);
        return r;
}

struct growing {
        struct tree_growth plan;
        bool grown;
};

static bool plan(struct tx *tx, void *ctx, struct err *e)
{
        return tree_plan(tx, &((struct growing *)ctx)->plan, e);
}

static bool write(struct tx *tx, void *ctx, struct err *e)
{
        struct growing *g = ctx;
        return tree_write(tx, &g->plan, &g->grown, e);
}

static void grow(struct world *w, int n)
{
        static struct growing g;
        struct err e;
        ok(store_read(w->store, plan, &g, &e), &e);
        assert_int_equal(g.plan.from, w->size);
        for (int i = 0; i < n; i++) {
                const struct tree_row r = row_of(w->size);
                assert_false(tree_full(&g.plan));
                tree_add(&g.plan, &r);
                w->leaves[w->size++] = merkle_leaf(r.digest, sizeof r.digest);
        }
        ok(store_write(w->store, write, &g, &e), &e);
        assert_true(g.grown);
}

/* --- against the definition --------------------------------------------------------------------------------------------- */
static bool same_proof(const struct merkle_proof *a, const struct merkle_proof *b)
{
        bool same = a->n == b->n;
        for (int i = 0; same && i < a->n; i++)
                same = merkle_same(&a->at[i], &b->at[i]);
        return same;
}

static void check_tree(struct tx *tx, const struct world *w, int64_t n, struct err *e)
{
        struct merkle_hash root, wanted = reference_root(w->leaves, n);
        ok(tree_root(tx, n, &root, e), e);
        assert_true(merkle_same(&root, &wanted));
}

static void check_path(struct tx *tx, const struct world *w, int64_t i, int64_t n, struct err *e)
{
        struct merkle_proof p, wanted = {.n = 0};
        reference_path(i, w->leaves, n, &wanted);
        ok(tree_prove(tx, i, n, &p, e), e);
        assert_true(same_proof(&p, &wanted));
}

static void check_growth(struct tx *tx, const struct world *w, int64_t m, int64_t n, struct err *e)
{
        struct merkle_proof p, wanted = {.n = 0};
        reference_growth(m, w->leaves, n, true, &wanted);
        ok(tree_prove_growth(tx, m, n, &p, e), e);
        assert_true(same_proof(&p, &wanted));
}

static bool small_trees(struct tx *tx, void *ctx, struct err *e)
{
        const struct world *w = ctx;
        for (int64_t n = 0; n <= 64; n++) {
                check_tree(tx, w, n, e);
                for (int64_t i = 0; i < n; i++) {
                        check_path(tx, w, i, n, e);
                        check_growth(tx, w, i + 1, n, e);
                }
        }
        return true;
}

/* A number from 0 below n. */
static int64_t draw(unsigned *seed, int64_t n)
{
        return n > 0 ? rand_r(seed) % n : 0;
}

static bool large_trees(struct tx *tx, void *ctx, struct err *e)
{
        const struct world *w = ctx;
        unsigned seed = 7;
        for (int k = 0; k < 150; k++) {
                const int64_t n = 1 + draw(&seed, w->size);
                check_tree(tx, w, n, e);
                check_path(tx, w, draw(&seed, n), n, e);
                check_growth(tx, w, 1 + draw(&seed, n), n, e);
        }
        return true;
}

static void every_proof_is_that_of_the_definition(struct world *w)
{
        struct err e;
        unsigned seed = 3;
        while (w->size < 64)
                grow(w, 1 + rand_r(&seed) % 9);
        ok(store_read(w->store, small_trees, w, &e), &e);
        while (w->size + TREE_ROOM <= MOST)
                grow(w, rand_r(&seed) % 3 ? TREE_ROOM : 1 + rand_r(&seed) % 100);
        ok(store_read(w->store, large_trees, w, &e), &e);
}

static void a_fifteenth_is_kept(struct world *w)
{
        for (int i = 0; i < 4; i++)
                grow(w, TREE_ROOM);
        assert_int_equal(test_number(w->store, "SELECT COUNT(*) FROM ledger_leaf"), 1024);
        assert_int_equal(test_number(w->store, "SELECT COUNT(*) FROM ledger_node WHERE level = 4"), 64);
        assert_int_equal(test_number(w->store, "SELECT COUNT(*) FROM ledger_node WHERE level = 8"), 4);
        assert_int_equal(test_number(w->store, "SELECT COUNT(*) FROM ledger_node"), 68);
}

/* --- two at once, and what is missing -------------------------------------------------------------------------------------- */
static void of_two_plans_one_is_written(struct world *w)
{
        static struct growing a, b;
        struct err e;
        const struct tree_row r = row_of(0);
        ok(store_read(w->store, plan, &a, &e), &e);
        ok(store_read(w->store, plan, &b, &e), &e);
        tree_add(&a.plan, &r);
        tree_add(&b.plan, &r);
        ok(store_write(w->store, write, &a, &e), &e);
        ok(store_write(w->store, write, &b, &e), &e);
        assert_true(a.grown);
        assert_false(b.grown);
        assert_int_equal(test_number(w->store, "SELECT COUNT(*) FROM ledger_leaf"), 1);
}

static bool root_of_all(struct tx *tx, void *ctx, struct err *e)
{
        struct merkle_hash root;
        return tree_root(tx, ((struct world *)ctx)->size, &root, e);
}

static void a_missing_part_is_told(struct world *w)
{
        struct err e;
        grow(w, 37);
        assert_true(test_script(w->store, "DELETE FROM ledger_node WHERE level = 4 AND idx = 1;"));
        assert_false(store_read(w->store, root_of_all, w, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_non_null(strstr(e.text, "of level 4"));
}

static bool places(struct tx *tx, void *ctx, struct err *e)
{
        int64_t n, at;
        (void)ctx;
        assert_true(tree_has(tx, 1, &n, e) && n == 7);
        assert_true(tree_has(tx, 2, &n, e) && n == 3);
        assert_true(tree_has(tx, 3, &n, e) && n == 0);
        assert_true(tree_place(tx, 2, 3, &at, e) && at == 9);
        assert_true(tree_place(tx, 2, 4, &at, e) && at == -1);
        assert_true(tree_size(tx, &n, e) && n == 10);
        return true;
}

static void rows_are_found_in_the_tree(struct world *w)
{
        struct err e;
        grow(w, 10);
        ok(store_read(w->store, places, NULL, &e), &e);
}

static void on_both(void **state)
{
        void (*test)(struct world *) = *(void (**)(struct world *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world *w = calloc(1, sizeof *w);
                assert_non_null(w);
                assert_true(test_store_open(&w->store, pg, test_migrations(all_migrations, "ledger", NULL)));
                test(w);
                store_close(&w->store);
                free(w);
        }
}
int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(every_proof_is_that_of_the_definition),
                BOTH(a_fifteenth_is_kept),
                BOTH(of_two_plans_one_is_written),
                BOTH(a_missing_part_is_told),
                BOTH(rows_are_found_in_the_tree),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
