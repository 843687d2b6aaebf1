/* open311/common_api.c -- what every call does: form of answers, faults, keys, times, who sees what. */
#include "open311/inside_api.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/workflow.h"
#include "intake/channels.h"
#include "people/people.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

enum { LIST_MOST = 512, URL_MOST = 2000 }; /* entries of a comma list; bytes */
static const int64_t SPAN = DAYS_MOST * USEC_DAY;

const struct open311_settings *settings_of(const struct request *rq)
{
        static const struct open311_settings none = {.contact = NULL};
        const struct district *d = rq->app;
        return d->open311 ? d->open311 : &none;
}

static bool ends_with(const char *text, size_t n, const char *end)
{
        const size_t end_n = strlen(end);
        return n >= end_n && memcmp(text + n - end_n, end, end_n) == 0;
}

bool wants_xml(const struct request *rq)
{
        /* The route's own ending, however the address was escaped; what no call has, by what stands in the address. */
        const char *path = rq->route && !strstr(rq->route->path, "*}") ? rq->route->path : rq->path;
        return ends_with(path, strcspn(path, "?"), ".xml");
}

bool wants_english(const struct request *rq)
{
        const char *said = request_query(rq, "lang");
        if (!said)
                said = request_header(rq, "Accept-Language");
        return said && strncasecmp(said, "en", 2) == 0;
}

struct document answer_begin(const struct request *rq, struct reply *rp)
{
        const bool xml = wants_xml(rq);
        rp->type = xml ? "text/xml; charset=utf-8" : NULL;
        return document_to(&rp->body, xml);
}

/* Nobody but a host name, a port and brackets comes into the addresses that we tell. */
static bool host_is_sound(const char *host)
{
        if (text_empty(host) || strlen(host) > 255)
                return false;
        for (; *host; host++)
                if (!isalnum((unsigned char)*host) && !strchr("-.:[]_", *host))
                        return false;
        return true;
}

const char *public_url(const struct request *rq)
{
        const char *set = settings_of(rq)->public_url, *host = request_header(rq, "Host");
        if (set)
                return arena_copy(rq->arena, set, strlen(set) - (ends_with(set, strlen(set), "/") ? 1 : 0));
        return arena_format(rq->arena, "%s://%s", rq->secure ? "https" : "http", host_is_sound(host) ? host : "localhost");
}

/* --- faults --------------------------------------------------------------------------------------------------- */
static void error_entry(struct document *d, int code, const char *description)
{
        doc_object(d, NULL);
        doc_int(d, "code", code);
        doc_text(d, "description", description);
        doc_object_end(d);
}

void open311_refuse(const struct request *rq, struct reply *rp, int status, const char *sentence)
{
        struct document d = answer_begin(rq, rp);
        rp->status = status == 401 ? 403 : status; /* the standard's code for a missing or invalid key */
        doc_array(&d, "errors", "error");
        error_entry(&d, rp->status, sentence);
        doc_array_end(&d);
}

void faults_add(struct faults *f, int code, const char *en, const char *zh, ...)
{
        char text[500];
        va_list values;
        if (f->n == FAULTS_MOST)
                return;
        va_start(values, zh);
        (void)vsnprintf(text, sizeof text, text_is(f->rq->language, "zh") ? zh : en, values);
        va_end(values);
        f->at[f->n].code = code;
        f->at[f->n++].text = arena_text(f->rq->arena, text_mend(text));
}

bool faults_answer(const struct faults *f, struct reply *rp)
{
        if (f->n == 0)
                return false;
        struct document d = answer_begin(f->rq, rp);
        rp->status = f->at[0].code;
        doc_array(&d, "errors", "error");
        for (int i = 0; i < f->n; i++)
                error_entry(&d, f->at[i].code, f->at[i].text);
        doc_array_end(&d);
        return true;
}

/* --- parameters --------------------------------------------------------------------------------------------------- */
void check_jurisdiction(struct faults *f)
{
        const char *ours = settings_of(f->rq)->jurisdiction, *given = form_value(f->rq->form, "jurisdiction_id");
        given = given ? given : request_query(f->rq, "jurisdiction_id");
        if (ours && !text_empty(given) && !text_is(given, ours))
                faults_add(f, 404, "jurisdiction_id: there is no jurisdiction \"%.60s\" here; ours is \"%s\"",
                           "jurisdiction_id：此处没有“%.60s”辖区，本区为“%s”", given, ours);
}

int64_t time_given(struct faults *f, const char *name, const char *text)
{
        int64_t instant = 0;
        if (text_empty(text))
                return 0;
        char *copy = arena_text(f->rq->arena, text);
        const size_t n = strlen(copy);
        if (n > 6 && copy[n - 6] == ' ' && strchr(copy, 'T'))
                copy[n - 6] = '+';
        const bool zone = n > 6 && (copy[n - 1] == 'Z' || copy[n - 1] == 'z' || copy[n - 6] == '+' || copy[n - 6] == '-');
        if (!zone || !strpbrk(copy, "Tt") || !time_parse(copy, 0, &instant))
                faults_add(f, 400, "%s: \"%.40s\" is not a time with its zone, such as 2026-11-23T09:30:00Z",
                           "%s：“%.40s”不是带时区的时间，应如 2026-11-23T09:30:00+08:00", name, text);
        return instant;
}

