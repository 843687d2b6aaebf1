/* bulk/import_test.c -- rows become cases, faulty rows are told, a second run stores nothing new, units are compared. */
#include "bulk/world_test.h"

static const char MAP[] = "format: csv\n"
                          "time_zone: \"+08:00\"\n"
                          "channel: {column: SRC, table: {\"热线\": hotline}, otherwise: app}\n"
                          "external_id: {columns: [ID, AT], join: \"/\"}\n"
                          "text: {columns: [L1, L2, NOTE], join: \" / \"}\n"
                          "received: {column: AT}\n"
                          "item: {path: [L1, L2, L3]}\n"
                          "area: {names: [SUB, COM]}\n"
                          "property: {column: KIND}\n"
                          "source: {column: SRC}\n"
                          "compare_unit: {column: UNIT}\n";

#define HEADER "ID,AT,SUB,COM,L1,L2,L3,UNIT,SRC,KIND,NOTE\n"
static const char SAMPLE[] = HEADER
        "1,2025-03-03 09:00:00,北街道,橡树社区,市容,垃圾,暴露垃圾,橡树社区工作站,热线,投诉,\"two lines,\nwith \"\"quotes\"\"\"\n"
        "2,2025/3/3 9:05,南街道,柳树社区,市容,垃圾,积存垃圾,南街道办事处,热线,求助,-\r\n"
        "3,2025-03-04 10:00:00,南街道,-,市容,垃圾,暴露垃圾,南街道办事处,网站,投诉,-\n"
        "4,2025-03-05 10:00:00,北办,橡树村,环境噪声,工地噪声,-,住房建设局,网站,怪,-\n"
        "5,2025-03-06 10:00:00,北街道,无名社区,市容,异物,奇怪,不存在局,网站,投诉,-\n"
        "6,2025-03-07 10:00:00,-,-,市容,占道,占道经营,原市容局,网站,-,-\n"
        "7,2025-13-40 10:00:00,北街道,-,市容,垃圾,-,城市管理局,网站,投诉,bad time\n"
        "8,2025-03-07 10:00:00,北街道,-,-,-,-,城市管理局,网站,投诉,-\n"
        "9,2025-03-07 10:00:00,北街道\n"
        "10,2025-03-07 10:00:00,\"北\"街道,-,市容,垃圾,-,城市管理局,网站,投诉,quote\n";

static const char SQL_CASES[] = "SELECT COUNT(*) FROM cases";
static const char SQL_FIRST[] =
        "SELECT c.unit || ' ' || c.item || ' ' || c.community || ' ' || c.channel || ' ' || c.source || ' ' || c.property"
        " || ' ' || r.text"
        " FROM cases c JOIN report r ON r.id = c.id WHERE r.external_id LIKE '1/%'";
static const char SQL_TIMES[] = "SELECT COUNT(*) FROM cases WHERE created_at = 1740963900000000"; /* 2025-03-03 09:05 +08:00 */
static const char SQL_AREAS[] =
        "SELECT area FROM report WHERE external_id LIKE '4/%' OR external_id LIKE '5/%' ORDER BY external_id";

static const char SQL_NUMBERS[] = "SELECT COUNT(DISTINCT number) FROM cases";
static const char SQL_DAYS[] = "SELECT DISTINCT SUBSTR(number, LENGTH(number) - 17, 14) FROM cases ORDER BY 1";

static struct import_map map_of(struct world *w, const char *text)
{
        struct import_map map;
        struct err e;
        ok(import_map_parse(w->arena, "map.yaml", text, strlen(text), &map, &e), &e);
        return map;
}

static struct import_result import(struct world *w, const struct import_map *map, const char *file)
{
        struct import_result result;
        struct err e;
        const struct import_options o = {.file = file, .rejects = path_in(w, "bad.csv"), .workers = 8};
        ok(import_reports(&w->district, w->arena, map, &o, &result, &e), &e);
        return result;
}

static void same_comparison(const struct import_result *r)
{
        assert_int_equal(r->compared, 6);
        assert_int_equal(r->known, 5);
        assert_int_equal(r->same, 3);
        assert_int_equal(r->n_confusions, 2);
        assert_string_equal(r->confusions[0].actual, "南街道办事处");
        assert_string_equal(r->confusions[0].ours, "南街道执法队");
        assert_true(r->confusions[0].count == 2 && r->confusions[0].known);
        assert_string_equal(r->confusions[1].actual, "不存在局");
        assert_string_equal(r->confusions[1].ours, "小样区调度中心");
        assert_true(r->confusions[1].count == 1 && !r->confusions[1].known);
}

