/* classify/train.c -- one node: which grams count, how much, and a machine for each child. */
#include "base/arena.h"
#include "classify/inside.h"
#include <math.h>
#include <stdlib.h>

/* A gram in one text only says nothing of others; among few texts each is needed. */
enum { FEW_TEXTS = 200 };

/* The texts as rows of features, and what is known of each feature. */
struct table {
        const struct lesson *lessons;
        size_t n;
        struct node *node;
        struct sparse *rows;
        float *length; /* of each feature: its weight */
};

static uint32_t *slot_of(const struct node *node, uint32_t key)
{
        uint32_t s = key & (node->room - 1);
        while (node->keys[s] && node->keys[s] != key)
                s = (s + 1) & (node->room - 1);
        return &node->keys[s];
}

static void make_slots(struct arena *a, struct node *node, size_t expected)
{
        node->room = 64;
        while (node->room < 2 * expected)
                node->room *= 2;
        node->keys = NEW_ARRAY(a, uint32_t, node->room);
        node->at = NEW_ARRAY(a, uint32_t, node->room);
}

/* In how many texts each gram occurs; the table is temporary and as large as the texts want. */
static void count_texts(struct arena *a, struct node *all, const struct lesson *lessons, size_t n)
{
        size_t total = 0;
        for (size_t i = 0; i < n; i++)
                total += lessons[i].example->n;
        make_slots(a, all, total);
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < lessons[i].example->n; k++) {
                        uint32_t *key = slot_of(all, lessons[i].example->grams[k].key);
                        *key = lessons[i].example->grams[k].key;
                        all->at[key - all->keys]++;
                }
}

static int by_key(const void *a, const void *b)
{
        const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
        return (x > y) - (x < y);
}

/* Rows are numbered by key, so that the same texts in another order give the same model. */
static void choose_features(struct arena *scratch, struct arena *a, struct node *node, const struct lesson *lessons, size_t n)
{
        struct node all = {.class = 0};
        const uint32_t least = n > FEW_TEXTS ? 2 : 1;
        count_texts(scratch, &all, lessons, n);
        uint32_t *chosen = NEW_ARRAY(scratch, uint32_t, all.room), kept = 0;
        for (uint32_t s = 0; s < all.room; s++)
                if (all.keys[s] && all.at[s] >= least)
                        chosen[kept++] = all.keys[s];
        qsort(chosen, kept, sizeof *chosen, by_key);
        make_slots(a, node, kept);
        for (uint32_t r = 0; r < kept; r++) {
                uint32_t *key = slot_of(node, chosen[r]);
                *key = chosen[r];
                node->at[key - node->keys] = r;
        }
        node->n_rows = kept;
}

static int by_feature(const void *a, const void *b)
{
        return by_key(a, b);
}

static void make_row(struct arena *scratch, const struct node *node, const struct example *x, struct sparse *row)
{
        struct cell {
                uint32_t feature;
                float value;
        } *cells = NEW_ARRAY(scratch, struct cell, x->n + 1);
        uint32_t n = 0;
        for (size_t k = 0; k < x->n; k++) {
                const uint32_t *key = slot_of(node, x->grams[k].key);
                if (*key)
                        cells[n++] = (struct cell){node->at[key - node->keys], 1 + logf((float)x->grams[k].count)};
        }
        qsort(cells, n, sizeof *cells, by_feature);
        *row = (struct sparse){n, NEW_ARRAY(scratch, uint32_t, n + 1), NEW_ARRAY(scratch, float, n + 1)};
        for (uint32_t i = 0; i < n; i++) {
                row->feature[i] = cells[i].feature;
                row->value[i] = cells[i].value;
        }
}

/* --- weights of features ------------------------------------------------------------------------------------------------ */

/* The texts of each feature, feature after feature. */
struct turned {
        uint32_t *from;
        uint32_t *text;
};

static struct turned turn(struct arena *scratch, const struct table *t)
{
        struct turned out = {.from = NEW_ARRAY(scratch, uint32_t, t->node->n_rows + 2)};
        size_t total = 0;
        for (size_t i = 0; i < t->n; i++)
                for (uint32_t k = 0; k < t->rows[i].n; k++, total++)
                        out.from[t->rows[i].feature[k] + 2]++;
        for (uint32_t f = 2; f <= t->node->n_rows + 1; f++)
                out.from[f] += out.from[f - 1];
        out.text = NEW_ARRAY(scratch, uint32_t, total + 1);
        for (size_t i = 0; i < t->n; i++)
                for (uint32_t k = 0; k < t->rows[i].n; k++)
                        out.text[out.from[t->rows[i].feature[k] + 1]++] = (uint32_t)i;
        return out;
}

