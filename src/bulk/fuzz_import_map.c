/* bulk/fuzz_import_map.c -- the map of an import: every column index and count within its bounds, or a sentence. */
#include "base/arena.h"
#include "bulk/import_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_columns(const struct import_map *m, const struct map_columns *c)
{
        assert(c->n <= MAP_PARTS_MOST);
        for (size_t i = 0; i < c->n; i++)
                assert(c->at[i] >= 0 && (size_t)c->at[i] < m->n_columns);
}

static void check_map(const struct import_map *m)
{
        assert(m->n_columns <= MAP_COLUMNS_MOST && m->n_empty <= MAP_EMPTY_MOST && m->zone >= -899 && m->zone <= 899);
        for (size_t i = 0; i < m->n_columns; i++)
                assert(m->columns[i][0]);
        for (size_t i = 0; i < m->n_empty; i++)
                assert(m->empty[i]);
        for (int f = 0; f < IMPORT_FIELDS; f++) {
                const struct map_value *v = &m->fields[f];
                check_columns(m, &v->columns);
                assert(!v->given || ((v->constant != NULL) != (v->columns.n > 0) && v->join));
        }
        check_columns(m, &m->item_path);
        check_columns(m, &m->area_names);
        if (m->has_point)
                check_columns(m, &(struct map_columns){.at = {m->lon, m->lat}, .n = 2});
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct import_map m;
        struct err e = {0};
        if (import_map_parse(a, "map.yaml", (const char *)bytes, n, &m, &e))
                check_map(&m);
        else
                assert(e.kind == ERR_INVALID && strncmp(e.text, "map.yaml:", 9) == 0 && e.zh[0]);
        arena_free(&a);
        return 0;
}
