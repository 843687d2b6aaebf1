/* json/write.c -- the writer: escapes, separates, and asserts that nesting is right. */
#include "json/json.h"
#include "base/clock.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct json json_to(struct buf *out)
{
        struct json j = {.out = out};
        j.first[0] = 1;
        return j;
}

static void add_escaped(struct buf *b, const char *text)
{
        const char *run = text;
        buf_byte(b, '"');
        for (const char *p = text;; p++) {
                const unsigned char c = (unsigned char)*p;
                if (c >= 0x20 && c != '"' && c != '\\')
                        continue;
                buf_add(b, run, (size_t)(p - run));
                if (c == 0)
                        break;
                run = p + 1;
                if (c == '"' || c == '\\') {
                        buf_byte(b, '\\');
                        buf_byte(b, (char)c);
                } else if (c == '\n') {
                        buf_add(b, "\\n", 2);
                } else {
                        buf_format(b, "\\u%04x", c);
                }
        }
        buf_byte(b, '"');
}

static void begin(struct json *j, const char *name)
{
        if (!j->first[j->depth])
                buf_byte(j->out, ',');
        j->first[j->depth] = 0;
        if (name) {
                add_escaped(j->out, name);
                buf_byte(j->out, ':');
        }
}

static void open(struct json *j, const char *name, char bracket)
{
        begin(j, name);
        buf_byte(j->out, bracket);
        j->depth++;
        assert(j->depth < (int)sizeof j->first);
        j->first[j->depth] = 1;
}

static void close(struct json *j, char bracket)
{
        assert(j->depth > 0);
        j->depth--;
        buf_byte(j->out, bracket);
}

void json_object(struct json *j, const char *name)
{
        open(j, name, '{');
}

void json_object_end(struct json *j)
{
        close(j, '}');
}

void json_array(struct json *j, const char *name)
{
        open(j, name, '[');
}

void json_array_end(struct json *j)
{
        close(j, ']');
}

void json_text(struct json *j, const char *name, const char *text)
{
        begin(j, name);
        if (text)
                add_escaped(j->out, text);
        else
                buf_add(j->out, "null", 4);
}

void json_int(struct json *j, const char *name, int64_t number)
{
        char digits[24], *p = digits + sizeof digits;
        uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
        begin(j, name);
        do
                *--p = (char)('0' + rest % 10);
        while (rest /= 10);
        if (number < 0)
                *--p = '-';
        buf_add(j->out, p, (size_t)(digits + sizeof digits - p));
}

/* Most numbers that are written have few decimals: coordinates, shares, amounts.  False: not this one. */
static bool few_decimals(double number, char text[40])
{
        static const double scale = 1e7, most = 1e8;
        if (!(fabs(number) < most))
                return false;
        const double scaled = nearbyint(number * scale);
        if (scaled / scale != number) /* both exact below 2^53: the quotient is what the digits are read as */
                return false;
        int64_t part = (int64_t)fabs(scaled);
        int places = 7;
        for (; places > 0 && part % 10 == 0; part /= 10)
                places--;
        char *at = text + 39; /* the digits come from behind */
        *at = '\0';
        for (int i = 0; i < places; i++, part /= 10)
                *--at = (char)('0' + part % 10);
        if (places > 0)
                *--at = '.';
        do
                *--at = (char)('0' + part % 10);
        while ((part /= 10) > 0);
        if (scaled < 0)
                *--at = '-';
        memmove(text, at, (size_t)(text + 40 - at));
        return true;
}

void json_real(struct json *j, const char *name, double number)
{
        char text[40];
        begin(j, name);
        if (!isfinite(number)) {
                buf_add(j->out, "null", 4);
                return;
        }
        if (few_decimals(number, text)) {
                buf_text(j->out, text);
                return;
        }
        for (int precision = 15; precision <= 17; precision++) {
                (void)snprintf(text, sizeof text, "%.*g", precision, number);
                if (precision == 17 || strtod(text, NULL) == number)
                        break;
        }
        buf_text(j->out, text);
}

void json_bool(struct json *j, const char *name, bool yes)
{
        begin(j, name);
        buf_text(j->out, yes ? "true" : "false");
}

void json_null(struct json *j, const char *name)
{
        begin(j, name);
        buf_add(j->out, "null", 4);
}

void json_time(struct json *j, const char *name, int64_t instant)
{
        char text[TIME_TEXT_SIZE];
        json_text(j, name, instant ? time_text(text, instant, ZONE_SHANGHAI) : NULL);
}

void json_written(struct json *j, const char *name, const char *value)
{
        begin(j, name);
        buf_text(j->out, value);
}

static void copy_children(struct json *j, const struct json_value *v, bool named)
{
        for (const struct json_value *c = json_first(v); c; c = json_next(c))
                json_copy(j, named ? json_name(c) : NULL, c);
}

void json_copy(struct json *j, const char *name, const struct json_value *v)
{
        switch (json_kind(v)) {
        case JSON_NULL:
                json_null(j, name);
                break;
        case JSON_BOOL:
                json_bool(j, name, json_bool_of(v));
                break;
        case JSON_NUMBER:
                json_real(j, name, json_real_of(v));
                break;
        case JSON_TEXT:
                json_text(j, name, json_text_of(v));
                break;
        case JSON_ARRAY:
                json_array(j, name);
                copy_children(j, v, false);
                json_array_end(j);
                break;
        case JSON_OBJECT:
                json_object(j, name);
                copy_children(j, v, true);
                json_object_end(j);
                break;
        }
}
