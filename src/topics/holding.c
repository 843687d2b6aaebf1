/* topics/holding.c -- the topic that some messages are in, as its id changes when old ones go. */
#include "base/arena.h"
#include "topics/inside.h"
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

static size_t held(const struct cluster *c, const int64_t *ids, size_t n)
{
        size_t found = 0;
        for (size_t i = 0; i < c->n; i++)
                found += bsearch(&c->members[i]->id, ids, n, sizeof *ids, by_value) != NULL;
        return found;
}

bool topics_holding(struct topics *t, struct arena *a, const int64_t *ids, size_t n, int64_t *topic, const int64_t **members,
                    size_t *n_members)
{
        const struct cluster *best = NULL;
        size_t most = 0, all = 0;
        topics_settle(t);
        for (size_t i = 0; n > 0 && i < t->n; i++) {
                const size_t found = t->clusters[i]->gone ? 0 : held(t->clusters[i], ids, n);
                all += found;
                if (found <= most)
                        continue;
                most = found;
                best = t->clusters[i];
        }
        if (!best || 2 * most < all)
                return false;
        int64_t *list = NEW_ARRAY(a, int64_t, best->n);
        for (size_t i = 0; i < best->n; i++)
                list[i] = best->members[i]->id;
        *topic = list[0];
        *members = list;
        *n_members = best->n;
        return true;
}
