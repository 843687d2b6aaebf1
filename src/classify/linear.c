/* classify/linear.c -- the one place that knows liblinear, whose header claims common names.
 *
 * The primal solver is taken: the dual one draws lots, so that the same texts would give another model each time.
 */
#include "classify/inside.h"
#include <linear.h>
#include <stdlib.h>

static void quiet(const char *text)
{
        (void)text;
}

struct linear {
        struct problem problem;
        struct feature_node *nodes;
};

static void *got(void *p)
{
        if (!p)
                abort();
        return p;
}

struct linear *linear_new(const struct sparse *rows, size_t n, size_t n_features)
{
        size_t total = 0;
        set_print_string_function(quiet); /* it would write to stdout */
        for (size_t i = 0; i < n; i++)
                total += rows[i].n + 2; /* the constant, and the end */
        struct linear *l = got(calloc(1, sizeof *l));
        l->problem = (struct problem){.l = (int)n, .n = (int)n_features + 1, .bias = 1};
        l->problem.y = got(calloc(n + 1, sizeof *l->problem.y));
        l->problem.x = got(calloc(n + 1, sizeof *l->problem.x));
        struct feature_node *at = l->nodes = got(malloc((total + 1) * sizeof *at));
        for (size_t i = 0; i < n; i++) {
                l->problem.x[i] = at;
                for (size_t k = 0; k < rows[i].n; k++)
                        *at++ = (struct feature_node){(int)rows[i].feature[k] + 1, rows[i].value[k]};
                *at++ = (struct feature_node){(int)n_features + 1, 1};
                *at++ = (struct feature_node){-1, 0};
        }
        return l;
}

void linear_free(struct linear **l)
{
        if (!*l)
                return;
        free((*l)->problem.y);
        free((*l)->problem.x);
        free((*l)->nodes);
        free(*l);
        *l = NULL;
}

void linear_train(const struct linear *l, const signed char *side, double cost, double *weights)
{
        const struct parameter how = {.solver_type = L2R_L2LOSS_SVC, .eps = 0.01, .C = cost};
        for (int i = 0; i < l->problem.l; i++)
                l->problem.y[i] = side[i];
        struct model *m = train(&l->problem, &how);
        /* The weights are for the side that came first. */
        const double sign = m->label[0] < 0 ? -1 : 1;
        for (int i = 0; i < l->problem.n; i++)
                weights[i] = sign * m->w[i];
        free_and_destroy_model(&m);
}
