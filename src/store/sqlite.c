/* store/sqlite.c -- the SQLite engine: connections, the readers' pool, backup.
 *
 * WAL; one connection writes (sqlite_writer.c), and it and one beside it checkpoint (sqlite_checkpoint.c).  Readers are opened
 * read-only and never checkpoint.
 */
#include "archive/archive.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SQL_BEGIN_READ[] = "BEGIN";
static const char SQL_END_READ[] = "COMMIT";
static const char SQL_UNDO_READ[] = "ROLLBACK";
static const char SQL_LOOK[] = "SELECT count(*) FROM sqlite_schema"; /* takes the snapshot */

/* foreign_keys costs only where a schema declares one, so it is on.  No mmap: it would count as our memory. */
static const char SETUP[] = "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;";
static const char SETUP_WRITER[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536; PRAGMA journal_size_limit=268435456;";
static const char SETUP_TEMPORARY[] = "PRAGMA synchronous=OFF;"; /* gone at close anyway */
static const char SETUP_READER[] = "PRAGMA query_only=ON; PRAGMA cache_size=-8192;";

enum { BACKUP_STEP = 256 /* pages */, SETUP_AGAIN_MS = 20 };

/* --- connections --------------------------------------------------------------------------- */

void connection_close(struct connection **c)
{
        struct err ignored;
        if (!*c)
                return;
        if (!sqlite_finish(*c, NULL, &ignored))
                log_err(LOG_ERROR, "store.close", &ignored);
        sqlite_forget(*c);
        if (sqlite3_close((*c)->db) != SQLITE_OK)
                log_event(LOG_ERROR, "store.close", "cause=\"%s\"", sqlite3_errmsg((*c)->db));
        free(*c);
        *c = NULL;
}

static bool setup(struct connection *c, const char *sql, struct err *e)
{
        int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
        return rc == SQLITE_OK || sqlite_error(c, rc, sql, e);
}

/* Of two that turn a new file to WAL at the same moment, SQLite tells one at once that it is busy, without its usual wait. */
static bool setup_writer(struct connection *c, int busy_ms, struct err *e)
{
        const int64_t until = clock_steady() + (int64_t)busy_ms * 1000;
        while (!setup(c, SETUP_WRITER, e)) {
                if (e->kind != ERR_BUSY || clock_steady() > until)
                        return false;
                sqlite3_sleep(SETUP_AGAIN_MS);
        }
        return true;
}

static struct connection *connection_new(struct store *s, bool writes, struct err *e)
{
        struct sqlite *q = s->engine;
        struct connection *c = calloc(1, sizeof *c);
        if (!c)
                abort();
        int flags = SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
        int rc = sqlite3_open_v2(q->path, &c->db, flags, NULL);
        if (rc != SQLITE_OK) {
                (void)err_set(e, ERR_FAULT, "cannot open the database %s: %s", q->path, sqlite3_errmsg(c->db));
                connection_close(&c);
                return NULL;
        }
        if (writes && sqlite3_db_readonly(c->db, "main") == 1) { /* SQLite opens what it cannot write for reading */
                (void)err_unwritable(e, q->path);
                connection_close(&c);
                return NULL;
        }
        sqlite3_extended_result_codes(c->db, 0);
        sqlite3_busy_timeout(c->db, s->is.busy_ms);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
        bool ok = setup(c, SETUP, e) && (writes ? setup_writer(c, s->is.busy_ms, e) : setup(c, SETUP_READER, e))
                  && (!writes || !q->folder || setup(c, SETUP_TEMPORARY, e));
        sqlite3_wal_autocheckpoint(c->db, 0); /* after journal_mode, which sets it anew */
        /* The next keeper of the archive knows by the log that it missed nothing: the last to close must not remove it. */
        sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, q->archived, NULL);
        if (!ok)
                connection_close(&c);
        return c;
}

