/* routing/routing.h -- from item, area, owner and entity kind to the one responsible unit.  One pack version in memory, immutable.
 *
 * An ordered decision (process.md, "Dispatch and responsibility"): precedent -> owner of the entity -> item x area x kind ->
 * item x area -> item -> rota -> fallback.  Within a step the first row of routes.csv wins (hit policy FIRST).  A row may name an
 * item or an area of any level: it holds for everything below.  Routing never fails: the fallback unit always exists.
 */
#ifndef ROUTING_ROUTING_H
#define ROUTING_ROUTING_H
#include "base/base.h"
struct arena;
struct tx;
struct area;
struct catalogue;
struct item;
struct pack_part;
struct twin;
struct unit;
struct store;
struct units;

struct routing;
bool routing_load(struct tx *, struct arena *, int64_t version, const struct catalogue *, const struct twin *, const struct units *,
                  struct routing **, struct err *) MUST_CHECK;

struct question {
        const struct item *item;        /* NULL = not known yet */
        const struct area *area;        /* NULL = not known */
        const char *owner;              /* unit code of the entity's owner; NULL */
        const char *kind;               /* entity kind; NULL */
        const char *turn;               /* what a rota is drawn by: the report's id as text; the same turn draws the same unit */
};
enum routing_step { STEP_OWNER, STEP_ITEM_AREA_KIND, STEP_ITEM_AREA, STEP_ITEM, STEP_ROTA, STEP_FALLBACK, STEP_PRECEDENT, STEP_EXPERIENCE };
enum { ASSISTS_MOST = 8 };
struct answer {
        const struct unit *lead;
        const struct unit *assists[ASSISTS_MOST];
        size_t n_assists;
        enum routing_step step;         /* STEP_ROTA when the row named a rota */
        const char *row;                /* place of the row: "routes.csv:12"; "" for owner and fallback */
        char why[300], why_zh[300];     /* one sentence */
        bool sure;                      /* false for the fallback: a dispatcher should look */
};
void routing_resolve(const struct routing *, const struct question *, struct answer *);
const char *routing_step_name(enum routing_step);

/* --- precedents: rulings of disputes, for all pack versions; any thread ----------------------- */
struct precedents;
struct precedents *precedents_new(void);
void precedents_free(struct precedents **);     /* sets NULL */
/* Reads the rulings that came since; cheap when there are none. */
bool precedents_refresh(struct precedents *, struct store *, struct err *) MUST_CHECK;
/* True when a ruling holds for the item, the area and the owner of the question: then it is the answer, its number in `why`. */
bool precedents_answer(struct precedents *, const struct units *, const struct question *, struct answer *);

extern const struct pack_part routing_pack;
#endif
