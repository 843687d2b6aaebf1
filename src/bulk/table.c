/* bulk/table.c -- a foreign file as rows: CSV, TSV, JSON lines. */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "json/json.h"
#include "pack/csv.h"
#include <math.h>
#include <stdlib.h>

enum { JSON_LINE_MOST = 1 << 20, SHOWN_MOST = 65534, NUMBER_TEXT = 32, NAMES_SHOWN = 150 };

struct table {
        const struct import_map *map;
        const char *file;
        struct arena *arena;
        struct source *source;
        struct csv_reader *csv;
        const char **header;
        size_t n_header;
        int places[MAP_COLUMNS_MOST]; /* where the map's columns stand in a CSV row */
        int64_t passed;               /* bytes of text that left the window */
        size_t at;                    /* JSONL: in the window */
        int64_t line;
};

/* --- the first line ------------------------------------------------------------------------------------------------------ */

/* How many of the map's columns are not in the first line, or twice. */
static size_t find_columns(struct table *t)
{
        size_t faults = 0;
        for (size_t i = 0; i < t->map->n_columns; i++) {
                int found = 0;
                t->places[i] = -1;
                for (size_t k = 0; k < t->n_header; k++)
                        if (text_is(t->header[k], t->map->columns[i])) {
                                t->places[i] = (int)k;
                                found++;
                        }
                if (found != 1)
                        faults++;
                if (found > 1)
                        t->places[i] = -2;
        }
        return faults;
}

static bool read_header(struct table *t, char separator, size_t *faults, struct err *e)
{
        struct csv_record r;
        size_t n;
        bool more;
        const char *text = source_text(t->source, &n, &more);
        csv_close(&t->csv);
        t->csv = csv_open(text, n, separator);
        csv_move(t->csv, text, n, more);
        int found = csv_next(t->csv, &r, e);
        /* Excel's own note on what stands between the cells. */
        if (found > 0 && r.line == 1 && text_starts(r.cells[0], "sep=") && r.n <= 2)
                found = csv_next(t->csv, &r, e);
        if (found < 0)
                return false;
        if (found == 0)
                return err_both(e, ERR_INVALID, NULL, "%s has no first line that names the columns", "%s 缺少列名行", t->file);
        t->header = NEW_ARRAY(t->arena, const char *, r.n);
        t->n_header = r.n;
        for (size_t i = 0; i < r.n; i++)
                t->header[i] = text_trim(t->arena, r.cells[i]);
        *faults = find_columns(t);
        return true;
}

static const char *nearest(const struct table *t, const char *wanted)
{
        const char *best = NULL;
        size_t least = 1 + strlen(wanted) / 2;
        for (size_t k = 0; k < t->n_header; k++) {
                if (text_empty(t->header[k]))
                        continue;
                const bool part = strstr(t->header[k], wanted) || strstr(wanted, t->header[k]);
                const size_t d = part ? 1 : text_distance(t->header[k], wanted);
                if (d < least) {
                        least = d;
                        best = t->header[k];
                }
        }
        return best;
}

/* "A, B", cut between characters. */
static const char *cut(struct arena *a, struct buf *b)
{
        char *text = arena_copy(a, b->at ? b->at : "", b->length < NAMES_SHOWN ? b->length : NAMES_SHOWN);
        const char *mended = text_mend(text);
        const bool all = b->length <= NAMES_SHOWN;
        buf_free(b);
        return all ? mended : arena_format(a, "%s ...", mended);
}

static bool wrong_columns(const struct table *t, struct err *e)
{
        struct buf missing = BUF_LIMIT(1 << 20), there = BUF_LIMIT(1 << 22);
        for (size_t i = 0; i < t->map->n_columns; i++) {
                const char *name = t->map->columns[i], *near = nearest(t, name);
                if (t->places[i] == -2)
                        return err_both(e, ERR_INVALID, NULL, "the first line of %s has the column \"%s\" twice",
                                        "%s 的首行中列“%s”出现了两次", t->file, name);
                if (t->places[i] >= 0)
                        continue;
                buf_format(&missing, "%s\"%s\"", missing.length ? ", " : "", name);
                if (near)
                        buf_format(&missing, " (\"%s\"?)", near);
        }
        for (size_t k = 0; k < t->n_header; k++)
                buf_format(&there, "%s%s", k ? ", " : "", t->header[k]);
        const char *lacks = cut(t->arena, &missing), *has = cut(t->arena, &there);
        return err_both(e, ERR_INVALID, NULL, "%s has no column %s, which the map names; its first line has: %s",
                        "%s 缺少映射文件所指的列 %s；其首行有：%s", t->file, lacks, has);
}

