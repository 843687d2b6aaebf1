/* topictasks/read_api.c -- tasks as they are told: a page of them, and one with its cases and its history. */
#include "base/arena.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "json/json.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "topictasks/inside.h"

#define TASK_COLUMNS \
        "SELECT t.id, t.name, t.goal, t.owner, t.due, t.state, t.made_by, t.made_at, t.closed_by, t.closed_at, t.result," \
        " (SELECT MAX(n.at) FROM topic_task_act n WHERE n.task = t.id AND n.act = 'note') FROM topic_task t WHERE "
static const char PAGE[] = TASK_COLUMNS "t.id < ";
static const char ONE[] = TASK_COLUMNS "t.id = ";
/* Closed is what no clock runs for any more, as for false closings. */
static const char SQL_PROGRESS[] =
        "SELECT COUNT(*), COUNT(CASE WHEN c.open = 0 OR w.clock = 'off' THEN 1 END) FROM topic_task_member m"
        " JOIN cases c ON c.id = m.case_id LEFT JOIN workflow_state w ON w.version = c.version AND w.workflow = c.workflow"
        " AND w.name = c.state WHERE m.task = $1 AND m.state = 'in'";
static const char MEMBERS[] =
        "SELECT c.id, c.number, c.title, c.state, c.unit, c.created_at, m.at, m.added_by, CASE WHEN c.open = 0 OR w.clock = 'off'"
        " THEN 1 ELSE 0 END FROM topic_task_member m JOIN cases c ON c.id = m.case_id LEFT JOIN workflow_state w"
        " ON w.version = c.version AND w.workflow = c.workflow AND w.name = c.state WHERE m.state = 'in' AND m.task = ";
static const char ACTS[] = "SELECT a.act, a.actor, a.unit, a.text, a.at, (SELECT c.number FROM cases c WHERE c.id = a.case_id AND ";
static const char ACTS_FROM[] = ") FROM topic_task_act a WHERE a.task = ";
/* The members of each task of a page are counted within one reading, up to 2,000 of each: hence no longer pages. */
enum { ACTS_MOST = 200, TASKS_MOST = 20, MEMBERS_USUAL = 50, OWNERS_MOST = 256 };

/* --- who may see which ------------------------------------------------------------------------------------------------------ */

struct readers {
        const struct sight *sight;
        const char **owners; /* the units the caller belongs to, and those above them */
        size_t n_owners;
};

static void add_owner(struct readers *r, const struct rulebook *rules, const char *code)
{
        for (const struct unit *u = text_empty(code) ? NULL : unit_find(rules->units, code); u && r->n_owners < OWNERS_MOST;
             u = text_empty(u->parent) ? NULL : unit_find(rules->units, u->parent))
                r->owners[r->n_owners++] = u->code;
}

static bool find_readers(const struct request *rq, struct readers *r, struct err *e)
{
        const struct rulebook *rules = district_rules(rq->app, e);
        *r = (struct readers){.sight = sight_of(rq, e), .owners = NEW_ARRAY(rq->arena, const char *, OWNERS_MOST)};
        if (!rules || !r->sight)
                return false;
        for (size_t i = 0; i < rq->actor.n_memberships; i++)
                add_owner(r, rules, rq->actor.memberships[i].unit);
        if (rq->actor.n_memberships == 0)
                add_owner(r, rules, rq->actor.unit);
        return true;
}

static void add_readers(struct query *q, const struct readers *r)
{
        if (r->sight->all)
                return;
        query_text(q, r->n_owners ? " AND t.owner || '' IN " : " AND 1 = 0");
        if (r->n_owners)
                query_texts(q, r->owners, r->n_owners);
}

/* --- one row ---------------------------------------------------------------------------------------------------------------- */

struct row {
        int64_t id, due, made, closed, noted, members, members_closed;
        const char *name, *goal, *owner, *state, *made_by, *closed_by, *result;
};

