/* evaluate/route.c -- see route.h: a table of handled cases replayed through src/experience. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "bulk/table.h"
#include "evaluate/route.h"
#include "experience/experience.h"
#include <math.h>
#include <stdlib.h>

enum { ROWS_FIRST = 4096, LIKELY = 3 };
/* The part of the training rows on which the threshold is chosen, and the precision it is chosen for. */
static const double CHOOSING = 0.25, CHOSEN_PRECISION = 0.95;

/* --- rows ----------------------------------------------------------------------------------------------------------------- */

struct handled {
        struct circumstance circumstance;
        const char *unit; /* as in the file */
        size_t place;     /* in the file: keeps the order of rows of one instant */
};
struct rows {
        struct arena *arena;
        struct handled *at;
        size_t n, room;
};

static void add(struct rows *r, const struct handled *h)
{
        if (r->n == r->room) {
                r->room = r->room ? r->room * 2 : ROWS_FIRST;
                struct handled *more = NEW_ARRAY(r->arena, struct handled, r->room);
                if (r->n > 0)
                        memcpy(more, r->at, r->n * sizeof *more);
                r->at = more;
        }
        r->at[r->n] = *h;
        r->at[r->n].place = r->n;
        r->n++;
}

/* Names up to `most` levels; NULL for what is not said. */
static size_t keep_names(struct arena *a, const struct table_row *row, const struct map_columns *columns, const char **out,
                         size_t most)
{
        const char *names[MAP_PARTS_MOST];
        const size_t said = row_names(row, columns, names), n = said < most ? said : most;
        for (size_t i = 0; i < n; i++)
                out[i] = text_empty(names[i]) ? NULL : arena_text(a, names[i]);
        return n;
}

/* False: the row says no time, or nothing that is one. */
static bool read_row(const struct route_question *q, struct arena *a, struct arena *kept, const struct table_row *row, int64_t now,
                     struct handled *out)
{
        struct err ignored;
        *out = (struct handled){0};
        struct circumstance *c = &out->circumstance;
        if (!row_time(q->map, a, row, FIELD_RECEIVED, now, &c->time, &ignored))
                return false;
        c->n_item = keep_names(kept, row, &q->map->item_path, c->item, CIRCUMSTANCE_ITEMS);
        c->n_area = keep_names(kept, row, &q->map->area_names, c->area, CIRCUMSTANCE_AREAS);
        if (q->map->fields[FIELD_ITEM].given) {
                c->item[0] = arena_text(kept, row_text(q->map, a, row, FIELD_ITEM));
                c->n_item = 1;
        }
        if (q->map->fields[FIELD_AREA].given) {
                c->area[0] = arena_text(kept, row_text(q->map, a, row, FIELD_AREA));
                c->n_area = 1;
        }
        c->source = arena_text(kept, row_text(q->map, a, row, FIELD_SOURCE));
        c->property = arena_text(kept, row_text(q->map, a, row, FIELD_PROPERTY));
        out->unit = arena_text(kept, row_text(q->map, a, row, FIELD_COMPARE_UNIT));
        return true;
}

static int in_time(const void *a, const void *b)
{
        const struct handled *x = a, *y = b;
        if (x->circumstance.time != y->circumstance.time)
                return x->circumstance.time < y->circumstance.time ? -1 : 1;
        return (x->place > y->place) - (x->place < y->place);
}

static bool read_rows(const struct route_question *q, const char *file, struct rows *rows, struct route_result *r, struct err *e)
{
        struct table *t;
        struct table_row row;
        struct handled h;
        const int64_t now = clock_now();
        if (!table_open(&t, file, q->map, q->encoding, e))
                return false;
        struct arena *a = arena_new();
        int found;
        for (; (found = table_next(t, a, &row, e)) != 0 && found != -2; arena_reset(a)) {
                if (found < 0 || !read_row(q, a, rows->arena, &row, now, &h))
                        r->faulty++;
                else if (text_empty(h.unit))
                        r->unnamed++;
                else
                        add(rows, &h);
        }
        arena_free(&a);
        table_close(&t);
        if (found == -2)
                return false;
        if (rows->n == 0)
                return err_both(e, ERR_INVALID, NULL, "%s has no row that says when it came in and who handled it",
                                "%s 中没有一行同时给出时间与处置单位", file);
        qsort(rows->at, rows->n, sizeof *rows->at, in_time);
        return true;
}

/* --- replay --------------------------------------------------------------------------------------------------------------- */

struct replay {
        struct arena *arena, *scratch;
        struct experience *experience;
        struct unit_names *names;
        struct verdict *verdicts; /* of all rows, in the order of time */
        size_t n;
        int64_t answering, learning; /* microseconds over the rows that count */
};

static struct verdict judge(const struct replay *p, const struct handled *h, const char *unit)
{
        struct likely likely[LIKELY];
        struct verdict v = {0};
        const size_t n = experience_answer(p->experience, &h->circumstance, p->scratch, likely, LIKELY);
        for (size_t i = 0; i < n; i++)
                v.among |= text_is(likely[i].unit, unit);
        v.right = n > 0 && text_is(likely[0].unit, unit);
        v.certainty = n > 0 ? likely[0].certainty : 0;
        return v;
}

/* Answers the row, then learns it.  Which unit the name means follows from the names of earlier rows and this one. */
static void replay_row(struct replay *p, const struct handled *h, bool counts)
{
        const char *unit = unit_names_key(p->names, h->unit);
        const int64_t start = clock_steady();
        p->verdicts[p->n++] = judge(p, h, unit);
        const int64_t answered = clock_steady();
        const struct circumstance *c = &h->circumstance;
        const char *role = unit_role(p->scratch, unit_names_label(p->names, unit), c->area, c->n_area);
        experience_learn(p->experience, c, unit, role);
        if (counts) {
                p->answering += answered - start;
                p->learning += clock_steady() - answered;
        }
        arena_reset(p->scratch);
}

