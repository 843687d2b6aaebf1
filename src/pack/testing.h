/* pack/testing.h -- loads a pack for the tests of a folder that knows only some of the parts. */
#ifndef PACK_TESTING_H
#define PACK_TESTING_H
#include "pack/pack.h"

/* Loads dir with these parts (ends with NULL); files that belong to other parts are let pass.  Prints the faults and returns
 * false when it is refused. */
bool test_pack_load(struct store *, const struct pack_part *const *parts, const char *dir, int64_t *version) MUST_CHECK;
#endif
