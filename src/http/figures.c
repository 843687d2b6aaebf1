/* http/figures.c -- counts and latencies of each route, in Prometheus' text form (exposition format 0.0.4). */
#include "http/inside.h"

static const int64_t bounds[LATENCY_BUCKETS] = {1000,   2000,   5000,   10000,   25000,   50000,
                                                100000, 250000, 500000, 1000000, 2500000, 10000000};

void figures_count(struct compiled *c, unsigned status, int64_t usec)
{
        struct route_figures *f = &c->figures;
        int i = 0;
        while (i < LATENCY_BUCKETS && usec > bounds[i])
                i++;
        atomic_fetch_add_explicit(&f->classes[status / 100 % STATUS_CLASSES], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&f->buckets[i], 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&f->usec, usec, memory_order_relaxed);
}

static void write_counts(struct compiled *c, struct buf *out)
{
        for (int i = 1; i < STATUS_CLASSES; i++) {
                const long long n = atomic_load(&c->figures.classes[i]);
                if (n > 0)
                        buf_format(out, "yiwang_http_requests_total{method=\"%s\",route=\"%s\",status=\"%dxx\"} %lld\n",
                                   c->route->method, c->route->path, i, n);
        }
}

static void write_latency(struct compiled *c, struct buf *out)
{
        long long sum = 0;
        for (int i = 0; i <= LATENCY_BUCKETS; i++)
                sum += atomic_load(&c->figures.buckets[i]);
        if (sum == 0)
                return;
        const char *method = c->route->method, *path = c->route->path;
        long long n = 0;
        for (int i = 0; i < LATENCY_BUCKETS; i++) {
                n += atomic_load(&c->figures.buckets[i]);
                buf_format(out, "yiwang_http_request_seconds_bucket{method=\"%s\",route=\"%s\",le=\"%g\"} %lld\n", method, path,
                           (double)bounds[i] / 1e6, n);
        }
        buf_format(out, "yiwang_http_request_seconds_bucket{method=\"%s\",route=\"%s\",le=\"+Inf\"} %lld\n", method, path, sum);
        buf_format(out, "yiwang_http_request_seconds_sum{method=\"%s\",route=\"%s\"} %.6f\n", method, path,
                   (double)atomic_load(&c->figures.usec) / 1e6);
        buf_format(out, "yiwang_http_request_seconds_count{method=\"%s\",route=\"%s\"} %lld\n", method, path, sum);
}

void figures_write(struct server *s, struct buf *out)
{
        int waiting, running;
        pool_figures(s->pool, &waiting, &running);
        buf_text(out, "# TYPE yiwang_http_requests_total counter\n");
        for (size_t i = 0; i < s->routes.n; i++)
                write_counts(&s->routes.at[i], out);
        buf_text(out, "# TYPE yiwang_http_request_seconds histogram\n");
        for (size_t i = 0; i < s->routes.n; i++)
                write_latency(&s->routes.at[i], out);
        buf_format(out, "# TYPE yiwang_http_queue gauge\nyiwang_http_queue %d\n", waiting);
        buf_format(out, "# TYPE yiwang_http_workers_busy gauge\nyiwang_http_workers_busy %d\n", running);
        buf_format(out, "# TYPE yiwang_http_refused_total counter\nyiwang_http_refused_total %lld\n",
                   (long long)atomic_load(&s->refused));
        long long open, late, turned_away;
        guests_figures(s->guests, &open, &late, &turned_away);
        buf_format(out, "# TYPE yiwang_http_connections gauge\nyiwang_http_connections %lld\n", open);
        buf_format(out, "# TYPE yiwang_http_late_total counter\nyiwang_http_late_total %lld\n", late);
        buf_format(out, "# TYPE yiwang_http_turned_away_total counter\nyiwang_http_turned_away_total %lld\n", turned_away);
        buf_format(out, "# TYPE yiwang_http_streams gauge\nyiwang_http_streams %d\n", lives_count(s->lives));
        if (s->tls)
                buf_format(out, "# TYPE yiwang_tls_certificate_ends gauge\nyiwang_tls_certificate_ends %lld\n",
                           (long long)tls_ends(s->tls));
        buf_format(out, "# TYPE yiwang_uptime_seconds gauge\nyiwang_uptime_seconds %lld\n",
                   (long long)((clock_steady() - s->started) / USEC_SECOND));
}
