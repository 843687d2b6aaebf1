/* cases/pack.c -- what cases read from a pack: workflows/NAME.yaml and clocks.csv. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "pack/pack.h"
#include "pack/yaml.h"
#include "people/people.h"
#include "store/store.h"

static const char SQL_STATE[] =
        "INSERT INTO workflow_state(version, workflow, name, position, zh, en, clock, first, last, place)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (version, workflow, name) DO NOTHING";
static const char SQL_MOVE[] =
        "INSERT INTO workflow_move(version, workflow, name, position, zh, en, dest, roles, needs, effects, next, place)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (version, workflow, name) DO NOTHING";
static const char SQL_ORIGIN[] = "INSERT INTO workflow_origin(version, workflow, move, state, place) VALUES ($1, $2, $3, $4, $5)"
                                 " ON CONFLICT (version, workflow, move, state) DO NOTHING";
static const char SQL_CLOCK[] =
        "INSERT INTO clock_rule(version, place, clock, name, name_en, workflow, starts, stops, pauses, resumes, limit_of, amount,"
        " unit,"
        " urgent_amount, urgent_unit, warn) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";

static const char SQL_REASON[] = "INSERT INTO workflow_reason(version, place, workflow, move, code, zh, en)"
                                 " VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char SQL_RULE[] = "INSERT INTO workflow_rule(version, place, workflow, rule, value) VALUES ($1, $2, $3, $4, $5)";

static const char SQL_STEP[] =
        "INSERT INTO clock_step(version, place, workflow, clock, percent, recipient, level, again, again_unit,"
        " times) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/* --- checks: each returns (place, en, zh) and a good pack returns none ------------------------------------ */
static const char SQL_ONE_FIRST[] =
        "SELECT MIN(place), 'workflow ' || workflow || ' needs exactly one state with first: yes; it has ' || SUM(first),"
        " '流程' || workflow || '须恰有一个 first: yes 的状态，现有' || SUM(first) || '个'"
        " FROM workflow_state WHERE version = $1 GROUP BY workflow HAVING SUM(first) <> 1";
static const char SQL_A_LAST[] =
        "SELECT MIN(place), 'workflow ' || workflow || ' has no state with last: yes', '流程' || workflow || '没有 last: yes 的状态'"
        " FROM workflow_state WHERE version = $1 GROUP BY workflow HAVING SUM(last) = 0";
static const char SQL_DEST_UNKNOWN[] =
        "SELECT m.place, 'move ' || m.name || ' goes to state ' || m.dest || ', which does not exist',"
        " '动作' || m.name || '的目标状态' || m.dest || '不存在' FROM workflow_move m WHERE m.version = $1 AND m.dest <> '='"
        " AND NOT EXISTS (SELECT 1 FROM workflow_state s WHERE s.version = m.version AND s.workflow = m.workflow AND s.name ="
        " m.dest)";
static const char SQL_ORIGIN_UNKNOWN[] =
        "SELECT o.place, 'move ' || o.move || ' starts at state ' || o.state || ', which does not exist',"
        " '动作' || o.move || '的起始状态' || o.state || '不存在' FROM workflow_origin o WHERE o.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM workflow_state s WHERE s.version = o.version AND s.workflow = o.workflow AND s.name ="
        " o.state)";
static const char SQL_NEVER_CLOSED[] =
        "WITH RECURSIVE ends(workflow, name) AS ("
        " SELECT workflow, name FROM workflow_state WHERE version = $1 AND last = 1"
        " UNION SELECT o.workflow, o.state FROM ends x JOIN workflow_move m ON m.version = $1 AND m.workflow = x.workflow AND"
        " m.dest = x.name"
        " JOIN workflow_origin o ON o.version = $1 AND o.workflow = m.workflow AND o.move = m.name)"
        " SELECT place, 'a case in state ' || name || ' can never be closed', '处于' || name || '状态的案件永远无法结案'"
        " FROM workflow_state s WHERE version = $1"
        " AND NOT EXISTS (SELECT 1 FROM ends x WHERE x.workflow = s.workflow AND x.name = s.name)";
