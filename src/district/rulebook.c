/* district/rulebook.c -- reads one pack version into memory: every look-up table a report needs on its walk. */
#include "district/district.h"
#include "base/arena.h"
#include "calendar/calendar.h"
#include "catalogue/catalogue.h"
#include "pack/pack.h"
#include "people/people.h"
#include "routing/routing.h"
#include "twin/twin.h"

static void free_twin(void *twin)
{
        twin_free(twin);
}

static bool fill(struct tx *tx, struct rulebook *r, const struct rulebook_readers *readers, struct err *e)
{
        struct arena *a = r->arena;
        struct pack_about about;
        if (!pack_describe(tx, a, r->version, &about, e) || !units_load(tx, a, r->version, &r->units, e)
            || !calendar_load(tx, a, r->version, &r->calendar, e) || !catalogue_load(tx, a, r->version, &r->catalogue, e)
            || !twin_load(tx, a, r->version, &r->twin, e))
                return false;
        arena_defer(a, free_twin, r->twin);
        r->name = about.name;
        r->title = about.title;
        r->title_en = about.title_en;
        r->number_prefix = about.number_prefix;
        return routing_load(tx, a, r->version, r->catalogue, r->twin, r->units, &r->routing, e)
               && readers->workflows(tx, a, r->version, &r->workflows, e) && readers->channels(tx, a, r->version, &r->channels, e)
               && (!readers->notices || readers->notices(tx, a, r->version, &r->notices, e))
               && (!readers->peers || readers->peers(tx, a, r->version, &r->peers, e));
}

bool rulebook_load(struct tx *tx, int64_t version, const struct rulebook_readers *readers, struct rulebook **out, struct err *e)
{
        struct arena *a = arena_new();
        struct rulebook *r = NEW(a, struct rulebook);
        *r = (struct rulebook){.version = version, .arena = a};
        if (!fill(tx, r, readers, e)) {
                arena_free(&a);
                return false;
        }
        *out = r;
        return true;
}

void rulebook_free(struct rulebook **rules)
{
        if (!*rules)
                return;
        struct arena *a = (*rules)->arena;
        *rules = NULL;
        arena_free(&a);
}
