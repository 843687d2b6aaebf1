/* people/identify_api.c -- who is asking: from the Authorization header or the session cookie. */
#include "people/people.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "http/http.h"
#include "people/scopes.h"
#include "people/tokens.h"
#include "store/store.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const char SQL_KEY[] = "SELECT role, name, channel, scopes, expires_at FROM api_key WHERE token = $1 AND revoked_at = 0";
static const char SQL_SESSION[] =
        "SELECT a.role, a.login, a.unit, a.area, a.id, s.csrf, a.sees FROM session s JOIN account a ON a.id = s.account"
        " WHERE s.token = $1 AND s.expires_at > $2 AND a.disabled = 0";

static const char SQL_MEMBERSHIPS[] = "SELECT unit, area, sees FROM membership WHERE account = $1 ORDER BY unit LIMIT $2";

/* What those belong to for whom he stands in now (signin/).  Whoever was disabled is not absent but gone. */
static const char SQL_INSTEAD[] =
        "SELECT a.unit, a.area, a.sees, a.login FROM stand_in s JOIN account a ON a.id = s.absent WHERE s.deputy = $1"
        " AND s.until_at > $2 AND s.from_at <= $2 AND s.ended_at = 0 AND a.disabled = 0 AND a.role = $3"
        " UNION ALL SELECT m.unit, m.area, m.sees, a.login FROM stand_in s JOIN account a ON a.id = s.absent"
        " JOIN membership m ON m.account = a.id WHERE s.deputy = $1"
        " AND s.until_at > $2 AND s.from_at <= $2 AND s.ended_at = 0 AND a.disabled = 0 AND a.role = $3 ORDER BY 4, 1";

enum { ROOM = 1024, TEXT = 64 };
static const int64_t KEPT_FOR = 10 * USEC_SECOND;

struct belonging {
        char unit[TEXT], area[TEXT], login[TEXT];
        enum range range;
};
struct identity {
        unsigned char hash[SHA256_SIZE];
        int64_t until; /* steady clock; 0 = empty */
        bool valid;
        int role;
        int64_t account;
        char name[TEXT], unit[TEXT], area[TEXT], channel[TEXT], csrf[TEXT], scopes[TEXT];
        int64_t expires; /* of a key; 0 = never */
        struct belonging at[MEMBERSHIPS_MOST];
        size_t n;
};
/* One place for each hash value: a token that falls on another's place takes it. */
struct identity_cache {
        pthread_mutex_t lock;
        struct identity at[ROOM];
};

struct identity_cache *identity_cache_new(void)
{
        struct identity_cache *c = calloc(1, sizeof *c);
        if (!c)
                abort();
        (void)pthread_mutex_init(&c->lock, NULL);
        return c;
}

void identity_cache_free(struct identity_cache **c)
{
        if (!*c)
                return;
        (void)pthread_mutex_destroy(&(*c)->lock);
        free(*c);
        *c = NULL;
}

static void copy_text(char out[TEXT], const char *text)
{
        (void)snprintf(out, TEXT, "%s", text ? text : "");
}

struct asking {
        struct arena *arena;
        int64_t now;
        struct identity *who;
};

static bool read_key(struct tx *tx, struct asking *q, struct err *e)
{
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_KEY, ARGS(V_BLOB(q->who->hash, SHA256_SIZE)));
        if (found <= 0)
                return found == 0;
        q->who->valid = true;
        q->who->role = role_of_name(rows_text(&r, q->arena, 0));
        copy_text(q->who->name, rows_text(&r, q->arena, 1));
        copy_text(q->who->channel, rows_text(&r, q->arena, 2));
        copy_text(q->who->scopes, rows_text(&r, q->arena, 3));
        q->who->expires = rows_int(&r, 4);
        return rows_done(&r, e);
}

static void add_belonging(struct asking *q, struct membership m)
{
        if (q->who->n == MEMBERSHIPS_MOST)
                return;
        struct belonging *b = &q->who->at[q->who->n++];
        b->range = m.range;
        copy_text(b->unit, m.unit);
        copy_text(b->area, m.area);
        copy_text(b->login, m.login);
}

static bool read_memberships(struct tx *tx, struct asking *q, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_MEMBERSHIPS, ARGS(V(q->who->account), V((int)MEMBERSHIPS_MOST))))
                return false;
        while (rows_next(&r))
                add_belonging(q, (struct membership){.unit = rows_text(&r, q->arena, 0),
                                                     .area = rows_text(&r, q->arena, 1),
                                                     .range = range_of_name(rows_text(&r, q->arena, 2))});
        return rows_done(&r, e);
}

static bool read_instead(struct tx *tx, struct asking *q, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_INSTEAD, ARGS(V(q->who->account), V(q->now), V(role_name(q->who->role)))))
                return false;
        while (rows_next(&r))
                add_belonging(q, (struct membership){.unit = rows_text(&r, q->arena, 0),
                                                     .area = rows_text(&r, q->arena, 1),
                                                     .range = range_of_name(rows_text(&r, q->arena, 2)),
                                                     .login = rows_text(&r, q->arena, 3)});
        return rows_done(&r, e);
}

