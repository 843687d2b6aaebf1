/* bulk/crew.c -- see inside.h. */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS_USUAL = 32, WORKERS_MOST = 256, SHOWN_EVERY_MS = 200, PATIENCE_SECONDS = 60 };

struct run {
        const struct crew *crew;
        pthread_mutex_t lock;
        pthread_cond_t ended;
        int working;      /* threads that have not ended */
        struct err error; /* of the first turn that failed */
        atomic_bool stop;
        _Atomic int64_t done;
};

static void leave(struct run *r, const struct err *error)
{
        (void)pthread_mutex_lock(&r->lock);
        if (error && r->error.kind == ERR_NONE)
                r->error = *error;
        r->working--;
        (void)pthread_cond_signal(&r->ended);
        (void)pthread_mutex_unlock(&r->lock);
}

static void *worker(void *ctx)
{
        struct run *r = ctx;
        struct arena *a = arena_new();
        struct err e = {0};
        bool ok = true, more = true;
        while (!atomic_load(&r->stop)) {
                arena_reset(a);
                ok = r->crew->turn(r->crew->ctx, a, &more, &e);
                if (!ok || !more)
                        break;
                atomic_fetch_add(&r->done, 1);
        }
        if (!ok)
                atomic_store(&r->stop, true);
        arena_free(&a);
        leave(r, ok ? NULL : &e);
        return NULL;
}

static void show(const struct run *r)
{
        const struct bulk_progress *p = r->crew->progress;
        if (p && p->show)
                p->show(p->ctx, atomic_load(&r->done), r->crew->total);
}

/* Waits for the last thread, and shows meanwhile how far they are. */
static void watch(struct run *r)
{
        (void)pthread_mutex_lock(&r->lock);
        while (r->working > 0) {
                int64_t until = clock_now() + SHOWN_EVERY_MS * 1000;
                struct timespec at = {.tv_sec = until / USEC_SECOND, .tv_nsec = (long)(until % USEC_SECOND * 1000)};
                int rc = pthread_cond_timedwait(&r->ended, &r->lock, &at);
                (void)pthread_mutex_unlock(&r->lock);
                if (rc == ETIMEDOUT)
                        show(r);
                (void)pthread_mutex_lock(&r->lock);
        }
        (void)pthread_mutex_unlock(&r->lock);
}

bool crew_run(const struct crew *c, struct err *e)
{
        struct run r = {.crew = c, .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
        int wanted = c->workers < 1 ? WORKERS_USUAL : c->workers < WORKERS_MOST ? c->workers : WORKERS_MOST, started = 0;
        pthread_t threads[WORKERS_MOST];
        r.working = wanted;
        while (started < wanted && pthread_create(&threads[started], NULL, worker, &r) == 0)
                started++;
        for (int i = started; i < wanted; i++)
                leave(&r, NULL); /* fewer threads do the same work */
        if (started == 0)
                return err_set(e, ERR_FAULT, "no thread could be started");
        watch(&r);
        for (int i = 0; i < started; i++)
                (void)pthread_join(threads[i], NULL);
        show(&r);
        if (r.error.kind == ERR_NONE)
                return true;
        *e = r.error;
        return false;
}

bool accept_patiently(struct district *d, struct arena *a, const struct report *report, struct receipt *receipt, struct err *e)
{
        const int64_t start = clock_steady();
        for (useconds_t pause = 10000;; pause = pause < 1000000 ? pause * 2 : pause) {
                if (intake_accept(d, a, report, clock_now(), receipt, e))
                        return true;
                if (e->kind != ERR_BUSY || clock_steady() - start > PATIENCE_SECONDS * USEC_SECOND)
                        return false;
                (void)usleep(pause);
        }
}
