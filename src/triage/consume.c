/* triage/consume.c -- what became of the machine's answers: counted, learned, and a shadow judged by them. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cases/cases.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"
#include "triage/inside.h"
#include <math.h>

static const char SQL_OPINION[] =
        "SELECT c.id, COALESCE(o.at, 0), COALESCE(o.guess, ''), COALESCE(o.sure, 0), COALESCE(o.shadow, ''),"
        " COALESCE(o.shadow_id, 0),"
        " COALESCE(o.judged, 1), COALESCE(o.settled, ''), c.item, c.open, o.case_id,"
        " (SELECT t.unit FROM case_task t WHERE t.case_id = c.id AND t.kind = 'lead' AND t.state = 'done'"
        " ORDER BY t.n DESC LIMIT 1),"
        " (SELECT h.unit FROM triage_handled h WHERE h.case_id = c.id ORDER BY h.id DESC LIMIT 1)"
        " FROM cases c LEFT JOIN triage_opinion o ON o.case_id = c.id WHERE c.number = $1";
static const char SQL_HANDLED[] =
        "INSERT INTO triage_handled(id, case_id, unit, at) SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3 FROM triage_handled"
        " HAVING NOT EXISTS (SELECT 1 FROM triage_handled WHERE case_id = $1 AND unit = $2)";
static const char SQL_SETTLE[] =
        "UPDATE triage_opinion SET judged = $2, hit = CASE WHEN judged = 1 THEN hit ELSE $3 END, settled = $4 WHERE case_id = $1";
static const char SQL_FIX[] =
        "INSERT INTO triage_fix(id, case_id, was, item, at) SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4 FROM triage_fix";
static const char SQL_JUDGE[] =
        "UPDATE triage_model SET judged = judged + 1, only_it = only_it + $2, only_other = only_other + $3 WHERE id = $1"
        " AND state = 'shadow'";
static const char SQL_SHADOW[] = "SELECT id, judged, only_it, only_other FROM triage_model WHERE state = 'shadow' AND judged >= $1";
static const char SQL_RIPE[] = "SELECT COUNT(*) FROM triage_model WHERE state = 'shadow' AND judged >= $1";
static const char SQL_STATE[] = "UPDATE triage_model SET state = $2, state_since = $3 WHERE id = $1";
static const char SQL_RETIRE[] = "UPDATE triage_model SET state = 'retired', state_since = $1 WHERE state = 'active'";

struct outcome {
        int64_t case_id, at, shadow_id;
        const char *guess, *shadow, *settled, *item;
        bool sure, judged, open, read;
        const char *handler; /* who has done the lead task; NULL */
        const char *taught;  /* who was learned to have handled it; NULL */
};

/* 1 found, 0 there is no such case, -1 failed. */
static int read_outcome(struct tx *tx, struct arena *a, const char *number, struct outcome *o, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_OPINION, ARGS(V(number)));
        if (found <= 0)
                return found;
        *o = (struct outcome){
                .case_id = rows_int(&r, 0),
                .at = rows_int(&r, 1),
                .guess = rows_text(&r, a, 2),
                .sure = rows_int(&r, 3) != 0,
                .shadow = rows_text(&r, a, 4),
                .shadow_id = rows_int(&r, 5),
                .judged = rows_int(&r, 6) != 0,
                .settled = rows_text(&r, a, 7),
                .item = rows_text(&r, a, 8),
                .open = rows_int(&r, 9) != 0,
                .read = !rows_null(&r, 10),
                .handler = rows_text(&r, a, 11),
                .taught = rows_text(&r, a, 12),
        };
        return rows_done(&r, e) ? 1 : -1;
}

/* A person chose the item, or the case ended with the machine's. */
static bool is_known(const struct outcome *o)
{
        return !text_empty(o->item) && (!o->sure || !text_is(o->item, o->guess) || !o->open);
}

static bool judge_shadow(struct tx *tx, const struct outcome *o, bool hit, struct err *e)
{
        const bool shadow_hit = text_is(o->shadow, o->item);
        return o->shadow_id == 0
               || tx_change(tx, e, SQL_JUDGE, ARGS(V(o->shadow_id), V(shadow_hit && !hit ? 1 : 0), V(hit && !shadow_hit ? 1 : 0)))
                          >= 0;
}

/* A person's choice is learned when it is not what the machine would say anyway: each new choice once. */
static bool is_chosen(const struct outcome *o)
{
        const bool by_machine = text_is(o->item, o->guess) && o->sure && text_empty(o->settled);
        return !text_empty(o->item) && !text_is(o->item, o->settled) && !by_machine;
}

