/* base/histogram.c -- see histogram.h. */
#include "base/histogram.h"

static const int64_t bounds[HISTOGRAM_BOUNDS] = {1000,   2000,   5000,   10000,   25000,   50000,
                                                 100000, 250000, 500000, 1000000, 2500000, 10000000};

void histogram_count(struct histogram *h, int64_t usec)
{
        int i = 0;
        while (i < HISTOGRAM_BOUNDS && usec > bounds[i])
                i++;
        atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&h->usec, usec, memory_order_relaxed);
}

void histogram_write(struct histogram *h, const char *name, const char *labels, struct buf *out)
{
        long long counts[HISTOGRAM_BOUNDS + 1], all = 0, n = 0;
        const char *comma = *labels ? "," : "", *open = *labels ? "{" : "", *close = *labels ? "}" : "";
        for (int i = 0; i <= HISTOGRAM_BOUNDS; i++)
                all += counts[i] = atomic_load(&h->buckets[i]);
        if (all == 0 && *labels)
                return;
        for (int i = 0; i < HISTOGRAM_BOUNDS; i++) {
                n += counts[i];
                buf_format(out, "%s_bucket{%s%sle=\"%g\"} %lld\n", name, labels, comma, (double)bounds[i] / 1e6, n);
        }
        buf_format(out, "%s_bucket{%s%sle=\"+Inf\"} %lld\n", name, labels, comma, all);
        buf_format(out, "%s_sum%s%s%s %.6f\n", name, open, labels, close, (double)atomic_load(&h->usec) / 1e6);
        buf_format(out, "%s_count%s%s%s %lld\n", name, open, labels, close, all);
}

void figure_head(struct buf *out, const char *name, const char *type, const char *help)
{
        buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void figure(struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
        figure_head(out, name, type, help);
        buf_format(out, "%s %lld\n", name, (long long)value);
}
