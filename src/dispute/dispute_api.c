/* dispute/dispute_api.c -- the panel's list of disputes that wait, precedents, and changes of the list that rulings led to. */
#include "base/arena.h"
#include "base/text.h"
#include "cases/cases.h"
#include "cases/moves.h"
#include "dispute/dispute.h"
#include "district/district.h"
#include "http/http.h"
#include "json/json.h"
#include "people/people.h"
#include "sight/sight_api.h"
#include "store/store.h"

static const char SQL_OF_CASE[] =
        "SELECT n, state, unit, reason, facts, actor, opened_at, interim, why, principle, ruling, precedent, ended_by, ended_at"
        " FROM dispute WHERE case_id = $1 ORDER BY n";
static const char SQL_POSITIONS[] =
        "SELECT dispute, unit, actor, text, can_act, at FROM dispute_position WHERE case_id = $1 ORDER BY n";
static const char WAITING[] =
        "SELECT c.number, c.title, c.item, c.community, d.unit, d.reason, d.interim, d.opened_at FROM dispute d"
        " JOIN cases c ON c.id = d.case_id WHERE d.state = 'open' AND ";
static const char WAITING_ORDER[] = " ORDER BY d.opened_at, d.case_id LIMIT ";
/* A ruling is a rule for all; which case it was is told to who may see that. */
static const char PRECEDENTS[] = "SELECT p.id, p.item, p.area, p.lead, p.assists, p.principle, p.text, p.actor, p.at, CASE WHEN ";
static const char PRECEDENTS_FROM[] =
        " THEN c.number ELSE NULL END FROM precedent p JOIN cases c ON c.id = p.case_id WHERE p.id < ";
static const char PRECEDENTS_ORDER[] = " ORDER BY p.id DESC LIMIT ";
static const char CHANGES[] =
        "SELECT l.id, l.state, p.item, p.area, p.lead, p.assists, l.proposed_by, l.proposed_at, l.decided_by, l.decided_at,"
        " l.reason, l.version FROM list_change l JOIN precedent p ON p.id = l.id ORDER BY l.id DESC LIMIT ";
static const char SQL_PROPOSER[] = "SELECT proposed_by, state FROM list_change WHERE id = $1";
static const char SQL_DECIDE[] =
        "UPDATE list_change SET state = $2, decided_by = $3, decided_at = $4, reason = $5 WHERE id = $1 AND"
        " state = 'proposed'";

enum { POSITIONS_MOST = 500 };
struct position {
        int64_t dispute, at;
        const char *unit, *actor, *text;
        bool can_act;
};

/* --- the disputes of a case -------------------------------------------------------------------------------------------------- */

static bool read_positions(struct tx *tx, struct arena *a, int64_t case_id, struct position **out, size_t *n, struct err *e)
{
        struct rows r;
        *n = 0;
        if (!tx_rows(tx, &r, e, SQL_POSITIONS, ARGS(V(case_id))))
                return false;
        *out = NEW_ARRAY(a, struct position, POSITIONS_MOST);
        while (*n < POSITIONS_MOST && rows_next(&r))
                (*out)[(*n)++] = (struct position){.dispute = rows_int(&r, 0),
                                                   .unit = rows_text(&r, a, 1),
                                                   .actor = rows_text(&r, a, 2),
                                                   .text = rows_text(&r, a, 3),
                                                   .can_act = rows_int(&r, 4) != 0,
                                                   .at = rows_int(&r, 5)};
        return rows_done(&r, e);
}

static void positions_json(const struct position *at, size_t n, int64_t dispute, struct json *j)
{
        json_array(j, "positions");
        for (size_t i = 0; i < n; i++) {
                if (at[i].dispute != dispute)
                        continue;
                json_object(j, NULL);
                json_text(j, "unit", at[i].unit);
                json_text(j, "actor", at[i].actor);
                json_text(j, "text", at[i].text);
                json_bool(j, "can_act", at[i].can_act);
                json_time(j, "at", at[i].at);
                json_object_end(j);
        }
        json_array_end(j);
}

