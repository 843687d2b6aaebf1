/* pack/folder.c -- reads a pack's folder into memory. */
#include "pack/inside.h"
#include "base/arena.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES_MOST = 2000, DEPTH_MOST = 4 };
static const long long BYTES_MOST = 64LL << 20;

struct walk {
        struct arena *arena;
        struct pack_folder *out;
        long long bytes;
};

static bool read_file(struct walk *w, const char *path, const char *name, struct err *e)
{
        FILE *f = fopen(path, "rbe");
        struct stat about;
        if (!f)
                return err_set(e, ERR_INVALID, "%s cannot be read: %s", path, strerror(errno));
        bool ok = fstat(fileno(f), &about) == 0 && (w->bytes += about.st_size) <= BYTES_MOST && w->out->n < FILES_MOST;
        if (!ok) {
                (void)fclose(f);
                return err_set(e, ERR_INVALID, "the pack has more than %d files or %lld MiB", (int)FILES_MOST, BYTES_MOST >> 20);
        }
        struct pack_bytes *b = &w->out->files[w->out->n++];
        b->path = arena_text(w->arena, name);
        b->at = arena_alloc(w->arena, (size_t)about.st_size + 1);
        b->n = fread(b->at, 1, (size_t)about.st_size, f);
        ok = fclose(f) == 0 && b->n == (size_t)about.st_size;
        return ok || err_set(e, ERR_INVALID, "%s cannot be read whole", path);
}

static bool read_dir(struct walk *w, const char *dir, const char *prefix, int depth, struct err *e)
{
        DIR *d = opendir(dir);
        bool ok = true;
        if (!d)
                return err_set(e, ERR_INVALID, "the folder %s cannot be read: %s", dir, strerror(errno));
        for (struct dirent *entry; ok && (entry = readdir(d)) != NULL;) {
                struct stat about;
                if (entry->d_name[0] == '.')
                        continue;
                char *path = arena_format(w->arena, "%s/%s", dir, entry->d_name);
                char *name = arena_format(w->arena, "%s%s", prefix, entry->d_name);
                if (stat(path, &about) != 0)
                        ok = err_set(e, ERR_INVALID, "%s cannot be read: %s", path, strerror(errno));
                else if (S_ISDIR(about.st_mode) && depth < DEPTH_MOST)
                        ok = read_dir(w, path, arena_format(w->arena, "%s/", name), depth + 1, e);
                else if (S_ISREG(about.st_mode))
                        ok = read_file(w, path, name, e);
        }
        (void)closedir(d);
        return ok;
}

static int by_path(const void *a, const void *b)
{
        return strcmp(((const struct pack_bytes *)a)->path, ((const struct pack_bytes *)b)->path);
}

bool folder_read(struct arena *a, const char *dir, struct pack_folder *out, struct err *e)
{
        *out = (struct pack_folder){.files = NEW_ARRAY(a, struct pack_bytes, FILES_MOST)};
        struct walk w = {.arena = a, .out = out};
        if (!read_dir(&w, dir, "", 0, e))
                return false;
        qsort(out->files, out->n, sizeof out->files[0], by_path);
        return true;
}

struct pack_bytes *folder_file(const struct pack_folder *f, const char *path)
{
        for (size_t i = 0; i < f->n; i++)
                if (strcmp(f->files[i].path, path) == 0)
                        return &f->files[i];
        return NULL;
}
