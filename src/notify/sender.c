/* notify/sender.c -- the threads that send what waits; see notify.h.
 *
 * A lane is one other side: the mail server, the SMS gateway, each webhook.  A few threads work for each; a lane whose other side
 * is down rests for all of them, and the message that found out is tried again like any other.  While a lane rests its messages
 * stay where they are: a gateway that is away for a day costs no more than one try a minute.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/text.h"
#include "district/district.h"
#include "notify/deliver.h"
#include "notify/notify.h"
#include "store/store.h"
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum count { SENT, REFUSED, FAILED, COUNTS };
enum { WORKERS = 4, TAKEN_AT_ONCE = 8, FAILURES_IN_A_ROW = 5, LANES_MOST = 34 };

#define LEASE (40 * USEC_SECOND) /* longer than two tries */
#define LOOK_AGAIN USEC_SECOND   /* another process may have written */
#define MESSAGE_PAUSE_MOST (30 * USEC_MINUTE)
#define LANE_PAUSE_MOST USEC_MINUTE
#define EXPIRE_EVERY (10 * USEC_SECOND)

struct lane {
        struct sender *sender;
        struct lane_name name;
        pthread_t threads[WORKERS];
        int n_threads;
        pthread_mutex_t taking; /* one thread takes messages at a time */
        pthread_mutex_t lock;   /* of what follows */
        int failures, rests;    /* tries in a row that failed; times the lane had to rest since it last worked */
        int64_t rest_until;     /* steady clock */
        atomic_int_fast64_t counts[COUNTS];
};

struct sender {
        struct district *district;
        struct lane lanes[LANES_MOST];
        size_t n_lanes;
        pthread_t keeper; /* gives up what is too old */
        bool kept;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        uint64_t nudges;
        atomic_bool stop;
        atomic_int_fast64_t gave_up;
};

static uint32_t any_number(void)
{
        uint32_t n = 0;
        return getrandom(&n, sizeof n, GRND_NONBLOCK) == (ssize_t)sizeof n ? n : UINT32_MAX / 2;
}

/* --- a lane's health --------------------------------------------------------------------------------------------------------- */
static void lane_works(struct lane *l)
{
        (void)pthread_mutex_lock(&l->lock);
        const bool again = l->rests > 0;
        l->failures = l->rests = 0;
        l->rest_until = 0;
        (void)pthread_mutex_unlock(&l->lock);
        if (again)
                log_event(LOG_INFO, "notify.works", "medium=%s", medium_name(l->name.medium));
}

static void lane_fails(struct lane *l, bool down, const struct err *e)
{
        (void)pthread_mutex_lock(&l->lock);
        l->failures += down ? FAILURES_IN_A_ROW : 1;
        const bool rests = l->failures >= FAILURES_IN_A_ROW && clock_steady() >= l->rest_until;
        if (rests)
                l->rest_until = clock_steady() + pace_backoff(++l->rests, LANE_PAUSE_MOST, any_number());
        const int times = l->rests;
        (void)pthread_mutex_unlock(&l->lock);
        if (rests && times == 1)
                log_event(LOG_WARN, "notify.down", "medium=%s cause=\"%s\"", medium_name(l->name.medium), e->text);
}

static int64_t lane_rest(struct lane *l)
{
        (void)pthread_mutex_lock(&l->lock);
        const int64_t left = l->rest_until - clock_steady();
        (void)pthread_mutex_unlock(&l->lock);
        return left > 0 ? left : 0;
}

/* --- one message ------------------------------------------------------------------------------------------------------------- */
struct reading {
        struct arena *arena;
        int64_t report;
        struct contact contact;
        bool found;
};

static bool read_contact(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *r = ctx;
        return contact_read(tx, r->arena, r->report, &r->contact, &r->found, e);
}

/* A failure to write down the fate is only logged: the message comes again when its lease ends. */
static void note(bool written, const struct err *e)
{
        if (!written)
                log_err(LOG_ERROR, "notify.settle", e);
}

