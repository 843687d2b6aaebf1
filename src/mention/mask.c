/* mention/mask.c -- texts without what is somebody's; the same to the eye as privacy/mask.c. */
#include "base/arena.h"
#include "base/buf.h"
#include "mention/inside.h"
#include "mention/mention.h"

enum { DIGITS_MOST = 24 };

static size_t character(const char *text, size_t n)
{
        size_t i = n > 0;
        while (i < n && ((unsigned char)text[i] & 0xC0) == 0x80)
                i++;
        return i;
}

/* A digit or an X in ASCII, of full width, or in Chinese.  Others that folding made digits of are not shown. */
static bool is_digit(const char *c, size_t n)
{
        static const char *const others[] = {"０", "１", "２", "３", "４", "５", "６", "７", "８", "９", "Ｘ", "ｘ", "零",
                                             "〇", "一", "二", "三", "四", "五", "六", "七", "八", "九", "幺", "两"};
        if (n == 1)
                return (*c >= '0' && *c <= '9') || *c == 'x' || *c == 'X';
        for (size_t i = 0; i < COUNT_OF(others); i++)
                if (n == strlen(others[i]) && memcmp(c, others[i], n) == 0)
                        return true;
        return false;
}

static size_t digits_of(const char *text, size_t n, const char *at[DIGITS_MOST], size_t bytes[DIGITS_MOST])
{
        size_t found = 0;
        for (size_t i = 0; i < n && found < DIGITS_MOST;) {
                const size_t k = character(text + i, n - i);
                if (is_digit(text + i, k)) {
                        at[found] = text + i;
                        bytes[found++] = k;
                }
                i += k;
        }
        return found;
}

static void mask_number(const char *text, size_t n, size_t shown_first, struct buf *out)
{
        enum { SHOWN_LAST = 4, SHORT = 11, ABROAD = 13 };
        const char *at[DIGITS_MOST];
        size_t bytes[DIGITS_MOST];
        const size_t digits = digits_of(text, n, at, bytes);
        const size_t last = digits >= SHORT ? SHOWN_LAST : 2;
        /* A leading +86 is not told: privacy/mask.c leaves it out too. */
        const size_t first = digits >= ABROAD ? digits - SHORT : 0;
        for (size_t i = first; i < first + shown_first && digits >= SHORT; i++)
                buf_add(out, at[i], bytes[i]);
        buf_text(out, "****");
        for (size_t i = digits > last ? digits - last : digits; i < digits; i++)
                buf_add(out, at[i], bytes[i]);
}

static void mask_mail(const char *text, size_t n, struct buf *out)
{
        size_t at = n;
        for (size_t i = 0; i < n; i++)
                if (text[i] == '@' || (n - i >= 3 && memcmp(text + i, "\xEF\xBC\xA0", 3) == 0)) {
                        at = i;
                        break;
                }
        buf_add(out, text, character(text, n));
        buf_text(out, "***");
        buf_add(out, text + at, n - at);
}

static void mask_plate(const char *text, size_t n, struct buf *out)
{
        const size_t first = character(text, n);
        buf_add(out, text, first + character(text + first, n - first));
        buf_text(out, "****");
}

static void mask_one(const char *text, const struct mention *m, struct buf *out)
{
        const char *at = text + m->from;
        size_t n = m->to - m->from;
        switch (m->kind) {
        case MENTION_PHONE:
                mask_number(at, n, 3, out);
                break;
        case MENTION_IDENTITY:
        case MENTION_CARD:
                mask_number(at, n, 0, out);
                break;
        case MENTION_MAIL:
                mask_mail(at, n, out);
                break;
        case MENTION_PLATE:
                mask_plate(at, n, out);
                break;
        case MENTION_TIME:
        case MENTION_PLACE:
        case MENTION_ORGAN:
        case MENTION_KINDS:
                break;
        }
}

void mentions_mask(const char *text, size_t n, const struct mention *m, size_t mentions, struct buf *out)
{
        size_t at = 0;
        for (size_t i = 0; i < mentions; i++) {
                if (!m[i].personal || m[i].from < at || m[i].to > n)
                        continue;
                buf_add(out, text + at, m[i].from - at);
                mask_one(text, &m[i], out);
                at = m[i].to;
        }
        buf_add(out, text + at, n - at);
}

/* A mobile begins with 1, or with +86; as it was written, so a number in other digits counts as somebody's. */
static bool is_office(const struct mention *m, const char *text)
{
        const char first = text[m->from];
        return m->kind == MENTION_PHONE && (first == '(' || first == '0' || (first >= '2' && first <= '9'));
}

const char *mentions_masked(const struct fold *fold, struct arena *a, const char *text)
{
        struct folded f;
        struct mention *found;
        bool any = false;
        fold_text(fold, a, text, strlen(text), &f);
        const size_t n = numbers_mentioned(&f, text, a, &found);
        for (size_t i = 0; i < n; i++)
                any |= found[i].personal = found[i].personal && !is_office(&found[i], text);
        if (!any && !f.cut)
                return text;
        struct buf b = BUF_LIMIT(1 << 20);
        mentions_mask(text, f.cut ? f.at[f.n] : strlen(text), found, n, &b);
        if (f.cut)
                buf_text(&b, "…");
        const char *masked = b.overflow ? "" : arena_copy(a, b.at ? b.at : "", b.length);
        buf_free(&b);
        return masked;
}
