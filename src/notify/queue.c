/* notify/queue.c -- see queue.h.  The only writer of message. */
#include "notify/queue.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/store.h"

static const char SQL_SAID[] =
        "SELECT COUNT(*) FROM message WHERE recipient = $1 AND created_at > $2 AND recipient <> '' AND same = $3"
        " AND medium = $4 AND NOT (event_tx = $5 AND event_seq = $6 AND report = $7)";
static const char SQL_PUT[] =
        "INSERT INTO message(id, event_tx, event_seq, medium, target, subject, body, state, error, created_at, sent_at, topic,"
        " report, language, title, recipient, same, urgent, asks, not_before, expires_at, secret)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
        " ON CONFLICT (event_tx, event_seq, medium, target, report) DO NOTHING";
static const char SQL_TAKE[] =
        "UPDATE message SET not_before = $4, stamp = stamp + 1 WHERE id IN (SELECT id FROM message WHERE state = 'waiting'"
        " AND medium = $1 AND target = $2 AND not_before <= $3 ORDER BY not_before LIMIT $5)"
        " RETURNING id, subject, topic, language, report, title, body, urgent, created_at, expires_at, secret, tries, stamp";
static const char SQL_NEXT[] =
        "SELECT not_before FROM message WHERE state = 'waiting' AND medium = $1 AND target = $2 ORDER BY not_before LIMIT 1";
static const char SQL_SETTLE[] = "UPDATE message SET state = $3, error = $4, sent_at = $5, tries = tries + 1, secret = NULL"
                                 " WHERE id = $1 AND stamp = $2 AND state = 'waiting'";
static const char SQL_PUT_OFF[] =
        "UPDATE message SET not_before = $3, tries = tries + $4, error = COALESCE($5, error), expires_at = $6"
        " WHERE id = $1 AND stamp = $2 AND state = 'waiting'";
static const char SQL_EXPIRE[] =
        "UPDATE message SET state = 'gave_up', secret = NULL WHERE id IN (SELECT id FROM message WHERE state = 'waiting'"
        " AND expires_at <= $1 AND not_before <= $1 ORDER BY expires_at LIMIT 500)";
static const char SQL_WAITING[] =
        "SELECT COUNT(*) FROM (SELECT 1 FROM message WHERE state = 'waiting' AND medium = $1 LIMIT 100000) w";

/* The same to the same person within this time is said once: many events of one matter. */
#define SAID_LATELY (10 * USEC_MINUTE)

const char *fate_name(enum fate f)
{
        static const char *const names[FATES] = {"sent", "refused", "gave_up"};
        return names[f];
}

bool message_put(struct tx *tx, const struct message *m, bool *added, struct err *e)
{
        int64_t said = 0;
        const bool there = m->medium == MEDIUM_WEB; /* the page shows it from now on */
        *added = false;
        if (!text_empty(m->recipient)
            && !tx_int(tx, &said, 0, e, SQL_SAID,
                       ARGS(V(m->recipient), V(m->created - SAID_LATELY), V(m->same), V(medium_name(m->medium)), V(m->event.tx),
                            V(m->event.seq), V(m->report))))
                return false;
        if (said > 0)
                return true;
        const int n =
                tx_expect(tx, e, SQL_PUT,
                          ARGS(V(m->id), V(m->event.tx), V(m->event.seq), V(medium_name(m->medium)), V(m->target), V(m->number),
                               V(m->body), V(there ? "sent" : "waiting"), V(m->created), V(there ? m->created : 0), V(m->topic),
                               V(m->report), V(m->language), V(m->title), V(m->recipient), V(m->same), V(m->urgent ? 1 : 0),
                               V(m->asks ? 1 : 0), V(m->not_before), V(m->expires), V_BLOB(m->secret, m->secret_n)),
                          1);
        *added = n == 1;
        return n >= 0;
}

/* --- taking ------------------------------------------------------------------------------------------------------------------ */
struct taking {
        struct arena *arena;
        const struct lane_name *lane;
        int64_t now, until, most;
        struct message *out;
        size_t n;
};

