/* cases/faults_test.c -- whichever call of the store fails in a move, a timer or a reload of the rules: all of it is there or
 * nothing, the caller is told to come again, and the repeat succeeds. */
#include "cases/world_test.h"

/* Everything that a move may write, in one number for each table. */
static const char *const sums[] = {
        "SELECT COUNT(*) FROM history",
        "SELECT COALESCE(SUM(seq * 64 + open), 0) FROM cases",
        "SELECT COUNT(*) * 1000 + COALESCE(SUM(CASE state WHEN 'open' THEN 1 ELSE 0 END), 0) FROM case_task",
        "SELECT COALESCE(SUM(due + warn_at + remaining + ended_at + overdue), 0) FROM case_clock",
        "SELECT COALESCE(SUM(CASE state WHEN 'running' THEN 1 WHEN 'paused' THEN 1000 ELSE 1000000 END), 0) FROM case_clock",
        "SELECT COALESCE(SUM(due + wake + tries), 0) FROM timer",
        "SELECT COUNT(*) FROM outbox",
        "SELECT COALESCE(SUM(last), 0) FROM ledger_lane",
};

struct totals {
        int64_t of[COUNT_OF(sums)];
};

static struct totals state_now(struct world *w)
{
        struct totals s;
        for (size_t i = 0; i < COUNT_OF(sums); i++)
                s.of[i] = test_number(w->district.store, sums[i]);
        return s;
}

static void nothing_changed(const struct totals *before, const struct totals *after, const char *what, int n)
{
        for (size_t i = 0; i < COUNT_OF(sums); i++)
                if (before->of[i] != after->of[i])
                        fail_msg("%s, failure %d: %s was %lld and is %lld", what, n, sums[i], (long long)before->of[i],
                                 (long long)after->of[i]);
}

typedef bool step_fn(struct world *, const void *ctx, struct err *);

/* Tries the step with the first, second, ... call of the store failing, until none is left to fail.  How many there were. */
static int with_each_failure(struct world *w, const char *what, step_fn *step, const void *ctx)
{
        for (int n = 1;; n++) {
                struct err e = {0};
                const struct totals before = state_now(w);
                store_fail_at(w->district.store, n);
                const bool good = step(w, ctx, &e), failed = store_failed(w->district.store);
                store_fail_at(w->district.store, 0);
                const struct totals after = state_now(w);
                if (good) {
                        assert_false(failed);
                        return n - 1;
                }
                assert_true(failed);
                if (e.kind != ERR_BUSY)
                        fail_msg("%s, failure %d: kind %d, %s", what, n, (int)e.kind, e.text);
                nothing_changed(&before, &after, what, n);
        }
}

struct wanted {
        const char *number, *move, *form;
        struct mover mover;
        int64_t now;
};

static bool make_move(struct world *w, const void *ctx, struct err *e)
{
        const struct wanted *m = ctx;
        return try_move(w, m->number, m->move, &m->mover, m->form, m->now, e);
}

/* Every move of the workflow that a person makes, in an order that is possible. */
static void a_move_is_whole_or_not_there(struct world *w)
{
        const struct mover unit = unit_mover("north-law"), clerk = a_clerk, dispatcher = a_dispatcher;
        const struct {
                const char *move, *form;
                struct mover mover;
        } steps[] = {
                {"return", "{\"reason\": \"not ours\"}", unit},
                {"redispatch", "{\"unit\": \"north-law\"}", dispatcher},
                {"sign", NULL, unit},
                {"handle", NULL, unit},
                {"ask", "{\"reason\": \"where is it\"}", unit},
                {"answer", NULL, clerk},
                {"hand_over", "{\"result\": \"done\", \"reason\": \"the others are not needed\"}", unit},
                {"review", NULL, dispatcher},
                {"rework", "{\"reason\": \"not clean\"}", dispatcher},
                {"hand_over", "{\"result\": \"done again\", \"reason\": \"the others are not needed\"}", unit},
                {"review", NULL, dispatcher},
                {"reply", "{\"result\": \"it is clean\"}", clerk},
                {"close", NULL, clerk},
                {"archive", NULL, clerk},
        };
        int64_t now = at("2026-11-23 09:00");
        const char *number = case_new(w, "010102", "990101001001", false, now);
        for (size_t i = 0; i < COUNT_OF(steps); i++) {
                now += USEC_MINUTE;
                const struct wanted m = {number, steps[i].move, steps[i].form, steps[i].mover, now};
                assert_true(with_each_failure(w, m.move, make_move, &m) >= 3);
        }
        const char *unsure = case_new(w, NULL, "990101001001", false, now);
        const struct wanted by_hand[] = {
                {unsure, "dispatch", "{\"item\": \"010102\", \"unit\": \"north-law\", \"assists\": [\"city\"]}", dispatcher,
                 now + 1},
                {unsure, "assist_done", NULL, unit_mover("city"), now + 2},
                {case_new(w, NULL, "990101001001", false, now), "reject", "{\"reason\": \"not a matter\"}", clerk, now + 3},
        };
        for (size_t i = 0; i < COUNT_OF(by_hand); i++)
                assert_true(with_each_failure(w, by_hand[i].move, make_move, &by_hand[i]) >= 3);
        ledger_is_whole(w);
}

static bool run_timer(struct world *w, const void *ctx, struct err *e)
{
        const struct timer *t = ctx;
        return case_clock_timer.run(&w->district, t, t->due, e);
}

/* A timer that breaks off is run again by the scheduler: it warns once, and tells once that the case is late. */
static void a_timer_is_whole_or_not_there(struct world *w)
{
        const char *number = case_new(w, "010102", "990101001001", false, at("2026-11-23 09:00"));
        const struct case_detail d = read_case(w, number);
        struct timer t = {.kind = "case-clock", .key = arena_format(w->arena, "%lld", (long long)d.view.id)};
        int runs = 0;
        for (int64_t due; (due = test_number(w->district.store, "SELECT COALESCE(MAX(due), 0) FROM timer")) > 0; runs++) {
                t.due = due;
                assert_true(with_each_failure(w, "timer", run_timer, &t) >= 3);
                if (test_number(w->district.store, "SELECT COALESCE(MAX(due), 0) FROM timer") == due)
                        break; /* nothing is set anew: the scheduler would take it away now */
        }
        assert_true(runs >= 1);
        ledger_is_whole(w);
}

static bool reload(struct world *w, const void *ctx, struct err *e)
{
        (void)ctx;
        return district_reload(&w->district, e);
}

/* The rules in force stay in force. */
static void a_reload_fails_whole(struct world *w)
{
        struct err e;
        const struct rulebook *before = district_rules(&w->district, &e);
        assert_true(with_each_failure(w, "reload", reload, NULL) >= 1);
        assert_ptr_equal(district_rules(&w->district, &e), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                BOTH(a_move_is_whole_or_not_there),
                BOTH(a_timer_is_whole_or_not_there),
                BOTH(a_reload_fails_whole),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
