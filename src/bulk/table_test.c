/* bulk/table_test.c -- foreign tables as they come: separators, spreadsheets' habits, damaged lines, wrong columns, places. */
#include "bulk/world_test.h"
#include <sys/mman.h>

static struct import_map map_of(enum table_format format, const char *a, const char *b)
{
        return (struct import_map){.format = format, .columns = {a, b}, .n_columns = 2, .empty = {"-"}, .n_empty = 1};
}

/* A file in memory and the name that opens it. */
static int file_with(const char *bytes, size_t n, char name[40])
{
        const int fd = memfd_create("table", MFD_CLOEXEC);
        assert_true(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
        (void)snprintf(name, 40, "/proc/self/fd/%d", fd);
        return fd;
}

/* "LINE:value|value ", faulty rows as "!LINE:sentence [first cell] "; each place is gone back to. */
static void reads_as(enum table_format format, const char *bytes, size_t n, const char *wanted)
{
        const struct import_map map = map_of(format, "ID", "TEXT");
        struct arena *a = arena_new();
        struct buf said = BUF_LIMIT(1 << 20);
        struct table *t;
        struct err e;
        char name[40];
        const int fd = file_with(bytes, n, name);
        ok(table_open(&t, name, &map, ENCODING_NONE, &e), &e);
        buf_text(&said, "");
        for (;;) {
                const struct row_place here = table_place(t);
                struct table_row row, again;
                const int found = table_next(t, a, &row, &e);
                const struct row_place next = table_place(t);
                ok(table_seek(t, here, &e), &e);
                struct err same;
                assert_int_equal(table_next(t, a, &again, &same), found);
                assert_true(table_place(t).byte == next.byte && table_place(t).line == next.line);
                if (found == 0)
                        break;
                assert_true(again.line == row.line && again.n == row.n);
                if (found < 0) {
                        assert_string_equal(same.text, e.text);
                        buf_format(&said, "!%lld:%s%s%s", (long long)row.line, e.field, *e.field ? ": " : "", e.text);
                        buf_format(&said, " [%s] ", row.cells[0]);
                } else {
                        buf_format(&said, "%lld:%s|%s ", (long long)row.line, row.values[0], row.values[1]);
                }
        }
        assert_string_equal(said.at, wanted);
        table_close(&t);
        (void)close(fd);
        buf_free(&said);
        arena_free(&a);
}
#define CSV(text, wanted) reads_as(TABLE_CSV, text, sizeof(text) - 1, wanted)
#define TSV(text, wanted) reads_as(TABLE_TSV, text, sizeof(text) - 1, wanted)
#define LINES(text, wanted) reads_as(TABLE_JSONL, text, sizeof(text) - 1, wanted)

static void separators(void **state)
{
        (void)state;
        CSV("TEXT,ID\na,1\n", "2:1|a ");
        CSV("TEXT;ID\na;1\n\"b;c\";2\n", "2:1|a 3:2|b;c ");
        CSV("TEXT\tID\na\t1\n", "2:1|a ");
        TSV("TEXT\tID\na,b\t1\n", "2:1|a,b ");
        CSV("\"TEXT\",\"ID\"\n\"a\",\"1\"\n", "2:1|a ");
        CSV("\xEF\xBB\xBF"
            "TEXT,ID\na,1\n",
            "2:1|a ");
        CSV("\xFF\xFET\0E\0X\0T\0\t\0I\0D\0\r\0\n\0a\0\t\0"
            "1\0\r\0\n\0",
            "2:1|a ");
}

static void habits_of_spreadsheets(void **state)
{
        (void)state;
        CSV("sep=;\r\nTEXT;ID\r\na;1\r\n", "3:1|a ");
        CSV("sep=,\r\nTEXT,ID\r\na,1\r\n", "3:1|a ");
        CSV("ID,TEXT\n\"=\"\"0012\"\"\",a\n=\"7\",b\n", "2:0012|a 3:7|b ");
        CSV("ID,TEXT,,\n1,a,,\n2,b\n3,c,\n4,d,,,,\n", "2:1|a 3:2|b 4:3|c 5:4|d ");
        CSV("ID,TEXT,MORE\n1,a\n2,b,x,\n3,c,x,y\n",
            "!2:the row has 2 cells, the first line has 3 [1] 3:2|b !4:the row has 4 cells, the first line has 3 [3] ");
        CSV("ID,TEXT\n1,a\n,\n,,,\n\n2,b\n", "2:1|a 6:2|b ");
        CSV(" ID , TEXT\xE3\x80\x80\n 1 , - \n", "2:1| ");
}

static void damaged_lines(void **state)
{
        (void)state;
        CSV("ID,TEXT\r1,a\r2,\"b\rb\"\r3,c", "2:1|a 3:2|b\rb 5:3|c ");
        CSV("ID,TEXT\n1,\"a\n2,b\n3,\"c\"x\n4,d\n", "!2:line 4: text stands after a closing quote [1,\"a] 3:2|b "
                                                    "!4:line 4: text stands after a closing quote [3,\"c\"x] 5:4|d ");
        CSV("ID,TEXT\n1,\"a\n2,b\n", "!2:line 2: a quote never ends [1,\"a] 3:2|b ");
        CSV("ID,TEXT\n1,a\0\n2,b\n", "!2:line 2: there is a NUL byte [1,a ] 3:2|b ");
        CSV("ID,TEXT\n1,\xE5\x9D\xAA\n2,\xE5\x9D\n3,\xE5\xB1\xB1\n", "2:1|坪 !3:TEXT: the text is not UTF-8 [2] 4:3|山 ");
        CSV("ID,TEXT\n1,\xC6\xBA\xC9\xBD\xC6\xBA\xC9\xBD\xC6\xBA\xC9\xBD\n2,\xC6\xBA\xC9\xBD\xC6\xBA\xC9\xBD\xFF\n",
            "2:1|坪山坪山坪山 !3:TEXT: the text is not GB18030 [2] ");
        LINES("{\"ID\":1,\"TEXT\":\"a\"}\r\n\r\n[1]\n{\"ID\":2", "1:1|a !3:the line is not a JSON object [[1]] "
                                                                 "!4:the text stops being JSON at byte 6 [{\"ID\":2] ");
}

/* Lines longer than the window, also the last of the file. */
static void endless_lines(void **state)
{
        (void)state;
        enum { LONG = 5 << 20 };
        static const struct {
                enum table_format format;
                const char *head, *tail, *said, *after;
        } cases[] = {
                {TABLE_CSV, "ID,TEXT\n1,", "\n2,b\n", "!2:line 2: the row is longer than 1 MiB [1,", "x] 3:2|b "},
                {TABLE_CSV, "ID,TEXT\n1,", "", "!2:line 2: the row is longer than 1 MiB [1,", "x] "},
                {TABLE_CSV, "ID,TEXT\n1,\"", "\"\n2,b\n", "!2:line 2: a cell is longer than 65,534 bytes [1,\"", "x] 3:2|b "},
                {TABLE_JSONL, "{\"ID\":\"1\",\"TEXT\":\"", "\"}\n{\"ID\":2}\n", "!1:the line is longer than 1 MiB [{\"ID\":\"1\"",
                 "x] 2:2| "},
                {TABLE_JSONL, "{\"ID\":\"1\",\"TEXT\":\"", "", "!1:the line is longer than 1 MiB [{\"ID\":\"1\"", "x] "},
        };
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                const size_t head = strlen(cases[i].head), tail = strlen(cases[i].tail);
                const size_t shown = 65534 - (cases[i].format == TABLE_CSV ? head - strlen("ID,TEXT\n") : head);
                char *text = malloc(LONG + head + tail);
                struct buf wanted = BUF_LIMIT(1 << 20);
                assert_non_null(text);
                memcpy(text, cases[i].head, head);
                memset(text + head, 'x', LONG);
                memcpy(text + head + LONG, cases[i].tail, tail);
                buf_text(&wanted, cases[i].said);
                buf_text(&wanted, cases[i].format == TABLE_JSONL ? ",\"TEXT\":\"" : "");
                for (size_t k = 1; k < shown; k++)
                        buf_byte(&wanted, 'x');
                buf_text(&wanted, cases[i].after);
                reads_as(cases[i].format, text, LONG + head + tail, wanted.at);
                buf_free(&wanted);
                free(text);
        }
}

