/* notify/compose.c -- from outbox events to messages. */
#include "notify/notify.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "json/json.h"
#include "pack/pack.h"
#include "people/people.h"
#include "store/store.h"
#include "task/task.h"
#include <stdio.h>

static const char SQL_NOTICES[] =
        "SELECT topic, audience, text FROM notice WHERE version = $1 AND topic = $2 AND (audience = 'reporter') = ($3 = 1) ORDER"
        " BY place";
static const char SQL_CASE[] = "SELECT number, track, unit, due, state, title, item FROM cases WHERE number = $1";
static const char SQL_HAS_EMAIL[] =
        "SELECT COUNT(*) FROM cases c JOIN reporter r ON r.report_id = c.id WHERE c.number = $1 AND r.email IS NOT NULL";
static const char SQL_MESSAGE[] =
        "INSERT INTO message(id, event_tx, event_seq, medium, target, subject, body, state, error, created_at, sent_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', '', $8, 0) ON CONFLICT (event_tx, event_seq, medium, target) DO NOTHING";
static const char SQL_ADD_NOTICE[] = "INSERT INTO notice(version, place, topic, audience, text) VALUES ($1, $2, $3, $4, $5)";

struct post {
        struct district *district;
        const struct rulebook *rules;
        struct arena *arena;
        const struct event *events;
        size_t n;
        int64_t now;
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

static bool read_facts(struct tx *tx, const struct post *p, const char *number, struct facts *f, bool *found, struct err *e)
{
        struct rows r;
        char due[TIME_TEXT_SIZE];
        int is = tx_first(tx, &r, e, SQL_CASE, ARGS(V(number)));
        *found = is == 1;
        if (is <= 0)
                return is == 0;
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
        return rows_done(&r, e);
}

static bool body_of(struct tx *tx, const struct post *p, const char *text, const struct facts *f, char **body, struct err *e)
{
        const struct notify_settings *s = p->district->notify;
        const char *language = s && s->language ? s->language : "zh";
        char *bytes;
        size_t n;
        if (!pack_file(tx, p->arena, p->rules->version, arena_format(p->arena, "texts/%s/%s.txt", language, text), &bytes, &n, e))
                return false;
        const char *const pairs[] = {"number", f->number, "track", f->track, "item",  f->item,  "unit", f->unit_name,
                                     "due",    f->due,    "state", f->state, "title", f->title, NULL};
        *body = notice_fill(p->arena, bytes ? bytes : "{number} {state}", pairs);
        return true;
}

static bool queue(struct tx *tx, const struct post *p, const struct event *ev, const char *medium, const char *target,
                  const char *subject, const char *body, struct err *e)
{
        char key[24];
        int64_t id = id_new(p->district->ids, p->now);
        int added = tx_change(tx, e, SQL_MESSAGE,
                              ARGS(V(id), V(ev->at.tx), V(ev->at.seq), V(medium), V(target), V(subject), V(body), V(p->now)));
        (void)snprintf(key, sizeof key, "%lld", (long long)id);
        return added == 0 || (added == 1 && timer_set(tx, notify_send_timer.name, key, p->now, NULL, e));
}

static bool tell_reporter(struct tx *tx, const struct post *p, const struct event *ev, const struct facts *f, const char *body,
                          struct err *e)
{
        int64_t has_email;
        if (!tx_int(tx, &has_email, 0, e, SQL_HAS_EMAIL, ARGS(V(f->number))))
                return false;
        if (has_email && p->district->notify && p->district->notify->smtp_url)
                return queue(tx, p, ev, "smtp", "reporter", f->number, body, e);
        log_event(LOG_INFO, "notify.reporter", "case=%s medium=log", f->number);
        return true;
}

static bool tell_webhooks(struct tx *tx, const struct post *p, const struct event *ev, struct err *e)
{
        const struct notify_settings *s = p->district->notify;
        for (size_t i = 0; s && i < s->n_webhooks; i++)
                if (!queue(tx, p, ev, "webhook", s->webhooks[i].url, ev->key, ev->payload, e))
                        return false;
        return true;
}

static bool tell_one(struct tx *tx, const struct post *p, const struct event *ev, const char *audience, const char *text,
                     struct err *e)
{
        struct facts f;
        bool found;
        char *body;
        if (text_is(audience, "webhook"))
                return tell_webhooks(tx, p, ev, e);
        if (!read_facts(tx, p, ev->key, &f, &found, e) || (found && !body_of(tx, p, text, &f, &body, e)))
                return false;
        if (!found)
                return true;
        if (text_is(audience, "reporter"))
                return tell_reporter(tx, p, ev, &f, body, e);
        log_event(LOG_INFO, "notify.unit", "case=%s unit=%s topic=%s", f.number, f.unit, ev->topic);
        return true;
}

static bool tell_event(struct tx *tx, const struct post *p, const struct event *ev, struct err *e)
{
        enum { MOST = 16 };
        const char *audience[MOST], *text[MOST];
        size_t n = 0;
        struct rows r;
        const bool reporter = text_is(ev->topic, "reporter");
        const char *topic = ev->topic;
        if (reporter || text_is(topic, "case"))
                topic = json_get_text(json_parse(p->arena, ev->payload, strlen(ev->payload), e), "move", "");
        if (!tx_rows(tx, &r, e, SQL_NOTICES, ARGS(V(p->rules->version), V(topic), V(reporter ? 1 : 0))))
                return false;
        for (; n < MOST && rows_next(&r); n++) {
                audience[n] = rows_text(&r, p->arena, 1);
                text[n] = rows_text(&r, p->arena, 2);
        }
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!tell_one(tx, p, ev, audience[i], text[i], e))
                        return false;
        return true;
}

