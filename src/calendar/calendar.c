/* calendar/calendar.c -- see calendar.h.
 *
 * One entry a day from the first known year to the last served one: the working minutes of all days before it.  So the
 * working time between two instants is a subtraction, and the day on which an amount runs out is a binary search.
 */
#include "calendar/calendar.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"

enum { PERIODS_MOST = 8 };

struct calendar {
        int zone;
        struct period periods[PERIODS_MOST];
        size_t n_periods;
        int64_t minutes_a_day;                   /* of a working day */
        int64_t first_day, known_until, end_day; /* days since 1970: first, first without data, first not served */
        int last_year, weekends_only_until;
        int32_t *before; /* working days before day first_day + i; one entry more than days */
};

enum limit_unit limit_unit_of(const char *name)
{
        static const struct {
                const char *name;
                enum limit_unit unit;
        } names[] = {
                {"work_hour", LIMIT_WORK_HOUR},     {"work_day", LIMIT_WORK_DAY},      {"urgent_hour", LIMIT_URGENT_HOUR},
                {"natural_day", LIMIT_NATURAL_DAY}, {"urgent_day", LIMIT_NATURAL_DAY},
        };
        for (size_t i = 0; i < COUNT_OF(names); i++)
                if (text_is(names[i].name, name))
                        return names[i].unit;
        return LIMIT_NONE;
}

const char *limit_unit_name(enum limit_unit unit)
{
        static const char *const names[] = {"none", "work_hour", "work_day", "urgent_hour", "natural_day"};
        return names[unit];
}

static bool check_rules(const struct calendar_rules *r, struct err *e)
{
        int end = -1;
        if (r->n_periods == 0 || r->n_periods > PERIODS_MOST)
                return err_both(e, ERR_INVALID, "periods", "a working day has 1 to %d periods", "工作日应有1至%d个时段",
                                (int)PERIODS_MOST);
        for (size_t i = 0; i < r->n_periods; i++) {
                if (r->periods[i].from <= end || r->periods[i].to <= r->periods[i].from || r->periods[i].to > 1440)
                        return err_both(e, ERR_INVALID, "periods",
                                        "period %zu is empty, out of the day, or overlaps the one before",
                                        "第%zu个时段为空、越界或与前一时段重叠", i + 1);
                end = r->periods[i].to;
        }
        if (r->first_year < 1970 || r->last_year < r->first_year || r->last_year > 2200 || r->weekends_only_until > 2200)
                return err_both(e, ERR_INVALID, "first_year", "the years %d to %d cannot be served", "无法使用年份%d至%d",
                                r->first_year, r->last_year);
        return (r->weekdays & 127u) != 0 || err_both(e, ERR_INVALID, "weekdays", "no weekday works", "没有工作日");
}

static bool day_works(const struct calendar_rules *r, int64_t day, bool known)
{
        size_t low = 0, high = r->n_overrides;
        while (known && low < high) {
                size_t middle = (low + high) / 2;
                if (r->overrides[middle].day == day)
                        return r->overrides[middle].works;
                if (r->overrides[middle].day < day)
                        low = middle + 1;
                else
                        high = middle;
        }
        const int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 0 = Monday; 1970-01-01 was a Thursday */
        return (r->weekdays >> weekday & 1u) != 0;
}

bool calendar_new(struct arena *a, const struct calendar_rules *r, struct calendar **out, struct err *e)
{
        if (!check_rules(r, e))
                return false;
        struct calendar *c = NEW(a, struct calendar);
        const int end_year = r->weekends_only_until > r->last_year ? r->weekends_only_until : r->last_year;
        *c = (struct calendar){
                .zone = r->zone,
                .n_periods = r->n_periods,
                .last_year = r->last_year,
                .weekends_only_until = r->weekends_only_until,
                .first_day = days_of(r->first_year, 1, 1),
                .known_until = days_of(r->last_year + 1, 1, 1),
                .end_day = days_of(end_year + 1, 1, 1),
        };
        for (size_t i = 0; i < r->n_periods; i++) {
                c->periods[i] = r->periods[i];
                c->minutes_a_day += r->periods[i].to - r->periods[i].from;
        }
        const int64_t days = c->end_day - c->first_day;
        c->before = NEW_ARRAY(a, int32_t, days + 1);
        for (int64_t i = 0; i < days; i++)
                c->before[i + 1] = c->before[i] + day_works(r, c->first_day + i, c->first_day + i < c->known_until);
        *out = c;
        return true;
}

static int64_t day_of(const struct calendar *c, int64_t instant, int64_t *in_day)
{
        const int64_t local = instant + c->zone * USEC_MINUTE;
        const int64_t day = local / USEC_DAY - (local % USEC_DAY < 0);
        *in_day = local - day * USEC_DAY;
        return day;
}

