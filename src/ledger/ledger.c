/* ledger/ledger.c -- see ledger.h.  The only writer of history and ledger_lane. */
#include "ledger/ledger.h"
#include "ledger/digest.h"
#include "base/arena.h"
#include "store/store.h"

/* Two statements cost less than RETURNING on SQLite, which makes a table of its own for it, and travel together on PostgreSQL. */
static const char SQL_NEXT_ORDINAL[] = "UPDATE ledger_lane SET last = last + 1 WHERE lane = $1";
static const char SQL_ORDINAL[] = "SELECT last FROM ledger_lane WHERE lane = $1";
static const char SQL_APPEND[] =
        "INSERT INTO history(subject, seq, lane, ordinal, move, origin, dest, actor, role, unit, form, at, hash)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
static const char SQL_ROWS[] =
        "SELECT seq, move, origin, dest, actor, role, unit, form, at, hash, lane, ordinal FROM history WHERE subject = $1"
        " ORDER BY seq";

static bool next_ordinal(struct tx *tx, int64_t lane, int64_t *ordinal, struct err *e)
{
        if (!tx_send(tx, e, SQL_NEXT_ORDINAL, ARGS(V(lane))) || !tx_int(tx, ordinal, 0, e, SQL_ORDINAL, ARGS(V(lane))))
                return false;
        return *ordinal > 0 || err_set(e, ERR_FAULT, "ledger lane %lld is missing", (long long)lane);
}

bool ledger_append(struct tx *tx, struct ledger_tip *tip, const struct ledger_entry *entry, struct err *e)
{
        struct ledger_place place = {.seq = tip->seq + 1, .lane = -1, .ordinal = 0};
        if (place.seq == 1) {
                place.lane = tx_writer(tx) % LEDGER_LANES; /* each writer its own: none waits for another's row */
                if (!next_ordinal(tx, place.lane, &place.ordinal, e))
                        return false;
        }
        unsigned char hash[SHA256_SIZE];
        ledger_digest(tip->seq ? tip->hash : NULL, entry, &place, hash);
        if (!tx_send(tx, e, SQL_APPEND,
                     ARGS(V(entry->subject), V(place.seq), V(place.lane), V(place.ordinal), V(entry->move), V(entry->origin),
                          V(entry->dest), V(entry->actor), V(entry->role), V(entry->unit ? entry->unit : ""),
                          V(entry->form ? entry->form : "{}"), V(entry->at), V_BLOB(hash, sizeof hash))))
                return false;
        tip->seq = place.seq;
        memcpy(tip->hash, hash, sizeof hash);
        return true;
}

static void read_row(const struct rows *r, struct arena *a, int64_t subject, struct ledger_row *row)
{
        *row = (struct ledger_row){
                .seq = rows_int(r, 0),
                .lane = rows_int(r, 10),
                .ordinal = rows_int(r, 11),
                .entry =
                        {
                                .subject = subject,
                                .move = rows_text(r, a, 1),
                                .origin = rows_text(r, a, 2),
                                .dest = rows_text(r, a, 3),
                                .actor = rows_text(r, a, 4),
                                .role = rows_text(r, a, 5),
                                .unit = rows_text(r, a, 6),
                                .form = rows_text(r, a, 7),
                                .at = rows_int(r, 8),
                        },
        };
        size_t n;
        const void *hash = rows_blob(r, a, 9, &n);
        if (hash && n == sizeof row->hash)
                memcpy(row->hash, hash, n);
}

bool ledger_rows(struct tx *tx, struct arena *a, int64_t subject, struct ledger_row **out, size_t *n, struct err *e)
{
        struct rows r;
        size_t room = 16;
        *n = 0;
        *out = NEW_ARRAY(a, struct ledger_row, room);
        if (!tx_rows(tx, &r, e, SQL_ROWS, ARGS(V(subject))))
                return false;
        while (rows_next(&r)) {
                if (*n == room) {
                        struct ledger_row *larger = NEW_ARRAY(a, struct ledger_row, room * 2);
                        memcpy(larger, *out, room * sizeof **out);
                        *out = larger;
                        room *= 2;
                }
                read_row(&r, a, subject, &(*out)[(*n)++]);
        }
        return rows_done(&r, e);
}
