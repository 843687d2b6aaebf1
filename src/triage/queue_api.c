/* triage/queue_api.c -- the dispatch queue: cases that wait for a person's decision, with what the machine would do. */
#include "base/arena.h"
#include "base/text.h"
#include "cases/moves.h"
#include "cases/view.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "people/people.h"
#include "routing/routing.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "triage/inside_api.h"
#include "twin/twin.h"
#include <stdlib.h>

static const char SQL_TEXT[] =
        "SELECT r.title, r.text FROM cases c JOIN report r ON r.id = CASE WHEN c.report > 0 THEN c.report ELSE c.id END"
        " WHERE c.id = $1";

enum { STATES_MOST = 16, WAITING_USUAL = 20, WAITING_MOST = 50, SHOWN_CHARACTERS = 400, PART_BYTES = 1 << 20 };

struct waiting {
        const struct case_view *view;
        const struct rulebook *rules;
        const char *title, *text;
        const char **parts; /* the array of each of queue_parts, as JSON */
};
struct queue {
        struct request *rq;
        struct json *json;
        const struct sight *sight;
        bool more;
        struct waiting *at;
        size_t n;
};

/* States out of which a dispatcher may send a case to a unit. */
static size_t waiting_states(const struct rulebook *rules, const char *names[STATES_MOST])
{
        size_t n = 0;
        const struct workflow *w = workflow_find(rules->workflows, "standard");
        for (size_t i = 0; w && i < w->n_moves; i++) {
                const struct move *m = &w->moves[i];
                bool assigns = false;
                for (size_t k = 0; m->effects[k] && !assigns; k++)
                        assigns = text_is(m->effects[k]->name, "assign");
                for (size_t k = 0; assigns && move_allows(m, ROLE_DISPATCHER) && k < m->n_origins; k++) {
                        bool known = false;
                        for (size_t j = 0; j < n && !known; j++)
                                known = text_is(names[j], m->origins[k]->name);
                        if (!known && n < STATES_MOST)
                                names[n++] = m->origins[k]->name;
                }
        }
        return n;
}

/* What ends first stands first; of two that end together the one the machine is surer of, for it takes less time. */
static int first_due(const void *a, const void *b)
{
        const struct case_view *x = ((const struct waiting *)a)->view, *y = ((const struct waiting *)b)->view;
        if (x->urgent != y->urgent)
                return x->urgent ? -1 : 1;
        if (x->due != y->due)
                return x->due < y->due ? -1 : 1;
        if (x->certainty != y->certainty)
                return x->certainty > y->certainty ? -1 : 1;
        return (x->id > y->id) - (x->id < y->id);
}

static bool fill(struct queue *q, const struct rulebook *rules, int limit, struct err *e)
{
        const char *states[STATES_MOST];
        const size_t n = waiting_states(rules, states);
        q->at = NEW_ARRAY(q->rq->arena, struct waiting, n * (size_t)limit + 1);
        for (size_t i = 0; i < n; i++) {
                struct case_page page;
                const struct case_filter f = {.state = states[i],
                                              .open = true,
                                              .by_due = true,
                                              .limit = limit,
                                              .sight = q->sight,
                                              .subdistrict = request_query(q->rq, "subdistrict")};
                if (!case_page(q->rq->store, q->rq->arena, &f, &page, e))
                        return false;
                for (size_t k = 0; k < page.n; k++)
                        q->at[q->n++] = (struct waiting){.view = &page.at[k]};
                q->more = q->more || page.more;
        }
        qsort(q->at, q->n, sizeof *q->at, first_due);
        q->more = q->more || q->n > (size_t)limit;
        q->n = q->n > (size_t)limit ? (size_t)limit : q->n;
        return true;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static size_t count_parts(void)
{
        size_t n = 0;
        while (queue_parts[n])
                n++;
        return n;
}

static bool read_text(struct tx *tx, const struct queue *q, struct waiting *w, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_TEXT, ARGS(V(w->view->id)));
        if (found < 0)
                return false;
        w->title = found ? rows_text(&r, q->rq->arena, 0) : "";
        w->text = found ? rows_text(&r, q->rq->arena, 1) : "";
        return found == 0 || rows_done(&r, e);
}

static bool read_part(struct tx *tx, const struct queue *q, struct waiting *w, size_t i, struct err *e)
{
        struct buf b = BUF_LIMIT(PART_BYTES);
        struct json j = json_to(&b);
        json_array(&j, NULL);
        bool ok = queue_parts[i]->json(tx, q->rq->arena, w->view->id, w->rules, q->sight, &j, e);
        if (ok) {
                json_array_end(&j);
                ok = !b.overflow || err_set(e, ERR_FAULT, "%s of case %s is too long", queue_parts[i]->name, w->view->number);
        }
        if (ok)
                w->parts[i] = arena_copy(q->rq->arena, b.at, b.length);
        buf_free(&b);
        return ok;
}

static bool read_all(struct tx *tx, void *ctx, struct err *e)
{
        const struct queue *q = ctx;
        for (size_t i = 0; i < q->n; i++) {
                if (!read_text(tx, q, &q->at[i], e))
                        return false;
                for (size_t k = 0; queue_parts[k]; k++)
                        if (!read_part(tx, q, &q->at[i], k, e))
                                return false;
        }
        return true;
}

/* Rules may have to be read from the store, judging takes long and reads too: so neither is done within the one reading, which
 * would hold one of few readers and wait for another. */