static const char SQL_NEVER_REACHED[] =
        "WITH RECURSIVE reached(workflow, name) AS ("
        " SELECT workflow, name FROM workflow_state WHERE version = $1 AND first = 1"
        " UNION SELECT m.workflow, m.dest FROM reached x JOIN workflow_origin o ON o.version = $1 AND o.workflow = x.workflow AND"
        " o.state = x.name"
        " JOIN workflow_move m ON m.version = $1 AND m.workflow = o.workflow AND m.name = o.move AND m.dest <> '=')"
        " SELECT place, 'no case can ever reach state ' || name, '没有案件能到达' || name || '状态' FROM workflow_state s WHERE version = $1"
        " AND NOT EXISTS (SELECT 1 FROM reached x WHERE x.workflow = s.workflow AND x.name = s.name)";
/* Filing begins with this move (cases/file.c). */
static const char SQL_NO_RECEIVE[] =
        "SELECT s.place, 'workflow ' || s.workflow || ' needs a move receive that the role system may take to the first state',"
        " '流程' || s.workflow || '须有 system 角色可执行、到达初始状态的动作 receive' FROM workflow_state s WHERE s.version = $1 AND s.first = 1"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = s.version AND m.workflow = s.workflow AND m.name ="
        " 'receive'"
        " AND m.dest = s.name AND '|' || m.roles || '|' LIKE '%|system|%')";
static const char SQL_CLOCK_WORKFLOW[] =
        "SELECT c.place, 'clock ' || c.clock || ' belongs to workflow ' || c.workflow || ', which does not exist',"
        " '计时' || c.clock || '所属流程' || c.workflow || '不存在' FROM clock_rule c WHERE c.version = $1"
        " AND NOT EXISTS (SELECT 1 FROM workflow_state s WHERE s.version = c.version AND s.workflow = c.workflow)";
static const char SQL_CLOCK_LIMIT[] =
        "SELECT place, 'clock ' || clock || ' needs a limit with its unit, or limit_of item',"
        " '计时' || clock || '须填写时限及单位，或 limit_of 为 item' FROM clock_rule WHERE version = $1"
        " AND (limit_of IS NULL AND (amount IS NULL OR unit IS NULL) OR (urgent_amount IS NULL) <> (urgent_unit IS NULL)"
        " OR amount <= 0 OR urgent_amount <= 0)";
static const char SQL_CLOCK_WARN[] = "SELECT place, 'warn is a percentage from 1 to 99', 'warn 应为1至99的百分数' FROM clock_rule"
                                     " WHERE version = $1 AND (warn < 1 OR warn > 99)";
#define WORD "'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.'"
/* The four lists in one, taken apart word by word. */
static const char SQL_CLOCK_MOVE[] =
        "WITH RECURSIVE part(place, workflow, clock, move, rest) AS (SELECT place, workflow, clock, CAST('' AS TEXT),"
        " starts || '|' || stops || '|' || COALESCE(pauses, '') || '|' || COALESCE(resumes, '') || '|' FROM clock_rule WHERE"
        " version = $1"
        " UNION ALL SELECT place, workflow, clock, SUBSTR(rest, 1, LENGTH(rest) - LENGTH(LTRIM(rest, " WORD "))),"
        " SUBSTR(LTRIM(rest, " WORD "), 2) FROM part WHERE rest <> '')"
        " SELECT place, 'clock ' || clock || ' names the move ' || move || ', which workflow ' || workflow || ' does not have',"
        " '计时' || clock || '所列动作' || move || '不在流程' || workflow || '中' FROM part p WHERE move <> ''"
        " AND EXISTS (SELECT 1 FROM workflow_state s WHERE s.version = $1 AND s.workflow = p.workflow)"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = $1 AND m.workflow = p.workflow AND m.name = p.move)";
static const char SQL_CLOCK_TWICE[] =
        "SELECT MAX(place), 'clock ' || clock || ' stands twice', '计时' || clock || '重复' FROM clock_rule WHERE version = $1"
        " GROUP BY workflow, clock HAVING COUNT(*) > 1";
