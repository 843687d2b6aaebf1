/* search/find.c -- pages of what is found.
 *
 * The index names cases, newest first, some at a time; filters and sight are tested on them exactly as in a page of cases
 * (cases/page.c), and the texts of those that pass are read.  All of it is bounded: a page looks at a limited number of cases
 * and says where to go on.  What narrows (units, items, areas, months, whom the reader's sight shows) is also said to the
 * index, so that little of what it names is in vain; that part of the question may let through too much, never too little.
 *
 * Nothing here depends on how an engine ranks or walks: both name the same cases in the same order.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "district/district.h"
#include "search/inside.h"
#include <stdlib.h>

static const char SQL_NAMED_SQLITE[] =
        " FROM (SELECT rowid AS id FROM search_index WHERE search_index MATCH $1 AND rowid < $2 AND rowid >= $3"
        " ORDER BY rowid DESC LIMIT $4) s JOIN cases c ON c.id = s.id ORDER BY s.id DESC";
static const char SQL_NAMED_POSTGRES[] =
        " FROM (SELECT id FROM search_index WHERE terms @@ $1::tsquery AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4) s"
        " JOIN cases c ON c.id = s.id ORDER BY s.id DESC";
/* Ordered by an expression: what leads is the index of terms, never a walk through the cases. */
static const char SQL_NAMED_FAR[] =
        " FROM (SELECT id FROM search_index WHERE terms @@ $1::tsquery AND id < $2 AND id >= $3 ORDER BY id + 0 DESC LIMIT $4) s"
        " JOIN cases c ON c.id = s.id ORDER BY s.id DESC";
static const char SQL_NEAR[] = "SELECT id FROM search_case WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
static const char SQL_VIEWS[] = CASE_COLUMNS " WHERE id IN ";
/* A plan made without the words does not know how rare they are; and each case named is looked up by its key.  Ends with the
 * transaction. */
static const char SQL_PLAN_EACH[] =
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_hashjoin', 'off', true),"
        " set_config('enable_mergejoin', 'off', true)";
static const char SQL_BUILT[] = "SELECT done FROM search_build WHERE id = 1";

enum { FIRST_LOOK = 64, MOST_AT_ONCE = 1000, NARROW_MOST = 24, MONTHS_MOST = 36, FAR_TIMES = 16 };

/* --- the question to the index ------------------------------------------------------------------------------------------- */

struct expression {
        struct arena *arena;
        struct buf text;
        bool postgres;
};

/* Terms hold letters, digits and '_' only, so the marks around them cannot be broken out of. */
static void put_term(struct expression *x, const char *term)
{
        buf_text(&x->text, x->postgres ? "'" : "\"");
        buf_text(&x->text, term);
        buf_text(&x->text, x->postgres ? "'" : "\"");
}

static void put_and(struct expression *x)
{
        if (x->text.length)
                buf_text(&x->text, x->postgres ? " & " : " AND ");
}

static void put_belonging(struct expression *x, enum belonging kind, const char *code)
{
        if (!code)
                return;
        put_and(x);
        put_term(x, belonging_term(x->arena, kind, code));
}

static void put_any(struct expression *x, int *n, enum belonging kind, const struct names *list)
{
        for (size_t i = 0; i < list->n; i++) {
                if ((*n)++)
                        buf_text(&x->text, x->postgres ? " | " : " OR ");
                put_term(x, belonging_term(x->arena, kind, list->at[i]));
        }
}

static void put_sight(struct expression *x, const struct search_filter *f)
{
        const struct sight *s = f->sight;
        int n = 0;
        if (sight_covers(s, f->unit, f->subdistrict, f->community, f->grid) || s->channel
            || s->units.n + s->logins.n + s->subdistricts.n + s->communities.n + s->grids.n > NARROW_MOST)
                return;
        put_and(x);
        buf_text(&x->text, "(");
        put_any(x, &n, TO_UNIT, &s->units);
        put_any(x, &n, TO_PERSON, &s->logins);
        put_any(x, &n, TO_SUBDISTRICT, &s->subdistricts);
        put_any(x, &n, TO_COMMUNITY, &s->communities);
        put_any(x, &n, TO_GRID, &s->grids);
        buf_text(&x->text, ")");
}