static size_t comma_list(struct arena *a, const char *text, const char *const **out)
{
        char **pieces = NULL;
        const size_t n = text ? text_split(a, text, ',', &pieces) : 0;
        const char **list = NEW_ARRAY(a, const char *, n);
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
                if (!text_empty(pieces[i]))
                        list[kept++] = pieces[i];
        *out = list;
        return kept;
}

const char *line_given(struct faults *f, const char *name, size_t most)
{
        const char *text = form_value(f->rq->form, name);
        if (text_empty(text))
                return NULL;
        if (text_characters(text) <= most)
                return text;
        faults_add(f, 400, "%s: may have at most %zu characters", "%s：最多 %zu 个字符", name, most);
        return NULL;
}

int64_t whole_given(struct faults *f, const char *name, int64_t most, int64_t otherwise)
{
        int64_t n;
        const char *text = request_query(f->rq, name);
        if (!text)
                return otherwise;
        if (text_to_int(text, &n) && n >= 1 && n <= most)
                return n;
        faults_add(f, 400, "%s: must be a whole number between 1 and %lld", "%s：须为 1 至 %lld 的整数", name, (long long)most);
        return otherwise;
}

size_t list_given(struct faults *f, const char *name, const char *const **out)
{
        const size_t n = comma_list(f->rq->arena, request_query(f->rq, name), out);
        if (n <= LIST_MOST)
                return n;
        faults_add(f, 400, "%s: at most %d at a time", "%s：一次最多 %d 个", name, (int)LIST_MOST);
        return 0;
}

void span_given(struct faults *f, int64_t *from, int64_t *to)
{
        *from = time_given(f, "start_date", request_query(f->rq, "start_date"));
        *to = time_given(f, "end_date", request_query(f->rq, "end_date"));
        if (*from && *to && *from > *to)
                faults_add(f, 400, "start_date: is after end_date", "start_date：晚于 end_date");
        if (*to == 0)
                *to = f->rq->now;
        else if (*to % USEC_SECOND == 0)
                *to += USEC_SECOND - 1; /* the whole second, since times are told in seconds */
        if (*from < *to - SPAN)
                *from = *to - SPAN;
}

void check_doubles(struct faults *f)
{
        static const char *const single[] = {
                "service_code", "lat",        "long",   "address_string", "address_id",        "description",
                "email",        "first_name", "phone",  "last_name",      "jurisdiction_id",   "api_key",
                "device_id",    "account_id", "status", "update_id",      "service_request_id"};
        const struct form *form = f->rq->form;
        for (size_t i = 0; i < COUNT_OF(single); i++) {
                size_t n = 0;
                for (size_t k = 0; k < form->n_fields; k++)
                        n += text_is(form->fields[k].name, single[i]);
                if (n > 1)
                        faults_add(f, 400, "%s: stands %zu times; give it once", "%s：出现 %zu 次，只能填一次", single[i], n);
        }
}

/* Some clients give several, by the same name. */
const char *media_given(struct faults *f)
{
        const struct form *form = f->rq->form;
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        size_t n = 0;
        json_array(&j, NULL);
        for (size_t i = 0; i < form->n_fields; i++) {
                const char *url = form->fields[i].value;
                if (!text_is(form->fields[i].name, "media_url") || text_empty(url))
                        continue;
                if (strlen(url) > URL_MOST || (!text_starts(url, "https://") && !text_starts(url, "http://")))
                        faults_add(f, 400, "media_url: must begin with http:// or https:// and have at most %d bytes",
                                   "media_url：须以 http:// 或 https:// 开头，最多 %d 字节", (int)URL_MOST);
                else if (++n > 0)
                        json_text(&j, NULL, url);
        }
        json_array_end(&j);
        const char *media = n > 0 && !b.overflow ? arena_copy(f->rq->arena, b.at, b.length) : NULL;
        buf_free(&b);
        return media;
}

const char *media_url(const struct request *rq, const char *media)
{
        struct err ignored;
        const struct json_value *list = media ? json_parse(rq->arena, media, strlen(media), &ignored) : NULL;
        for (const struct json_value *v = json_first(list); v; v = json_next(v))
                if (text_starts(json_text_of(v), "http://") || text_starts(json_text_of(v), "https://"))
                        return json_text_of(v);
        return NULL;
}

const char *picture_url(const struct request *rq, const char *hash)
{
        return arena_format(rq->arena, "%s/api/v1/media/%s", public_url(rq), hash);
}

/* --- who sees what ------------------------------------------------------------------------------------------------ */
const char *key_channel(struct faults *f, const struct rulebook *rules)
{
        const struct request *rq = f->rq;
        if (rq->actor.role != ROLE_CHANNEL) {
                faults_add(f, 403, "api_key: a channel's key is needed, in the form, the query or Authorization: Bearer KEY",
                           "api_key：须提供渠道密钥，可放在表单、查询参数或 Authorization: Bearer 中");
                return NULL;
        }
        const char *code = sight_key_channel(rq);
        if (channel_find(rules->channels, code))
                return code;
        faults_add(f, 403, "api_key: this key reports for the channel \"%.40s\", which the district's pack does not have",
                   "api_key：该密钥对应的渠道“%.40s”不在本区业务包中", code);
        return NULL;
}

bool state_closes(const struct state *s)
{
        return s->last || text_is(s->clock, "off");
}
