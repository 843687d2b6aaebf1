/* routing/routing.c -- see routing.h.
 *
 * All rows stand in one hash table under (item, area, kind); a question asks for every pair of an item on the way up to level 1
 * and an area on the way up to the district, so at most 4 x 6 x 2 probes find all rows that could answer; the first row of the
 * table among those of a step wins.
 */
#include "routing/routing.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "crypto/crypto.h"
#include "people/people.h"
#include "store/store.h"
#include "twin/twin.h"
#include <stdio.h>

static const char SQL_COUNT[] = "SELECT COUNT(*) FROM route WHERE version = $1";
static const char SQL_ROUTES[] = "SELECT item, area, kind, unit, assists, place FROM route WHERE version = $1 ORDER BY position";
static const char SQL_ROTAS[] = "SELECT rota, unit, weight FROM rota WHERE version = $1 ORDER BY rota, unit";

enum { ROTAS_MOST = 256, TURNS_MOST = 32 };

struct rota {
        const char *name;
        const struct unit *units[TURNS_MOST];
        int64_t weights[TURNS_MOST], sum;
        size_t n;
};
struct route_row {
        int32_t item, area;      /* order in the catalogue and the twin; -1 = any */
        const char *kind;        /* NULL = any */
        const struct unit *lead; /* NULL: rota */
        const struct rota *rota;
        const struct unit **assists;
        size_t n_assists;
        const char *place;
        int32_t next; /* in its slot's chain; -1 ends */
};
struct routing {
        const struct catalogue *catalogue;
        const struct twin *twin;
        const struct units *units;
        struct route_row *rows;
        int32_t n;
        int32_t *slots;
        uint64_t mask;
        struct rota rotas[ROTAS_MOST];
        size_t n_rotas;
};

static uint64_t key_hash(int32_t item, int32_t area)
{
        uint64_t h = ((uint64_t)(uint32_t)item << 32 | (uint32_t)area) * UINT64_C(0x9E3779B97F4A7C15);
        return h ^ (h >> 29);
}

static bool read_rotas(struct tx *tx, struct arena *a, int64_t version, struct routing *x, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_ROTAS, ARGS(V(version))))
                return false;
        while (rows_next(&r)) {
                const char *name = rows_text(&r, a, 0);
                struct rota *rota = x->n_rotas ? &x->rotas[x->n_rotas - 1] : NULL;
                if ((!rota || !text_is(rota->name, name)) && x->n_rotas < ROTAS_MOST) {
                        rota = &x->rotas[x->n_rotas++];
                        rota->name = name;
                }
                const struct unit *unit = unit_find(x->units, rows_text(&r, a, 1));
                if (rota && unit && rota->n < TURNS_MOST && rows_int(&r, 2) > 0) {
                        rota->units[rota->n] = unit;
                        rota->weights[rota->n++] = rows_int(&r, 2);
                        rota->sum += rows_int(&r, 2);
                }
        }
        return rows_done(&r, e);
}

static const struct rota *rota_find(const struct routing *x, const char *name)
{
        for (size_t i = 0; i < x->n_rotas; i++)
                if (text_is(x->rotas[i].name, name))
                        return &x->rotas[i];
        return NULL;
}

static void read_assists(struct arena *a, const struct routing *x, const char *list, struct route_row *row)
{
        char **codes;
        size_t n = text_empty(list) ? 0 : text_split(a, list, '|', &codes);
        row->assists = n ? NEW_ARRAY(a, const struct unit *, n) : NULL;
        for (size_t i = 0; i < n && row->n_assists < ASSISTS_MOST; i++) {
                const struct unit *unit = unit_find(x->units, codes[i]);
                if (unit)
                        row->assists[row->n_assists++] = unit;
        }
}

