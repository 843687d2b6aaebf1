/* command/backup.c -- yiwang backup, yiwang restore. */
#include "archive/archive.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "ledger/ledger.h"
#include "media/media.h"
#include "store/store.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- backup -------------------------------------------------------------------------------------------------------------- */
static void show_share(void *ctx, double share)
{
        progress_show(ctx, (int64_t)(share * 100));
}

static void name_the_key(const struct command_line *line, const char *written)
{
        printf(say(line, "written: %s; keep %s/seal.key with it, in another place: without it sealed names stay sealed\n",
                   "已备份：%s；请另行妥善保存 %s/seal.key，没有它无法解密报告人信息\n"),
               written, line->settings.data);
}

static bool back_up_file(struct command_line *line, const char *file, struct progress *p, struct err *e)
{
        struct opened o;
        if (access(file, F_OK) == 0)
                return err_both(e, ERR_CONFLICT, NULL, "%s is there already; name another file", "%s 已存在，请换一个文件名", file);
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = store_backup(o.store, file, show_share, p, e);
        command_close(&o);
        if (ok)
                progress_end(p, 100);
        if (ok)
                name_the_key(line, file);
        return ok;
}

/* After the database: a picture is on the disk before a report that names it is stored. */
static bool copy_pictures(const struct command_line *line, const char *from, const char *to, struct err *e)
{
        struct media_copied n;
        if (!media_copy(from, to, &n, e))
                return false;
        printf(say(line, "pictures: %lld copied, %lld there already\n", "图片：复制 %lld，已有 %lld\n"), (long long)n.copied,
               (long long)n.there);
        return n.damaged == 0
               || err_both(e, ERR_FAULT, NULL, "%lld pictures below %s/media are damaged and were left out; the rest is copied",
                           "%lld 张图片已损坏（%s/media），未复制，其余已复制", (long long)n.damaged, from);
}