static bool read_session(struct tx *tx, struct asking *q, struct err *e)
{
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_SESSION, ARGS(V_BLOB(q->who->hash, SHA256_SIZE), V(q->now)));
        if (found <= 0)
                return found == 0;
        q->who->valid = true;
        q->who->role = role_of_name(rows_text(&r, q->arena, 0));
        copy_text(q->who->name, rows_text(&r, q->arena, 1));
        copy_text(q->who->unit, rows_text(&r, q->arena, 2));
        copy_text(q->who->area, rows_text(&r, q->arena, 3));
        q->who->account = rows_int(&r, 4);
        copy_text(q->who->csrf, rows_text(&r, q->arena, 5));
        add_belonging(q, (struct membership){
                                 .unit = q->who->unit, .area = q->who->area, .range = range_of_name(rows_text(&r, q->arena, 6))});
        return rows_done(&r, e) && read_memberships(tx, q, e) && read_instead(tx, q, e);
}

static bool look_up(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *q = ctx;
        return read_key(tx, q, e) && (q->who->valid || read_session(tx, q, e));
}

static bool cached(struct identity_cache *c, const unsigned char *hash, struct identity *out)
{
        struct identity *slot = &c->at[(hash[0] << 8 | hash[1]) % ROOM];
        (void)pthread_mutex_lock(&c->lock);
        const bool hit = slot->until > clock_steady() && memcmp(slot->hash, hash, SHA256_SIZE) == 0;
        if (hit)
                *out = *slot;
        (void)pthread_mutex_unlock(&c->lock);
        return hit;
}

static void remember(struct identity_cache *c, struct identity *who)
{
        struct identity *slot = &c->at[(who->hash[0] << 8 | who->hash[1]) % ROOM];
        who->until = clock_steady() + KEPT_FOR;
        (void)pthread_mutex_lock(&c->lock);
        *slot = *who;
        (void)pthread_mutex_unlock(&c->lock);
}

static bool find(struct identity_cache *c, struct request *rq, const char *token, struct identity *who, struct err *e)
{
        unsigned char hash[SHA256_SIZE];
        token_hash(token, hash);
        if (cached(c, hash, who))
                return true;
        *who = (struct identity){0};
        memcpy(who->hash, hash, sizeof hash);
        if (!store_read(rq->store, look_up, &(struct asking){rq->arena, rq->now, who}, e))
                return false;
        if (who->valid)
                remember(c, who);
        return true;
}

static const char *or_null(struct arena *a, const char *text)
{
        return *text ? arena_text(a, text) : NULL;
}

static const struct membership *memberships(struct arena *a, const struct identity *who)
{
        struct membership *at = NEW_ARRAY(a, struct membership, who->n + 1);
        for (size_t i = 0; i < who->n; i++)
                at[i] = (struct membership){.unit = or_null(a, who->at[i].unit),
                                            .area = or_null(a, who->at[i].area),
                                            .login = or_null(a, who->at[i].login),
                                            .range = who->at[i].range};
        return at;
}

static bool check_csrf(const struct request *rq, const struct identity *who, struct err *e)
{
        const char *given = request_header(rq, "X-CSRF-Token");
        if (text_is(rq->method, "GET") || text_is(rq->method, "HEAD"))
                return true;
        return (given && strlen(given) == strlen(who->csrf) && secret_same(given, who->csrf, strlen(given)))
               || err_both(e, ERR_DENIED, NULL, "the header X-CSRF-Token is missing or wrong; sign in again",
                           "缺少或错误的 X-CSRF-Token，请重新登录");
}

bool people_identify(struct identity_cache *c, struct request *rq, struct err *e)
{
        const char *bearer = request_header(rq, "Authorization"), *cookie = request_cookie(rq, "yiwang_session");
        struct identity who;
        rq->actor = (struct actor){.role = ROLE_PUBLIC, .name = "public"};
        if (bearer && strncasecmp(bearer, "Bearer ", 7) != 0)
                return err_both(e, ERR_DENIED, NULL, "Authorization must be \"Bearer KEY\"", "Authorization 应为“Bearer 密钥”");
        const char *key = bearer ? bearer + 7 : rq->key;
        if (!key && !cookie)
                return true;
        if (!find(c, rq, key ? key : cookie, &who, e))
                return false;
        if (who.expires && who.expires <= rq->now)
                who.valid = false;
        if (!who.valid && !key)
                return true; /* an expired cookie: as if nobody had signed in */
        if (!who.valid)
                return err_both(e, ERR_DENIED, NULL, "this key or session is not in force", "密钥或会话无效");
        rq->actor = (struct actor){
                .role = (enum role)who.role,
                .account = who.account,
                .name = arena_text(rq->arena, who.name),
                .unit = or_null(rq->arena, who.unit),
                .area = or_null(rq->arena, who.area),
                .channel = or_null(rq->arena, who.channel),
                .memberships = memberships(rq->arena, &who),
                .n_memberships = who.n,
                .csrf = or_null(rq->arena, who.csrf),
        };
        if (!scopes_allow(who.scopes, rq->method, rq->route->path, (rq->route->roles & ROLE_PUBLIC) != 0))
                return err_both(e, ERR_DENIED, NULL, "this key's scopes (%s) do not allow this",
                                "此密钥的权限范围（%s）不允许此操作", who.scopes);
        return key || check_csrf(rq, &who, e);
}
