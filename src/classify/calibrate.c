/* classify/calibrate.c -- margins become probabilities, probabilities become certainty, certainty gets thresholds. */
#include "base/arena.h"
#include "classify/inside.h"
#include <math.h>
#include <stdlib.h>

enum {
        FIT_ROUNDS = 200,
        FIT_LEAST = 20, /* texts below which a node keeps its default slope */
        LINE_BINS = 60,
        BIN_TEXTS = 25, /* of a bin of the line */
        THRESHOLD_LEAST = 20,
        ECE_BINS = 15,
};
static const double default_slope = 2, unseen_margin = -1e5, never = 2;

/* --- slope and shifts ----------------------------------------------------------------------------------------------- */

struct fit {
        struct node node; /* its slope and shift are what is sought */
        double *p, *by_shift, *bend_shift, by_slope, bend_slope;
};

/* Gradient and diagonal of the second derivative of the negative log-likelihood. */
static void add_text(struct fit *f, const double *margin, int right)
{
        double mean = 0, square = 0;
        node_chances(&f->node, margin, f->p);
        for (int l = 0; l < f->node.n_children; l++) {
                if (margin[l] < unseen_margin)
                        continue;
                mean += f->p[l] * margin[l];
                square += f->p[l] * margin[l] * margin[l];
                f->by_shift[l] += f->p[l] - (l == right);
                f->bend_shift[l] += f->p[l] * (1 - f->p[l]);
        }
        f->by_slope += mean - margin[right];
        f->bend_slope += square - mean * mean;
}

static void step(struct fit *f)
{
        enum { PRIOR = 2 }; /* shifts are held near 0, as by a few texts */
        for (int l = 0; l < f->node.n_children; l++) {
                const double by = f->by_shift[l] + PRIOR * (double)f->node.shift[l];
                f->node.shift[l] -= (float)(0.5 * by / (f->bend_shift[l] + PRIOR));
        }
        const double slope = (double)f->node.slope - 0.5 * f->by_slope / (f->bend_slope + 1);
        f->node.slope = (float)fmin(fmax(slope, 0.2), 20);
}

void scale_fit(const double *margins, const int *right, size_t n, int children, float *slope, float *shift)
{
        struct arena *a = arena_new();
        struct fit f = {.node = {.n_children = children, .slope = (float)default_slope, .shift = shift}};
        memset(shift, 0, (size_t)children * sizeof *shift);
        f.p = NEW_ARRAY(a, double, children);
        f.by_shift = NEW_ARRAY(a, double, children);
        f.bend_shift = NEW_ARRAY(a, double, children);
        for (int round = 0; n >= FIT_LEAST && round < FIT_ROUNDS; round++) {
                memset(f.by_shift, 0, (size_t)children * sizeof *f.by_shift);
                memset(f.bend_shift, 0, (size_t)children * sizeof *f.bend_shift);
                f.by_slope = f.bend_slope = 0;
                for (size_t i = 0; i < n; i++) {
                        const double *margin = margins + i * (size_t)children;
                        if (margin[right[i]] >= unseen_margin)
                                add_text(&f, margin, right[i]);
                }
                step(&f);
        }
        *slope = f.node.slope;
        arena_free(&a);
}

/* --- how good answers are ------------------------------------------------------------------------------------------- */

static int surest_first(const void *a, const void *b)
{
        const struct verdict *x = a, *y = b;
        return (x->p < y->p) - (x->p > y->p);
}

double verdicts_accuracy(const struct verdict *v, size_t n)
{
        size_t right = 0;
        for (size_t i = 0; i < n; i++)
                right += v[i].guess == v[i].truth;
        return n > 0 ? (double)right / (double)n : 0;
}

double verdicts_macro_f1(const struct verdict *v, size_t n, size_t classes, double *of_class)
{
        struct arena *a = arena_new();
        double *hit = NEW_ARRAY(a, double, classes), *said = NEW_ARRAY(a, double, classes), *is = NEW_ARRAY(a, double, classes);
        double sum = 0, counted = 0;
        for (size_t i = 0; i < n; i++) {
                is[v[i].truth]++;
                if (v[i].guess >= 0)
                        said[v[i].guess]++;
                hit[v[i].truth] += v[i].guess == v[i].truth;
        }
        for (size_t c = 0; c < classes; c++) {
                const double f1 = hit[c] > 0 ? 2 * hit[c] / (said[c] + is[c]) : 0;
                if (of_class)
                        of_class[c] = f1;
                sum += is[c] > 0 ? f1 : 0;
                counted += is[c] > 0;
        }
        arena_free(&a);
        return counted > 0 ? sum / counted : 0;
}

double verdicts_ece(const struct verdict *v, size_t n)
{
        double p[ECE_BINS] = {0}, right[ECE_BINS] = {0}, sum = 0;
        for (size_t i = 0; i < n; i++) {
                const int bin = v[i].p >= 1 ? ECE_BINS - 1 : (int)(v[i].p * ECE_BINS);
                p[bin] += v[i].p;
                right[bin] += v[i].guess == v[i].truth;
        }
        for (int b = 0; b < ECE_BINS; b++)
                sum += fabs(p[b] - right[b]);
        return n > 0 ? sum / (double)n : 0;
}