static const char SQL_NEXT_UNKNOWN[] =
        "WITH RECURSIVE part(place, workflow, name, move, rest) AS (SELECT place, workflow, name, CAST('' AS TEXT), next || '|'"
        " FROM workflow_move WHERE version = $1 AND next <> ''"
        " UNION ALL SELECT place, workflow, name, SUBSTR(rest, 1, LENGTH(rest) - LENGTH(LTRIM(rest, " WORD "))),"
        " SUBSTR(LTRIM(rest, " WORD "), 2) FROM part WHERE rest <> '')"
        " SELECT place, 'move ' || name || ' is followed by ' || move || ', which workflow ' || workflow || ' does not let the"
        " program take', '动作' || name || '之后的' || move || '不在流程' || workflow || '中，或不允许 system 角色执行' FROM part p"
        " WHERE move <> '' AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = $1 AND m.workflow = p.workflow AND"
        " m.name = p.move AND '|' || m.roles || '|' LIKE '%|system|%')";
static const char SQL_REASON_MOVE[] =
        "SELECT r.place, 'there is no move ' || r.move || ' in workflow ' || r.workflow, '流程' || r.workflow || '没有动作' || r.move"
        " FROM workflow_reason r WHERE r.version = $1 AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = r.version"
        " AND m.workflow = r.workflow AND m.name = r.move)";
static const char SQL_REASON_TWICE[] =
        "SELECT MAX(place), 'reason ' || code || ' of move ' || move || ' stands twice', '动作' || move || '的理由' || code || '重复'"
        " FROM workflow_reason WHERE version = $1 GROUP BY workflow, move, code HAVING COUNT(*) > 1";
static const char SQL_REASON_NONE[] =
        "SELECT m.place, 'move ' || m.name || ' needs a reason of a list, and reasons.csv has none for it',"
        " '动作' || m.name || '须选择理由，但 reasons.csv 中没有' FROM workflow_move m WHERE m.version = $1"
        " AND '|' || m.needs || '|' LIKE '%|listed_reason|%' AND NOT EXISTS (SELECT 1 FROM workflow_reason r"
        " WHERE r.version = m.version AND r.workflow = m.workflow AND r.move = m.name)";
static const char SQL_RULE_WORKFLOW[] =
        "SELECT r.place, 'workflow ' || r.workflow || ' does not exist', '流程' || r.workflow || '不存在' FROM workflow_rule r"
        " WHERE r.version = $1 AND NOT EXISTS (SELECT 1 FROM workflow_state s WHERE s.version = r.version AND s.workflow ="
        " r.workflow)";
static const char SQL_RULE_TWICE[] =
        "SELECT MAX(place), 'rule ' || rule || ' stands twice', '规则' || rule || '重复' FROM workflow_rule WHERE version = $1"
        " GROUP BY workflow, rule HAVING COUNT(*) > 1";
static const char SQL_RULE_BOUNDS[] =
        "SELECT place, 'a rule is a number from 0 to 366', '规则的值应为0至366的数' FROM workflow_rule"
        " WHERE version = $1 AND (value < 0 OR value > 366)";
static const char SQL_STEP_CLOCK[] =
        "SELECT s.place, 'workflow ' || s.workflow || ' has no clock ' || s.clock, '流程' || s.workflow || '没有计时' || s.clock"
        " FROM clock_step s WHERE s.version = $1 AND NOT EXISTS (SELECT 1 FROM clock_rule c WHERE c.version = s.version AND"
        " c.workflow = s.workflow AND c.clock = s.clock)";
static const char SQL_STEP_PERCENT[] = "SELECT place, 'percent is a number from 1 to 1000', 'percent 应为1至1000' FROM clock_step"
                                       " WHERE version = $1 AND (percent < 1 OR percent > 1000)";
/* Before the deadline a repetition would be counted in a time that a pause stretches. */
static const char SQL_STEP_AGAIN[] =
        "SELECT place, 'a repetition needs again, again_unit, times (1 to 30) and percent 100 or more',"
        " '重复提醒须填写 again、again_unit、times（1至30），且 percent 不小于100' FROM clock_step WHERE version = $1"
        " AND (again IS NOT NULL OR again_unit IS NOT NULL OR times IS NOT NULL)"
        " AND (again IS NULL OR again_unit IS NULL OR times IS NULL OR again <= 0 OR times < 1 OR times > 30 OR percent < 100)";
static const char SQL_STEP_MANY[] =
        "SELECT MAX(place), 'clock ' || clock || ' has more than 60 steps, repetitions counted', '计时' || clock || '的提醒（含重复）超过60次'"
        " FROM clock_step WHERE version = $1 GROUP BY workflow, clock HAVING SUM(1 + COALESCE(times, 0)) > 60";
