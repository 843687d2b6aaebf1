/* command/ledger.c -- yiwang ledger verify. */
#include "ledger/ledger.h"
#include "command/command.h"
#include "store/store.h"
#include <stdio.h>

static void show_rows(void *ctx, int64_t rows)
{
        progress_show(ctx, rows);
}

static bool verify(struct command_line *line, struct err *e)
{
        struct opened o;
        struct ledger_verdict v;
        struct progress p = progress_start(say(line, "rows", "记录"), 0);
        if (!command_open(line, true, &o, e))
                return false;
        const bool ran = store_whole(o.store, e) && ledger_verify(o.store, show_rows, &p, &v, e);
        command_close(&o);
        if (!ran)
                return false;
        progress_end(&p, v.rows);
        printf(say(line, "cases: %lld\nrows: %lld\nfaults: %lld\n", "案件：%lld\n记录：%lld\n错误：%lld\n"), (long long)v.cases,
               (long long)v.rows, (long long)v.faults);
        return v.faults == 0 || err_both(e, ERR_FAULT, NULL, "the history is not whole: %s", "流转记录不完整：%s", v.first);
}
const struct command ledger_verify_command = {
        .name = "ledger verify",
        .words = "",
        .run = verify,
        .about = "Reads the history of every case and finds what was altered, dropped or put in; on SQLite every page, too.",
        .about_zh = "检查全部案件的流转记录是否被改动、删除或插入；使用 SQLite 时并检查数据库文件的每一页。",
};
