/* notify/compose.c -- from outbox events to messages.
 *
 * Most events only tell a unit, which is a line in the log: they cost no statement at all.  For the others everything is read and
 * written down first, over a snapshot; the transaction that follows only puts rows in.
 */
#include "notify/notices.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "json/json.h"
#include "mention/mention.h"
#include "notify/callback.h"
#include "notify/contact.h"
#include "notify/notify.h"
#include "people/people.h"
#include "sight/query.h"
#include "store/store.h"

static const char SQL_CASE[] =
        "SELECT " CASE_REPORT ", c.track, c.unit, c.due, c.title, c.item, c.urgent, c.created_at, c.state, s.zh, s.en, r.language"
        " FROM cases c LEFT JOIN workflow_state s ON s.version = c.version AND s.workflow = c.workflow AND s.name = c.state"
        " LEFT JOIN report r ON r.id = " CASE_REPORT " WHERE c.number = $1";

/* What happened longer before it was told was brought in from elsewhere (import): nobody is written to about it. */
#define OLD_NEWS USEC_DAY
enum { HOURS_USUAL = 48, DAYS_USUAL = 30 };

struct letter {
        struct message message;
        bool has_token;
        struct callback_token token;
        const char *result;
        struct letter *next;
};
struct post {
        struct district *district;
        const struct fold *fold;
        const struct rulebook *rules;
        const struct notify_settings *settings;
        struct arena *arena;
        const struct event *events;
        size_t n;
        int64_t now;
        struct letter *first, **last;
};
/* One event to one audience. */
struct telling {
        const struct event *event;
        const struct notice *notice;
        const struct json_value *payload;
};
struct facts {
        int64_t report, due, created;
        const char *number, *track, *unit, *title, *item, *state, *states[LANGUAGES], *language;
        bool urgent;
};

/* 1 found, 0 there is no such case, -1 failed. */
static int read_facts(struct tx *tx, const struct post *p, const char *number, struct facts *f, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_CASE, ARGS(V(number)));
        if (found <= 0)
                return found;
        *f = (struct facts){
                .report = rows_int(&r, 0),
                .number = number,
                .track = rows_text(&r, p->arena, 1),
                .unit = rows_text(&r, p->arena, 2),
                .due = rows_int(&r, 3),
                .title = rows_text(&r, p->arena, 4),
                .item = rows_text(&r, p->arena, 5),
                .urgent = rows_int(&r, 6) != 0,
                .created = rows_int(&r, 7),
                .state = rows_text(&r, p->arena, 8),
                .states = {rows_text(&r, p->arena, 9), rows_text(&r, p->arena, 10)},
                .language = rows_text(&r, p->arena, 11),
        };
        return rows_done(&r, e) ? 1 : -1;
}

static enum language language_of(const struct post *p, const struct facts *f)
{
        const char *name = text_empty(f->language) && p->settings ? p->settings->language : f->language;
        return text_is(name, "en") ? LANGUAGE_EN : LANGUAGE_ZH;
}

/* "2026年11月23日09:30", "2026-11-23 09:30" */
static const char *time_for_people(struct arena *a, int64_t instant, enum language l)
{
        const struct civil c = civil_of(instant, ZONE_SHANGHAI);
        return instant == 0 ? ""
                            : arena_format(a, l == LANGUAGE_ZH ? "%d年%d月%d日%02d:%02d" : "%d-%02d-%02d %02d:%02d", c.year,
                                           c.month, c.day, c.hour, c.minute);
}

static const char *time_named(const struct telling *t, const char *name, struct arena *a, enum language l)
{
        const char *text = json_get_text(t->payload, name, "");
        int64_t instant;
        return time_parse(text, ZONE_SHANGHAI, &instant) ? time_for_people(a, instant, l) : text;
}

/* The payload of what a joint case tells names the case it was merged into ("lead"): that was written to somebody else. */
static const char *said(const struct post *p, const struct telling *t, const char *name)
{
        const char *text = json_get_text(t->payload, name, "");
        return json_get_text(t->payload, "lead", NULL) ? mentions_masked(p->fold, p->arena, text) : text;
}

