/* store/postgres.c -- the PostgreSQL engine: two pools of connections, transactions, reconnecting.
 *
 * Writers run REPEATABLE READ: what a function has read cannot be changed under it, as on SQLite; the loser of
 * two that meet runs again.  A connection that is lost is thrown away; the next caller makes a new one, after a
 * pause that grows while the server stays away.  When the connection dies in COMMIT the outcome is unknown and
 * reported as ERR_BUSY: callers that try again must be idempotent.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"
#include <ctype.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char SQL_BEGIN_WRITE[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";
static const char SQL_BEGIN_READ[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";
static const char SQL_SCHEMA_THERE[] = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
/* bytea as hex, since postgres_blob() reads it so; commits must be durable whatever the server's default is. */
static const char SETUP[] =
        "SET client_min_messages = warning; SET timezone = 'UTC'; SET bytea_output = 'hex';"
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

enum {
        TRIES = 6,         /* the first run and at most 5 more */
        PAUSE_FIRST = 100, /* ms between attempts to reach a server that is away */
        PAUSE_MOST = 5000,
        SCHEMA_NAME = 64
};

struct pool {
        struct store *store;
        pthread_mutex_t lock;
        pthread_cond_t freed;
        bool writes;
        int most, made, idle_count, waiting;
        struct link **idle;
        bool *numbers;      /* taken by a connection */
        int lost;           /* connections lost and not yet replaced */
        int pause;          /* ms, 0 = the server answers */
        int64_t not_before; /* clock_steady() */
};

struct postgres {
        char *conninfo;           /* without our own parameters */
        char schema[SCHEMA_NAME]; /* "" = the server's default */
        struct pool readers, writers;
        pthread_mutex_t again; /* held by a transaction that runs again, so that the losers do not meet once more */
};

/* --- connections --------------------------------------------------------------------------- */

static void link_free(struct link *c)
{
        postgres_forget(c);
        PQfinish(c->pg);
        free(c);
}

static void notice(void *ctx, const char *words)
{
        (void)ctx;
        log_event(LOG_DEBUG, "store.notice", "text=\"%.*s\"", (int)strcspn(words, "\n"), words);
}

static bool link_setup(struct store *s, struct link *c, bool writes, struct err *e)
{
        struct postgres *p = s->engine;
        char sql[256];
        PQsetNoticeProcessor(c->pg, notice, NULL);
        if (!postgres_run(c, SETUP, e))
                return false;
        snprintf(sql, sizeof sql, "SET lock_timeout = %d; SET default_transaction_read_only = %s", s->is.busy_ms,
                 writes ? "off" : "on");
        if (!postgres_run(c, sql, e))
                return false;
        if (!p->schema[0])
                return true;
        char *name = PQescapeIdentifier(c->pg, p->schema, strlen(p->schema));
        if (!name)
                return postgres_error(c, NULL, "", e);
        snprintf(sql, sizeof sql, "SET search_path TO %s", name);
        PQfreemem(name);
        return postgres_run(c, sql, e);
}

static struct link *link_new(struct store *s, bool writes, struct err *e)
{
        struct postgres *p = s->engine;
        /* What stands before dbname may be overridden by the DSN, what stands after it not. */
        const char *names[] = {
                "application_name", "connect_timeout", "keepalives_idle", "tcp_user_timeout", "dbname", "client_encoding", NULL};
        const char *values[] = {"yiwang", "5", "30", "15000", p->conninfo, "UTF8", NULL};
        struct link *c = calloc(1, sizeof *c);
        if (!c)
                abort();
        c->silence_ms = s->is.silence_ms;
        c->pg = PQconnectdbParams(names, values, 1);
        if (!c->pg)
                abort();
        if (PQstatus(c->pg) == CONNECTION_OK && PQenterPipelineMode(c->pg) && link_setup(s, c, writes, e))
                return c;
        if (PQstatus(c->pg) != CONNECTION_OK)
                err_busy(e, PQerrorMessage(c->pg));
        link_free(c);
        return NULL;
}

/* --- pools ------------------------------------------------------------------------------------ */