/* False: the row names something that does not exist; the pack's checks refuse such rows, so it is left out. */
static bool read_route(struct arena *a, const struct routing *x, const struct rows *r, struct route_row *row)
{
        const char *item = rows_text(r, a, 0), *area = rows_text(r, a, 1), *kind = rows_text(r, a, 2), *unit = rows_text(r, a, 3);
        const struct item *i = text_is(item, "*") ? NULL : item_find(x->catalogue, item);
        const struct area *ar = text_is(area, "*") ? NULL : area_find(x->twin, area);
        *row = (struct route_row){.item = i ? i->order : -1,
                                  .area = ar ? ar->order : -1,
                                  .kind = text_is(kind, "*") ? NULL : kind,
                                  .place = rows_text(r, a, 5),
                                  .next = -1};
        if (text_starts(unit, "rota:"))
                row->rota = rota_find(x, unit + 5);
        else
                row->lead = unit_find(x->units, unit);
        read_assists(a, x, rows_text(r, a, 4), row);
        return (i || text_is(item, "*")) && (ar || text_is(area, "*")) && (row->lead || (row->rota && row->rota->n > 0));
}

static void link_rows(struct arena *a, struct routing *x)
{
        uint64_t room = 64;
        while (room < (uint64_t)x->n * 2)
                room *= 2;
        x->slots = NEW_ARRAY(a, int32_t, room);
        x->mask = room - 1;
        memset(x->slots, 0xFF, room * sizeof *x->slots); /* -1 */
        for (int32_t i = x->n; i-- > 0;) {               /* so that a chain begins with its first row */
                int32_t *slot = &x->slots[key_hash(x->rows[i].item, x->rows[i].area) & x->mask];
                x->rows[i].next = *slot;
                *slot = i;
        }
}

bool routing_load(struct tx *tx, struct arena *a, int64_t version, const struct catalogue *catalogue, const struct twin *twin,
                  const struct units *units, struct routing **out, struct err *e)
{
        struct routing *x = NEW(a, struct routing);
        struct rows r;
        int64_t count;
        *x = (struct routing){.catalogue = catalogue, .twin = twin, .units = units};
        if (!tx_int(tx, &count, 0, e, SQL_COUNT, ARGS(V(version))) || !read_rotas(tx, a, version, x, e)
            || !tx_rows(tx, &r, e, SQL_ROUTES, ARGS(V(version))))
                return false;
        x->rows = NEW_ARRAY(a, struct route_row, count);
        while (x->n < count && rows_next(&r))
                if (read_route(a, x, &r, &x->rows[x->n]))
                        x->n++;
        link_rows(a, x);
        *out = x;
        return rows_done(&r, e);
}

/* The first row under (item, area) that fits: with the kind when `kind` is set, without one otherwise. */
static int32_t first_row(const struct routing *x, int32_t item, int32_t area, const char *kind, int32_t best)
{
        for (int32_t i = x->slots[key_hash(item, area) & x->mask]; i >= 0 && i < best; i = x->rows[i].next) {
                const struct route_row *row = &x->rows[i];
                if (row->item == item && row->area == area && (kind ? text_is(row->kind, kind) : row->kind == NULL))
                        return i;
        }
        return best;
}

/* The first row for an item (or any item above it, or any) in the area or one above it. */
static int32_t search(const struct routing *x, const struct question *q, const char *kind, bool with_area)
{
        int32_t best = x->n;
        for (const struct item *i = q->item;; i = i->parent) {
                const int32_t item = i ? i->order : -1;
                if (!with_area)
                        best = first_row(x, item, -1, kind, best);
                for (const struct area *a = with_area ? q->area : NULL; a; a = a->parent)
                        best = first_row(x, item, a->order, kind, best);
                if (!i)
                        return best;
        }
}

static const struct unit *draw(const struct rota *rota, const char *turn)
{
        char text[300];
        unsigned char hash[SHA256_SIZE];
        uint64_t number = 0;
        int n = snprintf(text, sizeof text, "%.100s/%.100s", rota->name, turn ? turn : "");
        sha256(text, (size_t)n, hash);
        for (int i = 0; i < 8; i++)
                number = number << 8 | hash[i];
        int64_t at = (int64_t)(number % (uint64_t)rota->sum);
        for (size_t i = 0; i < rota->n; i++) {
                if (at < rota->weights[i])
                        return rota->units[i];
                at -= rota->weights[i];
        }
        return rota->units[0];
}

