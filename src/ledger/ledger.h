/* ledger/ledger.h -- the append-only history of cases: each row carries the hash of the same case's previous row.
 *
 * No lock is shared between cases.  A dropped case is shown by the lanes: every case's first row takes
 * the next ordinal of its writer's lane, one of 64, and the ordinals of a lane have no gap.
 * A Merkle tree over all rows stands beside the chains (tree.h); doc/ledger.md tells all of it to those who verify.
 * hash = SHA-256 over the row's fields in a fixed order, each with its length, beginning with the previous hash.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H
#include "base/base.h"
#include "crypto/crypto.h"
struct arena;
struct store;
struct tx;

struct ledger_tip {                     /* where a case's chain ends; kept in the case's row by its owner */
        int64_t seq;                    /* 0 = no row yet */
        unsigned char hash[SHA256_SIZE];
};
struct ledger_entry {
        int64_t subject;                /* case id */
        const char *move, *origin, *dest;       /* origin "" for the first */
        const char *actor, *role, *unit;        /* unit may be NULL */
        const char *form;               /* what was handed in, JSON text */
        int64_t at;
};
struct ledger_row { struct ledger_entry entry; int64_t seq, lane, ordinal; unsigned char hash[SHA256_SIZE]; };

/* Appends behind *tip and moves it.  When somebody else has appended there the transaction fails, at the latest at its commit,
 * with ERR_CONFLICT. */
bool ledger_append(struct tx *, struct ledger_tip *tip, const struct ledger_entry *, struct err *) MUST_CHECK;
/* The rows of one case, oldest first. */
bool ledger_rows(struct tx *, struct arena *, int64_t subject, struct ledger_row **out, size_t *n, struct err *) MUST_CHECK;

struct checkpoint;
struct signers;
struct ledger_proofs {
        const struct signers *signers;  /* whose signatures checkpoints must have; NULL = they are not looked at */
        const struct checkpoint *seen;  /* one that was kept elsewhere: the tree must still begin so; NULL */
};
struct ledger_verdict {
        int64_t cases, rows;
        int64_t leaves, checkpoints;    /* in the tree */
        int64_t waiting;                /* rows that are not in the tree yet, about */
        int64_t faults;                 /* broken chains, altered rows, missing ordinals, leaves that differ */
        char first[300];                /* the first fault as a sentence, by number of case and row; "" when there is none */
};
/* Reads everything, in pages, without stopping writers: the chains (verify.c), then the tree with its checkpoints (audit.c); of a
 * database from before there was a tree, the chains.  Both may be NULL: proofs, progress.  True when the check ran, whatever the
 * verdict. */
bool ledger_verify(struct store *, const struct ledger_proofs *, void (*progress)(void *, int64_t rows), void *ctx,
                   struct ledger_verdict *, struct err *) MUST_CHECK;
#endif
