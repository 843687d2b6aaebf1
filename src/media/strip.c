/* media/strip.c -- walks JPEG, PNG, WebP and GIF: copies what is the picture, hands Exif blocks to exif.c.  See picture.h. */
#include "media/picture.h"
#include "media/media.h"
#include "base/text.h"

/* out NULL: only facts; facts NULL: only the copy. */
struct walk {
        const unsigned char *at;
        size_t n;
        struct buf *out;
        struct picture_facts *facts;
};

static bool inside(const struct walk *w, size_t at, size_t n)
{
        return at <= w->n && n <= w->n - at;
}

static void copy(const struct walk *w, size_t at, size_t n)
{
        if (w->out)
                buf_add(w->out, w->at + at, n);
}

static void exif_at(const struct walk *w, size_t at, size_t n)
{
        static const char mark[6] = "Exif\0";
        if (!w->facts)
                return;
        const bool marked = n >= sizeof mark && memcmp(w->at + at, mark, sizeof mark) == 0;
        exif_facts(w->at + at + (marked ? sizeof mark : 0), n - (marked ? sizeof mark : 0), w->facts);
}

/* --- JPEG (ITU T.81, annex B) ------------------------------------------------------------------------------------------------ */
static bool begins(const struct walk *w, size_t at, size_t n, const char *what, size_t what_n)
{
        return n >= what_n && memcmp(w->at + at, what, what_n) == 0;
}

/* Tables and frames, and of the application's segments what decoders need for size and colours. */
static bool jpeg_keeps(const struct walk *w, unsigned marker, size_t at, size_t n)
{
        if (marker == 0xE0)
                return begins(w, at, n, "JFIF", 5);
        if (marker == 0xE2)
                return begins(w, at, n, "ICC_PROFILE", 12);
        if (marker == 0xEE)
                return begins(w, at, n, "Adobe", 5) && n == 12;
        return marker >= 0xC0 && marker <= 0xDF && marker != 0xC8;
}

/* Behind a scan's entropy-coded bytes: at the next marker that is none of theirs. */
static size_t scan_end(const struct walk *w, size_t at)
{
        for (; inside(w, at, 2); at++)
                if (w->at[at] == 0xFF && w->at[at + 1] != 0 && w->at[at + 1] != 0xFF
                    && (w->at[at + 1] < 0xD0 || w->at[at + 1] > 0xD7))
                        return at;
        return w->n;
}

static void put_orientation(const struct walk *w, int orientation)
{
        unsigned char segment[] = {0xFF, 0xE1, 0, 34,   'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
                                   0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, 0,   0,   0, 0,  0, 0, 0, 0};
        segment[29] = (unsigned char)orientation;
        if (w->out && orientation > 1)
                buf_add(w->out, segment, sizeof segment);
}

/* One segment, with the scan behind it when it begins one; 0 when it is none. */
static size_t jpeg_segment(const struct walk *w, size_t at)
{
        const unsigned marker = w->at[at + 1];
        const size_t length = (size_t)w->at[at + 2] << 8 | w->at[at + 3];
        if (marker < 0xC0 || (marker >= 0xD0 && marker <= 0xD8) || length < 2 || !inside(w, at + 2, length))
                return 0;
        if (marker == 0xE1 && begins(w, at + 4, length - 2, "Exif\0", 6))
                exif_at(w, at + 4, length - 2);
        const size_t end = marker == 0xDA ? scan_end(w, at + 2 + length) : at + 2 + length;
        if (jpeg_keeps(w, marker, at + 4, length - 2))
                copy(w, at, end - at);
        return end;
}

static bool walk_jpeg(const struct walk *w, int orientation)
{
        size_t at = 2;
        copy(w, 0, 2);
        put_orientation(w, orientation);
        while (inside(w, at, 4) && w->at[at] == 0xFF && w->at[at + 1] != 0xD9) {
                at = w->at[at + 1] == 0xFF ? at + 1 /* a fill byte */ : jpeg_segment(w, at);
                if (at == 0)
                        return false;
        }
        if (!inside(w, at, 2) || w->at[at] != 0xFF || w->at[at + 1] != 0xD9)
                return false;
        copy(w, at, 2);
        return true;
}

/* --- PNG (ISO/IEC 15948) --------------------------------------------------------------------------------------------------- */
static bool one_of(const unsigned char *name, const char *const *list)
{
        for (; *list; list++)
                if (memcmp(name, *list, 4) == 0)
                        return true;
        return false;
}

