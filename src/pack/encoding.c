/* pack/encoding.c -- see encoding.h.
 *
 * How an encoding is told, in this order:
 *   the byte order mark;
 *   UTF-16, when separators of a table (comma, quote, line end, ...) mostly stand beside a zero byte on the same side;
 *   UTF-8, when all of it is UTF-8, or damaged UTF-8: more characters of three or four bytes than faults;
 *   GB18030, when it fits but for one fault in ten characters, and most of it is GB 2312, as real Chinese text is.
 * A short GB 2312 text may by chance be UTF-8 of two-byte characters only.  Then it is taken for UTF-8 when a Latin letter or a
 * sign stands beside an ASCII letter or digit, or three letters of one script side by side, and no word mixes scripts.
 */
#include "pack/encoding.h"
#include "base/buf.h"
#include "base/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <unicode/ucnv.h>
#include <unicode/uscript.h>

enum { RUN = 2048 };

const char *encoding_name(enum encoding e)
{
        static const char *const names[] = {[ENCODING_NONE] = "none",
                                            [ENCODING_UTF8] = "UTF-8",
                                            [ENCODING_UTF16LE] = "UTF-16LE",
                                            [ENCODING_UTF16BE] = "UTF-16BE",
                                            [ENCODING_GB18030] = "GB18030"};
        return names[e];
}

enum encoding encoding_named(const char *name)
{
        static const struct {
                const char *name;
                enum encoding encoding;
        } known[] = {{"utf8", ENCODING_UTF8},       {"utf16le", ENCODING_UTF16LE}, {"utf16be", ENCODING_UTF16BE},
                     {"gb18030", ENCODING_GB18030}, {"gbk", ENCODING_GB18030},     {"gb2312", ENCODING_GB18030}};
        char plain[16];
        size_t n = 0;
        for (; *name && n + 1 < sizeof plain; name++)
                if (*name != '-' && *name != '_')
                        plain[n++] = (char)tolower((unsigned char)*name);
        plain[n] = '\0';
        for (size_t i = 0; i < COUNT_OF(known) && !*name; i++)
                if (text_is(known[i].name, plain))
                        return known[i].encoding;
        return ENCODING_NONE;
}

/* --- one character ------------------------------------------------------------------------------------------------------- */

static int cut_off(bool last)
{
        return last ? -1 : 0;
}

static int step_utf8(const unsigned char *p, size_t n, bool last)
{
        const size_t length = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
        if (length <= 1)
                return length ? 1 : -1;
        if (n < length)
                return cut_off(last);
        return text_utf8_fault((const char *)p, length) == length ? (int)length : -1;
}

static unsigned unit(enum encoding e, const unsigned char *p)
{
        return e == ENCODING_UTF16LE ? (unsigned)(p[0] | p[1] << 8) : (unsigned)(p[0] << 8 | p[1]);
}

static int step_utf16(enum encoding e, const unsigned char *p, size_t n, bool last)
{
        if (n < 2)
                return cut_off(last);
        const unsigned first = unit(e, p);
        if (first < 0xD800 || first > 0xDFFF)
                return 2;
        if (first > 0xDBFF)
                return -2;
        if (n < 4)
                return last ? -2 : 0;
        const unsigned second = unit(e, p + 2);
        return second >= 0xDC00 && second <= 0xDFFF ? 4 : -2;
}

static bool within(unsigned char c, unsigned char low, unsigned char high)
{
        return c >= low && c <= high;
}

/* The four-byte forms count on from 81 30 81 30; U+FFFF is number 39419, U+10000 number 189000. */
static bool four_bytes(const unsigned char *p)
{
        const int number = ((p[0] - 0x81) * 10 + p[1] - 0x30) * 1260 + (p[2] - 0x81) * 10 + p[3] - 0x30;
        return within(p[2], 0x81, 0xFE) && within(p[3], 0x30, 0x39)
               && (number <= 39419 || (number >= 189000 && number <= 189000 + 0xFFFFF));
}

static int step_gb18030(const unsigned char *p, size_t n, bool last)
{
        if (p[0] < 0x80)
                return 1;
        if (p[0] == 0x80 || p[0] == 0xFF)
                return -1;
        if (n < 2)
                return cut_off(last);
        if (within(p[1], 0x40, 0x7E) || within(p[1], 0x80, 0xFE))
                return 2;
        if (!within(p[1], 0x30, 0x39))
                return -1;
        if (n < 4)
                return cut_off(last);
        return four_bytes(p) ? 4 : -1;
}

