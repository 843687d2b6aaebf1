/* bulk/bulk.h -- reports by the thousand: import of foreign tables, made-up reports for trying out, export.
 *
 * Every report goes through intake_accept() like any other; many threads hand them in, so that the store commits many at once.
 * What was stored once is recognised by its external id, so a run that broke off is simply started again; an import goes on where it was.
 */
#ifndef BULK_BULK_H
#define BULK_BULK_H
#include "bulk/import_map.h"
#include "pack/encoding.h"
struct arena;
struct district;
struct store;

/* Called from the caller's thread a few times a second; total 0 = unknown. */
struct bulk_progress { void (*show)(void *ctx, int64_t done, int64_t total); void *ctx; };

/* --- import ------------------------------------------------------------------------------------------------------- */
struct import_options {
        const char *file;
        const char *rejects;            /* CSV of the rows that could not be taken: line, field, reason, cells; NULL = none */
        enum encoding encoding;         /* ENCODING_NONE: found by the file's bytes */
        int64_t limit;                  /* most rows read, from the first; 0 = all.  With a limit no mark is kept */
        int workers;                    /* threads; 0 = 32 */
        int batch;                      /* most rows that are settled together; 0 = 2048 */
        bool chinese;                   /* language of the reasons */
        struct bulk_progress progress;  /* its rows are those of the whole file, also of earlier runs */
        bool (*stop)(void *ctx);        /* asked after each batch, with the ctx of progress; true ends the run there; NULL = never */
};
struct confusion { const char *actual, *ours; bool known; int64_t count; };     /* known: the pack knows the actual unit */
enum { CONFUSIONS_SHOWN = 10 };
struct import_result {                                  /* of this run only, but for the four of the earlier one */
        int64_t before, before_rejected;                /* rows an earlier run had settled; of these rejected */
        int64_t from_line;                              /* where this run began; 0 = with the first row */
        bool restarted;                                 /* an earlier run's rejects are not as it left them: began with the first row */
        bool stopped;                                   /* by stop(); the next run goes on */
        const char *encoding;
        int64_t read, stored, again, rejected;          /* read = stored + again + rejected */
        int64_t elapsed;                                /* microseconds */
        int64_t no_item, unknown_item;                  /* rows taken without item; of these with one that the pack does not know */
        int64_t no_area, unknown_area;                  /* rows taken without any area; rows with a name the pack does not know */
        int64_t unknown_property;
        int64_t waiting;                                /* reports of this store that are kept but could not be filed yet */
        /* With compare_unit: rows taken that name a unit, those whose unit the pack knows, and how often ours is the same. */
        int64_t compared, known, same;
        struct confusion confusions[CONFUSIONS_SHOWN]; size_t n_confusions;     /* commonest first */
};
/* A row that cannot be taken never stops the run.  False: the file cannot be read or lacks a column of the map, no pack is loaded,
 * the rejects file cannot be written, the file has changed, another import of it has begun, or the store gave up; what was stored
 * until then stays, and *result counts it.
 * How far a run came is kept in the store for each pair of file and map (by what is in them, not by their names): the next run of the
 * same pair goes on there, until one reaches the end. */
bool import_reports(struct district *, struct arena *, const struct import_map *, const struct import_options *,
                    struct import_result *result, struct err *) MUST_CHECK;

/* --- made-up reports -------------------------------------------------------------------------------------------------- */
struct demo_options {
        int64_t count;                  /* 1 to 10,000,000 */
        int64_t seed;
        int64_t until;                  /* a midnight; they spread over the year before it */
        bool chinese;                   /* language of the texts */
        int workers;                    /* 0 = 32 */
        struct bulk_progress progress;
};
struct demo_result { int64_t stored, again, elapsed; };
/* Report I of seed S has the external id demo-S-I; what it says depends on S, I, the language and the pack
 * only, its instants on until and count too.  A run that broke off is continued by the same call. */
bool demo_reports(struct district *, const struct demo_options *, struct demo_result *, struct err *) MUST_CHECK;

/* --- export ------------------------------------------------------------------------------------------------------------- */
enum export_what { EXPORT_CASES, EXPORT_REPORTS };
enum export_format { EXPORT_CSV, EXPORT_JSONL };
/* Newest first, page by page.  Nothing about reporters; long runs of digits and mail addresses inside texts are masked.
 * Refuses a file that exists; a run that fails leaves none. */
bool export_table(struct district *, enum export_what, enum export_format, const char *file, const struct bulk_progress *,
                  int64_t *rows, struct err *) MUST_CHECK;
#endif
