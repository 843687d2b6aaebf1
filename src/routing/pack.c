/* routing/pack.c -- what routing reads from a pack: routes.csv and rotas.csv. */
#include "routing/routing.h"
#include "pack/pack.h"

static const char SQL_ROUTE[] =
        "INSERT INTO route(version, place, item, area, kind, unit, assists, note, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
        " CAST(SUBSTR($2, 12) AS INTEGER))"; /* place is "routes.csv:LINE" */
static const char SQL_ROTA[] = "INSERT INTO rota(version, place, rota, unit, weight) VALUES ($1, $2, $3, $4, $5)";

static const char SQL_ITEM_UNKNOWN[] =
        "SELECT r.place, 'the item ' || r.item || ' does not exist', '事项' || r.item || '不存在' FROM route r WHERE r.version = $1"
        " AND r.item <> '*' AND NOT EXISTS (SELECT 1 FROM item i WHERE i.version = r.version AND i.code = r.item)";
static const char SQL_AREA_UNKNOWN[] =
        "SELECT r.place, 'the area ' || r.area || ' does not exist', '区域' || r.area || '不存在' FROM route r WHERE r.version = $1"
        " AND r.area <> '*' AND NOT EXISTS (SELECT 1 FROM area a WHERE a.version = r.version AND a.code = r.area)";
static const char SQL_UNIT_UNKNOWN[] =
        "SELECT r.place, 'the unit ' || r.unit || ' does not exist', '单位' || r.unit || '不存在' FROM route r WHERE r.version = $1"
        " AND r.unit NOT LIKE 'rota:%' AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.version = r.version AND u.code = r.unit)";
static const char SQL_ROTA_UNKNOWN[] =
        "SELECT r.place, 'there is no ' || r.unit || ' in rotas.csv', 'rotas.csv 中没有' || r.unit FROM route r WHERE r.version = $1"
        " AND r.unit LIKE 'rota:%' AND NOT EXISTS (SELECT 1 FROM rota t WHERE t.version = r.version AND 'rota:' || t.rota ="
        " r.unit)";
/* Lists are short; every code of one must be a unit: the list with '|' around it, less all known codes, must be empty. */
static const char SQL_ASSIST_UNKNOWN[] =
        "WITH RECURSIVE part(place, code, rest) AS ("
        " SELECT place, CAST('' AS TEXT), assists || '|' FROM route WHERE version = $1 AND assists IS NOT NULL"
        " UNION ALL SELECT place, SUBSTR(rest, 1, LENGTH(rest) - LENGTH(LTRIM(rest, 'abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.'))), SUBSTR(LTRIM(rest, 'abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.'), 2) FROM part WHERE rest <> '')"
        " SELECT place, 'the assisting unit ' || code || ' does not exist', '协办单位' || code || '不存在' FROM part"
        " WHERE code <> '' AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.version = $1 AND u.code = part.code)";
static const char SQL_NEVER_USED[] =
        "SELECT b.place, 'this row is never used: ' || a.place || ' above already answers the same', '本行永远不会用到：' || a.place"
        " || '已作相同规定' FROM route b JOIN route a ON a.version = b.version AND a.item = b.item AND a.area = b.area"
        " AND COALESCE(a.kind, '*') = COALESCE(b.kind, '*') AND a.position < b.position WHERE b.version = $1";
static const char SQL_KIND_ANYWHERE[] =
        "SELECT place, 'a row for a kind of thing needs an area: name the district to mean all of it',"
        " '按部件类型的规则须指定区域：填写区级编码表示全区' FROM route WHERE version = $1 AND area = '*' AND COALESCE(kind, '*') <> '*'";
static const char SQL_ROTA_UNIT[] =
        "SELECT t.place, 'the unit ' || t.unit || ' does not exist', '单位' || t.unit || '不存在' FROM rota t WHERE t.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM unit u WHERE u.version = t.version AND u.code = t.unit)";
static const char SQL_ROTA_WEIGHT[] =
        "SELECT place, 'a weight is a whole number of at least 1', '权重应为不小于1的整数' FROM rota WHERE version = $1 AND weight < 1";

static const struct pack_column route_columns[] = {
        {"item", PACK_TEXT, true, NULL, "Item of any level, or *."},
        {"area", PACK_TEXT, true, NULL, "Area of any level, or *."},
        {"kind", PACK_TEXT, false, NULL, "Kind of entity, or *."},
        {"unit", PACK_TEXT, true, NULL, "Responsible unit, or rota:NAME."},
        {"assists", PACK_TEXT, false, NULL, "Assisting units."},
        {"note", PACK_TEXT, false, NULL, "Why."},
        {0},
};
static const struct pack_column rota_columns[] = {
        {"rota", PACK_TEXT, true, NULL, "Name of the rota."},
        {"unit", PACK_TEXT, true, NULL, "Unit that takes turns."},
        {"weight", PACK_INT, true, NULL, "Its share."},
        {0},
};
static const struct pack_table tables[] = {
        {"routes.csv", true, route_columns, SQL_ROUTE},
        {"rotas.csv", false, rota_columns, SQL_ROTA},
        {0},
};
static const char *const checks[] = {
        SQL_ITEM_UNKNOWN, SQL_AREA_UNKNOWN,  SQL_UNIT_UNKNOWN, SQL_ROTA_UNKNOWN, SQL_ASSIST_UNKNOWN,
        SQL_NEVER_USED,   SQL_KIND_ANYWHERE, SQL_ROTA_UNIT,    SQL_ROTA_WEIGHT,  NULL,
};
const struct pack_part routing_pack = {.capability = "routing", .tables = tables, .checks = checks};