static const char SQL_STEP_SUPERVISES[] =
        "SELECT s.place, 'the program may not take a move supervise in workflow ' || s.workflow,"
        " '流程' || s.workflow || '没有 system 角色可执行的动作 supervise' FROM clock_step s WHERE s.version = $1 AND s.level IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM workflow_move m WHERE m.version = s.version AND m.workflow = s.workflow AND"
        " m.name = 'supervise' AND '|' || m.roles || '|' LIKE '%|system|%')";
/* Reads item of catalogue/: an item names the workflow its cases take. */
static const char SQL_ITEM_WORKFLOW[] =
        "SELECT i.place, 'item ' || i.code || ' uses workflow ' || i.workflow || ', which does not exist',"
        " '事项' || i.code || '使用的流程' || i.workflow || '不存在' FROM item i WHERE i.version = $1 AND i.workflow IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM workflow_state s WHERE s.version = i.version AND s.workflow = i.workflow)";
static const char SQL_STANDARD[] =
        "SELECT 'workflows', 'the pack needs a workflow named standard: reports without an item take it',"
        " '场景包须有名为 standard 的流程，未定事项的来件使用它' FROM (SELECT COUNT(*) AS n FROM workflow_state"
        " WHERE version = $1 AND workflow = 'standard') s WHERE s.n = 0";

/* --- staging a workflow document ---------------------------------------------------------------------------- */
struct staging {
        struct stage *stage;
        const char *file;
        const char *workflow;
};

static char *place_of(const struct staging *g, int line)
{
        return arena_format(g->stage->arena, "%s:%d", g->file, line);
}

static bool yes(const struct yaml *map, const char *key)
{
        return text_is(yaml_text(map, key, "no"), "yes");
}

static bool wanted(const struct staging *g, const struct yaml *map, const char *key, const char **out)
{
        *out = yaml_text(map, key, "");
        if (!text_empty(*out))
                return true;
        stage_fault(g->stage, g->file, map->line, "the key \"%s\" is missing", "缺少“%s”", key);
        return false;
}

/* A list of words as "a|b"; each must be known. */
static char *joined(const struct staging *g, const struct yaml *map, const char *key, bool (*known)(const char *))
{
        struct buf b = BUF_LIMIT(4096);
        const struct yaml *list = yaml_get(map, key);
        for (const struct yaml *v = list && list->kind == YAML_LIST ? list->first : list; v;
             v = list->kind == YAML_LIST ? v->next : NULL) {
                if (v->kind != YAML_TEXT || !known(v->text)) {
                        stage_fault(g->stage, g->file, v->line, "\"%s\" has \"%s\", which does not exist", "“%s”中的“%s”不存在",
                                    key, v->text ? v->text : "?");
                        continue;
                }
                if (b.length)
                        buf_byte(&b, '|');
                buf_text(&b, v->text);
        }
        char *text = arena_text(g->stage->arena, b.at ? b.at : "");
        buf_free(&b);
        return text;
}

static bool known_role(const char *name)
{
        return text_is(name, "system") || role_of_name(name) != 0;
}

static bool known_guard(const char *name)
{
        return guard_find(name) != NULL;
}

static bool known_effect(const char *name)
{
        return effect_find(name) != NULL;
}

/* SQL_NEXT_UNKNOWN looks, once all moves are there. */
static bool any_word(const char *name)
{
        return !text_empty(name);
}

static bool stage_state(const struct staging *g, const struct yaml *s, int position, struct err *e)
{
        static const char *const keys[] = {"name", "zh", "en", "clock", "first", "last", NULL};
        const char *name, *zh, *en, *clock = yaml_text(s, "clock", "runs");
        stage_keys(g->stage, g->file, s, keys);
        if (!wanted(g, s, "name", &name) || !wanted(g, s, "zh", &zh) || !wanted(g, s, "en", &en))
                return true;
        if (!text_is(clock, "runs") && !text_is(clock, "paused") && !text_is(clock, "off"))
                stage_fault(g->stage, g->file, s->line, "clock is \"%s\"; it must be runs, paused or off",
                            "clock 的值“%s”无效，应为 runs、paused 或 off", clock);
        int added = tx_change(g->stage->tx, e, SQL_STATE,
                              ARGS(V(g->stage->version), V(g->workflow), V(name), V(position), V(zh), V(en), V(clock),
                                   V(yes(s, "first")), V(yes(s, "last")), V(place_of(g, s->line))));
        if (added == 0)
                stage_fault(g->stage, g->file, s->line, "the state \"%s\" stands twice", "状态“%s”重复", name);
        return added >= 0;
}

