/* letter/gateway.c -- see gateway.h. */
#include "letter/gateway.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "json/json.h"
#include "pack/yaml.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

enum { FILLED_MOST = 256 << 10, HOLES = 5, NUMBER_LEAST = 5, NUMBER_MOST = 20 };

/* --- filling ----------------------------------------------------------------------------------------------------------------- */
static const char *const hole_names[HOLES] = {"phone", "text", "id", "language", "secret"};

static const char *value_at(const struct gateway_values *v, int i)
{
        const char *const values[HOLES] = {v->phone, v->text, v->id, v->language, v->secret};
        return values[i] ? values[i] : "";
}

/* Length of "{name}" at this place, 0 when nothing like it stands there; *which: its number, -1 = unknown. */
static size_t hole_at(const char *text, int *which)
{
        size_t n = 1;
        while (text[n] == '_' || islower((unsigned char)text[n]))
                n++;
        *which = -1;
        if (text[0] != '{' || n == 1 || text[n] != '}')
                return 0;
        for (int i = 0; i < HOLES; i++)
                if (strlen(hole_names[i]) == n - 1 && memcmp(hole_names[i], text + 1, n - 1) == 0)
                        *which = i;
        return n + 1;
}

static void add_percent(struct buf *b, const char *value)
{
        for (const unsigned char *p = (const unsigned char *)value; *p; p++)
                if (isalnum(*p) || strchr("-._~", *p))
                        buf_byte(b, (char)*p);
                else
                        buf_format(b, "%%%02X", *p);
}

/* The JSON writer escapes; its quotes are those of the template. */
static void add_json(struct buf *b, const char *value)
{
        struct buf quoted = BUF_LIMIT(FILLED_MOST);
        struct json j = json_to(&quoted);
        json_text(&j, NULL, value);
        if (quoted.length >= 2)
                buf_add(b, quoted.at + 1, quoted.length - 2);
        buf_free(&quoted);
}

static void add_header(struct buf *b, const char *value)
{
        for (; *value; value++)
                if ((unsigned char)*value >= ' ' && *value != '\x7f')
                        buf_byte(b, *value);
}

static void add_value(struct buf *b, enum gateway_place place, const char *value)
{
        switch (place) {
        case GATEWAY_JSON:
                add_json(b, value);
                break;
        case GATEWAY_HEADER:
                add_header(b, value);
                break;
        default:
                add_percent(b, value);
        }
}

char *gateway_fill(struct arena *a, const char *text, enum gateway_place place, const struct gateway_values *values)
{
        struct buf b = BUF_LIMIT(FILLED_MOST);
        while (*text) {
                int which;
                const size_t n = hole_at(text, &which);
                if (which >= 0)
                        add_value(&b, place, text_mend(arena_text(a, value_at(values, which))));
                else
                        buf_byte(&b, *text);
                text += which >= 0 ? n : 1;
        }
        char *out = arena_copy(a, b.at ? b.at : "", b.length);
        buf_free(&b);
        return out;
}

/* --- the description --------------------------------------------------------------------------------------------------------- */
struct reading {
        struct arena *arena;
        const char *file;
        struct gateway *out;
        struct err *e;
};

static bool refuse(const struct reading *r, int line, const char *en, const char *zh)
{
        return err_both(r->e, ERR_INVALID, NULL, "%s:%d: %s%.0s", "%s:%d：%.0s%s", r->file, line, en, zh);
}

static bool holes_known(const struct reading *r, const struct yaml *y)
{
        for (const char *p = y->text; (p = strchr(p, '{')) != NULL; p++) {
                int which;
                if (hole_at(p, &which) > 0 && which < 0)
                        return refuse(r, y->line, "an unknown hole; there are {phone} {text} {id} {language} {secret}",
                                      "未知的占位符；可用 {phone} {text} {id} {language} {secret}");
        }
        return true;
}

static bool one_of(const char *const *known, const char *word)
{
        while (*known && !text_is(*known, word))
                known++;
        return *known != NULL;
}

static bool one_line(const char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < ' ' || *text == '\x7f')
                        return false;
        return true;
}

static bool read_headers(const struct reading *r, const struct yaml *list)
{
        struct gateway *g = r->out;
        bool typed = false;
        if (list && list->kind != YAML_LIST)
                return refuse(r, list->line, "headers must be a list", "headers 应为列表");
        for (const struct yaml *h = list ? list->first : NULL; h; h = h->next) {
                if (g->n_headers == GATEWAY_HEADERS_MOST - 1)
                        return refuse(r, h->line, "too many headers (15 at most)", "请求头过多（最多15个）");
                if (h->kind != YAML_TEXT || !one_line(h->text) || !strchr(h->text, ':') || h->text[0] == ':')
                        return refuse(r, h->line, "write a header as \"Name: value\"", "请求头应写成 \"名称: 值\"");
                if (!holes_known(r, h))
                        return false;
                if (strncasecmp(h->text, "Content-Type:", 13) == 0) {
                        g->form = strcasestr(h->text, "application/x-www-form-urlencoded") != NULL;
                        if (!g->form && !strcasestr(h->text, "json"))
                                return refuse(r, h->line, "the Content-Type must be JSON or application/x-www-form-urlencoded",
                                              "Content-Type 应为 JSON 或 application/x-www-form-urlencoded");
                        typed = true;
                }
                g->headers[g->n_headers++] = arena_text(r->arena, h->text);
        }
        if (!typed)
                g->headers[g->n_headers++] = "Content-Type: application/json";
        return true;
}

