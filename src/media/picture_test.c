/* media/picture_test.c -- what cameras write is read, and is in no copy; broken pictures do no harm; a scanner's word counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "media/media.h"
#include "media/picture.h"
#include "media/scan.h"
#include <ftw.h>
#include <math.h>

#define SECRET "SECRET-OF-THE-CAMERA"

/* --- making pictures ---------------------------------------------------------------------------------------------------- */
static void put(struct buf *b, uint32_t v, int bytes, bool big)
{
        for (int i = 0; i < bytes; i++)
                buf_byte(b, (char)(v >> 8 * (big ? bytes - 1 - i : i)));
}

static void entry(struct buf *b, bool big, uint32_t tag, uint32_t type, uint32_t count, uint32_t value)
{
        put(b, tag, 2, big);
        put(b, type, 2, big);
        put(b, count, 4, big);
        if (type == 3) {
                put(b, value, 2, big);
                put(b, 0, 2, big);
        } else if (type == 2 && count <= 4) {
                put(b, value, 1, big);
                put(b, 0, 3, big);
        } else {
                put(b, value, 4, big);
        }
}

/* 22 degrees 41 minutes 24.36 seconds north, 114 20 30.6 east; 25 November 2026 09:30:00 +08:00; orientation 6. */
static struct buf exif(bool big, char north, char east, bool zone)
{
        enum { IFD0 = 8, EXIF = IFD0 + 2 + 3 * 12 + 4, GPS = EXIF + 2 + 2 * 12 + 4, DATA = GPS + 2 + 4 * 12 + 4 };
        struct buf b = BUF_LIMIT(4096);
        buf_text(&b, big ? "MM" : "II");
        put(&b, 42, 2, big);
        put(&b, IFD0, 4, big);
        put(&b, 3, 2, big);
        entry(&b, big, 0x0112, 3, 1, 6);
        entry(&b, big, 0x8769, 4, 1, EXIF);
        entry(&b, big, 0x8825, 4, 1, GPS);
        put(&b, 0, 4, big);
        put(&b, 2, 2, big);
        entry(&b, big, 0x9003, 2, 20, DATA + 48);
        entry(&b, big, zone ? 0x9011 : 0x9012, 2, 7, DATA + 68);
        put(&b, 0, 4, big);
        put(&b, 4, 2, big);
        entry(&b, big, 1, 2, 2, (uint32_t)north);
        entry(&b, big, 2, 5, 3, DATA);
        entry(&b, big, 3, 2, 2, (uint32_t)east);
        entry(&b, big, 4, 5, 3, DATA + 24);
        put(&b, 0, 4, big);
        static const uint32_t angles[] = {22, 1, 41, 1, 2436, 100, 114, 1, 20, 1, 306, 10};
        for (size_t i = 0; i < COUNT_OF(angles); i++)
                put(&b, angles[i], 4, big);
        buf_add(&b, "2026:11:25 09:30:00", 20);
        buf_add(&b, "+09:00", 7);
        buf_text(&b, SECRET);
        return b;
}

static void segment(struct buf *b, unsigned marker, const char *bytes, size_t n)
{
        put(b, 0xFF00 | marker, 2, true);
        put(b, (uint32_t)n + 2, 2, true);
        buf_add(b, bytes, n);
}

static struct buf jpeg(const struct buf *x)
{
        struct buf b = BUF_LIMIT(65536), app1 = BUF_LIMIT(4096);
        buf_add(&app1, "Exif\0", 6);
        buf_add(&app1, x->at, x->length);
        buf_add(&b, "\xFF\xD8", 2);
        segment(&b, 0xE0, "JFIF\0\1\1\0\0\1\0\1\0\0", 14);
        segment(&b, 0xE1, app1.at, app1.length);
        segment(&b, 0xE1, "http://ns.adobe.com/xap/1.0/\0" SECRET, 29 + sizeof SECRET - 1);
        segment(&b, 0xE2, "ICC_PROFILE\0\1\1profile", 21);
        segment(&b, 0xE2, "MPF\0" SECRET, 4 + sizeof SECRET - 1);
        segment(&b, 0xED, "Photoshop 3.0\0" SECRET, 14 + sizeof SECRET - 1);
        segment(&b, 0xFE, SECRET, sizeof SECRET - 1);
        segment(&b, 0xDB, "\0tables", 7);
        segment(&b, 0xC0, "\x08\0\x01\0\x01\x01\x01\x11\0", 9);
        segment(&b, 0xDA, "\x01\x01\0\0\x3F\0", 6);
        buf_add(&b, "scan\xFF\0of\xFF\xD0it", 12);
        segment(&b, 0xFE, SECRET, sizeof SECRET - 1); /* between two scans */
        segment(&b, 0xDA, "\x01\x01\0\0\x3F\0", 6);
        buf_add(&b, "more\xFF\xD9", 6);
        buf_text(&b, "and a film behind it: " SECRET);
        buf_free(&app1);
        return b;
}

