/* json/shape.c -- see shape.h. */
#include "json/shape.h"
#include "base/clock.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>

enum { TEXT_MOST = 200 };

static const struct {
        const char *en, *zh, *schema;
} types[] = {
        [SHAPE_TEXT] = {"a text", "文本", "string"},
        [SHAPE_INT] = {"a whole number", "整数", "integer"},
        [SHAPE_REAL] = {"a number", "数值", "number"},
        [SHAPE_BOOL] = {"true or false", "true 或 false", "boolean"},
        [SHAPE_TIME] = {"a time such as 2026-11-23T09:30:00+08:00", "时间，如 2026-11-23T09:30:00+08:00", "string"},
        [SHAPE_OBJECT] = {"an object", "对象", "object"},
        [SHAPE_ARRAY] = {"a list", "列表", "array"},
};

static const char *nearest(const struct shape *fields, const char *wrong)
{
        const char *best = NULL;
        size_t least = 4;
        for (const struct shape *f = fields; f->type; f++)
                if (text_distance(f->name, wrong) < least) {
                        least = text_distance(f->name, wrong);
                        best = f->name;
                }
        return best;
}

static bool check_value(const struct json_value *, const struct shape *, struct err *);

static bool known_names(const struct json_value *object, const struct shape *fields, struct err *e)
{
        for (const struct json_value *v = json_first(object); v; v = json_next(v)) {
                const struct shape *f = fields;
                while (f->type && !text_is(f->name, json_name(v)))
                        f++;
                if (f->type)
                        continue;
                char name[64];
                (void)snprintf(name, sizeof name, "%.60s", json_name(v));
                const char *near = nearest(fields, name);
                if (near)
                        return err_both(e, ERR_INVALID, name, "\"%s\" is not known here; did you mean \"%s\"?",
                                        "此处没有“%s”，是否为“%s”？", name, near);
                return err_both(e, ERR_INVALID, name, "\"%s\" is not known here; see /api/openapi.json",
                                "此处没有“%s”，可查 /api/openapi.json", name);
        }
        return true;
}

static bool check_members(const struct json_value *object, const struct shape *fields, bool open, struct err *e)
{
        if (!open && !known_names(object, fields, e))
                return false;
        for (const struct shape *f = fields; f->type; f++) {
                const struct json_value *v = json_get(object, f->name);
                if (json_kind(v) == JSON_NULL) {
                        if (f->required)
                                return err_both(e, ERR_INVALID, f->name, "\"%s\" is missing; it is needed", "缺少必填项“%s”",
                                                f->name);
                        continue;
                }
                if (!check_value(v, f, e)) {
                        err_within(e, f->name);
                        return false;
                }
        }
        return true;
}

static bool wrong_type(const struct shape *f, struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "%s is wanted here%.0s", "%.0s此处应为%s", types[f->type].en, types[f->type].zh);
}

static bool check_text(const char *text, const struct shape *f, struct err *e)
{
        const size_t n = text_characters(text), most = f->most > 0 ? (size_t)f->most : TEXT_MOST;
        if (n < (size_t)f->least)
                return err_both(e, ERR_INVALID, NULL, "the text is too short: at least %d characters", "文本过短，至少%d个字符",
                                (int)f->least);
        if (n > most)
                return err_both(e, ERR_INVALID, NULL, "the text is too long: %zu characters, at most %zu are taken",
                                "文本过长：%zu个字符，最多%zu个", n, most);
        bool found = f->choices == NULL;
        char list[160] = "";
        for (const char *const *c = f->choices; c && *c; c++) {
                found = found || text_is(*c, text);
                size_t used = strlen(list);
                (void)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", *c);
        }
        return found || err_both(e, ERR_INVALID, NULL, "\"%.40s\" is not one of %s", "“%.40s”不在可选值中：%s", text, list);
}

static bool check_number(double number, const struct shape *f, struct err *e)
{
        if (f->type == SHAPE_INT && (number != floor(number) || fabs(number) > 9007199254740992.0))
                return wrong_type(f, e);
        if ((f->least != 0 || f->most != 0) && (number < f->least || number > f->most))
                return err_both(e, ERR_INVALID, NULL, "%.10g is out of range: between %.10g and %.10g",
                                "%.10g超出范围：应在%.10g与%.10g之间", number, f->least, f->most);
        return true;
}

static bool check_elements(const struct json_value *array, const struct shape *f, struct err *e)
{
        size_t i = 0;
        if (f->most > 0 && json_count(array) > (size_t)f->most)
                return err_both(e, ERR_INVALID, NULL, "the list has more than %d entries", "列表超过%d项", (int)f->most);
        for (const struct json_value *v = json_first(array); v; v = json_next(v), i++) {
                char index[24];
                if (!f->fields || check_value(v, f->fields, e))
                        continue;
                (void)snprintf(index, sizeof index, "%zu", i);
                err_within(e, index);
                return false;
        }
        return true;
}