static void rows_become_cases(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_new(pg);
                struct import_map map = map_of(&w, MAP);
                const char *file = file_of(&w, SAMPLE, sizeof SAMPLE - 1);
                struct import_result r = import(&w, &map, file);
                assert_true(r.read == 10 && r.stored == 6 && r.again == 0 && r.rejected == 4 && r.waiting == 0);
                assert_int_equal(number_of(&w, SQL_CASES), 6);
                assert_true(r.no_item == 1 && r.unknown_item == 1 && r.no_area == 1 && r.unknown_area == 1
                            && r.unknown_property == 1);
                same_comparison(&r);
                assert_string_equal(texts_of(&w, SQL_FIRST),
                                    "oak 010101 990101001 hotline 热线 complaint 市容 / 垃圾 / two lines,\nwith \"quotes\"\n");
                assert_int_equal(number_of(&w, SQL_TIMES), 1);
                assert_string_equal(texts_of(&w, SQL_AREAS), "990101001\n990101\n");

                r = import(&w, &map, file);
                assert_true(r.read == 10 && r.stored == 0 && r.again == 6 && r.rejected == 4);
                assert_int_equal(number_of(&w, SQL_CASES), 6);
                same_comparison(&r);
                world_end(&w);
        }
}

static bool find_reject(void *ctx, const struct csv_record *r, struct err *e)
{
        struct {
                const char *line, *field, *reason, *cell;
                bool found;
        } *wanted = ctx;
        (void)e;
        if (text_is(r->cells[0], wanted->line))
                wanted->found = text_is(r->cells[1], wanted->field) && strstr(r->cells[2], wanted->reason)
                                && (!wanted->cell || (r->n > 3 && text_is(r->cells[3], wanted->cell)));
        return true;
}

static void rejected_rows_say_why(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r = import(&w, &map, file_of(&w, SAMPLE, sizeof SAMPLE - 1));
        assert_int_equal(r.rejected, 4);
        const char *bad = read_file(&w, path_in(&w, "bad.csv"));
        struct {
                const char *line, *field, *reason, *cell;
                bool found;
        } wanted[] = {
                {"9", "received", "\"2025-13-40 10:00:00\" is not a time", "7", false},
                {"10", "text", "the row gives none", "8", false},
                {"11", "", "the row has 3 cells, the first line has 11", "9", false},
                {"12", "", "text stands after a closing quote", NULL, false},
        };
        assert_non_null(bad);
        assert_true(text_starts(bad, "line,field,reason,ID,AT,SUB"));
        for (size_t i = 0; i < COUNT_OF(wanted); i++) {
                struct err e;
                ok(csv_read(bad, strlen(bad), ',', find_reject, &wanted[i], &e), &e);
                if (!wanted[i].found)
                        fail_msg("line %s is not there as it should be:\n%s", wanted[i].line, bad);
        }
        /* A clean file leaves no rejects behind, not even those of an earlier run. */
        static const char clean[] = HEADER "1,2025-03-03 09:00:00,北街道,-,市容,垃圾,-,-,热线,-,x\n";
        r = import(&w, &map, file_of(&w, clean, sizeof clean - 1));
        assert_true(r.read == 1 && r.rejected == 0 && r.compared == 0);
        assert_null(read_file(&w, path_in(&w, "bad.csv")));
        world_end(&w);
}

static void the_file_itself_takes_no_rejects(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r;
        struct err e;
        const char *file = file_of(&w, SAMPLE, sizeof SAMPLE - 1);
        assert_false(import_reports(&w.district, w.arena, &map, &(struct import_options){.file = file, .rejects = file}, &r, &e));
        assert_non_null(strstr(e.text, "which is being read"));
        assert_string_equal(read_file(&w, file), SAMPLE);
        world_end(&w);
}

static void a_damaged_line_of_utf8_is_one_reject(void **state)
{
        (void)state;
        static const char damaged[] = "\xEF\xBB\xBF" HEADER "1,2025-03-03 09:00:00,北街道,-,市容,垃圾,-,-,热线,-,x\n"
                                      "2,2025-03-03 09:00:00,北街道,-,市容,垃圾,-,-,热线,-,\xE5\x8C\n"
                                      "3,2025-03-03 09:00:00,北街道,-,市容,垃圾,-,-,热线,-,x";
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r = import(&w, &map, file_of(&w, damaged, sizeof damaged - 1));
        assert_true(r.read == 3 && r.stored == 2 && r.rejected == 1 && r.no_item == 0);
        assert_non_null(strstr(read_file(&w, path_in(&w, "bad.csv")), "3,NOTE,the text is not UTF-8"));
        world_end(&w);
}

