/* calendar/holidays_test.c -- deadlines over every Spring Festival and National Day from 2010 to 2026, with the calendar of the
 * pack of Pingshan.  What is wanted was counted from the notices of the State Council, not by the calendar that is tested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

enum { LIMITS = 4, MADE_UP_MOST = 2 };
static const struct limit limits[LIMITS] = {{4, LIMIT_WORK_HOUR}, {1, LIMIT_WORK_DAY}, {5, LIMIT_WORK_DAY}, {10, LIMIT_WORK_DAY}};

struct holiday {
        const char *name;
        const char *first, *last;           /* days without work, with the weekends that touch them */
        const char *made_up[MADE_UP_MOST];  /* Saturdays and Sundays that are worked for it */
        const char *accepted, *due[LIMITS]; /* on the last working afternoon before it; by each of the limits */
};
/* clang-format off */
static const struct holiday holidays[] = {
        {"2010 Spring Festival", "2010-02-13", "2010-02-19", {"2010-02-20", "2010-02-21"},
         "2010-02-12 14:20", {"2010-02-20 08:20", "2010-02-20 14:20", "2010-02-24 14:20", "2010-03-03 14:20"}},
        {"2010 National Day", "2010-10-01", "2010-10-07", {"2010-09-26", "2010-10-09"},
         "2010-09-30 15:30", {"2010-10-08 09:30", "2010-10-08 15:30", "2010-10-13 15:30", "2010-10-20 15:30"}},
        {"2011 Spring Festival", "2011-02-02", "2011-02-08", {"2011-01-30", "2011-02-12"},
         "2011-02-01 16:00", {"2011-02-09 10:00", "2011-02-09 16:00", "2011-02-14 16:00", "2011-02-21 16:00"}},
        {"2011 National Day", "2011-10-01", "2011-10-07", {"2011-10-08", "2011-10-09"},
         "2011-09-30 17:45", {"2011-10-08 11:45", "2011-10-08 17:45", "2011-10-12 17:45", "2011-10-19 17:45"}},
        {"2012 Spring Festival", "2012-01-22", "2012-01-28", {"2012-01-21", "2012-01-29"},
         "2012-01-21 14:20", {"2012-01-29 08:20", "2012-01-29 14:20", "2012-02-02 14:20", "2012-02-09 14:20"}},
        {"2012 National Day", "2012-09-30", "2012-10-07", {"2012-09-29"},
         "2012-09-29 15:30", {"2012-10-08 09:30", "2012-10-08 15:30", "2012-10-12 15:30", "2012-10-19 15:30"}},
        {"2013 Spring Festival", "2013-02-09", "2013-02-15", {"2013-02-16", "2013-02-17"},
         "2013-02-08 16:00", {"2013-02-16 10:00", "2013-02-16 16:00", "2013-02-20 16:00", "2013-02-27 16:00"}},
        {"2013 National Day", "2013-10-01", "2013-10-07", {"2013-09-29", "2013-10-12"},
         "2013-09-30 17:45", {"2013-10-08 11:45", "2013-10-08 17:45", "2013-10-12 17:45", "2013-10-18 17:45"}},
        {"2014 Spring Festival", "2014-01-31", "2014-02-06", {"2014-01-26", "2014-02-08"},
         "2014-01-30 14:20", {"2014-02-07 08:20", "2014-02-07 14:20", "2014-02-12 14:20", "2014-02-19 14:20"}},
        {"2014 National Day", "2014-10-01", "2014-10-07", {"2014-09-28", "2014-10-11"},
         "2014-09-30 15:30", {"2014-10-08 09:30", "2014-10-08 15:30", "2014-10-13 15:30", "2014-10-20 15:30"}},
        {"2015 Spring Festival", "2015-02-18", "2015-02-24", {"2015-02-15", "2015-02-28"},
         "2015-02-17 16:00", {"2015-02-25 10:00", "2015-02-25 16:00", "2015-03-02 16:00", "2015-03-09 16:00"}},
        {"2015 National Day", "2015-10-01", "2015-10-07", {"2015-10-10"},
         "2015-09-30 17:45", {"2015-10-08 11:45", "2015-10-08 17:45", "2015-10-13 17:45", "2015-10-20 17:45"}},
        {"2016 Spring Festival", "2016-02-07", "2016-02-13", {"2016-02-06", "2016-02-14"},
         "2016-02-06 14:20", {"2016-02-14 08:20", "2016-02-14 14:20", "2016-02-18 14:20", "2016-02-25 14:20"}},
        {"2016 National Day", "2016-10-01", "2016-10-07", {"2016-10-08", "2016-10-09"},
         "2016-09-30 15:30", {"2016-10-08 09:30", "2016-10-08 15:30", "2016-10-12 15:30", "2016-10-19 15:30"}},
        {"2017 Spring Festival", "2017-01-27", "2017-02-02", {"2017-01-22", "2017-02-04"},
         "2017-01-26 16:00", {"2017-02-03 10:00", "2017-02-03 16:00", "2017-02-08 16:00", "2017-02-15 16:00"}},
        {"2017 National Day", "2017-10-01", "2017-10-08", {"2017-09-30"},
         "2017-09-30 17:45", {"2017-10-09 11:45", "2017-10-09 17:45", "2017-10-13 17:45", "2017-10-20 17:45"}},
        {"2018 Spring Festival", "2018-02-15", "2018-02-21", {"2018-02-11", "2018-02-24"},
         "2018-02-14 14:20", {"2018-02-22 08:20", "2018-02-22 14:20", "2018-02-27 14:20", "2018-03-06 14:20"}},
        {"2018 National Day", "2018-10-01", "2018-10-07", {"2018-09-29", "2018-09-30"},
         "2018-09-30 15:30", {"2018-10-08 09:30", "2018-10-08 15:30", "2018-10-12 15:30", "2018-10-19 15:30"}},
        {"2019 Spring Festival", "2019-02-04", "2019-02-10", {"2019-02-02", "2019-02-03"},
         "2019-02-03 16:00", {"2019-02-11 10:00", "2019-02-11 16:00", "2019-02-15 16:00", "2019-02-22 16:00"}},
        {"2019 National Day", "2019-10-01", "2019-10-07", {"2019-09-29", "2019-10-12"},
         "2019-09-30 17:45", {"2019-10-08 11:45", "2019-10-08 17:45", "2019-10-12 17:45", "2019-10-18 17:45"}},
        {"2020 Spring Festival", "2020-01-24", "2020-02-02", {"2020-01-19", "2020-02-03"},
         "2020-01-23 14:20", {"2020-02-03 08:20", "2020-02-03 14:20", "2020-02-07 14:20", "2020-02-14 14:20"}},
        {"2020 National Day", "2020-10-01", "2020-10-08", {"2020-09-27", "2020-10-10"},
         "2020-09-30 15:30", {"2020-10-09 09:30", "2020-10-09 15:30", "2020-10-14 15:30", "2020-10-21 15:30"}},
        {"2021 Spring Festival", "2021-02-11", "2021-02-17", {"2021-02-07", "2021-02-20"},
         "2021-02-10 16:00", {"2021-02-18 10:00", "2021-02-18 16:00", "2021-02-23 16:00", "2021-03-02 16:00"}},
        {"2021 National Day", "2021-10-01", "2021-10-07", {"2021-09-26", "2021-10-09"},
         "2021-09-30 17:45", {"2021-10-08 11:45", "2021-10-08 17:45", "2021-10-13 17:45", "2021-10-20 17:45"}},
        {"2022 Spring Festival", "2022-01-31", "2022-02-06", {"2022-01-29", "2022-01-30"},
         "2022-01-30 14:20", {"2022-02-07 08:20", "2022-02-07 14:20", "2022-02-11 14:20", "2022-02-18 14:20"}},
        {"2022 National Day", "2022-10-01", "2022-10-07", {"2022-10-08", "2022-10-09"},
         "2022-09-30 15:30", {"2022-10-08 09:30", "2022-10-08 15:30", "2022-10-12 15:30", "2022-10-19 15:30"}},
        {"2023 Spring Festival", "2023-01-21", "2023-01-27", {"2023-01-28", "2023-01-29"},
         "2023-01-20 16:00", {"2023-01-28 10:00", "2023-01-28 16:00", "2023-02-01 16:00", "2023-02-08 16:00"}},
        {"2023 National Day", "2023-09-29", "2023-10-06", {"2023-10-07", "2023-10-08"},
         "2023-09-28 17:45", {"2023-10-07 11:45", "2023-10-07 17:45", "2023-10-11 17:45", "2023-10-18 17:45"}},
        {"2024 Spring Festival", "2024-02-10", "2024-02-17", {"2024-02-04", "2024-02-18"},
         "2024-02-09 14:20", {"2024-02-18 08:20", "2024-02-18 14:20", "2024-02-22 14:20", "2024-02-29 14:20"}},
        {"2024 National Day", "2024-10-01", "2024-10-07", {"2024-09-29", "2024-10-12"},
         "2024-09-30 15:30", {"2024-10-08 09:30", "2024-10-08 15:30", "2024-10-12 15:30", "2024-10-18 15:30"}},
        {"2025 Spring Festival", "2025-01-28", "2025-02-04", {"2025-01-26", "2025-02-08"},
         "2025-01-27 16:00", {"2025-02-05 10:00", "2025-02-05 16:00", "2025-02-10 16:00", "2025-02-17 16:00"}},
        {"2025 National Day", "2025-10-01", "2025-10-08", {"2025-09-28", "2025-10-11"},
         "2025-09-30 17:45", {"2025-10-09 11:45", "2025-10-09 17:45", "2025-10-14 17:45", "2025-10-21 17:45"}},
        {"2026 Spring Festival", "2026-02-15", "2026-02-23", {"2026-02-14", "2026-02-28"},
         "2026-02-14 14:20", {"2026-02-24 08:20", "2026-02-24 14:20", "2026-02-28 14:20", "2026-03-06 14:20"}},
        {"2026 National Day", "2026-10-01", "2026-10-07", {"2026-09-20", "2026-10-10"},
         "2026-09-30 15:30", {"2026-10-08 09:30", "2026-10-08 15:30", "2026-10-13 15:30", "2026-10-20 15:30"}},
};
/* clang-format on */

