/* triage/triage_api.c -- what the machine says of a text, of a case, and how good it has been. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "cases/view.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "mention/mention.h"
#include "people/people.h"
#include "routing/routing.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "triage/inside_api.h"
#include "twin/twin.h"

static const char SQL_OF_CASE[] =
        "SELECT r.title, r.text, COALESCE(o.guess, ''), COALESCE(o.certainty, 0), COALESCE(o.sure, 0), COALESCE(o.at, 0),"
        " COALESCE(o.urgent, '') FROM cases c JOIN report r ON r.id = CASE WHEN c.report > 0 THEN c.report ELSE c.id END"
        " LEFT JOIN triage_opinion o ON o.case_id = c.id WHERE c.number = $1";
static const char SQL_MODELS[] =
        "SELECT id, state, made_at, sha256, last_fix, examples, accuracy, judged, only_it, only_other, state_since"
        " FROM triage_model ORDER BY id DESC";
static const char SQL_DAYS[] =
        "SELECT guess, COUNT(*), SUM(sure), SUM(judged), SUM(hit), SUM(sure * judged), SUM(sure * hit) FROM triage_opinion"
        " WHERE at >= $1 GROUP BY guess ORDER BY COUNT(*) DESC, guess";
static const char SQL_CONTRADICTIONS[] =
        "SELECT item, area, listed, place, unit, COUNT(*), MAX(certainty), MIN(at), MAX(at) FROM triage_route WHERE contradicts = 1"
        " AND at >= $1 GROUP BY item, area, listed, place, unit ORDER BY COUNT(*) DESC, item, area LIMIT 200";
/* The unit that had the case first, and the one that brought it to its end. */
static const char SQL_FIRST[] =
        "SELECT COUNT(*), COALESCE(SUM(first_one), 0), COALESCE(SUM(sure), 0), COALESCE(SUM(sure * first_one), 0) FROM"
        " (SELECT COALESCE(o.sure, 0) AS sure, CASE WHEN h.unit = (SELECT t.unit FROM case_task t WHERE t.case_id = h.case_id"
        " AND t.kind = 'lead' ORDER BY t.n LIMIT 1) THEN 1 ELSE 0 END AS first_one"
        " FROM triage_handled h LEFT JOIN triage_opinion o ON o.case_id = h.case_id WHERE h.at >= $1) handled";
static const char SQL_FIXES[] = "SELECT COUNT(*) FROM triage_fix WHERE at >= $1";

enum { DAYS_MOST = 92 };

/* --- of a text ------------------------------------------------------------------------------------------------------ */

static void mention_json(const struct entities *n, const struct mention *m, struct arena *a, struct json *j)
{
        const char *before = arena_copy(a, n->text, m->from), *itself = arena_copy(a, n->text + m->from, m->to - m->from);
        json_object(j, NULL);
        json_text(j, "kind", mention_kind_name(m->kind));
        json_text(j, "text", itself);
        json_int(j, "start", (int64_t)text_characters(before));
        json_int(j, "length", (int64_t)text_characters(itself));
        json_bool(j, "personal", m->personal);
        json_time(j, "from", m->kind == MENTION_TIME && m->begin != INT64_MIN ? m->begin : 0);
        json_time(j, "to", m->kind == MENTION_TIME && m->end != INT64_MAX ? m->end : 0);
        json_object_end(j);
}

static void entities_json(const struct entities *n, struct arena *a, struct json *j)
{
        json_text(j, "area", n->area ? n->area->code : NULL);
        json_text(j, "area_name", n->area ? n->area->name : NULL);
        json_time(j, "occurred", n->occurred);
        json_array(j, "mentions");
        for (size_t i = 0; i < n->n; i++)
                mention_json(n, &n->at[i], a, j);
        json_array_end(j);
}

