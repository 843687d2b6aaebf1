/* archive/folder.c -- what is in an archive's folder, and what is no longer needed there. */
#include "archive/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "json/json.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANIFEST_MOST = 64 << 10 };

/* --- files -------------------------------------------------------------------------------------------------------------------- */
bool file_map(const char *path, unsigned char **bytes, size_t *n, struct err *e)
{
        struct stat is;
        *bytes = NULL;
        *n = 0;
        const int f = open(path, O_RDONLY | O_CLOEXEC);
        bool ok = f >= 0 && fstat(f, &is) == 0;
        if (ok && is.st_size > 0) {
                *bytes = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_PRIVATE, f, 0);
                ok = *bytes != MAP_FAILED;
                *bytes = ok ? *bytes : NULL;
                *n = ok ? (size_t)is.st_size : 0;
        }
        const int cause = errno;
        if (f >= 0)
                (void)close(f);
        return ok || err_both(e, ERR_FAULT, NULL, "cannot read %s: %s", "无法读取 %s：%s", path, strerror(cause));
}

void file_unmap(unsigned char *bytes, size_t n)
{
        if (bytes)
                (void)munmap(bytes, n);
}

bool archive_make(const char *path, struct err *e)
{
        return mkdir(path, 0700) == 0 || errno == EEXIST
               || err_both(e, ERR_INVALID, NULL, "cannot make the folder %s: %s", "无法创建目录 %s：%s", path, strerror(errno));
}

bool archive_sync(const char *path, struct err *e)
{
        const int f = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool ok = f >= 0 && fsync(f) == 0;
        const int cause = errno;
        if (f >= 0)
                (void)close(f);
        return ok || err_set(e, ERR_FAULT, "cannot bring the folder %s to the disk: %s", path, strerror(cause));
}

void segment_name(const char *folder, uint32_t number, char *out, size_t room)
{
        (void)snprintf(out, room, "%s/segment-%08u", folder, number);
}

/* --- the manifest of a copy ---------------------------------------------------------------------------------------------- */
bool manifest_parse(struct arena *a, const char *text, size_t n, struct copy *c, struct err *e)
{
        const struct json_value *m = json_parse(a, text, n, e);
        if (!m)
                return false;
        const struct json_value *log = json_get(m, "log");
        unsigned char digest[SHA256_SIZE];
        const char *sha256 = json_get_text(m, "sha256", "");
        const int64_t page_size = json_get_int(m, "page_size", 0), frame = json_get_int(log, "frame", -1);
        if (json_get_int(m, "format", 0) != 1 || !time_parse(json_get_text(m, "instant", ""), ZONE_SHANGHAI, &c->instant)
            || !hex_bytes(sha256, digest, sizeof digest) || !hex_bytes(json_get_text(log, "salt", ""), c->at.salt, SALT)
            || frame < 0 || frame > UINT32_MAX || !text_to_int(json_get_text(log, "file_changed", ""), &c->file.changed)
            || page_size < 512 || page_size > PAGE_MOST || (c->bytes = json_get_int(m, "bytes", 0)) <= 0)
                return err_both(e, ERR_INVALID, NULL, "this is no manifest of a full copy", "这不是完整备份的清单");
        (void)snprintf(c->sha256, sizeof c->sha256, "%s", sha256);
        c->file.size = json_get_int(log, "file_bytes", 0);
        c->at.frame = (uint32_t)frame;
        c->page_size = (uint32_t)page_size;
        return true;
}

bool manifest_read(struct arena *a, const char *path, struct copy *c, struct err *e)
{
        unsigned char *bytes;
        size_t n;
        if (!file_map(path, &bytes, &n, e))
                return false;
        const bool ok = n <= MANIFEST_MOST ? manifest_parse(a, bytes ? (const char *)bytes : "", n, c, e)
                                           : err_set(e, ERR_INVALID, "%s is too long", path);
        file_unmap(bytes, n);
        return ok;
}

/* --- listing ------------------------------------------------------------------------------------------------------------- */
static void read_segment(const char *folder, uint32_t number, struct segment *s)
{
        char path[4096];
        unsigned char head[SEGMENT_HEAD];
        *s = (struct segment){.number = number};
        segment_name(folder, number, path, sizeof path);
        const int f = open(path, O_RDONLY | O_CLOEXEC);
        s->readable = f >= 0 && read(f, head, sizeof head) == SEGMENT_HEAD && segment_head_get(head, sizeof head, &s->head)
                      && s->head.number == number;
        if (f >= 0)
                (void)close(f);
}

