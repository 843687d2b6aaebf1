/* command/pack.c -- yiwang pack check | load | export. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "pack/pack.h"
#include "server/examples.h"
#include "store/store.h"
#include <stdio.h>

static void show_faults(const struct command_line *line, const struct fault_list *faults)
{
        for (size_t i = 0; i < fault_count(faults); i++) {
                const struct fault *f = fault_at(faults, i);
                fprintf(stderr, "%s: %s\n", f->place, say(line, f->en, text_empty(f->zh) ? f->en : f->zh));
        }
}

bool load_pack(struct command_line *line, struct store *store, const char *dir, bool only_check, int64_t *version, struct err *e)
{
        struct fault_list *faults = fault_list_new(line->arena);
        struct rulebook_readers readers = line->capabilities->readers;
        const struct pack_loading loading = {
                .parts = line->capabilities->parts, .examples = examples_run, .ctx = &readers, .only_check = only_check};
        const bool ok = pack_load(store, &loading, dir, clock_now(), faults, version, e);
        show_faults(line, faults);
        return ok;
}

/* A store in memory, so that a pack can be checked anywhere. */
static bool check(struct command_line *line, struct err *e)
{
        struct store *store;
        int64_t version;
        if (!store_open(&store, &(struct store_options){.dsn = "sqlite::memory:", .migrations = all_migrations}, e))
                return false;
        const bool ok = load_pack(line, store, line->words[0], true, &version, e);
        store_close(&store);
        if (ok)
                printf(say(line, "%s: no faults\n", "%s：没有错误\n"), line->words[0]);
        return ok;
}

static bool load(struct command_line *line, struct err *e)
{
        struct opened o;
        int64_t version;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = load_pack(line, o.store, line->words[0], false, &version, e);
        command_close(&o);
        if (ok)
                printf(say(line, "%s is in force as version %lld; tell a running server: systemctl reload yiwang, or kill -HUP\n",
                           "%s 已生效，版本 %lld；如服务正在运行，请执行 systemctl reload yiwang 或 kill -HUP\n"),
                       line->words[0], (long long)version);
        return ok;
}

static bool active(struct tx *tx, void *ctx, struct err *e)
{
        return pack_active(tx, ctx, e);
}

static bool export(struct command_line *line, struct err *e)
{
        struct opened o;
        int64_t version;
        if (!command_open(line, true, &o, e))
                return false;
        bool ok = store_read(o.store, active, &version, e);
        if (ok && version == 0)
                ok = err_both(e, ERR_NOT_FOUND, NULL, "no pack is loaded", "尚未加载场景包");
        ok = ok && pack_export(o.store, version, line->words[0], e);
        command_close(&o);
        if (ok)
                printf(say(line, "version %lld written to %s\n", "版本 %lld 已导出到 %s\n"), (long long)version, line->words[0]);
        return ok;
}

const struct command pack_check_command = {
        .name = "pack check",
        .words = "DIR",
        .least = 1,
        .most = 1,
        .run = check,
        .about = "Says every fault of a pack with its file and line; changes nothing.",
        .about_zh = "逐条列出场景包的错误（含文件与行号），不作任何更改。",
};
const struct command pack_load_command = {
        .name = "pack load",
        .words = "DIR",
        .least = 1,
        .most = 1,
        .run = load,
        .about = "Puts a pack into force, whole or not at all; open cases keep the version they were filed under.",
        .about_zh = "使场景包生效（要么全部，要么不变）；在办案件仍按立案时的版本。",
};
const struct command pack_export_command = {
        .name = "pack export",
        .words = "DIR",
        .least = 1,
        .most = 1,
        .run = export,
        .about = "Writes the pack in force into an empty folder, byte for byte.",
        .about_zh = "将现行场景包原样导出到空目录。",
};