static bool post_triage(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        const struct json_value *at = json_get(rq->body, "location");
        const struct point point = {json_get_real(at, "lon", 0), json_get_real(at, "lat", 0)};
        const char *title = json_get_text(rq->body, "title", NULL), *text = json_get_text(rq->body, "text", "");
        struct asked q = {.district = d, .rules = district_rules(d, e), .turn = "0"};
        struct place place;
        struct opinion o;
        struct entities named;
        if (!q.rules || !twin_locate(q.rules->twin, at ? &point : NULL, json_get_text(rq->body, "area_code", NULL), &place, e))
                return false;
        triage_entities(d, q.rules, rq->arena, title, text, clock_now(), &named);
        q.area = place.area ? place.area : named.area;
        triage_read(d, q.rules, rq->arena, title, text, CANDIDATES_MOST, &o);
        json_object(&rp->json, NULL);
        opinion_json(&q, &o, &rp->json);
        entities_json(&named, rq->arena, &rp->json);
        json_object_end(&rp->json);
        return true;
}

/* --- of a case ------------------------------------------------------------------------------------------------------ */

struct of_case {
        struct request *rq;
        const char *title, *text, *guess, *urgent;
        double certainty;
        bool sure;
        int64_t at;
};

static bool read_case(struct tx *tx, void *ctx, struct err *e)
{
        struct of_case *c = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_OF_CASE, ARGS(V(request_param(c->rq, "number"))));
        if (found <= 0)
                return found == 0 && err_both(e, ERR_NOT_FOUND, NULL, "the case has no report", "该案件没有来件");
        c->title = rows_text(&r, c->rq->arena, 0);
        c->text = rows_text(&r, c->rq->arena, 1);
        c->guess = rows_text(&r, c->rq->arena, 2);
        c->certainty = rows_real(&r, 3);
        c->sure = rows_int(&r, 4) != 0;
        c->at = rows_int(&r, 5);
        c->urgent = rows_text(&r, c->rq->arena, 6);
        return rows_done(&r, e);
}

static bool get_case(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        struct case_detail detail;
        struct of_case c = {.rq = rq};
        struct opinion o;
        const struct sight *sight = sight_of(rq, e);
        if (!sight || !case_read_now(rq->store, rq->arena, request_param(rq, "number"), sight, &detail, e)
            || !store_read(rq->store, read_case, &c, e))
                return false;
        struct asked q = {.district = d, .rules = district_rules_of(d, detail.view.version, e)};
        if (!q.rules)
                return false;
        q.area = case_area(q.rules, &detail.view);
        q.turn = arena_format(rq->arena, "%lld", (long long)detail.view.id);
        triage_read(d, q.rules, rq->arena, c.title, c.text, CANDIDATES_MOST, &o);
        o.urgent = text_empty(c.urgent) ? o.urgent : c.urgent;
        json_object(&rp->json, NULL);
        opinion_json(&q, &o, &rp->json);
        json_text(&rp->json, "said", text_empty(c.guess) ? NULL : c.guess);
        json_real(&rp->json, "said_certainty", c.certainty);
        json_bool(&rp->json, "said_sure", c.sure);
        json_time(&rp->json, "said_at", c.at);
        json_object_end(&rp->json);
        return true;
}

/* --- how good it has been ------------------------------------------------------------------------------------------- */

struct model_page {
        struct request *rq;
        struct reply *rp;
        int64_t since;
};

static bool models_json(struct tx *tx, struct model_page *r, struct err *e)
{
        struct json *j = &r->rp->json;
        struct rows rows;
        json_array(j, "models");
        bool ok = tx_rows(tx, &rows, e, SQL_MODELS, NO_ARGS);
        while (ok && rows_next(&rows)) {
                json_object(j, NULL);
                json_int(j, "id", rows_int(&rows, 0));
                json_text(j, "state", rows_text(&rows, r->rq->arena, 1));
                json_time(j, "made", rows_int(&rows, 2));
                json_text(j, "sha256", rows_text(&rows, r->rq->arena, 3));
                json_int(j, "last_correction", rows_int(&rows, 4));
                json_int(j, "examples", rows_int(&rows, 5));
                if (rows_real(&rows, 6) < 0)
                        json_null(j, "accuracy");
                else
                        json_real(j, "accuracy", rows_real(&rows, 6));
                json_int(j, "judged", rows_int(&rows, 7));
                json_int(j, "only_it", rows_int(&rows, 8));
                json_int(j, "only_other", rows_int(&rows, 9));
                json_time(j, "since", rows_int(&rows, 10));
                json_object_end(j);
        }
        json_array_end(j);
        return ok && rows_done(&rows, e);
}

