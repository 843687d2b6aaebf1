/* text/order.c -- see order.h. */
#include "text/order.h"
#include "base/arena.h"

enum { BYTES = 4, VALUES = 256 };

/* Key above, place below: what is moved about is small, the things themselves are moved once. */
static uint64_t *tickets_of(struct arena *a, const unsigned char *things, size_t n, size_t size, size_t key,
                            uint32_t count[BYTES][VALUES])
{
        uint64_t *t = NEW_ARRAY(a, uint64_t, n);
        for (size_t i = 0; i < n; i++) {
                uint32_t k;
                memcpy(&k, things + i * size + key, sizeof k);
                t[i] = (uint64_t)k << 32 | i;
                for (int b = 0; b < BYTES; b++)
                        count[b][k >> 8 * b & (VALUES - 1)]++;
        }
        return t;
}

static void pass(const uint64_t *from, uint64_t *to, size_t n, int byte, uint32_t count[VALUES])
{
        uint32_t at = 0;
        for (int v = 0; v < VALUES; v++) {
                const uint32_t here = count[v];
                count[v] = at;
                at += here;
        }
        for (size_t i = 0; i < n; i++)
                to[count[from[i] >> (32 + 8 * byte) & (VALUES - 1)]++] = from[i];
}

void order_by_key(struct arena *a, void *things, size_t n, size_t size, size_t key)
{
        uint32_t count[BYTES][VALUES] = {{0}};
        if (n < 2)
                return;
        assert(n <= UINT32_MAX);
        uint64_t *from = tickets_of(a, things, n, size, key, count), *to = NEW_ARRAY(a, uint64_t, n);
        for (int b = 0; b < BYTES; b++) {
                pass(from, to, n, b, count[b]);
                uint64_t *turn = from;
                from = to;
                to = turn;
        }
        unsigned char *copy = arena_alloc(a, n * size);
        memcpy(copy, things, n * size);
        for (size_t i = 0; i < n; i++)
                memcpy((unsigned char *)things + i * size, copy + (uint32_t)from[i] * size, size);
}
