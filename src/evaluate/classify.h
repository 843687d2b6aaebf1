/* evaluate/classify.h -- how good the classifier is on texts whose class is known, in the open. */
#ifndef EVALUATE_CLASSIFY_H
#define EVALUATE_CLASSIFY_H
#include "base/base.h"
struct arena;
struct classifier;
struct fold;
struct json;

/* Texts with labels from CSV files: several text columns are joined by a line's end.  A label's parts may be joined by `/`: then they are a
 * tree.  A row without label is left out and counted. */
struct labelled {
        const char **text; const int *label; size_t n;  /* label: index into names */
        const char **names; size_t n_names;
        int64_t left_out;
};
struct columns { const char *const *text; size_t n_text; const char *label; };
/* ERR_NOT_FOUND: the file cannot be read; ERR_INVALID: it is no CSV in UTF-8, lacks a column, has no row.
 * `known`: labels of another file, whose numbers are kept; NULL. */
bool labelled_read(struct arena *, const char *file, const struct columns *, const struct labelled *known, struct labelled *,
                   struct err *) MUST_CHECK;

struct classify_options {
        int folds;                      /* cross-validation on one file: near-copies stay in one fold; 0 = train and test are given */
        double cost, precision;         /* see struct training */
        bool plain;
        void (*progress)(void *ctx, int done, int all); void *ctx;      /* may be NULL */
};
struct class_score { const char *name; int64_t n, said; double precision, recall, f1; };
struct reliability { double low, high, certainty, right; int64_t n; };
enum { RELIABILITY_BINS = 10 };
struct classify_score {
        int64_t n;
        double accuracy, accuracy_low, accuracy_high;           /* with 95 % interval (Wilson 1927) */
        double macro_f1, macro_f1_low, macro_f1_high;           /* 95 % interval of 1,000 samples of the texts drawn again (Efron 1979) */
        double ece, coverage, threshold;                        /* coverage at the wanted precision, surest first */
        double automatic, automatic_right;                      /* share above the thresholds chosen in training, and how much of it is right */
        double usec_per_text, train_seconds;                    /* of the processor; of the clock */
        int64_t unknown;                                        /* texts whose label the training never saw: counted as wrong */
        struct class_score *of; size_t n_of;
        struct reliability bins[RELIABILITY_BINS];
};
/* Trains on one, tests on the other (or across folds of `train`).  *last: the classifier trained last, the caller's to free; may be NULL. */
bool classify_evaluate(struct arena *, const struct fold *, const struct labelled *train, const struct labelled *test,
                       const struct classify_options *, struct classify_score *, struct classifier **last, struct err *) MUST_CHECK;
void classify_score_json(const struct classify_score *, double precision, struct json *);       /* an object */
#endif
