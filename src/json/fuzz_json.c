/* json/fuzz_json.c -- JSON: what is read is written, read again and written again as the same text; shapes refuse with a
 * sentence. */
#include "base/arena.h"
#include "base/text.h"
#include "json/json.h"
#include "json/shape.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *const colours[] = {"red", "green", NULL};
static const struct shape inner[] = {
        {.name = "lon", .type = SHAPE_REAL, .required = true, .least = -180, .most = 180},
        {.name = "n", .type = SHAPE_INT},
        {0},
};
static const struct shape element[] = {{.type = SHAPE_TEXT, .least = 1, .most = 5}, {0}};
static const struct shape members[] = {
        {.name = "text", .type = SHAPE_TEXT, .required = true},
        {.name = "colour", .type = SHAPE_TEXT, .choices = colours},
        {.name = "at", .type = SHAPE_TIME},
        {.name = "yes", .type = SHAPE_BOOL},
        {.name = "where", .type = SHAPE_OBJECT, .fields = inner},
        {.name = "open", .type = SHAPE_OBJECT, .fields = inner, .open = true},
        {.name = "list", .type = SHAPE_ARRAY, .most = 3, .fields = element},
        {.name = "any", .type = SHAPE_ANY},
        {0},
};

static char *written(struct arena *a, const struct json_value *v)
{
        struct buf b = BUF_LIMIT((size_t)64 << 20);
        struct json j = json_to(&b);
        json_copy(&j, NULL, v);
        assert(!b.overflow && j.depth == 0);
        char *text = arena_copy(a, b.at, b.length);
        assert(strlen(text) == b.length && text_utf8_fault(text, b.length) == b.length);
        buf_free(&b);
        return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct err e = {0};
        char *exact = malloc(n ? n : 1); /* a NUL behind it would hide reading on */
        assert(exact);
        memcpy(exact, bytes, n);
        const struct json_value *v = json_parse(a, exact, n, &e);
        free(exact);
        assert(v ? e.kind == ERR_NONE : e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        if (v) {
                const char *first = written(a, v);
                const struct json_value *again = json_parse(a, first, strlen(first), &e);
                assert(again && json_kind(again) == json_kind(v) && json_count(again) == json_count(v));
                assert(strcmp(first, written(a, again)) == 0);
                assert(shape_check(v, members, &e) || (e.kind == ERR_INVALID && e.text[0] && e.zh[0]));
        }
        arena_free(&a);
        return 0;
}
