/* same/index_test.c -- the index of cases: what is found, what is not, whatever the order, and whatever bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "same/same.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "text/phrases.h"
#include <pthread.h>

static struct fold *fold;
static uint32_t state_of_draw;

/* xorshift32 (Marsaglia 2003): the same numbers in every run. */
static int draw(void)
{
        state_of_draw ^= state_of_draw << 13;
        state_of_draw ^= state_of_draw >> 17;
        state_of_draw ^= state_of_draw << 5;
        return (int)(state_of_draw >> 1);
}

static const int64_t NOW = INT64_C(1780000000) * USEC_SECOND;

static const char *const places[] = {"丽景花园", "金河家园", "东升路",   "翠竹小区", "文华大道",   "清溪村",
                                     "和顺社区", "银杏公寓", "长桥新村", "北苑小学", "石井工业园", "龙田市场"};
static const char *const matters[] = {
        "夜间施工噪音很大，打桩机一直响到凌晨两点，孩子无法入睡",
        "路面塌陷一个大坑，昨晚有电动车摔倒，至今没有围挡",
        "垃圾堆放半个月没人清运，苍蝇乱飞，臭气熏天",
        "路灯坏了七八盏，晚上漆黑一片，老人走路很危险",
        "流动摊贩占道经营，油烟熏人，早高峰堵得走不动",
        "水管爆裂漏水，楼下车库积水已有二十厘米深",
        "电梯经常困人，维保公司推脱，已经困了三次",
        "餐馆油烟直排，窗户不敢开，衣服都是油味",
        "有人养鸡养鸭，天不亮就打鸣，楼道里都是粪便",
        "违规搭建铁皮棚，堵住消防通道，救护车进不来",
};

static const char *sentence(struct arena *a, size_t place, size_t matter)
{
        return arena_format(a, "尊敬的领导：您好！%s%s，希望有关部门尽快处理，谢谢。", places[place], matters[matter]);
}

static struct matter matter(struct arena *a, int64_t id, const char *text)
{
        struct folded *f = NEW(a, struct folded);
        fold_text(fold, a, text, strlen(text), f);
        return (struct matter){.id = id, .text = f, .time = NOW + id * USEC_MINUTE};
}

enum { CASES = COUNT_OF(places) * COUNT_OF(matters) };

/* Case 1 + place * matters + matter. */
static struct same_index *filled(struct arena *a, const size_t *order)
{
        struct rare *rare = rare_new();
        for (size_t i = 0; i < CASES; i++) {
                const struct matter m = matter(a, 1, sentence(a, i / COUNT_OF(matters), i % COUNT_OF(matters)));
                rare_learn_text(rare, m.text);
        }
        struct same_index *x = same_new(&rare, 1000);
        for (size_t k = 0; k < CASES; k++) {
                const size_t i = order ? order[k] : k;
                const struct matter m = matter(a, (int64_t)i + 1, sentence(a, i / COUNT_OF(matters), i % COUNT_OF(matters)));
                same_add(x, &m);
        }
        return x;
}

static void a_copy_is_found_and_joins(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = filled(a, NULL);
        for (size_t i = 0; i < CASES; i++) {
                struct alike out[SAME_MOST];
                const struct matter m = matter(a, 0, sentence(a, i / COUNT_OF(matters), i % COUNT_OF(matters)));
                struct matter later = m;
                later.time = NOW + 3 * USEC_DAY;
                const size_t n = same_find(x, a, &later, NULL, out, SAME_MOST);
                assert_true(n >= 1);
                assert_int_equal(out[0].id, i + 1);
                assert_int_equal(out[0].outcome, SAME_JOINS);
                assert_true(out[0].n_phrases >= 1);
                for (size_t k = 1; k < n; k++) {
                        assert_true(out[k].probability <= out[k - 1].probability);
                        assert_int_not_equal(out[k].outcome, SAME_JOINS); /* elsewhere, or another matter */
                }
        }
        same_free(&x);
        arena_free(&a);
}

