/* cases/page.c -- pages of cases.
 *
 * One filter, the narrowest that has an index, leads along that index in the page's order; the others are tested on the way.
 * What they leave out may be almost everything, so a page looks at a bounded number of cases only and says where to go on:
 * no combination of filters makes a person wait for a walk through all cases.
 */
#include "cases/view.h"
#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

enum { LOOK_MOST = 1000, ARGS_MOST = 16 };

static const char SQL_PAGE[] = CASE_COLUMNS " WHERE 1 = 1";
static const char SQL_BOUND[] = "SELECT id, 0 FROM cases WHERE 1 = 1";
static const char SQL_BOUND_DUE[] = "SELECT id, due FROM cases WHERE 1 = 1";

/* Its text depends only on which filters are set; the values stay parameters. */
struct statement {
        struct buf text;
        struct value args[ARGS_MOST];
        int n;
};

static void add_part(struct statement *s, const char *part, struct value v)
{
        buf_text(&s->text, part);
        buf_format(&s->text, "$%d", s->n + 1);
        s->args[s->n++] = v;
}

/* A column compared as an expression cannot lure the planner to its index, which is not the one that leads. */
static const struct filter {
        size_t value; /* offset in struct case_filter */
        bool leads;   /* has an index (column, id) */
        const char *equals, *tested;
} filters[] = {
        /* Narrowest first: items are hundreds, units and communities some dozens. */
        {offsetof(struct case_filter, item), true, " AND item = ", " AND item || '' = "},
        {offsetof(struct case_filter, unit), true, " AND unit = ", " AND unit || '' = "},
        {offsetof(struct case_filter, community), true, " AND community = ", " AND community || '' = "},
        {offsetof(struct case_filter, state), true, " AND state = ", " AND state || '' = "},
        {offsetof(struct case_filter, subdistrict), true, " AND subdistrict = ", " AND subdistrict || '' = "},
        {offsetof(struct case_filter, grid), false, NULL, " AND grid || '' = "},
        {offsetof(struct case_filter, channel), false, NULL, " AND channel || '' = "},
};

static const char *value_of(const struct case_filter *f, const struct filter *filter)
{
        const char *value;
        memcpy(&value, (const char *)f + filter->value, sizeof value);
        return value;
}

/* In order of due instants only a unit's own index leads; without a unit the index of all open cases does. */
static const struct filter *leader(const struct case_filter *f)
{
        for (size_t i = 0; i < COUNT_OF(filters); i++)
                if (filters[i].leads && value_of(f, &filters[i])
                    && (!f->by_due || filters[i].value == offsetof(struct case_filter, unit)))
                        return &filters[i];
        return NULL;
}

struct bound {
        bool set;
        int64_t id, due;
};

static void add_place(struct statement *s, const char *compared, int64_t due, int64_t id)
{
        add_part(s, compared, V(due));
        add_part(s, ", ", V(id));
        buf_text(&s->text, ")");
}

/* From the page before to the bound.  Each end is said once: of two conditions on one end SQLite walks along the first and only
 * tests the other, and that may be a walk through all cases. */
static void add_span(struct statement *s, const struct case_filter *f, const struct bound *b)
{
        if (!f->by_due) {
                if (f->after_id)
                        add_part(s, " AND id < ", V(f->after_id));
                if (b->set)
                        add_part(s, " AND id >= ", V(b->id));
                return;
        }
        buf_text(&s->text, " AND open = 1"); /* word for word as in the partial indexes */
        if (f->after_id)
                add_place(s, " AND (due, id) > (", f->after_due, f->after_id);
        else
                buf_text(&s->text, " AND due > 0");
        if (b->set)
                add_place(s, " AND (due, id) <= (", b->due, b->id);
        else if (f->late_at)
                add_part(s, " AND due < ", V(f->late_at));
}

static void add_leader(struct statement *s, const struct case_filter *f, const struct bound *b)
{
        const struct filter *first = leader(f);
        if (first)
                add_part(s, first->equals, V(value_of(f, first)));
        add_span(s, f, b);
}

