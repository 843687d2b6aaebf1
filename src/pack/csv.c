/* pack/csv.c -- see csv.h.  A small state machine: libcsv tells no line numbers. */
#include "pack/csv.h"
#include "base/arena.h"
#include "base/buf.h"
#include <stdlib.h>

enum { CELLS_MOST = 512, CELL_BYTES_MOST = 65534 };

struct csv_reader {
        const char *at, *end;
        bool more;     /* the text goes on behind `end` */
        bool skipping; /* the end of a faulty line is not in sight yet */
        char separator;
        int64_t line;
        struct arena *arena;
        const char *cells[CELLS_MOST];
};

/* The closing quote of the cell whose opening quote stands at `at`; NULL with a sentence when there is none. */
static const char *closing_quote(struct csv_reader *s, struct err *e)
{
        const char *p = s->at + 1;
        while (p < s->end && p - s->at <= CELL_BYTES_MOST) {
                if (*p != '"')
                        p++;
                else if (p + 1 < s->end && p[1] == '"')
                        p += 2;
                else
                        return p;
        }
        if (p < s->end) {
                (void)err_both(e, ERR_INVALID, NULL, "line %lld: a cell is longer than 65,534 bytes",
                               "第%lld行：单元格超过65534字节", (long long)s->line);
                return NULL;
        }
        (void)err_both(e, ERR_INVALID, NULL, "line %lld: a quote never ends", "第%lld行：引号没有结束", (long long)s->line);
        s->at = s->end;
        return NULL;
}

static bool quoted(struct csv_reader *s, const char **out, struct err *e)
{
        const char *last = closing_quote(s, e);
        if (!last)
                return false;
        char *p = arena_alloc(s->arena, (size_t)(last - s->at));
        *out = p;
        for (s->at++; s->at < last; s->at++) {
                if (*s->at == '"')
                        s->at++;
                else if (*s->at == '\n' || (*s->at == '\r' && s->at[1] != '\n'))
                        s->line++;
                *p++ = *s->at;
        }
        s->at++;
        return s->at == s->end || *s->at == s->separator || *s->at == '\n' || *s->at == '\r'
               || err_both(e, ERR_INVALID, NULL, "line %lld: text stands after a closing quote", "第%lld行：引号之后还有文字",
                           (long long)s->line);
}

static bool cell(struct csv_reader *s, const char **out, struct err *e)
{
        if (s->at < s->end && *s->at == '"')
                return quoted(s, out, e);
        const char *from = s->at;
        while (s->at < s->end && *s->at != s->separator && *s->at != '\n' && *s->at != '\r')
                s->at++;
        *out = arena_copy(s->arena, from, (size_t)(s->at - from));
        return true;
}

static void end_of_line(struct csv_reader *s)
{
        if (s->at < s->end && *s->at == '\r')
                s->at++;
        if (s->at < s->end && *s->at == '\n')
                s->at++;
        s->line++;
}

/* One record; *n is 0 for an empty line. */
static bool record(struct csv_reader *s, size_t *n, struct err *e)
{
        const int64_t line = s->line;
        const char *first = s->at;
        for (*n = 0;;) {
                if (*n == CELLS_MOST)
                        return err_both(e, ERR_INVALID, NULL, "line %lld: more than %d columns", "第%lld行：超过%d列",
                                        (long long)line, (int)CELLS_MOST);
                if (!cell(s, &s->cells[(*n)++], e))
                        return false;
                if (s->at == s->end || *s->at != s->separator)
                        break;
                s->at++;
        }
        if (s->at - first > CSV_RECORD_MOST)
                return err_both(e, ERR_INVALID, NULL, "line %lld: the row is longer than 1 MiB", "第%lld行：本行超过1MiB",
                                (long long)line);
        if (memchr(first, '\0', (size_t)(s->at - first)))
                return err_both(e, ERR_INVALID, NULL, "line %lld: there is a NUL byte", "第%lld行：含有空字节", (long long)line);
        end_of_line(s);
        if (*n == 1 && !*s->cells[0])
                *n = 0;
        return true;
}

/* --- faulty lines --------------------------------------------------------------------------------------------------------- */

