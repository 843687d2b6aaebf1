/* crypto/keyring.c -- the key file: made, replaced, watched. */
#include "crypto/inside.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MOST = KEY_FILE_MOST };

/* --- reading --------------------------------------------------------------------------------------------------------------- */
bool key_text_read(const char *path, char text[FILE_MOST], size_t *n, struct stat *about, struct err *e)
{
        const int f = open(path, O_RDONLY | O_CLOEXEC);
        if (f < 0)
                return err_set(e, ERR_FAULT, "the key file %s cannot be read: %s", path, strerror(errno));
        const ssize_t got = fstat(f, about) == 0 ? read(f, text, FILE_MOST) : -1;
        const int cause = errno;
        (void)close(f);
        if (got < 0)
                return err_set(e, ERR_FAULT, "the key file %s cannot be read: %s", path, strerror(cause));
        *n = (size_t)got;
        if (*n == FILE_MOST)
                return err_set(e, ERR_FAULT, "the key file %s is too long", path);
        return (about->st_mode & 077) == 0
               || err_set(e, ERR_FAULT, "the key file %s must be readable by its owner alone (chmod 600)", path);
}

static struct keys *read_keys(const char *path, struct stat *about, struct err *e)
{
        char text[FILE_MOST];
        size_t n;
        struct err why;
        struct keys *keys = NULL;
        if (key_text_read(path, text, &n, about, e)) {
                keys = keys_parse(text, n, &why);
                if (!keys)
                        (void)err_set(e, ERR_FAULT, "the key file %s is no key file: %s", path, why.text);
        }
        OPENSSL_cleanse(text, sizeof text);
        return keys;
}

/* --- writing ----------------------------------------------------------------------------------------------------------------- */
static bool folder_of(const char *path, char folder[PATH_MAX], struct err *e)
{
        const char *slash = strrchr(path, '/');
        const int n = snprintf(folder, PATH_MAX, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
        return n < PATH_MAX || err_set(e, ERR_INVALID, "the name of the key file %.100s... is too long", path);
}

static bool write_text(int f, const char *text, size_t n)
{
        const ssize_t done = write(f, text, n);
        if (done >= 0 && (size_t)done < n)
                errno = ENOSPC;
        return done == (ssize_t)n && fsync(f) == 0;
}

/* Written beside, so that a run that breaks off leaves no half of it; its owner's alone from the first moment on.  A first file is
 * linked, so that of two programs at once the first wins; a further one replaces it.  The name, too, must be on the disk before
 * anything is sealed. */
bool key_text_put(const char *path, const struct buf *text, bool first, int folder, struct err *e)
{
        char beside[PATH_MAX];
        if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
                return err_set(e, ERR_INVALID, "the name of the key file %.100s... is too long", path);
        const int f = mkostemp(beside, O_CLOEXEC);
        if (f < 0)
                return err_set(e, ERR_FAULT, "the key file %s cannot be made: %s", path, strerror(errno));
        bool ok = write_text(f, text->at, text->length);
        ok = ok && (first ? link(beside, path) == 0 || errno == EEXIST : rename(beside, path) == 0) && fsync(folder) == 0;
        const int cause = errno;
        (void)close(f);
        (void)unlink(beside);
        return ok || err_set(e, ERR_FAULT, "the key file %s cannot be written: %s", path, strerror(cause));
}

static void add_line(struct buf *b, int number, enum seal_cipher cipher, int64_t made, const unsigned char *secret)
{
        char hex[2 * SEAL_SECRET_SIZE + 1], time[TIME_TEXT_SIZE];
        hex_text(secret, SEAL_SECRET_SIZE, hex);
        buf_format(b, "%d %s %s %s\n", number, seal_cipher_name(cipher), time_text(time, made, ZONE_SHANGHAI), hex);
        OPENSSL_cleanse(hex, sizeof hex);
}

static void add_keys(struct buf *b, const struct keys *keys, int but)
{
        buf_text(b, "# Sealing keys of yiwang: keep a copy apart from backups. The last one seals, older ones open.\n");
        for (size_t i = 0; keys && i < keys_count(keys); i++) {
                unsigned char secret[SEAL_SECRET_SIZE];
                const struct key_about k = keys_secret(keys, i, secret);
                if (k.number != but)
                        add_line(b, k.number, k.cipher, k.made, secret);
                OPENSSL_cleanse(secret, sizeof secret);
        }
}

void key_text_wipe(struct buf *b)
{
        if (b->at)
                OPENSSL_cleanse(b->at, b->length);
        buf_free(b);
}

static bool add_new(struct buf *b, int number, enum seal_cipher cipher, int64_t now, struct err *e)
{
        unsigned char secret[SEAL_SECRET_SIZE];
        if (!random_bytes(secret, sizeof secret, e))
                return false;
        add_line(b, number, cipher, now, secret);
        OPENSSL_cleanse(secret, sizeof secret);
        return true;
}

/* What changes a key file holds its folder's lock, so that two at once do not lose a key of each other. */
int key_folder_lock(const char *path, struct err *e)
{
        char folder[PATH_MAX];
        if (!folder_of(path, folder, e))
                return -1;
        const int f = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f >= 0 && flock(f, LOCK_EX) == 0)
                return f;
        (void)err_set(e, ERR_FAULT, "the folder %s cannot be locked: %s", folder, strerror(errno));
        if (f >= 0)
                (void)close(f);
        return -1;
}

