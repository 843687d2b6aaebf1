/* measure/fit.c -- see fit.h. */
#include "measure/fit.h"
#include <math.h>

enum { ROUNDS = 40 };

struct normal {
        double h[FIT_MOST][FIT_MOST], g[FIT_MOST];
};

/* Gradient and Hessian of the penalised log likelihood at b. */
static void derive(const struct example *all, size_t n, size_t m, double ridge, const double *b, struct normal *d)
{
        *d = (struct normal){0};
        for (size_t e = 0; e < n; e++) {
                const double *x = all[e].x;
                double z = 0;
                for (size_t i = 0; i < m; i++)
                        z += b[i] * x[i];
                const double p = 1 / (1 + exp(-z)), w = p * (1 - p), r = (all[e].is ? 1 : 0) - p;
                for (size_t i = 0; i < m; i++) {
                        d->g[i] += r * x[i];
                        for (size_t k = 0; k < m; k++)
                                d->h[i][k] += w * x[i] * x[k];
                }
        }
        for (size_t i = 0; i < m; i++) {
                d->g[i] -= i > 0 ? ridge * b[i] : 0;
                d->h[i][i] += ridge;
        }
}

/* Gauss without pivoting: the matrix is positive definite. */
static void solve(struct normal *d, size_t m)
{
        for (size_t i = 0; i < m; i++)
                for (size_t k = i + 1; k < m; k++) {
                        const double f = d->h[k][i] / d->h[i][i];
                        for (size_t j = i; j < m; j++)
                                d->h[k][j] -= f * d->h[i][j];
                        d->g[k] -= f * d->g[i];
                }
        for (size_t i = m; i-- > 0;) {
                for (size_t k = i + 1; k < m; k++)
                        d->g[i] -= d->h[i][k] * d->g[k];
                d->g[i] /= d->h[i][i];
        }
}

void fit_logistic(const struct example *all, size_t n, size_t features, double ridge, double b[FIT_MOST])
{
        const size_t m = features;
        memset(b, 0, FIT_MOST * sizeof *b);
        for (int round = 0; round < ROUNDS; round++) {
                struct normal d;
                double step = 0;
                derive(all, n, m, ridge, b, &d);
                solve(&d, m);
                for (size_t i = 0; i < m; i++)
                        step = fmax(step, fabs(d.g[i]));
                /* A long step of Newton's method may leap over the hill. */
                for (size_t i = 0; i < m; i++)
                        b[i] += d.g[i] * (step > 4 ? 4 / step : 1);
                if (step < 1e-8)
                        return;
        }
}
