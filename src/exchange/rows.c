/* exchange/rows.c -- see rows.h. */
#include "exchange/rows.h"
#include "base/arena.h"
#include "base/text.h"
#include "store/store.h"
#include "task/task.h"

#define LINK_COLUMNS \
        "SELECT peer, case_id, number, peer_number, ours, sent, acked, received, told, word, received_word, answer, state," \
        " insisted, held, error, changed_at FROM exchange_link"
static const char SQL_BY_THEIRS[] = LINK_COLUMNS " WHERE peer = $1 AND peer_number = $2";
static const char SQL_BY_OURS[] = LINK_COLUMNS " WHERE peer = $1 AND number = $2";
static const char SQL_OF_CASE[] = LINK_COLUMNS " WHERE case_id = $1 ORDER BY peer";
static const char SQL_PAGE_OF_PEER[] = LINK_COLUMNS " WHERE peer = $1 AND case_id > $2 ORDER BY case_id LIMIT $3";
static const char SQL_PAGE_OF_NUMBER[] = LINK_COLUMNS " WHERE number = $1 OR peer_number = $1 ORDER BY peer, case_id LIMIT $2";
static const char SQL_PAGE_OF_CONFLICTS[] =
        LINK_COLUMNS " WHERE state = 'conflict' AND (peer, case_id) > ($1, $2) ORDER BY peer, case_id LIMIT $3";
static const char SQL_ADD[] =
        "INSERT INTO exchange_link(peer, case_id, number, peer_number, ours, sent, acked, received, told, word, received_word,"
        " answer, state, insisted, held, error, changed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
static const char SQL_SAVE[] =
        "UPDATE exchange_link SET peer_number = $3, sent = $4, received = $5, told = $6, word = $7, received_word = $8,"
        " answer = $9, state = $10, insisted = $11, held = $12, error = $13, changed_at = $14 WHERE peer = $1 AND case_id = $2";
static const char SQL_ACKED[] =
        "UPDATE exchange_link SET acked = CASE WHEN acked < $3 THEN $3 ELSE acked END, peer_number = COALESCE(peer_number, $4),"
        " error = $5 WHERE peer = $1 AND case_id = $2";
static const char SQL_FORGET[] = "DELETE FROM exchange_message WHERE peer = $1 AND state = 'sent' AND sent_at < $2";
static const char SQL_FAILED[] = "UPDATE exchange_link SET error = $3 WHERE peer = $1 AND case_id = $2";
static const char SQL_PUT[] =
        "INSERT INTO exchange_message(id, peer, case_id, revision, body, state, error, created_at, not_before, sent_at, tries,"
        " stamp) VALUES ($1, $2, $3, $4, $5, 'waiting', '', $6, $6, 0, 0, 0)";
static const char SQL_TAKE[] =
        "UPDATE exchange_message SET not_before = $3, stamp = stamp + 1 WHERE id = (SELECT m.id FROM exchange_message m"
        " WHERE m.state = 'waiting' AND m.peer = $1 AND m.not_before <= $2 AND NOT EXISTS (SELECT 1 FROM exchange_message b"
        " WHERE b.peer = m.peer AND b.case_id = m.case_id AND b.revision < m.revision AND b.state = 'waiting')"
        " ORDER BY m.not_before, m.id LIMIT 1) RETURNING id, case_id, revision, body, tries, stamp";
static const char SQL_SETTLE[] = "UPDATE exchange_message SET state = $3, error = $4, sent_at = $5, tries = tries + 1"
                                 " WHERE id = $1 AND stamp = $2 AND state = 'waiting'";
static const char SQL_PUT_OFF[] = "UPDATE exchange_message SET not_before = $3, error = $4, tries = tries + 1"
                                  " WHERE id = $1 AND stamp = $2 AND state = 'waiting'";
static const char SQL_REST[] =
        "UPDATE exchange_message SET not_before = $2 WHERE state = 'waiting' AND peer = $1 AND not_before < $2";
static const char SQL_NEXT[] = "SELECT MIN(not_before) FROM exchange_message WHERE state = 'waiting' AND peer = $1";
static const char SQL_WAITS[] = "SELECT COUNT(*) FROM exchange_message WHERE peer = $1 AND case_id = $2 AND state = 'waiting'";

