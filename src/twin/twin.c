/* twin/twin.c -- see twin.h. */
#include "twin/twin.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "store/store.h"

static const char SQL_COUNT[] = "SELECT COUNT(*) FROM area WHERE version = $1";
static const char SQL_AREAS[] =
        "SELECT a.code, a.name, a.name_en, a.level, a.parent, o.schematic, o.outline FROM area a"
        " LEFT JOIN area_outline o ON o.version = a.version AND o.code = a.code WHERE a.version = $1 ORDER BY a.position";
static const char SQL_ALIASES[] = "SELECT alias, area FROM area_alias WHERE version = $1 ORDER BY alias";

struct twin {
        struct area *areas;
        size_t n;
        const char **parents;
        struct map *by_code;
        struct alias {
                const char *alias;
                const struct area *area;
        } * aliases;
        size_t n_aliases;
        struct area_shape *shapes;
        size_t n_shapes;
        struct area_index *index;
        const struct area *district;
};

static const char *const levels[] = {"district", "subdistrict", "community", "grid", "duty"};

const char *area_level_name(enum area_level level)
{
        return levels[level];
}

static bool read_area(const struct rows *r, struct arena *a, struct twin *t, struct err *e)
{
        struct area *area = &t->areas[t->n];
        const char *level = rows_text(r, a, 3);
        *area = (struct area){.code = rows_text(r, a, 0),
                              .name = rows_text(r, a, 1),
                              .name_en = rows_text(r, a, 2),
                              .schematic = rows_int(r, 5) != 0,
                              .order = (int)t->n};
        for (size_t i = 0; i < COUNT_OF(levels); i++)
                if (text_is(levels[i], level))
                        area->level = (enum area_level)i;
        t->parents[t->n] = rows_text(r, a, 4);
        (void)map_put(t->by_code, area->code, area);
        if (!rows_null(r, 6)) {
                struct area_shape *s = &t->shapes[t->n_shapes++];
                *s = (struct area_shape){.id = (int)t->n, .layer = (int)area->level};
                s->wkb = rows_blob(r, a, 6, &s->n);
                if (!wkb_box(s->wkb, s->n, &area->low, &area->high, e))
                        return false;
        }
        t->n++;
        return true;
}

static bool read_areas(struct tx *tx, struct arena *a, int64_t version, struct twin *t, size_t room, struct err *e)
{
        struct rows r;
        struct err second;
        bool ok = true;
        if (!tx_rows(tx, &r, e, SQL_AREAS, ARGS(V(version))))
                return false;
        while (ok && t->n < room && rows_next(&r))
                ok = read_area(&r, a, t, e);
        return rows_done(&r, ok ? e : &second) && ok;
}

static bool read_aliases(struct tx *tx, struct arena *a, int64_t version, struct twin *t, struct err *e)
{
        enum { MOST = 5000 };
        struct rows r;
        t->aliases = NEW_ARRAY(a, struct alias, MOST);
        if (!tx_rows(tx, &r, e, SQL_ALIASES, ARGS(V(version))))
                return false;
        while (t->n_aliases < MOST && rows_next(&r)) {
                const struct area *area = map_get(t->by_code, rows_text(&r, a, 1));
                if (area)
                        t->aliases[t->n_aliases++] = (struct alias){rows_text(&r, a, 0), area};
        }
        return rows_done(&r, e);
}

bool twin_load(struct tx *tx, struct arena *a, int64_t version, struct twin **out, struct err *e)
{
        struct twin *t = NEW(a, struct twin);
        int64_t count;
        if (!tx_int(tx, &count, 0, e, SQL_COUNT, ARGS(V(version))))
                return false;
        t->areas = NEW_ARRAY(a, struct area, count);
        t->parents = NEW_ARRAY(a, const char *, count);
        t->shapes = NEW_ARRAY(a, struct area_shape, count);
        t->by_code = map_new(a, (size_t)count);
        if (!read_areas(tx, a, version, t, (size_t)count, e) || !read_aliases(tx, a, version, t, e))
                return false;
        for (size_t i = 0; i < t->n; i++) {
                t->areas[i].parent = t->parents[i] ? map_get(t->by_code, t->parents[i]) : NULL;
                if (t->areas[i].level == AREA_DISTRICT)
                        t->district = &t->areas[i];
        }
        *out = t;
        return area_index_new(&t->index, t->shapes, t->n_shapes, e);
}

void twin_free(struct twin *t)
{
        if (t)
                area_index_free(&t->index);
}

