/* cases/moves_test.c -- moves by name: what each refuses, what it leaves behind; two people at once. */
#include "cases/world_test.h"
#include <pthread.h>

static const char MONDAY[] = "2026-11-23 09:00";

static size_t open_tasks(const struct case_detail *d, const char *kind, const char *unit)
{
        size_t n = 0;
        for (size_t i = 0; i < d->n_tasks; i++)
                n += text_is(d->tasks[i].state, "open") && text_is(d->tasks[i].kind, kind)
                     && (!unit || text_is(d->tasks[i].unit, unit));
        return n;
}

static const struct ledger_row *last_row(const struct case_detail *d)
{
        assert_true(d->n_history > 0);
        return &d->history[d->n_history - 1];
}

static void a_sure_case_is_dispatched_at_once(struct world *w)
{
        const int64_t now = at(MONDAY);
        const char *number = case_new(w, "010102", "990101001002", false, now);
        struct case_detail d = read_case(w, number);
        assert_int_equal(strncmp(number, "XY20261123090000", 16), 0);
        assert_string_equal(d.view.state, "dispatched");
        assert_string_equal(d.view.unit, "north-law");
        assert_string_equal(d.view.grid, "990101001002");
        assert_string_equal(d.view.community, "990101001");
        assert_string_equal(d.view.subdistrict, "990101");
        assert_int_equal(d.view.due, at("2026-11-24 09:00"));
        assert_int_equal(d.n_tasks, 3);
        assert_int_equal(open_tasks(&d, "lead", "north-law"), 1);
        assert_int_equal(open_tasks(&d, "assist", "city"), 1);
        assert_int_equal(open_tasks(&d, "assist", "ecology"), 1);
        assert_int_equal(d.n_history, 3);
        static const char *const moves[] = {"receive", "file", "dispatch"}, *const dests[] = {"received", "filed", "dispatched"};
        for (size_t i = 0; i < 3; i++) {
                assert_string_equal(d.history[i].entry.move, moves[i]);
                assert_string_equal(d.history[i].entry.origin, i ? dests[i - 1] : "");
                assert_string_equal(d.history[i].entry.dest, dests[i]);
                assert_string_equal(d.history[i].entry.actor, "system");
                assert_int_equal(d.history[i].seq, (int64_t)i + 1);
        }
        assert_int_equal(test_number(w->district.store, "SELECT COUNT(*) FROM outbox WHERE topic = 'case'"), 1);
        ledger_is_whole(w);
}

static void an_unsure_case_waits_for_a_dispatcher(struct world *w)
{
        const int64_t now = at(MONDAY);
        const char *number = case_new(w, NULL, "990101002001", false, now);
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "filed");
        assert_string_equal(d.view.unit, "centre");
        assert_int_equal(d.n_tasks, 0);
        assert_int_equal(d.view.due, at("2026-11-23 11:00")); /* the dispatch clock: 2 work hours */
        refused(w, number, "dispatch", &a_dispatcher, NULL, now, ERR_INVALID, "item");
        refused(w, number, "dispatch", &a_dispatcher, "{\"item\": \"99\"}", now, ERR_INVALID, "item");
        refused(w, number, "dispatch", &a_dispatcher, "{\"item\": \"0201\", \"unit\": \"nobody\"}", now, ERR_INVALID, "unit");
        refused(w, number, "dispatch", &a_dispatcher, "{\"item\": \"0201\", \"assists\": [\"city\", \"x\"]}", now, ERR_INVALID,
                "assists");
        assert_int_equal(read_case(w, number).n_tasks, 0);
        must_move(w, number, "dispatch", &a_dispatcher, "{\"item\": \"0201\"}", now);
        d = read_case(w, number);
        assert_string_equal(d.view.unit, "housing");
        assert_string_equal(d.view.item, "0201");
        assert_int_equal(open_tasks(&d, "lead", "housing"), 1);
        assert_int_equal(open_tasks(&d, "assist", "ecology"), 1);
        assert_non_null(strstr(last_row(&d)->entry.form, "\"assigned\":\"housing\""));
        assert_non_null(strstr(last_row(&d)->entry.form, "\"row\":\"routes.csv:8\""));
}