static bool read_address(const struct reading *r, const struct yaml *root)
{
        static const char *const methods[] = {"POST", "GET", "PUT", NULL};
        const struct yaml *url = yaml_get(root, "url");
        r->out->method = yaml_text(root, "method", "POST");
        if (!one_of(methods, r->out->method))
                return refuse(r, root->line, "method must be POST, GET or PUT", "method 应为 POST、GET 或 PUT");
        if (!url || url->kind != YAML_TEXT || !one_line(url->text)
            || (!text_starts(url->text, "http://") && !text_starts(url->text, "https://")))
                return refuse(r, url ? url->line : root->line, "url must be an http:// or https:// address",
                              "url 应为 http:// 或 https:// 网址");
        r->out->url = arena_text(r->arena, url->text);
        return holes_known(r, url);
}

/* Filled with what must be escaped, it must still be JSON: so no hole stands outside of quotes. */
static bool read_body(const struct reading *r, const struct yaml *body)
{
        static const char nasty[] = "a\"b\\";
        const struct gateway_values sample = {nasty, nasty, nasty, nasty, nasty};
        struct err why;
        if (!body)
                return true;
        if (body->kind != YAML_TEXT || !holes_known(r, body))
                return body->kind == YAML_TEXT ? false : refuse(r, body->line, "body must be one text", "body 应为一段文本");
        r->out->body = arena_text(r->arena, body->text);
        if (r->out->form)
                return true;
        const char *filled = gateway_fill(r->arena, r->out->body, GATEWAY_JSON, &sample);
        return json_parse(r->arena, filled, strlen(filled), &why)
               || refuse(r, body->line, "the body is not JSON once its holes are filled; holes stand inside quotes",
                         "填入占位符后 body 不是有效的 JSON；占位符应写在引号内");
}

static bool read_success(const struct reading *r, const struct yaml *success)
{
        static const char *const keys[] = {"status", "pointer", "equals", NULL};
        int64_t status = 0;
        for (const struct yaml *m = success ? success->first : NULL; m; m = m->next)
                if (success->kind != YAML_MAP || m->kind != YAML_TEXT || !one_of(keys, m->key))
                        return refuse(r, m->line, "success has status, pointer and equals", "success 只有 status、pointer、equals");
        if (!success)
                return true;
        const char *code = yaml_text(success, "status", NULL);
        if (code && (!text_to_int(code, &status) || status < 100 || status > 599))
                return refuse(r, success->line, "status must be 100 to 599", "status 应为100至599");
        r->out->status = (int)status;
        r->out->pointer = yaml_text(success, "pointer", NULL);
        r->out->equals = yaml_text(success, "equals", NULL);
        if (!r->out->pointer != !r->out->equals || (r->out->pointer && *r->out->pointer && *r->out->pointer != '/'))
                return refuse(r, success->line, "pointer (such as /code) and equals belong together",
                              "pointer（如 /code）与 equals 应同时设置");
        return true;
}

bool gateway_parse(struct arena *a, const char *file, const char *bytes, size_t n, struct gateway *out, struct err *e)
{
        static const char *const keys[] = {"url", "method", "headers", "body", "success", NULL};
        const struct reading r = {a, file, out, e};
        struct err why = {0};
        *out = (struct gateway){0};
        const struct yaml *root = yaml_parse(a, bytes, n, &why);
        if (!root || root->kind != YAML_MAP)
                return err_both(e, ERR_INVALID, NULL, "%s: %s%.0s", "%s：%.0s%s", file, root ? "write NAME: VALUE lines" : why.text,
                                root        ? "每行应为 名称: 值"
                                : why.zh[0] ? why.zh
                                            : why.text);
        for (const struct yaml *m = root->first; m; m = m->next)
                if (!one_of(keys, m->key))
                        return refuse(&r, m->key_line, "there are the keys url, method, headers, body, success",
                                      "只有 url、method、headers、body、success 这些键");
        return read_address(&r, root) && read_headers(&r, yaml_get(root, "headers")) && read_body(&r, yaml_get(root, "body"))
               && read_success(&r, yaml_get(root, "success"));
}

/* --- the answer -------------------------------------------------------------------------------------------------------------- */
/* One token of a pointer, "~1" and "~0" decoded. */
static const char *token(struct arena *a, const char **pointer)
{
        const size_t n = strcspn(*pointer, "/");
        char *out = arena_copy(a, *pointer, n), *to = out;
        for (const char *p = out; *p; p++) {
                const bool escaped = p[0] == '~' && (p[1] == '0' || p[1] == '1');
                *to++ = (char)(escaped ? (p[1] == '0' ? '~' : '/') : *p);
                p += escaped;
        }
        *to = '\0';
        *pointer += n;
        return out;
}

