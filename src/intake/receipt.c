/* intake/receipt.c -- what the channel gets back; the same report again gets the same receipt, read from the history. */
#include "intake/keep.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/view.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "routing/routing.h"
#include "store/store.h"

static const char SQL_EARLIER[] = "SELECT id FROM report WHERE channel = $1 AND external_id = $2";
static const char SQL_BY_TRACK[] = "SELECT number, track, queued_at FROM intake_queue WHERE track = $1";
static const char SQL_WAITING[] = "SELECT number, track FROM intake_queue WHERE report_id = $1";

static void add_why(struct receipt *r, const char *en, const char *zh)
{
        if (r->n_why < COUNT_OF(r->why)) {
                r->why[r->n_why] = en;
                r->why_zh[r->n_why++] = zh;
        }
}

static void add_assist(struct receipt *r, const struct unit *unit)
{
        if (unit && r->n_assists < COUNT_OF(r->assist_codes)) {
                r->assist_codes[r->n_assists] = unit->code;
                r->assist_names[r->n_assists++] = unit->name;
        }
}

/* What follows from the item being there or not; the same for a new receipt and a repeated one. */
static void explain(struct receipt *r, const char *why, const char *why_zh)
{
        if (!text_empty(why))
                add_why(r, why, why_zh);
        else if (r->item_code)
                add_why(r, "The item was given with the report.", "事项由来件指定。");
        else
                add_why(r, "The report names no item, so a dispatcher looks at it first.", "来件未指定事项，先由分拨员研判。");
}

/* Nothing is decided yet: no item is sure, and the fallback unit looks after it. */
static void waiting_receipt(const struct rulebook *rules, const char *number, const char *track, struct receipt *r)
{
        const struct unit *unit = unit_fallback(rules->units);
        *r = (struct receipt){.waiting = true,
                              .number = number,
                              .track = track,
                              .state = "received",
                              .unit_code = unit->code,
                              .unit_name = unit->name};
        add_why(r, "The report is kept; filing failed for now and is tried again by itself.",
                "来件已登记保存，立案暂未成功，系统将自动重试。");
}

void receipt_new(struct arena *a, const struct filing *f, bool filed, struct receipt *r)
{
        if (!filed) {
                waiting_receipt(f->rules, arena_text(a, f->number), f->track, r);
                return;
        }
        *r = (struct receipt){
                .number = arena_text(a, f->number),
                .track = f->track,
                .state = f->state,
                .due = f->due,
                .item_code = f->item ? f->item->code : NULL,
                .item_name = f->item ? f->item->name : NULL,
                .certainty = f->certainty,
                .unit_code = f->answer->lead->code,
                .unit_name = f->answer->lead->name,
        };
        for (size_t i = 0; i < f->answer->n_assists; i++)
                add_assist(r, f->answer->assists[i]);
        explain(r, f->item_why, f->item_why_zh);
        if (f->place_why)
                add_why(r, f->place_why, f->place_why_zh);
        add_why(r, arena_text(a, f->answer->why), arena_text(a, f->answer->why_zh));
}

/* The row that recorded the first decision is the one whose form names the routing step. */
static const struct ledger_row *decision(struct arena *a, const struct case_detail *d, const struct json_value **form)
{
        struct err ignored;
        for (size_t i = 0; i < d->n_history; i++) {
                *form = json_parse(a, d->history[i].entry.form, strlen(d->history[i].entry.form), &ignored);
                if (json_get(*form, "step"))
                        return &d->history[i];
        }
        return NULL;
}

static bool receipt_of_case(struct district *district, struct arena *a, const struct case_detail *d, struct receipt *r,
                            struct err *e)
{
        const struct json_value *form;
        const struct ledger_row *row = decision(a, d, &form);
        const struct rulebook *rules = district_rules_of(district, d->view.version, e);
        if (!rules)
                return false;
        if (!row)
                return err_set(e, ERR_FAULT, "case %s has no row of its first decision", d->view.number);
        const struct item *item = item_find(rules->catalogue, json_get_text(form, "item", ""));
        const struct unit *unit = unit_find(rules->units, json_get_text(form, "unit", ""));
        *r = (struct receipt){
                .again = true,
                .number = d->view.number,
                .track = d->view.track,
                .state = row->entry.dest,
                .item_code = item ? item->code : NULL,
                .item_name = item ? item->name : NULL,
                .certainty = json_get_real(form, "certainty", 0),
                .unit_code = unit ? unit->code : "",
                .unit_name = unit ? unit->name : "",
                .due = json_get_int(form, "due_at", 0),
        };
        for (const struct json_value *v = json_first(json_get(form, "assists")); v; v = json_next(v))
                add_assist(r, unit_find(rules->units, json_text_of(v)));
        explain(r, json_get_text(form, "item_why", ""), json_get_text(form, "item_why_zh", ""));
        if (json_get(form, "place_why"))
                add_why(r, json_get_text(form, "place_why", ""), json_get_text(form, "place_why_zh", ""));
        add_why(r, json_get_text(form, "why", ""), json_get_text(form, "why_zh", ""));
        return true;
}

static bool receipt_of_queue(struct tx *tx, struct district *district, struct arena *a, int64_t report, struct receipt *r,
                             struct err *e)
{
        struct rows rows;
        const struct rulebook *rules = district_rules(district, e);
        int found = rules ? tx_first(tx, &rows, e, SQL_WAITING, ARGS(V(report))) : -1;
        if (found < 0)
                return false;
        if (found == 0)
                return err_set(e, ERR_FAULT, "report %lld is neither filed nor waiting", (long long)report);
        waiting_receipt(rules, rows_text(&rows, a, 0), rows_text(&rows, a, 1), r);
        r->again = true;
        return rows_done(&rows, e);
}

bool receipt_again(struct tx *tx, struct district *district, struct arena *a, const struct report *report, struct receipt *r,
                   struct err *e)
{
        int64_t id;
        struct case_detail d;
        if (!tx_int(tx, &id, 0, e, SQL_EARLIER, ARGS(V(report->channel), V(report->external_id))))
                return false;
        int found = case_of_report(tx, a, id, &d, e);
        if (found < 0)
                return false;
        return found ? receipt_of_case(district, a, &d, r, e) : receipt_of_queue(tx, district, a, id, r, e);
}

struct search {
        struct arena *arena;
        const char *code;
        struct waiting *out;
        bool found;
};

static bool find_waiting(struct tx *tx, void *ctx, struct err *e)
{
        struct search *s = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_BY_TRACK, ARGS(V(s->code)));
        s->found = found == 1;
        if (found <= 0)
                return found == 0;
        *s->out = (struct waiting){rows_text(&r, s->arena, 0), rows_text(&r, s->arena, 1), rows_int(&r, 2)};
        return rows_done(&r, e);
}

int intake_waiting(struct store *store, struct arena *a, const char *code, struct waiting *out, struct err *e)
{
        struct search s = {.arena = a, .code = text_upper(a, code), .out = out};
        return store_read(store, find_waiting, &s, e) ? s.found : -1;
}
