/* calendar/calendar_test.c -- working time against an oracle that looks at every single minute of the years. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "calendar/loading_test.h"
#include "pack/testing.h"
#include "store/store.h"
#include "store/testing.h"

enum { FIRST_YEAR = 2024, LAST_YEAR = 2027, FALLBACK = 2029, OVERRIDES = 160, TRIES = 6000 };

/* Every minute from the first served year to the last, by the C library's idea of dates. */
struct oracle {
        int zone, last_year;
        time_t begin; /* seconds: local midnight of the first day, as an instant */
        int64_t minutes;
        bool *works;
        int64_t *at;     /* the working minutes, in order */
        int64_t *before; /* working minutes before minute i */
        int64_t n;
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

static int64_t at(const char *text)
{
        int64_t instant;
        assert_true(time_parse(text, ZONE_SHANGHAI, &instant));
        return instant;
}

static time_t new_year(int year)
{
        return timegm(&(struct tm){.tm_year = year - 1900, .tm_mday = 1});
}

static bool override_of(const struct calendar_rules *r, time_t local, bool *works)
{
        for (size_t i = 0; i < r->n_overrides; i++)
                if (r->overrides[i].day == local / 86400) {
                        *works = r->overrides[i].works;
                        return true;
                }
        return false;
}

static struct oracle oracle_new(struct arena *a, const struct calendar_rules *r)
{
        const int last = r->weekends_only_until > r->last_year ? r->weekends_only_until : r->last_year;
        const time_t from = new_year(r->first_year), to = new_year(last + 1);
        struct oracle o = {.zone = r->zone, .last_year = r->last_year, .begin = from - r->zone * 60, .minutes = (to - from) / 60};
        o.works = NEW_ARRAY(a, bool, o.minutes);
        o.at = NEW_ARRAY(a, int64_t, o.minutes);
        o.before = NEW_ARRAY(a, int64_t, o.minutes + 1);
        for (time_t day = from; day < to; day += 86400) {
                struct tm civil;
                (void)gmtime_r(&day, &civil);
                bool works = (r->weekdays >> ((civil.tm_wday + 6) % 7) & 1u) != 0;
                if (civil.tm_year + 1900 <= r->last_year)
                        (void)override_of(r, day, &works);
                for (int m = 0; m < 1440; m++)
                        for (size_t p = 0; works && p < r->n_periods; p++)
                                if (m >= r->periods[p].from && m < r->periods[p].to)
                                        o.works[(day - from) / 60 + m] = true;
        }
        for (int64_t i = 0; i < o.minutes; i++) {
                o.before[i] = o.n;
                if (o.works[i])
                        o.at[o.n++] = i;
        }
        o.before[o.minutes] = o.n;
        return o;
}

static int64_t instant_of(const struct oracle *o, int64_t minute)
{
        return (o->begin + minute * 60) * USEC_SECOND;
}

/* A calendar of random periods, working weekdays, holidays and make-up days. */
static struct calendar_rules any_rules(struct arena *a, uint64_t *seed)
{
        static const int zones[] = {480, 480, 0, -300, 330};
        struct period *periods = NEW_ARRAY(a, struct period, 8);
        struct day_override *days = NEW_ARRAY(a, struct day_override, OVERRIDES);
        struct calendar_rules r = {.zone = zones[draw(seed, COUNT_OF(zones))],
                                   .periods = periods,
                                   .first_year = FIRST_YEAR,
                                   .last_year = LAST_YEAR,
                                   .weekdays = draw(seed, 2) ? 31u : 1u + draw(seed, 127),
                                   .overrides = days};
        int from = (int)draw(seed, 500);
        for (uint32_t n = 1 + draw(seed, 4); n > 0; n--) {
                const int to = from + 1 + (int)draw(seed, 240);
                if (to > 1440)
                        break;
                periods[r.n_periods++] = (struct period){from, to};
                from = to + 1 + (int)draw(seed, 120);
        }
        int64_t day = new_year(FIRST_YEAR) / 86400;
        while (r.n_overrides < OVERRIDES) {
                day += 1 + draw(seed, 21);
                days[r.n_overrides++] = (struct day_override){day, draw(seed, 2) != 0}; /* some fall into years without data */
        }
        if (draw(seed, 2))
                r.weekends_only_until = FALLBACK;
        return r;
}

static void check_due(const struct calendar *c, const struct oracle *o, int64_t minute, int64_t wanted, uint64_t *seed)
{
        const bool by_days = draw(seed, 3) == 0;
        const int64_t whole = calendar_length(c, (struct limit){1, LIMIT_WORK_DAY}) / USEC_MINUTE;
        const struct limit limit = by_days ? (struct limit){(double)wanted / (double)whole, LIMIT_WORK_DAY}
                                           : (struct limit){(double)wanted / 60.0, LIMIT_WORK_HOUR};
        const int64_t start = instant_of(o, minute);
        int64_t due;
        bool fell_back;
        struct err e;
        const bool good = calendar_due(c, start, limit, &due, &fell_back, &e);
        if (o->before[minute] + wanted > o->n) {
                assert_false(good);
                assert_int_equal(e.kind, ERR_INVALID);
                assert_true(*e.zh);
                return;
        }
        ok(good, &e);
        const int64_t last = o->at[o->before[minute] + wanted - 1];
        assert_int_equal(due, instant_of(o, last + 1));
        assert_int_equal(fell_back, last >= (new_year(o->last_year + 1) - new_year(FIRST_YEAR)) / 60);
        assert_int_equal(calendar_worked(c, start, due), wanted * USEC_MINUTE);
}

/* Between the minutes: the due instant is the first at which the time has passed. */
static void check_inverse(const struct calendar *c, const struct oracle *o, int64_t minute, int64_t usec, uint64_t *seed)
{
        const int64_t start = instant_of(o, minute) + draw(seed, 60000000);
        int64_t due;
        struct err e;
        if (!calendar_after(c, start, usec, LIMIT_WORK_HOUR, &due, &e)) {
                assert_true(o->before[minute] * USEC_MINUTE + usec > (o->n - 1) * USEC_MINUTE);
                return;
        }
        assert_int_equal(calendar_worked(c, start, due), usec);
        assert_true(calendar_worked(c, start, due - 1) < usec);
}

/* --- properties, each on random calendars ------------------------------------------------------------------------------ */

struct random_calendar {
        const struct calendar *c;
        struct oracle o;
        uint64_t *seed;
};

static void on_random_calendars(uint64_t seed, int rounds, void (*check)(const struct random_calendar *))
{
        for (int round = 0; round < rounds; round++) {
                struct arena *a = arena_new();
                struct calendar *c;
                struct err e;
                const struct calendar_rules rules = any_rules(a, &seed);
                ok(calendar_new(a, &rules, &c, &e), &e);
                const struct random_calendar r = {c, oracle_new(a, &rules), &seed};
                for (int i = 0; i < TRIES; i++)
                        check(&r);
                arena_free(&a);
        }
}

static int64_t any_minute(const struct random_calendar *r)
{
        return draw(r->seed, (uint32_t)r->o.minutes);
}

static int64_t any_instant(const struct random_calendar *r)
{
        return instant_of(&r->o, any_minute(r)) + draw(r->seed, 60000000);
}

static int64_t any_length(const struct random_calendar *r)
{
        return 1 + (int64_t)draw(r->seed, draw(r->seed, 10) ? 3000 : 200000) * USEC_MINUTE + draw(r->seed, 60000000);
}

static void counted(const struct random_calendar *r)
{
        const struct oracle *o = &r->o;
        const int64_t x = any_minute(r), y = draw(r->seed, (uint32_t)o->minutes + 1);
        assert_int_equal(calendar_works(r->c, instant_of(o, x)), o->works[x]);
        assert_int_equal(calendar_works(r->c, instant_of(o, x) + USEC_MINUTE - 1), o->works[x]);
        assert_int_equal(calendar_worked(r->c, instant_of(o, x), instant_of(o, y)),
                         y > x ? (o->before[y] - o->before[x]) * USEC_MINUTE : 0);
}

static void working_time_is_a_count_of_every_single_minute(void **state)
{
        (void)state;
        on_random_calendars(42, 8, counted);
}

static void runs_out(const struct random_calendar *r)
{
        check_due(r->c, &r->o, any_minute(r), 1 + draw(r->seed, draw(r->seed, 10) ? 3000 : 200000), r->seed);
}

static void a_deadline_is_the_end_of_the_minute_in_which_the_limit_runs_out(void **state)
{
        (void)state;
        on_random_calendars(43, 8, runs_out);
}

static void first_passed(const struct random_calendar *r)
{
        check_inverse(r->c, &r->o, any_minute(r), 1 + (int64_t)draw(r->seed, 3000) * USEC_MINUTE + draw(r->seed, 60000000),
                      r->seed);
}

static void a_deadline_is_the_first_instant_at_which_the_limit_has_passed(void **state)
{
        (void)state;
        on_random_calendars(44, 8, first_passed);
}

/* At any moment between: what was used and what is left make the whole, and what is left leads to the same deadline. */
static void remains(const struct random_calendar *r)
{
        const int64_t start = any_instant(r), length = any_length(r);
        int64_t due, again;
        struct err e;
        if (!calendar_after(r->c, start, length, LIMIT_WORK_HOUR, &due, &e))
                return;
        const int64_t now = start + (int64_t)((double)(due - start) * draw(r->seed, 1001) / 1000);
        const int64_t left = calendar_worked(r->c, now, due);
        assert_int_equal(left, length - calendar_worked(r->c, start, now));
        if (left == 0)
                return; /* now is the deadline, or between it and the last instant of work before it */
        ok(calendar_after(r->c, now, left, LIMIT_WORK_HOUR, &again, &e), &e);
        assert_int_equal(again, due);
}

static void deadline_minus_now_is_what_remains(void **state)
{
        (void)state;
        on_random_calendars(45, 4, remains);
}

static void later(const struct random_calendar *r)
{
        const int64_t start = any_instant(r), length = any_length(r);
        const int64_t more = draw(r->seed, 3) ? (int64_t)draw(r->seed, 20000) * USEC_MINUTE + draw(r->seed, 60000000) : 0;
        int64_t due, other;
        struct err e;
        const bool good = calendar_after(r->c, start, length, LIMIT_WORK_HOUR, &due, &e);
        if (calendar_after(r->c, start + more, length, LIMIT_WORK_HOUR, &other,
                           &e)) /* where the later ends in time, so does the other */
                assert_true(good && due <= other);
        if (calendar_after(r->c, start, length + more, LIMIT_WORK_HOUR, &other, &e)) {
                assert_true(good && due <= other);
                assert_true(more == 0 || due < other);
        }
}

static void a_later_start_or_a_longer_limit_never_ends_earlier(void **state)
{
        (void)state;
        on_random_calendars(46, 4, later);
}

static void summed(const struct random_calendar *r)
{
        const int64_t start = any_instant(r), first = any_length(r), second = any_length(r);
        int64_t middle, end = 0, at_once;
        struct err e;
        const bool stepwise = calendar_after(r->c, start, first, LIMIT_WORK_HOUR, &middle, &e)
                              && calendar_after(r->c, middle, second, LIMIT_WORK_HOUR, &end, &e);
        const bool whole = calendar_after(r->c, start, first + second, LIMIT_WORK_HOUR, &at_once, &e);
        assert_int_equal(stepwise, whole);
        if (whole)
                assert_int_equal(end, at_once);
}

static void two_limits_one_behind_the_other_end_where_their_sum_ends(void **state)
{
        (void)state;
        on_random_calendars(47, 4, summed);
}

/* --- by name, with the calendar of the small pack ----------------------------------------------------------------------- */

static void due_is(const struct calendar *c, const char *start, double amount, enum limit_unit unit, const char *wanted)
{
        struct err e;
        int64_t due;
        ok(calendar_due(c, at(start), (struct limit){amount, unit}, &due, NULL, &e), &e);
        assert_int_equal(due, at(wanted));
}

static void known_days(const struct calendar *c)
{
        due_is(c, "2026-11-23 09:00", 2, LIMIT_WORK_HOUR, "2026-11-23 11:00");
        due_is(c, "2026-11-23 11:00", 1, LIMIT_WORK_HOUR, "2026-11-23 12:00"); /* the end of a period, not the next start */
        due_is(c, "2026-11-23 12:30", 1, LIMIT_WORK_HOUR, "2026-11-23 15:00");
        due_is(c, "2026-11-23 17:59:30", 1, LIMIT_WORK_HOUR, "2026-11-24 08:59:30");
        due_is(c, "2026-11-27 17:00", 2, LIMIT_WORK_HOUR, "2026-11-30 09:00"); /* over a weekend */
        due_is(c, "2026-11-28 10:00", 1, LIMIT_WORK_DAY, "2026-11-30 18:00");  /* begun on a Saturday */
        due_is(c, "2026-11-23 09:00", 0.5, LIMIT_WORK_DAY, "2026-11-23 15:00");
        due_is(c, "2026-09-30 17:00", 2, LIMIT_WORK_HOUR, "2026-10-08 09:00"); /* over the holiday week */
        due_is(c, "2026-10-09 17:00", 2, LIMIT_WORK_HOUR, "2026-10-10 09:00"); /* a Saturday that is made up */
        due_is(c, "2026-11-27 23:00", 2, LIMIT_URGENT_HOUR, "2026-11-28 01:00");
        due_is(c, "2026-11-27 23:00", 3, LIMIT_NATURAL_DAY, "2026-11-30 23:00");
        assert_true(calendar_works(c, at("2026-10-10 09:00")));
        assert_false(calendar_works(c, at("2026-10-11 09:00")));
        assert_false(calendar_works(c, at("2026-10-01 09:00")));
        assert_false(calendar_works(c, at("2026-11-23 12:00")));
        assert_true(calendar_works(c, at("2026-11-23 11:59:59")));
}

static void a_pack_gives_its_calendar(void **state)
{
        static const struct pack_part *const parts[] = {&calendar_pack, NULL};
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct loading l = {.arena = arena_new()};
                struct store *s;
                struct err e;
                int last, fallback;
                int64_t due;
                assert_true(test_store_open(&s, pg, all_migrations));
                assert_true(test_pack_load(s, parts, "test/packs/small", &l.version));
                ok(store_read(s, load, &l, &e), &e);
                known_days(l.calendar);
                calendar_years(l.calendar, &last, &fallback);
                assert_int_equal(last, 2027);
                assert_int_equal(fallback, 0);
                assert_false(calendar_due(l.calendar, at("2027-12-31 17:00"), (struct limit){2, LIMIT_WORK_HOUR}, &due, NULL, &e));
                assert_non_null(strstr(e.text, "2028"));
                assert_non_null(strstr(e.zh, "2028"));
                assert_false(calendar_due(l.calendar, at("2023-12-29 10:00"), (struct limit){2, LIMIT_WORK_HOUR}, &due, NULL, &e));
                due_is(l.calendar, "2027-12-31 23:00", 2, LIMIT_URGENT_HOUR, "2028-01-01 01:00"); /* needs no holidays */
                l.version = 77;
                assert_false(store_read(s, load, &l, &e));
                store_close(&s);
                arena_free(&l.arena);
        }
}