static bool disputes_json(struct tx *tx, struct arena *a, int64_t case_id, const struct sight *sight, struct json *j, struct err *e)
{
        (void)sight;
        struct position *positions;
        size_t n;
        struct rows r;
        if (!read_positions(tx, a, case_id, &positions, &n, e) || !tx_rows(tx, &r, e, SQL_OF_CASE, ARGS(V(case_id))))
                return false;
        while (rows_next(&r)) {
                json_object(j, NULL);
                json_int(j, "n", rows_int(&r, 0));
                json_text(j, "state", rows_text(&r, a, 1));
                json_text(j, "unit", rows_text(&r, a, 2));
                json_text(j, "reason", rows_text(&r, a, 3));
                json_text(j, "facts", rows_text(&r, a, 4));
                json_text(j, "actor", rows_text(&r, a, 5));
                json_time(j, "opened", rows_int(&r, 6));
                json_text(j, "interim", rows_text(&r, a, 7));
                json_text(j, "interim_why", rows_text(&r, a, 8));
                json_text(j, "principle", rows_text(&r, a, 9));
                json_text(j, "ruling", rows_text(&r, a, 10));
                json_int(j, "precedent", rows_int(&r, 11));
                json_text(j, "ended_by", rows_text(&r, a, 12));
                json_time(j, "ended", rows_int(&r, 13));
                positions_json(positions, n, rows_int(&r, 0), j);
                json_object_end(j);
        }
        return rows_done(&r, e);
}

static void no_dispute(struct moving *m)
{
        m->dispute = NULL;
        m->knows_dispute = true;
}

const struct case_part dispute_part = {.name = "disputes",
                                       .some = "EXISTS (SELECT 1 FROM dispute k WHERE k.case_id = $1)",
                                       .json = disputes_json,
                                       .none = no_dispute};

/* --- lists ------------------------------------------------------------------------------------------------------------------- */

struct listing {
        struct request *rq;
        struct json *json;
        struct query *query;
        const char *name;
        const char *const *columns; /* "number", "at:time", "id:int", "assists:list"; end with NULL */
};

static void column_json(const struct listing *l, const struct rows *r, int i, struct json *j)
{
        struct arena *a = l->rq->arena;
        char **parts, **words;
        const size_t n = text_split(a, l->columns[i], ':', &parts);
        const char *kind = n > 1 ? parts[1] : "text";
        if (text_is(kind, "time")) {
                json_time(j, parts[0], rows_int(r, i));
        } else if (text_is(kind, "int")) {
                json_int(j, parts[0], rows_int(r, i));
        } else if (text_is(kind, "list")) {
                const size_t count = text_split(a, rows_text(r, a, i), '|', &words);
                json_array(j, parts[0]);
                for (size_t k = 0; k < count; k++)
                        json_text(j, NULL, words[k]);
                json_array_end(j);
        } else {
                json_text(j, parts[0], rows_text(r, a, i));
        }
}

static bool write_list(struct tx *tx, void *ctx, struct err *e)
{
        const struct listing *l = ctx;
        struct rows r;
        const struct value *args = query_args(l->query);
        if (!tx_rows(tx, &r, e, l->query->text.at, args))
                return false;
        json_object(l->json, NULL);
        json_array(l->json, l->name);
        while (rows_next(&r)) {
                json_object(l->json, NULL);
                for (int i = 0; l->columns[i]; i++)
                        column_json(l, &r, i, l->json);
                json_object_end(l->json);
        }
        json_array_end(l->json);
        json_object_end(l->json);
        return rows_done(&r, e);
}

/* `ready`: what the query was made of is there; else e says what is missing. */
static bool answer_list(const struct listing *l, bool ready, struct err *e)
{
        const bool ok = ready && store_read(l->rq->store, write_list, (void *)l, e);
        buf_free(&l->query->text);
        return ok;
}

static bool get_disputes(struct request *rq, struct reply *rp, struct err *e)
{
        static const char *const columns[] = {"number", "title",   "item",        "community", "unit",
                                              "reason", "interim", "opened:time", NULL};
        const struct sight *sight = sight_of(rq, e);
        struct query q = query_new(rq->arena);
        query_text(&q, WAITING);
        sight_seen(&q, sight);
        query_text(&q, WAITING_ORDER);
        query_arg(&q, V((int64_t)request_limit(rq, 50, 200)));
        return answer_list(&(struct listing){rq, &rp->json, &q, "disputes", columns}, sight != NULL, e);
}

static bool get_precedents(struct request *rq, struct reply *rp, struct err *e)
{
        static const char *const columns[] = {"id:int", "item",    "area",   "lead", "assists:list", "principle", "text",
                                              "actor",  "at:time", "number", NULL};
        int64_t before = INT64_MAX;
        const char *text = request_query(rq, "before");
        if (text && !text_to_int(text, &before))
                return err_both(e, ERR_INVALID, "before", "before is the number of a precedent", "before 应为先例编号");
        const struct sight *sight = sight_of(rq, e);
        struct query q = query_new(rq->arena);
        query_text(&q, PRECEDENTS);
        sight_seen(&q, sight);
        query_text(&q, PRECEDENTS_FROM);
        query_arg(&q, V(before));
        query_text(&q, PRECEDENTS_ORDER);
        query_arg(&q, V((int64_t)request_limit(rq, 50, 200)));
        return answer_list(&(struct listing){rq, &rp->json, &q, "precedents", columns}, sight != NULL, e);
}

