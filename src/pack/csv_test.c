/* pack/csv_test.c -- records with their lines, faults with their line, text in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "pack/csv.h"

static bool note(void *ctx, const struct csv_record *r, struct err *e)
{
        (void)e;
        buf_format(ctx, "%d:", (int)r->line);
        for (size_t i = 0; i < r->n; i++)
                buf_format(ctx, "[%s]", r->cells[i]);
        buf_byte(ctx, ' ');
        return true;
}

static void reads(const char *text, size_t n, char separator, const char *wanted)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct err e;
        buf_text(&b, "");
        char *copy = malloc(n ? n : 1); /* exactly as long, so that reading behind the end is seen */
        assert_non_null(copy);
        memcpy(copy, text, n);
        if (!csv_read(copy, n, separator, note, &b, &e))
                fail_msg("%s: %s", text, e.text);
        free(copy);
        assert_string_equal(b.at, wanted);
        buf_free(&b);
}
#define READS(text, wanted) reads(text, sizeof(text) - 1, 0, wanted)

static void records_with_their_lines(void **state)
{
        (void)state;
        READS("", "");
        READS("\n\n", "");
        READS("a", "1:[a] ");
        READS("a,b\nc,d", "1:[a][b] 2:[c][d] ");
        READS("a,b\r\nc,d\r\n", "1:[a][b] 2:[c][d] ");
        READS("a,b\rc,d\r", "1:[a][b] 2:[c][d] ");
        READS("\n\na,\n,\n", "3:[a][] 4:[][] ");
        READS("\"a\",\"b,c\"\n", "1:[a][b,c] ");
        READS("\"say \"\"no\"\"\",x\n", "1:[say \"no\"][x] ");
        READS("\"two\nlines\",x\nnext,y\n", "1:[two\nlines][x] 3:[next][y] ");
        READS("\"two\r\nlines\"\r\n\"\"\"\"\r\n", "1:[two\r\nlines] 3:[\"] ");
        READS("\xEF\xBB\xBFtitle,b\n", "1:[title][b] ");
        READS("\xEF\xBB\xBF\"q\",b\n", "1:[q][b] ");
        READS("a\tb,c\nd\te\n", "1:[a][b,c] 2:[d][e] ");
        READS("a,b\nc\td,e\n", "1:[a][b] 2:[c\td][e] ");
        READS(" a , b \n", "1:[ a ][ b ] ");
        READS("a\"b,c\n", "1:[a\"b][c] ");
        READS("\"\",\"\"\n", "1:[][] ");
        READS("\"last\"", "1:[last] ");
        reads("a;b,c\n", 6, ';', "1:[a][b,c] ");
        reads("a\tb\n", 4, ',', "1:[a\tb] ");
}

static void refuses(const char *text, size_t n, const char *says)
{
        struct buf b = BUF_LIMIT(1 << 20);
        struct err e;
        assert_false(csv_read(text, n, ',', note, &b, &e));
        buf_free(&b);
        assert_int_equal(e.kind, ERR_INVALID);
        if (!strstr(e.text, says))
                fail_msg("says \"%s\", wanted \"%s\"", e.text, says);
        assert_true(*e.zh);
}
#define REFUSES(text, says) refuses(text, sizeof(text) - 1, says)

static void faults_name_the_line(void **state)
{
        (void)state;
        REFUSES("a,b\n\"c,d\nx\n", "line 2: a quote never ends");
        REFUSES("a\n\"b\" c\n", "line 2: text stands after a closing quote");
        REFUSES("a\n\"b\nb\"c\n", "line 3: text stands after a closing quote");
        REFUSES("a\nb\0c\n", "NUL");
        REFUSES("\"", "line 1: a quote never ends");
        char many[1200];
        memset(many, ',', sizeof many);
        refuses(many, sizeof many, "more than 512 columns");
        char *large = calloc(1, 70000);
        assert_non_null(large);
        memset(large, 'x', 70000);
        large[0] = '"';
        refuses(large, 70000, "longer than 65,534 bytes");
        free(large);
}

