/* people/sessions.c -- signing in and out. */
#include "people/people.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "people/second.h"
#include "people/tokens.h"
#include "store/store.h"

static const char SQL_ACCOUNT[] = "SELECT id, login, name, role, unit, area, disabled, password FROM account WHERE login = $1";
/* What lies further ahead was noted before the clock was set back, and must not lock anybody out until then. */
static const char SQL_FAILURES[] =
        "SELECT at FROM login_failure WHERE login = $1 AND at > $2 AND at <= $3 ORDER BY at DESC LIMIT 1 OFFSET $4";
static const char SQL_FAILED[] = "INSERT INTO login_failure(login, at) VALUES ($1, $2)";
static const char SQL_FORGET[] = "DELETE FROM login_failure WHERE login = $1 AND ($2 = 1 OR at < $3)";
static const char SQL_OPEN[] = "INSERT INTO session(token, account, csrf, expires_at, created_at, address, agent)"
                               " VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char SQL_EXPIRED[] = "DELETE FROM session WHERE account = $1 AND expires_at < $2";
static const char SQL_CLOSE[] = "DELETE FROM session WHERE token = $1";
static const char SQL_SESSIONS[] =
        "SELECT s.token, s.created_at, s.expires_at, s.address, s.agent FROM session s JOIN account a"
        " ON a.id = s.account WHERE a.login = $1 AND s.expires_at > $2 ORDER BY s.created_at DESC LIMIT $3";
static const char SQL_CLOSE_ALL[] = "DELETE FROM session WHERE account = (SELECT id FROM account WHERE login = $1)";
static const char SQL_UNLOCK[] = "DELETE FROM login_failure WHERE login = $1";

enum { FAILURES_MOST = 10, LOGIN_MOST = 60, AGENT_MOST = 200 };
static const int64_t FAILURE_WINDOW = 15 * USEC_MINUTE, SESSION_LENGTH = 12 * USEC_HOUR;

/* Verified when there is no such account, so that both cases take the same time. */
static const char NOBODY[] = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Dq4dSJ6CYmcgM9pXoVdkDVqe4KAXLQ5O4wTFJ2kzq2E";

struct signing {
        struct store *store;
        struct arena *arena;
        const struct sign_in *in;
        const char *login, *password_hash;
        int64_t now, locked; /* since the failure that was one too many; 0 = not */
        bool found;
        struct session *session;
        unsigned char hash[SHA256_SIZE];
};

static bool read_account(struct tx *tx, void *ctx, struct err *e)
{
        struct signing *s = ctx;
        struct rows r;
        struct arena *a = s->arena;
        if (!tx_int(tx, &s->locked, 0, e, SQL_FAILURES,
                    ARGS(V(s->login), V(s->now - FAILURE_WINDOW), V(s->now + FAILURE_WINDOW), V(FAILURES_MOST - 1))))
                return false;
        int found = tx_first(tx, &r, e, SQL_ACCOUNT, ARGS(V(s->login)));
        if (found <= 0)
                return found == 0;
        s->session->account = (struct account){
                .id = rows_int(&r, 0),
                .login = rows_text(&r, a, 1),
                .name = rows_text(&r, a, 2),
                .role = role_of_name(rows_text(&r, a, 3)),
                .unit = rows_text(&r, a, 4),
                .area = rows_text(&r, a, 5),
                .disabled = rows_int(&r, 6) != 0,
        };
        s->password_hash = rows_text(&r, a, 7);
        s->found = !s->session->account.disabled;
        return rows_done(&r, e);
}

static bool note_failure(struct tx *tx, void *ctx, struct err *e)
{
        const struct signing *s = ctx;
        return tx_change(tx, e, SQL_FORGET, ARGS(V(s->login), V(0), V(s->now - FAILURE_WINDOW))) >= 0
               && tx_change(tx, e, SQL_FAILED, ARGS(V(s->login), V(s->now))) == 1;
}

