/* ledger/merkle.c -- see merkle.h. */
#include "ledger/merkle.h"

struct merkle_hash merkle_leaf(const void *data, size_t n)
{
        struct merkle_hash out = {{0}};
        struct digest *d = digest_new();
        digest_add(d, "\0", 1);
        digest_add(d, data, n);
        digest_now(d, out.at);
        digest_free(&d);
        return out;
}

struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
        unsigned char both[1 + 2 * SHA256_SIZE] = {1};
        struct merkle_hash out = {{0}};
        memcpy(both + 1, left->at, SHA256_SIZE);
        memcpy(both + 1 + SHA256_SIZE, right->at, SHA256_SIZE);
        sha256(both, sizeof both, out.at);
        return out;
}

bool merkle_same(const struct merkle_hash *a, const struct merkle_hash *b)
{
        return memcmp(a->at, b->at, SHA256_SIZE) == 0;
}

void merkle_add(struct merkle_edge *edge, const struct merkle_hash *leaf, merkle_made *made, void *ctx)
{
        struct merkle_hash h = *leaf;
        int level = 0;
        /* As a binary counter counts: each bit that is carried joins two subtrees to one. */
        for (int64_t rest = edge->size; rest & 1; rest >>= 1) {
                h = merkle_node(&edge->at[level], &h);
                level++;
                if (made)
                        made(ctx, level, edge->size >> level, &h);
        }
        edge->at[level] = h;
        edge->size++;
}

struct merkle_hash merkle_root(const struct merkle_edge *edge)
{
        struct merkle_hash root;
        bool any = false;
        sha256("", 0, root.at);
        for (int level = 0; level < MERKLE_LEVELS; level++) {
                if (!(edge->size >> level & 1))
                        continue;
                root = any ? merkle_node(&edge->at[level], &root) : edge->at[level];
                any = true;
        }
        return root;
}

bool merkle_included(const struct merkle_hash *leaf, int64_t index, int64_t size, const struct merkle_proof *proof,
                     const struct merkle_hash *root)
{
        struct merkle_hash r = *leaf;
        int64_t fn = index, sn = size - 1;
        if (index < 0 || index >= size)
                return false;
        for (int i = 0; i < proof->n; i++) {
                if (sn == 0)
                        return false;
                if ((fn & 1) || fn == sn) {
                        r = merkle_node(&proof->at[i], &r);
                        for (; !(fn & 1) && fn != 0; fn >>= 1)
                                sn >>= 1;
                } else {
                        r = merkle_node(&r, &proof->at[i]);
                }
                fn >>= 1;
                sn >>= 1;
        }
        return sn == 0 && merkle_same(&r, root);
}

/* With 0 < from < to. */
static bool extends(int64_t from, const struct merkle_hash *old_root, int64_t to, const struct merkle_hash *root,
                    const struct merkle_proof *proof)
{
        int64_t fn = from - 1, sn = to - 1;
        int i = 0;
        for (; fn & 1; fn >>= 1)
                sn >>= 1;
        /* A whole power of two: the old root itself is the first. */
        struct merkle_hash first = *old_root;
        if (fn != 0) {
                if (proof->n == 0)
                        return false;
                first = proof->at[i++];
        }
        struct merkle_hash fr = first, sr = first;
        for (; i < proof->n; i++) {
                if (sn == 0)
                        return false;
                if ((fn & 1) || fn == sn) {
                        fr = merkle_node(&proof->at[i], &fr);
                        sr = merkle_node(&proof->at[i], &sr);
                        for (; !(fn & 1) && fn != 0; fn >>= 1)
                                sn >>= 1;
                } else {
                        sr = merkle_node(&sr, &proof->at[i]);
                }
                fn >>= 1;
                sn >>= 1;
        }
        return sn == 0 && merkle_same(&fr, old_root) && merkle_same(&sr, root);
}

bool merkle_extends(int64_t from, const struct merkle_hash *old_root, int64_t to, const struct merkle_hash *root,
                    const struct merkle_proof *proof)
{
        if (from < 0 || from > to)
                return false;
        if (from == to)
                return proof->n == 0 && merkle_same(old_root, root);
        /* Every tree extends the empty one. */
        return from == 0 ? proof->n == 0 : extends(from, old_root, to, root, proof);
}
