/* bulk/resume_test.c -- an import that broke off goes on; whatever fails, nothing is stored twice and the rejects are whole. */
#include "bulk/world_test.h"
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unicode/ucnv.h>

static const char MAP[] = "format: csv\n"
                          "channel: {value: app}\n"
                          "external_id: {column: ID}\n"
                          "text: {column: TEXT}\n"
                          "received: {column: AT}\n";
static const char MAP_JSON[] = "format: jsonl\n"
                               "channel: {value: app}\n"
                               "external_id: {column: ID}\n"
                               "text: {column: TEXT}\n"
                               "received: {column: AT}\n";

static const char SQL_CASES[] = "SELECT COUNT(*) FROM cases";
static const char SQL_MARKS[] = "SELECT COUNT(*) FROM import_mark";
static const char SQL_HISTORY[] = "SELECT COUNT(*) FROM history";

enum { ROWS = 40, BATCH = 4 };

static struct import_map map_of(struct world *w, const char *text)
{
        struct import_map map;
        struct err e;
        ok(import_map_parse(w->arena, "map.yaml", text, strlen(text), &map, &e), &e);
        return map;
}

/* Every fifth row has no time, every seventh has a broken quote; every third has a text of two lines.  `mark` tells ids apart. */
static void write_rows(struct buf *b, const char *mark, int rows)
{
        buf_text(b, "ID,AT,TEXT\r\n");
        for (int i = 0; i < rows; i++)
                buf_format(b, "%s%d,%s,%s\r\n", mark, i, i % 5 == 2 ? "never" : "2025-03-03 09:00",
                           i % 7 == 3   ? "\"broken\" 引号"
                           : i % 3 == 1 ? "\"井盖\n\"\"破损\"\"\""
                                        : "路灯不亮");
}

static void write_json(struct buf *b, const char *mark, int rows)
{
        for (int i = 0; i < rows; i++)
                buf_format(b, "{\"ID\":\"%s%d\",\"AT\":\"%s\",\"TEXT\":\"井盖\"%s\n", mark, i,
                           i % 5 == 2 ? "never" : "2025-03-03 09:00", i % 7 == 3 ? "]" : "}");
}

static int sound_rows(int rows)
{
        int n = 0;
        for (int i = 0; i < rows; i++)
                n += i % 5 != 2 && i % 7 != 3;
        return n;
}

static const char *rows_file(struct world *w, bool json, const char *mark, int rows, const char *encoding)
{
        struct buf b = BUF_LIMIT(1 << 20);
        char bytes[1 << 14];
        UErrorCode code = U_ZERO_ERROR;
        (json ? write_json : write_rows)(&b, mark, rows);
        const int32_t n = ucnv_convert(encoding, "UTF-8", bytes, sizeof bytes, b.at, (int32_t)b.length, &code);
        assert_true(U_SUCCESS(code));
        buf_free(&b);
        return file_of(w, bytes, (size_t)n);
}

/* --- stopping ------------------------------------------------------------------------------------------------------------ */

struct stopping {
        struct world *w;
        int after;
        void (*act)(struct stopping *);
        int64_t first_shown;
        bool shown;
};

static void see(void *ctx, int64_t done, int64_t total)
{
        struct stopping *s = ctx;
        assert_true(done <= total);
        if (!s->shown)
                s->first_shown = done;
        s->shown = true;
}

static bool stop(void *ctx)
{
        struct stopping *s = ctx;
        if (--s->after == 0 && s->act)
                s->act(s);
        return s->after == 0 && !s->act;
}

static struct import_options options_of(struct world *w, const char *file, struct stopping *s)
{
        return (struct import_options){
                .file = file, .rejects = path_in(w, "bad.csv"), .workers = 3, .batch = BATCH, .progress = {see, s}, .stop = stop};
}

static bool import(struct world *w, const struct import_map *map, const char *file, struct stopping *s, struct import_result *r,
                   struct err *e)
{
        const struct import_options o = options_of(w, file, s);
        return import_reports(&w->district, w->arena, map, &o, r, e);
}

/* An import in one piece, of a store of its own: its rejects. */
static const char *rejects_at_once(const char *map_text, bool json, struct arena *a)
{
        struct world w = world_new(false);
        struct import_map map = map_of(&w, map_text);
        struct import_result r;
        struct err e;
        struct stopping s = {.w = &w};
        ok(import(&w, &map, rows_file(&w, json, "a", ROWS, "UTF-8"), &s, &r, &e), &e);
        assert_int_equal(r.read, ROWS);
        const char *bad = arena_text(a, read_file(&w, path_in(&w, "bad.csv")));
        world_end(&w);
        return bad;
}

