/* people/accounts.c -- accounts and API keys. */
#include "people/people.h"
#include "base/arena.h"
#include "base/role.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "people/tokens.h"
#include "store/store.h"

static const char SQL_ADD[] =
        "INSERT INTO account(id, login, name, role, unit, area, password, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6,"
        " $7, 0, $8)"
        " ON CONFLICT (login) DO NOTHING";
static const char SQL_PASSWORD[] = "UPDATE account SET password = $2 WHERE login = $1";
static const char SQL_DISABLE[] = "UPDATE account SET disabled = $2 WHERE login = $1";
static const char SQL_END_SESSIONS[] = "DELETE FROM session WHERE account = (SELECT id FROM account WHERE login = $1)";
static const char SQL_RANGE[] = "UPDATE account SET sees = $2 WHERE login = $1";
static const char SQL_JOIN[] =
        "INSERT INTO membership(account, unit, area, sees) SELECT id, $2, $3, $4 FROM account WHERE login = $1"
        " ON CONFLICT (account, unit) DO UPDATE SET area = excluded.area, sees = excluded.sees";
static const char SQL_LEAVE[] = "DELETE FROM membership WHERE unit = $2 AND account = (SELECT id FROM account WHERE login = $1)";
static const char SQL_LIST[] = "SELECT id, login, name, role, unit, area, disabled, sees FROM account ORDER BY login LIMIT 10000";
static const char SQL_ADD_KEY[] =
        "INSERT INTO api_key(id, name, role, channel, token, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, 0)"
        " ON CONFLICT (name) DO NOTHING";
static const char SQL_REVOKE[] = "UPDATE api_key SET revoked_at = $2 WHERE name = $1 AND revoked_at = 0";
static const char SQL_KEYS[] = "SELECT name, channel, role, created_at, revoked_at FROM api_key ORDER BY name LIMIT 10000";

enum { PASSWORD_LEAST = 10, PASSWORD_MOST = 200, LIST_MOST = 10000 };

static const struct {
        const char *name;
        int role;
} roles[] = {
        {"citizen", ROLE_CITIZEN}, {"channel", ROLE_CHANNEL},       {"clerk", ROLE_CLERK}, {"dispatcher", ROLE_DISPATCHER},
        {"unit", ROLE_UNIT},       {"supervisor", ROLE_SUPERVISOR}, {"admin", ROLE_ADMIN}, {"public", ROLE_PUBLIC},
};

int role_of_name(const char *name)
{
        for (size_t i = 0; i < COUNT_OF(roles); i++)
                if (text_is(roles[i].name, name))
                        return roles[i].role;
        return 0;
}

const char *role_name(int role)
{
        for (size_t i = 0; i < COUNT_OF(roles); i++)
                if (roles[i].role == role)
                        return roles[i].name;
        return "unknown";
}

/* A statement with few parameters that must change one row; the same form serves accounts and keys. */
struct change {
        const char *sql, *sessions;
        const struct value *values;
        const char *login;
        enum err_kind kind;
        const char *en, *zh;
};

static bool change_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct change *c = ctx;
        int changed = tx_change(tx, e, c->sql, c->values);
        if (changed < 0)
                return false;
        if (changed == 0)
                return err_both(e, c->kind, NULL, "%s: %s%.0s", "%s：%.0s%s", c->login, c->en, c->zh);
        return !c->sessions || tx_change(tx, e, c->sessions, ARGS(V(c->login))) >= 0;
}

static bool check_password(const char *password, struct err *e)
{
        const size_t n = text_characters(password);
        return (n >= PASSWORD_LEAST && n <= PASSWORD_MOST)
               || err_both(e, ERR_INVALID, "password", "a password has %d to %d characters", "密码应为%d至%d个字符",
                           (int)PASSWORD_LEAST, (int)PASSWORD_MOST);
}

bool account_add(struct store *store, int64_t id, const char *login, const char *name, int role, const char *unit, const char *area,
                 const char *password, int64_t now, struct err *e)
{
        char hash[PASSWORD_HASH_SIZE];
        if (text_empty(login) || text_characters(login) > 60)
                return err_both(e, ERR_INVALID, "login", "a login has 1 to 60 characters", "登录名应为1至60个字符");
        if (!check_password(password, e) || !password_hash(password, hash, e))
                return false;
        return store_write(store, change_once,
                           &(struct change){SQL_ADD, NULL,
                                            ARGS(V(id), V(login), V(name), V(role_name(role)), V(unit), V(area),
                                                 V((const char *)hash), V(now)),
                                            login, ERR_CONFLICT, "this login is taken", "登录名已被使用"},
                           e);
}

bool account_password(struct store *store, const char *login, const char *password, struct err *e)
{
        char hash[PASSWORD_HASH_SIZE];
        if (!check_password(password, e) || !password_hash(password, hash, e))
                return false;
        return store_write(store, change_once,
                           &(struct change){SQL_PASSWORD, SQL_END_SESSIONS, ARGS(V(login), V((const char *)hash)), login,
                                            ERR_NOT_FOUND, "there is no such login", "没有此登录名"},
                           e);
}