static size_t get32_big(const unsigned char *p)
{
        return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

static bool walk_png(const struct walk *w)
{
        static const char *const kept[] = {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP",
                                           "cICP", "sBIT", "bKGD", "pHYs", "hIST", "acTL", "fcTL", "fdAT", NULL};
        size_t at = 8;
        copy(w, 0, 8);
        while (inside(w, at, 12)) {
                const size_t length = get32_big(w->at + at);
                const unsigned char *name = w->at + at + 4;
                if (!inside(w, at, length + 12))
                        return false;
                if (memcmp(name, "eXIf", 4) == 0)
                        exif_at(w, at + 8, length);
                if (one_of(name, kept))
                        copy(w, at, length + 12);
                if (memcmp(name, "IEND", 4) == 0)
                        return true;
                at += length + 12;
        }
        return false;
}

/* --- WebP (RFC 9649) --------------------------------------------------------------------------------------------------- */
static size_t get32_little(const unsigned char *p)
{
        return (size_t)p[3] << 24 | (size_t)p[2] << 16 | (size_t)p[1] << 8 | p[0];
}

static void put32_little(char *p, size_t n)
{
        for (int i = 0; i < 4; i++)
                p[i] = (char)(n >> 8 * i & 0xFF);
}

static void set_size(const struct walk *w, size_t from)
{
        if (w->out && !w->out->overflow)
                put32_little(w->out->at + from + 4, w->out->length - from - 8);
}

static bool walk_chunks(const struct walk *w, size_t at, size_t end, bool in_frame);

/* A frame of a film has chunks of its own, behind 16 bytes. */
static bool walk_frame(const struct walk *w, size_t at, size_t length)
{
        const size_t from = w->out ? w->out->length : 0;
        if (length < 16)
                return false;
        copy(w, at, 8 + 16);
        if (!walk_chunks(w, at + 8 + 16, at + 8 + length, true))
                return false;
        set_size(w, from);
        return true;
}

static void copy_chunk(const struct walk *w, size_t at, size_t length)
{
        static const char *const kept[] = {"VP8 ", "VP8L", "VP8X", "ANIM", "ALPH", "ICCP", NULL};
        const size_t from = w->out ? w->out->length : 0;
        if (!one_of(w->at + at, kept))
                return;
        copy(w, at, 8 + length + (length & 1));
        if (memcmp(w->at + at, "VP8X", 4) == 0 && length > 0 && w->out && !w->out->overflow)
                w->out->at[from + 8] &= (char)~0x0C; /* it has no Exif and no XMP any more */
}

/* Chunks from `at` to `end`. */
static bool walk_chunks(const struct walk *w, size_t at, size_t end, bool in_frame)
{
        while (end - at >= 8) {
                const size_t length = get32_little(w->at + at + 4), padded = length + (length & 1);
                if (padded > end - at - 8)
                        return false;
                if (memcmp(w->at + at, "EXIF", 4) == 0)
                        exif_at(w, at + 8, length);
                if (memcmp(w->at + at, "ANMF", 4) != 0 || in_frame)
                        copy_chunk(w, at, length);
                else if (!walk_frame(w, at, length))
                        return false;
                at += 8 + padded;
        }
        return at == end;
}

static bool walk_webp(const struct walk *w)
{
        const size_t length = get32_little(w->at + 4), from = w->out ? w->out->length : 0;
        if (length < 4 || !inside(w, 8, length))
                return false;
        copy(w, 0, 12);
        if (!walk_chunks(w, 12, 8 + length, 0))
                return false;
        set_size(w, from);
        return true;
}

/* --- GIF (89a specification) ------------------------------------------------------------------------------------------- */
static size_t table_size(unsigned flags)
{
        return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* Behind the sub-blocks that begin at `at`; 0 when they have no end. */
static size_t blocks_end(const struct walk *w, size_t at)
{
        while (inside(w, at, 1) && w->at[at] != 0)
                at += (size_t)w->at[at] + 1;
        return inside(w, at, 1) ? at + 1 : 0;
}

/* Of extensions: how to show a frame, and how often to repeat all. */
static bool gif_keeps(const struct walk *w, size_t at)
{
        const unsigned label = w->at[at + 1];
        return label == 0xF9
               || (label == 0xFF && inside(w, at, 14) && w->at[at + 2] == 11
                   && (memcmp(w->at + at + 3, "NETSCAPE2.0", 11) == 0 || memcmp(w->at + at + 3, "ANIMEXTS1.0", 11) == 0));
}

static bool walk_gif(const struct walk *w)
{
        if (!inside(w, 0, 13) || !inside(w, 13, table_size(w->at[10])))
                return false;
        size_t at = 13 + table_size(w->at[10]), end;
        copy(w, 0, at);
        while (inside(w, at, 2) && w->at[at] != 0x3B) {
                if (w->at[at] == 0x21)
                        end = blocks_end(w, at + 2);
                else if (w->at[at] == 0x2C && inside(w, at, 11))
                        end = blocks_end(w, at + 10 + table_size(w->at[at + 9]) + 1);
                else
                        return false;
                if (end == 0)
                        return false;
                if (w->at[at] == 0x2C || gif_keeps(w, at))
                        copy(w, at, end - at);
                at = end;
        }
        if (!inside(w, at, 1) || w->at[at] != 0x3B)
                return false;
        copy(w, at, 1);
        return true;
}

static bool walk(const struct walk *w, int orientation)
{
        const char *type = media_type(w->at, w->n);
        if (text_is(type, "image/jpeg"))
                return walk_jpeg(w, orientation);
        if (text_is(type, "image/png"))
                return walk_png(w);
        if (text_is(type, "image/webp"))
                return walk_webp(w);
        return text_is(type, "image/gif") && walk_gif(w);
}

void picture_facts(const void *bytes, size_t n, struct picture_facts *f)
{
        *f = (struct picture_facts){.has_point = false};
        (void)walk(&(struct walk){.at = bytes, .n = n, .facts = f}, 0);
}

/* With the first chunk of a broken WebP goes what it is known by: what is left is none. */
bool picture_public(const void *bytes, size_t n, struct buf *out)
{
        const size_t from = out->length;
        struct picture_facts f;
        picture_facts(bytes, n, &f);
        return walk(&(struct walk){.at = bytes, .n = n, .out = out}, f.orientation) && !out->overflow
               && text_is(media_type(out->at + from, out->length - from), media_type(bytes, n));
}