static void try_again(struct lane *l, const struct message *m, int64_t now, const struct err *why)
{
        struct store *store = l->sender->district->store;
        struct err e;
        int64_t when = now + pace_backoff(m->tries + 1, MESSAGE_PAUSE_MOST, any_number());
        log_event(LOG_WARN, "notify.failed", "medium=%s message=%lld tries=%d cause=\"%s\"", medium_name(l->name.medium),
                  (long long)m->id, m->tries + 1, why->text);
        atomic_fetch_add(&l->counts[FAILED], 1);
        if (when < m->expires) {
                note(message_put_off(store, m, when, true, why->text, &e), &e);
                return;
        }
        atomic_fetch_add(&l->sender->gave_up, 1);
        log_event(LOG_ERROR, "notify.gave_up", "messages=1");
        note(message_settle(store, m, FATE_GAVE_UP, why->text, now, &e), &e);
}

static void try_one(struct lane *l, struct wire *wire, struct arena *a, const struct message *m)
{
        struct district *d = l->sender->district;
        struct err e = {.kind = ERR_NONE}, second;
        struct reading r = {.arena = a, .report = m->report};
        if (m->report && !store_read(d->store, read_contact, &r, &e)) {
                note(false, &e);
                return;
        }
        const enum outcome out = deliver(wire, d, a, m, r.found ? &r.contact : NULL, clock_now(), &e);
        const int64_t now = clock_now();
        switch (out) {
        case TRY_TAKEN:
                atomic_fetch_add(&l->counts[SENT], 1);
                note(message_settle(d->store, m, FATE_SENT, "", now, &second), &second);
                lane_works(l);
                break;
        case TRY_NEVER:
                atomic_fetch_add(&l->counts[REFUSED], 1);
                log_event(LOG_WARN, "notify.refused", "medium=%s message=%lld cause=\"%s\"", medium_name(l->name.medium),
                          (long long)m->id, e.text);
                note(message_settle(d->store, m, FATE_REFUSED, e.text, now, &second), &second);
                lane_works(l);
                break;
        default:
                lane_fails(l, out == TRY_DOWN, &e);
                try_again(l, m, now, &e);
        }
}

/* Waits for the end of quiet hours, and has as much time as before when they end. */
static bool is_quiet(struct lane *l, struct message *m, int64_t now)
{
        const struct notify_settings *s = l->sender->district->notify;
        const int64_t end = l->name.medium == MEDIUM_SMS && !m->urgent ? quiet_end(&s->quiet, now) : now;
        struct err e;
        if (end <= now)
                return false;
        m->expires += end - now;
        note(message_put_off(l->sender->district->store, m, end, false, NULL, &e), &e);
        return true;
}

/* --- the threads ------------------------------------------------------------------------------------------------------------- */
/* seen NULL: news do not end it. */
static void wait_for(struct sender *s, const uint64_t *seen, int64_t usec)
{
        struct timespec t;
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        const int64_t ns = t.tv_nsec + usec % USEC_SECOND * 1000;
        t.tv_sec += (time_t)(usec / USEC_SECOND + ns / 1000000000);
        t.tv_nsec = (long)(ns % 1000000000);
        (void)pthread_mutex_lock(&s->lock);
        while ((!seen || s->nudges == *seen) && !atomic_load(&s->stop))
                if (pthread_cond_timedwait(&s->wake, &s->lock, &t) == ETIMEDOUT)
                        break;
        (void)pthread_mutex_unlock(&s->lock);
}

static uint64_t nudges(struct sender *s)
{
        (void)pthread_mutex_lock(&s->lock);
        const uint64_t n = s->nudges;
        (void)pthread_mutex_unlock(&s->lock);
        return n;
}

