/* Finding: what the index names is what the texts say, on either engine, for random texts and questions. */
#include "cases/world_test.h"
#include "base/map.h"
#include "search/inside.h"

enum { CASES = 150, QUESTIONS = 150 };

static int dice(unsigned *x, int n)
{
        *x = *x * 1103515245U + 12345U;
        return (int)(*x >> 16) % n;
}

/* Few different words, so that most questions find something. */
static const char *random_text(struct arena *a, unsigned *x, int most, bool question)
{
        static const char *const words[] = {"路", "灯", "噪", "音", "施", "工", "路灯", "噪音", "ab", "12", "路燈"};
        const char *text = "";
        for (int n = 1 + dice(x, most); n > 0; n--) {
                const char *gap = dice(x, 3) ? "" : question ? " " : dice(x, 2) ? "，" : " ";
                text = arena_format(a, "%s%s%s%s", text, gap, question && *gap && !dice(x, 4) ? "-" : "",
                                    words[dice(x, COUNT_OF(words))]);
        }
        return question && !dice(x, 4) ? arena_format(a, "\"%s\"", text) : text;
}

static const char SQL_TITLE[] = "UPDATE cases SET title = $2 WHERE number = $1";
static const char SQL_REPORT[] =
        "INSERT INTO report (id, channel, source, title, text, property, urgent, item, area, address, occurred_at, received_at,"
        " media)"
        " SELECT id, 'hotline', '', title, $2, '', 0, '', '', '', 0, 0, '[]' FROM cases WHERE number = $1";
static const char SQL_ALL[] = "SELECT id FROM cases ORDER BY id DESC";

struct texts {
        const char *number, *title, *text;
};

static bool write_texts(struct tx *tx, void *ctx, struct err *e)
{
        const struct texts *t = ctx;
        return tx_change(tx, e, SQL_TITLE, ARGS(V(t->number), V(t->title))) == 1
               && tx_change(tx, e, SQL_REPORT, ARGS(V(t->number), V(t->text))) == 1;
}

struct known {
        struct world *w;
        int64_t ids[DOCS_ONCE];
        struct doc docs[DOCS_ONCE];
        struct parts *parts;
        size_t n;
};

static bool read_all(struct tx *tx, void *ctx, struct err *e)
{
        struct known *k = ctx;
        struct rows r;
        const bool read = tx_rows(tx, &r, e, SQL_ALL, NO_ARGS);
        for (k->n = 0; read && rows_next(&r);)
                k->ids[k->n++] = rows_int(&r, 0);
        return read && rows_done(&r, e) && docs_read(tx, k->w->arena, k->ids, k->n, k->docs, &k->n, e);
}

static struct known *fill(struct world *w, unsigned *x)
{
        static const char *const items[] = {"010101", "0201", "0301"};
        struct known *k = NEW(w->arena, struct known);
        const int64_t first = at("2026-03-02T09:00:00+08:00");
        struct err e;
        for (int i = 0; i < CASES; i++) {
                struct texts t = {case_new(w, items[i % 3], i % 2 ? "990101001" : "990102001", false, first + i * USEC_DAY / 4),
                                  random_text(w->arena, x, 3, false), random_text(w->arena, x, 12, false)};
                ok(store_write(w->district.store, write_texts, &t, &e), &e);
        }
        k->w = w;
        ok(store_read(w->district.store, read_all, k, &e), &e);
        assert_int_equal(k->n, CASES);
        k->parts = NEW_ARRAY(w->arena, struct parts, CASES);
        for (size_t i = 0; i < k->n; i++)
                doc_parts(district_fold(&w->district, &e), w->arena, w->rules, &k->docs[i], &k->parts[i]);
        ok(feed_cases(&w->district, k->ids, k->n, false, &e), &e);
        return k;
}

/* Where pages end, as a number: the same on both engines. */
static uint64_t ends(uint64_t seed, const struct known *k, const struct search_page *page)
{
        size_t at = 0;
        while (at < k->n && k->ids[at] != page->after_id)
                at++;
        return hash_bytes((const size_t[]){page->n, page->more, page->more ? at : 0}, 3 * sizeof(size_t), seed);
}

/* Page by page, against the texts one by one. */
static void check_pages(struct known *k, const struct asked *q, struct search_filter f, uint64_t *seen)
{
        struct search_page page = {.more = true};
        struct err e;
        size_t at = 0;
        while (page.more) {
                ok(search_find(&k->w->district, k->w->district.store, k->w->arena, q, &f, &page, &e), &e);
                for (size_t i = 0; i < page.n; i++, at++) {
                        while (at < k->n
                               && !(parts_match(&k->parts[at], q) && (!f.item || text_is(k->docs[at].item, f.item))
                                    && (!f.community || text_is(k->docs[at].community, f.community))))
                                at++;
                        assert_true(at < k->n);
                        assert_int_equal(page.at[i].view.id, k->docs[at].id);
                        assert_string_equal(page.at[i].view.number, k->docs[at].number);
                }
                *seen = ends(*seen, k, &page);
                f.after_id = page.after_id;
        }
        for (; at < k->n; at++)
                assert_false(parts_match(&k->parts[at], q) && (!f.item || text_is(k->docs[at].item, f.item))
                             && (!f.community || text_is(k->docs[at].community, f.community)));
}

