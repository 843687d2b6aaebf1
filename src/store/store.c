/* store/store.c -- the public functions: options, dispatch to the driver, planned faults, broken transactions. */
#include "store/store.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"
#include <stdlib.h>

static const char SQL_ALIVE[] = "SELECT 1";
static const char CHECK_PAGES[] = "PRAGMA integrity_check(1)"; /* SQLite's alone */

/* --- values ---------------------------------------------------------------------------- */

struct value value_int(int64_t i)
{
        return (struct value){.kind = VALUE_INT, .u.i = i};
}

struct value value_bool(bool b)
{
        return value_int(b);
}

struct value value_real(double r)
{
        return (struct value){.kind = VALUE_REAL, .u.r = r};
}

struct value value_text(const char *text)
{
        return text ? (struct value){.kind = VALUE_TEXT, .u.text = text} : V_NULL;
}

struct value value_blob(const void *bytes, size_t n)
{
        return bytes ? (struct value){.kind = VALUE_BLOB, .u.blob = bytes, .n = n} : V_NULL;
}

/* --- shared with the drivers ------------------------------------------------------------- */

bool err_busy(struct err *e, const char *why)
{
        log_event(LOG_WARN, "store.busy", "cause=\"%s\"", why);
        return err_both(e, ERR_BUSY, NULL, "the system is busy; please try again in a moment", "系统繁忙，请稍后重试");
}

bool err_full(struct err *e, const char *why)
{
        log_event(LOG_ERROR, "store.full", "cause=\"%s\"", why);
        return err_both(e, ERR_BUSY, NULL, "the disk of the database is full; nothing can be stored until there is room again",
                        "数据库磁盘已满，腾出空间前无法保存");
}

bool err_damaged(struct err *e, const char *why)
{
        log_event(LOG_ERROR, "store.damaged", "cause=\"%s\"", why);
        return err_both(e, ERR_FAULT, NULL, "the database file is damaged (%.120s): stop the program and restore the last backup",
                        "数据库文件已损坏（%.120s）：请停止程序并恢复最近的备份", why);
}

bool err_conflict(struct err *e, const char *what)
{
        return err_both(e, ERR_CONFLICT, NULL, "this exists already or is still referred to (%s)", "该记录已存在，或仍被引用（%s）",
                        what);
}

void cond_steady(pthread_cond_t *cond)
{
        pthread_condattr_t how;
        pthread_condattr_init(&how);
        pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
        pthread_cond_init(cond, &how);
        pthread_condattr_destroy(&how);
}

struct timespec time_after(int ms)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec += ms / 1000;
        t.tv_nsec += (long)(ms % 1000) * 1000000;
        if (t.tv_nsec >= 1000000000) {
                t.tv_sec++;
                t.tv_nsec -= 1000000000;
        }
        return t;
}

void store_queue_note(struct store *s, long long now)
{
        atomic_store_explicit(&s->count.queue_now, now, memory_order_relaxed);
        if (now > atomic_load_explicit(&s->count.queue_most, memory_order_relaxed))
                atomic_store_explicit(&s->count.queue_most, now, memory_order_relaxed);
}

bool store_fault(struct store *s, struct err *e)
{
        if (atomic_load_explicit(&s->fail_at, memory_order_relaxed) <= 0 || atomic_fetch_sub(&s->fail_at, 1) != 1)
                return false;
        atomic_store(&s->failed, true);
        (void)err_set(e, ERR_BUSY, "planned failure");
        return true;
}

void tx_begin(struct tx *tx, struct store *s, void *connection, int number, bool writes)
{
        tx->store = s;
        tx->connection = connection;
        tx->writer = number;
        tx->writes = writes;
        tx->planned = tx->broken = false;
}

bool tx_run(struct tx *tx, tx_fn *fn, void *ctx, struct err *e)
{
        e->kind = ERR_NONE;
        e->field[0] = e->text[0] = e->zh[0] = '\0';
        if (!fn(tx, ctx, e)) {
                if (e->kind == ERR_NONE && tx->broken)
                        *e = tx->cause;
                return false;
        }
        if (tx->broken)
                *e = tx->cause;
        return !tx->broken;
}

/* --- opening and the whole store ----------------------------------------------------------- */

static const struct driver *driver_of(const char *dsn, struct err *e)
{
        if (strncmp(dsn, "sqlite:", 7) == 0 && dsn[7])
                return &driver_sqlite;
        if (strncmp(dsn, "postgres://", 11) == 0 || strncmp(dsn, "postgresql://", 13) == 0)
                return &driver_postgres;
        (void)err_set(e, ERR_INVALID, "the database must be given as sqlite:PATH or postgres://user@host:port/name");
        return NULL;
}

