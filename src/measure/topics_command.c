/* measure/topics_command.c -- yiwang eval topics: the hottest topics of a table of messages. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "command/command.h"
#include "measure/commands.h"
#include "measure/topics.h"
#include <stdio.h>

static bool number(const struct command_line *line, const char *name, int64_t *out, struct err *e)
{
        const char *text = option_value(line, name);
        return !text || (text_to_int(text, out) && *out >= 0)
               || err_both(e, ERR_INVALID, name, "--%s needs a whole number from 0 on", "--%s 应为不小于0的整数", name);
}

static bool share(const struct command_line *line, const char *name, double *out, struct err *e)
{
        const char *text = option_value(line, name);
        return !text || (text_to_real(text, out) && *out > 0 && *out <= 1)
               || err_both(e, ERR_INVALID, name, "--%s needs a number above 0, at most 1", "--%s 应为大于0、不大于1的数", name);
}

static void show(const struct command_line *line, const struct topics_found *found)
{
        const bool chinese = command_in_chinese(line);
        for (size_t i = 0; i < found->n; i++) {
                const struct found_topic *f = &found->at[i];
                printf("%zu. %s\n   %s\n   ", i + 1, f->topic.name, chinese ? f->why_zh : f->why);
                for (size_t k = 0; k < f->topic.n_phrases; k++)
                        printf("%s%s", k > 0 ? " | " : "", f->topic.phrases[k]);
                printf("\n");
        }
        if (found->n_places > 0)
                printf("%s\n", say(line, "places that come back:", "反复出现的地点："));
        for (size_t i = 0; i < found->n_places && i < 10; i++)
                printf(say(line, "  %s: %zu weeks, %zu people\n", "  %s：%zu周，%zu人\n"), found->places[i].name,
                       found->places[i].weeks, found->places[i].reporters);
}

static bool run(struct command_line *line, struct err *e)
{
        struct messages messages;
        struct topics_found found;
        struct topics_run r = {0};
        int64_t most = 5;
        const char *input = option_value(line, "input");
        r.shuffles = option_value(line, "shuffle") != NULL;
        if (text_empty(input))
                return err_both(e, ERR_INVALID, "input", "say with --input which CSV file to read", "请用 --input 指明CSV文件");
        if (!number(line, "most", &most, e) || !number(line, "days", &r.days, e) || !number(line, "shuffle", &r.seed, e)
            || !number(line, "half-life", &r.half_life_days, e) || !share(line, "joins", &r.joins, e)
            || !share(line, "merges", &r.merges, e) || !messages_read(line->arena, input, &messages, e))
                return false;
        r.most = (size_t)most;
        if (!evaluate_topics(line->arena, &messages, &r, &found, e))
                return false;
        if (option_value(line, "json")) {
                struct buf b = BUF_LIMIT(1 << 26);
                topics_found_json(&found, command_in_chinese(line), &b);
                printf("%s\n", b.at);
                buf_free(&b);
        } else
                show(line, &found);
        return true;
}

static const struct option options[] = {
        {"input", "FILE", "CSV with msg_id, user_id, subject, created_at, detail; support and oppose when there",
         "含上述各列的CSV文件"},
        {"json", NULL, "one line of JSON", "输出一行JSON"},
        {"most", "N", "so many topics; 5 when unsaid", "列出的话题数，默认5"},
        {"days", "N", "how long a message counts; 400 when unsaid", "时间窗天数，默认400"},
        {"half-life", "N", "days after which heat is half; 30 when unsaid", "热度半衰天数，默认30"},
        {"joins", "X", "how alike a message must be to join a topic", "留言归入话题的相似度阈值"},
        {"merges", "X", "how alike two topics must be to become one", "话题合并的相似度阈值"},
        {"shuffle", "SEED", "messages of one minute come in another order, which changes nothing",
         "打乱同一分钟内的次序，结果应不变"},
        {0},
};
const struct command eval_topics_command = {
        .name = "eval topics",
        .words = "",
        .options = options,
        .run = run,
        .about = "Finds the hottest topics of a table of messages.",
        .about_zh = "从留言表中找出热点话题。",
};