static void wrong_rules_are_refused(void **state)
{
        struct arena *a = arena_new();
        const struct period overlap[] = {{480, 720}, {700, 800}}, empty[] = {{480, 480}}, night[] = {{1380, 1500}},
                            good[] = {{480, 720}};
        struct calendar_rules rules[] = {
                {.periods = good, .n_periods = 0, .weekdays = 31, .first_year = 2024, .last_year = 2024},
                {.periods = overlap, .n_periods = 2, .weekdays = 31, .first_year = 2024, .last_year = 2024},
                {.periods = empty, .n_periods = 1, .weekdays = 31, .first_year = 2024, .last_year = 2024},
                {.periods = night, .n_periods = 1, .weekdays = 31, .first_year = 2024, .last_year = 2024},
                {.periods = good, .n_periods = 1, .weekdays = 0, .first_year = 2024, .last_year = 2024},
                {.periods = good, .n_periods = 1, .weekdays = 31, .first_year = 2025, .last_year = 2024},
                {.periods = good, .n_periods = 1, .weekdays = 31, .first_year = 1960, .last_year = 2024},
                {.periods = good, .n_periods = 1, .weekdays = 31, .first_year = 2024, .last_year = 3000},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(rules); i++) {
                struct calendar *c;
                struct err e;
                assert_false(calendar_new(a, &rules[i], &c, &e));
                assert_int_equal(e.kind, ERR_INVALID);
                assert_true(*e.zh && *e.field);
        }
        arena_free(&a);
}

