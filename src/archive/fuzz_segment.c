/* archive/fuzz_segment.c -- a segment of foreign bytes: records that are found stay within it, and their frames within a page. */
#include "archive/inside.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *given, size_t n);

static void check_frames(const struct record *r, const struct segment_head *h, unsigned char *page)
{
        const unsigned char *p = r->body, *end = r->body + r->n;
        struct frame f;
        uint32_t sum[2] = {0, 0};
        for (uint32_t i = 0; i < r->frames; i++) {
                assert(frame_get(&p, end, h->page_size, &f) && f.number > 0);
                frame_apply(&f, h->page_size, page);
                (void)!frame_sum(f.head, page, h->page_size, h->big, sum);
        }
        assert(p == end);
}

/* Checksums would keep the fuzzer out: with the first byte odd they are made right. */
static void mend(unsigned char *bytes, size_t n)
{
        for (size_t at = 0; n >= SEGMENT_HEAD + RECORD_HEAD && at + SEGMENT_HEAD + RECORD_HEAD <= n;) {
                unsigned char *p = bytes + SEGMENT_HEAD + at;
                const size_t left = n - SEGMENT_HEAD - at - RECORD_HEAD, body = get32(p + 4) < left ? get32(p + 4) : left;
                put32(p + 48, record_crc(0, p + RECORD_HEAD, body));
                put32(p + 52, record_crc(0, p, 52));
                at += RECORD_HEAD + body;
        }
        if (n >= SEGMENT_HEAD)
                put32(bytes + 60, record_crc(0, bytes, 60));
}

int LLVMFuzzerTestOneInput(const uint8_t *given, size_t n)
{
        if (n < 1)
                return 0;
        unsigned char *bytes = malloc(n), *page = NULL;
        if (!bytes)
                abort();
        memcpy(bytes, given + 1, --n);
        if (given[0] & 1)
                mend(bytes, n);
        struct segment_head h;
        struct record r;
        size_t at = SEGMENT_HEAD, before = at;
        if (segment_head_get(bytes, n, &h)) {
                assert(strlen(h.chain) <= CHAIN && h.page_size >= 512 && h.page_size <= PAGE_MOST);
                if (!(page = calloc(1, h.page_size))) /* no larger, so that a byte too far is seen */
                        abort();
                while (record_get(bytes, n, &at, &h, &r) == FOUND_RECORD) {
                        assert(at > before && at <= n && r.body >= bytes && r.body + r.n <= bytes + n);
                        if (r.kind == RECORD_COMMIT)
                                check_frames(&r, &h, page);
                        before = at;
                }
                assert(at == before);
        }
        free(bytes);
        free(page);
        return 0;
}
