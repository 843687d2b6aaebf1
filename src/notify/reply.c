/* notify/reply.c -- what citizens answer to an SMS; see callback.h.  The only writer of sms_reply.  Below: what an answer, by SMS
 * or by link, does to its case. */
#include "notify/callback.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "cases/cases.h"
#include "district/district.h"
#include "json/json.h"
#include "notify/contact.h"
#include "letter/gateway.h"
#include "notify/notify.h"
#include "store/store.h"
#include "task/task.h"

static const char SQL_ASKED[] =
        "SELECT subject, report FROM message WHERE recipient = $1 AND recipient <> '' AND created_at > $2 AND medium = 'sms'"
        " AND asks = 1 AND state = 'sent' ORDER BY created_at DESC LIMIT 1";
static const char SQL_ADD[] =
        "INSERT INTO sms_reply(id, gateway, external_id, recipient, number, report, text, rating, solved, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (gateway, external_id) DO NOTHING";
static const char SQL_EARLIER[] = "SELECT number, rating, solved FROM sms_reply WHERE gateway = $1 AND external_id = $2";

enum { DAYS_USUAL = 30 };

struct taking {
        struct district *district;
        struct arena *arena;
        const struct sms_reply *reply;
        const char *recipient;
        struct reply_text said;
        int64_t now;
        struct sms_receipt *out;
};

static char *payload(const struct taking *t)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "number", t->out->number);
        json_text(&j, "way", "sms");
        if (t->said.rating)
                json_int(&j, "rating", t->said.rating);
        else
                json_null(&j, "rating");
        if (t->said.solved >= 0)
                json_bool(&j, "solved", t->said.solved == 1);
        else
                json_null(&j, "solved");
        json_text(&j, "comment", t->reply->text);
        json_time(&j, "at", t->now);
        json_object_end(&j);
        char *out = arena_copy(t->arena, b.at, b.length);
        buf_free(&b);
        return out;
}

/* The question that was sent to this number last. */
static bool asked(struct tx *tx, const struct taking *t, int64_t *report, struct err *e)
{
        struct rows r;
        const struct notify_settings *s = t->district->notify;
        const int64_t days = s && s->callback_days > 0 ? s->callback_days : DAYS_USUAL;
        const int n = tx_first(tx, &r, e, SQL_ASKED, ARGS(V(t->recipient), V(t->now - days * USEC_DAY)));
        t->out->number = NULL;
        *report = 0;
        if (n <= 0)
                return n == 0;
        t->out->number = rows_text(&r, t->arena, 0);
        *report = rows_int(&r, 1);
        return rows_done(&r, e);
}

static bool earlier(struct tx *tx, const struct taking *t, struct err *e)
{
        struct rows r;
        struct sms_receipt *out = t->out;
        const int n = tx_first(tx, &r, e, SQL_EARLIER, ARGS(V(t->reply->gateway), V(t->reply->external_id)));
        if (n < 1)
                return n == 0 ? err_set(e, ERR_BUSY, "the earlier reply is not there yet") : false;
        const char *number = rows_text(&r, t->arena, 0);
        *out = (struct sms_receipt){.again = true,
                                    .number = text_empty(number) ? NULL : number,
                                    .rating = (int)rows_int(&r, 1),
                                    .solved = rows_null(&r, 2) ? -1 : (int)rows_int(&r, 2)};
        out->understood = out->rating > 0 || out->solved >= 0;
        return rows_done(&r, e);
}

static bool take(struct tx *tx, void *ctx, struct err *e)
{
        struct taking *t = ctx;
        int64_t report;
        if (!asked(tx, t, &report, e))
                return false;
        const int added = tx_change(tx, e, SQL_ADD,
                                    ARGS(V(id_new(t->district->ids, t->now)), V(t->reply->gateway), V(t->reply->external_id),
                                         V(t->recipient), V(t->out->number ? t->out->number : ""), V(report), V(t->reply->text),
                                         V(t->said.rating), t->said.solved < 0 ? V_NULL : V(t->said.solved), V(t->now)));
        if (added == 0)
                return earlier(tx, t, e);
        return added == 1 && (!t->out->number || outbox_put(tx, "sms_reply", t->out->number, payload(t), t->now, e));
}

