/* ledger/merkle_test.c -- the vectors of the Certificate Transparency project, and every proof of every tree of up to 64 leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ledger/reference_test.h"

enum { SIZES = 64 };

/* Leaves and roots of merkletree/merkle_tree_test.cc of github.com/google/certificate-transparency. */
static const char *const inputs[] = {
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
};
static const char *const roots[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};
static const struct {
        int64_t index, size;
        int n;
        const char *path[3];
} paths[] = {
        {0, 1, 0, {NULL}},
        {0,
         8,
         3,
         {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
        {5,
         8,
         3,
         {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
          "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
        {2, 3, 1, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
        {1,
         5,
         3,
         {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
          "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
          "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
};

static struct merkle_hash of_hex(const char *hex)
{
        struct merkle_hash h = {{0}};
        assert_true(hex_bytes(hex, h.at, sizeof h.at));
        return h;
}

static struct merkle_hash input_leaf(size_t i)
{
        unsigned char bytes[16];
        const size_t n = strlen(inputs[i]) / 2;
        assert_true(hex_bytes(inputs[i], bytes, n));
        return merkle_leaf(bytes, n);
}

static void roots_are_those_of_the_published_tree(void **state)
{
        struct merkle_edge edge = {.size = 0};
        struct merkle_hash root = merkle_root(&edge);
        const struct merkle_hash empty = of_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        (void)state;
        assert_true(merkle_same(&root, &empty));
        for (size_t i = 0; i < COUNT_OF(inputs); i++) {
                const struct merkle_hash leaf = input_leaf(i), wanted = of_hex(roots[i]);
                merkle_add(&edge, &leaf, NULL, NULL);
                root = merkle_root(&edge);
                assert_int_equal(edge.size, i + 1);
                assert_true(merkle_same(&root, &wanted));
        }
}

static void published_paths_are_taken(void **state)
{
        (void)state;
        for (size_t i = 0; i < COUNT_OF(paths); i++) {
                struct merkle_proof proof = {.n = paths[i].n};
                const struct merkle_hash leaf = input_leaf((size_t)paths[i].index), root = of_hex(roots[paths[i].size - 1]);
                for (int k = 0; k < proof.n; k++)
                        proof.at[k] = of_hex(paths[i].path[k]);
                assert_true(merkle_included(&leaf, paths[i].index, paths[i].size, &proof, &root));
        }
}

/* --- every tree of up to SIZES leaves ----------------------------------------------------------------------------------- */
static void fill(struct merkle_hash leaves[SIZES])
{
        for (int i = 0; i < SIZES; i++) {
                const unsigned char byte = (unsigned char)i;
                leaves[i] = merkle_leaf(&byte, 1);
        }
}

struct tally {
        int64_t completed;
};

static void count_made(void *ctx, int level, int64_t index, const struct merkle_hash *h)
{
        struct merkle_hash leaves[SIZES];
        fill(leaves);
        const struct merkle_hash wanted = reference_root(leaves + (index << level), (int64_t)1 << level);
        assert_true(merkle_same(h, &wanted));
        ((struct tally *)ctx)->completed++;
}

static void an_edge_grows_to_every_root(void **state)
{
        struct merkle_hash leaves[SIZES];
        struct merkle_edge edge = {.size = 0};
        struct tally t = {0};
        (void)state;
        fill(leaves);
        for (int64_t n = 1; n <= SIZES; n++) {
                merkle_add(&edge, &leaves[n - 1], count_made, &t);
                const struct merkle_hash root = merkle_root(&edge), wanted = reference_root(leaves, n);
                assert_true(merkle_same(&root, &wanted));
        }
        assert_int_equal(t.completed, SIZES - 1); /* a whole binary tree has so many inner nodes */
}

/* Nothing but the very proof is taken: not one with a hash that differs, one less, one more, of another leaf or size. */
static void no_other_path_is_taken(const struct merkle_hash *leaves, int64_t i, int64_t n, const struct merkle_proof *right)
{
        const struct merkle_hash root = reference_root(leaves, n), other = leaves[(i + 1) % SIZES];
        struct merkle_proof p;
        for (int k = 0; k < right->n; k++) {
                p = *right;
                p.at[k].at[k % SHA256_SIZE] ^= 1;
                assert_false(merkle_included(&leaves[i], i, n, &p, &root));
        }
        p = *right;
        p.at[p.n++] = root;
        assert_false(merkle_included(&leaves[i], i, n, &p, &root));
        p = *right;
        if (p.n-- > 0)
                assert_false(merkle_included(&leaves[i], i, n, &p, &root));
        assert_false(merkle_included(&other, i, n, right, &root));
        for (int64_t k = -1; k <= n; k++)
                if (k != i)
                        assert_false(merkle_included(&leaves[i], k, n, right, &root));
}

static void every_leaf_has_a_path(void **state)
{
        struct merkle_hash leaves[SIZES];
        (void)state;
        fill(leaves);
        for (int64_t n = 1; n <= SIZES; n++) {
                const struct merkle_hash root = reference_root(leaves, n);
                for (int64_t i = 0; i < n; i++) {
                        struct merkle_proof p = {.n = 0};
                        reference_path(i, leaves, n, &p);
                        assert_true(merkle_included(&leaves[i], i, n, &p, &root));
                        no_other_path_is_taken(leaves, i, n, &p);
                }
        }
}

static void no_other_growth_is_taken(const struct merkle_hash *leaves, int64_t m, int64_t n, const struct merkle_proof *right)
{
        const struct merkle_hash old = reference_root(leaves, m), root = reference_root(leaves, n);
        struct merkle_hash wrong = old;
        struct merkle_proof p;
        for (int k = 0; k < right->n; k++) {
                p = *right;
                p.at[k].at[k % SHA256_SIZE] ^= 1;
                assert_false(merkle_extends(m, &old, n, &root, &p));
        }
        p = *right;
        p.at[p.n++] = root;
        assert_false(merkle_extends(m, &old, n, &root, &p));
        p = *right;
        if (p.n-- > 0)
                assert_false(merkle_extends(m, &old, n, &root, &p));
        wrong.at[0] ^= 1;
        assert_false(merkle_extends(m, &wrong, n, &root, right));
        wrong = root;
        wrong.at[0] ^= 1;
        assert_false(merkle_extends(m, &old, n, &wrong, right));
        assert_false(merkle_extends(n + 1, &old, n, &root, right));
}

static void every_tree_extends_the_smaller_ones(void **state)
{
        struct merkle_hash leaves[SIZES];
        (void)state;
        fill(leaves);
        for (int64_t n = 1; n <= SIZES; n++)
                for (int64_t m = 1; m <= n; m++) {
                        const struct merkle_hash old = reference_root(leaves, m), root = reference_root(leaves, n);
                        struct merkle_proof p = {.n = 0};
                        reference_growth(m, leaves, n, true, &p);
                        assert_true(merkle_extends(m, &old, n, &root, &p));
                        no_other_growth_is_taken(leaves, m, n, &p);
                }
}

static void every_tree_extends_the_empty_one(void **state)
{
        const struct merkle_hash leaf = merkle_leaf("x", 1), empty = reference_root(NULL, 0);
        struct merkle_proof p = {.n = 0};
        (void)state;
        assert_true(merkle_extends(0, &empty, 1, &leaf, &p));
        assert_true(merkle_extends(0, &empty, 0, &empty, &p));
        assert_false(merkle_extends(0, &leaf, 0, &empty, &p));
        assert_false(merkle_extends(-1, &empty, 1, &leaf, &p));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(roots_are_those_of_the_published_tree), cmocka_unit_test(published_paths_are_taken),
                cmocka_unit_test(an_edge_grows_to_every_root),           cmocka_unit_test(every_leaf_has_a_path),
                cmocka_unit_test(every_tree_extends_the_smaller_ones),   cmocka_unit_test(every_tree_extends_the_empty_one),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