int encoding_step(enum encoding e, const unsigned char *p, size_t n, bool last)
{
        if (n == 0)
                return 0;
        if (e == ENCODING_UTF8)
                return step_utf8(p, n, last);
        return e == ENCODING_GB18030 ? step_gb18030(p, n, last) : step_utf16(e, p, n, last);
}

/* --- how well bytes fit ---------------------------------------------------------------------------------------------------- */

static void note_head(struct fit *f, const unsigned char *p, size_t n)
{
        for (size_t i = 0; i < n && f->n_head < sizeof f->head; i++)
                f->head[f->n_head++] = p[i];
}

/* In UTF-16 the zero byte of a separator stands behind it (LE) or in front of it (BE), counted from the file's first byte. */
static void note_pairs(struct fit *f, const unsigned char *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const unsigned char first = i ? p[i - 1] : f->before, second = p[i];
                if (((f->bytes + (int64_t)i) & 1) == 0)
                        continue;
                if (first && strchr("\n\r,;\t\"", first))
                        second ? f->alone[0]++ : f->pairs[0]++;
                if (second && strchr("\n\r,;\t\"", second))
                        first ? f->alone[1]++ : f->pairs[1]++;
        }
        f->before = n ? p[n - 1] : f->before;
}

static void note_line(struct fit *f, unsigned c)
{
        const bool second_half = c == '\n' && f->after_cr;
        if (!f->open_line && !second_half)
                f->lines++;
        f->open_line = c != '\n' && c != '\r';
        f->after_cr = c == '\r';
}

/* A third of GB 2312 reads as two-byte characters of UTF-8, but as a jumble of Latin, Greek, Cyrillic, Hebrew, Arabic letters. */
static void note_word(struct fit *f, const unsigned char *p, int length)
{
        struct word *w = &f->word;
        UErrorCode code = U_ZERO_ERROR;
        const bool alnum = length == 1 && isalnum(p[0]);
        if (length != 2) {
                f->sound |= alnum && w->loose;
                *w = (struct word){.alnum = alnum};
                return;
        }
        const UScriptCode script = uscript_getScript((UChar32)((p[0] & 0x1F) << 6 | (p[1] & 0x3F)), &code);
        const bool letter = script != USCRIPT_COMMON && script != USCRIPT_INHERITED;
        const bool loose = script == USCRIPT_LATIN || !letter;
        f->sound |= loose && w->alnum;
        if (letter) {
                f->torn |= w->script != 0 && w->script != (int)script;
                w->letters = w->script == (int)script ? w->letters + 1 : 1;
                w->script = (int)script;
                f->sound |= w->letters >= 3;
        }
        w->loose = loose;
        w->alnum = false;
}

static void note_character(struct fit *f, const unsigned char *p, int length)
{
        unsigned c = p[0];
        if (f->encoding == ENCODING_UTF16LE || f->encoding == ENCODING_UTF16BE)
                c = unit(f->encoding, p);
        f->damaged = false;
        note_line(f, c);
        if (f->encoding == ENCODING_UTF8)
                note_word(f, p, length);
        if (c < 0x80)
                return;
        f->wide++;
        if (f->encoding == ENCODING_UTF8)
                f->usual += length > 2;
        else if (f->encoding == ENCODING_GB18030)
                f->usual += length == 2 && within(p[0], 0xA1, 0xF7) && within(p[1], 0xA1, 0xFE);
        else
                f->usual++;
}

static void note_fault(struct fit *f, int64_t at)
{
        note_line(f, ' ');
        if (f->damaged)
                return;
        f->damaged = true;
        if (f->faults++ == 0) {
                f->fault_at = at;
                f->fault_line = f->lines;
        }
}

size_t fit_add(struct fit *f, const void *bytes, size_t n, bool last)
{
        const unsigned char *p = bytes;
        size_t i = 0;
        while (i < n) {
                const int step = encoding_step(f->encoding, p + i, n - i, last);
                if (step == 0)
                        break;
                if (step < 0)
                        note_fault(f, f->bytes + (int64_t)i);
                else
                        note_character(f, p + i, step);
                i += (size_t)(step < 0 ? -step : step);
        }
        note_head(f, p, i);
        note_pairs(f, p, i);
        f->bytes += (int64_t)i;
        return i;
}

size_t encoding_mark(const struct fit *f)
{
        static const struct {
                enum encoding encoding;
                unsigned char bytes[4];
                size_t n;
        } marks[] = {{ENCODING_UTF8, {0xEF, 0xBB, 0xBF}, 3},
                     {ENCODING_UTF16LE, {0xFF, 0xFE}, 2},
                     {ENCODING_UTF16BE, {0xFE, 0xFF}, 2},
                     {ENCODING_GB18030, {0x84, 0x31, 0x95, 0x33}, 4}};
        for (size_t i = 0; i < COUNT_OF(marks); i++)
                if (marks[i].encoding == f->encoding && f->n_head >= marks[i].n && memcmp(f->head, marks[i].bytes, marks[i].n) == 0)
                        return marks[i].n;
        return 0;
}

