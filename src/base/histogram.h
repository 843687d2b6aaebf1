/* base/histogram.h -- figures in Prometheus' text form (exposition format 0.0.4), and times counted into buckets. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H
#include "base/buf.h"
#include <stdatomic.h>

enum { HISTOGRAM_BOUNDS = 12 };         /* 1 ms ... 10 s */
struct histogram { atomic_llong buckets[HISTOGRAM_BOUNDS + 1], usec; };
void histogram_count(struct histogram *, int64_t usec);         /* any thread */
/* The lines of one histogram; labels: "" or "method=\"GET\"".  Nothing when nothing was counted and there are labels. */
void histogram_write(struct histogram *, const char *name, const char *labels, struct buf *);

/* The two lines before a figure.  type: counter, gauge, histogram. */
void figure_head(struct buf *, const char *name, const char *type, const char *help);
void figure(struct buf *, const char *name, const char *type, const char *help, int64_t value);         /* head and value */
#endif
