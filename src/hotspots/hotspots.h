/* hotspots/hotspots.h -- what many write about just now (热点): topics of the reports of the last 90 days, found every few minutes.
 *
 * The topics are kept in memory (topics/topics.h) by the process that runs the timer; what it finds stands in tables, so every
 * process can tell it.
 */
#ifndef HOTSPOTS_HOTSPOTS_H
#define HOTSPOTS_HOTSPOTS_H
#include "base/base.h"
struct district;
struct hotspots;
struct route;
struct timer_kind;

/* Sets district.hotspots. */
bool hotspots_open(struct district *, struct err *) MUST_CHECK;
bool hotspots_start(struct district *, int64_t now, struct err *) MUST_CHECK;  /* sets the timer */
void hotspots_close(struct district *);

extern const struct timer_kind hotspots_timer;  /* for the scheduler that yields: the first round reads up to 20,000 reports */
extern const struct route *const hotspot_routes;
#endif
