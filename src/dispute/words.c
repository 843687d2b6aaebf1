/* dispute/words.c -- the guards and effects of contesting, stating positions and ruling. */
#include "base/arena.h"
#include "base/text.h"
#include "cases/moves.h"
#include "catalogue/catalogue.h"
#include "dispute/dispute.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "store/store.h"
#include "twin/twin.h"

static const char SQL_OPEN[] = "SELECT n, unit FROM dispute WHERE case_id = $1 AND state = 'open' ORDER BY n DESC LIMIT 1";
static const char SQL_CONTEST[] =
        "INSERT INTO dispute(case_id, n, state, unit, reason, facts, actor, opened_at, interim, why, principle, ruling, precedent,"
        " ended_by, ended_at) SELECT $1, COALESCE(MAX(n), 0) + 1, 'open', $2, $3, $4, $5, $6, $7, $8, '', '', 0, '', 0 FROM dispute"
        " WHERE case_id = $1";
static const char SQL_POSITION[] =
        "INSERT INTO dispute_position(case_id, n, dispute, unit, actor, text, can_act, media, at)"
        " SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4, $5, $6, '[]', $7 FROM dispute_position WHERE case_id = $1";
static const char SQL_CAN_ACT[] =
        "SELECT unit FROM dispute_position WHERE case_id = $1 AND dispute = $2 AND can_act = 1 ORDER BY n LIMIT 1";
static const char SQL_FIRST[] = "SELECT unit FROM case_task WHERE case_id = $1 AND kind = 'lead' ORDER BY n LIMIT 1";
static const char SQL_INTERIM[] = "UPDATE dispute SET interim = $3, why = $4 WHERE case_id = $1 AND n = $2";
static const char SQL_RULED[] =
        "UPDATE dispute SET state = 'ruled', principle = $3, ruling = $4, precedent = $5, ended_by = $6, ended_at ="
        " $7 WHERE case_id = $1 AND n = $2";
static const char SQL_WITHDRAWN[] =
        "UPDATE dispute SET state = 'withdrawn', ended_by = $3, ended_at = $4 WHERE case_id = $1 AND n = $2";
static const char SQL_PARTY[] = "SELECT COUNT(*) FROM dispute_position WHERE case_id = $1 AND dispute = $2 AND actor = $3";
static const char SQL_NUMBER[] = "SELECT COALESCE(MAX(id), 0) + 1 FROM precedent";
static const char SQL_PRECEDENT[] =
        "INSERT INTO precedent(id, item, area, owner, lead, assists, principle, text, case_id, actor, at)"
        " VALUES ($1, $2, $3, '', $4, $5, $6, $7, $8, $9, $10)";
static const char SQL_RULINGS[] = "SELECT COUNT(*) FROM precedent WHERE item = $1 AND area = $2 AND owner = ''";
static const char SQL_PROPOSE[] =
        "INSERT INTO list_change(id, state, proposed_by, proposed_at, decided_by, decided_at, reason, version)"
        " VALUES ($1, 'proposed', $2, $3, '', 0, '', 0)";

struct open_dispute {
        int64_t n;
        const char *unit;
};

/* 1 found, 0 none, -1 failed.  Read once for all guards of a case's moves. */
static int find_open(struct moving *m, struct open_dispute *d, struct err *e)
{
        struct rows r;
        if (!m->knows_dispute) {
                const int found = tx_first(m->tx, &r, e, SQL_OPEN, ARGS(V(m->row.id)));
                struct open_dispute *read = found > 0 ? NEW(m->arena, struct open_dispute) : NULL;
                if (read)
                        *read = (struct open_dispute){rows_int(&r, 0), rows_text(&r, m->arena, 1)};
                if (found < 0 || (read && !rows_done(&r, e)))
                        return -1;
                m->dispute = read;
                m->knows_dispute = true;
        }
        if (!m->dispute)
                return 0;
        *d = *m->dispute;
        return 1;
}

