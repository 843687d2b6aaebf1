/* bench/store_writers.c -- what the store costs: 64 threads that each file cases of 10 rows by store_write(),
 * beside a bare loop of the same statements with 64 cases a transaction, on the same schema and settings.
 *
 * bench_store_writers [FOLDER [CASES [THREADS [DSN]]]]   prints one line of JSON
 */
#include "base/clock.h"
#include "base/text.h"
#include "base/log.h"
#include "store/store.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The same words for both; the store's dialect has others for them. */
#define TABLES(SERIAL, NUMBER) \
        "CREATE TABLE report (id INTEGER PRIMARY KEY, channel TEXT NOT NULL, external TEXT NOT NULL, at INTEGER NOT NULL," \
        " lon REAL, lat REAL, text TEXT NOT NULL);" \
        "CREATE UNIQUE INDEX report_external ON report (channel, external);" \
        "CREATE TABLE matter (id INTEGER PRIMARY KEY, number TEXT NOT NULL, state TEXT NOT NULL, unit TEXT NOT NULL," \
        " item TEXT NOT NULL, area TEXT NOT NULL, title TEXT NOT NULL, due INTEGER NOT NULL);" \
        "CREATE UNIQUE INDEX matter_number ON matter (number);" \
        "CREATE INDEX matter_unit ON matter (unit, state, id);" \
        "CREATE INDEX matter_item ON matter (item, id);" \
        "CREATE INDEX matter_area ON matter (area, id);" \
        "CREATE TABLE job (id INTEGER PRIMARY KEY, matter INTEGER NOT NULL, unit TEXT NOT NULL, state TEXT NOT NULL," \
        " due INTEGER NOT NULL);" \
        "CREATE INDEX job_matter ON job (matter);" \
        "CREATE INDEX job_unit ON job (unit, state, due);" \
        "CREATE TABLE history (id INTEGER PRIMARY KEY, matter INTEGER NOT NULL, move TEXT NOT NULL, actor TEXT NOT NULL," \
        " at INTEGER NOT NULL, hash BLOB NOT NULL);" \
        "CREATE INDEX history_matter ON history (matter);" \
        "CREATE TABLE clock (matter INTEGER NOT NULL, name TEXT NOT NULL, due INTEGER NOT NULL, PRIMARY KEY (matter, name))" \
        " WITHOUT ROWID;" \
        "CREATE TABLE event (seq " SERIAL ", tx INTEGER NOT NULL DEFAULT " NUMBER ", topic TEXT NOT NULL, key TEXT NOT NULL," \
        " body TEXT NOT NULL);" \
        "CREATE TABLE alarm (kind TEXT NOT NULL, key TEXT NOT NULL, wake INTEGER NOT NULL, PRIMARY KEY (kind, key))" \
        " WITHOUT ROWID;" \
        "CREATE INDEX alarm_wake ON alarm (wake);"