static const char SQL_ALL_WAITING[] =
        "SELECT COUNT(*) FROM (SELECT 1 FROM exchange_message WHERE state = 'waiting' LIMIT 100000) w";
static const char SQL_CONFLICTS[] = "SELECT COUNT(*) FROM (SELECT 1 FROM exchange_link WHERE state = 'conflict' LIMIT 100000) c";

enum { OF_CASE_MOST = 64 };

/* --- links ------------------------------------------------------------------------------------------------------------------- */
static void read_link(const struct rows *r, struct arena *a, struct link *l)
{
        *l = (struct link){
                .peer = rows_text(r, a, 0),
                .case_id = rows_int(r, 1),
                .number = rows_text(r, a, 2),
                .peer_number = rows_text(r, a, 3),
                .ours = rows_int(r, 4) != 0,
                .sent = rows_int(r, 5),
                .acked = rows_int(r, 6),
                .received = rows_int(r, 7),
                .told = rows_int(r, 8),
                .word = rows_text(r, a, 9),
                .received_word = rows_text(r, a, 10),
                .answer = rows_text(r, a, 11),
                .state = rows_text(r, a, 12),
                .insisted = rows_int(r, 13) != 0,
                .held = rows_text(r, a, 14),
                .error = rows_text(r, a, 15),
                .changed_at = rows_int(r, 16),
        };
}

static int first_link(struct tx *tx, struct arena *a, const char *sql, const char *peer, const char *number, struct link *l,
                      struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, sql, ARGS(V(peer), V(number)));
        if (found <= 0)
                return found;
        read_link(&r, a, l);
        return rows_done(&r, e) ? 1 : -1;
}

int link_by_theirs(struct tx *tx, struct arena *a, const char *peer, const char *number, struct link *l, struct err *e)
{
        return first_link(tx, a, SQL_BY_THEIRS, peer, number, l, e);
}

int link_by_ours(struct tx *tx, struct arena *a, const char *peer, const char *number, struct link *l, struct err *e)
{
        return first_link(tx, a, SQL_BY_OURS, peer, number, l, e);
}

static bool read_links(struct rows *r, struct arena *a, int most, struct link **out, size_t *n, struct err *e)
{
        *out = NEW_ARRAY(a, struct link, most);
        *n = 0;
        while (*n < (size_t)most && rows_next(r))
                read_link(r, a, &(*out)[(*n)++]);
        return rows_done(r, e);
}

bool links_of_case(struct tx *tx, struct arena *a, int64_t case_id, struct link **out, size_t *n, struct err *e)
{
        struct rows r;
        return tx_rows(tx, &r, e, SQL_OF_CASE, ARGS(V(case_id))) && read_links(&r, a, OF_CASE_MOST, out, n, e);
}

bool links_page(struct tx *tx, struct arena *a, const struct link_filter *f, struct link **out, size_t *n, struct err *e)
{
        struct rows r;
        bool ok;
        if (f->peer)
                ok = tx_rows(tx, &r, e, SQL_PAGE_OF_PEER, ARGS(V(f->peer), V(f->after), V(f->limit)));
        else if (f->conflicts)
                ok = tx_rows(tx, &r, e, SQL_PAGE_OF_CONFLICTS, ARGS(V(f->after_peer), V(f->after), V(f->limit)));
        else
                ok = tx_rows(tx, &r, e, SQL_PAGE_OF_NUMBER, ARGS(V(f->number), V(f->limit)));
        return ok && read_links(&r, a, f->limit, out, n, e);
}

bool link_add(struct tx *tx, const struct link *l, struct err *e)
{
        return tx_change(tx, e, SQL_ADD,
                         ARGS(V(l->peer), V(l->case_id), V(l->number), V(l->peer_number), V(l->ours ? 1 : 0), V(l->sent),
                              V(l->acked), V(l->received), V(l->told), V(l->word), V(l->received_word), V(l->answer), V(l->state),
                              V(l->insisted ? 1 : 0), V(l->held), V(l->error), V(l->changed_at)))
               == 1;
}

