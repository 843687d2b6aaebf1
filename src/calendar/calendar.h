/* calendar/calendar.h -- working time: from a start and an amount to a due instant, and back.  Pure functions.
 *
 * Rules: process.md, "Limits and clocks".  Work hours and work days (8 work hours each by default: the length of the
 * calendar's day is given by its periods) count only working periods; urgent hours and natural days run continuously.
 */
#ifndef CALENDAR_CALENDAR_H
#define CALENDAR_CALENDAR_H
#include "base/base.h"
struct arena;
struct tx;
struct pack_part;

enum limit_unit { LIMIT_NONE, LIMIT_WORK_HOUR, LIMIT_WORK_DAY, LIMIT_URGENT_HOUR, LIMIT_NATURAL_DAY };
struct limit { double amount; enum limit_unit unit; };          /* amount > 0; LIMIT_NONE: no limit */
enum limit_unit limit_unit_of(const char *);            /* work_hour, work_day, urgent_hour, natural_day (urgent_day); LIMIT_NONE when unknown */
const char *limit_unit_name(enum limit_unit);

struct period { int from, to; };                        /* minutes after midnight */
struct calendar;
/* days: bit set = that weekday works (bit 0 Monday).  overrides: sorted by day (days since 1970).  years with data: [first, last].
 * */
struct day_override { int64_t day; bool works; };
struct calendar_rules {
        int zone;                                       /* minutes east of UTC */
        const struct period *periods; size_t n_periods; /* sorted, not overlapping */
        unsigned weekdays;
        const struct day_override *overrides; size_t n_overrides;
        int first_year, last_year;                      /* inclusive: years whose holidays are known */
        int weekends_only_until;                        /* explicit fallback: years after last_year up to this one know weekends only; 0 = none */
};
/* Everything is copied into the arena. */
bool calendar_new(struct arena *, const struct calendar_rules *, struct calendar **, struct err *) MUST_CHECK;
bool calendar_load(struct tx *, struct arena *, int64_t version, struct calendar **, struct err *) MUST_CHECK;

/* ERR_INVALID when the due instant falls into a year without data and there is no fallback. *fell_back says it was used (may be
 * NULL).
 * A due instant at the end of a working period is that end, not the start of the next. */
bool calendar_due(const struct calendar *, int64_t start, struct limit, int64_t *due, bool *fell_back, struct err *) MUST_CHECK;
/* Working time between two instants in microseconds; 0 when to <= from. */
int64_t calendar_worked(const struct calendar *, int64_t from, int64_t to);
/* The instant when `usec` of working time (unit WORK_*) or of plain time (others) from start have passed. */
bool calendar_after(const struct calendar *, int64_t start, int64_t usec, enum limit_unit, int64_t *out, struct err *) MUST_CHECK;
/* The limit in microseconds of its own kind of time (work time for WORK_*). */
int64_t calendar_length(const struct calendar *, struct limit);
bool calendar_works(const struct calendar *, int64_t instant);
/* Last year with holiday data, and last year served by the weekends-only fallback (0 = none): for readiness. */
void calendar_years(const struct calendar *, int *last_year, int *weekends_only_until);

extern const struct pack_part calendar_pack;
#endif
