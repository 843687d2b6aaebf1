/* store/postgres.c -- the PostgreSQL engine: its address, a new connection, opening and closing. */
#include "base/log.h"
#include "store/inside.h"
#include <ctype.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static const char SQL_SCHEMA_THERE[] = "SELECT 1 FROM pg_namespace WHERE nspname = $1";
/* bytea as hex, since postgres_blob() reads it so; commits must be durable whatever the server's default is. */
static const char SETUP[] =
        "SET client_min_messages = warning; SET timezone = 'UTC'; SET bytea_output = 'hex';"
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';";

/* --- connections --------------------------------------------------------------------------- */

void link_free(struct link *c)
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

struct link *link_new(struct store *s, bool writes, struct err *e)
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

/* --- transactions -------------------------------------------------------------------------------------- */

static bool write_one(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        struct postgres *p = s->engine;
        return postgres_transact(&p->writers, fn, ctx, e);
}

static bool read_one(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        struct postgres *p = s->engine;
        return postgres_transact(&p->readers, fn, ctx, e);
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
                if (n - 8 >= sizeof p->schema || n == 8)
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
        struct call none = {.ctx = NULL};
        struct link *c = pool_take(&p->writers, &none, &e);
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
        struct call none = {.ctx = NULL};
        const bool named = read_dsn(p, s->is.dsn, e);
        struct link *c = named ? pool_take(&p->writers, &none, e) : NULL;
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
        .expect = postgres_expect,
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
