/* twin/pack.c -- what the twin reads from a pack: areas.csv, area_aliases.csv, outlines.geojson. */
#include "twin/twin.h"
#include "base/arena.h"
#include "base/text.h"
#include "json/json.h"
#include "pack/pack.h"
#include "store/store.h"

static const char SQL_AREA[] =
        "INSERT INTO area(version, place, code, name, name_en, level, parent, position) VALUES ($1, $2, $3, $4, $5, $6, $7,"
        " CAST(SUBSTR($2, 11) AS INTEGER))"; /* place is "areas.csv:LINE" */
static const char SQL_ALIAS[] = "INSERT INTO area_alias(version, place, alias, area) VALUES ($1, $2, $3, $4)";
static const char SQL_OUTLINE[] = "INSERT INTO area_outline(version, code, schematic, outline, place) VALUES ($1, $2, $3, $4, $5)";

static const char SQL_TWICE[] =
        "SELECT MAX(place), 'the area ' || code || ' stands twice', '区域' || code || '重复' FROM area WHERE version = $1"
        " GROUP BY code HAVING COUNT(*) > 1";
static const char SQL_ONE_DISTRICT[] =
        "SELECT 'areas.csv', 'there must be exactly one district; there are ' || n, '须恰有一个区级区域，现有' || n || '个'"
        " FROM (SELECT COUNT(*) AS n FROM area WHERE version = $1 AND level = 'district') d WHERE d.n <> 1";
static const char SQL_NO_PARENT[] =
        "SELECT a.place, 'the area ' || a.code || ' has the parent ' || COALESCE(a.parent, '(none)') || ', which does not exist',"
        " '区域' || a.code || '的上级' || COALESCE(a.parent, '（空）') || '不存在' FROM area a WHERE a.version = $1 AND a.level <> 'district'"
        " AND NOT EXISTS (SELECT 1 FROM area p WHERE p.version = a.version AND p.code = a.parent)";
static const char SQL_LEVELS[] =
        "SELECT a.place, 'a ' || a.level || ' cannot lie in a ' || p.level, '区域' || a.code || '的级别与上级不符'"
        " FROM area a JOIN area p ON p.version = a.version AND p.code = a.parent WHERE a.version = $1"
        " AND NOT (a.level = 'subdistrict' AND p.level = 'district' OR a.level = 'community' AND p.level = 'subdistrict'"
        " OR a.level = 'grid' AND p.level = 'community' OR a.level = 'duty')";
static const char SQL_OUTLINE_UNKNOWN[] =
        "SELECT o.place, 'the outline of ' || o.code || ' belongs to no area', '轮廓' || o.code || '不属于任何区域' FROM area_outline o"
        " WHERE o.version = $1 AND NOT EXISTS (SELECT 1 FROM area a WHERE a.version = o.version AND a.code = o.code)";
static const char SQL_OUTLINE_TWICE[] =
        "SELECT MAX(place), 'the area ' || code || ' has two outlines', '区域' || code || '有两个轮廓' FROM area_outline WHERE version ="
        " $1"
        " GROUP BY code HAVING COUNT(*) > 1";
static const char SQL_ALIAS_UNKNOWN[] =
        "SELECT l.place, 'the alias ' || l.alias || ' names the area ' || l.area || ', which does not exist',"
        " '别名' || l.alias || '指向的区域' || l.area || '不存在' FROM area_alias l WHERE l.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM area a WHERE a.version = l.version AND a.code = l.area)";

enum { RINGS_MOST = 64, POINTS_MOST = 200000 };

static bool read_ring(struct arena *a, const struct json_value *v, struct ring *out)
{
        const size_t n = json_count(v);
        struct point *points = NEW_ARRAY(a, struct point, n);
        size_t i = 0;
        if (json_kind(v) != JSON_ARRAY || n < 4 || n > POINTS_MOST)
                return false;
        for (const struct json_value *p = json_first(v); p; p = json_next(p)) {
                const struct json_value *lon = json_first(p), *lat = lon ? json_next(lon) : NULL;
                if (json_kind(lon) != JSON_NUMBER || json_kind(lat) != JSON_NUMBER)
                        return false;
                points[i++] = (struct point){json_real_of(lon), json_real_of(lat)};
        }
        *out = (struct ring){points, n};
        return true;
}

static bool read_polygon(struct arena *a, const struct json_value *rings, void **wkb, size_t *n)
{
        struct ring all[RINGS_MOST];
        size_t count = 0;
        for (const struct json_value *v = json_first(rings); v; v = json_next(v))
                if (count == RINGS_MOST || !read_ring(a, v, &all[count++]))
                        return false;
        if (count == 0)
                return false;
        wkb_polygon(a, all, count, wkb, n);
        return true;
}

