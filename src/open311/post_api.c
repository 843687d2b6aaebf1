/* open311/post_api.c -- a report comes in through Open311, and the token of one that is kept but not filed yet. */
#include "open311/inside_api.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/view.h"
#include "catalogue/catalogue.h"
#include "intake/intake.h"
#include "media/media.h"

enum { IDEMPOTENCY_MOST = 200, TEXT_LINE_MOST = 200, ANSWER_TEXT_MOST = 2000, ATTRIBUTES_MOST = 200 };

/* --- once ------------------------------------------------------------------------------------------------------------- */
/* "open311/KEY/IDEMPOTENCY-KEY": one sender's keys never meet another's. */
static const char *external_id(const struct request *rq, struct faults *f)
{
        const char *given = request_header(rq, "Idempotency-Key");
        if (!given)
                return NULL;
        bool printable = *given && strlen(given) <= IDEMPOTENCY_MOST;
        for (const char *c = given; *c; c++)
                printable = printable && *c > 0x20 && *c < 0x7F;
        if (!printable)
                faults_add(f, 400, "Idempotency-Key: needs 1 to %d printable ASCII characters without blanks",
                           "Idempotency-Key：须为 1 至 %d 个可打印 ASCII 字符，不含空格", (int)IDEMPOTENCY_MOST);
        return arena_format(rq->arena, "open311/%s/%s", rq->actor.name, given);
}

/* --- what and where --------------------------------------------------------------------------------------------------- */
static const struct item *read_service(const struct rulebook *rules, struct faults *f)
{
        const char *code = form_value(f->rq->form, "service_code");
        if (text_empty(code)) {
                faults_add(f, 400, "service_code: is missing; see services", "service_code：缺失，请查 services");
                return NULL;
        }
        const struct item *item = item_find(rules->catalogue, code);
        if (item && item->leaf)
                return item;
        faults_add(f, 404, "service_code: there is no service \"%.60s\"; see services",
                   "service_code：没有“%.60s”这项服务，请查 services", code);
        return NULL;
}

static bool degrees(struct faults *f, const char *name, const char *text, double most, double *out)
{
        char *trimmed = text_trim(f->rq->arena, text);
        if (text_to_real(trimmed, out) && *out >= -most && *out <= most)
                return true;
        faults_add(f, 400, "%s: \"%.40s\" is not a number of degrees between -%g and %g", "%s：“%.40s”不是 -%g 至 %g 之间的度数",
                   name, text, most, most);
        return false;
}

static void read_place(struct report *r, struct faults *f)
{
        const char *lat = form_value(f->rq->form, "lat"), *lon = form_value(f->rq->form, "long");
        r->address = line_given(f, "address_string", 400);
        r->area_code = line_given(f, "address_id", 40);
        if (text_empty(lat) != text_empty(lon)) {
                faults_add(f, 400, "%s: is missing; lat and long go together", "%s：缺失，lat 与 long 须同时提供",
                           text_empty(lat) ? "lat" : "long");
        } else if (!text_empty(lat)) {
                const bool good = degrees(f, "lat", lat, 90, &r->point.lat);
                r->has_point = degrees(f, "long", lon, 180, &r->point.lon) && good;
        } else if (text_empty(form_value(f->rq->form, "address_string")) && text_empty(form_value(f->rq->form, "address_id"))) {
                faults_add(f, 400, "lat: say where it is: lat and long, address_string, or address_id",
                           "lat：请提供位置：lat 与 long、address_string 或 address_id");
        }
}

static void read_reporter(struct report *r, struct faults *f)
{
        const char *first = line_given(f, "first_name", 100), *last = line_given(f, "last_name", 100);
        /* Chinese names are written with the family name first and no blank. */
        const bool chinese = (first && (*first & 0x80)) || (last && (*last & 0x80));
        if (first && last)
                r->name = chinese ? arena_format(f->rq->arena, "%s%s", last, first)
                                  : arena_format(f->rq->arena, "%s %s", first, last);
        else
                r->name = first ? first : last;
        r->phone = line_given(f, "phone", 40);
        r->email = line_given(f, "email", TEXT_LINE_MOST);
        (void)line_given(f, "device_id", TEXT_LINE_MOST);
        (void)line_given(f, "account_id", TEXT_LINE_MOST);
}

