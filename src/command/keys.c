/* command/keys.c -- what guards reporters' data: yiwang keys (what it is sealed with), yiwang erase (to be forgotten). */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "command/command.h"
#include "crypto/seal.h"
#include "people/second.h"
#include "privacy/privacy.h"
#include <stdio.h>

/* A program that has sealed with the key before it saw the next one has committed by then, or given up. */
enum { SETTLE_USEC = 60 * 1000000 };

static const char *key_file(struct command_line *line)
{
        return arena_format(line->arena, "%s/seal.key", line->settings.data);
}

static bool list(struct command_line *line, struct err *e)
{
        struct opened o;
        bool ok = true;
        if (!command_open(line, true, &o, e))
                return false;
        const struct keys *keys = keyring_now(o.district.keys);
        for (size_t i = 0; ok && i < keys_count(keys); i++) {
                const struct key_about k = keys_at(keys, i);
                char made[TIME_TEXT_SIZE];
                int64_t n;
                ok = reporters_sealed_by(&o.district, k.number, &n, e);
                if (ok)
                        printf("%5d  %-3s  %-25s  %lld%s\n", k.number, seal_cipher_name(k.cipher),
                               k.made ? time_text(made, k.made, ZONE_SHANGHAI) : "-", (long long)n,
                               k.number == keys_active(keys) ? say(line, "  (active)", "（使用中）") : "");
        }
        command_close(&o);
        return ok;
}

static bool reseal_all(struct command_line *line, struct opened *o, struct err *e)
{
        int64_t total;
        struct resealing r = {.more = true};
        if (!reporters_sealed_by(&o->district, -1, &total, e))
                return false;
        struct progress p = progress_start(say(line, "reporters", "报告人"), total);
        while (r.more) {
                if (!reporters_reseal(&o->district, &r, e))
                        return false;
                progress_show(&p, r.done);
        }
        progress_end(&p, r.done);
        if (!seconds_reseal(o->store, line->arena, keyring_now(o->district.keys), e))
                return false;
        printf(say(line, "sealed anew: %lld\n", "重新加密：%lld\n"), (long long)r.done);
        return r.failed == 0
               || err_both(e, ERR_FAULT, NULL, "%lld reporters do not open with any key of the file; they were left as they are",
                           "%lld 条报告人信息无法用现有密钥解开，保持原样", (long long)r.failed);
}

static bool reseal(struct command_line *line, struct err *e)
{
        struct opened o;
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = reseal_all(line, &o, e);
        command_close(&o);
        return ok;
}

static bool rotate(struct command_line *line, struct err *e)
{
        struct opened o;
        int number;
        const int64_t now = clock_now();
        if (!command_open(line, true, &o, e))
                return false;
        bool ok = key_file_add(key_file(line), line->settings.cipher, now, &number, e);
        if (ok) {
                printf(say(line, "key %d seals from now on; keep a copy of %s apart from backups\n",
                           "密钥 %d 已启用；请将 %s 另行备份保存\n"),
                       number, key_file(line));
                (void)fflush(stdout);
        }
        /* A running server goes on with what is left, should this be broken off. */
        ok = ok && privacy_start(&o.district, now, e) && (option_value(line, "later") != NULL || reseal_all(line, &o, e));
        command_close(&o);
        return ok;
}

/* When the key was last the active one. */
static int64_t replaced_at(const struct keys *keys, int number)
{
        for (size_t i = 0; i < keys_count(keys); i++)
                if (keys_at(keys, i).number > number)
                        return keys_at(keys, i).made;
        return 0;
}

static bool nobody_needs(struct opened *o, int number, struct err *e)
{
        int64_t n;
        if (clock_now() - replaced_at(keyring_now(o->district.keys), number) < SETTLE_USEC)
                return err_both(e, ERR_CONFLICT, NULL, "key %d was active within the last minute; try again a minute later",
                                "密钥 %d 一分钟内仍在使用，请稍后再试", number);
        if (!seconds_sealed_by(o->store, number, &n, e))
                return false;
        if (n > 0)
                return err_both(e, ERR_CONFLICT, NULL,
                                "%lld second factors need key %d; yiwang keys reseal seals them with the active key",
                                "%lld 个二次验证仍使用密钥 %d，请先运行 yiwang keys reseal", (long long)n, number);
        return reporters_sealed_by(&o->district, number, &n, e)
               && (n == 0
                   || err_both(e, ERR_CONFLICT, NULL,
                               "%lld reporters need key %d; yiwang keys reseal seals them with the active key",
                               "%lld 条报告人信息仍使用密钥 %d，请先运行 yiwang keys reseal", (long long)n, number));
}

static bool drop(struct command_line *line, struct err *e)
{
        struct opened o;
        int64_t number;
        if (!text_to_int(line->words[0], &number) || number < 1 || number > UINT16_MAX)
                return err_both(e, ERR_INVALID, NULL, "\"%.20s\" is no number of a key; see yiwang keys list",
                                "“%.20s”不是密钥编号，可查 yiwang keys list", line->words[0]);
        if (!command_open(line, true, &o, e))
                return false;
        const bool ok = nobody_needs(&o, (int)number, e) && key_file_remove(key_file(line), (int)number, e);
        command_close(&o);
        if (ok)
                printf(say(line, "key %d is removed\n", "密钥 %d 已删除\n"), (int)number);
        return ok;
}

static const struct option rotate_options[] = {
        {"later", NULL, "leaves older values to the running server, which seals them anew in the background",
         "旧数据由运行中的服务在后台重新加密"},
        {0},
};
const struct command keys_list_command = {.name = "keys list",
                                          .words = "",
                                          .run = list,
                                          .about = "Lists the sealing keys, and how many reporters need each.",
                                          .about_zh = "列出加密密钥及各自使用的报告人数。"};
const struct command keys_rotate_command = {
        .name = "keys rotate",
        .words = "",
        .options = rotate_options,
        .run = rotate,
        .about = "Makes a new sealing key, used at once also by a running server, and seals older values with it.",
        .about_zh = "生成新的加密密钥，立即启用（包括运行中的服务），并用它重新加密旧数据。",
};
const struct command keys_reseal_command = {
        .name = "keys reseal",
        .words = "",
        .run = reseal,
        .about = "Seals with the active key what older keys sealed; goes on where an earlier run was broken off.",
        .about_zh = "用现行密钥重新加密旧数据，可接续上次未完成的运行。",
};
const struct command keys_remove_command = {
        .name = "keys remove",
        .words = "NUMBER",
        .least = 1,
        .most = 1,
        .run = drop,
        .about = "Removes a sealing key that no value needs any more.",
        .about_zh = "删除不再使用的加密密钥。",
};

/* --- erase ------------------------------------------------------------------------------------------------------------------ */
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

static bool erase(struct command_line *line, struct err *e)
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

static const struct option erase_options[] = {
        {"case", "NUMBER", "the reporter of this case", "该案件的报告人"},
        {"phone", "N", "every reporter with this phone number; - reads it from the standard input",
         "使用该号码的全部报告人；- 表示从标准输入读取"},
        {"reason", "TEXT", "kept with the record; write nothing personal", "随记录保存，请勿填写个人信息"},
        {0},
};
const struct command erase_command = {
        .name = "erase",
        .words = "",
        .options = erase_options,
        .run = erase,
        .about = "Erases reporters' names, numbers and addresses; the cases stay, and a record that it was done.",
        .about_zh = "删除报告人姓名、电话、邮箱；案件保留，并留存删除记录。",
};