/* CSV that Excel writes has semicolons where the comma is the decimal point, and tabs as "Unicode text": the map's columns tell. */
static bool find_header(struct table *t, struct err *e)
{
        static const char separators[] = ",;\t";
        const char *from = t->map->format == TABLE_TSV ? strchr(separators, '\t') : separators;
        size_t faults, least = SIZE_MAX;
        char best = *from;
        for (; *from; from++) {
                if (!read_header(t, *from, &faults, e) || faults >= least)
                        continue;
                if (faults == 0)
                        return true;
                least = faults;
                best = *from;
        }
        return read_header(t, best, &faults, e) && wrong_columns(t, e);
}

/* --- the window ---------------------------------------------------------------------------------------------------------- */

/* Forgets `used` bytes of the window and reads on. */
static bool move(struct table *t, size_t used, struct err *e)
{
        size_t n;
        bool more;
        if (!source_move(t->source, used, e))
                return false;
        const char *text = source_text(t->source, &n, &more);
        t->passed += (int64_t)used;
        t->at = 0;
        if (t->csv)
                csv_move(t->csv, text, n, more);
        return true;
}

/* Bytes of the window that were read, and the line behind them. */
static size_t used_of(const struct table *t, int64_t *line)
{
        size_t n;
        bool more;
        const char *text = source_text(t->source, &n, &more);
        *line = t->line + 1;
        return t->csv ? (size_t)(csv_at(t->csv, line) - text) : t->at;
}

static bool move_on(struct table *t, struct err *e)
{
        int64_t line;
        return move(t, used_of(t, &line), e);
}

/* --- opening ------------------------------------------------------------------------------------------------------------- */

bool table_open(struct table **out, const char *file, const struct import_map *map, enum encoding encoding, struct err *e)
{
        struct table *t = calloc(1, sizeof *t);
        if (!t)
                abort();
        t->map = map;
        t->file = file;
        t->arena = arena_new();
        *out = t;
        if (source_open(&t->source, file, encoding, e) && move(t, 0, e) && (map->format == TABLE_JSONL || find_header(t, e)))
                return true;
        table_close(out);
        return false;
}

void table_close(struct table **table)
{
        struct table *t = *table;
        if (!t)
                return;
        csv_close(&t->csv);
        source_close(&t->source);
        arena_free(&t->arena);
        free(t);
        *table = NULL;
}

const struct source *table_source(const struct table *t)
{
        return t->source;
}

const char *const *table_header(const struct table *t, size_t *n)
{
        *n = t->n_header;
        return t->header;
}

int64_t table_lines(const struct table *t)
{
        const int64_t lines = source_fit(t->source)->lines - (t->map->format != TABLE_JSONL);
        return lines < 1 ? 1 : lines;
}

struct row_place table_place(const struct table *t)
{
        int64_t line;
        const size_t used = used_of(t, &line);
        return (struct row_place){source_offset(t->source, used), line};
}

int64_t table_passed(const struct table *t)
{
        int64_t line;
        return t->passed + (int64_t)used_of(t, &line);
}

bool table_seek(struct table *t, struct row_place to, struct err *e)
{
        source_seek(t->source, to.byte);
        t->line = to.line - 1;
        if (t->csv)
                csv_begin_at(t->csv, to.line);
        return move(t, 0, e);
}

/* --- rows ------------------------------------------------------------------------------------------------------------------ */

