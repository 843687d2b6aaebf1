/* command/reconcile.c -- yiwang exchange reconcile: what another platform and we have of the cases both have. */
#include "base/text.h"
#include "command/command.h"
#include "exchange/exchange.h"
#include <stdio.h>

struct reconciling {
        struct command_line *line;
        struct progress progress;
};

static const char *or_dash(const char *text)
{
        return text_empty(text) ? "-" : text;
}

static void print_difference(void *ctx, const struct difference *d)
{
        const struct reconciling *r = ctx;
        const char *kinds[] = {
                [MISSING_THERE] = say(r->line, "missing there", "对方缺少"),
                [MISSING_HERE] = say(r->line, "missing here", "本地缺少"),
                [DIFFERENT] = say(r->line, "different", "不一致"),
        };
        printf("%s\t%s\t%s\t%s\t%s", kinds[d->kind], or_dash(d->number), or_dash(d->peer_number), or_dash(d->ours),
               or_dash(d->theirs));
        if (d->error)
                printf("\t%s", say(r->line, d->error->text, text_empty(d->error->zh) ? d->error->text : d->error->zh));
        printf("\n");
}

static void show_progress(void *ctx, int64_t compared)
{
        struct reconciling *r = ctx;
        progress_show(&r->progress, compared);
}

static bool reconcile(struct command_line *line, struct err *e)
{
        struct opened o;
        struct reconciling r = {line, progress_start(say(line, "cases", "案件"), 0)};
        struct reconcile_result result;
        const struct reconcile how = {.peer = line->words[0],
                                      .fix = option_value(line, "fix") != NULL,
                                      .found = print_difference,
                                      .progress = show_progress,
                                      .ctx = &r};
        if (!command_open(line, true, &o, e))
                return false;
        o.district.exchange = &line->settings.exchange;
        const bool ok = exchange_reconcile(&o.district, &how, &result, e);
        command_close(&o);
        if (!ok)
                return false;
        progress_end(&r.progress, result.compared);
        printf(say(line, "compared: %lld, mended: %lld, differences: %lld\n", "已核对：%lld，已修复：%lld，差异：%lld\n"),
               (long long)result.compared, (long long)result.mended, (long long)result.differences);
        return result.differences == 0
               || err_both(e, ERR_CONFLICT, NULL, "%lld differences are left%s", "尚有%lld处差异%s", (long long)result.differences,
                           how.fix ? "" : "; --fix");
}

static const struct option options[] = {
        {"fix", NULL, "say again and fetch what is missing, as far as the rules of the pack allow",
         "按场景包规则补发、补取缺少的内容"},
        {0},
};
const struct command exchange_reconcile_command = {
        .name = "exchange reconcile",
        .words = "PEER",
        .least = 1,
        .most = 1,
        .options = options,
        .run = reconcile,
        .about = "Compares the cases exchanged with another platform; exit status 1 when they differ.",
        .about_zh = "核对与其他平台交换的案件；有差异时退出状态为 1。",
};