static bool get_changes(struct request *rq, struct reply *rp, struct err *e)
{
        static const char *const columns[] = {"id:int",     "state",        "item",        "area",
                                              "lead",       "assists:list", "proposed_by", "proposed:time",
                                              "decided_by", "decided:time", "reason",      "version:int",
                                              NULL};
        struct query q = query_new(rq->arena);
        query_text(&q, CHANGES);
        query_arg(&q, V((int64_t)request_limit(rq, 50, 200)));
        return answer_list(&(struct listing){rq, &rp->json, &q, "list_changes", columns}, true, e);
}

/* --- approving a change: a second person ------------------------------------------------------------------------------------- */

struct deciding {
        const struct request *rq;
        int64_t id;
        bool approve;
};

static bool decide(struct tx *tx, void *ctx, struct err *e)
{
        const struct deciding *d = ctx;
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_PROPOSER, ARGS(V(d->id)));
        if (found < 0)
                return false;
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, "id", "there is no change %lld", "没有清单变更%lld", (long long)d->id);
        const bool own = text_is(rows_text(&r, d->rq->arena, 0), d->rq->actor.name);
        if (!rows_done(&r, e))
                return false;
        if (own)
                return err_both(e, ERR_DENIED, NULL, "you ruled this; somebody else approves the change",
                                "您是裁决人，须由他人审批清单变更");
        const int n = tx_change(tx, e, SQL_DECIDE,
                                ARGS(V(d->id), V(d->approve ? "approved" : "refused"), V(d->rq->actor.name), V(d->rq->now),
                                     V(json_get_text(d->rq->body, "reason", ""))));
        return n == 1
               || (n == 0
                   && err_both(e, ERR_CONFLICT, NULL, "change %lld was decided already", "清单变更%lld已处理", (long long)d->id));
}

static bool post_change(struct request *rq, struct reply *rp, struct err *e)
{
        struct deciding d = {.rq = rq, .approve = json_get_bool(rq->body, "approve", false)};
        if (!text_to_int(request_param(rq, "id"), &d.id))
                return err_both(e, ERR_NOT_FOUND, "id", "there is no change %s", "没有清单变更%s", request_param(rq, "id"));
        struct district *district = rq->app;
        if (!store_write(district->store, decide, &d, e))
                return false;
        json_object(&rp->json, NULL);
        json_int(&rp->json, "id", d.id);
        json_text(&rp->json, "state", d.approve ? "approved" : "refused");
        json_object_end(&rp->json);
        return true;
}

/* --- tables ------------------------------------------------------------------------------------------------------------------ */

static const struct query_param limit_query[] = {
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 200, .about = "How many; 50 when unsaid."},
        {0},
};
static const struct query_param precedent_query[] = {
        {.name = "before",
         .type = SHAPE_TEXT,
         .most = 20,
         .about = "Only precedents with a lower number: the last of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 200, .about = "How many; 50 when unsaid."},
        {0},
};
static const struct shape any_element[] = {{.type = SHAPE_OBJECT, .open = true}, {0}};
static const struct shape disputes_answer[] = {{.name = "disputes", .type = SHAPE_ARRAY, .required = true, .fields = any_element},
                                               {0}};
static const struct shape precedents_answer_shape[] = {
        {.name = "precedents", .type = SHAPE_ARRAY, .required = true, .fields = any_element}, {0}};
static const struct shape changes_answer[] = {
        {.name = "list_changes", .type = SHAPE_ARRAY, .required = true, .fields = any_element}, {0}};
static const struct shape change_body[] = {
        {.name = "approve", .type = SHAPE_BOOL, .required = true, .about = "true approves, false refuses."},
        {.name = "reason", .type = SHAPE_TEXT, .most = 2000, .about = "Why."},
        {0},
};
static const struct shape change_answer[] = {
        {.name = "id", .type = SHAPE_INT, .required = true},
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/disputes",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_disputes,
         .query = limit_query,
         .answer = disputes_answer,
         .about = "Disputes over responsibility that wait for a ruling, oldest first."},
        {.method = "GET",
         .path = "/api/v1/precedents",
         .roles = ROLE_STAFF,
         .run = get_precedents,
         .query = precedent_query,
         .answer = precedents_answer_shape,
         .about = "Rulings as precedents, newest first."},
        {.method = "GET",
         .path = "/api/v1/list_changes",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_changes,
         .query = limit_query,
         .answer = changes_answer,
         .about = "Changes of the responsibility list that rulings led to, newest first."},
        {.method = "POST",
         .path = "/api/v1/list_changes/{id}",
         .roles = ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = post_change,
         .body = change_body,
         .answer = change_answer,
         .about = "Approves or refuses a change of the list, by another person than who ruled."},
        {0},
};
const struct route *const dispute_routes = routes;
