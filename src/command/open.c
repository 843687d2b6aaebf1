/* command/open.c -- the store and the district of a command, and the line that says how far long work is. */
#include "archive/archive.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "store/store.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_key(struct command_line *line, const char **key)
{
        *key = arena_format(line->arena, "%s/seal.key", line->settings.data);
        return access(*key, F_OK) == 0;
}

bool command_open(struct command_line *line, bool must_exist, struct opened *o, struct err *e)
{
        const struct settings *s = &line->settings;
        const char *key;
        *o = (struct opened){0};
        if (!has_key(line, &key) && must_exist)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no district in %s; make one: yiwang init --pack DIR --data %s",
                                "%s 中没有城区数据，请先运行：yiwang init --pack 场景包目录 --data %s", s->data, s->data);
        if (mkdir(s->data, 0700) != 0 && errno != EEXIST)
                return err_both(e, ERR_INVALID, NULL, "cannot make the folder %s: %s", "无法创建目录 %s：%s", s->data,
                                strerror(errno));
        const struct archive_options archive = {.folder = s->archive, .days = s->archive_days};
        const struct store_options options = {.dsn = settings_dsn(line->arena, s),
                                              .migrations = all_migrations,
                                              .readers = s->store_readers,
                                              .writers = s->store_writers,
                                              .archive = s->archive ? &archive : NULL};
        if (!store_open(&o->store, &options, e))
                return false;
        const struct district_options district = {
                .store = o->store, .key_file = key, .cipher = s->cipher, .readers = line->capabilities->readers};
        o->has_district = district_open(&o->district, &district, e);
        if (!o->has_district)
                command_close(o);
        return o->store != NULL;
}

void command_close(struct opened *o)
{
        if (o->has_district)
                district_close(&o->district);
        if (o->store)
                store_close(&o->store);
        *o = (struct opened){0};
}

/* --- progress ---------------------------------------------------------------------------------------------------------------- */
struct progress progress_start(const char *what, int64_t total)
{
        return (struct progress){.what = what, .total = total, .started = clock_steady(), .terminal = isatty(STDERR_FILENO) == 1};
}

enum { BAR_CELLS = 30 };

static void show_bar(double share)
{
        const int full = (int)(share * BAR_CELLS);
        (void)fputs(" [", stderr);
        for (int i = 0; i < BAR_CELLS; i++)
                (void)fputc(i < full ? '#' : '.', stderr);
        (void)fputc(']', stderr);
}

static void show_left(double seconds)
{
        const long all = (long)(seconds + 0.5);
        if (all >= 3600)
                fprintf(stderr, ", %ld:%02ld:%02ld", all / 3600, all / 60 % 60, all % 60);
        else
                fprintf(stderr, ", %ld:%02ld", all / 60, all % 60);
}

static void show(const struct progress *p, int64_t done, bool last)
{
        const double seconds = (double)(clock_steady() - p->started) / 1e6;
        const double rate = seconds > 0 ? (double)(done - p->from) / seconds : 0;
        const int64_t total = p->total;
        const double share = total > 0 ? (double)done / (double)total : 0;
        fprintf(stderr, "%s%s:", p->terminal ? "\r\033[K" : "", p->what);
        if (p->terminal && total > 0)
                show_bar(share);
        if (total > 0)
                fprintf(stderr, " %.0f %%, %lld / %lld", 100.0 * share, (long long)done, (long long)total);
        else
                fprintf(stderr, " %lld", (long long)done);
        fprintf(stderr, ", %.0f/s", rate);
        if (!last && total > done && rate > 0)
                show_left((double)(total - done) / rate);
        fprintf(stderr, "%s", p->terminal && !last ? "" : "\n");
        (void)fflush(stderr);
}

void progress_show(struct progress *p, int64_t done)
{
        const int64_t now = clock_steady();
        if (p->quiet || now - p->shown < (p->terminal ? USEC_SECOND / 5 : 10 * USEC_SECOND) || now - p->started < USEC_SECOND)
                return;
        p->shown = now;
        show(p, done, false);
}

void progress_end(struct progress *p, int64_t done)
{
        if (p->shown > 0)
                show(p, done, true);
}