static bool must_find(struct moving *m, struct open_dispute *d, struct err *e)
{
        int found = find_open(m, d, e);
        return found > 0
               || (found == 0 && err_both(e, ERR_CONFLICT, NULL, "case %s is not disputed", "案件%s没有职责争议", m->row.number));
}

/* A unit's name that a statement gives, in the arena; "" when there is none. */
static bool unit_by(struct moving *m, const char *sql, const struct value *args, const char **unit, struct err *e)
{
        struct rows r;
        int found = tx_first(m->tx, &r, e, sql, args);
        *unit = found > 0 ? rows_text(&r, m->arena, 0) : "";
        return found == 0 || (found > 0 && rows_done(&r, e));
}

/* --- contesting -------------------------------------------------------------------------------------------------------------- */

static const struct area *area_of_case(const struct moving *m)
{
        const struct area *community = area_find(m->rules->twin, m->row.community);
        return community ? community : area_find(m->rules->twin, m->row.subdistrict);
}

static bool undisputed_met(struct moving *m, struct err *e)
{
        struct open_dispute d;
        int found = find_open(m, &d, e);
        return found == 0
               || (found > 0
                   && err_both(e, ERR_CONFLICT, NULL, "case %s is disputed already; state your position instead",
                               "案件%s已在争议处理中，请直接提交意见", m->row.number));
}

/* A ruled point is not disputed again without new facts. */
static bool new_facts_met(struct moving *m, struct err *e)
{
        struct answer ruled;
        const struct question q = {.item = item_find(m->rules->catalogue, m->row.item), .area = area_of_case(m)};
        return !precedents_answer(m->district->precedents, m->rules->units, &q, &ruled) || form_has(m, "facts")
               || err_both(e, ERR_INVALID, "facts", "this was ruled before (%s): name the new facts",
                           "此争点已有裁决（%s），须说明新的事实", ruled.why);
}

/* Who can act, else who received it first, else the unit of the place: handling goes on at once. */
static bool choose_interim(struct moving *m, int64_t dispute, const char **unit, const char **why, struct err *e)
{
        *why = "can_act";
        if (dispute && !unit_by(m, SQL_CAN_ACT, ARGS(V(m->row.id), V(dispute)), unit, e))
                return false;
        if (dispute && !text_empty(*unit))
                return true;
        *why = "first_receiver";
        if (!unit_by(m, SQL_FIRST, ARGS(V(m->row.id)), unit, e))
                return false;
        if (!text_empty(*unit) && unit_find(m->rules->units, *unit))
                return true;
        const struct unit *near = unit_of_area(m->rules->units, m->row.community, m->row.subdistrict);
        *why = "place";
        *unit = near ? near->code : unit_fallback(m->rules->units)->code;
        return true;
}

static bool lead_meanwhile(struct moving *m, const char *unit, struct err *e)
{
        if (text_is(unit, m->row.unit))
                return true;
        m->unit = unit;
        return task_end(m->tx, m->row.id, "lead", "", "revoked", m->now, e)
               && task_assign(m->tx, m->row.id, "lead", unit, m->now, e);
}

static bool contest(struct moving *m, struct err *e)
{
        const char *interim = "", *why;
        const char *by = text_empty(m->mover->unit) ? m->row.unit : m->mover->unit;
        return choose_interim(m, 0, &interim, &why, e)
               && tx_send(m->tx, e, SQL_CONTEST,
                          ARGS(V(m->row.id), V(by), V(json_get_text(m->form, "reason", "")), V(json_get_text(m->form, "facts", "")),
                               V(m->mover->name), V(m->now), V(interim), V(why)))
               && lead_meanwhile(m, interim, e);
}

static bool dispute_open_met(struct moving *m, struct err *e)
{
        struct open_dispute d;
        return must_find(m, &d, e);
}

/* --- positions --------------------------------------------------------------------------------------------------------------- */

static const char *position_unit(const struct moving *m)
{
        return text_empty(m->mover->unit) ? json_get_text(m->form, "unit", "") : m->mover->unit;
}

