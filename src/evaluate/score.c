/* evaluate/score.c -- see route.h. */
#include "evaluate/route.h"
#include <math.h>
#include <stdlib.h>

struct share share_of(size_t part, size_t whole)
{
        static const double z = 1.959963985;
        if (whole == 0)
                return (struct share){0, 0, 1};
        const double n = (double)whole, p = (double)part / n;
        const double middle = p + z * z / (2 * n), half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)), scale = 1 + z * z / n;
        return (struct share){p, fmax(0, (middle - half) / scale), fmin(1, (middle + half) / scale)};
}

static int surest_first(const void *a, const void *b)
{
        const double x = ((const struct verdict *)a)->certainty, y = ((const struct verdict *)b)->certainty;
        return (x < y) - (x > y);
}

size_t coverage_at(const struct verdict *v, size_t n, double precision, double *threshold)
{
        size_t right = 0, covered = 0;
        *threshold = 2;
        for (size_t i = 0; i < n; i++) {
                right += v[i].right;
                if (i + 1 < n && v[i + 1].certainty >= v[i].certainty)
                        continue;
                if ((double)right >= precision * (double)(i + 1)) {
                        covered = i + 1;
                        *threshold = v[i].certainty;
                }
        }
        return covered;
}

static void fill_bins(const struct verdict *v, size_t n, struct score *s)
{
        for (size_t i = 0; i < n; i++) {
                const size_t at = (size_t)(fmin(fmax(v[i].certainty, 0), 1 - 1e-9) * SCORE_BINS);
                s->bins[at].n++;
                s->bins[at].certainty += v[i].certainty;
                s->bins[at].right += v[i].right;
        }
        for (size_t i = 0; i < SCORE_BINS; i++) {
                struct reliability_bin *b = &s->bins[i];
                if (b->n == 0)
                        continue;
                s->ece += fabs(b->certainty - b->right) / (double)n;
                b->certainty /= (double)b->n;
                b->right /= (double)b->n;
        }
}

void score_verdicts(struct verdict *v, size_t n, struct score *s)
{
        size_t right = 0, among = 0;
        double threshold;
        *s = (struct score){.n = n};
        qsort(v, n, sizeof *v, surest_first);
        for (size_t i = 0; i < n; i++) {
                const double missed = (v[i].right ? 1 : 0) - v[i].certainty;
                right += v[i].right;
                among += v[i].among;
                s->brier += missed * missed / (double)n;
        }
        s->top1 = share_of(right, n);
        s->top3 = share_of(among, n);
        static_assert(COUNT_OF(COVERAGE_PRECISIONS) == COVERAGES, "one coverage for each precision");
        for (size_t i = 0; i < COVERAGES; i++)
                s->coverage[i] = share_of(coverage_at(v, n, COVERAGE_PRECISIONS[i], &threshold), n).value;
        fill_bins(v, n, s);
}
