/* evaluate/classify_command.c -- yiwang eval classify: how good the classifier is on texts whose class is known. */
#include "base/arena.h"
#include "base/text.h"
#include "classify/classifier.h"
#include "command/command.h"
#include "evaluate/classify.h"
#include "evaluate/commands.h"
#include "json/json.h"
#include <stdio.h>

enum { OUTPUT_MOST = 64 << 20 };

static void show(void *ctx, int done, int all)
{
        struct progress *p = ctx;
        p->total = all;
        progress_show(p, done);
}

static bool read_number(const struct command_line *line, const char *name, double least, double most, double *out, struct err *e)
{
        const char *text = option_value(line, name);
        return !text || (text_to_real(text, out) && *out >= least && *out <= most)
               || err_both(e, ERR_INVALID, name, "--%s needs a number from %g to %g", "--%s 应为%g至%g的数", name, least, most);
}

static bool read_options(struct command_line *line, struct columns *columns, struct classify_options *o, struct err *e)
{
        double folds = 0;
        char **text;
        columns->n_text = text_split(line->arena, option_value(line, "text") ? option_value(line, "text") : "text", ',', &text);
        columns->text = (const char *const *)text;
        columns->label = option_value(line, "label") ? option_value(line, "label") : "label";
        o->plain = option_value(line, "plain") != NULL;
        if (text_empty(option_value(line, "train")))
                return err_both(e, ERR_INVALID, "train", "say with --train which CSV file to learn from",
                                "请用 --train 指明训练用CSV文件");
        if (!read_number(line, "folds", 2, 50, &folds, e) || !read_number(line, "cost", 0.001, 1000, &o->cost, e)
            || !read_number(line, "precision", 0.5, 1, &o->precision, e))
                return false;
        o->folds = (int)folds;
        return (o->folds > 0) != !text_empty(option_value(line, "test"))
               || err_both(e, ERR_INVALID, "test", "give either --test FILE or --folds N", "请给出 --test 文件或 --folds 折数之一");
}

static void print_table(const struct command_line *line, const struct classify_score *s, double precision)
{
        printf(say(line, "texts: %lld\naccuracy: %.4f (%.4f to %.4f)\nmacro F1: %.4f (%.4f to %.4f)\n",
                   "文本数：%lld\n正确率：%.4f（%.4f 至 %.4f）\n宏平均F1：%.4f（%.4f 至 %.4f）\n"),
               (long long)s->n, s->accuracy, s->accuracy_low, s->accuracy_high, s->macro_f1, s->macro_f1_low, s->macro_f1_high);
        printf(say(line, "calibration error: %.4f\nshare answered at %.2f precision: %.4f\n",
                   "校准误差：%.4f\n准确率 %.2f 时的自动占比：%.4f\n"),
               s->ece, precision, s->coverage);
        printf(say(line, "above the thresholds chosen in training: %.4f, of these right: %.4f\n",
                   "高于训练所选阈值的占比：%.4f，其中正确：%.4f\n"),
               s->automatic, s->automatic_right);
        printf(say(line, "microseconds a text: %.1f\nseconds of training: %.1f\n", "每条文本微秒数：%.1f\n训练秒数：%.1f\n"),
               s->usec_per_text, s->train_seconds);
        if (s->unknown > 0)
                printf(say(line, "texts whose label was never learned: %lld\n", "标签未在训练中出现的文本：%lld\n"),
                       (long long)s->unknown);
        for (size_t i = 0; i < s->n_of; i++)
                printf("  %6lld  F1 %.4f  P %.4f  R %.4f  %s\n", (long long)s->of[i].n, s->of[i].f1, s->of[i].precision,
                       s->of[i].recall, s->of[i].name);
}

static bool evaluate(struct command_line *line, const struct fold *fold, const struct columns *columns,
                     const struct classify_options *asked, struct err *e)
{
        struct labelled train, test = {.n = 0};
        struct classify_score s;
        struct progress p = progress_start(say(line, "training", "训练"), 0);
        struct classify_options o = *asked;
        const double precision = o.precision > 0 ? o.precision : 0.95;
        p.quiet = p.quiet || option_value(line, "json") != NULL;
        o.progress = show;
        o.ctx = &p;
        if (!labelled_read(line->arena, option_value(line, "train"), columns, NULL, &train, e)
            || (o.folds == 0 && !labelled_read(line->arena, option_value(line, "test"), columns, &train, &test, e))
            || !classify_evaluate(line->arena, fold, &train, &test, &o, &s, NULL, e))
                return false;
        if (!option_value(line, "json")) {
                print_table(line, &s, precision);
                return true;
        }
        struct buf b = BUF_LIMIT(OUTPUT_MOST);
        struct json j = json_to(&b);
        classify_score_json(&s, precision, &j);
        printf("%s\n", b.at);
        buf_free(&b);
        return true;
}

static bool run(struct command_line *line, struct err *e)
{
        struct columns columns;
        struct classify_options o = {.folds = 0};
        struct fold *fold = NULL;
        const bool ok = read_options(line, &columns, &o, e) && fold_new(&fold, e) && evaluate(line, fold, &columns, &o, e);
        fold_free(&fold);
        return ok;
}

const struct command eval_classify_command = {
        .name = "eval classify",
        .words = "",
        .about = "Measures how good the classifier is on texts whose class is known.",
        .about_zh = "用已知类别的文本检验分类器。",
        .options =
                (const struct option[]){
                        {"train", "FILE", "CSV file to learn from", "训练用CSV文件"},
                        {"test", "FILE", "CSV file to test on", "检验用CSV文件"},
                        {"folds", "N", "cross-validation on the first file instead; near-copies stay in one fold",
                         "改为在训练文件上交叉检验，近似文本在同一折"},
                        {"text", "COLUMNS", "columns of the text, with commas between them (text)", "文本列，逗号分隔（text）"},
                        {"label", "COLUMN", "column of the class; parts joined by / are levels (label)",
                         "类别列，各级以/相连（label）"},
                        {"cost", "C", "cost of an error in training (8)", "训练的误差代价（8）"},
                        {"precision", "P", "wanted of automatic answers (0.95)", "自动答案应达到的准确率（0.95）"},
                        {"plain", NULL, "without log-count ratios, for comparison", "不用对数计数比，作比较"},
                        {"json", NULL, "print JSON", "输出JSON"},
                        {0},
                },
        .run = run,
};
