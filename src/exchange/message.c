/* exchange/message.c -- see message.h. */
#include "exchange/message.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "notify/notify.h"

enum { NUMBER_MOST = 64, WORD_MOST = 40, REVISION_MOST = 1000000000 };
#define SIGNATURE_AGE_MOST (5 * USEC_MINUTE)

static const char *const urgencies[] = {"ordinary", "urgent", NULL};
static const struct shape location_shape[] = {
        {.name = "lon", .type = SHAPE_REAL, .required = true, .least = -180, .most = 180, .about = "Degrees east, WGS-84."},
        {.name = "lat", .type = SHAPE_REAL, .required = true, .least = -90, .most = 90, .about = "Degrees north, WGS-84."},
        {0},
};
static const struct shape case_shape[] = {
        {.name = "title", .type = SHAPE_TEXT, .most = 200},
        {.name = "text", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 10000, .about = "What the matter is."},
        {.name = "urgency", .type = SHAPE_TEXT, .choices = urgencies},
        {.name = "occurred_at", .type = SHAPE_TIME},
        {.name = "property", .type = SHAPE_TEXT, .most = 40, .about = "Codes unknown to the receiver are left out there."},
        {.name = "item", .type = SHAPE_TEXT, .most = 40},
        {.name = "area_code", .type = SHAPE_TEXT, .most = 40},
        {.name = "address", .type = SHAPE_TEXT, .most = 400},
        {.name = "source", .type = SHAPE_TEXT, .most = 100},
        {.name = "location", .type = SHAPE_OBJECT, .fields = location_shape},
        {0},
};
const struct shape exchange_message_shape[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true, .least = 1, .most = NUMBER_MOST, .about = "The sender's."},
        {.name = "peer_number", .type = SHAPE_TEXT, .least = 1, .most = NUMBER_MOST, .about = "The receiver's, when known."},
        {.name = "revision",
         .type = SHAPE_INT,
         .required = true,
         .least = 0,
         .most = REVISION_MOST,
         .about = "Of what the sender says of this case: 1, 2, 3 ... and the same again in every try; 0 = nothing so far."},
        {.name = "seen",
         .type = SHAPE_INT,
         .required = true,
         .least = 0,
         .most = REVISION_MOST,
         .about = "The receiver's last revision that the sender had taken when it wrote this; 0 = none."},
        {.name = "status", .type = SHAPE_TEXT, .required = true, .least = 1, .most = WORD_MOST, .about = "A word both agreed on."},
        {.name = "at", .type = SHAPE_TIME, .required = true, .about = "When the case got this status."},
        {.name = "result", .type = SHAPE_TEXT, .most = 10000, .about = "What was done."},
        {.name = "reason", .type = SHAPE_TEXT, .most = 10000},
        {.name = "note", .type = SHAPE_TEXT, .most = 10000},
        {.name = "case", .type = SHAPE_OBJECT, .fields = case_shape, .about = "Wanted when the receiver does not have the case."},
        {0},
};
const struct shape exchange_answer_shape[] = {
        {.name = "result",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "created, updated; kept: the receiver's status stands by rule; conflict: a person decides; older: known."},
        {.name = "number", .type = SHAPE_TEXT, .required = true, .about = "The receiver's."},
        {.name = "revision", .type = SHAPE_INT, .required = true, .about = "The sender's last one that the receiver has."},
        {.name = "status", .type = SHAPE_TEXT, .required = true, .about = "The last one both were told of."},
        {.name = "detail", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {0},
};

/* --- reading ----------------------------------------------------------------------------------------------------------------- */
static bool read_time(const struct json_value *v, const char *field, int64_t *out, struct err *e)
{
        const char *text = json_get_text(v, field, NULL);
        *out = 0;
        return !text || time_parse(text, ZONE_SHANGHAI, out)
               || err_both(e, ERR_INVALID, field, "\"%.40s\" is not a time; write it as 2026-11-23T09:30:00+08:00",
                           "“%.40s”不是有效时间，请写成 2026-11-23T09:30:00+08:00", text);
}

static bool read_case(const struct json_value *v, struct told_case *c, struct err *e)
{
        const struct json_value *at = json_get(v, "location");
        *c = (struct told_case){
                .title = json_get_text(v, "title", NULL),
                .text = json_get_text(v, "text", ""),
                .property = json_get_text(v, "property", NULL),
                .address = json_get_text(v, "address", NULL),
                .area = json_get_text(v, "area_code", NULL),
                .item = json_get_text(v, "item", NULL),
                .source = json_get_text(v, "source", NULL),
                .urgent = text_is(json_get_text(v, "urgency", "ordinary"), "urgent"),
                .has_point = json_kind(at) == JSON_OBJECT,
                .point = {json_get_real(at, "lon", 0), json_get_real(at, "lat", 0)},
        };
        if (read_time(v, "occurred_at", &c->occurred, e))
                return true;
        err_within(e, "case");
        return false;
}

/* Numbers and words go into addresses, tables and logs. */
static bool plain(const char *text, const char *field, struct err *e)
{
        for (const unsigned char *c = (const unsigned char *)text; c && *c; c++)
                if (*c <= ' ' || *c == 0x7f)
                        return err_both(e, ERR_INVALID, field, "no blanks and control characters, please", "不能含空格或控制字符");
        return true;
}

bool exchange_message_read(const struct json_value *v, struct exchange_message *m, struct err *e)
{
        const struct json_value *told = json_get(v, "case");
        *m = (struct exchange_message){
                .number = json_get_text(v, "number", ""),
                .peer_number = json_get_text(v, "peer_number", NULL),
                .revision = json_get_int(v, "revision", 0),
                .seen = json_get_int(v, "seen", 0),
                .status = json_get_text(v, "status", ""),
                .result = json_get_text(v, "result", NULL),
                .reason = json_get_text(v, "reason", NULL),
                .note = json_get_text(v, "note", NULL),
                .has_case = json_kind(told) == JSON_OBJECT,
        };
        return plain(m->number, "number", e) && plain(m->peer_number, "peer_number", e) && plain(m->status, "status", e)
               && read_time(v, "at", &m->at, e)
               && (m->at != 0 || err_both(e, ERR_INVALID, "at", "say when the case got this status", "请填写状态发生的时间"))
               && (!m->has_case || read_case(told, &m->told, e));
}

bool exchange_message_parse(struct arena *a, const char *bytes, size_t n, struct exchange_message *m, struct err *e)
{
        const struct json_value *v = json_parse(a, bytes, n, e);
        return v && shape_check(v, exchange_message_shape, e) && exchange_message_read(v, m, e);
}

/* --- writing ----------------------------------------------------------------------------------------------------------------- */
static void say(struct json *j, const char *name, const char *text)
{
        if (!text_empty(text))
                json_text(j, name, text);
}

static void write_case(const struct told_case *c, struct json *j)
{
        json_object(j, "case");
        say(j, "title", c->title);
        json_text(j, "text", c->text);
        json_text(j, "urgency", c->urgent ? "urgent" : "ordinary");
        if (c->occurred)
                json_time(j, "occurred_at", c->occurred);
        say(j, "property", c->property);
        say(j, "item", c->item);
        say(j, "area_code", c->area);
        say(j, "address", c->address);
        say(j, "source", c->source);
        if (c->has_point) {
                json_object(j, "location");
                json_real(j, "lon", c->point.lon);
                json_real(j, "lat", c->point.lat);
                json_object_end(j);
        }
        json_object_end(j);
}

void exchange_message_write(const struct exchange_message *m, struct json *j)
{
        json_object(j, NULL);
        json_text(j, "number", m->number);
        say(j, "peer_number", m->peer_number);
        json_int(j, "revision", m->revision);
        json_int(j, "seen", m->seen);
        json_text(j, "status", m->status);
        json_time(j, "at", m->at);
        say(j, "result", m->result);
        say(j, "reason", m->reason);
        say(j, "note", m->note);
        if (m->has_case)
                write_case(&m->told, j);
        json_object_end(j);
}

/* --- answers ----------------------------------------------------------------------------------------------------------------- */
void exchange_answer_write(const struct exchange_answer *x, struct json *j)
{
        json_object(j, NULL);
        json_text(j, "result", x->result);
        json_text(j, "number", x->number);
        json_int(j, "revision", x->revision);
        json_text(j, "status", x->status);
        json_text(j, "detail", x->detail);
        json_object_end(j);
}

bool exchange_answer_parse(struct arena *a, const char *bytes, size_t n, struct exchange_answer *x, struct err *e)
{
        const struct json_value *v = json_parse(a, bytes, n, e);
        if (!v)
                return false;
        *x = (struct exchange_answer){
                .result = json_get_text(v, "result", NULL),
                .number = json_get_text(v, "number", NULL),
                .status = json_get_text(v, "status", ""),
                .detail = json_get_text(v, "detail", NULL),
                .revision = json_get_int(v, "revision", 0),
        };
        return (!text_empty(x->result) && !text_empty(x->number) && text_characters(x->number) <= NUMBER_MOST
                && plain(x->number, "number", e))
               || err_both(e, ERR_INVALID, NULL, "the answer has no result or no number", "回复中缺少 result 或 number");
}

/* --- signatures -------------------------------------------------------------------------------------------------------------- */
bool exchange_signature_check(const char *header, const char *secret, const char *body, int64_t now, struct err *e)
{
        char ours[100], seconds[24] = "";
        int64_t at = 0;
        const char *comma = header ? strchr(header, ',') : NULL;
        if (comma && text_starts(header, "t=") && (size_t)(comma - header) - 2 < sizeof seconds)
                memcpy(seconds, header + 2, (size_t)(comma - header) - 2);
        if (!header || !text_to_int(seconds, &at) || at < 0 || at > INT64_MAX / (2 * USEC_SECOND))
                return err_both(e, ERR_DENIED, NULL, "the header X-Yiwang-Signature: t=SECONDS,v1=HEX is missing or malformed",
                                "缺少签名头 X-Yiwang-Signature: t=秒,v1=十六进制，或格式有误");
        webhook_signature(secret, body, at * USEC_SECOND, ours);
        const size_t n = strlen(ours);
        if (strlen(header) != n || !secret_same(ours, header, n))
                return err_both(e, ERR_DENIED, NULL, "the signature does not fit the body and the secret agreed on",
                                "签名与正文及约定密钥不符");
        const int64_t age = now - at * USEC_SECOND;
        return (age <= SIGNATURE_AGE_MOST && age >= -SIGNATURE_AGE_MOST)
               || err_both(e, ERR_DENIED, NULL, "the signature is of another time: more than 5 minutes from our clock",
                           "签名时间与本机时钟相差超过5分钟");
}