static void add_tests(struct statement *s, const struct case_filter *f)
{
        const struct filter *first = leader(f);
        for (size_t i = 0; i < COUNT_OF(filters); i++)
                if (&filters[i] != first && value_of(f, &filters[i]))
                        add_part(s, filters[i].tested, V(value_of(f, &filters[i])));
        if (!f->by_due && (f->open || f->late_at))
                buf_text(&s->text, " AND open + 0 = 1");
        if (!f->by_due && f->late_at)
                add_part(s, " AND due > 0 AND due + 0 < ", V(f->late_at));
}

static bool is_tested(const struct case_filter *f)
{
        const struct filter *first = leader(f);
        for (size_t i = 0; i < COUNT_OF(filters); i++)
                if (&filters[i] != first && value_of(f, &filters[i]))
                        return true;
        return !f->by_due && (f->open || f->late_at);
}

static void statement_end(struct statement *s)
{
        s->args[s->n].kind = VALUE_END;
        assert(!s->text.overflow && s->n < ARGS_MOST);
}

/* The last case that may be looked at. */
static void write_bound(struct statement *s, const struct case_filter *f)
{
        *s = (struct statement){.text = BUF_LIMIT(4096)};
        buf_text(&s->text, f->by_due ? SQL_BOUND_DUE : SQL_BOUND);
        add_leader(s, f, &(struct bound){.set = false});
        add_part(s, f->by_due ? " ORDER BY due, id LIMIT 1 OFFSET " : " ORDER BY id DESC LIMIT 1 OFFSET ",
                 V((f->look ? f->look : LOOK_MOST) - 1));
        statement_end(s);
}

static void write_page(struct statement *s, const struct case_filter *f, const struct bound *b)
{
        *s = (struct statement){.text = BUF_LIMIT(8192)};
        buf_text(&s->text, SQL_PAGE);
        add_leader(s, f, b);
        add_tests(s, f);
        add_part(s, f->by_due ? " ORDER BY due, id LIMIT " : " ORDER BY id DESC LIMIT ", V(f->limit));
        statement_end(s);
}

static char *text_of(struct arena *a, struct statement *s)
{
        char *sql = arena_copy(a, s->text.at, s->text.length);
        buf_free(&s->text);
        return sql;
}

void case_page_sql(struct arena *a, const struct case_filter *f, char **bound, char **page)
{
        struct statement s;
        *bound = NULL;
        if (is_tested(f)) {
                write_bound(&s, f);
                *bound = text_of(a, &s);
        }
        write_page(&s, f, &(struct bound){.set = is_tested(f)});
        *page = text_of(a, &s);
}

struct reading {
        struct arena *arena;
        const struct case_filter *filter;
        struct case_page *out;
};

static bool read_bound(struct tx *tx, const struct case_filter *f, struct bound *b, struct err *e)
{
        struct statement s;
        struct rows r;
        *b = (struct bound){0};
        if (!is_tested(f))
                return true;
        write_bound(&s, f);
        const int found = tx_first(tx, &r, e, s.text.at, s.args);
        if (found > 0)
                *b = (struct bound){true, rows_int(&r, 0), rows_int(&r, 1)};
        buf_free(&s.text);
        return found > 0 ? rows_done(&r, e) : found == 0;
}

static bool read_cases(struct tx *tx, const struct reading *g, const struct bound *b, struct err *e)
{
        struct case_page *out = g->out;
        struct statement s;
        struct rows r;
        write_page(&s, g->filter, b);
        bool ok = tx_rows(tx, &r, e, s.text.at, s.args);
        for (out->n = 0; ok && out->n < (size_t)g->filter->limit && rows_next(&r);)
                case_view_read(&r, g->arena, &out->at[out->n++]);
        buf_free(&s.text);
        return ok && rows_done(&r, e);
}

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        const struct reading *g = ctx;
        struct case_page *out = g->out;
        struct bound b;
        if (!read_bound(tx, g->filter, &b, e) || !read_cases(tx, g, &b, e))
                return false;
        const bool full = out->n == (size_t)g->filter->limit;
        out->more = full || b.set;
        out->after_id = full ? out->at[out->n - 1].id : b.id;
        out->after_due = full ? out->at[out->n - 1].due : b.due;
        return true;
}

bool case_page(struct store *store, struct arena *a, const struct case_filter *f, struct case_page *out, struct err *e)
{
        *out = (struct case_page){.at = NEW_ARRAY(a, struct case_view, f->limit)};
        return store_read(store, read_page, &(struct reading){a, f, out}, e);
}
