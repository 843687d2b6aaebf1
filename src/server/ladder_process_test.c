/* server/ladder_process_test.c -- the ladder of a clock (escalation.csv): who is told when, each test named after its rule. */
#include "server/process_test.h"

static const char SQL_TOLD[] = "SELECT payload FROM outbox WHERE topic = 'escalation' AND key = $1 ORDER BY seq";
static const char SQL_TIMER[] = "SELECT due FROM timer WHERE kind = 'case-clock' AND key = $1";
static const char SQL_SUPERVISED[] = "SELECT COUNT(*) FROM case_ask a JOIN cases c ON c.id = a.case_id WHERE a.kind = 'supervision'"
                                     " AND c.number = $1 AND a.level = $2";

struct asked {
        struct world *w;
        const char *number, *level;
        char *out;
        int64_t n;
};

/* "clock percent to" of each event, comma between. */
static bool read_told(struct tx *tx, void *ctx, struct err *e)
{
        struct asked *q = ctx;
        struct rows r;
        q->out = arena_text(q->w->arena, "");
        if (!tx_rows(tx, &r, e, SQL_TOLD, ARGS(V(q->number))))
                return false;
        while (rows_next(&r)) {
                const char *text = rows_text(&r, q->w->arena, 0);
                const struct json_value *v = json_parse(q->w->arena, text, strlen(text), e);
                assert_non_null(v);
                q->out = arena_format(q->w->arena, "%s%s%s %d %s", q->out, *q->out ? ", " : "", json_get_text(v, "clock", "?"),
                                      (int)json_get_int(v, "percent", 0), json_get_text(v, "to", "?"));
        }
        return rows_done(&r, e);
}

static void told(struct world *w, const char *number, const char *wanted)
{
        struct err e;
        struct asked q = {.w = w, .number = number};
        ok(store_read(w->district.store, read_told, &q, &e), &e);
        assert_string_equal(q.out, wanted);
}

static bool read_number(struct tx *tx, void *ctx, struct err *e)
{
        struct asked *q = ctx;
        return q->level ? tx_int(tx, &q->n, 0, e, SQL_SUPERVISED, ARGS(V(q->number), V(q->level)))
                        : tx_int(tx, &q->n, 0, e, SQL_TIMER, ARGS(V(q->number)));
}

static int64_t supervised(struct world *w, const char *number, const char *level)
{
        struct err e;
        struct asked q = {.w = w, .number = number, .level = level};
        ok(store_read(w->district.store, read_number, &q, &e), &e);
        return q.n;
}

/* The scheduler's part up to `until`: runs the case's timer at each instant it is set to. */
static void live(struct world *w, const char *number, const char *until)
{
        struct err e;
        const char *key = arena_format(w->arena, "%lld", (long long)read_case(w, number).view.id);
        for (int i = 0; i < 200; i++) {
                struct asked q = {.w = w, .number = key};
                ok(store_read(w->district.store, read_number, &q, &e), &e);
                if (q.n == 0 || q.n > at(until))
                        return;
                ok(case_clock_timer.run(&w->district, &(struct timer){.kind = "case-clock", .key = key, .due = q.n}, q.n, &e), &e);
        }
        fail_msg("the timer of %s does not come to rest", number);
}

/* Nobody looked for a while: the timer runs once, late. */
static void wake(struct world *w, const char *number, const char *now)
{
        struct err e;
        const char *key = arena_format(w->arena, "%lld", (long long)read_case(w, number).view.id);
        ok(case_clock_timer.run(&w->district, &(struct timer){.kind = "case-clock", .key = key}, at(now), &e), &e);
}

/* A manhole cover, four working hours, dispatched Monday 9:00 and in hand at once: handle is due at 15:00. */
static const char *in_hand(struct world *w)
{
        const char *number = case_new(w, "c01001", "440310001001", false, at("2026-11-23 09:00"));
        must_move(w, number, "sign", &worker, NULL, at("2026-11-23 09:00"));
        must_move(w, number, "handle", &worker, NULL, at("2026-11-23 09:00"));
        return number;
}

static void the_ladder_tells_each_step_at_its_share_of_the_limit(struct world *w)
{
        const char *number = in_hand(w);
        live(w, number, "2026-11-23 10:59");
        told(w, number, "");
        live(w, number, "2026-11-23 11:00");
        told(w, number, "handle 50 unit");
        live(w, number, "2026-11-23 15:00");
        told(w, number, "handle 50 unit, handle 100 dispatcher");
        assert_int_equal(supervised(w, number, "centre"), 0);
        live(w, number, "2026-11-23 17:00"); /* 150 % */
        told(w, number, "handle 50 unit, handle 100 dispatcher, handle 150 supervisor");
}

