/* archive/fuzz_manifest.c -- the manifest of a full copy: what is taken has values that the restore can use. */
#include "archive/inside.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct copy c = {.bytes = 0};
        struct err e = {0};
        if (manifest_parse(a, (const char *)bytes, n, &c, &e))
                assert(c.bytes > 0 && strlen(c.sha256) == 64 && c.page_size >= 512 && c.page_size <= PAGE_MOST);
        else
                assert(e.text[0]);
        arena_free(&a);
        return 0;
}
