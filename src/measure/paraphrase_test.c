/* measure/paraphrase_test.c -- retellings are found by src/same, the same words elsewhere are not; tables and fitting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "measure/fit.h"
#include "measure/paraphrase.h"
#include "measure/same.h"
#include "same/same.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "text/phrases.h"
#include <math.h>

static struct fold *fold;
enum { TEXTS = 400 };

static const char *const heads[] = {"丽景", "金河", "翠竹", "文华", "清溪", "和顺", "银杏", "长桥", "北苑", "石井"};
static const char *const kinds[] = {"花园", "小区", "新村", "公寓", "广场"};
static const char *const whats[] = {
        "夜间施工噪音很大，打桩机响到凌晨两点，孩子无法入睡",
        "路面塌陷一个大坑，昨晚有电动车摔倒，至今没有围挡",
        "垃圾堆放半个月没人清运，苍蝇乱飞，臭味熏天",
        "流动摊贩占道经营，油烟熏人，早高峰堵得走不动",
        "水管爆裂漏水，车库积水已有二十厘米深",
        "电梯经常困人，维保单位推脱，已经困了三次",
        "餐馆油烟直排，窗户不敢开，衣服都是油味",
        "违规搭建铁皮棚，堵住消防通道，救护车进不来",
};

static const char *text_of(struct arena *a, size_t i)
{
        return arena_format(a, "%s%s%s\n尊敬的领导：您好！我是%s%s的居民。%s。打过电话没有结果。希望相关部门尽快解决。",
                            heads[i % 10], kinds[i / 10 % 5], i / 50 < 4 ? "扰民问题" : "急需解决", heads[i % 10],
                            kinds[i / 10 % 5], whats[i / 50]);
}

static struct matter matter(struct arena *a, int64_t id, const char *text)
{
        struct folded *f = NEW(a, struct folded);
        fold_text(fold, a, text, strlen(text), f);
        return (struct matter){.id = id, .text = f, .time = INT64_C(1780000000) * USEC_SECOND};
}

static struct same_index *filled(struct arena *a, const struct rare **rare)
{
        struct rare *r = rare_new();
        for (size_t i = 0; i < TEXTS; i++)
                rare_learn_text(r, matter(a, 1, text_of(a, i)).text);
        *rare = r;
        struct same_index *x = same_new(&r, TEXTS);
        for (size_t i = 0; i < TEXTS; i++) {
                const struct matter m = matter(a, (int64_t)i + 1, text_of(a, i));
                same_add(x, &m);
        }
        return x;
}

static void retellings_find_their_case(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        const struct rare *rare;
        struct same_index *x = filled(a, &rare);
        struct draw d = {3};
        size_t found[RETELLINGS] = {0};
        for (size_t i = 0; i < TEXTS; i++)
                for (enum retelling how = 0; how < RETELLINGS; how++) {
                        struct alike out[SAME_MOST];
                        const char *text = retell(a, text_of(a, i), how, &d);
                        const struct matter m = matter(a, 0, text);
                        assert_int_equal(text_utf8_fault(text, strlen(text)), strlen(text));
                        const size_t n = same_find(x, a, &m, NULL, out, SAME_MOST);
                        found[how] += n > 0 && out[0].id == (int64_t)i + 1;
                }
        assert_true(found[RETOLD_COPY] >= TEXTS * 98 / 100);
        assert_true(found[RETOLD_LIGHT] >= TEXTS * 90 / 100);
        assert_true(found[RETOLD_STRONG] >= TEXTS * 25 / 100); /* a good half no longer name the place */
        same_free(&x);
        arena_free(&a);
}

static void elsewhere_joins_nothing(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        const struct rare *rare;
        struct same_index *x = filled(a, &rare);
        struct draw d = {4};
        size_t asked = 0, joined = 0;
        for (size_t i = 0; i < TEXTS; i++) {
                struct alike out[SAME_MOST];
                const char *text = retell_elsewhere(a, fold, rare, text_of(a, i), "西岭学校门口积水\n西岭学校积水", &d);
                if (!text)
                        continue;
                assert_non_null(strstr(text, "西岭学校"));
                const struct matter m = matter(a, 0, text);
                asked++;
                joined += same_find(x, a, &m, NULL, out, SAME_MOST) > 0 && out[0].outcome == SAME_JOINS;
        }
        assert_true(asked >= TEXTS / 2);
        assert_int_equal(joined, 0);
        assert_null(retell_elsewhere(a, fold, rare, "停水了", "西岭学校", &d));
        same_free(&x);
        arena_free(&a);
}

