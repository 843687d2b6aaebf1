/* notify/notify_api.c -- the routes of messages, call-back and replies; the only file here that knows HTTP. */
#include "notify/notify.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/view.h"
#include "district/district.h"
#include "http/http.h"
#include "notify/callback.h"
#include "notify/contact.h"
#include "people/people.h"
#include "sight/sight_api.h"
#include "store/store.h"

enum { MESSAGES_MOST = 500, COMMENT_MOST = 1000, REPLY_MOST = 1000, PUBLIC_PER_MINUTE = 60 };

/* --- what was told of a case ------------------------------------------------------------------------------------------------- */
static const char SQL_MESSAGES[] =
        "SELECT id, topic, medium, target, report, language, title, body, state, tries, error, created_at, not_before, sent_at"
        " FROM message WHERE subject = $1 ORDER BY id DESC LIMIT $2";
static const char SQL_ON_PAGE[] = "SELECT m.body, m.language, m.sent_at FROM cases c JOIN message m ON m.subject = c.number"
                                  " WHERE c.track = $1 AND m.medium = 'web' ORDER BY m.id DESC LIMIT $2";

struct listing {
        struct request *rq;
        struct json *json;
        const char *key;
        struct contact contact;
        bool known;
};

static const char *masked(const struct listing *l, const char *medium)
{
        const bool sms = text_is(medium, medium_name(MEDIUM_SMS));
        if (!l->known || l->contact.confidential || text_is(medium, medium_name(MEDIUM_WEB)))
                return NULL;
        const char *address = contact_address(l->rq->arena, l->rq->app, &l->contact, sms ? MEDIUM_SMS : MEDIUM_MAIL);
        return address ? contact_masked(l->rq->arena, address) : NULL;
}

static void message_json(const struct listing *l, const struct rows *r)
{
        struct arena *a = l->rq->arena;
        struct json *j = l->json;
        const char *medium = rows_text(r, a, 2), *state = rows_text(r, a, 8);
        json_object(j, NULL);
        json_text(j, "id", arena_format(a, "%lld", (long long)rows_int(r, 0)));
        json_text(j, "topic", rows_text(r, a, 1));
        json_text(j, "medium", medium);
        json_text(j, "to", rows_int(r, 4) ? masked(l, medium) : rows_text(r, a, 3));
        json_text(j, "language", rows_text(r, a, 5));
        json_text(j, "title", rows_text(r, a, 6));
        json_text(j, "text", text_link(a, rows_text(r, a, 7), "…"));
        json_text(j, "state", state);
        json_int(j, "tries", rows_int(r, 9));
        json_text(j, "error", rows_text(r, a, 10));
        json_time(j, "made", rows_int(r, 11));
        json_time(j, "not_before", text_is(state, "waiting") ? rows_int(r, 12) : 0);
        json_time(j, "sent", rows_int(r, 13));
        json_object_end(j);
}

static bool list_messages(struct tx *tx, void *ctx, struct err *e)
{
        struct listing *l = ctx;
        struct rows r;
        if (!contact_read(tx, l->rq->arena, l->contact.report, &l->contact, &l->known, e)
            || !tx_rows(tx, &r, e, SQL_MESSAGES, ARGS(V(l->key), V((int)MESSAGES_MOST))))
                return false;
        json_object(l->json, NULL);
        json_array(l->json, "messages");
        while (rows_next(&r))
                message_json(l, &r);
        json_array_end(l->json);
        json_object_end(l->json);
        return rows_done(&r, e);
}

static bool get_messages(struct request *rq, struct reply *rp, struct err *e)
{
        struct case_detail d;
        const struct sight *sight = sight_of(rq, e);
        if (!sight || !case_read_now(rq->store, rq->arena, request_param(rq, "number"), sight, &d, e))
                return false;
        struct listing l = {.rq = rq, .json = &rp->json, .key = d.view.number, .contact = {.report = d.view.id}};
        return store_read(rq->store, list_messages, &l, e);
}

static const char *const question_states[] = {"open", "answered", "ended"};

/* The page says that he is asked; the link goes to him alone. */
static bool question_json(struct tx *tx, const struct listing *l, struct err *e)
{
        struct callback_question q;
        const int asked = callback_newest(tx, l->key, l->rq->now, &q, e);
        if (asked <= 0) {
                json_null(l->json, "question");
                return asked == 0;
        }
        json_object(l->json, "question");
        json_text(l->json, "state", question_states[q.state]);
        json_time(l->json, "asked", q.asked);
        json_time(l->json, "answered", q.answered);
        json_object_end(l->json);
        return true;
}

