/* task/scheduler.c -- the thread that runs due timers and feeds consumers.
 *
 * A round: lease due timers, run them, settle them in one transaction; give each consumer its next events;
 * tell of news; clean.  While there is nothing to do it only reads.  Nudges are gathered for a moment, so
 * that under load a round has much to do and the writers are not slowed by many small transactions.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store.h"
#include "task/inside.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TIMERS_AT_ONCE = 64, RUNNERS = 8, EVENTS_AT_ONCE = 256, CLEAN_ENOUGH = 1000 };

#define LEASE (60 * USEC_SECOND)
#define KEEP (7 * USEC_DAY)
#define LOOK_AGAIN USEC_SECOND /* another process may have written */
#define GATHER (20 * 1000)     /* from a nudge to the round */
#define BACKOFF_MOST USEC_HOUR
#define CLEAN_EVERY USEC_MINUTE
#define GIVES_WAY 4 /* times as long as it works */
#define GIVES_WAY_MOST (2 * USEC_SECOND)

struct feed {
        const struct consumer *consumer;
        bool held; /* we have the lease until: */
        int64_t until;
        struct cursor at;
        int failures;
        int64_t not_before; /* steady clock: the other may be set back */
};

struct scheduler {
        struct scheduler_options is;
        struct feed *feeds;
        size_t feed_count;
        int64_t owner;       /* random: names this scheduler in leases */
        struct cursor seen;  /* last event told by news() */
        int64_t clean_at;    /* steady clock */
        struct arena *arena; /* emptied after each round */
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        atomic_bool nudged, stop;
};

/* 1, 2, 4, ... seconds */
static int64_t backoff(int tries)
{
        return tries >= 12 ? BACKOFF_MOST : USEC_SECOND << tries;
}

/* --- timers -------------------------------------------------------------------------------- */

static const struct timer_kind *kind_of(const struct scheduler *s, const char *name)
{
        for (const struct timer_kind *const *k = s->is.kinds; k && *k; k++) {
                if (text_is((*k)->name, name))
                        return *k;
        }
        abort(); /* only timers of our kinds are leased */
}

static void put_off(struct leased *one, int most, const struct err *e)
{
        one->done = false;
        one->parked = one->timer.tries + 1 >= most;
        one->wake = clock_now() + backoff(one->timer.tries);
        snprintf(one->error, sizeof one->error, "%.*s", (int)sizeof one->error - 1, e->text);
        log_event(LOG_WARN, one->parked ? "timer.parked" : "timer.failed", "kind=%s key=%s tries=%d cause=\"%s\"", one->timer.kind,
                  one->timer.key, one->timer.tries + 1, one->error);
}

/* A lease that has become short is renewed first; false: the timer is no longer ours. */
static bool still_held(struct scheduler *s, struct leased *one, int64_t until)
{
        struct err e;
        bool held = true;
        int64_t now = clock_now();
        if (now < until - s->is.lease / 2)
                return true;
        if (!timers_hold(s->is.store, one, now + s->is.lease, &held, &e)) {
                log_err(LOG_WARN, "timer.hold", &e);
                return false;
        }
        return held;
}

static void run_one(struct scheduler *s, struct leased *one)
{
        struct err e = {.kind = ERR_NONE};
        const struct timer_kind *kind = kind_of(s, one->timer.kind);
        int most = kind->most_tries > 0 ? kind->most_tries : 20;
        if (one->timer.tries >= most) {
                (void)err_set(&e, ERR_FAULT, "the process died in each run of it");
                put_off(one, 0, &e);
        } else if (kind->run(s->is.ctx, &one->timer, clock_now(), &e)) {
                one->done = true;
        } else {
                put_off(one, most, &e);
        }
}

/* What one round has leased, worked off by several threads: their commits travel together, so that a million timers that fell due
 * while the program was away do not take an hour. */
struct crew {
        struct scheduler *scheduler;
        struct leased *at;
        bool *kept; /* to be settled; the others are no longer ours */
        size_t n;
        atomic_size_t next;
        int64_t now, until;
};

static void *run_some(void *ctx)
{
        struct crew *c = ctx;
        for (size_t i; (i = atomic_fetch_add(&c->next, 1)) < c->n;) {
                if (atomic_load(&c->scheduler->stop))
                        c->at[i].wake = c->now; /* given back at once */
                else if (still_held(c->scheduler, &c->at[i], c->until))
                        run_one(c->scheduler, &c->at[i]);
                else
                        continue;
                c->kept[i] = true;
        }
        return NULL;
}

/* This thread is one of them; those that cannot be started are missed by nobody. */
static void run_all(struct crew *c)
{
        pthread_t others[RUNNERS - 1];
        size_t started = 0;
        while (started < RUNNERS - 1 && started + 1 < c->n && pthread_create(&others[started], NULL, run_some, c) == 0)
                started++;
        (void)run_some(c);
        while (started > 0)
                (void)pthread_join(others[--started], NULL);
}

