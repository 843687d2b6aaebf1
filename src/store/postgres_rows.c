/* store/postgres_rows.c -- statements on one PostgreSQL connection.
 *
 * Parameters go as text with their types left to the server, blobs as bytes; results come as text and whole,
 * so that other statements may run while rows are open, as on SQLite.  The connection is always in pipeline mode:
 * statements are queued, and the first that somebody waits for takes all before it along in one round trip.  After a
 * failure the server skips what follows in the pipeline.
 */
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "store/dialect.h"
#include "store/inside.h"
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

struct prepared {
        struct kept kept;
        char name[16];
        bool there; /* the server has answered that it is prepared */
};

/* --- errors -------------------------------------------------------------------------------- */

static bool in_class(const char *state, const char *class)
{
        return strncmp(state, class, strlen(class)) == 0;
}

/* 08P01 is a wrong number of values for a statement: the connection lives and the fault is ours. */
static bool means_lost(const char *state)
{
        return (in_class(state, "08") && !text_is(state, "08P01")) || in_class(state, "57P");
}

/* Too many connections, too little memory, a lock that is not free, cancelled for taking too long. */
static bool means_busy(const char *state)
{
        return in_class(state, "53") || text_is(state, "55P03") || text_is(state, "57014");
}

/* A unique key, a foreign key, an exclusion. */
static bool means_conflict(const char *state)
{
        return text_is(state, "23505") || text_is(state, "23503") || text_is(state, "23P01");
}

bool postgres_error(struct link *c, const PGresult *r, const char *sql, struct err *e)
{
        const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
        const char *words = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
        if (!words)
                words = PQerrorMessage(c->pg);
        if (!state)
                state = "";
        c->dead = c->dead || PQstatus(c->pg) == CONNECTION_BAD || means_lost(state);
        c->clash = c->clash || means_conflict(state);
        if (c->dead)
                return err_busy(e, words);
        if (text_is(state, "40001") || text_is(state, "40P01")) {
                c->again = true;
                return err_set(e, ERR_BUSY, "PostgreSQL: %s", words);
        }
        if (text_is(state, "53100"))
                return err_full(e, words);
        if (means_busy(state))
                return err_busy(e, words);
        if (means_conflict(state)) {
                const char *name = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
                return err_conflict(e, name ? name : words);
        }
        return err_set(e, ERR_FAULT, "PostgreSQL: %.160s (%s) in: %.160s", words, state, sql);
}

