/* command/export.c -- yiwang export cases|reports FILE.csv|FILE.jsonl */
#include "base/text.h"
#include "bulk/bulk.h"
#include "command/command.h"
#include <stdio.h>

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

static void show(void *ctx, int64_t done, int64_t total)
{
        struct progress *p = ctx;
        p->total = total;
        progress_show(p, done);
}

static bool run(struct command_line *line, struct err *e)
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
        .run = run,
};
