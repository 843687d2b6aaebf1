/* evaluate/route_command.c -- yiwang eval route: how often experience names the unit that really handled a case. */
#include "base/arena.h"
#include "base/text.h"
#include "bulk/import_map.h"
#include "command/command.h"
#include "evaluate/commands.h"
#include "evaluate/route.h"
#include "json/json.h"
#include <stdio.h>

enum { JSON_MOST = 1 << 20 };

/* --- JSON ----------------------------------------------------------------------------------------------------------------- */

static void put_share(struct command_line *line, struct json *j, const char *name, struct share s)
{
        json_real(j, name, s.value);
        json_real(j, arena_format(line->arena, "%s_low", name), s.low);
        json_real(j, arena_format(line->arena, "%s_high", name), s.high);
}

static void put_score(struct command_line *line, struct json *j, const struct score *s)
{
        put_share(line, j, "top1", s->top1);
        put_share(line, j, "top3", s->top3);
        json_object(j, "coverage_at_precision");
        for (size_t i = 0; i < COVERAGES; i++)
                json_real(j, arena_format(line->arena, "%.2f", COVERAGE_PRECISIONS[i]), s->coverage[i]);
        json_object_end(j);
        json_real(j, "ece", s->ece);
        json_real(j, "brier", s->brier);
}

static void put_reliability(struct json *j, const struct score *s)
{
        json_array(j, "reliability");
        for (size_t i = 0; i < SCORE_BINS; i++) {
                json_object(j, NULL);
                json_real(j, "from", (double)i / SCORE_BINS);
                json_real(j, "to", (double)(i + 1) / SCORE_BINS);
                json_int(j, "n", (int64_t)s->bins[i].n);
                json_real(j, "certainty", s->bins[i].certainty);
                json_real(j, "right", s->bins[i].right);
                json_object_end(j);
        }
        json_array_end(j);
}

static void put_chosen(struct command_line *line, struct json *j, const struct route_result *r)
{
        json_object(j, "coverage_at_chosen");
        json_real(j, "threshold", r->threshold);
        put_share(line, j, "coverage", r->chosen_coverage);
        put_share(line, j, "precision", r->chosen_precision);
        json_object_end(j);
}

static void show_json(struct command_line *line, const struct route_result *r)
{
        struct buf b = BUF_LIMIT(JSON_MOST);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_int(&j, "n", (int64_t)r->score.n);
        json_int(&j, "train", (int64_t)r->train);
        json_int(&j, "unnamed", (int64_t)r->unnamed);
        json_int(&j, "faulty", (int64_t)r->faulty);
        json_int(&j, "earlier", (int64_t)r->earlier);
        json_int(&j, "units", (int64_t)r->units);
        put_score(line, &j, &r->score);
        put_chosen(line, &j, r);
        put_reliability(&j, &r->score);
        json_real(&j, "us_per_decision", r->us_per_decision);
        json_real(&j, "us_per_learning", r->us_per_learning);
        if (r->n_ablations > 0) {
                json_array(&j, "ablations");
                for (size_t i = 0; i < r->n_ablations; i++) {
                        json_object(&j, NULL);
                        json_text(&j, "without", r->ablations[i].without);
                        put_score(line, &j, &r->ablations[i].score);
                        json_object_end(&j);
                }
                json_array_end(&j);
        }
        json_object_end(&j);
        printf("%s\n", b.at);
        buf_free(&b);
}

/* --- text ----------------------------------------------------------------------------------------------------------------- */

static void show_share(const struct command_line *line, const char *en, const char *zh, struct share s)
{
        printf(say(line, "%s: %.2f %% (95 %% interval %.2f to %.2f)\n", "%s：%.2f%%（95%%区间 %.2f 至 %.2f）\n"), say(line, en, zh),
               100 * s.value, 100 * s.low, 100 * s.high);
}

static void show_ablations(const struct command_line *line, const struct route_result *r)
{
        if (r->n_ablations == 0)
                return;
        printf("%s\n", say(line, "without: right, among three, covered at 95 %", "去除项：首选命中、前三命中、95%精度下覆盖"));
        for (size_t i = 0; i < r->n_ablations; i++) {
                const struct score *s = &r->ablations[i].score;
                printf("  %-14s %6.2f %6.2f %6.2f\n", r->ablations[i].without, 100 * s->top1.value, 100 * s->top3.value,
                       100 * s->coverage[1]);
        }
}

