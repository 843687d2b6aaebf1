/* bulk/demo_test.c -- made-up reports are the same for a seed; what is exported counts as many rows and tells nothing private. */
#include "bulk/world_test.h"
#include "json/json.h"

static const char SQL_WHAT[] =
        "SELECT r.external_id || ' ' || r.item || ' ' || r.area || ' ' || r.channel || ' ' || r.property || ' ' || r.text"
        " || ' ' || r.address || ' ' || CAST(r.received_at AS TEXT) FROM report r ORDER BY r.received_at, r.external_id";
static const char SQL_CASES[] = "SELECT COUNT(*) FROM cases";
static const char SQL_ITEMS[] = "SELECT COUNT(DISTINCT item) FROM cases";
static const char SQL_COMMUNITIES[] = "SELECT COUNT(DISTINCT community) FROM cases WHERE community <> ''";
static const char SQL_CHANNELS[] = "SELECT COUNT(DISTINCT channel) FROM cases";
static const char SQL_PROPERTIES[] = "SELECT COUNT(DISTINCT property) FROM cases";
static const char SQL_MONTHS[] = "SELECT COUNT(DISTINCT (received_at / 2592000000000)) FROM report";
static const char SQL_STRAY[] = /* a point that lies elsewhere than its report says */
        "SELECT COUNT(*) FROM cases c JOIN report r ON r.id = c.id WHERE r.lon IS NOT NULL AND r.area <> c.community";

static int64_t midnight(void)
{
        int64_t instant;
        assert_true(time_parse("2026-01-01 00:00", ZONE_SHANGHAI, &instant));
        return instant;
}

static struct demo_result demo(struct world *w, int64_t count, int64_t seed)
{
        struct demo_result r;
        struct err e;
        const struct demo_options o = {.count = count, .seed = seed, .until = midnight(), .chinese = true};
        ok(demo_reports(&w->district, &o, &r, &e), &e);
        return r;
}

static void the_same_seed_says_the_same(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world one = world_new(pg);
                struct demo_result r = demo(&one, 200, 7);
                assert_true(r.stored == 200 && r.again == 0);
                const char *first = arena_text(one.arena, texts_of(&one, SQL_WHAT));
                r = demo(&one, 200, 7);
                assert_true(r.stored == 0 && r.again == 200);
                assert_int_equal(number_of(&one, SQL_CASES), 200);

                struct world two = world_new(pg), other = world_new(pg);
                (void)demo(&two, 200, 7);
                (void)demo(&other, 200, 8);
                assert_string_equal(texts_of(&two, SQL_WHAT), first);
                assert_string_not_equal(texts_of(&other, SQL_WHAT), first);
                world_end(&other);
                world_end(&two);
                world_end(&one);
        }
}

static void it_spreads_and_goes_on(void **state)
{
        (void)state;
        struct world w = world_new(false);
        (void)demo(&w, 200, 1);
        struct demo_result r = demo(&w, 300, 1);
        assert_true(r.stored == 100 && r.again == 200);
        assert_int_equal(number_of(&w, SQL_ITEMS), 7); /* all leaves of the pack */
        assert_int_equal(number_of(&w, SQL_COMMUNITIES), 3);
        assert_int_equal(number_of(&w, SQL_CHANNELS), 4);
        assert_int_equal(number_of(&w, SQL_PROPERTIES), 3);
        assert_in_range(number_of(&w, SQL_MONTHS), 12, 14);
        assert_int_equal(number_of(&w, SQL_STRAY), 0);
        struct err e;
        struct demo_result none;
        assert_false(demo_reports(&w.district, &(struct demo_options){.count = 0}, &none, &e));
        assert_false(demo_reports(&w.district, &(struct demo_options){.count = 10000001}, &none, &e));
        assert_string_equal(e.field, "N");
        world_end(&w);
}

/* --- export -------------------------------------------------------------------------------------------------------------- */

struct counting {
        int64_t rows;
        size_t cells;
};

static bool count_record(void *ctx, const struct csv_record *r, struct err *e)
{
        struct counting *c = ctx;
        if (c->rows == 0)
                c->cells = r->n;
        if (r->n != c->cells)
                return err_set(e, ERR_INVALID, "line %lld has %zu cells", (long long)r->line, r->n);
        c->rows++;
        return true;
}

static int64_t csv_rows(const struct world *w, const char *file)
{
        struct counting c = {0};
        struct err e;
        const char *text = read_file(w, file);
        ok(csv_read(text, strlen(text), ',', count_record, &c, &e), &e);
        return c.rows - 1;
}

static int64_t json_rows(const struct world *w, const char *file)
{
        int64_t n = 0;
        struct err e;
        for (const char *p = read_file(w, file), *end; *p; p = end + 1, n++) {
                end = strchr(p, '\n');
                assert_non_null(end);
                const struct json_value *v = json_parse(w->arena, p, (size_t)(end - p), &e);
                assert_true(json_kind(v) == JSON_OBJECT && json_get(v, "number"));
        }
        return n;
}

