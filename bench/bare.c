/* bench/bare.c -- the raw limit of intake: the rows a run of the server has left, inserted again by a bare loop on one connection,
 * 64 cases a transaction, into empty tables with the same columns, keys and indexes.  No HTTP, no JSON, no rules.
 *
 * bench_bare sqlite FROM.db TO.db          the settings of the store: WAL, synchronous=FULL
 * bench_bare postgres DSN                  from schema public into schema bare, with prepared statements in pipeline mode
 * Prints one line of JSON.
 */
#include "base/base.h"
#include "base/clock.h"
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CASES_A_COMMIT = 64, COLUMNS_MOST = 40 };
/* What filing a report writes; the first table counts the cases. */
static const char *const tables[] = {"cases", "report", "reporter", "case_task", "case_clock", "history", "outbox", "timer"};
enum { TABLES = COUNT_OF(tables) };

static void die(const char *what, const char *why)
{
        fprintf(stderr, "bench_bare: %s: %s\n", what, why);
        exit(1);
}

/* Rows of table t that belong to the first `cases` of `all` cases: an even share. */
static size_t share(size_t rows, size_t cases, size_t all)
{
        return rows * cases / all;
}

static void report(size_t cases, size_t rows, int64_t usec)
{
        printf("{\"cases\":%zu,\"rows\":%zu,\"seconds\":%.3f,\"rate\":%.1f}\n", cases, rows, (double)usec / 1e6,
               (double)cases * 1e6 / (double)usec);
}

/* --- SQLite -------------------------------------------------------------------------------------------------------------- */
struct lite_table {
        sqlite3_value **cells;
        size_t rows;
        int columns;
        sqlite3_stmt *insert;
};

static void lite(sqlite3 *db, int status)
{
        if (status != SQLITE_OK && status != SQLITE_DONE && status != SQLITE_ROW)
                die("sqlite", sqlite3_errmsg(db));
}

static void lite_schema(sqlite3 *from, sqlite3 *to)
{
        sqlite3_stmt *s;
        lite(from, sqlite3_prepare_v2(from,
                                      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
                                      " AND name NOT LIKE 'search_index_%' AND type IN ('table',"
                                      " 'index')"
                                      " ORDER BY type DESC",
                                      -1, &s, NULL));
        while (sqlite3_step(s) == SQLITE_ROW)
                lite(to, sqlite3_exec(to, (const char *)sqlite3_column_text(s, 0), NULL, NULL, NULL));
        sqlite3_finalize(s);
}

static void lite_read(sqlite3 *from, sqlite3 *to, const char *table, struct lite_table *t)
{
        char sql[400];
        sqlite3_stmt *s;
        size_t room = 0;
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s", table);
        lite(from, sqlite3_prepare_v2(from, sql, -1, &s, NULL));
        t->columns = sqlite3_column_count(s);
        while (sqlite3_step(s) == SQLITE_ROW) {
                if (t->rows == room) {
                        room = room ? room * 2 : 1024;
                        t->cells = realloc(t->cells, room * (size_t)t->columns * sizeof *t->cells);
                        if (!t->cells)
                                die("memory", table);
                }
                for (int i = 0; i < t->columns; i++)
                        t->cells[t->rows * (size_t)t->columns + (size_t)i] = sqlite3_value_dup(sqlite3_column_value(s, i));
                t->rows++;
        }
        sqlite3_finalize(s);
        int n = snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?", table);
        for (int i = 1; i < t->columns; i++)
                n += snprintf(sql + n, sizeof sql - (size_t)n, ",?");
        (void)snprintf(sql + n, sizeof sql - (size_t)n, ")");
        lite(to, sqlite3_prepare_v2(to, sql, -1, &t->insert, NULL));
}

static void lite_insert(sqlite3 *to, const struct lite_table *t, size_t row)
{
        for (int i = 0; i < t->columns; i++)
                lite(to, sqlite3_bind_value(t->insert, i + 1, t->cells[row * (size_t)t->columns + (size_t)i]));
        lite(to, sqlite3_step(t->insert));
        lite(to, sqlite3_reset(t->insert));
}

