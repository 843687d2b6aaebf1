/* exchange/send.c -- sends what waits, a peer at a time, each case's messages in their order.
 *
 * The timer's key is the peer.  It is set with every message and, behind a run, to the next one that waits: so it outlives the
 * program like the messages do.  A peer that cannot be reached rests with all that waits for it, up to a minute; nothing is ever
 * given up. */
#include "exchange/inside.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/text.h"
#include "district/district.h"
#include "letter/pace.h"
#include "store/store.h"
#include "task/task.h"
#include <sys/random.h>

/* Longer than one try: what a program that died had leased is taken again then. */
#define LEASE ((CALL_SECONDS + 10) * USEC_SECOND)
#define REST_MOST USEC_MINUTE
#define KEPT (90 * USEC_DAY) /* what the peer took */
enum { SENT_AT_ONCE = 500 };

struct sending {
        struct district *district;
        const char *peer;
        struct arena *arena;
        struct queued queued;
        int found;
        int64_t now;
        /* what came of it */
        const char *state, *error, *peer_number;
        int64_t rest_until;
};

static uint32_t any_number(void)
{
        uint32_t n = 0;
        return getrandom(&n, sizeof n, GRND_NONBLOCK) == (ssize_t)sizeof n ? n : UINT32_MAX / 2;
}

static bool take(struct tx *tx, void *ctx, struct err *e)
{
        struct sending *s = ctx;
        s->found = queue_take(tx, s->arena, s->peer, s->now, s->now + LEASE, &s->queued, e);
        return s->found >= 0;
}

static bool settle(struct tx *tx, void *ctx, struct err *e)
{
        const struct sending *s = ctx;
        const struct queued *q = &s->queued;
        bool lost;
        if (s->rest_until)
                return queue_rest(tx, s->peer, q, s->error, s->rest_until, e) && link_failed(tx, s->peer, q->case_id, s->error, e);
        if (!queue_settle(tx, q, s->state, s->error, s->now, &lost, e))
                return false;
        if (lost)
                return true;
        if (text_is(s->state, "sent"))
                return link_acked(tx, s->peer, q->case_id, q->revision, s->peer_number, s->error, e);
        return link_failed(tx, s->peer, q->case_id, s->error, e);
}

static bool wake(struct tx *tx, void *ctx, struct err *e)
{
        const struct sending *s = ctx;
        return queue_forget(tx, s->peer, s->now - KEPT, e) && queue_wake(tx, s->peer, e);
}

/* The peer's own sentence may quote what a citizen wrote: it goes to the link, which staff see, and not into the log. */
static void rest(struct sending *s, long status, const char *why)
{
        s->error = why;
        s->rest_until = s->now + pace_backoff(s->queued.tries + 1, REST_MOST, any_number());
        log_event(LOG_WARN, "exchange.failed", "peer=%s message=%lld tries=%d status=%ld", s->peer, (long long)s->queued.id,
                  s->queued.tries + 1, status);
}

/* The sentence of a refusal (RFC 9457), else its status. */
static const char *sentence(struct arena *a, long status, const struct buf *answer)
{
        struct err ignored;
        const struct json_value *v = answer->length ? json_parse(a, answer->at, answer->length, &ignored) : NULL;
        const char *detail = text_mend(arena_format(a, "%.300s", json_get_text(v, "detail", "")));
        return arena_format(a, "%ld%s%s", status, *detail ? ": " : "", detail);
}

/* What this peer will never take, however often it is said. */
static bool for_good(long status)
{
        return status == 400 || status == 404 || status == 409 || status == 413 || status == 415 || status == 422;
}

static void judge(struct sending *s, long status, const struct buf *answer)
{
        struct exchange_answer x;
        struct err e;
        if (status >= 200 && status < 300
            && exchange_answer_parse(s->arena, answer->at ? answer->at : "", answer->length, &x, &e)) {
                s->state = "sent";
                s->peer_number = x.number;
                s->error = text_is(x.result, "conflict")
                                   ? text_mend(arena_format(s->arena, "conflict there: %.300s", x.detail ? x.detail : ""))
                                   : "";
        } else if (for_good(status)) {
                s->state = "refused";
                s->error = sentence(s->arena, status, answer);
                log_event(LOG_WARN, "exchange.refused", "peer=%s message=%lld status=%ld", s->peer, (long long)s->queued.id,
                          status);
        } else {
                rest(s, status, sentence(s->arena, status, answer));
        }
}

static bool send_one(struct sending *s, struct caller *caller, struct err *e)
{
        struct buf answer = BUF_LIMIT(CALL_ANSWER_MOST);
        struct err why;
        long status;
        s->rest_until = 0;
        s->state = s->error = "";
        s->peer_number = NULL;
        const bool reached = caller_ask(caller, "/cases", s->queued.body, clock_now(), &status, &answer, &why);
        s->now = clock_now();
        if (reached)
                judge(s, status, &answer);
        else
                rest(s, 0, arena_text(s->arena, why.text));
        buf_free(&answer);
        return store_write(s->district->store, settle, s, e);
}

static bool send_all(struct sending *s, struct caller *caller, struct err *e)
{
        for (int i = 0; i < SENT_AT_ONCE; i++) {
                arena_reset(s->arena);
                s->now = clock_now();
                if (!store_write(s->district->store, take, s, e))
                        return false;
                if (s->found == 0)
                        return true;
                if (!send_one(s, caller, e))
                        return false;
                if (s->rest_until)
                        return true;
        }
        return true;
}

static bool look_again(struct tx *tx, void *ctx, struct err *e)
{
        const struct sending *s = ctx;
        return timer_set(tx, exchange_send_timer.name, s->peer, s->now + REST_MOST, NULL, e);
}

/* Without an address the messages wait until the settings have one. */
static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        const struct peer_access *access = peer_access_find(d->exchange, timer->key);
        struct sending s = {.district = d, .peer = timer->key, .arena = arena_new(), .now = now};
        bool ok = true;
        if (access) {
                struct caller *caller = caller_new(d->exchange, access);
                ok = send_all(&s, caller, e);
                caller_free(&caller);
                ok = ok && store_write(d->store, wake, &s, e);
        } else {
                log_event(LOG_WARN, "exchange.no_address", "peer=%s", timer->key);
                ok = store_write(d->store, look_again, &s, e);
        }
        arena_free(&s.arena);
        return ok;
}

/* Never parked: a peer may be away for days. */
const struct timer_kind exchange_send_timer = {
        .name = "exchange-send",
        .about = "Sends what waits for another platform.",
        .run = run,
        .most_tries = 1 << 30,
};

void exchange_figures(struct store *store, struct buf *out)
{
        struct err e;
        int64_t waiting, conflicts;
        if (!queue_counts(store, &waiting, &conflicts, &e))
                return;
        figure(out, "yiwang_exchange_waiting", "gauge", "Messages to other platforms that wait, up to 100000.", waiting);
        figure(out, "yiwang_exchange_conflicts", "gauge", "Exchanged cases whose conflict waits for a person, up to 100000.",
               conflicts);
}
