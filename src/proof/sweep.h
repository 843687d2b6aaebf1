/* proof/sweep.h -- brings new rows of the history into the ledger's tree (ledger/tree.h).
 *
 * How a new row is found without any work where it is written: its transaction has told of it in the outbox already, for the notices
 * and the live views.  The sweep reads the outbox behind a cursor of its own (in ledger_tree); the outbox gives an event only when
 * none can come before it any more, so of transactions that commit out of order none is missed.  An event names a case; all rows of the
 * case that are not in the tree yet come in, so an event read twice does nothing, and one row of a case never overtakes another.
 *
 * Events are deleted after a week or, when they tell of old times (imports), at once; a database may be older than its tree; numbers
 * of transactions begin anew on another PostgreSQL server.  So once a day, and at the first time, a walk over all cases compares what
 * they have with what the tree has.
 *
 * Everything is done in steps: one read of at most 256 events, 1000 cases and 256 rows, and one short write.  No snapshot is held
 * between them, so SQLite's log can always be emptied.  A step that is broken off, or done by two processes, is done again from where
 * the tree then is.
 * The server looks 20 seconds after news; under load it makes one step a second (proof/timer.c): a few milliseconds of the writer.
 */
#ifndef PROOF_SWEEP_H
#define PROOF_SWEEP_H
#include "base/base.h"
struct store;

struct sweep {
        int64_t added;                  /* rows brought in, over all steps */
        bool more;                      /* there is more to do at once */
        bool walk;                      /* set by the caller: walk over all cases, whenever that was done last */
};
bool sweep_step(struct store *, int64_t now, struct sweep *, struct err *) MUST_CHECK;
/* Steps until nothing is left. */
bool sweep_all(struct store *, int64_t now, struct sweep *, struct err *) MUST_CHECK;
#endif