/* --- which one --------------------------------------------------------------------------------------------------------------- */

static bool fits(const struct fit *f)
{
        if (f->faults == 0)
                return true;
        return f->encoding == ENCODING_UTF8 ? f->usual > f->faults : f->faults * 10 <= f->wide;
}

static enum encoding marked(const struct fit *f)
{
        for (int e = ENCODING_UTF8; e <= ENCODING_GB18030; e++) {
                struct fit as = *f;
                as.encoding = (enum encoding)e;
                if (encoding_mark(&as) > 0)
                        return as.encoding;
        }
        return ENCODING_NONE;
}

static enum encoding by_pairs(const struct fit *f)
{
        const int side = f->pairs[1] > f->pairs[0];
        if (f->pairs[side] == 0 || f->pairs[side] * 4 < f->pairs[side] + f->alone[side])
                return ENCODING_NONE;
        return side ? ENCODING_UTF16BE : ENCODING_UTF16LE;
}

static bool look(fit_pass *pass, void *ctx, enum encoding encoding, struct fit *f, struct err *e)
{
        *f = (struct fit){.encoding = encoding};
        return pass(ctx, f, e);
}

static bool not_in(const char *name, const struct fit *f, struct err *e)
{
        return err_both(e, ERR_INVALID, NULL,
                        "%s is not %s: byte %lld (line %lld) and %lld more places are not; name another with --encoding",
                        "%s 不是 %s 编码：第%lld字节（第%lld行）及另外%lld处无效，请用 --encoding 指明编码", name,
                        encoding_name(f->encoding), (long long)f->fault_at, (long long)f->fault_line, (long long)f->faults - 1);
}

static bool workbook(const struct fit *f)
{
        static const unsigned char old[] = {0xD0, 0xCF, 0x11, 0xE0};
        return f->n_head >= 4 && (memcmp(f->head, "PK\3\4", 4) == 0 || memcmp(f->head, old, 4) == 0);
}

static bool in_none(const char *name, const struct fit *utf8, const struct fit *gb, struct err *e)
{
        if (workbook(utf8))
                return err_both(e, ERR_INVALID, NULL, "%s is a workbook, not a text; save it as CSV (UTF-8) first",
                                "%s 是电子表格文件而非文本，请先另存为 CSV（UTF-8）", name);
        return err_both(e, ERR_INVALID, NULL,
                        "%s is in no known encoding: not UTF-8 (byte %lld, line %lld), not UTF-16, not Chinese in GB18030"
                        " (%lld faults); name it with --encoding",
                        "%s 的编码无法识别：不是 UTF-8（第%lld字节，第%lld行），也不是 UTF-16 或 GB18030 中文（%lld处有误），"
                        "请用 --encoding 指明",
                        name, (long long)utf8->fault_at, (long long)utf8->fault_line, (long long)gb->faults);
}

/* All of it is UTF-8, but so is some Chinese. */
static bool doubtful(const struct fit *utf8)
{
        return utf8->faults == 0 && utf8->wide > 0 && utf8->usual == 0 && (utf8->torn || !utf8->sound);
}

/* *f becomes the fit of GB18030, or stays that of UTF-8. */
static bool utf8_or_chinese(const char *name, fit_pass *pass, void *ctx, struct fit *f, struct err *e)
{
        const struct fit utf8 = *f;
        if (fits(&utf8) && !doubtful(&utf8))
                return true;
        if (!look(pass, ctx, ENCODING_GB18030, f, e))
                return false;
        const bool all_usual = f->faults == 0 && f->usual == f->wide, chinese = fits(f) && f->usual * 2 >= f->wide;
        if (utf8.faults == 0 && !all_usual)
                *f = utf8;
        return chinese || utf8.faults == 0 || in_none(name, &utf8, f, e);
}

bool encoding_find(const char *name, enum encoding wanted, fit_pass *pass, void *ctx, struct fit *f, struct err *e)
{
        enum encoding certain = wanted;
        if (!look(pass, ctx, wanted ? wanted : ENCODING_UTF8, f, e))
                return false;
        if (certain == ENCODING_NONE)
                certain = marked(f);
        if (certain == ENCODING_NONE)
                certain = by_pairs(f);
        if (certain == ENCODING_NONE)
                return utf8_or_chinese(name, pass, ctx, f, e);
        return (certain == f->encoding || look(pass, ctx, certain, f, e)) && (fits(f) || not_in(name, f, e));
}

