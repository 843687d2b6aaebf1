/* pack/fuzz_encoding.c -- encodings: found alike in whatever pieces the bytes come; what is decoded is UTF-8 but for the damage,
 * comes out alike in pieces, leads back to its bytes, and written in the encoding again it is the same bytes. */
#include "base/buf.h"
#include "base/text.h"
#include "pack/encoding.h"
#include <stdlib.h>
#include <unicode/ucnv.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct input {
        const uint8_t *bytes;
        size_t n, piece;
};

static bool pass(void *ctx, struct fit *f, struct err *e)
{
        const struct input *in = ctx;
        size_t used = 0, seen = 0;
        (void)e;
        do {
                seen = in->n - seen < in->piece ? in->n : seen + in->piece;
                unsigned char *exact = malloc(seen - used + 1);
                assert(exact);
                memcpy(exact + 1, in->bytes + used, seen - used); /* ends where the memory ends */
                const size_t more = fit_add(f, exact + 1, seen - used, seen == in->n);
                assert(more <= seen - used && seen - used - more < 4);
                free(exact);
                used += more;
        } while (seen < in->n);
        assert(used == in->n && f->bytes == (int64_t)in->n && f->usual <= f->wide && f->faults >= 0);
        return true;
}

static bool find(const uint8_t *bytes, size_t n, size_t piece, enum encoding wanted, struct fit *f)
{
        struct input in = {bytes, n, piece};
        struct err e = {0};
        const bool found = encoding_find("f", wanted, pass, &in, f, &e);
        assert(found ? f->encoding != ENCODING_NONE : e.kind == ERR_INVALID && e.text[0] && e.zh[0]);
        assert(f->lines <= (int64_t)n && (f->faults == 0 || (f->fault_at >= 0 && f->fault_at < (int64_t)n && f->fault_line >= 1)));
        return found;
}

static void decode(enum encoding encoding, const uint8_t *bytes, size_t n, size_t piece, struct buf *text)
{
        struct decoder *d = decoder_new(encoding);
        size_t used = 0, seen = 0;
        do {
                seen = n - seen < piece ? n : seen + piece;
                uint8_t *exact = malloc(seen - used + 1);
                assert(exact);
                memcpy(exact + 1, bytes + used, seen - used);
                used += decoder_add(d, exact + 1, seen - used, seen == n, text);
                free(exact);
        } while (seen < n);
        assert(used == n && !text->overflow);
        decoder_free(&d);
}

/* Every byte FF is a damaged place; between them the text is UTF-8, and the same bytes when it is written again. */
static void check_text(enum encoding encoding, const uint8_t *bytes, size_t n, const struct buf *text)
{
        for (size_t at = 0; at < text->length;) {
                const char *from = text->at + at, *stop = memchr(from, 0xFF, text->length - at);
                const size_t length = (size_t)((stop ? stop : text->at + text->length) - from);
                for (size_t k = 0; k < length; k += k < length) { /* NUL bytes are text here */
                        k += text_utf8_fault(from + k, length - k);
                        assert(k == length || from[k] == '\0');
                }
                const size_t begin = decoder_back(encoding, bytes, n, text->at, at);
                const size_t end = decoder_back(encoding, bytes, n, text->at, at + length);
                assert(begin <= end && end <= n);
                UErrorCode code = U_ZERO_ERROR;
                char *again = malloc(4 * length + 8);
                assert(again);
                const int32_t size = ucnv_convert(encoding_name(encoding), "UTF-8", again, (int32_t)(4 * length + 8), from,
                                                  (int32_t)length, &code);
                if (length > 0 && memmem(from, length, "\xEF\xBF\xBD", 3) == NULL)
                        assert(U_SUCCESS(code) && (size_t)size == end - begin && memcmp(again, bytes + begin, end - begin) == 0);
                free(again);
                at += length + 1;
        }
        assert(decoder_back(encoding, bytes, n, text->at ? text->at : "", text->length) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        const size_t piece = n ? 1 + bytes[n - 1] % 9 : 1;
        struct fit whole, pieces;
        const bool found = find(bytes, n, n + 1, ENCODING_NONE, &whole);
        assert(find(bytes, n, piece, ENCODING_NONE, &pieces) == found && memcmp(&whole, &pieces, sizeof whole) == 0);
        for (int e = ENCODING_UTF16LE; e <= ENCODING_GB18030; e++) {
                struct buf text = BUF_LIMIT((size_t)64 << 20), again = BUF_LIMIT((size_t)64 << 20);
                decode((enum encoding)e, bytes, n, n + 1, &text);
                decode((enum encoding)e, bytes, n, piece, &again);
                assert(text.length == again.length && (text.length == 0 || memcmp(text.at, again.at, text.length) == 0));
                check_text((enum encoding)e, bytes, n, &text);
                (void)find(bytes, n, n + 1, (enum encoding)e, &pieces);
                assert((pieces.faults > 0) == (text.length > 0 && memchr(text.at, 0xFF, text.length) != NULL)
                       || e == ENCODING_GB18030);
                buf_free(&text);
                buf_free(&again);
        }
        return 0;
}
