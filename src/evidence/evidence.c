/* evidence/evidence.c -- see evidence.h.  The only writer of case_evidence. */
#include "evidence/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/view.h"
#include "district/district.h"
#include "geo/geo.h"
#include "json/json.h"
#include "media/media.h"
#include "store/store.h"

static const char SQL_PUT[] =
        "INSERT INTO case_evidence(case_id, n, kind, hash, type, bytes, lon, lat, taken_at, metres, value, note, actor, unit, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
static const char SQL_ALL[] = "SELECT n, kind, hash, type, bytes, lon, lat, taken_at, metres, value, note, actor, unit, at"
                              " FROM case_evidence WHERE case_id = $1 ORDER BY n";

const char *const evidence_kinds[] = {"photo_before", "photo_after", "photo", "signature", "measurement", NULL};

bool evidence_put(struct tx *tx, int64_t case_id, const struct evidence *p, struct err *e)
{
        return tx_send(tx, e, SQL_PUT,
                       ARGS(V(case_id), V(p->n), V(p->kind), V(p->hash), V(p->type), V(p->bytes), p->has_point ? V(p->lon) : V_NULL,
                            p->has_point ? V(p->lat) : V_NULL, V(p->taken), p->has_metres ? V(p->metres) : V_NULL,
                            p->has_value ? V(p->value) : V_NULL, V(p->note), V(p->actor), V(p->unit), V(p->at)));
}

static void read_piece(const struct rows *r, struct arena *a, struct evidence *p)
{
        *p = (struct evidence){
                .n = rows_int(r, 0),
                .kind = rows_text(r, a, 1),
                .hash = rows_text(r, a, 2),
                .type = rows_text(r, a, 3),
                .bytes = rows_int(r, 4),
                .has_point = !rows_null(r, 5),
                .lon = rows_real(r, 5),
                .lat = rows_real(r, 6),
                .taken = rows_int(r, 7),
                .has_metres = !rows_null(r, 8),
                .metres = rows_real(r, 8),
                .has_value = !rows_null(r, 9),
                .value = rows_real(r, 9),
                .note = rows_text(r, a, 10),
                .actor = rows_text(r, a, 11),
                .unit = rows_text(r, a, 12),
                .at = rows_int(r, 13),
        };
}

bool evidence_of(struct tx *tx, struct arena *a, int64_t case_id, struct evidence **out, size_t *n, struct err *e)
{
        struct rows r;
        *n = 0;
        *out = NEW_ARRAY(a, struct evidence, EVIDENCE_MOST);
        if (!tx_rows(tx, &r, e, SQL_ALL, ARGS(V(case_id))))
                return false;
        while (*n < EVIDENCE_MOST && rows_next(&r))
                read_piece(&r, a, &(*out)[(*n)++]);
        return rows_done(&r, e);
}

/* The picture's own word on where and when it was taken goes before the sender's. */
static void fill_in(struct adding *g, const struct case_view *v)
{
        struct evidence *p = &g->piece;
        const struct media *m = g->media;
        p->hash = m ? m->hash : "";
        p->type = m ? m->type : "";
        p->bytes = m ? (int64_t)m->n : 0;
        if (m && m->has_point) {
                p->has_point = true;
                p->lon = m->lon;
                p->lat = m->lat;
        }
        p->taken = m ? m->taken : 0;
        p->has_metres = p->has_point && v->has_point;
        if (p->has_metres)
                p->metres = point_metres((struct point){p->lon, p->lat}, (struct point){v->lon, v->lat});
        p->note = p->note ? p->note : "";
        p->actor = g->mover->name;
        p->unit = g->mover->unit ? g->mover->unit : "";
        p->at = g->now;
}

struct add {
        struct arena *arena;
        struct adding *adding;
};

static bool add(struct tx *tx, void *ctx, struct err *e)
{
        struct add *w = ctx;
        struct adding *g = w->adding;
        struct case_detail d;
        struct evidence *have;
        size_t n;
        if (!case_read_within(tx, w->arena, g->number, g->mover->sight, &d, e)
            || !evidence_of(tx, w->arena, d.view.id, &have, &n, e))
                return false;
        if (!d.view.open)
                return err_both(e, ERR_CONFLICT, NULL, "case %s has ended; nothing is added to it", "案件%s已办结，不能再补充佐证",
                                g->number);
        fill_in(g, &d.view);
        for (size_t i = 0; i < n && g->media; i++)
                if (text_is(have[i].hash, g->piece.hash) && text_is(have[i].kind, g->piece.kind)) {
                        g->piece = have[i];
                        return true;
                }
        if (n >= EVIDENCE_MOST - 1)
                return err_both(e, ERR_INVALID, NULL, "case %s has %d pieces of evidence; no more are taken",
                                "案件%s已有%d件佐证，不再接收", g->number, (int)n);
        g->piece.n = n ? have[n - 1].n + 1 : 1;
        return evidence_put(tx, d.view.id, &g->piece, e);
}

bool evidence_add(struct district *d, struct arena *a, struct adding *g, struct err *e)
{
        return store_write(d->store, add, &(struct add){a, g}, e);
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------- */

void evidence_json(const struct evidence *p, struct json *j)
{
        json_object(j, NULL);
        json_int(j, "n", p->n);
        json_text(j, "kind", p->kind);
        json_text(j, "type", p->type);
        if (p->has_point) {
                json_real(j, "lon", p->lon);
                json_real(j, "lat", p->lat);
        }
        json_time(j, "taken", p->taken);
        if (p->has_metres)
                json_real(j, "metres", p->metres);
        if (p->has_value)
                json_real(j, "value", p->value);
        json_text(j, "note", p->note);
        json_text(j, "actor", p->actor);
        json_text(j, "unit", p->unit);
        json_time(j, "at", p->at);
        json_object_end(j);
}

static bool part_json(struct tx *tx, struct arena *a, int64_t case_id, const struct sight *sight, struct json *j, struct err *e)
{
        struct evidence *list;
        size_t n;
        (void)sight; /* who sees the case sees what was done */
        if (!evidence_of(tx, a, case_id, &list, &n, e))
                return false;
        for (size_t i = 0; i < n; i++)
                evidence_json(&list[i], j);
        return true;
}

const struct case_part evidence_part = {.name = "evidence",
                                        .some = "EXISTS (SELECT 1 FROM case_evidence k WHERE k.case_id = $1)",
                                        .json = part_json};
