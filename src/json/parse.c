/* json/parse.c -- reading: libcjson behind the strictness that json.h promises. */
#include "json/json.h"
#include "base/arena.h"
#include "base/text.h"
#include <cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { DEPTH_MOST = 32 };

/* The values of this folder are cJSON's nodes; nobody else knows. */
static const cJSON *node(const struct json_value *v)
{
        return (const cJSON *)(const void *)v;
}

static const struct json_value *value(const cJSON *n)
{
        return (const struct json_value *)(const void *)n;
}

static void release(void *root)
{
        cJSON_Delete(root);
}

static size_t digits(const char *s, size_t n)
{
        size_t i = 0;
        while (i < n && s[i] >= '0' && s[i] <= '9')
                i++;
        return i;
}

/* Bytes of the number at s; 0: by the grammar there is none (leading zeros, a dot or an e without digits, a sign alone). */
static size_t number(const char *s, size_t n)
{
        size_t i = s[0] == '-';
        const size_t whole = digits(s + i, n - i);
        if (whole == 0 || (whole > 1 && s[i] == '0'))
                return 0;
        i += whole;
        if (i < n && s[i] == '.') {
                const size_t part = digits(s + i + 1, n - i - 1);
                if (part == 0)
                        return 0;
                i += 1 + part;
        }
        if (i < n && (s[i] == 'e' || s[i] == 'E')) {
                i++;
                i += i < n && (s[i] == '+' || s[i] == '-');
                const size_t part = digits(s + i, n - i);
                if (part == 0)
                        return 0;
                i += part;
        }
        return i;
}

static bool no_json(size_t at, struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "the text stops being JSON at byte %zu", "从第%zu字节起不是有效的 JSON", at);
}

/* Behind the quote at s: the offset of the one that ends the text; n when none does.  *fault: a bare control character. */
static size_t text_end(const char *s, size_t n, size_t i, size_t *fault)
{
        for (; i < n && s[i] != '"'; i++) {
                if ((unsigned char)s[i] < ' ')
                        *fault = i;
                if (s[i] == '\\')
                        i++;
        }
        return i;
}

static bool scan_text(const char *s, size_t n, size_t *i, struct err *e)
{
        const size_t from = *i + 1;
        size_t fault = n;
        *i = text_end(s, n, from, &fault);
        if (fault < n)
                return no_json(fault, e);
        for (size_t k = from; k < *i && k < n; k++) {
                if (s[k] != '\\')
                        continue;
                if (n - k >= 6 && memcmp(s + k + 1, "u0000", 5) == 0)
                        return err_both(e, ERR_INVALID, NULL, "the JSON text holds a NUL character at byte %zu",
                                        "JSON 文本第%zu字节处含有空字符", k);
                k++;
        }
        return true;
}

/* What cJSON would let pass: too deep nesting, control characters, numbers that are none, and the escape of NUL, which would
 * cut the text short. */
static bool scan(const char *s, size_t n, struct err *e)
{
        int depth = 0;
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '"') {
                        if (!scan_text(s, n, &i, e))
                                return false;
                } else if (s[i] == '{' || s[i] == '[') {
                        if (++depth > DEPTH_MOST)
                                return err_both(e, ERR_INVALID, NULL, "the JSON text is nested deeper than %d levels",
                                                "JSON 嵌套超过%d层", (int)DEPTH_MOST);
                } else if (s[i] == '}' || s[i] == ']') {
                        depth--;
                } else if (s[i] == '-' || (s[i] >= '0' && s[i] <= '9')) {
                        const size_t length = number(s + i, n - i);
                        if (length == 0)
                                return no_json(i, e);
                        i += length - 1;
                } else if ((unsigned char)s[i] < ' ' && !strchr("\t\r\n", s[i])) {
                        return no_json(i, e);
                }
        }
        return true;
}

/* No name twice in an object, no number that a double cannot hold. */
static bool sound(const cJSON *n, struct err *e)
{
        if (cJSON_IsNumber(n) && !isfinite(n->valuedouble))
                return err_both(e, ERR_INVALID, NULL, "a number of the JSON text is too large", "JSON 文本中有数值过大");
        for (const cJSON *c = n->child; c; c = c->next) {
                for (const cJSON *d = c->next; cJSON_IsObject(n) && d; d = d->next)
                        if (strcmp(c->string, d->string) == 0)
                                return err_both(e, ERR_INVALID, NULL, "the name \"%.60s\" stands twice in one object",
                                                "同一对象中“%.60s”出现两次", c->string);
                if (!sound(c, e))
                        return false;
        }
        return true;
}

