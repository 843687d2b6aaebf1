/* store/postgres_pool.c -- the connections of one kind, and the callers that wait for one.
 *
 * Callers wait in order, each on a condition of its own.  Who gets a connection may take others that wait along into its
 * transaction (pool_followers); they sleep on until it tells them what came of it.  A connection that is lost makes room for a
 * new one; while the server is away, attempts to reach it are spaced out and callers are told at once.
 */
#include "base/clock.h"
#include "store/inside.h"
#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>

enum {
        PAUSE_FIRST = 100, /* ms between attempts to reach a server that is away */
        PAUSE_MOST = 5000
};

void pool_open(struct pool *p, struct store *s, int most, bool writes)
{
        *p = (struct pool){.store = s, .most = most, .writes = writes, .last = &p->first};
        p->idle = calloc((size_t)most, sizeof(struct link *));
        p->numbers = calloc((size_t)most, sizeof *p->numbers);
        if (!p->idle || !p->numbers)
                abort();
        pthread_mutex_init(&p->lock, NULL);
}

void pool_close(struct pool *p)
{
        while (p->idle_count > 0)
                link_free(p->idle[--p->idle_count]);
        free(p->idle);
        free(p->numbers);
        pthread_mutex_destroy(&p->lock);
}

/* --- waiting; the lock is held ------------------------------------------------------------------ */

static struct call *pop(struct pool *p)
{
        struct call *m = p->first;
        p->first = m->next;
        if (!p->first)
                p->last = &p->first;
        store_queue_note(p->store, --p->waiting);
        return m;
}

static void remove_call(struct pool *p, struct call *m)
{
        struct call **at = &p->first;
        while (*at != m)
                at = &(*at)->next;
        *at = m->next;
        if (p->last == &m->next)
                p->last = at;
        store_queue_note(p->store, --p->waiting);
}

static void wake(struct call *m, enum call_state state, struct link *c)
{
        m->state = state;
        m->link = c;
        pthread_cond_signal(&m->changed);
}

/* The first that waits has it now: a connection, or (NULL) the room for a new one. */
static bool hand_on(struct pool *p, struct link *c)
{
        if (!p->first)
                return false;
        wake(pop(p), CALL_LEADS, c);
        return true;
}

static void give_up_room(struct pool *p)
{
        if (!hand_on(p, NULL))
                p->made--;
}

static void wait_in_line(struct pool *p, struct call *m)
{
        const struct timespec until = time_after(p->store->is.busy_ms);
        *p->last = m;
        p->last = &m->next;
        store_queue_note(p->store, ++p->waiting);
        cond_steady(&m->changed);
        m->state = CALL_WAITS;
        while (m->state == CALL_WAITS || m->state == CALL_FOLLOWS) {
                if (m->state == CALL_FOLLOWS) {
                        pthread_cond_wait(&m->changed, &p->lock);
                } else if (pthread_cond_timedwait(&m->changed, &p->lock, &until) == ETIMEDOUT && m->state == CALL_WAITS) {
                        remove_call(p, m);
                        m->state = CALL_LATE;
                }
        }
        pthread_cond_destroy(&m->changed);
}

/* --- taking and giving ---------------------------------------------------------------------------- */

/* Makes a connection in the place that was counted for it. */
static struct link *make_link(struct pool *p, struct err *e)
{
        pthread_mutex_lock(&p->lock);
        const bool away = p->pause && clock_steady() < p->not_before;
        pthread_mutex_unlock(&p->lock);
        struct link *c = away ? NULL : link_new(p->store, p->writes, e);
        if (away)
                err_busy(e, "the database server is away");
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
                if (!away) {
                        p->pause = p->pause ? (p->pause * 2 < PAUSE_MOST ? p->pause * 2 : PAUSE_MOST) : PAUSE_FIRST;
                        p->not_before = clock_steady() + (int64_t)p->pause * 1000;
                }
                give_up_room(p);
        }
        pthread_mutex_unlock(&p->lock);
        return c;
}

struct link *pool_take(struct pool *p, struct call *m, struct err *e)
{
        pthread_mutex_lock(&p->lock);
        m->state = CALL_LEADS;
        m->link = NULL;
        if (p->idle_count > 0)
                m->link = p->idle[--p->idle_count];
        else if (p->made < p->most)
                p->made++;
        else if (p->waiting < p->store->is.queue)
                wait_in_line(p, m);
        else
                m->state = CALL_LATE;
        pthread_mutex_unlock(&p->lock);
        if (m->state == CALL_LATE)
                err_busy(e, "all connections are in use");
        return m->state != CALL_LEADS ? NULL : m->link ? m->link : make_link(p, e);
}

int pool_followers(struct pool *p, struct call **out, int most)
{
        int n = 0;
        pthread_mutex_lock(&p->lock);
        for (; n < most && p->first; n++) {
                out[n] = pop(p);
                out[n]->state = CALL_FOLLOWS;
        }
        pthread_mutex_unlock(&p->lock);
        return n;
}

void pool_tell(struct pool *p, struct call *const *followers, int n)
{
        pthread_mutex_lock(&p->lock);
        for (int i = 0; i < n; i++)
                wake(followers[i], CALL_DECIDED, NULL); /* it may be gone at once */
        pthread_mutex_unlock(&p->lock);
}

static void note_lost(struct pool *p, const struct link *c)
{
        p->numbers[c->number] = false;
        p->lost++;
}

void pool_give(struct pool *p, struct link *c)
{
        const bool dead = c->dead; /* once it is idle, another thread may have it */
        pthread_mutex_lock(&p->lock);
        if (dead) {
                note_lost(p, c);
                give_up_room(p);
        } else if (!hand_on(p, c)) {
                p->idle[p->idle_count++] = c;
        }
        pthread_mutex_unlock(&p->lock);
        if (dead)
                link_free(c);
}

struct link *pool_renew(struct pool *p, struct link *dead, struct err *e)
{
        pthread_mutex_lock(&p->lock);
        note_lost(p, dead);
        pthread_mutex_unlock(&p->lock);
        link_free(dead);
        return make_link(p, e);
}
