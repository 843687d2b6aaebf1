/* crypto/seal_test.c -- sealing under many keys and two ciphers, published vectors, tampering, the key file and who watches it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "crypto/inside.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

#define SECRET_1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SECRET_2 "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
static const char one_key[] = "1 aes 2026-11-25T12:00:00+08:00 " SECRET_1 "\n";
static const char two_keys[] =
        "# a comment\n\n1 aes 2026-11-25T12:00:00+08:00 " SECRET_1 "\r\n7 sm4 2027-11-25T12:00:00+08:00 " SECRET_2;

static struct keys *keys_of(const char *text)
{
        struct err e;
        struct keys *k = keys_parse(text, strlen(text), &e);
        ok(k != NULL, &e);
        return k;
}

/* --- key files ------------------------------------------------------------------------------------------------------------ */
static void a_key_file_is_read(void **state)
{
        struct keys *k = keys_of(two_keys);
        int64_t made;
        (void)state;
        assert_int_equal(keys_count(k), 2);
        assert_int_equal(keys_active(k), 7);
        assert_int_equal(keys_at(k, 0).number, 1);
        assert_int_equal(keys_at(k, 0).cipher, SEAL_AES);
        assert_int_equal(keys_at(k, 1).cipher, SEAL_SM4);
        assert_true(time_parse("2027-11-25T12:00:00+08:00", 0, &made));
        assert_int_equal(keys_at(k, 1).made, made);
        keys_free(&k);
        assert_null(k);
}

static void what_is_no_key_file_is_refused(void **state)
{
        static const char *const bad[] = {
                "",
                "# nothing\n",
                "1 aes 2026-11-25T12:00:00.5+08:00\n",
                "1 des 2026-11-25T12:00:00+08:00 " SECRET_1,
                "0 aes 2026-11-25T12:00:00+08:00 " SECRET_1,
                "65536 aes 2026-11-25T12:00:00+08:00 " SECRET_1,
                "1 aes yesterday " SECRET_1,
                "1 aes 2026-11-25T12:00:00+08:00 " SECRET_1 "0",
                "1 aes 2026-11-25T12:00:00+08:00 " SECRET_1 " more",
                "2 aes 2026-11-25T12:00:00+08:00 " SECRET_1 "\n2 aes 2026-11-25T12:00:00+08:00 " SECRET_2,
        };
        struct err e;
        (void)state;
        for (size_t i = 0; i < COUNT_OF(bad); i++) {
                assert_null(keys_parse(bad[i], strlen(bad[i]), &e));
                assert_int_equal(e.kind, ERR_INVALID);
                assert_null(strstr(e.text, "0001")); /* no secret in a sentence */
        }
        assert_null(keys_parse(two_keys, sizeof two_keys, &e)); /* a NUL */
        char many[4096] = "";
        for (int i = 1; i <= SEAL_KEYS_MOST + 1; i++)
                snprintf(many + strlen(many), sizeof many - strlen(many), "%d aes 2026-11-25T12:00:00+08:00 %s\n", i, SECRET_1);
        assert_null(keys_parse(many, strlen(many), &e));
        assert_non_null(strstr(e.text, "line 33"));
}

/* --- ciphers -------------------------------------------------------------------------------------------------------------- */

/* AES-256-GCM, test case 16 of McGrew and Viega, "The Galois/Counter Mode of Operation": a value from before keys had numbers. */
static void what_was_sealed_before_keys_had_numbers_opens(void **state)
{
        static const char *const hex = "cafebabefacedbaddecaf888"
                                       "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                                       "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
                                       "76fc6ece0f4e1768cddf8853bb2d551b";
        static const char *const text = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                                        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
        unsigned char key[SEAL_SECRET_SIZE], sealed[88], context[21] = {0}, plain[60];
        struct arena *a = arena_new();
        struct err e;
        char *out;
        (void)state;
        assert_true(hex_bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key, sizeof key));
        assert_true(hex_bytes(hex, sealed, sizeof sealed) && hex_bytes(text, plain, sizeof plain));
        assert_true(hex_bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2", context, 20));
        struct keys *k = keys_parse(key, sizeof key, &e); /* the file, too, is of that time */
        ok(k != NULL, &e);
        assert_int_equal(keys_active(k), 1);
        ok(unseal(a, k, (const char *)context, sealed, sizeof sealed, &out, &e), &e);
        assert_int_equal(strlen(out), sizeof plain);
        assert_memory_equal(out, plain, sizeof plain);
        sealed[40] ^= 1;
        assert_false(unseal(a, k, (const char *)context, sealed, sizeof sealed, &out, &e));
        keys_free(&k);
        arena_free(&a);
}

