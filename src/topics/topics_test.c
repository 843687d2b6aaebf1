/* topics/topics_test.c -- what joins what, whatever the order; what one person cannot do; heat, surge, names, the window. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "topics/topics.h"
#include "text/phrases.h"
#include <math.h>

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

static const int64_t START = INT64_C(1750000000) / 60 * 60 * USEC_SECOND;

struct text {
        const char *subject, *detail;
};
/* Three subjects in several voices, and a good many matters of one voice each. */
static const struct text noise[] = {
        {"丽景花园旁搅拌站噪音", "丽景花园旁边新建的混凝土搅拌站，白天黑夜都在响，灰尘也大。"},
        {"投诉丽景花园附近搅拌站", "搅拌站离丽景花园不到一百米，凌晨还在生产，老人孩子睡不好觉。"},
        {"丽景花园业主受搅拌站粉尘之苦", "自从搅拌站开工，丽景花园的窗户不敢开，粉尘落满阳台。"},
        {"搅拌站何时搬离丽景花园", "请问搅拌站为什么能建在丽景花园门口？环评公示在哪里？"},
        {"搅拌站夜间作业", "丽景花园对面的搅拌站夜间作业，罐车轰鸣，地面震动。"},
};
static const struct text parking[] = {
        {"金河家园捆绑销售车位", "金河家园开发商要求买房必须同时买车位，车位十八万一个。"},
        {"金河家园强买车位", "不买车位就不给签合同，金河家园开发商捆绑销售，请查处。"},
        {"反映金河家园车位捆绑", "金河家园车位捆绑销售，认购书里写明放弃车位视为放弃房源。"},
        {"金河家园车位问题", "车位捆绑销售违法，金河家园二期业主要求退还车位款。"},
};
static const struct text others[] = {
        {"路灯不亮", "东升路从邮局到菜场的路灯坏了五盏。"},
        {"井盖缺失", "文华大道公交站前的井盖不见了，露出一个大洞。"},
        {"公交班次太少", "十二路公交车四十分钟才来一趟，上班总迟到。"},
        {"狗叫", "楼下邻居养了两条大狗，半夜叫个不停。"},
        {"幼儿园学位", "想了解清溪村明年公办幼儿园的招生名额。"},
        {"树枝压电线", "和顺社区后巷的榕树枝压住了电线，台风来了危险。"},
        {"医保报销", "异地住院的费用怎样在本地报销，需要什么材料？"},
        {"垃圾桶", "长桥新村三号门口的垃圾桶没有盖，苍蝇很多。"},
};

static void add(struct topics *t, int64_t id, const struct text *x, int64_t time, uint64_t reporter, int64_t support)
{
        struct arena *a = arena_new();
        struct folded f, subject;
        const char *text = arena_format(a, "%s\n%s", x->subject, x->detail);
        fold_text(fold, a, text, strlen(text), &f);
        fold_text(fold, a, x->subject, strlen(x->subject), &subject);
        topics_add(t, &(struct topic_message){
                              .id = id, .text = &f, .subject = subject.n, .time = time, .reporter = reporter, .support = support});
        arena_free(&a);
}

static struct topics *fresh(const struct topics_options *o)
{
        struct rare *rare = rare_new();
        struct arena *a = arena_new();
        for (size_t round = 0; round < 20; round++)
                for (size_t i = 0; i < COUNT_OF(others); i++) {
                        struct folded f;
                        const char *text = arena_format(a, "%s。%s请有关部门尽快处理，谢谢。", others[i].subject, others[i].detail);
                        fold_text(fold, a, text, strlen(text), &f);
                        rare_learn_text(rare, &f);
                }
        arena_free(&a);
        return topics_new(&rare, o);
}

static const struct topic *holding(const struct topic *all, size_t n, int64_t id)
{
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < all[i].n_members; k++)
                        if (all[i].members[k] == id)
                                return &all[i];
        return NULL;
}

static void add_world(struct topics *t)
{
        for (size_t i = 0; i < COUNT_OF(noise); i++)
                add(t, 100 + (int64_t)i, &noise[i], START + (int64_t)i * 3 * USEC_HOUR, 100 + i, 0);
        for (size_t i = 0; i < COUNT_OF(parking); i++)
                add(t, 200 + (int64_t)i, &parking[i], START + 20 * USEC_HOUR + (int64_t)i * USEC_HOUR, 200 + i, 0);
        for (size_t i = 0; i < COUNT_OF(others); i++)
                add(t, 300 + (int64_t)i, &others[i], START + 30 * USEC_HOUR + (int64_t)i * USEC_HOUR, 300 + i, 0);
}

