/* cases/page.c -- pages of cases.
 *
 * One filter, the narrowest that has an index, leads along that index in the page's order; the others are tested on the way.
 * What they leave out may be almost everything, so a page looks at a bounded number of cases only and says where to go on:
 * no combination of filters makes a person wait for a walk through all cases.
 *
 * What the reader may see is one more filter.  A narrow sight (a unit, some communities) leads the newest pages itself: the
 * newest of each index it names, merged.  A wide one, and pages by due, only test it: there, much of what comes along is seen.
 */
#include "cases/view.h"
#include "base/arena.h"
#include "sight/sight.h"
#include "store/store.h"

enum { LOOK_MOST = 1000, SIGHT_LOOK_MOST = 5000, BRANCHES_MOST = 24 };

static const char SQL_PAGE[] = CASE_COLUMNS " WHERE 1 = 1";
static const char SQL_BOUND[] = "SELECT id, 0 FROM cases c WHERE 1 = 1";
static const char SQL_BOUND_DUE[] = "SELECT id, due FROM cases c WHERE 1 = 1";

/* Its text depends only on which filters are set; the values stay parameters. */
static void add_part(struct query *q, const char *part, struct value v)
{
        query_text(q, part);
        query_arg(q, v);
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

/* --- the sight ---------------------------------------------------------------------------------------------------- */

/* What a filter shows may be seen as a whole: then nothing is left to ask. */
static bool sight_counts(const struct case_filter *f)
{
        return !sight_covers(f->sight, f->unit, f->subdistrict, f->community, f->grid);
}

static bool sight_leads(const struct case_filter *f)
{
        const struct sight *s = f->sight;
        return !f->by_due && sight_counts(f) && !s->channel
               && 2 * s->units.n + s->logins.n + s->subdistricts.n + s->communities.n + s->grids.n <= BRANCHES_MOST;
}

/* The newest cases along one index; each ends by itself, so that the merge reads few. */
struct branches {
        struct query *query;
        const struct case_filter *filter;
        int64_t most;
        int n;
};

static void branch_begin(struct branches *b, const char *select, const char *value)
{
        query_text(b->query, b->n++ ? " UNION SELECT id FROM (" : "SELECT id FROM (");
        add_part(b->query, select, V(value));
}

static void branch_end(struct branches *b, const char *id)
{
        struct query *q = b->query;
        if (b->filter->after_id) {
                query_text(q, " AND ");
                query_text(q, id);
                add_part(q, " < ", V(b->filter->after_id));
        }
        query_text(q, " ORDER BY ");
        query_text(q, id);
        add_part(q, " DESC LIMIT ", V(b->most));
        query_text(q, ") b");
}

static void branches_of(struct branches *b, const struct names *list, const char *select, const char *id)
{
        for (size_t i = 0; i < list->n; i++) {
                branch_begin(b, select, list->at[i]);
                branch_end(b, id);
        }
}

/* Grids have no index of their own: the community's leads. */
static void grid_branch(struct branches *b, const char *grid, const char *community)
{
        branch_begin(b, "SELECT id FROM cases WHERE community = ", community);
        add_part(b->query, " AND grid || '' = ", V(grid));
        branch_end(b, "id");
}

/* The `most` newest cases in sight. */
static void add_seen(struct query *q, const struct case_filter *f, int64_t most)
{
        const struct sight *s = f->sight;
        struct branches b = {q, f, most, 0};
        branches_of(&b, &s->units, "SELECT id FROM cases WHERE unit = ", "id");
        branches_of(&b, &s->units, "SELECT DISTINCT case_id AS id FROM case_task WHERE unit = ", "case_id");
        branches_of(&b, &s->logins, "SELECT DISTINCT case_id AS id FROM case_task WHERE person <> '' AND person = ", "case_id");
        branches_of(&b, &s->subdistricts, "SELECT id FROM cases WHERE subdistrict = ", "id");
        branches_of(&b, &s->communities, "SELECT id FROM cases WHERE community = ", "id");
        for (size_t i = 0; i < s->grids.n; i++)
                grid_branch(&b, s->grids.at[i], s->grid_communities.at[i]);
        if (b.n == 0)
                query_text(q, "SELECT id FROM cases WHERE 1 = 0");
}

/* --- the filter that leads ------------------------------------------------------------------------------------------ */

/* In order of due instants only a unit's own index leads; without a unit the index of all open cases does. */
static const struct filter *leader(const struct case_filter *f)
{
        if (sight_leads(f))
                return NULL;
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

static void add_place(struct query *s, const char *compared, int64_t due, int64_t id)
{
        add_part(s, compared, V(due));
        add_part(s, ", ", V(id));
        query_text(s, ")");
}

/* From the page before to the bound.  Each end is said once: of two conditions on one end SQLite walks along the first and only
 * tests the other, and that may be a walk through all cases. */
static void add_span(struct query *s, const struct case_filter *f, const struct bound *b)
{
        if (!f->by_due) {
                if (f->after_id)
                        add_part(s, " AND id < ", V(f->after_id));
                if (b->set)
                        add_part(s, " AND id >= ", V(b->id));
                return;
        }
        query_text(s, " AND open = 1"); /* word for word as in the partial indexes */
        if (f->after_id)
                add_place(s, " AND (due, id) > (", f->after_due, f->after_id);
        else
                query_text(s, " AND due > 0");
        if (b->set)
                add_place(s, " AND (due, id) <= (", b->due, b->id);
        else if (f->late_at)
                add_part(s, " AND due < ", V(f->late_at));
}

static void add_leader(struct query *s, const struct case_filter *f, const struct bound *b)
{
        const struct filter *first = leader(f);
        if (first)
                add_part(s, first->equals, V(value_of(f, first)));
        add_span(s, f, b);
}

static void add_tests(struct query *s, const struct case_filter *f)
{
        const struct filter *first = leader(f);
        for (size_t i = 0; i < COUNT_OF(filters); i++)
                if (&filters[i] != first && value_of(f, &filters[i]))
                        add_part(s, filters[i].tested, V(value_of(f, &filters[i])));
        if (!f->by_due && (f->open || f->late_at))
                query_text(s, " AND open + 0 = 1");
        if (!f->by_due && f->late_at)
                add_part(s, " AND due > 0 AND due + 0 < ", V(f->late_at));
        if (sight_counts(f) && !sight_leads(f)) {
                query_text(s, " AND ");
                sight_seen(s, f->sight);
        }
}

static bool is_tested(const struct case_filter *f)
{
        const struct filter *first = leader(f);
        for (size_t i = 0; i < COUNT_OF(filters); i++)
                if (&filters[i] != first && value_of(f, &filters[i]))
                        return true;
        return (!f->by_due && (f->open || f->late_at)) || (sight_counts(f) && !sight_leads(f));
}

static int64_t look_of(const struct case_filter *f)
{
        return f->look ? f->look : sight_counts(f) && !sight_leads(f) ? SIGHT_LOOK_MOST : LOOK_MOST;
}

/* The last case that may be looked at. */
static struct query write_bound(struct arena *a, const struct case_filter *f)
{
        struct query q = query_new(a), *s = &q;
        if (sight_leads(f)) {
                query_text(s, "SELECT id, 0 FROM (");
                add_seen(s, f, look_of(f));
                query_text(s, ") u");
        } else {
                query_text(s, f->by_due ? SQL_BOUND_DUE : SQL_BOUND);
                add_leader(s, f, &(struct bound){.set = false});
        }
        add_part(s, f->by_due ? " ORDER BY due, id LIMIT 1 OFFSET " : " ORDER BY id DESC LIMIT 1 OFFSET ", V(look_of(f) - 1));
        return q;
}

static struct query write_page(struct arena *a, const struct case_filter *f, const struct bound *b)
{
        struct query q = query_new(a), *s = &q;
        query_text(s, SQL_PAGE);
        if (sight_leads(f)) {
                const int64_t most = is_tested(f) ? look_of(f) : f->limit;
                query_text(s, " AND id IN (SELECT id FROM (");
                add_seen(s, f, most);
                add_part(s, ") u ORDER BY id DESC LIMIT ", V(most));
                query_text(s, ")");
        } else {
                add_leader(s, f, b);
        }
        add_tests(s, f);
        add_part(s, f->by_due ? " ORDER BY due, id LIMIT " : " ORDER BY id DESC LIMIT ", V(f->limit));
        return q;
}

static char *text_of(struct arena *a, struct query q)
{
        char *sql = arena_copy(a, q.text.at, q.text.length);
        assert(!q.text.overflow);
        buf_free(&q.text);
        return sql;
}

void case_page_sql(struct arena *a, const struct case_filter *f, char **bound, char **page)
{
        *bound = is_tested(f) ? text_of(a, write_bound(a, f)) : NULL;
        *page = text_of(a, write_page(a, f, &(struct bound){.set = is_tested(f)}));
}

struct reading {
        struct arena *arena;
        const struct case_filter *filter;
        struct case_page *out;
};

static bool read_bound(struct tx *tx, const struct reading *g, struct bound *b, struct err *e)
{
        struct rows r;
        *b = (struct bound){0};
        if (!is_tested(g->filter))
                return true;
        struct query s = write_bound(g->arena, g->filter);
        const struct value *args = query_args(&s);
        const int found = tx_first(tx, &r, e, s.text.at, args);
        if (found > 0)
                *b = (struct bound){true, rows_int(&r, 0), rows_int(&r, 1)};
        buf_free(&s.text);
        return found > 0 ? rows_done(&r, e) : found == 0;
}

static bool read_cases(struct tx *tx, const struct reading *g, const struct bound *b, struct err *e)
{
        struct case_page *out = g->out;
        struct rows r;
        struct query s = write_page(g->arena, g->filter, b);
        const struct value *args = query_args(&s);
        bool ok = tx_rows(tx, &r, e, s.text.at, args);
        out->n = 0;
        while (ok && out->n < (size_t)g->filter->limit && rows_next(&r))
                case_view_read(&r, g->arena, &out->at[out->n++]);
        buf_free(&s.text);
        return ok && rows_done(&r, e);
}

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        const struct reading *g = ctx;
        struct case_page *out = g->out;
        struct bound b;
        if (!read_bound(tx, g, &b, e) || !read_cases(tx, g, &b, e))
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
