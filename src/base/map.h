/* base/map.h -- text to pointer, for tables built once and read by many threads. */
#ifndef BASE_MAP_H
#define BASE_MAP_H
#include "base/base.h"
struct arena;
struct map;

struct map *map_new(struct arena *, size_t expected);
/* The key is kept by pointer and must live as long as the map.  Returns the earlier value, or NULL. */
void *map_put(struct map *, const char *key, void *value);
void *map_get(const struct map *, const char *key);         /* NULL when absent */
size_t map_count(const struct map *);
uint64_t hash_bytes(const void *, size_t, uint64_t seed);   /* not for secrets */
#endif
