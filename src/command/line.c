/* command/line.c -- the command line taken apart, help, and running the command. */
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "command/command.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPTIONS_MOST = 64 };

struct given {
        const char *name, *value;
};
struct inside {
        struct given options[OPTIONS_MOST];
        size_t n;
        bool help;
};

/* For every command. */
static const struct option common[] = {
        {"config", "FILE", "file of settings; DATA/yiwang.yaml when unsaid", "设置文件，默认为 DATA/yiwang.yaml"},
        {"help", NULL, "says what the command does", "显示用法"},
        {0},
};

/* --- questions ------------------------------------------------------------------------------------------------------------ */
const char *option_value(const struct command_line *line, const char *name)
{
        const struct inside *in = line->inside;
        for (size_t i = in->n; i-- > 0;) /* the last one wins */
                if (text_is(in->options[i].name, name))
                        return in->options[i].value;
        return NULL;
}

static const char *flag_of(void *ctx, const char *name)
{
        return option_value(ctx, name);
}

bool command_in_chinese(const struct command_line *line)
{
        return text_is(line->settings.language, "zh");
}

const char *say(const struct command_line *line, const char *en, const char *zh)
{
        return command_in_chinese(line) ? zh : en;
}

bool settings_again(void *ctx, struct arena *a, struct settings *out, struct err *e)
{
        return settings_read(a, option_value(ctx, "config"), flag_of, ctx, out, e);
}

/* --- finding the command ------------------------------------------------------------------------------------------------------ */
/* How many of the words name the command: 0 = not this one. */
static int name_words(const struct command *c, const char *const *words, int n)
{
        const char *space = strchr(c->name, ' ');
        if (!space)
                return n >= 1 && text_is(words[0], c->name);
        const size_t first = (size_t)(space - c->name);
        return n >= 2 && strlen(words[0]) == first && strncmp(words[0], c->name, first) == 0 && text_is(words[1], space + 1) ? 2
                                                                                                                             : 0;
}

static const struct command *find(const struct command *const *all, const char *const *words, int n, int *used)
{
        for (; *all; all++)
                if ((*used = name_words(*all, words, n)) > 0)
                        return *all;
        return NULL;
}

/* --- reading argv ------------------------------------------------------------------------------------------------------------- */
static const struct option *option_find(const struct option *list, const char *name)
{
        for (; list && list->name; list++)
                if (text_is(list->name, name))
                        return list;
        return NULL;
}

static const struct option *option_of(const struct command_line *line, const char *name)
{
        const struct option *own = option_find(line->command ? line->command->options : NULL, name);
        return own ? own : option_find(common, name);
}

static bool is_setting(struct arena *a, const char *name)
{
        char *underlined = arena_text(a, name);
        for (char *c = underlined; *c; c++)
                if (*c == '-')
                        *c = '_';
        for (size_t i = 0; setting_at(i); i++)
                if (text_is(setting_at(i)->name, underlined))
                        return true;
        return false;
}

static const char *long_name(const char *argument)
{
        if (text_is(argument, "-n"))
                return "check";
        if (text_is(argument, "-h"))
                return "help";
        return text_starts(argument, "--") ? argument + 2 : NULL;
}

static bool take_option(struct command_line *line, char **argv, int argc, int *i, struct err *e)
{
        struct inside *in = line->inside;
        const char *text = long_name(argv[*i]), *equals = text ? strchr(text, '=') : NULL;
        const char *name = !text ? argv[*i] : equals ? arena_copy(line->arena, text, (size_t)(equals - text)) : text;
        const struct option *o = option_of(line, name);
        if (!text || in->n == OPTIONS_MOST || (!o && !is_setting(line->arena, name)))
                return err_both(e, ERR_INVALID, NULL, "there is no option %.60s; see yiwang %s --help",
                                "没有选项 %.60s，请见 yiwang %s --help", argv[*i], line->command ? line->command->name : "");
        const char *value = equals ? equals + 1 : "";
        if (!equals && (!o || o->value)) {
                if (++*i == argc)
                        return err_both(e, ERR_INVALID, NULL, "--%.60s needs a value", "选项 --%.60s 需要取值", name);
                value = argv[*i];
        }
        in->options[in->n++] = (struct given){name, value};
        return true;
}