static bool list_page(struct tx *tx, void *ctx, struct err *e)
{
        struct listing *l = ctx;
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_ON_PAGE, ARGS(V(l->key), V((int)MESSAGES_MOST))))
                return false;
        json_object(l->json, NULL);
        json_array(l->json, "messages");
        while (rows_next(&r)) {
                json_object(l->json, NULL);
                json_text(l->json, "text", rows_text(&r, l->rq->arena, 0));
                json_text(l->json, "language", rows_text(&r, l->rq->arena, 1));
                json_time(l->json, "at", rows_int(&r, 2));
                json_object_end(l->json);
        }
        json_array_end(l->json);
        if (!rows_done(&r, e) || !question_json(tx, l, e))
                return false;
        json_object_end(l->json);
        return true;
}

static bool get_track_messages(struct request *rq, struct reply *rp, struct err *e)
{
        struct listing l = {.rq = rq, .json = &rp->json, .key = text_upper(rq->arena, request_param(rq, "code"))};
        return store_read(rq->store, list_page, &l, e);
}

/* --- call-back --------------------------------------------------------------------------------------------------------------- */
static bool get_callback(struct request *rq, struct reply *rp, struct err *e)
{
        struct callback_question q;
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules || !callback_find(rq->store, rq->arena, request_param(rq, "callback"), rq->now, &q, e))
                return false;
        const struct unit *unit = unit_find(rules->units, q.unit);
        struct json *j = &rp->json;
        json_object(j, NULL);
        json_text(j, "state", question_states[q.state]);
        json_text(j, "number", q.number);
        json_text(j, "title", q.title);
        json_text(j, "unit", unit ? unit->name : q.unit);
        json_text(j, "unit_en", unit && unit->name_en ? unit->name_en : unit ? unit->name : q.unit);
        json_text(j, "result", q.result);
        json_time(j, "asked", q.asked);
        json_time(j, "answered", q.answered);
        json_object_end(j);
        return true;
}

static bool post_callback(struct request *rq, struct reply *rp, struct err *e)
{
        const struct callback_answer answer = {
                .speed = (int)json_get_int(rq->body, "speed", 0),
                .effect = (int)json_get_int(rq->body, "effect", 0),
                .service = (int)json_get_int(rq->body, "service", 0),
                .quality = (int)json_get_int(rq->body, "quality", 0),
                .solved = json_get_bool(rq->body, "solved", false),
                .comment = json_get_text(rq->body, "comment", ""),
        };
        if (!callback_give(rq->app, rq->arena, request_param(rq, "callback"), &answer, rq->now, e))
                return false;
        rp->status = 201;
        json_object(&rp->json, NULL);
        json_text(&rp->json, "state", "answered");
        json_time(&rp->json, "answered", rq->now);
        json_object_end(&rp->json);
        return true;
}

/* --- replies ----------------------------------------------------------------------------------------------------------------- */
static bool post_reply(struct request *rq, struct reply *rp, struct err *e)
{
        const struct sms_reply reply = {
                .gateway = rq->actor.name,
                .external_id = json_get_text(rq->body, "id", ""),
                .from = json_get_text(rq->body, "from", ""),
                .text = json_get_text(rq->body, "text", ""),
        };
        struct sms_receipt r;
        struct json *j = &rp->json;
        if (!sms_reply_take(rq->app, rq->arena, &reply, rq->now, &r, e))
                return false;
        rp->status = r.again ? 200 : 201;
        json_object(j, NULL);
        json_bool(j, "understood", r.understood);
        json_text(j, "number", r.number);
        if (r.rating)
                json_int(j, "rating", r.rating);
        else
                json_null(j, "rating");
        if (r.solved >= 0)
                json_bool(j, "solved", r.solved == 1);
        else
                json_null(j, "solved");
        json_object_end(j);
        return true;
}