static void chunk(struct buf *b, const char *name, const char *bytes, size_t n, bool png)
{
        if (png)
                put(b, (uint32_t)n, 4, true);
        buf_text(b, name);
        if (!png)
                put(b, (uint32_t)n, 4, false);
        buf_add(b, bytes, n);
        if (png)
                buf_text(b, "crc!");
        else if (n & 1)
                buf_byte(b, 0);
}

static struct buf png(const struct buf *x)
{
        struct buf b = BUF_LIMIT(65536);
        buf_add(&b, "\x89PNG\r\n\x1A\n", 8);
        chunk(&b, "IHDR", "\0\0\0\1\0\0\0\1\x08\0\0\0\0", 13, true);
        chunk(&b, "tEXt", "Author\0" SECRET, 7 + sizeof SECRET - 1, true);
        chunk(&b, "iTXt", "XML:com.adobe.xmp\0" SECRET, 18 + sizeof SECRET - 1, true);
        chunk(&b, "eXIf", x->at, x->length, true);
        chunk(&b, "caNv", SECRET, sizeof SECRET - 1, true);
        chunk(&b, "IDAT", "pixels", 6, true);
        chunk(&b, "IEND", "", 0, true);
        buf_text(&b, SECRET);
        return b;
}

static struct buf webp(const struct buf *x)
{
        struct buf b = BUF_LIMIT(65536), frame = BUF_LIMIT(4096);
        buf_add(&frame, "frame's 16 bytes", 16);
        chunk(&frame, "XMP ", SECRET, sizeof SECRET - 1, false);
        chunk(&frame, "VP8L", "pixels", 6, false);
        buf_add(&b, "RIFF\0\0\0\0WEBP", 12);
        chunk(&b, "VP8X", "\x2E\0\0\0\0\0\0\0\0\0", 10, false);
        chunk(&b, "ANIM", "\0\0\0\0\0\0", 6, false);
        chunk(&b, "ANMF", frame.at, frame.length, false);
        chunk(&b, "EXIF", x->at, x->length, false);
        chunk(&b, "XMP ", SECRET, sizeof SECRET - 1, false);
        for (int i = 0; i < 4; i++)
                b.at[4 + i] = (char)((b.length - 8) >> 8 * i);
        buf_text(&b, SECRET);
        buf_free(&frame);
        return b;
}

static struct buf gif(const struct buf *x)
{
        struct buf b = BUF_LIMIT(65536);
        (void)x;
        buf_add(&b, "GIF89a\1\0\1\0\x80\0\0rgbRGB", 19);
        buf_add(&b, "\x21\xFF\x0BNETSCAPE2.0\3\1\0\0\0", 19);
        buf_add(&b, "\x21\xFE\x14" SECRET "\0", 3 + 20 + 1);
        buf_add(&b, "\x21\xFF\x0BXMP DataXMP\x14" SECRET "\0", 14 + 1 + 20 + 1);
        buf_add(&b, "\x21\xF9\4\0\0\0\0\0\x2C\0\0\0\0\1\0\1\0\0\2\2\x44\1\0\x3B", 24);
        buf_text(&b, SECRET);
        return b;
}

static struct buf (*const makers[])(const struct buf *) = {jpeg, png, webp, gif};
static const char *const types[] = {"image/jpeg", "image/png", "image/webp", "image/gif"};

static bool holds(const struct buf *b, const char *word)
{
        return memmem(b->at, b->length, word, strlen(word)) != NULL;
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *place)
{
        (void)s;
        (void)flag;
        (void)place;
        return remove(path);
}