/* The months between the two instants, when they are not too many. */
static void put_months(struct expression *x, const struct search_filter *f)
{
        if (!f->from || !f->to || f->to <= f->from)
                return;
        const struct civil a = civil_of(f->from, ZONE_SHANGHAI), b = civil_of(f->to - 1, ZONE_SHANGHAI);
        const int first = a.year * 12 + a.month - 1, last = b.year * 12 + b.month - 1;
        if (last - first >= MONTHS_MOST)
                return;
        put_and(x);
        buf_text(&x->text, "(");
        for (int m = first; m <= last; m++) {
                if (m > first)
                        buf_text(&x->text, x->postgres ? " | " : " OR ");
                put_term(x, arena_format(x->arena, "_m%04d%02d", m / 12, m % 12 + 1));
        }
        buf_text(&x->text, ")");
}

/* What is left out is said last: NOT of the one engine and & ! of the other both take all before it. */
static void put_phrases(struct expression *x, const struct asked *q, bool without)
{
        for (size_t i = 0; i < q->n; i++) {
                const struct phrase *p = &q->at[i];
                if (p->without != without || (without && !p->exact))
                        continue;
                for (size_t k = 0; k < p->needed.n; k++) {
                        if (without)
                                buf_text(&x->text, x->postgres ? " & !" : " NOT ");
                        else
                                put_and(x);
                        put_term(x, p->needed.at[k]);
                }
        }
}

const char *search_expression(struct arena *a, const struct asked *q, const struct search_filter *f, bool postgres)
{
        struct expression x = {.arena = a, .text = BUF_LIMIT(1 << 16), .postgres = postgres};
        put_phrases(&x, q, false);
        put_belonging(&x, TO_ITEM, f->item);
        put_belonging(&x, TO_SUBDISTRICT, f->subdistrict);
        put_belonging(&x, TO_COMMUNITY, f->community);
        put_belonging(&x, TO_GRID, f->grid);
        put_belonging(&x, TO_UNIT, f->unit);
        put_months(&x, f);
        put_sight(&x, f);
        if (!postgres && x.text.length) {
                const char *all = arena_copy(a, x.text.at, x.text.length);
                buf_clear(&x.text);
                buf_format(&x.text, "(%s)", all);
        }
        put_phrases(&x, q, true);
        assert(!x.text.overflow);
        const char *text = arena_copy(a, x.text.at ? x.text.at : "", x.text.length);
        buf_free(&x.text);
        return text;
}

/* --- looking ------------------------------------------------------------------------------------------------------------- */

struct candidate {
        int64_t id;
        bool passes;
};
struct finding {
        struct district *district;
        struct arena *arena;
        const struct fold *fold;
        const struct asked *asked;
        const struct search_filter *filter;
        struct search_page *out;
        const char *expression;
        struct candidate at[MOST_AT_ONCE];
        size_t n;
        int64_t after;     /* cases from here on were looked at */
        int64_t low, span; /* the window: cases from `low` on; of the first one how far it reaches */
        int window;
        int looked, proved;
        bool dry; /* the index names no more in the window */
        bool end; /* the index names no more at all */
        size_t wanted;
};

static void add_part(struct query *q, const char *part, struct value v)
{
        query_text(q, part);
        query_arg(q, v);
}

static void add_tests(struct query *q, const struct search_filter *f)
{
        const struct {
                const char *part, *value;
        } tests[] = {
                {" AND c.state = ", f->state},         {" AND c.unit = ", f->unit},
                {" AND c.item = ", f->item},           {" AND c.subdistrict = ", f->subdistrict},
                {" AND c.community = ", f->community}, {" AND c.grid = ", f->grid},
        };
        sight_seen(q, f->sight);
        for (size_t i = 0; i < COUNT_OF(tests); i++)
                if (tests[i].value)
                        add_part(q, tests[i].part, V(tests[i].value));
        if (f->from)
                add_part(q, " AND c.created_at >= ", V(f->from));
        if (f->to)
                add_part(q, " AND c.created_at < ", V(f->to));
}

/* PostgreSQL's index of terms has no order, so it would name all cases of a word to give the newest.  It is asked for the
 * WINDOW_NEAR newest cases, then for FAR_TIMES as many behind them, then for the rest: a common word is found in the first window,
 * and a rare one has few cases.  FTS5 walks from the newest on by itself. */