/* What is shown of a line that cannot be read. */
static void show_line(struct arena *a, const char *from, size_t n, struct table_row *row)
{
        row->cells = NEW(a, const char *);
        row->cells[0] = arena_copy(a, from, n < SHOWN_MOST ? n : SHOWN_MOST);
        row->n = 1;
}

/* Trimmed, "" when the map counts the text as not said. */
static const char *said(const struct import_map *map, struct arena *a, const char *text)
{
        const char *trimmed = text_trim(a, text);
        for (size_t i = 0; i < map->n_empty; i++)
                if (text_is(map->empty[i], trimmed))
                        return "";
        return trimmed;
}

/* Excel keeps the zeros of 0012 by writing ="0012". */
static const char *unwrapped(struct arena *a, const char *cell)
{
        const size_t n = strlen(cell);
        return n >= 3 && text_starts(cell, "=\"") && cell[n - 1] == '"' ? arena_copy(a, cell + 2, n - 3) : cell;
}

static int next_record(struct table *t, struct csv_record *r, struct err *e)
{
        for (;;) {
                size_t n;
                bool more;
                const int found = csv_next(t->csv, r, e);
                (void)source_text(t->source, &n, &more);
                if (found != 0 || !more)
                        return found;
                if (!move_on(t, e))
                        return -2;
        }
}

static bool empty(const char *const *cells, size_t from, size_t n)
{
        for (size_t i = from; i < n; i++)
                if (!text_empty(cells[i]))
                        return false;
        return true;
}

/* A cell more or less counts only when it says something: Excel adds and leaves out empty ones at the end. */
static bool as_wide_as_header(const struct table *t, const struct table_row *row, struct err *e)
{
        const size_t n = row->n, wanted = t->n_header;
        if (n == wanted || (n > wanted ? empty(row->cells, wanted, n) : empty(t->header, n, wanted)))
                return true;
        return err_both(e, ERR_INVALID, NULL, "the row has %zu cells, the first line has %zu", "本行有%zu个单元格，首行有%zu个", n,
                        wanted);
}

static bool sound_cells(const struct table *t, const struct table_row *row, struct err *e)
{
        const char *encoding = encoding_name(source_fit(t->source)->encoding);
        for (size_t i = 0; i < row->n; i++)
                if (text_utf8_fault(row->cells[i], strlen(row->cells[i])) != strlen(row->cells[i]))
                        return err_both(e, ERR_INVALID, i < t->n_header ? t->header[i] : NULL, "the text is not %s",
                                        "文本不是有效的 %s", encoding);
        return true;
}

/* A faulty line may be longer than the window. */
static int behind_the_line(struct table *t, struct err *e)
{
        struct err moving;
        while (!csv_skip(t->csv))
                if (!move_on(t, &moving)) {
                        *e = moving;
                        return -2;
                }
        return -1;
}

static int next_csv(struct table *t, struct arena *a, struct table_row *row, struct err *e)
{
        struct csv_record r;
        for (;;) {
                const int found = next_record(t, &r, e);
                row->line = r.line;
                if (found == 0 || found == -2)
                        return found;
                row->cells = NEW_ARRAY(a, const char *, r.n);
                row->n = r.n;
                for (size_t i = 0; i < r.n; i++)
                        row->cells[i] = arena_text(a, r.cells[i]);
                if (found < 0)
                        return behind_the_line(t, e);
                if (!empty(row->cells, 0, row->n))
                        break;
        }
        if (!as_wide_as_header(t, row, e) || !sound_cells(t, row, e))
                return -1;
        for (size_t i = 0; i < t->map->n_columns; i++) {
                const size_t place = (size_t)t->places[i];
                row->values[i] = place < row->n ? said(t->map, a, unwrapped(a, row->cells[place])) : "";
        }
        return 1;
}

/* "a.b" is the member b of the object a, unless a member is called "a.b". */
static const struct json_value *member(struct arena *a, const struct json_value *object, const char *name)
{
        const struct json_value *found = json_get(object, name);
        const char *dot = strchr(name, '.');
        if (found || !dot)
                return found;
        return member(a, json_get(object, arena_copy(a, name, (size_t)(dot - name))), dot + 1);
}

