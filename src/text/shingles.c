/* text/shingles.c -- see shingles.h. */
#include "text/shingles.h"
#include "base/arena.h"
#include "text/fold.h"
#include "text/order.h"
#include <math.h>
#include <stdlib.h>

enum { UNIT_MOST = 24, CELLS = 1 << 21, TEXTS_MOST = 60000, PRIOR = 50 };

uint32_t hash_mix(uint32_t h)
{
        h ^= h >> 16;
        h *= UINT32_C(0x85ebca6b);
        h ^= h >> 13;
        h *= UINT32_C(0xc2b2ae35);
        return h ^ h >> 16;
}

static uint32_t hash_join(uint32_t h, uint32_t next)
{
        return hash_mix(h * UINT32_C(0x9e3779b1) + next);
}

static bool in_word(uint32_t c)
{
        const enum letter k = letter_kind(c);
        return k == LETTER_DIGIT || k == LETTER_WORD;
}

size_t text_units(const struct folded *f, struct arena *a, struct unit **out)
{
        struct unit *u = NEW_ARRAY(a, struct unit, f->n + 1);
        size_t n = 0;
        for (size_t i = 0; i < f->n;) {
                const enum letter kind = letter_kind(f->c[i]);
                size_t to = i + 1;
                if (kind == LETTER_DIGIT || kind == LETTER_WORD)
                        while (to < f->n && to - i < UNIT_MOST && in_word(f->c[to]))
                                to++;
                if (kind != LETTER_NONE) {
                        uint32_t h = 0;
                        for (size_t k = i; k < to; k++)
                                h = hash_join(h, f->c[k]);
                        u[n++] = (struct unit){(uint32_t)i, (uint32_t)to, h, kind != LETTER_HAN};
                }
                i = to;
        }
        *out = u;
        return n;
}

size_t text_shingles(const struct folded *f, struct arena *a, struct shingle **out)
{
        struct unit *u;
        const size_t units = text_units(f, a, &u);
        struct shingle *s = NEW_ARRAY(a, struct shingle, 3 * units + 1);
        size_t n = 0, different = 0;
        for (size_t i = 0; i < units; i++) {
                if (units == 1 || (u[i].word && u[i].to - u[i].from > 1))
                        s[n++] = (struct shingle){hash_mix(u[i].hash), u[i].from, u[i].to, 1};
                uint32_t h = u[i].hash;
                for (size_t k = i + 1; k < units && k < i + 3; k++) {
                        h = hash_join(h, u[k].hash);
                        s[n++] = (struct shingle){h, u[i].from, u[k].to, 1};
                }
        }
        order_by_key(a, s, n, sizeof *s, offsetof(struct shingle, hash)); /* equals stay as they stand in the text */
        for (size_t i = 0; i < n; i++)
                if (different == 0 || s[different - 1].hash != s[i].hash)
                        s[different++] = s[i];
                else
                        s[different - 1].times++;
        *out = s;
        return different;
}

struct rare {
        uint32_t texts;
        uint16_t count[CELLS];
};

static void *or_abort(void *p)
{
        if (!p)
                abort();
        return p;
}

struct rare *rare_new(void)
{
        return or_abort(calloc(1, sizeof(struct rare)));
}

void rare_free(struct rare **r)
{
        free(*r);
        *r = NULL;
}

void rare_learn(struct rare *r, const uint32_t *hashes, size_t n)
{
        if (r->texts == TEXTS_MOST) {
                for (size_t i = 0; i < CELLS; i++)
                        r->count[i] /= 2;
                r->texts /= 2;
        }
        r->texts++;
        for (size_t i = 0; i < n; i++) {
                uint16_t *count = &r->count[hashes[i] % CELLS];
                if (*count < r->texts)
                        ++*count;
        }
}

double rare_weight(const struct rare *r, uint32_t hash)
{
        const double texts = r->texts + (double)PRIOR;
        return log(texts / (r->count[hash % CELLS] + 1.0)) / log(texts);
}

uint32_t rare_texts(const struct rare *r, uint32_t hash)
{
        return r->count[hash % CELLS];
}

size_t rare_bytes(const struct rare *r)
{
        return r ? sizeof *r : 0;
}
