/* intake/intake_api.c -- POST /api/v1/reports and the reports of a case; the only file here that knows HTTP. */
#include "intake/intake.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/view.h"
#include "district/district.h"
#include "http/http.h"
#include "intake/channels.h"
#include "intake/keep.h"
#include "privacy/privacy.h"
#include "sight/sight_api.h"
#include "store/store.h"

/* Keys report for their own channel, the public for public ones, staff for any. */
static bool may_report(const struct request *rq, struct report *r, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        const struct channel *c = channel_find(rules->channels, r->channel);
        if (rq->actor.role == ROLE_CHANNEL && !text_empty(rq->actor.channel) && !text_is(rq->actor.channel, r->channel))
                return err_both(e, ERR_DENIED, "channel", "this key reports for the channel \"%s\", not for \"%s\"",
                                "此密钥只能登记“%s”渠道，不能登记“%s”", rq->actor.channel, r->channel);
        if ((rq->actor.role == ROLE_PUBLIC || rq->actor.role == ROLE_CITIZEN) && c && !c->is_public)
                return err_both(e, ERR_DENIED, "channel", "the channel \"%s\" needs an API key (Authorization: Bearer ...)",
                                "“%s”渠道须使用接口密钥（Authorization: Bearer …）", r->channel);
        return true;
}

static bool read_location(const struct json_value *body, struct report *r)
{
        const struct json_value *at = json_get(body, "location");
        r->has_point = json_kind(at) == JSON_OBJECT;
        r->point = (struct point){json_get_real(at, "lon", 0), json_get_real(at, "lat", 0)};
        return true;
}

static char *media_text(struct arena *a, const struct json_value *media)
{
        struct buf b = BUF_LIMIT(1 << 18);
        struct json j = json_to(&b);
        json_copy(&j, NULL, media);
        char *text = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return text;
}

static bool read_report(const struct request *rq, struct report *r, struct err *e)
{
        const struct json_value *b = rq->body, *who = json_get(b, "reporter"), *media = json_get(b, "media");
        const char *occurred = json_get_text(b, "occurred_at", NULL);
        *r = (struct report){
                .channel = json_get_text(b, "channel", NULL),
                .external_id = json_get_text(b, "external_id", NULL),
                .source = json_get_text(b, "source", NULL),
                .title = json_get_text(b, "title", NULL),
                .text = json_get_text(b, "text", ""),
                .address = json_get_text(b, "address", NULL),
                .area_code = json_get_text(b, "area_code", NULL),
                .item = json_get_text(b, "item", NULL),
                .property = json_get_text(b, "property", NULL),
                .language = json_get_text(b, "language", NULL),
                .urgent = text_is(json_get_text(b, "urgency", "ordinary"), "urgent"),
                .name = json_get_text(who, "name", NULL),
                .phone = json_get_text(who, "phone", NULL),
                .email = json_get_text(who, "email", NULL),
                .confidential = json_get_bool(who, "confidential", false),
                .media = media ? media_text(rq->arena, media) : NULL,
                .same_as = json_get_text(b, "same_as", NULL),
        };
        if (occurred && !time_parse(occurred, ZONE_SHANGHAI, &r->occurred))
                return err_both(e, ERR_INVALID, "occurred_at", "\"%s\" is not a time; write it as 2026-11-23T09:30:00+08:00",
                                "“%s”不是有效时间，请写成 2026-11-23T09:30:00+08:00", occurred);
        return read_location(b, r);
}

static void receipt_json(const struct receipt *r, bool zh, struct json *j)
{
        json_object(j, NULL);
        json_text(j, "number", r->number);
        json_text(j, "track", r->track);
        json_text(j, "state", r->state);
        if (r->item_code) {
                json_object(j, "item");
                json_text(j, "code", r->item_code);
                json_text(j, "name", r->item_name);
                json_real(j, "certainty", r->certainty);
                json_object_end(j);
        } else {
                json_null(j, "item");
        }
        json_object(j, "unit");
        json_text(j, "code", r->unit_code);
        json_text(j, "name", r->unit_name);
        json_object_end(j);
        json_array(j, "assists");
        for (size_t i = 0; i < r->n_assists; i++) {
                json_object(j, NULL);
                json_text(j, "code", r->assist_codes[i]);
                json_text(j, "name", r->assist_names[i]);
                json_object_end(j);
        }
        json_array_end(j);
        json_time(j, "due", r->due);
        json_array(j, "why");
        for (size_t i = 0; i < r->n_why; i++)
                json_text(j, NULL, zh ? r->why_zh[i] : r->why[i]);
        json_array_end(j);
        json_object_end(j);
}

