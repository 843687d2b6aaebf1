/* bulk/fuzz_table.c -- foreign files row by row: CSV, TSV and JSON lines; every value of a good row is UTF-8. */
#include "base/arena.h"
#include "base/text.h"
#include "bulk/import_map.h"
#include "bulk/inside.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void read_all(struct table *t, const struct import_map *m)
{
        struct arena *a = arena_new();
        struct table_row row;
        struct err e = {0};
        int64_t line = 0;
        for (int found; (found = table_next(t, a, &row, &e)) != 0; arena_reset(a)) {
                assert(row.line > line && row.cells);
                line = row.line;
                assert(found == 1 || (e.kind == ERR_INVALID && e.text[0] && e.zh[0]));
                for (size_t i = 0; found == 1 && i < m->n_columns; i++) {
                        const size_t length = strlen(row.values[i]);
                        assert(text_utf8_fault(row.values[i], length) == length && strcmp(row.values[i], "-") != 0);
                }
        }
        assert(table_lines(t) >= 1);
        arena_free(&a);
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
                        read_all(t, &m);
                else
                        assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
                table_close(&t);
        }
        (void)close(fd);
        arena_free(&a);
        return 0;
}
