/* evaluate/train_command.c -- yiwang train: a new model from the district's own texts. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "evaluate/commands.h"
#include "triage/triage.h"
#include <stdio.h>

static void show(void *ctx, int done, int all)
{
        struct progress *p = ctx;
        p->total = all;
        progress_show(p, done);
}

static bool train(struct command_line *line, struct err *e)
{
        struct opened o;
        int64_t model = 0;
        if (!command_open(line, true, &o, e))
                return false;
        struct progress p = progress_start(say(line, "training", "训练"), 0);
        const struct triage_training how = {.progress = show, .ctx = &p, .adopt = option_value(line, "adopt") != NULL};
        struct triage_summary s = {.examples = 0};
        bool ok = triage_open(&o.district, e) && triage_train(&o.district, &how, clock_now(), &model, e)
                  && triage_summary(&o.district, model, &s, e);
        triage_close(&o.district);
        command_close(&o);
        if (!ok)
                return false;
        printf(say(line, "model: %lld (%s)\ntexts of cases: %lld\nwords of the pack: %lld\nitems: %lld\n",
                   "模型：%lld（%s）\n案件文本：%lld\n场景包词条：%lld\n事项：%lld\n"),
               (long long)model, s.state, (long long)s.examples, (long long)s.made, (long long)s.items);
        if (s.accuracy < 0)
                printf("%s\n", say(line, "too few texts to learn how sure an answer is: nothing is taken without asking",
                                   "文本太少，无法判断把握：一律由人确认"));
        else
                printf(say(line,
                           "of texts unseen: accuracy %.4f, macro F1 %.4f, calibration error %.4f; %.4f answered at"
                           " precision %.2f\n",
                           "未见文本：正确率 %.4f，宏平均F1 %.4f，校准误差 %.4f；自动占比 %.4f（准确率 %.2f）\n"),
                       s.accuracy, s.macro_f1, s.ece, s.coverage, s.precision);
        printf(say(line, "seconds: %.1f\n", "用时秒数：%.1f\n"), s.seconds);
        return true;
}

const struct command train_command = {
        .name = "train",
        .words = "",
        .about = "Trains the machine that reads reports anew, from the cases of the district and the words of its pack.",
        .about_zh = "用本区案件和场景包训练识别来件的模型。",
        .options = (const struct option[]){{"adopt", NULL, "The new model is active at once, not first in the shadow.",
                                            "立即启用，不先影子运行。"},
                                           {0}},
        .run = train,
};
