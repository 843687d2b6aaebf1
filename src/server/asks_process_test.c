/* server/asks_process_test.c -- the rules of process.md about asking and deciding, each test named after its rule. */
#include "server/process_test.h"

static const struct mover dan = {.name = "dan", .role = ROLE_DISPATCHER}, sue = {.name = "sue", .role = ROLE_SUPERVISOR},
                          sam = {.name = "sam", .role = ROLE_SUPERVISOR};
static const struct mover chief = {.name = "chen", .unit = "pingshan-water", .role = ROLE_UNIT};

/* A manhole cover, four working hours, Monday 9:00; being handled from 9:10 on. */
static const char *handled_case(struct world *w)
{
        const char *number = case_new(w, "c01001", "440310001001", false, at("2026-11-23 09:00"));
        must_move(w, number, "sign", &worker, NULL, at("2026-11-23 09:05"));
        must_move(w, number, "handle", &worker, NULL, at("2026-11-23 09:10"));
        assert_int_equal(read_case(w, number).view.due, at("2026-11-23 15:00"));
        return number;
}

struct looking {
        struct world *w;
        int64_t case_id;
        const struct ask_view *asks;
        size_t n;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *l = ctx;
        return asks_within(tx, l->w->arena, l->case_id, &l->asks, &l->n, e);
}

static struct ask_view ask_at(struct world *w, const char *number, size_t i)
{
        struct err e;
        struct looking l = {.w = w, .case_id = read_case(w, number).view.id};
        ok(store_read(w->district.store, look, &l, &e), &e);
        assert_true(i < l.n);
        return l.asks[i];
}

static void ring(struct world *w, const char *number, int64_t now)
{
        struct err e;
        const struct timer timer = {.kind = "case-ask",
                                    .key = arena_format(w->arena, "%lld", (long long)read_case(w, number).view.id)};
        ok(ask_timer.run(&w->district, &timer, now, &e), &e);
}

static void extend(struct world *w, const char *number, int64_t now)
{
        must_move(w, number, "request_extension", &worker, "{\"reason\": \"部件待到货\"}", now);
        must_move(w, number, "pass_extension", &chief, NULL, now);
        must_move(w, number, "grant_extension", &dora, NULL, now);
}

static void an_extension_adds_one_original_limit_at_most_twice(struct world *w)
{
        const char *number = handled_case(w);
        extend(w, number, at("2026-11-23 10:00"));
        assert_int_equal(read_case(w, number).view.due, at("2026-11-24 09:00")); /* 15:00 and four hours: 3 today, 1 tomorrow */
        extend(w, number, at("2026-11-24 08:30"));
        assert_int_equal(read_case(w, number).view.due, at("2026-11-24 15:00"));
        refused(w, number, "request_extension", &worker, "{\"reason\": \"more\"}", at("2026-11-24 09:30"), ERR_CONFLICT, "");
}

static void a_refused_extension_does_not_count(struct world *w)
{
        const char *number = handled_case(w);
        for (int i = 0; i < 3; i++) {
                must_move(w, number, "request_extension", &worker, "{\"reason\": \"weather\"}", at("2026-11-23 10:00"));
                must_move(w, number, "refuse_extension", &dora, "{\"reason\": \"no\"}", at("2026-11-23 10:05"));
                assert_string_equal(ask_at(w, number, (size_t)i).state, "refused");
        }
        assert_int_equal(read_case(w, number).view.due, at("2026-11-23 15:00"));
        extend(w, number, at("2026-11-23 11:00"));
}

static void no_extension_after_the_deadline(struct world *w)
{
        const char *number = handled_case(w);
        refused(w, number, "request_extension", &worker, "{\"reason\": \"late\"}", at("2026-11-23 15:01"), ERR_CONFLICT, "");
        must_move(w, number, "request_extension", &worker, "{\"reason\": \"just in time\"}", at("2026-11-23 15:00"));
}

