/* command/rebuild.c -- what is derived is made anew: yiwang cases recompute (clocks), yiwang rebuild (the search index). */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/cases.h"
#include "command/command.h"
#include "replay/replay.h"
#include "search/search.h"
#include "store/store.h"
#include <stdio.h>

struct count {
        int64_t looked, changed, refused;
};

static void show_instant(struct command_line *line, const char *state, int64_t due)
{
        char text[TIME_TEXT_SIZE];
        if (*state == 0)
                printf("%s", say(line, "none", "无"));
        else if (text_is(state, "paused"))
                printf(say(line, "paused, %lld min left", "暂停，剩余%lld分钟"), (long long)(due / USEC_MINUTE));
        else
                printf("%s %s", time_text(text, due, ZONE_SHANGHAI), state);
}

static void show(struct command_line *line, const struct case_replay *r)
{
        for (size_t i = 0; i < r->n_changes; i++) {
                const struct clock_change *c = &r->changes[i];
                printf("%s  %s/%lld  ", r->number, c->clock, (long long)c->round);
                show_instant(line, c->old_state, c->old_due);
                printf(" -> ");
                show_instant(line, c->new_state, c->new_due);
                printf("\n");
        }
}

/* One case; with --show it is only looked at. */
static bool one(struct command_line *line, struct district *d, struct arena *a, const struct case_replay *r, struct count *n,
                struct err *e)
{
        static const struct mover program = {.name = "system"};
        n->looked++;
        if (r->n_changes == 0)
                return true;
        show(line, r);
        if (option_value(line, "show")) {
                n->changed++;
                return true;
        }
        if (cases_move(d, a, r->number, "recompute", &program, NULL, clock_now(), e)) {
                n->changed++;
                return true;
        }
        if (e->kind != ERR_CONFLICT && e->kind != ERR_INVALID && e->kind != ERR_FAULT)
                return false;
        n->refused++; /* it has ended, or its workflow has no such move: told, and the next one */
        fprintf(stderr, "%s: %s\n", r->number, say(line, e->text, *e->zh ? e->zh : e->text));
        return true;
}

static bool each(struct command_line *line, struct district *d, struct count *n, struct err *e)
{
        const bool ended = option_value(line, "all") != NULL;
        struct progress p = progress_start(say(line, "cases", "案件"), 0);
        bool found = true, ok = true;
        int64_t after = 0;
        while (ok && found) {
                struct arena *a = arena_new();
                struct case_replay r = {0};
                ok = replay_next(d, a, after, ended, &found, &r, e) && (!found || one(line, d, a, &r, n, e));
                after = r.id;
                arena_free(&a);
                progress_show(&p, n->looked);
        }
        progress_end(&p, n->looked);
        return ok;
}

static bool recompute(struct command_line *line, struct err *e)
{
        struct opened o;
        struct count n = {0};
        struct case_replay r;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = line->n_words ? replay_case(&o.district, line->arena, line->words[0], &r, e)
                                                && one(line, &o.district, line->arena, &r, &n, e)
                                      : each(line, &o.district, &n, e);
        command_close(&o);
        if (!ok)
                return false;
        printf(say(line, "looked at: %lld\nchanged: %lld\nrefused: %lld\n", "已检查：%lld\n变更：%lld\n未能变更：%lld\n"),
               (long long)n.looked, (long long)n.changed, (long long)n.refused);
        return n.refused == 0
               || err_both(e, ERR_CONFLICT, NULL, "%lld cases stay as they were, see above", "%lld个案件未变更，见上",
                           (long long)n.refused);
}

static const struct option options[] = {
        {"show", NULL, "shows old and new, changes nothing", "只显示新旧时限，不改动"},
        {"all", NULL, "closed cases too (archived ones stay as they are)", "包括已结案的案件（已归档的不变）"},
        {0},
};
const struct command cases_recompute_command = {
        .name = "cases recompute",
        .words = "[NUMBER]",
        .least = 0,
        .most = 1,
        .run = recompute,
        .options = options,
        .about = "Makes the clocks of cases anew from their history, after the calendar was changed; shows old and new.",
        .about_zh = "日历变更后按流转记录重算案件时限，并显示新旧时限。",
};

/* --- the search index ------------------------------------------------------------------------------------------------ */

static const char SQL_CASES[] = "SELECT COUNT(*) FROM cases";

static bool count_cases(struct tx *tx, void *ctx, struct err *e)
{
        return tx_int(tx, ctx, 0, e, SQL_CASES, NO_ARGS);
}

static void show_rebuilt(void *ctx, int64_t done)
{
        progress_show(ctx, done);
}

static bool rebuild(struct command_line *line, struct err *e)
{
        struct opened o;
        struct rebuild_result result = {0};
        int64_t total = 0;
        if (!command_open(line, true, &o, e))
                return false;
        bool ok = store_read(o.store, count_cases, &total, e);
        struct progress p = progress_start(say(line, "cases", "案件"), total);
        const struct rebuild_options how = {.empty = option_value(line, "empty") != NULL, .progress = show_rebuilt, .ctx = &p};
        ok = ok && search_rebuild(&o.district, &how, &result, e);
        command_close(&o);
        if (!ok)
                return false;
        progress_end(&p, result.cases);
        if (result.resumed)
                printf("%s\n", say(line, "went on where an earlier run broke off", "已从上次中断处继续"));
        printf(say(line, "search index: %lld cases\n", "搜索索引：%lld个案件\n"), (long long)result.cases);
        return true;
}

static const struct option index_options[] = {
        {"empty", NULL, "throws the index away first: for one that is damaged", "先清空索引（用于索引损坏时）"},
        {0},
};
const struct command rebuild_command = {
        .name = "rebuild",
        .words = "",
        .options = index_options,
        .run = rebuild,
        .about = "Makes the search index anew from the cases; also while the server runs.  A run that broke off goes on.",
        .about_zh = "根据案件重建搜索索引；服务运行时也可执行，中断后可继续。",
};
