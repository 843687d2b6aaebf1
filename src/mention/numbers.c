/* mention/numbers.c -- numbers that are somebody's, plates and mail addresses. */
#include "mention/inside.h"

enum { LONGEST = 19 };
struct run {
        int digit[LONGEST];
        size_t n, end;          /* end: character behind the last digit */
        size_t gaps, first_gap; /* blanks and hyphens; first_gap: digits before the first one */
};

static bool is_alnum(const struct folded *f, size_t i)
{
        return i < f->n && f->c[i] < 128 && letter_kind(f->c[i]) != LETTER_NONE;
}

/* Exactly `want` digits from i on, with at most one blank or hyphen between two of them; no digit follows. */
static bool run_read(const struct folded *f, size_t i, size_t want, bool chinese, struct run *r)
{
        *r = (struct run){.first_gap = want};
        size_t at = i;
        while (r->n < want) {
                if (r->n > 0 && at < f->n && (f->c[at] == ' ' || f->c[at] == '-')) {
                        r->gaps++;
                        r->first_gap = r->gaps == 1 ? r->n : r->first_gap;
                        at++;
                }
                const int d = at < f->n ? digit_value(f->c[at], chinese) : -1;
                if (d < 0)
                        return false;
                r->digit[r->n++] = d;
                at++;
        }
        r->end = at;
        return at == f->n || digit_value(f->c[at], chinese) < 0;
}

/* Provinces of GB/T 2260; the first six digits are a place. */
static bool province(const struct run *r)
{
        static const char known[] =
                "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91";
        const int code = r->digit[0] * 10 + r->digit[1];
        for (const char *p = known; *p; p += p[2] ? 3 : 2)
                if ((p[0] - '0') * 10 + p[1] - '0' == code)
                        return true;
        return false;
}

static bool birthday(const struct run *r, size_t i, int century)
{
        int year = century;
        if (century == 0) {
                year = (r->digit[i] * 10 + r->digit[i + 1]) * 100;
                i += 2;
        }
        year += r->digit[i] * 10 + r->digit[i + 1];
        const struct moment m = {.year = 2000 + year % 400, /* as long as the calendar's own period: the same months */
                                 .month = r->digit[i + 2] * 10 + r->digit[i + 3],
                                 .day = r->digit[i + 4] * 10 + r->digit[i + 5]};
        return m.month > 0 && m.day > 0 && year >= 1800 && year < 2100 && moment_possible(&m);
}

/* GB 11643-1999: the sum of the digits by 2^(17 - i) mod 11 decides the last character (ISO 7064 MOD 11-2). */
static bool identity_18(const struct folded *f, size_t i, struct run *r)
{
        static const char check[] = "10x98765432";
        enum { BODY = 17, MODULUS = 11 };
        int sum = 0;
        if (!run_read(f, i, BODY, false, r) && !(r->n == BODY && r->end > 0))
                return false;
        const size_t last = r->end + (r->end < f->n && (f->c[r->end] == ' ' || f->c[r->end] == '-'));
        if (last >= f->n || is_alnum(f, last + 1) || !province(r) || !birthday(r, 6, 0))
                return false;
        for (int k = 0; k < BODY; k++)
                sum += r->digit[k] * (int)((1U << (BODY - k)) % MODULUS);
        r->end = last + 1;
        return f->c[last] == (uint32_t)check[sum % MODULUS];
}

static bool identity_15(const struct folded *f, size_t i, struct run *r)
{
        enum { BODY = 15 };
        return run_read(f, i, BODY, false, r) && r->gaps == 0 && !is_alnum(f, r->end) && province(r) && birthday(r, 6, 1900);
}

/* ISO/IEC 7812: Luhn.  Cards begin with 3 to 6, or with 9 where a bank counts by itself. */
static bool card(const struct folded *f, size_t i, struct run *r)
{
        enum { LEAST = 16, GROUP = 4, NINE = 9 };
        for (size_t n = LONGEST; n >= LEAST; n--) {
                int sum = 0;
                if (!run_read(f, i, n, false, r) || is_alnum(f, r->end) || (r->gaps > 0 && r->first_gap != GROUP))
                        continue;
                for (size_t k = 0; k < n; k++) {
                        const int d = r->digit[n - 1 - k] * (k % 2 ? 2 : 1);
                        sum += d > NINE ? d - NINE : d;
                }
                if (sum % 10 == 0 && r->digit[0] >= 3 && (r->digit[0] <= 6 || r->digit[0] == NINE))
                        return true;
        }
        return false;
}

/* 1[3-9] and nine digits, of either script. */
static bool mobile(const struct folded *f, size_t i, struct run *r)
{
        enum { DIGITS = 11 };
        return run_read(f, i, DIGITS, true, r) && r->digit[0] == 1 && r->digit[1] >= 3;
}

static bool mobile_abroad(const struct folded *f, size_t i, struct run *r)
{
        size_t at = i;
        if (f->c[at] == '0') {
                if (f->n - at < 2 || f->c[at + 1] != '0')
                        return false;
                at += 2;
        } else if (f->c[at] == '+') {
                at++;
        }
        if (f->n - at < 3 || f->c[at] != '8' || f->c[at + 1] != '6')
                return false;
        at += 2;
        return mobile(f, at + (at < f->n && (f->c[at] == ' ' || f->c[at] == '-')), r);
}

