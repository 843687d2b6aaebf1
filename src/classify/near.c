/* classify/near.c -- which examples say nearly the same. */
#include "base/arena.h"
#include "classify/classifier.h"
#include <stdlib.h>

/* No group becomes larger than a twentieth: of a class whose texts are all alike some must be left to learn from. */
enum { GROUPS_LEAST = 20, BANDS = 16, BAND_ROWS = 4, HASHES = BANDS * BAND_ROWS };

static uint32_t root_of(struct example *x, uint32_t i)
{
        while (x[i].group != i) {
                x[i].group = x[x[i].group].group;
                i = x[i].group;
        }
        return i;
}

static uint64_t mixed(uint64_t x)
{
        x = (x ^ (x >> 31)) * UINT64_C(0x7fb5d329728ea185);
        x = (x ^ (x >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
        return x ^ (x >> 33);
}

/* One pass over the grams gives two hash functions from each mixed key; all 64 are needed. */
static void sign(const struct example *x, uint32_t least[HASHES])
{
        memset(least, 0xFF, HASHES * sizeof *least);
        for (size_t k = 0; k < x->n; k++)
                for (int h = 0; h < HASHES; h += 2) {
                        const uint64_t m = mixed(x->grams[k].key | (uint64_t)(h + 1) << 32);
                        const uint32_t low = (uint32_t)m, high = (uint32_t)(m >> 32);
                        least[h] = low < least[h] ? low : least[h];
                        least[h + 1] = high < least[h + 1] ? high : least[h + 1];
                }
}

/* The share of equal least hashes estimates the share of grams in both (Jaccard): seven tenths, with a standard error of 0.06. */
static bool alike(const uint32_t p[HASHES], const uint32_t q[HASHES])
{
        int equal = 0;
        for (int h = 0; h < HASHES; h++)
                equal += p[h] == q[h];
        return equal * 10 >= 7 * HASHES;
}

struct banded {
        uint64_t hash;
        uint32_t example;
};

static int by_hash(const void *a, const void *b)
{
        const struct banded *x = a, *y = b;
        if (x->hash != y->hash)
                return x->hash < y->hash ? -1 : 1;
        return (x->example > y->example) - (x->example < y->example);
}

void near_groups(struct example *x, size_t n)
{
        struct arena *a = arena_new();
        struct banded *bands = NEW_ARRAY(a, struct banded, n * BANDS + 1);
        uint32_t(*signs)[HASHES] = arena_alloc(a, (n + 1) * sizeof *signs);
        for (size_t i = 0; i < n; i++) {
                uint32_t *least = signs[i];
                sign(&x[i], least);
                x[i].group = (uint32_t)i;
                for (int b = 0; b < BANDS; b++) {
                        uint64_t h = (uint64_t)b + 1;
                        for (int r = 0; r < BAND_ROWS; r++)
                                h = mixed(h ^ least[b * BAND_ROWS + r]) + 1;
                        bands[i * BANDS + (size_t)b] = (struct banded){h, (uint32_t)i};
                }
        }
        qsort(bands, n * BANDS, sizeof *bands, by_hash);
        uint32_t *size = NEW_ARRAY(a, uint32_t, n + 1);
        for (size_t i = 0; i < n; i++)
                size[i] = 1;
        for (size_t i = 1; i < n * BANDS; i++) {
                if (bands[i].hash != bands[i - 1].hash || !alike(signs[bands[i - 1].example], signs[bands[i].example]))
                        continue;
                const uint32_t p = root_of(x, bands[i - 1].example), q = root_of(x, bands[i].example);
                const uint32_t low = p < q ? p : q, high = p < q ? q : p;
                if (low == high || size[low] + size[high] > n / GROUPS_LEAST + 2)
                        continue;
                x[high].group = low;
                size[low] += size[high];
        }
        for (size_t i = 0; i < n; i++)
                x[i].group = root_of(x, (uint32_t)i);
        arena_free(&a);
}
