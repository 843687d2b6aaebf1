/* search/match.c -- the texts of a case against what is asked for: whether, how well, and where.  Pure. */
#include "search/inside.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "json/json.h"
#include <math.h>
#include <stdlib.h>

/* --- whether ------------------------------------------------------------------------------------------------------------- */

/* Atom by atom, whatever stands between them. */
static bool same_number(const struct atoms *a, const struct atoms *b)
{
        size_t i = 0, k = 0;
        uint32_t p = a->n ? a->at[0].from : 0, q = b->n ? b->at[0].from : 0;
        while (i < a->n && k < b->n && a->text->c[p] == b->text->c[q]) {
                if (++p == a->at[i].to && ++i < a->n)
                        p = a->at[i].from;
                if (++q == b->at[k].to && ++k < b->n)
                        q = b->at[k].from;
        }
        return a->n > 0 && i == a->n && k == b->n;
}

static bool has_phrase(const struct parts *parts, const struct phrase *p)
{
        if (p->number)
                return same_number(&parts->number, &p->words);
        for (size_t i = 0; i < parts->n; i++)
                if (atoms_find(&parts->at[i].atoms, &p->words, 0) != SIZE_MAX)
                        return true;
        return false;
}

bool parts_match(const struct parts *parts, const struct asked *q)
{
        for (size_t i = 0; i < q->n; i++)
                if (has_phrase(parts, &q->at[i]) == q->at[i].without)
                        return false;
        return true;
}

/* --- how well ------------------------------------------------------------------------------------------------------------ */

size_t parts_length(const struct parts *parts)
{
        size_t n = 0;
        for (size_t i = 0; i < parts->n; i++)
                n += parts->at[i].atoms.n;
        return n;
}

static double frequency(const struct parts *parts, const struct phrase *p)
{
        double f = 0;
        for (size_t i = 0; i < parts->n; i++) {
                const struct atoms *t = &parts->at[i].atoms;
                for (size_t at = 0; (at = atoms_find(t, &p->words, at)) != SIZE_MAX; at += p->words.n)
                        f += parts->at[i].weight;
        }
        return f;
}

/* BM25 (Robertson, Zaragoza 2009) with k1 = 1.2, b = 0.75, where a word in the title counts as three and one in the address or
 * the item as two.  Every case found has every word, so how rare a word is in the district would only weigh words against each
 * other: it is left out, and the score needs nothing but the texts. */
int64_t parts_score(const struct parts *parts, const struct asked *q, double length)
{
        const double k1 = 1.2, b = 0.75, own = (double)parts_length(parts);
        const double damped = k1 * (1 - b + b * own / (length > 0 ? length : 1));
        double score = 0;
        for (size_t i = 0; i < q->n; i++) {
                const double f = q->at[i].without || q->at[i].number ? 0 : frequency(parts, &q->at[i]);
                score += f * (k1 + 1) / (f + damped);
        }
        return (int64_t)floor(score * 1e6 + 0.5);
}

/* --- where --------------------------------------------------------------------------------------------------------------- */

enum { MARKS_MOST = 64, WINDOW = 120, BEFORE = 30, MATCHES_MOST = 8 };
struct span {
        size_t from, to;
};
struct spans {
        struct span at[MARKS_MOST];
        size_t n;
};

static size_t character(const char *text)
{
        size_t n = 1;
        while (((unsigned char)text[n] & 0xC0) == 0x80)
                n++;
        return n;
}

/* In bytes of the text as written: from the first character to the end of the last, without what was dropped behind it. */
static struct span bytes_of(const struct part *p, const struct atom *first, const struct atom *last)
{
        const size_t end = p->folded.at[last->to - 1];
        return (struct span){p->folded.at[first->from], end + character(p->text + end)};
}

static int by_place(const void *a, const void *b)
{
        const struct span *x = a, *y = b;
        return x->from != y->from ? (x->from < y->from ? -1 : 1) : (x->to > y->to) - (x->to < y->to);
}

