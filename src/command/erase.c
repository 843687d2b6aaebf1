/* command/erase.c -- yiwang erase: a person asked to be forgotten. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "privacy/privacy.h"
#include <stdio.h>

/* "-": from the standard input, so that it stands in no list of processes and no shell's history. */
static const char *phone_given(struct command_line *line)
{
        char text[128];
        const char *phone = option_value(line, "phone");
        if (!text_is(phone, "-"))
                return phone;
        if (!fgets(text, sizeof text, stdin))
                return "";
        text[strcspn(text, "\r\n")] = '\0';
        return arena_text(line->arena, text);
}

static bool run(struct command_line *line, struct err *e)
{
        struct opened o;
        int64_t n;
        const char *number = option_value(line, "case"), *phone = phone_given(line), *reason = option_value(line, "reason");
        if ((number != NULL) == (phone != NULL) || text_empty(reason))
                return err_both(e, ERR_INVALID, NULL,
                                "use: yiwang erase --case NUMBER --reason TEXT, or yiwang erase --phone N --reason TEXT",
                                "用法：yiwang erase --case 案件编号 --reason 理由，或 yiwang erase --phone 号码 --reason 理由");
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = reporter_erase(&o.district, number, phone, reason, clock_now(), &n, e);
        command_close(&o);
        if (ok)
                printf(say(line, "erased reporters: %lld\n", "已删除报告人信息：%lld\n"), (long long)n);
        return ok;
}

static const struct option options[] = {
        {"case", "NUMBER", "the reporter of this case", "该案件的报告人"},
        {"phone", "N", "every reporter with this phone number; - reads it from the standard input",
         "使用该号码的全部报告人；- 表示从标准输入读取"},
        {"reason", "TEXT", "kept with the record; write nothing personal", "随记录保存，请勿填写个人信息"},
        {0},
};
const struct command erase_command = {
        .name = "erase",
        .words = "",
        .options = options,
        .run = run,
        .about = "Erases reporters' names, numbers and addresses; the cases stay, and a record that it was done.",
        .about_zh = "删除报告人姓名、电话、邮箱；案件保留，并留存删除记录。",
};