static void the_reason_quotes_the_new_text(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = filled(a, NULL);
        const char *text = "請問翠竹小區的電梯經常困人，維保公司推脫，什麼時候能修好？";
        struct alike out[SAME_MOST];
        const struct matter m = matter(a, 0, text);
        const size_t n = same_find(x, a, &m, NULL, out, SAME_MOST);
        assert_true(n >= 1);
        assert_int_equal(out[0].id, 1 + 3 * COUNT_OF(matters) + 6);
        const struct same_phrase p = out[0].phrases[0];
        const char *phrase = arena_copy(a, text + p.from, p.to - p.from);
        assert_non_null(strstr("翠竹小區的電梯經常困人，維保公司推脫", phrase));
        assert_true(p.to - p.from >= 6);
        same_free(&x);
        arena_free(&a);
}

static void the_same_words_elsewhere_do_not_join(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = same_new(NULL, 100);
        struct matter m = matter(a, 7, "丽景花园小区旁边的工地夜间施工噪音扰民，请尽快处理");
        struct alike out[SAME_MOST];
        same_add(x, &m);
        m = matter(a, 0, "金河家园小区旁边的工地夜间施工噪音扰民，请尽快处理");
        size_t n = same_find(x, a, &m, NULL, out, SAME_MOST);
        assert_true(n == 0 || out[0].outcome == SAME_ASKS);
        /* Points settle it, both ways. */
        m = matter(a, 8, "路灯坏了，晚上很黑，请尽快处理");
        m.has_point = true;
        m.point = (struct point){114.35, 22.70};
        m.item = "0201";
        same_add(x, &m);
        m.id = 0;
        assert_int_equal(same_find(x, a, &m, NULL, out, SAME_MOST), 1);
        assert_int_equal(out[0].outcome, SAME_JOINS);
        assert_true(out[0].parts.metres < 1);
        m.point.lat += 0.02; /* 2.2 km */
        n = same_find(x, a, &m, NULL, out, SAME_MOST);
        assert_int_equal(n, 0);
        same_free(&x);
        arena_free(&a);
}

static void other_words_on_the_spot_are_asked_about(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = same_new(NULL, 100);
        struct alike out[SAME_MOST];
        struct matter m = matter(a, 9, "文华大道和东升路路口的井盖不见了，很危险");
        m.has_point = true;
        m.point = (struct point){114.35, 22.70};
        m.item = "0108";
        m.item_group = "01";
        same_add(x, &m);
        m = matter(a, 0, "东升路口井盖缺失，差点掉下去");
        m.has_point = true;
        m.point = (struct point){114.3503, 22.7002};
        m.item = "0108";
        m.item_group = "01";
        assert_int_equal(same_find(x, a, &m, NULL, out, SAME_MOST), 1);
        assert_int_not_equal(out[0].outcome, SAME_NEW);
        assert_true(out[0].parts.spot > 0.5 && out[0].parts.item > 0.9 && out[0].parts.metres > 10);
        /* A matter that shares nothing is new, even there. */
        m = matter(a, 0, "楼上每天弹钢琴");
        m.has_point = true;
        m.point = (struct point){114.3503, 22.7002};
        m.item = "0999";
        assert_int_equal(same_find(x, a, &m, NULL, out, SAME_MOST), 0);
        same_free(&x);
        arena_free(&a);
}

/* The same cases in any order, also with others added and removed between, give the same answers to the last bit. */
static void same_answers(struct arena *a, struct same_index *x, struct same_index *y)
{
        for (size_t i = 0; i < CASES; i += 7) {
                struct alike one[SAME_MOST], other[SAME_MOST];
                const char *text =
                        arena_format(a, "反映一下%s%s", places[i % COUNT_OF(places)], matters[i * 3 % COUNT_OF(matters)]);
                const struct matter m = matter(a, 0, text);
                const size_t n = same_find(x, a, &m, NULL, one, SAME_MOST);
                assert_int_equal(n, same_find(y, a, &m, NULL, other, SAME_MOST));
                for (size_t k = 0; k < n; k++) {
                        assert_int_equal(one[k].id, other[k].id);
                        assert_memory_equal(&one[k].probability, &other[k].probability, sizeof(double));
                }
        }
}

