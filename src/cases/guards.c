/* cases/guards.c -- what a move may need.  Data names these; there is no other way to put a condition on a move. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "ledger/ledger.h"
#include "people/people.h"
#include "store/store.h"

static const char SQL_TAKEN[] = "SELECT COUNT(*) FROM history WHERE subject = $1 AND move = $2";
static const char SQL_LAST_BY[] = "SELECT actor FROM history WHERE subject = $1 AND move = $2 ORDER BY seq DESC LIMIT 1";
static const char SQL_PERSON[] =
        "SELECT COALESCE(unit, '') FROM account WHERE login = $1 AND disabled = 0"
        " UNION ALL SELECT m.unit FROM membership m JOIN account a ON a.id = m.account WHERE a.login = $1 AND a.disabled = 0";
/* $3: from then on somebody's shifts count; a roster that ended long ago binds nobody. */
static const char SQL_OFF_DUTY[] =
        "SELECT CASE WHEN COUNT(*) = 0 OR MAX(CASE WHEN s.until_at > $2 AND s.from_at <= $2 THEN 1 ELSE 0 END) = 1 THEN 0"
        " ELSE 1 END FROM shift s JOIN account a ON a.id = s.account WHERE a.login = $1 AND s.ended_at = 0 AND s.until_at > $3";
/* No shift is longer than a day: $2 is a day ahead. */
static const char SQL_ON_DUTY[] =
        "SELECT a.login, COALESCE(a.unit, '') FROM shift s JOIN account a ON a.id = s.account WHERE s.until_at > $1"
        " AND s.until_at <= $2 AND s.from_at <= $1 AND s.ended_at = 0 AND a.disabled = 0 ORDER BY s.until_at, a.login";
static const char SQL_ABSENT[] = "SELECT d.login, s.until_at FROM stand_in s JOIN account a ON a.id = s.absent"
                                 " JOIN account d ON d.id = s.deputy WHERE a.login = $1 AND s.until_at > $2 AND s.from_at <= $2"
                                 " AND s.ended_at = 0 ORDER BY s.until_at DESC LIMIT 1";

bool form_has(const struct moving *m, const char *field)
{
        return !text_empty(json_get_text(m->form, field, ""));
}

static bool reason_met(struct moving *m, struct err *e)
{
        return form_has(m, "reason")
               || err_both(e, ERR_INVALID, "reason", "the move \"%s\" needs a reason", "“%s”须填写理由", m->move->name);
}

static bool result_met(struct moving *m, struct err *e)
{
        return form_has(m, "result")
               || err_both(e, ERR_INVALID, "result", "the move \"%s\" needs the result of the work", "“%s”须填写处置结果",
                           m->move->name);
}

static bool note_met(struct moving *m, struct err *e)
{
        return form_has(m, "note") || err_both(e, ERR_INVALID, "note", "write the note", "请填写备注内容");
}

static bool unit_met(struct moving *m, struct err *e)
{
        const char *code = json_get_text(m->form, "unit", "");
        if (text_empty(code))
                return err_both(e, ERR_INVALID, "unit",
                                "the move \"%s\" needs the unit that shall handle the case (see /api/v1/units)",
                                "“%s”须指定处置单位（见 /api/v1/units）", m->move->name);
        return unit_find(m->rules->units, code)
               || err_both(e, ERR_INVALID, "unit", "there is no unit \"%s\"; see /api/v1/units",
                           "没有编码为“%s”的单位，可查 /api/v1/units", code);
}

static bool item_met(struct moving *m, struct err *e)
{
        const char *code = json_get_text(m->form, "item", m->row.item);
        if (text_empty(code))
                return err_both(e, ERR_INVALID, "item", "the case has no item yet; name one (see /api/v1/items)",
                                "案件尚未确定事项，请填写（见 /api/v1/items）");
        return item_find(m->rules->catalogue, code)
               || err_both(e, ERR_INVALID, "item", "there is no item \"%s\"; see /api/v1/items",
                           "没有编码为“%s”的事项，可查 /api/v1/items", code);
}

/* unit NULL: of any. */
static int open_tasks(const struct moving *m, const char *kind, const char *unit)
{
        int n = 0;
        for (size_t i = 0; i < m->n_tasks; i++)
                n += text_is(m->tasks[i].kind, kind) && (!unit || text_is(m->tasks[i].unit, unit));
        return n;
}

