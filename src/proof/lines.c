/* proof/lines.c -- the whole ledger for those who verify all of it: read in pages, each in a snapshot of its own. */
#include "base/arena.h"
#include "ledger/ledger.h"
#include "proof/inside.h"
#include "store/store.h"

enum { PAGE = 1024 };

static const char SQL_PAGE[] =
        "SELECT l.idx, l.subject, l.seq, l.digest, n.number, h.move, h.origin, h.dest, h.actor, h.role, h.unit, h.form, h.at,"
        " h.lane, h.ordinal FROM ledger_leaf l LEFT JOIN history h ON h.subject = l.subject AND h.seq = l.seq"
        " LEFT JOIN ledger_numbers n ON n.subject = l.subject WHERE l.idx >= $1 AND l.idx < $2 ORDER BY l.idx";

struct lines {
        void (*line)(void *, const struct buf *);
        void *ctx;
        struct arena *arena;
        struct buf page; /* whole lines */
        struct checkpoint checkpoint;
        const char *note;
        int64_t from;
};

static bool read_checkpoint(struct tx *tx, void *ctx, struct err *e)
{
        struct lines *l = ctx;
        const int found = checkpoint_newest(tx, l->arena, &l->checkpoint, &l->note, e);
        return found == 1
               || (found == 0
                   && err_both(e, ERR_NOT_FOUND, NULL, "there is no checkpoint yet; yiwang ledger checkpoint makes one",
                               "尚无检查点，请先运行 yiwang ledger checkpoint"));
}

static void leaf_line(struct lines *l, const struct rows *r)
{
        struct json j = json_to(&l->page);
        struct arena *a = l->arena;
        char hex[2 * SHA256_SIZE + 1] = "";
        size_t n;
        const void *digest = rows_blob(r, a, 3, &n);
        if (digest && n == SHA256_SIZE)
                hex_text(digest, n, hex);
        json_object(&j, NULL);
        json_int(&j, "leaf", rows_int(r, 0));
        json_text(&j, "number", rows_text(r, a, 4));
        json_int(&j, "row", rows_int(r, 2));
        json_text(&j, "digest", hex);
        if (rows_null(r, 5)) {
                json_null(&j, "fields");
        } else {
                const struct ledger_row row = {.entry = {.subject = rows_int(r, 1),
                                                         .move = rows_text(r, a, 5),
                                                         .origin = rows_text(r, a, 6),
                                                         .dest = rows_text(r, a, 7),
                                                         .actor = rows_text(r, a, 8),
                                                         .role = rows_text(r, a, 9),
                                                         .unit = rows_text(r, a, 10),
                                                         .form = rows_text(r, a, 11),
                                                         .at = rows_int(r, 12)},
                                               .seq = rows_int(r, 2),
                                               .lane = rows_int(r, 13),
                                               .ordinal = rows_int(r, 14)};
                proof_fields_json(&j, a, &row);
        }
        json_object_end(&j);
        buf_byte(&l->page, '\n');
}

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        struct lines *l = ctx;
        const int64_t end = l->from + PAGE < l->checkpoint.size ? l->from + PAGE : l->checkpoint.size;
        struct rows r;
        buf_clear(&l->page);
        if (!tx_rows(tx, &r, e, SQL_PAGE, ARGS(V(l->from), V(end))))
                return false;
        while (rows_next(&r))
                leaf_line(l, &r);
        return rows_done(&r, e);
}

static void head_line(struct lines *l)
{
        struct json j = json_to(&l->page);
        json_object(&j, NULL);
        json_text(&j, "checkpoint", l->note);
        json_int(&j, "size", l->checkpoint.size);
        json_object_end(&j);
        buf_byte(&l->page, '\n');
        l->line(l->ctx, &l->page);
}

bool proof_lines(struct store *store, void (*line)(void *ctx, const struct buf *), void *ctx, struct err *e)
{
        struct lines l = {.line = line, .ctx = ctx, .arena = arena_new(), .page = BUF_LIMIT((size_t)1 << 30)};
        bool ok = store_read(store, read_checkpoint, &l, e);
        if (ok)
                head_line(&l);
        const int64_t size = l.checkpoint.size;
        for (; ok && l.from < size; l.from += PAGE) {
                arena_reset(l.arena);
                ok = store_read(store, read_page, &l, e);
                if (ok)
                        line(ctx, &l.page);
        }
        buf_free(&l.page);
        arena_free(&l.arena);
        return ok;
}