static void merge(struct spans *s)
{
        size_t n = 0;
        qsort(s->at, s->n, sizeof s->at[0], by_place);
        for (size_t i = 0; i < s->n; i++) {
                if (n > 0 && s->at[i].from <= s->at[n - 1].to) {
                        if (s->at[i].to > s->at[n - 1].to)
                                s->at[n - 1].to = s->at[i].to;
                } else {
                        s->at[n++] = s->at[i];
                }
        }
        s->n = n;
}

static void find_marks(const struct part *p, const struct asked *q, struct spans *out)
{
        const struct atoms *t = &p->atoms;
        out->n = 0;
        for (size_t i = 0; i < q->n; i++) {
                const struct atoms *w = &q->at[i].words;
                if (q->at[i].without || q->at[i].number)
                        continue;
                for (size_t at = 0; out->n < MARKS_MOST && (at = atoms_find(t, w, at)) != SIZE_MAX; at += w->n)
                        out->at[out->n++] = bytes_of(p, &t->at[at], &t->at[at + w->n - 1]);
        }
        merge(out);
}

static bool is_hidden(const struct part *p, size_t *atom, size_t byte)
{
        const struct atoms *t = &p->atoms;
        while (*atom < t->n && bytes_of(p, &t->at[*atom], &t->at[*atom]).to <= byte)
                ++*atom;
        return *atom < t->n && t->at[*atom].personal && p->folded.at[t->at[*atom].from] <= byte;
}

/* The window of the text from character `start` on: personal numbers and addresses as stars. */
static const char *window_text(struct arena *a, const struct part *p, size_t start, size_t *bytes)
{
        struct buf b = BUF_LIMIT(8 * WINDOW * 4);
        size_t at = 0, atom = 0;
        for (size_t i = 0; i < start && p->text[at]; i++)
                at += character(p->text + at);
        bytes[0] = at;
        for (size_t i = 0; i < WINDOW && p->text[at]; i++) {
                const size_t n = character(p->text + at);
                if (is_hidden(p, &atom, at))
                        buf_byte(&b, '*');
                else
                        buf_add(&b, p->text + at, n);
                at += n;
        }
        bytes[1] = at;
        const char *out = arena_copy(a, b.at ? b.at : "", b.length);
        buf_free(&b);
        return out;
}

static size_t characters_between(const char *text, size_t from, size_t to)
{
        size_t n = 0;
        for (; from < to; from += character(text + from))
                n++;
        return n;
}

static void marks_json(const struct part *p, const struct spans *marks, const size_t bytes[2], struct json *j)
{
        json_array(j, "marks");
        for (size_t i = 0; i < marks->n; i++) {
                const size_t from = marks->at[i].from, to = marks->at[i].to < bytes[1] ? marks->at[i].to : bytes[1];
                if (from < bytes[0] || from >= to)
                        continue;
                json_array(j, NULL);
                json_int(j, NULL, (int64_t)characters_between(p->text, bytes[0], from));
                json_int(j, NULL, (int64_t)characters_between(p->text, bytes[0], to));
                json_array_end(j);
        }
        json_array_end(j);
}

/* Of a long text what stands around the first mark. */
static void part_json(const struct part *p, const struct spans *marks, struct arena *a, struct json *j)
{
        const size_t first = characters_between(p->text, 0, marks->at[0].from), all = text_characters(p->text);
        const size_t start = all <= WINDOW || first <= BEFORE ? 0 : first - BEFORE;
        size_t bytes[2];
        json_object(j, NULL);
        json_text(j, "field", p->field);
        json_text(j, "text", window_text(a, p, start, bytes));
        json_int(j, "start", (int64_t)start);
        json_int(j, "length", (int64_t)all);
        marks_json(p, marks, bytes, j);
        json_object_end(j);
}

void matches_json(const struct parts *parts, const struct asked *q, struct arena *a, struct json *j)
{
        struct spans marks;
        int n = 0;
        json_array(j, "matches");
        for (size_t i = 0; i < parts->n && n < MATCHES_MOST; i++) {
                find_marks(&parts->at[i], q, &marks);
                if (marks.n > 0) {
                        part_json(&parts->at[i], &marks, a, j);
                        n++;
                }
        }
        json_array_end(j);
}