/* GB/T 32907-2016, example 1: the first block of a key stream is the counter enciphered. */
static void sm4_is_that_of_the_standard(void **state)
{
        struct seal_key k = {.number = 3, .cipher = SEAL_SM4};
        struct arena *a = arena_new();
        struct err e;
        static const unsigned char zeros[16];
        unsigned char *sealed, block[16], iv[16], made[16];
        size_t n;
        char *out;
        (void)state;
        seal_key_derive(&k);
        assert_true(hex_bytes("0123456789abcdeffedcba9876543210", k.cipher_key, 16)
                    && hex_bytes("0123456789abcdeffedcba9876543210", iv, 16));
        assert_true(hex_bytes("681edf34d206965e86b3e94f536e4246", block, 16));
        ok(seal_with(a, &k, "c", "AAAAAAAAAAAAAAAA", &sealed, &n, &e), &e);
        assert_int_equal(n, 3 + 16 + 16 + 32);
        assert_int_equal(sealed[0], SEAL_SM4);
        assert_int_equal(sealed[2], 3);
        assert_true(seal_sm4_stream(&k, iv, zeros, sizeof zeros, made));
        assert_memory_equal(made, block, sizeof block);
        assert_true(unseal_with(a, &k, "c", sealed, n, &out));
        assert_string_equal(out, "AAAAAAAAAAAAAAAA");
        arena_free(&a);
}

static void sealed_opens_and_nothing_else_does(const char *file, size_t more)
{
        static const char *const texts[] = {"", "x", "坪山区某小区3栋", "13800000000"};
        struct keys *k = keys_of(file),
                    *other = keys_of("1 aes 2026-11-25T12:00:00+08:00 " SECRET_2 "\n7 sm4 2026-11-25T12:00:00+08:00 " SECRET_1);
        struct arena *a = arena_new();
        unsigned char *sealed, *again;
        struct err e;
        size_t n, m;
        char *out;
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
                ok(seal(a, k, "reporter/7/name", texts[i], &sealed, &n, &e), &e);
                assert_int_equal(n, strlen(texts[i]) + more);
                ok(unseal(a, k, "reporter/7/name", sealed, n, &out, &e), &e);
                assert_string_equal(out, texts[i]);
                ok(seal(a, k, "reporter/7/name", texts[i], &again, &m, &e), &e);
                assert_memory_not_equal(sealed + 3, again + 3, 12); /* never the same nonce twice */
                for (size_t bit = 0; bit < n * 8; bit++) {
                        sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
                        assert_false(unseal(a, k, "reporter/7/name", sealed, n, &out, &e));
                        assert_int_equal(e.kind, ERR_FAULT);
                        sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
                }
                for (size_t shorter = 0; shorter < n; shorter++)
                        assert_false(unseal(a, k, "reporter/7/name", sealed, shorter, &out, &e));
                assert_false(unseal(a, k, "reporter/8/name", sealed, n, &out, &e));
                assert_false(unseal(a, k, "", sealed, n, &out, &e));
                assert_false(unseal(a, other, "reporter/7/name", sealed, n, &out, &e));
        }
        arena_free(&a);
        keys_free(&k);
        keys_free(&other);
}

static void what_is_sealed_opens_and_nothing_else_does(void **state)
{
        (void)state;
        sealed_opens_and_nothing_else_does(one_key, 3 + 12 + 16);
        sealed_opens_and_nothing_else_does(two_keys, 3 + 16 + 32);
}

/* Values of all keys stand side by side; a key that is gone is named. */
static void an_older_key_still_opens(void **state)
{
        struct keys *first = keys_of(one_key), *both = keys_of(two_keys), *last = keys_of(strstr(two_keys, "7 sm4"));
        struct arena *a = arena_new();
        unsigned char *old, *new;
        size_t n, m;
        struct err e;
        char *out;
        (void)state;
        ok(seal(a, first, "c", "before", &old, &n, &e), &e);
        ok(seal(a, both, "c", "after", &new, &m, &e), &e);
        ok(unseal(a, both, "c", old, n, &out, &e), &e);
        assert_string_equal(out, "before");
        ok(unseal(a, both, "c", new, m, &out, &e), &e);
        assert_string_equal(out, "after");
        assert_false(unseal(a, last, "c", old, n, &out, &e));
        assert_non_null(strstr(e.text, "key 1"));
        assert_false(unseal(a, first, "c", new, m, &out, &e));
        assert_non_null(strstr(e.text, "key 7"));
        keys_free(&first);
        keys_free(&both);
        keys_free(&last);
        arena_free(&a);
}

