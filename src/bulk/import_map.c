/* bulk/import_map.c -- see import_map.h. */
#include "bulk/import_map.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "pack/yaml.h"
#include <errno.h>
#include <stdio.h>

enum { MAP_BYTES_MOST = 1 << 20 };

struct reading {
        struct arena *arena;
        const char *name;
        struct import_map *map;
};

static const char *const field_names[IMPORT_FIELDS] = {
        "channel", "external_id", "text",  "title", "source",       "property", "received", "occurred",     "address",
        "urgent",  "name",        "phone", "email", "confidential", "item",     "area",     "compare_unit",
};

const char *import_field_name(enum import_field f)
{
        return field_names[f];
}

static bool unknown_key(const struct reading *r, const struct yaml *m, const char *known, struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "%s:%d: the key \"%s\" is not known here; known: %s",
                        "%s:%d：此处不认识键“%s”，可用：%s", r->name, m->key_line, m->key, known);
}

static bool wrong_shape(const struct reading *r, const struct yaml *m, const char *wanted, struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "%s:%d: \"%s\" should be %s", "%s:%d：“%s”应为 %s", r->name, m->line,
                        m->key ? m->key : "", wanted);
}

static bool one_text(const struct reading *r, const struct yaml *m, const char **out, struct err *e)
{
        *out = m->text;
        return m->kind == YAML_TEXT || wrong_shape(r, m, "TEXT", e);
}

static bool texts(const struct reading *r, const struct yaml *m, const char **out, size_t most, size_t *n, struct err *e)
{
        *n = 0;
        if (m->kind != YAML_LIST || m->count > most)
                return wrong_shape(r, m, "[TEXT, ...]", e);
        for (const struct yaml *v = m->first; v; v = v->next)
                if (!one_text(r, v, &out[(*n)++], e))
                        return false;
        return true;
}

/* --- columns ------------------------------------------------------------------------------------------------------- */

static bool column(const struct reading *r, const struct yaml *m, int *out, struct err *e)
{
        struct import_map *map = r->map;
        const char *name;
        if (!one_text(r, m, &name, e))
                return false;
        for (size_t i = 0; i < map->n_columns; i++) {
                if (text_is(map->columns[i], name)) {
                        *out = (int)i;
                        return true;
                }
        }
        if (text_empty(name) || map->n_columns == MAP_COLUMNS_MOST)
                return wrong_shape(r, m, "COLUMN", e);
        *out = (int)map->n_columns;
        map->columns[map->n_columns++] = name;
        return true;
}

static bool columns(const struct reading *r, const struct yaml *m, struct map_columns *out, struct err *e)
{
        if (m->kind != YAML_LIST || m->count == 0 || m->count > MAP_PARTS_MOST)
                return wrong_shape(r, m, "[COLUMN, ...]", e);
        for (const struct yaml *v = m->first; v; v = v->next)
                if (!column(r, v, &out->at[out->n++], e))
                        return false;
        return true;
}

static bool table(const struct reading *r, const struct yaml *m, const struct map **out, struct err *e)
{
        if (m->kind != YAML_MAP)
                return wrong_shape(r, m, "{TEXT: TEXT, ...}", e);
        struct map *t = map_new(r->arena, m->count);
        for (const struct yaml *v = m->first; v; v = v->next) {
                const char *text;
                if (!one_text(r, v, &text, e))
                        return false;
                (void)map_put(t, v->key, arena_text(r->arena, text));
        }
        *out = t;
        return true;
}

/* --- values ---------------------------------------------------------------------------------------------------------- */

static bool value_key(const struct reading *r, const struct yaml *m, struct map_value *v, struct err *e)
{
        if (text_is(m->key, "value"))
                return one_text(r, m, &v->constant, e);
        if (text_is(m->key, "column"))
                return column(r, m, &v->columns.at[v->columns.n++], e);
        if (text_is(m->key, "columns"))
                return columns(r, m, &v->columns, e);
        if (text_is(m->key, "join"))
                return one_text(r, m, &v->join, e);
        if (text_is(m->key, "table"))
                return table(r, m, &v->table, e);
        if (text_is(m->key, "otherwise"))
                return one_text(r, m, &v->otherwise, e);
        return unknown_key(r, m, "value, column, columns, join, table, otherwise", e);
}

