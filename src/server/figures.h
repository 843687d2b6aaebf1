/* server/figures.h -- the figures of a running district, for /metrics; doc/operations.md lists them all. */
#ifndef SERVER_FIGURES_H
#define SERVER_FIGURES_H
#include "base/buf.h"
struct consumer;
struct district;
struct store;

/* None of them looks at more than a bounded number of rows: counts in the store end at 100,000. */
void district_figures(struct district *, struct store *, const struct consumer *const *consumers, struct buf *);
#endif