static void a_workflow_without_dispatch_stays_received(struct world *w)
{
        const int64_t now = at(MONDAY);
        const char *number = case_new(w, "0401", "990101001", false, now);
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.workflow, "quick");
        assert_string_equal(d.view.state, "received");
        assert_int_equal(d.n_history, 1);
        assert_int_equal(d.view.due, at("2026-11-24 09:00"));
        refused(w, number, "answer", &a_clerk, NULL, now, ERR_INVALID, "result");
        must_move(w, number, "answer", &a_clerk, "{\"result\": \"so and so\"}", now);
        d = read_case(w, number);
        assert_false(d.view.open);
        assert_int_equal(d.view.closed, now);
        assert_int_equal(open_tasks(&d, "lead", NULL), 0);
        assert_int_equal(test_number(w->district.store, "SELECT COUNT(*) FROM timer WHERE kind = 'case-clock'"), 0);
}

static void a_return_needs_a_reason_and_goes_back_once(struct world *w)
{
        const int64_t now = at(MONDAY);
        const struct mover law = unit_mover("south-law"), other = unit_mover("ecology");
        const char *number = case_new(w, "010101", "990102001001", false, now);
        refused(w, number, "return", &other, "{\"reason\": \"not ours\"}", now, ERR_DENIED, "");
        refused(w, number, "return", &law, NULL, now, ERR_INVALID, "reason");
        refused(w, number, "return", &law, "{\"reason\": \"\"}", now, ERR_INVALID, "reason");
        must_move(w, number, "return", &law, "{\"reason\": \"not ours\"}", now);
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "returned");
        assert_int_equal(open_tasks(&d, "lead", NULL) + open_tasks(&d, "assist", NULL), 0);
        assert_string_equal(last_row(&d)->entry.unit, "south-law");
        assert_non_null(strstr(last_row(&d)->entry.form, "not ours"));
        refused(w, number, "return", &law, "{\"reason\": \"again\"}", now, ERR_CONFLICT, "");
        refused(w, number, "redispatch", &a_dispatcher, NULL, now, ERR_INVALID, "unit");
        refused(w, number, "redispatch", &a_dispatcher, "{\"unit\": \"nobody\"}", now, ERR_INVALID, "unit");
        must_move(w, number, "redispatch", &a_dispatcher, "{\"unit\": \"city\", \"assists\": [\"oak\"]}", now);
        d = read_case(w, number);
        assert_string_equal(d.view.unit, "city");
        assert_int_equal(open_tasks(&d, "lead", NULL), 1);
        assert_int_equal(open_tasks(&d, "assist", "oak"), 1);
        assert_int_equal(open_tasks(&d, "assist", NULL), 1);
        const struct mover city = unit_mover("city");
        refused(w, number, "sign", &law, NULL, now, ERR_DENIED, "");
        must_move(w, number, "sign", &city, NULL, now);
        ledger_is_whole(w);
}

static void an_open_assist_holds_the_lead_back(struct world *w)
{
        const int64_t now = at(MONDAY);
        const struct mover law = unit_mover("north-law"), city = unit_mover("city"), ecology = unit_mover("ecology"),
                           oak = unit_mover("oak");
        const char *number = case_new(w, "010102", "990101001002", false, now);
        must_move(w, number, "sign", &law, NULL, now);
        must_move(w, number, "handle", &law, NULL, now);
        refused(w, number, "hand_over", &law, "{\"result\": \"swept\"}", now, ERR_INVALID, "reason");
        refused(w, number, "assist_done", &oak, NULL, now, ERR_DENIED, "");
        must_move(w, number, "assist_done", &city, NULL, now);
        refused(w, number, "assist_done", &city, NULL, now, ERR_DENIED, "");
        assert_string_equal(read_case(w, number).view.state, "handling");
        refused(w, number, "hand_over", &law, "{\"result\": \"swept\"}", now, ERR_INVALID, "reason");
        must_move(w, number, "assist_done", &ecology, NULL, now);
        refused(w, number, "hand_over", &city, "{\"result\": \"swept\"}", now, ERR_DENIED, "");
        must_move(w, number, "hand_over", &law, "{\"result\": \"swept\"}", now);
        struct case_detail d = read_case(w, number);
        assert_int_equal(open_tasks(&d, "lead", NULL), 0);

        const char *hasty = case_new(w, "010102", "990101001002", false, now);
        must_move(w, hasty, "sign", &law, NULL, now);
        must_move(w, hasty, "handle", &law, NULL, now);
        must_move(w, hasty, "hand_over", &law, "{\"result\": \"swept\", \"reason\": \"they may follow\"}", now);
        d = read_case(w, hasty);
        assert_int_equal(open_tasks(&d, "assist", NULL), 2);
}