static bool value(const struct reading *r, const struct yaml *m, struct map_value *v, struct err *e)
{
        if (m->kind != YAML_MAP)
                return wrong_shape(r, m, "{column: COLUMN}, {columns: [COLUMN, ...], join: TEXT} / {value: TEXT}", e);
        if ((yaml_get(m, "value") != NULL) + (yaml_get(m, "column") != NULL) + (yaml_get(m, "columns") != NULL) != 1)
                return err_both(e, ERR_INVALID, NULL, "%s:%d: \"%s\" needs exactly one of value, column, columns",
                                "%s:%d：“%s”须恰有 value、column、columns 之一", r->name, m->line, m->key);
        v->given = true;
        v->join = " ";
        for (const struct yaml *k = m->first; k; k = k->next)
                if (!value_key(r, k, v, e))
                        return false;
        return true;
}

/* item and area: by names from the top down under `key`, or a value that gives the code. */
static bool names_or_value(const struct reading *r, const struct yaml *m, const char *key, struct map_columns *names,
                           struct map_value *v, struct err *e)
{
        const struct yaml *list = m->kind == YAML_MAP ? yaml_get(m, key) : NULL;
        if (!list)
                return value(r, m, v, e);
        for (const struct yaml *k = m->first; k; k = k->next)
                if (k != list)
                        return unknown_key(r, k, key, e);
        return columns(r, list, names, e);
}

static bool choice(const struct reading *r, const struct yaml *m, const char *const *names, const char *all, int *out,
                   struct err *e)
{
        for (int i = 0; m->kind == YAML_TEXT && names[i]; i++) {
                if (text_is(names[i], m->text)) {
                        *out = i;
                        return true;
                }
        }
        return wrong_shape(r, m, all, e);
}

static bool point(const struct reading *r, const struct yaml *m, struct err *e)
{
        static const char *const systems[] = {"wgs84", "gcj02", "bd09", NULL};
        struct import_map *map = r->map;
        int system = SYSTEM_WGS84;
        const struct yaml *lon = m->kind == YAML_MAP ? yaml_get(m, "lon") : NULL, *lat = lon ? yaml_get(m, "lat") : NULL;
        if (!lon || !lat)
                return wrong_shape(r, m, "{lon: COLUMN, lat: COLUMN, system: wgs84}", e);
        for (const struct yaml *k = m->first; k; k = k->next) {
                bool is_system = text_is(k->key, "system");
                if (k != lon && k != lat && !is_system)
                        return unknown_key(r, k, "lon, lat, system", e);
                if (is_system && !choice(r, k, systems, "wgs84 / gcj02 / bd09", &system, e))
                        return false;
        }
        map->has_point = true;
        map->system = (enum map_system)system;
        return column(r, lon, &map->lon, e) && column(r, lat, &map->lat, e);
}

/* --- the whole ---------------------------------------------------------------------------------------------------------- */