static bool days_json(struct tx *tx, struct model_page *r, struct err *e)
{
        static const char *const names[] = {"asked", "sure", "judged", "hits", "sure_judged", "sure_hits"};
        struct json *j = &r->rp->json;
        struct rows rows;
        json_array(j, "items");
        bool ok = tx_rows(tx, &rows, e, SQL_DAYS, ARGS(V(r->since)));
        while (ok && rows_next(&rows)) {
                json_object(j, NULL);
                json_text(j, "item", rows_text(&rows, r->rq->arena, 0));
                for (int i = 0; i < (int)COUNT_OF(names); i++)
                        json_int(j, names[i], rows_int(&rows, i + 1));
                json_object_end(j);
        }
        json_array_end(j);
        return ok && rows_done(&rows, e);
}

static bool first_json(struct tx *tx, struct model_page *r, struct err *e)
{
        static const char *const names[] = {"handled", "right", "sure_handled", "sure_right"};
        struct json *j = &r->rp->json;
        struct rows rows;
        if (tx_first(tx, &rows, e, SQL_FIRST, ARGS(V(r->since))) != 1)
                return false;
        json_object(j, "first_dispatch");
        for (int i = 0; i < (int)COUNT_OF(names); i++)
                json_int(j, names[i], rows_int(&rows, i));
        json_object_end(j);
        return rows_done(&rows, e);
}

static bool write_report(struct tx *tx, void *ctx, struct err *e)
{
        struct model_page *r = ctx;
        int64_t fixes;
        buf_clear(&r->rp->body); /* a transaction function may run again */
        r->rp->json = json_to(&r->rp->body);
        json_object(&r->rp->json, NULL);
        if (!models_json(tx, r, e) || !days_json(tx, r, e) || !tx_int(tx, &fixes, 0, e, SQL_FIXES, ARGS(V(r->since))))
                return false;
        json_int(&r->rp->json, "corrections", fixes);
        if (!first_json(tx, r, e))
                return false;
        json_object_end(&r->rp->json);
        return true;
}

/* Since the first of the last `days` days. */
static bool read_days(const struct request *rq, int64_t *since, struct err *e)
{
        const char *days = request_query(rq, "days");
        int64_t n = 30;
        if (days && (!text_to_int(days, &n) || n < 1 || n > DAYS_MOST))
                return err_both(e, ERR_INVALID, "days", "days is a whole number from 1 to 92", "days 应为1至92的整数");
        *since = clock_now() - n * USEC_DAY;
        return true;
}

