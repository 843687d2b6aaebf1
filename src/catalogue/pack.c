/* catalogue/pack.c -- what the catalogue reads from a pack: items.csv, item_aliases.csv and item_attributes.csv. */
#include "catalogue/catalogue.h"
#include "pack/pack.h"

static const char SQL_ITEM[] =
        "INSERT INTO item(version, place, code, name, name_en, parent, grade, amount, unit, urgent_amount, urgent_unit, workflow,"
        " scope,"
        " closing, law, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
        " CAST(SUBSTR($2, 11) AS INTEGER))"; /* place is "items.csv:LINE": the order is the file's */
static const char SQL_ALIAS[] = "INSERT INTO item_alias(version, place, path, item) VALUES ($1, $2, $3, $4)";
static const char SQL_ATTRIBUTE[] =
        "INSERT INTO item_attribute(version, place, item, code, datatype, required, description, datatype_description, position,"
        " choices) VALUES ($1, $2, $3, $4, $5, COALESCE($6, 0), $7, $8, COALESCE($9, CAST(SUBSTR($2, 21) AS INTEGER)), $10)";
/* place is "item_attributes.csv:LINE" */

static const char SQL_TWICE[] =
        "SELECT MAX(place), 'the item ' || code || ' stands twice', '事项' || code || '重复' FROM item WHERE version = $1"
        " GROUP BY code HAVING COUNT(*) > 1";
static const char SQL_NO_PARENT[] =
        "SELECT i.place, 'the item ' || i.code || ' has the parent ' || i.parent || ', which does not exist',"
        " '事项' || i.code || '的上级' || i.parent || '不存在' FROM item i WHERE i.version = $1 AND i.parent IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM item p WHERE p.version = i.version AND p.code = i.parent)";
/* Items that cannot be reached from the top within four levels: too deep, or in a ring. */
static const char SQL_TOO_DEEP[] =
        "WITH RECURSIVE tree(code, level) AS (SELECT code, 1 FROM item WHERE version = $1 AND parent IS NULL"
        " UNION ALL SELECT i.code, t.level + 1 FROM tree t JOIN item i ON i.version = $1 AND i.parent = t.code WHERE t.level < 4)"
        " SELECT i.place, 'the item ' || i.code || ' is deeper than four levels, or its parents form a ring',"
        " '事项' || i.code || '超过四级，或上级成环' FROM item i WHERE i.version = $1 AND i.parent IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM item p WHERE p.version = i.version AND p.code = i.parent)"
        " AND i.code NOT IN (SELECT code FROM tree)";
static const char SQL_NO_LIMIT[] =
        "WITH RECURSIVE up(code, ancestor, level) AS (SELECT code, code, 1 FROM item WHERE version = $1"
        " UNION ALL SELECT u.code, i.parent, u.level + 1 FROM up u JOIN item i ON i.version = $1 AND i.code = u.ancestor"
        " WHERE i.parent IS NOT NULL AND u.level < 5),"
        " limited(code) AS (SELECT u.code FROM up u JOIN item i ON i.version = $1 AND i.code = u.ancestor WHERE i.amount IS NOT"
        " NULL)"
        " SELECT i.place, 'the item ' || i.code || ' has no limit, nor has any item above it',"
        " '事项' || i.code || '及其上级均未设时限' FROM item i WHERE i.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM item c WHERE c.version = i.version AND c.parent = i.code)"
        " AND i.code NOT IN (SELECT code FROM limited)";
static const char SQL_HALF_LIMIT[] =
        "SELECT place, 'the item ' || code || ' needs amount and unit of a limit together, and more than 0',"
        " '事项' || code || '的时限须同时填写数值和单位，且大于0' FROM item WHERE version = $1"
        " AND ((amount IS NULL) <> (unit IS NULL) OR (urgent_amount IS NULL) <> (urgent_unit IS NULL) OR amount <= 0 OR"
        " urgent_amount <= 0)";
static const char SQL_ALIAS_UNKNOWN[] =
        "SELECT a.place, 'the alias ' || a.path || ' names the item ' || a.item || ', which does not exist',"
        " '别名' || a.path || '指向的事项' || a.item || '不存在' FROM item_alias a WHERE a.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM item i WHERE i.version = a.version AND i.code = a.item)";
static const char SQL_ATTRIBUTE_UNKNOWN[] =
        "SELECT a.place, 'the attribute ' || a.code || ' names the item ' || a.item || ', which does not exist',"
        " '属性' || a.code || '指向的事项' || a.item || '不存在' FROM item_attribute a WHERE a.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM item i WHERE i.version = a.version AND i.code = a.item)";
static const char SQL_ATTRIBUTE_TWICE[] =
        "SELECT MAX(place), 'the attribute ' || code || ' of the item ' || item || ' stands twice',"
        " '事项' || item || '的属性' || code || '重复' FROM item_attribute WHERE version = $1 GROUP BY item, code HAVING COUNT(*) > 1";
