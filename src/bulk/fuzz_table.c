/* bulk/fuzz_table.c -- foreign files row by row: CSV, TSV and JSON lines in any encoding; every value of a good row is UTF-8, and
 * from the place of any row the rest of the file is read alike. */
#include "base/arena.h"
#include "base/text.h"
#include "bulk/import_map.h"
#include "bulk/inside.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { PLACES = 3 };

static void check_row(const struct table_row *row, const struct import_map *m, int found, const struct err *e)
{
        assert(row->cells && row->n > 0);
        assert(found == 1 || (found == -1 && e->kind == ERR_INVALID && e->text[0] && e->zh[0]));
        for (size_t i = 0; found == 1 && i < m->n_columns; i++) {
                const size_t length = strlen(row->values[i]);
                assert(text_utf8_fault(row->values[i], length) == length && strcmp(row->values[i], "-") != 0);
        }
}

/* The rows as one text; the places of the first few. */
static size_t read_all(struct table *t, const struct import_map *m, struct buf *said, struct row_place *places, size_t ends[])
{
        struct arena *a = arena_new();
        struct table_row row;
        struct err e = {0};
        int64_t line = 0;
        size_t n = 0;
        for (int found; (found = table_next(t, a, &row, &e)) != 0; arena_reset(a)) {
                assert(row.line > line);
                line = row.line;
                check_row(&row, m, found, &e);
                buf_format(said, "%d %lld %s", found, (long long)line, row.cells[0]);
                for (size_t i = 0; found == 1 && i < m->n_columns; i++)
                        buf_format(said, "|%s", row.values[i]);
                if (n < PLACES && places) {
                        places[n] = table_place(t);
                        ends[n++] = said->length;
                }
        }
        arena_free(&a);
        return n;
}

static void go_on(struct table *t, const struct import_map *m, struct row_place place, const struct buf *said, size_t from)
{
        struct buf rest = BUF_LIMIT((size_t)64 << 20);
        struct err e = {0};
        const bool sought = table_seek(t, place, &e);
        assert(sought);
        (void)read_all(t, m, &rest, NULL, NULL);
        assert(rest.length == said->length - from && (rest.length == 0 || memcmp(rest.at, said->at + from, rest.length) == 0));
        buf_free(&rest);
}

static void read_table(struct table *t, const struct import_map *m)
{
        struct buf said = BUF_LIMIT((size_t)64 << 20);
        struct row_place places[PLACES];
        size_t ends[PLACES];
        assert(table_lines(t) >= 1);
        const size_t n = read_all(t, m, &said, places, ends);
        for (size_t i = 0; i < n; i++)
                go_on(t, m, places[i], &said, ends[i]);
        buf_free(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static const struct import_map map = {.columns = {"id", "text", "place.lon"}, .n_columns = 3, .empty = {"-"}, .n_empty = 1};
        const int fd = memfd_create("table", MFD_CLOEXEC);
        struct err e;
        assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
        struct arena *a = arena_new();
        const char *file = arena_format(a, "/proc/self/fd/%d", fd);
        for (int format = TABLE_CSV; format <= TABLE_JSONL; format++) {
                struct import_map m = map;
                struct table *t;
                m.format = (enum table_format)format;
                if (table_open(&t, file, &m, ENCODING_NONE, &e))
                        read_table(t, &m);
                else
                        assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
                table_close(&t);
        }
        (void)close(fd);
        arena_free(&a);
        return 0;
}
