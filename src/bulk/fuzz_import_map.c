/* bulk/fuzz_import_map.c -- the map of an import: every column index and count within its bounds, or a sentence. */
#include "base/arena.h"
#include "bulk/import_map.h"
#include "pack/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_columns(const struct import_map *m, const struct map_columns *c, bool used[])
{
        assert(c->n <= MAP_PARTS_MOST);
        for (size_t i = 0; i < c->n; i++) {
                assert(c->at[i] >= 0 && (size_t)c->at[i] < m->n_columns);
                used[c->at[i]] = true;
        }
}

static void check_map(const struct import_map *m)
{
        bool used[MAP_COLUMNS_MOST] = {false};
        assert(m->n_columns <= MAP_COLUMNS_MOST && m->n_empty <= MAP_EMPTY_MOST && m->zone >= -899 && m->zone <= 899);
        for (size_t i = 0; i < m->n_columns; i++)
                assert(m->columns[i][0]);
        for (size_t i = 0; i < m->n_empty; i++)
                assert(m->empty[i]);
        for (int f = 0; f < IMPORT_FIELDS; f++) {
                const struct map_value *v = &m->fields[f];
                check_columns(m, &v->columns, used);
                assert(!v->given || ((v->constant != NULL) != (v->columns.n > 0) && v->join));
        }
        check_columns(m, &m->item_path, used);
        check_columns(m, &m->area_names, used);
        if (m->has_point)
                check_columns(m, &(struct map_columns){.at = {m->lon, m->lat}, .n = 2}, used);
        for (size_t i = 0; i < m->n_columns; i++) /* each column once, and none that nobody reads */
                for (size_t k = 0; k <= i; k++)
                        assert(used[i] && (k == i) == (strcmp(m->columns[i], m->columns[k]) == 0));
}

static void same_length(const struct yaml *value, const char *key, const struct map_columns *c)
{
        const struct yaml *list = value ? yaml_get(value, key) : NULL;
        assert(!list || list->count == c->n);
}

/* Each list is as long as the file says. */
static void check_lengths(struct arena *a, const struct import_map *m, const char *bytes, size_t n)
{
        struct err e;
        const struct yaml *root = yaml_parse(a, bytes, n, &e);
        assert(root);
        for (int f = 0; f < IMPORT_FIELDS; f++)
                same_length(yaml_get(root, import_field_name((enum import_field)f)), "columns", &m->fields[f].columns);
        same_length(yaml_get(root, "item"), "path", &m->item_path);
        same_length(yaml_get(root, "area"), "names", &m->area_names);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct arena *a = arena_new();
        struct import_map m;
        struct err e = {0};
        if (import_map_parse(a, "map.yaml", (const char *)bytes, n, &m, &e)) {
                check_map(&m);
                check_lengths(a, &m, (const char *)bytes, n);
        } else {
                assert(e.kind == ERR_INVALID && strncmp(e.text, "map.yaml:", 9) == 0 && e.zh[0]);
        }
        arena_free(&a);
        return 0;
}