/* The program and people who are bound to no unit (dispatchers, supervisors, admins) act for any. */
static bool has_task(struct moving *m, const char *kind, struct err *e)
{
        if (text_empty(m->mover->unit))
                return true;
        if (!case_open_tasks(m, e))
                return false;
        return open_tasks(m, kind, m->mover->unit) > 0
               || err_both(e, ERR_DENIED, NULL, "your unit (%s) has no open %s task on this case",
                           "您的单位（%s）在本案件上没有未完成的%s任务", m->mover->unit, kind);
}

static bool own_task_met(struct moving *m, struct err *e)
{
        return has_task(m, "lead", e);
}

static bool own_assist_met(struct moving *m, struct err *e)
{
        return has_task(m, "assist", e);
}

static bool assists_done_met(struct moving *m, struct err *e)
{
        if (!case_open_tasks(m, e))
                return false;
        const int n = open_tasks(m, "assist", NULL);
        return n == 0 || form_has(m, "reason")
               || err_both(e, ERR_INVALID, "reason", "%d assisting units are not done yet: wait for them or give the reason",
                           "还有%d个协办单位未完成：请等待，或在理由中说明", n);
}

/* --- returning ------------------------------------------------------------------------------------------------------------ */

static bool moves_taken(const struct moving *m, const char *move, int64_t *n, struct err *e)
{
        return tx_int(m->tx, n, 0, e, SQL_TAKEN, ARGS(V(m->row.id), V(move)));
}

static bool listed_reason_met(struct moving *m, struct err *e)
{
        const char *code = json_get_text(m->form, "reason_code", "");
        return reason_find(m->workflow, m->move->name, code)
               || err_both(e, ERR_INVALID, "reason_code",
                           text_empty(code) ? "the move \"%s\" needs a reason of its list (see /api/v1/workflows)"
                                            : "the move \"%s\" knows no reason \"%s\" (see /api/v1/workflows)",
                           text_empty(code) ? "“%s”须从列表中选择理由（见 /api/v1/workflows）"
                                            : "“%s”没有理由“%s”（见 /api/v1/workflows）",
                           m->move->name, code);
}

/* Returning is not free: counted, and only while the case is fresh.  What comes later is a dispute. */
static bool return_left_met(struct moving *m, struct err *e)
{
        int64_t n, until, since = m->now;
        const double most = m->workflow->rules[RULE_RETURNS], hours = m->workflow->rules[RULE_RETURN_HOURS];
        if (!moves_taken(m, m->move->name, &n, e) || !case_open_tasks(m, e))
                return false;
        for (size_t i = 0; i < m->n_tasks; i++)
                since = text_is(m->tasks[i].kind, "lead") ? m->tasks[i].since : since;
        if (!calendar_due(m->calendar, since, (struct limit){hours, LIMIT_WORK_HOUR}, &until, NULL, e))
                return false;
        if ((double)n >= most)
                return err_both(e, ERR_CONFLICT, NULL, "case %s was returned %lld times already; contest it instead",
                                "案件%s已退件%lld次，不能再退，可提出职责争议", m->row.number, (long long)n);
        return m->now <= until
               || err_both(e, ERR_CONFLICT, NULL, "case %s could be returned in the first %g working hours; contest it instead",
                           "案件%s的退件时限（%g工作时）已过，可提出职责争议", m->row.number, hours);
}

/* A unit that has given the task to somebody takes it back first (process.md, "Return"). */
static bool no_person_met(struct moving *m, struct err *e)
{
        bool assigned = false;
        if (!case_open_tasks(m, e))
                return false;
        for (size_t i = 0; i < m->n_tasks; i++)
                assigned |= text_is(m->tasks[i].kind, "lead") && !text_empty(m->tasks[i].person);
        return !assigned
               || err_both(e, ERR_CONFLICT, NULL, "case %s is assigned to a person; take it back first (move revoke)",
                           "案件%s已指派处置人员，请先撤回指派（revoke）", m->row.number);
}

/* Work is not given to who is away; the answer names who stands in. */
static bool is_here(struct moving *m, const char *login, struct err *e)
{
        char until[TIME_TEXT_SIZE];
        struct rows r;
        const int found = tx_first(m->tx, &r, e, SQL_ABSENT, ARGS(V(login), V(m->now)));
        if (found <= 0)
                return found == 0;
        const char *deputy = rows_text(&r, m->arena, 0);
        (void)time_text(until, rows_int(&r, 1), ZONE_SHANGHAI);
        return rows_done(&r, e)
               && err_both(e, ERR_INVALID, "person", "%s is absent until %s; %s stands in", "%s 在 %s 前不在岗，由 %s 代理", login,
                           until, deputy);
}

