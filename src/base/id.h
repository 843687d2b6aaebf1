/* base/id.h -- time-ordered int64 ids made by the application, and case numbers.
 *
 * Layout of an id: milliseconds since 2020 (41 bits), node (10 bits), sequence (12 bits).
 * Ids of one source never repeat and never step back, even when the clock does: the
 * source then runs ahead of the clock until it catches up.
 */
#ifndef BASE_ID_H
#define BASE_ID_H
#include "base/base.h"
struct id_source;

/* node 0..1023: distinct for each process that writes to the same store (store_node()). */
struct id_source *id_source_new(int node);
void id_source_free(struct id_source **);
int64_t id_new(struct id_source *, int64_t now);            /* safe from any thread */

enum { NUMBER_SIZE = 40 };
/* "<prefix><yyyymmddHHMMSS><4 digits>" in Shanghai time (process.md, "Case number").  At most 10,000
 * a second; beyond that, and when the clock steps back a little, the second runs ahead of the clock.  Instants more than five
 * seconds behind (records brought in later) get a number of their own second; such numbers may meet an earlier one, so whoever
 * stores them asks for the next then. */
char *number_new(struct id_source *, const char *prefix, int64_t now, char out[NUMBER_SIZE]);
#endif