/* Returns how many were leased. */
static size_t run_timers(struct scheduler *s, int64_t now)
{
        struct err e;
        struct leased *at;
        size_t n = 0, kept = 0;
        int64_t wake;
        const int64_t until = now + s->is.lease;
        if (!timers_next(s->is.store, s->is.kinds, &wake, &e)) {
                log_err(LOG_WARN, "timer.next", &e);
                return 0;
        }
        if (wake > now)
                return 0;
        if (!timers_lease(s->is.store, s->arena, s->is.kinds, now, until, TIMERS_AT_ONCE, &at, &n, &e)) {
                log_err(LOG_WARN, "timer.lease", &e);
                return 0;
        }
        struct crew crew = {.scheduler = s, .at = at, .kept = NEW_ARRAY(s->arena, bool, n), .n = n, .now = now, .until = until};
        run_all(&crew);
        for (size_t i = 0; i < n; i++)
                if (crew.kept[i])
                        at[kept++] = at[i];
        /* What cannot be settled comes again when its lease ends. */
        if (!timers_settle(s->is.store, at, kept, &e))
                log_err(LOG_ERROR, "timer.settle", &e);
        return n;
}

/* --- consumers -------------------------------------------------------------------------------- */

static bool feed_lease(struct scheduler *s, struct feed *f, int64_t now, struct err *e)
{
        if (f->held && now < f->until - s->is.lease / 2)
                return true;
        f->until = now + s->is.lease;
        f->held = false;
        return cursor_lease(s->is.store, f->consumer->name, s->owner, now, f->until, &f->at, &f->held, e);
}

static bool feed_give(struct scheduler *s, struct feed *f, const struct event *at, size_t n, struct err *e)
{
        if (!f->consumer->take(s->is.ctx, at, n, e))
                return false;
        f->at = at[n - 1].at;
        f->until = clock_now() + s->is.lease;
        return cursor_move(s->is.store, f->consumer->name, s->owner, f->until, f->at, &f->held, e);
}

/* Gives the next events.  *n of them: 0 when there is nothing, or another process feeds the consumer. */
static bool feed_try(struct scheduler *s, struct feed *f, int64_t now, size_t *n, struct err *e)
{
        struct event *at;
        if (!f->held && !cursor_read(s->is.store, f->consumer->name, &f->at, e))
                return false;
        if (cursor_order(s->seen, f->at) <= 0)
                return true;
        if (!feed_lease(s, f, now, e))
                return false;
        return !f->held
               || (outbox_read(s->is.store, s->arena, f->at, EVENTS_AT_ONCE, &at, n, e) && (*n == 0 || feed_give(s, f, at, *n, e)));
}

/* True: there may be more at once. */
static bool feed_round(struct scheduler *s, struct feed *f, int64_t now)
{
        struct err e = {.kind = ERR_NONE};
        size_t n = 0;
        if (clock_steady() < f->not_before)
                return false;
        if (feed_try(s, f, now, &n, &e)) {
                f->failures = 0;
                return n == EVENTS_AT_ONCE;
        }
        f->held = false; /* the cursor is read again */
        f->not_before = clock_steady() + backoff(f->failures < 6 ? f->failures++ : 6);
        log_event(LOG_WARN, "consumer.failed", "name=%s failures=%d cause=\"%s\"", f->consumer->name, f->failures, e.text);
        return false;
}

static void look_for_news(struct scheduler *s)
{
        struct err e;
        struct cursor last;
        if (!outbox_last(s->is.store, &last, &e)) {
                log_err(LOG_WARN, "outbox.last", &e);
                return;
        }
        if (cursor_order(last, s->seen) <= 0)
                return;
        s->seen = last;
        if (s->is.news)
                s->is.news(s->is.ctx);
}

/* Where the slowest consumer stands; false when one cannot be told. */
static bool slowest(struct scheduler *s, struct cursor *out, struct err *e)
{
        *out = s->seen;
        for (size_t i = 0; i < s->feed_count; i++) {
                struct cursor at;
                if (!cursor_read(s->is.store, s->feeds[i].consumer->name, &at, e))
                        return false;
                if (cursor_order(at, *out) < 0)
                        *out = at;
        }
        return true;
}

static void clean(struct scheduler *s, int64_t now)
{
        struct err e;
        struct cursor taken;
        int n = 0;
        /* Who feeds nobody, or only some, does not know what was taken. */
        if (clock_steady() < s->clean_at || s->feed_count == 0 || s->is.keep < 0)
                return;
        if (!slowest(s, &taken, &e) || !outbox_clean(s->is.store, now - s->is.keep, taken, &n, &e))
                log_err(LOG_WARN, "outbox.clean", &e);
        if (n < CLEAN_ENOUGH) /* else more at the next round */
                s->clean_at = clock_steady() + CLEAN_EVERY;
}

/* --- the thread ---------------------------------------------------------------------------------- */

/* True: there is more to do at once. */
static bool round_of(struct scheduler *s)
{
        int64_t now = clock_now();
        bool more = run_timers(s, now) >= TIMERS_AT_ONCE;
        look_for_news(s);
        for (size_t i = 0; i < s->feed_count && !atomic_load(&s->stop); i++)
                more |= feed_round(s, &s->feeds[i], now);
        clean(s, now);
        arena_reset(s->arena);
        return more;
}

