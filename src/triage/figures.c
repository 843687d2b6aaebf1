/* triage/figures.c -- what the machine did since the start. */
#include "base/histogram.h"
#include "district/district.h"
#include "triage/inside.h"

void triage_count(struct district *d, const struct opinion *o, int64_t usec)
{
        struct triage *t = d->triage;
        if (!t)
                return;
        (void)atomic_fetch_add(&t->read, 1);
        (void)atomic_fetch_add(&t->usec, usec);
        if (o->sure)
                (void)atomic_fetch_add(&t->sure, 1);
        if (o->urgent)
                (void)atomic_fetch_add(&t->urgent, 1);
}

void triage_figures(const struct district *d, struct buf *out)
{
        struct triage *t = d->triage;
        if (!t)
                return;
        (void)pthread_rwlock_rdlock(&t->lock);
        const int64_t model = t->active.id;
        const int64_t fixes = t->active.classifier ? (int64_t)classifier_corrections(t->active.classifier) : 0;
        (void)pthread_rwlock_unlock(&t->lock);
        figure(out, "yiwang_triage_read_total", "counter", "Reports without item that the machine read, since the start.",
               atomic_load(&t->read));
        figure(out, "yiwang_triage_sure_total", "counter", "Of these taken without asking.", atomic_load(&t->sure));
        figure(out, "yiwang_triage_urgent_total", "counter", "Of these with words that make them urgent.", atomic_load(&t->urgent));
        figure(out, "yiwang_triage_microseconds_total", "counter", "Time their reading took.", atomic_load(&t->usec));
        figure(out, "yiwang_triage_model", "gauge", "Number of the active model; 0 = none.", model);
        figure(out, "yiwang_triage_corrections", "gauge", "Corrections the active model was given since its training.", fixes);
}
