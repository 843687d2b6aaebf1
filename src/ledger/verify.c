/* ledger/verify.c -- reads the whole history in pages and finds the first altered, dropped or reordered row.
 *
 * A chain that somebody has computed anew is whole: what shows that is the tree (audit.c).
 */
#include "ledger/ledger.h"
#include "ledger/digest.h"
#include "ledger/inside.h"
#include "base/arena.h"
#include "store/store.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 2000 };

/* ledger_tips is a view of the folder that owns the cases: where each chain ends according to the case itself. */
static const char SQL_PAGE[] =
        "SELECT h.subject, h.seq, h.lane, h.ordinal, h.move, h.origin, h.dest, h.actor, h.role, h.unit, h.form, h.at, h.hash,"
        " t.seq, t.hash FROM history h LEFT JOIN ledger_tips t ON t.subject = h.subject"
        " WHERE h.subject > $1 OR (h.subject = $1 AND h.seq > $2) ORDER BY h.subject, h.seq LIMIT $3";
static const char SQL_LANES[] = "SELECT lane, last FROM ledger_lane ORDER BY lane";
/* Cases whose whole history is gone: their own row still says that there was one. */
static const char SQL_BARE[] = "SELECT t.subject FROM ledger_tips t WHERE t.subject > $1 AND NOT EXISTS"
                               " (SELECT 1 FROM history h WHERE h.subject = t.subject AND h.seq = 1) ORDER BY t.subject LIMIT 1";
static const char SQL_NUMBER[] = "SELECT number FROM ledger_numbers WHERE subject = $1";

struct lane {
        int64_t last;
        unsigned char *seen;
};

struct check {
        struct ledger_verdict *verdict;
        struct faults *faults;
        struct arena *page;
        struct lane lanes[LEDGER_LANES];
        int64_t subject, seq; /* the row read last */
        unsigned char hash[SHA256_SIZE];
        bool tip_known;
        int64_t tip_seq;
        unsigned char tip[SHA256_SIZE]; /* as the case said in that row's snapshot */
        size_t rows;                    /* of this page */
};

void ledger_fault(struct faults *f, int64_t subject, const char *fmt, ...)
{
        /* The first that names a case tells most. */
        if (f->verdict->faults++ > 0 && (f->subject != 0 || subject == 0))
                return;
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(f->verdict->first, sizeof f->verdict->first, fmt, args);
        va_end(args);
        f->subject = subject;
}

static bool read_lanes(struct tx *tx, void *ctx, struct err *e)
{
        struct check *c = ctx;
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_LANES, NO_ARGS))
                return false;
        while (rows_next(&r)) {
                int64_t i = rows_int(&r, 0);
                if (i < 0 || i >= LEDGER_LANES)
                        continue;
                free(c->lanes[i].seen);
                c->lanes[i].last = rows_int(&r, 1);
                c->lanes[i].seen = calloc((size_t)c->lanes[i].last / 8 + 1, 1);
                if (!c->lanes[i].seen)
                        abort();
        }
        return rows_done(&r, e);
}

static void mark_ordinal(struct check *c, int64_t subject, const struct ledger_place *place)
{
        if (place->lane < 0 || place->lane >= LEDGER_LANES || place->ordinal < 1) {
                ledger_fault(c->faults, subject, "row 1 has no place in a lane");
                return;
        }
        struct lane *lane = &c->lanes[place->lane];
        if (place->ordinal > lane->last)
                return; /* filed after this check began */
        unsigned char bit = (unsigned char)(1u << (place->ordinal & 7));
        if (lane->seen[place->ordinal / 8] & bit)
                ledger_fault(c->faults, subject, "lane %lld has two cases with ordinal %lld", (long long)place->lane,
                             (long long)place->ordinal);
        lane->seen[place->ordinal / 8] |= bit;
}

static void end_subject(struct check *c)
{
        if (c->subject == 0)
                return;
        if (!c->tip_known)
                ledger_fault(c->faults, c->subject, "the history is there, but the case is gone");
        else if (c->tip_seq > c->seq)
                ledger_fault(c->faults, c->subject, "its last rows are gone (%lld of %lld are there)", (long long)c->seq,
                             (long long)c->tip_seq);
        else if (c->tip_seq < c->seq) /* in one snapshot */
                ledger_fault(c->faults, c->subject, "row %lld was put in: the case knows of %lld", (long long)c->seq,
                             (long long)c->tip_seq);
        else if (memcmp(c->tip, c->hash, sizeof c->tip) != 0)
                ledger_fault(c->faults, c->subject, "row %lld is not the one the case points to", (long long)c->seq);
}