static int or_else(int given, int otherwise)
{
        return given > 0 ? given : otherwise;
}

static struct store *store_new(const struct driver *driver, const struct store_options *o)
{
        struct store *s = calloc(1, sizeof *s), *view = calloc(1, sizeof *view);
        if (!s || !view)
                abort();
        s->driver = view->driver = driver;
        s->root = view->root = s;
        s->view = view;
        s->is = *o;
        s->is.readers = or_else(o->readers, 4);
        s->is.writers = or_else(o->writers, 4);
        s->is.batch = or_else(o->batch, 64);
        s->is.queue = or_else(o->queue, 1024);
        s->is.busy_ms = or_else(o->busy_ms, 5000);
        s->is.dsn = s->dsn = strdup(o->dsn);
        if (!s->dsn)
                abort();
        return s;
}

static void store_free(struct store *s)
{
        free(s->dsn);
        free(s->view);
        free(s);
}

bool store_open(struct store **out, const struct store_options *o, struct err *e)
{
        *out = NULL;
        const struct driver *driver = driver_of(o->dsn, e);
        if (!driver)
                return false;
        if (o->archive && !driver->archive)
                return err_both(e, ERR_INVALID, "archive",
                                "archive is for SQLite; PostgreSQL archives with its own tools, see doc/operations.md",
                                "archive 仅用于 SQLite；PostgreSQL 请用其自带工具归档，见 doc/operations.md");
        struct store *s = store_new(driver, o);
        if (!driver->open(s, e)) {
                store_free(s);
                return false;
        }
        if (!store_migrate(s, o->migrations, e) || !store_take_node(s, e)) {
                store_close(&s);
                return false;
        }
        *out = s;
        return true;
}

void store_close(struct store **s)
{
        if (!*s)
                return;
        assert((*s)->root == *s);
        (*s)->driver->close(*s);
        store_free(*s);
        *s = NULL;
}

struct store *store_readonly(struct store *s)
{
        return s->root->view;
}

int store_node(const struct store *s)
{
        return s->root->node;
}

bool store_is_postgres(const struct store *s)
{
        return s->driver->postgres;
}

static bool alive(struct tx *tx, void *ctx, struct err *e)
{
        int64_t one;
        (void)ctx;
        return tx_int(tx, &one, 0, e, SQL_ALIVE, NO_ARGS);
}

bool store_alive(struct store *s, struct err *e)
{
        return store_read(s, alive, NULL, e);
}

static bool whole(struct tx *tx, void *ctx, struct err *e)
{
        struct rows r;
        struct err late;
        (void)ctx;
        int found = tx_first(tx, &r, e, CHECK_PAGES, NO_ARGS);
        if (found <= 0)
                return found == 0;
        const char *words = tx->store->driver->text(&r, 0);
        const bool ok = words && strcmp(words, "ok") == 0;
        const char *line = words ? strrchr(words, '\n') : NULL; /* the first is a heading */
        if (!ok)
                (void)err_damaged(e, line ? line + 1 : words ? words : "");
        return rows_done(&r, ok ? e : &late) && ok;
}

bool store_whole(struct store *s, struct err *e)
{
        return s->driver->postgres || store_read(s, whole, NULL, e);
}

bool store_backup(struct store *s, const char *path, void (*progress)(void *, double share), void *ctx, struct err *e)
{
        return s->driver->backup(s->root, path, progress, ctx, e);
}

bool store_archive(const struct store *s, struct archive_figures *out)
{
        return s->driver->archive && s->driver->archive(s->root, out);
}

struct store_figures store_figures(const struct store *s)
{
        const struct store *r = s->root;
        return (struct store_figures){
                .commits = atomic_load(&r->count.commits),
                .members = atomic_load(&r->count.members),
                .retries = atomic_load(&r->count.retries),
                .alone = atomic_load(&r->count.alone),
                .queue_now = atomic_load(&r->count.queue_now),
                .queue_most = atomic_load(&r->count.queue_most),
                .busy = atomic_load(&r->count.busy),
                .refused = atomic_load(&r->count.refused),
                .reconnects = atomic_load(&r->count.reconnects),
        };
}

struct histogram *store_times(struct store *s)
{
        return &s->root->times;
}

void store_fail_at(struct store *s, int64_t n)
{
        atomic_store(&s->root->failed, false);
        atomic_store(&s->root->fail_at, n);
}

