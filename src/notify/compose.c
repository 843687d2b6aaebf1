/* notify/compose.c -- from outbox events to messages.
 *
 * Most events only tell a unit, which is a line in the log: they cost no statement at all.
 */
#include "notify/notices.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "json/json.h"
#include "notify/notify.h"
#include "people/people.h"
#include "store/store.h"
#include "task/task.h"
#include <stdio.h>

static const char SQL_CASE[] = "SELECT number, track, unit, due, state, title, item FROM cases WHERE number = $1";
static const char SQL_HAS_EMAIL[] =
        "SELECT COUNT(*) FROM cases c JOIN reporter r ON r.report_id = c.id WHERE c.number = $1 AND r.email IS NOT NULL";
static const char SQL_MESSAGE[] =
        "INSERT INTO message(id, event_tx, event_seq, medium, target, subject, body, state, error, created_at, sent_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', '', $8, 0) ON CONFLICT (event_tx, event_seq, medium, target) DO NOTHING";
struct post {
        struct district *district;
        const struct rulebook *rules;
        struct arena *arena;
        const struct event *events;
        size_t n;
        int64_t now;
};
/* One event to one audience. */
struct telling {
        const struct event *event;
        const struct notice *notice;
};
struct facts {
        const char *number, *track, *item, *unit, *unit_name, *due, *state, *title;
};

char *notice_fill(struct arena *a, const char *text, const char *const *pairs)
{
        struct buf b = BUF_LIMIT(1 << 20);
        while (*text) {
                const char *value = NULL;
                size_t skip = 1;
                for (const char *const *p = pairs; *text == '{' && *p && !value; p += 2) {
                        size_t n = strlen(p[0]);
                        if (strncmp(text + 1, p[0], n) == 0 && text[n + 1] == '}') {
                                value = p[1];
                                skip = n + 2;
                        }
                }
                if (value)
                        buf_text(&b, value);
                else
                        buf_byte(&b, *text);
                text += skip;
        }
        char *out = arena_text(a, b.at ? b.at : "");
        buf_free(&b);
        return out;
}

/* 1 found, 0 there is no such case, -1 failed. */
static int read_facts(struct tx *tx, const struct post *p, const char *number, struct facts *f, struct err *e)
{
        struct rows r;
        char due[TIME_TEXT_SIZE];
        int found = tx_first(tx, &r, e, SQL_CASE, ARGS(V(number)));
        if (found <= 0)
                return found;
        const char *unit = rows_text(&r, p->arena, 2);
        const struct unit *known = unit_find(p->rules->units, unit);
        *f = (struct facts){
                .number = rows_text(&r, p->arena, 0),
                .track = rows_text(&r, p->arena, 1),
                .unit = unit,
                .unit_name = known ? known->name : unit,
                .state = rows_text(&r, p->arena, 4),
                .title = rows_text(&r, p->arena, 5),
                .item = rows_text(&r, p->arena, 6),
                .due = rows_int(&r, 3) ? arena_text(p->arena, time_text(due, rows_int(&r, 3), ZONE_SHANGHAI)) : "",
        };
        return rows_done(&r, e) ? 1 : -1;
}

static char *body_of(const struct post *p, const struct notice *notice, const struct facts *f)
{
        const struct notify_settings *s = p->district->notify;
        const char *text = s && text_is(s->language, "en") ? notice->en : notice->zh;
        const char *const pairs[] = {"number", f->number, "track", f->track, "item",  f->item,  "unit", f->unit_name,
                                     "due",    f->due,    "state", f->state, "title", f->title, NULL};
        return notice_fill(p->arena, text ? text : "{number} {state}", pairs);
}

static bool queue(struct tx *tx, const struct post *p, const struct event *ev, const char *medium, const char *target,
                  const char *subject, const char *body, struct err *e)
{
        char key[24];
        int64_t id = id_new(p->district->ids, p->now);
        int added = tx_expect(tx, e, SQL_MESSAGE,
                              ARGS(V(id), V(ev->at.tx), V(ev->at.seq), V(medium), V(target), V(subject), V(body), V(p->now)), 1);
        (void)snprintf(key, sizeof key, "%lld", (long long)id);
        return added == 0 || (added == 1 && timer_set(tx, notify_send_timer.name, key, p->now, NULL, e));
}