static void what_is_alike_is_one_topic(void **state)
{
        (void)state;
        struct topics *t = fresh(NULL);
        struct arena *a = arena_new();
        struct topic *all;
        add_world(t);
        size_t n = topics_list(t, a, 3, 10, &all);
        assert_int_equal(n, 2);
        assert_int_equal(all[0].n_members, COUNT_OF(noise));
        assert_int_equal(all[0].id, 100);
        assert_int_equal(all[1].n_members, COUNT_OF(parking));
        assert_non_null(strstr(all[0].name, "丽景花园"));
        assert_non_null(strstr(all[0].name, "搅拌站"));
        assert_non_null(strstr(all[1].name, "金河家园"));
        assert_int_equal(all[0].from, START);
        assert_int_equal(all[0].to, START + 12 * USEC_HOUR);
        n = topics_list(t, a, 1, 100, &all);
        assert_int_equal(n, 2 + COUNT_OF(others));
        assert_string_equal(holding(all, n, 300)->name, "路灯不亮");
        topics_free(&t);
        assert_null(t);
        arena_free(&a);
}

static void order_within_a_minute_changes_nothing(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct topic none, *first = &none, *again = &none;
        size_t n = 0;
        state_of_draw = 5;
        for (int round = 0; round < 20; round++) {
                struct topics *t = fresh(NULL);
                int64_t ids[40];
                for (int64_t minute = 0; minute < 8; minute++) {
                        for (int i = 0; i < 40; i++)
                                ids[i] = i;
                        for (int i = 39; i > 0 && round > 0; i--) {
                                const int k = draw() % (i + 1);
                                const int64_t one = ids[i];
                                ids[i] = ids[k];
                                ids[k] = one;
                        }
                        for (int i = 0; i < 40; i++) {
                                const int64_t id = minute * 40 + ids[i];
                                const struct text *x = id % 3 == 0   ? &noise[id / 3 % (int64_t)COUNT_OF(noise)]
                                                       : id % 3 == 1 ? &parking[id / 3 % (int64_t)COUNT_OF(parking)]
                                                                     : &others[id / 3 % (int64_t)COUNT_OF(others)];
                                add(t, id, x, START + minute * USEC_MINUTE + id * 1000, (uint64_t)(id % 29), id % 7);
                        }
                }
                struct topic **out = round == 0 ? &first : &again;
                const size_t found = topics_list(t, a, 1, 100, out);
                if (round == 0)
                        n = found;
                assert_int_equal(found, n);
                for (size_t i = 0; i < n; i++) {
                        assert_string_equal((*out)[i].name, first[i].name);
                        assert_memory_equal(&(*out)[i].peak, &first[i].peak, sizeof(double));
                        assert_int_equal((*out)[i].n_members, first[i].n_members);
                        assert_memory_equal((*out)[i].members, first[i].members, first[i].n_members * sizeof *first[i].members);
                }
                topics_free(&t);
        }
        arena_free(&a);
}

/* Two hundred messages of one person are one person: neither heat, nor surge, nor the count of reporters moves beyond that. */
static void one_person_cannot_raise_a_topic(void **state)
{
        (void)state;
        struct topics *t = fresh(NULL);
        struct arena *a = arena_new();
        struct topic *all;
        add_world(t);
        for (int64_t i = 0; i < 200; i++)
                add(t, 1000 + i, &others[1], START + 40 * USEC_HOUR + i * USEC_MINUTE, 301, 0);
        const size_t n = topics_list(t, a, 1, 100, &all);
        assert_int_equal(all[0].id, 100);
        const struct topic *flood = holding(all, n, 1000);
        assert_true(flood->n_members >= 200);
        assert_int_equal(flood->reporters, 1);
        assert_true(flood->peak <= 1.0001 && flood->peak >= 0.9999);
        assert_false(flood->surge.is);
        assert_int_equal(flood->surge.now, 1);
        topics_free(&t);
        arena_free(&a);
}

