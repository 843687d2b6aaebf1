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
        put32(out + 60, record_crc(0, out, 60));
}

static bool page_size_ok(uint32_t n)
{
        return n >= 512 && n <= PAGE_MOST && (n & (n - 1)) == 0;
}

bool segment_head_get(const unsigned char *p, size_t n, struct segment_head *h)
{
        if (n < SEGMENT_HEAD || memcmp(p, MAGIC, sizeof MAGIC) != 0 || get32(p + 60) != record_crc(0, p, 60))
                return false;
        memcpy(h->chain, p + 8, CHAIN);
        h->chain[CHAIN] = '\0';
        h->number = get32(p + 24);
        h->page_size = get32(p + 28);
        h->time = get64(p + 32);
        memcpy(h->from.salt, p + 40, SALT);
        h->from.frame = get32(p + 48);
        return page_size_ok(h->page_size);
}

void record_head_put(const struct record *r, uint32_t crc, unsigned char out[RECORD_HEAD])
{
        put32(out, (uint32_t)r->kind);
        put32(out + 4, (uint32_t)r->n);
        put64(out + 8, r->time);
        memcpy(out + 16, r->from.salt, SALT);
        put32(out + 24, r->from.frame);
        put32(out + 28, r->frames);
        put32(out + 32, r->pages);
        put32(out + 36, 0);
        put32(out + 40, crc);
        put32(out + 44, record_crc(0, out, 44));
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

/* Every frame is of the same beginning of the log and is of a page; the last ends a commit. */
static bool frames_ok(const struct record *r, uint32_t page_size)
{
        const size_t step = FRAME_HEAD + page_size;
        if (r->frames == 0 || r->n != (size_t)r->frames * step || r->from.frame > UINT32_MAX - r->frames || r->pages == 0)
                return false;
        for (uint32_t i = 0; i < r->frames; i++) {
                const unsigned char *f = r->body + i * step;
                if (get32_big(f) == 0 || memcmp(f + 8, r->from.salt, SALT) != 0)
                        return false;
        }
        return get32_big(r->body + (r->frames - 1) * step + 4) == r->pages;
}

static bool moved_ok(struct record *r)
{
        if (r->n != MOVED_BODY || r->frames != 0)
                return false;
        r->file.size = get64(r->body);
        r->file.changed = get64(r->body + 8);
        return true;
}

enum found record_get(const unsigned char *bytes, size_t n, size_t *at, uint32_t page_size, struct record *r)
{
        const size_t left = n - *at;
        const unsigned char *p = bytes + *at;
        if (left == 0)
                return FOUND_END;
        if (left < RECORD_HEAD || all_zero(p, RECORD_HEAD))
                return FOUND_TORN;
        if (get32(p + 44) != record_crc(0, p, 44))
                return FOUND_DAMAGED;
        *r = (struct record){.kind = (enum record_kind)get32(p), .n = get32(p + 4), .time = get64(p + 8)};
        memcpy(r->from.salt, p + 16, SALT);
        r->from.frame = get32(p + 24);
        r->frames = get32(p + 28);
        r->pages = get32(p + 32);
        r->body = p + RECORD_HEAD;
        if (left - RECORD_HEAD < r->n)
                return FOUND_TORN;
        if (get32(p + 40) != record_crc(0, r->body, r->n))
                return FOUND_DAMAGED;
        if (r->kind == RECORD_COMMIT ? !frames_ok(r, page_size) : r->kind != RECORD_MOVED || !moved_ok(r))
                return FOUND_DAMAGED;
        *at += RECORD_HEAD + r->n;
        return FOUND_RECORD;
}
