/* text/tokens.c -- see tokens.h. */
#include "text/tokens.h"
#include "base/arena.h"
#include "base/buf.h"
#include "text/fold.h"
#include <stdlib.h>

/* --- what is personal ------------------------------------------------------------------------------------------------------ */

static bool is_digit(uint32_t c)
{
        return c >= '0' && c <= '9';
}

/* Digits of an atom that is nothing else; 0 for others. */
static size_t only_digits(const struct atoms *t, size_t i)
{
        const struct atom *a = &t->at[i];
        for (uint32_t p = a->from; p < a->to; p++)
                if (!is_digit(t->text->c[p]))
                        return 0;
        return a->to - a->from;
}

static bool has_long_number(const struct folded *f, const struct atom *a)
{
        int digits = 0;
        for (uint32_t p = a->from; p < a->to && digits < PERSONAL_DIGITS; p++)
                digits = is_digit(f->c[p]) ? digits + 1 : 0;
        return digits >= PERSONAL_DIGITS;
}

/* 1900 to 2099: years beside each other are a span of time and no telephone. */
static bool is_year(const struct folded *f, const struct atom *a)
{
        const uint32_t *c = f->c + a->from;
        return a->to - a->from == 4 && ((c[0] == '1' && c[1] == '9') || (c[0] == '2' && c[1] == '0'));
}

/* Of numbers written in groups: a blank, a dot or a dash. */
static bool is_grouping(uint32_t c)
{
        return c == ' ' || c == '-' || c == '.' || (c >= 0x2010 && c <= 0x2015);
}

static bool follows_group(const struct atoms *t, size_t i)
{
        enum { GROUP_LEAST = 3 };
        return i < t->n && only_digits(t, i) >= GROUP_LEAST && t->at[i].from == t->at[i - 1].to + 1
               && is_grouping(t->text->c[t->at[i].from - 1]);
}

/* "138-0013-8000", "0755 2833 1234": groups of three digits and more.  Returns the atom behind them. */
static size_t mark_groups(struct atoms *t, size_t first)
{
        size_t digits = only_digits(t, first), end = first + 1;
        bool years = is_year(t->text, &t->at[first]);
        if (digits < 3)
                return end;
        while (follows_group(t, end)) {
                digits += only_digits(t, end);
                years = years && is_year(t->text, &t->at[end]);
                end++;
        }
        for (size_t i = first; i < end && digits >= PERSONAL_DIGITS && !years; i++)
                t->at[i].personal = true;
        return end;
}

static bool of_address(uint32_t c)
{
        return c < 0x80 && (letter_kind(c) != LETTER_NONE || c == '.' || c == '_' || c == '+' || c == '-' || c == '*');
}

/* The name in front of the @ of a mail address, from its last atom backwards. */
static void mark_address(struct atoms *t, size_t last)
{
        const uint32_t *c = t->text->c;
        uint32_t from = t->at[last].to;
        while (from > 0 && of_address(c[from - 1]))
                from--;
        for (size_t i = last + 1; i-- > 0 && t->at[i].to > from;)
                t->at[i].personal = true;
}

static void mark_personal(struct atoms *t)
{
        const struct folded *f = t->text;
        for (size_t i = 0; i < t->n; i++)
                t->at[i].personal = !t->at[i].han && has_long_number(f, &t->at[i]);
        for (size_t i = 0; i < t->n;)
                i = t->at[i].han ? i + 1 : mark_groups(t, i);
        for (size_t i = 0; i + 1 < t->n; i++) {
                uint32_t p = t->at[i].to;
                while (p < t->at[i + 1].from && of_address(f->c[p]))
                        p++;
                if (p < t->at[i + 1].from && f->c[p] == '@' && t->at[i + 1].from == p + 1)
                        mark_address(t, i);
        }
}

/* --- atoms ------------------------------------------------------------------------------------------------------------------- */

