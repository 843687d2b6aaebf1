/* ledger/merkle.h -- the Merkle tree of RFC 6962, section 2.1, with SHA-256: pure, no store.
 *
 * hash of a leaf = SHA-256(0x00 || data), of a node = SHA-256(0x01 || left || right), of no leaves = SHA-256("").
 * A subtree is complete when it has 2^level leaves and begins at a multiple of that: (level, index) names it, (0, i) is leaf i.
 * Verification follows RFC 9162, 2.1.3.2 and 2.1.4.2.
 */
#ifndef LEDGER_MERKLE_H
#define LEDGER_MERKLE_H
#include "base/base.h"
#include "crypto/crypto.h"

enum { MERKLE_LEVELS = 62, PROOF_MOST = 2 * MERKLE_LEVELS };
struct merkle_hash { unsigned char at[SHA256_SIZE]; };

struct merkle_hash merkle_leaf(const void *data, size_t n);
struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right);
bool merkle_same(const struct merkle_hash *, const struct merkle_hash *);

/* All that is needed of a tree's first `size` leaves to go on adding: at[level] is the complete subtree of each bit of size. */
struct merkle_edge { int64_t size; struct merkle_hash at[MERKLE_LEVELS]; };
typedef void merkle_made(void *ctx, int level, int64_t index, const struct merkle_hash *);
/* Adds a leaf's hash; made() is told of each subtree with two leaves or more that it completes.  made may be NULL. */
void merkle_add(struct merkle_edge *, const struct merkle_hash *leaf, merkle_made *made, void *ctx);
struct merkle_hash merkle_root(const struct merkle_edge *);

/* From the leaf upwards, as PATH(m, D[n]) and PROOF(m, D[n]) of RFC 6962 order them. */
struct merkle_proof { int n; struct merkle_hash at[PROOF_MOST]; };
bool merkle_included(const struct merkle_hash *leaf, int64_t index, int64_t size, const struct merkle_proof *,
                     const struct merkle_hash *root);
/* The tree of size `to` begins with the tree of size `from`. */
bool merkle_extends(int64_t from, const struct merkle_hash *old_root, int64_t to, const struct merkle_hash *root,
                    const struct merkle_proof *);
#endif
