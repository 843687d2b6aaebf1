/* edge/guests.c -- see guests.h. */
#include "edge/guests.h"
#include "base/clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { SHELVES = 4096, LOOK_MS = 250 };

struct host { /* one address that is connected */
        uint64_t key;
        int n;
        struct host *next;
};
struct guest {
        int socket;
        bool cut;
        _Atomic int64_t until;
        struct host *host; /* NULL: not counted */
        struct guests *all;
        struct guest *before, *after;
};
struct guests {
        pthread_mutex_t lock;
        pthread_cond_t end;
        int per_address;
        void *owner;
        struct address spared;
        struct guest *first;
        struct host *hosts[SHELVES];
        long long open, late, refused;
        bool ending;
        pthread_t thread;
};

/* --- addresses ----------------------------------------------------------------------------------------------------------- */
static struct host **host_find(struct guests *g, uint64_t key)
{
        struct host **at = &g->hosts[(key >> 8) % SHELVES];
        while (*at && (*at)->key != key)
                at = &(*at)->next;
        return at;
}

static struct host *host_join(struct guests *g, uint64_t key)
{
        struct host **at = host_find(g, key);
        if (!*at) {
                *at = calloc(1, sizeof **at);
                if (!*at)
                        abort();
                (*at)->key = key;
        }
        (*at)->n++;
        return *at;
}

static void host_leave(struct guests *g, uint64_t key)
{
        struct host **at = host_find(g, key), *host = *at;
        assert(host && host->n > 0);
        if (--host->n == 0) {
                *at = host->next;
                free(host);
        }
}

static bool counted(const struct guests *g, const struct address *a)
{
        return g->per_address > 0 && a->known && !address_same(a, &g->spared);
}

bool guests_room(struct guests *g, const struct address *a)
{
        (void)pthread_mutex_lock(&g->lock);
        const struct host *host = counted(g, a) ? *host_find(g, address_key(a, 0)) : NULL;
        const bool room = !host || host->n < g->per_address;
        g->refused += !room;
        (void)pthread_mutex_unlock(&g->lock);
        return room;
}

/* --- coming and going ------------------------------------------------------------------------------------------------------ */
struct guest *guest_new(struct guests *g, int socket, const struct address *a, int64_t until)
{
        struct guest *one = calloc(1, sizeof *one);
        if (!one)
                abort();
        one->socket = socket;
        one->all = g;
        atomic_init(&one->until, until);
        (void)pthread_mutex_lock(&g->lock);
        one->host = counted(g, a) ? host_join(g, address_key(a, 0)) : NULL;
        one->after = g->first;
        if (g->first)
                g->first->before = one;
        g->first = one;
        g->open++;
        (void)pthread_mutex_unlock(&g->lock);
        return one;
}

void guest_until(struct guest *one, int64_t until)
{
        atomic_store(&one->until, until);
}

void guest_free(struct guests *g, struct guest **guest)
{
        struct guest *one = *guest;
        if (!one)
                return;
        (void)pthread_mutex_lock(&g->lock);
        *(one->before ? &one->before->after : &g->first) = one->after;
        if (one->after)
                one->after->before = one->before;
        if (one->host)
                host_leave(g, one->host->key);
        g->open--;
        (void)pthread_mutex_unlock(&g->lock);
        free(one);
        *guest = NULL;
}

void guests_figures(struct guests *g, long long *open, long long *late, long long *refused)
{
        (void)pthread_mutex_lock(&g->lock);
        *open = g->open;
        *late = g->late;
        *refused = g->refused;
        (void)pthread_mutex_unlock(&g->lock);
}

/* --- the thread -------------------------------------------------------------------------------------------------------------- */
/* The entry leaves the list before its socket is closed, so a number in the list is that guest's socket and no other. */
static void cut_late(struct guests *g, int64_t now)
{
        for (struct guest *one = g->first; one; one = one->after) {
                const int64_t until = atomic_load(&one->until);
                if (until == 0 || until > now || one->cut)
                        continue;
                one->cut = true;
                g->late++;
                (void)shutdown(one->socket, SHUT_RDWR);
        }
}

static void *watch(void *ctx)
{
        struct guests *g = ctx;
        (void)pthread_setname_np(pthread_self(), "guests");
        (void)pthread_mutex_lock(&g->lock);
        while (!g->ending) {
                struct timespec until;
                (void)clock_gettime(CLOCK_MONOTONIC, &until);
                until.tv_nsec += LOOK_MS * 1000000L;
                until.tv_sec += until.tv_nsec / 1000000000L;
                until.tv_nsec %= 1000000000L;
                (void)pthread_cond_timedwait(&g->end, &g->lock, &until);
                cut_late(g, clock_steady());
        }
        (void)pthread_mutex_unlock(&g->lock);
        return NULL;
}

void *guest_owner(const struct guest *one)
{
        return one->all->owner;
}

void guests_limit(struct guests *g, int per_address)
{
        (void)pthread_mutex_lock(&g->lock);
        g->per_address = per_address;
        (void)pthread_mutex_unlock(&g->lock);
}

struct guests *guests_new(int per_address, const struct address *spared, void *owner)
{
        pthread_condattr_t how;
        struct guests *g = calloc(1, sizeof *g);
        if (!g)
                abort();
        g->per_address = per_address;
        g->owner = owner;
        if (spared)
                g->spared = *spared;
        (void)pthread_mutex_init(&g->lock, NULL);
        (void)pthread_condattr_init(&how);
        (void)pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&g->end, &how);
        (void)pthread_condattr_destroy(&how);
        if (pthread_create(&g->thread, NULL, watch, g) != 0)
                abort();
        return g;
}

void guests_free(struct guests **guests)
{
        struct guests *g = *guests;
        if (!g)
                return;
        (void)pthread_mutex_lock(&g->lock);
        assert(!g->first);
        g->ending = true;
        (void)pthread_cond_signal(&g->end);
        (void)pthread_mutex_unlock(&g->lock);
        (void)pthread_join(g->thread, NULL);
        (void)pthread_cond_destroy(&g->end);
        (void)pthread_mutex_destroy(&g->lock);
        free(g);
        *guests = NULL;
}
