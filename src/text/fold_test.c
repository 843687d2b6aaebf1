/* Folding: one spelling of many, places kept, bounds. */
#include "text/fold.h"
#include "base/arena.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* xorshift (Marsaglia 2003): the same texts in every run. */
static int draw(void)
{
        static uint32_t x = 2463534242U;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        return (int)(x >> 1);
}

static struct fold *fold;
static struct arena *arena;

static char *folded(const char *text)
{
        struct folded f;
        struct buf b = BUF_LIMIT(1 << 20);
        fold_text(fold, arena, text, strlen(text), &f);
        fold_write(&f, 0, f.n, &b);
        char *copy = arena_copy(arena, b.at ? b.at : "", b.length);
        buf_free(&b);
        return copy;
}

static void one_spelling(void **state)
{
        (void)state;
        assert_string_equal(folded("ＡＢＣ１２３ｋｍ／ｈ"), "abc123km/h");
        assert_string_equal(folded("馬路邊的路燈壞了，請儘快維修"), "马路边的路灯坏了,请尽快维修");
        assert_string_equal(folded("  垃圾 \t\r\n 没人清　运  "), "垃圾 没人清 运");
        assert_string_equal(folded("太吵了！！！！！"), "太吵了!");
        assert_string_equal(folded("噪\u200b音\U0001F600很\uFE0F大\u2600"), "噪音很大");
        assert_string_equal(folded("㎡㈱"), "m2(株)");
        assert_string_equal(folded("Straße ÉTÉ"), "strasse ete");
        assert_string_equal(folded("e\u0301"), folded("\u00e9"));
        assert_string_equal(folded("\U00020000字"), "\U00020000字");
        assert_string_equal(folded(""), "");
        assert_string_equal(folded("\xff\xfe坏\xe5"), "坏");
        assert_string_equal(folded("1100"), "1100"); /* digits repeat because they mean something */
}

static void twice_is_once(void **state)
{
        (void)state;
        for (int round = 0; round < 300; round++) {
                struct buf b = BUF_LIMIT(1 << 16);
                for (int i = 0; i < 60; i++) {
                        const int plane = draw() % 4;
                        const unsigned c = plane == 0   ? 0x20U + (unsigned)draw() % 0x3E0U
                                           : plane == 1 ? 0x3000U + (unsigned)draw() % 0x7000U
                                           : plane == 2 ? 0xF900U + (unsigned)draw() % 0x6F0U
                                                        : 0x1D400U + (unsigned)draw() % 0x400U;
                        char utf8[5] = {0};
                        if (c < 0x80)
                                utf8[0] = (char)c;
                        else if (c < 0x800)
                                (void)snprintf(utf8, sizeof utf8, "%c%c", 0xC0 | c >> 6, 0x80 | (c & 63));
                        else if (c < 0x10000)
                                (void)snprintf(utf8, sizeof utf8, "%c%c%c", 0xE0 | c >> 12, 0x80 | (c >> 6 & 63), 0x80 | (c & 63));
                        else
                                (void)snprintf(utf8, sizeof utf8, "%c%c%c%c", 0xF0 | c >> 18, 0x80 | (c >> 12 & 63),
                                               0x80 | (c >> 6 & 63), 0x80 | (c & 63));
                        buf_text(&b, utf8);
                }
                char *once = folded(b.at);
                assert_string_equal(folded(once), once);
                buf_free(&b);
                arena_reset(arena);
        }
}

static void places(void **state)
{
        (void)state;
        const char *text = "Ａ路燈\U0001F600坏㎡";
        struct folded f;
        fold_text(fold, arena, text, strlen(text), &f);
        assert_int_equal(f.n, 6); /* a 路 灯 坏 m 2 */
        const uint32_t at[] = {0, 3, 6, 13, 16, 16, 19};
        assert_memory_equal(f.at, at, sizeof at);
        assert_false(f.cut);
}

static void bounds(void **state)
{
        (void)state;
        const size_t n = 300000;
        char *text = arena_alloc(arena, n + 1);
        for (size_t i = 0; i < n; i += 3)
                memcpy(text + i, "\xE3\x8C\x96", 3); /* one character that becomes six */
        struct folded f;
        fold_text(fold, arena, text, n, &f);
        assert_true(f.cut);
        assert_true(f.n >= FOLD_MOST - 8 && f.n <= FOLD_MOST + 8);
        fold_text(fold, arena, text, 30, &f);
        assert_false(f.cut);
        assert_int_equal(f.at[f.n], 30);
}

static void kinds(void **state)
{
        (void)state;
        assert_int_equal(letter_kind(0x8DEF), LETTER_HAN);
        assert_int_equal(letter_kind('7'), LETTER_DIGIT);
        assert_int_equal(letter_kind('k'), LETTER_WORD);
        assert_int_equal(letter_kind(0x43A), LETTER_WORD);
        assert_int_equal(letter_kind(','), LETTER_NONE);
        assert_int_equal(letter_kind(0x3002), LETTER_NONE);
}

static int open_fold(void **state)
{
        struct err e;
        (void)state;
        arena = arena_new();
        return fold_new(&fold, &e) ? 0 : -1;
}

static int close_fold(void **state)
{
        (void)state;
        fold_free(&fold);
        arena_free(&arena);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_spelling), cmocka_unit_test(twice_is_once), cmocka_unit_test(places),
                cmocka_unit_test(bounds),       cmocka_unit_test(kinds),
        };
        return cmocka_run_group_tests(tests, open_fold, close_fold);
}
