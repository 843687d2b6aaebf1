/* command/import.c -- yiwang import reports FILE --map MAP: rows of a foreign table become reports. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "bulk/bulk.h"
#include "command/command.h"
#include "pack/pack.h"
#include "store/store.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

struct pack_map {
        struct command_line *line;
        const char *path;
        char *bytes;
        size_t n;
};

static bool read_pack_map(struct tx *tx, void *ctx, struct err *e)
{
        struct pack_map *m = ctx;
        int64_t version;
        return pack_active(tx, &version, e) && pack_file(tx, m->line->arena, version, m->path, &m->bytes, &m->n, e);
}

/* --map is a file, or the name of a map of the loaded pack ("events" for maps/events.yaml). */
static bool read_map(struct command_line *line, struct store *store, struct import_map *map, struct err *e)
{
        const char *name = option_value(line, "map");
        if (text_empty(name))
                return err_both(e, ERR_INVALID, "map", "say with --map how the file is to be read; the pack's maps/ has examples",
                                "请用 --map 指明文件的读法，场景包的 maps/ 中有示例");
        if (access(name, F_OK) != 0 && !strchr(name, '/')) {
                struct pack_map m = {.line = line, .path = arena_format(line->arena, "maps/%s.yaml", name)};
                if (!store_read(store, read_pack_map, &m, e))
                        return false;
                if (m.bytes)
                        return import_map_parse(line->arena, m.path, m.bytes, m.n, map, e);
        }
        return import_map_read(line->arena, name, map, e);
}

static bool read_limit(const struct command_line *line, int64_t *limit, struct err *e)
{
        const char *text = option_value(line, "limit");
        *limit = 0;
        return !text || (text_to_int(text, limit) && *limit > 0)
               || err_both(e, ERR_INVALID, "limit", "--limit needs a whole number above 0", "--limit 应为大于0的整数");
}

/* Beside the district's files: the folder of the foreign file may be shared or read-only. */
static const char *rejects_path(const struct command_line *line, const char *file)
{
        const char *given = option_value(line, "rejects"), *slash = strrchr(file, '/');
        if (!text_empty(given))
                return given;
        return arena_format(line->arena, "%s/%s.rejects.csv", line->settings.data, slash ? slash + 1 : file);
}

/* --- what came of it ---------------------------------------------------------------------------------------------------- */

static double percent(int64_t part, int64_t whole)
{
        return whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;
}

static void show_line(const struct command_line *line, const char *en, const char *zh, int64_t n)
{
        printf("%s: %lld\n", say(line, en, zh), (long long)n);
}

static void show_counts(const struct command_line *line, const struct import_result *r, const char *rejects)
{
        const double seconds = (double)r->elapsed / (double)USEC_SECOND;
        printf("%s: %lld (%s)\n", say(line, "read", "读取"), (long long)r->read, r->encoding);
        show_line(line, "stored", "新登记", r->stored);
        show_line(line, "there already", "此前已登记", r->again);
        show_line(line, "rejected", "拒收", r->rejected);
        if (r->rejected + r->before_rejected > 0)
                printf("  %s %s\n", say(line, "see", "详见"), rejects);
        if (r->waiting > 0)
                show_line(line, "kept, waiting to be filed", "已保存，待立案", r->waiting);
        show_line(line, "without item", "无事项", r->no_item);
        show_line(line, "  of these with an item that the pack does not know", "  其中事项不在场景包内", r->unknown_item);
        show_line(line, "without area", "无区域", r->no_area);
        show_line(line, "with an area that the pack does not know", "区域不在场景包内", r->unknown_area);
        show_line(line, "with a property that the pack does not know", "性质不在场景包内", r->unknown_property);
        printf(say(line, "elapsed: %.1f s, %.0f rows/s\n", "用时：%.1f秒，每秒%.0f行\n"), seconds,
               seconds > 0 ? (double)r->read / seconds : 0.0);
}

static void show_comparison(const struct command_line *line, const struct import_result *r)
{
        const int64_t taken = r->stored + r->again;
        printf(say(line, "the same unit as in the file: %lld of %lld rows (%.2f %%)\n",
                   "与文件所列单位一致：%lld / %lld 行（%.2f%%）\n"),
               (long long)r->same, (long long)taken, percent(r->same, taken));
        printf(say(line, "  of the rows whose unit the pack knows: %lld of %lld (%.2f %%)\n",
                   "  单位在场景包内的行：%lld / %lld（%.2f%%）\n"),
               (long long)r->same, (long long)r->known, percent(r->same, r->known));
        if (r->n_confusions > 0)
                printf("%s\n", say(line, "commonest differences (file -> here):", "最常见的差异（文件 -> 本系统）："));
        for (size_t i = 0; i < r->n_confusions; i++) {
                const struct confusion *c = &r->confusions[i];
                printf("  %6lld  %s -> %s%s\n", (long long)c->count, c->actual, c->ours,
                       c->known ? "" : say(line, "  (not in the pack)", "（不在场景包内）"));
        }
}

/* --- while it runs -------------------------------------------------------------------------------------------------------- */

struct running {
        struct command_line *line;
        struct progress progress;
        bool begun, stopping;
        sigset_t signals;
};

/* What the caller had ignored (nohup) stays ignored. */
static void hold_signals(struct running *r)
{
        static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
        (void)sigemptyset(&r->signals);
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {
                struct sigaction now;
                if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
                        (void)sigaddset(&r->signals, numbers[i]);
        }
        (void)pthread_sigmask(SIG_BLOCK, &r->signals, NULL); /* threads started from here on leave them to us */
}

