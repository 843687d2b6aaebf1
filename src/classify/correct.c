/* classify/correct.c -- a correction is a step of the machines towards what the person said, kept beside the trained weights. */
#include "base/arena.h"
#include "classify/inside.h"
#include <math.h>

enum { FIX_ROOM = 4096 };
/* How far, as a logarithm of odds, the right child stands above each other one afterwards. */
static const double lead = 4;

static struct fix_cell *cell_of(struct classifier *c, uint32_t key, uint32_t node)
{
        size_t s = (key ^ node * 0x9E3779B1U) & (c->fix_room - 1);
        while (c->fixes[s].by && (c->fixes[s].key != key || c->fixes[s].node != node))
                s = (s + 1) & (c->fix_room - 1);
        return &c->fixes[s];
}

static void grow(struct classifier *c)
{
        struct fix_cell *old = c->fixes;
        const size_t n = c->fix_room;
        c->fix_room = n > 0 ? 2 * n : FIX_ROOM;
        c->fixes = NEW_ARRAY(c->arena, struct fix_cell, c->fix_room);
        for (size_t i = 0; i < n; i++)
                if (old[i].by)
                        *cell_of(c, old[i].key, old[i].node) = old[i];
}

/* The grams of the text get cells, so that also those the node never saw can carry what was learned. */
static void make_cells(struct classifier *c, uint32_t node, const struct gram_count *grams, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (2 * (c->n_fixes + 1) > c->fix_room)
                        grow(c);
                struct fix_cell *cell = cell_of(c, grams[i].key, node);
                if (!cell->by) {
                        *cell = (struct fix_cell){grams[i].key, node, NEW_ARRAY(c->arena, float, c->nodes[node].n_children)};
                        c->n_fixes++;
                }
        }
}

/* What is to be added to each child's margin. */
static void wanted(const struct node *node, const double *margin, int right, double *add)
{
        const double slope = (double)node->slope;
        double most = -INFINITY;
        for (int l = 0; l < node->n_children; l++)
                if (l != right)
                        most = fmax(most, slope * margin[l] + (double)node->shift[l]);
        const double here = slope * margin[right] + (double)node->shift[right];
        const double missing = fmax(0, most + lead - here), then = here + missing / 2;
        for (int l = 0; l < node->n_children; l++) {
                const double z = slope * margin[l] + (double)node->shift[l];
                add[l] = l == right ? missing / 2 / slope : -fmax(0, z + lead - then) / slope;
        }
}

static void correct_node(struct classifier *c, uint32_t k, const struct gram_count *grams, size_t n, int right)
{
        double margin[CHILDREN_MOST], add[CHILDREN_MOST];
        const struct node *node = &c->nodes[k];
        make_cells(c, k, grams, n);
        (void)node_score(c, k, grams, n, margin);
        wanted(node, margin, right, add);
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
                const float *row = node_row(node, grams[i].key);
                const double x = (1 + log(grams[i].count)) * (row ? (double)row[0] : UNKNOWN_WEIGHT);
                sum += x * x;
        }
        for (size_t i = 0; i < n && sum > 0; i++) {
                const float *row = node_row(node, grams[i].key);
                const double x = (1 + log(grams[i].count)) * (row ? (double)row[0] : UNKNOWN_WEIGHT) / sqrt(sum);
                struct fix_cell *cell = cell_of(c, grams[i].key, k);
                for (int l = 0; l < node->n_children; l++)
                        cell->by[l] += (float)(x * add[l]);
        }
}

bool classifier_correct(struct classifier *c, const struct gram_count *grams, size_t n, int class)
{
        bool known = false;
        if (classifier_cold(c)) {
                recall_text(c->arena, &c->recall, grams, n, class);
                c->corrections++;
                return true;
        }
        for (size_t k = 0; k < c->n_nodes; k++) {
                const int right = path_child(c, k, class);
                if (right < 0)
                        continue;
                known = true;
                if (c->nodes[k].n_children > 1)
                        correct_node(c, (uint32_t)k, grams, n, right);
        }
        c->corrections += known;
        return known;
}

size_t classifier_corrections(const struct classifier *c)
{
        return c->corrections;
}