static void order_does_not_matter(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = filled(a, NULL);
        size_t order[CASES];
        state_of_draw = 11;
        for (int round = 0; round < 5; round++) {
                for (size_t i = 0; i < CASES; i++)
                        order[i] = i;
                for (size_t i = CASES - 1; i > 0; i--) {
                        const size_t k = (size_t)draw() % (i + 1), one = order[i];
                        order[i] = order[k];
                        order[k] = one;
                }
                struct same_index *y = filled(a, order);
                for (int64_t id = 1000; id < 1600; id++) {
                        const struct matter m =
                                matter(a, id, sentence(a, (size_t)id % COUNT_OF(places), (size_t)id / 7 % COUNT_OF(matters)));
                        same_add(y, &m);
                        assert_true(same_has(y, id));
                        assert_true(same_remove(y, id));
                        assert_false(same_has(y, id));
                        assert_false(same_remove(y, id));
                }
                assert_int_equal(same_size(y).cases, CASES);
                same_answers(a, x, y);
                same_free(&y);
        }
        same_free(&x);
        arena_free(&a);
}

static void asked_and_added_at_once(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *one = same_new(NULL, 500), *two = same_new(NULL, 500);
        for (size_t i = 0; i < CASES; i++) {
                struct alike got[SAME_MOST], want[SAME_MOST];
                const struct matter m = matter(a, (int64_t)i + 1, sentence(a, i % 5, i % 7));
                const size_t n = same_find(one, a, &m, NULL, want, SAME_MOST);
                same_add(one, &m);
                assert_int_equal(same_find_add(two, a, &m, NULL, got, SAME_MOST), n);
                for (size_t k = 0; k < n; k++) {
                        assert_int_equal(got[k].id, want[k].id);
                        assert_true(got[k].id != m.id);
                        assert_int_equal(got[k].outcome, want[k].outcome);
                }
        }
        assert_int_equal(same_size(two).cases, CASES);
        assert_true(same_has(two, CASES));
        same_free(&one);
        same_free(&two);
        arena_free(&a);
}

/* From the middle outwards, newer and older ones in turn, some removed in between: the same as in order. */
static void older_ones_may_come_later(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = filled(a, NULL), *y;
        struct rare *rare = rare_new();
        for (size_t i = 0; i < CASES; i++)
                rare_learn_text(rare, matter(a, 1, sentence(a, i / COUNT_OF(matters), i % COUNT_OF(matters))).text);
        y = same_new(&rare, 1000);
        int64_t older = CASES / 2, newer = CASES / 2 + 1;
        while (older >= 1 || newer <= CASES) {
                const int64_t id = newer > CASES || (older >= 1 && draw() % 3 > 0) ? older-- : newer++;
                const size_t i = (size_t)id - 1;
                const struct matter m = matter(a, id, sentence(a, i / COUNT_OF(matters), i % COUNT_OF(matters)));
                if (id <= CASES / 2)
                        assert_true(same_add_before(y, &m));
                else
                        same_add(y, &m);
                assert_true(same_add_before(y, &m)); /* known */
                if (id % 5 == 0) {
                        assert_true(same_remove(y, id));
                        same_add(y, &m);
                }
        }
        assert_int_equal(same_size(y).cases, CASES);
        same_answers(a, x, y);
        same_free(&x);
        same_free(&y);
        arena_free(&a);
}

