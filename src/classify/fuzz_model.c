/* classify/fuzz_model.c -- the bytes behind a model's head, damaged: refused with a sentence, or a classifier that guesses,
 * explains, learns and is written again.  The head is made right, or no damaged byte would ever be looked at. */
#include "base/arena.h"
#include "base/buf.h"
#include "classify/classifier.h"
#include "crypto/crypto.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char magic[16] = "yiwang model  1"; /* as classify/file.c writes it */
static const char text[] = "工地夜间施工，噪音很大；路灯不亮，漆黑一片 abc";
enum { LENGTH_BYTES = 8, HEAD = 16 + LENGTH_BYTES + SHA256_SIZE, GUESSES = 3, PHRASES = 6, WRITTEN_MOST = 64 << 20 };

static void check_guesses(const struct classifier *c, const struct gram_count *grams, size_t n)
{
        struct guess g[GUESSES];
        const size_t found = classifier_guess(c, grams, n, g, GUESSES);
        assert(found <= GUESSES);
        for (size_t i = 0; i < found; i++) {
                assert(g[i].class >= 0 && (size_t)g[i].class < classifier_classes(c) && classifier_code(c, g[i].class));
                (void)classifier_threshold(c, g[i].class);
        }
}

static void use(struct classifier *c, const struct fold *fold)
{
        struct arena *a = arena_new();
        struct folded f;
        struct gram *grams;
        struct gram_count *counts;
        struct phrase p[PHRASES];
        struct buf b = BUF_LIMIT(WRITTEN_MOST);
        const int last = (int)classifier_classes(c) - 1;
        fold_text(fold, a, text, sizeof text - 1, &f);
        const size_t n_grams = grams_list(&f, a, &grams), n = grams_count(grams, n_grams, a, &counts);
        check_guesses(c, counts, n);
        const size_t phrases = classifier_explain(c, a, &f, last, last > 0 ? 0 : -1, p, PHRASES);
        for (size_t i = 0; i < phrases; i++)
                assert(p[i].from < p[i].to && p[i].to <= sizeof text - 1);
        for (int class = 0; class <= last && class < GUESSES; class ++)
                (void)!classifier_correct(c, counts, n, class);
        check_guesses(c, counts, n);
        classifier_write(c, &b);
        assert(!b.overflow);
        buf_free(&b);
        arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static struct fold *fold; /* made once: it takes longer than a thousand inputs */
        struct classifier *c;
        struct err e = {0};
        if (!fold && !fold_new(&fold, &e))
                abort();
        uint8_t *model = malloc(HEAD + n);
        assert(model);
        memcpy(model, magic, sizeof magic);
        for (size_t i = 0; i < LENGTH_BYTES; i++)
                model[sizeof magic + i] = (uint8_t)((uint64_t)n >> (8 * i));
        sha256(n > 0 ? bytes : (const uint8_t *)"", n, model + sizeof magic + LENGTH_BYTES);
        if (n > 0)
                memcpy(model + HEAD, bytes, n);
        if (classifier_read(model, HEAD + n, &c, &e)) {
                use(c, fold);
                classifier_free(&c);
        } else {
                assert(!c && e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        }
        free(model);
        return 0;
}
