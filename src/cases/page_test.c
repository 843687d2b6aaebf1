/* cases/page_test.c -- pages hold what the filters say, whatever their combination, look at a bounded number of cases, and walk
 * along an index. */
#include "cases/world_test.h"
#include "sight/sight.h"

enum { CASES = 240, COMBINATIONS = 1 << 6 };

struct known {
        struct case_view at[CASES];
        size_t n;
};

static struct case_page page_of(struct world *w, const struct case_filter *f)
{
        struct case_page page;
        struct err e;
        ok(case_page(w->district.store, w->arena, f, &page, &e), &e);
        return page;
}

static bool is(const char *value, const char *wanted)
{
        return !wanted || text_is(value, wanted);
}

static bool in_time(const struct case_view *v, const struct case_filter *f)
{
        const bool clocked = f->late_at || f->by_due;
        return (v->open || !(f->open || clocked)) && (v->due > 0 || !clocked) && (!f->late_at || v->due < f->late_at);
}

static bool fits(const struct case_view *v, const struct case_filter *f)
{
        return is(v->state, f->state) && is(v->unit, f->unit) && is(v->item, f->item) && is(v->community, f->community)
               && is(v->channel, f->channel) && is(v->subdistrict, f->subdistrict) && is(v->grid, f->grid) && in_time(v, f);
}

/* 240 cases of several items and areas; some go on, some end. */
static struct known *fill(struct world *w)
{
        static const char *const items[] = {"010101", "010102", "0201", "0301", NULL};
        static const char *const areas[] = {"990101001001", "990101002", "990102001002", "990102", "990100"};
        struct known *k = NEW(w->arena, struct known);
        const int64_t first = at("2026-03-02T09:00:00+08:00");
        for (int i = 0; i < CASES; i++) {
                const int64_t now = first + i * 7 * USEC_MINUTE;
                const char *number = case_new(w, items[i % 5], areas[(i / 3) % 5], i % 4 == 0, now);
                if (i % 5 == 4 && i % 2) /* no item: waits for a dispatcher */
                        must_move(w, number, "reject", &a_dispatcher, "{\"reason\":\"no\"}", now + USEC_MINUTE);
        }
        k->n = CASES;
        const struct case_page all = page_of(w, &(struct case_filter){.limit = CASES});
        assert_int_equal(all.n, CASES);
        memcpy(k->at, all.at, sizeof k->at);
        return k;
}

/* Asked for each case alone. */
struct looking {
        const struct world *w;
        const struct sight *sight;
        int64_t id;
        bool yes;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *l = ctx;
        return sight_sees(tx, l->w->arena, l->sight, l->id, &l->yes, e);
}

static bool in_sight(const struct world *w, const struct case_view *v, const struct case_filter *f)
{
        struct looking l = {w, f->sight, v->id, true};
        struct err e;
        ok(store_read(w->district.store, look, &l, &e), &e);
        return l.yes;
}

/* Pages one after the other hold exactly the cases that fit, in order. */
static void walk(struct world *w, const struct known *k, struct case_filter f)
{
        size_t wanted = 0, found = 0;
        int64_t due = 0, id = INT64_MAX;
        for (size_t i = 0; i < k->n; i++)
                wanted += fits(&k->at[i], &f) && in_sight(w, &k->at[i], &f);
        for (int pages = 0;; pages++) {
                const struct case_page page = page_of(w, &f);
                assert_true(page.n <= (size_t)f.limit && pages < 500);
                for (size_t i = 0; i < page.n; i++) {
                        const struct case_view *v = &page.at[i];
                        assert_true(fits(v, &f) && in_sight(w, v, &f));
                        assert_true(f.by_due ? v->due > due || (v->due == due && v->id > id) || due == 0 : v->id < id);
                        due = v->due;
                        id = v->id;
                }
                found += page.n;
                if (!page.more)
                        break;
                f.after_id = page.after_id;
                f.after_due = page.after_due;
        }
        assert_int_equal(found, wanted);
}

/* Every combination of six filters, newest first and by due, with more and with less room to look than cases. */
static struct case_filter combination(const struct known *k, unsigned bits)
{
        const struct case_view *like = &k->at[bits % k->n];
        struct case_filter f = {.limit = 7};
        f.state = bits & 1 ? like->state : NULL;
        f.unit = bits & 2 ? like->unit : NULL;
        f.item = bits & 4 ? like->item : NULL;
        f.community = bits & 8 ? like->community : NULL;
        f.channel = bits & 16 ? "hotline" : NULL;
        f.open = bits & 32;
        return f;
}

static void pages_hold_what_the_filters_say(struct world *w)
{
        const struct known *k = fill(w);
        static const int looks[] = {0, 5, 40};
        for (unsigned bits = 0; bits < COMBINATIONS; bits++)
                for (size_t look = 0; look < COUNT_OF(looks); look++)
                        for (int by_due = 0; by_due < 2; by_due++) {
                                struct case_filter f = combination(k, bits);
                                f.look = looks[look];
                                f.by_due = by_due;
                                walk(w, k, f);
                                f.late_at = k->at[CASES / 2].due;
                                walk(w, k, f);
                        }
        walk(w, k, (struct case_filter){.grid = "990101001001", .community = "990101001", .limit = 3});
        walk(w, k, (struct case_filter){.subdistrict = "990102", .channel = "nobody", .limit = 3, .look = 11});
}

