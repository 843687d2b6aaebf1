/* store/sqlite_writer.c -- the one thread that writes to a SQLite database.
 *
 * Callers queue functions and sleep; the thread runs all that wait (up to the batch) in one transaction and
 * commits once.  A batch first runs without savepoints; when a member fails, all is rolled back and the
 * members run again, each under a savepoint, so that only the failing ones are lost.  No outcome is told
 * before the commit: a member's refusal may rest on what a neighbour wrote.
 */
#include "archive/archive.h"
#include "base/log.h"
#include "store/inside.h"
#include <errno.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char SQL_BEGIN[] = "BEGIN IMMEDIATE";
static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";
static const char SQL_SAVEPOINT[] = "SAVEPOINT member";
static const char SQL_RELEASE[] = "RELEASE member";
static const char SQL_BACK[] = "ROLLBACK TO member";

enum {
        WAL_IDLE = 4096, /* pages (16 MiB): checkpointed when nobody waits */
        WAL_MOST = 32768 /* pages (128 MiB): checkpointed though somebody waits */
};

/* Lives on the stack of the caller, who sleeps on `done`: each waiter is woken by itself, without a herd. */
struct member {
        tx_fn *fn;
        void *ctx;
        struct err *err;
        bool ok, planned;
        const char *request; /* for the log */
        sem_t done;
        struct member *next;
};

struct writer {
        struct store *store;
        struct connection *c;
        struct archive *archive; /* or NULL */
        struct checkpointer *beside;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        struct member *first, **last;
        int waiting;
        bool asleep, stop;
        int wal_pages, wal_looked; /* as of the last commit; at the last checkpoint */
        struct member **batch;
};

/* --- one batch ----------------------------------------------------------------------------- */

static void undo(struct writer *w)
{
        struct err ignored;
        if (!sqlite3_get_autocommit(w->c->db) && !sqlite_finish(w->c, SQL_ROLLBACK, &ignored))
                log_err(LOG_ERROR, "store.rollback", &ignored);
}

/* On this thread: short, for the rest of one beside it, or because nothing else helps. */
static void checkpoint_here(struct writer *w, int how)
{
        (void)checkpoint(w->c, w->archive, how);
        w->wal_looked = w->wal_pages;
}

/* Begins a checkpoint beside this thread when the log has grown by so many pages since the last. */
static void checkpoint_beside(struct writer *w, int grown)
{
        if (w->wal_pages - w->wal_looked >= grown && checkpointer_ask(w->beside))
                w->wal_looked = w->wal_pages;
}

static bool commit(struct writer *w, struct err *e)
{
        if (store_fault(w->store, e)) {
                undo(w);
                return false;
        }
        if (sqlite_run(w->c, SQL_COMMIT, e))
                return true;
        undo(w);
        /* No room for the WAL to grow?  What it holds mostly fits into the database, and then it begins anew. */
        if (w->wal_pages > w->wal_looked)
                checkpoint_here(w, SQLITE_CHECKPOINT_PASSIVE);
        return false;
}

static bool run_member(struct writer *w, struct member *m)
{
        struct tx tx;
        struct err none;
        tx_begin(&tx, w->store, w->c, 0, true);
        const char *before = log_request(m->request);
        m->ok = tx_run(&tx, m->fn, m->ctx, m->err);
        (void)log_request(before);
        m->planned |= tx.planned;
        return sqlite_finish(w->c, NULL, &none) && m->ok;
}