static void gb18030_is_read(void **state)
{
        (void)state;
        static const char gb[] =
                HEADER "1,2025-03-03 09:00:00,\xB1\xB1\xBD\xD6\xB5\xC0,-,\xCA\xD0\xC8\xDD,\xC0\xAC\xBB\xF8,-,-,x,-,x\n";
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r = import(&w, &map, file_of(&w, gb, sizeof gb - 1));
        assert_true(r.stored == 1 && r.no_item == 0 && r.no_area == 0);
        world_end(&w);
}

static void tabs_and_limit(void **state)
{
        (void)state;
        static const char tabs[] = "ID\tAT\tTEXT\tLON\tLAT\tHURRY\n"
                                   "a\t2025-03-03T09:00:00+08:00\tone\t-\t-\tyes\n"
                                   "b\t2025-03-03\ttwo\t10.2\t50.1\t否\n"
                                   "c\t2025-03-03\tthree\t10.2\t500\t-\n"
                                   "d\t2025-03-03\tfour\t-\t-\tperhaps\n";
        struct world w = world_new(false);
        struct import_map map = map_of(&w, "format: tsv\n"
                                           "channel: {value: patrol}\nexternal_id: {column: ID}\ntext: {column: TEXT}\n"
                                           "received: {column: AT}\npoint: {lon: LON, lat: LAT}\nurgent: {column: HURRY}\n");
        const char *file = file_of(&w, tabs, sizeof tabs - 1);
        struct import_result r;
        struct err e;
        ok(import_reports(&w.district, w.arena, &map, &(struct import_options){.file = file, .limit = 1}, &r, &e), &e);
        assert_true(r.read == 1 && r.stored == 1);
        r = import(&w, &map, file);
        assert_true(r.read == 4 && r.again == 1 && r.stored == 1 && r.rejected == 2 && r.unknown_item == 0 && r.no_item == 2);
        const char *bad = read_file(&w, path_in(&w, "bad.csv"));
        assert_non_null(strstr(bad, "4,point,"));
        assert_non_null(strstr(bad, "5,urgent,"));
        assert_int_equal(number_of(&w, "SELECT COUNT(*) FROM cases WHERE urgent = 1"), 1);
        assert_int_equal(number_of(&w, "SELECT COUNT(*) FROM cases WHERE lon = 10.2 AND lat = 50.1"), 1);
        world_end(&w);
}

static void json_lines(void **state)
{
        (void)state;
        static const char lines[] = "{\"id\": 1, \"what\": {\"text\": \"one\", \"code\": \"010101\"}, \"area\": \"990101001\"}\n"
                                    "\n"
                                    "{\"id\": \"2\", \"what\": {\"text\": \"two\", \"code\": \"none\"}, \"area\": null}\r\n"
                                    "{\"id\": 12345678901234567890, \"what\": {\"text\": \"three\"}}\n"
                                    "{\"id\": 4, \"what\": {\"text\": [\"four\"]}}\n"
                                    "[5]\n"
                                    "{\"id\": 6, \"what\"\n"
                                    "{\"id\": 7}";
        struct world w = world_new(false);
        struct import_map map = map_of(&w, "format: jsonl\n"
                                           "channel: {value: app}\nexternal_id: {column: id}\ntext: {column: what.text}\n"
                                           "item: {column: what.code}\narea: {column: area}\n");
        struct import_result r = import(&w, &map, file_of(&w, lines, sizeof lines - 1));
        assert_true(r.read == 7 && r.stored == 2 && r.rejected == 5 && r.unknown_item == 1 && r.no_area == 1);
        const char *bad = read_file(&w, path_in(&w, "bad.csv"));
        assert_non_null(strstr(bad, "4,id,the number is too long"));
        assert_non_null(strstr(bad, "5,what.text,\"a text or a number"));
        assert_non_null(strstr(bad, "6,,the line is not a JSON object,[5]"));
        assert_non_null(strstr(bad, "8,external_id,") ? NULL : strstr(bad, "8,text,the row gives none"));
        world_end(&w);
}

/* Whichever call of the store fails: the row is tried again, and in the end each is there once. */
static void a_busy_store_is_waited_for(void **state)
{
        enum { ROWS = 3 };
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_new(pg);
                struct import_map map = map_of(&w, MAP);
                struct err e;
                assert_non_null(district_rules(&w.district, &e));
                bool failed = true;
                for (int n = 1, cases = 0; failed; n++) {
                        struct buf b = BUF_LIMIT(1 << 20);
                        buf_text(&b, HEADER);
                        for (int i = 0; i < ROWS; i++)
                                buf_format(&b, "%d-%d,2025-03-01 09:00:00,北街道,-,市容,垃圾,-,-,热线,-,x\n", n, i);
                        const char *file = file_of(&w, b.at, b.length);
                        store_fail_at(w.district.store, n);
                        struct import_result r = {0};
                        const struct import_options o = {.file = file, .rejects = path_in(&w, "bad.csv"), .workers = 2};
                        const bool good = import_reports(&w.district, w.arena, &map, &o, &r, &e);
                        failed = store_failed(w.district.store);
                        store_fail_at(w.district.store, 0);
                        /* Only the question at the very end, how many wait, is not asked again. */
                        if (!good)
                                assert_true(failed && e.kind == ERR_BUSY);
                        assert_true(r.stored == ROWS && r.rejected == 0);
                        cases += ROWS;
                        assert_int_equal(number_of(&w, SQL_CASES), cases);
                        buf_free(&b);
                        assert_true(n < 1000);
                }
                world_end(&w);
        }
}