/* All at once and ranked: the same cases, best first. */
static void check_rank(struct known *k, const struct asked *q)
{
        static const struct sight everything = {.all = true};
        const struct search_filter f = {.rank = true, .limit = CASES, .sight = &everything};
        struct search_page page;
        struct err e;
        size_t n = 0;
        ok(search_find(&k->w->district, k->w->district.store, k->w->arena, q, &f, &page, &e), &e);
        for (size_t i = 0; i < k->n; i++)
                n += parts_match(&k->parts[i], q);
        assert_int_equal(page.n, n);
        for (size_t i = 1; i < page.n; i++)
                assert_true(page.at[i - 1].score > page.at[i].score
                            || (page.at[i - 1].score == page.at[i].score && page.at[i - 1].view.id > page.at[i].view.id));
}

static void finds_what_the_texts_say(struct world *w)
{
        static const struct sight everything = {.all = true};
        static uint64_t first; /* what the first engine showed */
        unsigned x = 7;
        uint64_t seen = 0;
        int asked = 0;
        struct known *k = fill(w, &x);
        for (int i = 0; i < QUESTIONS; i++) {
                struct asked q;
                struct err e;
                if (!asked_parse(district_fold(&w->district, &e), w->arena, random_text(w->arena, &x, 4, true), &q, &e))
                        continue;
                const struct search_filter f = {.item = i % 3 == 1 ? "0201" : NULL,
                                                .community = i % 4 == 1 ? "990101001" : NULL,
                                                .limit = 1 + dice(&x, 60),
                                                .look = i % 2 ? 25 : 0,
                                                .near = i % 5 ? 10 : 0,
                                                .sight = &everything};
                check_pages(k, &q, f, &seen);
                check_rank(k, &q);
                asked++;
        }
        assert_true(asked > QUESTIONS / 2);
        if (first == 0)
                first = seen;
        assert_true(first == seen);
}

struct seeing {
        struct arena *arena;
        const struct sight *sight;
        int64_t id;
        bool *yes;
};

static bool sees_case(struct tx *tx, void *ctx, struct err *e)
{
        const struct seeing *s = ctx;
        return sight_sees(tx, s->arena, s->sight, s->id, s->yes, e);
}

static void narrow_sights(struct world *w)
{
        static const struct sight nothing = {.all = false};
        const char *north = "north", *oak = "990101001";
        const struct sight unit = {.units = {&north, 1}}, area = {.communities = {&oak, 1}};
        const struct sight *const sights[] = {&nothing, &unit, &area};
        unsigned x = 11;
        struct known *k = fill(w, &x);
        struct asked q;
        struct err e;
        assert_true(asked_parse(district_fold(&w->district, &e), w->arena, "路", &q, &e));
        for (size_t s = 0; s < COUNT_OF(sights); s++) {
                const struct search_filter f = {.limit = 100, .sight = sights[s]};
                struct search_page page;
                size_t n = 0;
                ok(search_find(&w->district, w->district.store, w->arena, &q, &f, &page, &e), &e);
                for (size_t i = 0; i < k->n; i++) {
                        bool sees = false;
                        ok(store_read(w->district.store, sees_case, &(struct seeing){w->arena, sights[s], k->ids[i], &sees}, &e),
                           &e);
                        n += sees && parts_match(&k->parts[i], &q);
                }
                assert_int_equal(page.n, n);
                assert_true(s != 2 || n > 10);
        }
}

static void expressions(struct world *w)
{
        const char *const unit = "north-Law", *const login = "li";
        const struct sight sight = {.units = {(const char **)&unit, 1}, .logins = {(const char **)&login, 1}};
        const struct search_filter f = {
                .item = "0201", .from = at("2025-12-31T00:00:00+08:00"), .to = at("2026-02-01T00:00:00+08:00"), .sight = &sight};
        struct asked q;
        struct err e;
        assert_true(asked_parse(district_fold(&w->district, &e), w->arena, "路灯坏 -垃圾 -施工噪音", &q, &e));
        assert_string_equal(
                search_expression(w->arena, &q, &f, false),
                "(\"路灯\" AND \"灯坏\" AND \"_i0201\" AND (\"_m202512\" OR \"_m202601\") AND (\"_unorth_law\" OR \"_pli\"))"
                " NOT \"垃圾\"");
        assert_string_equal(search_expression(w->arena, &q, &f, true),
                            "'路灯' & '灯坏' & '_i0201' & ('_m202512' | '_m202601') & ('_unorth_law' | '_pli') & !'垃圾'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {BOTH(finds_what_the_texts_say), BOTH(narrow_sights), BOTH(expressions)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
