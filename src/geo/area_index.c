/* geo/area_index.c -- which areas hold a point.
 *
 * Each layer has a flat grid of cells.  A cell that no edge touches is sure: it lies as a whole in one area or in none, and
 * answers with one look-up.  A cell that edges touch keeps the areas whose box meets it, in the order given, and asks them
 * one by one, exactly (crossing count; a point on an edge belongs to the area).  Everything is read-only once built, so threads
 * share it without a lock; GEOS's prepared geometries build parts of themselves while they answer, which is why they are not used
 * here.
 */
#include "geo/geo.h"
#include "base/arena.h"
#include "geo/wkb.h"
#include <math.h>

enum { CELLS = 256, MIXED = -2, NOBODY = -1, UNKNOWN = -3 };

struct shape {
        struct outline outline;
        struct point low, high;
        int id;
};
struct grid {
        struct shape *shapes;
        size_t n;
        struct point low, high;
        double width, height; /* of a cell, degrees */
        int32_t *answer;      /* CELLS * CELLS: id, NOBODY or MIXED */
        int32_t *first;       /* of a MIXED cell: where its candidates begin; they end with -1 */
        int32_t *candidates;
};
struct area_index {
        struct arena *arena;
        struct grid layers[AREA_LAYERS];
};

static bool on_edge(struct point p, struct point a, struct point b)
{
        const double cross = (b.lon - a.lon) * (p.lat - a.lat) - (b.lat - a.lat) * (p.lon - a.lon);
        return cross == 0.0 && p.lon >= fmin(a.lon, b.lon) && p.lon <= fmax(a.lon, b.lon) && p.lat >= fmin(a.lat, b.lat)
               && p.lat <= fmax(a.lat, b.lat);
}

/* Crossing number over all rings (Shimrat 1962): a half-open rule for the ends, so that a vertex counts once. */
static bool holds(const struct shape *s, struct point p)
{
        bool inside = false;
        if (p.lon < s->low.lon || p.lon > s->high.lon || p.lat < s->low.lat || p.lat > s->high.lat)
                return false;
        for (size_t i = 0; i < s->outline.n; i++) {
                const struct ring *r = &s->outline.rings[i];
                for (size_t k = 1; k < r->n; k++) {
                        /* Always from the lower end: two areas that share an edge must round alike, or a point on it is in
                         * neither. */
                        const bool up = r->at[k - 1].lat <= r->at[k].lat;
                        const struct point a = r->at[up ? k - 1 : k], b = r->at[up ? k : k - 1];
                        if (on_edge(p, a, b))
                                return true;
                        if (a.lat <= p.lat && b.lat > p.lat && p.lon < (b.lon - a.lon) * (p.lat - a.lat) / (b.lat - a.lat) + a.lon)
                                inside = !inside;
                }
        }
        return inside;
}

static int cell_of(double at, double low, double size)
{
        const int i = (int)((at - low) / size);
        return i < 0 ? 0 : i >= CELLS ? CELLS - 1 : i;
}

/* Whether the line from a to b meets the closed cell, by clipping (Liang and Barsky 1984); a hair wider, so that rounding errs to
 * MIXED. */
static bool meets_cell(const struct grid *g, struct point a, struct point b, int x, int y)
{
        const double hair = 1e-9, left = g->low.lon + x * g->width - hair, right = left + g->width + 2 * hair;
        const double bottom = g->low.lat + y * g->height - hair, top = bottom + g->height + 2 * hair;
        const double d[4] = {a.lon - b.lon, b.lon - a.lon, a.lat - b.lat, b.lat - a.lat};
        const double q[4] = {a.lon - left, right - a.lon, a.lat - bottom, top - a.lat};
        double from = 0.0, to = 1.0;
        for (int i = 0; i < 4; i++) {
                if (d[i] == 0.0) {
                        if (q[i] < 0.0)
                                return false;
                        continue;
                }
                const double t = q[i] / d[i];
                if (d[i] < 0.0)
                        from = fmax(from, t);
                else
                        to = fmin(to, t);
        }
        return from <= to;
}

static void mark_edges(struct grid *g)
{
        for (size_t s = 0; s < g->n; s++)
                for (size_t i = 0; i < g->shapes[s].outline.n; i++) {
                        const struct ring *r = &g->shapes[s].outline.rings[i];
                        for (size_t k = 1; k < r->n; k++) {
                                const struct point a = r->at[k - 1], b = r->at[k];
                                /* One cell more on each side: an edge on the border of two cells touches both. */
                                const int x0 = cell_of(fmin(a.lon, b.lon) - g->width * 0.01, g->low.lon, g->width);
                                const int x1 = cell_of(fmax(a.lon, b.lon) + g->width * 0.01, g->low.lon, g->width);
                                const int y0 = cell_of(fmin(a.lat, b.lat) - g->height * 0.01, g->low.lat, g->height);
                                const int y1 = cell_of(fmax(a.lat, b.lat) + g->height * 0.01, g->low.lat, g->height);
                                for (int y = y0; y <= y1; y++)
                                        for (int x = x0; x <= x1; x++)
                                                if (meets_cell(g, a, b, x, y))
                                                        g->answer[y * CELLS + x] = MIXED;
                        }
                }
}

static int ask_all(const struct grid *g, struct point p)
{
        for (size_t i = 0; i < g->n; i++)
                if (holds(&g->shapes[i], p))
                        return g->shapes[i].id;
        return NOBODY;
}

