/* capabilities.h -- the one visible list of what this program is made of (capabilities.c). */
#ifndef CAPABILITIES_H
#define CAPABILITIES_H
#include "district/district.h"
struct consumer;
struct pack_part;
struct route;
struct timer_kind;

struct capabilities {
        const struct pack_part *const *parts;           /* in LAYERS order, ends with NULL */
        const struct route *const *const *routes;       /* where the tables are; ends with NULL */
        const struct timer_kind *const *timers;         /* of the main scheduler; ends with NULL */
        const struct timer_kind *const *slow_timers;    /* may block for seconds: a scheduler of their own; ends with NULL */
        const struct timer_kind *const *idle_timers;    /* compute for minutes: a scheduler of their own, that yields; ends with NULL */
        const struct consumer *const *consumers;        /* ends with NULL */
        const struct consumer *const *aside;            /* may take seconds: a scheduler of their own, that yields; ends with NULL */
        struct rulebook_readers readers;
};
extern const struct capabilities capabilities;
#endif
