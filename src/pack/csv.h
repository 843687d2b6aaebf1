/* pack/csv.h -- CSV (RFC 4180) and TSV as records with line numbers.  UTF-8, optional BOM; other encodings: encoding.h. */
#ifndef PACK_CSV_H
#define PACK_CSV_H
#include "base/base.h"
struct arena;
struct buf;

struct csv_record { int64_t line; size_t n; const char **cells; };      /* line of the record's first byte, from 1 */

/* Streams the records of `text`; stops when each() returns false (then that error is given back). Texts live until
 * each() returns.  separator 0: tab when the first line has one, else comma.  ERR_INVALID names the line: a quote that never ends,
 * bytes after a closing quote, a NUL. */
bool csv_read(const char *text, size_t n, char separator,
              bool (*each)(void *ctx, const struct csv_record *, struct err *), void *ctx, struct err *) MUST_CHECK;

/* The same one record at a time, for files in which some lines may be faulty.  1: a record, its texts live until the next
 * call; 0: the end; -1: a faulty record (out->line is its first line, its only cell that line as it stands, at most 65,534 bytes,
 * perhaps not UTF-8), and the next call goes on with the line after that.  Lines end with LF, CR LF or CR.
 * `text` stays the caller's and must live as long as the reader. */
enum { CSV_RECORD_MOST = 1 << 20 };     /* bytes of a record; a longer one is faulty */
struct csv_reader;
struct csv_reader *csv_open(const char *text, size_t n, char separator);
int csv_next(struct csv_reader *, struct csv_record *, struct err *) MUST_CHECK;
void csv_close(struct csv_reader **);

/* Text that comes in pieces: csv_at() says what was read so far (up to there it may be forgotten) and the line that stands there;
 * csv_move() says where that place is now and how many bytes are there.  While there are `more`, csv_next() gives 0 for a record
 * whose end is not in sight; that needs at most CSV_RECORD_MOST + 2 bytes. */
const char *csv_at(const struct csv_reader *, int64_t *line);
void csv_move(struct csv_reader *, const char *text, size_t n, bool more);
/* Goes behind the line of a record that was faulty just now; false: its end is not in sight yet, move and call again. */
bool csv_skip(struct csv_reader *);
/* A reader that begins at `line`, in the middle of a file. */
void csv_begin_at(struct csv_reader *, int64_t line);

/* Adds a cell behind `separator` (0: the first of its record), in quotes where it needs them. */
void csv_cell(struct buf *, int separator, const char *text);
#endif