static void says(const char *bytes, size_t n, const struct import_map *map, const char *wanted)
{
        struct table *t;
        struct err e = {0};
        char name[40];
        const int fd = file_with(bytes, n, name);
        assert_false(table_open(&t, name, map, ENCODING_NONE, &e));
        assert_true(e.kind == ERR_INVALID && e.zh[0] && !t);
        if (!strstr(e.text, wanted))
                fail_msg("%s", e.text);
        (void)close(fd);
}
#define SAYS(text, map, wanted) says(text, sizeof(text) - 1, map, wanted)

static void wrong_columns_are_told(void **state)
{
        (void)state;
        const struct import_map map = map_of(TABLE_CSV, "REC_ID", "街道名称");
        SAYS("RECID,NAME,街道名,X\n", &map,
             "has no column \"REC_ID\" (\"RECID\"?), \"街道名称\" (\"街道名\"?), which the map names; its first line has: "
             "RECID, NAME, 街道名, X");
        SAYS("REC_ID;NAME\n1;2\n", &map, "has no column \"街道名称\", which the map names; its first line has: REC_ID, NAME");
        SAYS("REC_ID,街道名称,REC_ID\n", &map, "has the column \"REC_ID\" twice");
        SAYS("\n\n", &map, "has no first line that names the columns");
        SAYS("\xFF\xFE\xFF\xFF", &map, "has no column");
        struct buf wide = BUF_LIMIT(1 << 20);
        for (int i = 0; i < 500; i++)
                buf_format(&wide, "%s街道%d", i ? "," : "", i);
        says(wide.at, wide.length, &map, "街道1, ");
        says(wide.at, wide.length, &map, " ...");
        buf_free(&wide);
}

static void shortened_ids_are_refused(void **state)
{
        (void)state;
        static const char text[] = "ID,T\n1.23457E+11,a\n1E+5,b\n12E3,c\nE+5,d\n1.5,e\n";
        struct world w = world_new(false);
        struct import_map map;
        struct import_result r;
        struct err e;
        static const char yaml[] = "format: csv\nchannel: {value: app}\nexternal_id: {column: ID}\ntext: {column: T}\n";
        ok(import_map_parse(w.arena, "m.yaml", yaml, sizeof yaml - 1, &map, &e), &e);
        const struct import_options o = {.file = file_of(&w, text, sizeof text - 1), .rejects = path_in(&w, "bad.csv")};
        ok(import_reports(&w.district, w.arena, &map, &o, &r, &e), &e);
        assert_true(r.stored == 3 && r.rejected == 2);
        const char *bad = read_file(&w, o.rejects);
        assert_non_null(
                strstr(bad, "2,external_id,\"\"\"1.23457E+11\"\" was shortened by a spreadsheet: format the column \"\"ID\"\""));
        assert_non_null(strstr(bad, "3,external_id,"));
        world_end(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(separators),
                cmocka_unit_test(habits_of_spreadsheets),
                cmocka_unit_test(damaged_lines),
                cmocka_unit_test(endless_lines),
                cmocka_unit_test(wrong_columns_are_told),
                cmocka_unit_test(shortened_ids_are_refused),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
