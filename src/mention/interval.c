/* mention/interval.c -- from what was said of a time to an interval. */
#include "mention/inside.h"

enum { HOUR = 60, DAY = 24 * HOUR, AHEAD_DATE = 30, AHEAD_DAY = 7, YEAR_LEAST = 1900, YEAR_MOST = 2400, WEEKEND = 8 };

static int days_in(int year, int month)
{
        return (int)(days_of(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) - days_of(year, month, 1));
}

bool moment_possible(const struct moment *m)
{
        const int leap = 2000, year = m->year > 0 ? m->year : leap;
        if (year < YEAR_LEAST || year > YEAR_MOST || m->month < 0 || m->month > 12)
                return false;
        if (m->day < 0 || m->day > (m->month > 0 ? days_in(year, m->month) : 31))
                return false;
        return !m->has_clock || (m->hour >= 0 && m->minute >= 0 && m->minute < 60 && m->hour * HOUR + m->minute <= DAY);
}

static int64_t day_now(const struct when *w)
{
        const struct civil c = civil_of(w->now, w->zone);
        return days_of(c.year, c.month, c.day);
}

/* --- days: [first, end) -------------------------------------------------------------------------------------------- */

struct days {
        int64_t first, end;
};

static struct days of_year(const struct moment *m, int year)
{
        if (m->season > 0)
                return (struct days){days_of(year, m->season / 16, 1),
                                     days_of(year, m->season % 16, days_in(year, m->season % 16)) + 1};
        if (m->month == 0)
                return (struct days){days_of(year, 1, 1), days_of(year + 1, 1, 1)};
        const int64_t first = days_of(year, m->month, 1);
        if (m->third > 0)
                return (struct days){first + 10 * (m->third - 1),
                                     m->third == 3 ? first + days_in(year, m->month) : first + 10 * m->third};
        if (m->day == 0)
                return (struct days){first, first + days_in(year, m->month)};
        return (struct days){first + m->day - 1, first + m->day};
}

/* The last such date; one that begins less than a month ahead is meant to come. */
static struct days of_month_day(const struct moment *m, const struct when *w)
{
        int year = civil_of(w->now, w->zone).year;
        while (m->day > days_in(year, m->month) || days_of(year, m->month, m->day > 0 ? m->day : 1) > day_now(w) + AHEAD_DATE)
                year--;
        return of_year(m, year);
}

static struct days of_day(const struct moment *m, const struct when *w)
{
        const struct civil c = civil_of(w->now, w->zone);
        int year = c.year, month = c.month;
        while (m->day > days_in(year, month) || days_of(year, month, m->day) > day_now(w) + AHEAD_DAY) {
                year -= month == 1;
                month = month == 1 ? 12 : month - 1;
        }
        const int64_t day = days_of(year, month, m->day);
        return (struct days){day, day + 1};
}

static struct days of_weekday(const struct moment *m, const struct when *w)
{
        const struct civil c = civil_of(w->now, w->zone);
        const int64_t today = days_of(c.year, c.month, c.day), monday = today - (c.weekday - 1);
        const int at = m->weekday == WEEKEND ? 6 : m->weekday;
        if (m->weekday == 0)
                return (struct days){monday + 7 * m->weeks, monday + 7 * m->weeks + 7};
        int64_t day = monday + at - 1 + (m->weeks == NO_WEEK ? 0 : 7 * m->weeks);
        if (m->weeks == NO_WEEK && day > today)
                day -= 7;
        return (struct days){day, day + (m->weekday == WEEKEND ? 2 : 1)};
}

static struct days days_said(const struct moment *m, const struct when *w)
{
        const int64_t today = day_now(w);
        switch (m->base) {
        case BASE_DATE:
                return of_year(m, m->year);
        case BASE_MONTH_DAY:
                return of_month_day(m, w);
        case BASE_DAY_OF_MONTH:
                return of_day(m, w);
        case BASE_OFFSET:
                return (struct days){today + m->days, today + m->days + 1};
        case BASE_WEEKDAY:
                return of_weekday(m, w);
        case BASE_NONE:
        case BASE_INTERVAL:
                break;
        }
        return (struct days){today, today + 1};
}