static void an_extension_has_two_reviews_by_other_persons(struct world *w)
{
        const char *number = handled_case(w);
        const int64_t now = at("2026-11-23 10:00");
        refused(w, number, "request_extension", &worker, NULL, now, ERR_INVALID, "reason");
        refused(w, number, "grant_extension", &dora, NULL, now, ERR_CONFLICT, "");
        must_move(w, number, "request_extension", &worker, "{\"reason\": \"weather\"}", now);
        refused(w, number, "request_extension", &worker, "{\"reason\": \"again\"}", now, ERR_CONFLICT, "");
        refused(w, number, "grant_extension", &dora, NULL, now, ERR_CONFLICT, "");
        refused(w, number, "pass_extension", &worker, NULL, now, ERR_DENIED, "");
        must_move(w, number, "pass_extension", &dora, NULL, now);
        refused(w, number, "grant_extension", &dora, NULL, now, ERR_DENIED, "");
        refused(w, number, "grant_extension", &chief, NULL, now, ERR_DENIED, "");
        must_move(w, number, "grant_extension", &dan, NULL, now);
        const struct ask_view ask = ask_at(w, number, 0);
        assert_string_equal(ask.asked_by, "wang");
        assert_string_equal(ask.passed_by, "dora");
        assert_string_equal(ask.decided_by, "dan");
        assert_string_equal(ask.state, "granted");
}

static void a_suspension_pauses_the_clock_and_ends_by_itself(struct world *w)
{
        const char *number = handled_case(w);
        must_move(w, number, "suspend", &dora, "{\"reason\": \"road works\", \"until\": \"2026-11-30T09:00:00+08:00\"}",
                  at("2026-11-23 10:00"));
        assert_string_equal(read_case(w, number).view.state, "suspended");
        assert_int_equal(read_case(w, number).view.due, 0);
        ring(w, number, at("2026-11-29 09:00"));
        assert_string_equal(read_case(w, number).view.state, "suspended");
        ring(w, number, at("2026-11-30 09:00"));
        const struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "handling");
        assert_int_equal(d.view.due, at("2026-11-30 12:00")); /* one hour of four was used */
        assert_string_equal(ask_at(w, number, 0).state, "ended");
        ring(w, number, at("2026-11-30 09:01"));
}

static void a_suspension_is_once_and_ends_within_a_year(struct world *w)
{
        const char *number = handled_case(w);
        const int64_t now = at("2026-11-23 10:00");
        refused(w, number, "suspend", &dora, "{\"reason\": \"x\"}", now, ERR_INVALID, "until");
        refused(w, number, "suspend", &dora, "{\"reason\": \"x\", \"until\": \"2026-11-23T09:00:00+08:00\"}", now, ERR_INVALID,
                "until");
        refused(w, number, "suspend", &dora, "{\"reason\": \"x\", \"until\": \"2027-11-24T09:00:00+08:00\"}", now, ERR_INVALID,
                "until");
        refused(w, number, "suspend", &worker, "{\"reason\": \"x\", \"until\": \"2026-12-01T09:00:00+08:00\"}", now, ERR_DENIED,
                "");
        must_move(w, number, "suspend", &dora, "{\"reason\": \"x\", \"until\": \"2027-11-23T10:00:00+08:00\"}", now);
        must_move(w, number, "resume", &dora, NULL, at("2026-11-24 09:00"));
        refused(w, number, "suspend", &dora, "{\"reason\": \"x\", \"until\": \"2026-12-01T09:00:00+08:00\"}",
                at("2026-11-24 09:01"), ERR_CONFLICT, "");
        ring(w, number, at("2027-11-23 10:00")); /* the timer of a suspension that was ended by hand finds nothing to do */
        assert_string_equal(read_case(w, number).view.state, "handling");
}

static void a_person_urges_once_in_a_working_day(struct world *w)
{
        const char *number = handled_case(w);
        must_move(w, number, "urge", &carl, NULL, at("2026-11-23 10:00"));
        refused(w, number, "urge", &carl, NULL, at("2026-11-23 17:00"), ERR_CONFLICT, "");
        must_move(w, number, "urge", &dora, NULL, at("2026-11-23 17:00"));
        must_move(w, number, "urge", &carl, NULL, at("2026-11-24 00:01"));
        must_move(w, number, "urge", &carl, NULL, at("2026-11-27 23:00"));                 /* Friday */
        refused(w, number, "urge", &carl, NULL, at("2026-11-29 12:00"), ERR_CONFLICT, ""); /* Sunday */
        must_move(w, number, "urge", &carl, NULL, at("2026-11-30 08:00"));
}

