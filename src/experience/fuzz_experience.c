/* experience/fuzz_experience.c -- the saved form of an estimator, damaged: refused, or an estimator that answers, learns and is
 * saved again.  The checksum is made right, or no damaged byte would ever be looked at. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "experience/experience.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { SUM_BYTES = 8, SAVED_MOST = 256 << 20, LIKELY = 3 };

static void use(struct experience *x)
{
        struct arena *a = arena_new();
        struct likely l[LIKELY];
        struct buf saved = BUF_LIMIT(SAVED_MOST);
        const struct circumstance c = {
                .item = {"a", "b", "c"}, .n_item = 3, .area = {"d", "e"}, .n_area = 2, .source = "f", .time = USEC_DAY};
        (void)experience_answer(x, &c, a, l, LIKELY);
        experience_learn(x, &c, "unit", "role");
        const size_t found = experience_answer(x, &c, a, l, LIKELY);
        for (size_t i = 0; i < found; i++)
                assert(l[i].unit && l[i].probability >= 0 && l[i].probability <= 1 + 1e-9);
        experience_write(x, &saved);
        assert(!saved.overflow);
        buf_free(&saved);
        arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct experience *x;
        struct err e = {0};
        uint8_t *copy = malloc(n + SUM_BYTES);
        assert(copy);
        if (n > 0)
                memcpy(copy, bytes, n);
        const uint64_t sum = hash_bytes(copy, n, 0);
        for (size_t i = 0; i < SUM_BYTES; i++)
                copy[n + i] = (uint8_t)(sum >> (8 * i));
        if (experience_read(copy, n + SUM_BYTES, &x, &e))
                use(x);
        else
                assert(!x && e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        experience_free(&x);
        free(copy);
        return 0;
}
