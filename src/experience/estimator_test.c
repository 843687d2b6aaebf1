/* experience/estimator_test.c -- properties of the estimator, its saved form, and names of units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "experience/experience.h"
#include <math.h>
#include <pthread.h>

enum { ROOM = 5, STREETS = 3, COMMUNITIES = 4, SUBTYPES = 6, SAVED_MOST = 64 << 20 };
static const int64_t START = INT64_C(1767225600) * USEC_SECOND; /* 2026-01-01 */

static uint64_t draw(uint64_t *seed, uint64_t below)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return (*seed * UINT64_C(0x2545F4914F6CDD1D) >> 33) % below;
}

/* A made-up district: items of three levels; areas of two. */
struct made {
        struct circumstance c;
        char item[3][24], area[2][24];
        const char *unit;
        char name[64];
};

static void make(struct made *m, uint64_t *seed, int64_t day)
{
        const int street = (int)draw(seed, STREETS), community = (int)draw(seed, COMMUNITIES), item = (int)draw(seed, SUBTYPES);
        (void)snprintf(m->item[0], sizeof m->item[0], "type%d", item / 3);
        (void)snprintf(m->item[1], sizeof m->item[1], "main%d", item / 2);
        (void)snprintf(m->item[2], sizeof m->item[2], "sub%d", item);
        (void)snprintf(m->area[0], sizeof m->area[0], "street%d", street);
        (void)snprintf(m->area[1], sizeof m->area[1], "community%d.%d", street, community);
        m->c = (struct circumstance){
                .item = {m->item[0], m->item[1], m->item[2]},
                .n_item = 3,
                .area = {m->area[0], m->area[1]},
                .n_area = 2,
                .source = draw(seed, 2) ? "hotline" : "app",
                .time = START + day * USEC_DAY,
        };
        /* Item 0 goes to the community's office, 1 to the street's, the others to bureaus; one in ten goes anywhere. */
        if (draw(seed, 10) == 0)
                (void)snprintf(m->name, sizeof m->name, "bureau%d", (int)draw(seed, SUBTYPES));
        else if (item == 0)
                (void)snprintf(m->name, sizeof m->name, "%s office", m->area[1]);
        else if (item == 1)
                (void)snprintf(m->name, sizeof m->name, "%s market", m->area[0]);
        else
                (void)snprintf(m->name, sizeof m->name, "bureau%d", item);
        m->unit = m->name;
}

static void learn(struct experience *x, const struct made *m)
{
        struct arena *a = arena_new();
        experience_learn(x, &m->c, m->unit, unit_role(a, m->unit, m->c.area, m->c.n_area));
        arena_free(&a);
}

static struct experience *learned(size_t n, uint64_t seed, const struct experience_options *o)
{
        struct experience *x = experience_new(o);
        for (size_t i = 0; i < n; i++) {
                struct made m;
                make(&m, &seed, (int64_t)i / 20);
                learn(x, &m);
        }
        return x;
}

static const struct experience_options usual = {0};

/* --- answers -------------------------------------------------------------------------------------------------------------- */

static void probabilities_are_some(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct experience *x = learned(0, 1, &usual);
        struct likely l[ROOM];
        struct made m;
        uint64_t seed = 7, right = 0, sure = 0;
        make(&m, &seed, 0);
        assert_int_equal(experience_answer(x, &m.c, a, l, ROOM), 0);
        experience_free(&x);
        x = learned(3000, 1, &usual);
        for (int i = 0; i < 500; i++) {
                make(&m, &seed, 150);
                const size_t n = experience_answer(x, &m.c, a, l, ROOM);
                double p = 0, c = 0;
                assert_int_equal(n, ROOM);
                for (size_t k = 0; k < n; k++) {
                        assert_true(l[k].probability >= 0 && (k == 0 || l[k].probability <= l[k - 1].probability));
                        assert_true(l[k].certainty >= 0 && l[k].certainty <= 1);
                        assert_true(l[k].ground.cases <= l[k].ground.of + 1e-6);
                        p += l[k].probability;
                        c += l[k].certainty;
                }
                assert_true(p <= 1 + 1e-9 && c <= 1 + 1e-9);
                right += strcmp(l[0].unit, m.unit) == 0;
                sure += l[0].certainty > 0.5;
        }
        assert_in_range(right, 420, 500); /* at most about 92 % can be known */
        assert_in_range(sure, 450, 500);
        experience_free(&x);
        arena_free(&a);
}