/* The newest row stands first: each number still says when its own report came. */
static void numbers_say_when_a_report_came(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct buf b = BUF_LIMIT(1 << 20);
        buf_text(&b, HEADER);
        for (int i = 0; i < 60; i++)
                buf_format(&b, "%d,2025-03-%02d 09:00:00,北街道,-,市容,垃圾,-,-,热线,-,x\n", i, 3 - i / 20);
        struct import_result r = import(&w, &map, file_of(&w, b.at, b.length));
        buf_free(&b);
        assert_int_equal(r.stored, 60);
        assert_int_equal(number_of(&w, SQL_NUMBERS), 60);
        assert_string_equal(texts_of(&w, SQL_DAYS), "20250301090000\n20250302090000\n20250303090000\n");
        world_end(&w);
}

static void a_missing_column_is_named(void **state)
{
        (void)state;
        static const char other[] = "ID,WHEN\n1,2025-03-03\n";
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r;
        struct err e;
        const struct import_options o = {.file = file_of(&w, other, sizeof other - 1)};
        assert_false(import_reports(&w.district, w.arena, &map, &o, &r, &e));
        assert_true(e.kind == ERR_INVALID && strstr(e.text, "no column \"SRC\""));
        const struct import_options none = {.file = path_in(&w, "nothing")};
        assert_false(import_reports(&w.district, w.arena, &map, &none, &r, &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
        world_end(&w);
}

static void maps_are_strict(void **state)
{
        (void)state;
        static const struct {
                const char *map, *sentence;
        } faults[] = {
                {"format: csv\nchanel: {column: A}\n", "m.yaml:2: the key \"chanel\" is not known here"},
                {"format: csv\nchannel: {colum: A, column: B}\n", "m.yaml:2: the key \"colum\" is not known here"},
                {"format: csv\nchannel: {column: A, value: b}\n", "m.yaml:2: \"channel\" needs exactly one of"},
                {"format: csv\nitem: {path: [A], column: B}\n", "m.yaml:2: the key \"column\" is not known here"},
                {"format: xls\n", "m.yaml:1: \"format\" should be csv / tsv / jsonl"},
                {"format: csv\ntime_zone: Beijing\n", "m.yaml:2: \"time_zone\" should be \"+08:00\""},
                {"format: csv\nchannel: {value: a}\ntext: {column: T}\n", "m.yaml: the key \"external_id\" is missing"},
                {"format: csv\nchannel: {value: a}\ntext: {column: T}\nexternal_id: {value: x}\n",
                 "m.yaml: external_id must come from columns"},
                {"channel: {value: a}\n", "m.yaml: the key \"format\" is missing"},
                {"format: csv\npoint: {lon: A, lat: B, system: mars}\n", "m.yaml:2: \"system\" should be wgs84"},
                {"format: csv\nformat: tsv\n", "m.yaml:2"},
        };
        struct arena *a = arena_new();
        for (size_t i = 0; i < COUNT_OF(faults); i++) {
                struct import_map map;
                struct err e = {0};
                assert_false(import_map_parse(a, "m.yaml", faults[i].map, strlen(faults[i].map), &map, &e));
                if (!text_starts(e.text, faults[i].sentence) || !e.zh[0])
                        fail_msg("%zu: %s", i, e.text);
        }
        arena_free(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_become_cases),
                cmocka_unit_test(rejected_rows_say_why),
                cmocka_unit_test(the_file_itself_takes_no_rejects),
                cmocka_unit_test(a_damaged_line_of_utf8_is_one_reject),
                cmocka_unit_test(gb18030_is_read),
                cmocka_unit_test(tabs_and_limit),
                cmocka_unit_test(json_lines),
                cmocka_unit_test(a_busy_store_is_waited_for),
                cmocka_unit_test(numbers_say_when_a_report_came),
                cmocka_unit_test(a_missing_column_is_named),
                cmocka_unit_test(maps_are_strict),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
