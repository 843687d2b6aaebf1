/* edge/bodies.h -- how many bytes of large bodies are coming in at a time: bounded in all, and for each address. */
#ifndef EDGE_BODIES_H
#define EDGE_BODIES_H
#include "base/base.h"
struct bodies;

struct bodies *bodies_new(size_t most_of_all, size_t most_of_one);      /* bytes */
void bodies_free(struct bodies **);             /* when all have been given back */
/* Takes room for `n` bytes that `who` has announced; false: there is none now.  Thread-safe, as is giving them back. */
bool bodies_take(struct bodies *, uint64_t who, size_t n);
void bodies_give(struct bodies *, uint64_t who, size_t n);
#endif
