/* same/score.c -- how much two matters have in common, and how likely they are one. */
#include "same/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "text/fold.h"
#include <math.h>
#include <stdlib.h>

/* The logistic model over the parts.  The first five were fitted (yiwang eval same --fit, measure/fit.c) on half of 4,326 real
 * messages, retold in three ways and once about other places, against all other candidates; nothing real tells points, items and
 * reporters, so the last four are set by judgement: a point beyond sight outweighs equal words (-6.5 against at most +5), being on
 * the spot with the same item makes up for words in which only a third is shared.  Figures: doc/triage.md, "Same matter". */
static const struct coefficients {
        double one, text, named, elsewhere, time;
        double near, far, item, reporter;
} B = {
        .one = -0.05,
        .text = 3.65,
        .named = 0.47,
        .elsewhere = 3.5,
        .time = 3.3,
        .near = 2.5,
        .far = 6.5,
        .item = 1.0,
        .reporter = 0.5,
};
static const struct same_limits LIMITS = {.joins = 0.65, .asks = 0.25};

static const double METRES_HALF = 150; /* at this distance the points say nothing; far beyond they speak against it */

struct same_limits same_limits(void)
{
        return LIMITS;
}

/* --- texts ---------------------------------------------------------------------------------------------------------------- */

/* Grams of the question whose rank is within the case's sketch. */
static size_t comparable(const struct sketch *s, const struct kept *k)
{
        size_t low = 0, high = s->n;
        if (k->flags & KEPT_ALL)
                return s->n;
        while (low < high) {
                const size_t middle = (low + high) / 2;
                if (s->grams[middle].rank <= k->last_rank)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct question *question_new(struct arena *a, const struct matter *m, const struct rare *rare)
{
        struct question *q = NEW(a, struct question);
        q->matter = m;
        q->arena = a;
        sketch_make(&q->sketch, a, m->text, rare);
        kept_make(&q->as_kept, m, &q->sketch);
        if (q->sketch.n > GRAMS_MOST)
                q->sketch.n = GRAMS_MOST;
        for (size_t i = q->sketch.n; i-- > 0;) {
                uint16_t *first = &q->first[gram_mark(q->sketch.grams[i].hash) % BUCKETS];
                q->next[i] = *first;
                *first = (uint16_t)(i + 1);
        }
        return q;
}

/* The question's gram from `from` on that is the case's i-th, or n. */
static size_t gram_find(const struct question *q, const struct kept *k, size_t i, size_t from, size_t n)
{
        const uint16_t mark = i < KEYS ? gram_mark(k->keys[i]) : k->marks[i - KEYS];
        for (size_t j = q->first[mark % BUCKETS]; j > 0 && j <= n; j = q->next[j - 1]) {
                const uint32_t hash = q->sketch.grams[j - 1].hash;
                if (j > from && (i < KEYS ? k->keys[i] == hash : mark == gram_mark(hash)))
                        return j - 1;
        }
        return n;
}

/* Both are ordered by rank, so what is in both stands in the same order: the search goes on where the last one was found, and
 * marks that are the same by chance seldom count.  `each` of the question's grams that are shared is set. */
static size_t shared_grams(const struct question *q, size_t n, const struct kept *k, bool *each)
{
        size_t from = 0, shared = 0;
        for (size_t i = 0; i < k->n_grams; i++) {
                const size_t j = gram_find(q, k, i, from, n);
                if (j == n)
                        continue;
                shared++;
                from = j + 1;
                if (each)
                        each[j] = true;
        }
        return shared;
}

/* Shares of weight, estimated from the sample: of the union, and of the one that is more inside the other. */
static void compare_texts(const struct question *q, const struct kept *k, struct same_parts *p)
{
        const size_t n = comparable(&q->sketch, k);
        if (n == 0 || k->n_grams == 0)
                return;
        const double shared = (double)shared_grams(q, n, k, NULL), of_case = k->n_grams, of_new = (double)n;
        p->shared = shared / (of_case + of_new - shared);
        p->inside = shared / fmin(of_case, of_new);
        /* A sample of three grams is no evidence of a whole: what is inside counts as if four more were not. */
        p->inside *= fmin(of_case, of_new) / (fmin(of_case, of_new) + 4);
}

/* --- places --------------------------------------------------------------------------------------------------------------- */

/* Of the two rarest places the first counts twice. */
static double named_in(const uint16_t *first, size_t n, const uint16_t *all, size_t n_all)
{
        double found = 0;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < n_all; k++)
                        if (first[i] == all[k]) {
                                found += i == 0 ? 2 : 1;
                                break;
                        }
        return found;
}

/* The two rarest places of either, looked for in the other: 1 all found, -1 none.  Common places ("the district") are in so many
 * matters that finding them says little. */
static double compare_names(const struct sketch *s, const struct kept *k)
{
        const size_t n = s->n_places < 2 ? s->n_places : 2, m = k->n_places < 2 ? k->n_places : 2;
        if (n == 0 || m == 0)
                return 0;
        const double found = named_in(s->places, n, k->places, k->n_places) + named_in(k->places, m, s->places, s->n_places);
        return 2 * found / (double)(n + m + 2) - 1;
}

static void compare_spots(const struct kept *a, const struct kept *b, struct same_parts *p)
{
        p->metres = -1;
        if (a->flags & b->flags & KEPT_POINT) {
                p->metres =
                        point_metres((struct point){a->lon * 1e-7, a->lat * 1e-7}, (struct point){b->lon * 1e-7, b->lat * 1e-7});
                p->spot = 2 / (1 + p->metres * p->metres / (METRES_HALF * METRES_HALF)) - 1;
        } else if (a->grid && b->grid)
                p->spot = a->grid == b->grid ? 0.6 : a->community && a->community == b->community ? -0.4 : -0.8;
        else if (a->community && b->community)
                p->spot = a->community == b->community ? 0.3 : -0.8;
}

void same_compare(const struct question *q, const struct kept *k, struct same_parts *p)
{
        const struct kept *own = &q->as_kept;
        *p = (struct same_parts){0};
        compare_texts(q, k, p);
        compare_spots(own, k, p);
        p->named = compare_names(&q->sketch, k);
        const double days = fabs((double)own->minute - (double)k->minute) / (24 * 60);
        p->time = 30 / (30 + days);
        if (own->item && k->item)
                p->item = own->item == k->item ? 1 : own->item_group && own->item_group == k->item_group ? 0.5 : -1;
        p->reporter = own->reporter && own->reporter == k->reporter ? 1 : 0;
}

double same_probability(const struct same_parts *p)
{
        const double z = B.one + B.text * log(p->inside + 0.05) + (p->spot > 0 ? B.near : B.far) * p->spot
                         + (p->named > 0 ? B.named : B.elsewhere) * p->named + B.time * p->time + B.item * p->item
                         + B.reporter * p->reporter;
        return 1 / (1 + exp(-z));
}

/* --- why ------------------------------------------------------------------------------------------------------------------ */

static int by_place(const void *a, const void *b)
{
        const struct gram *x = a, *y = b;
        return (x->from > y->from) - (x->from < y->from);
}

/* Keeps the longest, longest first. */
static void add_phrase(struct alike *out, uint32_t from, uint32_t to)
{
        size_t at = out->n_phrases;
        while (at > 0 && out->phrases[at - 1].to - out->phrases[at - 1].from < to - from)
                at--;
        if (at >= SAME_PHRASES)
                return;
        const size_t last = out->n_phrases < SAME_PHRASES ? out->n_phrases : SAME_PHRASES - 1;
        memmove(&out->phrases[at + 1], &out->phrases[at], (last - at) * sizeof *out->phrases);
        out->phrases[at] = (struct same_phrase){from, to};
        out->n_phrases = last + 1;
}

void same_explain(const struct question *q, const struct kept *k, struct alike *out)
{
        const struct sketch *s = &q->sketch;
        const size_t n = comparable(s, k);
        bool *each = NEW_ARRAY(q->arena, bool, n + 1);
        struct gram *shared = NEW_ARRAY(q->arena, struct gram, n + 1);
        size_t found = 0;
        (void)shared_grams(q, n, k, each);
        for (size_t i = 0; i < n; i++)
                if (each[i])
                        shared[found++] = s->grams[i];
        qsort(shared, found, sizeof *shared, by_place);
        const uint32_t *at = q->matter->text->at;
        for (size_t i = 0; i < found;) {
                uint32_t to = shared[i].to;
                size_t next = i + 1;
                for (; next < found && shared[next].from <= to; next++)
                        to = shared[next].to > to ? shared[next].to : to;
                add_phrase(out, at[shared[i].from], at[to]);
                i = next;
        }
}