static void the_ladder_orders_supervision_by_itself(struct world *w)
{
        const char *number = in_hand(w);
        live(w, number, "2026-11-23 17:00");
        assert_int_equal(supervised(w, number, "centre"), 1);
        live(w, number, "2026-11-24 09:00"); /* 200 %: eight working hours */
        assert_int_equal(supervised(w, number, "office"), 1);
        const struct case_detail d = read_case(w, number);
        const struct ledger_entry *last = &d.history[d.n_history - 1].entry;
        assert_string_equal(last->move, "supervise");
        assert_string_equal(last->actor, "system");
        assert_string_equal(d.view.state, "handling");
}

static void the_ladder_repeats_until_the_unit_hands_over(struct world *w)
{
        const char *number = in_hand(w);
        live(w, number, "2026-11-26 09:00"); /* 200 % on Tuesday 9:00, then each working day */
        assert_int_equal(supervised(w, number, "office"), 3);
        must_move(w, number, "hand_over", &worker, "{\"result\": \"replaced\"}", at("2026-11-26 09:30"));
        live(w, number, "2026-12-01 09:00");
        assert_int_equal(supervised(w, number, "office"), 3);
}

static void steps_passed_while_nothing_ran_are_told_late_and_repetitions_once(struct world *w)
{
        const char *number = in_hand(w);
        wake(w, number, "2026-11-27 09:30");
        told(w, number, "handle 50 unit, handle 100 dispatcher, handle 150 supervisor, handle 200 supervisor");
        assert_int_equal(supervised(w, number, "office"), 1);
        live(w, number, "2026-11-30 09:00"); /* and goes on where it would be */
        assert_int_equal(supervised(w, number, "office"), 2);
}

static void a_pause_moves_the_ladder_and_an_extension_begins_it_anew(struct world *w)
{
        const char *number = in_hand(w);
        live(w, number, "2026-11-23 11:00");
        must_move(w, number, "suspend", &dora, "{\"until\": \"2026-11-25T11:00:00+08:00\", \"reason\": \"parts\"}",
                  at("2026-11-23 11:30"));
        live(w, number, "2026-11-25 10:00");
        told(w, number, "handle 50 unit");
        must_move(w, number, "resume", &dora, NULL, at("2026-11-25 11:00"));
        assert_int_equal(read_case(w, number).view.due, at("2026-11-25 14:30"));
        live(w, number, "2026-11-25 14:29");
        told(w, number, "handle 50 unit");
        must_move(w, number, "request_extension", &worker, "{\"reason\": \"parts\"}", at("2026-11-25 14:29"));
        must_move(w, number, "pass_extension", &(struct mover){.name = "chen", .unit = "pingshan-water", .role = ROLE_UNIT}, NULL,
                  at("2026-11-25 14:29"));
        must_move(w, number, "grant_extension", &dora, NULL, at("2026-11-25 14:29"));
        live(w, number, "2026-11-25 16:30"); /* due on Thursday 9:30... half of the new limit is left at 16:30 */
        told(w, number, "handle 50 unit, handle 50 unit");
}

static void each_unit_has_its_own_time_and_the_next_one_the_whole_limit(struct world *w)
{
        const char *number = case_new(w, "c01001", "440310001001", false, at("2026-11-23 09:00"));
        must_move(w, number, "return", &worker, "{\"reason_code\": \"not_mine\", \"reason\": \"not ours\"}",
                  at("2026-11-23 11:00"));
        must_move(w, number, "redispatch", &dora, "{\"unit\": \"city-management\", \"reason\": \"theirs\"}",
                  at("2026-11-23 14:00"));
        const struct case_detail d = read_case(w, number);
        struct clock_view rounds[2] = {0};
        for (size_t i = 0; i < d.n_clocks; i++)
                if (text_is(d.clocks[i].clock, "handle"))
                        rounds[d.clocks[i].round == 1 ? 0 : 1] = d.clocks[i];
        const struct clock_view *first = &rounds[0], *second = &rounds[1];
        assert_string_equal(first->unit, "pingshan-water");
        assert_int_equal(first->started, at("2026-11-23 09:00"));
        assert_int_equal(first->ended, at("2026-11-23 11:00"));
        assert_string_equal(second->unit, "city-management");
        assert_int_equal(second->started, at("2026-11-23 14:00"));
        assert_int_equal(second->due, at("2026-11-23 18:00"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(the_ladder_tells_each_step_at_its_share_of_the_limit),
                RULE(the_ladder_orders_supervision_by_itself),
                RULE(the_ladder_repeats_until_the_unit_hands_over),
                RULE(steps_passed_while_nothing_ran_are_told_late_and_repetitions_once),
                RULE(a_pause_moves_the_ladder_and_an_extension_begins_it_anew),
                RULE(each_unit_has_its_own_time_and_the_next_one_the_whole_limit),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
