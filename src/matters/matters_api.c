/* matters/matters_api.c -- which cases a case is like, and which a text would be. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/view.h"
#include "cases/workflow.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "matters/inside.h"
#include "matters/matters.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "triage/triage.h"
#include "twin/twin.h"

/* As they stand now: what was merged since is told as the case it belongs to. */
static const char SQL_LIKES[] =
        "SELECT o.number, o.state, o.open, o.title, o.created_at, l.probability, l.joins, l.metres, l.phrases, o.id, o.item,"
        " l.followed, o.workflow FROM matter_like l JOIN cases o ON o.id = COALESCE((SELECT k.target FROM case_link k"
        " WHERE k.case_id = l.other AND k.kind = 'merged' AND k.undone_at = 0), l.other) WHERE l.case_id = $1 ORDER BY l.n";
static const char SQL_ONE[] =
        "SELECT c.number, c.state, c.title, c.created_at, c.item, COALESCE((SELECT p.confidential FROM reporter p"
        " WHERE p.report_id = CASE WHEN c.report > 0 THEN c.report ELSE c.id END), 0) FROM cases c WHERE c.id = $1";

/* An earlier case, as the answer tells it. */
struct other {
        int64_t id, created;
        const char *number, *state, *title, *item, *phrases;
        bool open, sure, followed, seen, confidential;
        char *same_as; /* of what is not filed yet; NULL */
        double probability, metres;
};
struct page {
        struct arena *arena;
        struct json *json;
        const struct sight *sight;
        const struct rulebook *rules;
        int64_t case_id;
        struct other at[LIKE_MOST];
        size_t n;
};

/* What who asks may not see is left out; of what the public asks only where and when, never what somebody wrote. */
static bool see(struct tx *tx, struct page *p, struct err *e)
{
        for (size_t i = 0; i < p->n; i++)
                if (!sight_sees(tx, p->arena, p->sight, p->at[i].id, &p->at[i].seen, e))
                        return false;
        return true;
}

static void other_json(struct page *p, const struct other *o)
{
        struct json *j = p->json;
        struct err ignored;
        const struct item *item = text_empty(o->item) ? NULL : item_find(p->rules->catalogue, o->item);
        json_object(j, NULL);
        json_text(j, "number", o->seen ? o->number : NULL);
        json_text(j, "title", o->seen ? o->title : NULL);
        json_text(j, "state", o->state);
        json_bool(j, "open", o->open);
        json_text(j, "item", item ? item->code : NULL);
        json_text(j, "item_name", item ? item->name : NULL);
        json_time(j, "created", o->created);
        json_real(j, "probability", o->probability);
        json_bool(j, "sure", o->sure);
        json_bool(j, "followed", o->followed);
        if (o->metres < 0)
                json_null(j, "metres");
        else
                json_real(j, "metres", o->metres);
        if (o->same_as)
                json_text(j, "same_as", o->same_as);
        if (o->phrases)
                json_copy(j, "phrases", json_parse(p->arena, o->phrases, strlen(o->phrases), &ignored));
        json_object_end(j);
}

static void others_json(struct page *p, bool unseen)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->at[i].seen || (unseen && !p->at[i].confidential)) /* who wished to be unknown is not followed */
                        other_json(p, &p->at[i]);
}

static void page_json(struct page *p, bool unseen)
{
        json_object(p->json, NULL);
        json_array(p->json, "cases");
        others_json(p, unseen);
        json_array_end(p->json);
        json_object_end(p->json);
}

/* --- of a case ------------------------------------------------------------------------------------------------------------ */

/* Two may have been merged into one since, or into the case itself. */
static bool is_told(const struct page *p, int64_t id)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->at[i].id == id)
                        return true;
        return id == p->case_id;
}

static bool read_likes(struct tx *tx, void *ctx, struct err *e)
{
        struct page *p = ctx;
        struct arena *a = p->arena;
        struct rows r;
        p->n = 0;
        bool ok = tx_rows(tx, &r, e, SQL_LIKES, ARGS(V(p->case_id)));
        while (ok && p->n < LIKE_MOST && rows_next(&r)) {
                p->at[p->n] = (struct other){
                        .number = rows_text(&r, a, 0),
                        .state = rows_text(&r, a, 1),
                        .open = rows_int(&r, 2) != 0
                                && !state_ended(p->rules->workflows, rows_text(&r, a, 12), rows_text(&r, a, 1)),
                        .title = rows_text(&r, a, 3),
                        .created = rows_int(&r, 4),
                        .probability = rows_real(&r, 5),
                        .sure = rows_int(&r, 6) != 0,
                        .metres = rows_real(&r, 7),
                        .phrases = rows_text(&r, a, 8),
                        .id = rows_int(&r, 9),
                        .item = rows_text(&r, a, 10),
                        .followed = rows_int(&r, 11) != 0,
                };
                p->n += is_told(p, p->at[p->n].id) ? 0 : 1;
        }
        return ok && rows_done(&r, e) && see(tx, p, e);
}

static bool get_likes(struct request *rq, struct reply *rp, struct err *e)
{
        struct case_detail d;
        struct page p = {.arena = rq->arena, .json = &rp->json, .sight = sight_of(rq, e), .rules = district_rules(rq->app, e)};
        if (!p.sight || !p.rules || !case_read_now(rq->store, rq->arena, request_param(rq, "number"), p.sight, &d, e))
                return false;
        p.case_id = d.view.id;
        if (!store_read(rq->store, read_likes, &p, e))
                return false;
        page_json(&p, false);
        return true;
}

