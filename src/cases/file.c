/* cases/file.c -- filing: what a report becomes.  Plan first (pure), then one run of inserts inside intake's transaction. */
#include "cases/moves.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "store/store.h"
#include "task/task.h"
#include "twin/twin.h"
#include <stdio.h>

static const char SQL_FILE[] =
        "INSERT INTO cases(id, number, track, version, workflow, state, open, channel, source, property, title, urgent, item,"
        " certainty,"
        " subdistrict, community, grid, lon, lat, address, unit, occurred_at, created_at, closed_at, due, late, seq, tip,"
        " report)"
        " VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 0, $23,"
        " 0,"
        " $24, $25, $26) ON CONFLICT (number) DO NOTHING";
static const char SQL_TASK[] =
        "INSERT INTO case_task(case_id, n, kind, unit, state, created_at, ended_at) VALUES ($1, $2, $3, $4, 'open', $5, 0)";
static const char SQL_CLOCK[] =
        "INSERT INTO case_clock(case_id, clock, round, state, unit, started_at, warn_at, due, remaining, limit_unit, overdue,"
        " ended_at, step_at)"
        " VALUES ($1, $2, 1, 'running', $3, $4, $5, $6, 0, $7, 0, 0, $8)";

enum { MOVES_MOST = 3, NUMBER_TRIES = 20 };

/* A report that is sure of its unit takes these moves at once; one that is not waits after the second. */
static const char *const first_moves[] = {"receive", "file", "dispatch"};

struct filing_plan {
        const struct workflow *workflow;
        const struct move *moves[MOVES_MOST];
        size_t n_moves;
        const char *state; /* after the first moves */
        bool sent_out;     /* the unit has its task at once */
        struct clock_book clocks;
        int64_t due, timer;
        const char *form; /* of the last of the first moves: what was decided, and why */
};

/* A move that does not start where the one before has led is left out: filing takes declared moves only. */
static void plan_moves(const struct filing *f, struct filing_plan *p)
{
        size_t wanted = f->answer->sure ? COUNT_OF(first_moves) : COUNT_OF(first_moves) - 1;
        const char *last = first_moves[COUNT_OF(first_moves) - 1];
        for (size_t i = 0; i < wanted; i++) {
                const struct move *m = move_find(p->workflow, first_moves[i]);
                if (!m || !move_allows(m, 0) || !(p->state ? move_starts_at(m, p->state) : i == 0 && m->dest))
                        continue;
                p->moves[p->n_moves++] = m;
                if (m->dest)
                        p->state = m->dest->name;
        }
        /* A workflow without dispatch leaves the matter with the unit that was found. */
        p->sent_out = f->answer->sure && p->n_moves > 0
                      && (text_is(p->moves[p->n_moves - 1]->name, last) || !move_find(p->workflow, last));
}

/* Whether a clock runs once the first moves are done: the last of them that starts or stops it decides. */
static bool runs_after(const struct filing_plan *p, const struct clock_rule *c)
{
        bool runs = false;
        for (size_t i = 0; i < p->n_moves; i++) {
                if (names_move(c->stops, c->n_stops, p->moves[i]->name))
                        runs = false;
                if (names_move(c->starts, c->n_starts, p->moves[i]->name))
                        runs = true;
        }
        return runs;
}

static int64_t first_ring(const struct case_clock *c)
{
        const int64_t next = c->warn_at > 0 && c->warn_at < c->due ? c->warn_at : c->due;
        return c->step_at > 0 && c->step_at < next ? c->step_at : next;
}

static bool plan_clocks(const struct filing *f, struct filing_plan *p, struct err *e)
{
        const struct workflow *w = p->workflow;
        const struct clock_turn t = {
                .calendar = f->rules->calendar, .workflow = w, .item = f->item, .urgent = f->urgent, .now = f->now};
        struct clock_book *b = &p->clocks;
        for (size_t i = 0; i < w->n_clocks && b->n < CASE_CLOCKS_MOST; i++) {
                struct case_clock *c = &b->at[b->n];
                if (!runs_after(p, &w->clocks[i]))
                        continue;
                if (!clock_begin(&t, &w->clocks[i], c, e))
                        return false;
                if (!c->rule)
                        continue;
                if (p->timer == 0 || first_ring(c) < p->timer)
                        p->timer = first_ring(c);
                b->n++;
        }
        p->due = clock_book_due(b);
        return true;
}

int64_t filing_plan_due(const struct filing_plan *p)
{
        return p->due;
}

/* What was decided, and why; a repeated report gets its receipt from here. */
static char *decision_form(struct arena *a, const struct filing *f, int64_t due)
{
        const struct answer *answer = f->answer;
        struct buf b = BUF_LIMIT(1 << 20);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        if (f->item) {
                json_text(&j, "item", f->item->code);
                json_real(&j, "certainty", f->certainty);
        }
        if (f->item_why) {
                json_text(&j, "item_why", f->item_why);
                json_text(&j, "item_why_zh", f->item_why_zh);
        }
        if (f->place_why) {
                json_text(&j, "place_why", f->place_why);
                json_text(&j, "place_why_zh", f->place_why_zh);
        }
        json_text(&j, "unit", answer->lead->code);
        json_array(&j, "assists");
        for (size_t i = 0; i < answer->n_assists; i++)
                json_text(&j, NULL, answer->assists[i]->code);
        json_array_end(&j);
        json_text(&j, "step", routing_step_name(answer->step));
        json_text(&j, "row", answer->row);
        json_text(&j, "why", answer->why);
        json_text(&j, "why_zh", answer->why_zh);
        if (due)
                json_int(&j, "due_at", due);
        json_object_end(&j);
        char *text = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return text;
}

