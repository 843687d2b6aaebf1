/* pack/pack.h -- packs: folders of data that teach the server one domain, loaded all or nothing.
 *
 * read files -> stage rows under a new version, each with its place ("routes.csv:12") -> checks
 * (SQL queries that must return no rows) -> the pack's own examples -> switch.  All in one transaction;
 * any fault and nothing is there, every fault listed.  The capabilities own their tables and register
 * parts here; this folder knows no capability.
 */
#ifndef PACK_PACK_H
#define PACK_PACK_H
#include "base/base.h"
struct arena;
struct store;
struct tx;
struct yaml;

struct fault { const char *place, *en, *zh; };          /* place: "routes.csv:12" */
struct fault_list;                                      /* keeps its texts in its own arena */
struct fault_list *fault_list_new(struct arena *);
size_t fault_count(const struct fault_list *);
const struct fault *fault_at(const struct fault_list *, size_t);       /* sorted by file and line after pack_load() */

/* What a part gets while it is staged. */
struct stage {
        struct tx *tx;
        struct arena *arena;
        int64_t version;        /* the new pack version */
        const char *dir;        /* the pack's folder */
        struct fault_list *faults;
};
void stage_fault(struct stage *, const char *file, int line, const char *en, const char *zh, ...) PRINTF_LIKE(4, 6) PRINTF_LIKE(5, 6);
/* Notes a fault for every key of a YAML map that is not among `known` (ends with NULL): a misspelt key must not pass in silence. */
void stage_keys(struct stage *, const char *file, const struct yaml *map, const char *const *known);

enum pack_type { PACK_TEXT, PACK_INT, PACK_REAL, PACK_BOOL, PACK_DATE };   /* BOOL: yes/no -> 1/0; DATE: YYYY-MM-DD as text */
struct pack_column {
        const char *name;       /* as in the header line of the CSV */
        enum pack_type type;
        bool required;          /* an empty cell is a fault; else it becomes NULL */
        const char *const *choices;     /* TEXT: allowed values, ends with NULL; NULL = free */
        const char *about;
};
/* One CSV file.  insert gets $1 = version, $2 = place, then the columns in this order. */
struct pack_table {
        const char *file;       /* "routes.csv"; may have a folder: "calendar/days.csv" */
        bool required;
        const struct pack_column *columns;      /* ends with {0} */
        const char *insert;
};
/* One file or, with a '*' in the last part ("workflows/" "*.yaml"), every such file, in the order of their names. */
struct pack_document {
        const char *file;
        bool required;
        /* YAML: root is its tree, bytes NULL.  Other endings: root NULL, the file's bytes. Faults of the data
         * go to stage_fault(); false only for faults of the store. */
        bool (*stage)(struct stage *, const char *file, const struct yaml *root, const char *bytes, size_t n, struct err *);
};
/* What one capability reads from packs.  Checks get $1 = version and return (place, en, zh) rows. */
struct pack_part {
        const char *capability;
        const struct pack_table *tables;        /* ends with a NULL file; NULL = none */
        const struct pack_document *documents;  /* ends with a NULL file; NULL = none */
        const char *const *checks;              /* ends with NULL; NULL = none */
        const char *const *after;               /* statements with $1 = version, when it comes into force; ends with NULL; NULL = none */
};

struct pack_loading {
        const struct pack_part *const *parts;   /* in LAYERS order, ends with NULL */
        /* Runs the pack's examples against the staged version, inside the transaction, when there are no faults yet. May be NULL.
         * */
        bool (*examples)(struct stage *, void *ctx, struct err *);
        void *ctx;
        bool only_check;                        /* rolls back in any case */
};

/* True: loaded (or, with only_check, faultless) and *version set; the same bytes as the active version change nothing.
 * False with fault_count() > 0: refused, ERR_INVALID says how many faults; else ERR_BUSY or ERR_FAULT. */
bool pack_load(struct store *, const struct pack_loading *, const char *dir, int64_t now,
               struct fault_list *, int64_t *version, struct err *) MUST_CHECK;
bool pack_active(struct tx *, int64_t *version, struct err *) MUST_CHECK;       /* 0 when none is loaded */
/* Writes the files of a version below dir, byte for byte as they were loaded. Refuses a folder that is not empty. */
bool pack_export(struct store *, int64_t version, const char *dir, struct err *) MUST_CHECK;
struct pack_about { const char *name, *title, *title_en, *number_prefix, *release; int64_t version, loaded_at; };
/* From pack.yaml: name, title, title_en, release, number_prefix.  Texts live in the arena. */
bool pack_describe(struct tx *, struct arena *, int64_t version, struct pack_about *, struct err *) MUST_CHECK;
/* A file of the version as loaded (maps, texts): NULL when there is none. */
bool pack_file(struct tx *, struct arena *, int64_t version, const char *path, char **bytes, size_t *n, struct err *) MUST_CHECK;
#endif
