/* http/figures.c -- counts and latencies of each route. */
#include "base/histogram.h"
#include "http/inside.h"
#include <stdio.h>

void figures_count(struct compiled *c, unsigned status, int64_t usec)
{
        atomic_fetch_add_explicit(&c->figures.classes[status / 100 % STATUS_CLASSES], 1, memory_order_relaxed);
        histogram_count(&c->figures.times, usec);
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

static void write_times(struct compiled *c, struct buf *out)
{
        char labels[200];
        (void)snprintf(labels, sizeof labels, "method=\"%s\",route=\"%s\"", c->route->method, c->route->path);
        histogram_write(&c->figures.times, "yiwang_http_request_seconds", labels, out);
}

void figures_write(struct server *s, struct buf *out)
{
        int waiting, running;
        pool_figures(s->pool, &waiting, &running);
        figure_head(out, "yiwang_http_requests_total", "counter", "Requests answered, by route and class of status.");
        for (size_t i = 0; i < s->routes.n; i++)
                write_counts(&s->routes.at[i], out);
        figure_head(out, "yiwang_http_request_seconds", "histogram",
                    "From the first line of a request to the last byte of its answer.");
        for (size_t i = 0; i < s->routes.n; i++)
                write_times(&s->routes.at[i], out);
        figure(out, "yiwang_http_queue", "gauge", "Requests that wait for a worker.", waiting);
        figure(out, "yiwang_http_workers_busy", "gauge", "Workers that answer a request.", running);
        figure(out, "yiwang_http_refused_total", "counter", "Requests refused because too many waited.", atomic_load(&s->refused));
        long long open, late, turned_away;
        guests_figures(s->guests, &open, &late, &turned_away);
        figure(out, "yiwang_http_connections", "gauge", "Connections that are open.", open);
        figure(out, "yiwang_http_late_total", "counter", "Connections ended because something took too long.", late);
        figure(out, "yiwang_http_turned_away_total", "counter", "Connections turned away: too many, in all or from one address.",
               turned_away);
        figure(out, "yiwang_http_streams", "gauge", "Live event streams.", lives_count(s->lives));
        if (s->tls)
                figure(out, "yiwang_tls_certificate_ends", "gauge", "When the certificate ends, in seconds since 1970.", tls_ends(s->tls));
        figure(out, "yiwang_uptime_seconds", "gauge", "Since the server started.", (clock_steady() - s->started) / USEC_SECOND);
}
