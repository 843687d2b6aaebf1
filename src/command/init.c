/* command/init.c -- yiwang init: a new district; with --demo also accounts and a key to try it. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "command/command.h"
#include "crypto/crypto.h"
#include "json/json.h"
#include "people/people.h"
#include "proof/proof.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PASSWORD_CHARACTERS = 16 };

struct demo_account {
        const char *login, *name;
        enum { NO_UNIT, FALLBACK_UNIT, SUBDISTRICT_UNIT } unit;
        const char *role;
};
static const struct demo_account demo_accounts[] = {
        {"citizen", "演示市民", NO_UNIT, "citizen"},         {"clerk", "演示受理员", NO_UNIT, "clerk"},
        {"dispatcher", "演示分拨员", NO_UNIT, "dispatcher"}, {"unit", "演示处置单位", SUBDISTRICT_UNIT, "unit"},
        {"centre", "演示指挥中心", FALLBACK_UNIT, "unit"},   {"supervisor", "演示督办员", NO_UNIT, "supervisor"},
        {"admin", "演示管理员", NO_UNIT, "admin"},
};

static const struct unit *unit_of(const struct units *units, const struct demo_account *d)
{
        if (d->unit == FALLBACK_UNIT)
                return unit_fallback(units);
        for (size_t i = 0; d->unit == SUBDISTRICT_UNIT && i < unit_count(units); i++)
                if (text_is(unit_at(units, i)->kind, "subdistrict"))
                        return unit_at(units, i);
        return NULL;
}

static bool add_account(struct opened *o, const struct rulebook *rules, const struct demo_account *d, struct json *j, struct err *e)
{
        char password[PASSWORD_CHARACTERS + 1];
        const int64_t now = clock_now();
        const struct unit *unit = unit_of(rules->units, d);
        if (!random_token(password, PASSWORD_CHARACTERS, e))
                return false;
        const bool added = account_add(o->store, id_new(o->district.ids, now), d->login, d->name, role_of_name(d->role),
                                       unit ? unit->code : NULL, NULL, password, now, e);
        /* A run that broke off has left the account but not its password. */
        if (!added && (e->kind != ERR_CONFLICT || !account_password(o->store, d->login, password, e)))
                return false;
        json_object(j, NULL);
        json_text(j, "role", d->role);
        json_text(j, "user", d->login);
        json_text(j, "password", password);
        if (unit)
                json_text(j, "unit", unit->code);
        json_object_end(j);
        return true;
}

static bool add_key(struct command_line *line, struct opened *o, struct json *j, struct err *e)
{
        const char *key;
        const int64_t now = clock_now();
        const struct key_wish wish = {.name = "demo", .role = role_of_name("channel")};
        if (!key_add(o->store, line->arena, id_new(o->district.ids, now), &wish, now, &key, e))
                return false;
        json_text(j, "channel_key", key);
        return true;
}

/* Written beside and renamed, so that a broken-off run leaves no half of it. */
static bool write_secret(struct command_line *line, const char *path, const struct buf *b, struct err *e)
{
        const char *beside = arena_format(line->arena, "%s.new", path);
        const int f = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const bool ok = f >= 0 && write(f, b->at, b->length) == (ssize_t)b->length && fsync(f) == 0;
        const int cause = errno;
        if (f >= 0)
                (void)close(f);
        if (!ok || rename(beside, path) != 0)
                return err_both(e, ERR_FAULT, NULL, "cannot write %s: %s", "无法写入 %s：%s", path, strerror(ok ? errno : cause));
        return true;
}

static bool make_demo(struct command_line *line, struct opened *o, const char *path, struct err *e)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        const struct rulebook *rules = district_rules(&o->district, e);
        bool ok = rules != NULL;
        json_object(&j, NULL);
        json_array(&j, "accounts");
        for (size_t i = 0; ok && i < COUNT_OF(demo_accounts); i++)
                ok = add_account(o, rules, &demo_accounts[i], &j, e);
        json_array_end(&j);
        ok = ok && add_key(line, o, &j, e);
        json_object_end(&j);
        buf_byte(&b, '\n');
        ok = ok && write_secret(line, path, &b, e);
        buf_free(&b);
        return ok;
}

static bool make_signing_key(struct command_line *line, struct err *e)
{
        struct signers *signers;
        const bool ok =
                signers_open(&signers, proof_key_file(line->arena, line->settings.data), true, line->settings.ledger.kind, e);
        signers_close(&signers);
        return ok;
}

static bool run(struct command_line *line, struct err *e)
{
        struct opened o;
        int64_t version;
        const char *pack = option_value(line, "pack"), *demo = option_value(line, "demo");
        if (!pack)
                return err_both(e, ERR_INVALID, "pack", "name the pack: yiwang init --pack DIR",
                                "请指定场景包：yiwang init --pack 目录");
        if (demo)
                line->settings.data = demo;
        const char *accounts = arena_format(line->arena, "%s/demo.json", line->settings.data);
        if (!command_open(line, false, &o, e))
                return false;
        bool ok = load_pack(line, o.store, pack, false, &version, e);
        ok = ok && make_signing_key(line, e);
        if (ok && demo && access(accounts, F_OK) != 0)
                ok = make_demo(line, &o, accounts, e);
        command_close(&o);
        if (!ok)
                return false;
        printf(say(line, "the district in %s is ready, pack version %lld; start it: yiwang serve --data %s\n",
                   "%s 已就绪，场景包版本 %lld；启动服务：yiwang serve --data %s\n"),
               line->settings.data, (long long)version, line->settings.data);
        if (demo)
                printf(say(line, "demonstration accounts and key: %s\n", "演示账号与密钥：%s\n"), accounts);
        return true;
}

static const struct option options[] = {
        {"pack", "DIR", "the pack that teaches the server this district", "场景包目录"},
        {"demo", "DIR", "instead of --data: also makes demonstration accounts and a key, in DIR/demo.json",
         "代替 --data：同时生成演示账号与密钥，写入 DIR/demo.json"},
        {0},
};
const struct command init_command = {
        .name = "init",
        .words = "",
        .options = options,
        .run = run,
        .about = "Makes a district's folder, database and keys, and loads its pack; may be repeated.",
        .about_zh = "建立城区数据目录、数据库和密钥并加载场景包，可重复执行。",
};