bool sms_reply_take(struct district *d, struct arena *a, const struct sms_reply *reply, int64_t now, struct sms_receipt *out,
                    struct err *e)
{
        const char *phone = sms_number(a, reply->from);
        struct taking t = {.district = d, .arena = a, .reply = reply, .now = now, .out = out};
        *out = (struct sms_receipt){.solved = -1};
        if (!phone)
                return err_both(e, ERR_INVALID, "from", "not a phone number that takes an SMS", "不是可接收短信的电话号码");
        t.recipient = contact_digest(a, d, phone);
        out->understood = reply_text_parse(reply->text, &t.said);
        out->rating = t.said.rating;
        out->solved = t.said.solved;
        return store_write(d->store, take, &t, e);
}

/* --- an answer is the call-back of its case ---------------------------------------------------------------------------------- */

static const struct {
        const char *ours, *of_move;
} ratings[] = {{"speed", "speed"}, {"effect", "effect"}, {"service", "service"}, {"quality", "answer"}};

/* An SMS says 1 (satisfied) to 4 (not), once for all four; 2 is "basically satisfied", which is 3 of 5 (cases/guards.c). */
static int64_t of_five(int64_t rating)
{
        static const int64_t five[] = {0, 5, 3, 2, 1};
        return rating > 0 && rating < (int64_t)COUNT_OF(five) ? five[rating] : 0;
}

/* The form of the move call_back; NULL: the answer says neither how it was nor whether it is solved, so a person reads it. */
static const struct json_value *call_back_form(struct arena *a, const struct json_value *said, struct err *e)
{
        const int64_t one = of_five(json_get_int(said, "rating", 0));
        const struct json_value *solved = json_get(said, "solved");
        if (json_kind(solved) != JSON_BOOL && one == 0)
                return NULL;
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_bool(&j, "solved", json_kind(solved) == JSON_BOOL ? json_bool_of(solved) : one >= 3);
        if (one || json_get(said, "speed")) {
                json_object(&j, "ratings");
                for (size_t i = 0; i < COUNT_OF(ratings); i++)
                        json_int(&j, ratings[i].of_move, json_get_int(said, ratings[i].ours, one));
                json_object_end(&j);
        }
        json_text(&j, "way", json_get_text(said, "way", ""));
        json_text(&j, "note", json_get_text(said, "comment", ""));
        json_object_end(&j);
        const struct json_value *form = json_parse(a, b.at, b.length, e);
        buf_free(&b);
        return form;
}

/* Where a clerk was faster, or the case is elsewhere by now, the answer stays with the case and moves nothing. */
static bool call_back(struct district *d, struct arena *a, const struct event *ev, struct err *e)
{
        static const struct mover program = {.name = "system"};
        const struct json_value *said = json_parse(a, ev->payload, strlen(ev->payload), e);
        const struct json_value *form = said ? call_back_form(a, said, e) : NULL;
        if (!form || cases_move(d, a, ev->key, "call_back", &program, form, clock_now(), e))
                return true;
        const bool kept = e->kind == ERR_CONFLICT || e->kind == ERR_INVALID || e->kind == ERR_DENIED || e->kind == ERR_NOT_FOUND;
        if (kept)
                log_event(LOG_INFO, "callback.kept", "case=%s cause=\"%s\"", ev->key, e->text);
        return kept;
}

static bool take_answers(void *ctx, const struct event *events, size_t n, struct err *e)
{
        bool ok = true;
        for (size_t i = 0; ok && i < n; i++) {
                if (!text_is(events[i].topic, "sms_reply") && !text_is(events[i].topic, "callback_answer"))
                        continue;
                struct arena *a = arena_new();
                ok = call_back(ctx, a, &events[i], e);
                arena_free(&a);
        }
        return ok;
}

const struct consumer callback_consumer = {
        .name = "callback",
        .about = "Takes the move call_back when a citizen has answered by SMS or link.",
        .take = take_answers,
};
