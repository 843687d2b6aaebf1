/* crypto/inside.h -- one sealing key, between seal.c and keys.c; files that hold keys, between keyring.c and sign.c. */
#ifndef CRYPTO_INSIDE_H
#define CRYPTO_INSIDE_H
#include "crypto/seal.h"
struct buf;
struct stat;

struct seal_key {
        int number;                     /* 1 to 65535 */
        enum seal_cipher cipher;
        int64_t made;
        unsigned char secret[SEAL_SECRET_SIZE];
        unsigned char cipher_key[32], mac_key[32], index_key[32];       /* derived; SM4 takes the first 16 bytes of cipher_key */
};
void seal_key_derive(struct seal_key *);        /* from number, cipher and secret */
int seal_head(const unsigned char *sealed, size_t n, enum seal_cipher *);       /* the number of its key; 0 = it has no such head */
bool seal_with(struct arena *, const struct seal_key *, const char *context, const char *text, unsigned char **out, size_t *n,
               struct err *) MUST_CHECK;
bool unseal_with(struct arena *, const struct seal_key *, const char *context, const unsigned char *, size_t n, char **out) MUST_CHECK;
/* A value without a head: AES-256-GCM under the secret itself. */
bool unseal_old(struct arena *, const struct seal_key *, const char *context, const unsigned char *, size_t n, char **out) MUST_CHECK;
/* SM4-CTR from that counter of 16 bytes on; enciphers and deciphers. */
bool seal_sm4_stream(const struct seal_key *, const unsigned char *counter, const unsigned char *in, size_t n, unsigned char *out) MUST_CHECK;
void seal_key_index(const struct seal_key *, const char *purpose, const char *text, unsigned char out[BLIND_SIZE]);
/* As keys_at(), with the secret. */
struct key_about keys_secret(const struct keys *, size_t, unsigned char secret[SEAL_SECRET_SIZE]);

/* --- a file that holds keys ------------------------------------------------------------------------------------------- */
enum { KEY_FILE_MOST = 8192 };
/* ERR_FAULT: it cannot be read, is too long, or others may read it.  The caller wipes text. */
bool key_text_read(const char *path, char text[KEY_FILE_MOST], size_t *n, struct stat *about, struct err *) MUST_CHECK;
int key_folder_lock(const char *path, struct err *) MUST_CHECK; /* a descriptor to be closed; -1 */
/* With the folder locked.  first: made unless it is there already; else replaced. */
bool key_text_put(const char *path, const struct buf *, bool first, int folder, struct err *) MUST_CHECK;
void key_text_wipe(struct buf *);
#endif