static void show_text(const struct command_line *line, const struct route_result *r)
{
        const struct score *s = &r->score;
        printf(say(line, "learned from %zu rows, answered %zu; %zu name no unit, %zu cannot be read; %zu units\n",
                   "学习%zu行，测试%zu行；%zu行未写单位，%zu行无法读取；单位%zu个\n"),
               r->train, r->test, r->unnamed, r->faulty, r->units);
        show_share(line, "first answer right", "首选命中", s->top1);
        show_share(line, "among the first three", "前三命中", s->top3);
        for (size_t i = 0; i < COVERAGES; i++)
                printf(say(line, "covered when %.0f %% of the surest are right: %.2f %%\n", "精度%.0f%%时可覆盖：%.2f%%\n"),
                       100 * COVERAGE_PRECISIONS[i], 100 * s->coverage[i]);
        printf(say(line, "with the threshold %.3f, chosen before the test:\n", "按测试前选定的阈值%.3f：\n"), r->threshold);
        show_share(line, "  covered", "  覆盖", r->chosen_coverage);
        show_share(line, "  of these right", "  其中命中", r->chosen_precision);
        printf(say(line, "certainty is off by %.2f %% on average (ECE); Brier score %.4f\n",
                   "确定度平均偏差%.2f%%（ECE）；Brier 分数 %.4f\n"),
               100 * s->ece, s->brier);
        for (size_t i = 0; i < SCORE_BINS; i++)
                if (s->bins[i].n > 0)
                        printf(say(line, "  certainty %.2f: %.2f right of %zu\n", "  确定度%.2f：命中%.2f，共%zu\n"),
                               s->bins[i].certainty, s->bins[i].right, s->bins[i].n);
        printf(say(line, "%.1f us a decision, %.1f us to learn a case\n", "每次判断%.1f微秒，每次学习%.1f微秒\n"),
               r->us_per_decision, r->us_per_learning);
        show_ablations(line, r);
}

/* --- the command ---------------------------------------------------------------------------------------------------------- */

static bool read_last(const struct command_line *line, const char *test, double *last, struct err *e)
{
        const char *text = option_value(line, "last");
        *last = 0.2;
        if (text && test)
                return err_both(e, ERR_INVALID, "last", "--last and --test exclude each other", "--last 与 --test 只能取其一");
        return !text || (text_to_real(text, last) && *last > 0 && *last < 1)
               || err_both(e, ERR_INVALID, "last", "--last needs a share between 0 and 1, such as 0.2",
                           "--last 应为0与1之间的比例，如0.2");
}

static bool read_question(struct command_line *line, struct import_map *map, struct route_question *q, struct err *e)
{
        const char *file = option_value(line, "map");
        *q = (struct route_question){
                .train = option_value(line, "train"),
                .test = option_value(line, "test"),
                .map = map,
                .ablate = option_value(line, "ablate") != NULL,
        };
        if (text_empty(q->train) || text_empty(file))
                return err_both(e, ERR_INVALID, text_empty(file) ? "map" : "train",
                                "say --train FILE and --map MAP; see yiwang %s --help",
                                "请指明 --train 文件与 --map 映射，见 yiwang %s --help", "eval route");
        return read_last(line, q->test, &q->last, e) && import_map_read(line->arena, file, map, e);
}

static bool run(struct command_line *line, struct err *e)
{
        struct import_map map;
        struct route_question q;
        struct route_result r;
        if (!read_question(line, &map, &q, e) || !evaluate_route(&q, line->arena, &r, e))
                return false;
        if (r.earlier > 0)
                fprintf(stderr,
                        say(line, "yiwang: warning: %zu of %zu test rows are earlier than the last row of --train\n",
                            "yiwang: 警告：测试文件%zu行（共%zu行）早于训练文件的末行\n"),
                        r.earlier, r.test);
        if (option_value(line, "json"))
                show_json(line, &r);
        else
                show_text(line, &r);
        return true;
}

static const struct option options[] = {
        {"train", "FILE", "the table to learn from: CSV, TSV or JSONL", "用于学习的表：CSV、TSV 或 JSONL"},
        {"test", "FILE", "the table to answer, row by row, each learned after its answer", "用于测试的表，逐行回答后即学习"},
        {"last", "SHARE", "instead of --test: the last part of --train (0.2)", "代替 --test：取训练表的最后一部分（0.2）"},
        {"map", "MAP", "how the files are to be read: a YAML file that names compare_unit",
         "文件的读法：含 compare_unit 的 YAML 文件"},
        {"json", NULL, "prints the figures as JSON", "以 JSON 输出"},
        {"ablate", NULL, "also without each group of what it goes by", "另列去除各组依据后的结果"},
        {0},
};
const struct command eval_route_command = {
        .name = "eval route",
        .words = "",
        .least = 0,
        .most = 0,
        .about = "Measures on a table of handled cases how often experience names the unit that handled each; needs no district.",
        .about_zh = "用已办结案件的表衡量按经验派单的命中率；不需要数据目录。",
        .options = options,
        .run = run,
};