static const char *line_end(const char *p, const char *end)
{
        while (p < end && *p != '\n' && *p != '\r')
                p++;
        return p;
}

bool csv_skip(struct csv_reader *s)
{
        if (!s->skipping)
                return true;
        s->at = line_end(s->at, s->end);
        if (s->more && (s->at == s->end || (*s->at == '\r' && s->at + 1 == s->end)))
                return false; /* a CR that is the last byte may be half of CR LF */
        end_of_line(s);
        s->skipping = false;
        return true;
}

/* The line as it stands, as far as it is shown. */
static const char *shown(struct csv_reader *s, const char *from)
{
        const char *end = line_end(from, s->end);
        const size_t n = (size_t)(end - from) < CELL_BYTES_MOST ? (size_t)(end - from) : CELL_BYTES_MOST;
        char *text = arena_copy(s->arena, from, n);
        for (size_t i = 0; i < n; i++)
                if (!text[i])
                        text[i] = ' ';
        return text;
}

/* Where a faulty record ends is not known: the next call goes on with the next line. */
static int faulty(struct csv_reader *s, const char *first, int64_t line, struct csv_record *out)
{
        arena_reset(s->arena);
        s->cells[0] = shown(s, first);
        *out = (struct csv_record){line, 1, s->cells};
        s->at = first;
        s->line = line;
        s->skipping = true;
        (void)csv_skip(s);
        return -1;
}

static char guess(const char *text, const char *end)
{
        for (const char *p = text; p < end && *p != '\n'; p++)
                if (*p == '\t')
                        return '\t';
        return ',';
}

struct csv_reader *csv_open(const char *text, size_t n, char separator)
{
        struct csv_reader *s = malloc(sizeof *s);
        if (!s)
                abort();
        *s = (struct csv_reader){.at = text, .end = text + n, .line = 1, .arena = arena_new()};
        if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
                s->at += 3;
        s->separator = separator;
        if (!separator)
                s->separator = guess(s->at, s->end);
        return s;
}

const char *csv_at(const struct csv_reader *s, int64_t *line)
{
        *line = s->line;
        return s->at;
}

void csv_move(struct csv_reader *s, const char *text, size_t n, bool more)
{
        s->at = text;
        s->end = text + n;
        s->more = more;
}

void csv_begin_at(struct csv_reader *s, int64_t line)
{
        s->line = line;
        s->skipping = false;
}

int csv_next(struct csv_reader *s, struct csv_record *out, struct err *e)
{
        *out = (struct csv_record){.line = s->line};
        if (!csv_skip(s))
                return 0;
        while (s->at < s->end) {
                const char *first = s->at;
                const int64_t line = s->line;
                size_t n;
                arena_reset(s->arena);
                const bool good = record(s, &n, e);
                const char *reached = good || s->at == s->end ? s->at : line_end(first, s->end);
                if (s->more && reached == s->end && s->end - first <= CSV_RECORD_MOST + 2) { /* perhaps it goes on */
                        s->at = first;
                        s->line = line;
                        return 0;
                }
                if (!good)
                        return faulty(s, first, line, out);
                if (n > 0) {
                        *out = (struct csv_record){line, n, s->cells};
                        return 1;
                }
        }
        return 0;
}

void csv_close(struct csv_reader **s)
{
        if (!*s)
                return;
        arena_free(&(*s)->arena);
        free(*s);
        *s = NULL;
}

bool csv_read(const char *text, size_t n, char separator, bool (*each)(void *, const struct csv_record *, struct err *), void *ctx,
              struct err *e)
{
        struct csv_reader *s = csv_open(text, n, separator);
        struct csv_record r;
        int found;
        while ((found = csv_next(s, &r, e)) > 0)
                if (!each(ctx, &r, e))
                        break;
        csv_close(&s);
        return found == 0;
}

void csv_cell(struct buf *b, int separator, const char *text)
{
        if (separator)
                buf_byte(b, (char)separator);
        if (!strpbrk(text, "\",\t\r\n")) {
                buf_text(b, text);
                return;
        }
        buf_byte(b, '"');
        for (; *text; text++) {
                if (*text == '"')
                        buf_byte(b, '"');
                buf_byte(b, *text);
        }
        buf_byte(b, '"');
}
