/* people/sessions.c -- signing in and out. */
#include "people/people.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "people/tokens.h"
#include "store/store.h"

static const char SQL_ACCOUNT[] = "SELECT id, login, name, role, unit, area, disabled, password FROM account WHERE login = $1";
/* What lies further ahead was noted before the clock was set back, and must not lock anybody out until then. */
static const char SQL_FAILURES[] = "SELECT COUNT(*) FROM login_failure WHERE login = $1 AND at > $2 AND at <= $3";
static const char SQL_FAILED[] = "INSERT INTO login_failure(login, at) VALUES ($1, $2)";
static const char SQL_FORGET[] = "DELETE FROM login_failure WHERE login = $1 AND ($2 = 1 OR at < $3)";
static const char SQL_OPEN[] = "INSERT INTO session(token, account, csrf, expires_at) VALUES ($1, $2, $3, $4)";
static const char SQL_EXPIRED[] = "DELETE FROM session WHERE account = $1 AND expires_at < $2";
static const char SQL_CLOSE[] = "DELETE FROM session WHERE token = $1";

enum { FAILURES_MOST = 10, LOGIN_MOST = 60 };
static const int64_t FAILURE_WINDOW = 15 * USEC_MINUTE, SESSION_LENGTH = 12 * USEC_HOUR;

/* Verified when there is no such account, so that both cases take the same time. */
static const char NOBODY[] = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Dq4dSJ6CYmcgM9pXoVdkDVqe4KAXLQ5O4wTFJ2kzq2E";

struct signing {
        struct arena *arena;
        const char *login, *password_hash;
        int64_t now, failures;
        bool found;
        struct session *session;
        unsigned char hash[SHA256_SIZE];
};

static bool read_account(struct tx *tx, void *ctx, struct err *e)
{
        struct signing *s = ctx;
        struct rows r;
        struct arena *a = s->arena;
        if (!tx_int(tx, &s->failures, 0, e, SQL_FAILURES,
                    ARGS(V(s->login), V(s->now - FAILURE_WINDOW), V(s->now + FAILURE_WINDOW))))
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
               && tx_change(tx, e, SQL_OPEN, ARGS(V_BLOB(s->hash, sizeof s->hash), V(x->account.id), V(x->csrf), V(x->expires)))
                          == 1;
}

bool session_open(struct store *store, struct arena *a, const char *login, const char *password, int64_t now, struct session *out,
                  struct err *e)
{
        struct signing s = {.arena = a, .login = login, .now = now, .session = out};
        char *token = arena_alloc(a, KEY_CHARACTERS + 4), *csrf = arena_alloc(a, KEY_CHARACTERS + 1);
        *out = (struct session){0};
        if (text_empty(login) || text_characters(login) > LOGIN_MOST)
                return err_both(e, ERR_DENIED, NULL, "login or password is wrong", "登录名或密码错误");
        if (!store_read(store, read_account, &s, e))
                return false;
        if (s.failures >= FAILURES_MOST)
                return err_both(e, ERR_BUSY, NULL, "too many failed sign-ins; try again in 15 minutes",
                                "登录失败次数过多，请15分钟后再试");
        const bool right = password_verify(password, s.found ? s.password_hash : NOBODY);
        if (!right || !s.found) {
                if (!store_write(store, note_failure, &s, e))
                        return false;
                return err_both(e, ERR_DENIED, NULL, "login or password is wrong", "登录名或密码错误");
        }
        memcpy(token, "ys_", 3);
        if (!random_token(token + 3, KEY_CHARACTERS, e) || !random_token(csrf, KEY_CHARACTERS, e))
                return false;
        token_hash(token, s.hash);
        out->token = token;
        out->csrf = csrf;
        out->expires = now + SESSION_LENGTH;
        return store_write(store, open_session, &s, e);
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
