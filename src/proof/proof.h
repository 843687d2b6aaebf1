/* proof/proof.h -- the ledger's tree kept up in the background, and proofs for one case or for all.  doc/ledger.md is the specification. */
#ifndef PROOF_PROOF_H
#define PROOF_PROOF_H
#include "json/json.h"
#include "ledger/checkpoint.h"
struct arena;
struct district;
struct route;
struct store;
struct timer_kind;

/* The proof of one case, as an object: its rows with their places in the tree of the newest checkpoint and the paths to its root.
 * A row that came later has none yet. */
struct proof_wanted {
        const char *number, *track;     /* one of both */
        int64_t after; int most;        /* rows behind this one, so many; 0 = all */
        int64_t since;                  /* also that the tree of so many leaves is a part of this one; 0 = not */
        bool whole;                     /* with what is digested; else digests, moves and times only */
};
/* ERR_NOT_FOUND: no such case, or no checkpoint yet.  ERR_INVALID: `since` is larger than the tree. */
bool proof_json(struct store *, struct arena *, const struct proof_wanted *, struct json *, struct err *) MUST_CHECK;
/* The whole ledger: a line of JSON with the newest checkpoint, then one for each leaf, in their order, to `line`. */
bool proof_lines(struct store *, void (*line)(void *ctx, const struct buf *), void *ctx, struct err *) MUST_CHECK;

/* The file with the keys that sign, below the district's folder. */
const char *proof_key_file(struct arena *, const char *data);

extern const struct timer_kind ledger_sweep_timer;
bool proof_start(struct district *, int64_t now, struct err *) MUST_CHECK;
/* There may be new rows: asks for a sweep, at most every 20 seconds.  From one thread only. */
void proof_news(struct district *, int64_t now);
extern const struct route *const proof_routes;          /* GET /api/v1/track/{code}/proof */
#endif