/* The store is not opened: nothing is written to the database, which may be served by an older program. */
static bool back_up_folder(struct command_line *line, const char *folder, struct progress *p, struct err *e)
{
        const char *dsn = settings_dsn(line->arena, &line->settings);
        if (!text_starts(dsn, "sqlite:"))
                return err_both(e, ERR_INVALID, NULL, "PostgreSQL is copied by pg_basebackup or pg_dump; see doc/operations.md",
                                "PostgreSQL 请使用 pg_basebackup 或 pg_dump，见 doc/operations.md");
        struct copy_job job = {.database = dsn + strlen("sqlite:"), .folder = folder, .progress = show_share, .ctx = p};
        if (access(job.database, F_OK) != 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no database %s", "数据库 %s 不存在", job.database);
        if (!archive_copy(&job, e))
                return false;
        progress_end(p, 100);
        name_the_key(line, arena_format(line->arena, "%s/%s", folder, job.name));
        return copy_pictures(line, line->settings.data, folder, e);
}

static bool backup(struct command_line *line, struct err *e)
{
        const char *folder = option_value(line, "to");
        struct progress p = progress_start(say(line, "percent", "百分比"), 100);
        if ((line->n_words == 1) == (folder != NULL))
                return err_both(e, ERR_INVALID, NULL, "use: yiwang backup FILE, or yiwang backup --to FOLDER",
                                "用法：yiwang backup 文件，或 yiwang backup --to 目录");
        return folder ? back_up_folder(line, folder, &p, e) : back_up_file(line, line->words[0], &p, e);
}

static const struct option backup_options[] = {
        {"to", "FOLDER",
         "makes FOLDER/copy-INSTANT with database and manifest, adds new pictures to FOLDER/media; FOLDER may be the archive",
         "在目录中生成 copy-时刻（数据库与清单），并将新图片加入 目录/media；目录可以是归档目录"},
        {0},
};
const struct command backup_command = {
        .name = "backup",
        .words = "[FILE]",
        .options = backup_options,
        .least = 0,
        .most = 1,
        .run = backup,
        .about = "Copies the database while the server runs; the copy is consistent.",
        .about_zh = "在线备份数据库，备份内容一致。",
};

/* --- restore ------------------------------------------------------------------------------------------------------------- */
static void show_commits(void *ctx, int64_t commits)
{
        progress_show(ctx, commits);
}

/* The history of what was restored, without touching its schema. */
static bool verify(const char *database, struct ledger_verdict *v, struct arena *a, struct err *e)
{
        struct store *s;
        const struct store_options options = {.dsn = arena_format(a, "sqlite:%s", database)};
        if (!store_open(&s, &options, e))
                return false;
        const bool ok = ledger_verify(s, NULL, NULL, NULL, v, e);
        store_close(&s);
        return ok;
}

static const char *time_of(struct arena *a, int64_t instant)
{
        char text[TIME_TEXT_SIZE];
        return arena_text(a, time_text(text, instant, ZONE_SHANGHAI));
}

static bool tell(struct command_line *line, const struct restore_job *job, const struct ledger_verdict *v, const char *to,
                 struct err *e)
{
        printf(say(line, "copy: %s\ncommits after it: %lld\nrestored as of: %s\ncases: %lld\nrows: %lld\nfaults: %lld\n",
                   "完整备份：%s\n其后提交：%lld\n恢复到：%s\n案件：%lld\n记录：%lld\n错误：%lld\n"),
               job->copy, (long long)job->commits, time_of(line->arena, job->instant), (long long)v->cases, (long long)v->rows,
               (long long)v->faults);
        if (job->missing.kind != ERR_NONE)
                printf(say(line, "not all: %s\n", "不完整：%s\n"), command_in_chinese(line) ? job->missing.zh : job->missing.text);
        if (access(arena_format(line->arena, "%s/seal.key", to), F_OK) != 0)
                printf(say(line, "now put seal.key, which is kept in another place, into %s\n",
                           "请将另行保存的 seal.key 放入 %s\n"),
                       to);
        return v->faults == 0 || err_both(e, ERR_FAULT, NULL, "the history is not whole: %s", "流转记录不完整：%s", v->first);
}

static bool restore(struct command_line *line, struct err *e)
{
        const char *from = option_value(line, "from"), *to = option_value(line, "to"), *at = option_value(line, "at");
        struct progress p = progress_start(say(line, "commits", "提交"), 0);
        struct ledger_verdict v;
        if (!from || !to)
                return err_both(e, ERR_INVALID, NULL, "use: yiwang restore --from FOLDER --to DATA [--at INSTANT]",
                                "用法：yiwang restore --from 归档目录 --to 数据目录 [--at 时刻]");
        struct restore_job job = {.folder = from,
                                  .database = arena_format(line->arena, "%s/yiwang.db", to),
                                  .at = INT64_MAX,
                                  .partial = option_value(line, "allow-partial") != NULL,
                                  .progress = show_commits,
                                  .ctx = &p};
        if (at && !time_parse(at, ZONE_SHANGHAI, &job.at))
                return err_both(e, ERR_INVALID, "at", "--at needs an instant such as 2026-11-25T12:00:00+08:00, not \"%.40s\"",
                                "--at 应为 2026-11-25T12:00:00+08:00 这样的时刻，而不是“%.40s”", at);
        if (mkdir(to, 0700) != 0 && errno != EEXIST)
                return err_both(e, ERR_INVALID, NULL, "cannot make the folder %s: %s", "无法创建目录 %s：%s", to, strerror(errno));
        if (!archive_restore(&job, e))
                return false;
        progress_end(&p, job.commits);
        return verify(job.database, &v, line->arena, e) && tell(line, &job, &v, to, e) && copy_pictures(line, from, to, e);
}

static const struct option restore_options[] = {
        {"from", "FOLDER", "the archive, or a folder that yiwang backup --to filled", "归档目录，或 yiwang backup --to 的目录"},
        {"to", "DATA", "data folder to make; a database that is there already is not touched",
         "要建立的数据目录，已有数据库不会被覆盖"},
        {"at", "INSTANT", "as of the last commit not after it; all there is when unsaid",
         "恢复到该时刻（含）之前的最后一次提交；默认恢复全部"},
        {"allow-partial", NULL, "a damaged or missing segment: restores up to it", "归档段损坏或缺失时，恢复到该处为止"},
        {0},
};
const struct command restore_command = {
        .name = "restore",
        .words = "",
        .options = restore_options,
        .run = restore,
        .about = "Makes a data folder with the database as it was at an instant; verifies checksums and history.",
        .about_zh = "将数据库恢复到某一时刻，并校验归档与流转记录。",
};