/* The calendar as each of the stores gives it. */
static void on_pingshan(void (*check)(const struct calendar *, const struct holiday *))
{
        static const struct pack_part *const parts[] = {&calendar_pack, NULL};
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct loading l = {.arena = arena_new()};
                struct store *s;
                struct err e;
                assert_true(test_store_open(&s, pg, all_migrations));
                assert_true(test_pack_load(s, parts, "packs/pingshan", &l.version));
                if (!store_read(s, load, &l, &e))
                        fail_msg("%s", e.text);
                for (size_t i = 0; i < COUNT_OF(holidays); i++)
                        check(l.calendar, &holidays[i]);
                store_close(&s);
                arena_free(&l.arena);
        }
}

static int64_t at(const char *text)
{
        int64_t instant;
        assert_true(time_parse(text, ZONE_SHANGHAI, &instant));
        return instant;
}

static int64_t noon(const char *day)
{
        char text[32];
        (void)snprintf(text, sizeof text, "%s 12:00", day);
        return at(text);
}

static void due_over(const struct calendar *c, const struct holiday *h)
{
        for (size_t i = 0; i < LIMITS; i++) {
                int64_t due;
                struct err e;
                char got[TIME_TEXT_SIZE];
                if (!calendar_due(c, at(h->accepted), limits[i], &due, NULL, &e))
                        fail_msg("%s: %s", h->name, e.text);
                if (due != at(h->due[i]))
                        fail_msg("%s: %g %s from %s on end at %s, not %s", h->name, limits[i].amount,
                                 limit_unit_name(limits[i].unit), h->accepted, time_text(got, due, ZONE_SHANGHAI), h->due[i]);
                assert_int_equal(calendar_worked(c, at(h->accepted), due), calendar_length(c, limits[i]));
        }
}

