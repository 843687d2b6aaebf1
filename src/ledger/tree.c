/* ledger/tree.c -- see tree.h.  The only writer of ledger_leaf, ledger_node and ledger_tree. */
#include "ledger/tree.h"
#include "base/arena.h"
#include "store/store.h"

static const char SQL_SIZE[] = "SELECT size FROM ledger_tree WHERE id = 1";
static const char SQL_GROW[] = "UPDATE ledger_tree SET size = $2 WHERE id = 1 AND size = $1";
static const char SQL_MARKS[] = "SELECT tx, seq, walked, walk_end FROM ledger_tree WHERE id = 1";
static const char SQL_MARK[] = "UPDATE ledger_tree SET tx = $1, seq = $2, walked = $3, walk_end = $4 WHERE id = 1";
static const char SQL_LEAF[] = "INSERT INTO ledger_leaf(idx, subject, seq, digest) VALUES ($1, $2, $3, $4)";
static const char SQL_NODE[] = "INSERT INTO ledger_node(level, idx, hash) VALUES ($1, $2, $3)";
static const char SQL_LEAVES[] = "SELECT digest FROM ledger_leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx";
static const char SQL_NODES[] = "SELECT hash FROM ledger_node WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx";
static const char SQL_HAS[] = "SELECT MAX(seq) FROM ledger_leaf WHERE subject = $1";
static const char SQL_PLACE[] = "SELECT idx FROM ledger_leaf WHERE subject = $1 AND seq = $2";

/* --- reading hashes ----------------------------------------------------------------------------------------------------- */
static bool open_kept(struct tx *tx, struct rows *r, int level, int64_t first, int64_t end, struct err *e)
{
        return level == 0 ? tx_rows(tx, r, e, SQL_LEAVES, ARGS(V(first), V(end)))
                          : tx_rows(tx, r, e, SQL_NODES, ARGS(V(level), V(first), V(end)));
}

/* A complete subtree of any level, made of what is kept below it. */
static bool subtree(struct tx *tx, int level, int64_t idx, struct merkle_hash *out, struct err *e)
{
        const int kept = level - level % TREE_STEP, above = level - kept;
        const int64_t first = idx << above, end = (idx + 1) << above;
        struct merkle_edge edge = {.size = 0};
        struct arena *a = arena_new();
        struct rows r;
        bool ok = open_kept(tx, &r, kept, first, end, e);
        if (ok) {
                while (rows_next(&r)) {
                        size_t n;
                        const void *bytes = rows_blob(&r, a, 0, &n);
                        struct merkle_hash h = {{0}};
                        if (bytes && n == SHA256_SIZE)
                                memcpy(h.at, bytes, n);
                        h = kept == 0 ? merkle_leaf(h.at, sizeof h.at) : h;
                        merkle_add(&edge, &h, NULL, NULL);
                }
                ok = rows_done(&r, e);
        }
        arena_free(&a);
        if (ok && edge.size != end - first)
                return err_set(e, ERR_FAULT, "the ledger's tree is not whole: of level %d the nodes %lld to %lld are not there",
                               kept, (long long)first, (long long)end - 1);
        *out = merkle_root(&edge);
        return ok;
}

/* The hash over `count` leaves that begin with a multiple of a power of two >= count. */
static bool span(struct tx *tx, int64_t first, int64_t count, struct merkle_edge *edge, struct err *e)
{
        edge->size = count;
        for (int level = MERKLE_LEVELS - 1; level >= 0; level--) {
                if (!(count >> level & 1))
                        continue;
                if (!subtree(tx, level, first >> level, &edge->at[level], e))
                        return false;
                first += (int64_t)1 << level;
        }
        return true;
}

bool tree_edge(struct tx *tx, int64_t size, struct merkle_edge *edge, struct err *e)
{
        return span(tx, 0, size, edge, e);
}

bool tree_root(struct tx *tx, int64_t size, struct merkle_hash *out, struct err *e)
{
        struct merkle_edge edge;
        const bool ok = tree_edge(tx, size, &edge, e);
        if (ok)
                *out = merkle_root(&edge);
        return ok;
}

bool tree_size(struct tx *tx, int64_t *size, struct err *e)
{
        return tx_int(tx, size, 0, e, SQL_SIZE, NO_ARGS);
}

bool tree_has(struct tx *tx, int64_t subject, int64_t *seq, struct err *e)
{
        return tx_int(tx, seq, 0, e, SQL_HAS, ARGS(V(subject)));
}

bool tree_place(struct tx *tx, int64_t subject, int64_t seq, int64_t *index, struct err *e)
{
        return tx_int(tx, index, -1, e, SQL_PLACE, ARGS(V(subject), V(seq)));
}

