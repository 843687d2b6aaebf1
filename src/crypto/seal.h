/* crypto/seal.h -- sealing under numbered keys, and the blind index by which a sealed value is found again.
 *
 * The key file holds several keys; the one with the highest number is active: new values are sealed with it, and every older one
 * still opens what it sealed.  A key belongs to one cipher.  A sealed value begins with its form and the number of its key, so
 * values of all keys and ciphers may stand side by side.  What was sealed before keys had numbers (no such head) opens with key 1.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H
#include "base/base.h"
struct arena;

/* AES-256-GCM; SM4-CTR (GB/T 32907) and then HMAC-SM3 (GB/T 32905) over all of it.  The numbers stand in sealed values. */
enum seal_cipher { SEAL_AES = 1, SEAL_SM4 = 2 };
enum { SEAL_KEYS_MOST = 32, SEAL_SECRET_SIZE = 32, BLIND_SIZE = 16 };

const char *seal_cipher_name(enum seal_cipher);                 /* "aes", "sm4" */
bool seal_cipher_named(const char *, enum seal_cipher *out) MUST_CHECK;

/* --- keys: one reading of the file, immutable ---------------------------------------------------------------------- */
struct keys;
struct key_about { int number; enum seal_cipher cipher; int64_t made; };        /* made: 0 = unknown */
/* From the text of a key file, or from the 32 bytes that a key file was before keys had numbers.  Pure.  NULL: ERR_INVALID says the
 * line.  Free with keys_free(), which wipes it. */
struct keys *keys_parse(const void *bytes, size_t n, struct err *) MUST_CHECK;
void keys_free(struct keys **);
size_t keys_count(const struct keys *);
struct key_about keys_at(const struct keys *, size_t);          /* in the order of their numbers */
int keys_active(const struct keys *);

/* context is authenticated but not stored, so a sealed value moved to another row does not open. */
bool seal(struct arena *, const struct keys *, const char *context, const char *text, unsigned char **out, size_t *n,
          struct err *) MUST_CHECK;
/* ERR_FAULT: altered, of another place, or of a key that is not in the file. */
bool unseal(struct arena *, const struct keys *, const char *context, const void *sealed, size_t n, char **out,
            struct err *) MUST_CHECK;
/* The same text gives the same index under the same key, and without the key it tells nothing but that: the i-th key's, as in
 * keys_at().  `purpose` keeps indexes of different fields apart. */
void blind_index(const struct keys *, size_t i, const char *purpose, const char *text, unsigned char out[BLIND_SIZE]);

/* --- the file and who watches it ---------------------------------------------------------------------------------------- */
struct keyring;
/* Makes the file, mode 0600, with key 1 when it is absent and `make` is set.  ERR_FAULT: it cannot be read, or others may read it. */
bool keyring_open(struct keyring **, const char *path, bool make, enum seal_cipher, int64_t now, struct err *) MUST_CHECK;
void keyring_close(struct keyring **);
/* The keys as the file has them now: it is looked at (not read) each time, so that a new key counts at once in every program.  A file
 * that cannot be read any more is logged once, and the keys stay.  Valid until keyring_close().  Any thread. */
const struct keys *keyring_now(struct keyring *);

/* Adds a key to the file, which is then the active one; its number.  The file is replaced whole and durable, or not at all. */
bool key_file_add(const char *path, enum seal_cipher, int64_t now, int *number, struct err *) MUST_CHECK;
/* ERR_CONFLICT: the active one stays.  ERR_NOT_FOUND.  Whether values still need it, the caller has to know. */
bool key_file_remove(const char *path, int number, struct err *) MUST_CHECK;
#endif