/* --- one letter -------------------------------------------------------------------------------------------------------------- */
static const char *either(const char *first, const char *otherwise)
{
        return first ? first : otherwise;
}

static const char *item_name(const struct post *p, const struct facts *f, enum language l)
{
        const struct item *item = text_empty(f->item) ? NULL : item_find(p->rules->catalogue, f->item);
        if (!item)
                return f->item;
        return l == LANGUAGE_EN ? either(item->name_en, item->name) : item->name;
}

static const char *unit_name(const struct post *p, const struct facts *f, enum language l)
{
        const struct unit *unit = unit_find(p->rules->units, f->unit);
        if (!unit)
                return f->unit;
        return l == LANGUAGE_EN ? either(unit->name_en, unit->name) : unit->name;
}

static char *fill(const struct post *p, const struct telling *t, const struct facts *f, const char *text, enum medium medium,
                  enum language l)
{
        const char *base = p->settings ? p->settings->public_url : NULL;
        const struct fill values[] = {
                {"number", f->number, true},
                {"track", f->track, true},
                {"title", f->title, false},
                {"item", item_name(p, f, l), false},
                {"unit", unit_name(p, f, l), false},
                {"state", either(f->states[l], f->state), false},
                {"due", time_for_people(p->arena, f->due, l), true},
                {"result", said(p, t, "result"), false},
                {"reason", said(p, t, "reason"), false},
                {"note", said(p, t, "note"), false},
                {"until", time_named(t, "until", p->arena, l), false},
                {"district", l == LANGUAGE_EN ? either(p->rules->title_en, p->rules->title) : p->rules->title, true},
                {"tracking_link", base ? arena_format(p->arena, "%s/track/%s", base, f->track) : NULL, true},
                {"callback_link", base && t->notice->asks && medium != MEDIUM_WEB ? LINK_MARK : NULL, true},
                {0},
        };
        return text_fill(p->arena, text, values, medium == MEDIUM_SMS ? SMS_VALUE_MOST : 0);
}

/* What is said of which matter, so that the same is not said twice to one person: to the citizen a joint case and the one it was
 * merged into are one matter. */
