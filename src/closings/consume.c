/* closings/consume.c -- closings are noted as they happen, and each new case is held against those before it. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/workflow.h"
#include "closings/closings.h"
#include "district/district.h"
#include "json/json.h"
#include "store/store.h"
#include "task/task.h"

static const char SQL_CASE[] =
        "SELECT c.id, c.version, c.workflow, c.item, c.unit, c.community, c.grid, c.lon, c.lat, c.created_at,"
        " (SELECT k.at FROM closing k WHERE k.case_id = c.id), (SELECT f.other FROM false_closing f WHERE f.case_id = c.id)"
        " FROM cases c WHERE c.number = $1";
static const char SQL_CLOSED[] = "INSERT INTO closing(case_id, at, item, unit, community, grid, lon, lat, refused)"
                                 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (case_id) DO NOTHING";
static const char SQL_OPENED[] = "DELETE FROM closing WHERE case_id = $1";
static const char SQL_BEFORE[] =
        "SELECT case_id, at, unit, community, grid, lon, lat FROM closing WHERE item = $1 AND at > $2 AND at <= $3"
        " AND refused = 0 AND case_id <> $4 ORDER BY at DESC LIMIT $5";
static const char SQL_AGAIN[] =
        "INSERT INTO false_closing(case_id, other, created_at, closed_at, item, unit, community, near, metres)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (case_id) DO UPDATE SET other = excluded.other,"
        " closed_at = excluded.closed_at, item = excluded.item, unit = excluded.unit, near = excluded.near,"
        " metres = excluded.metres";
static const char SQL_NOT_AGAIN[] = "DELETE FROM false_closing WHERE case_id = $1";

/* Closings of one item in the district in three days; of more, the newest are looked at. */
enum { LOOK_MOST = 2000 };
static const int64_t within = 72 * USEC_HOUR;
static const char *const near_names[] = {"", "point", "grid", "community"};

/* One move of a case, and the case as it stands now. */
struct step {
        const char *number, *state, *moved_unit;
        int64_t at;
        int64_t id, version, created, other; /* other: of its false closing; 0 = none */
        const char *workflow, *item, *unit;
        struct spot spot;
        bool asks;              /* the case began with it, or got another item */
        bool found, off, noted; /* off: it was closed then; noted: it has a closing */
        /* what the look found */
        int64_t again, closed;
        const char *closed_unit;
        enum near near;
        double metres;
};
struct batch {
        struct district *district;
        struct arena *arena;
        struct step *at;
        size_t n;
};

static struct spot read_spot(const struct rows *r, struct arena *a, int community)
{
        return (struct spot){
                .community = rows_text(r, a, community),
                .grid = rows_text(r, a, community + 1),
                .has_point = !rows_null(r, community + 2) && !rows_null(r, community + 3),
                .point = {rows_real(r, community + 2), rows_real(r, community + 3)},
        };
}

/* --- closings ------------------------------------------------------------------------------------------------------------- */

static bool find_off(const struct batch *b, struct step *s, struct err *e)
{
        const struct rulebook *rules = s->found ? district_rules_of(b->district, s->version, e) : NULL;
        const struct workflow *w = rules ? workflow_find(rules->workflows, s->workflow) : NULL;
        const struct state *state = w ? state_find(w, s->state) : NULL;
        s->off = state && (state->last || text_is(state->clock, "off"));
        return rules || !s->found;
}

static bool read_step(struct tx *tx, const struct batch *b, struct step *s, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_CASE, ARGS(V(s->number)));
        s->found = found > 0;
        if (found <= 0)
                return found == 0;
        s->id = rows_int(&r, 0);
        s->version = rows_int(&r, 1);
        s->workflow = rows_text(&r, b->arena, 2);
        s->item = rows_text(&r, b->arena, 3);
        s->unit = rows_text(&r, b->arena, 4);
        s->spot = read_spot(&r, b->arena, 5);
        s->created = rows_int(&r, 9);
        s->noted = !rows_null(&r, 10);
        s->other = rows_int(&r, 11);
        return rows_done(&r, e);
}

static bool read_steps(struct tx *tx, void *ctx, struct err *e)
{
        const struct batch *b = ctx;
        for (size_t i = 0; i < b->n; i++)
                if (!read_step(tx, b, &b->at[i], e))
                        return false;
        return true;
}

/* Was it closed when this step was taken: in the table, or by a step before in the same batch? */
static bool was_closed(const struct batch *b, size_t i)
{
        for (size_t k = i; k-- > 0;)
                if (b->at[k].id == b->at[i].id)
                        return b->at[k].off;
        return b->at[i].noted;
}

static bool write_closings(struct tx *tx, void *ctx, struct err *e)
{
        const struct batch *b = ctx;
        for (size_t i = 0; i < b->n; i++) {
                const struct step *s = &b->at[i];
                if (!s->found || s->off == was_closed(b, i))
                        continue;
                const char *unit = text_empty(s->moved_unit) ? s->unit : s->moved_unit;
                const struct value lon = s->spot.has_point ? V(s->spot.point.lon) : V_NULL,
                                   lat = s->spot.has_point ? V(s->spot.point.lat) : V_NULL;
                const int n = s->off ? tx_change(tx, e, SQL_CLOSED,
                                                 ARGS(V(s->id), V(s->at), V(s->item), V(unit), V(s->spot.community),
                                                      V(s->spot.grid), lon, lat, V(text_is(s->state, "rejected") ? 1 : 0)))
                                     : tx_change(tx, e, SQL_OPENED, ARGS(V(s->id)));
                if (n < 0)
                        return false;
        }
        return true;
}

