/* bulk/inside.h -- what the files of this folder share. */
#ifndef BULK_INSIDE_H
#define BULK_INSIDE_H
#include "base/buf.h"
#include "bulk/bulk.h"
#include "bulk/table.h"
#include "intake/intake.h"
#include <pthread.h>
#include <stdio.h>
struct rulebook;
struct store;

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

/* --- source.c: a foreign file as UTF-8 text, a window of a few MiB at a time ------------------------------------------------- */
/* Reads all of it once: its digest, its lines, and its encoding (ENCODING_NONE: found by its bytes).  `file` stays the caller's.
 * ERR_NOT_FOUND, ERR_INVALID: it is empty, no file, or in no encoding that is known. */
bool source_open(struct source **, const char *file, enum encoding, struct err *) MUST_CHECK;
void source_close(struct source **);
const unsigned char *source_sha256(const struct source *);      /* of all bytes */
const struct fit *source_fit(const struct source *);
/* The text of the window, without a byte order mark; `more` is behind it.  Nothing is there before the first source_move(). */
const char *source_text(const struct source *, size_t *n, bool *more);
/* Forgets the first `used` bytes of the text (whole characters) and reads on.  ERR_CONFLICT: the file is no longer what it was. */
bool source_move(struct source *, size_t used, struct err *) MUST_CHECK;
int64_t source_offset(const struct source *, size_t used);      /* where the text behind the first `used` bytes stands in the file */
void source_seek(struct source *, int64_t offset);              /* the next source_move(0) reads there */

/* --- mark.c: how far an import is, kept in the store -------------------------------------------------------------------------- */
enum { MARK_RUN_CHARACTERS = 12 };
struct mark {
        char file[65], map[65];                 /* whose mark: digests in hexadecimal */
        char run[MARK_RUN_CHARACTERS + 1];
        int64_t at_byte, at_line;               /* where the next row begins; at_byte 0 = nothing is settled yet */
        int64_t done, rejected;                 /* rows before it; of these rejected */
        int64_t rejects_bytes; char rejects_sha256[65];         /* of the rejects file */
};
/* All of them wait for up to a minute while the store is busy. */
bool mark_take(struct store *, struct mark *, struct err *) MUST_CHECK;         /* file and map are given; what was saved comes out */
/* ERR_CONFLICT: another import has taken it. */
bool mark_save(struct store *, struct mark *, struct err *) MUST_CHECK;
bool mark_drop(struct store *, struct mark *, struct err *) MUST_CHECK;         /* the import has ended */

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
        struct arena *arena, *scratch;
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
void csv_end(struct buf *);
bool write_all(FILE *, struct buf *, const char *file, struct err *) MUST_CHECK;        /* and empties the buffer */

enum { BATCH_ROWS = 2048, BATCH_BYTES = 8 << 20 };       /* most of a batch, which also ends after half a second */
/* The rejected rows of one batch at a time; within it they are written in the order of their lines. */
struct rejects;
struct rejects_end { int64_t bytes; char sha256[65]; };         /* how far the file is written, and the digest of that */
/* Holds the file until rejects_close(); NULL: rejects are only counted.
 * Refuses `input` itself (ERR_INVALID) and a file that another import is writing (ERR_CONFLICT). */
bool rejects_open(struct rejects **, const char *file, const char *input, struct err *) MUST_CHECK;
/* With `from` (bytes > 0) it goes on behind what an earlier run wrote, when that still stands there as it was; else *kept is false and
 * the file begins anew with the names of the columns. */
bool rejects_begin(struct rejects *, const char *const *header, size_t n, const struct rejects_end *from, bool *kept,
                   struct err *) MUST_CHECK;
void rejects_add(struct rejects *, const struct table_row *, const struct err *why, bool chinese);      /* from any thread */
int64_t rejects_count(const struct rejects *);          /* of the present batch */
/* Writes the batch to the disk. */
bool rejects_settle(struct rejects *, struct rejects_end *, struct err *) MUST_CHECK;
/* `remove` the file, for it holds no row. */
void rejects_close(struct rejects **, bool remove);
#endif