static bool zone(const struct reading *r, const struct yaml *m, struct err *e)
{
        int hours, minutes, used = 0;
        char sign;
        if (m->kind != YAML_TEXT || sscanf(m->text, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || m->text[used]
            || (sign != '+' && sign != '-') || hours < 0 || hours > 14 || minutes < 0 || minutes > 59)
                return wrong_shape(r, m, "\"+08:00\"", e);
        r->map->zone = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
        return true;
}

static bool format(const struct reading *r, const struct yaml *m, struct err *e)
{
        static const char *const formats[] = {"csv", "tsv", "jsonl", NULL};
        int at = TABLE_CSV;
        bool good = choice(r, m, formats, "csv / tsv / jsonl", &at, e);
        r->map->format = (enum table_format)at;
        return good;
}

static bool top_key(const struct reading *r, const struct yaml *m, struct err *e)
{
        struct import_map *map = r->map;
        if (text_is(m->key, "format"))
                return format(r, m, e);
        if (text_is(m->key, "time_zone"))
                return zone(r, m, e);
        if (text_is(m->key, "empty"))
                return texts(r, m, map->empty, MAP_EMPTY_MOST, &map->n_empty, e);
        if (text_is(m->key, "point"))
                return point(r, m, e);
        if (text_is(m->key, "item"))
                return names_or_value(r, m, "path", &map->item_path, &map->fields[FIELD_ITEM], e);
        if (text_is(m->key, "area"))
                return names_or_value(r, m, "names", &map->area_names, &map->fields[FIELD_AREA], e);
        for (int i = 0; i < IMPORT_FIELDS; i++)
                if (text_is(m->key, field_names[i]))
                        return value(r, m, &map->fields[i], e);
        return unknown_key(r, m,
                           "format, time_zone, empty, channel, external_id, text, title, source, property, received,"
                           " occurred, address, point, urgent, name, phone, email, confidential, item, area, compare_unit",
                           e);
}

static bool complete(const struct reading *r, const struct yaml *root, struct err *e)
{
        static const enum import_field needed[] = {FIELD_CHANNEL, FIELD_EXTERNAL_ID, FIELD_TEXT};
        if (!yaml_get(root, "format"))
                return err_both(e, ERR_INVALID, NULL, "%s: the key \"format\" is missing (csv, tsv, jsonl)",
                                "%s：缺少“format”（csv、tsv、jsonl）", r->name);
        for (size_t i = 0; i < COUNT_OF(needed); i++)
                if (!r->map->fields[needed[i]].given)
                        return err_both(e, ERR_INVALID, NULL, "%s: the key \"%s\" is missing", "%s：缺少“%s”", r->name,
                                        field_names[needed[i]]);
        /* Without an id of each row a second run would store everything again. */
        if (r->map->fields[FIELD_EXTERNAL_ID].constant)
                return err_both(e, ERR_INVALID, NULL, "%s: external_id must come from columns that tell the rows apart",
                                "%s：external_id 须取自能区分各行的列", r->name);
        return true;
}

bool import_map_parse(struct arena *a, const char *name, const char *bytes, size_t n, struct import_map *out, struct err *e)
{
        *out = (struct import_map){.zone = ZONE_SHANGHAI, .empty = {"-"}, .n_empty = 1};
        const struct reading r = {.arena = a, .name = name, .map = out};
        sha256(bytes, n, out->sha256);
        const struct yaml *root = yaml_parse(a, bytes, n, e);
        if (!root) {
                struct err cause = *e;
                return err_both(e, ERR_INVALID, NULL, "%s:%s%.0s", "%s:%.0s%s", name, cause.text, cause.zh);
        }
        if (root->kind != YAML_MAP)
                return wrong_shape(&r, root, "KEY: VALUE", e);
        for (const struct yaml *m = root->first; m; m = m->next)
                if (!top_key(&r, m, e))
                        return false;
        return complete(&r, root, e);
}

bool import_map_read(struct arena *a, const char *file, struct import_map *out, struct err *e)
{
        FILE *f = fopen(file, "rb");
        if (!f)
                return err_both(e, ERR_NOT_FOUND, NULL, "the map %s cannot be read: %s", "无法读取映射文件 %s：%s", file,
                                strerror(errno));
        char *bytes = arena_alloc(a, MAP_BYTES_MOST);
        size_t n = fread(bytes, 1, MAP_BYTES_MOST, f);
        bool failed = ferror(f) != 0;
        (void)fclose(f);
        if (failed || n == MAP_BYTES_MOST)
                return err_both(e, ERR_INVALID, NULL, "the map %s is not a file of at most 1 MiB", "映射文件 %s 不是1MiB以内的文件",
                                file);
        return import_map_parse(a, file, bytes, n, out, e);
}
