/* command/import.c -- yiwang import reports FILE --map MAP: rows of a foreign table become reports. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "bulk/bulk.h"
#include "command/command.h"
#include "pack/pack.h"
#include "store/store.h"
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
        show_line(line, "read", "读取", r->read);
        show_line(line, "stored", "新登记", r->stored);
        show_line(line, "there already", "此前已登记", r->again);
        show_line(line, "rejected", "拒收", r->rejected);
        if (r->rejected > 0)
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

static void show(void *ctx, int64_t done, int64_t total)
{
        struct progress *p = ctx;
        p->total = total;
        progress_show(p, done);
}

static bool import(struct command_line *line, struct opened *o, struct err *e)
{
        struct import_map map;
        struct import_result r;
        struct progress p = progress_start(say(line, "import", "导入"), 0);
        struct import_options options = {
                .file = line->words[1],
                .rejects = rejects_path(line, line->words[1]),
                .chinese = command_in_chinese(line),
                .progress = {show, &p},
        };
        if (!read_map(line, o->store, &map, e) || !read_limit(line, &options.limit, e))
                return false;
        bool ok = import_reports(&o->district, line->arena, &map, &options, &r, e);
        progress_end(&p, r.read);
        if (r.read > 0)
                show_counts(line, &r, options.rejects);
        if (r.compared > 0)
                show_comparison(line, &r);
        return ok;
}

static bool run(struct command_line *line, struct err *e)
{
        struct opened o;
        if (!text_is(line->words[0], "reports"))
                return err_both(e, ERR_INVALID, NULL, "only reports can be imported: yiwang import reports FILE --map MAP",
                                "只能导入来件：yiwang import reports FILE --map MAP");
        if (!command_open(line, true, &o, e))
                return false;
        bool ok = import(line, &o, e);
        command_close(&o);
        return ok;
}

static const struct option options[] = {
        {"map", "MAP", "how the file is to be read: a YAML file, or the name of a map of the pack",
         "文件的读法：YAML 文件，或场景包中映射的名称"},
        {"rejects", "FILE", "where rejected rows go (DATA/FILE.rejects.csv)", "拒收行的去处（默认 DATA/FILE.rejects.csv）"},
        {"limit", "N", "reads only the first N rows", "只读前N行"},
        {0},
};
const struct command import_command = {
        .name = "import",
        .words = "reports FILE",
        .least = 2,
        .most = 2,
        .about = "Makes reports of the rows of a CSV, TSV or JSONL file; what is there already stays as it is.",
        .about_zh = "将 CSV、TSV 或 JSONL 文件的各行登记为来件；已有的不重复登记。",
        .options = options,
        .run = run,
};
