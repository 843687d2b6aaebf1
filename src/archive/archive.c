/* archive/archive.c -- the thread that keeps the archive, and the one that takes full copies; see archive.h.
 *
 * A round: what the log holds beyond the archive's end is copied.  When asked, and every few seconds, the round settles: before,
 * a second connection begins to read (it sees at least what the first saw); the copy is brought to the disk; the first connection
 * ends.  So at every moment a reader stands at or before the archive's end, and SQLite keeps every later frame for it.  When all is
 * in the database file too, the reader does not use the log at all: a writer may begin it anew, but nobody may then move a frame,
 * so again nothing passes.  The last record then says so, with the size and time of change of the database file: by them the next
 * program knows that nothing was missed in between.
 */
#include "archive/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum {
        ROUND_MS = 500,
        LOG_HELD = 262144, /* frames (1 GiB): longer the log is not held for an archive that cannot be written */
        AHEAD = 1024,      /* frames not archived yet at which the thread is woken */
        PAUSE_USEC = 5000
};
static const int64_t TRY_AGAIN = 5 * USEC_SECOND, COPY_AGE = 7 * USEC_DAY, PRUNE_EVERY = USEC_HOUR, SETTLE_EVERY = 5 * USEC_SECOND;

struct archive {
        struct archive_options is;
        char *folder, *database, *log_path, *notes_path;
        pthread_t thread, copier;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        struct notes notes;
        int notes_file;
        uint32_t waked; /* at how many frames the thread was woken last */
        bool stop;
        struct archive_figures figures;
        /* whose round it is: the thread, or the one that commits */
        pthread_mutex_t round;
        int lock_file, log;
        sqlite3 *reader[2];
        bool reading[2];
        int spare; /* the reader that begins next */
        struct place
                stood; /* the log's end when the reader that stands began; all before it is archived, but for the first round */
        bool anew;     /* the chain is broken: begin another */
        struct keeper keeper;
        int64_t try_at, prune_at, copy_at, settle_at;
        bool said; /* that it fails */
        /* the copier's */
        bool copying;
        atomic_bool copy_stop, copy_done;
};

/* --- notes of commits ---------------------------------------------------------------------------------------------------- */
void archive_note(struct archive *a, sqlite3 *db, int frames)
{
        struct log_state now;
        struct err e;
        if (!log_look(db, &now, &e))
                return; /* the thread sees the commit in the log, a little later */
        now.end.frame = (uint32_t)frames;
        (void)pthread_mutex_lock(&a->lock);
        const struct note one = {.end = now.end, .at = clock_now()};
        notes_add(&a->notes, a->notes_file, &one);
        a->figures.waiting = (int64_t)a->notes.n;
        const bool wake = now.end.frame > a->waked + AHEAD || now.end.frame < a->waked;
        a->waked = wake ? now.end.frame : a->waked;
        if (wake)
                (void)pthread_cond_signal(&a->wake);
        (void)pthread_mutex_unlock(&a->lock);
}

static struct notes take_notes(struct archive *a)
{
        (void)pthread_mutex_lock(&a->lock);
        const struct notes n = a->notes;
        a->notes = (struct notes){0};
        (void)pthread_mutex_unlock(&a->lock);
        return n;
}

/* What is not archived yet stands before what came since. */
static void give_back(struct archive *a, struct notes *n, const struct place *archived)
{
        (void)pthread_mutex_lock(&a->lock);
        notes_join(n, &a->notes);
        if (archived) {
                notes_drop(&a->notes, archived);
                notes_rewrite(a->notes_file, &a->notes);
        }
        a->figures.waiting = (int64_t)a->notes.n;
        (void)pthread_mutex_unlock(&a->lock);
}

/* --- reading transactions ------------------------------------------------------------------------------------------------ */
static void end_reader(struct archive *a, int i)
{
        if (a->reading[i])
                log_end(a->reader[i]);
        a->reading[i] = false;
}

static bool begin_reader(struct archive *a, int i, struct err *e)
{
        if (!a->reader[i] && !(a->reader[i] = log_open(a->database, e)))
                return false;
        a->reading[i] = log_begin(a->reader[i], e);
        return a->reading[i];
}

/* --- one round ----------------------------------------------------------------------------------------------------------- */
static bool commit_up_to(struct archive *a, uint32_t last, int64_t time, struct err *e)
{
        const int64_t before = a->keeper.size;
        const uint32_t number = a->keeper.head.number;
        if (!keeper_commit(&a->keeper, a->log, last, time, e))
                return false;
        (void)pthread_mutex_lock(&a->lock);
        a->figures.commits++;
        a->figures.bytes += a->keeper.head.number == number ? a->keeper.size - before : a->keeper.size;
        (void)pthread_mutex_unlock(&a->lock);
        return true;
}

