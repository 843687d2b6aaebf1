/* The classifier on texts made of small vocabularies: what it learns, how sure it is, what it says why, what survives. */
#include "classify/classifier.h"
#include "base/arena.h"
#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { TEXTS = 480, LEAVES = 4 };

/* 0 noise: 1 of machines, 2 of neighbours; 3 roads: 4 lamps, 5 holes. */
/* xorshift (Marsaglia 2003): the same texts in every run. */
static int draw(void)
{
        static uint32_t x = 2463534242U;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        return (int)(x >> 1);
}

static const char *const codes[] = {"noise", "noise/site", "noise/home", "road", "road/lamp", "road/hole", "empty"};
static int parents[] = {-1, 0, 0, -1, 3, 3, -1};
static const struct classes classes = {COUNT_OF(codes), (const char **)codes, parents};
static const int leaves[LEAVES] = {1, 2, 4, 5};
static const char *const words[LEAVES][6] = {
        {"工地夜间施工", "打桩机轰鸣", "噪音很大", "渣土车进出", "凌晨还在浇筑", "无法入睡"},
        {"楼上邻居跳舞", "半夜放音响", "噪音扰民", "敲墙装修声", "小孩跑跳", "无法休息"},
        {"路灯不亮", "晚上漆黑一片", "灯杆倾斜", "灯罩掉落", "道路照明", "行人看不见"},
        {"路面坑洼", "井盖塌陷", "道路破损严重", "车辆颠簸", "积水深坑", "行人摔倒"},
};
static struct fold *fold;

struct made {
        struct arena *arena;
        struct example at[TEXTS];
        char *text[TEXTS];
};

static size_t counted(struct arena *a, const char *text, struct gram_count **out)
{
        struct folded f;
        struct gram *grams;
        fold_text(fold, a, text, strlen(text), &f);
        const size_t n = grams_list(&f, a, &grams);
        return grams_count(grams, n, a, out);
}

/* Three phrases of the class and one of any. */
static char *text_of(struct arena *a, int leaf)
{
        return arena_format(a, "%s，%s，%s，%s", words[leaf][draw() % 6], words[leaf][draw() % 6],
                            words[draw() % LEAVES][draw() % 6], words[leaf][draw() % 6]);
}

static struct made *make_texts(void)
{
        struct arena *a = arena_new();
        struct made *m = NEW(a, struct made);
        m->arena = a;
        for (int i = 0; i < TEXTS; i++) {
                struct gram_count *grams;
                m->text[i] = text_of(a, i % LEAVES);
                const size_t n = counted(a, m->text[i], &grams);
                m->at[i] = (struct example){grams, n, leaves[i % LEAVES], (uint32_t)i, false};
        }
        return m;
}

static void forget(struct made *m)
{
        struct arena *a = m->arena;
        arena_free(&a);
}

static struct classifier *trained(struct made *m, size_t n)
{
        struct classifier *c;
        struct err e;
        assert_true(classifier_train(&classes, m->at, n, &(struct training){.now = 7}, &c, &e));
        return c;
}

static struct guess best_of(const struct classifier *c, const char *text)
{
        struct arena *a = arena_new();
        struct gram_count *grams;
        struct guess g[3] = {{-1, 0}};
        const size_t n = counted(a, text, &grams);
        const size_t found = classifier_guess(c, grams, n, g, 3);
        double sum = 0;
        for (size_t i = 0; i < found; i++) {
                assert_true(g[i].p >= 0 && g[i].p <= 1 && (i == 0 || g[i].p <= g[i - 1].p));
                sum += g[i].p;
        }
        assert_true(sum <= 1.0001);
        arena_free(&a);
        return g[0];
}

static void learns(void **state)
{
        (void)state;
        struct made *m = make_texts();
        struct classifier *c = trained(m, TEXTS);
        const struct training_report r = classifier_report(c);
        assert_int_equal(r.at, 7);
        assert_int_equal(r.examples, TEXTS);
        assert_int_equal(r.classes, LEAVES);
        assert_true(r.accuracy > 0.9 && r.macro_f1 > 0.9 && r.ece < 0.05 && r.coverage > 0.8);
        assert_false(classifier_cold(c));
        assert_int_equal(best_of(c, "工地半夜打桩，噪音很大").class, 1);
        assert_int_equal(best_of(c, "樓上鄰居半夜跳舞").class, 2); /* Traditional */
        assert_int_equal(best_of(c, "路燈壞了，漆黑一片，路灯不亮").class, 4);
        const struct guess sure = best_of(c, "井盖塌陷，路面坑洼，车辆颠簸");
        assert_int_equal(sure.class, 5);
        assert_true(sure.p > 0.9 && sure.p >= classifier_threshold(c, 5));
        assert_true(best_of(c, "无法").p < sure.p);
        assert_int_equal(best_of(c, "").class, -1);
        assert_int_equal(best_of(c, "zzz 123 !!!").class, -1);
        assert_string_equal(classifier_code(c, 4), "road/lamp");
        assert_int_equal(classifier_class(c, "road/hole"), 5);
        assert_int_equal(classifier_class(c, "sea"), -1);
        classifier_free(&c);
        forget(m);
}