static bool stop_at_two(void *ctx, const struct csv_record *r, struct err *e)
{
        (*(int *)ctx)++;
        return r->line < 2 || err_set(e, ERR_BUSY, "enough");
}

static void the_reader_may_stop(void **state)
{
        int seen = 0;
        struct err e;
        (void)state;
        assert_false(csv_read("a\nb\nc\n", 6, 0, stop_at_two, &seen, &e));
        assert_int_equal(seen, 2);
        assert_int_equal(e.kind, ERR_BUSY);
}

/* --- what was written is read ------------------------------------------------------------------------------------------ */

enum { COLUMNS = 5, RECORDS = 40 };
struct table {
        char cells[RECORDS][COLUMNS][12];
        int n;
};

static uint32_t draw(uint64_t *seed, uint32_t below)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return (uint32_t)((*seed * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % below;
}

static bool same_cells(void *ctx, const struct csv_record *r, struct err *e)
{
        struct table *t = ctx;
        (void)e;
        assert_int_equal(r->n, COLUMNS);
        for (int i = 0; i < COLUMNS; i++)
                assert_string_equal(r->cells[i], t->cells[t->n][i]);
        t->n++;
        return true;
}

static void write_cell(struct buf *b, const char *cell, bool quoted)
{
        if (!quoted && !strpbrk(cell, "\",\n\r")) {
                buf_text(b, cell);
                return;
        }
        buf_byte(b, '"');
        for (; *cell; cell++) {
                if (*cell == '"')
                        buf_byte(b, '"');
                buf_byte(b, *cell);
        }
        buf_byte(b, '"');
}

static void any_table_comes_back(void **state)
{
        static const char letters[] = "ab\",\n\r \t\xC3\xA9";
        uint64_t seed = 8;
        (void)state;
        for (int round = 0; round < 300; round++) {
                struct table t = {.n = 0};
                struct buf b = BUF_LIMIT(1 << 20);
                struct err e;
                for (int i = 0; i < RECORDS; i++)
                        for (int k = 0; k < COLUMNS; k++) {
                                for (uint32_t c = 0, n = draw(&seed, 11); c < n; c++)
                                        t.cells[i][k][c] = letters[draw(&seed, sizeof letters - 1)];
                                write_cell(&b, t.cells[i][k], draw(&seed, 3) == 0);
                                buf_text(&b, k + 1 < COLUMNS ? "," : round % 2 ? "\r\n" : "\n");
                        }
                if (!csv_read(b.at, b.length, ',', same_cells, &t, &e))
                        fail_msg("%s", e.text);
                assert_int_equal(t.n, RECORDS);
                buf_free(&b);
        }
}

/* --- faulty lines, pieces ------------------------------------------------------------------------------------------ */

/* What all records say, faulty ones as "!LINE:[the line]"; the text comes in pieces of `piece` bytes (0: at once). */
static char *said(const char *text, size_t n, size_t piece)
{
        struct buf b = BUF_LIMIT(64 << 20);
        struct csv_record r;
        struct err e;
        size_t seen = piece && piece < n ? piece : n;
        char *window = malloc(n + 1);
        assert_non_null(window);
        memcpy(window, text, n);
        struct csv_reader *s = csv_open(window, seen, ',');
        csv_move(s, window, seen, seen < n);
        buf_text(&b, "");
        for (;;) {
                const int found = csv_next(s, &r, &e);
                if (found == 0 && seen == n)
                        break;
                if (found == 0) {
                        int64_t line;
                        const char *at = csv_at(s, &line);
                        seen = seen + piece < n ? seen + piece : n;
                        csv_move(s, at, (size_t)(window + seen - at), seen < n);
                        continue;
                }
                buf_format(&b, "%s%lld:", found < 0 ? "!" : "", (long long)r.line);
                for (size_t i = 0; i < r.n; i++)
                        buf_format(&b, "[%s]", r.cells[i]);
        }
        csv_close(&s);
        free(window);
        return b.at;
}

static void says(const char *text, size_t n, const char *wanted)
{
        for (size_t piece = 0; piece <= n && piece < 40; piece++) {
                char *got = said(text, n, piece);
                assert_string_equal(got, wanted);
                free(got);
        }
}
#define SAYS(text, wanted) says(text, sizeof(text) - 1, wanted)

static void a_faulty_line_is_one_line(void **state)
{
        (void)state;
        SAYS("a,b\n\"c\"d,e\nf,g\n", "1:[a][b]!2:[\"c\"d,e]3:[f][g]");
        SAYS("a,b\r\n\"c\"d,e\r\nf,g\r\n", "1:[a][b]!2:[\"c\"d,e]3:[f][g]");
        SAYS("a,b\r\"c\"d,e\rf,g\r", "1:[a][b]!2:[\"c\"d,e]3:[f][g]");
        SAYS("a\n\"never\nends\n", "1:[a]!2:[\"never]3:[ends]");
        SAYS("a,\"x\ry\",b\rc", "1:[a][x\ry][b]3:[c]");
        SAYS("a,\"x\r\ny\n\rz\"\nc", "1:[a][x\r\ny\n\rz]5:[c]");
        SAYS("a\0b,c\nd", "!1:[a b,c]2:[d]");
        SAYS("\n\r\n\r\rx", "5:[x]");
        SAYS("\"a\"\"b\",\"\"\n", "1:[a\"b][]");
}

static void long_rows_and_cells(void **state)
{
        (void)state;
        enum { HUGE = CSV_RECORD_MOST + 5 };
        char *text = malloc(3 * HUGE);
        assert_non_null(text);
        memset(text, 'x', 3 * HUGE);
        memcpy(text, "a\n", 2);
        memcpy(text + HUGE, "\nb\n\"", 4);
        memcpy(text + 3 * HUGE - 4, "\"\nc\n", 4);
        static const size_t pieces[] = {0, CSV_RECORD_MOST + 3, CSV_RECORD_MOST + 100000};
        for (size_t i = 0; i < COUNT_OF(pieces); i++) {
                char *got = said(text, 3 * (size_t)HUGE, pieces[i]);
                assert_true(strncmp(got, "1:[a]!2:[xxx", 12) == 0);
                assert_non_null(strstr(got, "x]3:[b]!4:[\"xxx"));
                assert_non_null(strstr(got, "x]5:[c]"));
                free(got);
        }
        free(text);
}

static void written_cells_come_back(void **state)
{
        (void)state;
        struct buf b = BUF_LIMIT(200);
        static const char *const cells[] = {"plain", "", "a,b", "q\"q", "t\tt", "l\r\nl", "纸"};
        for (size_t i = 0; i < COUNT_OF(cells); i++)
                csv_cell(&b, i ? ',' : '\0', cells[i]);
        assert_string_equal(b.at, "plain,,\"a,b\",\"q\"\"q\",\"t\tt\",\"l\r\nl\",纸");
        struct csv_reader *r = csv_open(b.at, b.length, ',');
        struct csv_record record;
        struct err e;
        assert_int_equal(csv_next(r, &record, &e), 1);
        assert_int_equal(record.n, COUNT_OF(cells));
        for (size_t i = 0; i < COUNT_OF(cells); i++)
                assert_string_equal(record.cells[i], cells[i]);
        csv_close(&r);
        buf_free(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(records_with_their_lines),  cmocka_unit_test(faults_name_the_line),
                cmocka_unit_test(the_reader_may_stop),       cmocka_unit_test(any_table_comes_back),
                cmocka_unit_test(a_faulty_line_is_one_line), cmocka_unit_test(long_rows_and_cells),
                cmocka_unit_test(written_cells_come_back),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