/* Commits that were noted get their own instants; what is behind them, by other programs, that of the look, or of the first note
 * after it when that is earlier: instants never step back. */
static bool take_commits(struct archive *a, const struct log_state *log, const struct notes *n, int64_t now, struct err *e)
{
        struct keeper *k = &a->keeper;
        int64_t rest = now;
        for (size_t i = 0; i < n->n; i++) {
                const struct note *one = &n->at[i];
                if (!note_within(one, &log->end))
                        rest = one->at < rest && one->at > k->time ? one->at : rest;
                else if (one->end.frame > k->at.frame && !commit_up_to(a, one->end.frame, one->at, e))
                        return false;
        }
        return k->at.frame >= log->end.frame || commit_up_to(a, log->end.frame, rest, e);
}

/* With a reader standing, a log of which everything was moved lets no later frame be moved: the file stays as it is. */
static bool note_moved(struct archive *a, const struct log_state *log, int64_t now, struct err *e)
{
        struct file_state file;
        if (a->keeper.moved || log->moved != log->end.frame)
                return true;
        return file_look(a->database, &file, e) && keeper_moved(&a->keeper, &file, now, e);
}

static bool copy_log(struct archive *a, const struct log_state *log, const struct notes *n, int64_t now, struct err *e)
{
        struct keeper *k = &a->keeper;
        if (memcmp(k->at.salt, log->end.salt, SALT) != 0) { /* begun anew: all of the old one was archived */
                if (!place_same(&k->at, &a->stood))
                        return err_set(e, ERR_CONFLICT, "the database's log began anew before it was archived");
                memcpy(k->at.salt, log->end.salt, SALT);
                k->at.frame = 0;
                k->moved = false;
        }
        if (log->end.frame < k->at.frame)
                return err_set(e, ERR_CONFLICT, "the database's log is shorter than what was archived of it");
        if (a->log < 0 && (a->log = open(a->log_path, O_RDONLY | O_CLOEXEC)) < 0 && log->end.frame > 0)
                return err_set(e, ERR_FAULT, "cannot read %s: %s", a->log_path, strerror(errno));
        return take_commits(a, log, n, now, e);
}

/* Without `settle` what is copied need not reach the disk yet: the reader stands where it stood. */
static bool run_round(struct archive *a, bool settle, struct err *e)
{
        struct log_state log;
        const int next = settle ? a->spare : 1 - a->spare;
        if (settle && !begin_reader(a, next, e))
                return false;
        bool ok = log_look(a->reader[next], &log, e);
        const int64_t now = clock_now(); /* before the notes: who commits after them is told later than this */
        struct notes notes = take_notes(a);
        ok = ok && copy_log(a, &log, &notes, now, e) && (!settle || (note_moved(a, &log, now, e) && keeper_sync(&a->keeper, e)));
        give_back(a, &notes, ok ? &log.end : NULL);
        if (settle && ok) {
                end_reader(a, 1 - next);
                a->spare = 1 - next;
                a->stood = log.end;
                a->settle_at = clock_steady() + SETTLE_EVERY;
        } else if (settle) {
                end_reader(a, next);
        }
        (void)pthread_mutex_lock(&a->lock);
        a->figures.instant = a->keeper.time;
        (void)pthread_mutex_unlock(&a->lock);
        return ok;
}

/* --- becoming the keeper ------------------------------------------------------------------------------------------------- */
static bool take_lock(struct archive *a, struct err *e)
{
        char path[4096];
        if (a->lock_file < 0) {
                (void)snprintf(path, sizeof path, "%s/lock", a->folder);
                if (!archive_make(a->folder, e))
                        return false;
                a->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
                if (a->lock_file < 0)
                        return err_set(e, ERR_FAULT, "cannot make %s: %s", path, strerror(errno));
        }
        return flock(a->lock_file, LOCK_EX | LOCK_NB) == 0
               || err_set(e, errno == EWOULDBLOCK ? ERR_BUSY : ERR_FAULT, "cannot lock the archive: %s", strerror(errno));
}

/* Whether everything since the archive's end is in the log: the log is still the same one, or nothing was moved into the
 * database file since all of it had been. */
static bool follows(struct archive *a, const struct log_state *log)
{
        struct file_state file;
        struct err e;
        struct keeper *k = &a->keeper;
        if (a->anew || k->file < 0 || k->head.page_size != log->page_size)
                return false;
        if (memcmp(k->at.salt, log->end.salt, SALT) == 0)
                return log->end.frame >= k->at.frame;
        if (!k->moved || !file_look(a->database, &file, &e) || file.size != k->moved_file.size
            || file.changed != k->moved_file.changed)
                return false;
        k->at = (struct place){.frame = 0};
        memcpy(k->at.salt, log->end.salt, SALT);
        k->moved = false;
        return true;
}