static void heat_falls_by_half_and_counts_supporters_by_the_root(void **state)
{
        (void)state;
        struct topics *t = fresh(&(struct topics_options){.half_life = 10 * USEC_DAY});
        struct arena *a = arena_new();
        struct topic *all;
        add(t, 1, &noise[0], START, 1, 0);
        add(t, 2, &noise[1], START, 2, 100);
        add(t, 3, &others[0], START + 10 * USEC_DAY, 3, 0);
        size_t n = topics_list(t, a, 1, 100, &all);
        const struct topic *hot = holding(all, n, 1);
        assert_ptr_equal(hot, holding(all, n, 2));
        assert_true(fabs(hot->peak - 12) < 1e-9); /* 1 + 1 + sqrt(100) */
        assert_true(fabs(hot->of_reporters - 2) < 1e-9 && fabs(hot->of_supporters - 10) < 1e-9);
        assert_true(fabs(hot->heat - 6) < 1e-9);
        assert_int_equal(hot->peak_at, START);
        assert_int_equal(hot->supporters, 100);
        /* The same person again: his supporters are not added up, he is only heard later. */
        add(t, 4, &noise[1], START + 10 * USEC_DAY, 2, 64);
        n = topics_list(t, a, 1, 100, &all);
        hot = holding(all, n, 1);
        assert_true(fabs(hot->heat - (0.5 + 11)) < 1e-9);
        topics_free(&t);
        arena_free(&a);
}

static void old_messages_go(void **state)
{
        (void)state;
        struct topics *t = fresh(&(struct topics_options){.window = 5 * USEC_DAY});
        struct arena *a = arena_new();
        struct topic *all;
        add_world(t);
        add(t, 900, &noise[0], START + 6 * USEC_DAY, 900, 0);
        size_t n = topics_list(t, a, 1, 100, &all);
        assert_null(holding(all, n, 100));
        assert_non_null(holding(all, n, 300));
        assert_int_equal(holding(all, n, 900)->n_members, 1);
        add(t, 901, &others[0], START + 30 * USEC_DAY, 901, 0);
        n = topics_list(t, a, 1, 100, &all);
        assert_int_equal(n, 1);
        assert_int_equal(all[0].id, 901);
        topics_free(&t);
        arena_free(&a);
}

/* Who remembers a topic by its messages finds it again when the first of them, whose id it had, has left the window. */
static void a_topic_is_found_by_its_messages(void **state)
{
        (void)state;
        struct topics *t = fresh(&(struct topics_options){.window = 5 * USEC_DAY});
        struct arena *a = arena_new();
        const int64_t *members, ids[] = {100, 101, 102, 103, 104, 300}, gone[] = {7, 8};
        int64_t topic = 0;
        size_t n = 0;
        add_world(t);
        assert_true(topics_holding(t, a, ids, COUNT_OF(ids), &topic, &members, &n));
        assert_int_equal(topic, 100);
        assert_true(n >= 5 && members[0] == 100);
        assert_false(topics_holding(t, a, gone, COUNT_OF(gone), &topic, &members, &n));
        assert_false(topics_holding(t, a, ids, 0, &topic, &members, &n));
        add(t, 900, &noise[0], START + 6 * USEC_DAY, 900, 0);
        add(t, 901, &noise[1], START + 7 * USEC_DAY, 901, 0);
        const int64_t later[] = {100, 101, 900};
        assert_true(topics_holding(t, a, later, COUNT_OF(later), &topic, &members, &n));
        assert_true(topic > 100 && members[n - 1] == 901);
        topics_free(&t);
        arena_free(&a);
}

static void surge_is_the_binomial_tail(void **state)
{
        (void)state;
        assert_true(fabs(topics_surge(0, 0) - 1) < 1e-9);
        assert_true(fabs(topics_surge(5, 0) - 1.0 / 32) < 1e-9);
        assert_true(fabs(topics_surge(3, 1) - 5.0 / 16) < 1e-9);
        assert_true(topics_surge(20, 20) > 0.5 && topics_surge(40, 10) < 1e-4);
        assert_true(topics_surge(100000, 100000) > 0.49);
        /* Counts of one rate: as many false alarms as were asked for, or fewer. */
        int alarms = 0;
        const double limit = 0.01;
        state_of_draw = 17;
        for (int i = 0; i < 20000; i++) {
                size_t counts[2] = {0, 0};
                for (int k = 0; k < 2000; k++) /* close to Poisson(8) each */
                        for (int j = 0; j < 2; j++)
                                counts[j] += (draw() >> 3) % 250 == 0;
                alarms += topics_surge(counts[0], counts[1]) < limit;
        }
        assert_true(alarms <= 240 && alarms > 0); /* 200 expected at most; three standard deviations */
}

static void share_is_fishers_test(void **state)
{
        (void)state;
        assert_true(fabs(topics_surge_share(3, 1, 4, 4) - 17.0 / 70) < 1e-9); /* Fisher's lady tasting tea */
        assert_true(fabs(topics_surge_share(4, 0, 4, 4) - 1.0 / 70) < 1e-9);
        assert_true(fabs(topics_surge_share(0, 5, 40, 40) - 1) < 1e-9);
        assert_true(fabs(topics_surge_share(7, 0, 7, 0) - 1) < 1e-9); /* nothing is known of before */
        assert_true(fabs(topics_surge_share(0, 0, 0, 0) - 1) < 1e-9);
        assert_true(topics_surge_share(40, 10, 100000, 25000) > 0.4);
        assert_true(topics_surge_share(40, 10, 100000, 100000) < 1e-4);
}

