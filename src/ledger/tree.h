/* ledger/tree.h -- the Merkle tree over the rows of all histories, kept in the store.
 *
 * Leaf i is the digest of one row of the history (ledger/digest.h); its hash is that of ledger/merkle.h.  Rows come into the tree after
 * they are committed, by somebody who looks for new ones (proof/sweep.c), so that filing and moving do nothing for the tree: no lock,
 * no further row.  The order is that in which they were found; what is promised is that a row that is in the tree stays where it is,
 * and that the rows of one case are in it in the order of their numbers.
 *
 * Kept are the leaves and the complete subtrees of 16, 256, 4096, ... leaves, one row each: n / 15 rows for n leaves.  A hash of another
 * level is made of at most eight of the level below, so a proof reads some dozens of rows whatever the size of the tree.
 *
 * A growth is planned in a reading transaction and written in a short one of its own that first moves the size from what the plan
 * began with: when somebody else was faster nothing is written, and the next plan sees what he wrote.
 */
#ifndef LEDGER_TREE_H
#define LEDGER_TREE_H
#include "ledger/merkle.h"
struct arena;
struct tx;

enum { TREE_STEP = 4, TREE_ROOM = 256 };        /* levels from one kept subtree to the next; rows of one growth */

struct tree_row { int64_t subject, seq; unsigned char digest[SHA256_SIZE]; };
struct tree_node { int level; int64_t idx; struct merkle_hash hash; };
struct tree_growth {
        int64_t from;                   /* size it begins with */
        struct merkle_edge edge;        /* after all that was added */
        struct tree_row rows[TREE_ROOM];
        size_t n, n_nodes;
        struct tree_node nodes[TREE_ROOM / 8];
};
/* The tree as it is in this snapshot.  Rows to be added must be read in the same transaction. */
bool tree_plan(struct tx *, struct tree_growth *, struct err *) MUST_CHECK;
bool tree_full(const struct tree_growth *);
void tree_add(struct tree_growth *, const struct tree_row *);
/* *grown false: the tree has grown otherwise since; nothing was written. */
bool tree_write(struct tx *, const struct tree_growth *, bool *grown, struct err *) MUST_CHECK;

/* How far those have come who look for new rows; kept beside the size. */
struct tree_marks {
        int64_t outbox_tx, outbox_seq;  /* behind this event of the outbox */
        int64_t walked, walk_end;       /* a walk over all cases has come so far; when the last whole one ended, 0 = never */
};
bool tree_marks(struct tx *, struct tree_marks *, struct err *) MUST_CHECK;
bool tree_mark(struct tx *, const struct tree_marks *, struct err *) MUST_CHECK;

bool tree_size(struct tx *, int64_t *size, struct err *) MUST_CHECK;
/* How many rows of that case are in the tree: rows 1 to *seq. */
bool tree_has(struct tx *, int64_t subject, int64_t *seq, struct err *) MUST_CHECK;
/* Where a row is; -1 when it is not in the tree. */
bool tree_place(struct tx *, int64_t subject, int64_t seq, int64_t *index, struct err *) MUST_CHECK;
/* The tree's first `size` leaves.  ERR_FAULT: a part of the tree is missing. */
bool tree_edge(struct tx *, int64_t size, struct merkle_edge *, struct err *) MUST_CHECK;
bool tree_root(struct tx *, int64_t size, struct merkle_hash *, struct err *) MUST_CHECK;
/* Proofs for trees of an earlier or the present size. */
bool tree_prove(struct tx *, int64_t index, int64_t size, struct merkle_proof *, struct err *) MUST_CHECK;
bool tree_prove_growth(struct tx *, int64_t from, int64_t to, struct merkle_proof *, struct err *) MUST_CHECK;
#endif
