/* calendar/loading_test.h -- the calendar of a pack version, read inside a transaction. */
#ifndef CALENDAR_LOADING_TEST_H
#define CALENDAR_LOADING_TEST_H
#include "calendar/calendar.h"

struct loading {
        struct arena *arena;
        int64_t version;
        struct calendar *calendar;
};

static inline bool load(struct tx *tx, void *ctx, struct err *e)
{
        struct loading *l = ctx;
        return calendar_load(tx, l->arena, l->version, &l->calendar, e);
}
#endif