static bool become_keeper(struct archive *a, struct err *e)
{
        struct log_state log;
        if (!begin_reader(a, a->spare, e))
                return false;
        if (!log_look(a->reader[a->spare], &log, e) || !keeper_open(&a->keeper, a->folder, e))
                return false;
        if (!follows(a, &log)) {
                if (!keeper_chain(&a->keeper, &log, clock_now(), e))
                        return false;
                log_event(LOG_WARN, "archive.chain", "segment=%u", a->keeper.head.number);
                a->anew = false;
                a->copy_at = 0;
        } else {
                log_event(LOG_INFO, "archive.goes_on", "segment=%u", a->keeper.head.number);
        }
        a->stood = log.end;
        a->spare = 1 - a->spare;
        a->settle_at = 0;
        struct notes left = {0};
        const int file = notes_open(a->notes_path, &left);
        (void)pthread_mutex_lock(&a->lock);
        notes_join(&left, &a->notes);
        a->notes_file = file;
        (void)pthread_mutex_unlock(&a->lock);
        return true;
}

static void give_up(struct archive *a)
{
        struct notes gone = take_notes(a);
        notes_free(&gone);
        keeper_close(&a->keeper);
        end_reader(a, 0);
        end_reader(a, 1);
        (void)pthread_mutex_lock(&a->lock);
        if (a->notes_file >= 0)
                (void)close(a->notes_file);
        a->notes_file = -1;
        a->figures.keeps = false;
        a->figures.waiting = 0;
        (void)pthread_mutex_unlock(&a->lock);
}

/* --- failing ------------------------------------------------------------------------------------------------------------- */
static void note_outcome(struct archive *a, bool ok, const struct err *e)
{
        (void)pthread_mutex_lock(&a->lock);
        a->figures.failing = !ok;
        const bool held_long = a->notes.n > 0 && a->notes.at[a->notes.n - 1].end.frame > LOG_HELD;
        (void)pthread_mutex_unlock(&a->lock);
        if (ok) {
                if (a->said)
                        log_event(LOG_INFO, "archive.works", "folder=\"%s\"", a->folder);
                a->said = false;
                return;
        }
        if (!a->said)
                log_err(LOG_ERROR, "archive.failing", e);
        a->said = true;
        a->try_at = clock_steady() + TRY_AGAIN;
        a->anew |= e->kind == ERR_CONFLICT;
        if (a->figures.keeps && (held_long || a->anew)) {
                log_event(LOG_ERROR, "archive.lost", "cause=\"%s\"", held_long ? "the database's log grew too long" : e->text);
                give_up(a);
        }
}

/* --- full copies --------------------------------------------------------------------------------------------------------- */
static void *copier_main(void *archive)
{
        struct archive *a = archive;
        (void)pthread_setname_np(pthread_self(), "archive-copy");
        struct err e;
        struct copy_job job = {.database = a->database, .folder = a->folder, .stop = &a->copy_stop, .pause_usec = PAUSE_USEC};
        if (archive_copy(&job, &e))
                log_event(LOG_INFO, "archive.copied", "copy=%s bytes=%lld", job.name, (long long)job.bytes);
        else if (!atomic_load(&a->copy_stop))
                log_err(LOG_ERROR, "archive.copy_failed", &e);
        atomic_store(&a->copy_done, true);
        return NULL;
}

/* The newest copy is of this chain when it was made after the chain began. */
static int64_t newest_copy(struct archive *a)
{
        struct folder f;
        struct err e;
        int64_t chain = 0, copy = 0;
        struct arena *arena = arena_new();
        if (archive_list(arena, a->folder, &f, &e)) {
                for (size_t i = f.n_segments; i-- > 0;)
                        if (f.segments[i].readable && strcmp(f.segments[i].head.chain, a->keeper.head.chain) == 0)
                                chain = f.segments[i].head.time;
                copy = f.n_copies ? f.copies[f.n_copies - 1].instant : 0;
        }
        arena_free(&arena);
        return copy >= chain ? copy : 0;
}

static void join_copier(struct archive *a)
{
        if (a->copying)
                (void)pthread_join(a->copier, NULL);
        a->copying = false;
}

static void look_after_copies(struct archive *a)
{
        const int64_t now = clock_now();
        if (a->copying && atomic_load(&a->copy_done))
                join_copier(a);
        if (a->is.copies && !a->copying && now >= a->copy_at) {
                const int64_t newest = newest_copy(a);
                a->copy_at = newest + COPY_AGE > now ? newest + COPY_AGE : now + USEC_HOUR;
                atomic_store(&a->copy_done, false);
                a->copying = newest + COPY_AGE <= now && pthread_create(&a->copier, NULL, copier_main, a) == 0;
        }
        if (a->is.days > 0 && now >= a->prune_at) {
                archive_prune(a->folder, now - a->is.days * USEC_DAY);
                a->prune_at = now + PRUNE_EVERY;
        }
}

