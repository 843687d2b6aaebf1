/* edge/bodies.c -- see bodies.h.  Only large bodies are counted, so the list is short: one entry for each address sending some. */
#include "edge/bodies.h"
#include <pthread.h>
#include <stdlib.h>

struct sender {
        uint64_t who;
        size_t bytes;
        struct sender *next;
};
struct bodies {
        pthread_mutex_t lock;
        size_t most_of_all, most_of_one, all;
        struct sender *first;
};

struct bodies *bodies_new(size_t most_of_all, size_t most_of_one)
{
        struct bodies *b = calloc(1, sizeof *b);
        if (!b)
                abort();
        b->most_of_all = most_of_all;
        b->most_of_one = most_of_one;
        (void)pthread_mutex_init(&b->lock, NULL);
        return b;
}

void bodies_free(struct bodies **b)
{
        if (!*b)
                return;
        assert((*b)->all == 0 && !(*b)->first);
        (void)pthread_mutex_destroy(&(*b)->lock);
        free(*b);
        *b = NULL;
}

/* The link that leads to the sender; to NULL when there is none. */
static struct sender **find(struct bodies *b, uint64_t who)
{
        struct sender **at = &b->first;
        while (*at && (*at)->who != who)
                at = &(*at)->next;
        return at;
}

bool bodies_take(struct bodies *b, uint64_t who, size_t n)
{
        (void)pthread_mutex_lock(&b->lock);
        struct sender **at = find(b, who);
        const size_t his = *at ? (*at)->bytes : 0;
        const bool room = n <= b->most_of_one - his && n <= b->most_of_all - b->all;
        if (room) {
                if (!*at) {
                        *at = calloc(1, sizeof **at);
                        if (!*at)
                                abort();
                        (*at)->who = who;
                }
                (*at)->bytes += n;
                b->all += n;
        }
        (void)pthread_mutex_unlock(&b->lock);
        return room;
}

void bodies_give(struct bodies *b, uint64_t who, size_t n)
{
        (void)pthread_mutex_lock(&b->lock);
        struct sender **at = find(b, who), *sender = *at;
        assert(sender && sender->bytes >= n && b->all >= n);
        sender->bytes -= n;
        b->all -= n;
        if (sender->bytes == 0) {
                *at = sender->next;
                free(sender);
        }
        (void)pthread_mutex_unlock(&b->lock);
}