/* The first asks for the end behind the present batch; the next one ends the program at once, which is safe too. */
static bool stop_wanted(void *ctx)
{
        struct running *r = ctx;
        const struct timespec now = {0};
        if (!r->stopping && sigtimedwait(&r->signals, NULL, &now) > 0) {
                r->stopping = true;
                fprintf(stderr, "%s%s\n", r->progress.terminal && r->progress.shown ? "\r\033[K" : "",
                        say(r->line, "stopping behind this batch; once more ends at once", "本批完成后停止；再按一次立即结束"));
                (void)pthread_sigmask(SIG_UNBLOCK, &r->signals, NULL);
        }
        return r->stopping;
}

static void show(void *ctx, int64_t done, int64_t total)
{
        struct running *r = ctx;
        if (!r->begun)
                r->progress.from = done;
        r->begun = true;
        r->progress.total = total;
        progress_show(&r->progress, done);
        (void)stop_wanted(ctx);
}

static void show_beginning(const struct command_line *line, const struct import_result *r)
{
        if (r->restarted)
                printf("%s\n", say(line, "the earlier run's rejects are not as it left them: began with the first row again",
                                   "上次导入的拒收文件已变动，从首行重新开始"));
        if (r->before > 0)
                printf(say(line, "went on at line %lld, behind %lld rows of an earlier run (%lld rejected)\n",
                           "从第%lld行继续；此前已处理%lld行（拒收%lld行）\n"),
                       (long long)r->from_line, (long long)r->before, (long long)r->before_rejected);
}

/* The speed is this run's; the rows are all. */
static bool report_on(struct running *u, const struct import_result *r, const char *rejects, bool ok, struct err *e)
{
        const int64_t done = r->before + r->read;
        if (ok && !r->stopped)
                u->progress.total = done;
        progress_end(&u->progress, done);
        show_beginning(u->line, r);
        if (r->read > 0)
                show_counts(u->line, r, rejects);
        if (r->compared > 0)
                show_comparison(u->line, r);
        if (!r->stopped)
                return ok;
        return err_both(e, ERR_BUSY, NULL, "stopped behind row %lld; the same command goes on there",
                        "已在第%lld行之后停止；再次运行同一命令即可继续", (long long)done);
}

static bool read_encoding(const struct command_line *line, enum encoding *encoding, struct err *e)
{
        const char *name = option_value(line, "encoding");
        *encoding = text_empty(name) ? ENCODING_NONE : encoding_named(name);
        return text_empty(name) || *encoding != ENCODING_NONE
               || err_both(e, ERR_INVALID, "encoding", "--encoding is utf-8, utf-16le, utf-16be or gb18030",
                           "--encoding 应为 utf-8、utf-16le、utf-16be 或 gb18030");
}

static bool import(struct running *u, struct opened *o, struct err *e)
{
        struct command_line *line = u->line;
        struct import_map map;
        struct import_result r;
        struct import_options options = {
                .file = line->words[1],
                .rejects = rejects_path(line, line->words[1]),
                .chinese = command_in_chinese(line),
                .progress = {show, u},
                .stop = stop_wanted,
        };
        if (!read_map(line, o->store, &map, e) || !read_limit(line, &options.limit, e)
            || !read_encoding(line, &options.encoding, e))
                return false;
        const bool ok = import_reports(&o->district, line->arena, &map, &options, &r, e);
        return report_on(u, &r, options.rejects, ok, e);
}

static bool run(struct command_line *line, struct err *e)
{
        struct opened o;
        if (!text_is(line->words[0], "reports"))
                return err_both(e, ERR_INVALID, NULL, "only reports can be imported: yiwang import reports FILE --map MAP",
                                "只能导入来件：yiwang import reports FILE --map MAP");
        struct running u = {.line = line, .progress = progress_start(say(line, "import", "导入"), 0)};
        u.progress.quiet = option_value(line, "quiet") != NULL;
        hold_signals(&u);
        if (!command_open(line, true, &o, e))
                return false;
        bool ok = import(&u, &o, e);
        command_close(&o);
        return ok;
}

static const struct option options[] = {
        {"map", "MAP", "how the file is to be read: a YAML file, or the name of a map of the pack",
         "文件的读法：YAML 文件，或场景包中映射的名称"},
        {"rejects", "FILE", "where rejected rows go (DATA/FILE.rejects.csv)", "拒收行的去处（默认 DATA/FILE.rejects.csv）"},
        {"encoding", "NAME", "utf-8, utf-16le, utf-16be or gb18030; unsaid: found by the file's bytes",
         "utf-8、utf-16le、utf-16be 或 gb18030；未指明时按文件内容识别"},
        {"limit", "N", "reads only the first N rows, always from the first", "只读前N行，总是从首行开始"},
        {"quiet", NULL, "shows no progress", "不显示进度"},
        {0},
};
const struct command import_command = {
        .name = "import",
        .words = "reports FILE",
        .least = 2,
        .most = 2,
        .about = "Makes reports of the rows of a CSV, TSV or JSONL file; what is there already stays.  Goes on where it broke off.",
        .about_zh = "将 CSV、TSV 或 JSONL 文件的各行登记为来件；已有的不重复登记；中断后再次运行即可继续。",
        .options = options,
        .run = run,
};
