/* cases/world_test.h -- what the tests of this folder share: a district with cases in it. */
#ifndef CASES_WORLD_TEST_H
#define CASES_WORLD_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/role.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "cases/cases.h"
#include "cases/view.h"
#include "cases/workflow.h"
#include "catalogue/catalogue.h"
#include "district/testing.h"
#include "json/json.h"
#include "ledger/ledger.h"
#include "pack/testing.h"
#include "people/people.h"
#include "routing/routing.h"
#include "store/store.h"
#include "store/testing.h"
#include "task/task.h"
#include "twin/twin.h"

struct world {
        struct district district;
        struct arena *arena;
        const struct rulebook *rules;
};

static const struct pack_part *const all_parts[] = {&people_pack, &calendar_pack, &catalogue_pack, &twin_pack, &routing_pack, &cases_pack, NULL};
static const struct mover a_clerk = {.name = "clerk", .role = ROLE_CLERK}, a_dispatcher = {.name = "dispatcher", .role = ROLE_DISPATCHER};

static inline void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

static inline int64_t at(const char *text)
{
        int64_t instant;
        assert_true(time_parse(text, ZONE_SHANGHAI, &instant));
        return instant;
}

/* A district of another pack, with more words: `parts` end with NULL. */
static inline struct world world_of(bool postgres, const struct pack_part *const *parts, const char *pack)
{
        static const struct rulebook_readers readers = {.workflows = workflows_load};
        struct world w = {.arena = arena_new()};
        struct err e;
        assert_true(test_district_open(&w.district, postgres, parts, &readers, pack));
        w.rules = district_rules(&w.district, &e);
        assert_non_null(w.rules);
        return w;
}

static inline struct world world_new(bool postgres)
{
        return world_of(postgres, all_parts, TEST_PACK);
}

static inline void world_free(struct world *w)
{
        test_district_close(&w->district);
        arena_free(&w->arena);
}

struct filing_job { struct district *district; struct filing *filing; struct filing_plan *plan; };

static inline bool file_now(struct tx *tx, void *ctx, struct err *e)
{
        struct filing_job *j = ctx;
        return cases_file(tx, j->district, j->filing, j->plan, e);
}

/* Files a case the way intake does; item NULL = not known.  Returns its number. */
static inline const char *case_new(struct world *w, const char *item, const char *area, bool urgent, int64_t now)
{
        struct arena *a = w->arena;
        struct err e;
        int64_t id = id_new(w->district.ids, now);
        struct place *place = NEW(a, struct place);
        struct answer *answer = NEW(a, struct answer);
        const struct item *known = item ? item_find(w->rules->catalogue, item) : NULL;
        place->area = area_find(w->rules->twin, area);
        assert_non_null(place->area);
        assert_true(!item || known);
        routing_resolve(w->rules->routing, &(struct question){.item = known, .area = place->area,
                                                              .turn = arena_format(a, "%lld", (long long)id)}, answer);
        answer->sure = answer->sure && known;
        struct filing *f = NEW(a, struct filing);
        *f = (struct filing){.id = id, .rules = w->rules, .channel = "hotline", .title = "a case", .urgent = urgent, .item = known,
                             .track = arena_format(a, "T%lld", (long long)id), .certainty = known ? 1.0 : 0.0, .place = place,
                             .answer = answer, .occurred = now, .now = now};
        struct filing_job job = {.district = &w->district, .filing = f};
        ok(cases_plan(a, f, &job.plan, &e), &e);
        ok(store_write(w->district.store, file_now, &job, &e), &e);
        return f->number;
}

/* form: JSON text or NULL. */
static inline bool try_move(struct world *w, const char *number, const char *move, const struct mover *mover, const char *form,
                            int64_t now, struct err *e)
{
        const struct json_value *v = form ? json_parse(w->arena, form, strlen(form), e) : NULL;
        assert_true(!form || v);
        *e = (struct err){0};
        return cases_move(&w->district, w->arena, number, move, mover, v, now, e);
}

static inline void must_move(struct world *w, const char *number, const char *move, const struct mover *mover, const char *form, int64_t now)
{
        struct err e;
        if (!try_move(w, number, move, mover, form, now, &e))
                fail_msg("%s: %s", move, e.text);
}

static inline void refused(struct world *w, const char *number, const char *move, const struct mover *mover, const char *form, int64_t now,
                           enum err_kind kind, const char *field)
{
        struct err e;
        if (try_move(w, number, move, mover, form, now, &e))
                fail_msg("%s was taken", move);
        assert_int_equal(e.kind, kind);
        assert_string_equal(e.field, field);
        assert_true(*e.text && *e.zh);
}

static inline struct mover unit_mover(const char *unit)
{
        return (struct mover){.name = unit, .unit = unit, .role = ROLE_UNIT};
}

static inline struct case_detail read_case(struct world *w, const char *number)
{
        struct case_detail d;
        struct err e;
        ok(case_read(w->district.store, w->arena, number, NULL, &d, &e), &e);
        return d;
}

static inline void ledger_is_whole(struct world *w)
{
        struct ledger_verdict v;
        struct err e;
        ok(ledger_verify(w->district.store, NULL, NULL, NULL, &v, &e), &e);
        assert_string_equal(v.first, "");
        assert_int_equal(v.faults, 0);
}

/* Runs the test on SQLite and, when there is one, on PostgreSQL. */
static inline void on_both(void **state)
{
        void (*test)(struct world *) = *(void (**)(struct world *))*state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_new(pg);
                test(&w);
                world_free(&w);
        }
}
#endif