static bool take(struct tx *tx, void *ctx, struct err *e)
{
        struct taking *t = ctx;
        struct rows r;
        t->n = 0;
        if (!tx_rows(tx, &r, e, SQL_TAKE,
                     ARGS(V(medium_name(t->lane->medium)), V(t->lane->target), V(t->now), V(t->until), V(t->most))))
                return false;
        while (t->n < (size_t)t->most && rows_next(&r)) {
                struct message *m = &t->out[t->n++];
                *m = (struct message){
                        .id = rows_int(&r, 0),
                        .medium = t->lane->medium,
                        .target = t->lane->target,
                        .number = rows_text(&r, t->arena, 1),
                        .topic = rows_text(&r, t->arena, 2),
                        .language = rows_text(&r, t->arena, 3),
                        .report = rows_int(&r, 4),
                        .title = rows_text(&r, t->arena, 5),
                        .body = rows_text(&r, t->arena, 6),
                        .urgent = rows_int(&r, 7) != 0,
                        .created = rows_int(&r, 8),
                        .expires = rows_int(&r, 9),
                        .tries = (int)rows_int(&r, 11),
                        .stamp = rows_int(&r, 12),
                };
                m->secret = rows_blob(&r, t->arena, 10, &m->secret_n);
        }
        return rows_done(&r, e);
}

bool messages_take(struct store *s, struct arena *a, const struct lane_name *lane, int64_t now, int64_t until, int most,
                   struct message **out, size_t *n, struct err *e)
{
        struct taking t = {a, lane, now, until, most, NEW_ARRAY(a, struct message, most), 0};
        const bool ok = store_write(s, take, &t, e);
        *out = t.out;
        *n = ok ? t.n : 0;
        return ok;
}

struct looking {
        const struct lane_name *lane;
        const char *medium;
        int64_t found;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *l = ctx;
        return tx_int(tx, &l->found, INT64_MAX, e, SQL_NEXT, ARGS(V(medium_name(l->lane->medium)), V(l->lane->target)));
}

bool messages_next(struct store *s, const struct lane_name *lane, int64_t *due, struct err *e)
{
        struct looking l = {.lane = lane};
        const bool ok = store_read(s, look, &l, e);
        *due = l.found;
        return ok;
}

/* --- settling ---------------------------------------------------------------------------------------------------------------- */
struct settling {
        const struct message *message;
        enum fate fate;
        const char *error;
        int64_t now;
        bool tried;
        int changed;
};

static bool settle(struct tx *tx, void *ctx, struct err *e)
{
        const struct settling *s = ctx;
        return tx_change(tx, e, SQL_SETTLE,
                         ARGS(V(s->message->id), V(s->message->stamp), V(fate_name(s->fate)), V(s->error),
                              V(s->fate == FATE_SENT ? s->now : 0)))
               >= 0;
}

bool message_settle(struct store *store, const struct message *m, enum fate fate, const char *error, int64_t now, struct err *e)
{
        return store_write(store, settle, &(struct settling){.message = m, .fate = fate, .error = error, .now = now}, e);
}

static bool put_off(struct tx *tx, void *ctx, struct err *e)
{
        const struct settling *s = ctx;
        return tx_change(tx, e, SQL_PUT_OFF,
                         ARGS(V(s->message->id), V(s->message->stamp), V(s->now), V(s->tried ? 1 : 0), V(s->error),
                              V(s->message->expires)))
               >= 0;
}

bool message_put_off(struct store *store, const struct message *m, int64_t when, bool tried, const char *error, struct err *e)
{
        return store_write(store, put_off, &(struct settling){.message = m, .error = error, .now = when, .tried = tried}, e);
}

static bool expire(struct tx *tx, void *ctx, struct err *e)
{
        struct settling *s = ctx;
        s->changed = tx_change(tx, e, SQL_EXPIRE, ARGS(V(s->now)));
        return s->changed >= 0;
}

bool messages_expire(struct store *store, int64_t now, int *n, struct err *e)
{
        struct settling s = {.now = now};
        const bool ok = store_write(store, expire, &s, e);
        *n = ok ? s.changed : 0;
        return ok;
}

static bool count(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *l = ctx;
        return tx_int(tx, &l->found, 0, e, SQL_WAITING, ARGS(V(l->medium)));
}

bool messages_waiting(struct store *store, enum medium medium, int64_t *n, struct err *e)
{
        struct looking l = {.medium = medium_name(medium)};
        const bool ok = store_read(store, count, &l, e);
        *n = l.found;
        return ok;
}