static bool position_unit_met(struct moving *m, struct err *e)
{
        return unit_find(m->rules->units, position_unit(m))
               || err_both(e, ERR_INVALID, "unit", "say whose position it is (see /api/v1/units)",
                           "请填写意见所属单位（见 /api/v1/units）");
}

/* A task lets a unit see the case and say its word. */
static bool ask_positions(struct moving *m, struct err *e)
{
        const struct json_value *units = json_get(m->form, "units");
        for (const struct json_value *v = json_first(units); v; v = json_next(v)) {
                int64_t asked;
                const struct unit *unit = unit_find(m->rules->units, json_text_of(v));
                if (!unit)
                        return err_both(e, ERR_INVALID, "units", "there is no unit \"%s\"; see /api/v1/units",
                                        "没有编码为“%s”的单位，可查 /api/v1/units", json_text_of(v));
                if (!tasks_open(m->tx, m->row.id, "position", unit->code, &asked, e)
                    || (asked == 0 && !task_assign(m->tx, m->row.id, "position", unit->code, m->now, e)))
                        return false;
        }
        return json_count(units) > 0
               || err_both(e, ERR_INVALID, "units", "name the units whose position is wanted", "请填写征求意见的单位");
}

/* Who can act at once leads, while there is something to handle: what was handed over is not taken up again by a position. */
static bool take_lead(struct moving *m, int64_t dispute, struct err *e)
{
        const char *interim = "", *why;
        int64_t leads;
        if (!tasks_open(m->tx, m->row.id, "lead", "", &leads, e))
                return false;
        return leads == 0
               || (choose_interim(m, dispute, &interim, &why, e)
                   && tx_send(m->tx, e, SQL_INTERIM, ARGS(V(m->row.id), V(dispute), V(interim), V(why)))
                   && lead_meanwhile(m, interim, e));
}

static bool state_position(struct moving *m, struct err *e)
{
        struct open_dispute d;
        const bool can_act = json_get_bool(m->form, "can_act", false);
        return must_find(m, &d, e)
               && tx_send(m->tx, e, SQL_POSITION,
                          ARGS(V(m->row.id), V(d.n), V(position_unit(m)), V(m->mover->name),
                               V(json_get_text(m->form, "reason", "")), V(can_act ? 1 : 0), V(m->now)))
               && task_end(m->tx, m->row.id, "position", position_unit(m), "done", m->now, e) && (!can_act || take_lead(m, d.n, e));
}

/* --- ruling ------------------------------------------------------------------------------------------------------------------ */

/* Nobody rules on what he has argued. */
static bool impartial_met(struct moving *m, struct err *e)
{
        struct open_dispute d;
        int64_t n;
        return must_find(m, &d, e) && tx_int(m->tx, &n, 0, e, SQL_PARTY, ARGS(V(m->row.id), V(d.n), V(m->mover->name)))
               && (n == 0
                   || err_both(e, ERR_DENIED, NULL, "%s has taken a position in this dispute", "%s已在本争议中发表意见，应当回避",
                               m->mover->name));
}

static bool known_item_met(struct moving *m, struct err *e)
{
        return item_find(m->rules->catalogue, m->row.item)
               || err_both(e, ERR_CONFLICT, NULL, "case %s has no item: a ruling needs one to become a precedent",
                           "案件%s尚未确定事项，裁决无法成为先例", m->row.number);
}

static char *joined_assists(const struct moving *m)
{
        struct buf b = BUF_LIMIT(4096);
        for (const struct json_value *v = json_first(json_get(m->form, "assists")); v; v = json_next(v)) {
                if (b.length)
                        buf_byte(&b, '|');
                buf_text(&b, json_text_of(v));
        }
        char *text = arena_text(m->arena, b.at ? b.at : "");
        buf_free(&b);
        return text;
}