/* Filled backwards until nothing more goes in: the newest stay, the oldest go first when new ones come. */
static void filled_backwards(void **state)
{
        (void)state;
        enum { MOST = 3000, FIRST = 10000 };
        struct arena *a = arena_new();
        struct same_index *x = same_new(NULL, MOST);
        struct alike out[SAME_MOST];
        int64_t id = FIRST;
        for (bool room = true; room; id--) {
                const struct matter m =
                        matter(a, id, arena_format(a, "第%lld号楼%s%s", (long long)id * 7919, places[id % 12], matters[id % 10]));
                room = same_add_before(x, &m);
                if (id % 512 == 0)
                        arena_reset(a);
        }
        assert_int_equal(same_size(x).cases, MOST);
        assert_true(same_size(x).bytes < MOST * 260);
        assert_true(same_remove(x, FIRST - MOST + 1));
        assert_false(same_remove(x, FIRST - MOST));
        for (id = FIRST + 1; id <= FIRST + 2 * MOST; id++) {
                const struct matter m =
                        matter(a, id, arena_format(a, "第%lld号楼%s%s", (long long)id * 7919, places[id % 12], matters[id % 10]));
                same_add(x, &m);
                if (id == FIRST + 100) {
                        assert_false(same_remove(x, FIRST - MOST + 100));
                        assert_true(same_remove(x, FIRST - MOST + 200));
                }
                if (id % 512 == 0)
                        arena_reset(a);
        }
        assert_true(same_size(x).cases <= MOST);
        const struct matter m = matter(a, 0,
                                       arena_format(a, "第%lld号楼%s%s", (FIRST + 2LL * MOST) * 7919,
                                                    places[(FIRST + 2 * MOST) % 12], matters[(FIRST + 2 * MOST) % 10]));
        assert_true(same_find(x, a, &m, NULL, out, SAME_MOST) >= 1);
        assert_true(out[0].id > FIRST + MOST);
        assert_true(same_remove(x, FIRST + 2 * MOST));
        assert_false(same_remove(x, FIRST + MOST));
        same_free(&x);
        arena_free(&a);
}

static void removed_and_replaced(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = filled(a, NULL);
        struct alike out[SAME_MOST];
        struct matter m = matter(a, 5, sentence(a, 0, 4));
        assert_true(same_remove(x, 5));
        size_t n = same_find(x, a, &m, NULL, out, SAME_MOST);
        for (size_t i = 0; i < n; i++)
                assert_int_not_equal(out[i].id, 5);
        same_add(x, &m);
        same_add(x, &m);
        assert_int_equal(same_size(x).cases, CASES);
        const struct matter other = matter(a, 5, "地铁口共享单车乱停乱放占满盲道");
        same_add(x, &other);
        assert_int_equal(same_size(x).cases, CASES);
        n = same_find(x, a, &other, NULL, out, SAME_MOST);
        assert_true(n >= 1);
        assert_int_equal(out[0].id, 5);
        same_free(&x);
        arena_free(&a);
}

/* The ring forgets the oldest, keeps its size, and packs itself when much is removed. */
static void bounded(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = same_new(NULL, 3000);
        struct alike out[SAME_MOST];
        for (int64_t id = 1; id <= 20000; id++) {
                const struct matter m =
                        matter(a, id, arena_format(a, "第%lld号楼%s%s", (long long)id * 7919, places[id % 12], matters[id % 10]));
                same_add(x, &m);
                if (id % 3 == 0)
                        assert_true(same_remove(x, id - 1) || id - 1 < 1);
                if (id % 512 == 0)
                        arena_reset(a);
        }
        assert_true(same_size(x).cases <= 3000 && same_size(x).cases >= 2000);
        assert_true(same_size(x).bytes < 3000 * 260);
        struct matter m = matter(a, 0, arena_format(a, "第%lld号楼%s%s", 20000LL * 7919, places[20000 % 12], matters[20000 % 10]));
        assert_true(same_find(x, a, &m, NULL, out, SAME_MOST) >= 1);
        assert_int_equal(out[0].id, 20000);
        assert_false(same_remove(x, 1));
        same_free(&x);
        arena_free(&a);
}

