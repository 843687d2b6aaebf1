/* store/statements.c -- prepared statements kept per connection.
 *
 * SQL is written as constants, so a statement is first looked for by the address of its text; since a text
 * made at run time may come to lie at the address of another, the bytes are compared all the same.
 */
#include "base/map.h"
#include "store/inside.h"

static size_t near_slot(const char *sql)
{
        return (size_t)(((uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15)) >> 32) % CACHE_NEAR;
}

static struct kept **bucket_of(struct cache *c, const char *sql)
{
        return &c->buckets[hash_bytes(sql, strlen(sql), 0) % CACHE_BUCKETS];
}

struct kept *cache_find(struct cache *c, const char *sql)
{
        size_t slot = near_slot(sql);
        struct kept *k = c->near[slot].sql == sql ? c->near[slot].found : NULL;
        if (k && strcmp(k->sql, sql) == 0)
                return k;
        for (k = *bucket_of(c, sql); k && strcmp(k->sql, sql) != 0;)
                k = k->chain;
        if (k) {
                c->near[slot].sql = sql;
                c->near[slot].found = k;
        }
        return k;
}

void cache_add(struct cache *c, struct kept *k)
{
        struct kept **bucket = bucket_of(c, k->sql);
        k->chain = *bucket;
        *bucket = k;
        c->count++;
}

void cache_remove(struct cache *c, struct kept *k)
{
        struct kept **link = bucket_of(c, k->sql);
        while (*link != k)
                link = &(*link)->chain;
        *link = k->chain;
        c->count--;
        for (size_t i = 0; i < CACHE_NEAR; i++)
                if (c->near[i].found == k)
                        c->near[i].sql = NULL, c->near[i].found = NULL;
}

void cache_clear(struct cache *c, void (*drop)(struct kept *))
{
        for (int b = 0; b < CACHE_BUCKETS; b++) {
                while (c->buckets[b]) {
                        struct kept *k = c->buckets[b];
                        c->buckets[b] = k->chain;
                        drop(k);
                }
        }
        memset(c, 0, sizeof *c);
}
