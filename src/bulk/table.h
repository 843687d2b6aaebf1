/* bulk/table.h -- a foreign file row by row, as an import map says: for the import, and for whoever only looks at such a file. */
#ifndef BULK_TABLE_H
#define BULK_TABLE_H
#include "bulk/import_map.h"
#include "pack/encoding.h"
struct arena;
struct source;

struct table_row {                      /* texts live in the arena */
        int64_t line;
        const char **values;            /* of the map's columns, trimmed; "" = not said */
        const char **cells; size_t n;   /* as in the file; JSONL and unreadable rows: the line as one cell */
};
struct row_place { int64_t byte, line; };   /* where a row begins */
struct table;
/* CSV may have semicolons or tabs instead of commas: what makes the map's columns appear in the first line.
 * ERR_INVALID: a column of the map is not in the first line (CSV, TSV), or the encoding is unknown. */
bool table_open(struct table **, const char *file, const struct import_map *, enum encoding, struct err *) MUST_CHECK;
void table_close(struct table **);
const struct source *table_source(const struct table *);
const char *const *table_header(const struct table *, size_t *n);      /* JSONL: n = 0 */
int64_t table_lines(const struct table *);      /* about as many rows as there are */
struct row_place table_place(const struct table *);         /* of the next row */
int64_t table_passed(const struct table *);             /* bytes of text that were read, in UTF-8 */
bool table_seek(struct table *, struct row_place, struct err *) MUST_CHECK;         /* to what table_place() said of the same file */
/* 1: a row; 0: the end; -1: a faulty row (line and cells are set), the next call goes on behind it; -2: the file cannot be read on. */
int table_next(struct table *, struct arena *, struct table_row *, struct err *) MUST_CHECK;

/* --- import_row.c: what a row says ------------------------------------------------------------------------------------------ */
/* The text of a field as the map makes it of the row's columns; "" when the row or the map says nothing. */
const char *row_text(const struct import_map *, struct arena *, const struct table_row *, enum import_field);
/* The instant of a field; 0 when it says nothing.  ERR_INVALID: it is no time, or lies more than a day behind `now`; or FIELD_RECEIVED is
 * in the map and not in the row. */
bool row_time(const struct import_map *, struct arena *, const struct table_row *, enum import_field, int64_t now, int64_t *out,
              struct err *) MUST_CHECK;
/* The row's names in these columns, up to the last that is said; empty ones above it stay "".  Returns how many. */
size_t row_names(const struct table_row *, const struct map_columns *, const char *names[MAP_PARTS_MOST]);
#endif