static void rework_returns_to_the_same_unit(struct world *w)
{
        const int64_t now = at(MONDAY);
        const struct mover oak = unit_mover("oak");
        const char *number = case_new(w, "010101", "990101001001", false, now);
        must_move(w, number, "sign", &oak, NULL, now);
        must_move(w, number, "handle", &oak, NULL, now);
        must_move(w, number, "hand_over", &oak, "{\"result\": \"swept\"}", now);
        must_move(w, number, "review", &a_dispatcher, NULL, now);
        refused(w, number, "rework", &a_dispatcher, NULL, now, ERR_INVALID, "reason");
        must_move(w, number, "rework", &a_dispatcher, "{\"reason\": \"half of it lies there\"}", now);
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "handling");
        assert_string_equal(d.view.unit, "oak");
        assert_int_equal(open_tasks(&d, "lead", "oak"), 1);
        assert_int_equal(d.n_history, 8);
        must_move(w, number, "hand_over", &oak, "{\"result\": \"all of it\"}", now);
        must_move(w, number, "review", &a_dispatcher, NULL, now);
        must_move(w, number, "reply", &a_clerk, "{\"result\": \"clean\"}", now);
        must_move(w, number, "close", &a_clerk, NULL, now);
        assert_true(read_case(w, number).view.open);
        must_move(w, number, "archive", &a_clerk, NULL, now);
        d = read_case(w, number);
        assert_false(d.view.open);
        refused(w, number, "archive", &a_clerk, NULL, now, ERR_CONFLICT, "");
        assert_int_equal(test_number(w->district.store, "SELECT COUNT(*) FROM outbox WHERE topic = 'reporter'"), 1);
        ledger_is_whole(w);
}

static void refusals_have_their_kind(struct world *w)
{
        const int64_t now = at(MONDAY);
        const struct mover oak = unit_mover("oak"), nobody = {.name = "system", .role = 0};
        const char *number = case_new(w, "010101", "990101001001", false, now);
        refused(w, "XY1", "sign", &oak, NULL, now, ERR_NOT_FOUND, "number");
        refused(w, number, "fly", &oak, NULL, now, ERR_INVALID, "move");
        refused(w, number, "sign", &a_clerk, NULL, now, ERR_DENIED, "");
        refused(w, number, "sign", &nobody, NULL, now, ERR_DENIED, "");
        refused(w, number, "handle", &oak, NULL, now, ERR_CONFLICT, "");
        refused(w, number, "receive", &nobody, NULL, now, ERR_CONFLICT, "");
        assert_int_equal(read_case(w, number).n_history, 3);
}

/* --- what the program itself may do at filing ------------------------------------------------------------------------ */

/* The program may dispatch, but a clerk must have filed before: filing must not jump over that. */
static const char HALTING[] =
        "name: standard\n"
        "states:\n"
        "  - {name: received, zh: 甲, en: A, first: yes}\n"
        "  - {name: filed, zh: 乙, en: B}\n"
        "  - {name: dispatched, zh: 丙, en: C, last: yes}\n"
        "moves:\n"
        "  - {name: receive, zh: 甲, en: A, to: received, roles: [system]}\n"
        "  - {name: file, zh: 乙, en: B, from: received, to: filed, roles: [clerk]}\n"
        "  - {name: dispatch, zh: 丙, en: C, from: filed, to: dispatched, roles: [system, dispatcher], then: [assign]}\n";

