/* server/events_api.c -- live updates as server-sent events, read from the outbox, resumable by Last-Event-ID. */
#include "base/arena.h"
#include "base/text.h"
#include "cases/view.h"
#include "district/district.h"
#include "http/http.h"
#include "intake/intake.h"
#include "json/json.h"
#include "sight/sight_api.h"
#include "server/serve.h"
#include "store/store.h"
#include "task/task.h"
#include <stdio.h>
#include <stdlib.h>

enum { EVENTS_ONCE = 256, UNSENT_MOST = 64 << 10 };

/* The case that a tracked one was merged into. */
struct joint {
        const char *number; /* NULL: it stands alone */
        const char *state;  /* of the tracked one, beside it */
};
/* One listener: of a case with its tracking code, or somebody who is told of all he may see. */
struct feed {
        struct district *district;
        struct arena *arena; /* emptied before each reading */
        struct arena *own;   /* of the listener's texts */
        struct cursor at;
        struct viewer viewer;
        const char *track;
        struct joint joint;
};

static struct feed *feed_new(struct district *d)
{
        struct feed *f = calloc(1, sizeof *f);
        if (!f)
                abort();
        *f = (struct feed){.district = d, .arena = arena_new(), .own = arena_new()};
        return f;
}

static void feed_close(void *ctx)
{
        struct feed *f = ctx;
        arena_free(&f->arena);
        arena_free(&f->own);
        free(f);
}

/* Whether the case, as it stands now, is in sight.  That of the unit in charge, which the event names, needs no look at
 * the store. */
struct asking {
        const struct feed *feed;
        const struct sight *sight;
        const struct event *event;
        int64_t seen;
};

static bool ask(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *w = ctx;
        struct query q = query_new(w->feed->arena);
        query_text(&q, "SELECT COUNT(*) FROM cases c WHERE c.number = ");
        query_arg(&q, V(w->event->key));
        query_text(&q, " AND ");
        sight_seen(&q, w->sight);
        const struct value *args = query_args(&q);
        const bool ok = tx_int(tx, &w->seen, 0, e, q.text.at, args);
        buf_free(&q.text);
        return ok;
}

static bool wanted(const struct feed *f, const struct sight *sight, const struct event *event, const struct json_value *payload,
                   bool *yes, struct err *e)
{
        struct asking w = {f, sight, event, 0};
        *yes = f->track ? text_is(json_get_text(payload, "track", ""), f->track)
                                  || (f->joint.number && text_is(event->key, f->joint.number))
                        : sight_covers(sight, json_get_text(payload, "unit", NULL), NULL, json_get_text(payload, "area", NULL),
                                       NULL);
        if (*yes || f->track || sight_none(sight))
                return true;
        const bool ok = store_read(f->district->store, ask, &w, e);
        *yes = w.seen > 0;
        return ok;
}

/* --- the case that the tracked one was merged into ------------------------------------------------------------------------ */

static const char SQL_JOINT[] =
        "SELECT x.number, c.state FROM cases c JOIN case_link l ON l.case_id = c.id AND l.kind = 'merged' AND l.undone_at = 0"
        " JOIN cases x ON x.id = l.target WHERE c.track = $1";

struct finding {
        const struct feed *feed;
        struct joint joint;
};

static bool find_joint(struct tx *tx, void *ctx, struct err *e)
{
        struct finding *w = ctx;
        struct rows r;
        w->joint = (struct joint){NULL, NULL};
        const int found = tx_first(tx, &r, e, SQL_JOINT, ARGS(V(w->feed->track)));
        if (found <= 0)
                return found == 0;
        w->joint.number = rows_text(&r, w->feed->own, 0);
        w->joint.state = rows_text(&r, w->feed->own, 1);
        return rows_done(&r, e);
}

/* A reading that fails changes nothing. */
static bool read_joint(const struct feed *f, struct joint *out, struct err *e)
{
        struct finding w = {.feed = f};
        if (!store_read(f->district->store, find_joint, &w, e))
                return false;
        *out = w.joint;
        return true;
}

/* Whoever was merged hears when the joint case goes on, and nothing of it but that: its tracking code is another reporter's. */
static void write_joint(const struct feed *f, const struct json_value *payload, struct buf *out)
{
        struct json j = json_to(out);
        json_object(&j, NULL);
        json_text(&j, "track", f->track);
        json_text(&j, "state", f->joint.state);
        json_text(&j, "at", json_get_text(payload, "at", ""));
        json_object_end(&j);
}

/* A citizen's page learns the state and when it came, not who has the case. */
static void write_track(const struct json_value *payload, struct buf *out)
{
        struct json j = json_to(out);
        json_object(&j, NULL);
        json_text(&j, "track", json_get_text(payload, "track", ""));
        json_text(&j, "state", json_get_text(payload, "state", ""));
        json_text(&j, "at", json_get_text(payload, "at", ""));
        json_object_end(&j);
}