static const int64_t ROSTER_LASTS = 31 * USEC_DAY;

/* Nor to who is off duty, while somebody of the unit is on duty: with shifts, and one of them now (signin/shifts.h). */
static bool is_on_duty(struct moving *m, const char *login, struct err *e)
{
        int64_t off;
        if (!tx_int(m->tx, &off, 0, e, SQL_OFF_DUTY, ARGS(V(login), V(m->now), V(m->now - ROSTER_LASTS))))
                return false;
        if (!off)
                return true;
        struct rows r;
        const char *other = NULL;
        if (!tx_rows(m->tx, &r, e, SQL_ON_DUTY, ARGS(V(m->now), V(m->now + USEC_DAY))))
                return false;
        while (rows_next(&r))
                if (!other && unit_within(m->rules->units, rows_text(&r, m->arena, 1), m->row.unit))
                        other = rows_text(&r, m->arena, 0);
        return rows_done(&r, e)
               && (!other
                   || err_both(e, ERR_INVALID, "person", "%s is off duty; %s is on duty", "%s 现不在班，在班人员：%s", login,
                               other));
}

static bool person_met(struct moving *m, struct err *e)
{
        const char *login = json_get_text(m->form, "person", "");
        struct rows r;
        bool belongs = false;
        if (!tx_rows(m->tx, &r, e, SQL_PERSON, ARGS(V(login))))
                return false;
        while (rows_next(&r))
                belongs = belongs || unit_within(m->rules->units, rows_text(&r, m->arena, 0), m->row.unit);
        if (!rows_done(&r, e))
                return false;
        if (!belongs)
                return err_both(e, ERR_INVALID, "person", "\"%s\" is nobody of the unit %s", "“%s”不是单位%s的人员", login,
                                m->row.unit);
        return is_here(m, login, e) && is_on_duty(m, login, e);
}

/* --- answers -------------------------------------------------------------------------------------------------------------- */

static const char *const ratings[] = {"speed", "effect", "service", "answer"};

static bool ratings_met(struct moving *m, struct err *e)
{
        const struct json_value *solved = json_get(m->form, "solved"), *given = json_get(m->form, "ratings");
        if (json_kind(solved) != JSON_BOOL)
                return err_both(e, ERR_INVALID, "solved", "say whether the citizen calls it solved: true or false",
                                "请填写市民是否认为已解决：true 或 false");
        for (size_t i = 0; given && i < COUNT_OF(ratings); i++) {
                const double rating = json_get_real(given, ratings[i], 0);
                if (rating != 1 && rating != 2 && rating != 3 && rating != 4 && rating != 5)
                        return err_both(e, ERR_INVALID, "ratings",
                                        "ratings needs speed, effect, service and answer, each from 1 to 5",
                                        "ratings 须有 speed、effect、service、answer，各为1至5");
        }
        return true;
}

/* Not solved, or less than "basically satisfied" (3 of 5) on average. */
static bool is_satisfied(const struct moving *m)
{
        const struct json_value *given = json_get(m->form, "ratings");
        const size_t n = COUNT_OF(ratings);
        double sum = 0;
        for (size_t i = 0; i < n; i++)
                sum += json_get_real(given, ratings[i], 3);
        return json_get_bool(m->form, "solved", true) && sum >= 3 * (double)n;
}

static bool satisfied_met(struct moving *m, struct err *e)
{
        return is_satisfied(m) || form_has(m, "reason_code")
               || err_both(e, ERR_CONFLICT, NULL, "the citizen is not satisfied with case %s", "市民对案件%s的处置不满意",
                           m->row.number);
}

static bool unsatisfied_met(struct moving *m, struct err *e)
{
        return (!is_satisfied(m) && !form_has(m, "reason_code"))
               || err_both(e, ERR_CONFLICT, NULL, "the citizen is satisfied with case %s", "市民对案件%s的处置满意", m->row.number);
}

