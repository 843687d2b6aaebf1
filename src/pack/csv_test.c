/* pack/csv_test.c -- records with their lines, faults with their line, encodings. */
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

/* --- encodings ---------------------------------------------------------------------------------------------------------------- */

static void decodes(const char *bytes, size_t n, const char *encoding, const char *wanted)
{
        struct arena *a = arena_new();
        const char *name;
        char *text;
        size_t length;
        struct err e;
        if (!csv_decode(a, bytes, n, &text, &length, &name, &e))
                fail_msg("%s", e.text);
        assert_string_equal(name, encoding);
        assert_int_equal(length, strlen(wanted));
        assert_memory_equal(text, wanted, length);
        arena_free(&a);
}

static void encodings_are_recognised(void **state)
{
        (void)state;
        decodes("", 0, "UTF-8", "");
        decodes("坪山", 6, "UTF-8", "坪山");
        decodes("\xEF\xBB\xBF坪山", 9, "UTF-8", "坪山");
        decodes("\xD6\xD0\xCE\xC4", 4, "GB18030", "中文");
        decodes("a,\xB0\xA1\x81\x30\x81\x30", 8, "GB18030", "a,啊\xC2\x80");
        decodes("\xFF\xFE\x6A\x57\x71\x5C", 6, "UTF-16", "坪山");
        decodes("\xFE\xFF\x57\x6A\x5C\x71", 6, "UTF-16", "坪山");
        struct arena *a = arena_new();
        const char *name;
        char *text;
        size_t length;
        struct err e;
        assert_false(csv_decode(a, "\xFF\xFF\xFF", 3, &text, &length, &name, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_false(csv_decode(a, "ok\xC6", 3, &text, &length, &name, &e));
        assert_false(csv_decode(a, "\xFF\xFE\x00\xD8", 4, &text, &length, &name, &e));
        arena_free(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(records_with_their_lines), cmocka_unit_test(faults_name_the_line),
                cmocka_unit_test(the_reader_may_stop),      cmocka_unit_test(any_table_comes_back),
                cmocka_unit_test(encodings_are_recognised),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