static int64_t export(struct world *w, enum export_what what, enum export_format format, const char *name)
{
        int64_t rows;
        struct err e;
        ok(export_table(&w->district, what, format, path_in(w, name), NULL, &rows, &e), &e);
        return rows;
}

static void as_many_rows_as_cases(void **state)
{
        (void)state;
        struct world w = world_new(false);
        (void)demo(&w, 1207, 3); /* more than a page */
        assert_int_equal(export(&w, EXPORT_CASES, EXPORT_CSV, "cases.csv"), 1207);
        assert_int_equal(csv_rows(&w, path_in(&w, "cases.csv")), 1207);
        assert_int_equal(export(&w, EXPORT_CASES, EXPORT_JSONL, "cases.jsonl"), 1207);
        assert_int_equal(json_rows(&w, path_in(&w, "cases.jsonl")), 1207);
        assert_int_equal(export(&w, EXPORT_REPORTS, EXPORT_CSV, "reports.csv"), 1207);
        assert_int_equal(csv_rows(&w, path_in(&w, "reports.csv")), 1207);
        assert_int_equal(export(&w, EXPORT_REPORTS, EXPORT_JSONL, "reports.jsonl"), 1207);
        assert_int_equal(json_rows(&w, path_in(&w, "reports.jsonl")), 1207);

        struct err e;
        int64_t rows;
        assert_false(export_table(&w.district, EXPORT_CASES, EXPORT_CSV, path_in(&w, "cases.csv"), NULL, &rows, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_int_equal(csv_rows(&w, path_in(&w, "cases.csv")), 1207);
        world_end(&w);
}

static void what_is_exported_comes_in_again(void **state)
{
        (void)state;
        static const char map_text[] =
                "format: csv\nchannel: {column: channel}\nexternal_id: {column: external_id}\ntext: {column: text}\n"
                "title: {column: title}\nreceived: {column: received}\nitem: {column: item}\narea: {column: area}\n"
                "property: {column: property}\n"
                "point: {lon: lon, lat: lat}\nurgent: {column: urgent}\naddress: {column: address}\n";
        struct world w = world_new(false), v = world_new(false);
        struct import_map map;
        struct import_result r;
        struct err e;
        (void)demo(&w, 100, 5);
        assert_int_equal(export(&w, EXPORT_REPORTS, EXPORT_CSV, "reports.csv"), 100);
        ok(import_map_parse(v.arena, "m", map_text, strlen(map_text), &map, &e), &e);
        const struct import_options o = {.file = path_in(&w, "reports.csv")};
        ok(import_reports(&v.district, v.arena, &map, &o, &r, &e), &e);
        assert_true(r.stored == 100 && r.rejected == 0 && r.no_item == 0 && r.no_area == 0 && r.unknown_property == 0);
        assert_string_equal(texts_of(&v, SQL_WHAT), texts_of(&w, SQL_WHAT));
        world_end(&v);
        world_end(&w);
}

static void nothing_private_is_exported(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct receipt receipt;
        struct err e;
        const struct report r = {
                .channel = "hotline",
                .title = "=HYPERLINK(\"x\")",
                .name = "张三",
                .phone = "13900008888",
                .email = "zhang@example.com",
                .text = "电话13812345678或138-1234-5678，证件11010119900101123X，邮箱li.si@qq.com，门牌2018号，@坪山",
                .address = "+1 13812345678",
        };
        ok(intake_accept(&w.district, w.arena, &r, clock_now(), &receipt, &e), &e);
        assert_int_equal(export(&w, EXPORT_REPORTS, EXPORT_CSV, "reports.csv"), 1);
        assert_int_equal(export(&w, EXPORT_REPORTS, EXPORT_JSONL, "reports.jsonl"), 1);
        assert_int_equal(export(&w, EXPORT_CASES, EXPORT_CSV, "cases.csv"), 1);
        static const char *const files[] = {"reports.csv", "reports.jsonl", "cases.csv"};
        static const char *const secrets[] = {"张三", "13900008888", "zhang", "12345678", "1234-5678", "19900101", "li.si"};
        for (size_t i = 0; i < COUNT_OF(files); i++)
                for (size_t k = 0; k < COUNT_OF(secrets); k++)
                        if (strstr(read_file(&w, path_in(&w, files[i])), secrets[k]))
                                fail_msg("%s tells %s", files[i], secrets[k]);
        const char *csv = read_file(&w, path_in(&w, "reports.csv"));
        assert_non_null(strstr(csv, "电话138****5678或138******5678，证件110**********1123X"));
        assert_non_null(strstr(csv, "*****@qq.com，门牌2018号，@坪山"));
        assert_non_null(strstr(csv, "\"'=HYPERLINK(\"\"x\"\")\""));
        assert_non_null(strstr(csv, "'+1 138****5678"));
        assert_non_null(strstr(read_file(&w, path_in(&w, "reports.jsonl")), "\"=HYPERLINK(\\\"x\\\")\""));
        world_end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_seed_says_the_same), cmocka_unit_test(it_spreads_and_goes_on),
                cmocka_unit_test(as_many_rows_as_cases),       cmocka_unit_test(what_is_exported_comes_in_again),
                cmocka_unit_test(nothing_private_is_exported),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