static bool json_cell(struct arena *a, const struct json_value *v, const char *name, const char **out, struct err *e)
{
        *out = "";
        if (json_kind(v) == JSON_TEXT)
                *out = json_text_of(v);
        else if (json_kind(v) == JSON_BOOL)
                *out = json_bool_of(v) ? "true" : "false";
        else if (json_kind(v) == JSON_ARRAY || json_kind(v) == JSON_OBJECT)
                return err_both(e, ERR_INVALID, name, "a text or a number is expected, not a list or an object",
                                "应为文本或数字，而非列表或对象");
        if (json_kind(v) != JSON_NUMBER)
                return true;
        double number = json_real_of(v);
        /* Beyond 2^53 neighbouring numbers read the same: two ids would become one. */
        if (fabs(number) > 9007199254740992.0)
                return err_both(e, ERR_INVALID, name, "the number is too long to be read exactly; put it in quotes",
                                "数字过长，请加引号作为文本");
        char *text = arena_alloc(a, NUMBER_TEXT);
        if (number == trunc(number))
                (void)snprintf(text, NUMBER_TEXT, "%lld", (long long)number);
        else
                (void)snprintf(text, NUMBER_TEXT, "%.17g", number);
        *out = text;
        return true;
}

static bool json_row(const struct table *t, struct arena *a, const char *from, size_t n, struct table_row *row, struct err *e)
{
        if (n > JSON_LINE_MOST)
                return err_both(e, ERR_INVALID, NULL, "the line is longer than 1 MiB", "本行超过1MiB");
        const struct json_value *object = json_parse(a, from, n, e);
        if (!object)
                return false;
        if (json_kind(object) != JSON_OBJECT)
                return err_both(e, ERR_INVALID, NULL, "the line is not a JSON object", "本行不是 JSON 对象");
        for (size_t i = 0; i < t->map->n_columns; i++) {
                const char *text, *name = t->map->columns[i];
                if (!json_cell(a, member(a, object, name), name, &text, e))
                        return false;
                row->values[i] = said(t->map, a, text);
        }
        return true;
}

/* Moves the window until it shows the end of the line at `at`, or more of it than a line may have; *n: what is there. */
static bool see_line(struct table *t, const char **from, size_t *n, bool *ends, struct err *e)
{
        for (;;) {
                size_t there;
                bool more;
                const char *text = source_text(t->source, &there, &more);
                const char *stop = memchr(text + t->at, '\n', there - t->at);
                *from = text + t->at;
                *n = stop ? (size_t)(stop - *from) : there - t->at;
                *ends = stop != NULL;
                if (stop || !more || *n > JSON_LINE_MOST)
                        return true;
                if (!move_on(t, e))
                        return false;
        }
}

static bool skip_line(struct table *t, struct err *e)
{
        const char *from;
        size_t n;
        for (bool ends = false; !ends;) {
                if (!see_line(t, &from, &n, &ends, e))
                        return false;
                t->at += n + ends;
                if (n == 0 && !ends)
                        break;
        }
        return true;
}

static int next_json(struct table *t, struct arena *a, struct table_row *row, struct err *e)
{
        const char *from;
        size_t n;
        bool ends;
        for (;;) {
                struct err moving;
                if (!see_line(t, &from, &n, &ends, e))
                        return -2;
                if (n == 0 && !ends)
                        return 0;
                row->line = ++t->line;
                size_t length = n;
                if (length > 0 && from[length - 1] == '\r')
                        length--;
                if (length == 0) {
                        t->at += n + ends;
                        continue;
                }
                show_line(a, from, length, row);
                const bool good = json_row(t, a, from, length, row, e);
                if (skip_line(t, &moving))
                        return good ? 1 : -1;
                *e = moving;
                return -2;
        }
}

int table_next(struct table *t, struct arena *a, struct table_row *row, struct err *e)
{
        *row = (struct table_row){.values = NEW_ARRAY(a, const char *, t->map->n_columns)};
        return t->map->format == TABLE_JSONL ? next_json(t, a, row, e) : next_csv(t, a, row, e);
}