static bool next_window(struct tx *tx, struct finding *g, struct err *e)
{
        int64_t newest = 0;
        g->window++;
        g->low = g->window == 2 && g->low > FAR_TIMES * g->span ? g->low - FAR_TIMES * g->span : 0;
        if (g->window > 1 || !tx_is_postgres(tx))
                return true;
        if (!tx_int(tx, &newest, 0, e, SQL_NEAR, ARGS(V(g->after), V(0)))
            || !tx_int(tx, &g->low, 0, e, SQL_NEAR, ARGS(V(g->after), V(g->filter->near ? g->filter->near : WINDOW_NEAR))))
                return false;
        g->span = newest - g->low;
        return true;
}

/* The next `most` cases the index names. */
static bool look(struct tx *tx, struct finding *g, int most, struct err *e)
{
        struct query q = query_new(g->arena);
        struct rows r;
        /* $1 to $4 stand in the last part of the statement. */
        q.args[q.n++] = V(g->expression);
        q.args[q.n++] = V(g->after);
        q.args[q.n++] = V(g->low);
        q.args[q.n++] = V(most);
        query_text(&q, "SELECT s.id, CASE WHEN ");
        add_tests(&q, g->filter);
        query_text(&q, " THEN 1 ELSE 0 END");
        query_text(&q, !tx_is_postgres(tx) ? SQL_NAMED_SQLITE : g->window > 1 ? SQL_NAMED_FAR : SQL_NAMED_POSTGRES);
        const struct value *args = query_args(&q);
        const bool ok = tx_rows(tx, &r, e, q.text.at, args);
        for (g->n = 0; ok && g->n < (size_t)most && rows_next(&r); g->n++)
                g->at[g->n] = (struct candidate){rows_int(&r, 0), rows_int(&r, 1) != 0};
        buf_free(&q.text);
        g->dry = g->n < (size_t)most;
        return ok && rows_done(&r, e);
}

/* Reads the texts of these cases, newest first, and keeps those that match. */
static bool prove(struct tx *tx, struct finding *g, const int64_t *ids, size_t n, struct err *e)
{
        struct doc *docs = NEW_ARRAY(g->arena, struct doc, n);
        size_t found;
        if (!docs_read(tx, g->arena, ids, n, docs, &found, e))
                return false;
        g->proved += (int)n;
        for (size_t i = 0; i < found && g->out->n < g->wanted; i++) {
                const struct rulebook *rules = district_rules_of(g->district, docs[i].version, e);
                struct parts *parts = NEW(g->arena, struct parts);
                if (!rules)
                        return false;
                doc_parts(g->fold, g->arena, rules, &docs[i], parts);
                g->after = docs[i].id;
                if (parts_match(parts, g->asked))
                        g->out->at[g->out->n++] = (struct hit){.view.id = docs[i].id, .parts = parts};
        }
        return true;
}

/* Goes through what look() found, until the page is full or the texts of enough cases were read. */
static bool sift(struct tx *tx, struct finding *g, struct err *e)
{
        int64_t ids[DOCS_ONCE];
        const size_t once = g->wanted < DOCS_ONCE ? g->wanted : DOCS_ONCE;
        for (size_t i = 0; i < g->n && g->out->n < g->wanted && g->proved < PROVE_MOST;) {
                size_t n = 0;
                int64_t last = g->after;
                for (; i < g->n && n < once && g->proved + (int)n < PROVE_MOST; i++) {
                        last = g->at[i].id;
                        if (g->at[i].passes)
                                ids[n++] = last;
                }
                if (!prove(tx, g, ids, n, e))
                        return false;
                if (g->out->n < g->wanted)
                        g->after = last;
        }
        return true;
}

static int look_most(const struct finding *g)
{
        return g->filter->look ? g->filter->look : LOOK_MOST;
}

static bool may_go_on(const struct finding *g)
{
        return g->out->n < g->wanted && g->looked < look_most(g) && g->proved < PROVE_MOST;
}

/* Where it ends does not depend on the windows: both engines end at the same case. */
static bool collect(struct tx *tx, struct finding *g, struct err *e)
{
        int most = g->wanted < FIRST_LOOK ? FIRST_LOOK : MOST_AT_ONCE;
        while (may_go_on(g)) {
                if (!look(tx, g, most < look_most(g) - g->looked ? most : look_most(g) - g->looked, e))
                        return false;
                g->looked += (int)g->n;
                if (!sift(tx, g, e))
                        return false;
                most = MOST_AT_ONCE;
                if (!g->dry || !may_go_on(g))
                        continue;
                g->end = g->low == 0;
                if (g->end)
                        return true;
                g->after = g->low;
                if (!next_window(tx, g, e))
                        return false;
        }
        return true;
}

