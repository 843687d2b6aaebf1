/* letter/fuzz_gateway.c -- the SMS gateway: whatever its description, and whatever the citizen wrote, a body stays JSON and says
 * exactly what was put in, headers have no line breaks, and any answer is judged.  Input: description, NUL, text, NUL, answer. */
#include "base/arena.h"
#include "base/text.h"
#include "json/json.h"
#include "letter/gateway.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *piece(struct arena *a, const uint8_t **bytes, size_t *n)
{
        const uint8_t *end = memchr(*bytes, 0, *n);
        const size_t k = end ? (size_t)(end - *bytes) : *n;
        const char *out = arena_copy(a, *bytes, k);
        *bytes += end ? k + 1 : k;
        *n -= end ? k + 1 : k;
        return out;
}

/* Every text of the body that was one hole is now the value. */
static void compare(const struct json_value *was, const struct json_value *is, const char *text)
{
        assert(json_kind(was) == json_kind(is));
        if (json_kind(was) == JSON_TEXT && text_is(json_text_of(was), "{text}"))
                assert(text_is(json_text_of(is), text));
        const struct json_value *x = json_first(was), *y = json_first(is);
        for (; x && y; x = json_next(x), y = json_next(y))
                compare(x, y, text);
        assert(!x && !y);
}

static void check_body(struct arena *a, const struct gateway *g, const struct gateway_values *v)
{
        struct err e = {0};
        const struct json_value *was = json_parse(a, g->body, strlen(g->body), &e);
        const char *filled = gateway_fill(a, g->body, GATEWAY_JSON, v);
        if (!was) { /* holes stand inside quotes, so only two names that differ by their holes may be refused */
                assert(strstr(e.text, "twice"));
                return;
        }
        const struct json_value *is = json_parse(a, filled, strlen(filled), &e);
        /* Values in names may meet other names: then, and only then, the JSON is refused for a name that stands twice. */
        if (is)
                compare(was, is, v->text);
        else
                assert(strstr(e.text, "twice"));
}

static void check_gateway(struct arena *a, const struct gateway *g, const struct gateway_values *v, const char *answer)
{
        struct err e = {0};
        assert(text_starts(g->url, "http"));
        if (g->body && !g->form)
                check_body(a, g, v);
        for (size_t i = 0; i < g->n_headers; i++)
                assert(!strpbrk(gateway_fill(a, g->headers[i], GATEWAY_HEADER, v), "\r\n"));
        const char *url = gateway_fill(a, g->url, GATEWAY_URL, v);
        assert(!strpbrk(url, "\r\n") && strlen(url) >= strlen("http"));
        if (!gateway_accepts(a, g, 200, answer, strlen(answer), &e))
                assert(e.kind == ERR_BUSY && e.text[0]);
}

static void check_reply(struct arena *a, const char *text)
{
        struct reply_text said;
        if (reply_text_parse(text, &said))
                assert(said.rating >= 0 && said.rating <= 4 && said.solved >= -1 && said.solved <= 1
                       && (said.rating || said.solved >= 0));
        const char *phone = sms_number(a, text);
        assert(!phone || (strlen(phone) >= 5 && strspn(phone, "+0123456789") == strlen(phone)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct gateway g;
        struct err e = {0};
        const char *description = piece(a, &bytes, &n), *text = text_mend(arena_text(a, piece(a, &bytes, &n)));
        const char *answer = piece(a, &bytes, &n);
        const struct gateway_values v = {"13800138000", text, "1", "zh", text};
        if (gateway_parse(a, "sms.yaml", description, strlen(description), &g, &e))
                check_gateway(a, &g, &v, answer);
        else
                assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        check_reply(a, text);
        arena_free(&a);
        return 0;
}
