/* routing/routing_test.c -- random responsibility lists against an oracle that reads every row for every step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "pack/testing.h"
#include "people/people.h"
#include "routing/routing.h"
#include "store/store.h"
#include "store/testing.h"
#include "twin/twin.h"

enum { ITEMS = 60, AREAS = 40, UNITS = 14, ROWS = 300, QUESTIONS = 4000, ROUNDS = 5, ANY = -1, NO_PARENT = -1 };
static const char *const kinds[] = {"lamp", "bin", "pipe"};

struct table_row {
        int item, area;
        const char *kind;
        int unit;
        const char *rota;
        int assists[3];
        int n_assists;
};
/* What the oracle reads and what is written into the tables. */
struct table {
        struct arena *arena;
        int item_parent[ITEMS], item_level[ITEMS], area_parent[AREAS], area_level[AREAS];
        struct table_row rows[ROWS];
        int n;
};
struct loaded {
        struct arena *arena;
        int64_t version;
        struct units *units;
        struct catalogue *catalogue;
        struct twin *twin;
        struct routing *routing;
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return (uint32_t)((*seed * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % below;
}

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

/* --- making a list ------------------------------------------------------------------------------------------------------- */

static void any_tree(uint64_t *seed, int *parent, int *level, int n, int roots, int deepest)
{
        for (int i = 0; i < n; i++) {
                do
                        parent[i] = i < roots ? NO_PARENT : (int)draw(seed, (uint32_t)i);
                while (parent[i] >= 0 && level[parent[i]] >= deepest);
                level[i] = parent[i] < 0 ? 0 : level[parent[i]] + 1;
        }
}

static struct table *any_table(struct arena *a, uint64_t *seed)
{
        struct table *t = NEW(a, struct table);
        t->arena = a;
        any_tree(seed, t->item_parent, t->item_level, ITEMS, 6, 3);
        any_tree(seed, t->area_parent, t->area_level, AREAS, 1, 3);
        for (t->n = 0; t->n < ROWS; t->n++) {
                struct table_row *r = &t->rows[t->n];
                *r = (struct table_row){.item = draw(seed, 12) ? (int)draw(seed, ITEMS) : ANY,
                                        .area = draw(seed, 4) ? (int)draw(seed, AREAS) : ANY,
                                        .unit = (int)draw(seed, UNITS)};
                if (r->area != ANY && draw(seed, 4) == 0)
                        r->kind = kinds[draw(seed, COUNT_OF(kinds))];
                if (draw(seed, 8) == 0)
                        r->rota = draw(seed, 2) ? "cables" : "nights";
                for (uint32_t n = draw(seed, 4); n > 0; n--)
                        r->assists[r->n_assists++] = (int)draw(seed, UNITS);
        }
        return t;
}

static const char *code(struct arena *a, char letter, int i)
{
        return i == ANY ? "*" : arena_format(a, "%c%d", letter, i);
}

static const char SQL_ITEM[] = "INSERT INTO item(version, position, code, name, parent, place) VALUES (1, $1, $2, $3, $4, '')";
static const char SQL_AREA[] =
        "INSERT INTO area(version, position, code, name, level, parent, place) VALUES (1, $1, $2, $3, $4, $5, '')";
static const char SQL_UNIT[] =
        "INSERT INTO unit(version, position, code, name, kind, fallback, place) VALUES (1, $1, $2, $3, 'department', $4, '')";
static const char SQL_ROUTE[] =
        "INSERT INTO route(version, position, item, area, kind, unit, assists, place) VALUES (1, $1, $2, $3, $4, $5, $6, $7)";
static const char SQL_ROTA[] = "INSERT INTO rota(version, rota, unit, weight, place) VALUES (1, $1, $2, $3, '')";

static bool add_route(struct tx *tx, const struct table *t, int i, struct err *e)
{
        const struct table_row *r = &t->rows[i];
        struct arena *a = t->arena;
        char *assists = NULL;
        for (int k = 0; k < r->n_assists; k++)
                assists = arena_format(a, "%s%s%s", assists ? assists : "", assists ? "|" : "", code(a, 'u', r->assists[k]));
        /* Both ways to say "any kind". */
        const char *kind = r->kind ? r->kind : i % 2 ? "*" : NULL;
        const char *unit = r->rota ? arena_format(a, "rota:%s", r->rota) : code(a, 'u', r->unit);
        return tx_change(tx, e, SQL_ROUTE,
                         ARGS(V(i), V(code(a, 'i', r->item)), V(code(a, 'a', r->area)), V(kind), V(unit), V(assists),
                              V(arena_format(a, "routes.csv:%d", i + 2))))
               == 1;
}

static bool write_table(struct tx *tx, void *ctx, struct err *e)
{
        const struct table *t = ctx;
        struct arena *a = t->arena;
        static const struct {
                const char *rota;
                int unit, weight;
        } turns[] = {{"cables", 1, 5}, {"cables", 2, 3}, {"cables", 3, 2}, {"nights", 4, 1}};
        bool good = true;
        for (int i = 0; i < ITEMS && good; i++)
                good = tx_change(tx, e, SQL_ITEM,
                                 ARGS(V(i), V(code(a, 'i', i)), V(arena_format(a, "item %d", i)),
                                      t->item_parent[i] < 0 ? V_NULL : V(code(a, 'i', t->item_parent[i]))))
                       == 1;
        for (int i = 0; i < AREAS && good; i++)
                good = tx_change(tx, e, SQL_AREA,
                                 ARGS(V(i), V(code(a, 'a', i)), V(arena_format(a, "area %d", i)),
                                      V(area_level_name((enum area_level)t->area_level[i])),
                                      t->area_parent[i] < 0 ? V_NULL : V(code(a, 'a', t->area_parent[i]))))
                       == 1;
        for (int i = 0; i < UNITS && good; i++)
                good = tx_change(tx, e, SQL_UNIT,
                                 ARGS(V(i), V(code(a, 'u', i)), V(arena_format(a, "unit %d", i)), V(i == UNITS - 1)))
                       == 1;
        for (size_t i = 0; i < COUNT_OF(turns) && good; i++)
                good = tx_change(tx, e, SQL_ROTA, ARGS(V(turns[i].rota), V(code(a, 'u', turns[i].unit)), V(turns[i].weight))) == 1;
        for (int i = 0; i < t->n && good; i++)
                good = add_route(tx, t, i, e);
        return good;
}

static bool load(struct tx *tx, void *ctx, struct err *e)
{
        struct loaded *l = ctx;
        return units_load(tx, l->arena, l->version, &l->units, e) && catalogue_load(tx, l->arena, l->version, &l->catalogue, e)
               && twin_load(tx, l->arena, l->version, &l->twin, e)
               && routing_load(tx, l->arena, l->version, l->catalogue, l->twin, l->units, &l->routing, e);
}

/* --- the oracle ----------------------------------------------------------------------------------------------------------- */

static bool above(const int *parent, int ancestor, int i)
{
        for (; i >= 0; i = parent[i])
                if (i == ancestor)
                        return true;
        return ancestor == ANY;
}

struct asked {
        int item, area;
        const char *kind;
};

/* Whether the row belongs to the step at all. */
static bool of_step(const struct table_row *r, enum routing_step step)
{
        if (step == STEP_ITEM)
                return r->area == ANY && !r->kind;
        return r->area != ANY && (r->kind != NULL) == (step == STEP_ITEM_AREA_KIND);
}

static int first_row(const struct table *t, const struct asked *q, enum routing_step step)
{
        for (int i = 0; i < t->n; i++) {
                const struct table_row *r = &t->rows[i];
                const bool item = above(t->item_parent, r->item, q->item);
                const bool area = r->area == ANY || (q->area != ANY && above(t->area_parent, r->area, q->area));
                const bool kind = !r->kind || text_is(r->kind, q->kind);
                if (of_step(r, step) && item && area && kind)
                        return i;
        }
        return -1;
}

static void check_row(const struct loaded *l, const struct table *t, const struct asked *q, int i, enum routing_step step,
                      const struct answer *got)
{
        const struct table_row *r = &t->rows[i];
        assert_string_equal(got->row, arena_format(t->arena, "routes.csv:%d", i + 2));
        assert_int_equal(got->step, r->rota ? STEP_ROTA : step);
        assert_int_equal(got->sure, q->item != ANY);
        if (!r->rota)
                assert_ptr_equal(got->lead, unit_find(l->units, code(t->arena, 'u', r->unit)));
        else if (text_is(r->rota, "nights"))
                assert_string_equal(got->lead->code, "u4");
        else
                assert_true(text_is(got->lead->code, "u1") || text_is(got->lead->code, "u2") || text_is(got->lead->code, "u3"));
        assert_int_equal(got->n_assists, r->n_assists);
        for (int k = 0; k < r->n_assists; k++)
                assert_string_equal(got->assists[k]->code, code(t->arena, 'u', r->assists[k]));
        assert_non_null(strstr(got->why, got->row));
        assert_non_null(strstr(got->why, got->lead->name));
        assert_non_null(strstr(got->why_zh, got->lead->name));
}

static void check_answer(const struct loaded *l, const struct table *t, const struct asked *q, const char *owner,
                         const struct answer *got)
{
        static const enum routing_step steps[] = {STEP_ITEM_AREA_KIND, STEP_ITEM_AREA, STEP_ITEM};
        if (owner && unit_find(l->units, owner)) {
                assert_int_equal(got->step, STEP_OWNER);
                assert_string_equal(got->lead->code, owner);
                assert_true(got->sure);
                return;
        }
        for (size_t s = 0; s < COUNT_OF(steps); s++) {
                const int i = first_row(t, q, steps[s]);
                if (i >= 0) {
                        check_row(l, t, q, i, steps[s], got);
                        return;
                }
        }
        assert_int_equal(got->step, STEP_FALLBACK);
        assert_string_equal(got->lead->code, "u13");
        assert_string_equal(got->row, "");
        assert_false(got->sure);
}

static void ask(const struct loaded *l, const struct table *t, uint64_t *seed)
{
        static const char *const owners[] = {"u2", "u7", "stranger"};
        const struct asked q = {draw(seed, 10) ? (int)draw(seed, ITEMS) : ANY, draw(seed, 10) ? (int)draw(seed, AREAS) : ANY,
                                draw(seed, 2) ? kinds[draw(seed, COUNT_OF(kinds))] : NULL};
        const char *owner = draw(seed, 10) ? NULL : owners[draw(seed, COUNT_OF(owners))];
        char turn[24];
        struct answer got, again;
        (void)snprintf(turn, sizeof turn, "%u", draw(seed, 100000));
        const struct question question = {.item = item_find(l->catalogue, code(t->arena, 'i', q.item)),
                                          .kind = q.kind,
                                          .owner = owner,
                                          .area = area_find(l->twin, code(t->arena, 'a', q.area)),
                                          .turn = draw(seed, 20) ? turn : NULL};
        routing_resolve(l->routing, &question, &got);
        routing_resolve(l->routing, &question, &again);
        assert_ptr_equal(got.lead, again.lead);
        assert_string_equal(got.why, again.why);
        assert_true(*got.why && *got.why_zh);
        check_answer(l, t, &q, owner, &got);
}

static void the_first_row_of_the_first_step_answers(void **state)
{
        uint64_t seed = 31;
        (void)state;
        for (int round = 0; round < ROUNDS; round++) {
                struct loaded l = {.arena = arena_new(), .version = 1};
                struct table *t = any_table(l.arena, &seed);
                struct store *s;
                struct err e;
                t->n = round == 0 ? 0 : round == 1 ? 7 : ROWS; /* also lists that leave much to the fallback */
                assert_true(test_store_open(&s, round % test_store_engines(), all_migrations));
                ok(store_write(s, write_table, t, &e), &e);
                ok(store_read(s, load, &l, &e), &e);
                for (int i = 0; i < QUESTIONS; i++)
                        ask(&l, t, &seed);
                twin_free(l.twin);
                store_close(&s);
                arena_free(&l.arena);
        }
}

/* --- with the small pack ----------------------------------------------------------------------------------------------------- */

static const struct pack_part *const parts[] = {&people_pack, &catalogue_pack, &twin_pack, &routing_pack, NULL};

static struct loaded load_pack(bool postgres, const char *dir)
{
        struct loaded l = {.arena = arena_new()};
        struct store *s;
        struct err e;
        assert_true(test_store_open(&s, postgres, all_migrations));
        assert_true(test_pack_load(s, parts, dir, &l.version));
        ok(store_read(s, load, &l, &e), &e);
        store_close(&s);
        return l;
}

static void unload(struct loaded *l)
{
        twin_free(l->twin);
        arena_free(&l->arena);
}

static void each_step_by_name(void **state)
{
        static const struct {
                const char *item, *area, *kind, *owner, *unit, *row;
                enum routing_step step;
        } wanted[] = {
                {"010101", "990101001001", NULL, "housing", "housing", "", STEP_OWNER},
                {"010101", "990101001001", "bin", NULL, "city", "routes.csv:2", STEP_ITEM_AREA_KIND},
                {"010101", "990101001001", "lamp", NULL, "oak", "routes.csv:3", STEP_ITEM_AREA},
                {"010101", "990101001002", NULL, NULL, "oak", "routes.csv:3", STEP_ITEM_AREA},
                {"010101", "990101001", NULL, NULL, "oak", "routes.csv:3", STEP_ITEM_AREA},
                {"010101", "990101", NULL, NULL, "north-law", "routes.csv:4", STEP_ITEM_AREA},
                {"010102", "990101001001", NULL, NULL, "north-law", "routes.csv:4", STEP_ITEM_AREA},
                {"010102", "990102001002", NULL, NULL, "south-law", "routes.csv:5", STEP_ITEM_AREA},
                {"010102", "990100", NULL, NULL, "city", "routes.csv:7", STEP_ITEM},
                {"010102", NULL, NULL, NULL, "city", "routes.csv:7", STEP_ITEM},
                {"010201", "990102001002", NULL, NULL, "south", "routes.csv:12", STEP_ITEM_AREA},
                {"0202", "990101001", NULL, NULL, "ecology", "routes.csv:9", STEP_ITEM},
                {"03", "990101001", NULL, NULL, "centre", "", STEP_FALLBACK},
                {NULL, NULL, NULL, NULL, "centre", "", STEP_FALLBACK},
                {NULL, "990102001002", NULL, NULL, "south", "routes.csv:12", STEP_ITEM_AREA},
        };
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct loaded l = load_pack(pg, "test/packs/small");
                for (size_t i = 0; i < COUNT_OF(wanted); i++) {
                        struct answer got;
                        routing_resolve(l.routing,
                                        &(struct question){.item = item_find(l.catalogue, wanted[i].item),
                                                           .area = area_find(l.twin, wanted[i].area),
                                                           .kind = wanted[i].kind,
                                                           .owner = wanted[i].owner},
                                        &got);
                        assert_string_equal(got.lead->code, wanted[i].unit);
                        assert_string_equal(got.row, wanted[i].row);
                        assert_int_equal(got.step, wanted[i].step);
                        assert_int_equal(got.sure,
                                         wanted[i].step == STEP_OWNER || (wanted[i].item && wanted[i].step != STEP_FALLBACK));
                }
                unload(&l);
        }
}

static void a_rota_draws_by_weight(void **state)
{
        enum { TURNS = 30000 };
        struct loaded l = load_pack(false, "test/packs/small");
        const struct {
                const char *unit;
                double share;
        } wanted[] = {{"telecom-a", 0.5}, {"telecom-b", 0.3}, {"telecom-c", 0.2}};
        int drawn[3] = {0};
        (void)state;
        for (int i = 0; i < TURNS; i++) {
                struct answer got;
                char turn[24];
                (void)snprintf(turn, sizeof turn, "%d", 1000000 + i);
                routing_resolve(l.routing, &(struct question){.item = item_find(l.catalogue, "0301"), .turn = turn}, &got);
                assert_int_equal(got.step, STEP_ROTA);
                assert_string_equal(got.row, "routes.csv:10");
                for (int k = 0; k < 3; k++)
                        drawn[k] += text_is(got.lead->code, wanted[k].unit);
        }
        assert_int_equal(drawn[0] + drawn[1] + drawn[2], TURNS);
        for (int k = 0; k < 3; k++) {
                const double share = (double)drawn[k] / TURNS;
                assert_true(share > wanted[k].share - 0.01 && share < wanted[k].share + 0.01);
        }
        unload(&l);
}

/* A sentence of a decision goes into the history: half a character in it would make the database refuse the case. */
static void long_names_are_cut_between_characters(void **state)
{
        static const char units[] =
                "code,name,kind,fallback\n"
                "u1,A很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长的单位,department,\n"
                "u2,Ab也很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长的单位,centre,yes\n";
        static const char routes[] = "item,area,unit\n01,*,u1\n";
        static const char items[] =
                "code,name,limit,limit_unit\n01,B名称很长很长很长很长很长很长很长很长很长很长很长很长很长很长的事项,1,work_day\n02,其他,1,work_day\n";
        static const struct {
                const char *file, *text;
        } changes[] = {
                {"units.csv", units},
                {"unit_aliases.csv", "alias,unit\n"},
                {"routes.csv", routes},
                {"rotas.csv", "rota,unit,weight\n"},
                {"items.csv", items},
                {"item_aliases.csv", "path,item\n"},
                {"item_attributes.csv", "item,code,datatype,required,description,datatype_description,order,values\n"},
        };
        char from[TEST_PACK_PATH] = "test/packs/small", copy[TEST_PACK_PATH];
        (void)state;
        for (size_t i = 0; i < COUNT_OF(changes); i++) {
                assert_true(test_pack_copy(from, changes[i].file, changes[i].text, copy));
                if (i)
                        test_pack_remove(from);
                memcpy(from, copy, sizeof from);
        }
        struct loaded l = load_pack(false, from);
        test_pack_remove(from);
        static const struct {
                const char *item, *owner;
        } asked[] = {{"01", NULL}, {"02", NULL}, {"01", "u1"}};
        for (size_t i = 0; i < COUNT_OF(asked); i++) {
                struct answer got;
                routing_resolve(l.routing,
                                &(struct question){.item = item_find(l.catalogue, asked[i].item), .owner = asked[i].owner}, &got);
                assert_int_equal(text_utf8_fault(got.why, strlen(got.why)), strlen(got.why));
                assert_int_equal(text_utf8_fault(got.why_zh, strlen(got.why_zh)), strlen(got.why_zh));
        }
        unload(&l);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_row_of_the_first_step_answers),
                cmocka_unit_test(each_step_by_name),
                cmocka_unit_test(a_rota_draws_by_weight),
                cmocka_unit_test(long_names_are_cut_between_characters),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
