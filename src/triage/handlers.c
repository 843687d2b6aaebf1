/* triage/handlers.c -- who handled cases like this one, beside what the responsibility list says. */
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "experience/experience.h"
#include "people/people.h"
#include "routing/routing.h"
#include "store/store.h"
#include "triage/inside.h"
#include "twin/twin.h"
#include <stdio.h>

static const char SQL_HANDLED[] =
        "SELECT h.id, h.unit, h.at, c.item, c.subdistrict, c.community, c.grid, c.source, c.property FROM triage_handled h"
        " JOIN cases c ON c.id = h.case_id WHERE h.id > $1 ORDER BY h.id LIMIT 500";
/* Older ones have faded. */
static const char SQL_START[] = "SELECT COALESCE(MAX(id), 0) - 100000 FROM triage_handled";
static const char SQL_KEEP[] =
        "INSERT INTO triage_route(case_id, at, item, area, listed, place, unit, certainty, taken, contradicts)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

enum { ITEM_LEAST = 3 }; /* cases of the item that the unit has handled before it is taken unasked */

static void take_item(struct circumstance *c, const struct item *item)
{
        for (const struct item *up = item; up && c->n_item < CIRCUMSTANCE_ITEMS; up = up->parent)
                c->n_item++;
        for (size_t i = c->n_item; i > 0 && item; i--, item = item->parent)
                c->item[i - 1] = item->code;
}

/* Subdistrict, community, grid. */
static void take_area(struct circumstance *c, const struct area *area)
{
        static const enum area_level levels[CIRCUMSTANCE_AREAS] = {AREA_SUBDISTRICT, AREA_COMMUNITY, AREA_GRID};
        c->n_area = CIRCUMSTANCE_AREAS;
        for (size_t i = 0; i < CIRCUMSTANCE_AREAS; i++) {
                const struct area *up = area ? area_up(area, levels[i]) : NULL;
                c->area[i] = up ? up->code : NULL;
        }
}

/* --- learning ------------------------------------------------------------------------------------------------------- */

struct reading {
        struct triage *triage;
        const struct rulebook *rules;
        struct arena *arena;
        size_t n;
};

static const char *role_of(const struct reading *r, const struct circumstance *c, const struct unit *unit)
{
        const char *names[CIRCUMSTANCE_AREAS];
        size_t n = 0;
        for (size_t i = 0; i < c->n_area; i++) {
                const struct area *area = c->area[i] ? area_find(r->rules->twin, c->area[i]) : NULL;
                if (area)
                        names[n++] = area->name;
        }
        return unit ? unit_role(r->arena, unit->name, names, n) : NULL;
}

static bool read_handled(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *r = ctx;
        struct rows rows;
        r->n = 0;
        bool ok = tx_rows(tx, &rows, e, SQL_HANDLED, ARGS(V(r->triage->last_handled)));
        while (ok && rows_next(&rows)) {
                const char *unit = rows_text(&rows, r->arena, 1);
                struct circumstance c = {.time = rows_int(&rows, 2)};
                take_item(&c, item_find(r->rules->catalogue, rows_text(&rows, r->arena, 3)));
                c.n_area = CIRCUMSTANCE_AREAS;
                for (int i = 0; i < CIRCUMSTANCE_AREAS; i++)
                        c.area[i] = rows_text(&rows, r->arena, 4 + i);
                c.source = rows_text(&rows, r->arena, 7);
                c.property = rows_text(&rows, r->arena, 8);
                experience_learn(r->triage->experience, &c, unit, role_of(r, &c, unit_find(r->rules->units, unit)));
                r->triage->last_handled = rows_int(&rows, 0);
                r->n++;
        }
        return ok && rows_done(&rows, e);
}

static bool read_start(struct tx *tx, void *ctx, struct err *e)
{
        struct reading *r = ctx;
        int64_t start;
        if (!tx_int(tx, &start, 0, e, SQL_START, NO_ARGS))
                return false;
        if (start > r->triage->last_handled)
                r->triage->last_handled = start;
        return true;
}

bool handlers_refresh(struct triage *t, struct district *d, struct err *e)
{
        struct err ignored;
        struct reading r = {.triage = t, .rules = district_rules(d, &ignored), .arena = arena_new()};
        bool ok = r.rules != NULL && (t->last_handled > 0 || store_read(d->store, read_start, &r, e));
        if (ok)
                do {
                        arena_reset(r.arena);
                        ok = store_read(d->store, read_handled, &r, e);
                } while (ok && r.n > 0);
        arena_free(&r.arena);
        return ok || !r.rules; /* without a pack there are no cases */
}

/* --- answering ------------------------------------------------------------------------------------------------------ */

