/* pack/csv.c -- see csv.h.  A small state machine: libcsv tells no line numbers. */
#include "pack/csv.h"
#include "base/arena.h"
#include "base/text.h"
#include <stdlib.h>
#include <unicode/ucnv.h>

enum { CELLS_MOST = 512, CELL_BYTES_MOST = 65534 };

struct csv_reader {
        const char *at, *end;
        char separator;
        int64_t line;
        struct arena *arena;
        const char *cells[CELLS_MOST];
};

/* The closing quote of the cell whose opening quote stands at `at`; NULL with a sentence when there is none. */
static const char *closing_quote(const struct csv_reader *s, struct err *e)
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
        (void)(p < s->end ? err_both(e, ERR_INVALID, NULL, "line %lld: a cell is longer than 65,534 bytes",
                                     "第%lld行：单元格超过65534字节", (long long)s->line)
                          : err_both(e, ERR_INVALID, NULL, "line %lld: a quote never ends", "第%lld行：引号没有结束",
                                     (long long)s->line));
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
                else if (*s->at == '\n')
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
        if (memchr(first, '\0', (size_t)(s->at - first)))
                return err_both(e, ERR_INVALID, NULL, "line %lld: there is a NUL byte", "第%lld行：含有空字节", (long long)line);
        end_of_line(s);
        if (*n == 1 && !*s->cells[0])
                *n = 0;
        return true;
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

int csv_next(struct csv_reader *s, struct csv_record *out, struct err *e)
{
        while (s->at < s->end) {
                const char *first = s->at;
                const int64_t line = s->line;
                size_t n;
                arena_reset(s->arena);
                *out = (struct csv_record){.line = line};
                if (!record(s, &n, e)) { /* where the record ends is not known: go on with the next line */
                        const char *end = memchr(first, '\n', (size_t)(s->end - first));
                        s->at = end ? end + 1 : s->end;
                        s->line = line + 1;
                        return -1;
                }
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

static bool convert(struct arena *a, const char *bytes, size_t n, const char *from, char **text, size_t *length)
{
        UErrorCode code = U_ZERO_ERROR;
        UConverter *c = ucnv_open(from, &code);
        if (code == U_MEMORY_ALLOCATION_ERROR)
                abort(); /* else the text would be called damaged */
        if (U_FAILURE(code))
                return false;
        ucnv_setToUCallBack(c, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &code);
        int32_t room = (int32_t)n + 1;
        UChar *wide = NEW_ARRAY(a, UChar, room);
        int32_t got = ucnv_toUChars(c, wide, room, bytes, (int32_t)n, &code);
        ucnv_close(c);
        if (code == U_MEMORY_ALLOCATION_ERROR)
                abort();
        UConverter *utf8 = U_FAILURE(code) ? NULL : ucnv_open("UTF-8", &code);
        if (!utf8)
                return false;
        int32_t most = got * 3 + 1;
        *text = arena_alloc(a, (size_t)most);
        *length = (size_t)ucnv_fromUChars(utf8, *text, most, wide, got, &code);
        ucnv_close(utf8);
        return U_SUCCESS(code);
}

bool csv_decode(struct arena *a, const char *bytes, size_t n, char **text, size_t *length, const char **encoding, struct err *e)
{
        const unsigned char *b = (const unsigned char *)bytes;
        if (n > INT32_MAX / 4)
                return err_both(e, ERR_INVALID, NULL, "the file is larger than 500 MB; split it", "文件超过500MB，请拆分");
        if (n >= 2 && ((b[0] == 0xFF && b[1] == 0xFE) || (b[0] == 0xFE && b[1] == 0xFF))) {
                *encoding = "UTF-16";
                return convert(a, bytes, n, "UTF-16", text, length)
                       || err_both(e, ERR_INVALID, NULL, "the file begins as UTF-16 but is not", "文件开头为 UTF-16，但内容无效");
        }
        if (text_utf8_fault(bytes, n) == n) {
                size_t skip = n >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
                *text = arena_copy(a, bytes + skip, n - skip);
                *length = n - skip;
                *encoding = "UTF-8";
                return true;
        }
        *encoding = "GB18030";
        return (memchr(bytes, '\0', n) == NULL && convert(a, bytes, n, "GB18030", text, length))
               || err_both(e, ERR_INVALID, NULL, "the text is neither UTF-8 (fault at byte %zu) nor UTF-16 nor GB18030",
                           "文本既不是 UTF-8（第%zu字节有误），也不是 UTF-16 或 GB18030", text_utf8_fault(bytes, n));
}
