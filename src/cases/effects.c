/* cases/effects.c -- what a move may do beside changing the state.  Data names these. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "store/store.h"
#include "task/task.h"
#include "twin/twin.h"
#include <stdio.h>

static const char SQL_ASSIGN[] = "INSERT INTO case_task(case_id, n, kind, unit, state, created_at, ended_at)"
                                 " SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, 'open', $4, 0 FROM case_task WHERE case_id = $1";
/* '' for kind or unit means any. */
static const char SQL_END[] = "UPDATE case_task SET state = $4, ended_at = $5 WHERE case_id = $1 AND state = 'open'"
                              " AND ($2 = '' OR kind = $2) AND ($3 = '' OR unit = $3)";
static const char SQL_TASKS[] =
        "SELECT kind, unit, person, created_at FROM case_task WHERE case_id = $1 AND state = 'open' ORDER BY n";
static const char SQL_PERSON[] = "UPDATE case_task SET person = $2 WHERE case_id = $1 AND state = 'open' AND kind = 'lead'";
static const char SQL_OPEN[] =
        "SELECT COUNT(*) FROM case_task WHERE case_id = $1 AND state = 'open' AND ($2 = '' OR kind = $2) AND ($3 = '' OR unit ="
        " $3)";

enum { TASKS_MOST = 200 };

/* --- tasks: what each unit must do; one lead task at a time, any number of assists -------------------------------------- */

bool task_assign(struct tx *tx, int64_t case_id, const char *kind, const char *unit, int64_t now, struct err *e)
{
        return tx_send(tx, e, SQL_ASSIGN, ARGS(V(case_id), V(kind), V(unit), V(now)));
}

bool task_end(struct tx *tx, int64_t case_id, const char *kind, const char *unit, const char *state, int64_t now, struct err *e)
{
        return tx_send(tx, e, SQL_END, ARGS(V(case_id), V(kind), V(unit), V(state), V(now)));
}

bool case_open_tasks(struct moving *m, struct err *e)
{
        struct rows r;
        size_t n = 0;
        if (m->tasks)
                return true;
        struct open_task *tasks = NEW_ARRAY(m->arena, struct open_task, TASKS_MOST);
        if (!tx_rows(m->tx, &r, e, SQL_TASKS, ARGS(V(m->row.id))))
                return false;
        while (n < TASKS_MOST && rows_next(&r))
                tasks[n++] = (struct open_task){.kind = rows_text(&r, m->arena, 0),
                                                .unit = rows_text(&r, m->arena, 1),
                                                .person = rows_text(&r, m->arena, 2),
                                                .since = rows_int(&r, 3)};
        m->tasks = tasks;
        m->n_tasks = n;
        return rows_done(&r, e);
}

bool tasks_open(struct tx *tx, int64_t case_id, const char *kind, const char *unit, int64_t *n, struct err *e)
{
        return tx_int(tx, n, 0, e, SQL_OPEN, ARGS(V(case_id), V(kind), V(unit)));
}

/* --- effects -------------------------------------------------------------------------------------------------------------- */

static const struct area *smallest_area(const struct moving *m)
{
        const char *codes[] = {m->row.grid, m->row.community, m->row.subdistrict};
        for (size_t i = 0; i < COUNT_OF(codes); i++) {
                const struct area *area = text_empty(codes[i]) ? NULL : area_find(m->rules->twin, codes[i]);
                if (area)
                        return area;
        }
        return NULL;
}

static bool set_item(struct moving *m, struct err *e)
{
        const char *code = json_get_text(m->form, "item", m->item);
        if (!text_empty(code) && !item_find(m->rules->catalogue, code))
                return err_both(e, ERR_INVALID, "item", "there is no item \"%s\"; see /api/v1/items",
                                "没有编码为“%s”的事项，可查 /api/v1/items", code);
        m->item = code;
        return true;
}

/* The unit the form names; else the one the responsibility list names for the item and the place. */
static bool choose_unit(struct moving *m, struct err *e)
{
        char turn[24];
        (void)snprintf(turn, sizeof turn, "%lld", (long long)m->row.id);
        district_route(m->district, m->rules,
                       &(struct question){.item = item_find(m->rules->catalogue, m->item), .area = smallest_area(m), .turn = turn},
                       &m->answer);
        const char *code = json_get_text(m->form, "unit", "");
        if (text_empty(code) || text_is(code, m->answer.lead->code)) {
                m->unit = m->answer.lead->code;
                return true;
        }
        const struct unit *unit = unit_find(m->rules->units, code);
        if (!unit)
                return err_both(e, ERR_INVALID, "unit", "there is no unit \"%s\"; see /api/v1/units",
                                "没有编码为“%s”的单位，可查 /api/v1/units", code);
        m->answer = (struct answer){.lead = unit, .row = "", .sure = true, .step = STEP_OWNER};
        (void)snprintf(m->answer.why, sizeof m->answer.why, "%s chose %s.", m->mover->name, unit->name);
        (void)snprintf(m->answer.why_zh, sizeof m->answer.why_zh, "由%s指定%s处置。", m->mover->name, unit->name);
        (void)text_mend(m->answer.why);
        (void)text_mend(m->answer.why_zh);
        m->unit = unit->code;
        return true;
}

