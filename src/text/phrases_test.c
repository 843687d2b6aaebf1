/* text/phrases_test.c -- shingles, how rare they are, usual words, and the places a text names. */
#include "text/phrases.h"
#include "base/arena.h"
#include "base/buf.h"
#include "text/fold.h"
#include "text/shingles.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct fold *fold;
static struct arena *arena;

static struct folded *folded(const char *text)
{
        struct folded *f = NEW(arena, struct folded);
        fold_text(fold, arena, text, strlen(text), f);
        return f;
}

static char *part(const struct folded *f, size_t from, size_t to)
{
        struct buf b = BUF_LIMIT(1 << 20);
        fold_write(f, from, to, &b);
        char *copy = arena_text(arena, b.at ? b.at : "");
        buf_free(&b);
        return copy;
}

/* "a|b|c" of the places named. */
static char *places(const char *text)
{
        const struct folded *f = folded(text);
        struct place_phrase *p;
        struct buf b = BUF_LIMIT(1 << 20);
        const size_t n = place_phrases(f, arena, &p);
        for (size_t i = 0; i < n; i++)
                buf_format(&b, "%s%s", i > 0 ? "|" : "", part(f, p[i].from, p[i].to));
        char *copy = arena_text(arena, b.at ? b.at : "");
        buf_free(&b);
        return copy;
}

static char *plain(const char *text)
{
        const struct folded *f = folded(text);
        const bool *usual = usual_words(f, arena);
        struct buf b = BUF_LIMIT(1 << 20);
        for (size_t i = 0; i < f->n; i++)
                if (!usual[i])
                        fold_write(f, i, i + 1, &b);
        char *copy = arena_text(arena, b.at ? b.at : "");
        buf_free(&b);
        return copy;
}

static void units_are_ideographs_and_words(void **state)
{
        (void)state;
        struct unit *u;
        const struct folded *f = folded("路灯 C7栋, street-lamp坏");
        const size_t n = text_units(f, arena, &u);
        static const char *const wanted[] = {"路", "灯", "c7", "栋", "street", "lamp", "坏"};
        assert_int_equal(n, COUNT_OF(wanted));
        for (size_t i = 0; i < n; i++)
                assert_string_equal(part(f, u[i].from, u[i].to), wanted[i]);
}

static size_t shared(const char *one, const char *other)
{
        struct shingle *a, *b;
        const size_t n = text_shingles(folded(one), arena, &a), m = text_shingles(folded(other), arena, &b);
        size_t both = 0;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < m; k++)
                        both += a[i].hash == b[k].hash;
        return both;
}

static void shingles_do_not_see_marks(void **state)
{
        (void)state;
        struct shingle *s;
        /* 4 units: 3 pairs, 2 triples. */
        assert_int_equal(text_shingles(folded("路灯坏了"), arena, &s), 5);
        assert_int_equal(shared("路灯坏了", "路、灯……坏\n了！"), 5);
        assert_int_equal(shared("路灯坏了", "路燈壞了"), 5);
        assert_int_equal(shared("路灯坏了", "井盖缺失"), 0);
        assert_int_equal(text_shingles(folded(""), arena, &s), 0);
        assert_int_equal(text_shingles(folded("。！"), arena, &s), 0);
        assert_int_equal(text_shingles(folded("吵"), arena, &s), 1);
        /* The same run again is one shingle that is there twice. */
        const size_t n = text_shingles(folded("很吵很吵很吵"), arena, &s);
        size_t most = 0;
        for (size_t i = 0; i < n; i++) {
                most = s[i].times > most ? s[i].times : most;
                assert_true(i == 0 || s[i - 1].hash < s[i].hash);
        }
        assert_int_equal(n, 4);
        assert_int_equal(most, 3);
}

static void what_is_common_weighs_less(void **state)
{
        (void)state;
        struct rare *r = rare_new();
        assert_true(fabs(rare_weight(r, 1) - 1) < 1e-9);
        for (uint32_t i = 0; i < 1000; i++) {
                const uint32_t of_text[] = {7, i % 10 == 0 ? 8U : 1000000 + i};
                rare_learn(r, of_text, 2);
        }
        assert_true(rare_weight(r, 7) < 0.01 && rare_weight(r, 7) >= 0);
        assert_true(rare_weight(r, 8) > 0.25 && rare_weight(r, 8) < 0.4);
        assert_true(rare_weight(r, 9) > 0.99);
        assert_int_equal(rare_texts(r, 8), 100);
        /* Ever more texts: counts are halved, nothing overflows. */
        for (uint32_t i = 0; i < 200000; i++)
                rare_learn(r, (uint32_t[]){7}, 1);
        assert_true(rare_texts(r, 7) <= 60000 && rare_texts(r, 7) >= 29000);
        assert_true(rare_weight(r, 7) < 0.02 && rare_weight(r, 7) >= 0);
        rare_free(&r);
        assert_null(r);
}

static void greetings_and_requests_are_usual(void **state)
{
        (void)state;
        assert_string_equal(plain("尊敬的领导您好"), "");
        assert_string_equal(plain("请问路灯问题,谢谢"), "路灯,");
        assert_string_equal(plain("Please, this island"), ",  island");
        assert_string_equal(plain(""), "");
}

static void places_by_the_word_for_their_kind(void **state)
{
        (void)state;
        assert_string_equal(places("我住在丽景花园,旁边的东升路很吵"), "丽景花园|东升路");
        assert_string_equal(places("B2区的C7县有问题"), "b2区|c7县");
        assert_string_equal(places("这条路在马路对面,我们小区"), "");
        assert_string_equal(places("居民小区里的市民"), "");
        assert_string_equal(places("Noise in Lakeside Garden and Hill Road"), "lakeside garden|hill road");
        assert_string_equal(places(""), "");
        assert_string_equal(places("路"), "");
        /* However long the name is, the same place has the same hash. */
        struct place_phrase *one, *other;
        assert_int_equal(place_phrases(folded("反映枫林晚风小区停水"), arena, &one), 1);
        assert_int_equal(place_phrases(folded("楓林晚風小區"), arena, &other), 1);
        assert_int_equal(one[0].hash, other[0].hash);
}

int main(void)
{
        struct err e;
        if (!fold_new(&fold, &e))
                return 1;
        arena = arena_new();
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(units_are_ideographs_and_words),    cmocka_unit_test(shingles_do_not_see_marks),
                cmocka_unit_test(what_is_common_weighs_less),        cmocka_unit_test(greetings_and_requests_are_usual),
                cmocka_unit_test(places_by_the_word_for_their_kind),
        };
        const int failed = cmocka_run_group_tests(tests, NULL, NULL);
        arena_free(&arena);
        fold_free(&fold);
        return failed;
}
