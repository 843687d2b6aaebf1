/* command/ledger.c -- yiwang ledger verify, yiwang backup. */
#include "ledger/ledger.h"
#include "command/command.h"
#include "store/store.h"
#include <stdio.h>
#include <unistd.h>

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

static void show_share(void *ctx, double share)
{
        progress_show(ctx, (int64_t)(share * 100));
}

static bool backup(struct command_line *line, struct err *e)
{
        struct opened o;
        const char *file = line->words[0];
        struct progress p = progress_start(say(line, "percent", "百分比"), 100);
        if (access(file, F_OK) == 0)
                return err_both(e, ERR_CONFLICT, NULL, "%s is there already; name another file", "%s 已存在，请换一个文件名", file);
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = store_backup(o.store, file, show_share, &p, e);
        command_close(&o);
        if (!ok)
                return false;
        progress_end(&p, 100);
        printf(say(line, "written: %s; keep %s/seal.key with it, in another place: without it sealed names stay sealed\n",
                   "已备份：%s；请另行妥善保存 %s/seal.key，没有它无法解密报告人信息\n"),
               file, line->settings.data);
        return true;
}
const struct command backup_command = {
        .name = "backup",
        .words = "FILE",
        .least = 1,
        .most = 1,
        .run = backup,
        .about = "Copies the database while the server runs; the copy is consistent.",
        .about_zh = "在线备份数据库，备份内容一致。",
};
