/* http/live.c -- server-sent events: one thread asks the streams that wait for something to say, MHD's threads send it.
 *
 * A stream whose buffer is empty is suspended; only such a one is touched by our thread, so it cannot end meanwhile.
 */
#include "base/log.h"
#include "http/inside.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { ROOM = 256 << 10, ALIVE_SECONDS = 15, PAUSE_MS = 20 };

struct live {
        struct lives *lives;
        struct MHD_Connection *connection;
        const struct stream *stream;
        void *ctx;
        struct buf out;
        size_t sent;
        bool waiting, ended;
        int64_t spoke, round; /* when it last said something; the last wake it has answered */
        struct live *before, *after;
};
struct lives {
        pthread_mutex_t lock;
        pthread_cond_t change;
        struct live *first;
        int n, most;
        int64_t round; /* counts wakes */
        bool woken, ending;
        pthread_t thread;
};

/* --- MHD's side -------------------------------------------------------------------------------------------------- */
static ssize_t say_more(void *ctx, uint64_t at, char *room, size_t most)
{
        struct live *l = ctx;
        ssize_t said = 0;
        (void)at;
        (void)pthread_mutex_lock(&l->lives->lock);
        const size_t left = l->out.length - l->sent;
        if (left > 0) {
                said = (ssize_t)(left < most ? left : most);
                memcpy(room, l->out.at + l->sent, (size_t)said);
                l->sent += (size_t)said;
        } else if (l->ended || l->lives->ending) {
                said = MHD_CONTENT_READER_END_OF_STREAM;
        } else {
                buf_clear(&l->out);
                l->sent = 0;
                l->waiting = true;
                MHD_suspend_connection(l->connection);
                if (l->round != l->lives->round) { /* a wake came while this one was busy sending */
                        l->lives->woken = true;
                        (void)pthread_cond_signal(&l->lives->change);
                }
        }
        (void)pthread_mutex_unlock(&l->lives->lock);
        return said;
}

static void leave(void *ctx)
{
        struct live *l = ctx;
        (void)pthread_mutex_lock(&l->lives->lock);
        *(l->before ? &l->before->after : &l->lives->first) = l->after;
        if (l->after)
                l->after->before = l->before;
        l->lives->n--;
        (void)pthread_mutex_unlock(&l->lives->lock);
        l->stream->close(l->ctx);
        buf_free(&l->out);
        free(l);
}

struct MHD_Response *live_response(struct lives *lives, struct MHD_Connection *connection, const struct stream *stream, void *ctx)
{
        (void)pthread_mutex_lock(&lives->lock);
        if (lives->n >= lives->most || lives->ending) {
                (void)pthread_mutex_unlock(&lives->lock);
                return NULL;
        }
        struct live *l = calloc(1, sizeof *l);
        if (!l)
                abort();
        *l = (struct live){.lives = lives,
                           .connection = connection,
                           .stream = stream,
                           .ctx = ctx,
                           .out = BUF_LIMIT(ROOM),
                           .after = lives->first,
                           .spoke = clock_steady(),
                           .round = -1};
        buf_text(&l->out, ": welcome\n\n");
        if (lives->first)
                lives->first->before = l;
        lives->first = l;
        lives->n++;
        (void)pthread_mutex_unlock(&lives->lock);
        struct MHD_Response *r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, say_more, l, leave);
        if (!r)
                abort();
        return r;
}

/* --- our thread -------------------------------------------------------------------------------------------------- */
/* Called and left with the lock held; lets go of it while the stream reads. */
static void ask(struct lives *lives, struct live *l)
{
        struct err e = {0};
        const bool news = l->round != lives->round;
        l->round = lives->round;
        (void)pthread_mutex_unlock(&lives->lock);
        const bool ok = !news || l->stream->next(l->ctx, &l->out, &e);
        const int64_t now = clock_steady();
        if (ok && l->out.length == 0 && now - l->spoke >= ALIVE_SECONDS * USEC_SECOND)
                buf_text(&l->out, ": still here\n\n"); /* finds clients that have gone */
        if (l->out.length > 0)
                l->spoke = now;
        if (!ok && e.kind != ERR_NOT_FOUND)
                log_err(LOG_WARN, "http.stream", &e);
        (void)pthread_mutex_lock(&lives->lock);
        l->ended = !ok || l->out.overflow;
        if (l->out.length > 0 || l->ended) {
                l->waiting = false;
                MHD_resume_connection(l->connection);
        }
}

static void *pump(void *ctx)
{
        struct lives *lives = ctx;
        (void)pthread_setname_np(pthread_self(), "live");
        (void)pthread_mutex_lock(&lives->lock);
        while (!lives->ending) {
                struct timespec until;
                (void)clock_gettime(CLOCK_MONOTONIC, &until); /* the other may be set back by a day */
                until.tv_sec += ALIVE_SECONDS / 3;
                while (!lives->woken && !lives->ending && pthread_cond_timedwait(&lives->change, &lives->lock, &until) != ETIMEDOUT)
                        continue;
                lives->woken = false;
                for (struct live *l = lives->first; l && !lives->ending; l = l->after)
                        if (l->waiting)
                                ask(lives, l);
                /* Many events close together become one reading. */
                (void)pthread_mutex_unlock(&lives->lock);
                (void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
                (void)pthread_mutex_lock(&lives->lock);
        }
        (void)pthread_mutex_unlock(&lives->lock);
        return NULL;
}

struct lives *lives_new(int most)
{
        struct lives *lives = calloc(1, sizeof *lives);
        if (!lives)
                abort();
        lives->most = most;
        (void)pthread_mutex_init(&lives->lock, NULL);
        pthread_condattr_t how;
        (void)pthread_condattr_init(&how);
        (void)pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&lives->change, &how);
        (void)pthread_condattr_destroy(&how);
        if (pthread_create(&lives->thread, NULL, pump, lives) != 0)
                abort();
        return lives;
}

void lives_wake(struct lives *lives)
{
        (void)pthread_mutex_lock(&lives->lock);
        lives->woken = true;
        lives->round++;
        (void)pthread_cond_signal(&lives->change);
        (void)pthread_mutex_unlock(&lives->lock);
}

int lives_count(struct lives *lives)
{
        (void)pthread_mutex_lock(&lives->lock);
        const int n = lives->n;
        (void)pthread_mutex_unlock(&lives->lock);
        return n;
}

void lives_end(struct lives *lives)
{
        (void)pthread_mutex_lock(&lives->lock);
        lives->ending = true;
        (void)pthread_cond_signal(&lives->change);
        (void)pthread_mutex_unlock(&lives->lock);
        (void)pthread_join(lives->thread, NULL);
        (void)pthread_mutex_lock(&lives->lock);
        for (struct live *l = lives->first; l; l = l->after)
                if (l->waiting) {
                        l->waiting = false;
                        MHD_resume_connection(l->connection);
                }
        (void)pthread_mutex_unlock(&lives->lock);
}

void lives_free(struct lives **lives)
{
        if (!*lives)
                return;
        assert((*lives)->n == 0);
        (void)pthread_cond_destroy(&(*lives)->change);
        (void)pthread_mutex_destroy(&(*lives)->lock);
        free(*lives);
        *lives = NULL;
}