static void pool_open(struct pool *p, struct store *s, int most, bool writes)
{
        p->store = s;
        p->most = most;
        p->writes = writes;
        p->idle = calloc((size_t)most, sizeof(struct link *));
        p->numbers = calloc((size_t)most, sizeof *p->numbers);
        if (!p->idle || !p->numbers)
                abort();
        pthread_mutex_init(&p->lock, NULL);
        cond_steady(&p->freed);
}

static void pool_close(struct pool *p)
{
        while (p->idle_count > 0)
                link_free(p->idle[--p->idle_count]);
        free(p->idle);
        free(p->numbers);
        pthread_mutex_destroy(&p->lock);
        pthread_cond_destroy(&p->freed);
}

/* Makes a connection in the place that was counted for it. */
static struct link *pool_connect(struct pool *p, struct err *e)
{
        struct link *c = link_new(p->store, p->writes, e);
        pthread_mutex_lock(&p->lock);
        if (c) {
                p->pause = 0;
                while (p->numbers[c->number])
                        c->number++;
                p->numbers[c->number] = true;
                if (p->lost > 0) {
                        p->lost--;
                        atomic_fetch_add_explicit(&p->store->count.reconnects, 1, memory_order_relaxed);
                }
        } else {
                p->made--;
                p->pause = p->pause ? (p->pause * 2 < PAUSE_MOST ? p->pause * 2 : PAUSE_MOST) : PAUSE_FIRST;
                p->not_before = clock_steady() + (int64_t)p->pause * 1000;
                pthread_cond_signal(&p->freed);
        }
        pthread_mutex_unlock(&p->lock);
        return c;
}

/* Waits until one is idle or one may be made; the lock is held.  NULL without *make: none. */
static struct link *pool_wait(struct pool *p, bool *make, struct err *e)
{
        struct timespec until = time_after(p->store->is.busy_ms);
        for (int rc = 0;;) {
                if (p->idle_count > 0)
                        return p->idle[--p->idle_count];
                if (p->made < p->most) {
                        if (p->pause && clock_steady() < p->not_before) {
                                err_busy(e, "the database server is away");
                                return NULL;
                        }
                        p->made++;
                        *make = true;
                        return NULL;
                }
                if (rc == ETIMEDOUT || p->waiting >= p->store->is.queue) {
                        err_busy(e, "all connections are in use");
                        return NULL;
                }
                store_queue_note(p->store, ++p->waiting);
                rc = pthread_cond_timedwait(&p->freed, &p->lock, &until);
                store_queue_note(p->store, --p->waiting);
        }
}

static struct link *pool_take(struct pool *p, struct err *e)
{
        bool make = false;
        pthread_mutex_lock(&p->lock);
        struct link *c = pool_wait(p, &make, e);
        pthread_mutex_unlock(&p->lock);
        return make ? pool_connect(p, e) : c;
}

static void pool_give(struct pool *p, struct link *c)
{
        const bool dead = c->dead; /* once it is idle, another thread may have it */
        pthread_mutex_lock(&p->lock);
        if (dead) {
                p->numbers[c->number] = false;
                p->made--;
                p->lost++;
        } else {
                p->idle[p->idle_count++] = c;
        }
        pthread_cond_signal(&p->freed);
        pthread_mutex_unlock(&p->lock);
        if (dead)
                link_free(c);
}

/* --- transactions ---------------------------------------------------------------------------------- */

enum outcome { DONE, FAILED, AGAIN, STALE }; /* STALE: the connection had died while idle; nothing was run */

/* The statement, with what was sent before it; its command tag. */
static bool finish(struct link *c, const char *sql, char tag[32], struct err *e)
{
        PGresult *r = postgres_queue(c, sql, NULL, e) ? postgres_answer(c, e) : NULL;
        if (!r)
                return false;
        (void)snprintf(tag, 32, "%s", PQcmdStatus(r));
        PQclear(r);
        return true;
}

