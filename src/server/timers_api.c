/* server/timers_api.c -- the timers that wait, by the instant at which they are looked at: what falls due next in which case,
 * what is tried again, what was given up. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "json/json.h"
#include "server/serve.h"
#include "sight/sight_api.h"
#include "store/store.h"
#include <stdio.h>

/* The page is taken from the index of timers before anything is looked up, so it costs the same whatever somebody may see; what he
 * may not see is left out of it.  A timer of a case has the case's id as its key. */
static const char PAGE[] =
        "SELECT t.key, t.due, t.wake, t.tries, COALESCE(t.error, ''), k.clock, k.unit, k.due, k.warn_at, k.step_at, k.overdue,"
        " CASE WHEN ";
static const char PAGE_FROM[] = " THEN c.number ELSE NULL END FROM (SELECT key, due, wake, tries, error FROM timer WHERE kind = ";
static const char PAGE_PARKED[] = " AND parked = 1";
static const char PAGE_WAITING[] = " AND parked = 0";
static const char PAGE_AFTER[] = " AND (wake > ";
static const char PAGE_END[] =
        ") t LEFT JOIN cases c ON c.id = CAST(t.key AS BIGINT) LEFT JOIN case_clock k ON k.case_id = c.id AND k.state = 'running'"
        " ORDER BY t.wake, t.key, k.due, k.clock";
static const char PLAIN[] =
        "SELECT key, due, wake, tries, COALESCE(error, ''), NULL, NULL, 0, 0, 0, 0, NULL FROM timer WHERE kind = ";

/* Timers of which each belongs to a case. */
static const char *const of_cases[] = {"case-clock", "case-ask"};

struct page {
        struct request *rq;
        struct reply *rp;
        const struct sight *sight;
        const char *kind, *after_key;
        int64_t after_wake, limit;
        bool cases, parked;
        /* while it is written */
        const char *key; /* of the timer that is open in the answer */
        int64_t n, wake; /* timers gone through, and when the last is looked at */
        bool open;
};

static void add_bounds(const struct page *p, struct query *q)
{
        query_arg(q, V(p->kind));
        query_text(q, p->parked ? PAGE_PARKED : PAGE_WAITING);
        if (p->after_key) {
                query_text(q, PAGE_AFTER);
                query_arg(q, V(p->after_wake));
                query_text(q, " OR (wake = ");
                query_arg(q, V(p->after_wake));
                query_text(q, " AND key > ");
                query_arg(q, V(p->after_key));
                query_text(q, "))");
                query_text(q, " AND wake >= ");
                query_arg(q, V(p->after_wake));
        }
        query_text(q, " ORDER BY wake, key LIMIT ");
        query_arg(q, V(p->limit));
}

static struct query page_query(const struct page *p)
{
        struct query q = query_new(p->rq->arena);
        if (!p->cases) {
                query_text(&q, PLAIN);
                add_bounds(p, &q);
                return q;
        }
        query_text(&q, PAGE);
        sight_seen(&q, p->sight);
        query_text(&q, PAGE_FROM);
        add_bounds(p, &q);
        query_text(&q, PAGE_END);
        return q;
}

static void begin_timer(struct page *p, const struct rows *r)
{
        struct json *j = &p->rp->json;
        const char *error = rows_text(r, p->rq->arena, 4);
        json_object(j, NULL);
        json_text(j, "kind", p->kind);
        json_text(j, "key", p->key);
        if (p->cases)
                json_text(j, "number", rows_text(r, p->rq->arena, 11));
        json_time(j, "due", rows_int(r, 1));
        json_time(j, "next", p->parked ? 0 : rows_int(r, 2));
        json_int(j, "tries", rows_int(r, 3));
        json_text(j, "error", p->rq->actor.role == ROLE_ADMIN ? error : "");
        json_array(j, "clocks");
        p->open = true;
}

static void end_timer(struct page *p)
{
        if (p->open) {
                json_array_end(&p->rp->json);
                json_object_end(&p->rp->json);
        }
        p->open = false;
}

static void add_row(struct page *p, const struct rows *r)
{
        struct json *j = &p->rp->json;
        const char *key = rows_text(r, p->rq->arena, 0);
        if (!p->key || !text_is(p->key, key)) {
                end_timer(p);
                p->key = key;
                p->n++;
                p->wake = rows_int(r, 2);
                if (!p->cases || !rows_null(r, 11))
                        begin_timer(p, r);
        }
        if (!p->open || rows_null(r, 5))
                return;
        json_object(j, NULL);
        json_text(j, "clock", rows_text(r, p->rq->arena, 5));
        json_text(j, "unit", rows_text(r, p->rq->arena, 6));
        json_time(j, "due", rows_int(r, 7));
        json_time(j, "warning", rows_int(r, 8));
        json_time(j, "step", rows_int(r, 9));
        json_bool(j, "overdue", rows_int(r, 10) != 0);
        json_object_end(j);
}

