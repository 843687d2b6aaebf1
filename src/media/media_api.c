/* media/media_api.c -- GET /api/v1/media/{hash}: a picture, for those who may see a report it came with. */
#include "media/media.h"
#include "media/picture.h"
#include "base/arena.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "people/people.h"
#include "store/store.h"

/* Of every report with this picture: its channel, the unit in charge, and the units that have a task. */
static const char SQL_PLACES[] = "SELECT c.channel, c.unit FROM report_media m JOIN cases c ON c.id = m.report_id WHERE m.hash = $1"
                                 " UNION SELECT c.channel, t.unit FROM report_media m JOIN cases c ON c.id = m.report_id"
                                 " JOIN case_task t ON t.case_id = c.id WHERE m.hash = $1";

struct looking {
        const struct request *rq;
        const struct rulebook *rules;
        const char *hash, *channel;
        bool may;
};

static bool may_see(const struct looking *w, const char *channel, const char *unit)
{
        const struct actor *who = &w->rq->actor;
        if (who->role == ROLE_CHANNEL)
                return text_is(channel, w->channel);
        return who->role != ROLE_UNIT || text_empty(who->unit) || unit_within(w->rules->units, unit, who->unit);
}

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *w = ctx;
        struct arena *a = w->rq->arena;
        struct rows r;
        w->may = false;
        if (!tx_rows(tx, &r, e, SQL_PLACES, ARGS(V(w->hash))))
                return false;
        while (!w->may && rows_next(&r))
                w->may = may_see(w, rows_text(&r, a, 0), rows_text(&r, a, 1));
        return rows_done(&r, e);
}

/* Staff see the evidence as it came.  Others get the picture without what the camera wrote beside it. */
static bool copy_for(const struct request *rq, struct reply *rp, const char *bytes, size_t n, const char *hash, struct err *e)
{
        rp->etag = hash;
        if (rq->actor.role & ROLE_STAFF) {
                buf_add(&rp->body, bytes, n);
                return true;
        }
        rp->etag = arena_format(rq->arena, "%s-public", hash);
        return picture_public(bytes, n, &rp->body)
               || err_both(e, ERR_NOT_FOUND, NULL, "of this picture no copy without its metadata can be made, for it is not whole",
                           "图片不完整，无法生成去除元数据的副本");
}

static bool get_media(struct request *rq, struct reply *rp, struct err *e)
{
        const struct district *d = rq->app;
        char *bytes;
        size_t n;
        struct looking w = {.rq = rq, .rules = district_rules(rq->app, e), .hash = request_param(rq, "hash")};
        w.channel = rq->actor.channel ? rq->actor.channel : d->key_channel;
        if (!w.rules || !store_read(rq->store, look, &w, e))
                return false;
        if (!w.may) /* whoever may not see it does not learn that it is there */
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no such picture", "没有此图片");
        if (!media_read(rq->arena, d->data, w.hash, &bytes, &n, e))
                return false;
        rp->type = media_type(bytes, n);
        if (!copy_for(rq, rp, bytes, n, w.hash, e))
                return false;
        /* Even if a browser could be led to take it for a page, it would run nothing. */
        reply_header(rp, "Content-Security-Policy", "default-src 'none'; sandbox");
        reply_header(rp, "Content-Disposition",
                     arena_format(rq->arena, "inline; filename=\"%.16s.%s\"", w.hash, rp->type + strlen("image/")));
        return true;
}

static const struct route routes[] = {
        {.method = "GET",
         .path = "/api/v1/media/{hash}",
         .roles = ROLE_STAFF | ROLE_CHANNEL,
         .run = get_media,
         .about = "A picture that came with a report, for those who may see the report: as it came for staff, without"
                  " metadata for others."},
        {0},
};
const struct route *const media_routes = routes;