static void read_row(const struct rows *r, struct arena *a, struct row *t)
{
        *t = (struct row){.id = rows_int(r, 0),
                          .name = rows_text(r, a, 1),
                          .goal = rows_text(r, a, 2),
                          .owner = rows_text(r, a, 3),
                          .due = rows_int(r, 4),
                          .state = rows_text(r, a, 5),
                          .made_by = rows_text(r, a, 6),
                          .made = rows_int(r, 7),
                          .closed_by = rows_text(r, a, 8),
                          .closed = rows_int(r, 9),
                          .result = rows_text(r, a, 10),
                          .noted = rows_int(r, 11)};
}

static bool read_progress(struct tx *tx, struct row *t, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_PROGRESS, ARGS(V(t->id)));
        if (found <= 0)
                return found == 0;
        t->members = rows_int(&r, 0);
        t->members_closed = rows_int(&r, 1);
        return rows_done(&r, e);
}

static const char *id_text(struct arena *a, int64_t id)
{
        return arena_format(a, "%lld", (long long)id);
}

static void row_json(const struct row *t, const struct request *rq, const struct rulebook *rules, struct json *j)
{
        const struct unit *owner = unit_find(rules->units, t->owner);
        const bool open = text_is(t->state, "open");
        json_text(j, "id", id_text(rq->arena, t->id));
        json_text(j, "name", t->name);
        json_text(j, "goal", t->goal);
        json_text(j, "owner", t->owner);
        json_text(j, "owner_name", owner ? owner->name : "");
        json_text(j, "state", t->state);
        json_time(j, "due", t->due);
        json_bool(j, "late", t->due && (open ? rq->now : t->closed) > t->due);
        json_text(j, "made_by", t->made_by);
        json_time(j, "made", t->made);
        json_text(j, "closed_by", t->closed_by);
        json_time(j, "closed", t->closed);
        json_text(j, "result", t->result);
        json_time(j, "noted", t->noted);
        json_int(j, "members", t->members);
        json_int(j, "members_closed", t->members_closed);
}

/* --- a page ----------------------------------------------------------------------------------------------------------------- */

struct paging {
        struct request *rq;
        const struct rulebook *rules;
        struct query *query;
        struct row *at;
        size_t n, limit;
};

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        struct paging *p = ctx;
        struct rows r;
        p->n = 0;
        const struct value *args = query_args(p->query);
        bool ok = tx_rows(tx, &r, e, p->query->text.at, args);
        while (ok && p->n < p->limit && rows_next(&r))
                read_row(&r, p->rq->arena, &p->at[p->n++]);
        ok = ok && rows_done(&r, e);
        for (size_t i = 0; ok && i < p->n; i++)
                ok = read_progress(tx, &p->at[i], e);
        return ok;
}

static bool make_page(struct query *q, const struct request *rq, size_t limit, struct err *e)
{
        struct readers readers;
        int64_t after = INT64_MAX;
        const char *state = request_query(rq, "state"), *from = request_query(rq, "after");
        if (from && !text_to_int(from, &after))
                return err_both(e, ERR_INVALID, "after",
                                "\"%s\" is not a place in this list; take it from \"next\" of the page before",
                                "“%s”不是此列表的位置，请使用上一页返回的 next", from);
        if (!find_readers(rq, &readers, e))
                return false;
        query_text(q, PAGE);
        query_arg(q, V(after));
        add_readers(q, &readers);
        if (state) {
                query_text(q, " AND t.state = ");
                query_arg(q, V(state));
        }
        query_text(q, " ORDER BY t.id DESC LIMIT ");
        query_arg(q, V((int64_t)limit));
        return true;
}

