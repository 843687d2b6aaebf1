/* people/units.c -- units of one pack version in memory, and what people/ reads from a pack. */
#include "people/people.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "pack/pack.h"
#include "people/ranges.h"
#include "store/store.h"

static const char SQL_ADD_UNIT[] =
        "INSERT INTO unit(version, place, code, name, name_en, kind, parent, area, fallback, position)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, COALESCE($9, 0), CAST(SUBSTR($2, 11) AS INTEGER))"; /* "units.csv:LINE" */
static const char SQL_ADD_ALIAS[] = "INSERT INTO unit_alias(version, place, alias, unit) VALUES ($1, $2, $3, $4)";
static const char SQL_ADD_RANGE[] = "INSERT INTO role_range(version, place, role, kind, sees) VALUES ($1, $2, $3, $4, $5)";
static const char SQL_COUNT[] = "SELECT COUNT(*) FROM unit WHERE version = $1";
static const char SQL_UNITS[] =
        "SELECT code, name, name_en, kind, parent, area, fallback FROM unit WHERE version = $1 ORDER BY position";
static const char SQL_ALIASES[] = "SELECT alias, unit FROM unit_alias WHERE version = $1 ORDER BY alias";

static const char SQL_TWICE[] =
        "SELECT MAX(place), 'the unit ' || code || ' stands twice', '单位' || code || '重复' FROM unit WHERE version = $1"
        " GROUP BY code HAVING COUNT(*) > 1";
static const char SQL_NO_PARENT[] =
        "SELECT u.place, 'the unit ' || u.code || ' has the parent ' || u.parent || ', which does not exist',"
        " '单位' || u.code || '的上级' || u.parent || '不存在' FROM unit u WHERE u.version = $1 AND u.parent IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM unit p WHERE p.version = u.version AND p.code = u.parent)";
static const char SQL_RING[] =
        "WITH RECURSIVE tree(code, level) AS (SELECT code, 1 FROM unit WHERE version = $1 AND parent IS NULL"
        " UNION ALL SELECT u.code, t.level + 1 FROM tree t JOIN unit u ON u.version = $1 AND u.parent = t.code WHERE t.level < 8)"
        " SELECT u.place, 'the unit ' || u.code || ' is deeper than eight levels, or its parents form a ring',"
        " '单位' || u.code || '超过八级，或上级成环' FROM unit u WHERE u.version = $1 AND u.parent IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM unit p WHERE p.version = u.version AND p.code = u.parent) AND u.code NOT IN (SELECT code FROM"
        " tree)";
static const char SQL_FALLBACK[] =
        "SELECT 'units.csv', 'exactly one unit must have fallback = yes; ' || n || ' have', '须恰有一个单位 fallback 为 yes，现有' || n || '个'"
        " FROM (SELECT COUNT(*) AS n FROM unit WHERE version = $1 AND fallback = 1) f WHERE f.n <> 1";
static const char SQL_ALIAS_UNKNOWN[] =
        "SELECT a.place, 'the alias ' || a.alias || ' names the unit ' || a.unit || ', which does not exist',"
        " '别名' || a.alias || '指向的单位' || a.unit || '不存在' FROM unit_alias a WHERE a.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.version = a.version AND u.code = a.unit)";
static const char SQL_ALIAS_TWICE[] =
        "SELECT MAX(place), 'the alias ' || alias || ' stands twice', '别名' || alias || '重复' FROM unit_alias WHERE version = $1"
        " GROUP BY alias HAVING COUNT(*) > 1";
static const char SQL_RANGE_TWICE[] =
        "SELECT MAX(place), 'the role ' || role || ' stands twice for the same kind of unit', '角色' || role || '对同类单位重复'"
        " FROM role_range WHERE version = $1 GROUP BY role, COALESCE(kind, '') HAVING COUNT(*) > 1";

enum { DEPTH_MOST = 8 };

struct units {
        struct unit *at;
        size_t n;
        struct map *by_code, *by_name;
        const struct unit *fallback;
        struct ranges ranges;
};

static bool read_units(struct tx *tx, struct arena *a, int64_t version, struct units *u, size_t room, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_UNITS, ARGS(V(version))))
                return false;
        for (; u->n < room && rows_next(&r); u->n++) {
                struct unit *unit = &u->at[u->n];
                *unit = (struct unit){.code = rows_text(&r, a, 0),
                                      .name = rows_text(&r, a, 1),
                                      .name_en = rows_text(&r, a, 2),
                                      .kind = rows_text(&r, a, 3),
                                      .parent = rows_text(&r, a, 4),
                                      .area = rows_text(&r, a, 5)};
                (void)map_put(u->by_code, unit->code, unit);
                (void)map_put(u->by_name, unit->name, unit);
                if (rows_int(&r, 6) || !u->fallback)
                        u->fallback = unit;
        }
        return rows_done(&r, e);
}

