/* store/migrate.c -- numbered schema files, each run once in one transaction and recorded with its hash. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/inside.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

static const char SCRIPT_BEFORE[] =
        "CREATE TABLE IF NOT EXISTS schema_done (capability TEXT NOT NULL, number INTEGER NOT NULL, sha256 TEXT NOT NULL,"
        " at INTEGER NOT NULL, PRIMARY KEY (capability, number));"
        "CREATE TABLE IF NOT EXISTS store_node (only_row INTEGER PRIMARY KEY, next INTEGER NOT NULL);"
        "INSERT INTO store_node (only_row, next) VALUES (1, 0) ON CONFLICT DO NOTHING;";

/* PostgreSQL: programs that open at the same time migrate one after the other.  The isolation is lowered, since
 * otherwise the wait for the lock would be inside a snapshot that does not show what the other has done. */
static const char SCRIPT_ALONE[] = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
                                   "SELECT pg_advisory_xact_lock(794927, hashtext(COALESCE(current_schema(), '')));";

static const char SQL_DONE[] = "SELECT capability, number, sha256 FROM schema_done ORDER BY capability, number";
static const char SQL_ONE[] = "SELECT count(*) FROM schema_done WHERE capability = $1 AND number = $2";
static const char SQL_RECORD[] = "INSERT INTO schema_done (capability, number, sha256, at) VALUES ($1, $2, $3, $4)";
static const char SQL_NODE[] = "UPDATE store_node SET next = next + 1 WHERE only_row = 1 RETURNING next";

enum { HASH_TEXT = 65, MIGRATIONS_MOST = 512 };

struct work {
        const struct migration *list;
        bool done[MIGRATIONS_MOST];
        int next; /* the one to run */
        int64_t now;
};

static char *hash_text(const char *sql, char out[HASH_TEXT])
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        if (EVP_Digest(sql, strlen(sql), digest, &n, EVP_sha256(), NULL) != 1 || n != 32)
                abort();
        for (unsigned i = 0; i < n; i++)
                snprintf(out + 2 * i, 3, "%02x", digest[i]);
        return out;
}

static bool prepare(struct tx *tx, void *ctx, struct err *e)
{
        (void)ctx;
        return (!tx_is_postgres(tx) || tx_script(tx, SCRIPT_ALONE, e)) && tx_script(tx, SCRIPT_BEFORE, e);
}

static bool check_one(struct work *w, const char *capability, int64_t number, const char *recorded, struct err *e)
{
        char hash[HASH_TEXT];
        for (int i = 0; w->list[i].capability; i++) {
                if (w->list[i].number != number || !text_is(w->list[i].capability, capability))
                        continue;
                w->done[i] = true;
                if (text_is(recorded, hash_text(w->list[i].sql, hash)))
                        return true;
                return err_set(e, ERR_FAULT, "the schema file %s/%lld has changed since it was run on this database", capability,
                               (long long)number);
        }
        return err_set(e, ERR_FAULT, "this database is newer than this program: it has the schema %s/%lld", capability,
                       (long long)number);
}

static bool check(struct tx *tx, void *ctx, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_DONE, NO_ARGS))
                return false;
        struct arena *a = arena_new();
        struct err late = {.kind = ERR_NONE};
        bool ok = true;
        while (ok && rows_next(&r))
                ok = check_one(ctx, rows_text(&r, a, 0), rows_int(&r, 1), rows_text(&r, a, 2), e);
        arena_free(&a);
        return rows_done(&r, ok ? e : &late) && ok;
}

static bool run_next(struct tx *tx, void *ctx, struct err *e)
{
        struct work *w = ctx;
        const struct migration *m = &w->list[w->next];
        char hash[HASH_TEXT];
        int64_t done;
        if (tx_is_postgres(tx) && !tx_script(tx, SCRIPT_ALONE, e))
                return false;
        if (!tx_int(tx, &done, 0, e, SQL_ONE, ARGS(V(m->capability), V(m->number))))
                return false;
        if (done) /* by another program a moment ago; checked at its next opening */
                return true;
        return tx_script(tx, m->sql, e)
               && tx_change(tx, e, SQL_RECORD, ARGS(V(m->capability), V(m->number), V(hash_text(m->sql, hash)), V(w->now))) == 1;
}

bool store_migrate(struct store *s, const struct migration *list, struct err *e)
{
        struct work w = {.list = list, .now = clock_now()};
        if (!store_write(s, prepare, NULL, e))
                return false;
        if (!list)
                return true;
        if (!store_read(s, check, &w, e))
                return false;
        for (; list[w.next].capability; w.next++) {
                assert(w.next < MIGRATIONS_MOST);
                if (w.done[w.next])
                        continue;
                if (!store_write(s, run_next, &w, e)) {
                        char where[80];
                        snprintf(where, sizeof where, "schema %s/%d", list[w.next].capability, list[w.next].number);
                        log_event(LOG_ERROR, "store.migrate", "file=\"%s\" cause=\"%s\"", where, e->text);
                        return false;
                }
                log_event(LOG_INFO, "store.migrate", "capability=%s number=%d", list[w.next].capability, list[w.next].number);
        }
        return true;
}

static bool take_node(struct tx *tx, void *ctx, struct err *e)
{
        return tx_int(tx, ctx, 0, e, SQL_NODE, NO_ARGS);
}

bool store_take_node(struct store *s, struct err *e)
{
        int64_t next;
        if (!store_write(s, take_node, &next, e))
                return false;
        s->node = (int)(next % 1024);
        return true;
}
