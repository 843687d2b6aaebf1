/* crypto/seal.c -- random bytes and tokens, AES-256-GCM sealing, the key file. */
#include "crypto/crypto.h"
#include "base/arena.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NONCE = 12, TAG = 16 };

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

static bool gcm(const unsigned char *key, const char *context, const unsigned char *nonce, const unsigned char *in, size_t n,
                unsigned char *out, unsigned char *tag, bool encrypt)
{
        EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
        int done = 0, last = 0;
        bool ok = c && EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) == 1
                  && EVP_CipherUpdate(c, NULL, &done, (const unsigned char *)context, (int)strlen(context)) == 1
                  && EVP_CipherUpdate(c, out, &done, in, (int)n) == 1
                  && (encrypt || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1)
                  && EVP_CipherFinal_ex(c, out + done, &last) == 1
                  && (!encrypt || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1);
        EVP_CIPHER_CTX_free(c);
        return ok;
}

bool seal(struct arena *a, const unsigned char key[SEAL_KEY_SIZE], const char *context, const char *text, unsigned char **out,
          size_t *n, struct err *e)
{
        const size_t length = strlen(text);
        *n = NONCE + length + TAG;
        *out = arena_alloc(a, *n);
        if (!random_bytes(*out, NONCE, e))
                return false;
        return gcm(key, context, *out, (const unsigned char *)text, length, *out + NONCE, *out + NONCE + length, true)
               || err_set(e, ERR_FAULT, "sealing failed");
}

bool unseal(struct arena *a, const unsigned char key[SEAL_KEY_SIZE], const char *context, const void *sealed, size_t n, char **out,
            struct err *e)
{
        const unsigned char *s = sealed;
        unsigned char tag[TAG];
        if (n < NONCE + TAG)
                return err_set(e, ERR_FAULT, "a sealed value is too short");
        const size_t length = n - NONCE - TAG;
        memcpy(tag, s + NONCE + length, TAG);
        *out = arena_alloc(a, length + 1);
        return gcm(key, context, s, s + NONCE, length, (unsigned char *)*out, tag, false)
               || err_set(e, ERR_FAULT, "a sealed value was altered, or the key is another one");
}

static bool write_key(int f, const unsigned char key[SEAL_KEY_SIZE])
{
        const ssize_t n = write(f, key, SEAL_KEY_SIZE);
        if (n >= 0 && n < SEAL_KEY_SIZE)
                errno = ENOSPC;
        return n == SEAL_KEY_SIZE && fsync(f) == 0;
}

/* The name, too, must be on the disk before anything is sealed. */
static bool keep_name(const char *path)
{
        char folder[PATH_MAX];
        const char *slash = strrchr(path, '/');
        (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
        const int f = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool ok = f >= 0 && fsync(f) == 0;
        if (f >= 0)
                (void)close(f);
        return ok;
}

/* Written beside and linked, so that a run that breaks off leaves no half of it; of two at once the first wins. */
static bool make_key(const char *path, struct err *e)
{
        char beside[PATH_MAX];
        unsigned char key[SEAL_KEY_SIZE];
        if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
                return err_set(e, ERR_INVALID, "the name of the key file %.100s... is too long", path);
        if (!random_bytes(key, sizeof key, e))
                return false;
        const int f = mkostemp(beside, O_CLOEXEC); /* its owner's alone from the first moment on */
        if (f < 0)
                return err_set(e, ERR_FAULT, "the key file %s cannot be made: %s", path, strerror(errno));
        const bool ok = write_key(f, key) && (link(beside, path) == 0 || errno == EEXIST) && keep_name(path);
        const int cause = errno;
        (void)close(f);
        (void)unlink(beside);
        return ok || err_set(e, ERR_FAULT, "the key file %s cannot be written: %s", path, strerror(cause));
}

bool seal_key_file(const char *path, bool make, unsigned char key[SEAL_KEY_SIZE], struct err *e)
{
        struct stat about;
        if (make && access(path, F_OK) != 0 && !make_key(path, e))
                return false;
        int f = open(path, O_RDONLY | O_CLOEXEC);
        if (f < 0)
                return err_set(e, ERR_FAULT, "the key file %s cannot be read: %s", path, strerror(errno));
        unsigned char extra;
        bool ok = fstat(f, &about) == 0 && read(f, key, SEAL_KEY_SIZE) == SEAL_KEY_SIZE && read(f, &extra, 1) == 0;
        (void)close(f);
        if (!ok)
                return err_set(e, ERR_FAULT, "the key file %s must have exactly %d bytes", path, (int)SEAL_KEY_SIZE);
        return (about.st_mode & 077) == 0
               || err_set(e, ERR_FAULT, "the key file %s must be readable by its owner alone (chmod 600)", path);
}