static void supervision_has_levels_with_deadlines_and_needs_a_reply(struct world *w)
{
        const char *number = handled_case(w);
        const int64_t now = at("2026-11-23 10:00");
        refused(w, number, "supervise", &dora, "{\"reason\": \"slow\", \"level\": \"leader\"}", now, ERR_DENIED, "level");
        refused(w, number, "supervise", &dora, "{\"reason\": \"slow\", \"level\": \"king\"}", now, ERR_INVALID, "level");
        must_move(w, number, "supervise", &sue, "{\"reason\": \"slow\", \"level\": \"leader\"}", now);
        assert_int_equal(ask_at(w, number, 0).until, at("2026-11-23 16:00")); /* four working hours */
        ring(w, number, at("2026-11-23 16:00"));
        assert_int_equal(test_number(w->district.store, "SELECT COUNT(*) FROM outbox WHERE topic = 'supervision_overdue'"), 1);
        ring(w, number, at("2026-11-23 16:01"));
        assert_int_equal(test_number(w->district.store, "SELECT COUNT(*) FROM outbox WHERE topic = 'supervision_overdue'"), 1);
        refused(w, number, "answer_supervision", &worker, NULL, at("2026-11-23 16:10"), ERR_INVALID, "result");
        must_move(w, number, "answer_supervision", &worker, "{\"result\": \"done tomorrow\"}", at("2026-11-23 16:10"));
        assert_string_equal(ask_at(w, number, 0).state, "answered");
        assert_string_equal(ask_at(w, number, 0).reply, "done tomorrow");
        refused(w, number, "answer_supervision", &worker, "{\"result\": \"again\"}", at("2026-11-23 16:10"), ERR_CONFLICT, "");
}

/* To the reply, with `handed` the instant at which the result was handed over. */
static void to_reply(struct world *w, const char *number, int64_t handed)
{
        must_move(w, number, "hand_over", &worker, "{\"result\": \"井盖已更换\"}", handed);
        refused(w, number, "pass_review", &(struct mover){.name = "wang", .role = ROLE_CLERK}, NULL, handed, ERR_DENIED, "");
        must_move(w, number, "pass_review", &carl, NULL, handed);
        must_move(w, number, "reply", &carl, "{\"result\": \"您反映的井盖已更换\"}", handed);
}

static const char satisfied[] = "{\"solved\": true, \"ratings\": {\"speed\": 4, \"effect\": 3, \"service\": 3, \"answer\": 2}}";
static const char unsatisfied[] = "{\"solved\": false}";

static void unsatisfied_is_done_again_once_and_then_supervised(struct world *w)
{
        const char *number = handled_case(w);
        to_reply(w, number, at("2026-11-23 14:30"));
        refused(w, number, "call_back", &carl, NULL, at("2026-11-23 15:00"), ERR_INVALID, "solved");
        refused(w, number, "call_back", &carl, "{\"solved\": true, \"ratings\": {\"speed\": 6}}", at("2026-11-23 15:00"),
                ERR_INVALID, "ratings");
        must_move(w, number, "call_back", &carl, unsatisfied, at("2026-11-23 15:00"));
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "handling");
        assert_string_equal(d.history[d.n_history - 1].entry.move, "redo");
        assert_string_equal(d.history[d.n_history - 1].entry.actor, "system");
        assert_string_equal(d.view.unit, "pingshan-water");
        to_reply(w, number, at("2026-11-23 16:30"));
        refused(w, number, "call_back", &carl, "{\"solved\": false, \"level\": \"nowhere\"}", at("2026-11-23 17:00"), ERR_INVALID,
                "level"); /* what the moves behind it ask of the form */
        must_move(w, number, "call_back", &carl,
                  "{\"solved\": true, \"ratings\": {\"speed\": 1, \"effect\": 2, \"service\": 3, \"answer\": 4}}",
                  at("2026-11-23 17:00"));
        d = read_case(w, number);
        assert_string_equal(d.view.state, "handling");
        assert_string_equal(d.history[d.n_history - 1].entry.move, "redo_supervised");
        assert_string_equal(ask_at(w, number, 0).kind, "supervision");
        to_reply(w, number, at("2026-11-24 10:00"));
        must_move(w, number, "call_back", &carl, satisfied, at("2026-11-24 11:00"));
        assert_string_equal(read_case(w, number).view.state, "called_back"); /* the supervision waits for its reply */
        must_move(w, number, "answer_supervision", &worker, "{\"result\": \"done\"}", at("2026-11-24 11:10"));
        refused(w, number, "close", &carl, unsatisfied, at("2026-11-24 11:10"), ERR_CONFLICT, "");
        must_move(w, number, "close", &carl, NULL, at("2026-11-24 11:10"));
}

