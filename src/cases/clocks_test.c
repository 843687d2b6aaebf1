/* cases/clocks_test.c -- clocks of a case: warned, late, paused, resumed, stopped; the one timer that follows them. */
#include "cases/world_test.h"

static const char SQL_TIMER[] = "SELECT due FROM timer WHERE kind = 'case-clock'";
static const char SQL_TIMERS[] = "SELECT COUNT(*) FROM timer WHERE kind = 'case-clock'";
static const char SQL_WARNINGS[] = "SELECT COUNT(*) FROM outbox WHERE topic = 'warning'";
static const char SQL_OVERDUE[] = "SELECT COUNT(*) FROM outbox WHERE topic = 'overdue'";

static const struct clock_view *clock_of(const struct case_detail *d, const char *clock, int64_t round)
{
        for (size_t i = 0; i < d->n_clocks; i++)
                if (text_is(d->clocks[i].clock, clock) && d->clocks[i].round == round)
                        return &d->clocks[i];
        fail_msg("no clock %s", clock);
        return NULL;
}

static void clock_is(struct world *w, const char *number, const char *clock, int64_t round, const char *state, const char *due)
{
        struct case_detail d = read_case(w, number);
        const struct clock_view *c = clock_of(&d, clock, round);
        char text[TIME_TEXT_SIZE];
        assert_string_equal(c->state, state);
        if (c->due != at(due))
                fail_msg("%s is due %s, wanted %s", clock, time_text(text, c->due, ZONE_SHANGHAI), due);
}

/* The scheduler's part: runs the timer when it is there and due. */
static void ring(struct world *w, int64_t id, int64_t now)
{
        struct err e;
        const int64_t due = test_number(w->district.store, SQL_TIMER);
        if (due > 0 && due <= now)
                ok(case_clock_timer.run(
                           &w->district,
                           &(struct timer){.kind = "case-clock", .due = due, .key = arena_format(w->arena, "%lld", (long long)id)},
                           now, &e),
                   &e);
}

static void filing_starts_the_clocks(struct world *w)
{
        const char *number = case_new(w, "010101", "990101001001", false, at("2026-11-23 09:00"));
        struct case_detail d = read_case(w, number);
        assert_int_equal(d.n_clocks, 3); /* the dispatch clock is stopped by the dispatch */
        clock_is(w, number, "sign", 1, "running", "2026-11-23 10:00");
        clock_is(w, number, "handle", 1, "running", "2026-11-23 15:00");
        clock_is(w, number, "total", 1, "running", "2026-12-07 09:00");
        assert_int_equal(d.view.due, at("2026-11-23 15:00"));
        assert_int_equal(test_number(w->district.store, SQL_TIMER), at("2026-11-23 09:48")); /* 80 % of the first hour */
}

static void urgent_time_runs_through_the_night(struct world *w)
{
        const char *number = case_new(w, "010101", "990101001001", true, at("2026-11-27 23:30")); /* a Friday */
        clock_is(w, number, "sign", 1, "running", "2026-11-28 00:00");
        clock_is(w, number, "handle", 1, "running", "2026-11-28 01:30");
        clock_is(w, number, "total", 1, "running", "2026-12-11 18:00");
        const char *cable = case_new(w, "03", "990102001002", false, at("2026-11-28 05:00"));
        clock_is(w, cable, "handle", 1, "running", "2026-11-29 05:00"); /* a natural day */
        clock_is(w, cable, "sign", 1, "running", "2026-11-30 09:00");
}

static void each_clock_warns_once_and_is_late_once(struct world *w)
{
        const char *number = case_new(w, "010101", "990101001001", false, at("2026-11-23 09:00"));
        struct store *s = w->district.store;
        const int64_t id = read_case(w, number).view.id;
        static const struct {
                const char *now;
                int warnings, overdue;
                const char *next;
        } steps[] = {
                {"2026-11-23 09:47", 0, 0, "2026-11-23 09:48"},
                {"2026-11-23 09:48", 1, 0, "2026-11-23 10:00"},
                {"2026-11-23 09:59", 1, 0, "2026-11-23 10:00"},
                {"2026-11-23 10:00", 1, 1, "2026-11-23 12:00"}, /* sign is overdue; handle warns at 75 % */
                {"2026-11-23 14:30", 2, 1, "2026-11-23 15:00"},
                {"2026-11-23 16:00", 2, 2, "2026-12-04 09:00"},
        };
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
                ring(w, id, at(steps[i].now));
                ring(w, id, at(steps[i].now));
                assert_int_equal(test_number(s, SQL_WARNINGS), steps[i].warnings);
                assert_int_equal(test_number(s, SQL_OVERDUE), steps[i].overdue);
                assert_int_equal(test_number(s, SQL_TIMER), at(steps[i].next));
        }
        assert_false(read_case(w, number).view.late); /* judged when the unit hands over */
        const struct mover oak = unit_mover("oak");
        must_move(w, number, "sign", &oak, NULL, at("2026-11-23 16:00"));
        clock_is(w, number, "sign", 1, "missed", "2026-11-23 10:00");
        assert_true(read_case(w, number).view.late);
}

