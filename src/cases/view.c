/* cases/view.c -- see view.h. */
#include "cases/view.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "cases/workflow.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "store/store.h"
#include "twin/twin.h"

#define CASE_COLUMNS \
        "SELECT id, version, number, track, workflow, state, channel, source, property, title, urgent, open, late, item," \
        " certainty," \
        " subdistrict, community, grid, address, unit, lon, lat, occurred_at, created_at, closed_at, due FROM cases"

static const char SQL_BY_NUMBER[] = CASE_COLUMNS " WHERE number = $1";
static const char SQL_BY_TRACK[] = CASE_COLUMNS " WHERE track = $1";
static const char SQL_BY_ID[] = CASE_COLUMNS " WHERE id = $1";
static const char SQL_PAGE_HEAD[] = CASE_COLUMNS " WHERE 1 = 1";
static const char SQL_TASKS[] = "SELECT kind, unit, state, created_at, ended_at FROM case_task WHERE case_id = $1 ORDER BY n";
static const char SQL_CLOCKS[] =
        "SELECT clock, state, unit, round, started_at, due, ended_at FROM case_clock WHERE case_id = $1 ORDER BY started_at,"
        " clock, round";

static void read_view(const struct rows *r, struct arena *a, struct case_view *v)
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

static int read_detail(struct tx *tx, struct arena *a, const char *sql, struct value key, struct case_detail *d, struct err *e)
{
        struct rows r;
        *d = (struct case_detail){0};
        int found = tx_first(tx, &r, e, sql, ARGS(key));
        if (found <= 0)
                return found;
        read_view(&r, a, &d->view);
        bool ok = rows_done(&r, e) && read_tasks(tx, a, d, e) && read_clocks(tx, a, d, e)
                  && ledger_rows(tx, a, d->view.id, &d->history, &d->n_history, e);
        return ok ? 1 : -1;
}

struct lookup {
        struct arena *arena;
        const char *sql;
        const char *key;
        struct case_detail *out;
};

static bool look_up(struct tx *tx, void *ctx, struct err *e)
{
        const struct lookup *l = ctx;
        int found = read_detail(tx, l->arena, l->sql, V(l->key), l->out, e);
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no case \"%s\"; check the number or code",
                                "没有找到“%s”，请核对编号或查询码", l->key);
        return found > 0;
}

bool case_read(struct store *store, struct arena *a, const char *number, struct case_detail *out, struct err *e)
{
        return store_read(store, look_up, &(struct lookup){a, SQL_BY_NUMBER, number, out}, e);
}

bool case_read_track(struct store *store, struct arena *a, const char *track, struct case_detail *out, struct err *e)
{
        return store_read(store, look_up, &(struct lookup){a, SQL_BY_TRACK, text_upper(a, track), out}, e);
}

int case_of_report(struct tx *tx, struct arena *a, int64_t report, struct case_detail *out, struct err *e)
{
        return read_detail(tx, a, SQL_BY_ID, V(report), out, e);
}

bool case_seen_by(const struct case_detail *d, const struct rulebook *rules, const char *unit)
{
        if (unit_within(rules->units, d->view.unit, unit))
                return true;
        for (size_t i = 0; i < d->n_tasks; i++)
                if (unit_within(rules->units, d->tasks[i].unit, unit))
                        return true;
        return false;
}

/* A page's statement: its text depends only on which filters are set, the values stay parameters. */
struct statement {
        struct buf text;
        struct value args[16];
        int n;
};

static void add_part(struct statement *s, const char *part, struct value v)
{
        buf_text(&s->text, part);
        buf_format(&s->text, "$%d", s->n + 1);
        s->args[s->n++] = v;
}

static void add_filters(struct statement *s, const struct case_filter *f)
{
        const struct {
                const char *part, *value;
        } texts[] = {
                {" AND state = ", f->state},         {" AND unit = ", f->unit},
                {" AND item = ", f->item},           {" AND subdistrict = ", f->subdistrict},
                {" AND community = ", f->community}, {" AND grid = ", f->grid},
                {" AND channel = ", f->channel},
        };
        for (size_t i = 0; i < COUNT_OF(texts); i++)
                if (texts[i].value)
                        add_part(s, texts[i].part, V(texts[i].value));
        if (f->open || f->late_at || f->by_due)
                buf_text(&s->text, " AND open = 1"); /* word for word as in the partial indexes */
        if (f->late_at || f->by_due)
                buf_text(&s->text, " AND due > 0");
        if (f->late_at)
                add_part(s, " AND due < ", V(f->late_at));
        if (f->after_id && !f->by_due)
                add_part(s, " AND id < ", V(f->after_id));
        if (f->after_id && f->by_due) {
                add_part(s, " AND (due, id) > (", V(f->after_due));
                add_part(s, ", ", V(f->after_id));
                buf_text(&s->text, ")");
        }
}

static void write_statement(struct statement *s, const struct case_filter *f)
{
        *s = (struct statement){.text = BUF_LIMIT(8192)};
        buf_text(&s->text, SQL_PAGE_HEAD);
        add_filters(s, f);
        add_part(s, f->by_due ? " ORDER BY due, id LIMIT " : " ORDER BY id DESC LIMIT ", V(f->limit));
        s->args[s->n].kind = VALUE_END;
        assert(!s->text.overflow);
}

char *case_page_sql(struct arena *a, const struct case_filter *f)
{
        struct statement s;
        write_statement(&s, f);
        char *sql = arena_copy(a, s.text.at, s.text.length);
        buf_free(&s.text);
        return sql;
}

struct page {
        struct arena *arena;
        const struct case_filter *filter;
        struct statement statement;
        struct case_view *out;
        size_t n;
};

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        struct page *p = ctx;
        struct rows r;
        p->n = 0;
        if (!tx_rows(tx, &r, e, p->statement.text.at, p->statement.args))
                return false;
        while (p->n < (size_t)p->filter->limit && rows_next(&r))
                read_view(&r, p->arena, &p->out[p->n++]);
        return rows_done(&r, e);
}

bool case_page(struct store *store, struct arena *a, const struct case_filter *f, struct case_view **out, size_t *n, struct err *e)
{
        struct page p = {.arena = a, .filter = f, .out = NEW_ARRAY(a, struct case_view, f->limit)};
        write_statement(&p.statement, f);
        bool ok = store_read(store, read_page, &p, e);
        buf_free(&p.statement.text);
        *out = p.out;
        *n = p.n;
        return ok;
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