/* Personal data: nobody else's file from the first moment on. */
static void make_file(const char *path)
{
        int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
        if (fd >= 0)
                close(fd);
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* A private file in memory, so that readers see what the writer commits. */
static bool place(struct store *s, struct sqlite *q, struct err *e)
{
        const char *path = s->is.dsn + strlen("sqlite:");
        if (strcmp(path, ":memory:") != 0) {
                q->path = strdup(path);
                return q->path || (abort(), false);
        }
        char folder[64];
        snprintf(folder, sizeof folder, "%s/yiwang-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (!mkdtemp(folder))
                return err_set(e, ERR_FAULT, "cannot make a temporary folder: %s", strerror(errno));
        q->folder = strdup(folder);
        if (!q->folder || asprintf(&q->path, "%s/db", folder) < 0)
                abort();
        return true;
}

static void remove_files(struct sqlite *q)
{
        static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
        char name[128];
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
                snprintf(name, sizeof name, "%s%s", q->path, ends[i]);
                unlink(name);
        }
        rmdir(q->folder);
}

static void close_all(struct store *s)
{
        struct sqlite *q = s->engine;
        while (q->idle_count > 0)
                connection_close(&q->idle[--q->idle_count]);
        if (q->writer)
                writer_stop(&q->writer); /* and the archive with it */
        if (q->folder)
                remove_files(q);
        pthread_mutex_destroy(&q->lock);
        pthread_cond_destroy(&q->freed);
        free(q->idle);
        free(q->path);
        free(q->folder);
        free(q);
        s->engine = NULL;
}

static bool open_readers(struct store *s, struct err *e)
{
        struct sqlite *q = s->engine;
        for (; q->idle_count < s->is.readers; q->idle_count++) {
                if (!(q->idle[q->idle_count] = connection_new(s, false, e)))
                        return false;
        }
        return true;
}

static struct archive *start_archive(struct store *s)
{
        struct sqlite *q = s->engine;
        struct archive_options o = *s->is.archive;
        o.database = q->path;
        return archive_start(&o);
}

static bool open_all(struct store *s, struct err *e)
{
        struct sqlite *q = s->engine = calloc(1, sizeof *q);
        if (!q || !(q->idle = calloc((size_t)s->is.readers, sizeof(struct connection *))))
                abort();
        pthread_mutex_init(&q->lock, NULL);
        cond_steady(&q->freed);
        struct connection *c = NULL, *beside = NULL;
        if (place(s, q, e)) {
                make_file(q->path);
                q->archived = s->is.archive && !q->folder;
                c = connection_new(s, true, e);
                beside = c ? connection_new(s, true, e) : NULL;
        }
        if (!beside && c)
                connection_close(&c);
        if (c && q->archived)
                q->archive = start_archive(s);
        if (c)
                q->writer = writer_start(s, c, beside, q->archive);
        if (c && open_readers(s, e))
                return true;
        close_all(s);
        return false;
}

/* --- transactions ------------------------------------------------------------------------------- */

static bool write_one(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        struct sqlite *q = s->engine;
        return writer_submit(q->writer, fn, ctx, e);
}

static struct connection *reader_take(struct store *s)
{
        struct sqlite *q = s->engine;
        struct connection *c = NULL;
        struct timespec until = {0};
        pthread_mutex_lock(&q->lock);
        int rc = 0;
        while (q->idle_count == 0 && rc != ETIMEDOUT) {
                if (until.tv_sec == 0)
                        until = time_after(s->is.busy_ms);
                rc = pthread_cond_timedwait(&q->freed, &q->lock, &until);
        }
        if (q->idle_count > 0)
                c = q->idle[--q->idle_count]; /* the last one used: its cache is warm */
        pthread_mutex_unlock(&q->lock);
        return c;
}

static void reader_give(struct store *s, struct connection *c)
{
        struct sqlite *q = s->engine;
        pthread_mutex_lock(&q->lock);
        q->idle[q->idle_count++] = c;
        pthread_cond_signal(&q->freed);
        pthread_mutex_unlock(&q->lock);
}

/* Ends the snapshot, by ROLLBACK when COMMIT does not work. */
static void end_read(struct connection *c)
{
        struct err late;
        if (sqlite3_get_autocommit(c->db) || sqlite_finish(c, SQL_END_READ, &late))
                return;
        log_err(LOG_ERROR, "store.read", &late);
        if (!sqlite_finish(c, SQL_UNDO_READ, &late))
                log_err(LOG_ERROR, "store.read", &late);
}

static bool read_one(struct store *s, tx_fn *fn, void *ctx, struct err *e)
{
        struct connection *c = reader_take(s);
        if (!c)
                return err_busy(e, "all readers are in use");
        struct tx tx;
        tx_begin(&tx, s, c, 0, false);
        end_read(c); /* when that failed the last time, as without memory */
        bool ok = sqlite_run(c, SQL_BEGIN_READ, e) && tx_run(&tx, fn, ctx, e);
        end_read(c);
        reader_give(s, c);
        return ok;
}

/* --- backup ---------------------------------------------------------------------------------------- */

static bool copy_pages(struct connection *from, sqlite3 *to, void (*progress)(void *, double), void *ctx, struct err *e)
{
        sqlite3_backup *b = sqlite3_backup_init(to, "main", from->db, "main");
        if (!b)
                return err_set(e, ERR_FAULT, "backup: %s", sqlite3_errmsg(to));
        int rc;
        do {
                rc = sqlite3_backup_step(b, BACKUP_STEP);
                int all = sqlite3_backup_pagecount(b);
                if (progress && all > 0)
                        progress(ctx, 1.0 - (double)sqlite3_backup_remaining(b) / all);
        } while (rc == SQLITE_OK);
        sqlite3_backup_finish(b);
        if (rc == SQLITE_DONE)
                return true;
        if ((rc & 0xff) == SQLITE_FULL)
                return err_both(e, ERR_INVALID, NULL, "there is no room for the copy: name a file on another disk",
                                "空间不足，无法写入备份：请指定其他磁盘上的文件");
        struct connection target = {.db = to};
        return sqlite_error(&target, rc, "backup", e);
}

/* The copy gets its name only when it is whole and on the disk. */
static bool copy_to(struct connection *from, const char *part, const char *path, void (*progress)(void *, double), void *ctx,
                    struct err *e)
{
        sqlite3 *to = NULL;
        make_file(part);
        int rc = sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        bool ok = rc == SQLITE_OK ? copy_pages(from, to, progress, ctx, e)
                                  : err_set(e, ERR_FAULT, "cannot make %s: %s", part, sqlite3_errmsg(to));
        sqlite3_close(to);
        if (ok && rename(part, path) != 0)
                ok = err_set(e, ERR_FAULT, "cannot make %s: %s", path, strerror(errno));
        if (!ok)
                unlink(part);
        return ok;
}

/* A connection of its own with an open snapshot: writes go on meanwhile and do not make the copy begin anew. */
static bool back_up(struct store *s, const char *path, void (*progress)(void *, double), void *ctx, struct err *e)
{
        char part[4096];
        if (access(path, F_OK) == 0)
                return err_set(e, ERR_CONFLICT, "%s exists; name a new file", path);
        if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part)
                return err_set(e, ERR_INVALID, "the file name is too long");
        unlink(part);
        struct connection *from = connection_new(s, false, e);
        bool ok = from && setup(from, SQL_BEGIN_READ, e) && setup(from, SQL_LOOK, e) && copy_to(from, part, path, progress, ctx, e);
        connection_close(&from);
        return ok;
}

static bool archive(const struct store *s, struct archive_figures *out)
{
        struct sqlite *q = s->engine;
        if (q->archive)
                *out = archive_figures(q->archive);
        return q->archive != NULL;
}

const struct driver driver_sqlite = {
        .open = open_all,
        .close = close_all,
        .write = write_one,
        .read = read_one,
        .backup = back_up,
        .archive = archive,
        .change = sqlite_change,
        .send = sqlite_send,
        .expect = sqlite_expect,
        .rows = sqlite_rows,
        .next = sqlite_next,
        .done = sqlite_done,
        .null = sqlite_null,
        .integer = sqlite_integer,
        .real = sqlite_real,
        .text = sqlite_text,
        .blob = sqlite_blob,
        .script = sqlite_script,
        .prepares = sqlite_prepares,
        .postgres = false,
};
