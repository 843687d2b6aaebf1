/* cases/view.c -- see view.h. */
#include "cases/view.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "cases/workflow.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "sight/sight.h"
#include "store/store.h"
#include "twin/twin.h"

static const char SQL_BY_NUMBER[] = CASE_COLUMNS " WHERE number = $1";
static const char SQL_BY_TRACK[] = CASE_COLUMNS " WHERE track = $1";
static const char SQL_BY_ID[] = CASE_COLUMNS " WHERE id = $1";
static const char SQL_TASKS[] = "SELECT kind, unit, state, created_at, ended_at FROM case_task WHERE case_id = $1 ORDER BY n";
static const char SQL_CLOCKS[] =
        "SELECT clock, state, unit, round, started_at, due, ended_at FROM case_clock WHERE case_id = $1 ORDER BY started_at,"
        " clock, round";

void case_view_read(const struct rows *r, struct arena *a, struct case_view *v)
{
        *v = (struct case_view){
                .id = rows_int(r, 0),
                .version = rows_int(r, 1),
                .number = rows_text(r, a, 2),
                .track = rows_text(r, a, 3),
                .workflow = rows_text(r, a, 4),
                .state = rows_text(r, a, 5),
                .channel = rows_text(r, a, 6),
                .source = rows_text(r, a, 7),
                .property = rows_text(r, a, 8),
                .title = rows_text(r, a, 9),
                .urgent = rows_int(r, 10) != 0,
                .open = rows_int(r, 11) != 0,
                .late = rows_int(r, 12) != 0,
                .item = rows_text(r, a, 13),
                .certainty = rows_real(r, 14),
                .subdistrict = rows_text(r, a, 15),
                .community = rows_text(r, a, 16),
                .grid = rows_text(r, a, 17),
                .address = rows_text(r, a, 18),
                .unit = rows_text(r, a, 19),
                .has_point = !rows_null(r, 20),
                .lon = rows_real(r, 20),
                .lat = rows_real(r, 21),
                .occurred = rows_int(r, 22),
                .created = rows_int(r, 23),
                .closed = rows_int(r, 24),
                .due = rows_int(r, 25),
                .seq = rows_int(r, 26),
        };
}

enum { PARTS_MOST = 200 }; /* tasks or clocks of one case that are shown */

static bool read_tasks(struct tx *tx, struct arena *a, struct case_detail *d, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_TASKS, ARGS(V(d->view.id))))
                return false;
        d->tasks = NEW_ARRAY(a, struct task_view, PARTS_MOST);
        while (d->n_tasks < PARTS_MOST && rows_next(&r))
                d->tasks[d->n_tasks++] = (struct task_view){
                        .kind = rows_text(&r, a, 0),
                        .unit = rows_text(&r, a, 1),
                        .state = rows_text(&r, a, 2),
                        .created = rows_int(&r, 3),
                        .ended = rows_int(&r, 4),
                };
        return rows_done(&r, e);
}

static bool read_clocks(struct tx *tx, struct arena *a, struct case_detail *d, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_CLOCKS, ARGS(V(d->view.id))))
                return false;
        d->clocks = NEW_ARRAY(a, struct clock_view, PARTS_MOST);
        while (d->n_clocks < PARTS_MOST && rows_next(&r))
                d->clocks[d->n_clocks++] = (struct clock_view){
                        .clock = rows_text(&r, a, 0),
                        .state = rows_text(&r, a, 1),
                        .unit = rows_text(&r, a, 2),
                        .round = rows_int(&r, 3),
                        .started = rows_int(&r, 4),
                        .due = rows_int(&r, 5),
                        .ended = rows_int(&r, 6),
                };
        return rows_done(&r, e);
}

static int read_detail(struct tx *tx, struct arena *a, const char *sql, struct value key, bool past, struct case_detail *d,
                       struct err *e)
{
        struct rows r;
        *d = (struct case_detail){0};
        int found = tx_first(tx, &r, e, sql, ARGS(key));
        if (found <= 0)
                return found;
        case_view_read(&r, a, &d->view);
        bool ok = rows_done(&r, e) && read_tasks(tx, a, d, e) && read_clocks(tx, a, d, e)
                  && (!past || ledger_rows(tx, a, d->view.id, &d->history, &d->n_history, e));
        return ok ? 1 : -1;
}

