/* ledger/audit.c -- the tree against the rows of the history, its kept nodes and its checkpoints.
 *
 * A first walk goes through the leaves in their order and computes every node and root anew; each page is read in a snapshot of its
 * own, at most LEAVES rows long.  What a forger may have done, and where it shows:
 * - a row changed and its chain computed anew: its leaf holds another digest;
 * - its leaf, too: a kept node differs;
 * - the nodes, too: the root differs from that of the next checkpoint, and the rows since the last good one are named;
 * - the checkpoint, too: its signature; with the signing key: only a checkpoint that was kept elsewhere.
 * A row put behind the last one of a case, as the program would have: it says that it is older than a checkpoint that has the row
 * before it, but not this one.  An import writes old rows, too, but all of a case at about the same time: so there must be a
 * checkpoint that is older by LATE than the last one before the row came, and younger by LATE than what the row says.
 * A second walk goes through the cases and finds rows that are not in the tree.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "ledger/checkpoint.h"
#include "ledger/inside.h"
#include "ledger/tree.h"
#include "store/store.h"

enum { LEAVES = 1024, CASES = 1000 };
#define LATE USEC_HOUR

static const char SQL_LEAVES[] = "SELECT l.idx, l.subject, l.seq, l.digest, h.hash, h.at, h.move, p.idx FROM ledger_leaf l"
                                 " LEFT JOIN history h ON h.subject = l.subject AND h.seq = l.seq"
                                 " LEFT JOIN ledger_leaf p ON p.subject = l.subject AND p.seq = l.seq - 1"
                                 " WHERE l.idx >= $1 AND l.idx < $2 ORDER BY l.idx";
static const char SQL_NODE[] = "SELECT hash FROM ledger_node WHERE level = $1 AND idx = $2";
static const char SQL_CASES[] =
        "SELECT t.subject, t.seq, (SELECT MAX(l.seq) FROM ledger_leaf l WHERE l.subject = t.subject) FROM ledger_tips t"
        " WHERE t.subject > $1 ORDER BY t.subject LIMIT $2";
static const char SQL_OUTSIDE[] =
        "SELECT h.at, p.idx FROM history h JOIN ledger_leaf p ON p.subject = h.subject AND p.seq = h.seq - 1"
        " WHERE h.subject = $1 AND h.seq = $2";

struct leaf {
        int64_t idx, subject, seq, at, before;
        unsigned char digest[SHA256_SIZE], hash[SHA256_SIZE];
        bool there, has_before;
        const char *move;
};
struct made {
        int level;
        int64_t idx;
        struct merkle_hash hash;
};
struct audit {
        const struct ledger_proofs *proofs;
        struct faults *faults;
        struct arena *page;
        int64_t size, next; /* leaves there are, the one read next */
        struct merkle_edge edge;
        bool broken; /* roots mean nothing any more: told already */
        struct leaf *leaves;
        size_t n;
        struct made made[LEAVES / 8];
        size_t n_made;
        int64_t passed;                    /* size of the checkpoint passed last */
        struct checkpoint old, old_coming; /* one passed that is older than another passed by LATE at least, and that other */
        int64_t coming;                    /* size of the one that comes; 0 = none does */
        const char *note;
        struct arena *note_arena;
        int64_t first_subject, first_seq; /* of the first leaf since then */
        int64_t subject;                  /* the second walk */
        size_t n_cases;
};

/* --- kept nodes ------------------------------------------------------------------------------------------------------------ */
/* Of what was read a leaf; NULL when it is of another page. */
static const struct leaf *leaf_at(const struct audit *u, int64_t idx)
{
        const int64_t place = u->n > 0 ? idx - u->leaves[0].idx : -1;
        return place >= 0 && place < (int64_t)u->n && u->leaves[place].idx == idx ? &u->leaves[place] : NULL;
}

static void node_differs(struct audit *u, const struct made *m)
{
        const int64_t first = m->idx << m->level, last = first + ((int64_t)1 << m->level) - 1;
        const struct leaf *l = leaf_at(u, first);
        if (l)
                ledger_fault(u->faults, l->subject,
                             "the tree does not fit its leaves %lld to %lld; the first is row %lld of this case", (long long)first,
                             (long long)last, (long long)l->seq);
        else
                ledger_fault(u->faults, 0, "the tree does not fit its leaves %lld to %lld", (long long)first, (long long)last);
}

static bool check_nodes(struct tx *tx, struct audit *u, struct err *e)
{
        for (size_t i = 0; i < u->n_made; i++) {
                const struct made *m = &u->made[i];
                struct rows r;
                size_t n = 0;
                const int found = tx_first(tx, &r, e, SQL_NODE, ARGS(V(m->level), V(m->idx)));
                const void *hash = found == 1 ? rows_blob(&r, u->page, 0, &n) : NULL;
                const bool same = hash && n == SHA256_SIZE && memcmp(hash, m->hash.at, n) == 0;
                if (found < 0 || (found == 1 && !rows_done(&r, e)))
                        return false;
                if (!same)
                        node_differs(u, m);
        }
        u->n_made = 0;
        return true;
}

