/* hotspots/hotspots_api.c -- what many write about just now. */
#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "district/district.h"
#include "hotspots/hotspots.h"
#include "json/json.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include "topictasks/topictasks.h"

static const char SQL_ROUND[] = "SELECT at, reports FROM hotspot_round WHERE id = 1";
static const char SQL_TOPICS[] =
        "SELECT h.n, h.name, h.phrases, h.heat, h.peak, h.peak_at, h.first_at, h.last_at, h.reporters, h.reports, h.week,"
        " h.week_before, h.year_before, h.surge_p, h.surges, c.number,"
        " h.topic, (SELECT MAX(t.id) FROM topic_task t WHERE t.topic = h.topic AND t.state = 'open') FROM hotspot h"
        " LEFT JOIN hotspot_member m ON m.n = h.n LEFT JOIN cases c ON c.id = m.case_id WHERE h.n <= $1 ORDER BY h.n, m.k";
static const char SQL_PLACES[] = "SELECT name, weeks, reporters FROM hotspot_place ORDER BY n";

static const char SQL_NAME[] = "SELECT name FROM hotspot WHERE topic = $1";
static const char SQL_CASES[] =
        "SELECT m.case_id FROM hotspot h JOIN hotspot_member m ON m.n = h.n WHERE h.topic = $1 ORDER BY m.k DESC LIMIT $2";

static bool no_topic(const struct request *rq, struct err *e)
{
        return err_both(e, ERR_NOT_FOUND, "id", "there is no topic %s among the hottest now; see /api/v1/hotspots",
                        "当前热点中没有%s，可查 /api/v1/hotspots", request_param(rq, "id"));
}

struct page {
        struct request *rq;
        struct reply *rp;
        int64_t limit, topic;
};

static void begin_topic(struct page *p, const struct rows *r)
{
        struct json *j = &p->rp->json;
        struct err ignored;
        const char *phrases = rows_text(r, p->rq->arena, 2);
        json_object(j, NULL);
        json_text(j, "id", arena_format(p->rq->arena, "%lld", (long long)rows_int(r, 16)));
        json_text(j, "task", rows_null(r, 17) ? NULL : arena_format(p->rq->arena, "%lld", (long long)rows_int(r, 17)));
        json_text(j, "name", rows_text(r, p->rq->arena, 1));
        json_copy(j, "phrases", json_parse(p->rq->arena, phrases, strlen(phrases), &ignored));
        json_real(j, "heat", rows_real(r, 3));
        json_real(j, "peak", rows_real(r, 4));
        json_time(j, "peak_at", rows_int(r, 5));
        json_time(j, "from", rows_int(r, 6));
        json_time(j, "to", rows_int(r, 7));
        json_int(j, "reporters", rows_int(r, 8));
        json_int(j, "reports", rows_int(r, 9));
        json_int(j, "week", rows_int(r, 10));
        json_int(j, "week_before", rows_int(r, 11));
        json_int(j, "year_before", rows_int(r, 12));
        json_real(j, "surge_p", rows_real(r, 13));
        json_bool(j, "surges", rows_int(r, 14) != 0);
        json_array(j, "cases");
        p->topic = rows_int(r, 0);
}

static void end_topic(struct page *p)
{
        if (p->topic > 0) {
                json_array_end(&p->rp->json);
                json_object_end(&p->rp->json);
        }
        p->topic = 0;
}

static bool write_topics(struct tx *tx, struct page *p, struct err *e)
{
        struct rows r;
        json_array(&p->rp->json, "topics");
        bool ok = tx_rows(tx, &r, e, SQL_TOPICS, ARGS(V(p->limit)));
        while (ok && rows_next(&r)) {
                if (rows_int(&r, 0) != p->topic) {
                        end_topic(p);
                        begin_topic(p, &r);
                }
                if (!rows_null(&r, 15))
                        json_text(&p->rp->json, NULL, rows_text(&r, p->rq->arena, 15));
        }
        end_topic(p);
        json_array_end(&p->rp->json);
        return ok && rows_done(&r, e);
}

