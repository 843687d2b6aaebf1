/* measure/same_command.c -- yiwang eval same: how well reports of the same matter are found, on a table of messages. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "command/command.h"
#include "measure/commands.h"
#include "measure/same.h"
#include <stdio.h>

static bool number(const struct command_line *line, const char *name, int64_t *out, struct err *e)
{
        const char *text = option_value(line, name);
        return !text || (text_to_int(text, out) && *out >= 0)
               || err_both(e, ERR_INVALID, name, "--%s needs a whole number from 0 on", "--%s 应为不小于0的整数", name);
}

static void show_counts(const struct command_line *line, const char *en, const char *zh, const struct same_counts *c)
{
        printf(say(line, "%s: %lld questions, %lld joined, of these %lld right and %lld for a reader to judge; %lld asked\n",
                   "%s：提问%lld次，并案%lld次，其中正确%lld次、须人工判断%lld次；询问%lld次\n"),
               say(line, en, zh), (long long)c->questions, (long long)c->joins, (long long)c->right, (long long)c->unjudged,
               (long long)c->asks);
}

static void show(const struct command_line *line, const struct same_result *r)
{
        printf(say(line, "cases: %zu\n", "案件：%zu\n"), r->cases);
        show_counts(line, "pasted again", "重复粘贴", &r->retold[RETOLD_COPY]);
        show_counts(line, "in other words", "换词改写", &r->retold[RETOLD_LIGHT]);
        show_counts(line, "half of it, in other words", "删半改写", &r->retold[RETOLD_STRONG]);
        show_counts(line, "the same words about other places", "同文异地", &r->elsewhere);
        show_counts(line, "messages that read the same", "原有相同留言", &r->real);
        printf(say(line, "messages joined to others that read differently: %lld\n", "与文字不同的留言并案：%lld\n"),
               (long long)r->unlike);
        printf(say(line, "precision %.4f (%.4f when what is to be judged is wrong), recall %.4f at probability %.2f\n",
                   "精确率 %.4f（待判断者均计为错时 %.4f），召回率 %.4f，概率阈值 %.2f\n"),
               r->precision, r->least_precision, r->recall, r->threshold);
        printf(say(line, "%.0f us a question, %.0f bytes a case\n", "每次提问%.0f微秒，每件案件%.0f字节\n"), r->us_per_find,
               r->bytes_per_case);
        for (size_t i = 0; i < r->n_fitted; i++)
                printf("%-10s %.4f\n", r->fitted_names[i], r->fitted[i]);
        for (size_t i = 0; i < r->n_pairs; i++)
                printf("%.3f %s %s -> %s\n", r->pairs[i].probability, r->pairs[i].what, r->pairs[i].one, r->pairs[i].other);
}

static bool run(struct command_line *line, struct err *e)
{
        struct messages messages;
        struct same_result result;
        int64_t seed = 1, retold = 0, pairs = 0;
        const char *input = option_value(line, "input");
        if (text_empty(input))
                return err_both(e, ERR_INVALID, "input", "say with --input which CSV file to measure on",
                                "请用 --input 指明CSV文件");
        if (!number(line, "seed", &seed, e) || !number(line, "retold", &retold, e) || !number(line, "show", &pairs, e)
            || !messages_read(line->arena, input, &messages, e))
                return false;
        const struct same_options o = {
                .seed = seed, .retold = (size_t)retold, .fit = option_value(line, "fit") != NULL, .show = (size_t)pairs};
        if (!evaluate_same(line->arena, &messages, &o, &result, e))
                return false;
        if (option_value(line, "json")) {
                struct buf b = BUF_LIMIT(1 << 26);
                same_result_json(&result, &b);
                printf("%s\n", b.at);
                buf_free(&b);
        } else
                show(line, &result);
        return true;
}

static const struct option options[] = {
        {"input", "FILE", "CSV with msg_id, user_id, subject, created_at, detail", "含上述各列的CSV文件"},
        {"json", NULL, "one line of JSON", "输出一行JSON"},
        {"seed", "N", "other retellings; 1 when unsaid", "改写所用的随机种子，默认1"},
        {"retold", "N", "so many messages are retold; all of one half when unsaid", "改写的留言数，默认为其中一半的全部"},
        {"show", "N", "give up to N answers that a reader should judge", "列出至多N条须人工判断的结果"},
        {"fit", NULL, "find the coefficients of the model on the other half", "在另一半上拟合模型系数"},
        {0},
};
const struct command eval_same_command = {
        .name = "eval same",
        .words = "",
        .options = options,
        .run = run,
        .about = "Measures how well reports of the same matter are found.",
        .about_zh = "评测同一诉求的识别效果。",
};