static bool make_file(const char *path, enum seal_cipher cipher, int64_t now, struct err *e)
{
        struct buf b = BUF_LIMIT(FILE_MOST);
        const int folder = key_folder_lock(path, e);
        if (folder < 0)
                return false;
        add_keys(&b, NULL, 0);
        const bool ok = add_new(&b, 1, cipher, now, e) && key_text_put(path, &b, true, folder, e);
        key_text_wipe(&b);
        (void)close(folder);
        return ok;
}

bool key_file_add(const char *path, enum seal_cipher cipher, int64_t now, int *number, struct err *e)
{
        struct buf b = BUF_LIMIT(FILE_MOST);
        struct stat about;
        const int folder = key_folder_lock(path, e);
        if (folder < 0)
                return false;
        struct keys *keys = read_keys(path, &about, e);
        bool ok = keys != NULL;
        if (ok && keys_count(keys) == SEAL_KEYS_MOST)
                ok = err_set(e, ERR_CONFLICT, "there are %d keys already; remove old ones first", (int)SEAL_KEYS_MOST);
        if (ok) {
                *number = keys_active(keys) + 1;
                add_keys(&b, keys, 0);
                ok = add_new(&b, *number, cipher, now, e) && key_text_put(path, &b, false, folder, e);
        }
        key_text_wipe(&b);
        keys_free(&keys);
        (void)close(folder);
        return ok;
}

static bool may_remove(const struct keys *keys, int number, struct err *e)
{
        if (keys_active(keys) == number)
                return err_both(e, ERR_CONFLICT, NULL, "key %d is the active one; yiwang keys rotate makes another first",
                                "密钥 %d 正在使用，请先运行 yiwang keys rotate", number);
        for (size_t i = 0; i < keys_count(keys); i++)
                if (keys_at(keys, i).number == number)
                        return true;
        return err_both(e, ERR_NOT_FOUND, NULL, "there is no key %d", "没有编号为 %d 的密钥", number);
}

bool key_file_remove(const char *path, int number, struct err *e)
{
        struct buf b = BUF_LIMIT(FILE_MOST);
        struct stat about;
        const int folder = key_folder_lock(path, e);
        if (folder < 0)
                return false;
        struct keys *keys = read_keys(path, &about, e);
        bool ok = keys && may_remove(keys, number, e);
        if (ok) {
                add_keys(&b, keys, number);
                ok = key_text_put(path, &b, false, folder, e);
        }
        key_text_wipe(&b);
        keys_free(&keys);
        (void)close(folder);
        return ok;
}

/* --- watching ---------------------------------------------------------------------------------------------------------------- */
/* Readings are few (one a rotation); the earlier ones are kept, since somebody may be sealing with them. */
struct reading {
        struct keys *keys;
        struct stat about;
        struct reading *before;
};
struct keyring {
        char *path;
        pthread_mutex_t lock; /* guards the list; the newest is read without it */
        _Atomic(struct reading *) newest;
        bool lost; /* the file cannot be read: told already */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mode == b->st_mode
               && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* With the lock held. */
static bool read_again(struct keyring *ring, struct err *e)
{
        struct stat about;
        struct keys *keys = read_keys(ring->path, &about, e);
        if (!keys)
                return false;
        struct reading *r = calloc(1, sizeof *r);
        if (!r)
                abort();
        *r = (struct reading){keys, about, atomic_load(&ring->newest)};
        atomic_store(&ring->newest, r);
        return true;
}

bool keyring_open(struct keyring **out, const char *path, bool make, enum seal_cipher cipher, int64_t now, struct err *e)
{
        *out = NULL;
        if (make && access(path, F_OK) != 0 && !make_file(path, cipher, now, e))
                return false;
        struct keyring *ring = calloc(1, sizeof *ring);
        if (!ring || !(ring->path = strdup(path)))
                abort();
        (void)pthread_mutex_init(&ring->lock, NULL);
        *out = ring;
        if (!read_again(ring, e))
                keyring_close(out);
        return *out != NULL;
}

void keyring_close(struct keyring **out)
{
        struct keyring *ring = *out;
        if (!ring)
                return;
        for (struct reading *r = atomic_load(&ring->newest), *before; r; r = before) {
                before = r->before;
                keys_free(&r->keys);
                free(r);
        }
        (void)pthread_mutex_destroy(&ring->lock);
        free(ring->path);
        free(ring);
        *out = NULL;
}

const struct keys *keyring_now(struct keyring *ring)
{
        const struct reading *r = atomic_load(&ring->newest);
        struct stat about;
        struct err e;
        if (stat(ring->path, &about) == 0 && same_file(&about, &r->about))
                return r->keys;
        (void)pthread_mutex_lock(&ring->lock);
        r = atomic_load(&ring->newest);
        if (stat(ring->path, &about) != 0 || !same_file(&about, &r->about)) {
                const bool read = read_again(ring, &e);
                if (!read && !ring->lost)
                        log_err(LOG_ERROR, "keys.lost", &e);
                ring->lost = !read;
                r = atomic_load(&ring->newest);
                if (read)
                        log_event(LOG_INFO, "keys.read", "keys=%zu active=%d", keys_count(r->keys), keys_active(r->keys));
        }
        (void)pthread_mutex_unlock(&ring->lock);
        return r->keys;
}