double verdicts_coverage(struct verdict *v, size_t n, double precision, double *threshold)
{
        size_t right = 0, taken = 0;
        qsort(v, n, sizeof *v, surest_first);
        for (size_t i = 0; i < n; i++) {
                right += v[i].guess == v[i].truth;
                const bool last_of_its_p = i + 1 == n || v[i + 1].p < v[i].p;
                if (last_of_its_p && (double)right >= precision * (double)(i + 1))
                        taken = i + 1;
        }
        *threshold = taken > 0 ? v[taken - 1].p : never;
        return n > 0 ? (double)taken / (double)n : 0;
}

/* --- the isotonic line ---------------------------------------------------------------------------------------------- */

struct bin {
        double p, right, n;
};

/* Pool adjacent violators (Ayer and others 1955) over bins of equally many texts. */
static size_t pool(struct bin *bins, size_t n)
{
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                bins[kept++] = bins[i];
                while (kept > 1 && bins[kept - 2].right * bins[kept - 1].n >= bins[kept - 1].right * bins[kept - 2].n) {
                        struct bin *to = &bins[kept - 2];
                        to->p += bins[kept - 1].p;
                        to->right += bins[kept - 1].right;
                        to->n += bins[kept - 1].n;
                        kept--;
                }
        }
        return kept;
}

static void line_fit(struct classifier *c, const struct verdict *surest, size_t n)
{
        struct bin bins[LINE_BINS] = {{0}};
        size_t n_bins = n / BIN_TEXTS;
        n_bins = n_bins < 1 ? 1 : n_bins > LINE_BINS ? LINE_BINS : n_bins;
        for (size_t i = 0; i < n; i++) {
                struct bin *b = &bins[i * n_bins / n];
                const struct verdict *v = &surest[n - 1 - i];
                b->p += v->p;
                b->right += v->guess == v->truth;
                b->n++;
        }
        c->n_line = pool(bins, n_bins);
        for (size_t i = 0; i < c->n_line; i++) {
                c->line_p[i] = (float)(bins[i].p / bins[i].n);
                c->line_certainty[i] = (float)((bins[i].right + 0.5) / (bins[i].n + 1));
        }
}

double line_at(const struct classifier *c, double p)
{
        size_t i = 0;
        while (i < c->n_line && (double)c->line_p[i] < p)
                i++;
        if (c->n_line == 0)
                return p;
        if (i == 0)
                return (double)c->line_certainty[0] * p / fmax((double)c->line_p[0], 1e-9);
        if (i == c->n_line)
                return (double)c->line_certainty[i - 1];
        const double from = (double)c->line_p[i - 1], width = (double)c->line_p[i] - from;
        const double part = width > 0 ? (p - from) / width : 1;
        return (double)c->line_certainty[i - 1] + part * (double)(c->line_certainty[i] - c->line_certainty[i - 1]);
}

/* --- thresholds ----------------------------------------------------------------------------------------------------- */

static void thresholds_fit(struct classifier *c, struct verdict *v, size_t n, double precision)
{
        struct arena *a = arena_new();
        struct verdict *of_class = NEW_ARRAY(a, struct verdict, n + 1);
        c->report.coverage = verdicts_coverage(v, n, precision, &c->report.threshold);
        for (size_t k = 0; k < c->classes.n; k++) {
                size_t here = 0;
                double threshold = c->report.threshold;
                for (size_t i = 0; i < n; i++)
                        if (v[i].guess == (int)k)
                                of_class[here++] = v[i];
                if (here >= THRESHOLD_LEAST)
                        (void)verdicts_coverage(of_class, here, precision, &threshold);
                c->threshold[k] = (float)threshold;
        }
        arena_free(&a);
}

/* ECE with a line that was fitted on the other half. */
static double honest_ece(struct classifier *c, const struct verdict *v, size_t n)
{
        struct arena *a = arena_new();
        struct verdict *half[2] = {NEW_ARRAY(a, struct verdict, n + 1), NEW_ARRAY(a, struct verdict, n + 1)};
        size_t in[2] = {0, 0};
        double sum = 0;
        for (size_t i = 0; i < n; i++)
                half[i & 1][in[i & 1]++] = v[i];
        for (int k = 0; k < 2; k++) {
                line_fit(c, half[!k], in[!k]);
                for (size_t i = 0; i < in[k]; i++)
                        half[k][i].p = line_at(c, half[k][i].p);
                sum += verdicts_ece(half[k], in[k]) * (double)in[k];
                for (size_t i = 0; i < in[k]; i++)
                        half[k][i].p = v[2 * i + (size_t)k].p;
        }
        arena_free(&a);
        return n > 0 ? sum / (double)n : 0;
}

void certainty_fit(struct classifier *c, struct verdict *v, size_t n, double precision)
{
        c->report.precision = precision;
        c->report.accuracy = c->report.macro_f1 = c->report.ece = -1;
        for (size_t k = 0; k < c->classes.n; k++)
                c->threshold[k] = (float)never;
        c->n_line = 0;
        if (n < LEARNED_LEAST)
                return;
        c->line_p = NEW_ARRAY(c->arena, float, LINE_BINS);
        c->line_certainty = NEW_ARRAY(c->arena, float, LINE_BINS);
        qsort(v, n, sizeof *v, surest_first);
        c->report.ece = honest_ece(c, v, n);
        line_fit(c, v, n);
        for (size_t i = 0; i < n; i++)
                v[i].p = line_at(c, v[i].p);
        c->report.accuracy = verdicts_accuracy(v, n);
        c->report.macro_f1 = verdicts_macro_f1(v, n, c->classes.n, NULL);
        thresholds_fit(c, v, n, precision);
}