static void explains(void **state)
{
        (void)state;
        struct made *m = make_texts();
        struct classifier *c = trained(m, TEXTS);
        struct arena *a = arena_new();
        const char *text = "您好，路灯不亮，旁边井盖塌陷";
        struct folded f;
        struct phrase p[8];
        fold_text(fold, a, text, strlen(text), &f);
        const size_t n = classifier_explain(c, a, &f, 4, 5, p, 8);
        const char *lamp = strstr(text, "路灯不亮"), *hole = strstr(text, "井盖塌陷");
        bool for_lamp = false, for_hole = false;
        for (size_t i = 0; i < n; i++) {
                assert_true(p[i].from < p[i].to && p[i].to <= strlen(text));
                for_lamp |= p[i].weight > 0 && p[i].from >= (size_t)(lamp - text) && p[i].to <= (size_t)(lamp - text) + 12;
                for_hole |= p[i].weight < 0 && p[i].from >= (size_t)(hole - text) && p[i].to <= (size_t)(hole - text) + 12;
        }
        assert_true(for_lamp && for_hole);
        arena_free(&a);
        classifier_free(&c);
        forget(m);
}

static void corrected_at_once(void **state)
{
        (void)state;
        struct made *m = make_texts();
        struct classifier *c = trained(m, TEXTS);
        struct arena *a = arena_new();
        const char *text = "广场舞音响半夜还在放，噪音扰民", *like = "广场舞音响半夜还在放，噪音扰民，请处理";
        struct gram_count *grams;
        const size_t n = counted(a, text, &grams);
        assert_int_equal(best_of(c, text).class, 2);
        assert_true(classifier_correct(c, grams, n, 5)); /* as wrong as can be: another branch of the tree */
        assert_int_equal(classifier_corrections(c), 1);
        assert_int_equal(best_of(c, text).class, 5);
        assert_int_equal(best_of(c, like).class, 5);
        assert_int_equal(best_of(c, "楼上邻居跳舞，敲墙装修声").class, 2); /* others stay */
        assert_int_equal(best_of(c, "工地夜间施工，渣土车进出").class, 1);
        assert_true(classifier_correct(c, grams, n, 2));
        assert_int_equal(best_of(c, text).class, 2);
        /* Letters that no training text had. */
        const size_t k = counted(a, "qwerty", &grams);
        assert_int_equal(best_of(c, "qwerty").class, -1);
        assert_true(classifier_correct(c, grams, k, 4));
        assert_int_equal(best_of(c, "qwerty").class, 4);
        assert_false(classifier_correct(c, grams, k, 6)); /* a class nobody ever saw */
        arena_free(&a);
        classifier_free(&c);
        forget(m);
}

static void thousand_corrections(void **state)
{
        (void)state;
        struct made *m = make_texts();
        struct classifier *c = trained(m, TEXTS);
        struct arena *a = arena_new();
        for (int i = 0; i < 1000; i++) {
                struct gram_count *grams;
                const int leaf = draw() % LEAVES;
                const size_t n = counted(a, text_of(a, leaf), &grams);
                assert_true(classifier_correct(c, grams, n, leaves[leaf]));
        }
        int right = 0;
        for (int i = 0; i < TEXTS; i++)
                right += best_of(c, m->text[i]).class == leaves[i % LEAVES];
        assert_true(right > TEXTS * 95 / 100);
        arena_free(&a);
        classifier_free(&c);
        forget(m);
}

static void bytes_and_back(void **state)
{
        (void)state;
        struct made *m = make_texts();
        struct classifier *c = trained(m, 120), *again;
        struct buf b = BUF_LIMIT(64 << 20);
        struct err e;
        classifier_write(c, &b);
        assert_false(b.overflow);
        assert_true(classifier_read(b.at, b.length, &again, &e));
        for (int i = 0; i < TEXTS; i++) {
                const struct guess p = best_of(c, m->text[i]), q = best_of(again, m->text[i]);
                assert_int_equal(p.class, q.class);
                assert_true(p.p == q.p);
        }
        assert_true(classifier_report(again).macro_f1 == classifier_report(c).macro_f1);
        assert_true(classifier_threshold(again, 5) == classifier_threshold(c, 5));
        classifier_free(&again);
        for (size_t i = 0; i < b.length; i += 37) {
                b.at[i] ^= 0x10;
                assert_false(classifier_read(b.at, b.length, &again, &e));
                assert_int_equal(e.kind, ERR_INVALID);
                assert_null(again);
                b.at[i] ^= 0x10;
        }
        assert_false(classifier_read(b.at, b.length - 1, &again, &e));
        assert_false(classifier_read("", 0, &again, &e));
        buf_free(&b);
        classifier_free(&c);
        forget(m);
}