/* An item nobody has seen is answered by its parents; nothing at all by what is commonest. */
static void unseen_is_answered_by_what_is_coarser(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct experience *x = learned(3000, 1, &usual);
        struct likely l[ROOM];
        const struct circumstance sibling = {.item = {"type1", "main2", "never seen"}, .n_item = 3, .time = START + 150 * USEC_DAY};
        assert_int_equal(experience_answer(x, &sibling, a, l, ROOM), ROOM);
        /* sub4 and sub5 are the children of main2. */
        assert_true(strcmp(l[0].unit, "bureau4") == 0 || strcmp(l[0].unit, "bureau5") == 0);
        assert_true(strcmp(l[1].unit, "bureau4") == 0 || strcmp(l[1].unit, "bureau5") == 0);
        assert_int_equal(l[0].ground.item, 2);
        const struct circumstance nothing = {.time = START + 150 * USEC_DAY};
        assert_int_equal(experience_answer(x, &nothing, a, l, ROOM), ROOM);
        assert_int_equal(l[0].ground.item, 0);
        experience_free(&x);
        arena_free(&a);
}

/* sub0 never came from community2.3; its office is known by another item, and offices of other communities handle sub0. */
static void other_areas_speak_for_the_local_unit(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct experience *x = experience_new(&usual);
        struct likely l[ROOM];
        uint64_t seed = 3;
        struct made m;
        for (int i = 0; i < 3000; i++) {
                make(&m, &seed, i / 20);
                if (strcmp(m.area[1], "community2.3") == 0 && strcmp(m.item[2], "sub0") == 0) {
                        m.c.item[0] = "other";
                        m.c.item[1] = "other";
                        m.c.item[2] = "other";
                }
                learn(x, &m);
        }
        const struct circumstance c = {.item = {"type0", "main0", "sub0"},
                                       .n_item = 3,
                                       .area = {"street2", "community2.3"},
                                       .n_area = 2,
                                       .source = "app",
                                       .time = START + 150 * USEC_DAY};
        assert_true(experience_answer(x, &c, a, l, ROOM) > 0);
        assert_string_equal(l[0].unit, "community2.3 office");
        assert_true(l[0].ground.elsewhere);
        assert_int_equal(l[0].ground.item, 3);
        experience_free(&x);
        arena_free(&a);
}

/* How sure it is that the unit handles the case. */
static double probability_of(const struct experience *x, const struct circumstance *c, const char *unit)
{
        struct arena *a = arena_new();
        struct likely l[16];
        double p = 0;
        const size_t n = experience_answer(x, c, a, l, COUNT_OF(l));
        for (size_t i = 0; i < n; i++)
                if (strcmp(l[i].unit, unit) == 0)
                        p = l[i].probability;
        arena_free(&a);
        return p;
}

static void a_unit_no_longer_used_fades(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct experience *x = experience_new(&usual);
        struct likely l[ROOM];
        struct circumstance c = {.item = {"type", "main", "sub"}, .n_item = 3, .source = "app", .time = START};
        for (int i = 0; i < 200; i++, c.time += USEC_DAY / 4)
                experience_learn(x, &c, i % 10 ? "old bureau" : "third", NULL);
        const double before = probability_of(x, &c, "old bureau");
        assert_true(before > 0.7);
        for (int i = 0; i < 60; i++, c.time += USEC_DAY / 4)
                experience_learn(x, &c, "new bureau", NULL);
        assert_true(experience_answer(x, &c, a, l, ROOM) > 0);
        assert_string_equal(l[0].unit, "new bureau");
        assert_true(probability_of(x, &c, "old bureau") < before / 3);
        /* Ten years later what was counted then is a fraction of a case. */
        c.time += 3650 * USEC_DAY;
        assert_true(experience_answer(x, &c, a, l, ROOM) > 0);
        assert_true(l[0].ground.of < 1);
        experience_free(&x);
        arena_free(&a);
}

