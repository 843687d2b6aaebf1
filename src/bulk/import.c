/* bulk/import.c -- see bulk.h: rows of a foreign file become reports, batch by batch.
 *
 * A batch is settled when every row of it is committed or rejected.  Then its rejects are written to the disk, and then the mark
 * moves behind it: whatever ends the program, everything before the mark is done and said, and the next run begins there.
 * Rows of a batch that broke off are read again and recognised by their external ids.
 */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "store/store.h"

enum { BATCH_USEC = 500000 }; /* on a slow store a kill or Ctrl-C should not cost or wait for more */

static const char SQL_WAITING[] = "SELECT COUNT(*) FROM intake_queue";

struct import {
        struct district *district;
        const struct rulebook *rules;
        const struct import_map *map;
        const struct import_options *options;
        pthread_mutex_t reading; /* guards table, left, taken, ended */
        struct table *table;
        int64_t left;  /* rows until the limit */
        int64_t taken; /* rows of this batch */
        int64_t batch; /* most of them */
        int64_t started;
        int64_t begin; /* table_passed() where this batch begins */
        bool ended;    /* the file, or the limit, is reached */
        struct mark mark;
        bool marking;
        struct tally *tally;
        struct rejects *rejects;
};

/* --- one row -------------------------------------------------------------------------------------------------------------- */

/* As table_next(), for all threads; 0 also at the end of a batch. */
static int next_row(struct import *im, struct arena *a, struct table_row *row, struct err *e)
{
        int found = 0;
        (void)pthread_mutex_lock(&im->reading);
        const bool full = im->taken >= im->batch || clock_steady() - im->started >= BATCH_USEC
                          || table_passed(im->table) - im->begin >= BATCH_BYTES;
        if (im->left == 0)
                im->ended = true;
        if (!full && !im->ended) {
                found = table_next(im->table, a, row, e);
                im->ended = found == 0;
                im->taken += found != 0;
                im->left -= found != 0;
        }
        (void)pthread_mutex_unlock(&im->reading);
        return found;
}

/* What lies in the row is the row's fault; what lies in the store or in us ends the run. */
static bool rows_fault(const struct err *e)
{
        return e->kind == ERR_INVALID || e->kind == ERR_CONFLICT || e->kind == ERR_NOT_FOUND || e->kind == ERR_DENIED;
}

static bool take_row(void *ctx, struct arena *a, bool *more, struct err *e)
{
        struct import *im = ctx;
        struct table_row row;
        struct report report;
        struct row_notes notes;
        struct receipt receipt;
        struct err why = {0};
        const int found = next_row(im, a, &row, &why);
        *more = found != 0;
        if (found == 0)
                return true;
        if (found == 1 && row_report(im->map, im->rules, a, &row, clock_now(), &report, &notes, &why)
            && accept_patiently(im->district, a, &report, &receipt, &why)) {
                tally_taken(im->tally, im->rules, &report, &notes, &receipt);
                return true;
        }
        if (found != -2 && rows_fault(&why)) {
                tally_rejected(im->tally);
                rejects_add(im->rejects, &row, &why, im->options->chinese);
                return true;
        }
        *e = why;
        return false;
}

/* --- batches --------------------------------------------------------------------------------------------------------------- */

/* Rows of the whole file: as many as lines at first, then as many as the bytes so far had. */
static int64_t estimate(const struct import *im)
{
        const int64_t all = source_fit(table_source(im->table))->bytes, done = im->mark.done;
        int64_t total = table_lines(im->table);
        if (im->mark.at_byte > 0 && done > 0)
                total = (int64_t)((double)done * (double)all / (double)im->mark.at_byte);
        if (im->options->limit > 0 && im->options->limit < total)
                total = im->options->limit;
        return total;
}

/* The crew counts from the beginning of its batch. */
struct showing {
        const struct import *import;
        int64_t total;
};

static void show(void *ctx, int64_t done, int64_t total)
{
        const struct showing *s = ctx;
        const struct bulk_progress *p = &s->import->options->progress;
        (void)total;
        done += s->import->mark.done;
        if (p->show)
                p->show(p->ctx, done, s->total > done ? s->total : done);
}

static bool settle(struct import *im, struct err *e)
{
        const struct row_place here = table_place(im->table);
        const int64_t rejected = rejects_count(im->rejects);
        struct rejects_end end;
        if (!rejects_settle(im->rejects, &end, e))
                return false;
        struct mark *m = &im->mark;
        m->at_byte = here.byte;
        m->at_line = here.line;
        m->done += im->taken;
        m->rejected += rejected;
        m->rejects_bytes = end.bytes;
        memcpy(m->rejects_sha256, end.sha256, sizeof m->rejects_sha256);
        return !im->marking || mark_save(im->district->store, m, e);
}