static bool mails(const struct post *p)
{
        return p->district->notify && p->district->notify->smtp_url;
}

static bool mail_reporter(struct tx *tx, const struct post *p, const struct telling *t, struct err *e)
{
        int64_t has_email;
        struct facts f;
        if (!tx_int(tx, &has_email, 0, e, SQL_HAS_EMAIL, ARGS(V(t->event->key))))
                return false;
        const int found = has_email ? read_facts(tx, p, t->event->key, &f, e) : 0;
        return found == 0 || (found > 0 && queue(tx, p, t->event, "smtp", "reporter", f.number, body_of(p, t->notice, &f), e));
}

static bool call_webhooks(struct tx *tx, const struct post *p, const struct event *ev, struct err *e)
{
        const struct notify_settings *s = p->district->notify;
        for (size_t i = 0; s && i < s->n_webhooks; i++)
                if (!queue(tx, p, ev, "webhook", s->webhooks[i].url, ev->key, ev->payload, e))
                        return false;
        return true;
}

/* --- who is told ---------------------------------------------------------------------------------------------------- */

static const char *payload_text(const struct post *p, const struct event *ev, const char *name)
{
        struct err ignored;
        return json_get_text(json_parse(p->arena, ev->payload, strlen(ev->payload), &ignored), name, "");
}

/* Calls `to` for each audience of each event. */
static bool for_each(const struct post *p, bool (*to)(void *ctx, const struct telling *, struct err *), void *ctx, struct err *e)
{
        for (size_t i = 0; i < p->n; i++) {
                const struct event *ev = &p->events[i];
                const bool reporter = text_is(ev->topic, "reporter");
                const char *topic = reporter || text_is(ev->topic, "case") ? payload_text(p, ev, "move") : ev->topic;
                for (size_t k = 0; k < p->rules->notices->n; k++) {
                        const struct telling t = {.event = ev, .notice = &p->rules->notices->at[k]};
                        if (text_is(t.notice->topic, topic) && (t.notice->audience == TELL_REPORTER) == reporter && !to(ctx, &t, e))
                                return false;
                }
        }
        return true;
}

static bool is_stored(const struct post *p, const struct telling *t)
{
        return (t->notice->audience == TELL_REPORTER && mails(p))
               || (t->notice->audience == TELL_WEBHOOK && p->district->notify && p->district->notify->n_webhooks > 0);
}

struct storing {
        struct tx *tx;
        const struct post *post;
};

static bool store_one(void *ctx, const struct telling *t, struct err *e)
{
        const struct storing *s = ctx;
        if (!is_stored(s->post, t))
                return true;
        return t->notice->audience == TELL_WEBHOOK ? call_webhooks(s->tx, s->post, t->event, e)
                                                   : mail_reporter(s->tx, s->post, t, e);
}

static bool store_all(struct tx *tx, void *ctx, struct err *e)
{
        return for_each(ctx, store_one, &(struct storing){tx, ctx}, e);
}

static bool log_one(void *ctx, const struct telling *t, struct err *e)
{
        const struct post *p = ctx;
        (void)e;
        if (t->notice->audience == TELL_UNIT)
                log_event(LOG_INFO, "notify.unit", "case=%s unit=%s topic=%s", t->event->key, payload_text(p, t->event, "unit"),
                          t->event->topic);
        else if (t->notice->audience == TELL_REPORTER && !mails(p))
                log_event(LOG_INFO, "notify.reporter", "case=%s medium=log", t->event->key);
        return true;
}

static bool stores_none(void *ctx, const struct telling *t, struct err *e)
{
        (void)e;
        return !is_stored(ctx, t); /* false ends the search */
}

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct district *d = ctx;
        struct post p = {.district = d, .rules = district_rules(d, e), .events = events, .n = n, .now = clock_now()};
        if (!p.rules)
                return false;
        p.arena = arena_new();
        const bool nothing = for_each(&p, stores_none, &p, e);
        bool ok = nothing || store_write(d->store, store_all, &p, e);
        ok = ok && for_each(&p, log_one, &p, e);
        arena_free(&p.arena);
        return ok;
}

const struct consumer notify_consumer = {
        .name = "notify",
        .about = "Makes messages of events, as notices.csv says.",
        .take = take,
};