static bool post_all(struct tx *tx, void *ctx, struct err *e)
{
        const struct post *p = ctx;
        for (size_t i = 0; i < p->n; i++)
                if (!tell_event(tx, p, &p->events[i], e))
                        return false;
        return true;
}

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct district *d = ctx;
        struct post p = {.district = d, .rules = district_rules(d, e), .events = events, .n = n, .now = clock_now()};
        if (!p.rules)
                return false;
        p.arena = arena_new();
        bool ok = store_write(d->store, post_all, &p, e);
        arena_free(&p.arena);
        return ok;
}

const struct consumer notify_consumer = {
        .name = "notify",
        .about = "Makes messages of events, as notices.csv says.",
        .take = take,
};

static const char *const audiences[] = {"unit", "reporter", "webhook", NULL};
static const struct pack_column notice_columns[] = {
        {"topic", PACK_TEXT, true, NULL, "A move's name, or warning, overdue."},
        {"audience", PACK_TEXT, true, audiences, "Who is told."},
        {"text", PACK_TEXT, true, NULL, "Name of the text below texts/LANG/."},
        {0},
};
static const struct pack_table tables[] = {
        {"notices.csv", true, notice_columns, SQL_ADD_NOTICE},
        {0},
};
static const char SQL_NO_SUCH_MOVE[] =
        "SELECT n.place, 'topic ' || n.topic || ' is neither a move of a workflow nor warning or overdue',"
        " '主题' || n.topic || '既不是流转动作，也不是 warning 或 overdue' FROM notice n WHERE n.version = $1"
        " AND n.topic NOT IN ('warning', 'overdue')"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = n.version AND m.name = n.topic)";
static const char SQL_NO_SUCH_TEXT[] =
        "SELECT n.place, 'the text texts/zh/' || n.text || '.txt is missing', '缺少文本 texts/zh/' || n.text || '.txt' FROM notice n"
        " WHERE n.version = $1 AND NOT EXISTS (SELECT 1 FROM pack_file f WHERE f.version = n.version"
        " AND f.path = 'texts/zh/' || n.text || '.txt')";
static const char *const checks[] = {SQL_NO_SUCH_MOVE, SQL_NO_SUCH_TEXT, NULL};
const struct pack_part notify_pack = {.capability = "notify", .tables = tables, .checks = checks};
