/* open311/document.c -- see document.h. */
#include "open311/document.h"
#include "base/clock.h"
#include <stdio.h>

struct document document_to(struct buf *out, bool xml)
{
        struct document d = {.xml = xml};
        if (xml)
                d.x = xml_to(out);
        else
                d.json = json_to(out);
        return d;
}

/* The name of what comes now: JSON names members only, XML everything. */
static const char *name_of(const struct document *d, const char *name)
{
        const char *entry = d->depth > 0 ? d->entry[d->depth - 1] : NULL;
        if (!d->xml)
                return d->depth > 0 && !entry ? name : NULL;
        assert(name || entry);
        return name ? name : entry;
}

static void enter(struct document *d, const char *entry)
{
        assert(d->depth < XML_DEEPEST);
        d->entry[d->depth++] = entry;
}

void doc_array(struct document *d, const char *name, const char *entry)
{
        if (d->xml)
                xml_open(&d->x, name_of(d, name));
        else
                json_array(&d->json, name_of(d, name));
        enter(d, entry);
}

void doc_array_end(struct document *d)
{
        d->depth--;
        if (d->xml)
                xml_close(&d->x);
        else
                json_array_end(&d->json);
}

void doc_object(struct document *d, const char *name)
{
        if (d->xml)
                xml_open(&d->x, name_of(d, name));
        else
                json_object(&d->json, name_of(d, name));
        enter(d, NULL);
}

void doc_object_end(struct document *d)
{
        d->depth--;
        if (d->xml)
                xml_close(&d->x);
        else
                json_object_end(&d->json);
}

void doc_text(struct document *d, const char *name, const char *text)
{
        if (d->xml)
                xml_text(&d->x, name_of(d, name), text);
        else
                json_text(&d->json, name_of(d, name), text);
}

void doc_int(struct document *d, const char *name, int64_t n)
{
        char text[24];
        if (!d->xml) {
                json_int(&d->json, name_of(d, name), n);
                return;
        }
        (void)snprintf(text, sizeof text, "%lld", (long long)n);
        xml_text(&d->x, name_of(d, name), text);
}

void doc_real(struct document *d, const char *name, double number)
{
        if (!d->xml) {
                json_real(&d->json, name_of(d, name), number);
                return;
        }
        /* The shortest form that reads back the same is JSON's. */
        struct buf b = BUF_LIMIT(64);
        struct json j = json_to(&b);
        json_real(&j, NULL, number);
        xml_text(&d->x, name_of(d, name), b.at);
        buf_free(&b);
}

void doc_bool(struct document *d, const char *name, bool yes)
{
        if (d->xml)
                xml_text(&d->x, name_of(d, name), yes ? "true" : "false");
        else
                json_bool(&d->json, name_of(d, name), yes);
}

void doc_time(struct document *d, const char *name, int64_t instant)
{
        char text[TIME_TEXT_SIZE];
        if (instant > 0)
                (void)time_text(text, instant - instant % USEC_SECOND, ZONE_SHANGHAI);
        doc_text(d, name, instant > 0 ? text : NULL);
}