static bool segment_number(const char *name, uint32_t *out)
{
        int64_t n;
        if (!text_starts(name, "segment-") || !text_to_int(name + 8, &n) || n <= 0 || n > UINT32_MAX)
                return false;
        *out = (uint32_t)n;
        return true;
}

static int by_number(const void *a, const void *b)
{
        const uint32_t x = ((const struct segment *)a)->number, y = ((const struct segment *)b)->number;
        return x < y ? -1 : x > y;
}

static int by_instant(const void *a, const void *b)
{
        const int64_t x = ((const struct copy *)a)->instant, y = ((const struct copy *)b)->instant;
        return x < y ? -1 : x > y;
}

/* A copy whose manifest cannot be read is passed over, and said. */
static void add_copy(struct arena *a, const char *path, const char *name, struct folder *out)
{
        struct err e;
        struct copy c = {.bytes = 0};
        (void)snprintf(c.name, sizeof c.name, "%s", name);
        if (manifest_read(a, arena_format(a, "%s/%s/manifest.json", path, name), &c, &e))
                out->copies[out->n_copies++] = c;
        else
                log_event(LOG_WARN, "archive.copy", "copy=%s cause=\"%s\"", name, e.text);
}

bool archive_list(struct arena *a, const char *path, struct folder *out, struct err *e)
{
        struct dirent **names = NULL;
        uint32_t number;
        const int n = scandir(path, &names, NULL, alphasort);
        if (n < 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "cannot read the folder %s: %s", "无法读取目录 %s：%s", path,
                                strerror(errno));
        *out = (struct folder){.segments = NEW_ARRAY(a, struct segment, n), .copies = NEW_ARRAY(a, struct copy, n)};
        for (int i = 0; i < n; i++) {
                const char *name = names[i]->d_name;
                const size_t length = strlen(name);
                if (segment_number(name, &number))
                        read_segment(path, number, &out->segments[out->n_segments++]);
                else if (text_starts(name, "copy-") && length < NAME_SIZE && !strchr(name, '.'))
                        add_copy(a, path, name, out);
                free(names[i]);
        }
        free(names);
        qsort(out->segments, out->n_segments, sizeof *out->segments, by_number);
        qsort(out->copies, out->n_copies, sizeof *out->copies, by_instant);
        return true;
}

/* --- what is no longer needed -------------------------------------------------------------------------------------------- */
static void remove_copy(struct arena *a, const char *path, const struct copy *c)
{
        const char *folder = arena_format(a, "%s/%s", path, c->name);
        /* The manifest first: without it, what is left is no copy. */
        if (unlink(arena_format(a, "%s/manifest.json", folder)) != 0 || unlink(arena_format(a, "%s/yiwang.db", folder)) != 0
            || rmdir(folder) != 0)
                log_event(LOG_WARN, "archive.prune", "name=%s errno=%d", c->name, errno);
}

void archive_prune(const char *path, int64_t since)
{
        struct arena *a = arena_new();
        struct folder f;
        struct err e;
        char name[4096];
        size_t keep = 0;
        bool ok = archive_list(a, path, &f, &e) && f.n_copies > 0;
        /* The newest copy that is old enough restores everything from `since` on. */
        for (size_t i = 0; ok && i < f.n_copies; i++)
                if (f.copies[i].instant <= since)
                        keep = i;
        for (size_t i = 0; ok && i < keep; i++)
                remove_copy(a, path, &f.copies[i]);
        /* A segment goes when the next one begins well before that copy. */
        for (size_t i = 0; ok && i + 1 < f.n_segments; i++) {
                if (!f.segments[i + 1].readable || f.segments[i + 1].head.time > f.copies[keep].instant - USEC_HOUR)
                        break;
                segment_name(path, f.segments[i].number, name, sizeof name);
                if (unlink(name) != 0)
                        log_event(LOG_WARN, "archive.prune", "name=segment-%08u errno=%d", f.segments[i].number, errno);
        }
        arena_free(&a);
}