bool cases_plan(struct arena *a, const struct filing *f, struct filing_plan **out, struct err *e)
{
        struct filing_plan *p = NEW(a, struct filing_plan);
        const char *name = f->item && f->item->workflow ? f->item->workflow : "standard";
        p->workflow = workflow_find(f->rules->workflows, name);
        if (!p->workflow)
                return err_set(e, ERR_FAULT, "the pack has no workflow \"%s\"", name);
        plan_moves(f, p);
        if (p->n_moves == 0)
                return err_set(e, ERR_FAULT, "the workflow \"%s\" does not let the program take the move \"receive\"", name);
        if (!plan_clocks(f, p, e))
                return false;
        p->form = decision_form(a, f, p->due);
        *out = p;
        return true;
}

static const char *code_at(const struct place *place, enum area_level level)
{
        const struct area *area = place->area ? area_up(place->area, level) : NULL;
        return area ? area->code : "";
}

static bool write_history(struct tx *tx, const struct filing *f, const struct filing_plan *p, struct ledger_tip *tip, struct err *e)
{
        const char *state = "";
        for (size_t i = 0; i < p->n_moves; i++) {
                const struct move *m = p->moves[i];
                const char *dest = m->dest ? m->dest->name : state;
                struct ledger_entry entry = {
                        .subject = f->id,
                        .move = m->name,
                        .origin = state,
                        .dest = dest,
                        .actor = "system",
                        .role = "system",
                        .form = i + 1 == p->n_moves ? p->form : "{}",
                        .at = f->now,
                };
                if (!ledger_append(tx, tip, &entry, e))
                        return false;
                state = dest;
        }
        return true;
}

static bool write_case(struct tx *tx, struct district *d, struct filing *f, const struct filing_plan *p,
                       const struct ledger_tip *tip, struct err *e)
{
        const struct place *at = f->place;
        for (int i = 0; i < NUMBER_TRIES; i++) {
                /* Another process may have given out the same number in this second: then the next one. */
                if (i > 0 || text_empty(f->number))
                        (void)number_new(d->ids, f->rules->number_prefix, f->now, f->number);
                int added =
                        tx_expect(tx, e, SQL_FILE,
                                  ARGS(V(f->id), V(f->number), V(f->track), V(f->rules->version), V(p->workflow->name), V(f->state),
                                       V(f->channel), V(f->source ? f->source : ""), V(f->property ? f->property : ""), V(f->title),
                                       V(f->urgent ? 1 : 0), V(f->item ? f->item->code : ""), V(f->certainty),
                                       V(code_at(at, AREA_SUBDISTRICT)), V(code_at(at, AREA_COMMUNITY)), V(code_at(at, AREA_GRID)),
                                       at->has_point ? V(at->point.lon) : V_NULL, at->has_point ? V(at->point.lat) : V_NULL,
                                       V(f->address ? f->address : ""), V(f->answer->lead->code), V(f->occurred), V(f->now),
                                       V(f->due), V(tip->seq), V_BLOB(tip->hash, sizeof tip->hash), V(f->report)),
                                  1);
                if (added != 0)
                        return added == 1;
        }
        return err_set(e, ERR_BUSY, "no free case number in %d tries", NUMBER_TRIES);
}

static bool write_tasks(struct tx *tx, const struct filing *f, const struct filing_plan *p, struct err *e)
{
        const struct answer *a = f->answer;
        if (!p->sent_out)
                return true; /* a dispatcher decides first */
        if (!tx_send(tx, e, SQL_TASK, ARGS(V(f->id), V(1), V("lead"), V(a->lead->code), V(f->now))))
                return false;
        for (size_t i = 0; i < a->n_assists; i++)
                if (!tx_send(tx, e, SQL_TASK, ARGS(V(f->id), V((int64_t)i + 2), V("assist"), V(a->assists[i]->code), V(f->now))))
                        return false;
        return true;
}

static bool write_clocks(struct tx *tx, const struct filing *f, const struct filing_plan *p, struct err *e)
{
        char key[24];
        for (size_t i = 0; i < p->clocks.n; i++) {
                const struct case_clock *c = &p->clocks.at[i];
                if (!tx_send(tx, e, SQL_CLOCK,
                             ARGS(V(f->id), V(c->clock), V(f->answer->lead->code), V(c->started), V(c->warn_at), V(c->due),
                                  V(limit_unit_name(c->unit)), V(c->step_at))))
                        return false;
        }
        (void)snprintf(key, sizeof key, "%lld", (long long)f->id);
        return p->timer == 0 || timer_set(tx, case_clock_timer.name, key, p->timer, NULL, e);
}

bool cases_file(struct tx *tx, struct district *d, struct filing *f, const struct filing_plan *p, struct err *e)
{
        struct ledger_tip tip = {0};
        const struct move *last = p->moves[p->n_moves - 1];
        f->state = p->state;
        f->due = p->due;
        if (!write_history(tx, f, p, &tip, e) || !write_case(tx, d, f, p, &tip, e) || !write_tasks(tx, f, p, e)
            || !write_clocks(tx, f, p, e))
                return false;
        const struct case_row row = {.number = f->number, .track = f->track, .community = code_at(f->place, AREA_COMMUNITY)};
        const struct case_news news = {.move = last->name,
                                       .state = f->state,
                                       .unit = f->answer->lead->code,
                                       .at = f->now,
                                       .told = f->told ? f->told : f->now,
                                       .files = true};
        return case_tell(tx, &row, &news, e);
}