static void a_ground_counts_like_cases(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct experience *x = experience_new(&usual);
        struct likely l[ROOM];
        struct circumstance c = {.item = {"type", "main", "sub"}, .n_item = 3, .area = {"street"}, .n_area = 1, .time = START};
        for (int i = 0; i < 40; i++) {
                c.area[0] = i % 2 ? "street" : "other";
                experience_learn(x, &c, i % 2 ? "here" : "there", NULL);
        }
        c.area[0] = "street";
        assert_true(experience_answer(x, &c, a, l, ROOM) > 0);
        assert_string_equal(l[0].unit, "here");
        assert_int_equal(l[0].ground.area, 1);
        assert_true(fabs(l[0].ground.of - 20) < 0.01 && fabs(l[0].ground.cases - 20) < 0.01);
        assert_true(fabs(l[0].item_of - 40) < 0.01 && fabs(l[0].item_cases - 20) < 0.01);
        assert_int_equal(l[0].ground.since, START);
        experience_free(&x);
        arena_free(&a);
}

static void memory_has_a_limit(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        struct experience *x = experience_new(&(struct experience_options){.cells_most = 500});
        struct circumstance c = {.n_item = 2, .n_area = 1, .time = START};
        struct likely l[ROOM];
        char item[32], area[32];
        for (int i = 0; i < 5000; i++, c.time += USEC_MINUTE) {
                (void)snprintf(item, sizeof item, "item%d", i);
                (void)snprintf(area, sizeof area, "area%d", i % 200);
                c.item[0] = "type";
                c.item[1] = item;
                c.area[0] = area;
                experience_learn(x, &c, i % 3 ? "a" : "b", NULL);
                assert_true(experience_size(x).cells <= 500);
        }
        assert_int_equal(experience_size(x).learned, 5000);
        assert_int_equal(experience_answer(x, &c, a, l, ROOM), 2);
        assert_string_equal(l[0].unit, "a"); /* what is always asked stays */
        /* All of one instant: even then there is a limit. */
        for (int i = 0; i < 2000; i++) {
                (void)snprintf(item, sizeof item, "more%d", i);
                experience_learn(x, &c, "a", NULL);
                assert_true(experience_size(x).cells <= 500);
        }
        experience_free(&x);
        arena_free(&a);
}

/* --- many units, many threads --------------------------------------------------------------------------------------------- */

static void a_cell_forgets_the_weakest_of_many_units(void **state)
{
        (void)state;
        struct experience *x = experience_new(&usual);
        struct circumstance c = {.item = {"only"}, .n_item = 1, .time = START};
        char unit[32];
        for (int i = 0; i < 2000; i++, c.time += USEC_MINUTE) {
                (void)snprintf(unit, sizeof unit, "unit%d", i % 2 ? 0 : i);
                experience_learn(x, &c, unit, NULL);
        }
        assert_int_equal(experience_size(x).units, 1000);
        assert_true(probability_of(x, &c, "unit0") > 0.2);
        experience_free(&x);
}

static void *ask(void *ctx)
{
        struct arena *a = arena_new();
        uint64_t seed = 11;
        for (int i = 0; i < 400; i++, arena_reset(a)) {
                struct made m;
                struct likely l[ROOM];
                make(&m, &seed, 10);
                const size_t n = experience_answer(ctx, &m.c, a, l, ROOM);
                for (size_t k = 0; k < n; k++)
                        assert(strlen(l[k].unit) > 3 && l[k].probability <= 1);
        }
        arena_free(&a);
        return NULL;
}

