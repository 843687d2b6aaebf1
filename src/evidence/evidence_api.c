/* evidence/evidence_api.c -- adding evidence to a case and looking at it; the citizen's pictures from before and after. */
#include "evidence/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/view.h"
#include "cases/workflow.h"
#include "district/district.h"
#include "form/form.h"
#include "geo/geo.h"
#include "media/answer_api.h"
#include "media/media.h"
#include "sight/sight_api.h"
#include "store/store.h"

enum { NOTE_MOST = 500, BODY_MOST = MEDIA_BYTES_MOST + (64 << 10) };

/* --- adding ------------------------------------------------------------------------------------------------------------------ */

static bool wrong(const char *field, const char *en, const char *zh, struct err *e)
{
        return err_both(e, ERR_INVALID, field, "%s: %.0s%s", "%s：%s%.0s", field, zh, en);
}

/* A number of the form; *has says whether it is there. */
static bool read_number(const struct form *form, const char *name, bool *has, double *out, struct err *e)
{
        const char *text = form_value(form, name);
        *has = !text_empty(text);
        return !*has || text_to_real(text, out) || wrong(name, "is a number", "应为数字", e);
}

static bool read_piece(const struct form *form, struct evidence *p, struct err *e)
{
        bool lon, lat;
        p->kind = form_value(form, "kind");
        p->note = form_value(form, "note");
        size_t i = 0;
        while (evidence_kinds[i] && !text_is(evidence_kinds[i], p->kind ? p->kind : ""))
                i++;
        if (!evidence_kinds[i])
                return wrong("kind", "is photo_before, photo_after, photo, signature or measurement",
                             "应为 photo_before、photo_after、photo、signature 或 measurement", e);
        if (p->note && text_characters(p->note) > NOTE_MOST)
                return wrong("note", "has at most 500 characters", "不超过500字", e);
        if (!read_number(form, "lon", &lon, &p->lon, e) || !read_number(form, "lat", &lat, &p->lat, e)
            || !read_number(form, "value", &p->has_value, &p->value, e))
                return false;
        p->has_point = lon && lat;
        if (lon != lat || (p->has_point && !point_valid((struct point){p->lon, p->lat})))
                return wrong("lon", "lon and lat are the WGS-84 degrees of one point", "lon、lat 应为同一点的 WGS-84 经纬度", e);
        return true;
}

static bool picture_or_value(const struct form *form, const struct evidence *p, struct err *e)
{
        const bool measured = text_is(p->kind, "measurement");
        if (measured && !p->has_value)
                return wrong("value", "a measurement has a value", "测量须填写数值", e);
        if (!measured && p->has_value)
                return wrong("value", "belongs to a measurement", "仅用于测量", e);
        return measured || form->n_files == 1 || wrong("file", "one picture is sent with it", "须附一张图片", e);
}

static bool keep_picture(const struct request *rq, struct media *m, struct err *e)
{
        const struct district *d = rq->app;
        const struct form_file *f = &rq->form->files[0];
        const struct media_place place = {d->data, d->scan_command, d->scan_seconds};
        return media_check(f->bytes, f->n, m, e) && media_keep(&place, f->bytes, m, e);
}

static bool post_evidence(struct request *rq, struct reply *rp, struct err *e)
{
        struct media media;
        struct case_detail seen;
        const struct sight *sight = sight_of(rq, e);
        struct adding g = {.number = request_param(rq, "number"), .now = rq->now};
        /* Who does not see the case fills no disk for it. */
        if (!sight || !case_read_now(rq->store, rq->arena, g.number, sight, &seen, e) || !read_piece(rq->form, &g.piece, e)
            || !picture_or_value(rq->form, &g.piece, e))
                return false;
        const struct rulebook *rules = district_rules_of(rq->app, seen.view.version, e);
        if (!rules)
                return false;
        const struct mover mover = mover_of(rq, &seen, rules, sight);
        g.mover = &mover;
        if (rq->form->n_files) {
                if (!keep_picture(rq, &media, e))
                        return false;
                g.media = &media;
        }
        if (!evidence_add(rq->app, rq->arena, &g, e))
                return false;
        rp->status = 201;
        evidence_json(&g.piece, &rp->json);
        return true;
}

/* --- looking ----------------------------------------------------------------------------------------------------------------- */

struct looking {
        struct arena *arena;
        int64_t case_id;
        struct evidence *list;
        size_t n;
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct looking *l = ctx;
        return evidence_of(tx, l->arena, l->case_id, &l->list, &l->n, e);
}

static bool no_picture(struct err *e)
{
        return err_both(e, ERR_NOT_FOUND, NULL, "there is no such picture", "没有此图片");
}

static const struct evidence *piece_named(const struct request *rq, const struct looking *l)
{
        int64_t n;
        if (!text_to_int(request_param(rq, "n"), &n))
                return NULL;
        for (size_t i = 0; i < l->n; i++)
                if (l->list[i].n == n && *l->list[i].hash)
                        return &l->list[i];
        return NULL;
}

static bool get_picture(struct request *rq, struct reply *rp, struct err *e)
{
        struct case_detail d;
        const struct sight *sight = sight_of(rq, e);
        if (!sight || !case_read(rq->store, rq->arena, request_param(rq, "number"), sight, &d, e))
                return false;
        struct looking l = {.arena = rq->arena, .case_id = d.view.id};
        if (!store_read(rq->store, look, &l, e))
                return false;
        const struct evidence *p = piece_named(rq, &l);
        return p ? media_answer(rq, rp, p->hash, true, e) : no_picture(e);
}

/* --- the citizen ------------------------------------------------------------------------------------------------------------- */

