/* crypto/crypto.h -- digests, keyed digests, passwords, random tokens (OpenSSL 3, libargon2). */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H
#include "base/base.h"
struct arena;

enum { SHA256_SIZE = 32, PASSWORD_HASH_SIZE = 128 };

void sha256(const void *, size_t, unsigned char out[SHA256_SIZE]);
/* SHA-256 of what comes in pieces; digest_now() may be called in between. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *, const void *, size_t);
void digest_now(const struct digest *, unsigned char out[SHA256_SIZE]);
void digest_free(struct digest **);
void hmac_sha256(const void *key, size_t key_n, const void *, size_t, unsigned char out[SHA256_SIZE]);
void hex_text(const void *, size_t n, char *out);                   /* 2n + 1 bytes */
bool hex_bytes(const char *, unsigned char *out, size_t n) MUST_CHECK;  /* exactly 2n digits */
/* RFC 4648, section 4.  out has BASE64_ROOM(n) bytes. */
#define BASE64_ROOM(n) (((n) + 2) / 3 * 4 + 1)
void base64_text(const void *, size_t n, char *out);
/* Exactly the form base64_text() gives, of at most `most` bytes. */
bool base64_bytes(const char *, unsigned char *out, size_t most, size_t *n) MUST_CHECK;
bool secret_same(const void *, const void *, size_t);               /* time does not depend on the contents */

bool random_bytes(void *, size_t, struct err *) MUST_CHECK;
/* `characters` of Crockford's base32 without I L O U: 5 bits each.  out has characters + 1 bytes. */
bool random_token(char *out, int characters, struct err *) MUST_CHECK;

/* Argon2id, t=2, 19 MiB, 1 lane (OWASP password storage cheat sheet); PHC text form.  About 40 ms of processor time;
 * at most two run at once in a process, others wait. */
bool password_hash(const char *password, char out[PASSWORD_HASH_SIZE], struct err *) MUST_CHECK;
bool password_verify(const char *password, const char *hash);       /* false also for a malformed hash */
#endif
