/* text/order.h -- putting features in order: a few hundred to a few thousand small things with a 32-bit key each.
 *
 * A comparing sort of them was the greatest part of a sketch's cost (an eighth of all processor time of reading a report). */
#ifndef TEXT_ORDER_H
#define TEXT_ORDER_H
#include "base/base.h"
struct arena;

/* Sorts n things of `size` bytes each by the uint32_t that stands `key` bytes within each, ascending; equals stay in their order.
 * A float that is not negative is such a key too (IEEE 754: its bits order as it does).
 * Radix sort, least significant byte first (H. H. Seward, "Information sorting in the application of electronic digital computers to
 * business operations", 1954): time in proportion to n.  Scratch memory comes from the arena. */
void order_by_key(struct arena *, void *things, size_t n, size_t size, size_t key);
#endif