/* --- attributes ------------------------------------------------------------------------------------------------------- */
/* "attribute[CODE]" and "attribute[CODE][]" -> CODE; NULL for other names. */
static const char *attribute_code(struct arena *a, const char *name)
{
        static const char prefix[] = "attribute[";
        if (!text_starts(name, prefix))
                return NULL;
        const char *code = name + strlen(prefix), *end = strchr(code, ']');
        if (!end || (end[1] && !text_is(end + 1, "[]")))
                return NULL;
        return arena_copy(a, code, (size_t)(end - code));
}

static void check_answer(const struct attribute *t, const char *value, struct faults *f)
{
        double number;
        int64_t instant;
        bool known = t->n_choices == 0;
        if (text_characters(value) > ANSWER_TEXT_MOST)
                faults_add(f, 400, "attribute[%s]: may have at most %d characters", "attribute[%s]：最多 %d 个字符", t->code,
                           (int)ANSWER_TEXT_MOST);
        if (text_is(t->datatype, "number") && !text_to_real(text_trim(f->rq->arena, value), &number))
                faults_add(f, 400, "attribute[%s]: \"%.40s\" is not a number", "attribute[%s]：“%.40s”不是数值", t->code, value);
        if (text_is(t->datatype, "datetime") && !time_parse(value, ZONE_SHANGHAI, &instant))
                faults_add(f, 400, "attribute[%s]: \"%.40s\" is not a time, such as 2026-11-23T09:30:00Z",
                           "attribute[%s]：“%.40s”不是时间，应如 2026-11-23T09:30:00+08:00", t->code, value);
        for (size_t i = 0; i < t->n_choices; i++)
                known = known || text_is(t->choices[i].key, value);
        if (!known)
                faults_add(f, 400, "attribute[%s]: \"%.40s\" is none of the keys; see the service definition",
                           "attribute[%s]：“%.40s”不在可选项中，请查服务定义", t->code, value);
}

struct answers {
        const struct attribute **asked;
        size_t n_asked;
        int *given; /* of each asked */
        struct attribute_value *at;
        size_t n;
};

static void read_answer(struct answers *w, const char *code, const char *value, struct faults *f)
{
        size_t i = 0;
        while (i < w->n_asked && !text_is(w->asked[i]->code, code))
                i++;
        if (i == w->n_asked) {
                faults_add(f, 400, "attribute[%.40s]: this service does not ask it; see the service definition",
                           "attribute[%.40s]：该服务没有此属性，请查服务定义", code);
        } else if (text_empty(value)) {
                return; /* a field that was left empty */
        } else if (w->given[i]++ > 0 && !text_is(w->asked[i]->datatype, "multivaluelist")) {
                faults_add(f, 400, "attribute[%.40s]: takes one value", "attribute[%.40s]：只能填一个值", code);
        } else if (w->n < ATTRIBUTES_MOST) {
                check_answer(w->asked[i], value, f);
                w->at[w->n++] = (struct attribute_value){w->asked[i]->code, value};
        }
}

static void read_attributes(const struct item *item, struct report *r, struct faults *f)
{
        struct arena *a = f->rq->arena;
        const struct form *form = f->rq->form;
        struct answers w = {.at = NEW_ARRAY(a, struct attribute_value, ATTRIBUTES_MOST)};
        w.asked = item_attributes(a, item, &w.n_asked);
        w.given = NEW_ARRAY(a, int, w.n_asked);
        for (size_t i = 0; i < form->n_fields; i++) {
                const char *code = attribute_code(a, form->fields[i].name);
                if (code)
                        read_answer(&w, code, form->fields[i].value, f);
        }
        for (size_t i = 0; i < w.n_asked; i++)
                if (w.asked[i]->required && w.given[i] == 0)
                        faults_add(f, 400, "attribute[%s]: is missing: %s", "attribute[%s]：缺失：%s", w.asked[i]->code,
                                   w.asked[i]->description);
        r->attributes = w.at;
        r->n_attributes = w.n;
}

/* --- pictures ----------------------------------------------------------------------------------------------------------- */
static void check_pictures(struct media *kept, struct faults *f)
{
        const struct form *form = f->rq->form;
        struct err e;
        for (size_t i = 0; i < form->n_files; i++)
                if (!media_check(form->files[i].bytes, form->files[i].n, &kept[i], &e))
                        faults_add(f, 400, "%.60s: %s%.0s", "%.60s：%.0s%s", form->files[i].name, e.text, e.zh);
}