static const struct json_value *child(const struct json_value *v, const char *name)
{
        int64_t i;
        if (json_kind(v) == JSON_OBJECT)
                return json_get(v, name);
        if (json_kind(v) != JSON_ARRAY || !text_to_int(name, &i) || i < 0)
                return NULL;
        for (v = json_first(v); v && i > 0; i--)
                v = json_next(v);
        return v;
}

static const struct json_value *point(struct arena *a, const struct json_value *v, const char *pointer)
{
        while (v && *pointer == '/') {
                pointer++;
                v = child(v, token(a, &pointer));
        }
        return v;
}

static bool value_is(const struct json_value *v, const char *wanted)
{
        double number;
        if (!v)
                return false;
        switch (json_kind(v)) {
        case JSON_TEXT:
                return text_is(json_text_of(v), wanted);
        case JSON_NUMBER:
                return text_to_real(wanted, &number) && fabs(number - json_real_of(v)) < 1e-9;
        case JSON_BOOL:
                return text_is(wanted, json_bool_of(v) ? "true" : "false");
        default:
                return false;
        }
}

bool gateway_accepts(struct arena *a, const struct gateway *g, int status, const char *answer, size_t n, struct err *e)
{
        struct err why;
        if (g->status ? status != g->status : status < 200 || status > 299)
                return err_set(e, ERR_BUSY, "the SMS gateway answered with status %d", status);
        if (!g->pointer)
                return true;
        const struct json_value *root = json_parse(a, answer, n, &why);
        if (!root)
                return err_set(e, ERR_BUSY, "the SMS gateway's answer is not JSON");
        return value_is(point(a, root, g->pointer), g->equals)
               || err_set(e, ERR_BUSY, "the SMS gateway refused: %s is not \"%.60s\" in its answer", g->pointer, g->equals);
}

/* --- phone numbers and replies ----------------------------------------------------------------------------------------------- */
const char *sms_number(struct arena *a, const char *text)
{
        const size_t room = strlen(text);
        char *out = arena_alloc(a, room + 1), *to = out;
        for (; *text; text++) {
                if (isdigit((unsigned char)*text) || (*text == '+' && to == out))
                        *to++ = *text;
                else if (!strchr(" -().", *text))
                        return NULL;
        }
        if (text_starts(out, "0086"))
                out += 4;
        else if (text_starts(out, "+86"))
                out += 3;
        else if (text_starts(out, "86") && strlen(out) == 13)
                out += 2;
        const size_t n = strlen(out);
        return n >= NUMBER_LEAST && n <= NUMBER_MOST && out[0] != '0' && (out[0] != '+' || n > NUMBER_LEAST) ? out : NULL;
}

/* Blanks and marks between the words, also the wide ones. */
static size_t skip_marks(const char *text)
{
        static const char *const marks[] = {" ", "\t", "\r", "\n", ",",  ".",  "!",  ";",
                                            ":", "，", "。", "！", "；", "：", "、", "　"};
        size_t n = 0;
        for (bool again = true; again;) {
                again = false;
                for (size_t i = 0; i < COUNT_OF(marks); i++)
                        if (text_starts(text + n, marks[i])) {
                                n += strlen(marks[i]);
                                again = true;
                        }
        }
        return n;
}

static size_t read_rating(const char *text, struct reply_text *out)
{
        static const char *const wide[] = {"１", "２", "３", "４"};
        size_t n = text[0] >= '1' && text[0] <= '4' ? 1 : 0;
        int rating = n ? text[0] - '0' : 0;
        for (int i = 0; i < 4 && !n; i++)
                if (text_starts(text, wide[i])) {
                        n = strlen(wide[i]);
                        rating = i + 1;
                }
        if (!n || out->rating || isdigit((unsigned char)text[n]))
                return 0;
        out->rating = rating;
        return n;
}

static size_t read_solved(const char *text, struct reply_text *out)
{
        static const struct {
                const char *word;
                int solved;
        } words[] = {{"未解决", 0}, {"没解决", 0}, {"没有解决", 0}, {"没有", 0}, {"否", 0}, {"不是", 0}, {"no", 0}, {"n", 0},
                     {"已解决", 1}, {"解决了", 1}, {"解决", 1},     {"是的", 1}, {"是", 1}, {"yes", 1},  {"y", 1}};
        for (size_t i = 0; i < COUNT_OF(words) && out->solved < 0; i++) {
                const size_t n = strlen(words[i].word);
                if (strncasecmp(text, words[i].word, n) == 0 && !isalpha((unsigned char)text[n])) {
                        out->solved = words[i].solved;
                        return n;
                }
        }
        return 0;
}

bool reply_text_parse(const char *text, struct reply_text *out)
{
        *out = (struct reply_text){0, -1};
        for (text += skip_marks(text); *text; text += skip_marks(text)) {
                size_t n = read_rating(text, out);
                n = n ? n : read_solved(text, out);
                if (!n) {
                        *out = (struct reply_text){0, -1};
                        return false;
                }
                text += n;
        }
        return out->rating > 0 || out->solved >= 0;
}
