/* open311/open311_test.c -- documents in both forms, and statements: prepared on both engines, along the index meant for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "open311/document.h"
#include "sight/sight.h"
#include "store/store.h"
#include "store/testing.h"

/* --- documents -------------------------------------------------------------------------------------------------------- */
static void write_all(struct document *d)
{
        doc_array(d, "things", "thing");
        doc_object(d, NULL);
        doc_text(d, "name", "a <b> & \"c\"");
        doc_text(d, "none", NULL);
        doc_int(d, "n", -7);
        doc_real(d, "x", 22.5);
        doc_bool(d, "yes", true);
        doc_time(d, "at", 1767575400123456); /* 2026-01-05T09:10:00.123456+08:00 */
        doc_time(d, "never", 0);
        doc_array(d, "words", "word");
        doc_text(d, NULL, "one");
        doc_text(d, NULL, "");
        doc_array_end(d);
        doc_object(d, "inner");
        doc_object_end(d);
        doc_object_end(d);
        doc_array_end(d);
}

static void one_document_two_forms(void **state)
{
        struct buf json = BUF_LIMIT(4096), xml = BUF_LIMIT(4096);
        struct document a = document_to(&json, false), b = document_to(&xml, true);
        (void)state;
        write_all(&a);
        write_all(&b);
        assert_string_equal(json.at, "[{\"name\":\"a <b> & \\\"c\\\"\",\"none\":null,\"n\":-7,\"x\":22.5,\"yes\":true,"
                                     "\"at\":\"2026-01-05T09:10:00+08:00\",\"never\":null,\"words\":[\"one\",\"\"],\"inner\":{}}]");
        assert_string_equal(xml.at,
                            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                            "<things><thing><name>a &lt;b&gt; &amp; \"c\"</name><none/><n>-7</n><x>22.5</x><yes>true</yes>"
                            "<at>2026-01-05T09:10:00+08:00</at><never/><words><word>one</word><word/></words><inner></inner>"
                            "</thing></things>\n");
        buf_free(&json);
        buf_free(&xml);
}

static void what_xml_cannot_hold(void **state)
{
        struct buf b = BUF_LIMIT(4096);
        struct xml x = xml_to(&b);
        (void)state;
        xml_text(&x, "t", "\1\t\n\r\x1F \xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD 垃");
        assert_string_equal(b.at + strlen("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
                            "<t>\xEF\xBF\xBD\t\n&#13;\xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD 垃</t>");
        buf_free(&b);
}

/* --- statements ---------------------------------------------------------------------------------------------------------- */
struct asking {
        struct arena *arena;
        struct query query;
        char plan[4096];
};

static struct query list_query(struct arena *a, const struct sight *s, bool items)
{
        static const char *const codes[] = {"a", "b", "c"};
        struct query q = query_new(a);
        query_text(&q, "SELECT c.id, c.created_at FROM cases c WHERE c.created_at >= ");
        query_arg(&q, V((int64_t)1));
        query_text(&q, " AND c.created_at <= ");
        query_arg(&q, V((int64_t)2));
        if (items) {
                query_text(&q, " AND c.item || '' IN ");
                query_texts(&q, codes, COUNT_OF(codes));
        }
        query_text(&q, " AND ");
        sight_visible(&q, s);
        query_text(&q, " ORDER BY c.created_at DESC, c.id DESC LIMIT ");
        query_arg(&q, V((int64_t)1000));
        return q;
}

static bool prepare(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *w = ctx;
        struct rows r;
        if (!tx_rows(tx, &r, e, w->query.text.at, query_args(&w->query)))
                return false;
        while (rows_next(&r))
                continue;
        return rows_done(&r, e);
}

static bool explain(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *w = ctx;
        struct rows r;
        size_t n = 0;
        const char *sql = arena_format(w->arena, "EXPLAIN QUERY PLAN %s", w->query.text.at);
        if (!tx_rows(tx, &r, e, sql, query_args(&w->query)))
                return false;
        while (rows_next(&r))
                n += (size_t)snprintf(w->plan + n, sizeof w->plan - n, "%s\n", rows_text(&r, w->arena, 3));
        return rows_done(&r, e);
}

static void every_sight_is_a_statement(void **state)
{
        static const char *units[] = {"north", "south", "city"};
        const struct sight sights[] = {{.all = true}, {.channel = "open311"}, {.units = {units, 3}}, {.all = false}};
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct store *s;
                struct arena *a = arena_new();
                struct err e = {0};
                assert_true(test_store_open(&s, pg, all_migrations));
                for (size_t i = 0; i < 2 * COUNT_OF(sights); i++) {
                        struct asking w = {.arena = a, .query = list_query(a, &sights[i / 2], i % 2)};
                        if (!store_read(s, prepare, &w, &e))
                                fail_msg("%s: %s", w.query.text.at, e.text);
                        if (!pg) {
                                assert_true(store_read(s, explain, &w, &e));
                                if (!strstr(w.plan, "cases_created (created_at>? AND created_at<?)")
                                    || strstr(w.plan, "TEMP B-TREE"))
                                        fail_msg("%s\n%s", w.query.text.at, w.plan);
                        }
                        buf_free(&w.query.text);
                }
                store_close(&s);
                arena_free(&a);
        }
}

static void lists_come_in_few_lengths(void **state)
{
        struct arena *a = arena_new();
        const char *values[100];
        const int64_t numbers[] = {5, 6, 7};
        (void)state;
        for (size_t i = 0; i < COUNT_OF(values); i++)
                values[i] = arena_format(a, "%zu", i);
        struct query q = query_new(a);
        query_texts(&q, values, 3);
        assert_string_equal(q.text.at, "($1, $2, $3, $4)");
        assert_string_equal(query_args(&q)[3].u.text, "2");
        query_ints(&q, numbers, 3);
        assert_string_equal(q.text.at, "($1, $2, $3, $4)($5, $6, $7, $8)");
        assert_int_equal(query_args(&q)[7].u.i, 7);
        query_texts(&q, values, 100); /* more than there was room for */
        assert_int_equal(q.n, 8 + 128);
        assert_string_equal(query_args(&q)[8 + 99].u.text, "99");
        assert_int_equal(query_args(&q)[q.n].kind, VALUE_END);
        assert_string_equal(query_args(&q)[0].u.text, "0");
        buf_free(&q.text);
        arena_free(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_document_two_forms),
                cmocka_unit_test(what_xml_cannot_hold),
                cmocka_unit_test(every_sight_is_a_statement),
                cmocka_unit_test(lists_come_in_few_lengths),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