static bool fine(const PGresult *r)
{
        ExecStatusType status = PQresultStatus(r);
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* Waits for more of what was asked.  A server that sends nothing for too long is given up: it may be frozen, while its machine
 * answers for it as if all were well.  What was begun counts as heard, so that it is not run again: each try would take as long. */
static bool hears(struct link *c)
{
        while (PQisBusy(c->pg)) {
                struct pollfd socket = {.fd = PQsocket(c->pg), .events = POLLIN};
                const int found = poll(&socket, 1, c->silence_ms > 0 ? c->silence_ms : -1);
                if (found == 0) {
                        log_event(LOG_ERROR, "store.silent", "ms=%d", c->silence_ms);
                        c->dead = c->heard = true;
                        return false;
                }
                if (found > 0 && !PQconsumeInput(c->pg))
                        return true; /* PQgetResult() tells what happened */
        }
        return true;
}

static PGresult *next_result(struct link *c)
{
        return hears(c) ? PQgetResult(c->pg) : NULL;
}

/* Takes the result over. */
static bool settle(struct link *c, PGresult *r, const char *sql, struct err *e)
{
        bool ok = fine(r) || postgres_error(c, r, sql, e);
        PQclear(r);
        return ok;
}

/* The last result, or the first that failed: the server skips what follows. */
static PGresult *run_text(struct link *c, const char *sql)
{
        PGresult *last = NULL;
        if (!PQsendQuery(c->pg, sql))
                return NULL;
        for (PGresult *r; (r = next_result(c));) {
                PQclear(last);
                last = r;
        }
        return last;
}

/* Outside the pipeline, where a text may hold several statements. */
bool postgres_run(struct link *c, const char *sql, struct err *e)
{
        if (!postgres_settle(c, e))
                return false;
        if (!PQexitPipelineMode(c->pg))
                return postgres_error(c, NULL, sql, e);
        const bool ok = settle(c, run_text(c, sql), sql, e);
        return (PQenterPipelineMode(c->pg) || postgres_error(c, NULL, sql, e)) && ok;
}

/* --- kept statements ---------------------------------------------------------------------------- */

static void drop(struct kept *kept)
{
        free(kept->sql);
        free(kept);
}

void postgres_tidy(struct link *c)
{
        while (c->open_count > 0)
                PQclear(c->open[--c->open_count]);
}

void postgres_forget(struct link *c)
{
        postgres_tidy(c);
        cache_clear(&c->cache, drop);
        free(c->open);
        free(c->values);
        free(c->lengths);
        free(c->formats);
        free(c->numbers);
}

static void sent(struct link *c, struct prepared *p, bool prepares)
{
        c->sent[c->sent_count].what = &p->kept;
        c->sent[c->sent_count].usual = -1;
        c->sent[c->sent_count++].prepares = prepares;
}

static struct prepared *prepared_for(struct link *c, const char *sql, struct err *e)
{
        struct prepared *p = (struct prepared *)cache_find(&c->cache, sql);
        if (p)
                return p;
        if (c->cache.count >= CACHE_MOST) { /* texts made at run time must not pile up */
                if (!postgres_run(c, "DEALLOCATE ALL", e))
                        return NULL;
                cache_clear(&c->cache, drop);
        }
        p = calloc(1, sizeof *p);
        if (!p || !(p->kept.sql = strdup(sql)))
                abort();
        snprintf(p->name, sizeof p->name, "s%d", c->made++);
        if (!PQsendPrepare(c->pg, p->name, sql, 0, NULL)) {
                drop(&p->kept);
                postgres_error(c, NULL, sql, e);
                return NULL;
        }
        cache_add(&c->cache, &p->kept);
        sent(c, p, true);
        return p;
}

/* --- parameters ------------------------------------------------------------------------------------ */

static void make_room(struct link *c, int n)
{
        if (n <= c->room)
                return;
        size_t room = (size_t)n + 16;
        c->values = realloc(c->values, room * sizeof *c->values);
        c->lengths = realloc(c->lengths, room * sizeof *c->lengths);
        c->formats = realloc(c->formats, room * sizeof *c->formats);
        c->numbers = realloc(c->numbers, room * sizeof *c->numbers);
        if (!c->values || !c->lengths || !c->formats || !c->numbers)
                abort();
        c->room = (int)room;
}

static void put(struct link *c, int i, const struct value *v)
{
        c->lengths[i] = c->formats[i] = 0;
        c->values[i] = c->numbers[i];
        switch (v->kind) {
        case VALUE_INT:
                snprintf(c->numbers[i], sizeof c->numbers[i], "%lld", (long long)v->u.i);
                break;
        case VALUE_REAL:
                snprintf(c->numbers[i], sizeof c->numbers[i], "%.17g", v->u.r);
                break;
        case VALUE_TEXT:
                c->values[i] = v->u.text;
                break;
        case VALUE_BLOB:
                c->values[i] = v->u.blob;
                c->lengths[i] = (int)v->n;
                c->formats[i] = 1;
                break;
        case VALUE_NULL:
        case VALUE_END:
                c->values[i] = NULL;
                break;
        }
}

bool postgres_queue(struct link *c, const char *sql, const struct value *args, struct err *e)
{
        if (c->sent_count + 2 > SENT_MOST && !postgres_settle(c, e))
                return false;
        struct prepared *p = prepared_for(c, sql, e);
        if (!p)
                return false;
        int n = 0;
        while (args && args[n].kind != VALUE_END)
                n++;
        make_room(c, n);
        for (int i = 0; i < n; i++)
                put(c, i, &args[i]);
        if (!PQsendQueryPrepared(c->pg, p->name, n, c->values, c->lengths, c->formats, 0))
                return postgres_error(c, NULL, sql, e);
        sent(c, p, false);
        return true;
}

/* --- answers ------------------------------------------------------------------------------------------- */

/* One statement's whole answer: its result, and the NULL that ends it.  NULL: the connection is lost. */
static PGresult *next_answer(struct link *c)
{
        PGresult *r = next_result(c), *more;
        while (r && PQresultStatus(r) != PGRES_PIPELINE_SYNC && (more = next_result(c)))
                PQclear(more);
        return r;
}

/* What was to be prepared in a pipeline that failed may be there or not: it is prepared anew, under another name. */
static void forget_unsure(struct link *c)
{
        for (int i = 0; i < c->sent_count; i++) {
                struct prepared *p = (struct prepared *)c->sent[i].what;
                if (c->sent[i].prepares && !p->there) {
                        cache_remove(&c->cache, &p->kept);
                        drop(&p->kept);
                }
        }
}

static int rows_changed(PGresult *r)
{
        int64_t n;
        return in_class(PQcmdStatus(r), "SELECT") || !text_to_int(PQcmdTuples(r), &n) ? 0 : (int)n;
}

/* What followed in the pipeline rests on a wrong guess: the transaction runs again, without guesses. */
static bool guessed_wrong(struct link *c, struct err *e)
{
        c->again = c->careful = true;
        return err_set(e, ERR_BUSY, "a statement changed another number of rows than usual");
}

/* Reads one answer for each statement sent.  False with *e set by the first that failed. */
static bool read_answers(struct link *c, PGresult **last, struct err *e)
{
        bool ok = true;
        for (int i = 0; i < c->sent_count && !c->dead; i++) {
                struct prepared *p = (struct prepared *)c->sent[i].what;
                PGresult *r = next_answer(c);
                const bool good = r && fine(r);
                if (!good && ok) /* the server skips the others */
                        ok = postgres_error(c, r, p->kept.sql, e);
                if (good && ok && c->sent[i].usual >= 0 && rows_changed(r) != c->sent[i].usual)
                        ok = guessed_wrong(c, e);
                c->dead = c->dead || !r;
                p->there = p->there || (good && c->sent[i].prepares);
                PQclear(*last);
                *last = r;
        }
        return ok;
}

PGresult *postgres_answer(struct link *c, struct err *e)
{
        PGresult *last = NULL;
        bool ok = PQpipelineSync(c->pg) ? read_answers(c, &last, e) : postgres_error(c, NULL, "", e);
        if (!c->dead) {
                PGresult *end = next_answer(c);
                c->dead = PQresultStatus(end) != PGRES_PIPELINE_SYNC;
                PQclear(end);
        }
        c->heard = c->heard || !c->dead;
        if (!ok || c->dead)
                forget_unsure(c);
        c->sent_count = 0;
        c->guesses = false;
        if (ok && !c->dead)
                return last;
        if (ok)
                err_busy(e, PQerrorMessage(c->pg));
        PQclear(last);
        return NULL;
}

bool postgres_settle(struct link *c, struct err *e)
{
        PGresult *r = NULL;
        if (c->sent_count > 0 && !(r = postgres_answer(c, e)))
                return false;
        PQclear(r);
        return true;
}

static PGresult *execute(struct tx *tx, struct err *e, const char *sql, const struct value *args)
{
        struct link *c = tx->connection;
        return postgres_queue(c, sql, args, e) ? postgres_answer(c, e) : NULL;
}

/* --- the driver's functions ---------------------------------------------------------------------------- */

int postgres_change(struct tx *tx, struct err *e, const char *sql, const struct value *args)
{
        PGresult *r = execute(tx, e, sql, args);
        if (!r)
                return -1;
        const int n = rows_changed(r);
        PQclear(r);
        return n;
}

int postgres_expect(struct tx *tx, struct err *e, const char *sql, const struct value *args, int usual)
{
        struct link *c = tx->connection;
        if (c->careful)
                return postgres_change(tx, e, sql, args);
        if (!postgres_queue(c, sql, args, e))
                return -1;
        c->sent[c->sent_count - 1].usual = usual;
        c->guesses = true;
        return usual;
}

bool postgres_send(struct tx *tx, struct err *e, const char *sql, const struct value *args)
{
        return postgres_queue(tx->connection, sql, args, e);
}

bool postgres_rows(struct tx *tx, struct rows *r, struct err *e, const char *sql, const struct value *args)
{
        struct link *c = tx->connection;
        r->handle = execute(tx, e, sql, args);
        if (!r->handle)
                return false;
        if (c->open_count == c->open_room) {
                c->open_room += 8;
                c->open = realloc(c->open, (size_t)c->open_room * sizeof *c->open);
                if (!c->open)
                        abort();
        }
        c->open[c->open_count++] = r->handle;
        return true;
}

bool postgres_next(struct rows *r)
{
        return ++r->row < PQntuples(r->handle);
}

bool postgres_done(struct rows *r, struct err *e)
{
        struct link *c = r->tx->connection;
        (void)e;
        for (int i = c->open_count - 1; r->handle && i >= 0; i--) {
                if (c->open[i] == r->handle) {
                        PQclear(r->handle);
                        c->open[i] = c->open[--c->open_count];
                        r->handle = NULL;
                }
        }
        return true;
}

bool postgres_null(const struct rows *r, int i)
{
        return PQgetisnull(r->handle, r->row, i);
}

const char *postgres_text(const struct rows *r, int i)
{
        return postgres_null(r, i) ? NULL : PQgetvalue(r->handle, r->row, i);
}

int64_t postgres_integer(const struct rows *r, int i)
{
        const char *text = PQgetvalue(r->handle, r->row, i);
        if (*text == 't') /* a comparison; SQLite says 1 */
                return 1;
        return text[strcspn(text, ".eE")] ? (int64_t)postgres_real(r, i) : strtoll(text, NULL, 10);
}

double postgres_real(const struct rows *r, int i)
{
        double d;
        return text_to_real(PQgetvalue(r->handle, r->row, i), &d) ? d : 0.0;
}

static int nibble(char c)
{
        return c <= '9' ? c - '0' : c - 'a' + 10;
}

void *postgres_blob(const struct rows *r, struct arena *a, int i, size_t *n)
{
        *n = 0;
        if (postgres_null(r, i))
                return NULL;
        const char *text = PQgetvalue(r->handle, r->row, i);
        size_t length = (size_t)PQgetlength(r->handle, r->row, i);
        if (length < 2 || text[0] != '\\' || text[1] != 'x') { /* a text read as bytes, as SQLite allows */
                *n = length;
                return arena_copy(a, text, length);
        }
        *n = (length - 2) / 2;
        char *out = arena_alloc(a, *n + 1);
        for (size_t k = 0; k < *n; k++)
                out[k] = (char)(nibble(text[2 + 2 * k]) << 4 | nibble(text[3 + 2 * k]));
        return out;
}

bool postgres_script(struct tx *tx, const char *sql, struct err *e)
{
        struct arena *a = arena_new();
        struct link *c = tx->connection;
        const int usual = c->silence_ms;
        c->silence_ms = 0; /* an index over millions of rows takes its time */
        bool ok = postgres_run(c, dialect_schema(a, sql, true), e);
        c->silence_ms = usual;
        arena_free(&a);
        return ok;
}

bool postgres_prepares(struct tx *tx, const char *sql, struct err *e)
{
        return prepared_for(tx->connection, sql, e) && postgres_settle(tx->connection, e);
}
