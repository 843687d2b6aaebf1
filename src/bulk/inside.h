/* bulk/inside.h -- what the files of this folder share. */
#ifndef BULK_INSIDE_H
#define BULK_INSIDE_H
#include "base/buf.h"
#include "bulk/bulk.h"
#include "intake/intake.h"
#include <pthread.h>
#include <stdio.h>
struct rulebook;

/* --- crew.c: many threads take turns until there is no more work ------------------------------------------------------- */
struct crew {
        int workers;
        int64_t total;                          /* for the progress; 0 = unknown */
        const struct bulk_progress *progress;
        /* One piece of work, on any of the threads; the arena is emptied before each.  *more = false: there was none left.
         * False stops the whole crew. */
        bool (*turn)(void *ctx, struct arena *, bool *more, struct err *);
        void *ctx;
};
/* The first error of a turn, once all threads have ended. */
bool crew_run(const struct crew *, struct err *) MUST_CHECK;

/* intake_accept(), waiting for up to a minute while the store is busy. */
bool accept_patiently(struct district *, struct arena *, const struct report *, struct receipt *, struct err *) MUST_CHECK;

/* --- table.c: a foreign file row by row ---------------------------------------------------------------------------------- */
struct table_row {                      /* texts live in the arena */
        int64_t line;
        const char **values;            /* of the map's columns, trimmed; "" = not said */
        const char **cells; size_t n;   /* as in the file; JSONL and unreadable rows: the line as one cell */
};
struct table;
/* ERR_INVALID: a column of the map is not in the first line (CSV, TSV), or the encoding is unknown. */
bool table_open(struct table **, const char *file, const struct import_map *, struct err *) MUST_CHECK;
void table_close(struct table **);
const char *const *table_header(const struct table *, size_t *n);      /* JSONL: n = 0 */
int64_t table_lines(const struct table *);      /* about as many rows as there are */
/* 1: a row; 0: the end; -1: a faulty row (line and cells are set), the next call goes on behind it. */
int table_next(struct table *, struct arena *, struct table_row *, struct err *) MUST_CHECK;

/* --- import_row.c: a row becomes a report ---------------------------------------------------------------------------------- */
struct row_notes {
        bool unknown_item, unknown_area, unknown_property;
        const char *unit;                       /* NULL = the row names none */
};
/* ERR_INVALID names the field: the row cannot be taken. */
bool row_report(const struct import_map *, const struct rulebook *, struct arena *, const struct table_row *, int64_t now,
                struct report *, struct row_notes *, struct err *) MUST_CHECK;

/* --- tally.c: what became of the rows; every function from any thread -------------------------------------------------------- */
struct tally {
        pthread_mutex_t lock;
        struct arena *arena;
        struct map *pairs;                      /* "actual\x1fours" -> struct confusion */
        struct confusion **all; size_t n;
        struct import_result result;
};
struct tally *tally_new(void);
void tally_free(struct tally **);
void tally_taken(struct tally *, const struct rulebook *, const struct report *, const struct row_notes *, const struct receipt *);
void tally_rejected(struct tally *);
/* Texts of the confusions go to the arena. */
void tally_result(struct tally *, struct arena *, struct import_result *);

/* --- csv_out.c: CSV (RFC 4180, CR LF) ---------------------------------------------------------------------------------- */
/* One cell, quoted where it must be; `first` of its line has no comma in front. */
void csv_cell(struct buf *, bool first, const char *text);
void csv_end(struct buf *);
bool write_all(FILE *, struct buf *, const char *file, struct err *) MUST_CHECK;        /* and empties the buffer */

struct rejects;
/* file NULL: rejects are only counted.  Refuses `input` itself. */
bool rejects_open(struct rejects **, const char *file, const char *input, const char *const *header, size_t n,
                  struct err *) MUST_CHECK;
bool rejects_add(struct rejects *, const struct table_row *, const struct err *why, bool chinese, struct err *) MUST_CHECK;
/* No reject: the file is removed again. */
bool rejects_close(struct rejects **, struct err *) MUST_CHECK;
#endif
