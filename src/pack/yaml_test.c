/* pack/yaml_test.c -- strict YAML: trees with lines, and what is refused where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "pack/yaml.h"

static void write_tree(struct buf *b, const struct yaml *y)
{
        if (y->key)
                buf_format(b, "%s@%d=", y->key, y->key_line);
        if (y->kind == YAML_TEXT) {
                buf_format(b, "'%s'", y->text);
                return;
        }
        size_t n = 0;
        buf_byte(b, y->kind == YAML_LIST ? '[' : '{');
        for (const struct yaml *c = y->first; c; c = c->next, n++) {
                if (n)
                        buf_byte(b, ' ');
                write_tree(b, c);
        }
        buf_byte(b, y->kind == YAML_LIST ? ']' : '}');
        assert_int_equal(n, y->count);
}

static void reads(const char *text, const char *wanted)
{
        struct arena *a = arena_new();
        struct buf b = BUF_LIMIT(1 << 16);
        struct err e;
        const struct yaml *y = yaml_parse(a, text, strlen(text), &e);
        if (!y)
                fail_msg("%s: %s", text, e.text);
        write_tree(&b, y);
        assert_string_equal(b.at, wanted);
        buf_free(&b);
        arena_free(&a);
}

static void trees_with_lines(void **state)
{
        (void)state;
        reads("a", "'a'");
        reads("a: b\n", "{a@1='b'}");
        reads("# head\na: 1\nb:\n  - x\n  - {c: d, e: [f]}\n", "{a@2='1' b@3=['x' {c@5='d' e@5=['f']}]}");
        /* Words stay words. */
        reads("a: no\nb: off\nc: ~\nd: 0x10\ne:\nf: \"\"\ng: 'it''s'\n",
              "{a@1='no' b@2='off' c@3='~' d@4='0x10' e@5='' f@6='' g@7='it's'}");
        reads("a: |\n  one\n  two\nb: >\n  one\n  two\n", "{a@1='one\ntwo\n' b@4='one two\n'}");
        reads("- {}\n- []\n", "[{} []]");
        reads("键: 值\n", "{键@1='值'}");
        reads("a: [1, 2,\n    3]\n", "{a@1=['1' '2' '3']}");
        reads("---\na: b\n...\n", "{a@2='b'}");
}

static void refuses(const char *text, size_t n, const char *says)
{
        struct arena *a = arena_new();
        struct err e;
        assert_null(yaml_parse(a, text, n, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        if (strncmp(e.text, says, strlen(says)) != 0)
                fail_msg("%s\nsays \"%s\", wanted \"%s\"", text, e.text, says);
        assert_int_equal(strncmp(e.zh, says, (size_t)(strchr(says, ':') - says)), 0); /* the line comes first in both languages */
        arena_free(&a);
}
#define REFUSES(text, says) refuses(text, sizeof(text) - 1, says)

static void faults_begin_with_the_line(void **state)
{
        (void)state;
        REFUSES("", "1: the file is empty");
        REFUSES("# nothing\n", "1: the file is empty");
        REFUSES("a: 1\nb: 2\na: 3\n", "3: the key \"a\" stands twice (also in line 1)");
        REFUSES("x:\n  a: 1\n  a: 3\n", "3: the key \"a\" stands twice (also in line 2)");
        REFUSES("a: &x 1\n", "1: anchors and tags");
        REFUSES("a: 1\nb: &x [1]\n", "2: anchors and tags");
        REFUSES("a: &x {b: 1}\n", "1: anchors and tags");
        REFUSES("a: !!str 1\n", "1: anchors and tags");
        REFUSES("&k a: 1\n", "1: anchors and tags");
        REFUSES("a: 1\nb: *x\n", "2: aliases are not taken");
        REFUSES("a: 1\n<<: {b: 2}\n", "2: merge keys");
        REFUSES("? [a, b]\n: 1\n", "1: a key must be a word");
        REFUSES("a: 1\n---\nb: 2\n", "2: a second document");
        REFUSES("a: 1\nb: [1, 2\n", "3: not YAML");
        REFUSES("a:\n\tb: 1\n", "2: not YAML");
        REFUSES("a: \"x\\0y\"\n", "1: a text holds a NUL");
        REFUSES("a: 1\n\"x\\0y\": 1\n", "2: a key holds a NUL");
        REFUSES("a: \xFF\n", "1: not YAML");
        REFUSES("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "1: nested deeper than 16 levels");
}

static void lookups(void **state)
{
        static const char text[] = "a: 1\nb: [2]\nc: {d: 3}\n";
        struct arena *a = arena_new();
        struct err e;
        (void)state;
        const struct yaml *y = yaml_parse(a, text, sizeof text - 1, &e);
        assert_non_null(y);
        assert_string_equal(yaml_text(y, "a", "?"), "1");
        assert_string_equal(yaml_text(y, "b", "?"), "?");
        assert_string_equal(yaml_text(y, "z", "?"), "?");
        assert_string_equal(yaml_text(yaml_get(y, "c"), "d", "?"), "3");
        assert_null(yaml_get(yaml_get(y, "a"), "x"));
        assert_null(yaml_get(yaml_get(y, "b"), "2"));
        assert_null(yaml_get(NULL, "a"));
        assert_int_equal(yaml_get(y, "c")->line, 3);
        arena_free(&a);
}

static void large_files_are_refused(void **state)
{
        const size_t n = (4u << 20) + 1;
        char *text = malloc(n);
        (void)state;
        assert_non_null(text);
        memset(text, 'a', n);
        refuses(text, n, "1: the file is larger");
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(trees_with_lines),
                cmocka_unit_test(faults_begin_with_the_line),
                cmocka_unit_test(lookups),
                cmocka_unit_test(large_files_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