/* The assisting unit that `v` of the form's list names. */
static const struct unit *find_assist(const struct moving *m, const struct json_value *assists, const struct json_value *v,
                                      struct err *e)
{
        const char *code = json_text_of(v);
        const struct unit *unit = unit_find(m->rules->units, code);
        if (!unit)
                (void)err_both(e, ERR_INVALID, "assists", "there is no unit \"%s\"; see /api/v1/units",
                               "没有编码为“%s”的单位，可查 /api/v1/units", code);
        for (const struct json_value *u = json_first(assists); unit && u != v; u = json_next(u))
                if (text_is(json_text_of(u), code)) {
                        (void)err_both(e, ERR_INVALID, "assists", "the unit \"%s\" stands twice in the list; name it once",
                                       "协办单位“%s”重复，请只写一次", code);
                        return NULL;
                }
        return unit;
}

static bool assign_tasks(struct moving *m, struct err *e)
{
        const struct json_value *assists = json_get(m->form, "assists");
        if (!task_end(m->tx, m->row.id, "lead", "", "revoked", m->now, e)
            || !task_assign(m->tx, m->row.id, "lead", m->unit, m->now, e))
                return false;
        if (assists && !task_end(m->tx, m->row.id, "assist", "", "revoked", m->now, e))
                return false;
        for (const struct json_value *v = json_first(assists); v; v = json_next(v)) {
                const struct unit *unit = find_assist(m, assists, v, e);
                if (!unit || !task_assign(m->tx, m->row.id, "assist", unit->code, m->now, e))
                        return false;
        }
        for (size_t i = 0; !assists && i < m->answer.n_assists; i++) {
                int64_t there;
                const char *unit = m->answer.assists[i]->code;
                if (!tasks_open(m->tx, m->row.id, "assist", unit, &there, e)
                    || (there == 0 && !task_assign(m->tx, m->row.id, "assist", unit, m->now, e)))
                        return false;
        }
        return true;
}

static bool revoke(struct moving *m, struct err *e)
{
        return task_end(m->tx, m->row.id, "", "", "revoked", m->now, e);
}

static bool give_back(struct moving *m, struct err *e)
{
        return task_end(m->tx, m->row.id, "lead", "", "returned", m->now, e)
               && task_end(m->tx, m->row.id, "", "", "revoked", m->now, e);
}

static bool lead_done(struct moving *m, struct err *e)
{
        return task_end(m->tx, m->row.id, "lead", "", "done", m->now, e);
}

static bool assist_done(struct moving *m, struct err *e)
{
        return task_end(m->tx, m->row.id, "assist", text_empty(m->mover->unit) ? "" : m->mover->unit, "done", m->now, e);
}

static bool lead_again(struct moving *m, struct err *e)
{
        return task_assign(m->tx, m->row.id, "lead", m->unit, m->now, e);
}

static bool assign_person(struct moving *m, struct err *e)
{
        return tx_send(m->tx, e, SQL_PERSON, ARGS(V(m->row.id), V(json_get_text(m->form, "person", ""))));
}

static bool free_person(struct moving *m, struct err *e)
{
        return tx_send(m->tx, e, SQL_PERSON, ARGS(V(m->row.id), V("")));
}

/* A check on site, or of missing facts: for the community of the place, whose grid workers are the nearest. */
static bool ask_check(struct moving *m, struct err *e)
{
        const struct unit *near = unit_of_area(m->rules->units, m->row.community, m->row.subdistrict);
        return task_assign(m->tx, m->row.id, "check", near ? near->code : unit_fallback(m->rules->units)->code, m->now, e);
}

static bool check_done(struct moving *m, struct err *e)
{
        return task_end(m->tx, m->row.id, "check", "", "done", m->now, e);
}

/* The reporter is told by notify/, which reads the outbox: here only the wish is recorded, in the same transaction. */
static bool tell(struct moving *m, struct err *e)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "number", m->row.number);
        json_text(&j, "move", m->move->name);
        json_text(&j, "result", json_get_text(m->form, "result", ""));
        json_text(&j, "note", json_get_text(m->form, "note", ""));
        if (m->lead) /* it was written to somebody else */
                json_text(&j, "lead", m->lead);
        json_object_end(&j);
        bool ok = outbox_put(m->tx, "reporter", m->row.number, b.at, m->now, e);
        buf_free(&b);
        return ok;
}

static const struct field an_item[] = {{"item", FIELD_ITEM, false, "事项", "Item", 0, 0}, {0}};
static const struct field who[] = {{"unit", FIELD_UNIT, false, "处置单位", "Unit", 0, 0},
                                   {"assists", FIELD_UNITS, false, "协办单位", "Assisting units", 0, 0},
                                   {0}};
static const struct field told[] = {{"note", FIELD_TEXT, false, "告知内容", "What the reporter is told", 0, 0}, {0}};

const struct effect case_effects[] = {
        {"set_item", set_item, NULL, an_item, "Takes the form's item for the case."},
        {"assign", choose_unit, assign_tasks, who,
         "The form's unit, else the routed one, takes charge with the lead task; assists get theirs."},
        {"rework", NULL, lead_again, NULL, "The unit in charge gets the lead task again."},
        {"revoke", NULL, revoke, NULL, "Open tasks end."},
        {"give_back", NULL, give_back, NULL, "The lead task ends as returned, which counts for its unit; other open tasks end."},
        {"lead_done", NULL, lead_done, NULL, "The lead task is done."},
        {"assist_done", NULL, assist_done, NULL, "The assist task of the mover's unit is done."},
        {"assign_person", NULL, assign_person, NULL, "The form's person does the lead task."},
        {"free_person", NULL, free_person, NULL, "The lead task is nobody's in the unit."},
        {"ask_check", NULL, ask_check, NULL, "The community of the place gets the task to check."},
        {"check_done", NULL, check_done, NULL, "The task to check is done."},
        {"tell", NULL, tell, told, "The reporter is told."},
        {0},
};
