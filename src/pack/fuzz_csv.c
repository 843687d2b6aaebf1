/* pack/fuzz_csv.c -- CSV and TSV: lines grow, cells hold no NUL, and what is read is read again after it was written. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "pack/csv.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void write_record(struct buf *b, const struct csv_record *r)
{
        for (size_t i = 0; i < r->n; i++) {
                buf_text(b, i ? ",\"" : "\"");
                for (const char *p = r->cells[i]; *p; p++) {
                        if (*p == '"')
                                buf_byte(b, '"');
                        buf_byte(b, *p);
                }
                buf_byte(b, '"');
        }
        buf_byte(b, '\n');
}

/* Writes the sound records of a text; how many they are. */
static size_t rewrite(const char *text, size_t n, char separator, struct buf *out)
{
        struct csv_reader *s = csv_open(text, n, separator);
        struct csv_record r;
        struct err e = {0};
        int64_t line = 0;
        size_t records = 0;
        for (int found; (found = csv_next(s, &r, &e)) != 0;) {
                assert(r.line > line);
                line = r.line;
                assert(found == 1 ? r.n > 0 : e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
                if (found == 1) {
                        write_record(out, &r);
                        records++;
                }
        }
        assert(line <= (int64_t)n + 1);
        csv_close(&s);
        return records;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static const char separators[] = {0, ',', '\t', ';'};
        const char separator = separators[n ? bytes[n - 1] % 4 : 0];
        struct arena *a = arena_new();
        struct buf first = BUF_LIMIT((size_t)64 << 20), second = BUF_LIMIT((size_t)64 << 20);
        struct err e;
        const char *encoding;
        char *text;
        size_t length;
        char *exact = malloc(n ? n : 1); /* without a NUL behind it */
        assert(exact);
        memcpy(exact, bytes, n);
        const size_t records = rewrite(exact, n, separator, &first);
        if (records > 0)
                assert(rewrite(first.at, first.length, ',', &second) == records && strcmp(first.at, second.at) == 0);
        if (csv_decode(a, exact, n, &text, &length, &encoding, &e))
                assert(text_utf8_fault(text, length) == length || memchr(text, '\0', length));
        else
                assert(e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        free(exact);
        buf_free(&first);
        buf_free(&second);
        arena_free(&a);
        return 0;
}
