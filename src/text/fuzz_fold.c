/* text/fuzz_fold.c -- any bytes as a text: folded, cut into grams, folded again. */
#include "base/arena.h"
#include "base/buf.h"
#include "text/fold.h"
#include "text/grams.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Bytes up to here are of earlier characters; a byte that continues a character is no border of well-formed text.  Of what is not
 * well-formed only the order is known. */
static void check_places(const struct folded *f, const char *text, size_t n)
{
        assert(f->n <= FOLD_MOST + 8);
        assert(f->at[f->n] <= n && (f->cut || f->at[f->n] == n));
        for (size_t i = 0; i < f->n; i++) {
                assert(f->c[i] != 0 && f->at[i] < n && f->at[i] <= f->at[i + 1]);
                assert(((unsigned char)text[f->at[i]] & 0xC0) != 0x80);
        }
}

static void check_grams(const struct folded *f, struct arena *a)
{
        struct gram *grams;
        struct gram_count *counts;
        const size_t n = grams_list(f, a, &grams), kinds = grams_count(grams, n, a, &counts);
        size_t sum = 0;
        for (size_t i = 0; i < n; i++) {
                assert(grams[i].key != 0 && grams[i].n > 0 && grams[i].from + grams[i].n <= f->n);
                assert(letter_kind(f->c[grams[i].from]) != LETTER_NONE && letter_kind(f->c[grams[i].from]) != LETTER_DIGIT);
        }
        for (size_t i = 0; i < kinds; i++) {
                assert(counts[i].count > 0);
                sum += counts[i].count;
        }
        assert(sum == n && kinds <= n);
}

static void check_twice(const struct fold *fold, const struct folded *f, struct arena *a)
{
        struct folded again;
        struct buf b = BUF_LIMIT(1 << 20);
        fold_write(f, 0, f->n, &b);
        assert(!b.overflow);
        fold_text(fold, a, b.at ? b.at : "", b.length, &again);
        assert(again.n == f->n && !again.cut);
        for (size_t i = 0; i < f->n; i++)
                assert(again.c[i] == f->c[i]);
        buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static struct fold *fold; /* made once: it takes longer than a thousand inputs */
        struct err e;
        if (!fold && !fold_new(&fold, &e))
                abort();
        struct arena *a = arena_new();
        struct folded f;
        char *text = malloc(n + (n == 0)); /* ends where the bytes end */
        assert(text);
        if (n > 0)
                memcpy(text, bytes, n);
        fold_text(fold, a, text, n, &f);
        check_places(&f, text, n);
        check_grams(&f, a);
        if (!f.cut)
                check_twice(fold, &f, a);
        free(text);
        arena_free(&a);
        return 0;
}
