/* bulk/table.c -- a foreign file as rows: CSV, TSV, JSON lines.  The file is mapped into memory, so its size does not matter. */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "json/json.h"
#include "pack/csv.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JSON_LINE_MOST = 1 << 20, SHOWN_MOST = 1 << 20, NUMBER_TEXT = 32 };

struct table {
        const struct import_map *map;
        struct arena *arena;
        void *mapped;
        size_t mapped_n; /* the file's bytes */
        const char *text;
        size_t n; /* the same, or what they were converted to */
        struct csv_reader *csv;
        const char **header;
        size_t n_header;
        int places[MAP_COLUMNS_MOST]; /* where the map's columns stand in a CSV row */
        const char *at;
        int64_t line; /* JSONL */
};

/* --- opening ------------------------------------------------------------------------------------------------------------- */

static bool map_file(struct table *t, const char *file, struct err *e)
{
        struct stat s;
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        bool ok = fd >= 0 && fstat(fd, &s) == 0;
        if (ok && S_ISREG(s.st_mode) && s.st_size > 0) {
                t->mapped_n = (size_t)s.st_size;
                t->mapped = mmap(NULL, t->mapped_n, PROT_READ, MAP_PRIVATE, fd, 0);
                ok = t->mapped != MAP_FAILED;
        }
        const int why = errno;
        if (fd >= 0)
                (void)close(fd);
        if (!ok) {
                t->mapped = NULL;
                return err_both(e, ERR_NOT_FOUND, NULL, "%s cannot be read: %s", "无法读取 %s：%s", file, strerror(why));
        }
        return t->mapped != NULL || err_both(e, ERR_INVALID, NULL, "%s is empty or no file", "%s 为空或不是文件", file);
}

/* A file of UTF-8 stays one though some of its lines are damaged: those are rejected as rows.  Else its GB18030 twin would be
 * read out of sound lines. */
static bool mostly_utf8(const char *text, size_t n)
{
        size_t good = 0, bad = 0;
        for (const char *p = text, *end = text + n; p < end;) {
                const char *stop = memchr(p, '\n', (size_t)(end - p));
                size_t length = (size_t)((stop ? stop : end) - p);
                bool ascii = true;
                for (size_t i = 0; ascii && i < length; i++)
                        ascii = (unsigned char)p[i] < 0x80;
                if (!ascii && text_utf8_fault(p, length) == length)
                        good++;
                else if (!ascii)
                        bad++;
                p += length + 1;
        }
        return good >= bad;
}

static bool decode(struct table *t, struct err *e)
{
        const unsigned char *b = t->mapped;
        const char *encoding;
        char *text;
        bool wide = t->mapped_n >= 2 && ((b[0] == 0xFF && b[1] == 0xFE) || (b[0] == 0xFE && b[1] == 0xFF));
        t->text = t->mapped;
        t->n = t->mapped_n;
        if (!wide && mostly_utf8(t->text, t->n))
                return true;
        if (!csv_decode(t->arena, t->mapped, t->mapped_n, &text, &t->n, &encoding, e))
                return false;
        t->text = text;
        return true;
}

static bool find_columns(struct table *t, const char *file, struct err *e)
{
        for (size_t i = 0; i < t->map->n_columns; i++) {
                t->places[i] = -1;
                for (size_t k = 0; k < t->n_header; k++)
                        if (text_is(t->header[k], t->map->columns[i]))
                                t->places[i] = (int)k;
                if (t->places[i] < 0)
                        return err_both(e, ERR_INVALID, NULL, "%s has no column \"%s\", which the map names; see its first line",
                                        "%s 没有映射文件所指的列“%s”，请核对首行", file, t->map->columns[i]);
        }
        return true;
}

