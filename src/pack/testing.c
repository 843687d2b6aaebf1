/* pack/testing.c -- see testing.h.  Harmless in production: nothing there calls it. */
#include "pack/testing.h"
#include "base/arena.h"
#include <stdio.h>

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
