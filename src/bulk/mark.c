/* bulk/mark.c -- see inside.h.  Writes only the table import_mark. */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "store/store.h"
#include <stdio.h>
#include <unistd.h>

static const char SQL_READ[] =
        "SELECT at_byte, at_line, done, rejected, rejects_bytes, rejects_sha256 FROM import_mark WHERE file = $1 AND map = $2";
/* Who begins last takes the mark over; the import that had it finds out with its next mark. */
static const char SQL_TAKE[] =
        "INSERT INTO import_mark(file, map, run, at_byte, at_line, done, rejected, rejects_bytes, rejects_sha256, saved_at)"
        " VALUES ($1, $2, $3, $4, $5, 0, 0, 0, '', $6)"
        " ON CONFLICT (file, map) DO UPDATE SET run = excluded.run";
static const char SQL_SAVE[] =
        "UPDATE import_mark SET at_byte = $4, at_line = $5, done = $6, rejected = $7, rejects_bytes = $8, rejects_sha256 = $9,"
        " saved_at = $10 WHERE file = $1 AND map = $2 AND run = $3";
static const char SQL_DROP[] = "DELETE FROM import_mark WHERE file = $1 AND map = $2 AND run = $3";

enum { PATIENCE_SECONDS = 60 };

static bool write_patiently(struct store *s, tx_fn *fn, struct mark *m, struct err *e)
{
        const int64_t start = clock_steady();
        for (useconds_t pause = 10000;; pause = pause < 1000000 ? pause * 2 : pause) {
                if (store_write(s, fn, m, e))
                        return true;
                if (e->kind != ERR_BUSY || clock_steady() - start > PATIENCE_SECONDS * USEC_SECOND)
                        return false;
                (void)usleep(pause);
        }
}

static bool take(struct tx *tx, void *ctx, struct err *e)
{
        struct mark *m = ctx;
        struct rows r;
        m->at_byte = m->at_line = m->done = m->rejected = m->rejects_bytes = 0;
        m->rejects_sha256[0] = '\0';
        const int found = tx_first(tx, &r, e, SQL_READ, ARGS(V(m->file), V(m->map)));
        if (found < 0)
                return false;
        if (found > 0) {
                struct arena *a = arena_new();
                m->at_byte = rows_int(&r, 0);
                m->at_line = rows_int(&r, 1);
                m->done = rows_int(&r, 2);
                m->rejected = rows_int(&r, 3);
                m->rejects_bytes = rows_int(&r, 4);
                (void)snprintf(m->rejects_sha256, sizeof m->rejects_sha256, "%s", rows_text(&r, a, 5));
                arena_free(&a);
                if (!rows_done(&r, e))
                        return false;
        }
        return tx_change(tx, e, SQL_TAKE, ARGS(V(m->file), V(m->map), V(m->run), V(m->at_byte), V(m->at_line), V(clock_now())))
               >= 0;
}

bool mark_take(struct store *s, struct mark *m, struct err *e)
{
        return random_token(m->run, MARK_RUN_CHARACTERS, e) && write_patiently(s, take, m, e);
}

static bool save(struct tx *tx, void *ctx, struct err *e)
{
        const struct mark *m = ctx;
        const int changed = tx_change(tx, e, SQL_SAVE,
                                      ARGS(V(m->file), V(m->map), V(m->run), V(m->at_byte), V(m->at_line), V(m->done),
                                           V(m->rejected), V(m->rejects_bytes), V(m->rejects_sha256), V(clock_now())));
        if (changed < 0)
                return false;
        return changed == 1
               || err_both(e, ERR_CONFLICT, NULL, "another import of the same file has begun and goes on in place of this one",
                           "同一文件已开始另一次导入，本次导入停止，由后者继续");
}

bool mark_save(struct store *s, struct mark *m, struct err *e)
{
        return write_patiently(s, save, m, e);
}

static bool drop(struct tx *tx, void *ctx, struct err *e)
{
        const struct mark *m = ctx;
        return tx_change(tx, e, SQL_DROP, ARGS(V(m->file), V(m->map), V(m->run))) >= 0;
}

bool mark_drop(struct store *s, struct mark *m, struct err *e)
{
        return write_patiently(s, drop, m, e);
}
