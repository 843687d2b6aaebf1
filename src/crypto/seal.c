/* crypto/seal.c -- random bytes and tokens; what one key seals and opens. */
#include "crypto/inside.h"
#include "base/arena.h"
#include "crypto/crypto.h"
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum { HEAD = 3, NONCE = 12, TAG = 16, COUNTER = 16, MAC = 32 };

bool random_bytes(void *out, size_t n, struct err *e)
{
        return RAND_bytes(out, (int)n) == 1 || err_set(e, ERR_FAULT, "the system gives no random bytes");
}

bool random_token(char *out, int characters, struct err *e)
{
        static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        unsigned char bytes[64];
        assert(characters <= (int)sizeof bytes);
        if (!random_bytes(bytes, (size_t)characters, e))
                return false;
        for (int i = 0; i < characters; i++)
                out[i] = letters[bytes[i] & 31];
        out[characters] = '\0';
        return true;
}

/* --- keys from a secret: HKDF (RFC 5869) ---------------------------------------------------------------------------- */
static void derive(const char *digest, const unsigned char *secret, const char *info, unsigned char *out, size_t n)
{
        EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
        EVP_KDF_CTX *c = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
        /* OpenSSL's parameters are not const, though it only reads these. */
        const OSSL_PARAM how[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, SEAL_SECRET_SIZE),
                OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, strlen(info)),
                OSSL_PARAM_construct_end(),
        };
        if (!c || EVP_KDF_derive(c, out, n, how) != 1)
                abort(); /* only when memory is out: nothing here depends on input */
        EVP_KDF_CTX_free(c);
        EVP_KDF_free(kdf);
}

void seal_key_derive(struct seal_key *k)
{
        const char *digest = k->cipher == SEAL_SM4 ? "SM3" : "SHA256";
        derive(digest, k->secret, "yiwang seal cipher", k->cipher_key, sizeof k->cipher_key);
        derive(digest, k->secret, "yiwang seal mac", k->mac_key, sizeof k->mac_key);
        derive(digest, k->secret, "yiwang blind index", k->index_key, sizeof k->index_key);
}

/* --- AES-256-GCM ------------------------------------------------------------------------------------------------------ */
/* `head` may be NULL, of values from before keys had numbers. */
static bool gcm(const unsigned char *key, const unsigned char *head, const char *context, const unsigned char *nonce,
                const unsigned char *in, size_t n, unsigned char *out, unsigned char *tag, bool encrypt)
{
        EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        int done = 0, last = 0;
        bool ok = c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1
                  && (!head || EVP_CipherUpdate(c, NULL, &done, head, HEAD) == 1)
                  && EVP_CipherUpdate(c, NULL, &done, (const unsigned char *)context, (int)strlen(context)) == 1
                  && EVP_CipherUpdate(c, out, &done, in, (int)n) == 1
                  && (encrypt || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1)
                  && EVP_CipherFinal_ex(c, out + done, &last) == 1
                  && (!encrypt || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1);
        EVP_CIPHER_CTX_free(c);
        return ok;
}

/* --- SM4-CTR, then HMAC-SM3 ------------------------------------------------------------------------------------------- */
bool seal_sm4_stream(const struct seal_key *k, const unsigned char *counter, const unsigned char *in, size_t n, unsigned char *out)
{
        EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        int done = 0;
        bool ok = c && EVP_EncryptInit_ex(c, EVP_sm4_ctr(), NULL, k->cipher_key, counter) == 1
                  && EVP_EncryptUpdate(c, out, &done, in, (int)n) == 1;
        EVP_CIPHER_CTX_free(c);
        return ok;
}

/* Over the context, a NUL, and all that is stored before the MAC: no context has a NUL, so the two cannot be shifted. */
static bool mac_of(struct arena *a, const struct seal_key *k, const char *context, const unsigned char *stored, size_t n,
                   unsigned char out[MAC])
{
        const size_t first = strlen(context) + 1;
        unsigned char *all = arena_alloc(a, first + n);
        unsigned int length = MAC;
        memcpy(all, context, first);
        memcpy(all + first, stored, n);
        return HMAC(EVP_sm3(), k->mac_key, sizeof k->mac_key, all, first + n, out, &length) && length == MAC;
}