static bool read_queue(struct queue *q, struct err *e)
{
        const size_t n = count_parts();
        for (size_t i = 0; i < q->n; i++) {
                struct waiting *w = &q->at[i];
                w->parts = NEW_ARRAY(q->rq->arena, const char *, n + 1);
                w->rules = district_rules_of(q->rq->app, w->view->version, e);
                if (!w->rules)
                        return false;
        }
        return store_read(q->rq->store, read_all, q, e);
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static const char *beginning(struct arena *a, const char *text)
{
        const char *end = text;
        for (int n = 0; *end && n < SHOWN_CHARACTERS; n++)
                do
                        end++;
                while (((unsigned char)*end & 0xC0) == 0x80);
        return *end ? arena_format(a, "%.*s…", (int)(end - text), text) : text;
}

static void units_json(struct district *d, const struct rulebook *rules, struct arena *a, const struct case_view *v,
                       const struct area *area, struct json *j)
{
        struct unit_guess units[CANDIDATES_MOST];
        const struct route_question q = {.item = text_empty(v->item) ? NULL : item_find(rules->catalogue, v->item),
                                         .area = area,
                                         .source = v->source,
                                         .property = v->property,
                                         .time = v->created};
        const size_t n = triage_units(d, rules, a, &q, units);
        json_array(j, "units");
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_text(j, "unit", units[i].unit->code);
                json_text(j, "unit_name", units[i].unit->name);
                json_real(j, "certainty", units[i].certainty);
                json_real(j, "cases", units[i].cases);
                json_real(j, "of", units[i].of);
                json_object_end(j);
        }
        json_array_end(j);
}

static void waiting_json(const struct queue *q, const struct waiting *w)
{
        struct request *rq = q->rq;
        struct district *d = rq->app;
        struct opinion o;
        struct asked asked = {.district = d, .rules = w->rules, .area = case_area(w->rules, w->view)};
        asked.turn = arena_format(rq->arena, "%lld", (long long)w->view->id);
        triage_read(d, asked.rules, rq->arena, w->title, w->text, CANDIDATES_MOST, &o);
        json_object(q->json, NULL);
        case_members_json(w->view, asked.rules, q->json);
        json_text(q->json, "text", beginning(rq->arena, w->text));
        opinion_json(&asked, &o, q->json);
        units_json(d, asked.rules, rq->arena, w->view, asked.area, q->json);
        for (size_t i = 0; queue_parts[i]; i++)
                json_written(q->json, queue_parts[i]->name, w->parts[i]);
        json_object_end(q->json);
}

static bool get_queue(struct request *rq, struct reply *rp, struct err *e)
{
        struct queue q = {.rq = rq, .json = &rp->json, .sight = sight_of(rq, e)};
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!q.sight || !rules || !fill(&q, rules, request_limit(rq, WAITING_USUAL, WAITING_MOST), e) || !read_queue(&q, e))
                return false;
        json_object(q.json, NULL);
        json_array(q.json, "cases");
        for (size_t i = 0; i < q.n; i++)
                waiting_json(&q, &q.at[i]);
        json_array_end(q.json);
        json_bool(q.json, "more", q.more);
        json_object_end(q.json);
        return true;
}

/* --- tables --------------------------------------------------------------------------------------------------------- */

static const struct shape unit_members[] = {
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "unit_name", .type = SHAPE_TEXT, .required = true},
        {.name = "certainty", .type = SHAPE_REAL, .required = true},
        {.name = "cases", .type = SHAPE_REAL, .required = true, .about = "Of the item that it has handled; old ones count less."},
        {.name = "of", .type = SHAPE_REAL, .required = true, .about = "Of the item that anybody has handled."},
        {0},
};
static const struct shape unit_element[] = {{.type = SHAPE_OBJECT, .fields = unit_members}, {0}};
static const struct shape part_element[] = {{.type = SHAPE_OBJECT, .open = true}, {0}};
static const struct shape case_members[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true},
        {.name = "text", .type = SHAPE_TEXT, .required = true, .about = "Its beginning."},
        {.name = "candidates",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = triage_candidate_element,
         .about = "At most three items, best first."},
        {.name = "sure", .type = SHAPE_BOOL, .required = true, .about = "The machine would take the first by now."},
        {.name = "urgent", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "The phrase that makes it urgent."},
        {.name = "model", .type = SHAPE_INT, .required = true},
        {.name = "units",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = unit_element,
         .about = "Who handled like cases, likeliest first."},
        {.name = "alike",
         .type = SHAPE_ARRAY,
         .fields = part_element,
         .about = "Earlier cases that may be the same matter, as /api/v1/cases/NUMBER/alike tells."},
        {0},
};
static const struct shape case_element[] = {{.type = SHAPE_OBJECT, .fields = case_members, .open = true}, {0}};
static const struct shape answer[] = {
        {.name = "cases",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = case_element,
         .about = "As in a page of cases, and these."},
        {.name = "more", .type = SHAPE_BOOL, .required = true, .about = "More wait behind these."},
        {0},
};
static const struct query_param query[] = {
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = WAITING_MOST, .about = "20 when unsaid."},
        {.name = "subdistrict", .type = SHAPE_TEXT, .most = 40, .about = "Only cases there."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/dispatch",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_queue,
         .query = query,
         .answer = answer,
         .about = "Cases that wait for a dispatcher: urgent ones first, then by what ends first; each with three items, why, who"
                  " handled like"
                  " cases, and what may be the same matter."},
        {0},
};
const struct route *const dispatch_routes = routes;
