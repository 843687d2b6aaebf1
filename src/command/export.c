/* command/export.c -- yiwang export cases|reports FILE.csv|FILE.jsonl, and yiwang demo N: made-up reports for
 * trying out and measuring. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "bulk/bulk.h"
#include "command/command.h"
#include <stdio.h>

static void show(void *ctx, int64_t done, int64_t total)
{
        struct progress *p = ctx;
        p->total = total;
        progress_show(p, done);
}

/* --- export ---------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
        size_t n = strlen(text), m = strlen(end);
        return n > m && strcmp(text + n - m, end) == 0;
}

static bool read_words(const struct command_line *line, enum export_what *what, enum export_format *format, struct err *e)
{
        const char *word = line->words[0], *file = line->words[1];
        if (!text_is(word, "cases") && !text_is(word, "reports"))
                return err_both(e, ERR_INVALID, NULL, "\"%s\" cannot be exported; cases or reports can",
                                "无法导出“%s”，可导出 cases 或 reports", word);
        if (!ends_with(file, ".csv") && !ends_with(file, ".jsonl"))
                return err_both(e, ERR_INVALID, NULL, "the name of the file must end with .csv or .jsonl: %s",
                                "文件名须以 .csv 或 .jsonl 结尾：%s", file);
        *what = text_is(word, "cases") ? EXPORT_CASES : EXPORT_REPORTS;
        *format = ends_with(file, ".csv") ? EXPORT_CSV : EXPORT_JSONL;
        return true;
}

static bool write_out(struct command_line *line, struct err *e)
{
        struct opened o;
        enum export_what what = EXPORT_CASES;
        enum export_format format = EXPORT_CSV;
        int64_t rows = 0;
        if (!read_words(line, &what, &format, e) || !command_open(line, true, &o, e))
                return false;
        struct progress p = progress_start(say(line, "export", "导出"), 0);
        bool ok = export_table(&o.district, what, format, line->words[1], &(struct bulk_progress){show, &p}, &rows, e);
        if (ok) {
                progress_end(&p, rows);
                printf(say(line, "%lld rows in %s\n", "共%lld行，已写入 %s\n"), (long long)rows, line->words[1]);
        }
        command_close(&o);
        return ok;
}

const struct command export_command = {
        .name = "export",
        .words = "cases|reports FILE",
        .least = 2,
        .most = 2,
        .about = "Writes all cases or reports to FILE.csv or FILE.jsonl, newest first, without reporters; numbers in texts are"
                 " masked.",
        .about_zh = "将全部案件（cases）或来件（reports）写入 .csv 或 .jsonl 文件，新的在前，不含来件人信息，文中号码已脱敏。",
        .run = write_out,
};

/* --- demo ------------------------------------------------------------------------------------------------------------ */

static bool read_options(const struct command_line *line, struct demo_options *o, struct err *e)
{
        const char *seed = option_value(line, "seed"), *until = option_value(line, "until");
        if (!text_to_int(line->words[0], &o->count))
                return err_both(e, ERR_INVALID, "N", "\"%s\" is not a number of reports", "“%s”不是来件数量", line->words[0]);
        o->seed = 1;
        if (seed && (!text_to_int(seed, &o->seed) || o->seed < 0))
                return err_both(e, ERR_INVALID, "seed", "--seed needs a whole number from 0", "--seed 应为不小于0的整数");
        if (until && time_parse(arena_format(line->arena, "%sT00:00:00", until), ZONE_SHANGHAI, &o->until))
                return true;
        if (until)
                return err_both(e, ERR_INVALID, "until", "--until needs a day such as 2026-11-23",
                                "--until 应为日期，如 2026-11-23");
        struct civil today = civil_of(clock_now(), ZONE_SHANGHAI);
        o->until = civil_instant(&(struct civil){.year = today.year, .month = today.month, .day = today.day}, ZONE_SHANGHAI);
        return true;
}

static bool make(struct command_line *line, struct err *e)
{
        struct opened o;
        struct demo_result r;
        struct progress p = progress_start(say(line, "demo", "演示数据"), 0);
        struct demo_options options = {.chinese = command_in_chinese(line), .progress = {show, &p}};
        if (!read_options(line, &options, e) || !command_open(line, true, &o, e))
                return false;
        bool ok = demo_reports(&o.district, &options, &r, e);
        const double seconds = (double)r.elapsed / (double)USEC_SECOND;
        if (ok) {
                progress_end(&p, r.stored + r.again);
                printf(say(line, "stored: %lld, there already: %lld, %.1f s, %.0f a second\n",
                           "新登记：%lld，此前已有：%lld，用时%.1f秒，每秒%.0f件\n"),
                       (long long)r.stored, (long long)r.again, seconds,
                       seconds > 0 ? (double)(r.stored + r.again) / seconds : 0.0);
        }
        command_close(&o);
        return ok;
}

static const struct option options_of_demo[] = {
        {"seed", "S", "the same seed makes the same reports (1)", "相同的种子生成相同的来件（默认1）"},
        {"until", "DAY", "the reports spread over the year before that day (today)", "来件分布在该日之前一年内（默认今日）"},
        {0},
};
const struct command demo_command = {
        .name = "demo",
        .words = "N",
        .least = 1,
        .most = 1,
        .about = "Makes N reports up (at most 10,000,000), spread over items, areas, channels and the last year;"
                 " a run that broke off goes on.",
        .about_zh = "生成N件演示来件（至多1000万），分布于各事项、区域、渠道和近一年；中断后可再次运行继续。",
        .options = options_of_demo,
        .run = make,
};