/* Looks before it takes: while nothing is due, nothing is written. */
static bool take_some(struct lane *l, struct arena *a, struct message **at, size_t *n, int64_t *until, struct err *e)
{
        struct store *store = l->sender->district->store;
        int64_t due;
        (void)pthread_mutex_lock(&l->taking);
        const int64_t now = clock_now();
        *until = now + LEASE;
        *n = 0;
        const bool ok = messages_next(store, &l->name, &due, e)
                        && (due > now || messages_take(store, a, &l->name, now, *until, TAKEN_AT_ONCE, at, n, e));
        (void)pthread_mutex_unlock(&l->taking);
        return ok;
}

/* Tries what was taken; what there is no time for goes back untried.  False: nothing was there. */
static bool work(struct lane *l, struct wire *wire, struct arena *a)
{
        struct message *at;
        struct err e;
        size_t n;
        int64_t until;
        if (!take_some(l, a, &at, &n, &until, &e)) {
                log_err(LOG_WARN, "notify.take", &e);
                return false;
        }
        for (size_t i = 0; i < n; i++) {
                const int64_t now = clock_now();
                const bool time =
                        !atomic_load(&l->sender->stop) && now < until - (SECONDS_IN_ALL + 2) * USEC_SECOND && !lane_rest(l);
                if (!time)
                        note(message_put_off(l->sender->district->store, &at[i], now, false, NULL, &e), &e);
                else if (!is_quiet(l, &at[i], now))
                        try_one(l, wire, a, &at[i]);
        }
        return n > 0;
}

static void *run_lane(void *ctx)
{
        struct lane *l = ctx;
        struct sender *s = l->sender;
        (void)pthread_setname_np(pthread_self(), "notify-lane");
        struct wire *wire = wire_new();
        struct arena *a = arena_new();
        while (!atomic_load(&s->stop)) {
                const uint64_t seen = nudges(s);
                const int64_t rest = lane_rest(l);
                if (rest > 0)
                        wait_for(s, NULL, rest);
                else if (!work(l, wire, a))
                        wait_for(s, &seen, LOOK_AGAIN);
                arena_reset(a);
        }
        arena_free(&a);
        wire_free(&wire);
        return NULL;
}

static void *keep(void *ctx)
{
        struct sender *s = ctx;
        (void)pthread_setname_np(pthread_self(), "notify");
        while (!atomic_load(&s->stop)) {
                struct err e;
                int n;
                if (!messages_expire(s->district->store, clock_now(), &n, &e))
                        log_err(LOG_WARN, "notify.expire", &e);
                else if (n > 0)
                        log_event(LOG_ERROR, "notify.gave_up", "messages=%d", n);
                atomic_fetch_add(&s->gave_up, n > 0 ? n : 0);
                wait_for(s, NULL, EXPIRE_EVERY);
        }
        return NULL;
}

/* --- start and stop ---------------------------------------------------------------------------------------------------------- */
static void add_lane(struct sender *s, enum medium medium, const char *target)
{
        assert(s->n_lanes < LANES_MOST);
        struct lane *l = &s->lanes[s->n_lanes++];
        l->sender = s;
        l->name = (struct lane_name){medium, target};
        (void)pthread_mutex_init(&l->taking, NULL);
        (void)pthread_mutex_init(&l->lock, NULL);
}

static bool start_threads(struct sender *s)
{
        bool ok = pthread_create(&s->keeper, NULL, keep, s) == 0;
        s->kept = ok;
        for (size_t i = 0; ok && i < s->n_lanes; i++)
                for (int k = 0; ok && k < WORKERS; k++) {
                        ok = pthread_create(&s->lanes[i].threads[k], NULL, run_lane, &s->lanes[i]) == 0;
                        s->lanes[i].n_threads += ok;
                }
        return ok;
}

