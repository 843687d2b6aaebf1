/* media/copy.c -- pictures into a backup, and back.  A picture never changes under its name, so only new ones are copied. */
#include "media/media.h"
#include "base/arena.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct copying {
        const char *from, *to;
        struct arena *arena; /* of one picture */
        struct media_copied *out;
};

static bool same_size(const char *a, const char *b)
{
        struct stat x, y;
        return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_size == y.st_size;
}

/* Read whole and compared with its name before it is kept there. */
static bool copy_one(const struct copying *c, const char *folder, const char *hash, struct err *e)
{
        char *bytes;
        size_t n;
        struct media m;
        struct err why;
        if (same_size(arena_format(c->arena, "%s/media/%s/%s", c->from, folder, hash),
                      arena_format(c->arena, "%s/media/%s/%s", c->to, folder, hash))) {
                c->out->there++;
                return true;
        }
        if (!media_read(c->arena, c->from, hash, &bytes, &n, &why) || !media_check(bytes, n, &m, &why)) {
                log_err(LOG_ERROR, "media.damaged", &why);
                c->out->damaged++;
                return true;
        }
        c->out->copied++;
        return media_keep(&(struct media_place){.data = c->to}, bytes, &m, e);
}

static bool copy_folder(const struct copying *c, const char *folder, struct err *e)
{
        DIR *d = opendir(arena_format(c->arena, "%s/media/%s", c->from, folder));
        bool ok = true;
        if (!d)
                return err_both(e, ERR_FAULT, NULL, "cannot read %s/media/%s: %s", "无法读取 %s/media/%s：%s", c->from, folder,
                                strerror(errno));
        for (const struct dirent *entry; ok && (entry = readdir(d)) != NULL;) {
                if (strlen(entry->d_name) != MEDIA_HASH_SIZE - 1)
                        continue;
                char hash[MEDIA_HASH_SIZE];
                memcpy(hash, entry->d_name, sizeof hash);
                ok = copy_one(c, folder, hash, e);
                arena_reset(c->arena);
        }
        (void)closedir(d);
        return ok;
}

bool media_copy(const char *from, const char *to, struct media_copied *out, struct err *e)
{
        struct copying c = {.from = from, .to = to, .arena = arena_new(), .out = out};
        char folder[3];
        bool ok = true;
        struct stat about;
        *out = (struct media_copied){0};
        for (int i = 0; ok && i < 256; i++) {
                (void)snprintf(folder, sizeof folder, "%02x", (unsigned)i & 0xFF);
                if (stat(arena_format(c.arena, "%s/media/%s", from, folder), &about) == 0)
                        ok = copy_folder(&c, folder, e);
                arena_reset(c.arena);
        }
        arena_free(&c.arena);
        return ok;
}