bool account_disable(struct store *store, const char *login, bool disabled, struct err *e)
{
        return store_write(store, change_once,
                           &(struct change){SQL_DISABLE, SQL_END_SESSIONS, ARGS(V(login), V(disabled)), login, ERR_NOT_FOUND,
                                            "there is no such login", "没有此登录名"},
                           e);
}

bool account_range(struct store *store, const char *login, enum range range, struct err *e)
{
        return store_write(store, change_once,
                           &(struct change){SQL_RANGE, NULL, ARGS(V(login), V(range_name(range))), login, ERR_NOT_FOUND,
                                            "there is no such login", "没有此登录名"},
                           e);
}

bool membership_put(struct store *store, const char *login, const struct membership *m, struct err *e)
{
        return store_write(store, change_once,
                           &(struct change){SQL_JOIN, NULL, ARGS(V(login), V(m->unit), V(m->area), V(range_name(m->range))), login,
                                            ERR_NOT_FOUND, "there is no such login", "没有此登录名"},
                           e);
}

bool membership_end(struct store *store, const char *login, const char *unit, struct err *e)
{
        return store_write(store, change_once,
                           &(struct change){SQL_LEAVE, NULL, ARGS(V(login), V(unit)), login, ERR_NOT_FOUND,
                                            "does not belong to that unit beside its own", "未兼任该单位"},
                           e);
}

struct listing {
        struct arena *arena;
        struct account *accounts;
        struct key_view *keys;
        size_t n;
};

static bool list_accounts(struct tx *tx, void *ctx, struct err *e)
{
        struct listing *l = ctx;
        struct rows r;
        struct arena *a = l->arena;
        if (!tx_rows(tx, &r, e, SQL_LIST, NO_ARGS))
                return false;
        for (l->n = 0; l->n < LIST_MOST && rows_next(&r); l->n++)
                l->accounts[l->n] = (struct account){
                        .id = rows_int(&r, 0),
                        .login = rows_text(&r, a, 1),
                        .name = rows_text(&r, a, 2),
                        .role = role_of_name(rows_text(&r, a, 3)),
                        .unit = rows_text(&r, a, 4),
                        .area = rows_text(&r, a, 5),
                        .disabled = rows_int(&r, 6) != 0,
                        .range = range_of_name(rows_text(&r, a, 7)),
                };
        return rows_done(&r, e);
}

bool account_list(struct store *store, struct arena *a, struct account **out, size_t *n, struct err *e)
{
        struct listing l = {.arena = a, .accounts = NEW_ARRAY(a, struct account, LIST_MOST)};
        bool ok = store_read(store, list_accounts, &l, e);
        *out = l.accounts;
        *n = l.n;
        return ok;
}

bool key_add(struct store *store, struct arena *a, int64_t id, const char *name, int role, const char *channel, int64_t now,
             const char **key, struct err *e)
{
        unsigned char hash[SHA256_SIZE];
        char *text = arena_alloc(a, KEY_CHARACTERS + 4);
        memcpy(text, "yk_", 3);
        if (text_empty(name) || text_characters(name) > 60)
                return err_both(e, ERR_INVALID, "name", "a key's name has 1 to 60 characters", "密钥名称应为1至60个字符");
        if (!random_token(text + 3, KEY_CHARACTERS, e))
                return false;
        token_hash(text, hash);
        *key = text;
        return store_write(store, change_once,
                           &(struct change){SQL_ADD_KEY, NULL,
                                            ARGS(V(id), V(name), V(role_name(role)), V(channel), V_BLOB(hash, sizeof hash), V(now)),
                                            name, ERR_CONFLICT, "a key of this name exists", "同名密钥已存在"},
                           e);
}

bool key_revoke(struct store *store, const char *name, int64_t now, struct err *e)
{
        return store_write(store, change_once,
                           &(struct change){SQL_REVOKE, NULL, ARGS(V(name), V(now)), name, ERR_NOT_FOUND,
                                            "there is no such key in force", "没有此有效密钥"},
                           e);
}

static bool list_keys(struct tx *tx, void *ctx, struct err *e)
{
        struct listing *l = ctx;
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_KEYS, NO_ARGS))
                return false;
        for (l->n = 0; l->n < LIST_MOST && rows_next(&r); l->n++)
                l->keys[l->n] = (struct key_view){.name = rows_text(&r, l->arena, 0),
                                                  .channel = rows_text(&r, l->arena, 1),
                                                  .role = role_of_name(rows_text(&r, l->arena, 2)),
                                                  .created = rows_int(&r, 3),
                                                  .revoked = rows_int(&r, 4)};
        return rows_done(&r, e);
}

bool key_list(struct store *store, struct arena *a, struct key_view **out, size_t *n, struct err *e)
{
        struct listing l = {.arena = a, .keys = NEW_ARRAY(a, struct key_view, LIST_MOST)};
        bool ok = store_read(store, list_keys, &l, e);
        *out = l.keys;
        *n = l.n;
        return ok;
}