static void stopped_and_gone_on(bool postgres, bool json, const char *encoding)
{
        struct world w = world_new(postgres);
        const char *text = json ? MAP_JSON : MAP, *wanted = rejects_at_once(text, json, w.arena);
        struct import_map map = map_of(&w, text);
        const char *file = rows_file(&w, json, "a", ROWS, encoding);
        int64_t before = 0, stored = 0;
        for (int after = 1;; after = after % 3 + 1) {
                struct import_result r;
                struct err e;
                struct stopping s = {.w = &w, .after = after};
                ok(import(&w, &map, file, &s, &r, &e), &e);
                assert_int_equal(r.before, before);
                assert_int_equal(s.first_shown, before);
                assert_true(r.again == 0 && !r.restarted);
                assert_true((r.from_line > 0) == (before > 0));
                before += r.read;
                stored += r.stored;
                assert_int_equal(number_of(&w, SQL_MARKS), r.stopped);
                if (!r.stopped)
                        break;
                assert_true(r.read > 0 && r.read <= after * BATCH); /* a slow machine ends batches early */
        }
        assert_int_equal(before, ROWS);
        assert_int_equal(stored, sound_rows(ROWS));
        assert_int_equal(number_of(&w, SQL_CASES), stored);
        assert_string_equal(read_file(&w, path_in(&w, "bad.csv")), wanted);
        world_end(&w);
}

static void it_goes_on_where_it_stopped(void **state)
{
        (void)state;
        static const char *const encodings[] = {"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "GB18030"};
        for (int pg = 0; pg < test_store_engines(); pg++)
                for (size_t i = 0; i < (pg ? 1 : COUNT_OF(encodings)); i++) {
                        stopped_and_gone_on(pg, false, encodings[i]);
                        stopped_and_gone_on(pg, true, encodings[i]);
                }
}

/* --- failures ------------------------------------------------------------------------------------------------------------ */

/* The n-th statement or commit of an import fails, for every n: perhaps the run ends, but the next one makes it whole. */
static void no_failure_is_seen_at_the_end(void **state)
{
        (void)state;
        enum { FEW = 9 };
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_new(pg);
                struct import_map map = map_of(&w, MAP);
                const int sound = sound_rows(FEW);
                struct err e;
                int n = 0;
                assert_non_null(district_rules(&w.district, &e));
                for (bool failed = true; failed; n++) {
                        const char *file = rows_file(&w, false, arena_format(w.arena, "n%d-", n), FEW, "UTF-8");
                        const int64_t had = number_of(&w, SQL_CASES), rows = number_of(&w, SQL_HISTORY);
                        struct import_result r;
                        struct stopping s = {.w = &w};
                        store_fail_at(w.district.store, n + 1);
                        const bool good = import(&w, &map, file, &s, &r, &e);
                        failed = store_failed(w.district.store);
                        store_fail_at(w.district.store, 0);
                        if (!good) {
                                assert_int_equal(e.kind, ERR_BUSY);
                                ok(import(&w, &map, file, &s, &r, &e), &e);
                        }
                        assert_int_equal(number_of(&w, SQL_CASES), had + sound);
                        assert_int_equal(number_of(&w, SQL_HISTORY), rows + 2 * sound);
                        assert_int_equal(number_of(&w, SQL_MARKS), 0);
                        const char *wanted = arena_format(w.arena,
                                                          "line,field,reason,ID,AT,TEXT\r\n"
                                                          "5,received,\"\"\"never\"\" is not a time; write 2026-11-23 09:30\","
                                                          "n%d-2,never,路灯不亮\r\n"
                                                          "6,,line 6: text stands after a closing quote,"
                                                          "\"n%d-3,2025-03-03 09:00,\"\"broken\"\" 引号\"\r\n"
                                                          "11,received,\"\"\"never\"\" is not a time; write 2026-11-23 09:30\","
                                                          "n%d-7,never,\"井盖\n\"\"破损\"\"\"\r\n",
                                                          n, n, n);
                        assert_string_equal(read_file(&w, path_in(&w, "bad.csv")), wanted);
                }
                assert_true(n > 50);
                world_end(&w);
        }
}