/* Behind an area code of that many digits, 0 and not 00, in brackets or not; 0: there is none. */
static size_t code_end(const struct folded *f, size_t i, size_t digits)
{
        const bool bracket = f->c[i] == '(';
        const size_t from = i + bracket;
        for (size_t k = 0; k < digits; k++)
                if (digit_value(char_at(f, from + k), false) < 0)
                        return 0;
        if (f->c[from] != '0' || f->c[from + 1] == '0' || (bracket && char_at(f, from + digits) != ')'))
                return 0;
        const size_t at = from + digits + bracket;
        return at + char_in(char_at(f, at), U"- ");
}

/* An area code of three or four digits, and seven or eight that begin with 2 to 8. */
static bool landline(const struct folded *f, size_t i, struct run *r)
{
        enum { CODE_LEAST = 3, LOCAL_LEAST = 7 };
        for (size_t code = CODE_LEAST + 1; code >= CODE_LEAST; code--) {
                const size_t at = code_end(f, i, code);
                for (size_t local = LOCAL_LEAST + 1; at > 0 && local >= LOCAL_LEAST; local--)
                        if (run_read(f, at, local, false, r) && r->digit[0] >= 2 && r->digit[0] <= 8 && r->gaps <= 1)
                                return true;
        }
        return false;
}

static bool number_400(const struct folded *f, size_t i, struct run *r)
{
        enum { DIGITS = 10 };
        return run_read(f, i, DIGITS, false, r) && (r->digit[0] == 4 || r->digit[0] == 8) && r->digit[1] == 0 && r->digit[2] == 0
               && (r->gaps > 0 || r->digit[0] == 4);
}

static size_t mail_part(const struct folded *f, size_t i, const char32_t *marks)
{
        enum { PART_MOST = 64 };
        size_t at = i;
        while (at < f->n && at - i < PART_MOST && (is_alnum(f, at) || char_in(f->c[at], marks)))
                at++;
        return at;
}

/* The host has a dot, and behind its last one two letters. */
static bool mail(const struct folded *f, size_t i, struct run *r)
{
        const size_t at = mail_part(f, i, U"._%+-"), host = at + 1;
        if (at == i || char_at(f, at) != '@')
                return false;
        size_t end = mail_part(f, host, U".-"), dot = host;
        while (end > host && !is_alnum(f, end - 1))
                end--;
        for (size_t k = host; k < end; k++)
                dot = f->c[k] == '.' ? k : dot;
        r->end = end;
        return dot > host && end > dot + 2;
}

/* GA 36: province, letter of the town, five characters; six with new energy; four and 学, 警, 挂, 港, 澳. */
static bool plate(const struct folded *f, size_t i, struct run *r)
{
        enum { BODY = 5, GREEN = 6 };
        if (!char_in(f->c[i], U"京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼") || i + 2 >= f->n)
                return false;
        if (f->c[i + 1] < 'a' || f->c[i + 1] > 'z' || f->c[i + 1] == 'i')
                return false;
        size_t at = i + 2, n = 0, digits = 0;
        at += char_in(f->c[at], U"· -.•・") ? 1 : 0;
        for (; is_alnum(f, at) && n < GREEN && !char_in(f->c[at], U"io"); at++, n++)
                digits += digit_value(f->c[at], false) >= 0;
        if (n == BODY - 1 && at < f->n && char_in(f->c[at], U"学警挂港澳")) {
                at++;
                n++;
        }
        r->end = at;
        return n >= BODY && digits >= 2 && !is_alnum(f, at);
}

/* In this order: what has a check character first. */
static const struct {
        enum mention_kind kind;
        bool (*at)(const struct folded *, size_t i, struct run *);
} kinds[] = {
        {MENTION_IDENTITY, identity_18}, {MENTION_CARD, card},    {MENTION_IDENTITY, identity_15}, {MENTION_MAIL, mail},
        {MENTION_PHONE, mobile_abroad},  {MENTION_PHONE, mobile}, {MENTION_PHONE, landline},       {MENTION_PHONE, number_400},
        {MENTION_PLATE, plate},
};

static bool may_begin(const struct folded *f, size_t i)
{
        const uint32_t c = f->c[i], before = i > 0 ? f->c[i - 1] : 0;
        if (letter_kind(c) == LETTER_NONE && c != '+' && c != '(' && c != '_')
                return false;
        if (digit_value(c, true) >= 0)
                return digit_value(before, digit_value(c, false) < 0) < 0;
        return c >= 128 || !is_alnum(f, i > 0 ? i - 1 : f->n);
}

void numbers_find(const struct folded *f, struct finds *out)
{
        for (size_t i = 0; i < f->n;) {
                struct run r = {.n = 0};
                size_t k = may_begin(f, i) ? 0 : COUNT_OF(kinds);
                while (k < COUNT_OF(kinds) && !kinds[k].at(f, i, &r))
                        k++;
                if (k < COUNT_OF(kinds))
                        find_add(out, i, r.end, &(struct mention){.kind = kinds[k].kind});
                i = k < COUNT_OF(kinds) ? r.end : i + 1;
        }
}
