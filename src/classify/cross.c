/* classify/cross.c -- the tree of nodes, and certainty learned from texts that the machines had not seen. */
#include "base/arena.h"
#include "classify/inside.h"
#include <stdlib.h>

int path_child(const struct classifier *c, size_t node, int class)
{
        const int above = c->nodes[node].class;
        while (class >= 0 && c->classes.parent[class] != above)
                class = c->classes.parent[class];
        for (int l = 0; class >= 0 && l < c->nodes[node].n_children; l++)
                if (c->nodes[node].children[l] == class)
                        return l;
        return -1;
}

/* A class has a node when at least two classes below it were seen: with one there is nothing to decide, but for the top. */
void nodes_make(struct classifier *c, const struct example *all, size_t n)
{
        const size_t classes = c->classes.n;
        struct arena *scratch = arena_new();
        bool *seen = NEW_ARRAY(scratch, bool, classes + 1);
        int *children = NEW_ARRAY(scratch, int, classes + 1);
        for (size_t i = 0; i < n; i++)
                for (int k = all[i].class; k >= 0 && !seen[k]; k = c->classes.parent[k])
                        seen[k] = true;
        for (size_t k = 0; k < classes; k++)
                if (seen[k])
                        children[c->classes.parent[k] + 1]++;
        c->node_of = NEW_ARRAY(c->arena, int, classes + 1);
        c->nodes = NEW_ARRAY(c->arena, struct node, classes + 1);
        for (size_t k = 0; k <= classes; k++) {
                c->node_of[k] = -1;
                if (children[k] == 0)
                        continue;
                struct node *node = &c->nodes[c->n_nodes];
                *node = (struct node){.class = (int)k - 1, .children = NEW_ARRAY(c->arena, int, children[k]), .slope = 1};
                node->shift = NEW_ARRAY(c->arena, float, children[k]);
                node->bias = NEW_ARRAY(c->arena, float, children[k]);
                for (size_t child = 0; child < classes; child++)
                        if (seen[child] && c->classes.parent[child] == (int)k - 1)
                                node->children[node->n_children++] = (int)child;
                c->node_of[k] = (int)c->n_nodes++;
        }
        arena_free(&scratch);
}

static bool taken(const struct part *p, size_t i)
{
        return p->without < 0 || p->fold[i] != p->without;
}

bool nodes_train(struct classifier *c, const struct part *p, const struct training *how, int *done, int steps, struct err *e)
{
        struct arena *scratch = arena_new();
        struct lesson *lessons = NEW_ARRAY(scratch, struct lesson, p->n + 1);
        bool ok = true;
        for (size_t k = 0; ok && k < c->n_nodes; k++) {
                size_t n = 0;
                for (size_t i = 0; i < p->n; i++) {
                        const int child = taken(p, i) ? path_child(c, k, p->all[i].class) : -1;
                        if (child >= 0)
                                lessons[n++] = (struct lesson){&p->all[i], child};
                }
                node_train(c->arena, &c->nodes[k], lessons, n, how);
                if (how->progress)
                        how->progress(how->ctx, ++*done, steps);
                if (how->stop && how->stop(how->ctx))
                        ok = err_both(e, ERR_BUSY, NULL, "the training was stopped", "训练已停止");
        }
        arena_free(&scratch);
        return ok;
}

/* --- folds ---------------------------------------------------------------------------------------------------------- */

struct cross {
        struct classifier *whole, **parts;
        const struct example *all;
        size_t n;
        unsigned char *fold;
        int folds;
        struct arena *arena;
};

static unsigned char fold_of(uint32_t group, int folds)
{
        const uint32_t mixed = (group + 1) * 0x9E3779B1U;
        return (unsigned char)((mixed >> 16) % (uint32_t)folds);
}

static bool train_parts(struct cross *x, const struct training *how, int *done, int steps, struct err *e)
{
        for (int k = 0; k < x->folds; k++) {
                struct classifier *c = x->parts[k] = NEW(x->arena, struct classifier);
                *c = (struct classifier){.arena = x->arena, .classes = x->whole->classes};
                nodes_make(c, x->all, x->n);
                const struct part p = {x->all, x->n, x->fold, k};
                if (!nodes_train(c, &p, how, done, steps, e))
                        return false;
        }
        return true;
}

/* Margins of each text at the node, from the machines that had not seen it. */
static void fit_node(struct cross *x, size_t k)
{
        struct node *node = &x->whole->nodes[k];
        const size_t children = (size_t)node->n_children;
        struct arena *scratch = arena_new();
        size_t n = 0;
        for (size_t i = 0; i < x->n; i++)
                n += !x->all[i].made && path_child(x->whole, k, x->all[i].class) >= 0;
        double *margins = NEW_ARRAY(scratch, double, n *children + 1);
        int *right = NEW_ARRAY(scratch, int, n + 1);
        n = 0;
        for (size_t i = 0; i < x->n; i++) {
                const struct example *s = &x->all[i];
                const int child = s->made ? -1 : path_child(x->whole, k, s->class);
                if (child < 0)
                        continue;
                (void)node_score(x->parts[x->fold[i]], k, s->grams, s->n, margins + n * children);
                right[n++] = child;
        }
        scale_fit(margins, right, n, node->n_children, &node->slope, node->shift);
        for (int f = 0; f < x->folds; f++) {
                x->parts[f]->nodes[k].slope = node->slope;
                memcpy(x->parts[f]->nodes[k].shift, node->shift, children * sizeof *node->shift);
        }
        arena_free(&scratch);
}

static void judge(struct cross *x, double precision)
{
        struct verdict *v = NEW_ARRAY(x->arena, struct verdict, x->n + 1);
        size_t n = 0;
        for (size_t i = 0; i < x->n; i++) {
                struct guess best;
                if (x->all[i].made)
                        continue;
                if (guess_raw(x->parts[x->fold[i]], x->all[i].grams, x->all[i].n, &best, 1) == 0)
                        best = (struct guess){-1, 0};
                v[n++] = (struct verdict){best.p, best.class, x->all[i].class};
        }
        certainty_fit(x->whole, v, n, precision);
}

bool cross_fit(struct classifier *c, const struct example *all, size_t n, const struct training *how, int *done, int steps,
               struct err *e)
{
        struct cross x = {.whole = c, .all = all, .n = n, .folds = how->folds, .arena = arena_new()};
        x.fold = NEW_ARRAY(x.arena, unsigned char, n + 1);
        x.parts = NEW_ARRAY(x.arena, struct classifier *, how->folds);
        for (size_t i = 0; i < n; i++)
                x.fold[i] = fold_of(all[i].group, how->folds);
        const bool ok = train_parts(&x, how, done, steps, e);
        if (ok) {
                for (size_t k = 0; k < c->n_nodes; k++)
                        fit_node(&x, k);
                judge(&x, how->precision);
        }
        arena_free(&x.arena);
        return ok;
}