static bool check_value(const struct json_value *v, const struct shape *f, struct err *e)
{
        static const enum json_kind kinds[] = {
                [SHAPE_TEXT] = JSON_TEXT, [SHAPE_INT] = JSON_NUMBER,    [SHAPE_REAL] = JSON_NUMBER, [SHAPE_BOOL] = JSON_BOOL,
                [SHAPE_TIME] = JSON_TEXT, [SHAPE_OBJECT] = JSON_OBJECT, [SHAPE_ARRAY] = JSON_ARRAY,
        };
        int64_t instant;
        if (f->type == SHAPE_ANY)
                return true;
        if (json_kind(v) != kinds[f->type])
                return wrong_type(f, e);
        switch (f->type) {
        case SHAPE_TEXT:
                return check_text(json_text_of(v), f, e);
        case SHAPE_TIME:
                return time_parse(json_text_of(v), ZONE_SHANGHAI, &instant) || wrong_type(f, e);
        case SHAPE_INT:
        case SHAPE_REAL:
                return check_number(json_real_of(v), f, e);
        case SHAPE_OBJECT:
                return check_members(v, f->fields, f->open, e);
        case SHAPE_ARRAY:
                return check_elements(v, f, e);
        default:
                return true;
        }
}

bool shape_check(const struct json_value *v, const struct shape *fields, struct err *e)
{
        if (json_kind(v) != JSON_OBJECT)
                return err_both(e, ERR_INVALID, NULL, "a JSON object is wanted", "应为 JSON 对象");
        return check_members(v, fields, false, e);
}

/* --- the schema --------------------------------------------------------------------------------------------- */

static void value_schema(const struct shape *f, struct json *j, const char *name);

static void members_schema(const struct shape *fields, bool open, struct json *j)
{
        json_text(j, "type", "object");
        json_object(j, "properties");
        for (const struct shape *f = fields; f && f->type; f++)
                value_schema(f, j, f->name);
        json_object_end(j);
        json_array(j, "required");
        for (const struct shape *f = fields; f && f->type; f++)
                if (f->required)
                        json_text(j, NULL, f->name);
        json_array_end(j);
        json_bool(j, "additionalProperties", open);
}

static void type_schema(const struct shape *f, struct json *j)
{
        if (f->nullable) {
                json_array(j, "type");
                json_text(j, NULL, types[f->type].schema);
                json_text(j, NULL, "null");
                json_array_end(j);
        } else {
                json_text(j, "type", types[f->type].schema);
        }
}

static void text_schema(const struct shape *f, struct json *j)
{
        if (f->least > 0)
                json_int(j, "minLength", (int64_t)f->least);
        if (f->most > 0)
                json_int(j, "maxLength", (int64_t)f->most);
        if (!f->choices)
                return;
        json_array(j, "enum");
        for (const char *const *c = f->choices; *c; c++)
                json_text(j, NULL, *c);
        json_array_end(j);
}

static void object_schema(const struct shape *f, struct json *j)
{
        if (!f->nullable) {
                members_schema(f->fields, f->open, j);
                return;
        }
        json_array(j, "anyOf");
        json_object(j, NULL);
        members_schema(f->fields, f->open, j);
        json_object_end(j);
        json_object(j, NULL);
        json_text(j, "type", "null");
        json_object_end(j);
        json_array_end(j);
}

static void value_schema(const struct shape *f, struct json *j, const char *name)
{
        json_object(j, name);
        if (f->about)
                json_text(j, "description", f->about);
        if (f->type == SHAPE_OBJECT)
                object_schema(f, j);
        else if (f->type != SHAPE_ANY)
                type_schema(f, j);
        if (f->type == SHAPE_TEXT)
                text_schema(f, j);
        if (f->type == SHAPE_TIME)
                json_text(j, "format", "date-time");
        if ((f->type == SHAPE_INT || f->type == SHAPE_REAL) && (f->least != 0 || f->most != 0)) {
                json_real(j, "minimum", f->least);
                json_real(j, "maximum", f->most);
        }
        if (f->type == SHAPE_ARRAY && f->fields)
                value_schema(f->fields, j, "items");
        if (f->type == SHAPE_ARRAY && f->most > 0)
                json_int(j, "maxItems", (int64_t)f->most);
        json_object_end(j);
}

void shape_schema(const struct shape *fields, struct json *j, const char *name)
{
        json_object(j, name);
        members_schema(fields, false, j);
        json_object_end(j);
}