/* --- UTF-8 of it -------------------------------------------------------------------------------------------------------------- */

struct decoder {
        enum encoding encoding;
        UConverter *converter;
};

struct decoder *decoder_new(enum encoding encoding)
{
        struct decoder *d = calloc(1, sizeof *d);
        UErrorCode code = U_ZERO_ERROR;
        if (!d)
                abort();
        d->encoding = encoding;
        d->converter = encoding == ENCODING_UTF8 ? NULL : ucnv_open(encoding_name(encoding), &code);
        assert(U_SUCCESS(code)); /* ICU's own data has all three */
        return d;
}

void decoder_free(struct decoder **d)
{
        if (*d && (*d)->converter)
                ucnv_close((*d)->converter);
        free(*d);
        *d = NULL;
}

static void add_character(struct buf *out, uint32_t c)
{
        char bytes[4];
        if (c < 0x80) {
                buf_byte(out, (char)c);
        } else if (c < 0x800) {
                bytes[0] = (char)(0xC0 | c >> 6);
                bytes[1] = (char)(0x80 | (c & 0x3F));
                buf_add(out, bytes, 2);
        } else if (c < 0x10000) {
                bytes[0] = (char)(0xE0 | c >> 12);
                bytes[1] = (char)(0x80 | (c >> 6 & 0x3F));
                bytes[2] = (char)(0x80 | (c & 0x3F));
                buf_add(out, bytes, 3);
        } else {
                bytes[0] = (char)(0xF0 | c >> 18);
                bytes[1] = (char)(0x80 | (c >> 12 & 0x3F));
                bytes[2] = (char)(0x80 | (c >> 6 & 0x3F));
                bytes[3] = (char)(0x80 | (c & 0x3F));
                buf_add(out, bytes, 4);
        }
}

/* Well-formed characters only: each becomes one code point.  One that GB18030 leaves unassigned comes as U+FFFD, which in the
 * file itself would be 84 31 A4 37. */
static void convert(struct decoder *d, const unsigned char *p, size_t n, struct buf *out)
{
        UChar wide[RUN + 1], *target = wide;
        const char *source = (const char *)p;
        UErrorCode code = U_ZERO_ERROR;
        if (n == 0)
                return;
        ucnv_reset(d->converter);
        ucnv_toUnicode(d->converter, &target, wide + RUN, &source, source + n, NULL, true, &code);
        assert(U_SUCCESS(code));
        const int32_t got = (int32_t)(target - wide);
        for (int32_t i = 0; i < got && n > 0;) {
                const int step = encoding_step(d->encoding, p, n, true);
                uint32_t c = wide[i++];
                if (c >= 0xD800 && c <= 0xDBFF && i < got)
                        c = 0x10000 + ((c - 0xD800) << 10) + (wide[i++] - (uint32_t)0xDC00);
                const bool assigned = c != 0xFFFD || d->encoding != ENCODING_GB18030 || step == 4;
                if (assigned)
                        add_character(out, c);
                else
                        buf_byte(out, '\xFF');
                p += step;
                n -= (size_t)step;
        }
        assert(n == 0);
}

size_t decoder_add(struct decoder *d, const void *bytes, size_t n, bool last, struct buf *out)
{
        const unsigned char *p = bytes;
        size_t from = 0, i = 0;
        if (d->encoding == ENCODING_UTF8) {
                buf_add(out, bytes, n);
                return n;
        }
        for (;;) {
                const int step = encoding_step(d->encoding, p + i, n - i, last);
                if (step <= 0 || i - from + (size_t)step > RUN) {
                        convert(d, p + from, i - from, out);
                        from = i;
                }
                if (step == 0)
                        return i;
                if (step < 0) {
                        buf_byte(out, '\xFF');
                        from = i + (size_t)-step;
                }
                i += (size_t)(step < 0 ? -step : step);
        }
}

size_t decoder_back(enum encoding encoding, const void *bytes, size_t n, const char *text, size_t used)
{
        const unsigned char *p = bytes;
        size_t at = 0, t = 0;
        if (encoding == ENCODING_UTF8)
                return used;
        while (t < used) {
                const int step = encoding_step(encoding, p + at, n - at, true);
                const unsigned char c = (unsigned char)text[t];
                t += c < 0x80 || c == 0xFF ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
                at += (size_t)(step < 0 ? -step : step);
        }
        return at;
}