static char *random_text(struct arena *a, size_t n)
{
        static const char *const bits[] = {"噪", "音", "a",      "7",  " ",    "\n",       "，",  "\U0001F600",
                                           "е",  "ก",  "\u0301", "한", "\xff", "\xe5\x99", "小区"};
        struct buf b = BUF_LIMIT(1 << 20);
        for (size_t i = 0; i < n; i++)
                buf_text(&b, bits[(size_t)draw() % COUNT_OF(bits)]);
        char *copy = arena_copy(a, b.at ? b.at : "", b.length);
        buf_free(&b);
        return copy;
}

static void any_text_is_safe(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = same_new(NULL, 500);
        static const size_t lengths[] = {0, 1, 1, 2, 3, 10, 100, 1000, 100000};
        struct alike out[SAME_MOST];
        state_of_draw = 3;
        for (int64_t id = 1; id <= 400; id++) {
                struct matter m = matter(a, id, random_text(a, lengths[(size_t)id % (id < 360 ? 8 : 9)]));
                m.has_point = id % 2;
                m.point = (struct point){(double)(draw() % 360) - 180, (double)(draw() % 180) - 90};
                m.time = id % 5 == 0 ? 0 : id % 7 == 0 ? INT64_MAX : m.time;
                m.item = id % 3 ? "0101" : NULL;
                same_add(x, &m);
                const size_t n = same_find(x, a, &m, NULL, out, SAME_MOST);
                for (size_t i = 0; i < n; i++) {
                        assert_true(out[i].probability >= 0 && out[i].probability <= 1);
                        for (size_t k = 0; k < out[i].n_phrases; k++)
                                assert_true(out[i].phrases[k].from < out[i].phrases[k].to);
                }
                if (id % 50 == 0)
                        arena_reset(a);
        }
        assert_int_equal(same_size(x).cases, 400);
        /* Nothing is the same as nothing. */
        struct matter nothing = matter(a, 0, "");
        assert_int_equal(same_find(x, a, &nothing, NULL, out, SAME_MOST), 0);
        same_free(&x);
        arena_free(&a);
}

struct asker {
        struct same_index *index;
        int found;
};

static void *ask_often(void *ctx)
{
        struct asker *k = ctx;
        for (int i = 0; i < 300; i++) {
                struct arena *a = arena_new();
                struct alike out[SAME_MOST];
                const struct matter m = matter(a, 0, sentence(a, (size_t)i % COUNT_OF(places), (size_t)i % COUNT_OF(matters)));
                k->found += same_find(k->index, a, &m, NULL, out, SAME_MOST) > 0;
                arena_free(&a);
        }
        return NULL;
}

static void many_ask_while_one_adds(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct same_index *x = filled(a, NULL);
        struct asker askers[3];
        pthread_t threads[3];
        for (size_t i = 0; i < 3; i++) {
                askers[i] = (struct asker){.index = x};
                assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &askers[i]), 0);
        }
        for (int64_t id = 1000; id < 3000; id++) {
                const struct matter m = matter(a, id, "临时添加的案件");
                same_add(x, &m);
                (void)same_remove(x, id);
                if (id % 100 == 0)
                        arena_reset(a);
        }
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_int_equal(askers[i].found, 300);
        }
        assert_int_equal(same_size(x).cases, CASES);
        same_free(&x);
        arena_free(&a);
}

int main(void)
{
        struct err e;
        if (!fold_new(&fold, &e))
                return 1;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_copy_is_found_and_joins),
                cmocka_unit_test(the_reason_quotes_the_new_text),
                cmocka_unit_test(the_same_words_elsewhere_do_not_join),
                cmocka_unit_test(other_words_on_the_spot_are_asked_about),
                cmocka_unit_test(order_does_not_matter),
                cmocka_unit_test(asked_and_added_at_once),
                cmocka_unit_test(older_ones_may_come_later),
                cmocka_unit_test(filled_backwards),
                cmocka_unit_test(removed_and_replaced),
                cmocka_unit_test(bounded),
                cmocka_unit_test(any_text_is_safe),
                cmocka_unit_test(many_ask_while_one_adds),
        };
        const int failed = cmocka_run_group_tests(tests, NULL, NULL);
        fold_free(&fold);
        return failed;
}