/* --- shapes and routes ------------------------------------------------------------------------------------------------------- */
static const struct shape message_shape[] = {
        {.name = "id",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "The same in every try; also in Message-ID and X-Yiwang-Message."},
        {.name = "topic", .type = SHAPE_TEXT, .required = true},
        {.name = "medium", .type = SHAPE_TEXT, .required = true, .about = "sms, mail, web, webhook."},
        {.name = "to", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "Masked; a webhook's address."},
        {.name = "language", .type = SHAPE_TEXT, .required = true},
        {.name = "title", .type = SHAPE_TEXT, .required = true, .about = "A mail's subject."},
        {.name = "text", .type = SHAPE_TEXT, .required = true, .about = "What was said; a call-back link is left out."},
        {.name = "state", .type = SHAPE_TEXT, .required = true, .about = "waiting, sent, refused, gave_up."},
        {.name = "tries", .type = SHAPE_INT, .required = true},
        {.name = "error", .type = SHAPE_TEXT, .required = true, .about = "Of the last try that failed."},
        {.name = "made", .type = SHAPE_TIME, .required = true},
        {.name = "not_before", .type = SHAPE_TIME, .required = true, .nullable = true, .about = "The next try, while it waits."},
        {.name = "sent", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape one_message[] = {{.type = SHAPE_OBJECT, .fields = message_shape}, {0}};
static const struct shape messages_shape[] = {
        {.name = "messages", .type = SHAPE_ARRAY, .required = true, .fields = one_message, .about = "Newest first."},
        {0},
};
static const struct shape told_shape[] = {
        {.name = "text", .type = SHAPE_TEXT, .required = true},
        {.name = "language", .type = SHAPE_TEXT, .required = true},
        {.name = "at", .type = SHAPE_TIME, .required = true},
        {0},
};
static const struct shape one_told[] = {{.type = SHAPE_OBJECT, .fields = told_shape}, {0}};
static const struct shape asked_shape[] = {
        {.name = "state", .type = SHAPE_TEXT, .required = true, .about = "open, answered, ended."},
        {.name = "asked", .type = SHAPE_TIME, .required = true},
        {.name = "answered", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape all_told_shape[] = {
        {.name = "messages", .type = SHAPE_ARRAY, .required = true, .fields = one_told, .about = "Newest first."},
        {.name = "question",
         .type = SHAPE_OBJECT,
         .required = true,
         .nullable = true,
         .fields = asked_shape,
         .about = "The newest call-back by link; null: none was sent. The link itself goes to the reporter alone."},
        {0},
};
static const struct shape question_shape[] = {
        {.name = "state", .type = SHAPE_TEXT, .required = true, .about = "open, answered, ended."},
        {.name = "number", .type = SHAPE_TEXT, .required = true},
        {.name = "title", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "unit_en", .type = SHAPE_TEXT, .required = true},
        {.name = "result", .type = SHAPE_TEXT, .required = true, .about = "What the citizen was answered."},
        {.name = "asked", .type = SHAPE_TIME, .required = true},
        {.name = "answered", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape answer_shape[] = {
        {.name = "speed", .type = SHAPE_INT, .required = true, .least = 1, .most = 5, .about = "1 bad to 5 good."},
        {.name = "effect", .type = SHAPE_INT, .required = true, .least = 1, .most = 5, .about = "1 bad to 5 good."},
        {.name = "service", .type = SHAPE_INT, .required = true, .least = 1, .most = 5, .about = "1 bad to 5 good."},
        {.name = "quality", .type = SHAPE_INT, .required = true, .least = 1, .most = 5, .about = "Of the answer; 1 bad to 5 good."},
        {.name = "solved", .type = SHAPE_BOOL, .required = true},
        {.name = "comment", .type = SHAPE_TEXT, .most = COMMENT_MOST},
        {0},
};
static const struct shape answered_shape[] = {
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "answered", .type = SHAPE_TIME, .required = true},
        {0},
};
static const struct shape reply_shape[] = {
        {.name = "id",
         .type = SHAPE_TEXT,
         .required = true,
         .least = 1,
         .most = 200,
         .about = "The gateway's own; the same again changes nothing."},
        {.name = "from", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 40, .about = "Phone number of the citizen."},
        {.name = "text", .type = SHAPE_TEXT, .required = true, .most = REPLY_MOST},
        {0},
};
static const struct shape receipt_shape[] = {
        {.name = "understood", .type = SHAPE_BOOL, .required = true},
        {.name = "number",
         .type = SHAPE_TEXT,
         .required = true,
         .nullable = true,
         .about = "The case; null: this number was asked nothing lately."},
        {.name = "rating", .type = SHAPE_INT, .required = true, .nullable = true},
        {.name = "solved", .type = SHAPE_BOOL, .required = true, .nullable = true},
        {0},
};

static const struct route table[] = {
        {.method = "GET",
         .path = "/api/v1/cases/{number}/messages",
         .roles = ROLE_STAFF,
         .run = get_messages,
         .answer = messages_shape,
         .about = "What was told of a case, to whom, and what became of it."},
        {.method = "GET",
         .path = "/api/v1/track/{code}/messages",
         .roles = ROLE_ALL,
         .run = get_track_messages,
         .answer = all_told_shape,
         .about = "What the page shows the reporter, and whether he is asked how it was."},
        {.method = "GET",
         .path = "/api/v1/callback/{callback}",
         .roles = ROLE_ALL,
         .run = get_callback,
         .answer = question_shape,
         .per_minute = PUBLIC_PER_MINUTE,
         .about = "What a call-back link asks."},
        {.method = "POST",
         .path = "/api/v1/callback/{callback}",
         .roles = ROLE_ALL,
         .run = post_callback,
         .body = answer_shape,
         .answer = answered_shape,
         .per_minute = PUBLIC_PER_MINUTE,
         .about = "The citizen says how it was; a link works once."},
        {.method = "POST",
         .path = "/api/v1/sms/replies",
         .roles = ROLE_CHANNEL | ROLE_ADMIN,
         .run = post_reply,
         .body = reply_shape,
         .answer = receipt_shape,
         .about = "What a citizen answered to an SMS, handed in by the gateway."},
        {0},
};
const struct route *const notify_routes = table;