/* --- checkpoints ----------------------------------------------------------------------------------------------------------- */
static bool next_checkpoint(struct tx *tx, struct audit *u, int64_t above, struct err *e)
{
        arena_reset(u->note_arena);
        const int found = checkpoint_after(tx, u->note_arena, above, &u->coming, &u->note, e);
        u->coming = found == 1 ? u->coming : 0;
        return found >= 0;
}

static void compare_root(struct audit *u, const struct checkpoint *c, const char *what)
{
        const struct merkle_hash root = merkle_root(&u->edge);
        if (u->broken || merkle_same(&root, &c->root))
                return;
        u->broken = true;
        char time[TIME_TEXT_SIZE];
        ledger_fault(u->faults, u->first_subject,
                     "rows %lld to %lld of the tree are not those of the %s of %s; the first is row %lld of this case",
                     (long long)u->passed, (long long)c->size - 1, what, time_text(time, c->at, ZONE_SHANGHAI),
                     (long long)u->first_seq);
}

/* The tree has come to the size of the checkpoint that comes. */
static bool pass(struct tx *tx, struct audit *u, struct err *e)
{
        struct checkpoint c;
        struct err bad;
        u->faults->verdict->checkpoints++;
        if (!check_nodes(tx, u, e)) /* first: it says more exactly what differs */
                return false;
        if (!note_read(u->note_arena, u->note, &c, &bad) || c.size != u->coming) {
                ledger_fault(u->faults, 0, "the checkpoint of size %lld was altered", (long long)u->coming);
        } else {
                if (u->proofs->signers && !note_signed(u->note, u->proofs->signers))
                        ledger_fault(u->faults, 0, "the checkpoint of size %lld has no signature of ours", (long long)u->coming);
                compare_root(u, &c, "checkpoint");
                u->passed = c.size;
                if (c.at >= u->old_coming.at + LATE) {
                        u->old = u->old_coming;
                        u->old_coming = c;
                }
                u->first_subject = 0;
        }
        return next_checkpoint(tx, u, u->coming, e);
}

/* --- leaves ------------------------------------------------------------------------------------------------------------------ */
static void read_leaf(const struct rows *r, struct arena *a, struct leaf *l)
{
        size_t n, hash_n;
        const void *digest = rows_blob(r, a, 3, &n), *hash = rows_blob(r, a, 4, &hash_n);
        *l = (struct leaf){.idx = rows_int(r, 0),
                           .subject = rows_int(r, 1),
                           .seq = rows_int(r, 2),
                           .at = rows_int(r, 5),
                           .there = hash != NULL,
                           .move = rows_text(r, a, 6),
                           .has_before = !rows_null(r, 7),
                           .before = rows_int(r, 7)};
        if (digest && n == SHA256_SIZE)
                memcpy(l->digest, digest, n);
        if (hash && hash_n == SHA256_SIZE)
                memcpy(l->hash, hash, hash_n);
}

static void check_leaf(struct audit *u, const struct leaf *l)
{
        const long long seq = (long long)l->seq;
        if (!l->there)
                ledger_fault(u->faults, l->subject, "row %lld is missing: it is in the tree as leaf %lld", seq, (long long)l->idx);
        else if (memcmp(l->digest, l->hash, SHA256_SIZE) != 0)
                ledger_fault(u->faults, l->subject, "row %lld (%s) is not the one in the tree, leaf %lld", seq, l->move,
                             (long long)l->idx);
        if (l->seq > 1 && !l->has_before)
                ledger_fault(u->faults, l->subject, "row %lld is not in the tree, though row %lld is", seq - 1, seq);
        else if (l->seq > 1 && l->before > l->idx)
                ledger_fault(u->faults, l->subject, "row %lld is in the tree before row %lld", seq, seq - 1);
        if (l->there && l->has_before && l->before < u->old.size && l->at < u->old.at - LATE)
                ledger_fault(u->faults, l->subject, "row %lld (%s) was put in later than it says", seq, l->move);
}

static void keep_made(void *ctx, int level, int64_t idx, const struct merkle_hash *h)
{
        struct audit *u = ctx;
        if (level % TREE_STEP == 0) {
                assert(u->n_made < COUNT_OF(u->made));
                u->made[u->n_made++] = (struct made){level, idx, *h};
        }
}