/* --- the same twice --------------------------------------------------------------------------------------------------------- */

/* Each table with its rows, and each row of the history. */
static const char *everything(struct world *w)
{
        const char *names = texts_of(w, store_is_postgres(w->district.store)
                                                ? "SELECT table_name FROM information_schema.tables WHERE table_schema ="
                                                  " current_schema() AND table_type = 'BASE TABLE' ORDER BY 1"
                                                : "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1");
        struct buf b = BUF_LIMIT(16 << 20);
        char **tables;
        const size_t n = text_split(w->arena, names, '\n', &tables);
        assert_true(n > 20);
        for (size_t i = 0; i < n; i++)
                if (!text_empty(tables[i]))
                        buf_format(&b, "%s %lld\n", tables[i],
                                   (long long)number_of(w, arena_format(w->arena, "SELECT COUNT(*) FROM %s", tables[i])));
        buf_text(&b, texts_of(w, store_is_postgres(w->district.store)
                                         ? "SELECT subject || ' ' || seq || ' ' || encode(hash, 'hex') FROM history ORDER BY 1"
                                         : "SELECT subject || ' ' || seq || ' ' || hex(hash) FROM history ORDER BY 1"));
        const char *all = arena_copy(w->arena, b.at, b.length);
        buf_free(&b);
        return all;
}

static void the_same_file_twice_changes_nothing(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_new(pg);
                struct import_map map = map_of(&w, MAP);
                const char *file = rows_file(&w, false, "a", ROWS, "UTF-8");
                struct import_result r;
                struct err e;
                struct stopping s = {.w = &w};
                ok(import(&w, &map, file, &s, &r, &e), &e);
                const char *first = everything(&w), *bad = read_file(&w, path_in(&w, "bad.csv"));
                ok(import(&w, &map, file, &s, &r, &e), &e);
                assert_true(r.before == 0 && r.stored == 0 && r.again == sound_rows(ROWS) && r.read == ROWS);
                assert_string_equal(everything(&w), first);
                assert_string_equal(read_file(&w, path_in(&w, "bad.csv")), bad);
                world_end(&w);
        }
}

/* --- two at a time ----------------------------------------------------------------------------------------------------------- */

static void import_meanwhile(struct stopping *outer)
{
        struct world *w = outer->w;
        struct import_map map = map_of(w, MAP);
        struct stopping s = {.w = w};
        struct import_result r;
        struct err e = {0};
        const char *file = path_in(w, "in");
        assert_false(import(w, &map, file, &s, &r, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_non_null(strstr(e.text, "another import is writing its rejects"));
        struct import_options o = options_of(w, file, &s);
        o.rejects = path_in(w, "other.csv");
        ok(import_reports(&w->district, w->arena, &map, &o, &r, &e), &e);
        assert_true(r.restarted && r.read == ROWS && r.again > 0 && r.stored > 0);
}

static void the_later_of_two_imports_goes_on(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_new(pg);
                struct import_map map = map_of(&w, MAP);
                const char *file = rows_file(&w, false, "a", ROWS, "UTF-8");
                struct import_result r;
                struct err e = {0};
                struct stopping s = {.w = &w, .after = 2, .act = import_meanwhile};
                assert_false(import(&w, &map, file, &s, &r, &e));
                assert_int_equal(e.kind, ERR_CONFLICT);
                assert_non_null(strstr(e.text, "another import of the same file has begun"));
                assert_int_equal(number_of(&w, SQL_CASES), sound_rows(ROWS));
                assert_int_equal(number_of(&w, SQL_MARKS), 0);
                world_end(&w);
        }
}

struct racing {
        struct world *w;
        const char *rejects;
        struct import_map map;
        struct import_result r;
        struct err e;
        bool good;
};

static void *race(void *ctx)
{
        struct racing *x = ctx;
        struct arena *a = arena_new();
        const struct import_options o = {.file = path_in(x->w, "in"), .rejects = x->rejects, .workers = 4, .batch = BATCH};
        x->good = import_reports(&x->w->district, a, &x->map, &o, &x->r, &x->e);
        arena_free(&a);
        return NULL;
}

static void two_at_once_store_each_row_once(void **state)
{
        (void)state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = world_new(pg);
                (void)rows_file(&w, false, "a", ROWS, "UTF-8");
                struct world views[2] = {w, w};
                struct racing x[2];
                pthread_t threads[2];
                for (int i = 0; i < 2; i++) {
                        views[i].arena = arena_new();
                        const char *rejects = path_in(&w, i ? "other.csv" : "bad.csv");
                        x[i] = (struct racing){.w = &views[i], .rejects = rejects, .map = map_of(&w, MAP)};
                }
                for (int i = 0; i < 2; i++)
                        assert_int_equal(pthread_create(&threads[i], NULL, race, &x[i]), 0);
                for (int i = 0; i < 2; i++)
                        assert_int_equal(pthread_join(threads[i], NULL), 0);
                assert_true(x[0].good || x[1].good);
                for (int i = 0; i < 2; i++) {
                        assert_true(x[i].good || x[i].e.kind == ERR_CONFLICT);
                        arena_free(&views[i].arena);
                }
                assert_int_equal(number_of(&w, SQL_CASES), sound_rows(ROWS));
                assert_int_equal(number_of(&w, SQL_MARKS), 0);
                world_end(&w);
        }
}

