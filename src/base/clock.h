/* base/clock.h -- instants: int64 microseconds since 1970-01-01 UTC, everywhere.
 *
 * Rules get `now` as a parameter; only the edges (HTTP, scheduler, commands) read the clock.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
#include "base/base.h"

#define USEC_SECOND INT64_C(1000000)
#define USEC_MINUTE (60 * USEC_SECOND)
#define USEC_HOUR   (60 * USEC_MINUTE)
#define USEC_DAY    (24 * USEC_HOUR)
#define ZONE_SHANGHAI 480           /* minutes east of UTC, no daylight saving since 1991 */

enum { TIME_TEXT_SIZE = 96 };       /* what the compiler can prove; a text has at most 33 bytes */

struct civil { int year, month, day, hour, minute, second, usec, weekday; };  /* month 1-12, weekday 1 = Monday ... 7 */

int64_t clock_now(void);            /* wall clock */
int64_t clock_steady(void);         /* never steps back; only differences mean anything */

/* Proleptic Gregorian calendar; zone in minutes east of UTC. */
struct civil civil_of(int64_t instant, int zone);
int64_t civil_instant(const struct civil *, int zone);      /* ignores weekday */
int64_t days_of(int year, int month, int day);              /* days since 1970-01-01 */

/* RFC 3339 with offset, e.g. "2026-11-23T09:30:00+08:00"; microseconds only when not 0. Returns out. */
char *time_text(char out[TIME_TEXT_SIZE], int64_t instant, int zone);

/* Accepts RFC 3339 and "YYYY-MM-DD[ T]HH:MM[:SS[.f]]" without offset (then in `zone`).
 * False when it is not a real date and time between years 1900 and 9999. */
bool time_parse(const char *, int zone, int64_t *out) MUST_CHECK;
#endif