static void take_answer(const struct likely *best, const struct unit *unit, struct answer *out)
{
        *out = (struct answer){.lead = unit, .row = "", .sure = true, .step = STEP_EXPERIENCE};
        (void)snprintf(out->why, sizeof out->why,
                       "The list has no row for it; of %.0f cases like it %.0f went to %s (certain by %d %%).", best->item_of,
                       best->item_cases, unit->name, (int)(100 * best->certainty));
        (void)snprintf(out->why_zh, sizeof out->why_zh, "职责清单没有对应条目；同类%.0f件中有%.0f件由%s处置（把握%d%%）。",
                       best->item_of, best->item_cases, unit->name, (int)(100 * best->certainty));
        (void)text_mend(out->why);
        (void)text_mend(out->why_zh);
}

static void doubt(const struct likely *best, const struct unit *unit, struct answer *out)
{
        char why[sizeof out->why], why_zh[sizeof out->why_zh];
        (void)snprintf(why, sizeof why, "%.150s But of %.0f cases like it %.0f went to %s: a dispatcher decides.", out->why,
                       best->item_of, best->item_cases, unit->name);
        (void)snprintf(why_zh, sizeof why_zh, "%.150s但同类%.0f件中有%.0f件由%s处置，由分拨员研判。", out->why_zh, best->item_of,
                       best->item_cases, unit->name);
        memcpy(out->why, why, sizeof why);
        memcpy(out->why_zh, why_zh, sizeof why_zh);
        (void)text_mend(out->why);
        (void)text_mend(out->why_zh);
        out->sure = false;
}

/* Experience's best, a unit of the pack other than the one that answers already; NULL. */
static const struct unit *other_unit(const struct triage *t, const struct rulebook *rules, struct arena *a,
                                     const struct route_question *q, const struct answer *answer, struct likely *best)
{
        struct circumstance c = {.source = q->source, .property = q->property, .time = q->time};
        take_item(&c, q->item);
        take_area(&c, q->area);
        if (experience_answer(t->experience, &c, a, best, 1) == 0)
                return NULL;
        const struct unit *unit = unit_find(rules->units, best->unit);
        return unit != answer->lead ? unit : NULL;
}

static bool may_be_taken(const struct triage_words *w, const struct answer *answer, const struct likely *best)
{
        /* That one unit does all in an area says nothing of an item nobody had there. */
        const bool alike = best->item_cases >= ITEM_LEAST && best->item_cases >= 0.5 * best->item_of;
        return answer->step == STEP_FALLBACK && alike && best->certainty >= w->number[NUMBER_ROUTE];
}

static bool contradicts(const struct triage_words *w, const struct answer *answer, const struct likely *best)
{
        return answer->step != STEP_FALLBACK && best->certainty >= w->number[NUMBER_CONTRADICTION]
               && best->item_cases >= w->number[NUMBER_CONTRADICTION_CASES];
}

void triage_route(struct district *d, const struct rulebook *rules, struct arena *a, const struct route_question *q,
                  struct answer *answer, struct route_opinion *out)
{
        struct triage *t = d->triage;
        struct likely best;
        *out = (struct route_opinion){.said = false};
        /* A ruling and a rota have been decided by people; nobody's experience is asked. */
        if (!t || !q->item || answer->step == STEP_PRECEDENT || answer->step == STEP_ROTA)
                return;
        const struct unit *unit = other_unit(t, rules, a, q, answer, &best);
        if (!unit)
                return;
        const struct triage_words *w = words_of(t, d->store, rules->version);
        *out = (struct route_opinion){
                .taken = may_be_taken(w, answer, &best),
                .contradicts = contradicts(w, answer, &best),
                .listed = answer->lead,
                .unit = unit,
                .place = answer->row,
                .item = q->item->code,
                .area = q->area ? q->area->code : "",
                .certainty = best.certainty,
        };
        out->said = out->taken || out->contradicts;
        if (out->taken)
                take_answer(&best, unit, answer);
        else if (out->contradicts)
                doubt(&best, unit, answer);
}

size_t triage_units(struct district *d, const struct rulebook *rules, struct arena *a, const struct route_question *q,
                    struct unit_guess out[CANDIDATES_MOST])
{
        struct likely likely[2 * CANDIDATES_MOST];
        struct circumstance c = {.source = q->source, .property = q->property, .time = q->time};
        size_t kept = 0;
        if (!d->triage || !q->item)
                return 0;
        take_item(&c, q->item);
        take_area(&c, q->area);
        const size_t n = experience_answer(d->triage->experience, &c, a, likely, COUNT_OF(likely));
        for (size_t i = 0; i < n && kept < CANDIDATES_MOST; i++) {
                const struct unit *unit = unit_find(rules->units, likely[i].unit);
                if (unit)
                        out[kept++] = (struct unit_guess){unit, likely[i].certainty, likely[i].item_of, likely[i].item_cases};
        }
        return kept;
}

bool triage_keep_route(struct tx *tx, int64_t case_id, const struct route_opinion *o, int64_t now, struct err *e)
{
        return tx_send(tx, e, SQL_KEEP,
                       ARGS(V(case_id), V(now), V(o->item), V(o->area), V(o->listed->code), V(o->place), V(o->unit->code),
                            V(o->certainty), V(o->taken ? 1 : 0), V(o->contradicts ? 1 : 0)));
}