static void check_row(struct check *c, const struct rows *r)
{
        struct arena *a = c->page;
        struct ledger_entry entry = {
                .subject = rows_int(r, 0),
                .move = rows_text(r, a, 4),
                .origin = rows_text(r, a, 5),
                .dest = rows_text(r, a, 6),
                .actor = rows_text(r, a, 7),
                .role = rows_text(r, a, 8),
                .unit = rows_text(r, a, 9),
                .form = rows_text(r, a, 10),
                .at = rows_int(r, 11),
        };
        struct ledger_place place = {.seq = rows_int(r, 1), .lane = rows_int(r, 2), .ordinal = rows_int(r, 3)};
        bool first = entry.subject != c->subject;
        if (first) {
                end_subject(c);
                c->verdict->cases++;
        }
        if (place.seq != (first ? 1 : c->seq + 1))
                ledger_fault(c->faults, entry.subject, "row %lld is missing", (long long)(first ? 1 : c->seq + 1));
        if (place.seq == 1)
                mark_ordinal(c, entry.subject, &place);
        unsigned char wanted[SHA256_SIZE];
        ledger_digest(first ? NULL : c->hash, &entry, &place, wanted);
        size_t n = 0, tip_n = 0;
        const void *hash = rows_blob(r, a, 12, &n), *tip = rows_blob(r, a, 14, &tip_n);
        bool whole = n == SHA256_SIZE;
        if (!whole || memcmp(hash, wanted, n) != 0)
                ledger_fault(c->faults, entry.subject, "row %lld (%s) was altered", (long long)place.seq, entry.move);
        c->subject = entry.subject;
        c->seq = place.seq;
        /* Go on from what is stored, so that one altered row is one fault. */
        memcpy(c->hash, whole ? hash : wanted, sizeof wanted);
        c->tip_known = tip_n == SHA256_SIZE;
        c->tip_seq = rows_int(r, 13);
        if (c->tip_known)
                memcpy(c->tip, tip, tip_n);
}

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        struct check *c = ctx;
        struct rows r;
        c->rows = 0;
        if (!tx_rows(tx, &r, e, SQL_PAGE, ARGS(V(c->subject), V(c->seq), V(PAGE))))
                return false;
        while (rows_next(&r)) {
                check_row(c, &r);
                c->rows++;
                c->verdict->rows++;
        }
        return rows_done(&r, e);
}

static void check_lanes(struct check *c)
{
        for (int i = 0; i < LEDGER_LANES; i++)
                for (int64_t n = 1; n <= c->lanes[i].last; n++)
                        if (!(c->lanes[i].seen[n / 8] & (1u << (n & 7))))
                                ledger_fault(c->faults, 0, "a case was dropped: lane %d has no ordinal %lld", i, (long long)n);
}

static bool check_bare(struct tx *tx, void *ctx, struct err *e)
{
        struct check *c = ctx;
        int64_t subject = 0;
        if (!tx_int(tx, &subject, 0, e, SQL_BARE, ARGS(V((int64_t)0))))
                return false;
        if (subject)
                ledger_fault(c->faults, subject, "its history does not begin with row 1");
        return true;
}

static bool verify_chains(struct store *store, struct check *c, void (*progress)(void *, int64_t rows), void *ctx, struct err *e)
{
        /* The counters first: every case they count is visible from then on. */
        bool ok = store_read(store, read_lanes, c, e);
        do {
                arena_reset(c->page);
                ok = ok && store_read(store, read_page, c, e);
                if (ok && progress)
                        progress(ctx, c->verdict->rows);
        } while (ok && c->rows == PAGE);
        if (ok) {
                end_subject(c);
                check_lanes(c);
                ok = store_read(store, check_bare, c, e);
        }
        return ok;
}

struct naming {
        const struct faults *faults;
        struct arena *arena;
        bool has_tree;
        char *number;
};

static bool look_for_tree(struct tx *tx, void *ctx, struct err *e)
{
        struct naming *n = ctx;
        n->has_tree = tx_prepares(tx, SQL_NUMBER, e);
        return true;
}

static bool find_number(struct tx *tx, void *ctx, struct err *e)
{
        struct naming *n = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_NUMBER, ARGS(V(n->faults->subject)));
        if (found <= 0)
                return found == 0;
        n->number = rows_text(&r, n->arena, 0);
        return rows_done(&r, e);
}

/* The sentence of the first fault gets the number of its case; of a case that is gone, its id. */
static bool name_first(struct store *store, const struct faults *f, struct naming *n, struct err *e)
{
        char said[sizeof f->verdict->first];
        if (f->subject == 0)
                return true;
        if (n->has_tree && !store_read(store, find_number, n, e))
                return false;
        (void)snprintf(said, sizeof said, "%s", f->verdict->first);
        if (n->number)
                (void)snprintf(f->verdict->first, sizeof f->verdict->first, "case %s: %.250s", n->number, said);
        else
                (void)snprintf(f->verdict->first, sizeof f->verdict->first, "case %lld: %.250s", (long long)f->subject, said);
        return true;
}

bool ledger_verify(struct store *store, const struct ledger_proofs *proofs, void (*progress)(void *, int64_t rows), void *ctx,
                   struct ledger_verdict *verdict, struct err *e)
{
        static const struct ledger_proofs none = {NULL, NULL};
        *verdict = (struct ledger_verdict){0};
        struct faults faults = {.verdict = verdict};
        struct check c = {.verdict = verdict, .faults = &faults, .page = arena_new()};
        struct naming naming = {.faults = &faults, .arena = c.page};
        bool ok = store_read(store, look_for_tree, &naming, e) && verify_chains(store, &c, progress, ctx, e)
                  && (!naming.has_tree || ledger_audit(store, proofs ? proofs : &none, &faults, e))
                  && name_first(store, &faults, &naming, e);
        for (int i = 0; i < LEDGER_LANES; i++)
                free(c.lanes[i].seen);
        arena_free(&c.page);
        return ok;
}
