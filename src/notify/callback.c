/* notify/callback.c -- see callback.h.  The only writer of callback and callback_answer. */
#include "notify/callback.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/seal.h"
#include "district/district.h"
#include "json/json.h"
#include "notify/notify.h"
#include "store/store.h"

static const char SQL_ASK[] = "INSERT INTO callback(token, message, number, report, result, created_at, expires_at, used_at)"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
static const char SQL_END[] =
        "UPDATE callback SET expires_at = $3 WHERE number = $1 AND report = $2 AND used_at = 0 AND expires_at > $3";
static const char SQL_FIND[] = "SELECT b.number, b.report, b.result, b.created_at, b.expires_at, b.used_at, c.title, c.unit"
                               " FROM callback b JOIN cases c ON c.number = b.number WHERE b.token = $1";
static const char SQL_NEWEST[] = "SELECT b.created_at, b.expires_at, b.used_at FROM cases c JOIN callback b ON b.number = c.number"
                                 " AND b.report = c.id WHERE c.track = $1 ORDER BY b.created_at DESC, b.message DESC LIMIT 1";
static const char SQL_USE[] = "UPDATE callback SET used_at = $2 WHERE token = $1 AND used_at = 0 AND expires_at > $2";
static const char SQL_ANSWER[] =
        "INSERT INTO callback_answer(id, number, report, speed, effect, service, quality, solved, comment, answered_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

enum { TOKEN_CHARACTERS = 26 }; /* 130 bits */

static char *token_context(struct arena *a, int64_t message)
{
        return arena_format(a, "message/%lld/callback", (long long)message);
}

bool callback_token_new(struct district *d, struct arena *a, int64_t message, struct callback_token *out, struct err *e)
{
        char text[TOKEN_CHARACTERS + 1];
        unsigned char *sealed;
        if (!random_token(text, TOKEN_CHARACTERS, e)
            || !seal(a, keyring_now(d->keys), token_context(a, message), text, &sealed, &out->sealed_n, e))
                return false;
        out->text = arena_text(a, text);
        out->sealed = sealed;
        return true;
}

bool callback_ask(struct tx *tx, const struct message *m, const struct callback_token *token, const char *result, int64_t expires,
                  struct err *e)
{
        unsigned char hash[SHA256_SIZE];
        sha256(token->text, strlen(token->text), hash);
        return tx_change(tx, e, SQL_END, ARGS(V(m->number), V(m->report), V(m->created))) >= 0
               && tx_send(tx, e, SQL_ASK,
                          ARGS(V_BLOB(hash, sizeof hash), V(m->id), V(m->number), V(m->report), V(result), V(m->created),
                               V(expires)));
}

const char *callback_link(struct arena *a, const struct district *d, const struct message *m)
{
        struct err ignored;
        char *token;
        if (!m->secret || !unseal(a, keyring_now(d->keys), token_context(a, m->id), m->secret, m->secret_n, &token, &ignored))
                return NULL;
        return arena_format(a, "%s/callback/%s", d->notify && d->notify->public_url ? d->notify->public_url : "", token);
}

/* --- the question ------------------------------------------------------------------------------------------------------------ */
struct finding {
        struct arena *arena;
        unsigned char hash[SHA256_SIZE];
        int64_t now;
        struct callback_question *out;
        const struct callback_answer *answer;
        struct id_source *ids;
};

static enum callback_state state_at(int64_t now, int64_t expires, int64_t used)
{
        return used ? CALLBACK_ANSWERED : expires <= now ? CALLBACK_EXPIRED : CALLBACK_OPEN;
}

