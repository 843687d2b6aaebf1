/* server/process_test.h -- what the tests of the process share: a district with the pack of Pingshan and all words. */
#ifndef SERVER_PROCESS_TEST_H
#define SERVER_PROCESS_TEST_H
#include "cases/world_test.h"
#include "asks/asks.h"
#include "cases/moves.h"
#include "dispute/dispute.h"
#include "links/links.h"
#include "evidence/evidence.h"
#include "replay/replay.h"

const struct vocabulary *const all_vocabularies[] = {&case_words,     &ask_words,    &link_words, &dispute_words,
                                                     &evidence_words, &replay_words, NULL};
static const struct pack_part *const process_parts[] = {&people_pack, &calendar_pack, &catalogue_pack, &twin_pack, &routing_pack,
                                                        &cases_pack,  &asks_pack,     &evidence_pack,  NULL};
static const struct mover carl = {.name = "carl", .role = ROLE_CLERK}, dora = {.name = "dora", .role = ROLE_DISPATCHER};
static const struct mover worker = {.name = "wang", .unit = "pingshan-water", .role = ROLE_UNIT};

/* On both stores; afterwards the history must be whole. */
static inline void on_pingshan(void **state)
{
        void (*test)(struct world *) = *(void (**)(struct world *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_of(pg, process_parts, "packs/pingshan");
                test(&w);
                ledger_is_whole(&w);
                world_free(&w);
        }
}
#define RULE(test) \
        { \
#test, on_pingshan, NULL, NULL, &(void (*)(struct world *)) \
                { \
                        test \
                } \
        }
#endif