/* --- one key ------------------------------------------------------------------------------------------------------------ */
static void put_head(unsigned char *out, const struct seal_key *k)
{
        out[0] = (unsigned char)k->cipher;
        out[1] = (unsigned char)(k->number >> 8);
        out[2] = (unsigned char)k->number;
}

int seal_head(const unsigned char *s, size_t n, enum seal_cipher *cipher)
{
        if (n < HEAD || (s[0] != SEAL_AES && s[0] != SEAL_SM4))
                return 0;
        *cipher = (enum seal_cipher)s[0];
        return s[1] << 8 | s[2];
}

bool seal_with(struct arena *a, const struct seal_key *k, const char *context, const char *text, unsigned char **out, size_t *n,
               struct err *e)
{
        const size_t length = strlen(text), nonce = k->cipher == SEAL_SM4 ? COUNTER : NONCE;
        *n = HEAD + nonce + length + (k->cipher == SEAL_SM4 ? MAC : TAG);
        unsigned char *s = *out = arena_alloc(a, *n), *body = s + HEAD + nonce;
        put_head(s, k);
        if (!random_bytes(s + HEAD, nonce, e))
                return false;
        const bool ok = k->cipher == SEAL_SM4 ? seal_sm4_stream(k, s + HEAD, (const unsigned char *)text, length, body)
                                                        && mac_of(a, k, context, s, HEAD + nonce + length, body + length)
                                              : gcm(k->cipher_key, s, context, s + HEAD, (const unsigned char *)text, length, body,
                                                    body + length, true);
        return ok || err_set(e, ERR_FAULT, "sealing failed");
}

static bool unseal_sm4(struct arena *a, const struct seal_key *k, const char *context, const unsigned char *s, size_t n, char **out)
{
        unsigned char mac[MAC];
        if (n < HEAD + COUNTER + MAC)
                return false;
        const size_t length = n - HEAD - COUNTER - MAC;
        *out = arena_alloc(a, length + 1);
        return mac_of(a, k, context, s, n - MAC, mac) && secret_same(mac, s + n - MAC, MAC)
               && seal_sm4_stream(k, s + HEAD, s + HEAD + COUNTER, length, (unsigned char *)*out);
}

/* head: bytes in front of the nonce, 0 in values from before keys had numbers. */
static bool unseal_aes(struct arena *a, const unsigned char *key, const char *context, const unsigned char *s, size_t n,
                       size_t head, char **out)
{
        unsigned char tag[TAG];
        if (n < head + NONCE + TAG)
                return false;
        const size_t length = n - head - NONCE - TAG;
        memcpy(tag, s + n - TAG, TAG);
        *out = arena_alloc(a, length + 1);
        return gcm(key, head ? s : NULL, context, s + head, s + head + NONCE, length, (unsigned char *)*out, tag, false);
}

bool unseal_with(struct arena *a, const struct seal_key *k, const char *context, const unsigned char *s, size_t n, char **out)
{
        return k->cipher == SEAL_SM4 ? unseal_sm4(a, k, context, s, n, out)
                                     : unseal_aes(a, k->cipher_key, context, s, n, HEAD, out);
}

bool unseal_old(struct arena *a, const struct seal_key *k, const char *context, const unsigned char *s, size_t n, char **out)
{
        return unseal_aes(a, k->secret, context, s, n, 0, out);
}

void seal_key_index(const struct seal_key *k, const char *purpose, const char *text, unsigned char out[BLIND_SIZE])
{
        unsigned char whole[32], under[32];
        unsigned int n = sizeof whole;
        const EVP_MD *digest = k->cipher == SEAL_SM4 ? EVP_sm3() : EVP_sha256();
        /* A key for each purpose first, so that no text of one can look like a purpose and a text of another. */
        if (!HMAC(digest, k->index_key, sizeof k->index_key, (const unsigned char *)purpose, strlen(purpose), under, &n)
            || !HMAC(digest, under, sizeof under, (const unsigned char *)text, strlen(text), whole, &n))
                abort(); /* only when memory is out */
        memcpy(out, whole, BLIND_SIZE);
}
