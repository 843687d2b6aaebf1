/* pack/fuzz_yaml.c -- YAML: a tree with every count, key and line right, or a sentence that begins with a line. */
#include "base/arena.h"
#include "base/text.h"
#include "pack/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(const struct yaml *y, int level, int lines)
{
        size_t count = 0;
        assert(level <= 16 && y->line >= 1 && y->line <= lines);
        assert((y->kind == YAML_TEXT) == (y->text != NULL) && (y->kind != YAML_TEXT || !y->first));
        assert(!y->text || text_utf8_fault(y->text, strlen(y->text)) == strlen(y->text));
        for (const struct yaml *c = y->first; c; c = c->next, count++) {
                assert((y->kind == YAML_MAP) == (c->key != NULL));
                assert(!c->key || (yaml_get(y, c->key) == c && c->key_line >= y->line));
                check(c, level + 1, lines);
        }
        assert(count == y->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct err e = {0};
        int lines = 2;
        for (size_t i = 0; i < n; i++) /* libyaml also breaks lines at CR, NEL, LS and PS */
                lines += bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == 0x85 || bytes[i] == 0xA8 || bytes[i] == 0xA9;
        const struct yaml *root = yaml_parse(a, (const char *)bytes, n, &e);
        if (root)
                check(root, 1, lines);
        else
                assert(e.kind == ERR_INVALID && e.text[0] >= '0' && e.text[0] <= '9' && strchr(e.text, ':') && e.zh[0]);
        arena_free(&a);
        return 0;
}