static bool get_page(struct request *rq, struct reply *rp, struct err *e)
{
        struct query q = query_new(rq->arena);
        struct paging p = {.rq = rq, .rules = district_rules(rq->app, e), .query = &q};
        struct json *j = &rp->json;
        p.limit = (size_t)request_limit(rq, TASKS_MOST, TASKS_MOST);
        p.at = NEW_ARRAY(rq->arena, struct row, p.limit);
        const bool ok = p.rules && make_page(&q, rq, p.limit, e) && store_read(rq->store, read_page, &p, e);
        buf_free(&q.text);
        if (!ok)
                return false;
        json_object(j, NULL);
        json_array(j, "topic_tasks");
        for (size_t i = 0; i < p.n; i++) {
                json_object(j, NULL);
                row_json(&p.at[i], rq, p.rules, j);
                json_object_end(j);
        }
        json_array_end(j);
        if (p.n == p.limit)
                json_text(j, "next", id_text(rq->arena, p.at[p.n - 1].id));
        json_object_end(j);
        return true;
}

/* --- one -------------------------------------------------------------------------------------------------------------------- */

struct telling {
        struct request *rq;
        struct reply *rp;
        const struct rulebook *rules;
        struct readers readers;
        int64_t id, after, limit;
};

static bool no_task(const struct request *rq, struct err *e)
{
        return err_both(e, ERR_NOT_FOUND, "id", "there is no task %s", "没有类案治理任务%s", request_param(rq, "id"));
}

static bool find_row(struct tx *tx, const struct telling *t, struct row *row, bool *found, struct err *e)
{
        struct query q = query_new(t->rq->arena);
        struct rows r;
        query_text(&q, ONE);
        query_arg(&q, V(t->id));
        add_readers(&q, &t->readers);
        const struct value *args = query_args(&q);
        const int n = tx_first(tx, &r, e, q.text.at, args);
        if (n > 0)
                read_row(&r, t->rq->arena, row);
        buf_free(&q.text);
        *found = n > 0;
        return n > 0 ? rows_done(&r, e) : n == 0;
}

static bool write_members(struct tx *tx, const struct telling *t, struct err *e)
{
        struct arena *a = t->rq->arena;
        struct json *j = &t->rp->json;
        struct query q = query_new(a);
        struct rows r;
        int64_t n = 0, last = 0;
        query_text(&q, MEMBERS);
        query_arg(&q, V(t->id));
        query_text(&q, " AND m.case_id < ");
        query_arg(&q, V(t->after));
        query_text(&q, " AND ");
        sight_seen(&q, t->readers.sight);
        query_text(&q, " ORDER BY m.case_id DESC LIMIT ");
        query_arg(&q, V(t->limit));
        const struct value *args = query_args(&q);
        json_array(j, "cases");
        bool ok = tx_rows(tx, &r, e, q.text.at, args);
        for (; ok && rows_next(&r); n++) {
                json_object(j, NULL);
                json_text(j, "number", rows_text(&r, a, 1));
                json_text(j, "title", rows_text(&r, a, 2));
                json_text(j, "state", rows_text(&r, a, 3));
                json_bool(j, "closed", rows_int(&r, 8) != 0);
                json_text(j, "unit", rows_text(&r, a, 4));
                json_time(j, "created", rows_int(&r, 5));
                json_time(j, "joined", rows_int(&r, 6));
                json_text(j, "added_by", rows_text(&r, a, 7));
                json_object_end(j);
                last = rows_int(&r, 0);
        }
        json_array_end(j);
        if (n == t->limit)
                json_text(j, "next", id_text(a, last));
        ok = ok && rows_done(&r, e);
        buf_free(&q.text);
        return ok;
}

/* The number of a case that was added or removed is told to who sees the case. */
static bool write_acts(struct tx *tx, const struct telling *t, struct err *e)
{
        struct arena *a = t->rq->arena;
        struct json *j = &t->rp->json;
        struct query q = query_new(a);
        struct rows r;
        query_text(&q, ACTS);
        sight_seen(&q, t->readers.sight);
        query_text(&q, ACTS_FROM);
        query_arg(&q, V(t->id));
        query_text(&q, " ORDER BY a.id DESC LIMIT ");
        query_arg(&q, V((int)ACTS_MOST));
        const struct value *args = query_args(&q);
        json_array(j, "acts");
        bool ok = tx_rows(tx, &r, e, q.text.at, args);
        while (ok && rows_next(&r)) {
                json_object(j, NULL);
                json_text(j, "act", rows_text(&r, a, 0));
                json_text(j, "actor", rows_text(&r, a, 1));
                json_text(j, "unit", rows_text(&r, a, 2));
                json_text(j, "text", rows_text(&r, a, 3));
                json_time(j, "at", rows_int(&r, 4));
                json_text(j, "number", rows_text(&r, a, 5));
                json_object_end(j);
        }
        json_array_end(j);
        ok = ok && rows_done(&r, e);
        buf_free(&q.text);
        return ok;
}

