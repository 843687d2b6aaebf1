/* bulk/import_map.h -- how to read a foreign table: which columns make which part of a report (strict YAML, doc/packs.md). */
#ifndef BULK_IMPORT_MAP_H
#define BULK_IMPORT_MAP_H
#include "base/base.h"
struct arena;
struct map;

enum table_format { TABLE_CSV, TABLE_TSV, TABLE_JSONL };
enum map_system { SYSTEM_WGS84, SYSTEM_GCJ02, SYSTEM_BD09 };
enum import_field {
        FIELD_CHANNEL, FIELD_EXTERNAL_ID, FIELD_TEXT, FIELD_TITLE, FIELD_SOURCE, FIELD_PROPERTY, FIELD_RECEIVED, FIELD_OCCURRED,
        FIELD_ADDRESS, FIELD_URGENT, FIELD_NAME, FIELD_PHONE, FIELD_EMAIL, FIELD_CONFIDENTIAL, FIELD_ITEM, FIELD_AREA,
        FIELD_COMPARE_UNIT, IMPORT_FIELDS
};
enum { MAP_COLUMNS_MOST = 64, MAP_PARTS_MOST = 8, MAP_EMPTY_MOST = 16 };

struct map_columns { int at[MAP_PARTS_MOST]; size_t n; };       /* indexes into import_map.columns */
/* One text of a report: a constant, or columns joined and perhaps looked up in a table. */
struct map_value {
        bool given;
        const char *constant;           /* NULL = from the columns */
        struct map_columns columns;
        const char *join;
        const struct map *table;        /* text -> text; NULL = none */
        const char *otherwise;          /* for what the table does not list; NULL = as it stands */
};
struct import_map {
        unsigned char sha256[32];                       /* of the map's bytes */
        enum table_format format;
        int zone;                                       /* of times without offset, minutes east of UTC */
        const char *columns[MAP_COLUMNS_MOST]; size_t n_columns;        /* every column the map names, once */
        const char *empty[MAP_EMPTY_MOST]; size_t n_empty;      /* cells that mean "not said"; usually "-" */
        struct map_value fields[IMPORT_FIELDS];
        struct map_columns item_path, area_names;       /* n = 0: by FIELD_ITEM and FIELD_AREA, or not at all */
        bool has_point; int lon, lat; enum map_system system;
};
const char *import_field_name(enum import_field);       /* "external_id" */

/* `name` stands in the sentences.  ERR_INVALID names the line: an unknown key, a wrong shape, a missing part. */
bool import_map_parse(struct arena *, const char *name, const char *bytes, size_t n, struct import_map *, struct err *) MUST_CHECK;
bool import_map_read(struct arena *, const char *file, struct import_map *, struct err *) MUST_CHECK;
#endif