static void the_same_seed_tells_the_same(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct draw one = {9}, same = {9}, other = {10};
        size_t different = 0;
        for (size_t i = 0; i < 50; i++) {
                const char *x = retell(a, text_of(a, i), RETOLD_STRONG, &one);
                assert_string_equal(x, retell(a, text_of(a, i), RETOLD_STRONG, &same));
                different += strcmp(x, retell(a, text_of(a, i), RETOLD_STRONG, &other)) != 0;
        }
        assert_true(different > 40);
        for (enum retelling how = 0; how < RETELLINGS; how++)
                for (int i = 0; i < 20; i++) {
                        (void)retell(a, "", how, &one);
                        assert_true(retell(a, "坏", how, &one)[0] != '\0');
                        (void)retell(a, "。。。\n\n！", how, &one);
                }
        arena_free(&a);
}

static void tables_are_read_or_refused(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct messages m;
        struct err e;
        char path[] = "/tmp/yiwang_messages_XXXXXX";
        const int fd = mkstemp(path);
        assert_true(fd >= 0);
        static const char good[] =
                "\xEF\xBB\xBFmsg_id,user_id,subject,created_at,detail,support\n1,u1,停水,2019-02-28 11:25:05,\"三天,\n了\",7\n"
                "2,u2,停电,never,x,-3\n";
        assert_int_equal(write(fd, good, sizeof good - 1), sizeof good - 1);
        assert_true(messages_read(a, path, &m, &e));
        assert_int_equal(m.n, 2);
        assert_string_equal(m.at[0].text, "停水\n三天,\n了");
        assert_int_equal(m.at[0].support, 7);
        assert_int_equal(m.at[0].time, INT64_C(1551324305) * USEC_SECOND);
        assert_int_equal(m.at[1].time, 0);
        assert_int_equal(m.at[1].support, 0);
        assert_int_equal(ftruncate(fd, 20), 0);
        assert_false(messages_read(a, path, &m, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_non_null(strstr(e.text, "subject"));
        (void)close(fd);
        (void)unlink(path);
        assert_false(messages_read(a, path, &m, &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
        arena_free(&a);
}

static void fitting_finds_the_coefficients(void **state)
{
        (void)state;
        enum { N = 20000 };
        struct arena *a = arena_new();
        struct example *x = NEW_ARRAY(a, struct example, N);
        struct draw d = {6};
        double b[FIT_MOST];
        for (size_t i = 0; i < N; i++) {
                const double u = (double)draw_below(&d, 1000) / 500 - 1, v = (double)draw_below(&d, 1000) / 500 - 1;
                x[i] = (struct example){{1, u, v}, draw_chance(&d, 1 / (1 + exp(-(0.5 + 2 * u - v))))};
        }
        fit_logistic(x, N, 3, 1, b);
        assert_true(fabs(b[0] - 0.5) < 0.1 && fabs(b[1] - 2) < 0.15 && fabs(b[2] + 1) < 0.15);
        arena_free(&a);
}

static void measuring_counts_what_it_asked(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct messages m = {NEW_ARRAY(a, struct message, TEXTS), TEXTS};
        struct same_result r;
        struct err e;
        for (size_t i = 0; i < TEXTS; i++) {
                const char *text = text_of(a, i % (TEXTS - 2)); /* the last two are there twice */
                m.at[i] = (struct message){.id = arena_format(a, "%zu", i),
                                           .reporter = "u",
                                           .text = text,
                                           .detail = strchr(text, '\n') + 1,
                                           .subject = arena_format(a, "%zu", i),
                                           .time = INT64_C(1780000000) * USEC_SECOND};
        }
        assert_true(evaluate_same(a, &m, &(struct same_options){.seed = 1, .show = 10}, &r, &e));
        assert_int_equal(r.cases, TEXTS);
        for (enum retelling i = 0; i < RETELLINGS; i++) {
                assert_int_equal(r.retold[i].questions, TEXTS / 2);
                assert_true(r.retold[i].joins >= r.retold[i].right + r.retold[i].unjudged);
        }
        assert_int_equal(r.real.questions, 4);
        assert_int_equal(r.real.right, 4);
        assert_true(r.precision >= r.least_precision && r.recall > 0.5);
        assert_true(r.bytes_per_case > 0 && r.us_per_find > 0);
        arena_free(&a);
}

int main(void)
{
        struct err e;
        if (!fold_new(&fold, &e))
                return 1;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(retellings_find_their_case),     cmocka_unit_test(elsewhere_joins_nothing),
                cmocka_unit_test(the_same_seed_tells_the_same),   cmocka_unit_test(tables_are_read_or_refused),
                cmocka_unit_test(fitting_finds_the_coefficients), cmocka_unit_test(measuring_counts_what_it_asked),
        };
        const int failed = cmocka_run_group_tests(tests, NULL, NULL);
        fold_free(&fold);
        return failed;
}
