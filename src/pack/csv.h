/* pack/csv.h -- CSV (RFC 4180) and TSV as records with line numbers.  UTF-8, optional BOM; GB18030 is recognised and converted. */
#ifndef PACK_CSV_H
#define PACK_CSV_H
#include "base/base.h"
struct arena;

struct csv_record { int64_t line; size_t n; const char **cells; };      /* line of the record's first byte, from 1 */

/* Streams the records of `text`; stops when each() returns false (then that error is given back). Texts live until
 * each() returns.  separator 0: tab when the first line has one, else comma.  ERR_INVALID names the line: a quote that never ends,
 * bytes after a closing quote, a NUL. */
bool csv_read(const char *text, size_t n, char separator,
              bool (*each)(void *ctx, const struct csv_record *, struct err *), void *ctx, struct err *) MUST_CHECK;

/* The same one record at a time, for files in which some lines may be faulty.  1: a record, its texts live until the next
 * call; 0: the end; -1: a faulty record (out->line is its first line), and the next call goes on with the line after that.
 * `text` stays the caller's and must live as long as the reader. */
struct csv_reader;
struct csv_reader *csv_open(const char *text, size_t n, char separator);
int csv_next(struct csv_reader *, struct csv_record *, struct err *) MUST_CHECK;
void csv_close(struct csv_reader **);

/* Makes UTF-8 of UTF-8, UTF-8 with BOM, UTF-16 with BOM or GB18030; names the encoding found. ERR_INVALID when it is none. */
bool csv_decode(struct arena *, const char *bytes, size_t n, char **text, size_t *length, const char **encoding, struct err *) MUST_CHECK;
#endif