static bool post_report(struct request *rq, struct reply *rp, struct err *e)
{
        struct report report;
        struct receipt receipt;
        if (!read_report(rq, &report, e) || !may_report(rq, &report, e)
            || !intake_accept(rq->app, rq->arena, &report, rq->now, &receipt, e))
                return false;
        rp->status = receipt.again ? 200 : 201;
        receipt_json(&receipt, text_is(rq->language, "zh"), &rp->json);
        return true;
}

/* --- the reports of a case, for staff --------------------------------------------------------------------------------- */

static const char SQL_REPORTS[] =
        "SELECT r.id, r.channel, r.external_id, r.source, r.title, r.text, r.property, r.urgent, r.address, r.occurred_at,"
        " r.received_at,"
        " r.media FROM cases c JOIN report r ON r.id = " CASE_REPORT " WHERE c.number = $1";

static const char SQL_ATTRIBUTES[] = "SELECT a.code, a.value FROM cases c JOIN report_attribute a ON a.report_id = " CASE_REPORT
                                     " WHERE c.number = $1 ORDER BY a.n";

static const char SQL_PICTURES[] =
        "SELECT m.hash, m.type, m.bytes, m.lon, m.lat, m.taken_at FROM cases c JOIN report_media m ON m.report_id = " CASE_REPORT
        " WHERE c.number = $1 ORDER BY m.n";
static const char SQL_NOTES[] =
        "SELECT n.sender, n.text, n.media, n.received_at FROM cases c JOIN report_note n ON n.case_id = c.id"
        " WHERE c.number = $1 ORDER BY n.id LIMIT 1000";

struct reading {
        struct request *rq;
        struct reply *rp;
        const char *number;
};

struct attributes_read {
        struct attribute_value *at;
        size_t n;
};

static void report_json(const struct reading *g, const struct rows *r, const struct attributes_read *attributes,
                        const struct masked_reporter *reporter)
{
        struct json *j = &g->rp->json;
        struct arena *a = g->rq->arena;
        struct err ignored;
        const char *media = rows_text(r, a, 11);
        json_object(j, NULL);
        json_text(j, "channel", rows_text(r, a, 1));
        json_text(j, "external_id", rows_text(r, a, 2));
        json_text(j, "source", rows_text(r, a, 3));
        json_text(j, "title", rows_text(r, a, 4));
        json_text(j, "text", rows_text(r, a, 5));
        json_text(j, "property", rows_text(r, a, 6));
        json_text(j, "urgency", rows_int(r, 7) ? "urgent" : "ordinary");
        json_text(j, "address", rows_text(r, a, 8));
        json_time(j, "occurred", rows_int(r, 9));
        json_time(j, "received", rows_int(r, 10));
        json_copy(j, "media", json_parse(a, media, strlen(media), &ignored));
        json_array(j, "attributes");
        for (size_t i = 0; i < attributes->n; i++) {
                json_object(j, NULL);
                json_text(j, "code", attributes->at[i].code);
                json_text(j, "value", attributes->at[i].value);
                json_object_end(j);
        }
        json_array_end(j);
        masked_json(j, "reporter", reporter);
        json_text(j, "phone_masked", reporter->phone); /* its name before the whole reporter was shown */
        json_object_end(j);
}

static bool read_attributes(struct tx *tx, const struct reading *g, struct attributes_read *out, struct err *e)
{
        enum { MOST = 512 };
        struct rows r;
        *out = (struct attributes_read){.at = NEW_ARRAY(g->rq->arena, struct attribute_value, MOST)};
        if (!tx_rows(tx, &r, e, SQL_ATTRIBUTES, ARGS(V(g->number))))
                return false;
        while (out->n < MOST && rows_next(&r))
                out->at[out->n++] = (struct attribute_value){rows_text(&r, g->rq->arena, 0), rows_text(&r, g->rq->arena, 1)};
        return rows_done(&r, e);
}