/* A file that was renamed or deleted takes writes as before, and nobody would ever find them. */
static bool still_there(struct writer *w, struct err *e)
{
        int moved = 0;
        (void)sqlite3_file_control(w->c->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
        if (!moved)
                return true;
        log_event(LOG_ERROR, "store.gone", "file=\"%s\"", sqlite3_db_filename(w->c->db, NULL));
        return err_both(e, ERR_BUSY, NULL,
                        "the database file was moved or deleted under the running program; nothing can be stored",
                        "数据库文件在运行中被移动或删除，暂时无法保存");
}

/* A rollback that failed itself, as when memory was out, must not leave the connection in the old transaction for ever. */
static bool begin(struct writer *w, struct err *e)
{
        undo(w);
        return still_there(w, e) && sqlite_run(w->c, SQL_BEGIN, e);
}

/* All members in one transaction without savepoints.  False with *e: nothing is there and all must be told;
 * false without: a member failed. */
static bool run_together(struct writer *w, struct member **m, int n, struct err *e)
{
        if (!begin(w, e))
                return false;
        for (int i = 0; i < n; i++) {
                if (!run_member(w, m[i])) {
                        undo(w);
                        return false;
                }
        }
        return commit(w, e);
}

/* One member under a savepoint.  False with *e: the whole transaction is lost. */
static bool run_guarded(struct writer *w, struct member *m, struct err *e)
{
        atomic_fetch_add_explicit(&w->store->count.alone, 1, memory_order_relaxed);
        if (m->planned) /* failed on purpose in the first run; running again would hide it */
                return true;
        if (!sqlite_run(w->c, SQL_SAVEPOINT, e))
                return false;
        if (!run_member(w, m)) {
                if (sqlite3_get_autocommit(w->c->db)) { /* disk full and the like: SQLite has rolled back all */
                        *e = *m->err;
                        return false;
                }
                if (!sqlite_run(w->c, SQL_BACK, e))
                        return false;
        }
        return sqlite_run(w->c, SQL_RELEASE, e);
}

static bool run_one_by_one(struct writer *w, struct member **m, int n, struct err *e)
{
        if (!begin(w, e))
                return false;
        for (int i = 0; i < n; i++) {
                if (!run_guarded(w, m[i], e)) {
                        undo(w);
                        return false;
                }
        }
        return commit(w, e);
}

static void run_batch(struct writer *w, struct member **m, int n)
{
        struct err e = {.kind = ERR_NONE};
        for (int i = 0; i < n; i++)
                m[i]->planned = m[i]->ok = false;
        bool done = run_together(w, m, n, &e);
        if (!done && e.kind == ERR_NONE && n > 1)
                done = run_one_by_one(w, m, n, &e);
        if (done) {
                atomic_fetch_add_explicit(&w->store->count.commits, 1, memory_order_relaxed);
                atomic_fetch_add_explicit(&w->store->count.members, n, memory_order_relaxed);
        } else if (e.kind != ERR_NONE) {
                for (int i = 0; i < n; i++) {
                        m[i]->ok = false;
                        *m[i]->err = e;
                }
        }
}

/* --- the thread ------------------------------------------------------------------------------ */

static int wal_grown(void *writer, sqlite3 *db, const char *name, int pages)
{
        struct writer *w = writer;
        (void)name;
        if (w->archive)
                archive_note(w->archive, db, pages);
        if (pages < w->wal_pages) /* begun anew */
                w->wal_looked = 0;
        w->wal_pages = pages;
        return SQLITE_OK;
}

/* Takes at most a batch from the queue; 0: stopped and empty. */
static int take(struct writer *w)
{
        int n = 0;
        pthread_mutex_lock(&w->lock);
        while (!w->first) {
                if (w->stop)
                        break;
                checkpoint_beside(w, WAL_IDLE);
                w->asleep = true;
                pthread_cond_wait(&w->wake, &w->lock);
                w->asleep = false;
        }
        for (; w->first && n < w->store->is.batch; n++) {
                w->batch[n] = w->first;
                w->first = w->first->next;
        }
        if (!w->first)
                w->last = &w->first;
        w->waiting -= n;
        store_queue_note(w->store, w->waiting);
        pthread_mutex_unlock(&w->lock);
        return n;
}

static void *writer_main(void *writer)
{
        struct writer *w = writer;
        (void)pthread_setname_np(pthread_self(), "store-writer");
        /* With both processors busy the commit's wake-up is what all wait for; not allowed is not bad. */
        if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), -5) != 0)
                log_event(LOG_DEBUG, "store.priority", "errno=%d", errno);
        for (int n; (n = take(w)) > 0;) {
                run_batch(w, w->batch, n);
                for (int i = 0; i < n; i++)
                        sem_post(&w->batch[i]->done); /* the member may be gone at once */
                if (checkpointer_rest(w->beside) && w->wal_looked > 0)
                        checkpoint_here(w, SQLITE_CHECKPOINT_PASSIVE);
                checkpoint_beside(w, WAL_MOST);
        }
        return NULL;
}

struct writer *writer_start(struct store *s, struct connection *c, struct connection *beside, struct archive *archive)
{
        struct writer *w = calloc(1, sizeof *w);
        if (!w || !(w->batch = calloc((size_t)s->is.batch, sizeof *w->batch)))
                abort();
        w->store = s;
        w->c = c;
        w->archive = archive;
        w->beside = checkpointer_start(beside, archive);
        w->last = &w->first;
        pthread_mutex_init(&w->lock, NULL);
        pthread_cond_init(&w->wake, NULL);
        sqlite3_wal_hook(c->db, wal_grown, w);
        if (pthread_create(&w->thread, NULL, writer_main, w) != 0)
                abort();
        return w;
}

void writer_stop(struct writer **writer)
{
        struct writer *w = *writer;
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
        checkpointer_stop(&w->beside);
        /* Another program's readers are no reason to wait. */
        sqlite3_busy_timeout(w->c->db, 0);
        checkpoint_here(w, SQLITE_CHECKPOINT_PASSIVE);
        if (w->archive)
                archive_stop(&w->archive); /* by the log it knows next time that it missed nothing */
        else
                checkpoint_here(w, SQLITE_CHECKPOINT_TRUNCATE);
        connection_close(&w->c);
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->wake);
        free(w->batch);
        free(w);
        *writer = NULL;
}

/* --- callers ------------------------------------------------------------------------------------ */

static bool enqueue(struct writer *w, struct member *m)
{
        pthread_mutex_lock(&w->lock);
        bool room = w->waiting < w->store->is.queue;
        if (room) {
                *w->last = m;
                w->last = &m->next;
                store_queue_note(w->store, ++w->waiting);
                if (w->asleep)
                        pthread_cond_signal(&w->wake);
        }
        pthread_mutex_unlock(&w->lock);
        return room;
}

bool writer_submit(struct writer *w, tx_fn *fn, void *ctx, struct err *e)
{
        struct member m = {.fn = fn, .ctx = ctx, .err = e, .request = log_request_now()};
        if (pthread_equal(pthread_self(), w->thread))
                return err_set(e, ERR_FAULT, "a write was tried inside a write");
        sem_init(&m.done, 0, 0);
        bool room = enqueue(w, &m);
        while (room && sem_wait(&m.done) != 0)
                ; /* interrupted by a signal */
        sem_destroy(&m.done);
        return room ? m.ok : err_busy(e, "too many writers wait");
}