struct lookup {
        struct arena *arena;
        const char *sql;
        const char *key;
        const struct sight *sight;
        bool past; /* its history too */
        struct case_detail *out;
};

static bool look_up(struct tx *tx, void *ctx, struct err *e)
{
        const struct lookup *l = ctx;
        bool seen = true;
        int found = read_detail(tx, l->arena, l->sql, V(l->key), l->past, l->out, e);
        if (found > 0 && !sight_sees(tx, l->arena, l->sight, l->out->view.id, &seen, e))
                return false;
        if (!seen)
                found = 0;
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no case \"%s\"; check the number or code",
                                "没有找到“%s”，请核对编号或查询码", l->key);
        return found > 0;
}

bool case_read_within(struct tx *tx, struct arena *a, const char *number, const struct sight *sight, struct case_detail *out,
                      struct err *e)
{
        return look_up(tx, &(struct lookup){a, SQL_BY_NUMBER, number, sight, false, out}, e);
}

bool case_read_now(struct store *store, struct arena *a, const char *number, const struct sight *sight, struct case_detail *out,
                   struct err *e)
{
        return store_read(store, look_up, &(struct lookup){a, SQL_BY_NUMBER, number, sight, false, out}, e);
}

bool case_read(struct store *store, struct arena *a, const char *number, const struct sight *sight, struct case_detail *out,
               struct err *e)
{
        return store_read(store, look_up, &(struct lookup){a, SQL_BY_NUMBER, number, sight, true, out}, e);
}

bool case_read_track(struct store *store, struct arena *a, const char *track, struct case_detail *out, struct err *e)
{
        return store_read(store, look_up, &(struct lookup){a, SQL_BY_TRACK, text_upper(a, track), NULL, true, out}, e);
}

int case_of_report(struct tx *tx, struct arena *a, int64_t report, struct case_detail *out, struct err *e)
{
        return read_detail(tx, a, SQL_BY_ID, V(report), true, out, e);
}

static void item_json(const char *code, double certainty, const struct rulebook *rules, struct json *j)
{
        const struct item *item = text_empty(code) ? NULL : item_find(rules->catalogue, code);
        if (!item) {
                json_null(j, "item");
                return;
        }
        json_object(j, "item");
        json_text(j, "code", item->code);
        json_text(j, "name", item->name);
        json_real(j, "certainty", certainty);
        json_object_end(j);
}

static void unit_json(const char *code, const struct rulebook *rules, struct json *j)
{
        const struct unit *unit = unit_find(rules->units, code);
        json_object(j, "unit");
        json_text(j, "code", code);
        json_text(j, "name", unit ? unit->name : code);
        json_object_end(j);
}

void case_members_json(const struct case_view *v, const struct rulebook *rules, struct json *j)
{
        const struct workflow *w = workflow_find(rules->workflows, v->workflow);
        const struct state *s = w ? state_find(w, v->state) : NULL;
        json_text(j, "number", v->number);
        json_text(j, "state", v->state);
        json_object(j, "state_name");
        json_text(j, "zh", s ? s->zh : v->state);
        json_text(j, "en", s ? s->en : v->state);
        json_object_end(j);
        json_bool(j, "open", v->open);
        json_text(j, "title", v->title);
        json_text(j, "channel", v->channel);
        json_text(j, "source", v->source);
        json_text(j, "property", v->property);
        json_text(j, "urgency", v->urgent ? "urgent" : "ordinary");
        item_json(v->item, v->certainty, rules, j);
        unit_json(v->unit, rules, j);
        json_text(j, "subdistrict", v->subdistrict);
        json_text(j, "community", v->community);
        json_text(j, "grid", v->grid);
        json_text(j, "address", v->address);
        if (v->has_point) {
                json_object(j, "location");
                json_real(j, "lon", v->lon);
                json_real(j, "lat", v->lat);
                json_object_end(j);
        } else {
                json_null(j, "location");
        }
        json_time(j, "occurred", v->occurred);
        json_time(j, "created", v->created);
        json_time(j, "closed", v->closed);
        json_time(j, "due", v->due);
        json_bool(j, "late", v->late);
}

