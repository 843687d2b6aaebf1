/* archive/segment.c -- the bytes of a segment; see inside.h.  Pure; fuzzed. */
#include "archive/inside.h"
#include <zlib.h>

static const unsigned char MAGIC[8] = "YWSEG01\n";

void put32(unsigned char *p, uint32_t x)
{
        for (int i = 0; i < 4; i++)
                p[i] = (unsigned char)(x >> (8 * i));
}

uint32_t get32(const unsigned char *p)
{
        return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t get32_big(const unsigned char *p)
{
        return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

static void put64(unsigned char *p, int64_t x)
{
        put32(p, (uint32_t)(uint64_t)x);
        put32(p + 4, (uint32_t)((uint64_t)x >> 32));
}

static int64_t get64(const unsigned char *p)
{
        return (int64_t)((uint64_t)get32(p) | (uint64_t)get32(p + 4) << 32);
}

uint32_t record_crc(uint32_t before, const void *bytes, size_t n)
{
        return (uint32_t)crc32_z(before, bytes, n);
}

static uint32_t crc(const void *bytes, size_t n)
{
        return record_crc(0, bytes, n);
}

/* --- heads ------------------------------------------------------------------------------------------------------------------ */
void segment_head_put(const struct segment_head *h, unsigned char out[SEGMENT_HEAD])
{
        memset(out, 0, SEGMENT_HEAD);
        memcpy(out, MAGIC, sizeof MAGIC);
        memcpy(out + 8, h->chain, CHAIN);
        put32(out + 24, h->number);
        put32(out + 28, h->page_size);
        put64(out + 32, h->time);
        memcpy(out + 40, h->from.salt, SALT);
        put32(out + 48, h->from.frame);
        out[52] = h->big;
        put32(out + 60, crc(out, 60));
}

static bool page_size_ok(uint32_t n)
{
        return n >= 512 && n <= PAGE_MOST && (n & (n - 1)) == 0;
}

bool segment_head_get(const unsigned char *p, size_t n, struct segment_head *h)
{
        if (n < SEGMENT_HEAD || memcmp(p, MAGIC, sizeof MAGIC) != 0 || get32(p + 60) != crc(p, 60))
                return false;
        memcpy(h->chain, p + 8, CHAIN);
        h->chain[CHAIN] = '\0';
        h->number = get32(p + 24);
        h->page_size = get32(p + 28);
        h->time = get64(p + 32);
        memcpy(h->from.salt, p + 40, SALT);
        h->from.frame = get32(p + 48);
        h->big = p[52] != 0;
        return page_size_ok(h->page_size);
}

void record_head_put(const struct record *r, uint32_t body_crc, unsigned char out[RECORD_HEAD])
{
        memset(out, 0, RECORD_HEAD);
        put32(out, (uint32_t)r->kind);
        put32(out + 4, (uint32_t)r->n);
        put64(out + 8, r->time);
        memcpy(out + 16, r->from.salt, SALT);
        put32(out + 24, r->from.frame);
        put32(out + 28, r->frames);
        put32(out + 32, r->pages);
        memcpy(out + 40, r->before, SUM);
        put32(out + 48, body_crc);
        put32(out + 52, crc(out, 52));
}

void moved_put(const struct record *r, unsigned char out[MOVED_BODY])
{
        put64(out, r->file.size);
        put64(out + 8, r->file.changed);
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */
static bool all_zero(const unsigned char *p, size_t n)
{
        while (n > 0 && p[n - 1] == 0)
                n--;
        return n == 0;
}

/* --- frames -------------------------------------------------------------------------------------------------------------- */
static void put16(unsigned char *p, size_t x)
{
        p[0] = (unsigned char)x;
        p[1] = (unsigned char)(x >> 8);
}

static size_t get16(const unsigned char *p)
{
        return (size_t)p[0] | (size_t)p[1] << 8;
}

bool frame_get(const unsigned char **p, const unsigned char *end, uint32_t page_size, struct frame *f)
{
        if ((size_t)(end - *p) < FRAME_HEAD + 2)
                return false;
        *f = (struct frame){.head = *p, .number = get32_big(*p), .n_runs = (uint32_t)get16(*p + FRAME_HEAD)};
        *p += FRAME_HEAD + 2;
        if (f->number == 0)
                return false;
        if (f->n_runs == WHOLE_PAGE) {
                f->page = *p;
                if ((size_t)(end - *p) < page_size)
                        return false;
                *p += page_size;
                return true;
        }
        f->runs = *p;
        for (uint32_t i = 0; i < f->n_runs; i++) {
                if (end - *p < 4)
                        return false;
                const size_t at = get16(*p), n = get16(*p + 2);
                *p += 4;
                if (at + n > page_size || (size_t)(end - *p) < n)
                        return false;
                *p += n;
        }
        return true;
}

void frame_apply(const struct frame *f, uint32_t page_size, unsigned char *page)
{
        const unsigned char *p = f->runs;
        if (f->page) {
                memcpy(page, f->page, page_size);
                return;
        }
        for (uint32_t i = 0; i < f->n_runs; i++) {
                const size_t n = get16(p + 2);
                memcpy(page + get16(p), p + 4, n);
                p += 4 + n;
        }
}

/* The next eight bytes from `at` on that differ, or do not. */
static size_t next_word(const unsigned char *a, const unsigned char *b, size_t at, size_t n, bool differ)
{
        while (at < n && (memcmp(a + at, b + at, 8) != 0) != differ)
                at += 8;
        return at;
}

size_t frame_put(const unsigned char *head, const unsigned char *page, const unsigned char *before, uint32_t page_size,
                 unsigned char *out)
{
        size_t used = FRAME_HEAD + 2, runs = 0;
        memcpy(out, head, FRAME_HEAD);
        for (size_t at = 0; before && (at = next_word(page, before, at, page_size, true)) < page_size; runs++) {
                size_t end = next_word(page, before, at, page_size, false);
                if (end - at > UINT16_MAX - 8)
                        end = at + UINT16_MAX / 8 * 8 - 8;
                if (used + 4 + (end - at) > page_size) {
                        before = NULL; /* the whole page is shorter */
                        break;
                }
                put16(out + used, at);
                put16(out + used + 2, end - at);
                memcpy(out + used + 4, page + at, end - at);
                used += 4 + (end - at);
                at = end;
        }
        if (before) {
                put16(out + FRAME_HEAD, runs);
                return used;
        }
        put16(out + FRAME_HEAD, WHOLE_PAGE);
        memcpy(out + FRAME_HEAD + 2, page, page_size);
        return FRAME_HEAD + 2 + (size_t)page_size;
}

/* SQLite's checksum of its log, section 4.2 of the file format. */
static void count_on(const unsigned char *p, size_t n, bool big, uint32_t s[2])
{
        for (size_t i = 0; i < n; i += 8) {
                s[0] += (big ? get32_big(p + i) : get32(p + i)) + s[1];
                s[1] += (big ? get32_big(p + i + 4) : get32(p + i + 4)) + s[0];
        }
}

bool frame_sum(const unsigned char *head, const unsigned char *page, uint32_t page_size, bool big, uint32_t sum[2])
{
        count_on(head, 8, big, sum);
        count_on(page, page_size, big, sum);
        return sum[0] == get32_big(head + 16) && sum[1] == get32_big(head + 20);
}

/* Every frame is of the same beginning of the log; the last ends a commit. */
static bool frames_ok(const struct record *r, const struct segment_head *h)
{
        const unsigned char *p = r->body, *end = r->body + r->n;
        struct frame f = {.number = 0};
        if (r->frames == 0 || r->from.frame > UINT32_MAX - r->frames || r->pages == 0)
                return false;
        for (uint32_t i = 0; i < r->frames; i++)
                if (!frame_get(&p, end, h->page_size, &f) || memcmp(f.head + 8, r->from.salt, SALT) != 0)
                        return false;
        return p == end && get32_big(f.head + 4) == r->pages;
}

static bool moved_ok(struct record *r)
{
        if (r->n != MOVED_BODY || r->frames != 0)
                return false;
        r->file.size = get64(r->body);
        r->file.changed = get64(r->body + 8);
        return true;
}

enum found record_get(const unsigned char *bytes, size_t n, size_t *at, const struct segment_head *h, struct record *r)
{
        const size_t left = n - *at;
        const unsigned char *p = bytes + *at;
        if (left == 0)
                return FOUND_END;
        if (left < RECORD_HEAD || all_zero(p, RECORD_HEAD))
                return FOUND_TORN;
        if (get32(p + 52) != crc(p, 52))
                return FOUND_DAMAGED;
        *r = (struct record){.kind = (enum record_kind)get32(p), .n = get32(p + 4), .time = get64(p + 8)};
        memcpy(r->from.salt, p + 16, SALT);
        r->from.frame = get32(p + 24);
        r->frames = get32(p + 28);
        r->pages = get32(p + 32);
        memcpy(r->before, p + 40, SUM);
        r->body = p + RECORD_HEAD;
        if (left - RECORD_HEAD < r->n)
                return FOUND_TORN;
        if (get32(p + 48) != crc(r->body, r->n))
                return FOUND_DAMAGED;
        if (r->kind == RECORD_COMMIT ? !frames_ok(r, h) : r->kind != RECORD_MOVED || !moved_ok(r))
                return FOUND_DAMAGED;
        *at += RECORD_HEAD + r->n;
        return FOUND_RECORD;
}
