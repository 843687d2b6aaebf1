/* classify/explain.c -- which phrases of a text spoke for a class, and which against it. */
#include "base/arena.h"
#include "classify/inside.h"
#include <math.h>
#include <stdlib.h>

enum { PHRASES_MOST = 256 };

/* What a gram adds to the margin of `class` over that of `other` at the nodes that lead to it. */
static double says(const struct classifier *c, size_t k, uint32_t key, int child, int against)
{
        const struct node *node = &c->nodes[k];
        const float *row = node_row(node, key), *fix = fix_row(c, key, k);
        const double weight = row ? (double)row[0] : UNKNOWN_WEIGHT;
        double sum = 0;
        if (row)
                sum += (double)(row[1 + child] - (against >= 0 ? row[1 + against] : 0));
        if (fix)
                sum += weight * (double)(fix[child] - (against >= 0 ? fix[against] : 0));
        return sum;
}

/* Shared among its characters: neighbours that say the same make a phrase. */
static void add_gram(const struct gram *g, double by, double *of)
{
        for (uint32_t at = 0; at < g->n; at++)
                of[g->from + at] += by / g->n;
}

static void add_node(const struct classifier *c, size_t k, const struct gram *grams, size_t n, int child, int against,
                     double length, double *of)
{
        for (size_t i = 0; i < n; i++)
                add_gram(&grams[i], says(c, k, grams[i].key, child, against) / length, of);
}

static int strongest_first(const void *a, const void *b)
{
        const struct phrase *x = a, *y = b;
        const double p = fabs(x->weight), q = fabs(y->weight);
        if (p != q)
                return p < q ? 1 : -1;
        return (x->from > y->from) - (x->from < y->from);
}

/* Neighbouring letters whose weight has the same sign. */
static size_t gather(const struct folded *f, const double *of, struct phrase *out)
{
        size_t n = 0;
        for (size_t i = 0; i < f->n;) {
                const bool letter = letter_kind(f->c[i]) != LETTER_NONE && of[i] != 0;
                size_t end = i + 1;
                double sum = of[i];
                while (letter && end < f->n && letter_kind(f->c[end]) != LETTER_NONE && (of[end] > 0) == (of[i] > 0)
                       && of[end] != 0)
                        sum += of[end++];
                if (letter && n < PHRASES_MOST)
                        out[n++] = (struct phrase){f->at[i], f->at[end], sum};
                i = end;
        }
        return n;
}

size_t classifier_explain(const struct classifier *c, struct arena *a, const struct folded *f, int class, int other,
                          struct phrase *out, size_t most)
{
        struct gram *grams;
        struct gram_count *counts;
        const size_t n = grams_list(f, a, &grams), kinds = grams_count(grams, n, a, &counts);
        double *of = NEW_ARRAY(a, double, f->n + 1);
        for (size_t i = 0; classifier_cold(c) && i < n; i++)
                add_gram(&grams[i],
                         recall_says(&c->recall, grams[i].key, class)
                                 - (other >= 0 ? recall_says(&c->recall, grams[i].key, other) : 0),
                         of);
        for (size_t k = 0; k < c->n_nodes && !classifier_cold(c); k++) {
                const int child = path_child(c, k, class), against = other >= 0 ? path_child(c, k, other) : -1;
                if (child < 0 || child == against || c->nodes[k].n_children < 2)
                        continue;
                const double length = (double)node_length(&c->nodes[k], counts, kinds);
                if (length > 0)
                        add_node(c, k, grams, n, child, against, length, of);
        }
        struct phrase *all = NEW_ARRAY(a, struct phrase, PHRASES_MOST);
        size_t found = gather(f, of, all);
        qsort(all, found, sizeof *all, strongest_first);
        found = found < most ? found : most;
        memcpy(out, all, found * sizeof *out);
        return found;
}
