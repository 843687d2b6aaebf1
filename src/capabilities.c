/* capabilities.c -- the one visible list of what this program is made of. */
#include "capabilities.h"
#include "calendar/calendar.h"
#include "cases/cases.h"
#include "catalogue/catalogue.h"
#include "intake/channels.h"
#include "intake/intake.h"
#include "media/media.h"
#include "notify/notices.h"
#include "notify/notify.h"
#include "open311/open311.h"
#include "people/people.h"
#include "privacy/privacy.h"
#include "routing/routing.h"
#include "server/serve.h"
#include "twin/twin.h"

const struct capabilities capabilities = {
        .parts = (const struct pack_part *const[]){&people_pack, &calendar_pack, &catalogue_pack, &twin_pack, &routing_pack,
                                                   &cases_pack, &privacy_pack, &notify_pack, &intake_pack, NULL},
        /* In the order in which they are tried: the pages take every address that is left. */
        .routes = (const struct route *const *const[]){&intake_routes, &track_routes, &cases_routes, &events_routes, &people_routes,
                                                       &catalogue_routes, &twin_routes, &open311_routes, &media_routes,
                                                       &privacy_routes, &page_routes, NULL},
        .timers = (const struct timer_kind *const[]){&case_clock_timer, &intake_retry_timer, &reporter_reseal_timer,
                                                     &reporter_expiry_timer, NULL},
        .slow_timers = (const struct timer_kind *const[]){&notify_send_timer, NULL},
        .consumers = (const struct consumer *const[]){&notify_consumer, NULL},
        .readers = {.workflows = workflows_load, .channels = channels_load, .notices = notices_load},
};
