/* text/grams.c -- see grams.h. */
#include "text/grams.h"
#include "base/arena.h"

/* MurmurHash3's final mix of 64 bits. */
static uint32_t key_of(uint64_t x)
{
        x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
        x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
        x ^= x >> 33;
        const uint32_t key = (uint32_t)(x ^ (x >> 32));
        return key ? key : 1;
}

static size_t word_end(const struct folded *f, size_t i)
{
        while (i < f->n && letter_kind(f->c[i]) == LETTER_WORD)
                i++;
        return i;
}

static uint32_t word_key(const struct folded *f, size_t from, size_t to)
{
        uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
        for (size_t i = from; i < to; i++)
                h = (h ^ f->c[i]) * UINT64_C(1099511628211);
        return key_of(h);
}

size_t grams_list(const struct folded *f, struct arena *a, struct gram **out)
{
        struct gram *at = arena_alloc(a, (2 * f->n + 1) * sizeof *at);
        size_t n = 0;
        bool after_han = false;
        for (size_t i = 0; i < f->n;) {
                const enum letter kind = letter_kind(f->c[i]);
                if (kind == LETTER_WORD) {
                        const size_t end = word_end(f, i);
                        at[n++] = (struct gram){word_key(f, i, end), (uint32_t)i, (uint32_t)(end - i)};
                        i = end;
                        after_han = false;
                        continue;
                }
                if (kind == LETTER_HAN) {
                        if (after_han)
                                at[n++] = (struct gram){key_of((uint64_t)f->c[i - 1] << 32 | f->c[i]), (uint32_t)i - 1, 2};
                        at[n++] = (struct gram){key_of(f->c[i]), (uint32_t)i, 1};
                }
                after_han = kind == LETTER_HAN;
                i++;
        }
        *out = at;
        return n;
}

size_t grams_count(const struct gram *grams, size_t n, struct arena *a, struct gram_count **out)
{
        size_t room = 16;
        while (room < 2 * n)
                room *= 2;
        uint32_t *slots = arena_alloc(a, room * sizeof *slots); /* index + 1 of the count */
        struct gram_count *at = arena_alloc(a, (n + 1) * sizeof *at);
        size_t kinds = 0;
        for (size_t i = 0; i < n; i++) {
                size_t s = grams[i].key & (room - 1);
                while (slots[s] && at[slots[s] - 1].key != grams[i].key)
                        s = (s + 1) & (room - 1);
                if (!slots[s]) {
                        at[kinds] = (struct gram_count){grams[i].key, 0};
                        slots[s] = (uint32_t)++kinds;
                }
                at[slots[s] - 1].count++;
        }
        *out = at;
        return kinds;
}