static bool redo_left_met(struct moving *m, struct err *e)
{
        int64_t n;
        return moves_taken(m, "redo", &n, e)
               && ((double)n < m->workflow->rules[RULE_REDOS]
                   || err_both(e, ERR_CONFLICT, NULL, "case %s was done again already; supervise it", "案件%s已重办过，应予督办",
                               m->row.number));
}

/* Only listed reasons take an answer out of the count of satisfaction; unsaid, it counts. */
static bool excluded_met(struct moving *m, struct err *e)
{
        return !form_has(m, "reason_code") || listed_reason_met(m, e);
}

/* Whoever handed the result over does not judge it. */
static bool second_person_met(struct moving *m, struct err *e)
{
        struct rows r;
        int found = tx_first(m->tx, &r, e, SQL_LAST_BY, ARGS(V(m->row.id), V("hand_over")));
        if (found <= 0)
                return found == 0;
        const char *actor = rows_text(&r, m->arena, 0);
        return rows_done(&r, e)
               && (!text_is(actor, m->mover->name)
                   || err_both(e, ERR_DENIED, NULL, "%s handed case %s over; somebody else reviews it",
                               "案件由%s提交（%s），须由他人审核", actor, m->row.number));
}

static const struct field a_code[] = {{"reason_code", FIELD_REASON, true, "理由（列表）", "Reason of the list", 0, 0}, {0}};
static const struct field a_person[] = {{"person", FIELD_TEXT, true, "处置人员", "Person", 0, 0}, {0}};
static const struct field answers[] = {{"solved", FIELD_YES, true, "是否解决", "Solved", 0, 0},
                                       {"ratings", FIELD_OBJECT, false, "四项评价（速度、效果、服务、答复，1至5）",
                                        "Ratings of speed, effect, service and answer, 1 to 5", 0, 0},
                                       {0}};
static const struct field exclusion[] = {{"reason_code", FIELD_REASON, false, "不计入满意度的理由", "Why it does not count", 0, 0},
                                         {0}};
static const struct field a_reason[] = {{"reason", FIELD_TEXT, true, "理由", "Reason", 0, 0}, {0}};
static const struct field a_result[] = {{"result", FIELD_TEXT, true, "处置结果", "Result", 0, 0}, {0}};
static const struct field a_note[] = {{"note", FIELD_TEXT, true, "备注", "Note", 0, 0}, {0}};
static const struct field a_unit[] = {{"unit", FIELD_UNIT, true, "处置单位", "Unit", 0, 0}, {0}};
static const struct field an_item[] = {{"item", FIELD_ITEM, false, "事项", "Item", 0, 0}, {0}};
static const struct field why_alone[] = {
        {"reason", FIELD_TEXT, false, "未等协办完成的理由", "Why not wait for the assisting units", 0, 0}, {0}};

const struct guard case_guards[] = {
        {"reason", reason_met, a_reason, "The form gives a reason."},
        {"result", result_met, a_result, "The form tells the result of the work."},
        {"note", note_met, a_note, "The form has a note."},
        {"unit", unit_met, a_unit, "The form names a known unit."},
        {"item", item_met, an_item, "The case has an item, or the form names one."},
        {"own_task", own_task_met, NULL, "The mover's unit has the open lead task."},
        {"own_assist", own_assist_met, NULL, "The mover's unit has an open assist task."},
        {"assists_done", assists_done_met, why_alone, "No assist task is open, or the form says why not."},
        {"listed_reason", listed_reason_met, a_code, "The form gives a reason of the move's list (reasons.csv)."},
        {"return_left", return_left_met, NULL,
         "Fewer than `returns` returns, and within `return_hours` of the dispatch (rules.csv)."},
        {"no_person", no_person_met, NULL, "The lead task is assigned to nobody in the unit."},
        {"person", person_met, a_person, "The form names somebody of the unit in charge."},
        {"ratings", ratings_met, answers, "The form says whether it is solved; ratings, when given, are whole."},
        {"excluded", excluded_met, exclusion, "A reason that takes the answer out of the count, when given, is of the list."},
        {"satisfied", satisfied_met, NULL, "The answer handed in is satisfied, or does not count."},
        {"unsatisfied", unsatisfied_met, NULL, "The answer handed in is unsatisfied and counts."},
        {"redo_left", redo_left_met, NULL, "The case was done again fewer than `redos` times (rules.csv)."},
        {"second_person", second_person_met, NULL, "The mover is not who handed the result over."},
        {0},
};