static struct sight sights[] = {
        {.units = {(const char *[]){"north-law"}, 1}},
        {.units = {(const char *[]){"city", "oak", "ecology"}, 3}, .communities = {(const char *[]){"990101002"}, 1}},
        {.grids = {(const char *[]){"990102001002"}, 1}, .grid_communities = {(const char *[]){"990102001"}, 1}},
        {.subdistricts = {(const char *[]){"990101"}, 1}, .logins = {(const char *[]){"wang"}, 1}},
        {.channel = "hotline"},
        {.channel = "nobody"},
        {.all = false},
};

static void pages_hold_what_is_in_sight(struct world *w)
{
        const struct known *k = fill(w);
        static const int looks[] = {0, 5, 40};
        for (size_t s = 0; s < COUNT_OF(sights); s++)
                for (unsigned bits = 0; bits < COMBINATIONS; bits += 3) {
                        struct case_filter f = combination(k, bits);
                        f.sight = &sights[s];
                        f.look = looks[bits % 4 % 3];
                        walk(w, k, f);
                        f.by_due = true;
                        walk(w, k, f);
                }
}

static void a_page_looks_at_a_bounded_number_of_cases(struct world *w)
{
        const struct known *k = fill(w);
        const struct case_page page = page_of(w, &(struct case_filter){.channel = "nobody", .limit = 10, .look = 100});
        assert_int_equal(page.n, 0);
        assert_true(page.more);
        assert_int_equal(page.after_id, k->at[99].id);
}

struct explaining {
        const char *sql;
        char *plan;
        struct arena *arena;
};

static bool explain(struct tx *tx, void *ctx, struct err *e)
{
        struct explaining *x = ctx;
        struct rows r;
        x->plan = arena_text(x->arena, "");
        char *sql = arena_format(x->arena, "EXPLAIN QUERY PLAN %s", x->sql);
        for (char *c = sql; *c; c++)
                if (*c == '$') /* $7 becomes 07: which plan is made does not hang on the values */
                        *c = '0';
        if (!tx_rows(tx, &r, e, sql, NO_ARGS))
                return false;
        while (rows_next(&r))
                x->plan = arena_format(x->arena, "%s%s; ", x->plan, rows_text(&r, x->arena, 3));
        return rows_done(&r, e);
}

static void leads_by(struct world *w, const struct case_filter *f, const char *index)
{
        struct err e;
        char *sql[2];
        case_page_sql(w->arena, f, &sql[0], &sql[1]);
        for (int i = 0; i < 2; i++) {
                struct explaining x = {.sql = sql[i], .arena = w->arena};
                if (!sql[i])
                        continue;
                ok(store_read(w->district.store, explain, &x, &e), &e);
                /* Each end of the span is said once, or the walk may begin or end at the wider of two. */
                const bool once =
                        !f->by_due || !((f->after_id && strstr(x.sql, "due > 0")) || (i == 1 && sql[0] && strstr(x.sql, "due < ")));
                if (!strstr(x.plan, index) || strstr(x.plan, "TEMP B-TREE") || !once)
                        fail_msg("%s\nis read by: %s", sql[i], x.plan);
        }
}

static void every_page_walks_along_an_index(void **state)
{
        (void)state;
        struct world w = world_new(false);
        for (unsigned bits = 0; bits < 256; bits++) {
                struct case_filter f = {
                        .limit = 50, .after_id = bits & 128 ? 77 : 0, .open = bits & 16, .late_at = bits & 32 ? 5 : 0};
                const bool by_due = bits & 64;
                f.item = bits & 1 ? "i" : NULL;
                f.unit = bits & 2 ? "u" : NULL;
                f.community = bits & 4 ? "c" : NULL;
                f.state = f.channel = bits & 8 ? "s" : NULL;
                f.by_due = by_due;
                leads_by(&w, &f,
                         by_due        ? f.unit ? "cases_unit_due" : "cases_due"
                         : f.item      ? "cases_item"
                         : f.unit      ? "cases_unit "
                         : f.community ? "cases_community"
                         : f.state     ? "cases_state"
                                       : " c");
        }
        world_free(&w);
}

/* A narrow sight leads: each of its indexes is walked from its end, and cases are then found by their id. */
static void a_sight_walks_along_its_indexes(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct err e;
        for (unsigned bits = 0; bits < 8 * 4; bits++) {
                struct case_filter f = {.limit = 50, .after_id = bits & 1 ? 77 : 0, .sight = &sights[bits / 8]};
                f.state = bits & 2 ? "s" : NULL;
                f.item = bits & 4 ? "i" : NULL;
                char *sql[2];
                case_page_sql(w.arena, &f, &sql[0], &sql[1]);
                for (int i = 0; i < 2; i++) {
                        struct explaining x = {.sql = sql[i], .arena = w.arena};
                        if (!sql[i])
                                continue;
                        ok(store_read(w.district.store, explain, &x, &e), &e);
                        if (strstr(x.plan, "SCAN c;") || strstr(x.plan, "SCAN cases") || strstr(x.plan, "SCAN case_task")
                            || (i == 1 && !strstr(x.plan, "SEARCH c USING INTEGER PRIMARY KEY")))
                                fail_msg("%s\nis read by: %s", sql[i], x.plan);
                }
        }
        world_free(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(pages_hold_what_the_filters_say),
                BOTH(a_page_looks_at_a_bounded_number_of_cases),
                BOTH(pages_hold_what_is_in_sight),
                cmocka_unit_test(every_page_walks_along_an_index),
                cmocka_unit_test(a_sight_walks_along_its_indexes),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