static void units_have_names(void **state)
{
        static const enum limit_unit units[] = {LIMIT_WORK_HOUR, LIMIT_WORK_DAY, LIMIT_URGENT_HOUR, LIMIT_NATURAL_DAY};
        (void)state;
        for (size_t i = 0; i < COUNT_OF(units); i++)
                assert_int_equal(limit_unit_of(limit_unit_name(units[i])), units[i]);
        assert_int_equal(limit_unit_of("urgent_day"), LIMIT_NATURAL_DAY);
        assert_int_equal(limit_unit_of("fortnight"), LIMIT_NONE);
        assert_int_equal(limit_unit_of(NULL), LIMIT_NONE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(working_time_is_a_count_of_every_single_minute),
                cmocka_unit_test(a_deadline_is_the_end_of_the_minute_in_which_the_limit_runs_out),
                cmocka_unit_test(a_deadline_is_the_first_instant_at_which_the_limit_has_passed),
                cmocka_unit_test(deadline_minus_now_is_what_remains),
                cmocka_unit_test(a_later_start_or_a_longer_limit_never_ends_earlier),
                cmocka_unit_test(two_limits_one_behind_the_other_end_where_their_sum_ends),
                cmocka_unit_test(a_pack_gives_its_calendar),
                cmocka_unit_test(wrong_rules_are_refused),
                cmocka_unit_test(units_have_names),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