static bool stage_origins(const struct staging *g, const struct yaml *m, const char *name, struct err *e)
{
        const struct yaml *from = yaml_get(m, "from");
        bool list = from && from->kind == YAML_LIST;
        for (const struct yaml *v = list ? from->first : from; v; v = list ? v->next : NULL)
                if (v->kind == YAML_TEXT
                    && tx_change(g->stage->tx, e, SQL_ORIGIN,
                                 ARGS(V(g->stage->version), V(g->workflow), V(name), V(v->text), V(place_of(g, v->line))))
                               < 0)
                        return false;
        return true;
}

static bool stage_move(const struct staging *g, const struct yaml *m, int position, struct err *e)
{
        static const char *const keys[] = {"name", "zh", "en", "from", "to", "roles", "needs", "then", "next", NULL};
        const char *name, *zh, *en, *to;
        stage_keys(g->stage, g->file, m, keys);
        if (!wanted(g, m, "name", &name) || !wanted(g, m, "zh", &zh) || !wanted(g, m, "en", &en) || !wanted(g, m, "to", &to))
                return true;
        char *roles = joined(g, m, "roles", known_role);
        char *needs = joined(g, m, "needs", known_guard);
        char *effects = joined(g, m, "then", known_effect);
        char *next = joined(g, m, "next", any_word);
        if (text_empty(roles))
                stage_fault(g->stage, g->file, m->line, "the move \"%s\" names no role", "动作“%s”没有指定角色", name);
        int added = tx_change(g->stage->tx, e, SQL_MOVE,
                              ARGS(V(g->stage->version), V(g->workflow), V(name), V(position), V(zh), V(en), V(to), V(roles),
                                   V(needs), V(effects), V(next), V(place_of(g, m->line))));
        if (added == 0)
                stage_fault(g->stage, g->file, m->line, "the move \"%s\" stands twice", "动作“%s”重复", name);
        return added >= 0 && stage_origins(g, m, name, e);
}

static bool stage_list(const struct staging *g, const struct yaml *root, const char *key,
                       bool (*one)(const struct staging *, const struct yaml *, int, struct err *), struct err *e)
{
        const struct yaml *list = yaml_get(root, key);
        int position = 0;
        if (!list || list->kind != YAML_LIST || !list->first) {
                stage_fault(g->stage, g->file, root->line, "the list \"%s\" is missing", "缺少列表“%s”", key);
                return true;
        }
        for (const struct yaml *v = list->first; v; v = v->next) {
                if (v->kind != YAML_MAP)
                        stage_fault(g->stage, g->file, v->line, "an entry of \"%s\" must have keys", "“%s”的条目应由键值组成", key);
                else if (!one(g, v, position++, e))
                        return false;
        }
        return true;
}

static bool stage_workflow(struct stage *stage, const char *file, const struct yaml *root, const char *bytes, size_t n,
                           struct err *e)
{
        static const char *const keys[] = {"name", "states", "moves", NULL};
        struct staging g = {.stage = stage, .file = file};
        (void)bytes;
        (void)n;
        stage_keys(stage, file, root, keys);
        if (!wanted(&g, root, "name", &g.workflow))
                return true;
        return stage_list(&g, root, "states", stage_state, e) && stage_list(&g, root, "moves", stage_move, e);
}