void atoms_of(struct arena *a, const struct folded *f, struct atoms *out)
{
        *out = (struct atoms){.text = f, .at = arena_alloc(a, (f->n + 1) * sizeof *out->at)};
        for (uint32_t i = 0; i < f->n;) {
                const enum letter kind = letter_kind(f->c[i]);
                const uint32_t from = i++;
                if (kind == LETTER_NONE)
                        continue;
                while (kind != LETTER_HAN && i < f->n) {
                        const enum letter next = letter_kind(f->c[i]);
                        if (next != LETTER_WORD && next != LETTER_DIGIT)
                                break;
                        i++;
                }
                out->at[out->n] = (struct atom){.from = from, .to = i, .han = kind == LETTER_HAN};
                out->at[out->n].joined = out->n > 0 && out->at[out->n - 1].to == from;
                out->n++;
        }
        mark_personal(out);
}

static bool same_atom(const struct atoms *t, size_t i, const struct atoms *w, size_t k)
{
        const struct atom *a = &t->at[i], *b = &w->at[k];
        const size_t n = a->to - a->from;
        return !a->personal && !b->personal && n == b->to - b->from
               && memcmp(t->text->c + a->from, w->text->c + b->from, n * sizeof *t->text->c) == 0;
}

size_t atoms_find(const struct atoms *t, const struct atoms *w, size_t from)
{
        for (size_t i = from; w->n > 0 && i + w->n <= t->n; i++) {
                size_t k = 0;
                while (k < w->n && same_atom(t, i + k, w, k) && (k == 0 || !w->at[k].joined || t->at[i + k].joined))
                        k++;
                if (k == w->n)
                        return i;
        }
        return SIZE_MAX;
}

/* --- terms ------------------------------------------------------------------------------------------------------------------- */

void terms_put(struct terms *t, const char *term)
{
        if (t->n == t->room) {
                const size_t room = t->room ? 2 * t->room : 256;
                const char **more = NEW_ARRAY(t->arena, const char *, room);
                if (t->n)
                        memcpy(more, t->at, t->n * sizeof *more);
                t->at = more;
                t->room = room;
        }
        t->at[t->n++] = term;
}

static void put_characters(struct terms *t, const struct folded *f, uint32_t from, uint32_t to)
{
        struct buf b = BUF_LIMIT(4 * TERM_MOST + 1);
        fold_write(f, from, to - from > TERM_MOST ? from + TERM_MOST : to, &b);
        terms_put(t, arena_copy(t->arena, b.at, b.length));
        buf_free(&b);
}

/* Whether two ideographs stand together, of which the second is atom i. */
static bool is_pair(const struct atoms *t, size_t i)
{
        return i > 0 && i < t->n && t->at[i].han && t->at[i].joined && t->at[i - 1].han;
}

void terms_add(struct terms *out, const struct atoms *t)
{
        for (size_t i = 0; i < t->n; i++) {
                const struct atom *a = &t->at[i];
                if (a->personal)
                        continue;
                put_characters(out, t->text, a->from, a->to);
                if (is_pair(t, i))
                        put_characters(out, t->text, a->from - 1, a->to);
        }
}

void terms_needed(struct terms *out, const struct atoms *w, bool *exact)
{
        size_t n = 0;
        *exact = true;
        for (size_t i = 0; i < w->n; i++) {
                const struct atom *a = &w->at[i];
                if (a->personal)
                        continue;
                if (is_pair(w, i))
                        put_characters(out, w->text, a->from - 1, a->to);
                else if (!is_pair(w, i + 1))
                        put_characters(out, w->text, a->from, a->to);
                else
                        continue;
                n++;
                *exact = *exact && n == 1 && a->to - a->from <= TERM_MOST;
        }
}

static int by_bytes(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void terms_sort(struct terms *t)
{
        size_t n = 0;
        if (t->n)
                qsort(t->at, t->n, sizeof *t->at, by_bytes);
        for (size_t i = 0; i < t->n; i++)
                if (n == 0 || strcmp(t->at[i], t->at[n - 1]) != 0)
                        t->at[n++] = t->at[i];
        t->n = n;
}
