/* crypto/crypto_test.c -- published test vectors, passwords, tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/crypto.h"

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

/* --- digests: FIPS 180-4 (NIST examples), RFC 4231 ---------------------------------------------------------------------- */

static void digests_of_the_standard(void **state)
{
        static const struct {
                const char *text, *hex;
        } vectors[] = {
                {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        };
        unsigned char out[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];
        (void)state;
        for (size_t i = 0; i < COUNT_OF(vectors); i++) {
                sha256(vectors[i].text, strlen(vectors[i].text), out);
                hex_text(out, sizeof out, hex);
                assert_string_equal(hex, vectors[i].hex);
        }
        char *million = malloc(1000000);
        assert_non_null(million);
        memset(million, 'a', 1000000);
        sha256(million, 1000000, out);
        free(million);
        hex_text(out, sizeof out, hex);
        assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void keyed_digests_of_the_standard(void **state)
{
        static const struct {
                int key_byte, key_n; /* byte -1: the key is "Jefe" */
                const char *text;
                int text_byte, text_n; /* n 0: the text */
                const char *hex;
        } vectors[] = {
                {0x0b, 20, "Hi There", 0, 0, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
                {-1, 4, "what do ya want for nothing?", 0, 0, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
                {0xaa, 20, NULL, 0xdd, 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
                {0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0, 0,
                 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(vectors); i++) {
                unsigned char key[131], text[100], out[SHA256_SIZE];
                char hex[2 * SHA256_SIZE + 1];
                memset(key, vectors[i].key_byte, sizeof key);
                if (vectors[i].key_byte < 0)
                        memcpy(key, "Jefe", 4);
                memset(text, vectors[i].text_byte, sizeof text);
                const size_t n = vectors[i].text ? strlen(vectors[i].text) : (size_t)vectors[i].text_n;
                if (vectors[i].text)
                        memcpy(text, vectors[i].text, n);
                hmac_sha256(key, (size_t)vectors[i].key_n, text, n, out);
                hex_text(out, sizeof out, hex);
                assert_string_equal(hex, vectors[i].hex);
        }
}

static void hexadecimal_is_strict(void **state)
{
        unsigned char out[4] = {0};
        char text[9];
        (void)state;
        assert_true(hex_bytes("00fFa510", out, 4));
        assert_memory_equal(out, "\x00\xff\xa5\x10", 4);
        hex_text(out, 4, text);
        assert_string_equal(text, "00ffa510");
        assert_true(hex_bytes("", out, 0));
        static const char *const wrong[] = {"", "0", "00fFa51", "00fFa510a", "00fFa51g", "00fFa5 1", "0x00fFa5", "-0ffa510"};
        for (size_t i = 0; i < COUNT_OF(wrong); i++)
                assert_false(hex_bytes(wrong[i], out, 4));
}

static void secrets_are_compared_whole(void **state)
{
        (void)state;
        assert_true(secret_same("abc", "abc", 3) && secret_same("a", "b", 0));
        assert_false(secret_same("abc", "abd", 3));
        assert_false(secret_same("abc", "bbc", 3));
}

/* --- random ---------------------------------------------------------------------------------------------------------------- */

static void tokens_are_of_their_letters_and_differ(void **state)
{
        enum { N = 2000, LENGTH = 26 };
        static char tokens[N][LENGTH + 1];
        int seen[256] = {0}, kinds = 0;
        struct err e;
        (void)state;
        for (int i = 0; i < N; i++) {
                ok(random_token(tokens[i], LENGTH, &e), &e);
                assert_int_equal(strlen(tokens[i]), LENGTH);
                for (int k = 0; k < LENGTH; k++)
                        seen[(unsigned char)tokens[i][k]]++;
        }
        qsort(tokens, N, LENGTH + 1, (int (*)(const void *, const void *))strcmp);
        for (int i = 1; i < N; i++)
                assert_string_not_equal(tokens[i - 1], tokens[i]);
        for (int c = 0; c < 256; c++) {
                if (!seen[c])
                        continue;
                kinds++;
                assert_non_null(strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", c));
                /* 52,000 letters, 1,625 of each kind, deviation 40. */
                assert_in_range(seen[c], 1625 - 400, 1625 + 400);
        }
        assert_int_equal(kinds, 32);
}

/* --- passwords ---------------------------------------------------------------------------------------------------------------- */

static void a_password_fits_its_own_hash_only(void **state)
{
        char first[PASSWORD_HASH_SIZE], second[PASSWORD_HASH_SIZE];
        struct err e;
        (void)state;
        ok(password_hash("correct horse 电池", first, &e), &e);
        ok(password_hash("correct horse 电池", second, &e), &e);
        assert_true(strncmp(first, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
        assert_string_not_equal(first, second); /* salted */
        assert_true(password_verify("correct horse 电池", first) && password_verify("correct horse 电池", second));
        assert_false(password_verify("correct horse 电", first));
        assert_false(password_verify("", first));
        char *middle = first + strlen(first) - 20;
        *middle = *middle == 'A' ? 'B' : 'A';
        assert_false(password_verify("correct horse 电池", first));
}

/* The reference implementation's own vector, and hashes that are none. */
static void hashes_of_others(void **state)
{
        static const char *const none[] = {
                NULL,
                "",
                "password",
                "$argon2id$",
                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ",
                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$",
                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$!!!!",
                "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
                "$argon2id$v=19$m=0,t=0,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        };
        (void)state;
        assert_true(password_verify("password",
                                    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"));
        for (size_t i = 0; i < COUNT_OF(none); i++)
                assert_false(password_verify("password", none[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(digests_of_the_standard),
                cmocka_unit_test(keyed_digests_of_the_standard),
                cmocka_unit_test(hexadecimal_is_strict),
                cmocka_unit_test(secrets_are_compared_whole),
                cmocka_unit_test(tokens_are_of_their_letters_and_differ),
                cmocka_unit_test(a_password_fits_its_own_hash_only),
                cmocka_unit_test(hashes_of_others),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
