/* measure/same.h -- how well the index of src/same finds the same matter, measured on real messages.
 *
 * All messages are cases.  Questions are: messages retold (paraphrase.h), whose right answer is known; messages retold about other
 * places, whose right answer is "new"; and the messages themselves without their own case.  Two messages whose subject or detail
 * reads the same are one matter; whether others are, only a reader can say, so such answers are counted apart and shown.
 */
#ifndef MEASURE_SAME_H
#define MEASURE_SAME_H
#include "measure/paraphrase.h"
struct buf;

struct same_options {
        int64_t seed;
        size_t retold;          /* how many messages are retold, each in every way and once elsewhere; 0: all of its half */
        bool fit;               /* find coefficients on the messages with even places instead of measuring on the odd ones */
        size_t show;            /* at most so many pairs are given to read */
};
struct same_pair { const char *one, *other; double probability; const char *what; };
struct same_counts { int64_t questions, joins, right, unjudged, asks, asks_right; };
struct same_result {
        size_t cases;
        struct same_counts retold[RETELLINGS], elsewhere, real;  /* real: questions that read the same as another message */
        int64_t unlike;         /* joins of messages to others that read differently, found without being injected */
        double precision, least_precision;      /* without the unjudged; with all of them taken as wrong */
        double recall, threshold, asks_threshold;
        double us_per_find, bytes_per_case;
        struct same_pair *pairs; size_t n_pairs;        /* to be read */
        double fitted[16]; size_t n_fitted; const char *const *fitted_names;     /* with fit */
};
/* The result lives in the arena.  ERR_FAULT: no table of foldings. */
bool evaluate_same(struct arena *, const struct messages *, const struct same_options *, struct same_result *, struct err *) MUST_CHECK;
void same_result_json(const struct same_result *, struct buf *);
#endif
