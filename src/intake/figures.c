/* intake/figures.c -- how many reports came through which channel since the start, and how long each took. */
#include "base/histogram.h"
#include "base/text.h"
#include "intake/intake.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Channels are codes of the pack: at most 40 characters of a safe kind.  A pack has a dozen. */
enum { CHANNELS_MOST = 64, CODE_SIZE = 41 };

struct intake_figures {
        pthread_mutex_t lock;
        struct {
                char code[CODE_SIZE];
                int64_t n;
        } channels[CHANNELS_MOST];
        size_t n;
        struct histogram times;
};

struct intake_figures *intake_figures_new(void)
{
        struct intake_figures *f = calloc(1, sizeof *f);
        if (!f)
                abort();
        (void)pthread_mutex_init(&f->lock, NULL);
        return f;
}

void intake_figures_free(struct intake_figures **f)
{
        if (*f)
                (void)pthread_mutex_destroy(&(*f)->lock);
        free(*f);
        *f = NULL;
}

void intake_figures_count(struct intake_figures *f, const char *channel, int64_t usec)
{
        size_t i = 0;
        histogram_count(&f->times, usec);
        (void)pthread_mutex_lock(&f->lock);
        while (i < f->n && !text_is(f->channels[i].code, channel))
                i++;
        if (i == f->n && f->n < CHANNELS_MOST)
                (void)snprintf(f->channels[f->n++].code, CODE_SIZE, "%s", channel);
        if (i < f->n)
                f->channels[i].n++;
        (void)pthread_mutex_unlock(&f->lock);
}

void intake_figures_write(struct intake_figures *f, struct buf *out)
{
        figure_head(out, "yiwang_reports_total", "counter", "Reports stored since the start, by channel.");
        (void)pthread_mutex_lock(&f->lock);
        for (size_t i = 0; i < f->n; i++)
                buf_format(out, "yiwang_reports_total{channel=\"%s\"} %lld\n", f->channels[i].code, (long long)f->channels[i].n);
        (void)pthread_mutex_unlock(&f->lock);
        figure_head(out, "yiwang_report_seconds", "histogram", "From a checked report to its durable receipt.");
        histogram_write(&f->times, "yiwang_report_seconds", "", out);
}