static bool any_closing(const struct batch *b)
{
        for (size_t i = 0; i < b->n; i++)
                if (b->at[i].found && b->at[i].off != was_closed(b, i))
                        return true;
        return false;
}

/* --- the same again --------------------------------------------------------------------------------------------------------- */

/* What is found goes by the item and the place, and a case keeps its place: only a move with which it begins or that changes the
 * item is worth a look.  The last of these in the batch stands for all of them; items are corrected early. */
static bool is_looked_at(const struct batch *b, size_t i)
{
        const struct step *s = &b->at[i];
        if (!s->found || !s->asks || s->at - s->created > within)
                return false;
        for (size_t k = i + 1; k < b->n; k++)
                if (b->at[k].asks && b->at[k].id == s->id)
                        return false;
        return true;
}

static bool look(struct tx *tx, const struct batch *b, struct step *s, struct err *e)
{
        struct rows r;
        s->again = 0;
        if (text_empty(s->item))
                return true;
        bool ok = tx_rows(tx, &r, e, SQL_BEFORE,
                          ARGS(V(s->item), V(s->created - within), V(s->created), V(s->id), V((int)LOOK_MOST)));
        while (ok && !s->again && rows_next(&r)) {
                const struct spot before = read_spot(&r, b->arena, 3);
                s->near = spots_near(&before, &s->spot, &s->metres);
                if (s->near == NEAR_NOT)
                        continue;
                s->again = rows_int(&r, 0);
                s->closed = rows_int(&r, 1);
                s->closed_unit = rows_text(&r, b->arena, 2);
        }
        return ok && rows_done(&r, e);
}

static bool look_at_all(struct tx *tx, void *ctx, struct err *e)
{
        const struct batch *b = ctx;
        for (size_t i = 0; i < b->n; i++)
                if (is_looked_at(b, i) && !look(tx, b, &b->at[i], e))
                        return false;
        return true;
}

static bool write_again(struct tx *tx, void *ctx, struct err *e)
{
        const struct batch *b = ctx;
        for (size_t i = 0; i < b->n; i++) {
                const struct step *s = &b->at[i];
                if (!is_looked_at(b, i) || s->again == s->other)
                        continue;
                const int n =
                        s->again ? tx_change(tx, e, SQL_AGAIN,
                                             ARGS(V(s->id), V(s->again), V(s->created), V(s->closed), V(s->item), V(s->closed_unit),
                                                  V(s->spot.community), V(near_names[s->near]), V(s->metres)))
                                 : tx_change(tx, e, SQL_NOT_AGAIN, ARGS(V(s->id)));
                if (n < 0)
                        return false;
        }
        return true;
}

static bool any_again(const struct batch *b)
{
        for (size_t i = 0; i < b->n; i++)
                if (is_looked_at(b, i) && b->at[i].again != b->at[i].other)
                        return true;
        return false;
}

/* --- the consumer ----------------------------------------------------------------------------------------------------------- */

static void collect(struct batch *b, const struct event *events, size_t n)
{
        struct err ignored;
        b->at = NEW_ARRAY(b->arena, struct step, n + 1);
        for (size_t i = 0; i < n; i++) {
                if (!text_is(events[i].topic, "case"))
                        continue;
                const struct json_value *v = json_parse(b->arena, events[i].payload, strlen(events[i].payload), &ignored);
                struct step s = {.number = events[i].key,
                                 .state = json_get_text(v, "state", ""),
                                 .moved_unit = json_get_text(v, "unit", ""),
                                 .at = events[i].time,
                                 .asks = json_get_bool(v, "files", false) || json_get_text(v, "item", NULL)};
                const char *at = json_get_text(v, "at", NULL);
                if (at && !time_parse(at, ZONE_SHANGHAI, &s.at))
                        s.at = events[i].time;
                b->at[b->n++] = s;
        }
}

/* All closings first: one that came after a case was made is no candidate, whatever the order.  Reading stands apart from writing,
 * so that SQLite's writer is held up only for what is new. */
static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct batch b = {.district = ctx, .arena = arena_new()};
        collect(&b, events, n);
        bool ok = b.n == 0 || store_read(b.district->store, read_steps, &b, e);
        for (size_t i = 0; ok && i < b.n; i++)
                ok = find_off(&b, &b.at[i], e);
        ok = ok && (!any_closing(&b) || store_write(b.district->store, write_closings, &b, e));
        ok = ok && (b.n == 0 || store_read(b.district->store, look_at_all, &b, e));
        ok = ok && (!any_again(&b) || store_write(b.district->store, write_again, &b, e));
        arena_free(&b.arena);
        return ok;
}

const struct consumer closings_consumer = {
        .name = "closings",
        .about = "Notes closings, and finds cases of a place and item where one was closed within 72 hours before.",
        .take = take,
};