static struct replay replay_all(struct arena *a, const struct rows *train, const struct rows *test, unsigned without)
{
        struct replay p = {
                .arena = a,
                .scratch = arena_new(),
                .experience = experience_new(&(struct experience_options){.without = without}),
                .names = unit_names_new(),
                .verdicts = NEW_ARRAY(a, struct verdict, train->n + test->n),
        };
        for (size_t i = 0; i < train->n; i++)
                replay_row(&p, &train->at[i], false);
        for (size_t i = 0; i < test->n; i++)
                replay_row(&p, &test->at[i], true);
        return p;
}

static void replay_end(struct replay *p)
{
        experience_free(&p->experience);
        unit_names_free(&p->names);
        arena_free(&p->scratch);
}

/* --- figures -------------------------------------------------------------------------------------------------------------- */

/* The threshold comes from training rows alone; what it does to the test rows is what a user would have seen. */
static void choose(struct arena *a, const struct verdict *train, size_t n_train, const struct verdict *test, size_t n_test,
                   struct route_result *r)
{
        struct score s;
        size_t covered = 0, right = 0;
        const size_t n = (size_t)ceil(CHOOSING * (double)n_train);
        struct verdict *last = NEW_ARRAY(a, struct verdict, n);
        memcpy(last, train + (n_train - n), n * sizeof *last);
        score_verdicts(last, n, &s);
        (void)coverage_at(last, n, CHOSEN_PRECISION, &r->threshold);
        for (size_t i = 0; i < n_test; i++)
                if (test[i].certainty >= r->threshold) {
                        covered++;
                        right += test[i].right;
                }
        r->chosen_coverage = share_of(covered, n_test);
        r->chosen_precision = share_of(right, covered);
}

static void measure(struct arena *a, const struct rows *train, const struct rows *test, struct route_result *r)
{
        struct replay p = replay_all(a, train, test, 0);
        choose(a, p.verdicts, train->n, p.verdicts + train->n, test->n, r);
        score_verdicts(p.verdicts + train->n, test->n, &r->score);
        r->us_per_decision = (double)p.answering / (double)test->n;
        r->us_per_learning = (double)p.learning / (double)test->n;
        r->units = experience_size(p.experience).units;
        replay_end(&p);
}

static void ablate(struct arena *a, const struct rows *train, const struct rows *test, struct route_result *r)
{
        static const struct {
                const char *name;
                unsigned without;
        } groups[] = {
                {"source", EXPERIENCE_SOURCE},
                {"property", EXPERIENCE_PROPERTY},
                {"community", EXPERIENCE_COMMUNITY},
                {"area", EXPERIENCE_AREA | EXPERIENCE_ROLES},
                {"finest item", EXPERIENCE_ITEM},
                {"roles", EXPERIENCE_ROLES},
                {"corrections", EXPERIENCE_LEAN},
                {"recent", EXPERIENCE_RECENT},
                {"all but item", EXPERIENCE_SOURCE | EXPERIENCE_PROPERTY | EXPERIENCE_AREA | EXPERIENCE_ROLES},
        };
        static_assert(COUNT_OF(groups) <= ROUTE_ABLATIONS_MOST, "room in route.h");
        for (size_t i = 0; i < COUNT_OF(groups); i++) {
                struct replay p = replay_all(a, train, test, groups[i].without);
                r->ablations[i].without = groups[i].name;
                score_verdicts(p.verdicts + train->n, test->n, &r->ablations[i].score);
                replay_end(&p);
        }
        r->n_ablations = COUNT_OF(groups);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

static bool can_be_asked(const struct route_question *q, struct err *e)
{
        if (!q->map->fields[FIELD_COMPARE_UNIT].given)
                return err_both(e, ERR_INVALID, "map",
                                "the map does not say who handled a row: it needs compare_unit: {column: COLUMN}",
                                "映射未指明处置单位：须有 compare_unit: {column: 列名}");
        return q->map->fields[FIELD_RECEIVED].given
               || err_both(e, ERR_INVALID, "map", "the map does not say when a row came in: it needs received: {column: COLUMN}",
                           "映射未指明受理时间：须有 received: {column: 列名}");
}

/* The last part of train becomes test. */
static bool split(const struct route_question *q, struct rows *train, struct rows *test, struct err *e)
{
        const size_t n = (size_t)((double)train->n * q->last + 0.5);
        if (n == 0 || n >= train->n)
                return err_both(e, ERR_INVALID, "last", "of %zu rows the last %g leaves nothing to learn from or to answer",
                                "共%zu行，取最后%g后无可学习或无可测试的行", train->n, q->last);
        test->at = train->at + (train->n - n);
        test->n = n;
        train->n -= n;
        return true;
}

bool evaluate_route(const struct route_question *q, struct arena *a, struct route_result *r, struct err *e)
{
        struct rows train = {.arena = a}, test = {.arena = a};
        *r = (struct route_result){0};
        if (!can_be_asked(q, e) || !read_rows(q, q->train, &train, r, e))
                return false;
        if (q->test ? !read_rows(q, q->test, &test, r, e) : !split(q, &train, &test, e))
                return false;
        const int64_t last = train.at[train.n - 1].circumstance.time;
        for (size_t i = 0; i < test.n && test.at[i].circumstance.time < last; i++)
                r->earlier++;
        r->train = train.n;
        r->test = test.n;
        measure(a, &train, &test, r);
        if (q->ablate)
                ablate(a, &train, &test, r);
        return true;
}
