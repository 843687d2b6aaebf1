/* server/examples.h -- the examples of a pack (examples.yaml), run against the version that is being loaded. */
#ifndef SERVER_EXAMPLES_H
#define SERVER_EXAMPLES_H
#include "base/base.h"
struct rulebook_readers;
struct stage;

/* pack_loading.examples; ctx is a const struct rulebook_readers *.  Each example that comes out otherwise is a fault with its
 * line. */
bool examples_run(struct stage *, void *ctx, struct err *) MUST_CHECK;
#endif
