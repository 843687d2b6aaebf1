/* district/testing.h -- an open district with a loaded pack, for the tests of the folders above this one. */
#ifndef DISTRICT_TESTING_H
#define DISTRICT_TESTING_H
#include "district/district.h"

#define TEST_PACK "test/packs/small"    /* tests run in the folder of the sources */

/* A fresh store (see store/testing.h) with all migrations, the pack loaded with these parts, and the district open.
 * readers may leave channels out.  Prints what is wrong and returns false when it cannot. */
bool test_district_open(struct district *, bool postgres, const struct pack_part *const *parts, const struct rulebook_readers *,
                        const char *pack) MUST_CHECK;
void test_district_close(struct district *);            /* with its store */
#endif