/* --- ranking ------------------------------------------------------------------------------------------------------------- */

static int best_first(const void *a, const void *b)
{
        const struct hit *x = a, *y = b;
        if (x->score != y->score)
                return x->score > y->score ? -1 : 1;
        return (x->view.id < y->view.id) - (x->view.id > y->view.id);
}

static bool is_behind(const struct search_filter *f, const struct hit *h)
{
        return f->after_id == 0 || h->score < f->after_score || (h->score == f->after_score && h->view.id < f->after_id);
}

static void rank(struct finding *g)
{
        struct search_page *out = g->out;
        double length = 0;
        size_t n = 0;
        for (size_t i = 0; i < out->n; i++)
                length += (double)parts_length(out->at[i].parts) / (double)out->n;
        for (size_t i = 0; i < out->n; i++)
                out->at[i].score = parts_score(out->at[i].parts, g->asked, length);
        qsort(out->at, out->n, sizeof *out->at, best_first);
        for (size_t i = 0; i < out->n; i++)
                if (is_behind(g->filter, &out->at[i]))
                        out->at[n++] = out->at[i];
        out->complete = g->end;
        out->more = n > (size_t)g->filter->limit;
        out->n = out->more ? (size_t)g->filter->limit : n;
        if (out->n) {
                out->after_id = out->at[out->n - 1].view.id;
                out->after_score = out->at[out->n - 1].score;
        }
}

/* --- the page ------------------------------------------------------------------------------------------------------------ */

static bool read_views(struct tx *tx, struct finding *g, struct err *e)
{
        struct search_page *out = g->out;
        struct rows r;
        if (out->n == 0)
                return true;
        int64_t *ids = NEW_ARRAY(g->arena, int64_t, out->n);
        for (size_t i = 0; i < out->n; i++)
                ids[i] = out->at[i].view.id;
        struct query q = query_new(g->arena);
        query_text(&q, SQL_VIEWS);
        query_ints(&q, ids, out->n);
        const struct value *args = query_args(&q);
        const bool ok = tx_rows(tx, &r, e, q.text.at, args);
        while (ok && rows_next(&r)) {
                struct case_view v;
                case_view_read(&r, g->arena, &v);
                for (size_t i = 0; i < out->n; i++)
                        if (out->at[i].view.id == v.id)
                                out->at[i].view = v;
        }
        buf_free(&q.text);
        return ok && rows_done(&r, e);
}

static bool plan_each(struct tx *tx, struct err *e)
{
        struct rows r;
        if (!tx_is_postgres(tx))
                return true;
        return tx_first(tx, &r, e, SQL_PLAN_EACH, NO_ARGS) > 0 && rows_done(&r, e);
}

static bool find(struct tx *tx, void *ctx, struct err *e)
{
        struct finding *g = ctx;
        const struct search_filter *f = g->filter;
        struct search_page *out = g->out;
        int64_t built;
        g->after = f->after_id && !f->rank ? f->after_id : INT64_MAX;
        g->looked = g->proved = g->window = 0;
        g->end = false;
        out->n = 0;
        g->expression = search_expression(g->arena, g->asked, f, tx_is_postgres(tx));
        if (!tx_int(tx, &built, 0, e, SQL_BUILT, NO_ARGS) || !plan_each(tx, e) || !next_window(tx, g, e) || !collect(tx, g, e))
                return false;
        if (f->rank) {
                rank(g);
        } else {
                out->more = !g->end;
                out->after_id = g->after;
                out->complete = true;
        }
        out->complete = out->complete && built != 0;
        return read_views(tx, g, e);
}

bool search_find(struct district *d, struct store *store, struct arena *a, const struct asked *q, const struct search_filter *f,
                 struct search_page *out, struct err *e)
{
        struct finding *g = NEW(a, struct finding);
        *g = (struct finding){.district = d, .arena = a, .fold = district_fold(d, e), .asked = q, .filter = f, .out = out};
        g->wanted = f->rank ? RANK_MOST : (size_t)f->limit;
        *out = (struct search_page){.at = NEW_ARRAY(a, struct hit, g->wanted), .complete = true};
        if (g->fold && f->sight && sight_none(f->sight))
                return true;
        return g->fold && store_read(store, find, g, e);
}
