/* classify/classifier.c -- see classifier.h: training from end to end, and guessing. */
#include "classify/classifier.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "classify/inside.h"
#include <stdlib.h>

enum { EXPANDED_MOST = 64, OPEN_MOST = 512 };

/* --- training ------------------------------------------------------------------------------------------------------- */

static struct classifier *start(const struct classes *classes)
{
        struct arena *a = arena_new();
        struct classifier *c = NEW(a, struct classifier);
        *c = (struct classifier){.arena = a, .classes = {.n = classes->n}};
        c->classes.code = NEW_ARRAY(a, const char *, classes->n + 1);
        c->classes.parent = NEW_ARRAY(a, int, classes->n + 1);
        c->threshold = NEW_ARRAY(a, float, classes->n + 1);
        c->by_code = map_new(a, classes->n);
        for (size_t i = 0; i < classes->n; i++) {
                c->classes.code[i] = arena_text(a, classes->code[i]);
                c->classes.parent[i] = classes->parent[i];
                (void)map_put(c->by_code, c->classes.code[i], &c->classes.parent[i]);
        }
        return c;
}

static void count(struct classifier *c, const struct example *all, size_t n)
{
        for (size_t i = 0; i < n; i++)
                *(all[i].made ? &c->report.made : &c->report.examples) += 1;
        for (size_t k = 0; k < c->n_nodes; k++)
                for (int l = 0; l < c->nodes[k].n_children; l++)
                        c->report.classes += c->node_of[c->nodes[k].children[l] + 1] < 0;
}

static void count_features(struct classifier *c)
{
        for (size_t k = 0; k < c->n_nodes; k++)
                c->report.features += c->nodes[k].n_rows;
}

static bool start_cold(struct classifier *c, double precision)
{
        certainty_fit(c, NULL, 0, precision);
        return true;
}

static bool learn(struct classifier *c, const struct example *all, size_t n, const struct training *how, struct err *e)
{
        const int steps = (int)c->n_nodes * (how->folds + 1);
        int done = 0;
        const struct part whole = {all, n, NULL, -1};
        return nodes_train(c, &whole, how, &done, steps, e) && cross_fit(c, all, n, how, &done, steps, e);
}

bool classifier_train(const struct classes *classes, const struct example *all, size_t n, const struct training *asked,
                      struct classifier **out, struct err *e)
{
        struct training how = *asked;
        how.cost = how.cost > 0 ? how.cost : 8;
        how.folds = how.folds > 1 ? how.folds : 5;
        how.precision = how.precision > 0 ? how.precision : 0.95;
        const int64_t began = clock_steady();
        struct classifier *c = start(classes);
        *out = NULL;
        nodes_make(c, all, n);
        bool ok = false;
        for (size_t k = 0; k < c->n_nodes; k++)
                ok = ok || c->nodes[k].n_children > 1;
        if (!ok)
                (void)err_both(e, ERR_INVALID, NULL, "nothing can be learned: texts of at least two classes are needed",
                               "无法训练：至少需要两个类别的文本");
        count(c, all, n);
        ok = ok && (c->report.examples < LEARNED_LEAST ? start_cold(c, how.precision) : learn(c, all, n, &how, e));
        if (ok && classifier_cold(c))
                recall_make(c->arena, &c->recall, all, n);
        count_features(c);
        c->report.at = how.now;
        c->report.elapsed = clock_steady() - began;
        if (ok)
                *out = c;
        else
                classifier_free(&c);
        return ok;
}

void classifier_free(struct classifier **c)
{
        if (!*c)
                return;
        struct arena *a = (*c)->arena;
        arena_free(&a);
        *c = NULL;
}

/* --- guessing ------------------------------------------------------------------------------------------------------- */

/* Classes whose chance is known, likeliest first taken: a class above is at least as likely as any below it, so the first leaf
 * that is taken is the likeliest of all. */