static void cold(void **state)
{
        (void)state;
        struct made *m = make_texts();
        for (int i = 0; i < LEAVES; i++)
                m->at[i].made = true;
        struct classifier *c = trained(m, LEAVES); /* one made text for each leaf */
        assert_true(classifier_cold(c));
        assert_int_equal(classifier_report(c).made, LEAVES);
        assert_int_equal(best_of(c, m->text[2]).class, 4);
        for (int k = 0; k < (int)classifier_classes(c); k++)
                assert_true(classifier_threshold(c, k) > 1);
        /* A correction is found again, also by what is like it; the bytes hold only what was trained. */
        struct gram_count *grams;
        struct classifier *again;
        struct buf b = BUF_LIMIT(1 << 20);
        struct err e;
        const size_t n = counted(m->arena, "广场舞音响半夜还在放", &grams);
        assert_true(classifier_correct(c, grams, n, 5));
        assert_int_equal(best_of(c, "广场舞音响半夜还在放").class, 5);
        assert_int_equal(best_of(c, "请管管，广场舞音响半夜还在放").class, 5);
        classifier_write(c, &b);
        assert_true(classifier_read(b.at, b.length, &again, &e));
        assert_true(classifier_cold(again));
        assert_int_equal(best_of(again, m->text[2]).class, 4);
        assert_int_not_equal(best_of(again, "广场舞音响半夜还在放").class, 5);
        for (size_t i = 0; i < b.length; i += 7) {
                b.at[i] ^= 0x10;
                classifier_free(&c);
                assert_false(classifier_read(b.at, b.length, &c, &e));
                b.at[i] ^= 0x10;
        }
        buf_free(&b);
        classifier_free(&again);
        assert_false(classifier_train(&classes, m->at, 1, &(struct training){0}, &c, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_false(classifier_train(&classes, m->at, 0, &(struct training){0}, &c, &e));
        assert_null(c);
        forget(m);
}

/* 200 texts of one class and a single one of another. */
static void one_example(void **state)
{
        (void)state;
        struct made *m = make_texts();
        const struct example single = m->at[3];
        size_t n = 0;
        for (int i = 0; i < TEXTS; i += LEAVES)
                m->at[n++] = m->at[i];
        m->at[n++] = single;
        struct classifier *c = trained(m, n);
        struct guess g[2];
        assert_int_equal(classifier_guess(c, m->at[n - 1].grams, m->at[n - 1].n, g, 2), 2);
        assert_true(g[0].class == 5 || g[1].class == 5); /* not forgotten, though hardly anybody is sure of it */
        assert_int_equal(best_of(c, m->text[0]).class, 1);
        classifier_free(&c);
        forget(m);
}

static bool stop_now(void *ctx)
{
        (void)ctx;
        return true;
}

static void stopped(void **state)
{
        (void)state;
        struct made *m = make_texts();
        struct classifier *c;
        struct err e;
        assert_false(classifier_train(&classes, m->at, TEXTS, &(struct training){.stop = stop_now}, &c, &e));
        assert_int_equal(e.kind, ERR_BUSY);
        assert_null(c);
        forget(m);
}

static void groups(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        const char *const texts[] = {
                "坪山大道工地夜间施工噪音很大，凌晨三点还在打桩，居民无法入睡，希望尽快处理",
                "路灯不亮，晚上漆黑一片，行人看不见路，存在安全隐患，请派人维修",
                "坪山大道工地夜间施工噪音很大，凌晨四点还在打桩，居民无法入睡，希望尽快处理！",
                "小区楼下的垃圾桶三天没有人清理，气味难闻",
        };
        struct example x[4];
        for (int i = 0; i < 4; i++) {
                struct gram_count *grams;
                const size_t n = counted(a, texts[i], &grams);
                x[i] = (struct example){.grams = grams, .n = n};
        }
        near_groups(x, 4);
        assert_int_equal(x[0].group, x[2].group);
        assert_int_not_equal(x[0].group, x[1].group);
        assert_int_not_equal(x[1].group, x[3].group);
        arena_free(&a);
}

static int open_fold(void **state)
{
        struct err e;
        (void)state;
        return fold_new(&fold, &e) ? 0 : -1;
}

static int close_fold(void **state)
{
        (void)state;
        fold_free(&fold);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(learns),
                cmocka_unit_test(explains),
                cmocka_unit_test(corrected_at_once),
                cmocka_unit_test(thousand_corrections),
                cmocka_unit_test(bytes_and_back),
                cmocka_unit_test(cold),
                cmocka_unit_test(one_example),
                cmocka_unit_test(stopped),
                cmocka_unit_test(groups),
        };
        return cmocka_run_group_tests(tests, open_fold, close_fold);
}
