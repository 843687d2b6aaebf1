/* base/text.c -- see text.h. */
#include "base/text.h"
#include "base/arena.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Well-formed sequences of UTF-8 (Unicode 15, table 3-7): first byte, second byte, length; further bytes are 80..BF. */
static const struct {
        unsigned char from, to, low, high;
        size_t length;
} sequences[] = {
        {0x01, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* Length of the well-formed sequence at s, 0 when it is not one. */
static size_t sequence(const unsigned char *s, size_t n)
{
        size_t k = 0;
        while (k < COUNT_OF(sequences) && (s[0] < sequences[k].from || s[0] > sequences[k].to))
                k++;
        if (k == COUNT_OF(sequences) || sequences[k].length > n)
                return 0;
        if (sequences[k].length > 1 && (s[1] < sequences[k].low || s[1] > sequences[k].high))
                return 0;
        for (size_t i = 2; i < sequences[k].length; i++)
                if (s[i] < 0x80 || s[i] > 0xBF)
                        return 0;
        return sequences[k].length;
}

size_t text_utf8_fault(const char *text, size_t n)
{
        const unsigned char *s = (const unsigned char *)text;
        size_t i = 0;
        while (i < n) {
                size_t step = sequence(s + i, n - i);
                if (step == 0)
                        return i;
                i += step;
        }
        return n;
}

char *text_mend(char *text)
{
        const size_t n = strlen(text);
        size_t kept = 0;
        for (size_t i = 0; i < n;) {
                size_t step = sequence((const unsigned char *)text + i, n - i);
                memmove(text + kept, text + i, step);
                kept += step;
                i += step ? step : 1;
        }
        text[kept] = '\0';
        return text;
}

size_t text_characters(const char *text)
{
        size_t n = 0;
        for (; *text; text++)
                n += ((unsigned char)*text & 0xC0) != 0x80;
        return n;
}

bool text_is(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

bool text_empty(const char *text)
{
        return !text || !*text;
}

bool text_starts(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

static size_t space_at(const char *s)
{
        if (*s == ' ' || (*s >= '\t' && *s <= '\r'))
                return 1;
        return strncmp(s, "\xE3\x80\x80", 3) == 0 ? 3 : 0; /* U+3000 */
}

static char *trimmed(struct arena *a, const char *from, const char *to)
{
        size_t step;
        while (from < to && (step = space_at(from)) != 0)
                from += step;
        for (;;) {
                if (to > from && space_at(to - 1) == 1)
                        to--;
                else if (to - from >= 3 && space_at(to - 3) == 3)
                        to -= 3;
                else
                        return arena_copy(a, from, to > from ? (size_t)(to - from) : 0);
        }
}

char *text_upper(struct arena *a, const char *text)
{
        char *upper = arena_text(a, text);
        for (char *p = upper; *p; p++)
                if (*p >= 'a' && *p <= 'z')
                        *p = (char)(*p - 'a' + 'A');
        return upper;
}

char *text_trim(struct arena *a, const char *text)
{
        return trimmed(a, text, text + strlen(text));
}

bool text_to_int(const char *text, int64_t *out)
{
        char *end;
        if (!text || !(*text == '-' || (*text >= '0' && *text <= '9')))
                return false;
        errno = 0;
        long long value = strtoll(text, &end, 10);
        if (errno || *end || end == text)
                return false;
        *out = value;
        return true;
}

/* Own check of the form, since strtod also takes "inf", hexadecimal and blanks; the program never sets a locale. */
bool text_to_real(const char *text, double *out)
{
        char *end;
        if (!text || !(*text == '-' || *text == '.' || (*text >= '0' && *text <= '9')) || strpbrk(text, "xXnN"))
                return false;
        double value = strtod(text, &end);
        if (*end || end == text || !isfinite(value))
                return false;
        *out = value;
        return true;
}

size_t text_split(struct arena *a, const char *text, char separator, char ***pieces)
{
        size_t n = 0, room = 1;
        if (text_empty(text)) {
                *pieces = NEW_ARRAY(a, char *, 1);
                return 0;
        }
        for (const char *p = text; *p; p++)
                room += *p == separator;
        *pieces = NEW_ARRAY(a, char *, room);
        for (const char *p = text;; p++) {
                const char *end = strchr(p, separator);
                if (!end)
                        end = p + strlen(p);
                (*pieces)[n++] = trimmed(a, p, end);
                if (!*end)
                        return n;
                p = end;
        }
}

size_t text_distance(const char *a, const char *b)
{
        enum { NAME_MOST = 120 };
        size_t row[NAME_MOST + 1], n = strlen(a), m = strlen(b);
        if (n > NAME_MOST || m > NAME_MOST)
                return SIZE_MAX;
        for (size_t k = 0; k <= m; k++)
                row[k] = k;
        for (size_t i = 1; i <= n; i++) {
                size_t corner = row[0];
                row[0] = i;
                for (size_t k = 1; k <= m; k++) {
                        size_t change = corner + (a[i - 1] != b[k - 1]);
                        corner = row[k];
                        row[k] = change < row[k] + 1 ? change : row[k] + 1;
                        row[k] = row[k] < row[k - 1] + 1 ? row[k] : row[k - 1] + 1;
                }
        }
        return row[m];
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *text_unescape(struct arena *a, const char *text, size_t n, bool plus_is_blank)
{
        char *out = arena_alloc(a, n + 1);
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
                char c = text[i];
                if (c == '%') {
                        const int high = n - i > 2 ? hex_digit(text[i + 1]) : -1, low = n - i > 2 ? hex_digit(text[i + 2]) : -1;
                        if (high < 0 || low < 0)
                                return NULL;
                        c = (char)(high * 16 + low);
                        i += 2;
                } else if (c == '+' && plus_is_blank) {
                        c = ' ';
                }
                out[m++] = c;
        }
        return text_utf8_fault(out, m) == m ? out : NULL;
}
