/* classify/node.c -- a text against one node: margins and chances. */
#include "classify/inside.h"
#include <math.h>

float *node_row(const struct node *node, uint32_t key)
{
        uint32_t s = key & (node->room - 1);
        while (node->keys[s] && node->keys[s] != key)
                s = (s + 1) & (node->room - 1);
        return node->keys[s] ? node->rows + (size_t)node->at[s] * ((size_t)node->n_children + 1) : NULL;
}

const float *fix_row(const struct classifier *c, uint32_t key, size_t node)
{
        if (c->n_fixes == 0)
                return NULL;
        size_t s = (key ^ (uint32_t)node * 0x9E3779B1U) & (c->fix_room - 1);
        while (c->fixes[s].by && (c->fixes[s].key != key || c->fixes[s].node != node))
                s = (s + 1) & (c->fix_room - 1);
        return c->fixes[s].by;
}

float node_length(const struct node *node, const struct gram_count *grams, size_t n)
{
        float sum = 0;
        for (size_t i = 0; i < n; i++) {
                const float *row = node_row(node, grams[i].key);
                const float value = (1 + logf((float)grams[i].count)) * (row ? row[0] : 0);
                sum += value * value;
        }
        return sqrtf(sum);
}

size_t node_score(const struct classifier *c, size_t node, const struct gram_count *grams, size_t n, double *margin)
{
        const struct node *at = &c->nodes[node];
        const int children = at->n_children;
        float sum[CHILDREN_MOST], length = 0;
        size_t known = 0;
        memset(sum, 0, (size_t)children * sizeof sum[0]);
        for (size_t i = 0; i < n; i++) {
                const float *row = node_row(at, grams[i].key);
                const float *fix = fix_row(c, grams[i].key, node);
                if (!row && !fix)
                        continue;
                const float tf = grams[i].count == 1 ? 1 : 1 + logf((float)grams[i].count);
                const float weight = row ? row[0] : (float)UNKNOWN_WEIGHT;
                length += tf * weight * tf * weight;
                known++;
                if (row)
                        for (int l = 0; l < children; l++)
                                sum[l] += tf * row[1 + l];
                if (fix)
                        for (int l = 0; l < children; l++)
                                sum[l] += tf * weight * fix[l];
        }
        const float by = length > 0 ? 1 / sqrtf(length) : 0;
        for (int l = 0; l < children; l++)
                margin[l] = (double)(sum[l] * by + at->bias[l]);
        return known;
}

void node_chances(const struct node *node, const double *margin, double *p)
{
        double most = -INFINITY, sum = 0;
        for (int l = 0; l < node->n_children; l++) {
                p[l] = (double)node->slope * margin[l] + (double)node->shift[l];
                most = fmax(most, p[l]);
        }
        for (int l = 0; l < node->n_children; l++)
                sum += p[l] = exp(p[l] - most);
        for (int l = 0; l < node->n_children; l++)
                p[l] /= sum;
}