/* --- hours: minutes of the day, up to the next day's morning ------------------------------------------------------- */

struct hours {
        int from, to;
};

static struct hours of_part(enum part part)
{
        static const struct hours parts[] = {
                [PART_NONE] = {0, DAY},
                [PART_DAWN] = {0, 6 * HOUR},
                [PART_EARLY] = {6 * HOUR, 9 * HOUR},
                [PART_MORNING] = {8 * HOUR, 12 * HOUR},
                [PART_NOON] = {11 * HOUR, 14 * HOUR},
                [PART_AFTERNOON] = {12 * HOUR, 18 * HOUR},
                [PART_DUSK] = {17 * HOUR, 19 * HOUR},
                [PART_EVENING] = {18 * HOUR, DAY},
                [PART_NIGHT] = {22 * HOUR, DAY + 6 * HOUR},
                [PART_LIGHT] = {7 * HOUR, 19 * HOUR},
        };
        return parts[part];
}

/* What "11点" is in that part of the day: hours from .. to are so many later. */
static int hour_of(enum part part, int hour)
{
        static const struct {
                enum part part;
                int from, to, later;
        } turns[] = {
                {PART_DAWN, 12, 12, -12}, {PART_NOON, 0, 3, 12},     {PART_AFTERNOON, 0, 11, 12}, {PART_DUSK, 0, 11, 12},
                {PART_EVENING, 0, 4, 24}, {PART_EVENING, 5, 12, 12}, {PART_NIGHT, 0, 4, 24},      {PART_NIGHT, 5, 12, 12},
        };
        for (size_t i = 0; i < COUNT_OF(turns); i++)
                if (turns[i].part == part && hour >= turns[i].from && hour <= turns[i].to)
                        return hour + turns[i].later;
        return hour;
}

static int clock_of(const struct moment *m)
{
        return hour_of(m->part, m->hour) * HOUR + m->minute;
}

/* A clock is a minute; 左右 half an hour to both sides; 以后 at night until the morning. */
static struct hours hours_said(const struct moment *m)
{
        enum { MORNING = DAY + 6 * HOUR, EVENING = 18 * HOUR, AROUND = 30 };
        if (!m->has_clock)
                return of_part(m->part);
        const int at = clock_of(m);
        switch (m->side) {
        case SIDE_AROUND:
                return (struct hours){at - AROUND, at + AROUND};
        case SIDE_AFTER:
                return (struct hours){at, at < EVENING ? DAY : at < MORNING ? MORNING : at + HOUR};
        case SIDE_BEFORE:
                return (struct hours){at >= EVENING + HOUR ? EVENING : at > 0 ? 0 : EVENING - DAY, at};
        case SIDE_AT:
                break;
        }
        return (struct hours){at, at + 1};
}

/* --- both ---------------------------------------------------------------------------------------------------------- */

static int64_t instant(int64_t day, int minutes, int zone)
{
        return day * USEC_DAY + (minutes - zone) * USEC_MINUTE;
}

static void open_sides(const struct moment *m, struct span *s)
{
        if (m->has_clock)
                return;
        if (m->side == SIDE_AFTER)
                s->end = INT64_MAX;
        else if (m->side == SIDE_BEFORE)
                *s = (struct span){INT64_MIN, s->begin, false};
        else if (m->side == SIDE_AROUND)
                *s = (struct span){s->begin - USEC_DAY, s->end + USEC_DAY, false};
}

/* Nothing vague was said, nor a weekday of any week. */
static bool exact(const struct moment *m)
{
        return m->side == SIDE_AT && !m->vague && !(m->base == BASE_WEEKDAY && m->weeks == NO_WEEK);
}

