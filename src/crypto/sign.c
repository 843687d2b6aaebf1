/* crypto/sign.c -- see sign.h. */
#include "crypto/sign.h"
#include "base/buf.h"
#include "base/text.h"
#include "crypto/inside.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {[SIGN_ED25519] = "ed25519", [SIGN_SM2] = "sm2"};
static const char signer_id[] = "1234567812345678";

struct signers {
        size_t n;
        EVP_PKEY *keys[SIGNERS_MOST];
        struct sign_public publics[SIGNERS_MOST];
};

const char *sign_kind_name(enum sign_kind kind)
{
        return names[kind];
}

bool sign_kind_named(const char *name, enum sign_kind *out)
{
        for (size_t i = SIGN_ED25519; i < COUNT_OF(names); i++)
                if (text_is(name, names[i])) {
                        *out = (enum sign_kind)i;
                        return true;
                }
        return false;
}

/* --- public keys --------------------------------------------------------------------------------------------------------- */
static bool public_of(EVP_PKEY *key, struct sign_public *out)
{
        out->n = sizeof out->at;
        if (EVP_PKEY_is_a(key, "ED25519")) {
                out->kind = SIGN_ED25519;
                return EVP_PKEY_get_raw_public_key(key, out->at, &out->n) == 1;
        }
        out->kind = SIGN_SM2;
        return EVP_PKEY_is_a(key, "SM2")
               && EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out->at, sizeof out->at, &out->n) == 1
               && out->n == SIGN_PUBLIC_MOST && out->at[0] == 4;
}

static EVP_PKEY *sm2_public(const struct sign_public *p)
{
        unsigned char at[SIGN_PUBLIC_MOST];
        EVP_PKEY *key = NULL;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
        memcpy(at, p->at, sizeof at);
        OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"SM2"}, 0),
                               OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, at, p->n), OSSL_PARAM_construct_end()};
        if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
                key = NULL;
        EVP_PKEY_CTX_free(ctx);
        return key;
}

static EVP_PKEY *key_of_public(const struct sign_public *p)
{
        if (p->kind == SIGN_ED25519)
                return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, p->at, p->n);
        return p->kind == SIGN_SM2 && p->n <= sizeof p->at ? sm2_public(p) : NULL;
}

/* --- signing and verifying ------------------------------------------------------------------------------------------------- */
/* A context of its own for SM2, since the signer's id goes into the digest. */
static EVP_MD_CTX *begin(EVP_PKEY *key, enum sign_kind kind, EVP_PKEY_CTX **extra, bool signs)
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        const EVP_MD *md = kind == SIGN_SM2 ? EVP_sm3() : NULL;
        *extra = NULL;
        bool ok = ctx != NULL;
        if (ok && kind == SIGN_SM2) {
                *extra = EVP_PKEY_CTX_new(key, NULL);
                ok = *extra && EVP_PKEY_CTX_set1_id(*extra, signer_id, sizeof signer_id - 1) == 1;
                EVP_MD_CTX_set_pkey_ctx(ctx, *extra);
        }
        ok = ok && (signs ? EVP_DigestSignInit(ctx, NULL, md, NULL, key) : EVP_DigestVerifyInit(ctx, NULL, md, NULL, key)) == 1;
        if (ok)
                return ctx;
        EVP_MD_CTX_free(ctx);
        EVP_PKEY_CTX_free(*extra);
        return NULL;
}

bool signers_sign(const struct signers *s, const void *bytes, size_t n, struct signature *out, struct err *e)
{
        EVP_PKEY_CTX *extra;
        EVP_MD_CTX *ctx = begin(s->keys[s->n - 1], s->publics[s->n - 1].kind, &extra, true);
        out->n = sizeof out->at;
        const bool ok = ctx && EVP_DigestSign(ctx, out->at, &out->n, bytes, n) == 1;
        if (ctx) {
                EVP_MD_CTX_free(ctx);
                EVP_PKEY_CTX_free(extra);
        }
        return ok || err_set(e, ERR_FAULT, "signing with %s failed", names[s->publics[s->n - 1].kind]);
}

bool sign_verify(const struct sign_public *p, const void *bytes, size_t n, const struct signature *s)
{
        EVP_PKEY_CTX *extra;
        EVP_PKEY *key = key_of_public(p);
        EVP_MD_CTX *ctx = key ? begin(key, p->kind, &extra, false) : NULL;
        const bool good = ctx && EVP_DigestVerify(ctx, s->at, s->n, bytes, n) == 1;
        if (ctx) {
                EVP_MD_CTX_free(ctx);
                EVP_PKEY_CTX_free(extra);
        }
        EVP_PKEY_free(key);
        ERR_clear_error();
        return good;
}