static void many_ask_while_one_learns(void **state)
{
        (void)state;
        struct experience *x = learned(100, 5, &usual);
        pthread_t threads[3];
        uint64_t seed = 6;
        for (size_t i = 0; i < COUNT_OF(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, ask, x), 0);
        for (int i = 0; i < 500; i++) {
                struct made m;
                make(&m, &seed, 10);
                learn(x, &m);
        }
        for (size_t i = 0; i < COUNT_OF(threads); i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(experience_size(x).learned, 600);
        experience_free(&x);
}

/* --- saved ---------------------------------------------------------------------------------------------------------------- */

static void same_answers(const struct experience *x, const struct experience *y, uint64_t seed, int64_t day)
{
        struct arena *a = arena_new();
        for (int i = 0; i < 100; i++) {
                struct made m;
                struct likely l[ROOM], k[ROOM];
                make(&m, &seed, day);
                const size_t n = experience_answer(x, &m.c, a, l, ROOM);
                assert_int_equal(experience_answer(y, &m.c, a, k, ROOM), n);
                for (size_t j = 0; j < n; j++) {
                        assert_string_equal(l[j].unit, k[j].unit);
                        assert_memory_equal(&l[j].probability, &k[j].probability, sizeof(double));
                        assert_memory_equal(&l[j].certainty, &k[j].certainty, sizeof(double));
                        assert_int_equal(l[j].ground.since, k[j].ground.since);
                }
        }
        arena_free(&a);
}

static void restored_is_the_same(void **state)
{
        (void)state;
        struct experience *x = learned(1500, 9, &usual), *y;
        struct buf saved = BUF_LIMIT(SAVED_MOST), again = BUF_LIMIT(SAVED_MOST);
        struct err e = {0};
        experience_write(x, &saved);
        assert_false(saved.overflow);
        assert_true(experience_read(saved.at, saved.length, &y, &e));
        assert_int_equal(experience_size(y).cells, experience_size(x).cells);
        assert_int_equal(experience_size(y).units, experience_size(x).units);
        same_answers(x, y, 21, 80);
        /* Also when both go on learning. */
        uint64_t seed = 22;
        for (int i = 0; i < 300; i++) {
                struct made m;
                make(&m, &seed, 80 + i / 20);
                learn(x, &m);
                learn(y, &m);
        }
        same_answers(x, y, 23, 100);
        experience_write(y, &again);
        assert_true(again.length > saved.length);
        experience_free(&x);
        experience_free(&y);
        buf_free(&saved);
        buf_free(&again);
}

static void refused(const char *bytes, size_t n)
{
        struct experience *x;
        struct err e = {0};
        assert_false(experience_read(bytes, n, &x, &e));
        assert_null(x);
        assert_int_equal(e.kind, ERR_INVALID);
        assert_true(e.text[0] && e.zh[0]);
}

/* With the checksum made right again: the reader must not trust it. */
static void try_sealed(char *bytes, size_t n)
{
        struct experience *x;
        struct err e = {0};
        const uint64_t sum = hash_bytes(bytes, n - 8, 0);
        for (size_t i = 0; i < 8; i++)
                bytes[n - 8 + i] = (char)(sum >> (8 * i) & 0xFF);
        if (!experience_read(bytes, n, &x, &e)) {
                assert_int_equal(e.kind, ERR_INVALID);
                return;
        }
        struct made m;
        uint64_t seed = 4;
        make(&m, &seed, 3);
        learn(x, &m);
        experience_free(&x);
}

static void damaged_bytes_are_refused(void **state)
{
        (void)state;
        struct experience *x = learned(60, 9, &usual);
        struct buf saved = BUF_LIMIT(SAVED_MOST);
        uint64_t seed = 5;
        experience_write(x, &saved);
        experience_free(&x);
        char *copy = malloc(saved.length + 1);
        assert_non_null(copy);
        for (int i = 0; i < 300; i++) {
                const size_t at = (size_t)draw(&seed, saved.length);
                memcpy(copy, saved.at, saved.length);
                copy[at] = (char)(copy[at] ^ (1 << draw(&seed, 8)));
                refused(copy, saved.length);
                try_sealed(copy, saved.length);
                memcpy(copy, saved.at, saved.length);
                refused(copy, at);
                if (at > 16)
                        try_sealed(copy, at);
        }
        memcpy(copy, saved.at, saved.length);
        copy[saved.length] = 0;
        refused(copy, saved.length + 1);
        refused("", 0);
        free(copy);
        buf_free(&saved);
}

/* --- names ---------------------------------------------------------------------------------------------------------------- */

static void names_are_one_while_that_is_clear(void **state)
{
        (void)state;
        struct unit_names *u = unit_names_new();
        const char *office = unit_names_key(u, "城建办");
        assert_ptr_equal(unit_names_key(u, "城建办（甲街道办事处）"), office);
        const char *other = unit_names_key(u, "城建办（乙街道办事处）");
        assert_string_not_equal(other, office);
        assert_ptr_equal(unit_names_key(u, "城建办（甲街道办事处）"), office); /* what was one stays one */
        assert_ptr_equal(unit_names_key(u, "城建办"), office);
        assert_string_equal(unit_names_label(u, office), "城建办");
        assert_string_equal(unit_names_label(u, other), "城建办（乙街道办事处）");

        const char *first = unit_names_key(u, "劳动办（甲）");
        assert_string_equal(unit_names_label(u, first), "劳动办");
        const char *second = unit_names_key(u, "劳动办（乙）"), *plain = unit_names_key(u, "劳动办");
        assert_true(first != second && second != plain && first != plain);
        assert_string_equal(unit_names_label(u, first), "劳动办（甲）");
        assert_string_equal(unit_names_label(u, plain), "劳动办");

        assert_ptr_equal(unit_names_key(u, "Parks (north)"), unit_names_key(u, "Parks"));
        assert_string_equal(unit_names_key(u, "（甲）"), "（甲）");
        assert_string_equal(unit_names_key(u, "教育局（甲）科"), "教育局（甲）科");
        unit_names_free(&u);
        assert_null(u);
}

static void aliases_decide(void **state)
{
        (void)state;
        struct unit_names *u = unit_names_new();
        unit_names_alias(u, "education", "教育局");
        unit_names_alias(u, "education", "教育局（甲）");
        unit_names_alias(u, "education", "教育局（乙）");
        assert_string_equal(unit_names_key(u, "教育局（乙）"), "education");
        assert_string_equal(unit_names_key(u, "教育局"), "education");
        assert_string_equal(unit_names_label(u, "education"), "education");
        assert_string_equal(unit_names_key(u, "教育局（丙）"), "教育局（丙）");
        unit_names_free(&u);
}

static void roles_are_names_without_areas(void **state)
{
        (void)state;
        struct arena *a = arena_new();
        const char *const areas[] = {"龙田街道", "老坑社区"};
        assert_string_equal(unit_role(a, "龙田街道综合执法队", areas, 2), "综合执法队");
        assert_string_equal(unit_role(a, "龙田办事处综合执法队（龙田街道办事处）", areas, 2), "综合执法队");
        assert_string_equal(unit_role(a, "老坑社区", areas, 2), "");
        assert_null(unit_role(a, "教育局", areas, 2));
        assert_null(unit_role(a, "坑梓街道综合执法队", areas, 2));
        assert_null(unit_role(a, "教育局", NULL, 0));
        arena_free(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(probabilities_are_some),
                cmocka_unit_test(unseen_is_answered_by_what_is_coarser),
                cmocka_unit_test(other_areas_speak_for_the_local_unit),
                cmocka_unit_test(a_unit_no_longer_used_fades),
                cmocka_unit_test(a_ground_counts_like_cases),
                cmocka_unit_test(memory_has_a_limit),
                cmocka_unit_test(a_cell_forgets_the_weakest_of_many_units),
                cmocka_unit_test(many_ask_while_one_learns),
                cmocka_unit_test(restored_is_the_same),
                cmocka_unit_test(damaged_bytes_are_refused),
                cmocka_unit_test(names_are_one_while_that_is_clear),
                cmocka_unit_test(aliases_decide),
                cmocka_unit_test(roles_are_names_without_areas),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