const struct area *area_find(const struct twin *t, const char *code)
{
        return code ? map_get(t->by_code, code) : NULL;
}

static bool lies_within(const struct area *area, const struct area *within)
{
        for (; area; area = area->parent)
                if (area == within)
                        return true;
        return within == NULL;
}

const struct area *twin_alias(const struct twin *t, size_t i, const char **name)
{
        if (i >= t->n_aliases)
                return NULL;
        *name = t->aliases[i].alias;
        return t->aliases[i].area;
}

const struct area *area_by_name(const struct twin *t, const char *name, const struct area *within)
{
        for (size_t i = 0; i < t->n; i++)
                if (text_is(t->areas[i].name, name) && lies_within(&t->areas[i], within))
                        return &t->areas[i];
        for (size_t i = 0; i < t->n_aliases; i++)
                if (text_is(t->aliases[i].alias, name) && lies_within(t->aliases[i].area, within))
                        return t->aliases[i].area;
        return NULL;
}

const struct area *area_near(const struct twin *t, const char *wrong)
{
        const struct area *best = area_by_name(t, wrong, NULL);
        size_t most = 6; /* the district's code alone says nothing */
        for (size_t i = 0; !best && i < t->n; i++) {
                size_t same = 0;
                while (t->areas[i].code[same] && t->areas[i].code[same] == wrong[same])
                        same++;
                if (same > most && t->areas[i].level <= AREA_COMMUNITY) {
                        most = same;
                        best = &t->areas[i];
                }
        }
        return best;
}

size_t area_count(const struct twin *t)
{
        return t->n;
}

const struct area *area_at(const struct twin *t, size_t i)
{
        return &t->areas[i];
}

const struct area *area_up(const struct area *area, enum area_level level)
{
        while (area && area->level != level)
                area = area->parent;
        return area;
}

const struct area *twin_district(const struct twin *t)
{
        return t->district;
}

static bool in_box(const struct area *area, struct point p)
{
        return area && area->high.lon > area->low.lon && p.lon >= area->low.lon && p.lon <= area->high.lon && p.lat >= area->low.lat
               && p.lat <= area->high.lat;
}

static bool locate_point(const struct twin *t, struct point p, struct place *out, struct err *e)
{
        static const enum area_level smallest_first[] = {AREA_GRID, AREA_COMMUNITY, AREA_SUBDISTRICT, AREA_DISTRICT};
        int ids[AREA_LAYERS];
        const struct point swapped = {p.lat, p.lon};
        if (in_box(t->district, swapped))
                return err_both(e, ERR_INVALID, "location", "longitude and latitude are swapped: send lon %.6f, lat %.6f",
                                "经纬度颠倒：应为经度%.6f、纬度%.6f", p.lat, p.lon);
        if (!(p.lon >= -180 && p.lon <= 180))
                return err_both(e, ERR_INVALID, "location.lon", "the longitude %g is out of range (-180 to 180, WGS-84)",
                                "经度%g超出范围（-180至180，WGS-84）", p.lon);
        if (!(p.lat >= -90 && p.lat <= 90))
                return err_both(e, ERR_INVALID, "location.lat", "the latitude %g is out of range (-90 to 90, WGS-84)",
                                "纬度%g超出范围（-90至90，WGS-84）", p.lat);
        out->point = p;
        out->has_point = true;
        (void)area_index_find(t->index, p, ids);
        for (size_t i = 0; i < COUNT_OF(smallest_first); i++)
                if (ids[smallest_first[i]] >= 0) {
                        out->area = &t->areas[ids[smallest_first[i]]];
                        return true;
                }
        out->outside = true;
        return true;
}

bool twin_locate(const struct twin *t, const struct point *point, const char *area_code, struct place *out, struct err *e)
{
        *out = (struct place){0};
        if (point && !locate_point(t, *point, out, e))
                return false;
        if (text_empty(area_code))
                return true;
        const struct area *area = area_find(t, area_code);
        if (!area) {
                const struct area *near = area_near(t, area_code);
                if (near)
                        return err_both(e, ERR_INVALID, "area_code",
                                        "there is no area \"%s\"; did you mean \"%s\" (%s)? See /api/v1/areas",
                                        "没有编码为“%s”的区域，是否为“%s”（%s）？可查 /api/v1/areas", area_code, near->code,
                                        near->name);
                return err_both(e, ERR_INVALID, "area_code", "there is no area \"%s\"; see /api/v1/areas",
                                "没有编码为“%s”的区域，可查 /api/v1/areas", area_code);
        }
        if (!out->area)
                out->area = area;
        return true;
}