static void filing_takes_only_declared_moves(struct world *w)
{
        const int64_t now = at(MONDAY);
        char copy[TEST_PACK_PATH], again[TEST_PACK_PATH];
        int64_t version;
        struct err e;
        assert_true(test_pack_copy(TEST_PACK, "workflows/standard.yaml", HALTING, copy));
        assert_true(test_pack_copy(copy, "clocks.csv",
                                   "clock,name,workflow,starts,stops,limit,limit_unit,warn\n"
                                   "all,全程,standard,receive,dispatch,1,work_day,50\n",
                                   again));
        assert_true(test_pack_load(w->district.store, all_parts, again, &version));
        test_pack_remove(copy);
        test_pack_remove(again);
        ok(district_reload(&w->district, &e), &e);
        w->rules = district_rules(&w->district, &e);
        const char *number = case_new(w, "010101", "990101001001", false, now);
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "received");
        assert_int_equal(d.n_history, 1);
        assert_int_equal(d.n_tasks, 0); /* nobody has been sent out yet */
        must_move(w, number, "file", &a_clerk, NULL, now);
        must_move(w, number, "dispatch", &a_dispatcher, NULL, now);
        d = read_case(w, number);
        assert_int_equal(open_tasks(&d, "lead", "oak"), 1);
}

/* --- two people at once -------------------------------------------------------------------------------------------- */

enum { PEOPLE = 6, ROUNDS = 25 };
struct person {
        struct world *world;
        pthread_barrier_t *start;
        const char *number, *move;
        bool won;
        enum err_kind kind;
};

static void *push(void *ctx)
{
        struct person *p = ctx;
        const struct mover oak = unit_mover("oak");
        struct arena *a = arena_new();
        struct err e = {0};
        const char form[] = "{\"reason\": \"no\"}";
        const struct json_value *v = json_parse(a, form, sizeof form - 1, &e);
        (void)pthread_barrier_wait(p->start);
        p->won = cases_move(&p->world->district, a, p->number, p->move, &oak, v, at(MONDAY), &e);
        p->kind = e.kind;
        arena_free(&a);
        return NULL;
}

static void exactly_one_of_many_wins(struct world *w)
{
        for (int round = 0; round < ROUNDS; round++) {
                const char *number = case_new(w, "010101", "990101001001", false, at(MONDAY));
                pthread_barrier_t start;
                pthread_t threads[PEOPLE];
                struct person people[PEOPLE];
                int won = 0;
                (void)pthread_barrier_init(&start, NULL, PEOPLE);
                for (int i = 0; i < PEOPLE; i++) {
                        people[i] = (struct person){w, &start, number, round % 2 ? "sign" : "return", false, ERR_NONE};
                        assert_int_equal(pthread_create(&threads[i], NULL, push, &people[i]), 0);
                }
                for (int i = 0; i < PEOPLE; i++) {
                        (void)pthread_join(threads[i], NULL);
                        won += people[i].won;
                        if (!people[i].won)
                                assert_int_equal(people[i].kind, ERR_CONFLICT);
                }
                (void)pthread_barrier_destroy(&start);
                assert_int_equal(won, 1);
                assert_int_equal(read_case(w, number).n_history, 4);
        }
        ledger_is_whole(w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(a_sure_case_is_dispatched_at_once),
                BOTH(an_unsure_case_waits_for_a_dispatcher),
                BOTH(a_workflow_without_dispatch_stays_received),
                BOTH(a_return_needs_a_reason_and_goes_back_once),
                BOTH(an_open_assist_holds_the_lead_back),
                BOTH(rework_returns_to_the_same_unit),
                BOTH(refusals_have_their_kind),
                BOTH(filing_takes_only_declared_moves),
                BOTH(exactly_one_of_many_wins),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