static const char *const limit_of_choices[] = {"item", NULL};
static const char *const unit_choices[] = {"work_hour", "work_day", "urgent_hour", "natural_day", NULL};
static const struct pack_column clock_columns[] = {
        {"clock", PACK_TEXT, true, NULL, "Name of the clock."},
        {"name", PACK_TEXT, true, NULL, "What screens call it, Chinese."},
        {"name_en", PACK_TEXT, false, NULL, "The same, English."},
        {"workflow", PACK_TEXT, true, NULL, "The workflow it belongs to."},
        {"starts", PACK_TEXT, true, NULL, "Moves that start it."},
        {"stops", PACK_TEXT, true, NULL, "Moves that stop it."},
        {"pauses", PACK_TEXT, false, NULL, "Moves that pause it."},
        {"resumes", PACK_TEXT, false, NULL, "Moves that let it run on."},
        {"limit_of", PACK_TEXT, false, limit_of_choices, "item: the limit is the item's."},
        {"limit", PACK_REAL, false, NULL, "Amount."},
        {"limit_unit", PACK_TEXT, false, unit_choices, "Unit of the amount."},
        {"urgent_limit", PACK_REAL, false, NULL, "Amount for urgent cases."},
        {"urgent_unit", PACK_TEXT, false, unit_choices, "Unit for urgent cases."},
        {"warn", PACK_INT, true, NULL, "Percent of the time after which the unit is warned."},
        {0},
};
static const struct pack_column reason_columns[] = {
        {"workflow", PACK_TEXT, true, NULL, "The workflow it belongs to."},
        {"move", PACK_TEXT, true, NULL, "The move it is a reason of."},
        {"reason", PACK_TEXT, true, NULL, "Code of the reason."},
        {"name", PACK_TEXT, true, NULL, "What screens call it, Chinese."},
        {"name_en", PACK_TEXT, true, NULL, "The same, English."},
        {0},
};
static const char *const rule_choices[] = {"extensions", "suspensions",  "suspension_days", "appeals", "redos",
                                           "returns",    "return_hours", "rulings",         NULL};
static const struct pack_column rule_columns[] = {
        {"workflow", PACK_TEXT, true, NULL, "The workflow it belongs to."},
        {"rule", PACK_TEXT, true, rule_choices, "Name of the rule; see cases/workflow.c for what each means."},
        {"value", PACK_REAL, true, NULL, "A number."},
        {0},
};
static const char *const recipient_choices[] = {"unit", "clerk", "dispatcher", "supervisor", "admin", NULL};
static const struct pack_column step_columns[] = {
        {"workflow", PACK_TEXT, true, NULL, "The workflow it belongs to."},
        {"clock", PACK_TEXT, true, NULL, "The clock."},
        {"percent", PACK_INT, true, NULL, "After so much of the limit; 100 = the due instant."},
        {"to", PACK_TEXT, true, recipient_choices, "Who is told: the unit whose time it is, or a role."},
        {"level", PACK_TEXT, false, NULL, "The program orders supervision at this level of levels.csv."},
        {"again", PACK_REAL, false, NULL, "Told again each time this amount"},
        {"again_unit", PACK_TEXT, false, unit_choices, "of this unit has passed,"},
        {"times", PACK_INT, false, NULL, "so many times."},
        {0},
};
static const struct pack_table tables[] = {
        {"clocks.csv", true, clock_columns, SQL_CLOCK},
        {"escalation.csv", false, step_columns, SQL_STEP},
        {"reasons.csv", false, reason_columns, SQL_REASON},
        {"rules.csv", false, rule_columns, SQL_RULE},
        {0},
};
static const struct pack_document documents[] = {
        {"workflows/*.yaml", true, stage_workflow},
        {0},
};
static const char *const checks[] = {
        SQL_ONE_FIRST,      SQL_A_LAST,          SQL_DEST_UNKNOWN,
        SQL_ORIGIN_UNKNOWN, SQL_NEVER_CLOSED,    SQL_NEVER_REACHED,
        SQL_NO_RECEIVE,     SQL_CLOCK_WORKFLOW,  SQL_CLOCK_LIMIT,
        SQL_CLOCK_WARN,     SQL_CLOCK_MOVE,      SQL_CLOCK_TWICE,
        SQL_ITEM_WORKFLOW,  SQL_STANDARD,        SQL_NEXT_UNKNOWN,
        SQL_REASON_MOVE,    SQL_REASON_TWICE,    SQL_REASON_NONE,
        SQL_RULE_WORKFLOW,  SQL_RULE_TWICE,      SQL_RULE_BOUNDS,
        SQL_STEP_CLOCK,     SQL_STEP_PERCENT,    SQL_STEP_AGAIN,
        SQL_STEP_MANY,      SQL_STEP_SUPERVISES, NULL,
};
const struct pack_part cases_pack = {.capability = "cases", .tables = tables, .documents = documents, .checks = checks};
