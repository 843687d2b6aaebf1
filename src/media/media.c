/* media/media.c -- see media.h. */
#include "media/media.h"
#include "media/picture.h"
#include "media/scan.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first bytes by which formats are known (WHATWG MIME Sniffing, 6.1); '?' stands for any byte. */
static const struct {
        const char *type, *magic;
        size_t n;
} formats[] = {
        {"image/jpeg", "\xFF\xD8\xFF", 3}, {"image/png", "\x89PNG\r\n\x1A\n", 8}, {"image/gif", "GIF87a", 6},
        {"image/gif", "GIF89a", 6},        {"image/webp", "RIFF????WEBPVP", 14},
};

static bool begins(const char *bytes, const char *magic, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (magic[i] != '?' && bytes[i] != magic[i])
                        return false;
        return true;
}

const char *media_type(const void *bytes, size_t n)
{
        for (size_t i = 0; i < COUNT_OF(formats); i++)
                if (n >= formats[i].n && begins(bytes, formats[i].magic, formats[i].n))
                        return formats[i].type;
        return NULL;
}

bool media_check(const void *bytes, size_t n, struct media *m, struct err *e)
{
        unsigned char hash[SHA256_SIZE];
        struct picture_facts f;
        *m = (struct media){.type = media_type(bytes, n), .n = n};
        if (n == 0 || n > MEDIA_BYTES_MOST)
                return err_both(e, ERR_INVALID, "media", "a picture has 1 byte to %d MiB", "图片大小应为 1 字节至 %d MiB",
                                MEDIA_BYTES_MOST >> 20);
        if (!m->type)
                return err_both(e, ERR_INVALID, "media", "only JPEG, PNG, WebP and GIF pictures are taken",
                                "仅接受 JPEG、PNG、WebP、GIF 图片");
        sha256(bytes, n, hash);
        hex_text(hash, sizeof hash, m->hash);
        picture_facts(bytes, n, &f);
        m->has_point = f.has_point;
        m->lon = f.lon;
        m->lat = f.lat;
        m->taken = f.taken;
        return true;
}

/* --- files -------------------------------------------------------------------------------------------------------- */
enum { PATH_MOST = 4096 };

static bool cannot(const char *what, const char *path, struct err *e)
{
        const bool full = errno == ENOSPC || errno == EDQUOT;
        return err_both(e, full ? ERR_BUSY : ERR_FAULT, NULL, "cannot %s %s: %s", "无法%.0s写入 %s：%s", what, path,
                        strerror(errno));
}

static bool sync_folder(const char *path, struct err *e)
{
        const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool ok = fd >= 0 && fsync(fd) == 0;
        if (!ok)
                (void)cannot("sync", path, e);
        if (fd >= 0)
                (void)close(fd);
        return ok;
}

/* A new folder is durable only when the one it stands in is. */
static bool make_folder(const char *parent, const char *path, struct err *e)
{
        if (mkdir(path, 0700) == 0)
                return sync_folder(parent, e);
        return errno == EEXIST || cannot("make", path, e);
}

static bool write_all(int fd, const char *bytes, size_t n)
{
        for (size_t done = 0; done < n;) {
                const ssize_t now = write(fd, bytes + done, n - done);
                if (now < 0 && errno == EINTR)
                        continue;
                if (now <= 0)
                        return false;
                done += (size_t)now;
        }
        return true;
}

static bool write_file(const char *path, const void *bytes, size_t n, struct err *e)
{
        const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return cannot("write", path, e);
        bool ok = (write_all(fd, bytes, n) && fsync(fd) == 0) || cannot("write", path, e);
        if (close(fd) != 0 && ok)
                ok = cannot("write", path, e);
        if (!ok)
                (void)unlink(path);
        return ok;
}

/* DATA/media/ab/abcdef...: 256 folders, so that none grows huge. */
static bool path_of(char path[PATH_MOST], const char *data, const char *hash)
{
        const int n = snprintf(path, PATH_MOST, "%s/media/%.2s/%s", data, hash, hash);
        return n > 0 && n < PATH_MOST;
}

static bool there(const char *path, size_t n)
{
        struct stat s;
        return stat(path, &s) == 0 && S_ISREG(s.st_mode) && (size_t)s.st_size == n;
}

/* Out of the way of everybody, for whoever looks into it. */
static bool put_away(const char *data, const char *new, const struct media *m, struct err *e)
{
        char folder[PATH_MOST], path[PATH_MOST + 80];
        (void)snprintf(folder, sizeof folder, "%s/quarantine", data);
        (void)snprintf(path, sizeof path, "%s/%s", folder, m->hash);
        log_event(LOG_WARN, "media.infected", "hash=%s", m->hash);
        if (!make_folder(data, folder, e) || (rename(new, path) != 0 && !cannot("rename", new, e)))
                return false;
        return err_both(e, ERR_INVALID, "media", "the picture was refused: a virus was found in it", "图片被拒绝：检测到病毒");
}

/* Whether the file may get its name; otherwise it is gone from where it was. */
static bool examine(const struct media_place *place, const char *new, const struct media *m, struct err *e)
{
        enum scan_result found = SCAN_CLEAN;
        if (!place->scan)
                return true;
        bool ok = scan_file(place->scan, new, place->scan_seconds, &found, e);
        if (ok && found == SCAN_INFECTED)
                ok = put_away(place->data, new, m, e);
        if (!ok)
                (void)unlink(new);
        return ok;
}

static bool name_it(const char *new, const char *path, const char *folder, struct err *e)
{
        if (rename(new, path) == 0)
                return sync_folder(folder, e);
        (void)cannot("rename", new, e);
        (void)unlink(new);
        return false;
}

bool media_keep(const struct media_place *place, const void *bytes, const struct media *m, struct err *e)
{
        char media[PATH_MOST], folder[PATH_MOST + 8], path[PATH_MOST], new[PATH_MOST + 40], turn[17];
        assert(strlen(m->hash) == MEDIA_HASH_SIZE - 1);
        if (!place->data || !path_of(path, place->data, m->hash))
                return err_set(e, ERR_FAULT, "there is no folder for pictures");
        if (there(path, m->n))
                return true; /* it was examined and made durable when it got this name */
        (void)snprintf(media, sizeof media, "%s/media", place->data);
        (void)snprintf(folder, sizeof folder, "%s/%.2s", media, m->hash);
        if (!random_token(turn, 16, e) || !make_folder(place->data, media, e) || !make_folder(media, folder, e))
                return false;
        (void)snprintf(new, sizeof new, "%s/new-%s", media, turn);
        return write_file(new, bytes, m->n, e) && examine(place, new, m, e) && name_it(new, path, folder, e);
}

static bool is_hash(const char *text)
{
        return strlen(text) == MEDIA_HASH_SIZE - 1 && strspn(text, "0123456789abcdef") == MEDIA_HASH_SIZE - 1;
}

bool media_read(struct arena *a, const char *data, const char *hash, char **bytes, size_t *n, struct err *e)
{
        char path[PATH_MOST];
        struct media m;
        if (!data || !is_hash(hash) || !path_of(path, data, hash))
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no such picture", "没有此图片");
        FILE *f = fopen(path, "re");
        if (!f)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no such picture", "没有此图片");
        *bytes = arena_alloc(a, MEDIA_BYTES_MOST + 1);
        *n = fread(*bytes, 1, MEDIA_BYTES_MOST + 1, f);
        const bool whole = !ferror(f);
        (void)fclose(f);
        return (whole && media_check(*bytes, *n, &m, e) && text_is(m.hash, hash))
               || err_set(e, ERR_FAULT, "the picture %s is not what was kept under this name", path);
}