static bool write_places(struct tx *tx, struct page *p, struct err *e)
{
        struct json *j = &p->rp->json;
        struct rows r;
        json_array(j, "places");
        bool ok = tx_rows(tx, &r, e, SQL_PLACES, NO_ARGS);
        while (ok && rows_next(&r)) {
                json_object(j, NULL);
                json_text(j, "name", rows_text(&r, p->rq->arena, 0));
                json_int(j, "weeks", rows_int(&r, 1));
                json_int(j, "reporters", rows_int(&r, 2));
                json_object_end(j);
        }
        json_array_end(j);
        return ok && rows_done(&r, e);
}

static bool write_page(struct tx *tx, void *ctx, struct err *e)
{
        struct page *p = ctx;
        struct rows r;
        buf_clear(&p->rp->body); /* a transaction function may run again */
        p->rp->json = json_to(&p->rp->body);
        p->topic = 0;
        const int found = tx_first(tx, &r, e, SQL_ROUND, NO_ARGS);
        if (found < 0)
                return false;
        json_object(&p->rp->json, NULL);
        json_time(&p->rp->json, "found", found ? rows_int(&r, 0) : 0);
        json_int(&p->rp->json, "reports", found ? rows_int(&r, 1) : 0);
        if ((found && !rows_done(&r, e)) || !write_topics(tx, p, e) || !write_places(tx, p, e))
                return false;
        json_object_end(&p->rp->json);
        return true;
}

/* Names and phrases come from all texts, so only who sees all of them is told. */
static bool sees_all(const struct request *rq, struct err *e)
{
        const struct sight *sight = sight_of(rq, e);
        return sight
               && (sight->all
                   || err_both(e, ERR_DENIED, NULL, "hot topics are told to those who see every case of the district",
                               "热点仅向可查看全区案件的人员提供"));
}

static bool get_hotspots(struct request *rq, struct reply *rp, struct err *e)
{
        return sees_all(rq, e)
               && store_read(rq->store, write_page, &(struct page){.rq = rq, .rp = rp, .limit = request_limit(rq, 10, 50)}, e);
}

/* --- a topic as a task ----------------------------------------------------------------------------------------------------- */

struct making {
        struct request *rq;
        struct topic_task_wish wish;
};

static bool read_cases(struct tx *tx, struct arena *a, struct topic_task_wish *w, struct err *e)
{
        struct rows r;
        int64_t *cases = NEW_ARRAY(a, int64_t, TOPIC_TASK_MEMBERS_MOST);
        w->n = 0;
        bool ok = tx_rows(tx, &r, e, SQL_CASES, ARGS(V(w->topic), V((int)TOPIC_TASK_MEMBERS_MOST)));
        while (ok && w->n < TOPIC_TASK_MEMBERS_MOST && rows_next(&r))
                cases[w->n++] = rows_int(&r, 0);
        w->cases = cases;
        return ok && rows_done(&r, e);
}

static bool make(struct tx *tx, void *ctx, struct err *e)
{
        const struct making *m = ctx;
        struct topic_task_wish w = m->wish; /* a transaction function may run again */
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_NAME, ARGS(V(w.topic)));
        if (found < 0)
                return false;
        if (found == 0)
                return no_topic(m->rq, e);
        if (text_empty(w.name))
                w.name = rows_text(&r, m->rq->arena, 0);
        return rows_done(&r, e) && read_cases(tx, m->rq->arena, &w, e) && topic_task_make(tx, &w, e);
}

