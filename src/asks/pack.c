/* asks/pack.c -- the levels of supervision of a pack, and what a case's answer says of its asks. */
#include "asks/asks.h"
#include "base/text.h"
#include "cases/cases.h"
#include "cases/moves.h"
#include "json/json.h"
#include "pack/pack.h"

static const char SQL_LEVEL[] = "INSERT INTO supervision_level(version, place, level, name, name_en, role, amount, unit)"
                                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char SQL_TWICE[] = "SELECT MAX(place), 'level ' || level || ' stands twice', '督办级别' || level || '重复'"
                                " FROM supervision_level WHERE version = $1 GROUP BY level HAVING COUNT(*) > 1";
static const char SQL_AMOUNT[] = "SELECT place, 'the limit must be more than 0', '时限应大于0' FROM supervision_level"
                                 " WHERE version = $1 AND amount <= 0";
static const char SQL_NONE[] =
        "SELECT MIN(m.place), 'a move orders supervision, but levels.csv has no level centre', '有督办动作，但 levels.csv 中没有 centre 级别'"
        " FROM workflow_move m WHERE m.version = $1 AND '|' || m.effects || '|' LIKE '%|supervise|%'"
        " AND NOT EXISTS (SELECT 1 FROM supervision_level l WHERE l.version = m.version AND l.level = 'centre')"
        " HAVING COUNT(*) > 0";

static const char SQL_STEP_LEVEL[] =
        "SELECT s.place, 'levels.csv has no level ' || s.level, 'levels.csv 中没有级别' || s.level FROM clock_step s"
        " WHERE s.version = $1 AND s.level IS NOT NULL AND NOT EXISTS (SELECT 1 FROM supervision_level l"
        " WHERE l.version = s.version AND l.level = s.level)";

static const char *const role_choices[] = {"clerk", "dispatcher", "unit", "supervisor", "admin", NULL};
static const char *const unit_choices[] = {"work_hour", "work_day", "urgent_hour", "natural_day", NULL};
static const struct pack_column columns[] = {
        {"level", PACK_TEXT, true, NULL, "Name of the level; the program orders at `centre`."},
        {"name", PACK_TEXT, true, NULL, "What screens call it, Chinese."},
        {"name_en", PACK_TEXT, true, NULL, "The same, English."},
        {"role", PACK_TEXT, true, role_choices, "The least role that may order it."},
        {"limit", PACK_REAL, true, NULL, "Time for the answer."},
        {"limit_unit", PACK_TEXT, true, unit_choices, "Unit of the time."},
        {0},
};
static const struct pack_table tables[] = {
        {"levels.csv", false, columns, SQL_LEVEL},
        {0},
};
static const char *const checks[] = {SQL_TWICE, SQL_AMOUNT, SQL_NONE, SQL_STEP_LEVEL, NULL};
const struct pack_part asks_pack = {.capability = "asks", .tables = tables, .checks = checks};

static bool asks_json(struct tx *tx, struct arena *a, int64_t case_id, const struct sight *sight, struct json *j, struct err *e)
{
        (void)sight;
        const struct ask_view *asks;
        size_t n;
        if (!asks_within(tx, a, case_id, &asks, &n, e))
                return false;
        for (size_t i = 0; i < n; i++) {
                json_object(j, NULL);
                json_int(j, "n", asks[i].n);
                json_text(j, "kind", asks[i].kind);
                json_text(j, "state", asks[i].state);
                json_text(j, "level", asks[i].level);
                json_text(j, "unit", asks[i].unit);
                json_text(j, "reason_code", asks[i].reason_code);
                json_text(j, "reason", asks[i].reason);
                json_text(j, "asked_by", asks[i].asked_by);
                json_time(j, "asked", asks[i].asked_at);
                json_time(j, "until", asks[i].until);
                json_text(j, "passed_by", asks[i].passed_by);
                json_text(j, "decided_by", asks[i].decided_by);
                json_time(j, "decided", asks[i].decided_at);
                json_text(j, "reply", asks[i].reply);
                json_object_end(j);
        }
        return true;
}

static void no_asks(struct moving *m)
{
        static const struct ask_view none;
        m->asks = &none;
        m->n_asks = 0;
}

const struct case_part asks_part = {
        .name = "asks", .some = "EXISTS (SELECT 1 FROM case_ask k WHERE k.case_id = $1)", .json = asks_json, .none = no_asks};