/* The command's name stands before its options, so it is looked for first. */
static bool read_arguments(struct command_line *line, int argc, char **argv, const struct command *const *all, struct err *e)
{
        const char **words = NEW_ARRAY(line->arena, const char *, argc + 1);
        int n = 0, used = 0;
        bool only_words = false;
        for (int i = 1; i < argc && argv[i][0] != '-'; i++)
                words[n++] = argv[i];
        line->command = find(all, words, n, &used);
        if (n > 0 && !line->command)
                return err_both(e, ERR_INVALID, NULL, "there is no command \"%.60s\"; see yiwang --help",
                                "没有命令“%.60s”，请见 yiwang --help", words[0]);
        n = 0;
        for (int i = 1 + used; i < argc; i++) {
                if (!only_words && text_is(argv[i], "--"))
                        only_words = true;
                else if (only_words || argv[i][0] != '-' || !argv[i][1])
                        words[n++] = argv[i];
                else if (!take_option(line, argv, argc, &i, e))
                        return false;
        }
        line->words = words;
        line->n_words = n;
        return true;
}

/* --- help --------------------------------------------------------------------------------------------------------------------- */
static void show_options(const struct command_line *line, const struct option *o)
{
        for (; o && o->name; o++)
                printf("  --%-22s %s\n",
                       arena_format(line->arena, "%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : ""),
                       say(line, o->about, o->about_zh));
}

static void show_settings(const struct command_line *line)
{
        printf("\n%s\n", say(line, "Settings (also in DATA/yiwang.yaml with _, and in the environment as YIWANG_NAME):",
                             "设置（也可写在 DATA/yiwang.yaml 中，用 _ 连接；或用环境变量 YIWANG_名称）："));
        for (size_t i = 0; setting_at(i); i++) {
                char *dashed = arena_text(line->arena, setting_at(i)->name);
                for (char *c = dashed; *c; c++)
                        if (*c == '_')
                                *c = '-';
                printf("  --%-22s %s\n", dashed, say(line, setting_at(i)->about, setting_at(i)->about_zh));
        }
}

static void show_command_help(const struct command_line *line)
{
        const struct command *c = line->command;
        printf("yiwang %s%s%s\n%s\n\n", c->name, *c->words ? " " : "", c->words, say(line, c->about, c->about_zh));
        show_options(line, c->options);
        show_options(line, common);
        show_settings(line);
}

static void show_help(const struct command_line *line, const struct command *const *all)
{
        printf("%s\n\n", say(line, "yiwang: one network for running a city district.  yiwang COMMAND --help says more.",
                             "yiwang（一网）：城区运行一网统管。yiwang 命令 --help 查看详细用法。"));
        for (; *all; all++)
                printf("  %-22s %s\n", arena_format(line->arena, "%s %s", (*all)->name, (*all)->words),
                       say(line, (*all)->about, (*all)->about_zh));
}

/* --- running ------------------------------------------------------------------------------------------------------------------ */
static void complain(const struct command_line *line, const struct err *e)
{
        fprintf(stderr, "yiwang: %s\n", command_in_chinese(line) && e->zh[0] ? e->zh : e->text);
}

static int wrong_use(const struct command_line *line, const struct err *e)
{
        complain(line, e);
        return 2;
}

static bool count_fits(const struct command_line *line, struct err *e)
{
        const struct command *c = line->command;
        return (line->n_words >= c->least && line->n_words <= c->most)
               || err_both(e, ERR_INVALID, NULL, "use: yiwang %s %s", "用法：yiwang %s %s", c->name, c->words);
}

static int run(struct command_line *line, int argc, char **argv, const struct command *const *all)
{
        struct err e = {0};
        line->settings.language = "en";
        const bool read = read_arguments(line, argc, argv, all, &e);
        struct err settings_fault = {0};
        if (!settings_read(line->arena, option_value(line, "config"), flag_of, line, &line->settings, &settings_fault)) {
                line->settings.language = "en";
                return wrong_use(line, read ? &settings_fault : &e);
        }
        if (!read)
                return wrong_use(line, &e);
        if (!line->command) {
                show_help(line, all);
                return option_value(line, "help") ? 0 : 2;
        }
        if (option_value(line, "help")) {
                show_command_help(line);
                return 0;
        }
        if (!count_fits(line, &e))
                return wrong_use(line, &e);
        log_named(line->settings.log_level ? line->settings.log_level : line->command->serves ? "info" : "warn");
        log_setup(text_is(line->settings.log_format, "json") ? LOG_JSON : LOG_LOGFMT);
        if (line->command->run(line, &e))
                return 0;
        if (e.text[0])
                complain(line, &e);
        return 1;
}

int command_main(int argc, char **argv, const struct command *const *commands, const struct capabilities *c)
{
        struct arena *a = arena_new();
        struct inside in = {.n = 0};
        struct command_line line = {.capabilities = c, .arena = a, .inside = &in};
        const int status = run(&line, argc, argv, commands);
        arena_free(&a);
        return status;
}
