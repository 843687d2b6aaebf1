/* pack/yaml.h -- strict YAML as a tree in which every node knows its line (over libyaml's events).
 *
 * Scalars stay text ("no" and "off" are words, not booleans).  Aliases, anchors, tags, merge keys,
 * several documents and duplicate keys are refused; at most 16 levels, 4 MiB.
 */
#ifndef PACK_YAML_H
#define PACK_YAML_H
#include "base/base.h"
struct arena;

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };
struct yaml {
        enum yaml_kind kind;
        int line;               /* from 1 */
        const char *key;        /* in a map; NULL otherwise */
        int key_line;
        const char *text;       /* YAML_TEXT */
        struct yaml *first;     /* list elements or map members */
        struct yaml *next;
        size_t count;
};

/* ERR_INVALID's sentence begins with the line. */
struct yaml *yaml_parse(struct arena *, const char *, size_t n, struct err *) MUST_CHECK;
const struct yaml *yaml_get(const struct yaml *map, const char *key);          /* NULL when absent */
const char *yaml_text(const struct yaml *map, const char *key, const char *otherwise);
#endif
