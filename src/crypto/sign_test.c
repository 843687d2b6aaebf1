/* crypto/sign_test.c -- signatures of both kinds, a published vector, the key file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/crypto.h"
#include "crypto/sign.h"
#include <sys/stat.h>
#include <unistd.h>

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

struct place {
        char folder[40], file[60];
};

static struct place place_new(void)
{
        struct place p = {.folder = "/tmp/yiwang-sign-XXXXXX"};
        assert_non_null(mkdtemp(p.folder));
        (void)snprintf(p.file, sizeof p.file, "%s/ledger.key", p.folder);
        return p;
}

static void place_end(const struct place *p)
{
        (void)unlink(p->file);
        assert_int_equal(rmdir(p->folder), 0); /* nothing is left beside it */
}

static struct sign_public public_of_hex(enum sign_kind kind, const char *hex)
{
        struct sign_public p = {.kind = kind, .n = strlen(hex) / 2};
        assert_true(hex_bytes(hex, p.at, p.n));
        return p;
}

static struct signature signature_of_hex(const char *hex)
{
        struct signature s = {.n = strlen(hex) / 2};
        assert_true(hex_bytes(hex, s.at, s.n));
        return s;
}

/* RFC 8032, 7.1, test 3. */
static void the_ed25519_of_the_rfc_is_good(void **state)
{
        const struct sign_public p =
                public_of_hex(SIGN_ED25519, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
        struct signature s = signature_of_hex("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                                              "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
        (void)state;
        assert_true(sign_verify(&p, "\xaf\x82", 2, &s));
        assert_false(sign_verify(&p, "\xaf\x83", 2, &s));
        s.at[3] ^= 1;
        assert_false(sign_verify(&p, "\xaf\x82", 2, &s));
}

static const enum sign_kind kinds[] = {SIGN_ED25519, SIGN_SM2};

static void what_was_signed_verifies_and_nothing_else(void **state)
{
        (void)state;
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
                const struct place p = place_new();
                struct signers *signers, *others;
                struct signature s;
                struct err e;
                char other[80];
                (void)snprintf(other, sizeof other, "%s2", p.file);
                ok(signers_open(&signers, p.file, true, kinds[k], &e), &e);
                ok(signers_open(&others, other, true, kinds[k], &e), &e);
                assert_int_equal(signers_count(signers), 1);
                const struct sign_public *public = signers_public(signers, 0);
                assert_int_equal(public->kind, kinds[k]);
                assert_int_equal(public->n, kinds[k] == SIGN_SM2 ? 65 : 32);
                ok(signers_sign(signers, "text", 4, &s, &e), &e);
                assert_true(sign_verify(public, "text", 4, &s));
                assert_false(sign_verify(public, "texT", 4, &s));
                assert_false(sign_verify(signers_public(others, 0), "text", 4, &s));
                for (size_t i = 0; i < s.n; i++) {
                        struct signature bad = s;
                        bad.at[i] ^= 0x10;
                        assert_false(sign_verify(public, "text", 4, &bad));
                }
                s.n--;
                assert_false(sign_verify(public, "text", 4, &s));
                signers_close(&signers);
                signers_close(&others);
                assert_null(signers);
                (void)unlink(other);
                place_end(&p);
        }
}

static void no_key_verifies_nothing(void **state)
{
        const struct signature s = {.n = 64};
        struct sign_public p = {.kind = SIGN_SM2, .n = 65, .at = {4, 1, 2, 3}};
        (void)state;
        assert_false(sign_verify(&p, "text", 4, &s)); /* not on the curve */
        p.n = 12;
        assert_false(sign_verify(&p, "text", 4, &s));
        p.kind = SIGN_ED25519;
        assert_false(sign_verify(&p, "text", 4, &s));
}

/* --- the file ---------------------------------------------------------------------------------------------------------- */
static void the_last_key_signs_and_earlier_ones_stay(void **state)
{
        const struct place p = place_new();
        struct signers *signers;
        struct signature s;
        struct stat about;
        struct err e;
        (void)state;
        ok(signers_open(&signers, p.file, true, SIGN_ED25519, &e), &e);
        const struct sign_public first = *signers_public(signers, 0);
        signers_close(&signers);
        assert_int_equal(stat(p.file, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        ok(sign_file_add(p.file, SIGN_SM2, &e), &e);
        ok(signers_open(&signers, p.file, true, SIGN_ED25519, &e), &e);
        assert_int_equal(signers_count(signers), 2);
        assert_memory_equal(signers_public(signers, 0)->at, first.at, first.n);
        assert_int_equal(signers_public(signers, 1)->kind, SIGN_SM2);
        ok(signers_sign(signers, "text", 4, &s, &e), &e);
        assert_true(sign_verify(signers_public(signers, 1), "text", 4, &s));
        assert_false(sign_verify(&first, "text", 4, &s));
        signers_close(&signers);
        place_end(&p);
}

static void too_many_keys_are_refused(void **state)
{
        const struct place p = place_new();
        struct signers *signers;
        struct err e;
        (void)state;
        ok(signers_open(&signers, p.file, true, SIGN_ED25519, &e), &e);
        signers_close(&signers);
        for (int i = 1; i < SIGNERS_MOST; i++)
                ok(sign_file_add(p.file, i % 2 ? SIGN_SM2 : SIGN_ED25519, &e), &e);
        assert_false(sign_file_add(p.file, SIGN_ED25519, &e));
        assert_int_equal(e.kind, ERR_CONFLICT);
        ok(signers_open(&signers, p.file, false, SIGN_ED25519, &e), &e);
        assert_int_equal(signers_count(signers), SIGNERS_MOST);
        signers_close(&signers);
        place_end(&p);
}

static void put_text(const char *path, const char *text, mode_t mode)
{
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(path, mode), 0);
}

static void refused(const struct place *p, const char *says)
{
        struct signers *signers;
        struct err e;
        assert_false(signers_open(&signers, p->file, false, SIGN_ED25519, &e));
        assert_null(signers);
        assert_int_equal(e.kind, ERR_FAULT);
        if (!strstr(e.text, says))
                fail_msg("%s", e.text);
}

static void what_is_no_key_file_is_refused(void **state)
{
        static const char x25519[] =
                "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
                "-----END PRIVATE KEY-----\n"; /* X25519 (RFC 8410 form): it cannot sign */
        static const char ed25519[] =
                "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                "-----END PRIVATE KEY-----\n"; /* RFC 8410, 10.3 */
        const struct place p = place_new();
        struct signers *signers;
        struct err e;
        char text[600];
        (void)state;
        refused(&p, "cannot be read");
        put_text(p.file, "", 0600);
        refused(&p, "1 to 16 private keys");
        put_text(p.file, x25519, 0600);
        refused(&p, "1 to 16 private keys");
        put_text(p.file, ed25519, 0640);
        refused(&p, "owner alone");
        (void)snprintf(text, sizeof text, "%s-----BEGIN PRIVATE KEY-----\nMC4CAQ\n", ed25519);
        put_text(p.file, text, 0600);
        refused(&p, "1 to 16 private keys");
        (void)snprintf(text, sizeof text, "a comment\n%s", ed25519);
        put_text(p.file, text, 0600);
        ok(signers_open(&signers, p.file, false, SIGN_ED25519, &e), &e);
        signers_close(&signers);
        place_end(&p);
}

static void base64_is_read_in_one_form_only(void **state)
{
        static const struct {
                const char *text;
                int n;
        } cases[] = {
                {"", 0},      {"Zg==", 1},  {"Zm8=", 2},   {"Zm9v", 3},       {"Zm9vYmFy", 6}, {"Zg", -1},   {"Zg=", -1},
                {"Zh==", -1}, {"Zm9=", -1}, {"Zm 9v", -1}, {" Zm9vYmFy", -1}, {"Zm-_", -1},    {"====", -1}, {"Zm9vYmFyYmF6", -1},
        };
        (void)state;
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
                unsigned char out[8];
                size_t n = 0;
                const bool taken = base64_bytes(cases[i].text, out, sizeof out, &n);
                if (taken != (cases[i].n >= 0) || (taken && (n != (size_t)cases[i].n || memcmp(out, "foobar", n) != 0)))
                        fail_msg("%s", cases[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_ed25519_of_the_rfc_is_good),  cmocka_unit_test(what_was_signed_verifies_and_nothing_else),
                cmocka_unit_test(no_key_verifies_nothing),         cmocka_unit_test(the_last_key_signs_and_earlier_ones_stay),
                cmocka_unit_test(too_many_keys_are_refused),       cmocka_unit_test(what_is_no_key_file_is_refused),
                cmocka_unit_test(base64_is_read_in_one_form_only),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