static void only_listed_reasons_exclude_from_satisfaction(struct world *w)
{
        const char *number = handled_case(w);
        to_reply(w, number, at("2026-11-23 14:30"));
        refused(w, number, "call_back", &carl, "{\"solved\": false, \"reason_code\": \"he is rude\"}", at("2026-11-23 15:00"),
                ERR_INVALID, "reason_code");
        must_move(w, number, "call_back", &carl, "{\"solved\": false, \"reason_code\": \"unreasonable\"}", at("2026-11-23 15:00"));
        assert_string_equal(read_case(w, number).view.state, "closed");
}

static void a_satisfied_citizen_closes_the_case(struct world *w)
{
        const char *number = handled_case(w);
        to_reply(w, number, at("2026-11-23 14:30"));
        must_move(w, number, "call_back", &carl, satisfied, at("2026-11-23 15:00"));
        const struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "closed");
        assert_string_equal(d.history[d.n_history - 1].entry.move, "close");
        assert_non_null(strstr(d.history[d.n_history - 1].entry.form, "\"behind\":\"call_back\""));
        for (size_t i = 0; i < d.n_clocks; i++)
                assert_true(text_is(d.clocks[i].state, "met") || text_is(d.clocks[i].state, "missed"));
}

static void an_appeal_is_after_closing_once_by_the_unit_with_two_reviews(struct world *w)
{
        const char *number = handled_case(w);
        to_reply(w, number, at("2026-11-23 16:00")); /* an hour late */
        refused(w, number, "appeal", &worker, "{\"reason\": \"storm\"}", at("2026-11-23 16:00"), ERR_CONFLICT, "");
        must_move(w, number, "call_back", &carl, satisfied, at("2026-11-23 16:30"));
        const int64_t now = at("2026-11-24 09:00");
        const struct mover other = {.name = "zhou", .unit = "kengzi-water", .role = ROLE_UNIT};
        refused(w, number, "appeal", &other, "{\"reason\": \"storm\"}", now, ERR_DENIED, "");
        must_move(w, number, "appeal", &worker, "{\"reason\": \"storm\"}", now);
        refused(w, number, "grant_appeal", &sue, NULL, now, ERR_CONFLICT, "");
        must_move(w, number, "pass_appeal", &sue, NULL, now);
        refused(w, number, "grant_appeal", &sue, NULL, now, ERR_DENIED, "");
        must_move(w, number, "grant_appeal", &sam, NULL, now);
        assert_string_equal(ask_at(w, number, 0).state, "granted");
        assert_true(read_case(w, number).view.late); /* exempt in statistics, the fact stays */
        refused(w, number, "appeal", &worker, "{\"reason\": \"once more\"}", now, ERR_CONFLICT, "");
}

static void a_case_in_time_has_nothing_to_appeal(struct world *w)
{
        const char *number = handled_case(w);
        to_reply(w, number, at("2026-11-23 15:00")); /* at the very instant is in time */
        must_move(w, number, "call_back", &carl, satisfied, at("2026-11-23 15:30"));
        refused(w, number, "appeal", &worker, "{\"reason\": \"why not\"}", at("2026-11-24 09:00"), ERR_CONFLICT, "");
}