bool store_failed(const struct store *s)
{
        return atomic_load(&s->root->failed);
}

/* --- transactions ---------------------------------------------------------------------------- */

bool store_write(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        if (s->root != s)
                return err_set(e, ERR_FAULT, "a write was tried through a read-only store");
        const int64_t asked = clock_steady();
        if (s->driver->write(s, fn, ctx, e)) {
                histogram_count(&s->times, clock_steady() - asked);
                return true;
        }
        atomic_fetch_add_explicit(e->kind == ERR_BUSY ? &s->count.busy : &s->count.refused, 1, memory_order_relaxed);
        return false;
}

bool store_read(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        return s->driver->read(s->root, fn, ctx, e);
}

/* --- statements -------------------------------------------------------------------------------- */

/* Remembers the first failure, so that the transaction cannot commit.  Always false. */
static bool tx_break(struct tx *tx, const struct err *e)
{
        if (!tx->broken) {
                tx->broken = true;
                tx->cause = *e;
        }
        return false;
}

static bool tx_may(struct tx *tx, struct err *e)
{
        if (tx->broken) {
                *e = tx->cause;
                return false;
        }
        if (store_fault(tx->store, e)) {
                tx->planned = true;
                return tx_break(tx, e);
        }
        return true;
}

int tx_change(struct tx *tx, struct err *e, const char *sql, const struct value *args)
{
        if (!tx_may(tx, e))
                return -1;
        int n = tx->store->driver->change(tx, e, sql, args);
        if (n < 0)
                tx_break(tx, e);
        return n;
}

int tx_expect(struct tx *tx, struct err *e, const char *sql, const struct value *args, int usual)
{
        if (!tx_may(tx, e))
                return -1;
        int n = tx->store->driver->expect(tx, e, sql, args, usual);
        if (n < 0)
                tx_break(tx, e);
        return n;
}

bool tx_send(struct tx *tx, struct err *e, const char *sql, const struct value *args)
{
        return tx_may(tx, e) && (tx->store->driver->send(tx, e, sql, args) || tx_break(tx, e));
}

bool tx_rows(struct tx *tx, struct rows *r, struct err *e, const char *sql, const struct value *args)
{
        *r = (struct rows){.tx = tx, .row = -1};
        if (!tx_may(tx, e))
                return false;
        return tx->store->driver->rows(tx, r, e, sql, args) || tx_break(tx, e);
}

bool rows_next(struct rows *r)
{
        return r->tx->store->driver->next(r);
}

bool rows_done(struct rows *r, struct err *e)
{
        return r->tx->store->driver->done(r, e) || tx_break(r->tx, e);
}

bool rows_null(const struct rows *r, int i)
{
        return r->tx->store->driver->null(r, i);
}

int64_t rows_int(const struct rows *r, int i)
{
        return r->tx->store->driver->integer(r, i);
}

double rows_real(const struct rows *r, int i)
{
        return r->tx->store->driver->real(r, i);
}

char *rows_text(const struct rows *r, struct arena *a, int i)
{
        return arena_text(a, r->tx->store->driver->text(r, i));
}

void *rows_blob(const struct rows *r, struct arena *a, int i, size_t *n)
{
        return r->tx->store->driver->blob(r, a, i, n);
}

int tx_first(struct tx *tx, struct rows *r, struct err *e, const char *sql, const struct value *args)
{
        if (!tx_rows(tx, r, e, sql, args))
                return -1;
        if (rows_next(r))
                return 1;
        return rows_done(r, e) ? 0 : -1;
}

bool tx_int(struct tx *tx, int64_t *out, int64_t otherwise, struct err *e, const char *sql, const struct value *args)
{
        struct rows r;
        int found = tx_first(tx, &r, e, sql, args);
        *out = found > 0 && !rows_null(&r, 0) ? rows_int(&r, 0) : otherwise;
        return found > 0 ? rows_done(&r, e) : found == 0;
}

bool tx_script(struct tx *tx, const char *sql, struct err *e)
{
        if (!tx_may(tx, e))
                return false;
        return tx->store->driver->script(tx, sql, e) || tx_break(tx, e);
}

bool tx_prepares(struct tx *tx, const char *sql, struct err *e)
{
        return tx->store->driver->prepares(tx, sql, e);
}

bool tx_is_postgres(const struct tx *tx)
{
        return tx->store->driver->postgres;
}

int tx_writer(const struct tx *tx)
{
        return tx->store->root->node * tx->store->root->is.writers + tx->writer;
}