static bool take_leaf(struct tx *tx, struct audit *u, const struct leaf *l, struct err *e)
{
        if (l->idx != u->next && !u->broken) {
                ledger_fault(u->faults, 0, "leaf %lld of the tree is gone", (long long)u->next);
                u->broken = true;
        }
        u->next = l->idx + 1;
        u->faults->verdict->leaves++;
        check_leaf(u, l);
        if (u->first_subject == 0) {
                u->first_subject = l->subject;
                u->first_seq = l->seq;
        }
        const struct merkle_hash h = merkle_leaf(l->digest, sizeof l->digest);
        if (!u->broken)
                merkle_add(&u->edge, &h, keep_made, u);
        if (u->proofs->seen && u->proofs->seen->size == u->next)
                compare_root(u, u->proofs->seen, "checkpoint given");
        return u->coming != u->next || pass(tx, u, e);
}

static bool audit_page(struct tx *tx, void *ctx, struct err *e)
{
        struct audit *u = ctx;
        const int64_t end = u->next + LEAVES < u->size ? u->next + LEAVES : u->size;
        struct rows r;
        u->n = 0;
        if (!tx_rows(tx, &r, e, SQL_LEAVES, ARGS(V(u->next), V(end))))
                return false;
        while (u->n < LEAVES && rows_next(&r))
                read_leaf(&r, u->page, &u->leaves[u->n++]);
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < u->n; i++)
                if (!take_leaf(tx, u, &u->leaves[i], e))
                        return false;
        if (u->next < end) {
                if (!u->broken)
                        ledger_fault(u->faults, 0, "leaf %lld of the tree is gone", (long long)u->next);
                u->broken = true;
                u->next = end;
        }
        return check_nodes(tx, u, e);
}

static bool begin(struct tx *tx, void *ctx, struct err *e)
{
        struct audit *u = ctx;
        return tree_size(tx, &u->size, e) && next_checkpoint(tx, u, -1, e) && (u->coming != 0 || u->note == NULL || pass(tx, u, e));
}

static void check_end(struct audit *u)
{
        const struct checkpoint *seen = u->proofs->seen;
        if (u->coming > 0)
                ledger_fault(u->faults, 0, "the tree has %lld leaves, fewer than its checkpoint of size %lld", (long long)u->size,
                             (long long)u->coming);
        if (seen && seen->size > u->size)
                ledger_fault(u->faults, 0, "the tree has %lld leaves, fewer than the checkpoint given, of size %lld",
                             (long long)u->size, (long long)seen->size);
}

/* --- rows outside ---------------------------------------------------------------------------------------------------------- */
struct behind {
        int64_t subject, seq;
};

static bool check_outside(struct tx *tx, struct audit *u, const struct behind *b, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_OUTSIDE, ARGS(V(b->subject), V(b->seq)));
        if (found <= 0)
                return found == 0;
        if (rows_int(&r, 1) < u->old.size && rows_int(&r, 0) < u->old.at - LATE)
                ledger_fault(u->faults, b->subject, "row %lld is not in the tree, though it says it is older than its checkpoints",
                             (long long)b->seq);
        return rows_done(&r, e);
}

static bool cases_page(struct tx *tx, void *ctx, struct err *e)
{
        struct audit *u = ctx;
        struct behind *at = NEW_ARRAY(u->page, struct behind, CASES);
        struct rows r;
        size_t n = 0;
        u->n_cases = 0;
        if (!tx_rows(tx, &r, e, SQL_CASES, ARGS(V(u->subject), V(CASES))))
                return false;
        for (; rows_next(&r); u->n_cases++) {
                u->subject = rows_int(&r, 0);
                const int64_t outside = rows_int(&r, 1) - rows_int(&r, 2);
                if (outside > 0 && n < CASES)
                        at[n++] = (struct behind){u->subject, rows_int(&r, 2) + 1};
                u->faults->verdict->waiting += outside > 0 ? outside : 0;
        }
        bool ok = rows_done(&r, e);
        for (size_t i = 0; ok && i < n; i++)
                ok = check_outside(tx, u, &at[i], e);
        return ok;
}

static bool walk(struct store *store, struct audit *u, struct err *e)
{
        bool ok = store_read(store, begin, u, e);
        while (ok && u->next < u->size) {
                arena_reset(u->page);
                u->leaves = NEW_ARRAY(u->page, struct leaf, LEAVES);
                ok = store_read(store, audit_page, u, e);
        }
        if (ok)
                check_end(u);
        do {
                arena_reset(u->page);
                ok = ok && store_read(store, cases_page, u, e);
        } while (ok && u->n_cases == CASES);
        return ok;
}

bool ledger_audit(struct store *store, const struct ledger_proofs *proofs, struct faults *faults, struct err *e)
{
        struct audit *u;
        struct arena *a = arena_new();
        u = NEW(a, struct audit);
        *u = (struct audit){.proofs = proofs, .faults = faults, .page = arena_new(), .note_arena = arena_new()};
        const bool ok = walk(store, u, e);
        arena_free(&u->page);
        arena_free(&u->note_arena);
        arena_free(&a);
        return ok;
}
