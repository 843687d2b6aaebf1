/* text/order_test.c -- the order is the one a comparing sort makes, and equals stay as they were. */
#include "text/order.h"
#include "base/arena.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct thing {
        float rank;
        uint32_t key, place;
};

static int by_key(const void *a, const void *b)
{
        const struct thing *x = a, *y = b;
        if (x->key != y->key)
                return x->key < y->key ? -1 : 1;
        return (x->place > y->place) - (x->place < y->place);
}

static uint32_t draw(uint64_t *seed)
{
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(*seed >> 32);
}

static void as_a_comparing_sort(void **state)
{
        static const size_t sizes[] = {0, 1, 2, 3, 17, 255, 256, 257, 5000};
        static const uint32_t masks[] = {UINT32_MAX, 0xff, 0xff000000, 0x00ff00ff, 3, 0};
        struct arena *a = arena_new();
        uint64_t seed = 20261130;
        (void)state;
        for (size_t s = 0; s < COUNT_OF(sizes); s++)
                for (size_t m = 0; m < COUNT_OF(masks); m++) {
                        const size_t n = sizes[s];
                        struct thing *at = NEW_ARRAY(a, struct thing, n + 1), *want = NEW_ARRAY(a, struct thing, n + 1);
                        for (size_t i = 0; i < n; i++)
                                at[i] = (struct thing){0, draw(&seed) & masks[m], (uint32_t)i};
                        memcpy(want, at, n * sizeof *at);
                        qsort(want, n, sizeof *want, by_key);
                        order_by_key(a, at, n, sizeof *at, offsetof(struct thing, key));
                        for (size_t i = 0; i < n; i++) {
                                assert_int_equal(at[i].key, want[i].key);
                                assert_int_equal(at[i].place, want[i].place);
                        }
                        arena_reset(a);
                }
        arena_free(&a);
}

static void floats_that_are_not_negative(void **state)
{
        static const float rising[] = {0.0F, 1e-40F, 1e-20F, 0.25F, 0.5F, 0.50000006F, 1.0F, 3.0F, 1e20F};
        struct arena *a = arena_new();
        struct thing at[COUNT_OF(rising)];
        (void)state;
        for (size_t i = 0; i < COUNT_OF(rising); i++)
                at[i] = (struct thing){rising[(i * 5) % COUNT_OF(rising)], 0, 0};
        order_by_key(a, at, COUNT_OF(rising), sizeof *at, offsetof(struct thing, rank));
        for (size_t i = 0; i < COUNT_OF(rising); i++)
                assert_memory_equal(&at[i].rank, &rising[i], sizeof(float));
        arena_free(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(as_a_comparing_sort),
                cmocka_unit_test(floats_that_are_not_negative),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
