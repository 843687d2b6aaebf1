/* server/links_process_test.c -- merging and splitting, each test named after its rule of process.md, on the pack of Pingshan. */
#include "server/process_test.h"

static const char *a_case(struct world *w, const char *time)
{
        return case_new(w, "c01001", "440310001001", false, at(time));
}

static char *into(struct world *w, const char *number)
{
        return arena_format(w->arena, "{\"case\": \"%s\", \"reason\": \"同一井盖\"}", number);
}

static int64_t told(struct world *w, const char *number)
{
        return test_number(w->district.store,
                           arena_format(w->arena, "SELECT COUNT(*) FROM outbox WHERE topic = 'reporter' AND key = '%s'", number));
}

static const char *state_of(struct world *w, const char *number)
{
        return read_case(w, number).view.state;
}

static void many_reports_one_case_and_each_citizen_gets_his_own_answer(struct world *w)
{
        const char *first = a_case(w, "2026-11-23 09:00"), *second = a_case(w, "2026-11-23 09:10"),
                   *third = a_case(w, "2026-11-23 09:20");
        must_move(w, second, "merge", &carl, into(w, first), at("2026-11-23 09:30"));
        must_move(w, third, "merge", &carl, into(w, first), at("2026-11-23 09:30"));
        assert_string_equal(state_of(w, second), "merged");
        assert_int_equal(read_case(w, second).view.due, 0);
        must_move(w, first, "sign", &worker, NULL, at("2026-11-23 09:40"));
        must_move(w, first, "handle", &worker, NULL, at("2026-11-23 09:40"));
        must_move(w, first, "hand_over", &worker, "{\"result\": \"已更换\"}", at("2026-11-23 10:40"));
        must_move(w, first, "pass_review", &carl, NULL, at("2026-11-23 11:00"));
        must_move(w, first, "reply", &carl, "{\"result\": \"井盖已更换\"}", at("2026-11-23 11:00"));
        const char *const numbers[] = {first, second, third};
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(told(w, numbers[i]), 1);
        struct case_detail d = read_case(w, second);
        assert_string_equal(d.history[d.n_history - 1].entry.move, "answer_merged");
        assert_string_equal(d.view.state, "merged");
        must_move(w, first, "call_back", &carl, "{\"solved\": true}", at("2026-11-23 15:00"));
        for (size_t i = 0; i < 3; i++) {
                assert_string_equal(state_of(w, numbers[i]), "closed");
                assert_int_equal(told(w, numbers[i]), 2);
        }
}

static void a_merge_is_into_another_open_case_that_stands_alone(struct world *w)
{
        const char *first = a_case(w, "2026-11-23 09:00"), *second = a_case(w, "2026-11-23 09:10"),
                   *third = a_case(w, "2026-11-23 09:20");
        const int64_t now = at("2026-11-23 09:30");
        refused(w, first, "merge", &carl, into(w, first), now, ERR_INVALID, "case");
        refused(w, first, "merge", &carl, into(w, "XY1"), now, ERR_INVALID, "case");
        refused(w, first, "merge", &carl, "{\"reason\": \"x\"}", now, ERR_INVALID, "case");
        refused(w, first, "merge", &worker, into(w, second), now, ERR_DENIED, "");
        must_move(w, second, "merge", &carl, into(w, first), now);
        refused(w, third, "merge", &carl, into(w, second), now, ERR_CONFLICT, "case");
        must_move(w, third, "waive_evidence", &dora, "{\"reason\": \"有录像\"}", now);
        must_move(w, third, "quick", &worker, "{\"result\": \"done\"}", now);
        must_move(w, third, "archive", &carl, NULL, now);
        refused(w, first, "merge", &carl, into(w, third), now, ERR_CONFLICT, "case");
}

static void what_was_merged_goes_along_with_a_further_merge(struct world *w)
{
        const char *first = a_case(w, "2026-11-23 09:00"), *second = a_case(w, "2026-11-23 09:10"),
                   *third = a_case(w, "2026-11-23 09:20");
        const int64_t now = at("2026-11-23 09:30");
        must_move(w, third, "merge", &carl, into(w, second), now);
        must_move(w, second, "merge", &carl, into(w, first), now);
        must_move(w, first, "sign", &worker, NULL, now);
        must_move(w, first, "handle", &worker, NULL, now);
        must_move(w, first, "hand_over", &worker, "{\"result\": \"已更换\"}", now);
        must_move(w, first, "pass_review", &carl, NULL, now);
        must_move(w, first, "reply", &carl, "{\"result\": \"井盖已更换\"}", now);
        assert_int_equal(told(w, second), 1);
        assert_int_equal(told(w, third), 1);
}

static void a_merge_can_be_undone(struct world *w)
{
        const char *first = a_case(w, "2026-11-23 09:00"), *second = a_case(w, "2026-11-23 09:10");
        must_move(w, second, "merge", &carl, into(w, first), at("2026-11-23 09:30"));
        refused(w, second, "unmerge", &carl, NULL, at("2026-11-23 10:00"), ERR_INVALID, "reason");
        must_move(w, second, "unmerge", &carl, "{\"reason\": \"两处井盖\"}", at("2026-11-23 10:00"));
        assert_string_equal(state_of(w, second), "filed");
        assert_int_equal(read_case(w, second).view.due, at("2026-11-23 12:00")); /* two working hours to dispatch it */
        must_move(w, second, "dispatch", &dora, "{\"unit\": \"pingshan-water\"}", at("2026-11-23 10:10"));
        must_move(w, first, "waive_evidence", &dora, "{\"reason\": \"有录像\"}", at("2026-11-23 10:10"));
        must_move(w, first, "quick", &worker, "{\"result\": \"done\"}", at("2026-11-23 10:10"));
        assert_string_equal(state_of(w, second), "dispatched");
}

static void a_split_makes_two_cases_of_one_report(struct world *w)
{
        const char *first = a_case(w, "2026-11-23 09:00");
        const int64_t now = at("2026-11-23 09:30");
        refused(w, first, "split", &carl, "{\"reason\": \"x\"}", now, ERR_INVALID, "item");
        refused(w, first, "split", &carl, "{\"reason\": \"x\", \"item\": \"c01001\"}", now, ERR_INVALID, "item");
        must_move(w, first, "split", &carl, "{\"reason\": \"两件事\", \"item\": \"c01005\"}", now);
        assert_string_equal(state_of(w, first), "dispatched");
        assert_int_equal(test_number(w->district.store, "SELECT COUNT(*) FROM cases"), 2);
        assert_int_equal(test_number(w->district.store,
                                     "SELECT COUNT(*) FROM cases s JOIN cases c ON s.report = c.id JOIN case_link l"
                                     " ON l.case_id = s.id AND l.target = c.id WHERE l.kind = 'split' AND s.item ="
                                     " 'c01005' AND s.state = 'dispatched'"),
                         1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(many_reports_one_case_and_each_citizen_gets_his_own_answer),
                RULE(a_merge_is_into_another_open_case_that_stands_alone),
                RULE(what_was_merged_goes_along_with_a_further_merge),
                RULE(a_merge_can_be_undone),
                RULE(a_split_makes_two_cases_of_one_report),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