bool sender_start(struct district *d, struct err *e)
{
        const struct notify_settings *is = d->notify;
        pthread_condattr_t steady;
        d->sender = NULL;
        if (!is)
                return true;
        struct sender *s = calloc(1, sizeof *s);
        if (!s || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                abort(); /* out of memory */
        s->district = d;
        (void)pthread_mutex_init(&s->lock, NULL);
        (void)pthread_condattr_init(&steady);
        (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&s->wake, &steady);
        (void)pthread_condattr_destroy(&steady);
        if (is->smtp_url)
                add_lane(s, MEDIUM_MAIL, TARGET_REPORTER);
        if (is->sms)
                add_lane(s, MEDIUM_SMS, TARGET_REPORTER);
        for (size_t i = 0; i < is->n_webhooks; i++)
                add_lane(s, MEDIUM_WEBHOOK, is->webhooks[i].url);
        d->sender = s;
        if (start_threads(s))
                return true;
        sender_stop(d);
        return err_set(e, ERR_FAULT, "cannot start the threads that send messages");
}

void sender_nudge(struct sender *s)
{
        if (!s)
                return;
        (void)pthread_mutex_lock(&s->lock);
        s->nudges++;
        (void)pthread_cond_broadcast(&s->wake);
        (void)pthread_mutex_unlock(&s->lock);
}

void sender_stop(struct district *d)
{
        struct sender *s = d->sender;
        if (!s)
                return;
        atomic_store(&s->stop, true);
        sender_nudge(s);
        for (size_t i = 0; i < s->n_lanes; i++) {
                while (s->lanes[i].n_threads > 0)
                        (void)pthread_join(s->lanes[i].threads[--s->lanes[i].n_threads], NULL);
                (void)pthread_mutex_destroy(&s->lanes[i].taking);
                (void)pthread_mutex_destroy(&s->lanes[i].lock);
        }
        if (s->kept)
                (void)pthread_join(s->keeper, NULL);
        (void)pthread_mutex_destroy(&s->lock);
        (void)pthread_cond_destroy(&s->wake);
        free(s);
        d->sender = NULL;
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        const struct district *d = ctx;
        (void)timer, (void)now, (void)e;
        sender_nudge(d->sender);
        return true;
}

const struct timer_kind notify_send_timer = {
        .name = "notify-send",
        .about = "A message of release 0.1.0, which a lane sends now.",
        .run = run,
};

/* --- figures ----------------------------------------------------------------------------------------------------------------- */
static int64_t sum(const struct sender *s, enum medium m, enum count count)
{
        int64_t all = 0;
        for (size_t i = 0; s && i < s->n_lanes; i++)
                if (s->lanes[i].name.medium == m)
                        all += atomic_load(&s->lanes[i].counts[count]);
        return all;
}

static void write_sums(const struct sender *s, const char *name, const char *help, enum count count, struct buf *out)
{
        static const enum medium media[] = {MEDIUM_SMS, MEDIUM_MAIL, MEDIUM_WEBHOOK};
        figure_head(out, name, "counter", help);
        for (size_t i = 0; i < COUNT_OF(media); i++)
                buf_format(out, "%s{medium=\"%s\"} %lld\n", name, medium_name(media[i]), (long long)sum(s, media[i], count));
}

void notify_figures(struct district *d, struct store *store, struct buf *out)
{
        static const enum medium media[] = {MEDIUM_SMS, MEDIUM_MAIL, MEDIUM_WEBHOOK};
        const struct sender *s = d->sender;
        struct err e;
        int64_t n;
        write_sums(s, "yiwang_messages_sent_total", "Messages taken by the other side.", SENT, out);
        write_sums(s, "yiwang_messages_refused_total", "Messages that were refused for good.", REFUSED, out);
        write_sums(s, "yiwang_messages_failed_total", "Tries that failed.", FAILED, out);
        figure(out, "yiwang_messages_gave_up_total", "counter", "Messages given up after the setting message_hours.",
               s ? (int64_t)atomic_load(&s->gave_up) : 0);
        figure_head(out, "yiwang_messages_waiting", "gauge", "Messages that wait to be sent, up to 100000.");
        for (size_t i = 0; i < COUNT_OF(media); i++)
                if (messages_waiting(store, media[i], &n, &e))
                        buf_format(out, "yiwang_messages_waiting{medium=\"%s\"} %lld\n", medium_name(media[i]), (long long)n);
}