/* --- proofs ----------------------------------------------------------------------------------------------------------------- */
/* The largest power of two below n > 1. */
static int64_t half(int64_t n)
{
        int64_t k = 1;
        while (k * 2 < n)
                k *= 2;
        return k;
}

static bool put(struct tx *tx, int64_t first, int64_t count, struct merkle_proof *proof, struct err *e)
{
        struct merkle_edge edge;
        if (!span(tx, first, count, &edge, e))
                return false;
        proof->at[proof->n++] = merkle_root(&edge);
        return true;
}

/* Put from the root downwards; proofs are told from below. */
static void turn(struct merkle_proof *proof)
{
        for (int i = 0, k = proof->n - 1; i < k; i++, k--) {
                const struct merkle_hash h = proof->at[i];
                proof->at[i] = proof->at[k];
                proof->at[k] = h;
        }
}

bool tree_prove(struct tx *tx, int64_t index, int64_t size, struct merkle_proof *proof, struct err *e)
{
        int64_t first = 0, count = size;
        assert(index >= 0 && index < size);
        proof->n = 0;
        while (count > 1) {
                const int64_t k = half(count);
                const bool left = index - first < k;
                if (!put(tx, left ? first + k : first, left ? count - k : k, proof, e))
                        return false;
                first += left ? 0 : k;
                count = left ? k : count - k;
        }
        turn(proof);
        return true;
}

bool tree_prove_growth(struct tx *tx, int64_t from, int64_t to, struct merkle_proof *proof, struct err *e)
{
        int64_t first = 0, count = to, old = from;
        assert(from >= 0 && from <= to);
        proof->n = 0;
        while (old > 0 && old != count) {
                const int64_t k = half(count);
                const bool left = old <= k;
                if (!put(tx, left ? first + k : first, left ? count - k : k, proof, e))
                        return false;
                first += left ? 0 : k;
                old -= left ? 0 : k;
                count = left ? k : count - k;
        }
        /* What is left is a whole subtree of the old tree; when it is all of it, its root is known. */
        if (old > 0 && first > 0 && !put(tx, first, count, proof, e))
                return false;
        turn(proof);
        return true;
}

/* --- growing ----------------------------------------------------------------------------------------------------------------- */
bool tree_plan(struct tx *tx, struct tree_growth *g, struct err *e)
{
        g->n = g->n_nodes = 0;
        return tree_size(tx, &g->from, e) && tree_edge(tx, g->from, &g->edge, e);
}

bool tree_full(const struct tree_growth *g)
{
        return g->n == TREE_ROOM;
}

static void keep_node(void *ctx, int level, int64_t idx, const struct merkle_hash *h)
{
        struct tree_growth *g = ctx;
        if (level % TREE_STEP == 0) {
                assert(g->n_nodes < COUNT_OF(g->nodes));
                g->nodes[g->n_nodes++] = (struct tree_node){level, idx, *h};
        }
}

void tree_add(struct tree_growth *g, const struct tree_row *row)
{
        assert(!tree_full(g));
        g->rows[g->n++] = *row;
        const struct merkle_hash leaf = merkle_leaf(row->digest, sizeof row->digest);
        merkle_add(&g->edge, &leaf, keep_node, g);
}

bool tree_write(struct tx *tx, const struct tree_growth *g, bool *grown, struct err *e)
{
        const int changed = tx_change(tx, e, SQL_GROW, ARGS(V(g->from), V(g->edge.size)));
        *grown = changed == 1;
        for (size_t i = 0; *grown && i < g->n; i++) {
                const struct tree_row *r = &g->rows[i];
                if (!tx_send(tx, e, SQL_LEAF,
                             ARGS(V(g->from + (int64_t)i), V(r->subject), V(r->seq), V_BLOB(r->digest, sizeof r->digest))))
                        return false;
        }
        for (size_t i = 0; *grown && i < g->n_nodes; i++) {
                const struct tree_node *n = &g->nodes[i];
                if (!tx_send(tx, e, SQL_NODE, ARGS(V(n->level), V(n->idx), V_BLOB(n->hash.at, sizeof n->hash.at))))
                        return false;
        }
        return changed >= 0;
}

bool tree_marks(struct tx *tx, struct tree_marks *out, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_MARKS, NO_ARGS);
        if (found == 0)
                return err_set(e, ERR_FAULT, "the row of ledger_tree is gone");
        if (found < 0)
                return false;
        *out = (struct tree_marks){rows_int(&r, 0), rows_int(&r, 1), rows_int(&r, 2), rows_int(&r, 3)};
        return rows_done(&r, e);
}

bool tree_mark(struct tx *tx, const struct tree_marks *m, struct err *e)
{
        return tx_send(tx, e, SQL_MARK, ARGS(V(m->outbox_tx), V(m->outbox_seq), V(m->walked), V(m->walk_end)));
}