static bool write_contradictions(struct tx *tx, void *ctx, struct err *e)
{
        static const char *const names[] = {"item", "area", "listed", "place", "unit"};
        struct model_page *p = ctx;
        struct json *j = &p->rp->json;
        struct rows r;
        buf_clear(&p->rp->body); /* a transaction function may run again */
        *j = json_to(&p->rp->body);
        json_object(j, NULL);
        json_array(j, "contradictions");
        bool ok = tx_rows(tx, &r, e, SQL_CONTRADICTIONS, ARGS(V(p->since)));
        while (ok && rows_next(&r)) {
                json_object(j, NULL);
                for (int i = 0; i < (int)COUNT_OF(names); i++)
                        json_text(j, names[i], rows_text(&r, p->rq->arena, i));
                json_int(j, "cases", rows_int(&r, 5));
                json_real(j, "certainty", rows_real(&r, 6));
                json_time(j, "first", rows_int(&r, 7));
                json_time(j, "last", rows_int(&r, 8));
                json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
        return ok && rows_done(&r, e);
}

static bool get_contradictions(struct request *rq, struct reply *rp, struct err *e)
{
        struct model_page p = {.rq = rq, .rp = rp};
        return read_days(rq, &p.since, e) && store_read(rq->store, write_contradictions, &p, e);
}

static bool get_model(struct request *rq, struct reply *rp, struct err *e)
{
        struct model_page p = {.rq = rq, .rp = rp};
        return read_days(rq, &p.since, e) && store_read(rq->store, write_report, &p, e);
}

/* --- tables --------------------------------------------------------------------------------------------------------- */

static const struct shape location_body[] = {
        {.name = "lon", .type = SHAPE_REAL, .required = true, .about = "Degrees east, WGS-84."},
        {.name = "lat", .type = SHAPE_REAL, .required = true, .about = "Degrees north, WGS-84."},
        {0},
};
static const struct shape triage_body[] = {
        {.name = "title", .type = SHAPE_TEXT, .most = 200},
        {.name = "text", .type = SHAPE_TEXT, .required = true, .least = 1, .most = 20000},
        {.name = "location", .type = SHAPE_OBJECT, .fields = location_body},
        {.name = "area_code", .type = SHAPE_TEXT, .most = 40, .about = "Code, when there is no location."},
        {0},
};
#define OPINION_SHAPES \
        {.name = "candidates", \
         .type = SHAPE_ARRAY, \
         .required = true, \
         .fields = triage_candidate_element, \
         .about = "At most three, best first."}, \
                {.name = "sure", .type = SHAPE_BOOL, .required = true, .about = "The first is taken without asking."}, \
                {.name = "urgent", \
                 .type = SHAPE_TEXT, \
                 .required = true, \
                 .nullable = true, \
                 .about = "The phrase that makes it urgent."}, \
        { \
                .name = "model", .type = SHAPE_INT, .required = true, .about = "0: there is none yet." \
        }
static const struct shape mention_members[] = {
        {.name = "kind",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "time, phone, identity, card, mail, plate, place, organisation."},
        {.name = "text", .type = SHAPE_TEXT, .required = true},
        {.name = "start", .type = SHAPE_INT, .required = true, .about = "In characters of title, line's end and text."},
        {.name = "length", .type = SHAPE_INT, .required = true},
        {.name = "personal", .type = SHAPE_BOOL, .required = true, .about = "To be masked."},
        {.name = "from", .type = SHAPE_TIME, .required = true, .nullable = true},
        {.name = "to", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape mention_element[] = {{.type = SHAPE_OBJECT, .fields = mention_members}, {0}};
static const struct shape opinion_answer[] = {
        OPINION_SHAPES,
        {.name = "area", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "The one area that the text names."},
        {.name = "area_name", .type = SHAPE_TEXT, .required = true, .nullable = true},
        {.name = "occurred", .type = SHAPE_TIME, .required = true, .nullable = true, .about = "The first certain time it names."},
        {.name = "mentions", .type = SHAPE_ARRAY, .required = true, .fields = mention_element, .about = "What it names, in order."},
        {0},
};
static const struct shape case_answer[] = {
        OPINION_SHAPES,
        {.name = "said",
         .type = SHAPE_TEXT,
         .required = true,
         .nullable = true,
         .about = "The machine's item when the report came."},
        {.name = "said_certainty", .type = SHAPE_REAL, .required = true},
        {.name = "said_sure", .type = SHAPE_BOOL, .required = true},
        {.name = "said_at", .type = SHAPE_TIME, .required = true, .nullable = true},
        {0},
};
static const struct shape model_members[] = {
        {.name = "id", .type = SHAPE_INT, .required = true},
        {.name = "state", .type = SHAPE_TEXT, .required = true, .about = "active, shadow, retired."},
        {.name = "made", .type = SHAPE_TIME, .required = true},
        {.name = "sha256", .type = SHAPE_TEXT, .required = true},
        {.name = "last_correction", .type = SHAPE_INT, .required = true, .about = "Corrections up to this one are in it."},
        {.name = "examples", .type = SHAPE_INT, .required = true, .about = "Texts of cases it has learned from."},
        {.name = "accuracy",
         .type = SHAPE_REAL,
         .required = true,
         .nullable = true,
         .about = "Of texts it had not seen; null: too few to say."},
        {.name = "judged", .type = SHAPE_INT, .required = true, .about = "In the shadow: answers whose truth came out."},
        {.name = "only_it", .type = SHAPE_INT, .required = true, .about = "Of these right by this one alone."},
        {.name = "only_other", .type = SHAPE_INT, .required = true, .about = "Right by the active one alone."},
        {.name = "since", .type = SHAPE_TIME, .required = true, .about = "When it came into its state."},
        {0},
};
static const struct shape model_element[] = {{.type = SHAPE_OBJECT, .fields = model_members}, {0}};
static const struct shape item_members[] = {
        {.name = "item", .type = SHAPE_TEXT, .required = true, .about = "The machine's guess; empty: none."},
        {.name = "asked", .type = SHAPE_INT, .required = true, .about = "Reports without item."},
        {.name = "sure", .type = SHAPE_INT, .required = true, .about = "Of these answered without asking."},
        {.name = "judged", .type = SHAPE_INT, .required = true, .about = "Whose item is known by now."},
        {.name = "hits", .type = SHAPE_INT, .required = true, .about = "Of these guessed rightly."},
        {.name = "sure_judged", .type = SHAPE_INT, .required = true},
        {.name = "sure_hits", .type = SHAPE_INT, .required = true},
        {0},
};
static const struct shape item_element[] = {{.type = SHAPE_OBJECT, .fields = item_members}, {0}};
static const struct shape first_members[] = {
        {.name = "handled", .type = SHAPE_INT, .required = true, .about = "Cases that a unit brought to their end in these days."},
        {.name = "right", .type = SHAPE_INT, .required = true, .about = "Of these by the unit that had them first."},
        {.name = "sure_handled", .type = SHAPE_INT, .required = true, .about = "Those whose item the machine took without asking."},
        {.name = "sure_right", .type = SHAPE_INT, .required = true},
        {0},
};
static const struct shape model_answer[] = {
        {.name = "models", .type = SHAPE_ARRAY, .required = true, .fields = model_element, .about = "Newest first."},
        {.name = "items", .type = SHAPE_ARRAY, .required = true, .fields = item_element},
        {.name = "corrections", .type = SHAPE_INT, .required = true, .about = "By people, in these days."},
        {.name = "first_dispatch",
         .type = SHAPE_OBJECT,
         .required = true,
         .fields = first_members,
         .about = "How often the first unit was the right one."},
        {0},
};
static const struct shape contradiction_members[] = {
        {.name = "item", .type = SHAPE_TEXT, .required = true},
        {.name = "area", .type = SHAPE_TEXT, .required = true},
        {.name = "listed", .type = SHAPE_TEXT, .required = true, .about = "The unit that the list names."},
        {.name = "place", .type = SHAPE_TEXT, .required = true, .about = "Of the list's row."},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .about = "The unit that handles such cases."},
        {.name = "cases", .type = SHAPE_INT, .required = true},
        {.name = "certainty", .type = SHAPE_REAL, .required = true, .about = "The greatest."},
        {.name = "first", .type = SHAPE_TIME, .required = true},
        {.name = "last", .type = SHAPE_TIME, .required = true},
        {0},
};
static const struct shape contradiction_element[] = {{.type = SHAPE_OBJECT, .fields = contradiction_members}, {0}};
static const struct shape contradictions_answer[] = {
        {.name = "contradictions", .type = SHAPE_ARRAY, .required = true, .fields = contradiction_element},
        {0},
};
static const struct query_param days_query[] = {
        {.name = "days", .type = SHAPE_INT, .least = 1, .most = 92, .about = "Up to today; 30 when unsaid."},
        {0},
};
static const struct route routes[] = {
        {.method = "POST",
         .path = "/api/v1/triage",
         .roles = ROLE_ALL,
         .run = post_triage,
         .body = triage_body,
         .answer = opinion_answer,
         .per_minute = 120,
         .about = "What the machine reads from a text: three items with how sure it is and why, and the unit of each.  Nothing is"
                  " kept."},
        {.method = "GET",
         .path = "/api/v1/cases/{number}/triage",
         .roles = ROLE_STAFF,
         .run = get_case,
         .answer = case_answer,
         .about = "The same of a case's report, as the machine reads it now, and what it said when the report came."},
        {.method = "GET",
         .path = "/api/v1/triage/model",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_model,
         .query = days_query,
         .answer = model_answer,
         .about = "Models, and how good their answers have been: automatic share, precision, corrections by item."},
        {.method = "GET",
         .path = "/api/v1/triage/contradictions",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_contradictions,
         .query = days_query,
         .answer = contradictions_answer,
         .about = "Rows of the responsibility list that experience contradicts: for who keeps the catalogue."},
        {0},
};
const struct route *const triage_routes = routes;