static bool commit(struct store *s, struct link *c, bool writes, struct err *e)
{
        char tag[32];
        if (writes && store_fault(s, e))
                return false;
        /* A connection that died while idle must show before the commit is under way: later the outcome is unknown. */
        if (writes && !c->heard && !postgres_settle(c, e))
                return false;
        if (!finish(c, SQL_COMMIT, tag, e)) {
                if (c->dead && writes)
                        log_event(LOG_ERROR, "store.commit", "outcome=unknown cause=\"connection lost\"");
                return false;
        }
        return strcmp(tag, SQL_COMMIT) == 0 || err_set(e, ERR_FAULT, "the transaction was rolled back by PostgreSQL");
}

/* Statements that were sent and not yet answered may fail and take the first ROLLBACK with them. */
static void roll_back(struct link *c)
{
        char tag[32];
        struct err ignored;
        if (!finish(c, SQL_ROLLBACK, tag, &ignored) && !c->dead && !finish(c, SQL_ROLLBACK, tag, &ignored))
                c->dead = true;
}

static enum outcome attempt(struct pool *p, struct link *c, tx_fn *fn, void *ctx, bool again, struct err *e)
{
        struct tx tx;
        c->again = c->clash = c->heard = false;
        if (!postgres_queue(c, p->writes ? SQL_BEGIN_WRITE : SQL_BEGIN_READ, NULL, e))
                return c->dead ? STALE : FAILED;
        tx_begin(&tx, p->store, c, c->number, p->writes);
        bool ok = tx_run(&tx, fn, ctx, e);
        postgres_tidy(c);
        if (ok && commit(p->store, c, p->writes, e))
                return DONE;
        const bool meets = c->again || (c->clash && !again);
        if (!c->dead)
                roll_back(c);
        if (c->dead && !c->heard)
                return STALE;
        return meets && !tx.planned ? AGAIN : FAILED;
}

/* The losers wait a little, each another time, and then run one by one. */
static void pause_before(int try)
{
        unsigned chance = (unsigned)(clock_steady() ^ (int64_t)(uintptr_t)&chance);
        int64_t ns = (int64_t)(500000 + (chance * 2654435761U >> 12)) << try;
        nanosleep(&(struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}, NULL);
}

static enum outcome attempt_again(struct pool *p, struct link *c, tx_fn *fn, void *ctx, int try, struct err *e)
{
        struct postgres *engine = p->store->engine;
        atomic_fetch_add_explicit(&p->store->count.retries, 1, memory_order_relaxed);
        pause_before(try);
        pthread_mutex_lock(&engine->again);
        enum outcome out = attempt(p, c, fn, ctx, true, e);
        pthread_mutex_unlock(&engine->again);
        return out;
}

static bool transact(struct pool *p, tx_fn *fn, void *ctx, struct err *e)
{
        enum outcome out = STALE;
        for (int stale = 0; out == STALE && stale <= p->most; stale++) {
                struct link *c = pool_take(p, e);
                if (!c)
                        return false;
                out = attempt(p, c, fn, ctx, false, e);
                for (int try = 1; out == AGAIN && try < TRIES; try++)
                        out = attempt_again(p, c, fn, ctx, try, e);
                pool_give(p, c);
        }
        if (out == AGAIN)
                return err_busy(e, "other writers were faster each time");
        if (out == DONE && p->writes) {
                atomic_fetch_add_explicit(&p->store->count.commits, 1, memory_order_relaxed);
                atomic_fetch_add_explicit(&p->store->count.members, 1, memory_order_relaxed);
        }
        return out == DONE;
}

static bool write_one(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        struct postgres *p = s->engine;
        return transact(&p->writers, fn, ctx, e);
}

static bool read_one(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        struct postgres *p = s->engine;
        return transact(&p->readers, fn, ctx, e);
}

/* --- opening and closing ------------------------------------------------------------------------------ */

