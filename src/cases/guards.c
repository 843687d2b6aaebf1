/* cases/guards.c -- what a move may need.  Data names these; there is no other way to put a condition on a move. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"

static bool form_has(const struct moving *m, const char *field)
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

/* The program and people who are bound to no unit (dispatchers, supervisors, admins) act for any. */
static bool has_task(struct moving *m, const char *kind, struct err *e)
{
        int64_t n;
        if (text_empty(m->mover->unit))
                return true;
        if (!tasks_open(m->tx, m->row.id, kind, m->mover->unit, &n, e))
                return false;
        return n > 0
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
        int64_t n;
        if (!tasks_open(m->tx, m->row.id, "assist", "", &n, e))
                return false;
        return n == 0 || form_has(m, "reason")
               || err_both(e, ERR_INVALID, "reason", "%lld assisting units are not done yet: wait for them or give the reason",
                           "还有%lld个协办单位未完成：请等待，或在理由中说明", (long long)n);
}

static const struct guard guards[] = {
        {"reason", reason_met, "reason", "The form gives a reason."},
        {"result", result_met, "result", "The form tells the result of the work."},
        {"unit", unit_met, "unit", "The form names a known unit."},
        {"item", item_met, "item", "The case has an item, or the form names one."},
        {"own_task", own_task_met, NULL, "The mover's unit has the open lead task."},
        {"own_assist", own_assist_met, NULL, "The mover's unit has an open assist task."},
        {"assists_done", assists_done_met, NULL, "No assist task is open, or the form says why not."},
};

const struct guard *guard_find(const char *name)
{
        for (size_t i = 0; i < COUNT_OF(guards); i++)
                if (text_is(guards[i].name, name))
                        return &guards[i];
        return NULL;
}
