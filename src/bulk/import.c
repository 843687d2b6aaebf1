/* bulk/import.c -- see bulk.h: rows of a foreign file become reports. */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "district/district.h"
#include "store/store.h"

static const char SQL_WAITING[] = "SELECT COUNT(*) FROM intake_queue";

struct import {
        struct district *district;
        const struct rulebook *rules;
        const struct import_map *map;
        const struct import_options *options;
        pthread_mutex_t reading; /* guards table and left */
        struct table *table;
        int64_t left;
        struct tally *tally;
        struct rejects *rejects;
};

/* As table_next(), for all threads; 0 also when the limit is reached. */
static int next_row(struct import *im, struct arena *a, struct table_row *row, struct err *e)
{
        int found = 0;
        (void)pthread_mutex_lock(&im->reading);
        if (im->left > 0) {
                im->left--;
                found = table_next(im->table, a, row, e);
        }
        (void)pthread_mutex_unlock(&im->reading);
        return found;
}

static bool reject(struct import *im, const struct table_row *row, const struct err *why, struct err *e)
{
        tally_rejected(im->tally);
        return rejects_add(im->rejects, row, why, im->options->chinese, e);
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
        int found = next_row(im, a, &row, &why);
        *more = found != 0;
        if (found == 0)
                return true;
        if (found < 0 || !row_report(im->map, im->rules, a, &row, clock_now(), &report, &notes, &why))
                return reject(im, &row, &why, e);
        if (accept_patiently(im->district, a, &report, &receipt, &why)) {
                tally_taken(im->tally, im->rules, &report, &notes, &receipt);
                return true;
        }
        if (rows_fault(&why))
                return reject(im, &row, &why, e);
        *e = why;
        return false;
}

static bool run(struct import *im, struct err *e)
{
        const struct import_options *o = im->options;
        size_t n;
        const char *const *header = table_header(im->table, &n);
        int64_t total = table_lines(im->table);
        struct err closing;
        if (!rejects_open(&im->rejects, o->rejects, o->file, header, n, e))
                return false;
        im->left = o->limit > 0 ? o->limit : INT64_MAX;
        const struct crew crew = {.workers = o->workers,
                                  .total = total < im->left ? total : im->left,
                                  .progress = &o->progress,
                                  .turn = take_row,
                                  .ctx = im};
        bool ok = crew_run(&crew, e);
        if (rejects_close(&im->rejects, &closing) || !ok)
                return ok;
        *e = closing;
        return false;
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
        *result = (struct import_result){0};
        im.rules = district_rules(d, e);
        if (!im.rules || !table_open(&im.table, o->file, map, e))
                return false;
        im.tally = tally_new();
        bool ok = run(&im, e);
        tally_result(im.tally, a, result);
        result->elapsed = clock_steady() - start;
        tally_free(&im.tally);
        table_close(&im.table);
        return ok && store_read(d->store, count_waiting, result, e);
}