/* Pictures are shown with the answer, not before somebody has looked at them: those added up to the last move that told him. */
static int64_t told_at(const struct case_detail *d, const struct workflow *w)
{
        int64_t at = 0;
        for (size_t i = 0; w && i < d->n_history; i++) {
                const struct move *m = move_find(w, d->history[i].entry.move);
                if (m && move_tells(m))
                        at = d->history[i].entry.at;
        }
        return at;
}

static bool shown(const struct evidence *p, int64_t told)
{
        return p->at <= told && (text_is(p->kind, "photo_before") || text_is(p->kind, "photo_after"));
}

/* The pieces a citizen may see, in l->list. */
static bool for_citizen(const struct request *rq, struct looking *l, struct err *e)
{
        struct case_detail d;
        if (!case_read_track(rq->store, rq->arena, request_param(rq, "code"), &d, e))
                return false;
        const struct rulebook *rules = district_rules_of(rq->app, d.view.version, e);
        if (!rules)
                return false;
        *l = (struct looking){.arena = rq->arena, .case_id = d.view.id};
        if (!store_read(rq->store, look, l, e))
                return false;
        const int64_t told = told_at(&d, workflow_find(rules->workflows, d.view.workflow));
        size_t kept = 0;
        for (size_t i = 0; i < l->n; i++)
                if (shown(&l->list[i], told))
                        l->list[kept++] = l->list[i];
        l->n = kept;
        return true;
}

static bool get_track_evidence(struct request *rq, struct reply *rp, struct err *e)
{
        struct looking l;
        if (!for_citizen(rq, &l, e))
                return false;
        struct json *j = &rp->json;
        json_object(j, NULL);
        json_array(j, "evidence");
        for (size_t i = 0; i < l.n; i++) {
                json_object(j, NULL);
                json_int(j, "n", l.list[i].n);
                json_text(j, "kind", l.list[i].kind);
                json_time(j, "at", l.list[i].at);
                json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
        reply_header(rp, "Cache-Control", "no-store");
        return true;
}

static bool get_track_picture(struct request *rq, struct reply *rp, struct err *e)
{
        struct looking l;
        if (!for_citizen(rq, &l, e))
                return false;
        const struct evidence *p = piece_named(rq, &l);
        return p ? media_answer(rq, rp, p->hash, false, e) : no_picture(e);
}

/* --- routes ------------------------------------------------------------------------------------------------------------------ */

static const struct shape form_fields[] = {
        {.name = "kind",
         .type = SHAPE_TEXT,
         .required = true,
         .about = "photo_before, photo_after, photo, signature or measurement."},
        {.name = "file",
         .type = SHAPE_TEXT,
         .about = "The picture (JPEG, PNG, WebP or GIF, at most 10 MiB); not for a measurement."},
        {.name = "value", .type = SHAPE_REAL, .about = "Of a measurement."},
        {.name = "note", .type = SHAPE_TEXT, .about = "At most 500 characters."},
        {.name = "lon", .type = SHAPE_REAL, .about = "Where it was taken, WGS-84; what the picture itself says goes before it."},
        {.name = "lat", .type = SHAPE_REAL},
        {0},
};
static const struct shape piece_answer[] = {
        {.name = "n", .type = SHAPE_INT, .required = true},
        {.name = "kind", .type = SHAPE_TEXT, .required = true},
        {.name = "type", .type = SHAPE_TEXT, .required = true},
        {.name = "lon", .type = SHAPE_REAL},
        {.name = "lat", .type = SHAPE_REAL},
        {.name = "taken", .type = SHAPE_TIME, .required = true, .nullable = true},
        {.name = "metres", .type = SHAPE_REAL, .about = "From the place of the case."},
        {.name = "value", .type = SHAPE_REAL},
        {.name = "note", .type = SHAPE_TEXT, .required = true, .most = NOTE_MOST},
        {.name = "actor", .type = SHAPE_TEXT, .required = true},
        {.name = "unit", .type = SHAPE_TEXT, .required = true},
        {.name = "at", .type = SHAPE_TIME, .required = true},
        {0},
};
static const struct shape track_piece[] = {
        {.name = "n", .type = SHAPE_INT, .required = true},
        {.name = "kind", .type = SHAPE_TEXT, .required = true},
        {.name = "at", .type = SHAPE_TIME, .required = true},
        {0},
};
static const struct shape track_element[] = {{.type = SHAPE_OBJECT, .fields = track_piece}, {0}};
static const struct shape track_answer[] = {{.name = "evidence", .type = SHAPE_ARRAY, .required = true, .fields = track_element},
                                            {0}};

static const struct route routes[] = {
        {.method = "POST",
         .path = "/api/v1/cases/{number}/evidence",
         .roles = ROLE_STAFF,
         .run = post_evidence,
         .form_body = true,
         .body = form_fields,
         .body_most = BODY_MOST,
         .answer = piece_answer,
         .about = "Adds a picture, a signature or a measurement to a case; the same picture of the same kind twice is one piece."},
        {.method = "GET",
         .path = "/api/v1/cases/{number}/evidence/{n}",
         .roles = ROLE_STAFF,
         .run = get_picture,
         .about = "A picture that was added to a case, as it came."},
        {.method = "GET",
         .path = "/api/v1/track/{code}/evidence",
         .roles = ROLE_ALL,
         .run = get_track_evidence,
         .answer = track_answer,
         .about = "The pictures from before and after that the citizen may see: those that were there when he was answered."},
        {.method = "GET",
         .path = "/api/v1/track/{code}/evidence/{n}",
         .roles = ROLE_ALL,
         .run = get_track_picture,
         .about = "One of them, without what the camera wrote beside it."},
        {0},
};
const struct route *const evidence_routes = routes;