/* --- files that change -------------------------------------------------------------------------------------------- */

static const char *long_file(struct world *w)
{
        struct buf b = BUF_LIMIT(16 << 20);
        buf_text(&b, "ID,AT,TEXT,MORE\n");
        for (int i = 0; i < 60; i++) {
                buf_format(&b, "x%d,2025-03-03 09:00,路灯不亮,", i);
                for (int k = 0; k < 5000; k++)
                        buf_text(&b, "0123456789");
                buf_byte(&b, '\n');
        }
        const char *file = file_of(w, b.at, b.length);
        buf_free(&b);
        return file;
}

static void add_a_row(struct stopping *s)
{
        FILE *f = fopen(path_in(s->w, "in"), "ab");
        assert_non_null(f);
        assert_true(fputs("y,2025-03-03 09:00,路灯不亮,\n", f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static void cut_off(struct stopping *s)
{
        assert_int_equal(truncate(path_in(s->w, "in"), 5000), 0);
}

static void a_file_that_changes_is_noticed(void **state)
{
        (void)state;
        static void (*const acts[])(struct stopping *) = {add_a_row, cut_off};
        for (size_t i = 0; i < COUNT_OF(acts); i++) {
                struct world w = world_new(false);
                struct import_map map = map_of(&w, MAP);
                const char *file = long_file(&w);
                struct import_result r;
                struct err e = {0};
                struct stopping s = {.w = &w, .after = 1, .act = acts[i]};
                assert_false(import(&w, &map, file, &s, &r, &e));
                assert_int_equal(e.kind, ERR_CONFLICT);
                assert_non_null(strstr(e.text, "has changed while it was read"));
                const int64_t had = r.stored;
                assert_true(had > 0 && had == number_of(&w, SQL_CASES));
                s = (struct stopping){.w = &w};
                if (acts[i] == cut_off) /* the only row is cut: another file, so nothing is taken for done */
                        file = long_file(&w);
                ok(import(&w, &map, file, &s, &r, &e), &e);
                assert_int_equal(number_of(&w, SQL_CASES), acts[i] == cut_off ? 60 : 61);
                assert_int_equal(r.again + r.before, had);
                world_end(&w);
        }
}

/* The file differs in one byte behind the mark: it is another file, and begins with its first row. */
static void another_file_begins_with_its_first_row(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r;
        struct err e;
        struct stopping s = {.w = &w, .after = 2};
        ok(import(&w, &map, rows_file(&w, false, "a", ROWS, "UTF-8"), &s, &r, &e), &e);
        assert_true(r.stopped);
        s = (struct stopping){.w = &w};
        ok(import(&w, &map, rows_file(&w, false, "b", ROWS, "UTF-8"), &s, &r, &e), &e);
        assert_true(r.before == 0 && r.stored == sound_rows(ROWS));
        /* Nor does another map go on. */
        struct import_map other = map_of(&w, arena_format(w.arena, "%s# changed\n", MAP));
        s = (struct stopping){.w = &w};
        ok(import(&w, &other, rows_file(&w, false, "a", ROWS, "UTF-8"), &s, &r, &e), &e);
        assert_true(r.before == 0 && r.again > 0 && r.read == ROWS);
        /* The mark of the first is still there, but its rejects are gone: it begins anew. */
        assert_int_equal(number_of(&w, SQL_MARKS), 1);
        assert_int_equal(unlink(path_in(&w, "bad.csv")), 0);
        s = (struct stopping){.w = &w};
        ok(import(&w, &map, path_in(&w, "in"), &s, &r, &e), &e);
        assert_true(r.restarted && r.before == 0 && r.read == ROWS);
        assert_int_equal(number_of(&w, SQL_MARKS), 0);
        world_end(&w);
}

static void a_limit_keeps_no_mark(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r;
        struct err e;
        struct stopping s = {.w = &w};
        struct import_options o = options_of(&w, rows_file(&w, false, "a", ROWS, "UTF-8"), &s);
        o.limit = 10;
        ok(import_reports(&w.district, w.arena, &map, &o, &r, &e), &e);
        assert_true(r.read == 10 && !r.stopped);
        assert_int_equal(number_of(&w, SQL_MARKS), 0);
        world_end(&w);
}

/* --- a full disk -------------------------------------------------------------------------------------------------- */

static bool settle_with_room_for(struct rejects *r, rlim_t bytes, struct rejects_end *end, struct err *e)
{
        struct rlimit old, small;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
        small = old;
        small.rlim_cur = bytes;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        const bool good = rejects_settle(r, end, e);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        return good;
}

static void rejects_survive_a_full_disk(void **state)
{
        (void)state;
        static const char *const header[] = {"A", "B"};
        static const char *cells[] = {"one", "two\xFF"};
        struct world w = world_new(false);
        const char *file = path_in(&w, "bad.csv");
        struct table_row row = {.line = 7, .cells = cells, .n = 2};
        struct err why = {.kind = ERR_INVALID, .text = "because"}, e = {0};
        struct rejects_end end = {0}, lost;
        struct rejects *r = NULL;
        bool kept = false;
        assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        ok(rejects_open(&r, file, "in", &e) && rejects_begin(r, header, 2, &end, &kept, &e), &e);
        assert_false(kept);
        rejects_add(r, &row, &why, false);
        row.line = 3;
        rejects_add(r, &row, &why, false);
        assert_int_equal(rejects_count(r), 2);
        ok(rejects_settle(r, &end, &e), &e);
        rejects_add(r, &row, &why, false);
        assert_false(settle_with_room_for(r, (rlim_t)end.bytes + 5, &lost, &e));
        assert_non_null(strstr(e.text, "bad.csv cannot be written"));
        rejects_close(&r, false);
        ok(rejects_open(&r, file, "in", &e) && rejects_begin(r, header, 2, &end, &kept, &e), &e);
        assert_true(kept);
        row.line = 9;
        rejects_add(r, &row, &why, false);
        ok(rejects_settle(r, &end, &e), &e);
        rejects_close(&r, false);
        assert_string_equal(read_file(&w, file), "line,field,reason,A,B\r\n3,,because,one,two\xEF\xBF\xBD\r\n"
                                                 "7,,because,one,two\xEF\xBF\xBD\r\n9,,because,one,two\xEF\xBF\xBD\r\n");
        world_end(&w);
}

static void a_full_disk_is_said(void **state)
{
        (void)state;
        struct world w = world_new(false);
        struct import_map map = map_of(&w, MAP);
        struct import_result r;
        struct err e = {0};
        struct stopping s = {.w = &w};
        struct import_options o = options_of(&w, rows_file(&w, false, "a", ROWS, "UTF-8"), &s);
        o.rejects = "/dev/full";
        assert_false(import_reports(&w.district, w.arena, &map, &o, &r, &e));
        assert_non_null(strstr(e.text, "the rejects file /dev/full cannot be written: No space left on device"));
        world_end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_goes_on_where_it_stopped),
                cmocka_unit_test(no_failure_is_seen_at_the_end),
                cmocka_unit_test(the_same_file_twice_changes_nothing),
                cmocka_unit_test(the_later_of_two_imports_goes_on),
                cmocka_unit_test(two_at_once_store_each_row_once),
                cmocka_unit_test(a_file_that_changes_is_noticed),
                cmocka_unit_test(another_file_begins_with_its_first_row),
                cmocka_unit_test(a_limit_keeps_no_mark),
                cmocka_unit_test(rejects_survive_a_full_disk),
                cmocka_unit_test(a_full_disk_is_said),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