static bool is_news(const struct outcome *o)
{
        const bool handled = !text_empty(o->handler) && !text_empty(o->item) && !text_is(o->handler, o->taught);
        return handled || (o->read && (is_chosen(o) || (!o->judged && is_known(o))));
}

static bool settle(struct tx *tx, const struct outcome *o, int64_t now, struct err *e)
{
        const bool judged = !o->judged && is_known(o), hit = text_is(o->guess, o->item);
        if (!judged && !is_chosen(o))
                return true;
        return (!is_chosen(o) || tx_change(tx, e, SQL_FIX, ARGS(V(o->case_id), V(o->guess), V(o->item), V(now))) == 1)
               && (!judged || judge_shadow(tx, o, hit, e))
               && tx_change(tx, e, SQL_SETTLE,
                            ARGS(V(o->case_id), V(o->judged || judged ? 1 : 0), V(hit && (judged || o->judged) ? 1 : 0),
                                 V(o->item)))
                          == 1;
}

/* McNemar's test on the answers of which only one was right (one-sided, 5 %): the shadow is adopted unless it is worse. */
static bool decide(struct tx *tx, int64_t now, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_SHADOW, ARGS(V((int)SHADOW_TRUTHS)));
        if (found <= 0)
                return found == 0;
        const int64_t id = rows_int(&r, 0);
        const double it = (double)rows_int(&r, 2), other = (double)rows_int(&r, 3);
        if (!rows_done(&r, e))
                return false;
        const bool worse = other - it > 1.645 * sqrt(it + other);
        log_event(LOG_INFO, "triage.shadow", "id=%lld only_it=%.0f only_other=%.0f adopted=%s", (long long)id, it, other,
                  worse ? "no" : "yes");
        return (worse || tx_change(tx, e, SQL_RETIRE, ARGS(V(now))) >= 0)
               && tx_change(tx, e, SQL_STATE, ARGS(V(id), V(worse ? "retired" : "active"), V(now))) == 1;
}

/* Who brought the case to its end has shown that it is his. */
static bool handled(struct tx *tx, const struct outcome *o, int64_t now, struct err *e)
{
        return text_empty(o->handler) || text_empty(o->item)
               || tx_change(tx, e, SQL_HANDLED, ARGS(V(o->case_id), V(o->handler), V(now))) >= 0;
}

struct batch {
        const struct event *events;
        size_t n;
        struct arena *arena;
        const char **news; /* numbers of cases that teach something */
        size_t n_news;
        bool ripe; /* a shadow can be judged */
        int64_t now;
};

/* Most events teach nothing, filing least of all: that is found out without keeping the writer from its work. */
static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct batch *b = ctx;
        int64_t ripe = 0;
        b->n_news = 0;
        for (size_t i = 0; i < b->n; i++) {
                struct outcome o;
                if (!text_is(b->events[i].topic, "case") || case_event_files(b->arena, &b->events[i]))
                        continue;
                const int found = read_outcome(tx, b->arena, b->events[i].key, &o, e);
                if (found < 0)
                        return false;
                if (found > 0 && is_news(&o))
                        b->news[b->n_news++] = b->events[i].key;
        }
        if (!tx_int(tx, &ripe, 0, e, SQL_RIPE, ARGS(V((int)SHADOW_TRUTHS))))
                return false;
        b->ripe = ripe > 0;
        return true;
}

static bool take_batch(struct tx *tx, void *ctx, struct err *e)
{
        struct batch *b = ctx;
        for (size_t i = 0; i < b->n_news; i++) {
                struct outcome o;
                const int found = read_outcome(tx, b->arena, b->news[i], &o, e);
                if (found < 0 || (found > 0 && ((o.read && !settle(tx, &o, b->now, e)) || !handled(tx, &o, b->now, e))))
                        return false;
        }
        /* Other processes look for what is new when they are told of something. */
        return decide(tx, b->now, e) && outbox_put(tx, "triage", "learned", "{}", b->now, e);
}

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct district *d = ctx;
        struct batch b = {.events = events, .n = n, .arena = arena_new(), .now = clock_now()};
        b.news = NEW_ARRAY(b.arena, const char *, n + 1);
        bool ok = store_read(d->store, look, &b, e);
        if (ok && (b.n_news > 0 || b.ripe))
                ok = store_write(d->store, take_batch, &b, e) && (!d->triage || triage_refresh(d, e));
        arena_free(&b.arena);
        return ok;
}

const struct consumer triage_consumer = {
        .name = "triage",
        .about = "Learns from what people decide.",
        .take = take,
};