static bool run_batch(struct import *im, struct err *e)
{
        const struct showing s = {im, estimate(im)};
        const struct bulk_progress progress = {show, (void *)&s};
        const struct crew crew = {.workers = im->options->workers, .progress = &progress, .turn = take_row, .ctx = im};
        im->taken = 0;
        im->started = clock_steady();
        im->begin = table_passed(im->table);
        return crew_run(&crew, e) && settle(im, e);
}

static bool run_batches(struct import *im, struct import_result *result, struct err *e)
{
        const struct import_options *o = im->options;
        im->left = o->limit > 0 ? o->limit : INT64_MAX;
        im->batch = o->batch > 0 && o->batch < BATCH_ROWS ? o->batch : BATCH_ROWS;
        im->ended = false;
        const struct showing first = {im, estimate(im)};
        show((void *)&first, 0, 0);
        while (!im->ended) {
                if (!run_batch(im, e))
                        return false;
                if (!im->ended && o->stop && o->stop(o->progress.ctx)) {
                        result->stopped = true;
                        break;
                }
        }
        return true;
}

/* --- a run ------------------------------------------------------------------------------------------------------------------ */

static void name_mark(struct import *im)
{
        unsigned char digest[SHA256_SIZE];
        const struct source *s = table_source(im->table);
        const char *encoding = encoding_name(source_fit(s)->encoding);
        struct digest *d = digest_new();
        digest_add(d, im->map->sha256, sizeof im->map->sha256);
        digest_add(d, encoding, strlen(encoding));
        digest_now(d, digest);
        digest_free(&d);
        hex_text(source_sha256(s), SHA256_SIZE, im->mark.file);
        hex_text(digest, sizeof digest, im->mark.map);
}

/* Takes up what an earlier run left: its mark and its rejects belong together, so without the rejects the mark is worth nothing. */
static bool begin(struct import *im, struct import_result *result, struct err *e)
{
        const struct import_options *o = im->options;
        struct mark *m = &im->mark;
        struct rejects_end end = {0};
        size_t n;
        const char *const *header = table_header(im->table, &n);
        bool kept;
        name_mark(im);
        im->marking = o->limit == 0;
        /* Whoever has the rejects may take the mark: an import that is refused must not disturb the one that runs. */
        if (!rejects_open(&im->rejects, o->rejects, o->file, e) || (im->marking && !mark_take(im->district->store, m, e)))
                return false;
        end.bytes = m->rejects_bytes;
        memcpy(end.sha256, m->rejects_sha256, sizeof end.sha256);
        if (!rejects_begin(im->rejects, header, n, &end, &kept, e))
                return false;
        if (m->at_byte == 0)
                return true;
        result->restarted = !kept;
        if (result->restarted) {
                m->at_byte = m->at_line = m->done = m->rejected = 0;
                return true;
        }
        result->before = m->done;
        result->before_rejected = m->rejected;
        result->from_line = m->at_line;
        return table_seek(im->table, (struct row_place){m->at_byte, m->at_line}, e);
}

static bool run(struct import *im, struct import_result *result, struct err *e)
{
        bool ok = begin(im, result, e) && run_batches(im, result, e);
        const bool ended = ok && !result->stopped;
        /* First the mark: without rejects but with a mark the next run would begin anew, which is right too. */
        if (ended && im->marking)
                ok = mark_drop(im->district->store, &im->mark, e);
        rejects_close(&im->rejects, ended && im->mark.rejected == 0);
        return ok;
}

static bool count_waiting(struct tx *tx, void *ctx, struct err *e)
{
        struct import_result *r = ctx;
        return tx_int(tx, &r->waiting, 0, e, SQL_WAITING, NO_ARGS);
}

bool import_reports(struct district *d, struct arena *a, const struct import_map *map, const struct import_options *o,
                    struct import_result *result, struct err *e)
{
        const int64_t start = clock_steady();
        struct import im = {.district = d, .map = map, .options = o, .reading = PTHREAD_MUTEX_INITIALIZER};
        struct import_result known = {0};
        *result = known;
        im.rules = district_rules(d, e);
        if (!im.rules || !table_open(&im.table, o->file, map, o->encoding, e))
                return false;
        im.tally = tally_new();
        bool ok = run(&im, &known, e);
        tally_result(im.tally, a, result);
        result->before = known.before;
        result->before_rejected = known.before_rejected;
        result->from_line = known.from_line;
        result->restarted = known.restarted;
        result->stopped = known.stopped;
        result->encoding = encoding_name(source_fit(table_source(im.table))->encoding);
        result->elapsed = clock_steady() - start;
        tally_free(&im.tally);
        table_close(&im.table);
        return ok && store_read(d->store, count_waiting, result, e);
}
