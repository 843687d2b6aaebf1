/* open311/services_api.c -- where the service is (discovery), what can be reported (services), and what is asked (definitions). */
#include "open311/inside_api.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"

/* --- discovery (https://wiki.open311.org/Service_discovery) ------------------------------------------------------- */
/* When the calls of this program last changed. */
static const char CHANGESET[] = "2026-11-25T00:00:00+08:00";

bool get_discovery(struct request *rq, struct reply *rp, struct err *e)
{
        static const char *const formats[] = {"text/xml", "application/json"};
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        const char *contact = settings_of(rq)->contact, *url = public_url(rq);
        struct document d = answer_begin(rq, rp);
        doc_object(&d, "discovery");
        doc_text(&d, "changeset", CHANGESET);
        doc_text(&d, "contact", contact ? contact : arena_format(rq->arena, "%s, %s", rules->title, url));
        doc_text(&d, "key_service",
                 arena_format(rq->arena, "Ask for a channel's key / 渠道密钥申请: %s", contact ? contact : rules->title));
        doc_array(&d, "endpoints", "endpoint");
        doc_object(&d, NULL);
        doc_text(&d, "specification", "http://wiki.open311.org/GeoReport_v2");
        doc_text(&d, "url", arena_format(rq->arena, "%s" OPEN311_BASE, url));
        doc_text(&d, "changeset", CHANGESET);
        doc_text(&d, "type", "production");
        doc_array(&d, "formats", "format");
        for (size_t i = 0; i < COUNT_OF(formats); i++)
                doc_text(&d, NULL, formats[i]);
        doc_array_end(&d);
        doc_object_end(&d);
        doc_array_end(&d);
        doc_object_end(&d);
        return true;
}

/* --- services ------------------------------------------------------------------------------------------------------ */
static const char *name_in(const struct item *i, bool english)
{
        return english && !text_empty(i->name_en) ? i->name_en : i->name;
}

/* Also a word that would read as two. */
static bool said_already(const char *const *words, size_t n, const char *word)
{
        if (strchr(word, ','))
                return true;
        for (size_t i = 0; i < n; i++)
                if (text_is(words[i], word))
                        return true;
        return false;
}

/* The names on the way to the item and those of its aliases, each once. */
static const char *keywords(struct arena *a, const struct item *item)
{
        const char *words[64];
        char **paths, **names;
        size_t n = 0;
        for (const struct item *i = item; i; i = i->parent)
                if (!said_already(words, n, i->name))
                        words[n++] = i->name;
        const size_t n_paths = item->aliases ? text_split(a, item->aliases, '\n', &paths) : 0;
        for (size_t i = 0; i < n_paths; i++) {
                const size_t n_names = text_split(a, paths[i], '/', &names);
                for (size_t k = 0; k < n_names && n < COUNT_OF(words); k++)
                        if (!said_already(words, n, names[k]))
                                words[n++] = names[k];
        }
        char *text = arena_text(a, n > 0 ? words[0] : "");
        for (size_t i = 1; i < n; i++)
                text = arena_format(a, "%s,%s", text, words[i]);
        return text;
}

/* What belongs to it; said by the nearest item above when it does not say it itself. */
static const char *description(const struct item *item, bool english)
{
        for (const struct item *i = item; i; i = i->parent)
                if (!text_empty(i->scope))
                        return i->scope;
        return name_in(item, english);
}

static void service(const struct request *rq, const struct item *i, bool english, struct document *d)
{
        const struct item *top = i;
        size_t n_attributes;
        while (top->parent)
                top = top->parent;
        (void)item_attributes(rq->arena, i, &n_attributes);
        doc_object(d, NULL);
        doc_text(d, "service_code", i->code);
        doc_text(d, "service_name", name_in(i, english));
        doc_text(d, "description", description(i, english));
        doc_bool(d, "metadata", n_attributes > 0);
        doc_text(d, "type", "realtime");
        doc_text(d, "keywords", keywords(rq->arena, i));
        doc_text(d, "group", name_in(top, english));
        doc_object_end(d);
}

bool get_services(struct request *rq, struct reply *rp, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        struct faults f = {.rq = rq};
        if (!rules)
                return false;
        check_jurisdiction(&f);
        if (faults_answer(&f, rp))
                return true;
        const bool english = wants_english(rq);
        struct document d = answer_begin(rq, rp);
        doc_array(&d, "services", "service");
        for (size_t i = 0; i < item_count(rules->catalogue); i++)
                if (item_at(rules->catalogue, i)->leaf)
                        service(rq, item_at(rules->catalogue, i), english, &d);
        doc_array_end(&d);
        rp->etag = arena_format(rq->arena, "s%lld%s", (long long)rules->version, english ? "e" : "");
        return true;
}

/* --- definitions ----------------------------------------------------------------------------------------------------- */
static void attribute(const struct attribute *t, int64_t order, struct document *d)
{
        doc_object(d, NULL);
        doc_bool(d, "variable", true);
        doc_text(d, "code", t->code);
        doc_text(d, "datatype", t->datatype);
        doc_bool(d, "required", t->required);
        doc_text(d, "datatype_description", t->datatype_description);
        doc_int(d, "order", order);
        doc_text(d, "description", t->description);
        doc_array(d, "values", "value");
        for (size_t i = 0; i < t->n_choices; i++) {
                doc_object(d, NULL);
                doc_text(d, "key", t->choices[i].key);
                doc_text(d, "name", t->choices[i].name);
                doc_object_end(d);
        }
        doc_array_end(d);
        doc_object_end(d);
}

bool get_definition(struct request *rq, struct reply *rp, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        struct faults f = {.rq = rq};
        size_t n;
        if (!rules)
                return false;
        const char *code = request_param(rq, "service_code");
        const struct item *item = item_find(rules->catalogue, code);
        check_jurisdiction(&f);
        if (!item || !item->leaf)
                faults_add(&f, 404, "service_code: there is no service \"%.60s\"; see services",
                           "service_code：没有“%.60s”这项服务，请查 services", code);
        if (faults_answer(&f, rp))
                return true;
        const struct attribute **attributes = item_attributes(rq->arena, item, &n);
        struct document d = answer_begin(rq, rp);
        doc_object(&d, "service_definition");
        doc_text(&d, "service_code", item->code);
        doc_array(&d, "attributes", "attribute");
        for (size_t i = 0; i < n; i++)
                attribute(attributes[i], (int64_t)i + 1, &d);
        doc_array_end(&d);
        doc_object_end(&d);
        return true;
}