static bool write_one(struct tx *tx, void *ctx, struct err *e)
{
        const struct telling *t = ctx;
        struct json *j = &t->rp->json;
        struct row row;
        bool found;
        buf_clear(&t->rp->body); /* a transaction function may run again */
        *j = json_to(&t->rp->body);
        if (!find_row(tx, t, &row, &found, e))
                return false;
        if (!found)
                return no_task(t->rq, e);
        if (!read_progress(tx, &row, e))
                return false;
        json_object(j, NULL);
        row_json(&row, t->rq, t->rules, j);
        if (!write_members(tx, t, e) || !write_acts(tx, t, e))
                return false;
        json_object_end(j);
        return true;
}

static bool tell(struct request *rq, struct reply *rp, int64_t id, int64_t after, int limit, struct err *e)
{
        struct district *d = rq->app;
        struct telling t = {rq, rp, district_rules(d, e), {0}, id, after, limit};
        return t.rules && find_readers(rq, &t.readers, e) && store_read(d->store, write_one, &t, e);
}

bool topic_task_answer(struct request *rq, struct reply *rp, int64_t id, struct err *e)
{
        return tell(rq, rp, id, INT64_MAX, MEMBERS_USUAL, e);
}

static bool get_one(struct request *rq, struct reply *rp, struct err *e)
{
        int64_t id, after = INT64_MAX;
        const char *from = request_query(rq, "after");
        if (!text_to_int(request_param(rq, "id"), &id))
                return no_task(rq, e);
        if (from && !text_to_int(from, &after))
                return err_both(e, ERR_INVALID, "after",
                                "\"%s\" is not a place in this list; take it from \"next\" of the page before",
                                "“%s”不是此列表的位置，请使用上一页返回的 next", from);
        return tell(rq, rp, id, after, request_limit(rq, MEMBERS_USUAL, 500), e);
}

struct seeing {
        struct telling *telling;
        bool found;
};

static bool see(struct tx *tx, void *ctx, struct err *e)
{
        struct seeing *s = ctx;
        struct row ignored;
        return find_row(tx, s->telling, &ignored, &s->found, e);
}

