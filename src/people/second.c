/* people/second.c -- the second factor of an account: codes of an authenticator app, and recovery codes for when it is lost. */
#include "people/second.h"
#include "base/arena.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/seal.h"
#include "crypto/totp.h"
#include "people/tokens.h"
#include "store/store.h"

static const char SQL_READ[] = "SELECT secret, confirmed, last_step FROM second_factor WHERE account = $1";
/* One that is in force is never replaced: it is ended first, by somebody who can. */
static const char SQL_BEGIN[] =
        "INSERT INTO second_factor(account, secret, sealed_by, confirmed, last_step) VALUES ($1, $2, $3, 0, 0)"
        " ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, sealed_by = excluded.sealed_by"
        " WHERE second_factor.confirmed = 0";
static const char SQL_CONFIRM[] = "UPDATE second_factor SET confirmed = 1, last_step = $2 WHERE account = $1 AND confirmed = 0";
static const char SQL_STEP[] = "UPDATE second_factor SET last_step = $2 WHERE account = $1 AND last_step < $2";
static const char SQL_END[] = "DELETE FROM second_factor WHERE account = $1";
static const char SQL_END_CODES[] = "DELETE FROM recovery_code WHERE account = $1";
static const char SQL_ADD_CODE[] = "INSERT INTO recovery_code(account, hash, used_at) VALUES ($1, $2, 0)";
static const char SQL_USE_CODE[] = "UPDATE recovery_code SET used_at = $3 WHERE account = $1 AND hash = $2 AND used_at = 0";
static const char SQL_SEALED_BY[] = "SELECT COUNT(*) FROM second_factor WHERE sealed_by = $1";
static const char SQL_OLDER[] = "SELECT account, secret FROM second_factor WHERE sealed_by <> $1 ORDER BY account LIMIT 10000";
static const char SQL_RESEAL[] = "UPDATE second_factor SET secret = $2, sealed_by = $3 WHERE account = $1 AND sealed_by <> $3";

enum { CODE_CHARACTERS = 13 };

/* --- the secret, sealed ------------------------------------------------------------------------------------------- */

static const char *place_of(struct arena *a, int64_t account)
{
        return arena_format(a, "second_factor:%lld", (long long)account);
}

static bool seal_secret(struct arena *a, const struct keys *keys, int64_t account, const char *hex, struct value *out,
                        struct err *e)
{
        unsigned char *sealed;
        size_t n;
        if (!seal(a, keys, place_of(a, account), hex, &sealed, &n, e))
                return false;
        *out = V_BLOB(sealed, n);
        return true;
}

struct factor {
        unsigned char secret[TOTP_SECRET_SIZE];
        bool any, confirmed;
        int64_t last;
};

static bool read_factor(struct tx *tx, struct arena *a, const struct keys *keys, int64_t account, struct factor *f, struct err *e)
{
        struct rows r;
        size_t n;
        char *hex;
        *f = (struct factor){.any = false};
        const int found = tx_first(tx, &r, e, SQL_READ, ARGS(V(account)));
        if (found <= 0)
                return found == 0;
        const void *sealed = rows_blob(&r, a, 0, &n);
        f->any = true;
        f->confirmed = rows_int(&r, 1) != 0;
        f->last = rows_int(&r, 2);
        return rows_done(&r, e) && unseal(a, keys, place_of(a, account), sealed, n, &hex, e)
               && (hex_bytes(hex, f->secret, sizeof f->secret) || err_set(e, ERR_FAULT, "a second factor's secret is not whole"));
}

/* --- enrolling ------------------------------------------------------------------------------------------------------- */

struct job {
        struct arena *arena;
        const struct keys *keys;
        int64_t account, now;
        const char *code;
        struct value sealed;
        const char **recovery;
        bool right, any;
};

static bool begin_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct job *j = ctx;
        const int n = tx_change(tx, e, SQL_BEGIN, ARGS(V(j->account), j->sealed, V(keys_active(j->keys))));
        return n == 1
               || (n == 0
                   && err_both(e, ERR_CONFLICT, NULL, "this account has a second factor; end that one first",
                               "该账号已启用二次验证，请先停用"));
}

bool second_begin(struct store *store, struct arena *a, const struct keys *keys, int64_t account, const char **secret,
                  struct err *e)
{
        unsigned char bytes[TOTP_SECRET_SIZE];
        char hex[2 * TOTP_SECRET_SIZE + 1], text[TOTP_BASE32_SIZE];
        struct job j = {.arena = a, .keys = keys, .account = account};
        if (!random_bytes(bytes, sizeof bytes, e))
                return false;
        hex_text(bytes, sizeof bytes, hex);
        totp_base32(bytes, text);
        *secret = arena_text(a, text);
        return seal_secret(a, keys, account, hex, &j.sealed, e) && store_write(store, begin_once, &j, e);
}

static bool add_codes(struct tx *tx, const struct job *j, struct err *e)
{
        if (tx_change(tx, e, SQL_END_CODES, ARGS(V(j->account))) < 0)
                return false;
        for (size_t i = 0; i < RECOVERY_CODES; i++) {
                unsigned char hash[SHA256_SIZE];
                token_hash(j->recovery[i], hash);
                if (tx_change(tx, e, SQL_ADD_CODE, ARGS(V(j->account), V_BLOB(hash, sizeof hash))) != 1)
                        return false;
        }
        return true;
}