/* --- the thread ---------------------------------------------------------------------------------------------------------- */
static void step(struct archive *a, bool settle)
{
        struct err e = {.kind = ERR_NONE};
        if (a->said && clock_steady() < a->try_at)
                return;
        if (!a->figures.keeps) {
                if (!take_lock(a, &e)) {
                        give_up(a); /* the keeper sees our commits in the log */
                        note_outcome(a, e.kind == ERR_BUSY, &e);
                        return;
                }
                const bool became = become_keeper(a, &e);
                if (!became)
                        give_up(a);
                (void)pthread_mutex_lock(&a->lock);
                a->figures.keeps = became;
                (void)pthread_mutex_unlock(&a->lock);
        }
        note_outcome(a, a->figures.keeps && run_round(a, settle || clock_steady() >= a->settle_at, &e), &e);
        if (a->figures.keeps)
                look_after_copies(a);
}

static void run_step(struct archive *a, bool settle)
{
        (void)pthread_mutex_lock(&a->round);
        step(a, settle);
        (void)pthread_mutex_unlock(&a->round);
}

static void *archive_main(void *archive)
{
        struct archive *a = archive;
        (void)pthread_setname_np(pthread_self(), "archive");
        (void)pthread_mutex_lock(&a->lock);
        while (!a->stop) {
                struct timespec until;
                (void)clock_gettime(CLOCK_MONOTONIC, &until);
                until.tv_nsec += ROUND_MS * 1000000L;
                until.tv_sec += until.tv_nsec / 1000000000;
                until.tv_nsec %= 1000000000;
                (void)pthread_cond_timedwait(&a->wake, &a->lock, &until);
                (void)pthread_mutex_unlock(&a->lock);
                run_step(a, false);
                (void)pthread_mutex_lock(&a->lock);
        }
        (void)pthread_mutex_unlock(&a->lock);
        return NULL;
}

static char *own(const char *text, const char *end)
{
        char *out = NULL;
        if (asprintf(&out, "%s%s", text, end) < 0)
                abort();
        return out;
}

struct archive *archive_start(const struct archive_options *o)
{
        struct archive *a = calloc(1, sizeof *a);
        pthread_condattr_t how;
        if (!a)
                abort();
        a->is = *o;
        a->is.folder = a->folder = own(o->folder, "");
        a->is.database = a->database = own(o->database, "");
        a->log_path = own(o->database, "-wal");
        a->notes_path = own(o->database, "-notes");
        a->lock_file = a->log = a->notes_file = -1;
        a->keeper = (struct keeper){.folder = a->folder, .file = -1};
        (void)pthread_mutex_init(&a->lock, NULL);
        (void)pthread_mutex_init(&a->round, NULL);
        (void)pthread_condattr_init(&how);
        (void)pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&a->wake, &how);
        (void)pthread_condattr_destroy(&how);
        run_step(a, true); /* a reader stands before the first commit of ours */
        if (pthread_create(&a->thread, NULL, archive_main, a) != 0)
                abort();
        return a;
}

/* On the caller's thread: handing it over would make the store wait for the processor too. */
void archive_catch_up(struct archive *a)
{
        run_step(a, true);
}

void archive_stop(struct archive **archive)
{
        struct archive *a = *archive;
        atomic_store(&a->copy_stop, true);
        (void)pthread_mutex_lock(&a->lock);
        a->stop = true;
        (void)pthread_cond_signal(&a->wake);
        (void)pthread_mutex_unlock(&a->lock);
        (void)pthread_join(a->thread, NULL);
        step(a, true);
        join_copier(a);
        give_up(a);
        sqlite3_close(a->reader[0]);
        sqlite3_close(a->reader[1]);
        if (a->log >= 0)
                (void)close(a->log);
        if (a->lock_file >= 0)
                (void)close(a->lock_file); /* and with it the lock */
        (void)pthread_mutex_destroy(&a->lock);
        (void)pthread_cond_destroy(&a->wake);
        (void)pthread_mutex_destroy(&a->round);
        notes_free(&a->notes);
        free(a->notes_path);
        free(a->folder);
        free(a->database);
        free(a->log_path);
        free(a);
        *archive = NULL;
}

struct archive_figures archive_figures(struct archive *a)
{
        (void)pthread_mutex_lock(&a->lock);
        const struct archive_figures f = a->figures;
        (void)pthread_mutex_unlock(&a->lock);
        return f;
}