static bool read_header(struct table *t, const char *file, struct err *e)
{
        struct csv_record r;
        t->csv = csv_open(t->text, t->n, t->map->format == TABLE_TSV ? '\t' : ',');
        int found = csv_next(t->csv, &r, e);
        if (found < 0)
                return false;
        if (found == 0)
                return err_both(e, ERR_INVALID, NULL, "%s has no first line that names the columns", "%s 缺少列名行", file);
        t->header = NEW_ARRAY(t->arena, const char *, r.n);
        t->n_header = r.n;
        for (size_t i = 0; i < r.n; i++)
                t->header[i] = text_trim(t->arena, r.cells[i]);
        return find_columns(t, file, e);
}

bool table_open(struct table **out, const char *file, const struct import_map *map, struct err *e)
{
        struct table *t = calloc(1, sizeof *t);
        if (!t)
                abort();
        t->map = map;
        t->arena = arena_new();
        *out = t;
        bool ok = map_file(t, file, e) && decode(t, e);
        if (ok) {
                t->at = t->n >= 3 && memcmp(t->text, "\xEF\xBB\xBF", 3) == 0 ? t->text + 3 : t->text;
                ok = map->format == TABLE_JSONL || read_header(t, file, e);
        }
        if (!ok)
                table_close(out);
        return ok;
}

void table_close(struct table **table)
{
        struct table *t = *table;
        if (!t)
                return;
        csv_close(&t->csv);
        if (t->mapped)
                (void)munmap(t->mapped, t->mapped_n);
        arena_free(&t->arena);
        free(t);
        *table = NULL;
}

const char *const *table_header(const struct table *t, size_t *n)
{
        *n = t->n_header;
        return t->header;
}

int64_t table_lines(const struct table *t)
{
        int64_t lines = t->map->format == TABLE_JSONL ? 0 : -1;
        const char *end = t->text + t->n;
        for (const char *p = t->text; p < end; lines++) {
                const char *stop = memchr(p, '\n', (size_t)(end - p));
                p = stop ? stop + 1 : end;
        }
        return lines < 1 ? 1 : lines;
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

static int next_csv(struct table *t, struct arena *a, struct table_row *row, struct err *e)
{
        struct csv_record r;
        int found = csv_next(t->csv, &r, e);
        row->line = r.line;
        if (found < 0)
                show_line(a, "", 0, row);
        if (found <= 0)
                return found;
        row->cells = NEW_ARRAY(a, const char *, r.n);
        row->n = r.n;
        for (size_t i = 0; i < r.n; i++)
                row->cells[i] = arena_text(a, r.cells[i]);
        if (r.n != t->n_header) {
                (void)err_both(e, ERR_INVALID, NULL, "the row has %zu cells, the first line has %zu",
                               "本行有%zu个单元格，首行有%zu个", r.n, t->n_header);
                return -1;
        }
        for (size_t i = 0; i < r.n; i++) {
                if (text_utf8_fault(r.cells[i], strlen(r.cells[i])) != strlen(r.cells[i])) {
                        (void)err_both(e, ERR_INVALID, t->header[i], "the text is not UTF-8", "文本不是有效的 UTF-8");
                        return -1;
                }
        }
        for (size_t i = 0; i < t->map->n_columns; i++)
                row->values[i] = said(t->map, a, row->cells[t->places[i]]);
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

static int next_json(struct table *t, struct arena *a, struct table_row *row, struct err *e)
{
        const char *end = t->text + t->n;
        while (t->at < end) {
                const char *from = t->at, *stop = memchr(from, '\n', (size_t)(end - from));
                size_t n = (size_t)((stop ? stop : end) - from);
                t->at = stop ? stop + 1 : end;
                row->line = ++t->line;
                if (n > 0 && from[n - 1] == '\r')
                        n--;
                if (n == 0)
                        continue;
                show_line(a, from, n, row);
                return json_row(t, a, from, n, row, e) ? 1 : -1;
        }
        return 0;
}

int table_next(struct table *t, struct arena *a, struct table_row *row, struct err *e)
{
        *row = (struct table_row){.values = NEW_ARRAY(a, const char *, t->map->n_columns)};
        return t->map->format == TABLE_JSONL ? next_json(t, a, row, e) : next_csv(t, a, row, e);
}