static bool post_task(struct request *rq, struct reply *rp, struct err *e)
{
        struct district *d = rq->app;
        const struct rulebook *rules = district_rules(d, e);
        struct making m = {.rq = rq,
                           .wish = {.id = id_new(d->ids, rq->now),
                                    .act = id_new(d->ids, rq->now),
                                    .due = request_instant(json_get_text(rq->body, "due", NULL), 0),
                                    .name = json_get_text(rq->body, "name", ""),
                                    .goal = json_get_text(rq->body, "goal", ""),
                                    .owner = json_get_text(rq->body, "owner", ""),
                                    .actor = rq->actor.name,
                                    .unit = rq->actor.unit,
                                    .now = rq->now}};
        if (!rules || !sees_all(rq, e))
                return false;
        if (!text_to_int(request_param(rq, "id"), &m.wish.topic))
                return no_topic(rq, e);
        if (!unit_find(rules->units, m.wish.owner))
                return err_both(e, ERR_INVALID, "owner", "there is no unit \"%s\"; see /api/v1/units",
                                "没有编码为“%s”的单位，可查 /api/v1/units", m.wish.owner);
        if (m.wish.due && m.wish.due <= rq->now)
                return err_both(e, ERR_INVALID, "due", "due must lie in the future", "办结期限应晚于当前时间");
        rp->status = 201;
        return store_write(d->store, make, &m, e) && topic_task_answer(rq, rp, m.wish.id, e);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------- */

static const struct query_param query[] = {
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 50, .about = "10 when unsaid."},
        {0},
};
static const struct shape text_element[] = {{.type = SHAPE_TEXT}, {0}};
static const struct shape topic_members[] = {
        {.name = "id", .type = SHAPE_TEXT, .required = true, .about = "To make a task of it; may change as old reports leave it."},
        {.name = "task", .type = SHAPE_TEXT, .required = true, .nullable = true, .about = "The open task that has it; null: none."},
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "phrases",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = text_element,
         .about = "In most of its reports, in few others."},
        {.name = "heat", .type = SHAPE_REAL, .required = true, .about = "Reporters, each counting half after 30 days."},
        {.name = "peak", .type = SHAPE_REAL, .required = true},
        {.name = "peak_at", .type = SHAPE_TIME, .required = true, .nullable = true},
        {.name = "from", .type = SHAPE_TIME, .required = true},
        {.name = "to", .type = SHAPE_TIME, .required = true},
        {.name = "reporters", .type = SHAPE_INT, .required = true, .about = "Who repeats himself counts once."},
        {.name = "reports", .type = SHAPE_INT, .required = true},
        {.name = "week", .type = SHAPE_INT, .required = true, .about = "Reporters in the last 7 days."},
        {.name = "week_before", .type = SHAPE_INT, .required = true},
        {.name = "year_before", .type = SHAPE_INT, .required = true},
        {.name = "surge_p", .type = SHAPE_REAL, .required = true, .about = "How likely the rise is by chance."},
        {.name = "surges", .type = SHAPE_BOOL, .required = true},
        {.name = "cases", .type = SHAPE_ARRAY, .required = true, .fields = text_element, .about = "Numbers; the newest 200."},
        {0},
};
static const struct shape topic_element[] = {{.type = SHAPE_OBJECT, .fields = topic_members}, {0}};
static const struct shape place_members[] = {
        {.name = "name", .type = SHAPE_TEXT, .required = true},
        {.name = "weeks",
         .type = SHAPE_INT,
         .required = true,
         .about = "Different weeks in which it was reported by at least three."},
        {.name = "reporters", .type = SHAPE_INT, .required = true},
        {0},
};
static const struct shape place_element[] = {{.type = SHAPE_OBJECT, .fields = place_members}, {0}};
static const struct shape answer[] = {
        {.name = "found", .type = SHAPE_TIME, .required = true, .nullable = true, .about = "null: not yet."},
        {.name = "reports", .type = SHAPE_INT, .required = true, .about = "In how many it was looked for."},
        {.name = "topics", .type = SHAPE_ARRAY, .required = true, .fields = topic_element, .about = "The hottest first."},
        {.name = "places",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = place_element,
         .about = "Places that come back week after week."},
        {0},
};
static const struct shape task_body[] = {
        {.name = "owner",
         .type = SHAPE_TEXT,
         .required = true,
         .least = 1,
         .most = 60,
         .about = "Code of the unit that ends the cause."},
        {.name = "name", .type = SHAPE_TEXT, .most = 200, .about = "That of the topic when unsaid."},
        {.name = "goal", .type = SHAPE_TEXT, .most = 4000, .about = "What is to be reached, and remarks."},
        {.name = "due", .type = SHAPE_TIME},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/hotspots",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_hotspots,
         .query = query,
         .answer = answer,
         .about = "What many write about just now, of the reports of the last 90 days; found every five minutes."},
        {.method = "POST",
         .path = "/api/v1/hotspots/{id}/task",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = post_task,
         .body = task_body,
         .answer = topic_task_shape,
         .about = "Makes a task of a topic: its cases, and those that join it while the task is open, become members."},
        {0},
};
const struct route *const hotspot_routes = routes;