static bool confirm_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct job *j = ctx;
        struct factor f;
        int64_t step;
        if (!read_factor(tx, j->arena, j->keys, j->account, &f, e))
                return false;
        if (!f.any || f.confirmed)
                return err_both(e, ERR_CONFLICT, NULL, "begin a second factor first", "请先开始设置二次验证");
        if (!totp_right(f.secret, j->code, j->now, f.last, &step))
                return err_both(e, ERR_INVALID, "code", "this is not the code of now; is the clock of your device right?",
                                "验证码不正确，请检查设备时间");
        return tx_change(tx, e, SQL_CONFIRM, ARGS(V(j->account), V(step))) == 1 && add_codes(tx, j, e);
}

bool second_confirm(struct store *store, struct arena *a, const struct keys *keys, int64_t account, const char *code, int64_t now,
                    const char **recovery, struct err *e)
{
        struct job j = {.arena = a, .keys = keys, .account = account, .code = code, .now = now, .recovery = recovery};
        for (size_t i = 0; i < RECOVERY_CODES; i++) {
                char *text = arena_alloc(a, CODE_CHARACTERS + 1);
                if (!random_token(text, CODE_CHARACTERS, e))
                        return false;
                recovery[i] = text;
        }
        return store_write(store, confirm_once, &j, e);
}

/* --- asking -------------------------------------------------------------------------------------------------------------- */

static bool has_once(struct tx *tx, void *ctx, struct err *e)
{
        struct job *j = ctx;
        struct factor f;
        if (!read_factor(tx, j->arena, j->keys, j->account, &f, e))
                return false;
        j->any = f.any && f.confirmed;
        return true;
}

bool second_has(struct store *store, struct arena *a, const struct keys *keys, int64_t account, bool *has, struct err *e)
{
        struct job j = {.arena = a, .keys = keys, .account = account};
        const bool ok = store_read(store, has_once, &j, e);
        *has = j.any;
        return ok;
}

static bool take_once(struct tx *tx, void *ctx, struct err *e)
{
        struct job *j = ctx;
        struct factor f;
        int64_t step;
        unsigned char hash[SHA256_SIZE];
        if (!read_factor(tx, j->arena, j->keys, j->account, &f, e))
                return false;
        token_hash(j->code, hash);
        int n = 0;
        if (totp_right(f.secret, j->code, j->now, f.last, &step))
                n = tx_change(tx, e, SQL_STEP, ARGS(V(j->account), V(step)));
        else if (strlen(j->code) == CODE_CHARACTERS)
                n = tx_change(tx, e, SQL_USE_CODE, ARGS(V(j->account), V_BLOB(hash, sizeof hash), V(j->now)));
        j->right = f.any && n == 1;
        return n >= 0;
}

bool second_take(struct store *store, struct arena *a, const struct keys *keys, int64_t account, const char *code, int64_t now,
                 bool *right, struct err *e)
{
        struct job j = {.arena = a, .keys = keys, .account = account, .code = text_upper(a, code), .now = now};
        const bool ok = store_write(store, take_once, &j, e);
        *right = j.right;
        return ok;
}

static bool end_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct job *j = ctx;
        return tx_change(tx, e, SQL_END, ARGS(V(j->account))) >= 0 && tx_change(tx, e, SQL_END_CODES, ARGS(V(j->account))) >= 0;
}

bool second_end(struct store *store, int64_t account, struct err *e)
{
        return store_write(store, end_once, &(struct job){.account = account}, e);
}

/* --- keys that change ------------------------------------------------------------------------------------------------------ */

struct counting {
        int64_t key, n;
};

static bool count_once(struct tx *tx, void *ctx, struct err *e)
{
        struct counting *c = ctx;
        return tx_int(tx, &c->n, 0, e, SQL_SEALED_BY, ARGS(V(c->key)));
}

bool seconds_sealed_by(struct store *store, int key, int64_t *n, struct err *e)
{
        struct counting c = {.key = key};
        const bool ok = store_read(store, count_once, &c, e);
        *n = c.n;
        return ok;
}

struct resealing {
        struct arena *arena;
        const struct keys *keys;
};

static bool reseal_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct resealing *x = ctx;
        struct rows r;
        size_t n = 0, size;
        struct old {
                int64_t account;
                const void *sealed;
                size_t size;
        } *old = NEW_ARRAY(x->arena, struct old, 10000);
        if (!tx_rows(tx, &r, e, SQL_OLDER, ARGS(V(keys_active(x->keys)))))
                return false;
        for (; n < 10000 && rows_next(&r); n++) {
                const int64_t account = rows_int(&r, 0);
                const void *sealed = rows_blob(&r, x->arena, 1, &size);
                old[n] = (struct old){account, sealed, size};
        }
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < n; i++) {
                char *hex;
                struct value sealed;
                if (!unseal(x->arena, x->keys, place_of(x->arena, old[i].account), old[i].sealed, old[i].size, &hex, e)
                    || !seal_secret(x->arena, x->keys, old[i].account, hex, &sealed, e)
                    || tx_change(tx, e, SQL_RESEAL, ARGS(V(old[i].account), sealed, V(keys_active(x->keys)))) < 0)
                        return false;
        }
        return true;
}

bool seconds_reseal(struct store *store, struct arena *a, const struct keys *keys, struct err *e)
{
        return store_write(store, reseal_once, &(struct resealing){a, keys}, e);
}
