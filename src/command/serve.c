/* command/serve.c -- yiwang serve, yiwang version. */
#include "server/serve.h"
#include "command/command.h"
#include "base/arena.h"
#include <stdio.h>
#include <unistd.h>

static bool run(struct command_line *line, struct err *e)
{
        const struct settings *s = &line->settings;
        if (access(arena_format(line->arena, "%s/seal.key", s->data), F_OK) != 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no district in %s; make one: yiwang init --pack DIR --data %s",
                                "%s 中没有城区数据，请先运行：yiwang init --pack 场景包目录 --data %s", s->data, s->data);
        if (!option_value(line, "check"))
                return serve(s, &(struct settings_source){settings_again, line}, line->capabilities, e);
        if (!serve_check(s, line->capabilities, e))
                return false;
        printf("%s\n", say(line, "all is well", "检查通过"));
        return true;
}

static const struct option options[] = {
        {"check", NULL, "checks settings, store, pack and calendar, and ends (-n)", "检查设置、数据库、场景包和日历后退出（-n）"},
        {0},
};
const struct command serve_command = {
        .name = "serve",
        .words = "",
        .options = options,
        .serves = true,
        .run = run,
        .about = "Serves the district; SIGTERM ends it, SIGHUP reads a newly loaded pack, settings and certificate.",
        .about_zh = "启动服务；SIGTERM 停止，SIGHUP 启用新加载的场景包、设置和证书。",
};

static bool version(struct command_line *line, struct err *e)
{
        (void)line, (void)e;
        printf("yiwang %s\n", YIWANG_VERSION);
        return true;
}
const struct command version_command = {
        .name = "version",
        .words = "",
        .run = version,
        .about = "Says the version.",
        .about_zh = "显示版本。",
};
