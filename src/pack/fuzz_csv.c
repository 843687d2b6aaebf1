/* pack/fuzz_csv.c -- CSV and TSV: lines grow and are those of the text, cells hold no NUL, what is read is read again after it was
 * written, and a text that comes in pieces says the same as the whole. */
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

/* A text of which the reader sees only what it has not read yet, in memory that ends where the text ends. */
struct feed {
        const char *text;
        size_t n, piece, from, seen;
        char *window;
};

static void feed_more(struct feed *f, struct csv_reader *s)
{
        int64_t line;
        f->from += s ? (size_t)(csv_at(s, &line) - f->window) : 0;
        f->seen = f->n - f->seen < f->piece ? f->n : f->seen + f->piece;
        const size_t room = f->seen - f->from;
        char *next = malloc(room ? room : 1);
        assert(next);
        memcpy(next, f->text + f->from, room);
        free(f->window);
        f->window = next;
        if (s)
                csv_move(s, next, room, f->seen < f->n);
}

/* Line ends in front of the byte, and whether one ends there: LF, CR LF, CR. */
static int64_t line_of(const char *text, size_t at)
{
        int64_t line = 1;
        for (size_t i = 0; i < at; i++)
                line += text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
        return line;
}

/* Writes the sound records and says all; how many are sound. */
static size_t read_all(const char *text, size_t n, char separator, size_t piece, struct buf *sound, struct buf *said)
{
        struct feed f = {.text = text, .n = n, .piece = piece};
        struct csv_record r;
        struct err e = {0};
        int64_t line = 0, here;
        size_t records = 0;
        feed_more(&f, NULL);
        struct csv_reader *s = csv_open(f.window, f.seen, separator);
        csv_move(s, csv_at(s, &here), f.seen - (size_t)(csv_at(s, &here) - f.window), f.seen < n);
        for (;;) {
                const int found = csv_next(s, &r, &e);
                if (found == 0 && f.seen == n)
                        break;
                if (found == 0) {
                        feed_more(&f, s);
                        continue;
                }
                assert(r.line > line && r.n > 0 && (found == 1 || (r.n == 1 && e.kind == ERR_INVALID && e.text[0] && e.zh[0])));
                line = r.line;
                if (found == 1)
                        write_record(sound, &r);
                records += found == 1;
                buf_format(said, "%d %lld ", found, (long long)line);
                write_record(said, &r);
                const char *at = csv_at(s, &here);
                const size_t offset = f.from + (size_t)(at - f.window);
                if (f.seen == n) /* else the line may not be skipped yet */
                        assert(offset == n || here == line_of(text, offset));
        }
        csv_close(&s);
        free(f.window);
        return records;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        static const char separators[] = {',', '\t', ';', 0};
        const char separator = separators[n ? bytes[n - 1] % 4 : 0];
        const size_t piece = 3 + (n ? bytes[n - 1] / 4 % 8 : 0); /* a byte order mark is looked for in the first piece */
        struct buf first = BUF_LIMIT((size_t)64 << 20), second = BUF_LIMIT((size_t)64 << 20);
        struct buf whole = BUF_LIMIT((size_t)64 << 20), pieces = BUF_LIMIT((size_t)64 << 20), other = BUF_LIMIT((size_t)64 << 20);
        const char *text = (const char *)bytes;
        const size_t records = read_all(text, n, separator, n + 1, &first, &whole);
        if (separator) {
                assert(read_all(text, n, separator, piece, &other, &pieces) == records && whole.length == pieces.length);
                assert(whole.length == 0 || memcmp(whole.at, pieces.at, whole.length) == 0);
        }
        buf_clear(&pieces);
        if (records > 0)
                assert(read_all(first.at, first.length, ',', first.length + 1, &second, &pieces) == records
                       && strcmp(first.at, second.at) == 0);
        buf_free(&first);
        buf_free(&second);
        buf_free(&whole);
        buf_free(&pieces);
        buf_free(&other);
        return 0;
}
