/* pack/testing.c -- see testing.h.  Harmless in production: nothing there calls it. */
#include "pack/testing.h"
#include "base/arena.h"
#include "pack/inside.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTS_MOST = 16 };

static bool let_pass(struct stage *s, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *e)
{
        (void)s;
        (void)file;
        (void)root;
        (void)bytes;
        (void)n;
        (void)e;
        return true;
}

static const struct pack_document any_file[] = {{"*", false, let_pass}, {"*/*", false, let_pass}, {0}};
static const struct pack_part others = {.capability = "others", .documents = any_file};

bool test_pack_load(struct store *store, const struct pack_part *const *parts, const char *dir, int64_t *version)
{
        const struct pack_part *all[PARTS_MOST + 2] = {&others};
        struct arena *a = arena_new();
        struct fault_list *faults = fault_list_new(a);
        struct err e;
        for (size_t i = 0; parts[i]; i++) {
                assert(i < PARTS_MOST);
                all[i + 1] = parts[i];
        }
        bool ok = pack_load(store, &(struct pack_loading){.parts = all}, dir, 1, faults, version, &e);
        if (!ok)
                fprintf(stderr, "%s: %s\n", dir, e.text);
        for (size_t i = 0; i < fault_count(faults); i++)
                fprintf(stderr, "%s: %s\n", fault_at(faults, i)->place, fault_at(faults, i)->en);
        arena_free(&a);
        return ok;
}

static bool write_bytes(struct arena *a, const char *dir, const char *path, const char *bytes, size_t n)
{
        char *full = arena_format(a, "%s/%s", dir, path);
        for (char *slash = full + strlen(dir); (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
                *slash = '\0';
                (void)mkdir(full, 0700);
        }
        FILE *f = fopen(full, "wbe");
        if (!f)
                return false;
        bool ok = fwrite(bytes, 1, n, f) == n;
        return fclose(f) == 0 && ok;
}

bool test_pack_copy(const char *from, const char *file, const char *text, char copy[TEST_PACK_PATH])
{
        struct arena *a = arena_new();
        struct pack_folder folder;
        struct err e;
        (void)snprintf(copy, TEST_PACK_PATH, "/tmp/yiwang-pack-XXXXXX");
        bool ok = mkdtemp(copy) && folder_read(a, from, &folder, &e);
        for (size_t i = 0; ok && i < folder.n; i++)
                if (strcmp(folder.files[i].path, file) != 0)
                        ok = write_bytes(a, copy, folder.files[i].path, folder.files[i].at, folder.files[i].n);
        ok = ok && (!text || write_bytes(a, copy, file, text, strlen(text)));
        arena_free(&a);
        return ok;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
        (void)about;
        (void)kind;
        (void)place;
        return remove(path);
}

void test_pack_remove(const char *copy)
{
        (void)nftw(copy, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
