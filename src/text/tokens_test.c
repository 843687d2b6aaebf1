/* Tokens: what is a term, what is found, what is personal. */
#include "text/tokens.h"
#include "base/arena.h"
#include "base/buf.h"
#include "text/fold.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct world {
        struct fold *fold;
        struct arena *arena;
};

static struct atoms atoms(const struct world *w, const char *text)
{
        struct folded *f = NEW(w->arena, struct folded);
        struct atoms out;
        fold_text(w->fold, w->arena, text, strlen(text), f);
        atoms_of(w->arena, f, &out);
        return out;
}

static const char *joined(const struct world *w, struct terms *t)
{
        struct buf b = BUF_LIMIT(1 << 16);
        terms_sort(t);
        for (size_t i = 0; i < t->n; i++)
                buf_format(&b, "%s%s", i ? " " : "", t->at[i]);
        const char *out = arena_copy(w->arena, b.at ? b.at : "", b.length);
        buf_free(&b);
        return out;
}

static const char *terms(const struct world *w, const char *text)
{
        struct terms t = {.arena = w->arena};
        const struct atoms a = atoms(w, text);
        terms_add(&t, &a);
        return joined(w, &t);
}

static const char *needed(const struct world *w, const char *words, bool exact)
{
        struct terms t = {.arena = w->arena};
        const struct atoms a = atoms(w, words);
        bool said;
        terms_needed(&t, &a, &said);
        assert_int_equal(said, exact);
        return joined(w, &t);
}

static bool finds(const struct world *w, const char *text, const char *words)
{
        const struct atoms t = atoms(w, text), q = atoms(w, words);
        return atoms_find(&t, &q, 0) != SIZE_MAX;
}

static void terms_of_a_text(void **state)
{
        const struct world *w = *state;
        assert_string_equal(terms(w, "路灯坏"), "坏 灯 灯坏 路 路灯");
        assert_string_equal(terms(w, "路燈，路燈"), "灯 路 路灯");
        assert_string_equal(terms(w, "ＫＴＶ噪音"), "ktv 噪 噪音 音");
        assert_string_equal(terms(w, "3号楼B座"), "3 b 号 号楼 座 楼");
        assert_string_equal(terms(w, " ，。 "), "");
}

static void needed_terms(void **state)
{
        const struct world *w = *state;
        assert_string_equal(needed(w, "路灯", true), "路灯");
        assert_string_equal(needed(w, "路", true), "路");
        assert_string_equal(needed(w, "KTV", true), "ktv");
        assert_string_equal(needed(w, "施工噪音", false), "噪音 工噪 施工");
        assert_string_equal(needed(w, "3号楼", false), "3 号楼");
        assert_string_equal(needed(w, "b座", false), "b 座");
        assert_string_equal(needed(w, "abcdefghijabcdefghijabcdefghijabcdefghijX", false),
                            "abcdefghijabcdefghijabcdefghijabcdefghij");
}

static void found(void **state)
{
        const struct world *w = *state;
        assert_true(finds(w, "夜間施工噪音擾民", "施工噪音"));
        assert_false(finds(w, "施工，工噪，噪音", "施工噪音"));
        assert_true(finds(w, "住在3号楼的", "3号楼"));
        assert_false(finds(w, "3，号楼", "3号楼"));
        assert_true(finds(w, "the street  light is out", "street light"));
        assert_true(finds(w, "street, light", "street light"));
        assert_false(finds(w, "streetlight", "street light"));
        assert_false(finds(w, "路灯", ""));
        assert_false(finds(w, "路", "路灯"));
}

static void personal(void **state)
{
        const struct world *w = *state;
        const char *const hidden[] = {"13800138000",    "138-0013-8000", "138 0013 8000", "１３８００１３８０００",
                                      "0755-2833 1234", "28331234",      "2833 1234",     "44030119900101123X"};
        for (size_t i = 0; i < COUNT_OF(hidden); i++)
                assert_string_equal(terms(w, hidden[i]), "");
        assert_string_equal(terms(w, "li.xm@qq.com"), "com qq");
        assert_string_equal(terms(w, "邮箱li_1@qq.com"), "com qq 箱 邮 邮箱");
        assert_string_equal(terms(w, "2024-2025"), "2024 2025");
        assert_string_equal(terms(w, "2025-03-01"), "01 03 2025");
        assert_string_equal(terms(w, "12-3-1501"), "12 1501 3");
        assert_string_equal(terms(w, "粤B12345"), "b12345 粤");
        assert_string_equal(terms(w, "a @ b"), "a b");
        assert_false(finds(w, "电话13800138000", "13800138000"));
        assert_true(finds(w, "电话13800138000", "电话"));
}

static int begin(void **state)
{
        struct arena *a = arena_new();
        struct world *w = NEW(a, struct world);
        struct err e;
        w->arena = a;
        *state = w;
        return fold_new(&w->fold, &e) ? 0 : -1;
}

static int end(void **state)
{
        struct world *w = *state;
        struct arena *a = w->arena;
        fold_free(&w->fold);
        arena_free(&a);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(terms_of_a_text),
                cmocka_unit_test(needed_terms),
                cmocka_unit_test(found),
                cmocka_unit_test(personal),
        };
        return cmocka_run_group_tests(tests, begin, end);
}