bool units_load(struct tx *tx, struct arena *a, int64_t version, struct units **out, struct err *e)
{
        struct units *u = NEW(a, struct units);
        struct rows r;
        int64_t count;
        if (!tx_int(tx, &count, 0, e, SQL_COUNT, ARGS(V(version))))
                return false;
        u->at = NEW_ARRAY(a, struct unit, count);
        u->by_code = map_new(a, (size_t)count);
        u->by_name = map_new(a, (size_t)count * 2);
        if (!read_units(tx, a, version, u, (size_t)count, e) || !ranges_load(tx, a, version, &u->ranges, e)
            || !tx_rows(tx, &r, e, SQL_ALIASES, ARGS(V(version))))
                return false;
        while (rows_next(&r)) {
                struct unit *unit = map_get(u->by_code, rows_text(&r, a, 1));
                if (unit)
                        (void)map_put(u->by_name, rows_text(&r, a, 0), unit);
        }
        *out = u;
        return rows_done(&r, e);
}

const struct unit *unit_find(const struct units *u, const char *code)
{
        return code ? map_get(u->by_code, code) : NULL;
}

const struct unit *unit_by_name(const struct units *u, const char *name)
{
        return name ? map_get(u->by_name, name) : NULL;
}

size_t unit_count(const struct units *u)
{
        return u->n;
}

const struct unit *unit_at(const struct units *u, size_t i)
{
        return &u->at[i];
}

bool unit_within(const struct units *u, const char *code, const char *ancestor)
{
        for (int depth = 0; code && depth <= DEPTH_MOST; depth++) {
                if (text_is(code, ancestor))
                        return true;
                const struct unit *unit = unit_find(u, code);
                code = unit ? unit->parent : NULL;
        }
        return false;
}

static const struct unit *unit_in(const struct units *u, const char *area, const char *kind)
{
        for (size_t i = 0; i < u->n; i++)
                if (text_is(u->at[i].area, area) && text_is(u->at[i].kind, kind))
                        return &u->at[i];
        return NULL;
}

const struct unit *unit_of_area(const struct units *u, const char *area, const char *wider)
{
        const struct unit *near = text_empty(area) ? NULL : unit_in(u, area, "community");
        return near || text_empty(wider) ? near : unit_in(u, wider, "subdistrict");
}

enum range range_of(const struct units *u, int role, const char *unit)
{
        const struct unit *of = unit_find(u, unit);
        return ranges_find(&u->ranges, role, of ? of->kind : NULL);
}

const struct unit *unit_fallback(const struct units *u)
{
        return u->fallback;
}

static const char *const kinds[] = {"department", "subdistrict", "office", "community", "firm", "centre", NULL};
static const struct pack_column unit_columns[] = {
        {"code", PACK_TEXT, true, NULL, "Code of the unit."},
        {"name", PACK_TEXT, true, NULL, "Name, Chinese."},
        {"name_en", PACK_TEXT, false, NULL, "Name, English."},
        {"kind", PACK_TEXT, true, kinds, "What it is."},
        {"parent", PACK_TEXT, false, NULL, "Unit above it."},
        {"area", PACK_TEXT, false, NULL, "Area it works in."},
        {"fallback", PACK_BOOL, false, NULL, "yes: gets what nobody else is responsible for."},
        {0},
};
static const struct pack_column alias_columns[] = {
        {"alias", PACK_TEXT, true, NULL, "Name it had or has elsewhere."},
        {"unit", PACK_TEXT, true, NULL, "Code of the unit."},
        {0},
};
static const char *const roles[] = {"clerk", "dispatcher", "unit", "supervisor", "admin", NULL};
static const char *const sights[] = {"none", "own", "unit", "subtree", "area", "district", NULL};
static const struct pack_column range_columns[] = {
        {"role", PACK_TEXT, true, roles, "Role of the account."},
        {"kind", PACK_TEXT, false, kinds, "Kind of its unit; empty: any, and of no unit."},
        {"sees", PACK_TEXT, true, sights,
         "Whose cases it sees: its own tasks, its unit's, also of the units below, an area's, all."},
        {0},
};
static const struct pack_table tables[] = {
        {"units.csv", true, unit_columns, SQL_ADD_UNIT},
        {"unit_aliases.csv", false, alias_columns, SQL_ADD_ALIAS},
        {"ranges.csv", false, range_columns, SQL_ADD_RANGE},
        {0},
};
static const char *const checks[] = {SQL_TWICE,         SQL_NO_PARENT,   SQL_RING,        SQL_FALLBACK,
                                     SQL_ALIAS_UNKNOWN, SQL_ALIAS_TWICE, SQL_RANGE_TWICE, NULL};
const struct pack_part people_pack = {.capability = "people", .tables = tables, .checks = checks};