static void the_due_instant_itself_is_in_time(struct world *w)
{
        const struct mover oak = unit_mover("oak");
        for (int late = 0; late < 2; late++) {
                const char *number = case_new(w, "010101", "990101001001", false, at("2026-11-23 09:00"));
                must_move(w, number, "sign", &oak, NULL, at("2026-11-23 10:00"));
                must_move(w, number, "handle", &oak, NULL, at("2026-11-23 10:00"));
                must_move(w, number, "hand_over", &oak, "{\"result\": \"swept\"}", at("2026-11-23 15:00") + late);
                clock_is(w, number, "sign", 1, "met", "2026-11-23 10:00");
                clock_is(w, number, "handle", 1, late ? "missed" : "met", "2026-11-23 15:00");
                assert_int_equal(read_case(w, number).view.late, late);
                assert_int_equal(read_case(w, number).view.due, at("2026-12-07 09:00")); /* the total clock runs on */
        }
}

static const char *handling(struct world *w, const struct mover *oak, const char *since)
{
        const char *number = case_new(w, "010101", "990101001001", false, at(since));
        must_move(w, number, "sign", oak, NULL, at(since));
        must_move(w, number, "handle", oak, NULL, at(since));
        return number;
}

static void a_pause_keeps_what_is_left(struct world *w)
{
        const struct mover oak = unit_mover("oak");
        const char *number = handling(w, &oak, "2026-11-23 09:00");
        must_move(w, number, "ask", &oak, "{\"reason\": \"which corner?\"}", at("2026-11-23 10:00"));
        clock_is(w, number, "handle", 1, "paused", "2026-11-23 15:00");
        clock_is(w, number, "total", 1, "running", "2026-12-07 09:00");
        assert_int_equal(read_case(w, number).view.due, at("2026-12-07 09:00"));
        assert_int_equal(test_number(w->district.store, SQL_TIMER), at("2026-12-04 09:00")); /* only the total clock */
        must_move(w, number, "answer", &a_clerk, NULL, at("2026-11-24 10:00"));
        clock_is(w, number, "handle", 1, "running", "2026-11-24 15:00"); /* 3 of the 4 hours were left */
        assert_int_equal(read_case(w, number).view.due, at("2026-11-24 15:00"));
        must_move(w, number, "ask", &oak, "{\"reason\": \"and when?\"}", at("2026-11-24 15:00"));
        must_move(w, number, "answer", &a_clerk, NULL, at("2026-11-25 09:00"));
        clock_is(w, number, "handle", 1, "running", "2026-11-25 09:00"); /* nothing was left */
        must_move(w, number, "hand_over", &oak, "{\"result\": \"swept\"}", at("2026-11-25 09:00"));
        assert_false(read_case(w, number).view.late);
}

static void a_pause_moves_the_warning_as_it_moves_the_due_instant(struct world *w)
{
        const struct mover oak = unit_mover("oak");
        const char *number = handling(w, &oak, "2026-11-23 09:00"); /* warns at 75 %: 12:00 */
        must_move(w, number, "ask", &oak, "{\"reason\": \"which corner?\"}", at("2026-11-23 10:00"));
        must_move(w, number, "answer", &a_clerk, NULL, at("2026-11-24 10:00"));
        assert_int_equal(test_number(w->district.store, SQL_TIMER), at("2026-11-24 12:00"));
}

static void an_overdue_clock_that_ends_in_a_pause_is_missed(struct world *w)
{
        const struct mover oak = unit_mover("oak");
        const char *number = handling(w, &oak, "2026-11-23 09:00");
        must_move(w, number, "ask", &oak, "{\"reason\": \"which corner?\"}", at("2026-11-23 16:00"));
        must_move(w, number, "drop", &a_clerk, "{\"reason\": \"withdrawn\"}", at("2026-11-24 09:00"));
        struct case_detail d = read_case(w, number);
        assert_string_equal(clock_of(&d, "handle", 1)->state, "missed");
        assert_true(d.view.late);
}

