/* command/people.c -- yiwang user ..., yiwang key ... */
#include "people/people.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "command/command.h"
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

/* --- what a person types ---------------------------------------------------------------------------------------------------- */
/* Never from the command line, where every other user of the machine could read it. */
static bool read_password(struct command_line *line, const char **out, struct err *e)
{
        char text[256];
        struct termios before, silent;
        const bool terminal = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before) == 0;
        if (terminal) {
                fprintf(stderr, "%s", say(line, "password: ", "密码："));
                silent = before;
                silent.c_lflag &= ~(tcflag_t)ECHO;
                (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        }
        const bool ok = fgets(text, sizeof text, stdin) != NULL;
        if (terminal) {
                (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
                (void)fputc('\n', stderr);
        }
        if (!ok)
                return err_both(e, ERR_INVALID, "password", "type the password, or give it on standard input",
                                "请输入密码，或从标准输入提供");
        text[strcspn(text, "\r\n")] = '\0';
        *out = arena_text(line->arena, text);
        return true;
}

static bool read_role(struct command_line *line, const char *otherwise, int *role, struct err *e)
{
        const char *name = option_value(line, "role");
        name = name ? name : otherwise;
        *role = name ? role_of_name(name) : 0;
        return *role != 0
               || err_both(e, ERR_INVALID, "role", "--role must be citizen, channel, clerk, dispatcher, unit, supervisor or admin",
                           "--role 应为 citizen、channel、clerk、dispatcher、unit、supervisor 或 admin 之一");
}

/* The unit exists, and a unit clerk has one. */
static bool check_unit(struct district *d, int role, const char *unit, struct err *e)
{
        const struct rulebook *rules = district_rules(d, e);
        if (!rules)
                return false;
        if (role_of_name("unit") == role && text_empty(unit))
                return err_both(e, ERR_INVALID, "unit", "the role unit needs --unit CODE", "角色 unit 需要指定 --unit 单位编码");
        return text_empty(unit) || unit_find(rules->units, unit)
               || err_both(e, ERR_INVALID, "unit", "there is no unit %.40s in the pack", "场景包中没有单位 %.40s", unit);
}

static bool read_range(struct command_line *line, enum range *range, struct err *e)
{
        const char *name = option_value(line, "sees");
        *range = range_of_name(name);
        return !name || *range != RANGE_PACK
               || err_both(e, ERR_INVALID, "sees", "--sees must be none, own, unit, subtree, area or district",
                           "--sees 应为 none、own、unit、subtree、area 或 district 之一");
}

/* --- users -------------------------------------------------------------------------------------------------------------------- */
static bool user_add(struct command_line *line, struct err *e)
{
        struct opened o;
        int role;
        enum range range;
        const char *login = line->words[0], *password = NULL, *unit = option_value(line, "unit"),
                   *name = option_value(line, "name");
        if (!read_role(line, NULL, &role, e) || !read_range(line, &range, e) || !command_open(line, true, &o, e))
                return false;
        const int64_t now = clock_now();
        const bool ok = check_unit(&o.district, role, unit, e) && read_password(line, &password, e)
                        && account_add(o.store, id_new(o.district.ids, now), login, name ? name : login, role, unit,
                                       option_value(line, "area"), password, now, e)
                        && (range == RANGE_PACK || account_range(o.store, login, range, e));
        command_close(&o);
        if (ok)
                printf(say(line, "%s may sign in\n", "%s 可以登录\n"), login);
        return ok;
}

static bool user_password(struct command_line *line, struct err *e)
{
        struct opened o;
        const char *password;
        if (!read_password(line, &password, e) || !command_open(line, true, &o, e))
                return false;
        const bool ok = account_password(o.store, line->words[0], password, e);
        command_close(&o);
        if (ok)
                printf(say(line, "%s has a new password; open sessions have ended\n", "%s 的密码已更改，原有登录已失效\n"),
                       line->words[0]);
        return ok;
}

static bool user_disable(struct command_line *line, struct err *e)
{
        struct opened o;
        const bool undo = option_value(line, "undo") != NULL;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = account_disable(o.store, line->words[0], !undo, e);
        command_close(&o);
        if (ok)
                printf(undo ? say(line, "%s may sign in again\n", "%s 已恢复登录\n")
                            : say(line, "%s may no longer sign in\n", "%s 已停用\n"),
                       line->words[0]);
        return ok;
}

static bool user_join(struct command_line *line, struct err *e)
{
        struct opened o;
        enum range range;
        const char *login = line->words[0], *unit = line->words[1];
        const bool end = option_value(line, "end") != NULL;
        if (!read_range(line, &range, e) || !command_open(line, true, &o, e))
                return false;
        const struct membership m = {.unit = unit, .area = option_value(line, "area"), .range = range};
        const bool ok = end ? membership_end(o.store, login, unit, e)
                            : check_unit(&o.district, 0, unit, e) && membership_put(o.store, login, &m, e);
        command_close(&o);
        if (ok)
                printf(end ? say(line, "%s no longer belongs to %s\n", "%s 不再兼任 %s\n")
                           : say(line, "%s also belongs to %s\n", "%s 兼任 %s\n"),
                       login, unit);
        return ok;
}

static bool user_list(struct command_line *line, struct err *e)
{
        struct opened o;
        struct account *at;
        size_t n;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = account_list(o.store, line->arena, &at, &n, e);
        command_close(&o);
        for (size_t i = 0; ok && i < n; i++)
                printf("%-20s %-12s %-24s %s%s\n", at[i].login, role_name(at[i].role), at[i].unit ? at[i].unit : "-", at[i].name,
                       at[i].disabled ? say(line, "  (disabled)", "（已停用）") : "");
        return ok;
}

/* --- keys --------------------------------------------------------------------------------------------------------------------- */
static bool key_make(struct command_line *line, struct err *e)
{
        struct opened o;
        int role;
        const char *key;
        if (!read_role(line, "channel", &role, e) || !command_open(line, true, &o, e))
                return false;
        const int64_t now = clock_now();
        const bool ok = key_add(o.store, line->arena, id_new(o.district.ids, now), line->words[0], role,
                                option_value(line, "channel"), now, &key, e);
        command_close(&o);
        if (ok)
                printf("%s\n", key);
        return ok;
}

static bool key_end(struct command_line *line, struct err *e)
{
        struct opened o;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = key_revoke(o.store, line->words[0], clock_now(), e);
        command_close(&o);
        if (ok)
                printf(say(line, "the key %s is revoked; a running server refuses it within 10 seconds\n",
                           "密钥 %s 已吊销，运行中的服务10秒内生效\n"),
                       line->words[0]);
        return ok;
}

static bool key_show(struct command_line *line, struct err *e)
{
        struct opened o;
        struct key_view *at;
        size_t n;
        char made[TIME_TEXT_SIZE];
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = key_list(o.store, line->arena, &at, &n, e);
        command_close(&o);
        for (size_t i = 0; ok && i < n; i++)
                printf("%-20s %-12s %-16s %s%s\n", at[i].name, role_name(at[i].role), at[i].channel ? at[i].channel : "*",
                       time_text(made, at[i].created, ZONE_SHANGHAI), at[i].revoked ? say(line, "  (revoked)", "（已吊销）") : "");
        return ok;
}

/* --- the table ---------------------------------------------------------------------------------------------------------------- */
static const struct option user_options[] = {
        {"role", "ROLE", "citizen, clerk, dispatcher, unit, supervisor or admin",
         "citizen、clerk、dispatcher、unit、supervisor 或 admin"},
        {"unit", "CODE", "the unit the account belongs to", "所属单位编码"},
        {"area", "CODE", "the area the account belongs to", "所属区域编码"},
        {"name", "NAME", "the person's name", "姓名"},
        {"sees", "RANGE", "none, own, unit, subtree, area or district; unsaid: as the pack says for the role",
         "可见范围：none、own、unit、subtree、area 或 district，默认按场景包"},
        {0},
};
static const struct option join_options[] = {
        {"area", "CODE", "the area there", "在该单位负责的区域编码"},
        {"sees", "RANGE", "none, own, unit, subtree, area or district; unsaid: as the pack says for the role",
         "可见范围，默认按场景包"},
        {"end", NULL, "no longer", "不再兼任"},
        {0},
};
static const struct option undo_option[] = {{"undo", NULL, "lets the account sign in again", "恢复登录"}, {0}};
static const struct option key_options[] = {
        {"channel", "CODE", "reports of this channel only; any when unsaid", "仅限该渠道，默认不限"},
        {"role", "ROLE", "channel when unsaid", "默认为 channel"},
        {0},
};

const struct command user_add_command = {
        .name = "user add",
        .words = "LOGIN",
        .least = 1,
        .most = 1,
        .options = user_options,
        .run = user_add,
        .about = "Adds an account; asks for the password.",
        .about_zh = "新增账号，密码在提示后输入。",
};
const struct command user_password_command = {
        .name = "user password",
        .words = "LOGIN",
        .least = 1,
        .most = 1,
        .run = user_password,
        .about = "Gives an account a new password and ends its sessions.",
        .about_zh = "重设密码并使原有登录失效。",
};
const struct command user_disable_command = {
        .name = "user disable",
        .words = "LOGIN",
        .least = 1,
        .most = 1,
        .options = undo_option,
        .run = user_disable,
        .about = "Stops an account from signing in.",
        .about_zh = "停用账号。",
};
const struct command user_join_command = {
        .name = "user join",
        .words = "LOGIN UNIT",
        .least = 2,
        .most = 2,
        .options = join_options,
        .run = user_join,
        .about = "Lets an account belong to another unit beside its own.",
        .about_zh = "使账号兼任另一单位。",
};
const struct command user_list_command = {
        .name = "user list", .words = "", .run = user_list, .about = "Lists the accounts.", .about_zh = "列出账号。"};
const struct command key_add_command = {
        .name = "key add",
        .words = "NAME",
        .least = 1,
        .most = 1,
        .options = key_options,
        .run = key_make,
        .about = "Makes an API key and prints it once.",
        .about_zh = "生成接口密钥，仅显示一次。",
};
const struct command key_revoke_command = {
        .name = "key revoke",
        .words = "NAME",
        .least = 1,
        .most = 1,
        .run = key_end,
        .about = "Revokes an API key.",
        .about_zh = "吊销接口密钥。",
};
const struct command key_list_command = {
        .name = "key list", .words = "", .run = key_show, .about = "Lists the API keys.", .about_zh = "列出接口密钥。"};