static const char SCHEMA[] = TABLES("SERIAL_KEY", "TX_NUMBER");
static const char SCHEMA_BARE[] = TABLES("INTEGER PRIMARY KEY", "0");
/* As the store's, and checkpoints as seldom as the store makes them while writers wait. */
static const char SETUP_BARE[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=32768";

static const char SQL_REPORT[] =
        "INSERT INTO report (id, channel, external, at, lon, lat, text) VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char SQL_MATTER[] =
        "INSERT INTO matter (id, number, state, unit, item, area, title, due) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char SQL_JOB[] = "INSERT INTO job (id, matter, unit, state, due) VALUES ($1, $2, $3, $4, $5)";
static const char SQL_HISTORY[] = "INSERT INTO history (id, matter, move, actor, at, hash) VALUES ($1, $2, $3, $4, $5, $6)";
static const char SQL_CLOCK[] = "INSERT INTO clock (matter, name, due) VALUES ($1, $2, $3)";
static const char SQL_EVENT[] = "INSERT INTO event (topic, key, body) VALUES ($1, $2, $3)";
static const char SQL_ALARM[] =
        "INSERT INTO alarm (kind, key, wake) VALUES ($1, $2, $3) ON CONFLICT (kind, key) DO UPDATE SET wake = excluded.wake";

static const char TEXT[] =
        "市民来电反映：某小区东门外道路井盖破损，夜间车辆经过时噪音很大，存在安全隐患，希望有关部门尽快派人到现场查看并处理，"
        "处理后请回复市民。";
enum { CASES_A_TRANSACTION = 64 };

struct filing {
        int64_t id;
        char number[32], external[32], key[40], unit[16], item[16], area[16];
        unsigned char hash[32];
};

static void make(struct filing *f, int64_t n)
{
        uint64_t r = (uint64_t)n * UINT64_C(0x9E3779B97F4A7C15);
        f->id = 1000000000000 + n * 16;
        snprintf(f->number, sizeof f->number, "PS20261123%010lld", (long long)n);
        snprintf(f->external, sizeof f->external, "x%016llx", (unsigned long long)r);
        snprintf(f->key, sizeof f->key, "%lld", (long long)f->id);
        snprintf(f->unit, sizeof f->unit, "unit%03d", (int)(r >> 40) % 60);
        snprintf(f->item, sizeof f->item, "item%03d", (int)(r >> 30) % 400);
        snprintf(f->area, sizeof f->area, "area%03d", (int)(r >> 20) % 120);
        memset(f->hash, (int)(r & 255), sizeof f->hash);
}

static bool file_case(struct tx *tx, void *ctx, struct err *e)
{
        const struct filing *f = ctx;
        int64_t i = f->id;
        return tx_change(tx, e, SQL_REPORT, ARGS(V(i), V("hotline"), V(f->external), V(i), V(114.3), V(22.7), V(TEXT))) == 1
               && tx_change(tx, e, SQL_MATTER,
                            ARGS(V(i), V(f->number), V("open"), V(f->unit), V(f->item), V(f->area), V("井盖破损"), V(i)))
                          == 1
               && tx_change(tx, e, SQL_JOB, ARGS(V(i), V(i), V(f->unit), V("new"), V(i))) == 1
               && tx_change(tx, e, SQL_JOB, ARGS(V(i + 1), V(i), V(f->area), V("new"), V(i))) == 1
               && tx_change(tx, e, SQL_HISTORY, ARGS(V(i), V(i), V("file"), V("channel"), V(i), V_BLOB(f->hash, 32))) == 1
               && tx_change(tx, e, SQL_HISTORY, ARGS(V(i + 1), V(i), V("dispatch"), V("rule"), V(i), V_BLOB(f->hash, 32))) == 1
               && tx_change(tx, e, SQL_CLOCK, ARGS(V(i), V("sign"), V(i))) == 1
               && tx_change(tx, e, SQL_CLOCK, ARGS(V(i), V("handle"), V(i))) == 1
               && tx_change(tx, e, SQL_EVENT, ARGS(V("case.filed"), V(f->key), V("{\"state\":\"open\"}"))) == 1
               && tx_change(tx, e, SQL_ALARM, ARGS(V("clock"), V(f->key), V(i))) == 1;
}

static void die(const char *what)
{
        fprintf(stderr, "%s\n", what);
        exit(1);
}

/* --- the bare loop ------------------------------------------------------------------------- */

struct bare {
        sqlite3 *db;
        sqlite3_stmt *begin, *commit, *q[7];
};

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
        sqlite3_stmt *q;
        if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
                die(sqlite3_errmsg(db));
        return q;
}

static void step(sqlite3_stmt *q)
{
        if (sqlite3_step(q) != SQLITE_DONE)
                die(sqlite3_errmsg(sqlite3_db_handle(q)));
        sqlite3_reset(q);
}

/* format: i integer, r real, s text, b blob of 32 bytes.  In order of first appearance, which here is $1, $2, ... */
static void insert(sqlite3_stmt *q, const char *format, ...)
{
        va_list v;
        va_start(v, format);
        for (int i = 1; format[i - 1]; i++) {
                switch (format[i - 1]) {
                case 'i':
                        sqlite3_bind_int64(q, i, va_arg(v, int64_t));
                        break;
                case 'r':
                        sqlite3_bind_double(q, i, va_arg(v, double));
                        break;
                case 's':
                        sqlite3_bind_text(q, i, va_arg(v, const char *), -1, SQLITE_STATIC);
                        break;
                default:
                        sqlite3_bind_blob(q, i, va_arg(v, const void *), 32, SQLITE_STATIC);
                        break;
                }
        }
        va_end(v);
        step(q);
}

static void file_bare(struct bare *b, const struct filing *f)
{
        int64_t i = f->id;
        insert(b->q[0], "issirrs", i, "hotline", f->external, i, 114.3, 22.7, TEXT);
        insert(b->q[1], "issssssi", i, f->number, "open", f->unit, f->item, f->area, "井盖破损", i);
        insert(b->q[2], "iissi", i, i, f->unit, "new", i);
        insert(b->q[2], "iissi", i + 1, i, f->area, "new", i);
        insert(b->q[3], "iissib", i, i, "file", "channel", i, f->hash);
        insert(b->q[3], "iissib", i + 1, i, "dispatch", "rule", i, f->hash);
        insert(b->q[4], "isi", i, "sign", i);
        insert(b->q[4], "isi", i, "handle", i);
        insert(b->q[5], "sss", "case.filed", f->key, "{\"state\":\"open\"}");
        insert(b->q[6], "ssi", "clock", f->key, i);
}

