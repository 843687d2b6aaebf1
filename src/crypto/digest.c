/* crypto/digest.c -- digests, keyed digests, hexadecimal. */
#include "crypto/crypto.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

void sha256(const void *bytes, size_t n, unsigned char out[SHA256_SIZE])
{
        unsigned int length = SHA256_SIZE;
        if (EVP_Digest(bytes, n, out, &length, EVP_sha256(), NULL) != 1)
                abort(); /* only when memory is out */
}

struct digest {
        EVP_MD_CTX *state;
};

struct digest *digest_new(void)
{
        struct digest *d = malloc(sizeof *d);
        if (!d || !(d->state = EVP_MD_CTX_new()) || EVP_DigestInit_ex(d->state, EVP_sha256(), NULL) != 1)
                abort();
        return d;
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
        if (EVP_DigestUpdate(d->state, bytes, n) != 1)
                abort();
}

void digest_now(const struct digest *d, unsigned char out[SHA256_SIZE])
{
        EVP_MD_CTX *copy = EVP_MD_CTX_new();
        if (!copy || EVP_MD_CTX_copy_ex(copy, d->state) != 1 || EVP_DigestFinal_ex(copy, out, NULL) != 1)
                abort();
        EVP_MD_CTX_free(copy);
}

void digest_free(struct digest **d)
{
        if (*d)
                EVP_MD_CTX_free((*d)->state);
        free(*d);
        *d = NULL;
}

void hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t n, unsigned char out[SHA256_SIZE])
{
        unsigned int length = SHA256_SIZE;
        if (!HMAC(EVP_sha256(), key, (int)key_n, bytes, n, out, &length))
                abort();
}

void hex_text(const void *bytes, size_t n, char *out)
{
        static const char digits[] = "0123456789abcdef";
        const unsigned char *p = bytes;
        for (size_t i = 0; i < n; i++) {
                out[2 * i] = digits[p[i] >> 4];
                out[2 * i + 1] = digits[p[i] & 15];
        }
        out[2 * n] = '\0';
}

static int digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_bytes(const char *text, unsigned char *out, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);
                if (low < 0)
                        return false;
                out[i] = (unsigned char)(high << 4 | low);
        }
        return text[2 * n] == '\0';
}

void base64_text(const void *bytes, size_t n, char *out)
{
        (void)EVP_EncodeBlock((unsigned char *)out, bytes, (int)n);
}

bool base64_bytes(const char *text, unsigned char *out, size_t most, size_t *n)
{
        enum { ROOM = 1024 };
        const size_t length = strlen(text);
        const size_t pad = length == 0 ? 0 : (size_t)(text[length - 1] == '=') + (size_t)(length > 1 && text[length - 2] == '=');
        unsigned char bytes[ROOM];
        char again[BASE64_ROOM(ROOM)];
        if (length % 4 != 0 || length / 4 * 3 > ROOM || length / 4 * 3 - pad > most)
                return false;
        if (EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length) < 0)
                return false;
        *n = length / 4 * 3 - pad;
        /* The decoder takes what no encoder writes. */
        base64_text(bytes, *n, again);
        memcpy(out, bytes, *n);
        return strcmp(text, again) == 0;
}

bool secret_same(const void *a, const void *b, size_t n)
{
        return CRYPTO_memcmp(a, b, n) == 0;
}
