/* geo/fuzz_wkb.c -- WKB: rings closed and in range, a box that holds them; what passes the check makes an area index. */
#include "base/arena.h"
#include "geo/wkb.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_box(const struct outline *o, const void *wkb, size_t n)
{
        struct point low, high;
        struct err e;
        assert(o->n > 0 && wkb_box(wkb, n, &low, &high, &e));
        for (size_t i = 0; i < o->n; i++) {
                const struct ring *r = &o->rings[i];
                assert(r->n >= 4 && r->at[0].lon == r->at[r->n - 1].lon && r->at[0].lat == r->at[r->n - 1].lat);
                for (size_t k = 0; k < r->n; k++) {
                        const struct point p = r->at[k];
                        assert(point_valid(p) && p.lon >= low.lon && p.lon <= high.lon && p.lat >= low.lat && p.lat <= high.lat);
                }
        }
}

static void check_index(const struct outline *o, const void *wkb, size_t n)
{
        const struct area_shape shape = {.wkb = wkb, .n = n, .id = 7, .layer = 2};
        struct area_index *index;
        int ids[AREA_LAYERS];
        struct err e;
        if (!area_index_new(&index, &shape, 1, &e)) {
                assert(e.text[0]);
                return;
        }
        for (size_t i = 0; i < o->n; i++)
                for (size_t k = 0; k < o->rings[i].n; k++) {
                        const int found = area_index_find(index, o->rings[i].at[k], ids);
                        assert(found == (ids[2] == 7) && (ids[2] == 7 || ids[2] == -1));
                }
        area_index_free(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct outline o;
        struct err e = {0};
        unsigned char *exact = malloc(n ? n : 1);
        assert(exact);
        memcpy(exact, bytes, n);
        const bool read = wkb_outline(a, exact, n, &o, &e);
        assert(read || (e.kind == ERR_INVALID && e.text[0] && e.zh[0]));
        if (read)
                check_box(&o, exact, n);
        if (wkb_check(exact, n, &e)) {
                assert(read);
                check_index(&o, exact, n);
        }
        free(exact);
        arena_free(&a);
        return 0;
}