static bool find(struct tx *tx, void *ctx, struct err *e)
{
        const struct finding *f = ctx;
        struct rows r;
        const int n = tx_first(tx, &r, e, SQL_FIND, ARGS(V_BLOB(f->hash, sizeof f->hash)));
        if (n == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "this link is not known; copy it whole from the message",
                                "链接无效，请完整复制消息中的链接");
        if (n < 0)
                return false;
        *f->out = (struct callback_question){
                .number = rows_text(&r, f->arena, 0),
                .report = rows_int(&r, 1),
                .result = rows_text(&r, f->arena, 2),
                .asked = rows_int(&r, 3),
                .answered = rows_int(&r, 5),
                .title = rows_text(&r, f->arena, 6),
                .unit = rows_text(&r, f->arena, 7),
        };
        f->out->state = state_at(f->now, rows_int(&r, 4), f->out->answered);
        return rows_done(&r, e);
}

/* Tokens are written in capitals; a person who types one need not know. */
static struct finding finding_of(struct arena *a, const char *token, int64_t now, struct callback_question *out)
{
        struct finding f = {.arena = a, .now = now, .out = out};
        const char *upper = text_upper(a, token);
        sha256(upper, strlen(upper), f.hash);
        return f;
}

bool callback_find(struct store *s, struct arena *a, const char *token, int64_t now, struct callback_question *out, struct err *e)
{
        struct finding f = finding_of(a, token, now, out);
        return store_read(s, find, &f, e);
}

int callback_newest(struct tx *tx, const char *track, int64_t now, struct callback_question *out, struct err *e)
{
        struct rows r;
        const int n = tx_first(tx, &r, e, SQL_NEWEST, ARGS(V(track)));
        if (n <= 0)
                return n;
        *out = (struct callback_question){.asked = rows_int(&r, 0), .answered = rows_int(&r, 2)};
        out->state = state_at(now, rows_int(&r, 1), out->answered);
        return rows_done(&r, e) ? 1 : -1;
}

/* --- the answer -------------------------------------------------------------------------------------------------------------- */
static char *answer_text(struct arena *a, const struct finding *f)
{
        const struct callback_answer *g = f->answer;
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "number", f->out->number);
        json_text(&j, "way", "link");
        json_int(&j, "speed", g->speed);
        json_int(&j, "effect", g->effect);
        json_int(&j, "service", g->service);
        json_int(&j, "quality", g->quality);
        json_bool(&j, "solved", g->solved);
        json_text(&j, "comment", g->comment);
        json_time(&j, "at", f->now);
        json_object_end(&j);
        char *out = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return out;
}

static bool refuse(const struct callback_question *q, struct err *e)
{
        char at[TIME_TEXT_SIZE];
        if (q->state == CALLBACK_ANSWERED)
                return err_both(e, ERR_CONFLICT, NULL, "you have answered already (%s); thank you", "您已于 %s 评价过，谢谢",
                                time_text(at, q->answered, ZONE_SHANGHAI));
        return err_both(e, ERR_CONFLICT, NULL, "this link has ended; if the matter is not solved, report it again",
                        "链接已失效；如问题仍未解决，请再次反映");
}

static bool give(struct tx *tx, void *ctx, struct err *e)
{
        struct finding *f = ctx;
        const struct callback_answer *g = f->answer;
        if (!find(tx, f, e))
                return false;
        const int used =
                f->out->state == CALLBACK_OPEN ? tx_change(tx, e, SQL_USE, ARGS(V_BLOB(f->hash, sizeof f->hash), V(f->now))) : 0;
        if (used < 1)
                return used == 0 ? refuse(f->out, e) : false;
        return tx_send(tx, e, SQL_ANSWER,
                       ARGS(V(id_new(f->ids, f->now)), V(f->out->number), V(f->out->report), V(g->speed), V(g->effect),
                            V(g->service), V(g->quality), V(g->solved ? 1 : 0), V(g->comment), V(f->now)))
               && outbox_put(tx, "callback_answer", f->out->number, answer_text(f->arena, f), f->now, e);
}

bool callback_give(struct district *d, struct arena *a, const char *token, const struct callback_answer *answer, int64_t now,
                   struct err *e)
{
        struct callback_question q;
        struct finding f = finding_of(a, token, now, &q);
        f.answer = answer;
        f.ids = d->ids;
        return store_write(d->store, give, &f, e);
}
