/* ledger/checkpoint.c -- see checkpoint.h.  The only writer of ledger_checkpoint. */
#include "ledger/checkpoint.h"
#include "base/arena.h"
#include "ledger/tree.h"
#include "store/store.h"

static const char SQL_NEWEST[] = "SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1";
static const char SQL_AFTER[] = "SELECT size, note FROM ledger_checkpoint WHERE size > $1 ORDER BY size LIMIT 1";
static const char SQL_KEEP[] = "INSERT INTO ledger_checkpoint(size, at, note) VALUES ($1, $2, $3) ON CONFLICT (size) DO UPDATE"
                               " SET at = excluded.at, note = excluded.note";

int checkpoint_newest(struct tx *tx, struct arena *a, struct checkpoint *out, const char **note, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_NEWEST, NO_ARGS);
        if (found <= 0)
                return found;
        *note = rows_text(&r, a, 0);
        if (!rows_done(&r, e))
                return -1;
        return note_read(a, *note, out, e) ? 1 : -1;
}

int checkpoint_after(struct tx *tx, struct arena *a, int64_t above, int64_t *size, const char **note, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_AFTER, ARGS(V(above)));
        if (found <= 0)
                return found;
        *size = rows_int(&r, 0);
        *note = rows_text(&r, a, 1);
        return rows_done(&r, e) ? 1 : -1;
}

struct making {
        struct arena *arena;
        struct checkpoint now, last;
        const char *last_note, *note;
        bool any;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct making *m = ctx;
        struct merkle_hash then;
        const int found = checkpoint_newest(tx, m->arena, &m->last, &m->last_note, e);
        m->any = found == 1;
        if (found < 0 || !tree_size(tx, &m->now.size, e) || !tree_root(tx, m->now.size, &m->now.root, e))
                return false;
        if (!m->any)
                return true;
        if (m->last.size <= m->now.size && !tree_root(tx, m->last.size, &then, e))
                return false;
        return (m->last.size <= m->now.size && merkle_same(&then, &m->last.root))
               || err_both(e, ERR_CONFLICT, NULL, "the tree is not what the last checkpoint says: run yiwang ledger verify",
                           "默克尔树与最近的检查点不符，请运行 yiwang ledger verify");
}

static bool keep(struct tx *tx, void *ctx, struct err *e)
{
        const struct making *m = ctx;
        return tx_send(tx, e, SQL_KEEP, ARGS(V(m->now.size), V(m->now.at), V(m->note)));
}

bool checkpoint_make(struct store *store, struct arena *a, const char *origin, const struct signers *signers, int64_t now,
                     const char **note, struct err *e)
{
        struct making m = {.arena = a, .now = {.origin = origin, .at = now}};
        if (!store_read(store, look, &m, e))
                return false;
        *note = m.last_note;
        if (m.any && m.last.size == m.now.size && note_signed(m.last_note, signers))
                return true;
        const bool ok = note_sign(a, &m.now, signers, &m.note, e) && store_write(store, keep, &m, e);
        *note = m.note;
        return ok;
}