/* A multipolygon is the head (order, type 6, count) and its polygons one after the other. */
static bool read_multipolygon(struct arena *a, const struct json_value *parts, void **wkb, size_t *n)
{
        enum { MOST = 256 };
        void *at[MOST];
        size_t sizes[MOST], count = 0, total = 9;
        for (const struct json_value *v = json_first(parts); v; v = json_next(v), count++) {
                if (count == MOST || !read_polygon(a, v, &at[count], &sizes[count]))
                        return false;
                total += sizes[count];
        }
        unsigned char *out = arena_alloc(a, total);
        *wkb = out;
        *n = total;
        out[0] = 1;
        out[1] = 6;
        out[5] = (unsigned char)(count & 255);
        out[6] = (unsigned char)(count >> 8);
        out += 9;
        for (size_t i = 0; i < count; i++) {
                memcpy(out, at[i], sizes[i]);
                out += sizes[i];
        }
        return count > 0;
}

/* GeoJSON has no lines once it is parsed: the feature's number is its place. */
static bool stage_feature(struct stage *s, const char *file, const struct json_value *f, int number, struct err *e)
{
        const struct json_value *geometry = json_get(f, "geometry"), *properties = json_get(f, "properties");
        const char *code = json_get_text(properties, "code", ""), *type = json_get_text(geometry, "type", "");
        const struct json_value *coordinates = json_get(geometry, "coordinates");
        struct err why;
        void *wkb;
        size_t n;
        bool read = text_is(type, "Polygon")        ? read_polygon(s->arena, coordinates, &wkb, &n)
                    : text_is(type, "MultiPolygon") ? read_multipolygon(s->arena, coordinates, &wkb, &n)
                                                    : false;
        if (text_empty(code))
                stage_fault(s, file, 0, "feature %d has no property \"code\"", "第%d个要素缺少属性“code”", number);
        else if (!read)
                stage_fault(s, file, 0, "feature %d (%s) is not a polygon or multipolygon of closed rings of numbers",
                            "第%d个要素（%s）不是由闭合环组成的多边形", number, code);
        else if (!wkb_check(wkb, n, &why))
                stage_fault(s, file, 0, "feature %d (%s): %s%.0s", "第%d个要素（%s）：%.0s%s", number, code, why.text, why.zh);
        else
                return tx_change(s->tx, e, SQL_OUTLINE,
                                 ARGS(V(s->version), V(code), V(json_get_bool(properties, "schematic", false)), V_BLOB(wkb, n),
                                      V(arena_format(s->arena, "%s (%s)", file, code))))
                       == 1;
        return true;
}

static bool stage_outlines(struct stage *s, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *e)
{
        int number = 0;
        (void)root;
        const struct json_value *all = json_parse(s->arena, bytes, n, e);
        if (!all || !text_is(json_get_text(all, "type", ""), "FeatureCollection")) {
                stage_fault(s, file, 0, "%s", "不是有效的 GeoJSON FeatureCollection：%s",
                            all ? "a FeatureCollection is wanted" : e->text);
                return true;
        }
        for (const struct json_value *f = json_first(json_get(all, "features")); f; f = json_next(f))
                if (!stage_feature(s, file, f, ++number, e))
                        return false;
        return true;
}

static const char *const level_names[] = {"district", "subdistrict", "community", "grid", "duty", NULL};
static const struct pack_column area_columns[] = {
        {"code", PACK_TEXT, true, NULL, "Division code; grids: the community's and three digits."},
        {"name", PACK_TEXT, true, NULL, "Name, Chinese."},
        {"name_en", PACK_TEXT, false, NULL, "Name, English."},
        {"level", PACK_TEXT, true, level_names, "What it is."},
        {"parent", PACK_TEXT, false, NULL, "Code of the area it lies in."},
        {0},
};
static const struct pack_column alias_columns[] = {
        {"alias", PACK_TEXT, true, NULL, "Another name."},
        {"area", PACK_TEXT, true, NULL, "Code of the area."},
        {0},
};
static const struct pack_table tables[] = {
        {"areas.csv", true, area_columns, SQL_AREA},
        {"area_aliases.csv", false, alias_columns, SQL_ALIAS},
        {0},
};
static const struct pack_document documents[] = {{"outlines.geojson", false, stage_outlines}, {0}};
static const char *const checks[] = {
        SQL_TWICE, SQL_ONE_DISTRICT, SQL_NO_PARENT, SQL_LEVELS, SQL_OUTLINE_UNKNOWN, SQL_OUTLINE_TWICE, SQL_ALIAS_UNKNOWN, NULL,
};
const struct pack_part twin_pack = {.capability = "twin", .tables = tables, .documents = documents, .checks = checks};