static bool write_page(struct tx *tx, void *ctx, struct err *e)
{
        struct page *p = ctx;
        struct json *j = &p->rp->json;
        struct query q = page_query(p);
        struct rows r;
        bool ok = tx_rows(tx, &r, e, q.text.at, query_args(&q));
        buf_free(&q.text);
        if (!ok)
                return false;
        p->key = NULL;
        p->n = 0;
        p->open = false;
        buf_clear(&p->rp->body); /* a transaction function may run again */
        *j = json_to(&p->rp->body);
        json_object(j, NULL);
        json_array(j, "timers");
        while (rows_next(&r))
                add_row(p, &r);
        end_timer(p);
        json_array_end(j);
        json_text(j, "after", p->n == p->limit ? arena_format(p->rq->arena, "%lld.%s", (long long)p->wake, p->key) : NULL);
        json_object_end(j);
        return rows_done(&r, e);
}

static bool read_after(struct page *p, const char *after, struct err *e)
{
        const char *dot = after ? strchr(after, '.') : NULL;
        if (!after)
                return true;
        p->after_key = dot ? dot + 1 : NULL;
        return (dot && text_to_int(arena_format(p->rq->arena, "%.*s", (int)(dot - after), after), &p->after_wake))
               || err_both(e, ERR_INVALID, "after", "after must be the value that the page before gave",
                           "after 须为上一页返回的值");
}

static bool get_timers(struct request *rq, struct reply *rp, struct err *e)
{
        const char *kind = request_query(rq, "kind"), *parked = request_query(rq, "parked");
        struct page p = {.rq = rq, .rp = rp, .kind = kind ? kind : of_cases[0], .parked = text_is(parked, "yes")};
        p.limit = request_limit(rq, 100, 500);
        p.sight = sight_of(rq, e);
        for (size_t i = 0; i < COUNT_OF(of_cases); i++)
                p.cases = p.cases || text_is(p.kind, of_cases[i]);
        if (!p.sight || !read_after(&p, request_query(rq, "after"), e))
                return false;
        if (!p.cases && rq->actor.role != ROLE_ADMIN)
                return err_both(e, ERR_DENIED, "kind", "timers of that kind are an administrator's", "此类定时器仅管理员可查看");
        return store_read(rq->store, write_page, &p, e);
}

static const char *const yes_no[] = {"yes", "no", NULL};
static const struct query_param query[] = {
        {.name = "kind",
         .type = SHAPE_TEXT,
         .most = 40,
         .about = "case-clock when unsaid; kinds that are not of cases: administrators."},
        {.name = "parked", .type = SHAPE_TEXT, .choices = yes_no, .about = "yes: those that were given up after their tries."},
        {.name = "after", .type = SHAPE_TEXT, .most = 80, .about = "The `after` of the page before."},
        {.name = "limit", .type = SHAPE_INT, .least = 1, .most = 500, .about = "How many are gone through; 100 when unsaid."},
        {0},
};
static const struct shape clock_members[] = {
        {.name = "clock", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true, .about = "Whose time it is."},
        {.name = "due", .type = SHAPE_TIME, .required = true},
        {.name = "warning", .type = SHAPE_TIME, .required = true, .nullable = true, .about = "null: given already, or none."},
        {.name = "step", .type = SHAPE_TIME, .required = true, .nullable = true, .about = "The next step of the ladder."},
        {.name = "overdue", .type = SHAPE_BOOL, .required = true},
        {0},
};
static const struct shape clock_element[] = {{.type = SHAPE_OBJECT, .fields = clock_members}, {0}};
static const struct shape members[] = {
        {.name = "kind", .type = SHAPE_TEXT, .required = true},
        {.name = "key", .type = SHAPE_TEXT, .required = true},
        {.name = "number", .type = SHAPE_TEXT, .about = "Of the case, for kinds of cases."},
        {.name = "due", .type = SHAPE_TIME, .required = true},
        {.name = "next",
         .type = SHAPE_TIME,
         .required = true,
         .nullable = true,
         .about = "When it is looked at next; null: parked."},
        {.name = "tries", .type = SHAPE_INT, .required = true, .about = "How often it failed."},
        {.name = "error", .type = SHAPE_TEXT, .required = true, .about = "Why it failed last; for administrators."},
        {.name = "clocks",
         .type = SHAPE_ARRAY,
         .required = true,
         .fields = clock_element,
         .about = "Running clocks of the case, by their ends."},
        {0},
};
static const struct shape element[] = {{.type = SHAPE_OBJECT, .fields = members}, {0}};
static const struct shape answer[] = {
        {.name = "timers", .type = SHAPE_ARRAY, .required = true, .fields = element},
        {.name = "after",
         .type = SHAPE_TEXT,
         .required = true,
         .nullable = true,
         .about = "For the next page; null: this was the last."},
        {0},
};
static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/timers",
         .roles = ROLE_DISPATCHER | ROLE_SUPERVISOR | ROLE_ADMIN,
         .run = get_timers,
         .query = query,
         .answer = answer,
         .about = "Timers that wait, the next first, with the clocks of the cases in sight: what will warn, fall due or"
                  " be escalated.  A page may be shorter than `limit`: what is out of sight is left out."},
        {0},
};
const struct route *const timer_routes = routes;