static void blind_indexes_tell_only_what_is_the_same(void **state)
{
        struct keys *k = keys_of(two_keys);
        unsigned char one[BLIND_SIZE], again[BLIND_SIZE];
        (void)state;
        for (size_t i = 0; i < 2; i++) {
                blind_index(k, i, "phone", "13900000001", one);
                blind_index(k, i, "phone", "13900000001", again);
                assert_memory_equal(one, again, BLIND_SIZE);
                blind_index(k, i, "phone", "13900000002", again);
                assert_memory_not_equal(one, again, BLIND_SIZE);
                blind_index(k, i, "email", "13900000001", again);
                assert_memory_not_equal(one, again, BLIND_SIZE);
                blind_index(k, 1 - i, "phone", "13900000001", again);
                assert_memory_not_equal(one, again, BLIND_SIZE);
        }
        keys_free(&k);
}

/* --- the file --------------------------------------------------------------------------------------------------------------- */
struct place {
        char dir[40], path[60];
};

static struct place place_new(void)
{
        struct place p = {.dir = "/tmp/yiwang-key-XXXXXX"};
        assert_non_null(mkdtemp(p.dir));
        snprintf(p.path, sizeof p.path, "%s/seal.key", p.dir);
        return p;
}

static void place_end(const struct place *p)
{
        (void)unlink(p->path);
        assert_int_equal(rmdir(p->dir), 0);
}

static void write_file(const char *path, const char *text, size_t n, mode_t mode)
{
        const int f = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
        assert_true(f >= 0 && fchmod(f, mode) == 0);
        assert_int_equal(write(f, text, n), n);
        assert_int_equal(close(f), 0);
}

static bool opens(const char *path, bool make, enum seal_cipher cipher, struct err *e)
{
        struct keyring *ring = (struct keyring *)1; /* nothing may be left in it when it fails */
        const bool good = keyring_open(&ring, path, make, cipher, 0, e);
        keyring_close(&ring);
        return good;
}