/* Durable before the report is stored: a report never names a picture that is not there. */
static bool keep_pictures(const struct request *rq, const struct media *kept, struct report *r, struct err *e)
{
        const struct district *d = rq->app;
        const struct media_place place = {d->data, d->scan_command, d->scan_seconds};
        const struct form *form = rq->form;
        struct picture *pictures = NEW_ARRAY(rq->arena, struct picture, form->n_files);
        for (size_t i = 0; i < form->n_files; i++) {
                if (!media_keep(&place, form->files[i].bytes, &kept[i], e))
                        return false;
                pictures[i] = (struct picture){.hash = kept[i].hash,
                                               .type = kept[i].type,
                                               .bytes = (int64_t)kept[i].n,
                                               .has_point = kept[i].has_point,
                                               .point = {kept[i].lon, kept[i].lat},
                                               .taken = kept[i].taken};
        }
        r->pictures = pictures;
        r->n_pictures = form->n_files;
        return true;
}

/* --- the calls -------------------------------------------------------------------------------------------------------- */
static const char *notice(const struct request *rq, const struct receipt *receipt)
{
        char due[TIME_TEXT_SIZE];
        if (receipt->due == 0)
                return arena_text(rq->arena, receipt->unit_name);
        (void)time_text(due, receipt->due - receipt->due % USEC_SECOND, ZONE_SHANGHAI);
        return wants_english(rq) ? arena_format(rq->arena, "With %s, due %s", receipt->unit_name, due)
                                 : arena_format(rq->arena, "由%s办理，时限 %s", receipt->unit_name, due);
}

static void receipt_write(const struct request *rq, struct reply *rp, const struct receipt *receipt)
{
        struct document d = answer_begin(rq, rp);
        doc_array(&d, "service_requests", "request");
        doc_object(&d, NULL);
        if (receipt->waiting)
                doc_text(&d, "token", receipt->track);
        else
                doc_text(&d, "service_request_id", receipt->number);
        doc_text(&d, "service_notice", notice(rq, receipt));
        doc_text(&d, "account_id", NULL);
        doc_object_end(&d);
        doc_array_end(&d);
}

static void read_report(const struct rulebook *rules, struct report *r, struct faults *f)
{
        const struct request *rq = f->rq;
        *r = (struct report){.channel = key_channel(f, rules)};
        if (!r->channel)
                return; /* strangers learn nothing else */
        check_jurisdiction(f);
        check_doubles(f);
        const struct item *item = read_service(rules, f);
        r->external_id = external_id(rq, f);
        r->text = line_given(f, "description", DESCRIPTION_MOST);
        read_place(r, f);
        read_reporter(r, f);
        r->media = media_given(f);
        if (item) {
                read_attributes(item, r, f);
                r->item = item->code;
                if (!r->text)
                        r->text = item->name; /* the standard lets the service alone say what the matter is */
        }
}

bool post_request(struct request *rq, struct reply *rp, struct err *e)
{
        struct report report;
        struct receipt receipt;
        struct faults f = {.rq = rq};
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        read_report(rules, &report, &f);
        struct media *kept = NEW_ARRAY(rq->arena, struct media, rq->form->n_files);
        if (report.channel)
                check_pictures(kept, &f);
        if (faults_answer(&f, rp))
                return true;
        if (!keep_pictures(rq, kept, &report, e) || !intake_accept(rq->app, rq->arena, &report, rq->now, &receipt, e))
                return false;
        rp->status = receipt.again ? 200 : 201;
        receipt_write(rq, rp, &receipt);
        return true;
}

bool get_token(struct request *rq, struct reply *rp, struct err *e)
{
        struct faults f = {.rq = rq};
        struct waiting waiting;
        struct case_detail d;
        const char *token = request_param(rq, "token"), *number = NULL;
        check_jurisdiction(&f);
        if (faults_answer(&f, rp))
                return true;
        /* In this order: what was filed in between is a case by the time it no longer waits. */
        const int waits = intake_waiting(rq->store, rq->arena, token, &waiting, e);
        if (waits < 0 || (waits == 0 && !case_read_track(rq->store, rq->arena, token, &d, e)))
                return false;
        if (waits == 0)
                number = d.view.number;
        struct document doc = answer_begin(rq, rp);
        doc_array(&doc, "service_requests", "request");
        doc_object(&doc, NULL);
        doc_text(&doc, "service_request_id", number);
        doc_text(&doc, "token", token);
        doc_object_end(&doc);
        doc_array_end(&doc);
        return true;
}