bool moment_span(const struct moment *m, const struct when *w, struct span *out)
{
        if (m->base == BASE_INTERVAL) {
                *out = (struct span){m->begin, m->end, !m->vague};
                return true;
        }
        const struct days d = days_said(m, w);
        const struct hours h = hours_said(m);
        const bool one_day = d.end - d.first == 1, whole = !m->has_clock && m->part == PART_NONE;
        if (one_day)
                *out = (struct span){instant(d.first, h.from, w->zone), instant(d.first, h.to, w->zone), false};
        else
                *out = (struct span){instant(d.first, 0, w->zone), instant(d.end, 0, w->zone), false};
        const bool no_day = m->base == BASE_NONE || m->every != GRAIN_NONE;
        const int64_t turn = m->every == GRAIN_WEEK ? 7 * USEC_DAY : USEC_DAY;
        if (no_day && out->begin > w->now)
                *out = (struct span){out->begin - turn, out->end - turn, false};
        out->certain = !no_day && exact(m) && (whole || (m->has_clock && one_day));
        open_sides(m, out);
        return true;
}

void moment_inherit(const struct moment *a, struct moment *b)
{
        if (b->base == BASE_NONE) {
                b->base = a->base;
                b->year = a->year;
                b->month = a->month;
                b->third = a->third;
                b->day = a->day;
                b->days = a->days;
                b->weeks = a->weeks;
                b->weekday = a->weekday;
        } else if (b->base == BASE_DAY_OF_MONTH && a->month > 0) {
                b->base = a->base;
                b->year = a->year;
                b->month = a->month;
        } else if (b->base == BASE_MONTH_DAY && a->base == BASE_DATE) {
                b->base = BASE_DATE;
                b->year = a->year;
        } else if (b->base == BASE_WEEKDAY && b->weeks == NO_WEEK && a->base == BASE_WEEKDAY) {
                b->weeks = a->weeks;
        }
        if (b->part == PART_NONE && b->has_clock)
                b->part = a->part;
        b->every = a->every;
}

/* Until a clock is until it strikes; until a day is until its end. */
bool moments_span(const struct moment *a, const struct moment *b, const struct when *w, struct span *out)
{
        struct moment from = *a, to = *b;
        struct span s, e;
        from.side = to.side = SIDE_AT;
        if (a->base == BASE_INTERVAL || b->base == BASE_INTERVAL || !moment_possible(&to))
                return false;
        if (!moment_span(&from, w, &s) || !moment_span(&to, w, &e))
                return false;
        int64_t end = to.has_clock ? e.begin : e.end;
        const int64_t step = !to.has_clock ? 7 * USEC_DAY : to.hour < 12 && a->part == b->part ? USEC_DAY / 2 : USEC_DAY;
        for (int tries = 0; end <= s.begin && tries < 3; tries++)
                end += step;
        *out = (struct span){s.begin, end, s.certain && !to.vague && b->side == SIDE_AT && (to.has_clock == from.has_clock)};
        return end > s.begin;
}

int64_t grain_back(int64_t now, int zone, enum grain grain, int n)
{
        struct civil c = civil_of(now, zone);
        switch (grain) {
        case GRAIN_MINUTE:
                return now - n * USEC_MINUTE;
        case GRAIN_HOUR:
                return now - n * USEC_HOUR;
        case GRAIN_DAY:
                return now - n * USEC_DAY;
        case GRAIN_WEEK:
                return now - 7 * n * USEC_DAY;
        case GRAIN_MONTH:
        case GRAIN_YEAR: {
                const int months = c.year * 12 + c.month - 1 - (grain == GRAIN_YEAR ? 12 * n : n);
                c.year = months / 12;
                c.month = months % 12 + 1;
                c.day = c.day > days_in(c.year, c.month) ? days_in(c.year, c.month) : c.day;
                return civil_instant(&c, zone);
        }
        case GRAIN_NONE:
        case GRAIN_PART:
                break;
        }
        return now;
}