/* Neighbours in a row that no edge touches have the same answer. */
static void fill_sure(struct grid *g)
{
        for (int y = 0; y < CELLS; y++) {
                int32_t left = UNKNOWN;
                for (int x = 0; x < CELLS; x++) {
                        int32_t *cell = &g->answer[y * CELLS + x];
                        if (*cell == MIXED) {
                                left = UNKNOWN;
                                continue;
                        }
                        if (left == UNKNOWN)
                                left = ask_all(g, (struct point){g->low.lon + (x + 0.5) * g->width,
                                                                 g->low.lat + (y + 0.5) * g->height});
                        *cell = left;
                }
        }
}

static bool box_meets_cell(const struct grid *g, const struct shape *s, int x, int y)
{
        const double margin = 1e-9, left = g->low.lon + x * g->width, bottom = g->low.lat + y * g->height;
        return s->low.lon <= left + g->width + margin && s->high.lon >= left - margin && s->low.lat <= bottom + g->height + margin
               && s->high.lat >= bottom - margin;
}

static void list_candidates(struct arena *a, struct grid *g)
{
        size_t room = 0, used = 0;
        for (int pass = 0; pass < 2; pass++) {
                if (pass == 1)
                        g->candidates = NEW_ARRAY(a, int32_t, room + 1);
                for (int y = 0; y < CELLS; y++)
                        for (int x = 0; x < CELLS; x++) {
                                if (g->answer[y * CELLS + x] != MIXED)
                                        continue;
                                if (pass == 1)
                                        g->first[y * CELLS + x] = (int32_t)used;
                                for (size_t s = 0; s < g->n; s++) {
                                        if (!box_meets_cell(g, &g->shapes[s], x, y))
                                                continue;
                                        if (pass == 1)
                                                g->candidates[used++] = (int32_t)s;
                                        else
                                                room++;
                                }
                                if (pass == 1)
                                        g->candidates[used++] = -1;
                                else
                                        room++;
                        }
        }
}

static void build(struct arena *a, struct grid *g)
{
        g->low = g->shapes[0].low;
        g->high = g->shapes[0].high;
        for (size_t i = 1; i < g->n; i++) {
                g->low = (struct point){fmin(g->low.lon, g->shapes[i].low.lon), fmin(g->low.lat, g->shapes[i].low.lat)};
                g->high = (struct point){fmax(g->high.lon, g->shapes[i].high.lon), fmax(g->high.lat, g->shapes[i].high.lat)};
        }
        g->width = (g->high.lon - g->low.lon) / CELLS;
        g->height = (g->high.lat - g->low.lat) / CELLS;
        g->answer = NEW_ARRAY(a, int32_t, CELLS * CELLS);
        g->first = NEW_ARRAY(a, int32_t, CELLS * CELLS);
        mark_edges(g);
        fill_sure(g);
        list_candidates(a, g);
}

static bool add_shape(struct area_index *x, const struct area_shape *in, struct err *e)
{
        struct grid *g = &x->layers[in->layer];
        struct shape *s = &g->shapes[g->n];
        s->id = in->id;
        if (!wkb_outline(x->arena, in->wkb, in->n, &s->outline, e) || !wkb_box(in->wkb, in->n, &s->low, &s->high, e))
                return false;
        g->n++;
        return true;
}

bool area_index_new(struct area_index **out, const struct area_shape *shapes, size_t n, struct err *e)
{
        struct arena *a = arena_new();
        struct area_index *x = NEW(a, struct area_index);
        size_t in_layer[AREA_LAYERS] = {0};
        *x = (struct area_index){.arena = a};
        for (size_t i = 0; i < n; i++) {
                assert(shapes[i].layer >= 0 && shapes[i].layer < AREA_LAYERS);
                in_layer[shapes[i].layer]++;
        }
        for (int l = 0; l < AREA_LAYERS; l++)
                x->layers[l].shapes = NEW_ARRAY(a, struct shape, in_layer[l]);
        for (size_t i = 0; i < n; i++)
                if (!add_shape(x, &shapes[i], e)) {
                        arena_free(&a);
                        return false;
                }
        for (int l = 0; l < AREA_LAYERS; l++)
                if (x->layers[l].n)
                        build(a, &x->layers[l]);
        *out = x;
        return true;
}

void area_index_free(struct area_index **x)
{
        if (!*x)
                return;
        struct arena *a = (*x)->arena;
        *x = NULL;
        arena_free(&a);
}

static int find_in(const struct grid *g, struct point p)
{
        if (g->n == 0 || p.lon < g->low.lon || p.lon > g->high.lon || p.lat < g->low.lat || p.lat > g->high.lat)
                return NOBODY;
        const int cell = cell_of(p.lat, g->low.lat, g->height) * CELLS + cell_of(p.lon, g->low.lon, g->width);
        if (g->answer[cell] != MIXED)
                return g->answer[cell];
        for (const int32_t *c = &g->candidates[g->first[cell]]; *c >= 0; c++)
                if (holds(&g->shapes[*c], p))
                        return g->shapes[*c].id;
        return NOBODY;
}

int area_index_find(const struct area_index *x, struct point p, int ids[AREA_LAYERS])
{
        int found = 0;
        for (int l = 0; l < AREA_LAYERS; l++) {
                ids[l] = find_in(&x->layers[l], p);
                found += ids[l] >= 0;
        }
        return found;
}