static bool few_members(const cJSON *n)
{
        size_t members = 0;
        for (const cJSON *c = n->child; c; c = c->next)
                if (++members > 2000 && cJSON_IsObject(n))
                        return false;
        for (const cJSON *c = n->child; c; c = c->next)
                if (c->child && !few_members(c))
                        return false;
        return true;
}

const struct json_value *json_parse(struct arena *a, const char *text, size_t n, struct err *e)
{
        const char *end = NULL;
        size_t fault = text_utf8_fault(text, n);
        if (fault < n) {
                (void)err_both(e, ERR_INVALID, NULL, "the text is not UTF-8 at byte %zu", "第%zu字节起不是有效的 UTF-8 文本",
                               fault);
                return NULL;
        }
        if (!scan(text, n, e))
                return NULL;
        errno = 0;
        cJSON *root = cJSON_ParseWithLengthOpts(text, n, &end, false);
        if (!root && errno == ENOMEM)
                abort(); /* else a good text would be refused as if it were none */
        const char *rest = end;
        while (root && rest < text + n && strchr(" \t\r\n", *rest))
                rest++;
        if (!root || rest != text + n) {
                size_t at = end ? (size_t)(end - text) : 0;
                cJSON_Delete(root);
                (void)no_json(at, e);
                return NULL;
        }
        arena_defer(a, release, root);
        if (!few_members(root)) {
                (void)err_both(e, ERR_INVALID, NULL, "an object has more than %d members", "对象的成员超过%d个", 2000);
                return NULL;
        }
        return sound(root, e) ? value(root) : NULL;
}

enum json_kind json_kind(const struct json_value *v)
{
        const cJSON *n = node(v);
        if (!n || cJSON_IsNull(n))
                return JSON_NULL;
        if (cJSON_IsBool(n))
                return JSON_BOOL;
        if (cJSON_IsNumber(n))
                return JSON_NUMBER;
        if (cJSON_IsString(n))
                return JSON_TEXT;
        return cJSON_IsArray(n) ? JSON_ARRAY : JSON_OBJECT;
}

const struct json_value *json_get(const struct json_value *object, const char *name)
{
        if (json_kind(object) != JSON_OBJECT)
                return NULL;
        return value(cJSON_GetObjectItemCaseSensitive(node(object), name));
}

const struct json_value *json_first(const struct json_value *v)
{
        return v ? value(node(v)->child) : NULL;
}

const struct json_value *json_next(const struct json_value *v)
{
        return value(node(v)->next);
}

const char *json_name(const struct json_value *v)
{
        return v ? node(v)->string : NULL;
}

size_t json_count(const struct json_value *v)
{
        size_t n = 0;
        for (const struct json_value *c = json_first(v); c; c = json_next(c))
                n++;
        return n;
}

const char *json_text_of(const struct json_value *v)
{
        return json_kind(v) == JSON_TEXT ? node(v)->valuestring : "";
}

double json_real_of(const struct json_value *v)
{
        return json_kind(v) == JSON_NUMBER ? node(v)->valuedouble : 0;
}

bool json_bool_of(const struct json_value *v)
{
        return json_kind(v) == JSON_BOOL && cJSON_IsTrue(node(v));
}

const char *json_get_text(const struct json_value *object, const char *name, const char *otherwise)
{
        const struct json_value *v = json_get(object, name);
        return json_kind(v) == JSON_TEXT ? json_text_of(v) : otherwise;
}

double json_get_real(const struct json_value *object, const char *name, double otherwise)
{
        const struct json_value *v = json_get(object, name);
        return json_kind(v) == JSON_NUMBER ? json_real_of(v) : otherwise;
}

int64_t json_get_int(const struct json_value *object, const char *name, int64_t otherwise)
{
        const struct json_value *v = json_get(object, name);
        const double r = json_real_of(v);
        return json_kind(v) == JSON_NUMBER && r >= -9007199254740992.0 && r <= 9007199254740992.0 ? (int64_t)r : otherwise;
}

bool json_get_bool(const struct json_value *object, const char *name, bool otherwise)
{
        const struct json_value *v = json_get(object, name);
        return json_kind(v) == JSON_BOOL ? json_bool_of(v) : otherwise;
}