static const char *sameness(const struct post *p, const struct telling *t)
{
        unsigned char hash[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        const char *text =
                arena_format(p->arena, "%s\n%s\n%s\n%s", t->notice->text, json_get_text(t->payload, "lead", t->event->key),
                             json_get_text(t->payload, "result", ""), json_get_text(t->payload, "note", ""));
        sha256(text, strlen(text), hash);
        hex_text(hash, sizeof hash, hex);
        return arena_text(p->arena, hex);
}

static struct letter *letter_new(struct post *p, const struct telling *t, enum medium medium, const char *target)
{
        struct letter *l = NEW(p->arena, struct letter);
        const int64_t hours = p->settings && p->settings->hours > 0 ? p->settings->hours : HOURS_USUAL;
        l->message = (struct message){
                .id = id_new(p->district->ids, p->now),
                .event = t->event->at,
                .medium = medium,
                .target = target,
                .number = t->event->key,
                .topic = t->notice->topic,
                .language = "",
                .title = "",
                .recipient = "",
                .same = "",
                .created = p->now,
                .not_before = p->now,
                .expires = p->now + hours * USEC_HOUR,
        };
        *p->last = l;
        p->last = &l->next;
        return l;
}

static bool write_to(struct post *p, const struct telling *t, const struct facts *f, enum medium medium, const char *address,
                     struct err *e)
{
        const enum language l = language_of(p, f);
        const enum language of = t->notice->texts[l][medium] ? l : LANGUAGE_ZH;
        const char *text = t->notice->texts[of][medium], *subject = f->number, *body = text ? text : "{number} {state}";
        if (medium == MEDIUM_MAIL && t->notice->own_mail[of] && !mail_text_split(p->arena, text, &subject, &body))
                body = text;
        struct letter *letter = letter_new(p, t, medium, TARGET_REPORTER);
        struct message *m = &letter->message;
        m->report = f->report;
        m->language = language_names[of];
        m->urgent = f->urgent;
        m->asks = t->notice->asks && medium != MEDIUM_WEB;
        m->title = fill(p, t, f, subject, medium, of);
        m->body = fill(p, t, f, body, medium, of);
        m->recipient = address ? contact_digest(p->arena, p->district, address) : "";
        m->same = sameness(p, t);
        if (medium == MEDIUM_SMS && !f->urgent)
                m->not_before = quiet_end(&p->settings->quiet, p->now);
        m->expires += m->not_before - p->now;
        letter->result = said(p, t, "result");
        letter->has_token = strchr(m->body, LINK_MARK[0]) != NULL;
        if (letter->has_token && !callback_token_new(p->district, p->arena, m->id, &letter->token, e))
                return false;
        m->secret = letter->token.sealed;
        m->secret_n = letter->token.sealed_n;
        return true;
}

static bool has_lane(const struct post *p, enum medium m)
{
        return p->settings && (m == MEDIUM_SMS ? p->settings->sms != NULL : m == MEDIUM_MAIL && p->settings->smtp_url);
}

/* --- who is told ------------------------------------------------------------------------------------------------------------- */

/* The page, and the first of SMS and mail that reaches. */
static bool tell_reporter(struct tx *tx, struct post *p, const struct telling *t, const struct facts *f, struct err *e)
{
        struct contact contact;
        bool found;
        if (t->notice->media[MEDIUM_WEB] && !write_to(p, t, f, MEDIUM_WEB, NULL, e))
                return false;
        if (!has_lane(p, MEDIUM_SMS) && !has_lane(p, MEDIUM_MAIL))
                return true;
        if (!contact_read(tx, p->arena, f->report, &contact, &found, e))
                return false;
        for (int i = 0; found && i < t->notice->n_order; i++) {
                const enum medium m = t->notice->order[i];
                const char *address = has_lane(p, m) ? contact_address(p->arena, p->district, &contact, m) : NULL;
                if (address)
                        return write_to(p, t, f, m, address, e);
        }
        return true;
}

/* A case's first event: received, and perhaps filed and dispatched at once.  It tells the reporter the topic `accept`. */
static bool is_accept(const struct telling *t, const struct facts *f)
{
        int64_t at;
        return time_parse(json_get_text(t->payload, "at", ""), ZONE_SHANGHAI, &at) && at == f->created;
}

static bool is_old(const struct telling *t)
{
        int64_t at;
        return time_parse(json_get_text(t->payload, "at", ""), ZONE_SHANGHAI, &at) && at < t->event->time - OLD_NEWS;
}

/* The moves a new case may be filed with. */
static bool files(const char *move)
{
        return text_is(move, "receive") || text_is(move, "file") || text_is(move, "dispatch");
}

/* Whether the notice is about the event, as far as can be told without reading the case. */
static bool concerns(const struct notice *n, const struct event *ev, const char *move)
{
        const bool from_tell = text_is(ev->topic, "reporter"), from_case = text_is(ev->topic, "case");
        if (n->audience != TELL_REPORTER)
                return !from_tell && text_is(n->topic, from_case ? move : ev->topic);
        if (from_tell)
                return n->tells && text_is(n->topic, move);
        if (!from_case)
                return text_is(n->topic, ev->topic);
        return (!n->tells && text_is(n->topic, move)) || (text_is(n->topic, "accept") && files(move));
}

/* Calls `to` for each audience of each event. */
static bool for_each(struct post *p, bool (*to)(void *ctx, const struct telling *, struct err *), void *ctx, struct err *e)
{
        for (size_t i = 0; i < p->n; i++) {
                const struct event *ev = &p->events[i];
                struct err ignored;
                const struct json_value *payload = json_parse(p->arena, ev->payload, strlen(ev->payload), &ignored);
                for (size_t k = 0; k < p->rules->notices->n; k++) {
                        const struct telling t = {.event = ev, .notice = &p->rules->notices->at[k], .payload = payload};
                        if (concerns(t.notice, ev, json_get_text(payload, "move", "")) && !to(ctx, &t, e))
                                return false;
                }
        }
        return true;
}

static bool is_stored(const struct post *p, const struct telling *t)
{
        const struct notice *n = t->notice;
        if (n->audience == TELL_WEBHOOK)
                return p->settings && p->settings->n_webhooks > 0;
        return n->audience == TELL_REPORTER && !is_old(t)
               && (n->media[MEDIUM_WEB] || (n->media[MEDIUM_SMS] && has_lane(p, MEDIUM_SMS))
                   || (n->media[MEDIUM_MAIL] && has_lane(p, MEDIUM_MAIL)));
}

struct writing {
        struct tx *tx;
        struct post *post;
};

static bool write_one(void *ctx, const struct telling *t, struct err *e)
{
        const struct writing *w = ctx;
        struct post *p = w->post;
        struct facts f;
        if (!is_stored(p, t))
                return true;
        for (size_t i = 0; t->notice->audience == TELL_WEBHOOK && i < p->settings->n_webhooks; i++)
                letter_new(p, t, MEDIUM_WEBHOOK, p->settings->webhooks[i].url)->message.body = t->event->payload;
        if (t->notice->audience == TELL_WEBHOOK)
                return true;
        const int found = read_facts(w->tx, p, t->event->key, &f, e);
        if (found <= 0)
                return found == 0;
        const bool first = text_is(t->event->topic, "case") && is_accept(t, &f);
        if (text_is(t->event->topic, "case") && first != text_is(t->notice->topic, "accept"))
                return true;
        return tell_reporter(w->tx, p, t, &f, e);
}

static bool write_all(struct tx *tx, void *ctx, struct err *e)
{
        struct post *p = ctx;
        p->first = NULL;
        p->last = &p->first;
        return for_each(p, write_one, &(struct writing){tx, p}, e);
}

static bool post_all(struct tx *tx, void *ctx, struct err *e)
{
        const struct post *p = ctx;
        const int64_t days = p->settings && p->settings->callback_days > 0 ? p->settings->callback_days : DAYS_USUAL;
        for (const struct letter *l = p->first; l; l = l->next) {
                bool added;
                if (!message_put(tx, &l->message, &added, e))
                        return false;
                if (added && l->has_token
                    && !callback_ask(tx, &l->message, &l->token, l->result, l->message.expires + days * USEC_DAY, e))
                        return false;
        }
        return true;
}

static bool log_one(void *ctx, const struct telling *t, struct err *e)
{
        const struct post *p = ctx;
        (void)e;
        if (t->notice->audience == TELL_UNIT)
                log_event(LOG_INFO, "notify.unit", "case=%s unit=%s topic=%s", t->event->key, json_get_text(t->payload, "unit", ""),
                          t->event->topic);
        else if (t->notice->audience == TELL_REPORTER && !is_stored(p, t))
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
        struct post p = {.district = d,
                         .fold = district_fold(d, e),
                         .rules = district_rules(d, e),
                         .settings = d->notify,
                         .events = events,
                         .n = n,
                         .now = clock_now()};
        if (!p.fold || !p.rules)
                return false;
        p.arena = arena_new();
        const bool nothing = for_each(&p, stores_none, &p, e);
        bool ok = nothing || store_read(d->store, write_all, &p, e);
        ok = ok && (!p.first || store_write(d->store, post_all, &p, e));
        if (ok && p.first)
                sender_nudge(d->sender);
        ok = ok && for_each(&p, log_one, &p, e);
        arena_free(&p.arena);
        return ok;
}

const struct consumer notify_consumer = {
        .name = "notify",
        .about = "Makes messages of events, as notices.csv says.",
        .take = take,
};
