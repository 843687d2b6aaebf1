/* pack/csv.c -- see csv.h.  A small state machine: libcsv tells no line numbers. */
#include "pack/csv.h"
#include "base/arena.h"
#include "base/text.h"
#include <unicode/ucnv.h>

enum { CELLS_MOST = 512 };

struct scan {
        const char *at, *end;
        char separator;
        int64_t line;
        struct arena *arena;
        const char *cells[CELLS_MOST];
};

static bool quoted(struct scan *s, struct err *e)
{
        char *out = arena_alloc(s->arena, (size_t)(s->end - s->at) + 1 < 65536 ? (size_t)(s->end - s->at) + 1 : 65536), *p = out;
        const int64_t line = s->line;
        for (s->at++; s->at < s->end; s->at++) {
                if (*s->at == '"' && s->at + 1 < s->end && s->at[1] == '"') {
                        s->at++;
                } else if (*s->at == '"') {
                        s->at++;
                        *p = '\0';
                        s->cells[0] = out;
                        return s->at == s->end || *s->at == s->separator || *s->at == '\n' || *s->at == '\r'
                               || err_both(e, ERR_INVALID, NULL, "line %lld: text stands after a closing quote", "第%lld行：引号之后还有文字",
                                           (long long)s->line);
                }
                if (*s->at == '\n')
                        s->line++;
                if (p - out >= 65534)
                        return err_both(e, ERR_INVALID, NULL, "line %lld: a cell is longer than 65,534 bytes", "第%lld行：单元格超过65534字节",
                                        (long long)line);
                *p++ = *s->at;
        }
        return err_both(e, ERR_INVALID, NULL, "line %lld: a quote never ends", "第%lld行：引号没有结束", (long long)line);
}

static bool cell(struct scan *s, size_t i, struct err *e)
{
        if (s->at < s->end && *s->at == '"') {
                const char *first = s->cells[0];
                bool ok = quoted(s, e);
                const char *text = s->cells[0];
                s->cells[0] = first;
                s->cells[i] = text;
                return ok;
        }
        const char *from = s->at;
        while (s->at < s->end && *s->at != s->separator && *s->at != '\n' && *s->at != '\r')
                s->at++;
        s->cells[i] = arena_copy(s->arena, from, (size_t)(s->at - from));
        return true;
}

/* One record; *n is 0 for an empty line. */
static bool record(struct scan *s, size_t *n, struct err *e)
{
        const int64_t line = s->line;
        for (*n = 0;;) {
                if (*n == CELLS_MOST)
                        return err_both(e, ERR_INVALID, NULL, "line %lld: more than %d columns", "第%lld行：超过%d列", (long long)line,
                                        (int)CELLS_MOST);
                if (!cell(s, (*n)++, e))
                        return false;
                if (s->at < s->end && *s->at == s->separator) {
                        s->at++;
                        continue;
                }
                if (s->at < s->end && *s->at == '\r')
                        s->at++;
                if (s->at < s->end && *s->at == '\n')
                        s->at++;
                s->line++;
                if (*n == 1 && !*s->cells[0])
                        *n = 0;
                return true;
        }
}

static char guess(const char *text, const char *end)
{
        for (const char *p = text; p < end && *p != '\n'; p++)
                if (*p == '\t')
                        return '\t';
        return ',';
}

bool csv_read(const char *text, size_t n, char separator, bool (*each)(void *, const struct csv_record *, struct err *), void *ctx,
              struct err *e)
{
        struct scan s = {.at = text, .end = text + n, .line = 1, .arena = arena_new()};
        bool ok = true;
        if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
                s.at += 3;
        s.separator = separator ? separator : guess(s.at, s.end);
        if (memchr(text, '\0', n))
                ok = err_both(e, ERR_INVALID, NULL, "the file holds a NUL byte", "文件含有空字节");
        while (ok && s.at < s.end) {
                size_t cells;
                const int64_t line = s.line;
                arena_reset(s.arena);
                ok = record(&s, &cells, e) && (cells == 0 || each(ctx, &(struct csv_record){line, cells, s.cells}, e));
        }
        arena_free(&s.arena);
        return ok;
}

static bool convert(struct arena *a, const char *bytes, size_t n, const char *from, char **text, size_t *length)
{
        UErrorCode code = U_ZERO_ERROR;
        UConverter *c = ucnv_open(from, &code);
        if (U_FAILURE(code))
                return false;
        ucnv_setToUCallBack(c, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &code);
        int32_t room = (int32_t)n + 1;
        UChar *wide = NEW_ARRAY(a, UChar, room);
        int32_t got = ucnv_toUChars(c, wide, room, bytes, (int32_t)n, &code);
        ucnv_close(c);
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