struct open {
        struct guess at[OPEN_MOST];
        size_t n;
};

static void put_open(struct open *o, struct guess g)
{
        if (o->n < OPEN_MOST) {
                o->at[o->n++] = g;
                return;
        }
        size_t least = 0;
        for (size_t i = 1; i < o->n; i++)
                if (o->at[i].p < o->at[least].p)
                        least = i;
        if (g.p > o->at[least].p)
                o->at[least] = g;
}

static struct guess take_open(struct open *o)
{
        size_t best = 0;
        for (size_t i = 1; i < o->n; i++)
                if (o->at[i].p > o->at[best].p || (o->at[i].p == o->at[best].p && o->at[i].class < o->at[best].class))
                        best = i;
        const struct guess g = o->at[best];
        o->at[best] = o->at[--o->n];
        return g;
}

static size_t expand(const struct classifier *c, size_t node, double p, const struct gram_count *grams, size_t n, struct open *o)
{
        double margin[CHILDREN_MOST], chance[CHILDREN_MOST];
        const struct node *at = &c->nodes[node];
        const size_t known = node_score(c, node, grams, n, margin);
        node_chances(at, margin, chance);
        for (int l = 0; l < at->n_children; l++)
                put_open(o, (struct guess){at->children[l], p * chance[l]});
        return known;
}

size_t guess_raw(const struct classifier *c, const struct gram_count *grams, size_t n, struct guess *out, size_t most)
{
        struct open o = {.n = 0};
        size_t found = 0;
        if (c->n_nodes == 0 || expand(c, (size_t)c->node_of[0], 1, grams, n, &o) == 0)
                return 0;
        for (int expanded = 1; o.n > 0 && found < most;) {
                const struct guess g = take_open(&o);
                const int node = c->node_of[g.class + 1];
                if (node < 0 || expanded == EXPANDED_MOST) {
                        out[found++] = g;
                        continue;
                }
                (void)expand(c, (size_t)node, g.p, grams, n, &o);
                expanded++;
        }
        return found;
}

/* Similarities, made so that they could be chances. */
static size_t guess_cold(const struct classifier *c, const struct gram_count *grams, size_t n, struct guess *out, size_t most)
{
        const size_t found = recall_guess(&c->recall, grams, n, out, most);
        double sum = 0;
        for (size_t i = 0; i < found; i++)
                sum += out[i].p;
        for (size_t i = 0; i < found && sum > 1; i++)
                out[i].p /= sum;
        return found;
}

size_t classifier_guess(const struct classifier *c, const struct gram_count *grams, size_t n, struct guess *out, size_t most)
{
        if (classifier_cold(c))
                return guess_cold(c, grams, n, out, most);
        const size_t found = guess_raw(c, grams, n, out, most);
        if (found == 0)
                return 0;
        const double raw = out[0].p, sure = line_at(c, raw);
        /* What the best one loses or wins, the others share. */
        double rest = 0;
        for (size_t i = 1; i < found; i++)
                rest += out[i].p;
        rest = rest > 1 - raw ? rest : 1 - raw;
        for (size_t i = 1; i < found; i++) {
                const double p = rest > 0 ? out[i].p * (1 - sure) / rest : 0;
                out[i].p = p < sure ? p : sure;
        }
        out[0].p = sure;
        return found;
}

double classifier_threshold(const struct classifier *c, int class)
{
        return (double)c->threshold[class];
}

bool classifier_cold(const struct classifier *c)
{
        return c->n_line == 0;
}

size_t classifier_classes(const struct classifier *c)
{
        return c->classes.n;
}

const char *classifier_code(const struct classifier *c, int class)
{
        return c->classes.code[class];
}

int classifier_class(const struct classifier *c, const char *code)
{
        const int *at = map_get(c->by_code, code);
        return at ? (int)(at - c->classes.parent) : -1;
}

struct training_report classifier_report(const struct classifier *c)
{
        return c->report;
}