static bool open_session(struct tx *tx, void *ctx, struct err *e)
{
        const struct signing *s = ctx;
        const struct session *x = s->session;
        return tx_change(tx, e, SQL_FORGET, ARGS(V(s->login), V(1), V(s->now))) >= 0
               && tx_change(tx, e, SQL_EXPIRED, ARGS(V(x->account.id), V(s->now))) >= 0
               && tx_change(tx, e, SQL_OPEN,
                            ARGS(V_BLOB(s->hash, sizeof s->hash), V(x->account.id), V(x->csrf), V(x->expires), V(s->now),
                                 V(s->in->address ? s->in->address : ""), V(s->in->agent ? s->in->agent : "")))
                          == 1;
}

static bool refuse(struct signing *s, struct err *e)
{
        return store_write(s->store, note_failure, s, e)
               && err_both(e, ERR_DENIED, NULL, "login or password is wrong", "登录名或密码错误");
}

/* Until the first of the last failures is 15 minutes old: a time one can wait for. */
static bool tell_locked(const struct signing *s, struct err *e)
{
        char until[TIME_TEXT_SIZE];
        (void)time_text(until, s->locked + FAILURE_WINDOW, ZONE_SHANGHAI);
        log_event(LOG_WARN, "signin.locked", "login=%s address=%s", s->login, s->in->address ? s->in->address : "");
        return err_both(e, ERR_BUSY, NULL, "too many failed sign-ins: this login is locked until %s",
                        "登录失败次数过多，账号锁定至 %s", until);
}

/* A wrong code counts like a wrong password; a missing one does not, since the screen asks for it only then. */
static bool check_second(struct signing *s, struct err *e)
{
        const struct sign_in *in = s->in;
        const int64_t account = s->session->account.id;
        bool has, right;
        if (!in->keys)
                return true;
        if (!second_has(s->store, s->arena, in->keys, account, &has, e))
                return false;
        if (!has)
                return true;
        if (text_empty(in->code))
                return err_both(e, ERR_DENIED, "code", "give the code of your authenticator app, or a recovery code",
                                "请输入身份验证器的验证码或恢复码");
        if (!second_take(s->store, s->arena, in->keys, account, in->code, s->now, &right, e))
                return false;
        if (right)
                return true;
        return store_write(s->store, note_failure, s, e)
               && err_both(e, ERR_DENIED, "code", "the code is wrong or was used already", "验证码错误或已使用");
}

static bool start_session(struct signing *s, struct err *e)
{
        struct session *out = s->session;
        char *token = arena_alloc(s->arena, KEY_CHARACTERS + 4), *csrf = arena_alloc(s->arena, KEY_CHARACTERS + 1);
        memcpy(token, "ys_", 3);
        if (!random_token(token + 3, KEY_CHARACTERS, e) || !random_token(csrf, KEY_CHARACTERS, e))
                return false;
        token_hash(token, s->hash);
        out->token = token;
        out->csrf = csrf;
        out->expires = s->now + SESSION_LENGTH;
        return store_write(s->store, open_session, s, e);
}

static bool prove(struct signing *s, struct err *e)
{
        if (text_empty(s->login) || text_characters(s->login) > LOGIN_MOST)
                return err_both(e, ERR_DENIED, NULL, "login or password is wrong", "登录名或密码错误");
        if (!store_read(s->store, read_account, s, e))
                return false;
        if (s->locked)
                return tell_locked(s, e);
        const bool right = password_verify(s->in->password, s->found ? s->password_hash : NOBODY);
        return right && s->found ? check_second(s, e) : refuse(s, e);
}

bool session_open(struct store *store, struct arena *a, const struct sign_in *in, struct session *out, struct err *e)
{
        struct sign_in kept = *in;
        struct signing s = {.store = store, .arena = a, .in = &kept, .login = in->login, .now = in->now, .session = out};
        *out = (struct session){0};
        if (in->agent && strlen(in->agent) > AGENT_MOST)
                kept.agent = text_characters(in->agent) == strlen(in->agent) ? arena_copy(a, in->agent, AGENT_MOST) : "";
        return prove(&s, e) && start_session(&s, e);
}