static bool works_on(const struct calendar *c, int64_t day)
{
        return c->before[day - c->first_day + 1] > c->before[day - c->first_day];
}

/* Working time of a working day up to `in_day`. */
static int64_t worked_in_day(const struct calendar *c, int64_t in_day)
{
        int64_t sum = 0;
        for (size_t i = 0; i < c->n_periods; i++) {
                const int64_t from = c->periods[i].from * USEC_MINUTE, to = c->periods[i].to * USEC_MINUTE;
                if (in_day > from)
                        sum += (in_day < to ? in_day : to) - from;
        }
        return sum;
}

/* Working time from the first known instant on; instants outside count as the nearest end. */
static int64_t worked_until(const struct calendar *c, int64_t instant)
{
        int64_t in_day;
        const int64_t day = day_of(c, instant, &in_day);
        if (day < c->first_day)
                return 0;
        if (day >= c->end_day)
                return c->before[c->end_day - c->first_day] * c->minutes_a_day * USEC_MINUTE;
        return c->before[day - c->first_day] * c->minutes_a_day * USEC_MINUTE + (works_on(c, day) ? worked_in_day(c, in_day) : 0);
}

int64_t calendar_worked(const struct calendar *c, int64_t from, int64_t to)
{
        return to <= from ? 0 : worked_until(c, to) - worked_until(c, from);
}

bool calendar_works(const struct calendar *c, int64_t instant)
{
        int64_t in_day;
        const int64_t day = day_of(c, instant, &in_day);
        if (day < c->first_day || day >= c->end_day || !works_on(c, day))
                return false;
        for (size_t i = 0; i < c->n_periods; i++)
                if (in_day >= c->periods[i].from * USEC_MINUTE && in_day < c->periods[i].to * USEC_MINUTE)
                        return true;
        return false;
}

int64_t calendar_length(const struct calendar *c, struct limit limit)
{
        static const int64_t plain[] = {0, USEC_HOUR, 0, USEC_HOUR, USEC_DAY};
        const int64_t unit = limit.unit == LIMIT_WORK_DAY ? c->minutes_a_day * USEC_MINUTE : plain[limit.unit];
        return (int64_t)(limit.amount * (double)unit + 0.5);
}

static bool no_data(int64_t instant, int zone, struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "the calendar has no data for %d: add that year's holidays to the pack's calendar",
                        "日历没有%d年的数据：请在场景包日历中补充该年节假日", civil_of(instant, zone).year);
}

/* The instant when `total` of working time since the beginning of the calendar is reached for the first time. */
static bool instant_of(const struct calendar *c, int64_t total, int64_t *out, struct err *e)
{
        const int64_t a_day = c->minutes_a_day * USEC_MINUTE, days = c->end_day - c->first_day;
        int64_t low = 0, high = days; /* the first day whose end reaches the total */
        if (c->before[days] * a_day < total)
                return no_data(c->end_day * USEC_DAY, 0, e);
        while (low < high) {
                const int64_t middle = (low + high) / 2;
                if (c->before[middle + 1] * a_day >= total)
                        high = middle;
                else
                        low = middle + 1;
        }
        int64_t rest = total - c->before[low] * a_day, at = 0;
        for (size_t i = 0; i < c->n_periods; i++) {
                const int64_t length = (c->periods[i].to - c->periods[i].from) * USEC_MINUTE;
                if (rest <= length) {
                        at = c->periods[i].from * USEC_MINUTE + rest;
                        break;
                }
                rest -= length;
        }
        *out = (c->first_day + low) * USEC_DAY + at - c->zone * USEC_MINUTE;
        return true;
}

bool calendar_after(const struct calendar *c, int64_t start, int64_t usec, enum limit_unit unit, int64_t *out, struct err *e)
{
        int64_t in_day;
        if (unit != LIMIT_WORK_HOUR && unit != LIMIT_WORK_DAY) {
                *out = start + usec;
                return true;
        }
        if (usec <= 0) {
                *out = start;
                return true;
        }
        const int64_t day = day_of(c, start, &in_day);
        if (day < c->first_day || day >= c->end_day)
                return no_data(start, c->zone, e);
        return instant_of(c, worked_until(c, start) + usec, out, e);
}

bool calendar_due(const struct calendar *c, int64_t start, struct limit limit, int64_t *due, bool *fell_back, struct err *e)
{
        int64_t in_day;
        if (fell_back)
                *fell_back = false;
        if (!calendar_after(c, start, calendar_length(c, limit), limit.unit, due, e))
                return false;
        if (fell_back && (limit.unit == LIMIT_WORK_HOUR || limit.unit == LIMIT_WORK_DAY))
                *fell_back = day_of(c, *due, &in_day) >= c->known_until;
        return true;
}

void calendar_years(const struct calendar *c, int *last_year, int *weekends_only_until)
{
        *last_year = c->last_year;
        *weekends_only_until = c->weekends_only_until;
}