static void a_return_is_counted_and_timed_and_needs_a_listed_reason(struct world *w)
{
        const char *number = case_new(w, "c01001", "440310001001", false, at("2026-11-23 09:00"));
        static const char form[] = "{\"reason_code\": \"not_mine\", \"reason\": \"燃气井盖\"}";
        refused(w, number, "return", &worker, "{\"reason\": \"不是我的\"}", at("2026-11-23 09:30"), ERR_INVALID, "reason_code");
        refused(w, number, "return", &worker, form, at("2026-11-24 09:01"), ERR_CONFLICT, ""); /* more than 8 working hours */
        for (int i = 0; i < 2; i++) {
                must_move(w, number, "return", &worker, form, at("2026-11-23 09:30") + i * USEC_MINUTE);
                must_move(w, number, "redispatch", &dora, "{\"unit\": \"pingshan-water\"}",
                          at("2026-11-23 09:30") + i * USEC_MINUTE);
        }
        refused(w, number, "return", &worker, form, at("2026-11-23 09:40"), ERR_CONFLICT, "");
}

static void the_receiver_of_a_return_may_correct_redispatch_or_return_further(struct world *w)
{
        const char *number = case_new(w, "c01001", "440310001001", false, at("2026-11-23 09:00"));
        const int64_t now = at("2026-11-23 09:30");
        must_move(w, number, "return", &worker, "{\"reason_code\": \"wrong_item\", \"reason\": \"污水井盖\"}", now);
        static const char *const others[] = {"reject", "quick", "sign", "handle", "hand_over", "suspend", "close", "dispatch"};
        for (size_t i = 0; i < COUNT_OF(others); i++)
                refused(w, number, others[i], &(struct mover){.name = "root", .role = ROLE_ADMIN}, NULL, now, ERR_CONFLICT, "");
        must_move(w, number, "return_further", &dora, "{\"reason\": \"市级\"}", now);
        must_move(w, number, "correct", &dora, "{\"item\": \"c01002\", \"reason\": \"污水井盖\"}", now);
        must_move(w, number, "dispatch", &dora, "{\"unit\": \"pingshan-water\"}", now);
        assert_string_equal(read_case(w, number).view.item, "c01002");
}

static void a_unit_revokes_its_assignment_before_it_returns(struct world *w)
{
        struct err e;
        const char *number = case_new(w, "c01001", "440310001001", false, at("2026-11-23 09:00"));
        const int64_t now = at("2026-11-23 09:30");
        static const char form[] = "{\"reason_code\": \"not_mine\", \"reason\": \"x\"}";
        ok(account_add(w->district.store, 1, "wang", "王师傅", ROLE_UNIT, "pingshan-water", NULL, "a long password", now, &e), &e);
        ok(account_add(w->district.store, 2, "zhou", "周师傅", ROLE_UNIT, "kengzi-water", NULL, "a long password", now, &e), &e);
        must_move(w, number, "sign", &worker, NULL, now);
        refused(w, number, "assign", &chief, "{\"person\": \"zhou\"}", now, ERR_INVALID, "person");
        refused(w, number, "assign", &chief, "{\"person\": \"nobody\"}", now, ERR_INVALID, "person");
        must_move(w, number, "assign", &chief, "{\"person\": \"wang\"}", now);
        refused(w, number, "return", &worker, form, now, ERR_CONFLICT, "");
        must_move(w, number, "revoke", &chief, NULL, now);
        must_move(w, number, "return", &worker, form, now);
}