static void run_sqlite(const char *from_path, const char *to_path)
{
        sqlite3 *from, *to;
        struct lite_table t[TABLES] = {0};
        size_t rows = 0;
        if (sqlite3_open_v2(from_path, &from, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK || sqlite3_open(to_path, &to) != SQLITE_OK)
                die("open", from_path);
        lite(to,
             sqlite3_exec(
                     to,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=32768",
                     NULL, NULL, NULL));
        lite_schema(from, to);
        for (size_t i = 0; i < TABLES; i++) {
                lite_read(from, to, tables[i], &t[i]);
                rows += t[i].rows;
        }
        const size_t all = t[0].rows;
        const int64_t began = clock_steady();
        for (size_t done = 0; done < all; done += CASES_A_COMMIT) {
                const size_t until = done + CASES_A_COMMIT < all ? done + CASES_A_COMMIT : all;
                lite(to, sqlite3_exec(to, "BEGIN IMMEDIATE", NULL, NULL, NULL));
                for (size_t i = 0; i < TABLES; i++)
                        for (size_t k = share(t[i].rows, done, all); k < share(t[i].rows, until, all); k++)
                                lite_insert(to, &t[i], k);
                lite(to, sqlite3_exec(to, "COMMIT", NULL, NULL, NULL));
        }
        report(all, rows, clock_steady() - began);
}

/* --- PostgreSQL ------------------------------------------------------------------------------------------------------------- */
struct pg_table {
        PGresult *rows;
        char name[24];
};

static PGresult *pg(PGconn *c, const char *sql)
{
        PGresult *r = PQexec(c, sql);
        if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
                die(sql, PQerrorMessage(c));
        return r;
}

static void pg_prepare(PGconn *c, const char *table, struct pg_table *t)
{
        char sql[400];
        (void)snprintf(sql, sizeof sql, "CREATE TABLE bare.%s (LIKE public.%s INCLUDING ALL)", table, table);
        PQclear(pg(c, sql));
        (void)snprintf(sql, sizeof sql, "SELECT * FROM public.%s", table);
        t->rows = pg(c, sql);
        int n = snprintf(sql, sizeof sql, "INSERT INTO bare.%s VALUES ($1", table);
        for (int i = 1; i < PQnfields(t->rows); i++)
                n += snprintf(sql + n, sizeof sql - (size_t)n, ",$%d", i + 1);
        (void)snprintf(sql + n, sizeof sql - (size_t)n, ")");
        (void)snprintf(t->name, sizeof t->name, "%s", table);
        PGresult *r = PQprepare(c, t->name, sql, 0, NULL);
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
                die(sql, PQerrorMessage(c));
        PQclear(r);
}

static void pg_send(PGconn *c, const struct pg_table *t, int row)
{
        const char *values[COLUMNS_MOST];
        for (int i = 0; i < PQnfields(t->rows); i++)
                values[i] = PQgetisnull(t->rows, row, i) ? NULL : PQgetvalue(t->rows, row, i);
        if (!PQsendQueryPrepared(c, t->name, PQnfields(t->rows), values, NULL, NULL, 0))
                die("send", PQerrorMessage(c));
}

/* Reads the answers of one transaction: as many as were sent, then the pipeline's end. */
static void pg_drain(PGconn *c)
{
        for (;;) {
                PGresult *r = PQgetResult(c);
                if (!r)
                        continue;
                const ExecStatusType status = PQresultStatus(r);
                if (status != PGRES_COMMAND_OK && status != PGRES_PIPELINE_SYNC)
                        die("insert", PQresultErrorMessage(r));
                PQclear(r);
                if (status == PGRES_PIPELINE_SYNC)
                        return;
        }
}

static void run_postgres(const char *dsn)
{
        PGconn *c = PQconnectdb(dsn);
        struct pg_table t[TABLES];
        size_t rows = 0;
        if (PQstatus(c) != CONNECTION_OK)
                die("connect", PQerrorMessage(c));
        PQclear(pg(c, "SET client_min_messages = error"));
        PQclear(pg(c, "DROP SCHEMA IF EXISTS bare CASCADE"));
        PQclear(pg(c, "CREATE SCHEMA bare"));
        for (size_t i = 0; i < TABLES; i++) {
                pg_prepare(c, tables[i], &t[i]);
                rows += (size_t)PQntuples(t[i].rows);
        }
        const size_t all = (size_t)PQntuples(t[0].rows);
        if (!PQenterPipelineMode(c))
                die("pipeline", PQerrorMessage(c));
        const int64_t began = clock_steady();
        for (size_t done = 0; done < all; done += CASES_A_COMMIT) {
                const size_t until = done + CASES_A_COMMIT < all ? done + CASES_A_COMMIT : all;
                /* Between two syncs a pipeline is one transaction. */
                for (size_t i = 0; i < TABLES; i++)
                        for (size_t k = share((size_t)PQntuples(t[i].rows), done, all);
                             k < share((size_t)PQntuples(t[i].rows), until, all); k++)
                                pg_send(c, &t[i], (int)k);
                if (!PQpipelineSync(c))
                        die("sync", PQerrorMessage(c));
                pg_drain(c);
        }
        report(all, rows, clock_steady() - began);
        PQfinish(c);
}

int main(int argc, char **argv)
{
        if (argc == 4 && strcmp(argv[1], "sqlite") == 0)
                run_sqlite(argv[2], argv[3]);
        else if (argc == 3 && strcmp(argv[1], "postgres") == 0)
                run_postgres(argv[2]);
        else {
                fprintf(stderr, "use: bench_bare sqlite FROM.db TO.db | bench_bare postgres DSN\n");
                return 2;
        }
        return 0;
}
