/* mention/numerals.c -- numbers as people write them. */
#include "mention/inside.h"

bool char_in(uint32_t c, const char32_t *set)
{
        for (; *set; set++)
                if (*set == c)
                        return true;
        return false;
}

int digit_value(uint32_t c, bool chinese)
{
        static const char32_t digits[] = U"零一二三四五六七八九";
        if (c >= '0' && c <= '9')
                return (int)(c - '0');
        if (!chinese)
                return -1;
        for (int i = 0; i < 10; i++)
                if (digits[i] == c)
                        return i;
        return c == U'〇' ? 0 : c == U'两' ? 2 : c == U'幺' ? 1 : -1;
}

bool numeral_like(uint32_t c)
{
        return digit_value(c, true) >= 0 || char_in(c, U"十百千万廿卅");
}

uint32_t char_at(const struct folded *f, size_t i)
{
        return i < f->n ? f->c[i] : 0;
}

bool spelled_pair(const struct folded *f, size_t i)
{
        return digit_value(char_at(f, i), false) < 0 && digit_value(char_at(f, i), true) > 0
               && digit_value(char_at(f, i + 1), true) > 0;
}

size_t skip_blank(const struct folded *f, size_t i)
{
        return i < f->n && f->c[i] == ' ' ? i + 1 : i;
}

static size_t arabic_at(const struct folded *f, size_t i, int *value)
{
        enum { DIGITS_MOST = 4 };
        size_t n = 0;
        *value = 0;
        for (; i + n < f->n && digit_value(f->c[i + n], false) >= 0; n++) {
                if (n == DIGITS_MOST)
                        return 0;
                *value = *value * 10 + digit_value(f->c[i + n], false);
        }
        return n;
}

/* 二〇二六: four digits, each by itself; 三, 两. */
static size_t spelled_at(const struct folded *f, size_t i, int *value)
{
        enum { DIGITS_MOST = 4 };
        size_t n = 0;
        *value = 0;
        for (; i + n < f->n && n < DIGITS_MOST && digit_value(f->c[i + n], true) >= 0; n++)
                *value = *value * 10 + digit_value(f->c[i + n], true);
        return n;
}

static int unit_of(uint32_t c)
{
        return c == U'十' ? 10 : c == U'百' ? 100 : 0;
}

/* 三百二十五, 二十三, 十一, 廿三. */
static size_t counted_at(const struct folded *f, size_t i, int *value)
{
        const int tens = f->c[i] == U'廿' ? 20 : f->c[i] == U'卅' ? 30 : 0;
        size_t at = i + (tens > 0);
        int total = tens, digit = -1, last = tens > 0 ? 10 : 1000;
        for (; at < f->n; at++) {
                const int d = digit_value(f->c[at], true), unit = unit_of(f->c[at]);
                if (d >= 0 && digit <= 0) {
                        digit = d;
                } else if (unit > 0 && unit < last) {
                        total += (digit < 0 ? 1 : digit) * unit;
                        digit = -1;
                        last = unit;
                } else {
                        break;
                }
        }
        *value = total + (digit > 0 ? digit : 0);
        return last < 1000 ? at - i : 0; /* without 十 or 百 it is spelled */
}

size_t numeral_at(const struct folded *f, size_t i, int *value)
{
        *value = 0;
        if (i >= f->n)
                return 0;
        if (digit_value(f->c[i], false) >= 0)
                return arabic_at(f, i, value);
        const size_t n = counted_at(f, i, value);
        return n > 0 ? n : spelled_at(f, i, value);
}