/* From `id` on, by as many different people, an hour apart. */
static void add_others(struct topics *t, int64_t id, int64_t from, int64_t n)
{
        for (int64_t i = 0; i < n; i++)
                add(t, id + i, &others[i % 8], from + i * USEC_HOUR / 4, (uint64_t)(id + i), 0);
}

static void recall(struct topics *t, int64_t id, const struct text *x, int64_t time, uint64_t reporter)
{
        struct arena *a = arena_new();
        struct folded f;
        fold_text(fold, a, x->detail, strlen(x->detail), &f);
        topics_recall(t, &(struct topic_message){.id = id, .text = &f, .time = time, .reporter = reporter});
        arena_free(&a);
}

static void many_at_once_is_a_surge(void **state)
{
        (void)state;
        struct topics *t = fresh(NULL);
        struct arena *a = arena_new();
        struct topic *all;
        add_others(t, 1000, START + 12 * USEC_DAY, 30);
        add_others(t, 2000, START + 19 * USEC_DAY, 30);
        for (int64_t i = 0; i < 30; i++)
                add(t, i, &noise[i % 5], START + 20 * USEC_DAY + i * USEC_HOUR, (uint64_t)i + 1, 0);
        size_t n = topics_list(t, a, 3, 10, &all);
        const struct topic *x = holding(all, n, 0);
        assert_int_equal(x->surge.now, 30);
        assert_int_equal(x->surge.before, 0);
        assert_true(x->surge.is);
        /* A year before it was the same: that is the season. */
        topics_recall_begin(t);
        for (int64_t i = 0; i < 60; i++)
                recall(t, 3000 + i, i % 2 ? &noise[i % 5] : &others[i % 8], START - 345 * USEC_DAY, (uint64_t)i + 1);
        recall(t, 3060, &noise[0], START - 345 * USEC_DAY, 2); /* again: counts once */
        n = topics_list(t, a, 3, 10, &all);
        x = holding(all, n, 0);
        assert_int_equal(x->surge.year_before, 30);
        assert_false(x->surge.is);
        /* A year before there were others, but not this. */
        topics_recall_begin(t);
        for (int64_t i = 0; i < 60; i++)
                recall(t, 3000 + i, &others[i % 8], START - 345 * USEC_DAY, (uint64_t)i + 1);
        n = topics_list(t, a, 3, 10, &all);
        x = holding(all, n, 0);
        assert_int_equal(x->surge.year_before, 0);
        assert_true(x->surge.is);
        topics_free(&t);
        arena_free(&a);
}

/* What begins, or grows out of a few, behind a recall waits for the next one: only that tells a surge from the season. */
static void what_begins_behind_a_recall_waits(void **state)
{
        (void)state;
        for (int64_t early = 0; early <= 2; early += 2) { /* so many came before the recall */
                struct topics *t = fresh(NULL);
                struct arena *a = arena_new();
                struct topic *all;
                add_others(t, 1000, START + 12 * USEC_DAY, 30);
                add_others(t, 2000, START + 19 * USEC_DAY, 30);
                for (int64_t i = 0; i < 30; i++) {
                        if (i == early) {
                                topics_recall_begin(t);
                                for (int64_t k = 0; k < 60; k++)
                                        recall(t, 3000 + k, &others[k % 8], START - 345 * USEC_DAY, (uint64_t)k + 1);
                        }
                        add(t, i, &noise[i % 5], START + 20 * USEC_DAY + i * USEC_HOUR, (uint64_t)i + 1, 0);
                }
                size_t n = topics_list(t, a, 3, 10, &all);
                assert_true(holding(all, n, 0)->surge.waits);
                assert_false(holding(all, n, 0)->surge.is);
                topics_recall_begin(t);
                for (int64_t k = 0; k < 60; k++)
                        recall(t, 3000 + k, &others[k % 8], START - 345 * USEC_DAY, (uint64_t)k + 1);
                n = topics_list(t, a, 3, 10, &all);
                assert_false(holding(all, n, 0)->surge.waits);
                assert_true(holding(all, n, 0)->surge.is);
                topics_free(&t);
                arena_free(&a);
        }
}