bool topic_task_seen(struct request *rq, int64_t *id, struct err *e)
{
        struct telling t = {.rq = rq};
        struct seeing s = {&t, false};
        if (!text_to_int(request_param(rq, "id"), &t.id))
                return no_task(rq, e);
        if (!find_readers(rq, &t.readers, e) || !store_read(rq->store, see, &s, e))
                return false;
        *id = t.id;
        return s.found || no_task(rq, e);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------- */

static const char *const state_words[] = {"open", "closed", NULL};
static const char *const act_words[] = {"made", "note", "added", "removed", "closed", "reopened", NULL};
static const struct query_param page_query[] = {
        {.name = "state", .type = SHAPE_TEXT, .choices = state_words, .about = "Any when unsaid."},
        {.name = "after", .type = SHAPE_TEXT, .about = "`next` of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = TASKS_MOST, .about = "20 when unsaid."},
        {0},
};
static const struct query_param one_query[] = {
        {.name = "after", .type = SHAPE_TEXT, .about = "`next` of the cases of the answer before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 500, .about = "Of its cases; 50 when unsaid."},
        {0},
};
#define TASK_MEMBERS \
        {.name = "id", .type = SHAPE_TEXT, .required = true}, {.name = "name", .type = SHAPE_TEXT, .required = true}, \
                {.name = "goal", .type = SHAPE_TEXT, .required = true}, \
                {.name = "owner", .type = SHAPE_TEXT, .required = true, .about = "Code of the unit that ends the cause."}, \
                {.name = "owner_name", .type = SHAPE_TEXT, .required = true}, \
                {.name = "state", .type = SHAPE_TEXT, .required = true, .choices = state_words}, \
                {.name = "due", .type = SHAPE_TIME, .required = true, .nullable = true}, \
                {.name = "late", .type = SHAPE_BOOL, .required = true}, {.name = "made_by", .type = SHAPE_TEXT, .required = true}, \
                {.name = "made", .type = SHAPE_TIME, .required = true}, \
                {.name = "closed_by", .type = SHAPE_TEXT, .required = true}, \
                {.name = "closed", .type = SHAPE_TIME, .required = true, .nullable = true}, \
                {.name = "result", .type = SHAPE_TEXT, .required = true}, \
                {.name = "noted", \
                 .type = SHAPE_TIME, \
                 .required = true, \
                 .nullable = true, \
                 .about = "When progress was reported last."}, \
                {.name = "members", .type = SHAPE_INT, .required = true, .about = "Cases, also those the caller may not see."}, \
        { \
                .name = "members_closed", .type = SHAPE_INT, .required = true, .about = "Of them, those that are closed." \
        }
static const struct shape row_shape[] = {TASK_MEMBERS, {0}};
static const struct shape row_element[] = {{.type = SHAPE_OBJECT, .fields = row_shape}, {0}};
static const struct shape page_answer[] = {
        {.name = "topic_tasks", .type = SHAPE_ARRAY, .required = true, .fields = row_element, .about = "The newest first."},
        {.name = "next", .type = SHAPE_TEXT, .about = "Where the next page begins; missing on the last."},
        {0},
};
static const struct shape case_shape[] = {
        {.name = "number", .type = SHAPE_TEXT, .required = true},
        {.name = "title", .type = SHAPE_TEXT, .required = true},
        {.name = "state", .type = SHAPE_TEXT, .required = true},
        {.name = "closed", .type = SHAPE_BOOL, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "created", .type = SHAPE_TIME, .required = true},
        {.name = "joined", .type = SHAPE_TIME, .required = true},
        {.name = "added_by", .type = SHAPE_TEXT, .required = true, .about = "Empty: it is of the topic."},
        {0},
};
static const struct shape case_element[] = {{.type = SHAPE_OBJECT, .fields = case_shape}, {0}};
static const struct shape act_shape[] = {
        {.name = "act", .type = SHAPE_TEXT, .required = true, .choices = act_words},
        {.name = "actor", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "text", .type = SHAPE_TEXT, .required = true},
        {.name = "at", .type = SHAPE_TIME, .required = true},
        {.name = "number",
         .type = SHAPE_TEXT,
         .required = true,
         .nullable = true,
         .about = "Of the case that was added or removed."},
        {0},
};
static const struct shape act_element[] = {{.type = SHAPE_OBJECT, .fields = act_shape}, {0}};
const struct shape topic_task_shape[] = {
        TASK_MEMBERS,
        {.name = "cases",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = case_element,
         .about = "Those the caller may see, the newest first."},
        {.name = "next", .type = SHAPE_TEXT, .about = "Where its next cases begin; missing on the last page."},
        {.name = "acts", .type = SHAPE_ARRAY, .required = true, .fields = act_element, .about = "The newest 200."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/topic_tasks",
         .roles = ROLE_DISPATCHER | ROLE_UNIT | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_page,
         .query = page_query,
         .answer = page_answer,
         .about = "Topics as tasks: all for who sees every case, else those whose owner is one's unit or one above it."},
        {.method = "GET",
         .path = "/api/v1/topic_tasks/{id}",
         .roles = ROLE_DISPATCHER | ROLE_UNIT | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_one,
         .query = one_query,
         .answer = topic_task_shape,
         .about = "One, with its cases and what was done."},
        {0},
};
const struct route *const topic_routes = routes;