static double run_bare(const char *path, int cases)
{
        static const char *const sql[] = {SQL_REPORT, SQL_MATTER, SQL_JOB, SQL_HISTORY, SQL_CLOCK, SQL_EVENT, SQL_ALARM};
        struct bare b;
        struct filing f;
        if (sqlite3_open(path, &b.db) != SQLITE_OK || sqlite3_exec(b.db, SETUP_BARE, NULL, NULL, NULL) != SQLITE_OK
            || sqlite3_exec(b.db, SCHEMA_BARE, NULL, NULL, NULL) != SQLITE_OK)
                die(sqlite3_errmsg(b.db));
        b.begin = prepare(b.db, "BEGIN IMMEDIATE");
        b.commit = prepare(b.db, "COMMIT");
        for (int i = 0; i < 7; i++)
                b.q[i] = prepare(b.db, sql[i]);
        int64_t from = clock_steady();
        for (int n = 0; n < cases; n++) {
                if (n % CASES_A_TRANSACTION == 0)
                        step(b.begin);
                make(&f, n);
                file_bare(&b, &f);
                if (n % CASES_A_TRANSACTION == CASES_A_TRANSACTION - 1 || n == cases - 1)
                        step(b.commit);
        }
        double seconds = (double)(clock_steady() - from) / 1e6;
        sqlite3_finalize(b.begin);
        sqlite3_finalize(b.commit);
        for (int i = 0; i < 7; i++)
                sqlite3_finalize(b.q[i]);
        sqlite3_close(b.db);
        return cases / seconds;
}

/* --- the store --------------------------------------------------------------------------------- */

struct load {
        struct store *store;
        atomic_int next;
        int cases;
        int *micros;
};

static void *worker(void *arg)
{
        struct load *l = arg;
        struct filing f;
        struct err e;
        for (int n; (n = atomic_fetch_add(&l->next, 1)) < l->cases;) {
                int64_t from = clock_steady();
                make(&f, n);
                if (!store_write(l->store, file_case, &f, &e))
                        die(e.text);
                l->micros[n] = (int)(clock_steady() - from);
        }
        return NULL;
}

static int by_size(const void *a, const void *b)
{
        return *(const int *)a - *(const int *)b;
}

static double run_store(const char *dsn, int cases, int threads, struct load *l, struct store_figures *figures)
{
        static const struct migration schema[] = {{"bench", 1, SCHEMA}, {0}};
        struct store_options o = {.dsn = dsn, .migrations = schema};
        struct err e;
        pthread_t *t = calloc((size_t)threads, sizeof *t);
        l->micros = calloc((size_t)cases, sizeof *l->micros);
        if (!t || !l->micros || !store_open(&l->store, &o, &e))
                die(e.text);
        l->cases = cases;
        int64_t from = clock_steady();
        for (int i = 0; i < threads; i++) {
                if (pthread_create(&t[i], NULL, worker, l) != 0)
                        die("pthread_create");
        }
        for (int i = 0; i < threads; i++)
                pthread_join(t[i], NULL);
        double seconds = (double)(clock_steady() - from) / 1e6;
        *figures = store_figures(l->store);
        qsort(l->micros, (size_t)cases, sizeof *l->micros, by_size);
        free(t);
        store_close(&l->store);
        return cases / seconds;
}

static double milliseconds(const struct load *l, int64_t i)
{
        return (double)l->micros[i] / 1e3;
}

int main(int argc, char **argv)
{
        const char *folder = argc > 1 ? argv[1] : "/tmp";
        int64_t cases = 30000, threads = 64;
        if ((argc > 2 && !text_to_int(argv[2], &cases)) || (argc > 3 && !text_to_int(argv[3], &threads)))
                die("use: bench_store_writers FOLDER CASES THREADS DSN");
        char path[512], dsn[600];
        struct load l = {0};
        struct store_figures g;
        struct rusage use;
        log_least(LOG_WARN);
        snprintf(path, sizeof path, "%s/bench-store-%d.db", folder, (int)getpid());
        snprintf(dsn, sizeof dsn, "sqlite:%s", path);
        double raw = 0;
        if (argc <= 4) {
                raw = run_bare(path, (int)cases);
                unlink(path);
        }
        double ours = run_store(argc > 4 ? argv[4] : dsn, (int)cases, (int)threads, &l, &g);
        getrusage(RUSAGE_SELF, &use);
        printf("{\"rate\":%.0f,\"raw\":%.0f,\"ratio\":%.2f,"
               "\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"worst_ms\":%.1f,\"batch\":%.1f,\"rss_mb\":%ld}\n",
               ours, raw, raw > 0 ? ours / raw : 0, milliseconds(&l, cases / 2), milliseconds(&l, cases * 99 / 100),
               milliseconds(&l, cases - 1), (double)g.members / (double)(g.commits ? g.commits : 1), use.ru_maxrss / 1024);
        free(l.micros);
        unlink(path);
        return 0;
}
