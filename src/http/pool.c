/* http/pool.c -- worker threads over one bounded queue; slow work waits in a line of its own so that it cannot fill all workers. */
#include "http/inside.h"
#include <stdlib.h>

struct line {
        struct exchange *head, **tail;
};
struct pool {
        pthread_mutex_t lock;
        pthread_cond_t work;
        struct line ready, slow;
        int waiting, most, running, slow_running, slow_most;
        bool closing;
        void (*run)(struct exchange *);
        int n;
        pthread_t threads[];
};

static void put(struct line *l, struct exchange *x)
{
        x->next = NULL;
        *l->tail = x;
        l->tail = &x->next;
}

static struct exchange *take(struct line *l)
{
        struct exchange *x = l->head;
        l->head = x->next;
        if (!l->head)
                l->tail = &l->head;
        return x;
}

/* Waits for something to do; NULL when the pool closes and nothing is left. */
static struct exchange *next(struct pool *p, bool *slow)
{
        for (;;) {
                *slow = p->slow.head && p->slow_running < p->slow_most;
                if (*slow || p->ready.head) {
                        p->waiting--;
                        return take(*slow ? &p->slow : &p->ready);
                }
                if (p->closing && !p->slow.head)
                        return NULL;
                (void)pthread_cond_wait(&p->work, &p->lock);
        }
}

static void *work(void *ctx)
{
        struct pool *p = ctx;
        bool slow;
        (void)pthread_setname_np(pthread_self(), "http");
        (void)pthread_mutex_lock(&p->lock);
        for (struct exchange *x; (x = next(p, &slow));) {
                p->running++;
                p->slow_running += slow;
                (void)pthread_mutex_unlock(&p->lock);
                p->run(x);
                (void)pthread_mutex_lock(&p->lock);
                p->running--;
                p->slow_running -= slow;
                if (slow)
                        (void)pthread_cond_broadcast(&p->work);
        }
        (void)pthread_mutex_unlock(&p->lock);
        return NULL;
}

struct pool *pool_new(int workers, int queue, int slow_most, void (*run)(struct exchange *))
{
        struct pool *p = calloc(1, sizeof *p + sizeof(pthread_t) * (size_t)workers);
        if (!p)
                abort();
        p->ready.tail = &p->ready.head;
        p->slow.tail = &p->slow.head;
        p->most = queue;
        p->slow_most = slow_most;
        p->run = run;
        (void)pthread_mutex_init(&p->lock, NULL);
        (void)pthread_cond_init(&p->work, NULL);
        while (p->n < workers && pthread_create(&p->threads[p->n], NULL, work, p) == 0)
                p->n++;
        if (p->n == 0)
                abort();
        return p;
}

bool pool_put(struct pool *p, struct exchange *x, bool slow)
{
        (void)pthread_mutex_lock(&p->lock);
        const bool room = p->waiting < p->most && !p->closing;
        if (room) {
                put(slow ? &p->slow : &p->ready, x);
                p->waiting++;
                (void)pthread_cond_signal(&p->work);
        }
        (void)pthread_mutex_unlock(&p->lock);
        return room;
}

void pool_figures(struct pool *p, int *waiting, int *running)
{
        (void)pthread_mutex_lock(&p->lock);
        *waiting = p->waiting;
        *running = p->running;
        (void)pthread_mutex_unlock(&p->lock);
}

void pool_free(struct pool **pool)
{
        struct pool *p = *pool;
        if (!p)
                return;
        (void)pthread_mutex_lock(&p->lock);
        p->closing = true;
        (void)pthread_cond_broadcast(&p->work);
        (void)pthread_mutex_unlock(&p->lock);
        for (int i = 0; i < p->n; i++)
                (void)pthread_join(p->threads[i], NULL);
        (void)pthread_cond_destroy(&p->work);
        (void)pthread_mutex_destroy(&p->lock);
        free(p);
        *pool = NULL;
}
