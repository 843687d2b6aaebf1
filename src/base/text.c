/* base/text.c -- see text.h. */
#include "base/text.h"
#include "base/arena.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

/* Length of the well-formed sequence at s, 0 when it is not one (Unicode 15, table 3-7). */
static size_t sequence(const unsigned char *s, size_t n)
{
        if (s[0] == 0)
                return 0;
        if (s[0] < 0x80)
                return 1;
        size_t length = s[0] >= 0xC2 && s[0] <= 0xDF ? 2 : s[0] >= 0xE0 && s[0] <= 0xEF ? 3 : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4 : 0;
        if (length == 0 || length > n)
                return 0;
        unsigned char low = 0x80, high = 0xBF;
        if (s[0] == 0xE0)
                low = 0xA0;
        else if (s[0] == 0xED)
                high = 0x9F;
        else if (s[0] == 0xF0)
                low = 0x90;
        else if (s[0] == 0xF4)
                high = 0x8F;
        if (s[1] < low || s[1] > high)
                return 0;
        for (size_t i = 2; i < length; i++)
                if (s[i] < 0x80 || s[i] > 0xBF)
                        return 0;
        return length;
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
        return strncmp(s, "\xE3\x80\x80", 3) == 0 ? 3 : 0;      /* U+3000 */
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