static void remove_folder(const char *path)
{
        assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- what is read ------------------------------------------------------------------------------------------------------------ */
static void what_cameras_write_is_read(void **state)
{
        int64_t there = 0, here = 0;
        (void)state;
        assert_true(time_parse("2026-11-25T09:30:00+09:00", 0, &there) && time_parse("2026-11-25T09:30:00+08:00", 0, &here));
        for (int i = 0; i < 8; i++) {
                const bool big = i & 1, west = i & 2, zone = i & 4;
                struct buf x = exif(big, west ? 'S' : 'N', west ? 'W' : 'E', zone);
                for (size_t kind = 0; kind < 3; kind++) {
                        struct buf b = makers[kind](&x);
                        struct picture_facts f;
                        picture_facts(b.at, b.length, &f);
                        assert_true(f.has_point);
                        assert_true(fabs(f.lat - (west ? -22.6901 : 22.6901)) < 1e-9);
                        assert_true(fabs(f.lon - (west ? -114.341833333 : 114.341833333)) < 1e-6);
                        assert_int_equal(f.taken, zone ? there : here);
                        assert_int_equal(f.orientation, 6);
                        buf_free(&b);
                }
                buf_free(&x);
        }
}

static void places_that_are_none(void **state)
{
        struct picture_facts f = {0};
        struct buf x = exif(true, 'X', 'E', true);
        (void)state;
        exif_facts((unsigned char *)x.at, x.length, &f);
        assert_false(f.has_point);
        buf_free(&x);
        x = exif(true, 'N', 'E', true);
        char *degrees = memmem(x.at, x.length, "\0\0\0\x16\0\0\0\1", 8);
        assert_non_null(degrees);
        degrees[3] = 91;
        exif_facts((unsigned char *)x.at, x.length, &f);
        assert_false(f.has_point);
        degrees[3] = 22;
        degrees[7] = 0; /* divided by nothing */
        exif_facts((unsigned char *)x.at, x.length, &f);
        assert_false(f.has_point);
        assert_int_equal(f.orientation, 6);
        buf_free(&x);
}

/* --- what is copied ----------------------------------------------------------------------------------------------------------- */
static void nothing_of_it_is_in_the_copy(void **state)
{
        struct buf x = exif(true, 'N', 'E', true);
        (void)state;
        for (size_t kind = 0; kind < COUNT_OF(makers); kind++) {
                struct buf b = makers[kind](&x), copy = BUF_LIMIT(65536), again = BUF_LIMIT(65536);
                struct picture_facts f;
                assert_true(holds(&b, SECRET));
                assert_true(picture_public(b.at, b.length, &copy));
                assert_false(holds(&copy, SECRET));
                assert_true(text_is(media_type(copy.at, copy.length), types[kind]));
                picture_facts(copy.at, copy.length, &f);
                assert_true(!f.has_point && f.taken == 0);
                assert_int_equal(f.orientation, kind == 0 ? 6 : 0); /* a JPEG would lie on its side without it */
                assert_true(picture_public(copy.at, copy.length, &again));
                assert_int_equal(again.length, copy.length);
                assert_memory_equal(again.at, copy.at, copy.length);
                buf_free(&b);
                buf_free(&copy);
                buf_free(&again);
        }
        buf_free(&x);
}

static void the_picture_itself_stays(void **state)
{
        static const char *const words[][5] = {{"JFIF", "ICC_PROFILE", "tables", "of\xFF\xD0it", "more\xFF\xD9"},
                                               {"IHDR", "IDATpixelscrc!", "IEND"},
                                               {"VP8X", "ANIM", "ANMF", "frame's 16 bytes", "pixels"},
                                               {"NETSCAPE2.0", "rgbRGB", "\x21\xF9", "\x44\1", "\x3B"}};
        struct buf x = exif(false, 'N', 'E', true);
        (void)state;
        for (size_t kind = 0; kind < COUNT_OF(makers); kind++) {
                struct buf b = makers[kind](&x), copy = BUF_LIMIT(65536);
                assert_true(picture_public(b.at, b.length, &copy));
                for (size_t i = 0; i < 5 && words[kind][i]; i++)
                        assert_true(holds(&copy, words[kind][i]));
                if (kind == 2) { /* the flags and both sizes tell what is there now */
                        assert_int_equal(copy.at[20], 0x22);
                        assert_int_equal((unsigned char)copy.at[4] | (unsigned char)copy.at[5] << 8, copy.length - 8);
                        const char *frame = memmem(copy.at, copy.length, "ANMF", 4);
                        assert_int_equal(frame[4], 16 + 8 + 6);
                }
                buf_free(&b);
                buf_free(&copy);
        }
        buf_free(&x);
}

/* Cut anywhere, or with any byte changed: no harm; and what is cut has no copy. */
static void broken_pictures_do_no_harm(void **state)
{
        struct buf x = exif(true, 'N', 'E', true);
        (void)state;
        for (size_t kind = 0; kind < COUNT_OF(makers); kind++) {
                struct buf b = makers[kind](&x), copy = BUF_LIMIT(65536);
                const size_t whole = b.length - strlen(SECRET) - (kind == 0 ? strlen("and a film behind it: ") : 0);
                for (size_t n = 0; n < whole; n++) {
                        char *exact = malloc(n ? n : 1);
                        assert_non_null(exact);
                        memcpy(exact, b.at, n);
                        assert_false(picture_public(exact, n, &copy));
                        buf_clear(&copy);
                        free(exact);
                }
                for (size_t i = 0; i < b.length; i++) {
                        b.at[i] = (char)(b.at[i] ^ 0xFF);
                        (void)!picture_public(b.at, b.length, &copy);
                        b.at[i] = (char)(b.at[i] ^ 0xFF);
                        buf_clear(&copy);
                }
                buf_free(&b);
                buf_free(&copy);
        }
        buf_free(&x);
}

/* --- the scanner ------------------------------------------------------------------------------------------------------- */
struct place {
        char dir[40];
        struct arena *arena;
};

static const char *script(const struct place *p, const char *name, const char *text)
{
        const char *path = arena_format(p->arena, "%s/%s", p->dir, name);
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, 0700), 0);
        return path;
}