static void deadlines_over_every_spring_festival_and_national_day(void **state)
{
        (void)state;
        assert_int_equal(COUNT_OF(holidays), 2 * (2026 - 2010 + 1));
        on_pingshan(due_over);
}

/* An hour before noon on each day. */
static void rests_and_works(const struct calendar *c, const struct holiday *h)
{
        const int64_t first = noon(h->first), last = noon(h->last);
        if (!calendar_works(c, first - USEC_DAY - USEC_HOUR) || !calendar_works(c, last + USEC_DAY - USEC_HOUR))
                fail_msg("%s: no work on the days before and behind it", h->name);
        for (int64_t day = first; day <= last; day += USEC_DAY)
                if (calendar_works(c, day - USEC_HOUR))
                        fail_msg("%s: work on day %d of it", h->name, (int)((day - first) / USEC_DAY) + 1);
        assert_int_equal(calendar_worked(c, first - USEC_DAY + 6 * USEC_HOUR, last + USEC_DAY - 4 * USEC_HOUR), 0);
        for (size_t i = 0; i < MADE_UP_MOST && h->made_up[i]; i++)
                if (calendar_worked(c, noon(h->made_up[i]) - 12 * USEC_HOUR, noon(h->made_up[i]) + 12 * USEC_HOUR) != 8 * USEC_HOUR)
                        fail_msg("%s: %s is not worked for it", h->name, h->made_up[i]);
}

static void holidays_rest_and_made_up_weekends_work(void **state)
{
        (void)state;
        on_pingshan(rests_and_works);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(deadlines_over_every_spring_festival_and_national_day),
                cmocka_unit_test(holidays_rest_and_made_up_weekends_work),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