/* After so many rulings on one pattern the list itself is to be changed, by a second person. */
static bool propose(struct moving *m, int64_t precedent, const char *area, struct err *e)
{
        int64_t rulings;
        return tx_int(m->tx, &rulings, 0, e, SQL_RULINGS, ARGS(V(m->row.item), V(area)))
               && ((double)rulings < m->workflow->rules[RULE_RULINGS]
                   || tx_send(m->tx, e, SQL_PROPOSE, ARGS(V(precedent), V(m->mover->name), V(m->now))));
}

static bool rule_dispute(struct moving *m, struct err *e)
{
        struct open_dispute d;
        int64_t number;
        const struct area *area = area_of_case(m);
        const char *code = area ? area->code : twin_district(m->rules->twin)->code;
        const struct reason *principle = reason_find(m->workflow, m->move->name, json_get_text(m->form, "reason_code", ""));
        const char *text = json_get_text(m->form, "result", ""), *lead = json_get_text(m->form, "unit", "");
        return must_find(m, &d, e) && tx_int(m->tx, &number, 1, e, SQL_NUMBER, NO_ARGS)
               && tx_send(m->tx, e, SQL_PRECEDENT,
                          ARGS(V(number), V(m->row.item), V(code), V(lead), V(joined_assists(m)), V(principle ? principle->zh : ""),
                               V(text), V(m->row.id), V(m->mover->name), V(m->now)))
               && tx_send(m->tx, e, SQL_RULED,
                          ARGS(V(m->row.id), V(d.n), V(principle ? principle->code : ""), V(text), V(number), V(m->mover->name),
                               V(m->now)))
               && task_end(m->tx, m->row.id, "position", "", "revoked", m->now, e) && propose(m, number, code, e);
}

static bool withdraw_dispute(struct moving *m, struct err *e)
{
        struct open_dispute d;
        if (!must_find(m, &d, e))
                return false;
        return (text_empty(m->mover->unit) || text_is(d.unit, m->mover->unit)
                || err_both(e, ERR_DENIED, NULL, "only %s, which contested, withdraws the dispute",
                            "只有提出争议的单位（%s）可以撤回", d.unit))
               && tx_send(m->tx, e, SQL_WITHDRAWN, ARGS(V(m->row.id), V(d.n), V(m->mover->name), V(m->now)));
}

/* --- the words --------------------------------------------------------------------------------------------------------------- */

static const struct field facts[] = {{"facts", FIELD_TEXT, false, "新的事实", "New facts", 0, 0}, {0}};
static const struct field whose[] = {{"unit", FIELD_UNIT, false, "意见所属单位", "Unit whose position it is", 0, 0},
                                     {"can_act", FIELD_YES, false, "能否立即处置", "It can act at once", 0, 0},
                                     {0}};
static const struct field asked[] = {{"units", FIELD_UNITS, true, "征求意见的单位", "Units whose position is wanted", 0, 0}, {0}};
static const struct guard guards[] = {
        {"undisputed", undisputed_met, NULL, "No dispute on the case is open."},
        {"new_facts", new_facts_met, facts, "The point was never ruled, or the form names new facts."},
        {"dispute_open", dispute_open_met, NULL, "A dispute on the case is open."},
        {"position_unit", position_unit_met, whose, "The mover's unit, or the form's, states its position."},
        {"impartial", impartial_met, NULL, "The mover has taken no position in the dispute."},
        {"known_item", known_item_met, NULL, "The case has an item."},
        {0},
};
static const struct effect effects[] = {
        {"contest", contest, NULL, NULL, "A dispute opens; the interim lead handles meanwhile."},
        {"ask_positions", NULL, ask_positions, asked, "The form's units get the task to state their position."},
        {"state_position", state_position, NULL, NULL, "A unit's position; who can act at once handles meanwhile."},
        {"rule_dispute", NULL, rule_dispute, NULL,
         "The ruling becomes a precedent; a change of the list is proposed when it is time."},
        {"withdraw_dispute", withdraw_dispute, NULL, NULL, "The dispute is withdrawn."},
        {0},
};
const struct vocabulary dispute_words = {guards, effects};