/* --- the file ---------------------------------------------------------------------------------------------------------------- */
static size_t keys_begun(const char *text, size_t n)
{
        static const char begin[] = "-----BEGIN ";
        size_t count = 0;
        for (const char *at = text; (at = memmem(at, n - (size_t)(at - text), begin, sizeof begin - 1)); at += sizeof begin - 1)
                count++;
        return count;
}

static bool parse(struct signers *s, const char *text, size_t n, struct err *e)
{
        BIO *bio = BIO_new_mem_buf(text, (int)n);
        EVP_PKEY *key;
        if (!bio)
                abort();
        bool ok = true;
        while (ok && (key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL))) {
                ok = s->n < SIGNERS_MOST && public_of(key, &s->publics[s->n]);
                if (ok)
                        s->keys[s->n++] = key;
                else
                        EVP_PKEY_free(key);
        }
        /* What ends the loop must be the end of the file, not a broken key. */
        ok = ok && s->n > 0 && keys_begun(text, n) == s->n;
        ERR_clear_error();
        BIO_free(bio);
        return ok || err_set(e, ERR_INVALID, "it must hold 1 to %d private keys (PEM) of Ed25519 or SM2", (int)SIGNERS_MOST);
}

static bool add_new(struct buf *b, enum sign_kind kind, struct err *e)
{
        EVP_PKEY *key = kind == SIGN_SM2 ? EVP_PKEY_Q_keygen(NULL, NULL, "SM2") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        BIO *bio = BIO_new(BIO_s_mem());
        char *at = NULL;
        const bool ok = key && bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
        const long n = ok ? BIO_get_mem_data(bio, &at) : 0;
        if (ok) {
                buf_add(b, at, (size_t)n);
                OPENSSL_cleanse(at, (size_t)n);
        }
        BIO_free(bio);
        EVP_PKEY_free(key);
        ERR_clear_error();
        return ok || err_set(e, ERR_FAULT, "a key of kind %s cannot be made", names[kind]);
}

static bool make_file(const char *path, enum sign_kind kind, struct err *e)
{
        struct buf b = BUF_LIMIT(KEY_FILE_MOST);
        const int folder = key_folder_lock(path, e);
        if (folder < 0)
                return false;
        const bool ok = add_new(&b, kind, e) && key_text_put(path, &b, true, folder, e);
        key_text_wipe(&b);
        (void)close(folder);
        return ok;
}

static bool read_file(struct signers *s, const char *path, struct buf *keep, struct err *e)
{
        char text[KEY_FILE_MOST];
        struct stat about;
        struct err why;
        size_t n;
        bool ok = key_text_read(path, text, &n, &about, e);
        if (ok) {
                ok = parse(s, text, n, &why) || err_set(e, ERR_FAULT, "the key file %s is no key file: %s", path, why.text);
                if (ok && keep)
                        buf_add(keep, text, n);
        }
        OPENSSL_cleanse(text, sizeof text);
        return ok;
}

static struct signers *signers_new(void)
{
        struct signers *s = calloc(1, sizeof *s);
        if (!s)
                abort();
        return s;
}

bool signers_open(struct signers **out, const char *path, bool make, enum sign_kind kind, struct err *e)
{
        *out = NULL;
        if (make && access(path, F_OK) != 0 && !make_file(path, kind, e))
                return false;
        *out = signers_new();
        if (!read_file(*out, path, NULL, e))
                signers_close(out);
        return *out != NULL;
}

void signers_close(struct signers **s)
{
        for (size_t i = 0; *s && i < (*s)->n; i++)
                EVP_PKEY_free((*s)->keys[i]);
        free(*s);
        *s = NULL;
}

size_t signers_count(const struct signers *s)
{
        return s->n;
}

const struct sign_public *signers_public(const struct signers *s, size_t i)
{
        assert(i < s->n);
        return &s->publics[i];
}

bool sign_file_add(const char *path, enum sign_kind kind, struct err *e)
{
        struct buf b = BUF_LIMIT(KEY_FILE_MOST);
        const int folder = key_folder_lock(path, e);
        if (folder < 0)
                return false;
        struct signers *s = signers_new();
        bool ok = read_file(s, path, &b, e);
        if (ok && s->n == SIGNERS_MOST)
                ok = err_set(e, ERR_CONFLICT, "there are %d signing keys already", (int)SIGNERS_MOST);
        ok = ok && add_new(&b, kind, e);
        if (ok && b.overflow)
                ok = err_set(e, ERR_FAULT, "the key file %s would be too long", path);
        ok = ok && key_text_put(path, &b, false, folder, e);
        key_text_wipe(&b);
        signers_close(&s);
        (void)close(folder);
        return ok;
}