static void a_pause_does_not_heal_lateness(struct world *w)
{
        const struct mover oak = unit_mover("oak");
        const char *number = handling(w, &oak, "2026-11-23 09:00");
        must_move(w, number, "ask", &oak, "{\"reason\": \"which corner?\"}", at("2026-11-23 16:00"));
        must_move(w, number, "answer", &a_clerk, NULL, at("2026-11-25 09:00"));
        clock_is(w, number, "handle", 1, "running", "2026-11-25 08:00"); /* an hour too late, as before the pause */
        must_move(w, number, "hand_over", &oak, "{\"result\": \"swept\"}", at("2026-11-25 09:00"));
        struct case_detail d = read_case(w, number);
        assert_string_equal(clock_of(&d, "handle", 1)->state, "missed");
        assert_true(d.view.late);
}

static void rework_and_redispatch_start_new_rounds(struct world *w)
{
        const struct mover oak = unit_mover("oak"), city = unit_mover("city");
        const char *number = handling(w, &oak, "2026-11-23 09:00");
        must_move(w, number, "hand_over", &oak, "{\"result\": \"swept\"}", at("2026-11-23 10:00"));
        must_move(w, number, "review", &a_dispatcher, NULL, at("2026-11-23 11:00"));
        must_move(w, number, "rework", &a_dispatcher, "{\"reason\": \"no\"}", at("2026-11-23 11:00"));
        clock_is(w, number, "handle", 1, "met", "2026-11-23 15:00");
        clock_is(w, number, "handle", 2, "running", "2026-11-23 17:00");

        const char *other = case_new(w, "010101", "990101001001", false, at("2026-11-23 09:00"));
        must_move(w, other, "return", &oak, "{\"reason\": \"no\"}", at("2026-11-23 09:30"));
        clock_is(w, other, "sign", 1, "met", "2026-11-23 10:00");
        must_move(w, other, "redispatch", &a_dispatcher, "{\"unit\": \"city\"}", at("2026-11-23 14:00"));
        clock_is(w, other, "sign", 2, "running", "2026-11-23 15:00");
        clock_is(w, other, "handle", 2, "running", "2026-11-23 18:00");
        must_move(w, other, "sign", &city, NULL, at("2026-11-23 14:10"));
        struct case_detail d = read_case(w, other);
        assert_string_equal(clock_of(&d, "handle", 2)->unit, "city");
        assert_string_equal(clock_of(&d, "handle", 1)->unit, "oak");
}

static void the_end_stops_everything(struct world *w)
{
        const char *number = case_new(w, NULL, "990102", false, at("2026-11-23 09:00"));
        clock_is(w, number, "dispatch", 1, "running", "2026-11-23 11:00");
        assert_int_equal(test_number(w->district.store, SQL_TIMERS), 1);
        must_move(w, number, "reject", &a_clerk, "{\"reason\": \"not our matter\"}", at("2026-11-23 09:20"));
        struct case_detail d = read_case(w, number);
        for (size_t i = 0; i < d.n_clocks; i++)
                assert_string_equal(d.clocks[i].state, "met");
        assert_int_equal(d.view.due, 0);
        assert_int_equal(d.view.closed, at("2026-11-23 09:20"));
        assert_int_equal(test_number(w->district.store, SQL_TIMERS), 0);
}

static void a_year_without_data_is_refused(struct world *w)
{
        const struct mover oak = unit_mover("oak");
        const char *number = handling(w, &oak, "2027-12-15 09:00");
        must_move(w, number, "hand_over", &oak, "{\"result\": \"swept\"}", at("2027-12-15 10:00"));
        must_move(w, number, "review", &a_dispatcher, NULL, at("2027-12-15 10:00"));
        refused(w, number, "rework", &a_dispatcher, "{\"reason\": \"no\"}", at("2027-12-31 16:00"), ERR_INVALID, "");
        assert_string_equal(read_case(w, number).view.state, "review");
}

static void a_timer_of_no_case_is_done(struct world *w)
{
        struct err e;
        ok(case_clock_timer.run(&w->district, &(struct timer){.kind = "case-clock", .key = "77"}, 1, &e), &e);
        assert_false(case_clock_timer.run(&w->district, &(struct timer){.kind = "case-clock", .key = "x"}, 1, &e));
        assert_int_equal(e.kind, ERR_FAULT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(filing_starts_the_clocks),
                BOTH(urgent_time_runs_through_the_night),
                BOTH(each_clock_warns_once_and_is_late_once),
                BOTH(the_due_instant_itself_is_in_time),
                BOTH(a_pause_keeps_what_is_left),
                BOTH(a_pause_does_not_heal_lateness),
                BOTH(a_pause_moves_the_warning_as_it_moves_the_due_instant),
                BOTH(an_overdue_clock_that_ends_in_a_pause_is_missed),
                BOTH(rework_and_redispatch_start_new_rounds),
                BOTH(the_end_stops_everything),
                BOTH(a_year_without_data_is_refused),
                BOTH(a_timer_of_no_case_is_done),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