bool sign_in_prove(struct store *store, struct arena *a, const struct sign_in *in, int64_t *account, struct err *e)
{
        struct session ignored = {0};
        struct signing s = {.store = store, .arena = a, .in = in, .login = in->login, .now = in->now, .session = &ignored};
        const bool ok = prove(&s, e);
        *account = ignored.account.id;
        return ok;
}

static bool close_session(struct tx *tx, void *ctx, struct err *e)
{
        return tx_change(tx, e, SQL_CLOSE, ARGS(V_BLOB(ctx, SHA256_SIZE))) >= 0;
}

bool session_close(struct store *store, const char *token, struct err *e)
{
        unsigned char hash[SHA256_SIZE];
        token_hash(token, hash);
        return store_write(store, close_session, hash, e);
}

/* --- which there are --------------------------------------------------------------------------------------------------- */

struct own {
        struct arena *arena;
        const char *login, *id;
        int64_t now;
        struct session_view *at;
        size_t n;
        bool found;
};

static bool list_sessions(struct tx *tx, void *ctx, struct err *e)
{
        struct own *o = ctx;
        struct rows r;
        size_t size;
        o->n = 0;
        if (!tx_rows(tx, &r, e, SQL_SESSIONS, ARGS(V(o->login), V(o->now), V((int)SESSIONS_MOST))))
                return false;
        while (o->n < SESSIONS_MOST && rows_next(&r)) {
                struct session_view *v = &o->at[o->n++];
                const void *hash = rows_blob(&r, o->arena, 0, &size);
                *v = (struct session_view){.created = rows_int(&r, 1),
                                           .expires = rows_int(&r, 2),
                                           .address = rows_text(&r, o->arena, 3),
                                           .agent = rows_text(&r, o->arena, 4)};
                if (size == SHA256_SIZE)
                        memcpy(v->hash, hash, size);
                hex_text(v->hash, sizeof v->id / 2, v->id);
        }
        return rows_done(&r, e);
}

bool session_list(struct store *store, struct arena *a, const char *login, int64_t now, struct session_view **out, size_t *n,
                  struct err *e)
{
        struct own o = {.arena = a, .login = login, .now = now, .at = NEW_ARRAY(a, struct session_view, SESSIONS_MOST)};
        const bool ok = store_read(store, list_sessions, &o, e);
        *out = o.at;
        *n = o.n;
        return ok;
}

static bool end_one(struct tx *tx, void *ctx, struct err *e)
{
        struct own *o = ctx;
        if (!list_sessions(tx, o, e))
                return false;
        for (size_t i = 0; i < o->n; i++)
                if (text_is(o->at[i].id, o->id))
                        return tx_change(tx, e, SQL_CLOSE, ARGS(V_BLOB(o->at[i].hash, SHA256_SIZE))) >= 0;
        return err_both(e, ERR_NOT_FOUND, NULL, "there is no such session", "没有此登录会话");
}

bool session_end(struct store *store, struct arena *a, const char *login, const char *id, int64_t now, struct err *e)
{
        struct own o = {.arena = a, .login = login, .id = id, .now = now, .at = NEW_ARRAY(a, struct session_view, SESSIONS_MOST)};
        return store_write(store, end_one, &o, e);
}

static bool end_all(struct tx *tx, void *ctx, struct err *e)
{
        return tx_change(tx, e, SQL_CLOSE_ALL, ARGS(V((const char *)ctx))) >= 0;
}

bool session_end_all(struct store *store, const char *login, struct err *e)
{
        return store_write(store, end_all, (void *)login, e);
}

static bool unlock(struct tx *tx, void *ctx, struct err *e)
{
        return tx_change(tx, e, SQL_UNLOCK, ARGS(V((const char *)ctx))) >= 0;
}

bool account_unlock(struct store *store, const char *login, struct err *e)
{
        return store_write(store, unlock, (void *)login, e);
}