static bool queue_json(struct tx *tx, struct arena *a, int64_t case_id, const struct rulebook *rules, const struct sight *sight,
                       struct json *j, struct err *e)
{
        struct page p = {.arena = a, .json = j, .sight = sight, .rules = rules, .case_id = case_id};
        if (!read_likes(tx, &p, e))
                return false;
        others_json(&p, false);
        return true;
}

const struct queue_part matters_queue_part = {.name = "alike", .json = queue_json};

/* --- of a text ------------------------------------------------------------------------------------------------------------ */

static bool read_others(struct tx *tx, void *ctx, struct err *e)
{
        struct page *p = ctx;
        struct arena *a = p->arena;
        for (size_t i = 0; i < p->n; i++) {
                struct rows r;
                struct other *o = &p->at[i];
                const int found = tx_first(tx, &r, e, SQL_ONE, ARGS(V(o->id)));
                if (found < 0)
                        return false;
                o->number = found ? rows_text(&r, a, 0) : "";
                o->state = found ? rows_text(&r, a, 1) : "";
                o->title = found ? rows_text(&r, a, 2) : "";
                o->created = found ? rows_int(&r, 3) : 0;
                o->item = found ? rows_text(&r, a, 4) : "";
                o->confidential = found && rows_int(&r, 5) != 0;
                if (found && !rows_done(&r, e))
                        return false;
        }
        return see(tx, p, e);
}

static const char *code_at(const struct place *place, enum area_level level)
{
        const struct area *area = place->area ? area_up(place->area, level) : NULL;
        return area ? area->code : NULL;
}

static bool post_alike(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        struct page p = {.arena = rq->arena, .json = &rp->json, .sight = sight_of(rq, e), .rules = district_rules(d, e)};
        struct like likes[LIKE_MOST];
        struct place place;
        const struct json_value *at = json_get(rq->body, "location");
        const struct point point = {json_get_real(at, "lon", 0), json_get_real(at, "lat", 0)};
        if (!p.sight || !p.rules
            || !twin_locate(p.rules->twin, at ? &point : NULL, json_get_text(rq->body, "area_code", NULL), &place, e))
                return false;
        const struct matter_question q = {
                .title = json_get_text(rq->body, "title", NULL),
                .text = json_get_text(rq->body, "text", ""),
                .has_point = place.has_point,
                .point = place.point,
                .grid = code_at(&place, AREA_GRID),
                .community = code_at(&place, AREA_COMMUNITY),
                .item = json_get_text(rq->body, "item", NULL),
                .time = clock_now(),
        };
        if (!matters_feed(d, p.rules, false, 0, e) || !matters_find(d, p.rules, rq->arena, &q, true, likes, &p.n, e))
                return false;
        for (size_t i = 0; i < p.n; i++) {
                p.at[i] = (struct other){.id = likes[i].id,
                                         .open = true,
                                         .sure = likes[i].joins,
                                         .probability = likes[i].probability,
                                         .metres = likes[i].metres};
                if (!matters_token(d, rq->arena, likes[i].id, &p.at[i].same_as, e))
                        return false;
        }
        if (!store_read(rq->store, read_others, &p, e))
                return false;
        page_json(&p, true);
        return true;
}

/* --- tables --------------------------------------------------------------------------------------------------------------- */

static const struct shape location_body[] = {
        {.name = "lon", .type = SHAPE_REAL, .required = true, .about = "Degrees east, WGS-84."},
        {.name = "lat", .type = SHAPE_REAL, .required = true, .about = "Degrees north, WGS-84."},
        {0},
};
static const struct shape alike_body[] = {
        {.name = "title", .type = SHAPE_TEXT, .most = 200},
        {.name = "text", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 20000},
        {.name = "location", .type = SHAPE_OBJECT, .fields = location_body},
        {.name = "area_code", .type = SHAPE_TEXT, .most = 40, .about = "When there is no location."},
        {.name = "item", .type = SHAPE_TEXT, .most = 40},
        {0},
};
static const struct shape phrase_element[] = {{.type = SHAPE_TEXT}, {0}};
static const struct shape other_members[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "null: who asks may not see the case."},
        {.name = "title", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "open", .type = SHAPE_BOOL, .required = true},
        {.name = "item", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "item_name", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "created", .type = SHAPE_TIME, .required = true},
        {.name = "probability", .type = SHAPE_REAL, .required = true, .about = "Of being the same matter."},
        {.name = "sure", .type = SHAPE_BOOL, .required = true, .about = "Above the threshold at which a case joins by itself."},
        {.name = "followed", .type = SHAPE_BOOL, .required = true, .about = "The reporter says that it is the same matter."},
        {.name = "metres", .type = SHAPE_REAL, .required = true, .nullable = true, .about = "Between the two places."},
        {.name = "same_as",
         .type = SHAPE_TEXT,
         .about = "Of a text that is not filed: what the report says to follow that case.  It tells nothing of the case."},
        {.name = "phrases", .type = SHAPE_ARRAY, .fields = phrase_element, .about = "What both say; of a filed case only."},
        {0},
};
static const struct shape other_element[] = {{.type = SHAPE_OBJECT, .fields = other_members}, {0}};
static const struct shape answer[] = {
        {.name = "cases",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = other_element,
         .about = "At most three, likeliest first."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/cases/{number}/alike",
         .roles = ROLE_STAFF,
         .run = get_likes,
         .answer = answer,
         .about = "Earlier cases that may be the same matter: to merge into, or not."},
        {.method = "POST",
         .path = "/api/v1/alike",
         .roles = ROLE_ALL,
         .run = post_alike,
         .body = alike_body,
         .answer = answer,
         .per_minute = 60,
         .about = "Open cases that a report of this text would be the same matter as; the public learns what, where and when only."
                  "  Nothing"
                  " is kept."},
        {0},
};
const struct route *const matters_routes = routes;