static bool there(const char *path)
{
        return access(path, F_OK) == 0;
}

static void a_scanner_has_its_say(void **state)
{
        struct place p = {"/tmp/yiwang-scan-XXXXXX", arena_new()};
        struct buf x = exif(true, 'N', 'E', true), b = png(&x);
        struct media m;
        struct err e = {0};
        (void)state;
        assert_non_null(mkdtemp(p.dir));
        assert_true(media_check(b.at, b.length, &m, &e));
        assert_true(m.has_point && m.taken > 0);
        const char *kept = arena_format(p.arena, "%s/media/%.2s/%s", p.dir, m.hash, m.hash);
        const char *away = arena_format(p.arena, "%s/quarantine/%s", p.dir, m.hash);
        /* As clamscan: the file is the last word; --stdout and the like come before it. */
        const char *finds = script(&p, "finds", "#!/bin/sh\n[ \"$1\" = --quick ] && grep -q " SECRET " \"$2\" && exit 1\nexit 0\n");
        const char *fails = script(&p, "fails", "#!/bin/sh\nexit 2\n"),
                   *sleeps = script(&p, "sleeps", "#!/bin/sh\nsleep 60 & wait\n");
        const char *const busy[] = {fails, sleeps, "/nonexistent/scanner", " "};
        log_least(LOG_ERROR + 1);
        for (size_t i = 0; i < COUNT_OF(busy); i++) {
                const int64_t began = clock_steady();
                assert_false(media_keep(&(struct media_place){p.dir, busy[i], 1}, b.at, &m, &e));
                assert_int_equal(e.kind, ERR_BUSY);
                assert_true(clock_steady() - began < 20 * USEC_SECOND);
                assert_false(there(kept) || there(away));
        }
        const char *quick = arena_format(p.arena, "%s  --quick", finds);
        assert_false(media_keep(&(struct media_place){p.dir, quick, 20}, b.at, &m, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_true(!there(kept) && there(away));
        assert_true(media_keep(&(struct media_place){p.dir, finds, 20}, b.at, &m, &e)); /* without --quick it finds nothing */
        assert_true(there(kept));
        remove_folder(p.dir);
        buf_free(&x);
        buf_free(&b);
        arena_free(&p.arena);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_cameras_write_is_read),   cmocka_unit_test(places_that_are_none),
                cmocka_unit_test(nothing_of_it_is_in_the_copy), cmocka_unit_test(the_picture_itself_stays),
                cmocka_unit_test(broken_pictures_do_no_harm),   cmocka_unit_test(a_scanner_has_its_say),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