bool link_save(struct tx *tx, const struct link *l, struct err *e)
{
        const int n = tx_change(tx, e, SQL_SAVE,
                                ARGS(V(l->peer), V(l->case_id), V(l->peer_number), V(l->sent), V(l->received), V(l->told),
                                     V(l->word), V(l->received_word), V(l->answer), V(l->state), V(l->insisted ? 1 : 0), V(l->held),
                                     V(l->error), V(l->changed_at)));
        return n == 1 || (n == 0 && err_set(e, ERR_FAULT, "the link of case %s is gone", l->number));
}

bool link_acked(struct tx *tx, const char *peer, int64_t case_id, int64_t revision, const char *peer_number, const char *error,
                struct err *e)
{
        return tx_change(tx, e, SQL_ACKED, ARGS(V(peer), V(case_id), V(revision), V(peer_number), V(error))) >= 0;
}

bool link_failed(struct tx *tx, const char *peer, int64_t case_id, const char *error, struct err *e)
{
        return tx_change(tx, e, SQL_FAILED, ARGS(V(peer), V(case_id), V(error))) >= 0;
}

/* --- the queue --------------------------------------------------------------------------------------------------------------- */
bool queue_put(struct tx *tx, int64_t id, const struct link *l, const char *body, int64_t now, struct err *e)
{
        return tx_send(tx, e, SQL_PUT, ARGS(V(id), V(l->peer), V(l->case_id), V(l->sent), V(body), V(now)))
               && timer_set(tx, exchange_send_timer.name, l->peer, now, NULL, e);
}

int queue_take(struct tx *tx, struct arena *a, const char *peer, int64_t now, int64_t until, struct queued *q, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_TAKE, ARGS(V(peer), V(now), V(until)));
        if (found <= 0)
                return found;
        *q = (struct queued){.id = rows_int(&r, 0),
                             .case_id = rows_int(&r, 1),
                             .revision = rows_int(&r, 2),
                             .body = rows_text(&r, a, 3),
                             .tries = (int)rows_int(&r, 4),
                             .stamp = rows_int(&r, 5)};
        return rows_done(&r, e) ? 1 : -1;
}

bool queue_settle(struct tx *tx, const struct queued *q, const char *state, const char *error, int64_t now, bool *lost,
                  struct err *e)
{
        const int n = tx_change(tx, e, SQL_SETTLE, ARGS(V(q->id), V(q->stamp), V(state), V(error), V(now)));
        *lost = n == 0;
        return n >= 0;
}

bool queue_rest(struct tx *tx, const char *peer, const struct queued *q, const char *error, int64_t when, struct err *e)
{
        return tx_send(tx, e, SQL_PUT_OFF, ARGS(V(q->id), V(q->stamp), V(when), V(error)))
               && tx_send(tx, e, SQL_REST, ARGS(V(peer), V(when)));
}

bool queue_wake(struct tx *tx, const char *peer, struct err *e)
{
        int64_t next;
        return tx_int(tx, &next, 0, e, SQL_NEXT, ARGS(V(peer)))
               && (next == 0 || timer_set(tx, exchange_send_timer.name, peer, next, NULL, e));
}

bool queue_forget(struct tx *tx, const char *peer, int64_t before, struct err *e)
{
        return tx_change(tx, e, SQL_FORGET, ARGS(V(peer), V(before))) >= 0;
}

bool queue_waits(struct tx *tx, const char *peer, int64_t case_id, int64_t *n, struct err *e)
{
        return tx_int(tx, n, 0, e, SQL_WAITS, ARGS(V(peer), V(case_id)));
}

struct counts {
        int64_t waiting, conflicts;
};

static bool count(struct tx *tx, void *ctx, struct err *e)
{
        struct counts *c = ctx;
        return tx_int(tx, &c->waiting, 0, e, SQL_ALL_WAITING, NO_ARGS) && tx_int(tx, &c->conflicts, 0, e, SQL_CONFLICTS, NO_ARGS);
}

bool queue_counts(struct store *s, int64_t *waiting, int64_t *conflicts, struct err *e)
{
        struct counts c = {0};
        const bool ok = store_read(s, count, &c, e);
        *waiting = c.waiting;
        *conflicts = c.conflicts;
        return ok;
}