/* Where and when the camera says it was taken: evidence, for staff. */
static void picture_place(struct json *j, const struct rows *r)
{
        if (rows_null(r, 3)) {
                json_null(j, "location");
        } else {
                json_object(j, "location");
                json_real(j, "lon", rows_real(r, 3));
                json_real(j, "lat", rows_real(r, 4));
                json_object_end(j);
        }
        json_time(j, "taken", rows_int(r, 5));
}

static bool write_pictures(struct tx *tx, const struct reading *g, struct err *e)
{
        struct json *j = &g->rp->json;
        struct arena *a = g->rq->arena;
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_PICTURES, ARGS(V(g->number))))
                return false;
        json_array(j, "pictures");
        while (rows_next(&r)) {
                json_object(j, NULL);
                json_text(j, "url", arena_format(a, "/api/v1/media/%s", rows_text(&r, a, 0)));
                json_text(j, "type", rows_text(&r, a, 1));
                json_int(j, "bytes", rows_int(&r, 2));
                picture_place(j, &r);
                json_object_end(j);
        }
        json_array_end(j);
        return rows_done(&r, e);
}

static bool write_notes(struct tx *tx, const struct reading *g, struct err *e)
{
        struct json *j = &g->rp->json;
        struct arena *a = g->rq->arena;
        struct err ignored;
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_NOTES, ARGS(V(g->number))))
                return false;
        json_array(j, "notes");
        while (rows_next(&r)) {
                const char *media = rows_text(&r, a, 2);
                json_object(j, NULL);
                json_text(j, "sender", rows_text(&r, a, 0));
                json_text(j, "text", rows_text(&r, a, 1));
                json_copy(j, "media", json_parse(a, media, strlen(media), &ignored));
                json_time(j, "received", rows_int(&r, 3));
                json_object_end(j);
        }
        json_array_end(j);
        return rows_done(&r, e);
}

static bool read_reports(struct tx *tx, void *ctx, struct err *e)
{
        const struct reading *g = ctx;
        struct rows r;
        struct attributes_read attributes;
        struct masked_reporter reporter;
        bool any = false;
        if (!read_attributes(tx, g, &attributes, e) || !reporter_masked(tx, g->rq->app, g->rq->arena, g->number, &reporter, e)
            || !tx_rows(tx, &r, e, SQL_REPORTS, ARGS(V(g->number))))
                return false;
        buf_clear(&g->rp->body); /* a transaction function may run again */
        g->rp->json = json_to(&g->rp->body);
        json_object(&g->rp->json, NULL);
        json_array(&g->rp->json, "reports");
        while (rows_next(&r)) {
                report_json(g, &r, &attributes, &reporter);
                any = true;
        }
        json_array_end(&g->rp->json);
        if (!rows_done(&r, e) || !write_pictures(tx, g, e) || !write_notes(tx, g, e))
                return false;
        json_object_end(&g->rp->json);
        return any || err_both(e, ERR_NOT_FOUND, NULL, "there is no case %s", "没有编号为%s的案件", g->number);
}

static bool get_reports(struct request *rq, struct reply *rp, struct err *e)
{
        struct case_detail d;
        const struct sight *sight = sight_of(rq, e);
        if (!sight || !case_read_now(rq->store, rq->arena, request_param(rq, "number"), sight, &d, e))
                return false;
        return store_read(rq->store, read_reports, &(struct reading){rq, rp, request_param(rq, "number")}, e);
}

/* --- tables ------------------------------------------------------------------------------------------------------------- */