static const char SQL_ATTRIBUTE_CODE[] =
        "SELECT place, 'the code of the attribute ' || code || ' may not have [ ] , & or = in it',"
        " '属性编码' || code || '不得含有 [ ] , & =' FROM item_attribute WHERE version = $1"
        " AND (code LIKE '%[%' OR code LIKE '%]%' OR code LIKE '%,%' OR code LIKE '%&%' OR code LIKE '%=%')";
static const char SQL_ATTRIBUTE_CHOICES[] =
        "SELECT place, 'the attribute ' || code || ' is no list, so it takes no values', '属性' || code || '不是列表，不应填写 values'"
        " FROM item_attribute WHERE version = $1 AND choices IS NOT NULL AND datatype NOT LIKE '%valuelist'"
        " UNION ALL SELECT place, 'the attribute ' || code || ' is a list and needs its values',"
        " '属性' || code || '是列表，须填写 values' FROM item_attribute"
        " WHERE version = $1 AND choices IS NULL AND datatype LIKE '%valuelist'";
/* As many '=' as pieces, and nothing empty beside a sign. */
static const char SQL_ATTRIBUTE_FORM[] =
        "SELECT place, 'the values of the attribute ' || code || ' must be key=name, joined by |',"
        " '属性' || code || '的 values 应为 键=名称，以 | 分隔' FROM item_attribute WHERE version = $1 AND choices IS NOT NULL"
        " AND (LENGTH(choices) - LENGTH(REPLACE(choices, '=', '')) <> LENGTH(choices) - LENGTH(REPLACE(choices, '|', '')) + 1"
        " OR choices LIKE '=%' OR choices LIKE '|%' OR choices LIKE '%|' OR choices LIKE '%=' OR choices LIKE '%|=%'"
        " OR choices LIKE '%=|%' OR choices LIKE '%||%' OR choices LIKE '%==%')";

static const char *const grades[] = {"A", "B", "C", NULL};
static const char *const units[] = {"work_hour", "work_day", "urgent_hour", "natural_day", NULL};
static const struct pack_column item_columns[] = {
        {"code", PACK_TEXT, true, NULL, "Code of the item."},
        {"name", PACK_TEXT, true, NULL, "Name, Chinese."},
        {"name_en", PACK_TEXT, false, NULL, "Name, English."},
        {"parent", PACK_TEXT, false, NULL, "Code of the item above; empty at level 1."},
        {"grade", PACK_TEXT, false, grades, "A, B or C."},
        {"limit", PACK_REAL, false, NULL, "Time to handle it."},
        {"limit_unit", PACK_TEXT, false, units, "Unit of that time."},
        {"urgent_limit", PACK_REAL, false, NULL, "Time for urgent cases."},
        {"urgent_unit", PACK_TEXT, false, units, "Unit of that time."},
        {"workflow", PACK_TEXT, false, NULL, "Workflow; standard when unsaid."},
        {"scope", PACK_TEXT, false, NULL, "What belongs to it."},
        {"closing", PACK_TEXT, false, NULL, "When it counts as done."},
        {"law", PACK_TEXT, false, NULL, "Legal basis."},
        {0},
};
static const struct pack_column alias_columns[] = {
        {"path", PACK_TEXT, true, NULL, "Names from level 1 down, joined by '/'."},
        {"item", PACK_TEXT, true, NULL, "Code of the item."},
        {0},
};
static const char *const datatypes[] = {"string", "number", "datetime", "text", "singlevaluelist", "multivaluelist", NULL};
static const struct pack_column attribute_columns[] = {
        {"item", PACK_TEXT, true, NULL, "Code of the item; it holds for all items below too."},
        {"code", PACK_TEXT, true, NULL, "Code of the attribute."},
        {"datatype", PACK_TEXT, true, datatypes, "What an answer is."},
        {"required", PACK_BOOL, false, NULL, "yes: a report must answer it."},
        {"description", PACK_TEXT, true, NULL, "The question."},
        {"datatype_description", PACK_TEXT, false, NULL, "How to answer it."},
        {"order", PACK_INT, false, NULL, "Its place among the item's; the line when unsaid."},
        {"values", PACK_TEXT, false, NULL, "Of lists: key=name, joined by |."},
        {0},
};
static const struct pack_table tables[] = {
        {"items.csv", true, item_columns, SQL_ITEM},
        {"item_aliases.csv", false, alias_columns, SQL_ALIAS},
        {"item_attributes.csv", false, attribute_columns, SQL_ATTRIBUTE},
        {0},
};
static const char *const checks[] = {SQL_TWICE,          SQL_NO_PARENT,         SQL_TOO_DEEP,          SQL_NO_LIMIT,
                                     SQL_HALF_LIMIT,     SQL_ALIAS_UNKNOWN,     SQL_ATTRIBUTE_UNKNOWN, SQL_ATTRIBUTE_TWICE,
                                     SQL_ATTRIBUTE_CODE, SQL_ATTRIBUTE_CHOICES, SQL_ATTRIBUTE_FORM,    NULL};
const struct pack_part catalogue_pack = {.capability = "catalogue", .tables = tables, .checks = checks};
