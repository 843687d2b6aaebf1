/* capabilities.c -- the one visible list of what this program is made of. */
#include "capabilities.h"
#include "asks/asks.h"
#include "calendar/calendar.h"
#include "cases/cases.h"
#include "cases/moves.h"
#include "catalogue/catalogue.h"
#include "closings/closings.h"
#include "dispute/dispute.h"
#include "evidence/evidence.h"
#include "exchange/exchange.h"
#include "hotspots/hotspots.h"
#include "intake/channels.h"
#include "intake/intake.h"
#include "links/links.h"
#include "matters/matters.h"
#include "media/media.h"
#include "notify/notices.h"
#include "notify/notify.h"
#include "open311/open311.h"
#include "people/people.h"
#include "privacy/privacy.h"
#include "proof/proof.h"
#include "replay/replay.h"
#include "routing/routing.h"
#include "search/search.h"
#include "server/serve.h"
#include "signin/signin.h"
#include "topictasks/topictasks.h"
#include "triage/triage.h"
#include "twin/twin.h"

/* What moves may need and do, and what the answer about a case tells. */
const struct vocabulary *const all_vocabularies[] = {&case_words,     &ask_words,    &link_words, &dispute_words,
                                                     &evidence_words, &replay_words, NULL};
const struct case_part *const case_parts[] = {&asks_part,     &links_part,       &dispute_part, &evidence_part,
                                              &exchange_part, &topic_tasks_part, NULL};

/* What the dispatch queue tells of a case beside item and unit. */
const struct queue_part *const queue_parts[] = {&matters_queue_part, NULL};

const struct capabilities capabilities = {
        .parts = (const struct pack_part *const[]){&people_pack, &calendar_pack, &catalogue_pack, &twin_pack, &routing_pack,
                                                   &cases_pack, &asks_pack, &dispute_pack, &evidence_pack, &privacy_pack,
                                                   &notify_pack, &triage_pack, &intake_pack, &exchange_pack, NULL},
        /* In the order in which they are tried: the pages take every address that is left. */
        .routes = (const struct route *const *const[]){&intake_routes,
                                                       &triage_routes,
                                                       &dispatch_routes,
                                                       &matters_routes,
                                                       &hotspot_routes,
                                                       &track_routes,
                                                       &proof_routes,
                                                       &cases_routes,
                                                       &dispute_routes,
                                                       &evidence_routes,
                                                       &notify_routes,
                                                       &exchange_routes,
                                                       &search_routes,
                                                       &events_routes,
                                                       &signin_routes,
                                                       &api_key_routes,
                                                       &standing_routes,
                                                       &shift_routes,
                                                       &people_routes,
                                                       &catalogue_routes,
                                                       &twin_routes,
                                                       &open311_routes,
                                                       &media_routes,
                                                       &privacy_routes,
                                                       &timer_routes,
                                                       &return_routes,
                                                       &closing_routes,
                                                       &topic_routes,
                                                       &topic_act_routes,
                                                       &page_routes,
                                                       NULL},
        .timers = (const struct timer_kind *const[]){&case_clock_timer, &ask_timer, &intake_retry_timer, &reporter_reseal_timer,
                                                     &reporter_expiry_timer, NULL},
        .slow_timers = (const struct timer_kind *const[]){&notify_send_timer, &exchange_send_timer, &ledger_sweep_timer, NULL},
        .idle_timers = (const struct timer_kind *const[]){&triage_timer, &search_build_timer, &hotspots_timer, NULL},
        .consumers =
                (const struct consumer *const[]){&notify_consumer, &callback_consumer, &exchange_consumer, &triage_consumer, NULL},
        .aside = (const struct consumer *const[]){&search_consumer, &matters_consumer, &closings_consumer, NULL},
        .readers = {.workflows = workflows_load, .channels = channels_load, .notices = notices_load, .peers = peers_load},
};