/* When everything rises, as when a new channel opens, no topic surges. */
static void a_rise_of_all_is_no_surge(void **state)
{
        (void)state;
        struct topics *t = fresh(NULL);
        struct arena *a = arena_new();
        struct topic *all;
        add_others(t, 1000, START + 12 * USEC_DAY, 8);
        for (int64_t i = 0; i < 3; i++)
                add(t, 500 + i, &noise[i], START + 13 * USEC_DAY, (uint64_t)(500 + i), 0);
        add_others(t, 2000, START + 19 * USEC_DAY, 96);
        for (int64_t i = 0; i < 36; i++)
                add(t, i, &noise[i % 5], START + 20 * USEC_DAY + i * USEC_HOUR, (uint64_t)i + 1, 0);
        const size_t n = topics_list(t, a, 3, 20, &all);
        assert_true(topics_surge(36, 3) < 1e-6);
        assert_int_equal(holding(all, n, 0)->surge.now, 36);
        assert_int_equal(holding(all, n, 0)->surge.before, 3);
        for (size_t i = 0; i < n; i++)
                assert_false(all[i].surge.is);
        topics_free(&t);
        arena_free(&a);
}

static void places_that_come_back(void **state)
{
        (void)state;
        struct topics *t = fresh(NULL);
        struct arena *a = arena_new();
        struct chronic_place *places;
        for (int64_t week = 0; week < 4; week++)
                for (int64_t i = 0; i < 3; i++) {
                        add(t, week * 10 + i, &noise[i], START + week * 7 * USEC_DAY + i * USEC_HOUR, (uint64_t)i + 1, 0);
                        add(t, 1000 + week * 10 + i, &parking[i], START + week * 7 * USEC_DAY + i * USEC_HOUR, 7, 0);
                }
        const size_t n = topics_places(t, a, 4, &places);
        assert_true(n >= 1);
        assert_string_equal(places[0].name, "丽景花园");
        assert_int_equal(places[0].weeks, 4);
        for (size_t i = 0; i < n; i++)
                assert_string_not_equal(places[i].name, "金河家园"); /* one person */
        topics_free(&t);
        arena_free(&a);
}

static void any_text_is_safe(void **state)
{
        (void)state;
        static const char *const bits[] = {"噪", "音", "a", "7", " ", "\n", "，", "\U0001F600", "ก", "\u0301", "小区", "路"};
        struct topics *t = fresh(NULL);
        struct arena *a = arena_new();
        struct topic *all;
        struct chronic_place *places;
        state_of_draw = 23;
        for (int64_t id = 1; id < 400; id++) {
                static const int lengths[] = {0, 1, 2, 5, 40, 300, 5000};
                char *text = NEW_ARRAY(a, char, 40000);
                size_t n = 0;
                for (int i = 0; i < lengths[id % 7]; i++) {
                        const char *bit = bits[(size_t)draw() % COUNT_OF(bits)];
                        memcpy(text + n, bit, strlen(bit));
                        n += strlen(bit);
                }
                add(t, id, &(struct text){text, ""}, id % 11 == 0 ? 0 : START + (draw() % 200) * USEC_DAY, (uint64_t)(id % 5),
                    draw() % 9);
                if (id % 50 == 0)
                        arena_reset(a);
        }
        const size_t n = topics_list(t, a, 0, 1000, &all);
        for (size_t i = 0; i < n; i++)
                assert_true(all[i].peak >= 0.999 && all[i].n_members > 0 && all[i].name);
        (void)topics_places(t, a, 1, &places);
        topics_free(&t);
        arena_free(&a);
}

int main(void)
{
        struct err e;
        if (!fold_new(&fold, &e))
                return 1;
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_alike_is_one_topic),
                cmocka_unit_test(order_within_a_minute_changes_nothing),
                cmocka_unit_test(one_person_cannot_raise_a_topic),
                cmocka_unit_test(heat_falls_by_half_and_counts_supporters_by_the_root),
                cmocka_unit_test(old_messages_go),
                cmocka_unit_test(a_topic_is_found_by_its_messages),
                cmocka_unit_test(surge_is_the_binomial_tail),
                cmocka_unit_test(share_is_fishers_test),
                cmocka_unit_test(many_at_once_is_a_surge),
                cmocka_unit_test(what_begins_behind_a_recall_waits),
                cmocka_unit_test(a_rise_of_all_is_no_surge),
                cmocka_unit_test(places_that_come_back),
                cmocka_unit_test(any_text_is_safe),
        };
        const int failed = cmocka_run_group_tests(tests, NULL, NULL);
        fold_free(&fold);
        return failed;
}
