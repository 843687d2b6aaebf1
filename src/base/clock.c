/* base/clock.c -- see clock.h.  Days to civil dates and back: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
#include "base/clock.h"
#include <stdio.h>
#include <time.h>

static int64_t clock_of(clockid_t id)
{
        struct timespec t;
        (void)clock_gettime(id, &t);
        return (int64_t)t.tv_sec * USEC_SECOND + t.tv_nsec / 1000;
}

int64_t clock_now(void)
{
        return clock_of(CLOCK_REALTIME);
}

int64_t clock_steady(void)
{
        return clock_of(CLOCK_MONOTONIC);
}

static int64_t floor_div(int64_t a, int64_t b)
{
        return a / b - (a % b < 0);
}

int64_t days_of(int year, int month, int day)
{
        const int64_t y = (int64_t)year - (month <= 2);
        const int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
        const int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct civil civil_of(int64_t instant, int zone)
{
        const int64_t local = instant + zone * USEC_MINUTE, days = floor_div(local, USEC_DAY), rest = local - days * USEC_DAY;
        const int64_t z = days + 719468, era = floor_div(z, 146097), day_of_era = z - era * 146097;
        const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        const int64_t m = (5 * day_of_year + 2) / 153;
        struct civil c = {
                .day = (int)(day_of_year - (153 * m + 2) / 5 + 1),
                .month = (int)(m < 10 ? m + 3 : m - 9),
                .hour = (int)(rest / USEC_HOUR),
                .minute = (int)(rest / USEC_MINUTE % 60),
                .second = (int)(rest / USEC_SECOND % 60),
                .usec = (int)(rest % USEC_SECOND),
                .weekday = (int)(((days + 3) % 7 + 7) % 7) + 1, /* 1970-01-01 was a Thursday */
        };
        c.year = (int)(year_of_era + era * 400 + (c.month <= 2));
        return c;
}

int64_t civil_instant(const struct civil *c, int zone)
{
        return days_of(c->year, c->month, c->day) * USEC_DAY + c->hour * USEC_HOUR + c->minute * USEC_MINUTE
               + c->second * USEC_SECOND + c->usec - zone * USEC_MINUTE;
}

/* The last n digits of a number that is not negative. */
static char *put_digits(char *at, int number, int n)
{
        for (int i = n - 1; i >= 0; i--, number /= 10)
                at[i] = (char)('0' + number % 10);
        return at + n;
}

static char *put_pair(char *at, char before, int number)
{
        *at = before;
        return put_digits(at + 1, number, 2);
}

/* By hand: a page of cases holds hundreds of instants, and snprintf() was a tenth of its cost. */
char *time_text(char out[TIME_TEXT_SIZE], int64_t instant, int zone)
{
        const struct civil c = civil_of(instant, zone);
        const int away = zone < 0 ? -zone : zone;
        if (c.year < 0 || c.year > 9999) { /* cut to what fits: no instant of ours lies there */
                (void)snprintf(out, TIME_TEXT_SIZE, "%d-%02d-%02d", c.year, c.month, c.day);
                return out;
        }
        char *at = put_digits(out, c.year, 4);
        at = put_pair(put_pair(at, '-', c.month), '-', c.day);
        at = put_pair(put_pair(put_pair(at, 'T', c.hour), ':', c.minute), ':', c.second);
        if (c.usec) {
                *at++ = '.';
                at = put_digits(at, c.usec, 6);
        }
        *put_pair(put_pair(at, zone < 0 ? '-' : '+', away / 60), ':', away % 60) = '\0';
        return out;
}

/* n digits at *p; -1 when there are fewer. */
static int digits(const char **p, int n)
{
        int value = 0;
        for (int i = 0; i < n; i++) {
                if (**p < '0' || **p > '9')
                        return -1;
                value = value * 10 + *(*p)++ - '0';
        }
        return value;
}

static bool sign(const char **p, char c)
{
        if (**p != c)
                return false;
        (*p)++;
        return true;
}

static bool parse_date(const char **p, struct civil *c)
{
        static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        c->year = digits(p, 4);
        if (!sign(p, '-') || (c->month = digits(p, 2)) < 1 || c->month > 12 || !sign(p, '-') || (c->day = digits(p, 2)) < 1)
                return false;
        bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
        return c->year >= 1900 && c->day <= lengths[c->month - 1] + (leap && c->month == 2);
}

static bool parse_fraction(const char **p, struct civil *c)
{
        int scale = 100000;
        if (**p != '.')
                return true;
        (*p)++;
        if (**p < '0' || **p > '9')
                return false;
        for (; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
                c->usec += (**p - '0') * scale;
        return true;
}

static bool parse_time(const char **p, struct civil *c)
{
        if ((c->hour = digits(p, 2)) < 0 || c->hour > 23 || !sign(p, ':') || (c->minute = digits(p, 2)) < 0 || c->minute > 59)
                return false;
        if (!sign(p, ':'))
                return true;
        c->second = digits(p, 2);
        return c->second >= 0 && c->second <= 59 && parse_fraction(p, c);
}

static bool parse_offset(const char **p, int *zone)
{
        if (sign(p, 'Z') || sign(p, 'z')) {
                *zone = 0;
                return true;
        }
        if (**p != '+' && **p != '-')
                return **p == '\0'; /* none: the given zone */
        const int way = *(*p)++ == '-' ? -1 : 1;
        const int hours = digits(p, 2);
        if (hours < 0 || hours > 23 || !sign(p, ':'))
                return false;
        const int minutes = digits(p, 2);
        *zone = way * (hours * 60 + minutes);
        return minutes >= 0 && minutes <= 59;
}

bool time_parse(const char *text, int zone, int64_t *out)
{
        struct civil c = {0};
        const char *p = text;
        if (!p || !parse_date(&p, &c) || !(sign(&p, 'T') || sign(&p, 't') || sign(&p, ' ')) || !parse_time(&p, &c)
            || !parse_offset(&p, &zone) || *p)
                return false;
        *out = civil_instant(&c, zone);
        return true;
}