static void explain_row(const struct routing *x, const struct route_row *row, struct answer *out)
{
        const char *item = row->item >= 0 ? item_at(x->catalogue, (size_t)row->item)->name : NULL;
        const char *area = row->area >= 0 ? area_at(x->twin, (size_t)row->area)->name : NULL;
        (void)snprintf(out->why, sizeof out->why, "%s: %.60s%s%.60s goes to %.60s%s.", row->place, item ? item : "any item",
                       area ? " in " : "", area ? area : "", out->lead->name, row->rota ? " (their turn in the rota)" : "");
        (void)snprintf(out->why_zh, sizeof out->why_zh, "依据%s：%.60s%.60s%.60s由%.60s负责%s。", row->place, area ? area : "",
                       area ? "的" : "", item ? item : "各类事项", out->lead->name, row->rota ? "（轮值）" : "");
}

static void answer_row(const struct routing *x, const struct question *q, int32_t i, enum routing_step step, struct answer *out)
{
        const struct route_row *row = &x->rows[i];
        *out = (struct answer){.lead = row->rota ? draw(row->rota, q->turn) : row->lead,
                               .step = row->rota ? STEP_ROTA : step,
                               .row = row->place,
                               .sure = q->item != NULL,
                               .n_assists = row->n_assists};
        for (size_t k = 0; k < row->n_assists; k++)
                out->assists[k] = row->assists[k];
        explain_row(x, row, out);
}

static bool answer_owner(const struct routing *x, const struct question *q, struct answer *out)
{
        const struct unit *owner = q->owner ? unit_find(x->units, q->owner) : NULL;
        if (!owner)
                return false;
        *out = (struct answer){.lead = owner, .step = STEP_OWNER, .row = "", .sure = true};
        (void)snprintf(out->why, sizeof out->why, "%.100s owns the thing concerned.", owner->name);
        (void)snprintf(out->why_zh, sizeof out->why_zh, "涉及设施的权属单位为%.100s。", owner->name);
        return true;
}

static void resolve(const struct routing *x, const struct question *q, struct answer *out)
{
        const struct {
                const char *kind;
                bool with_area;
                enum routing_step step;
        } steps[] = {
                {q->kind, true, STEP_ITEM_AREA_KIND},
                {NULL, true, STEP_ITEM_AREA},
                {NULL, false, STEP_ITEM},
        };
        if (answer_owner(x, q, out))
                return;
        for (size_t s = 0; s < COUNT_OF(steps); s++) {
                if (steps[s].step == STEP_ITEM_AREA_KIND && !q->kind)
                        continue;
                const int32_t i = search(x, q, steps[s].kind, steps[s].with_area);
                if (i < x->n) {
                        answer_row(x, q, i, steps[s].step, out);
                        return;
                }
        }
        *out = (struct answer){.lead = unit_fallback(x->units), .step = STEP_FALLBACK, .row = "", .sure = false};
        (void)snprintf(out->why, sizeof out->why, "No row of the responsibility list answers; %.100s decides.", out->lead->name);
        (void)snprintf(out->why_zh, sizeof out->why_zh, "职责清单没有对应条目，由%.100s兜底研判。", out->lead->name);
}

void routing_resolve(const struct routing *x, const struct question *q, struct answer *out)
{
        resolve(x, q, out);
        /* Names may have been cut inside a character; the sentences go into the history. */
        (void)text_mend(out->why);
        (void)text_mend(out->why_zh);
}

const char *routing_step_name(enum routing_step step)
{
        static const char *const names[] = {"owner", "item_area_kind", "item_area", "item",
                                            "rota",  "fallback",       "precedent", "experience"};
        return names[step];
}