bool case_parts_missing(struct tx *tx, struct arena *a, const struct case_part *const *all, int64_t id,
                        const struct case_part **missing, struct err *e)
{
        struct buf b = BUF_LIMIT(4096);
        struct rows r;
        size_t n = 0;
        for (const struct case_part *const *part = all; *part; part++)
                buf_format(&b, "%s CASE WHEN %s THEN 1 ELSE 0 END", part == all ? "SELECT" : ",", (*part)->some);
        const char *sql = arena_text(a, b.at);
        buf_free(&b);
        if (tx_first(tx, &r, e, sql, ARGS(V(id))) != 1)
                return false;
        for (int i = 0; i < CASE_PARTS_MOST && all[i]; i++)
                if (!rows_int(&r, i))
                        missing[n++] = all[i];
        missing[n] = NULL;
        return rows_done(&r, e);
}

/* --- parts of a case as JSON ----------------------------------------------------------------------------------------- */

void case_tasks_json(const struct case_detail *d, const struct rulebook *rules, struct json *j)
{
        json_array(j, "tasks");
        for (size_t i = 0; i < d->n_tasks; i++) {
                const struct unit *unit = unit_find(rules->units, d->tasks[i].unit);
                json_object(j, NULL);
                json_text(j, "kind", d->tasks[i].kind);
                json_text(j, "unit", d->tasks[i].unit);
                json_text(j, "unit_name", unit ? unit->name : d->tasks[i].unit);
                json_text(j, "state", d->tasks[i].state);
                json_time(j, "created", d->tasks[i].created);
                json_time(j, "ended", d->tasks[i].ended);
                json_object_end(j);
        }
        json_array_end(j);
}

void case_clocks_json(const struct case_detail *d, const struct workflow *w, struct json *j)
{
        json_array(j, "clocks");
        for (size_t i = 0; i < d->n_clocks; i++) {
                const struct clock_rule *rule = w ? clock_rule_find(w, d->clocks[i].clock) : NULL;
                json_object(j, NULL);
                json_text(j, "clock", d->clocks[i].clock);
                names_json(j, "name", rule ? rule->name : d->clocks[i].clock, rule ? rule->name_en : NULL);
                json_text(j, "state", d->clocks[i].state);
                json_text(j, "unit", d->clocks[i].unit);
                json_int(j, "round", d->clocks[i].round);
                json_time(j, "started", d->clocks[i].started);
                json_time(j, "due", d->clocks[i].due);
                json_time(j, "ended", d->clocks[i].ended);
                json_object_end(j);
        }
        json_array_end(j);
}

/* One row of the history but for the end of its object. */
static void row_json(const struct ledger_row *row, const struct rulebook *rules, const struct workflow *w, struct json *j)
{
        const struct move *m = w ? move_find(w, row->entry.move) : NULL;
        const struct unit *unit = text_empty(row->entry.unit) ? NULL : unit_find(rules->units, row->entry.unit);
        json_object(j, NULL);
        json_int(j, "seq", row->seq);
        json_text(j, "move", row->entry.move);
        names_json(j, "name", m ? m->zh : row->entry.move, m ? m->en : NULL);
        json_text(j, "from", row->entry.origin);
        json_text(j, "to", row->entry.dest);
        json_text(j, "actor", row->entry.actor);
        json_text(j, "role", row->entry.role);
        json_text(j, "unit", row->entry.unit);
        json_text(j, "unit_name", unit ? unit->name : "");
        json_time(j, "at", row->entry.at);
}

void case_history_json(const struct case_detail *d, const struct rulebook *rules, const struct workflow *w, struct arena *a,
                       struct json *j)
{
        json_array(j, "history");
        for (size_t i = 0; i < d->n_history; i++) {
                const struct ledger_row *row = &d->history[i];
                char hash[2 * SHA256_SIZE + 1];
                struct err ignored;
                row_json(row, rules, w, j);
                json_copy(j, "form", json_parse(a, row->entry.form, strlen(row->entry.form), &ignored));
                hex_text(row->hash, sizeof row->hash, hash);
                json_text(j, "hash", hash);
                json_object_end(j);
        }
        json_array_end(j);
}

