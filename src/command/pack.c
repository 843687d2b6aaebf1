/* command/pack.c -- yiwang pack check | load | export | publish. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/buf.h"
#include "command/command.h"
#include "dispute/dispute.h"
#include "pack/pack.h"
#include "server/examples.h"
#include "store/store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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

/* --- publish: approved changes of the responsibility list become a new version ------------------------------------------ */

struct approved {
        struct arena *arena;
        int64_t version;
        struct list_change *changes;
        size_t n;
};

static bool read_approved(struct tx *tx, void *ctx, struct err *e)
{
        struct approved *a = ctx;
        return pack_active(tx, &a->version, e) && list_changes_approved(tx, a->arena, &a->changes, &a->n, e);
}

static bool read_file(struct buf *out, const char *file, struct err *e)
{
        char piece[1 << 14];
        FILE *f = fopen(file, "rbe");
        if (!f)
                return err_set(e, ERR_INVALID, "%s cannot be read: %s", file, strerror(errno));
        for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
                buf_add(out, piece, n);
        const bool ok = !ferror(f) && !out->overflow;
        (void)fclose(f);
        return ok || err_set(e, ERR_INVALID, "%s cannot be read, or is longer than %zu bytes", file, out->limit);
}

/* The old file or the new one, never a part. */
static bool replace_file(struct arena *a, const char *file, const struct buf *text, struct err *e)
{
        const char *fresh = arena_format(a, "%s.new", file);
        FILE *f = fopen(fresh, "wbe");
        bool ok = f && fwrite(text->at, 1, text->length, f) == text->length && fflush(f) == 0 && fsync(fileno(f)) == 0;
        ok = (!f || fclose(f) == 0) && ok && rename(fresh, file) == 0;
        const int why = errno;
        if (!ok)
                (void)unlink(fresh);
        return ok || err_set(e, ERR_INVALID, "%s cannot be written: %s", file, strerror(why));
}

static bool amend(const struct approved *approved, const char *file, struct err *e)
{
        enum { ROUTES_BYTES_MOST = 64 << 20 };
        struct buf before = BUF_LIMIT(ROUTES_BYTES_MOST), after = BUF_LIMIT(ROUTES_BYTES_MOST);
        const bool ok = read_file(&before, file, e)
                        && list_amend(before.at ? before.at : "", before.length, approved->changes, approved->n, &after, e)
                        && replace_file(approved->arena, file, &after, e);
        buf_free(&before);
        buf_free(&after);
        return ok;
}

static bool publish_into(struct command_line *line, struct store *store, const char *dir, struct err *e)
{
        struct approved approved = {.arena = line->arena};
        int64_t version;
        if (!store_read(store, read_approved, &approved, e))
                return false;
        if (approved.n == 0) {
                printf("%s", say(line, "no approved change of the list waits\n", "没有待发布的清单变更\n"));
                return true;
        }
        const char *routes = arena_format(line->arena, "%s/routes.csv", dir);
        if (access(routes, F_OK) != 0 && !pack_export(store, approved.version, dir, e))
                return false;
        if (!amend(&approved, routes, e) || !load_pack(line, store, dir, false, &version, e))
                return false;
        printf(say(line,
                   "%zu changes of the list are in force as version %lld; tell a running server: systemctl reload yiwang,"
                   " or kill -HUP\n",
                   "%zu 项清单变更已生效，版本 %lld；如服务正在运行，请执行 systemctl reload yiwang 或 kill -HUP\n"),
               approved.n, (long long)version);
        return true;
}

static bool publish(struct command_line *line, struct err *e)
{
        struct opened o;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = publish_into(line, o.store, line->words[0], e);
        command_close(&o);
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
const struct command pack_publish_command = {
        .name = "pack publish",
        .words = "DIR",
        .least = 1,
        .most = 1,
        .run = publish,
        .about = "Writes the approved changes of the responsibility list into DIR/routes.csv and puts the pack into force; a new"
                 " folder gets the pack in force first.",
        .about_zh = "将已批准的责任清单变更写入 DIR/routes.csv 并使场景包生效；新目录先导出现行场景包。",
};
