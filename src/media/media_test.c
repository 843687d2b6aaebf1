/* media/media_test.c -- what is taken for a picture, and what is on disk after it is kept. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/text.h"
#include "media/media.h"

#define PNG "\x89PNG\r\n\x1A\nrest"

static void known_by_their_first_bytes(void **state)
{
        static const struct {
                const char *bytes;
                size_t n;
                const char *type;
        } cases[] = {
                {"\xFF\xD8\xFF\xE0", 4, "image/jpeg"},
                {PNG, 12, "image/png"},
                {"GIF89a", 6, "image/gif"},
                {"GIF87a", 6, "image/gif"},
                {"RIFF1234WEBPVP8 ", 16, "image/webp"},
                {"RIFF1234WAVE", 12, NULL},
                {"GIF88a", 6, NULL},
                {"\x89PNG", 4, NULL},
                {"<svg", 4, NULL},
                {"", 0, NULL},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++)
                assert_true(text_is(media_type(cases[i].bytes, cases[i].n), cases[i].type));
}

static void refuses_what_is_none(void **state)
{
        struct media m;
        struct err e;
        char *huge = calloc(1, MEDIA_BYTES_MOST + 1);
        (void)state;
        assert_non_null(huge);
        memcpy(huge, PNG, 12);
        assert_false(media_check("", 0, &m, &e));
        assert_false(media_check("text", 4, &m, &e));
        assert_int_equal(e.kind, ERR_INVALID);
        assert_true(media_check(huge, MEDIA_BYTES_MOST, &m, &e));
        assert_false(media_check(huge, MEDIA_BYTES_MOST + 1, &m, &e));
        free(huge);
}

/* Names in a folder besides . and .. */
static int entries(const char *path)
{
        DIR *d = opendir(path);
        int n = 0;
        assert_non_null(d);
        for (const struct dirent *entry; (entry = readdir(d)) != NULL;)
                n += entry->d_name[0] != '.';
        assert_int_equal(closedir(d), 0);
        return n;
}

static void remove_all(const char *data, const char *hash)
{
        char path[400];
        (void)snprintf(path, sizeof path, "%s/media/%.2s/%s", data, hash, hash);
        assert_int_equal(unlink(path), 0);
        (void)snprintf(path, sizeof path, "%s/media/%.2s", data, hash);
        assert_int_equal(rmdir(path), 0);
        (void)snprintf(path, sizeof path, "%s/media", data);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(rmdir(data), 0);
}

static void kept_once_and_read_back(void **state)
{
        char data[] = "/tmp/yiwang-media-XXXXXX", path[400], *bytes;
        struct arena *a = arena_new();
        struct media m;
        struct err e;
        size_t n;
        (void)state;
        assert_non_null(mkdtemp(data));
        assert_true(media_check(PNG, 12, &m, &e));
        assert_false(media_read(a, data, m.hash, &bytes, &n, &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
        for (int i = 0; i < 2; i++)
                assert_true(media_keep(&(struct media_place){.data = data}, PNG, &m, &e));
        (void)snprintf(path, sizeof path, "%s/media", data);
        assert_int_equal(entries(path), 1); /* nothing is left under another name */
        assert_true(media_read(a, data, m.hash, &bytes, &n, &e));
        assert_int_equal(n, 12);
        assert_memory_equal(bytes, PNG, 12);

        /* Half of it, as if the disk had lost the rest, is mended by the next time it comes. */
        (void)snprintf(path, sizeof path, "%s/media/%.2s/%s", data, m.hash, m.hash);
        assert_int_equal(truncate(path, 6), 0);
        assert_false(media_read(a, data, m.hash, &bytes, &n, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_true(media_keep(&(struct media_place){.data = data}, PNG, &m, &e));
        assert_true(media_read(a, data, m.hash, &bytes, &n, &e));
        remove_all(data, m.hash);
        arena_free(&a);
}

static void names_that_are_no_hash(void **state)
{
        static const char *const names[] = {"", "x", "../../etc/passwd",
                                            "0000000000000000000000000000000000000000000000000000000000000000/..",
                                            "ABCDEF0000000000000000000000000000000000000000000000000000000000"};
        struct arena *a = arena_new();
        struct err e;
        char *bytes;
        size_t n;
        (void)state;
        for (size_t i = 0; i < COUNT_OF(names); i++) {
                assert_false(media_read(a, "/tmp", names[i], &bytes, &n, &e));
                assert_int_equal(e.kind, ERR_NOT_FOUND);
        }
        arena_free(&a);
}

static void no_folder_no_picture(void **state)
{
        struct media m;
        struct err e;
        (void)state;
        assert_true(media_check(PNG, 12, &m, &e));
        assert_false(media_keep(&(struct media_place){.data = NULL}, PNG, &m, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        assert_false(media_keep(&(struct media_place){.data = "/proc/nowhere"}, PNG, &m, &e));
        assert_int_equal(e.kind, ERR_FAULT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_by_their_first_bytes), cmocka_unit_test(refuses_what_is_none),
                cmocka_unit_test(kept_once_and_read_back),    cmocka_unit_test(names_that_are_no_hash),
                cmocka_unit_test(no_folder_no_picture),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
