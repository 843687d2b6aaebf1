/* store/sqlite_checkpoint.c -- moving SQLite's log into the database, on a thread beside the writer's.
 *
 * A log of 128 MiB takes 0.1 to 0.2 s to move when its pages lie far apart: on the writer's thread every report waits for it.
 * Here the bulk is moved while reports go on coming in.  What they add meanwhile is moved in further passes, each shorter than
 * the one before; the small rest is the writer's, for only with no frame left behind does the log begin anew.
 */
#include "archive/archive.h"
#include "base/log.h"
#include "store/inside.h"
#include <sqlite3.h>
#include <stdlib.h>

_Static_assert(SQLITE_VERSION_NUMBER >= 3051003,
               "before it, a commit could be lost when another connection checkpointed meanwhile");

enum {
        REST = 1024, /* pages (4 MiB) left to the writer: some ms */
        PASSES = 4   /* at most, when the writer is as fast as the disk */
};

struct checkpointer {
        struct connection *c;
        struct archive *archive; /* or NULL */
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t wake;
        bool asked, stop;
        _Atomic enum checkpoint_state state;
};

int checkpoint(struct connection *c, struct archive *archive, int how)
{
        int moved = 0;
        if (archive)
                archive_catch_up(archive); /* what it has not seen cannot be moved */
        int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, how, NULL, &moved);
        if (rc != SQLITE_OK && rc != SQLITE_BUSY)
                log_event(LOG_ERROR, "store.checkpoint", "cause=\"%s\"", sqlite3_errmsg(c->db));
        if (archive)
                archive_catch_up(archive); /* its reader lets the log begin anew */
        return moved;
}

/* A pass moves what was in the log when it began; one that moved little was short, and little can have come meanwhile. */
static void pass_by_pass(struct checkpointer *k)
{
        int before, moved = 0, passes = 0;
        do {
                before = moved;
                moved = checkpoint(k->c, k->archive, SQLITE_CHECKPOINT_PASSIVE);
        } while (moved - before > REST && ++passes < PASSES);
        atomic_store(&k->state, CHECKPOINT_REST);
}

static void *checkpointer_main(void *checkpointer)
{
        struct checkpointer *k = checkpointer;
        (void)pthread_setname_np(pthread_self(), "checkpoint");
        (void)pthread_mutex_lock(&k->lock);
        while (!k->stop) {
                if (!k->asked) {
                        (void)pthread_cond_wait(&k->wake, &k->lock);
                        continue;
                }
                k->asked = false;
                (void)pthread_mutex_unlock(&k->lock);
                pass_by_pass(k);
                (void)pthread_mutex_lock(&k->lock);
        }
        (void)pthread_mutex_unlock(&k->lock);
        return NULL;
}

struct checkpointer *checkpointer_start(struct connection *c, struct archive *archive)
{
        struct checkpointer *k = calloc(1, sizeof *k);
        if (!k)
                abort();
        k->c = c;
        k->archive = archive;
        pthread_mutex_init(&k->lock, NULL);
        pthread_cond_init(&k->wake, NULL);
        if (pthread_create(&k->thread, NULL, checkpointer_main, k) != 0)
                abort();
        return k;
}

bool checkpointer_ask(struct checkpointer *k)
{
        if (atomic_load(&k->state) != CHECKPOINT_NONE)
                return false;
        (void)pthread_mutex_lock(&k->lock);
        atomic_store(&k->state, CHECKPOINT_RUNS);
        k->asked = true;
        (void)pthread_cond_signal(&k->wake);
        (void)pthread_mutex_unlock(&k->lock);
        return true;
}

bool checkpointer_rest(struct checkpointer *k)
{
        enum checkpoint_state rest = CHECKPOINT_REST;
        return atomic_compare_exchange_strong(&k->state, &rest, CHECKPOINT_NONE);
}

void checkpointer_stop(struct checkpointer **checkpointer)
{
        struct checkpointer *k = *checkpointer;
        (void)pthread_mutex_lock(&k->lock);
        k->stop = true;
        (void)pthread_cond_signal(&k->wake);
        (void)pthread_mutex_unlock(&k->lock);
        (void)pthread_join(k->thread, NULL);
        connection_close(&k->c);
        (void)pthread_mutex_destroy(&k->lock);
        (void)pthread_cond_destroy(&k->wake);
        free(k);
        *checkpointer = NULL;
}
