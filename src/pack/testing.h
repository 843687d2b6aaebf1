/* pack/testing.h -- loads a pack for the tests of a folder that knows only some of the parts. */
#ifndef PACK_TESTING_H
#define PACK_TESTING_H
#include "pack/pack.h"

/* Loads dir with these parts (ends with NULL); files that belong to other parts are let pass.  Prints the faults and returns
 * false when it is refused. */
bool test_pack_load(struct store *, const struct pack_part *const *parts, const char *dir, int64_t *version) MUST_CHECK;

/* A copy of the pack in a temporary folder, in which `file` holds this text instead (text NULL: is not there). */
enum { TEST_PACK_PATH = 40 };
bool test_pack_copy(const char *from, const char *file, const char *text, char copy[TEST_PACK_PATH]) MUST_CHECK;
void test_pack_remove(const char *copy);
#endif