static void write_event(const struct feed *f, const struct event *event, const struct json_value *payload, struct buf *out)
{
        buf_format(out, "id: %lld.%lld\nevent: case\ndata: ", (long long)event->at.tx, (long long)event->at.seq);
        if (f->track && f->joint.number && text_is(event->key, f->joint.number))
                write_joint(f, payload, out);
        else if (f->track)
                write_track(payload, out);
        else
                buf_text(out, event->payload);
        buf_text(out, "\n\n");
}

/* Behind an event of its own the tracked case may be merged or be taken out again; behind one of the other's, both may be merged
 * into a third.  That is read before anything is written: after a failure the event comes again, and must not be sent twice. */
static bool take_event(struct feed *f, const struct sight *sight, const struct event *event, struct buf *out, struct err *e)
{
        const struct json_value *payload = json_parse(f->arena, event->payload, strlen(event->payload), e);
        bool yes = false;
        struct joint next = f->joint;
        if (payload && text_is(event->topic, "case") && !wanted(f, sight, event, payload, &yes, e))
                return false;
        if (yes && f->track && !read_joint(f, &next, e))
                return false;
        if (yes)
                write_event(f, event, payload, out);
        f->joint = next;
        f->at = event->at;
        return true;
}

static bool feed_next(void *ctx, struct buf *out, struct err *e)
{
        struct feed *f = ctx;
        struct event *events;
        size_t n = EVENTS_ONCE;
        const struct rulebook *rules = district_rules(f->district, e);
        if (!rules)
                return false;
        while (n == EVENTS_ONCE && out->length < UNSENT_MOST) {
                arena_reset(f->arena);
                if (!outbox_read(f->district->store, f->arena, f->at, EVENTS_ONCE, &events, &n, e))
                        return e->kind == ERR_BUSY; /* the next wake tries again */
                /* Made anew each time: a pack loaded since may have changed what he sees. */
                const struct sight sight = sight_make(f->arena, rules, &f->viewer);
                for (size_t i = 0; i < n; i++)
                        if (!take_event(f, &sight, &events[i], out, e))
                                return e->kind == ERR_BUSY;
        }
        return true;
}

static const struct stream feed_stream = {feed_next, feed_close};

/* Where the listener had stopped ("12.345"), else now. */
static bool start_at(struct request *rq, struct cursor *at, struct err *e)
{
        long long tx, seq;
        int used = 0;
        const char *last = request_header(rq, "Last-Event-ID");
        if (!last)
                last = request_query(rq, "after");
        if (!last)
                return outbox_last(rq->store, at, e);
        if (sscanf(last, "%18lld.%18lld%n", &tx, &seq, &used) != 2 || last[used])
                return err_both(e, ERR_INVALID, "after", "Last-Event-ID must be the id of an event",
                                "Last-Event-ID 应为某个事件的 id");
        *at = (struct cursor){tx, seq};
        return true;
}

static bool get_events(struct request *rq, struct reply *rp, struct err *e)
{
        struct cursor at;
        if (!start_at(rq, &at, e))
                return false;
        struct feed *f = feed_new(rq->app);
        const struct viewer viewer = sight_viewer(rq);
        f->viewer = viewer_copy(f->own, &viewer);
        f->at = at;
        rp->stream = &feed_stream;
        rp->stream_ctx = f;
        return true;
}

static bool get_track_events(struct request *rq, struct reply *rp, struct err *e)
{
        struct cursor at;
        struct waiting waiting;
        struct case_detail d;
        const char *code = request_param(rq, "code");
        const int waits = intake_waiting(rq->store, rq->arena, code, &waiting, e);
        if (waits < 0 || !start_at(rq, &at, e) || (waits == 0 && !case_read_track(rq->store, rq->arena, code, &d, e)))
                return false;
        struct feed *f = feed_new(rq->app);
        f->track = arena_text(f->own, waits ? waiting.track : d.view.track);
        f->at = at;
        if (!read_joint(f, &f->joint, e)) {
                feed_close(f);
                return false;
        }
        rp->stream = &feed_stream;
        rp->stream_ctx = f;
        return true;
}

static const struct query_param after_query[] = {
        {.name = "after",
         .type = SHAPE_TEXT,
         .most = 60,
         .about = "Id of the last event seen, when the header Last-Event-ID cannot be sent."},
        {0},
};
static const struct route table[] = {
        {.method = "GET",
         .path = "/api/v1/events",
         .roles = ROLE_STAFF | ROLE_CHANNEL,
         .run = get_events,
         .query = after_query,
         .about = "Every move of every case one may see, live (server-sent events; resumes behind Last-Event-ID)."},
        {.method = "GET",
         .path = "/api/v1/track/{code}/events",
         .roles = ROLE_ALL,
         .run = get_track_events,
         .query = after_query,
         .per_minute = 60,
         .about = "The states of one case, live, for whoever has its tracking code."},
        {0},
};
const struct route *const events_routes = table;