static const char *const urgencies[] = {"ordinary", "urgent", NULL};
static const char *const languages[] = {"zh", "en", NULL};
static const struct shape location_body[] = {
        {.name = "lon", .type = SHAPE_REAL, .required = true, .about = "Degrees east, WGS-84."},
        {.name = "lat", .type = SHAPE_REAL, .required = true, .about = "Degrees north, WGS-84."},
        {0},
};
static const struct shape reporter_body[] = {
        {.name = "name", .type = SHAPE_TEXT, .most = 100, .about = "Kept sealed."},
        {.name = "phone", .type = SHAPE_TEXT, .most = 40, .about = "Kept sealed."},
        {.name = "email", .type = SHAPE_TEXT, .most = 200, .about = "Kept sealed."},
        {.name = "confidential",
         .type = SHAPE_BOOL,
         .about = "true: shown to nobody, not even masked; clerks and dispatchers may look for a purpose."},
        {0},
};
static const struct shape media_element[] = {{.type = SHAPE_ANY}, {0}};
static const struct shape report_body[] = {
        {.name = "channel", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 40, .about = "By which way it was recorded."},
        {.name = "external_id",
         .type = SHAPE_TEXT,
         .least = 1,
         .most = 200,
         .about = "The channel's own id: the same one again gives the first answer again and stores nothing."},
        {.name = "source", .type = SHAPE_TEXT, .most = 100, .about = "Who raised it, kept apart from the channel."},
        {.name = "title", .type = SHAPE_TEXT, .most = 200, .about = "Taken from the text when unsaid."},
        {.name = "text", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 10000, .about = "What the matter is."},
        {.name = "occurred_at", .type = SHAPE_TIME, .about = "When it occurred, RFC 3339."},
        {.name = "location", .type = SHAPE_OBJECT, .fields = location_body, .about = "Where it is; wins over area_code."},
        {.name = "address", .type = SHAPE_TEXT, .most = 400, .about = "Where it is, in words."},
        {.name = "area_code", .type = SHAPE_TEXT, .most = 40, .about = "Code of the area (see /api/v1/areas)."},
        {.name = "item", .type = SHAPE_TEXT, .most = 40, .about = "Code of the item (see /api/v1/items)."},
        {.name = "property",
         .type = SHAPE_TEXT,
         .most = 40,
         .about = "complaint, request, advice ... as in the pack's properties."},
        {.name = "urgency", .type = SHAPE_TEXT, .choices = urgencies, .about = "ordinary when unsaid."},
        {.name = "language", .type = SHAPE_TEXT, .choices = languages, .about = "In which the reporter is written to."},
        {.name = "reporter", .type = SHAPE_OBJECT, .fields = reporter_body, .about = "Who reports; all optional."},
        {.name = "media",
         .type = SHAPE_ARRAY,
         .most = 20,
         .fields = media_element,
         .about = "Addresses or descriptions of pictures."},
        {.name = "same_as",
         .type = SHAPE_TEXT,
         .most = 300,
         .about = "What POST /api/v1/alike called the open case that the reporter follows.  The report is filed all the same; it"
                  " joins that case a moment later if the two read alike."},
        {0},
};
static const struct shape item_answer[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "certainty", .type = SHAPE_REAL, .required = true},
        {0},
};
static const struct shape unit_answer[] = {
        {.name = "code", .type = SHAPE_TEXT, .required = true},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct shape unit_element[] = {{.type = SHAPE_OBJECT, .fields = unit_answer}, {0}};
static const struct shape sentence[] = {{.type = SHAPE_TEXT, .most = 400}, {0}};
static const struct shape receipt_answer[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true, .about = "Case number."},
        {.name = "track", .type = SHAPE_TEXT, .required = true, .about = "Tracking code; cannot be guessed."},
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "item", .type = SHAPE_OBJECT, .required = true, .nullable = true, .fields = item_answer},
        {.name = "unit",
         .type = SHAPE_OBJECT,
         .required = true,
         .fields = unit_answer,
         .about = "The responsible unit; the fallback while unsure."},
        {.name = "assists", .type = SHAPE_ARRAY, .required = true, .fields = unit_element},
        {.name = "due", .type = SHAPE_TIME, .required = true, .nullable = true, .about = "When the unit has to be done."},
        {.name = "why", .type = SHAPE_ARRAY, .required = true, .fields = sentence, .about = "Why this unit."},
        {0},
};
static const struct shape any_element[] = {{.type = SHAPE_OBJECT, .open = true}, {0}};
static const struct shape reports_answer[] = {
        {.name = "reports", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
        {.name = "pictures", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
        {.name = "notes", .type = SHAPE_ARRAY, .required = true, .fields = any_element, .about = "What the channel said later."},
        {0},
};

static const struct route routes[] = {
        {.method = "POST",
         .path = "/api/v1/reports",
         .roles = ROLE_ALL,
         .run = post_report,
         .body = report_body,
         .answer = receipt_answer,
         .per_minute = 60,
         .about = "A report comes in: number, tracking code, responsible unit and due instant at once. Safe to send again with"
                  " external_id."},
        {.method = "GET",
         .path = "/api/v1/cases/{number}/reports",
         .roles = ROLE_STAFF,
         .run = get_reports,
         .answer = reports_answer,
         .about = "What was reported, word for word; the reporter is masked."},
        {0},
};

const struct route *const intake_routes = routes;