/* Takes "schema=NAME" out of the parameters of the DSN. */
static bool read_dsn(struct postgres *p, const char *dsn, struct err *e)
{
        char *to = p->conninfo = calloc(1, strlen(dsn) + 1);
        if (!to)
                abort();
        size_t n = strcspn(dsn, "?");
        memcpy(to, dsn, n);
        char *end = to + n;
        for (const char *part = dsn + n; *part; part += n) {
                n = 1 + strcspn(part + 1, "&");
                if (strncmp(part + 1, "schema=", 7) != 0) {
                        memcpy(end, part, n);
                        *end = end == to + strcspn(dsn, "?") ? '?' : '&';
                        end += n;
                        continue;
                }
                if (n - 8 >= SCHEMA_NAME || n == 8)
                        return err_set(e, ERR_INVALID, "the schema in the database's address needs 1 to 63 bytes");
                memcpy(p->schema, part + 8, n - 8);
        }
        for (const char *c = p->schema; *c; c++) {
                if (!isalnum((unsigned char)*c) && *c != '_')
                        return err_set(e, ERR_INVALID, "the schema in the database's address may have letters, digits and _");
        }
        return true;
}

/* 1 there, 0 not, -1 failed. */
static int schema_there(struct postgres *p, struct link *c, struct err *e)
{
        PGresult *r = postgres_queue(c, SQL_SCHEMA_THERE, ARGS(V(p->schema)), e) ? postgres_answer(c, e) : NULL;
        int n = r ? PQntuples(r) : -1;
        PQclear(r);
        return n;
}

static bool make_schema(struct store *s, struct link *c, struct err *e)
{
        struct postgres *p = s->engine;
        char sql[128];
        int there = p->schema[0] ? schema_there(p, c, e) : 1;
        if (there != 0)
                return there == 1;
        snprintf(sql, sizeof sql, "CREATE SCHEMA IF NOT EXISTS \"%s\"", p->schema);
        /* Two programs may make it at once; the slower one is told of a conflict, and all is well. */
        return postgres_run(c, sql, e) || schema_there(p, c, e) == 1;
}

static void drop_schema(struct store *s)
{
        struct postgres *p = s->engine;
        struct err e;
        char sql[128];
        struct link *c = pool_take(&p->writers, &e);
        if (!c)
                return;
        snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS \"%s\" CASCADE", p->schema);
        if (!postgres_run(c, sql, &e))
                log_err(LOG_ERROR, "store.drop", &e);
        pool_give(&p->writers, c);
}

static void close_all(struct store *s)
{
        struct postgres *p = s->engine;
        if (s->temporary && p->schema[0])
                drop_schema(s);
        pool_close(&p->readers);
        pool_close(&p->writers);
        pthread_mutex_destroy(&p->again);
        free(p->conninfo);
        free(p);
        s->engine = NULL;
}

static bool open_all(struct store *s, struct err *e)
{
        struct postgres *p = s->engine = calloc(1, sizeof *p);
        if (!p)
                abort();
        pool_open(&p->readers, s, s->is.readers, false);
        pool_open(&p->writers, s, s->is.writers, true);
        pthread_mutex_init(&p->again, NULL);
        const bool named = read_dsn(p, s->is.dsn, e);
        struct link *c = named ? pool_take(&p->writers, e) : NULL;
        if (named && !c) /* the address may hold a password, so it is not said */
                (void)err_both(e, ERR_BUSY, NULL,
                               "the database server cannot be reached (the log line above says why): start it, or correct the "
                               "setting store",
                               "无法连接数据库服务器（原因见上一行日志）：请启动数据库，或更正 store 设置");
        bool ok = c && make_schema(s, c, e);
        if (c)
                pool_give(&p->writers, c);
        if (!ok)
                close_all(s);
        return ok;
}

static bool no_backup(struct store *s, const char *path, void (*progress)(void *, double), void *ctx, struct err *e)
{
        (void)s, (void)path, (void)progress, (void)ctx;
        return err_set(e, ERR_INVALID, "this database is PostgreSQL's: back it up with pg_dump or continuous archiving");
}

const struct driver driver_postgres = {
        .open = open_all,
        .close = close_all,
        .write = write_one,
        .read = read_one,
        .backup = no_backup,
        .change = postgres_change,
        .send = postgres_send,
        .rows = postgres_rows,
        .next = postgres_next,
        .done = postgres_done,
        .null = postgres_null,
        .integer = postgres_integer,
        .real = postgres_real,
        .text = postgres_text,
        .blob = postgres_blob,
        .script = postgres_script,
        .prepares = postgres_prepares,
        .postgres = true,
};
