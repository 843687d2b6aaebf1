/* bench/same.c -- the index of src/same at 10,000, 100,000 and 1,000,000 cases of made-up text: microseconds a question, bytes
 * a case.
 *
 * bench_same [MOST]      prints one line of JSON for each size up to MOST.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "measure/paraphrase.h"
#include "same/same.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "text/phrases.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { QUESTIONS = 2000, LEARNT = 20000, PLACES = 20000, GRID = 400 };

static const char *const heads[] = {"丽", "金", "翠", "文", "清", "和", "银", "长", "北", "石", "龙", "东",
                                    "南", "沙", "坑", "碧", "马", "田", "江", "竹", "新", "华", "锦", "宝",
                                    "坪", "兰", "六", "汤", "燕", "秀", "水", "老", "三", "洋", "沃", "卓"};
static const char *const kinds[] = {"花园", "小区", "路", "大道", "新村", "公寓", "广场", "工业园", "市场", "小学", "社区", "街"};
static const char *const whats[] = {"施工噪音",   "路面塌陷",     "垃圾堆放", "路灯不亮",   "占道经营", "水管漏水",  "电梯困人",
                                    "油烟扰民",   "违规搭建",     "井盖缺失", "污水横流",   "车辆乱停", "树木倒伏",  "拖欠工资",
                                    "广场舞太吵", "消防通道堵塞", "停电停水", "渣土车抛洒", "狗吠扰民", "物业乱收费"};
static const char *const hows[] = {"从昨天晚上开始",   "已经持续半个多月", "每天凌晨两点左右",   "上下班高峰最厉害",
                                   "下雨以后更加明显", "周末也不停",       "打过几次电话没人管", "孩子上学必须经过",
                                   "老人差点摔倒",     "味道飘到十几层楼"};
static const char *const ends[] = {"请尽快处理。", "希望有关部门到场核实。", "请问由哪个部门负责？", "要求给予书面答复。",
                                   "拜托了，谢谢！"};
#define ONE_OF(d, list) ((list)[draw_below((d), COUNT_OF(list))])

static const char *text_of(struct arena *a, uint64_t i, struct point *at)
{
        struct draw d = {i * UINT64_C(0xd1342543de82ef95) + 1};
        struct draw p = {draw_below(&d, PLACES) + 77};
        const char *one = ONE_OF(&p, heads), *two = ONE_OF(&p, heads), *three = ONE_OF(&p, heads), *kind = ONE_OF(&p, kinds);
        *at = (struct point){114.3 + (double)draw_below(&p, GRID) * 0.0005, 22.6 + (double)draw_below(&p, GRID) * 0.0005};
        return arena_format(a, "%s%s%s%s%d号%s，%s，%s，%s", one, two, three, kind, 1 + (int)draw_below(&d, 300), ONE_OF(&d, whats),
                            ONE_OF(&d, hows), ONE_OF(&d, hows), ONE_OF(&d, ends));
}

static struct matter matter_of(struct arena *a, const struct fold *fold, uint64_t i, const char *text, struct point at,
                               bool has_point)
{
        struct folded *f = NEW(a, struct folded);
        fold_text(fold, a, text, strlen(text), f);
        return (struct matter){.id = (int64_t)i + 1,
                               .text = f,
                               .time = (INT64_C(1700000000) + (int64_t)i) * USEC_SECOND,
                               .has_point = has_point,
                               .point = at};
}

/* Of this thread: what a question costs, whoever else uses the machine. */
static int64_t processor_time(void)
{
        struct timespec t;
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (int64_t)t.tv_sec * USEC_SECOND + t.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
        const int64_t *x = a, *y = b;
        return (*x > *y) - (*x < *y);
}

static void measure(struct same_index *x, const struct fold *fold, uint64_t n, double added)
{
        struct arena *a = arena_new();
        struct draw d = {5};
        static const char *const names[] = {"text", "text_and_point"};
        printf("{\"cases\":%llu,\"bytes_per_case\":%.1f,\"us_per_add\":%.1f", (unsigned long long)n,
               (double)same_size(x).bytes / (double)same_size(x).cases, added);
        for (int way = 0; way < 2; way++) {
                int64_t all = 0, used = 0, took[QUESTIONS];
                int found = 0, joined = 0;
                for (int k = 0; k < QUESTIONS; k++) {
                        struct point at;
                        struct alike out[SAME_MOST];
                        const uint64_t i = draw_below(&d, n);
                        const char *text = retell(a, text_of(a, i, &at), RETOLD_LIGHT, &d);
                        const struct matter m = matter_of(a, fold, i, text, at, way == 1);
                        const int64_t began = clock_steady(), used_before = processor_time();
                        const size_t answers = same_find(x, a, &m, NULL, out, SAME_MOST);
                        took[k] = clock_steady() - began;
                        all += took[k];
                        used += processor_time() - used_before;
                        for (size_t j = 0; j < answers; j++)
                                found += out[j].id == (int64_t)i + 1;
                        joined += answers > 0 && out[0].outcome == SAME_JOINS && out[0].id == (int64_t)i + 1;
                        arena_reset(a);
                }
                qsort(took, QUESTIONS, sizeof *took, by_value);
                printf(",\"%s\":{\"us_per_find\":%.0f,\"us_processor\":%.0f,\"us_p99\":%lld,\"found\":%.3f,\"first\":%.3f}",
                       names[way], (double)all / QUESTIONS, (double)used / QUESTIONS, (long long)took[QUESTIONS * 99 / 100],
                       (double)found / QUESTIONS, (double)joined / QUESTIONS);
        }
        printf("}\n");
        (void)fflush(stdout);
        arena_free(&a);
}

int main(int argc, char **argv)
{
        struct fold *fold;
        struct err e;
        const uint64_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
        if (!fold_new(&fold, &e))
                return 1;
        for (uint64_t n = 10000; n <= most; n *= 10) {
                struct arena *a = arena_new();
                struct rare *rare = rare_new();
                struct point at;
                for (uint64_t i = 0; i < LEARNT; i++) {
                        const struct matter m = matter_of(a, fold, i, text_of(a, i * 31, &at), at, false);
                        rare_learn_text(rare, m.text);
                        arena_reset(a);
                }
                struct same_index *x = same_new(&rare, n);
                const int64_t began = clock_steady();
                for (uint64_t i = 0; i < n; i++) {
                        const char *text = text_of(a, i, &at);
                        const struct matter m = matter_of(a, fold, i, text, at, i % 2 == 0);
                        same_add(x, &m);
                        arena_reset(a);
                }
                measure(x, fold, n, (double)(clock_steady() - began) / (double)n);
                same_free(&x);
                arena_free(&a);
        }
        fold_free(&fold);
        return 0;
}