/* What the program did right behind a move, in the same transaction, has that move's instant. */
static bool follows(const struct ledger_row *row, const struct ledger_row *before)
{
        return text_is(row->entry.role, "system") && row->entry.at == before->entry.at;
}

size_t case_unseen(const struct case_detail *d, int64_t seen)
{
        const struct ledger_row *rows = d->history;
        size_t first = d->n_history;
        while (first > 0 && d->n_history - first < CASE_UNSEEN_MOST) {
                const bool last = first == d->n_history;
                if (seen ? rows[first - 1].seq <= seen : !last && !follows(&rows[first], &rows[first - 1]))
                        break;
                first--;
        }
        return first;
}

const struct ledger_entry *case_last_taken(const struct case_detail *d)
{
        size_t i = d->n_history - 1;
        while (i > 0 && follows(&d->history[i], &d->history[i - 1]))
                i--;
        return &d->history[i].entry;
}

void case_name_last(const struct case_detail *d, const struct rulebook *rules, struct err *e)
{
        const struct workflow *w = workflow_find(rules->workflows, d->view.workflow);
        const struct state *s = w ? state_find(w, d->view.state) : NULL;
        const struct ledger_entry *last = case_last_taken(d);
        const struct move *m = w ? move_find(w, last->move) : NULL;
        const struct err said = *e;
        char at[TIME_TEXT_SIZE];
        (void)time_text(at, last->at, ZONE_SHANGHAI);
        (void)err_both(e, said.kind, said.field, "%s%.0s; last, %s took \"%s%.0s\" on %.10s at %.5s, and it is now \"%s%.0s\"",
                       "%.0s%s；最近一次变动：%s执行“%.0s%s”（%.10s %.5s），现为“%.0s%s”", said.text, said.zh, last->actor,
                       m ? m->en : last->move, m ? m->zh : last->move, at, at + strlen("2026-11-30T"), s ? s->en : d->view.state,
                       s ? s->zh : d->view.state);
}

void case_changes_json(const struct case_detail *d, const struct rulebook *rules, int64_t seen, struct json *j)
{
        const struct workflow *w = workflow_find(rules->workflows, d->view.workflow);
        const struct state *s = w ? state_find(w, d->view.state) : NULL;
        json_object(j, "case");
        json_text(j, "number", d->view.number);
        json_int(j, "version", d->view.seq);
        json_text(j, "state", d->view.state);
        names_json(j, "state_name", s ? s->zh : d->view.state, s ? s->en : NULL);
        json_bool(j, "open", d->view.open);
        unit_json(d->view.unit, rules, j);
        json_object_end(j);
        json_array(j, "meanwhile");
        for (size_t i = case_unseen(d, seen); i < d->n_history; i++) {
                row_json(&d->history[i], rules, w, j);
                json_object_end(j);
        }
        json_array_end(j);
}

/* --- counts ---------------------------------------------------------------------------------------------------------------- */
/* Over the index of open cases by deadline. */
static const char SQL_COUNTS[] =
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM cases WHERE open = 1 LIMIT 100000) o),"
        " (SELECT count(*) FROM (SELECT 1 FROM cases WHERE open = 1 AND due > 0 AND due <= $1 LIMIT 100000) l)";

struct counts {
        int64_t now, open, late;
};

static bool count(struct tx *tx, void *ctx, struct err *e)
{
        struct counts *c = ctx;
        struct rows r;
        if (tx_first(tx, &r, e, SQL_COUNTS, ARGS(V(c->now))) != 1)
                return false;
        c->open = rows_int(&r, 0);
        c->late = rows_int(&r, 1);
        return rows_done(&r, e);
}

bool cases_counts(struct store *s, int64_t now, int64_t *open, int64_t *late, struct err *e)
{
        struct counts c = {.now = now};
        const bool ok = store_read(s, count, &c, e);
        *open = c.open;
        *late = c.late;
        return ok;
}