struct counts {
        double *of_child, all;
        uint32_t *here;
};

/* How well a feature tells any child from the others: the largest |log-count ratio| (Wang and Manning 2012, with one added). */
static double ratio(const struct counts *c, int children, uint32_t df, uint32_t n_features)
{
        double best = 0;
        for (int l = 0; l < children; l++) {
                if (c->of_child[l] <= 0 || c->of_child[l] >= c->all)
                        continue;
                const double p = (c->here[l] + 1.0) / (c->of_child[l] + n_features);
                const double q = (df - c->here[l] + 1.0) / (c->all - c->of_child[l] + n_features);
                best = fmax(best, fabs(log(p / q)));
        }
        return best;
}

static void weigh_features(struct arena *scratch, struct table *t, bool plain)
{
        const int children = t->node->n_children;
        const struct turned by = turn(scratch, t);
        struct counts c = {NEW_ARRAY(scratch, double, children), 0, NEW_ARRAY(scratch, uint32_t, children)};
        for (size_t i = 0; i < t->n; i++) {
                c.of_child[t->lessons[i].child] += t->rows[i].n;
                c.all += t->rows[i].n;
        }
        t->length = NEW_ARRAY(scratch, float, t->node->n_rows + 1);
        for (uint32_t f = 0; f < t->node->n_rows; f++) {
                const uint32_t df = by.from[f + 1] - by.from[f];
                memset(c.here, 0, (size_t)children * sizeof *c.here);
                for (uint32_t k = by.from[f]; k < by.from[f + 1]; k++)
                        c.here[t->lessons[by.text[k]].child]++;
                const double idf = log((1.0 + (double)t->n) / (1.0 + df)) + 1;
                t->length[f] = (float)(idf * (plain ? 1 : ratio(&c, children, df, t->node->n_rows)));
        }
}

static void weigh_rows(struct table *t)
{
        for (size_t i = 0; i < t->n; i++) {
                struct sparse *r = &t->rows[i];
                double sum = 0;
                for (uint32_t k = 0; k < r->n; k++) {
                        r->value[k] *= t->length[r->feature[k]];
                        sum += (double)r->value[k] * (double)r->value[k];
                }
                const float by = sum > 0 ? (float)(1 / sqrt(sum)) : 0;
                for (uint32_t k = 0; k < r->n; k++)
                        r->value[k] *= by;
        }
}

/* --- machines -------------------------------------------------------------------------------------------------------------- */

static void train_child(struct table *t, const struct linear *l, int child, double cost, signed char *side, double *weights)
{
        struct node *node = t->node;
        const size_t width = (size_t)node->n_children + 1;
        size_t of_it = 0;
        for (size_t i = 0; i < t->n; i++) {
                side[i] = t->lessons[i].child == child ? 1 : -1;
                of_it += side[i] > 0;
        }
        if (of_it == 0) {
                node->bias[child] = -1e6F; /* nobody has seen such a text */
                return;
        }
        linear_train(l, side, cost, weights);
        for (uint32_t f = 0; f < node->n_rows; f++)
                node->rows[f * width + 1 + (size_t)child] = (float)weights[f] * t->length[f];
        node->bias[child] = (float)weights[node->n_rows];
}

void node_train(struct arena *a, struct node *node, const struct lesson *lessons, size_t n, const struct training *how)
{
        struct arena *scratch = arena_new();
        const size_t width = (size_t)node->n_children + 1;
        struct table t = {.lessons = lessons, .n = n, .node = node};
        choose_features(scratch, a, node, lessons, n);
        t.rows = NEW_ARRAY(scratch, struct sparse, n + 1);
        for (size_t i = 0; i < n; i++)
                make_row(scratch, node, lessons[i].example, &t.rows[i]);
        weigh_features(scratch, &t, how->plain);
        weigh_rows(&t);
        node->rows = NEW_ARRAY(a, float, (node->n_rows + 1) * width);
        node->bias = NEW_ARRAY(a, float, node->n_children);
        node->shift = NEW_ARRAY(a, float, node->n_children);
        node->slope = 1;
        for (uint32_t f = 0; f < node->n_rows; f++)
                node->rows[f * width] = t.length[f];
        struct linear *l = linear_new(t.rows, n, node->n_rows);
        signed char *side = NEW_ARRAY(scratch, signed char, n + 1);
        double *weights = NEW_ARRAY(scratch, double, node->n_rows + 2);
        for (int c = 0; c < node->n_children; c++)
                train_child(&t, l, c, how->cost, side, weights);
        linear_free(&l);
        arena_free(&scratch);
}
