/* privacy/mask.c -- see mask.h. */
#include "privacy/mask.h"
#include "base/arena.h"
#include "base/text.h"

/* Bytes of the first character. */
static size_t first(const char *text)
{
        size_t n = *text ? 1 : 0;
        while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
                n++;
        return n;
}

char *mask_name(struct arena *a, const char *name)
{
        return name ? arena_format(a, "%.*s*", (int)first(name), name) : NULL;
}

char *mask_email(struct arena *a, const char *email)
{
        if (!email)
                return NULL;
        const char *at = strrchr(email, '@');
        return at && at != email ? arena_format(a, "%.*s***%s", (int)first(email), email, at) : arena_text(a, "***");
}

/* The next digit from *at on, -1 at the end; U+FF10 to U+FF19 are full-width. */
static int next_digit(const char **at)
{
        for (const unsigned char *p = (const unsigned char *)*at; *p; p++) {
                const bool wide = p[0] == 0xEF && p[1] == 0xBC && p[2] >= 0x90 && p[2] <= 0x99;
                if (!wide && (*p < '0' || *p > '9'))
                        continue;
                *at = (const char *)p + (wide ? 3 : 1);
                return wide ? p[2] - 0x90 : *p - '0';
        }
        return -1;
}

enum { DIGITS_READ = PHONE_DIGITS_MOST + 5 };

static size_t digits_of(const char *phone, char out[DIGITS_READ + 1])
{
        size_t n = 0;
        for (int d; n < DIGITS_READ && (d = next_digit(&phone)) >= 0;)
                out[n++] = (char)('0' + d);
        out[n] = '\0';
        return n;
}

char *phone_normal(struct arena *a, const char *phone)
{
        char digits[DIGITS_READ + 1];
        if (!phone)
                return NULL;
        size_t n = digits_of(phone, digits);
        const char *start = digits;
        if (text_starts(start, "0086"))
                start += 4;
        else if (text_starts(start, "86") && n >= 12) /* no number at home has so many digits and begins so */
                start += 2;
        n -= (size_t)(start - digits);
        return n >= PHONE_DIGITS_LEAST && n <= PHONE_DIGITS_MOST ? arena_text(a, start) : NULL;
}

char *mask_phone(struct arena *a, const char *phone)
{
        if (!phone)
                return NULL;
        const char *digits = phone_normal(a, phone);
        const int n = digits ? (int)strlen(digits) : 0;
        if (n >= 11)
                return arena_format(a, "%.3s****%s", digits, digits + n - 4);
        return digits ? arena_format(a, "****%s", digits + n - 2) : arena_text(a, "****");
}