static struct timespec steady_after(int64_t usec)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        int64_t ns = t.tv_nsec + usec % USEC_SECOND * 1000;
        t.tv_sec += (time_t)(usec / USEC_SECOND + ns / 1000000000);
        t.tv_nsec = (long)(ns % 1000000000);
        return t;
}

/* When the next timer falls due, at most LOOK_AGAIN from now. */
static int64_t pause_length(struct scheduler *s)
{
        struct err e;
        int64_t wake, now = clock_now();
        if (!timers_next(s->is.store, s->is.kinds, &wake, &e))
                return LOOK_AGAIN;
        if (wake <= now)
                return GATHER;
        return wake - now < LOOK_AGAIN ? wake - now : LOOK_AGAIN;
}

static void rest(struct scheduler *s)
{
        struct timespec until = steady_after(pause_length(s));
        pthread_mutex_lock(&s->lock);
        while (!atomic_load(&s->nudged) && !atomic_load(&s->stop)) {
                if (pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT)
                        break;
        }
        until = steady_after(GATHER);
        while (atomic_load(&s->nudged) && !atomic_load(&s->stop)) {
                if (pthread_cond_timedwait(&s->wake, &s->lock, &until) == ETIMEDOUT)
                        break;
        }
        atomic_store(&s->nudged, false); /* what is written from now on nudges again */
        pthread_mutex_unlock(&s->lock);
}

/* Nudges do not shorten it: there is always more to do while others are busy. */
static void give_way(struct scheduler *s, int64_t worked)
{
        const struct timespec until = steady_after(GIVES_WAY * worked < GIVES_WAY_MOST ? GIVES_WAY * worked : GIVES_WAY_MOST);
        pthread_mutex_lock(&s->lock);
        while (!atomic_load(&s->stop) && pthread_cond_timedwait(&s->wake, &s->lock, &until) != ETIMEDOUT)
                continue;
        pthread_mutex_unlock(&s->lock);
}

static void *scheduler_main(void *scheduler)
{
        struct scheduler *s = scheduler;
        struct err e;
        if (s->is.name)
                (void)pthread_setname_np(pthread_self(), s->is.name);
        if (s->is.yields) /* a thread has a priority of its own on Linux */
                (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
        while (!atomic_load(&s->stop)) {
                const int64_t began = clock_steady();
                const bool more = round_of(s);
                if (s->is.busy && s->is.busy(s->is.ctx))
                        give_way(s, clock_steady() - began);
                if (!more)
                        rest(s);
        }
        if (s->feed_count > 0 && !cursor_release(s->is.store, s->owner, &e)) /* others need not wait for the lease's end */
                log_err(LOG_WARN, "scheduler.release", &e);
        return NULL;
}

void scheduler_nudge(struct scheduler *s)
{
        if (atomic_exchange(&s->nudged, true))
                return;
        pthread_mutex_lock(&s->lock);
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
}

static void wait_steadily(pthread_cond_t *cond)
{
        pthread_condattr_t how;
        pthread_condattr_init(&how);
        pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
        pthread_cond_init(cond, &how);
        pthread_condattr_destroy(&how);
}

static void scheduler_free(struct scheduler *s)
{
        arena_free(&s->arena);
        pthread_mutex_destroy(&s->lock);
        pthread_cond_destroy(&s->wake);
        free(s->feeds);
        free(s);
}

bool scheduler_start(struct scheduler **out, const struct scheduler_options *o, struct err *e)
{
        if (!outbox_adopt(o->store, e))
                return false;
        struct scheduler *s = calloc(1, sizeof *s);
        if (!s)
                abort();
        s->is = *o;
        s->is.keep = o->keep != 0 ? o->keep : KEEP;
        s->is.lease = o->lease > 0 ? o->lease : LEASE;
        size_t n = 0;
        while (o->consumers && o->consumers[n])
                n++;
        s->feed_count = n;
        s->feeds = calloc(n + 1, sizeof *s->feeds);
        if (!s->feeds || getrandom(&s->owner, sizeof s->owner, 0) != (ssize_t)sizeof s->owner)
                abort();
        for (size_t i = 0; i < n; i++)
                s->feeds[i].consumer = o->consumers[i];
        s->arena = arena_new();
        pthread_mutex_init(&s->lock, NULL);
        wait_steadily(&s->wake);
        *out = NULL;
        if (pthread_create(&s->thread, NULL, scheduler_main, s) != 0) {
                scheduler_free(s);
                return err_set(e, ERR_FAULT, "cannot start the scheduler's thread");
        }
        *out = s;
        return true;
}

void scheduler_stop(struct scheduler **scheduler)
{
        struct scheduler *s = *scheduler;
        if (!s)
                return;
        atomic_store(&s->stop, true);
        pthread_mutex_lock(&s->lock);
        pthread_cond_signal(&s->wake);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->thread, NULL);
        scheduler_free(s);
        *scheduler = NULL;
}
