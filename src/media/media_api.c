/* media/media_api.c -- GET /api/v1/media/{hash}: a picture, for those who may see a report it came with. */
#include "media/answer_api.h"
#include "media/media.h"
#include "media/picture.h"
#include "base/arena.h"
#include "base/text.h"
#include "district/district.h"
#include "http/http.h"
#include "sight/sight_api.h"
#include "store/store.h"

/* A picture is seen with any of the cases it came for. */
static const char SEEN[] = "SELECT COUNT(*) FROM report_media m JOIN cases c ON (c.id = m.report_id OR"
                           " (c.report = m.report_id AND c.report > 0)) WHERE m.hash = ";

struct looking {
        const struct request *rq;
        const struct sight *sight;
        const char *hash;
        int64_t seen;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *w = ctx;
        struct query q = query_new(w->rq->arena);
        query_text(&q, SEEN);
        query_arg(&q, V(w->hash));
        query_text(&q, " AND ");
        sight_seen(&q, w->sight);
        const struct value *args = query_args(&q);
        const bool ok = tx_int(tx, &w->seen, 0, e, q.text.at, args);
        buf_free(&q.text);
        return ok;
}

/* Staff see the evidence as it came.  Others get the picture without what the camera wrote beside it. */
static bool copy_for(const struct request *rq, struct reply *rp, bool whole, const char *bytes, size_t n, const char *hash,
                     struct err *e)
{
        rp->etag = hash;
        if (whole) {
                buf_add(&rp->body, bytes, n);
                return true;
        }
        rp->etag = arena_format(rq->arena, "%s-public", hash);
        return picture_public(bytes, n, &rp->body)
               || err_both(e, ERR_NOT_FOUND, NULL, "of this picture no copy without its metadata can be made, for it is not whole",
                           "图片不完整，无法生成去除元数据的副本");
}

bool media_answer(const struct request *rq, struct reply *rp, const char *hash, bool whole, struct err *e)
{
        const struct district *d = rq->app;
        char *bytes;
        size_t n;
        if (!media_read(rq->arena, d->data, hash, &bytes, &n, e))
                return false;
        rp->type = media_type(bytes, n);
        if (!copy_for(rq, rp, whole, bytes, n, hash, e))
                return false;
        /* Even if a browser could be led to take it for a page, it would run nothing. */
        reply_header(rp, "Content-Security-Policy", "default-src 'none'; sandbox");
        reply_header(rp, "Content-Disposition",
                     arena_format(rq->arena, "inline; filename=\"%.16s.%s\"", hash, rp->type + strlen("image/")));
        return true;
}

static bool get_media(struct request *rq, struct reply *rp, struct err *e)
{
        struct looking w = {.rq = rq, .sight = sight_of(rq, e), .hash = request_param(rq, "hash")};
        if (!w.sight || !store_read(rq->store, look, &w, e))
                return false;
        if (w.seen == 0) /* whoever may not see it does not learn that it is there */
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no such picture", "没有此图片");
        return media_answer(rq, rp, w.hash, (rq->actor.role & ROLE_STAFF) != 0, e);
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
