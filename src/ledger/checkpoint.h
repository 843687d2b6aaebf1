/* ledger/checkpoint.h -- signed checkpoints of the tree, kept in the store. */
#ifndef LEDGER_CHECKPOINT_H
#define LEDGER_CHECKPOINT_H
#include "ledger/note.h"
struct store;
struct tx;

struct ledger_settings {
        const char *origin;             /* names this ledger in checkpoints */
        enum sign_kind kind;            /* of a signing key that is made */
        int minutes;                    /* between checkpoints the server makes */
};

/* Signs the tree as it is now and keeps the checkpoint; when the newest one has this size and a key of the file signed it, that one.
 * A tree that does not begin with what the newest checkpoint says is not signed: ERR_CONFLICT. *note lives in the arena. */
bool checkpoint_make(struct store *, struct arena *, const char *origin, const struct signers *, int64_t now, const char **note,
                     struct err *) MUST_CHECK;
/* The newest: 1 found, 0 none, -1 failed. */
int checkpoint_newest(struct tx *, struct arena *, struct checkpoint *, const char **note, struct err *);
/* The first one of a size above `above`: 1, 0, -1. */
int checkpoint_after(struct tx *, struct arena *, int64_t above, int64_t *size, const char **note, struct err *);
#endif
