/* open311/changes_api.c -- extension: every change of every report in the order of commits, to be followed with a cursor.
 *
 * The outbox is that order: nothing can come before a settled row any more.  It forgets rows some days after they were told, so a
 * cursor carries the instant up to which it is known that nothing behind it was forgotten; too old a cursor is refused (410).
 */
#include "open311/inside_api.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "cases/workflow.h"
#include "json/json.h"
#include "task/task.h"
#include <stdio.h>

enum { LIMIT_USUAL = 100, BATCH_LEAST = 64 };
/* The outbox keeps rows seven days (task.h); some hours are left for long transactions and clocks that differ. */
static const int64_t KEPT = 7 * USEC_DAY - 6 * USEC_HOUR;

struct change {
        const char *number, *state; /* NULL: the event is of something else */
        int64_t at;
};
struct known { /* a case that may be shown */
        const char *workflow;
        int64_t version;
};
struct feed {
        struct request *rq;
        const struct sight *sight;
        struct cursor cursor;
        int64_t kept_since; /* nothing behind the cursor that was told at or after this was forgotten */
        size_t limit;
        struct change *at; /* of the batch that is looked at */
        size_t n;
        struct query query;
        struct map *known;
        struct document document;
};

/* --- the cursor -------------------------------------------------------------------------------------------------------- */
static bool start(struct feed *g, struct faults *f, struct err *e)
{
        long long tx, seq, since;
        int used = 0;
        const char *text = request_query(g->rq, "cursor");
        if (text_empty(text))
                return true; /* the beginning of what is kept */
        if (text_is(text, "now"))
                return outbox_last(g->rq->store, &g->cursor, e);
        if (sscanf(text, "%18lld.%18lld.%18lld%n", &tx, &seq, &since, &used) != 3 || text[used] || tx < 0 || seq < 0 || since < 0) {
                faults_add(f, 400, "cursor: is not one that changes has given", "cursor：不是 changes 返回过的游标");
                return true;
        }
        g->cursor = (struct cursor){tx, seq};
        if (since * USEC_SECOND < g->rq->now - KEPT)
                faults_add(f, 410,
                           "cursor: is too old, changes behind it are no longer kept; read requests, and begin with cursor=now",
                           "cursor：已过期，其后的变更不再保留；请重新读取 requests，并从 cursor=now 开始");
        return true;
}

/* --- one batch of events ------------------------------------------------------------------------------------------------------ */
static struct change change_of(struct arena *a, const struct event *event)
{
        struct err ignored;
        struct change c = {.number = NULL};
        const struct json_value *payload =
                text_is(event->topic, "case") ? json_parse(a, event->payload, strlen(event->payload), &ignored) : NULL;
        if (payload && time_parse(json_get_text(payload, "at", ""), ZONE_SHANGHAI, &c.at)) {
                c.number = json_get_text(payload, "number", "");
                c.state = json_get_text(payload, "state", "");
        }
        return c;
}

static bool read_known(struct tx *tx, void *ctx, struct err *e)
{
        struct feed *g = ctx;
        struct arena *a = g->rq->arena;
        struct rows r;
        g->known = map_new(a, g->n);
        if (!tx_rows(tx, &r, e, g->query.text.at, query_args(&g->query)))
                return false;
        while (rows_next(&r)) {
                struct known *k = NEW(a, struct known);
                *k = (struct known){.workflow = rows_text(&r, a, 1), .version = rows_int(&r, 2)};
                (void)map_put(g->known, rows_text(&r, a, 0), k);
        }
        return rows_done(&r, e);
}

/* Which of the changed cases the caller may hear of, in one statement. */
static bool look_up(struct feed *g, const struct event *events, size_t n, struct err *e)
{
        const char **numbers = NEW_ARRAY(g->rq->arena, const char *, n);
        size_t n_numbers = 0;
        g->at = NEW_ARRAY(g->rq->arena, struct change, n);
        g->n = n;
        for (size_t i = 0; i < n; i++) {
                g->at[i] = change_of(g->rq->arena, &events[i]);
                if (g->at[i].number)
                        numbers[n_numbers++] = g->at[i].number;
        }
        if (n_numbers == 0)
                return true;
        g->query = query_new(g->rq->arena);
        query_text(&g->query, "SELECT c.number, c.workflow, c.version FROM cases c WHERE c.number IN ");
        query_texts(&g->query, numbers, n_numbers);
        query_text(&g->query, " AND ");
        sight_visible(&g->query, g->sight);
        const bool ok = store_read(g->rq->store, read_known, g, e);
        buf_free(&g->query.text);
        return ok;
}

static bool change_write(struct feed *g, const struct change *c, struct err *e)
{
        struct document *d = &g->document;
        const struct known *k = c->number ? map_get(g->known, c->number) : NULL;
        if (!k)
                return true;
        const struct rulebook *rules = district_rules_of(g->rq->app, k->version, e);
        if (!rules)
                return false;
        const struct workflow *w = workflow_find(rules->workflows, k->workflow);
        const struct state *s = w ? state_find(w, c->state) : NULL;
        doc_object(d, NULL);
        doc_text(d, "service_request_id", c->number);
        doc_text(d, "status", s && state_closes(s) ? "closed" : "open");
        doc_time(d, "updated_datetime", c->at);
        doc_object_end(d);
        g->limit--;
        return true;
}

/* Goes on until the page is full of what may be shown, or there is nothing more. */
static bool write_changes(struct feed *g, struct err *e)
{
        struct event *events;
        size_t most, n;
        do {
                most = g->limit < BATCH_LEAST ? (size_t)BATCH_LEAST : g->limit;
                if (!outbox_read(g->rq->store, g->rq->arena, g->cursor, most, &events, &n, e) || !look_up(g, events, n, e))
                        return false;
                for (size_t i = 0; i < n && g->limit > 0; i++) {
                        if (!change_write(g, &g->at[i], e))
                                return false;
                        g->cursor = events[i].at;
                        g->kept_since = events[i].time;
                }
        } while (n == most && g->limit > 0);
        if (g->limit > 0) /* all there was */
                g->kept_since = g->rq->now;
        return true;
}

bool get_changes(struct request *rq, struct reply *rp, struct err *e)
{
        struct faults f = {.rq = rq};
        const struct rulebook *rules = district_rules(rq->app, e);
        if (!rules)
                return false;
        struct feed g = {.rq = rq, .sight = sight_of(rq, e), .kept_since = rq->now};
        check_jurisdiction(&f);
        g.limit = (size_t)whole_given(&f, "limit", ROWS_MOST, LIMIT_USUAL);
        if (!start(&g, &f, e))
                return false;
        if (faults_answer(&f, rp))
                return true;
        g.document = answer_begin(rq, rp);
        doc_object(&g.document, "change_feed");
        doc_array(&g.document, "changes", "change");
        if (!write_changes(&g, e))
                return false;
        doc_array_end(&g.document);
        doc_text(&g.document, "cursor",
                 arena_format(rq->arena, "%lld.%lld.%lld", (long long)g.cursor.tx, (long long)g.cursor.seq,
                              (long long)(g.kept_since / USEC_SECOND)));
        doc_object_end(&g.document);
        return true;
}