static void facts_are_completed_by_the_nearest_grid_worker_before_filing(struct world *w)
{
        const char *number = case_new(w, NULL, "440310001001", false, at("2026-11-23 09:00"));
        const struct mover grid = {.name = "li", .unit = "community-440310001001", .role = ROLE_UNIT};
        must_move(w, number, "ask_facts", &carl, "{\"reason\": \"哪个井盖\"}", at("2026-11-23 09:10"));
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "need_facts");
        assert_string_equal(d.tasks[d.n_tasks - 1].kind, "check");
        assert_string_equal(d.tasks[d.n_tasks - 1].unit, "community-440310001001");
        must_move(w, number, "give_facts", &grid, "{\"result\": \"供水井盖\", \"item\": \"c01001\"}", at("2026-11-23 11:00"));
        d = read_case(w, number);
        assert_string_equal(d.view.state, "filed");
        assert_string_equal(d.view.item, "c01001");
        assert_string_equal(d.tasks[d.n_tasks - 1].state, "done");
        assert_int_equal(d.view.due, at("2026-11-23 14:50")); /* the dispatch clock stood still from 9:10 to 11:00 */
}

static void a_position_does_not_take_up_again_what_was_handed_over(struct world *w)
{
        static const struct mover other = {.name = "liu", .unit = "pingshan-law", .role = ROLE_UNIT};
        const char *number = case_new(w, "c01001", "440310001001", false, at("2026-11-23 09:00"));
        must_move(w, number, "sign", &worker, NULL, at("2026-11-23 09:10"));
        must_move(w, number, "contest", &worker, "{\"reason\": \"不属于本单位职责\"}", at("2026-11-23 09:20"));
        must_move(w, number, "handle", &worker, NULL, at("2026-11-23 09:30"));
        must_move(w, number, "hand_over", &worker, "{\"result\": \"已更换\"}", at("2026-11-23 10:00"));
        must_move(w, number, "state_position", &other, "{\"reason\": \"可立即处置\", \"can_act\": true}", at("2026-11-23 10:10"));
        const struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, "handled");
        assert_string_equal(d.view.unit, "pingshan-water");
        for (size_t i = 0; i < d.n_tasks; i++)
                assert_false(text_is(d.tasks[i].kind, "lead") && text_is(d.tasks[i].state, "open"));
}

static void a_leaders_note_is_reported_approved_noted_and_answered(struct world *w)
{
        const char *number = handled_case(w);
        const int64_t now = at("2026-11-23 10:00");
        must_move(w, number, "leader_note", &dora, "{\"reason\": \"多次反映\"}", now);
        refused(w, number, "answer_leader_note", &worker, "{\"result\": \"ok\"}", now, ERR_CONFLICT, "");
        must_move(w, number, "approve_leader_note", &sue, "{\"result\": \"请今日办结\"}", now);
        must_move(w, number, "answer_leader_note", &worker, "{\"result\": \"今日办结\"}", now);
        assert_string_equal(ask_at(w, number, 0).state, "answered");
        assert_string_equal(ask_at(w, number, 0).reply, "今日办结");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(an_extension_adds_one_original_limit_at_most_twice),
                RULE(a_refused_extension_does_not_count),
                RULE(no_extension_after_the_deadline),
                RULE(an_extension_has_two_reviews_by_other_persons),
                RULE(a_suspension_pauses_the_clock_and_ends_by_itself),
                RULE(a_suspension_is_once_and_ends_within_a_year),
                RULE(a_person_urges_once_in_a_working_day),
                RULE(supervision_has_levels_with_deadlines_and_needs_a_reply),
                RULE(unsatisfied_is_done_again_once_and_then_supervised),
                RULE(only_listed_reasons_exclude_from_satisfaction),
                RULE(a_satisfied_citizen_closes_the_case),
                RULE(an_appeal_is_after_closing_once_by_the_unit_with_two_reviews),
                RULE(a_case_in_time_has_nothing_to_appeal),
                RULE(a_return_is_counted_and_timed_and_needs_a_listed_reason),
                RULE(the_receiver_of_a_return_may_correct_redispatch_or_return_further),
                RULE(a_unit_revokes_its_assignment_before_it_returns),
                RULE(facts_are_completed_by_the_nearest_grid_worker_before_filing),
                RULE(a_leaders_note_is_reported_approved_noted_and_answered),
                RULE(a_position_does_not_take_up_again_what_was_handed_over),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