static void the_key_file_is_made_once_and_kept(void **state)
{
        const struct place p = place_new();
        static const char old[33] = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk";
        struct stat about, again;
        struct err e;
        (void)state;
        assert_false(opens(p.path, false, SEAL_AES, &e));
        assert_int_equal(e.kind, ERR_FAULT);
        ok(opens(p.path, true, SEAL_SM4, &e), &e);
        assert_int_equal(stat(p.path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        ok(opens(p.path, true, SEAL_AES, &e), &e);
        assert_int_equal(stat(p.path, &again), 0);
        assert_int_equal(about.st_ino, again.st_ino);
        write_file(p.path, old, 32, 0640);
        assert_false(opens(p.path, true, SEAL_AES, &e));
        assert_non_null(strstr(e.text, "chmod 600"));
        write_file(p.path, old, 31, 0600);
        assert_false(opens(p.path, true, SEAL_AES, &e));
        write_file(p.path, old, 33, 0600);
        assert_false(opens(p.path, true, SEAL_AES, &e));
        write_file(p.path, old, 32, 0600);
        ok(opens(p.path, true, SEAL_AES, &e), &e);
        place_end(&p);
        assert_false(opens(p.path, true, SEAL_AES, &e)); /* no such folder */
}

static int files_in(const char *dir)
{
        int n = 0;
        DIR *d = opendir(dir);
        assert_non_null(d);
        for (const struct dirent *f; (f = readdir(d));)
                n += f->d_name[0] != '.';
        assert_int_equal(closedir(d), 0);
        return n;
}

static size_t slurp(const char *path, char out[4096])
{
        FILE *f = fopen(path, "re");
        assert_non_null(f);
        const size_t n = fread(out, 1, 4096, f);
        assert_int_equal(fclose(f), 0);
        return n;
}

/* What could not be written whole, as on a full disk, is not there at all, and what was there stays; the next try makes it. */
static void half_a_key_file_is_never_left(void **state)
{
        const struct place p = place_new();
        char before[4096], after[4096];
        struct rlimit usual, none;
        struct err e;
        int number;
        (void)state;
        void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
        for (none = usual, none.rlim_cur = 0; none.rlim_cur < 200; none.rlim_cur += 31) {
                assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
                const bool made = opens(p.path, true, SEAL_AES, &e);
                assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
                assert_false(made);
                assert_int_equal(files_in(p.dir), 0);
        }
        ok(opens(p.path, true, SEAL_AES, &e), &e);
        const size_t n = slurp(p.path, before);
        for (none.rlim_cur = 0; none.rlim_cur < 300; none.rlim_cur += 31) {
                assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
                const bool added = key_file_add(p.path, SEAL_SM4, 0, &number, &e);
                assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
                assert_false(added);
                assert_int_equal(files_in(p.dir), 1);
                assert_int_equal(slurp(p.path, after), n);
                assert_memory_equal(before, after, n);
        }
        (void)signal(SIGXFSZ, handler);
        place_end(&p);
}

/* A ring that is open seals with a new key at once, and still opens what the old one sealed, even one of 32 bytes. */
static void a_new_key_counts_at_once(void **state)
{
        const struct place p = place_new();
        struct arena *a = arena_new();
        struct keyring *ring;
        struct err e;
        unsigned char *sealed[3];
        size_t n[3];
        int number;
        char *out;
        (void)state;
        write_file(p.path, "0123456789abcdef0123456789abcdef", 32, 0600);
        ok(keyring_open(&ring, p.path, false, SEAL_AES, 0, &e), &e);
        for (int i = 0; i < 3; i++) {
                const struct keys *k = keyring_now(ring);
                assert_int_equal(keys_active(k), i + 1);
                ok(seal(a, k, "c", "text", &sealed[i], &n[i], &e), &e);
                ok(key_file_add(p.path, i == 0 ? SEAL_SM4 : SEAL_AES, clock_now(), &number, &e), &e);
                assert_int_equal(number, i + 2);
                for (int before = 0; before <= i; before++)
                        ok(unseal(a, keyring_now(ring), "c", sealed[before], n[before], &out, &e), &e);
        }
        assert_false(key_file_remove(p.path, 4, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        assert_false(key_file_remove(p.path, 9, &e));
        assert_int_equal(e.kind, ERR_NOT_FOUND);
        ok(key_file_remove(p.path, 2, &e), &e);
        assert_int_equal(keys_count(keyring_now(ring)), 3);
        assert_false(unseal(a, keyring_now(ring), "c", sealed[1], n[1], &out, &e));
        ok(unseal(a, keyring_now(ring), "c", sealed[0], n[0], &out, &e), &e);
        /* A file that is gone, or that others may read, changes nothing for who has read it. */
        log_least(LOG_ERROR + 1);
        assert_int_equal(chmod(p.path, 0644), 0);
        assert_int_equal(keys_active(keyring_now(ring)), 4);
        assert_int_equal(unlink(p.path), 0);
        assert_int_equal(keys_active(keyring_now(ring)), 4);
        keyring_close(&ring);
        arena_free(&a);
        place_end(&p);
}

/* --- many threads ------------------------------------------------------------------------------------------------------------ */
struct sealer {
        pthread_t thread;
        struct keyring *ring;
        _Atomic bool *stop;
        int64_t done;
};

static void *seal_on(void *ctx)
{
        struct sealer *s = ctx;
        struct arena *a = arena_new();
        while (!atomic_load(s->stop)) {
                unsigned char *sealed = NULL;
                struct err e;
                size_t n = 0;
                char *out = NULL;
                const struct keys *k = keyring_now(s->ring);
                ok(seal(a, k, "c", "text", &sealed, &n, &e) && unseal(a, keyring_now(s->ring), "c", sealed, n, &out, &e), &e);
                assert_string_equal(out, "text");
                arena_reset(a);
                s->done++;
        }
        arena_free(&a);
        return NULL;
}

/* Keys come while others seal: nobody holds one that is gone, and what the old one sealed opens with the new file. */
static void keys_change_under_many_threads(void **state)
{
        const struct place p = place_new();
        struct sealer sealers[4];
        _Atomic bool stop = false;
        struct keyring *ring;
        struct err e;
        int number = 1;
        (void)state;
        ok(keyring_open(&ring, p.path, true, SEAL_AES, 0, &e), &e);
        for (size_t i = 0; i < COUNT_OF(sealers); i++) {
                sealers[i] = (struct sealer){.ring = ring, .stop = &stop};
                assert_int_equal(pthread_create(&sealers[i].thread, NULL, seal_on, &sealers[i]), 0);
        }
        for (int i = 0; i < 20; i++) {
                ok(key_file_add(p.path, i & 1 ? SEAL_SM4 : SEAL_AES, 0, &number, &e), &e);
                (void)usleep(5000);
        }
        atomic_store(&stop, true);
        for (size_t i = 0; i < COUNT_OF(sealers); i++) {
                assert_int_equal(pthread_join(sealers[i].thread, NULL), 0);
                assert_true(sealers[i].done > 0);
        }
        assert_int_equal(number, 21);
        assert_int_equal(keys_active(keyring_now(ring)), 21);
        keyring_close(&ring);
        place_end(&p);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_file_is_read),
                cmocka_unit_test(what_is_no_key_file_is_refused),
                cmocka_unit_test(what_was_sealed_before_keys_had_numbers_opens),
                cmocka_unit_test(sm4_is_that_of_the_standard),
                cmocka_unit_test(what_is_sealed_opens_and_nothing_else_does),
                cmocka_unit_test(an_older_key_still_opens),
                cmocka_unit_test(blind_indexes_tell_only_what_is_the_same),
                cmocka_unit_test(the_key_file_is_made_once_and_kept),
                cmocka_unit_test(half_a_key_file_is_never_left),
                cmocka_unit_test(a_new_key_counts_at_once),
                cmocka_unit_test(keys_change_under_many_threads),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
