/* classify/classifier.h -- from the grams of a text to the classes it may be of, with honest probabilities and reasons.
 *
 * Classes form a tree (the catalogue); each inner node has a linear support vector machine for each child, trained on the texts of
 * that node only.  Features are weighted by how well they tell the children apart: log-count ratios of naive Bayes (Wang and
 * Manning 2012) times inverse document frequency, sublinear in the count, to unit length.  A node's margins become probabilities by
 * slopes and shifts fitted on texts the machine had not seen (Platt 1999, for many classes), and the best answer's certainty by an
 * isotonic line on top (Zadrozny and Elkan 2002).  With too few texts to learn that from the classifier is *cold*: it answers with the
 * classes whose texts are most similar, and is sure of nothing.
 */
#ifndef CLASSIFY_CLASSIFIER_H
#define CLASSIFY_CLASSIFIER_H
#include "text/grams.h"
struct arena;
struct buf;
struct classifier;

/* n classes; parent[i] is the class above class i, -1 at the top.  Codes are what the world knows them by. */
struct classes { size_t n; const char **code; int *parent; };

/* A text whose class is known.  An inner class teaches the nodes above it only. */
struct example {
        const struct gram_count *grams; size_t n;
        int class;
        uint32_t group;                 /* texts of a group are never on both sides of a fold (near_groups) */
        bool made;                      /* of the pack's own words: teaches, but is no evidence of how good the answers are */
};
/* Examples that say nearly the same get the same group: MinHash of their grams (Broder 1997), 16 bands of 4 to find pairs (of those that
 * share four fifths of their grams all but 2 in 10,000), and at least seven tenths of all 64 equal to take them.  No group has more
 * than a twentieth of all examples. */
void near_groups(struct example *, size_t n);

struct training {
        double cost;                    /* C of the machines; 0 = 8 */
        double precision;               /* wanted of automatic answers: thresholds are chosen for it; 0 = 0.95 */
        int folds;                      /* on which certainty is learned; 0 = 5 */
        int64_t now;                    /* written into the report */
        bool plain;                     /* for comparison: inverse document frequency only, no log-count ratios */
        void (*progress)(void *ctx, int done, int all); bool (*stop)(void *ctx); void *ctx;     /* may be NULL */
};
/* ERR_INVALID: fewer than two classes have an example.  ERR_BUSY: stopped.  Classes without example are never answered.  With too few
 * texts to learn certainty from (fewer than 50), or only made ones, nothing is ever certain (classifier_cold). */
bool classifier_train(const struct classes *, const struct example *, size_t n, const struct training *, struct classifier **,
                      struct err *) MUST_CHECK;
void classifier_free(struct classifier **);     /* sets NULL */

struct guess { int class; double p; };          /* p: how sure, 0..1 */
/* The likeliest leaves, best first; the first one's p is the calibrated certainty.  0 when the text has no known gram. */
size_t classifier_guess(const struct classifier *, const struct gram_count *, size_t n, struct guess *out, size_t most);
/* From which certainty on an answer of that class may be taken without asking; above 1: never. */
double classifier_threshold(const struct classifier *, int class);
bool classifier_cold(const struct classifier *);
size_t classifier_classes(const struct classifier *);
const char *classifier_code(const struct classifier *, int class);
int classifier_class(const struct classifier *, const char *code);      /* -1: unknown */

/* What decided for `class` and against `other` (-1: against all): phrases of the text, strongest first, for (weight > 0) and against. */
struct phrase { uint32_t from, to; double weight; };            /* bytes of the text */
size_t classifier_explain(const struct classifier *, struct arena *, const struct folded *, int class, int other, struct phrase *out,
                          size_t most);

/* --- corrections: what a person said of a text changes the next answer at once --------------------------------------------- */
/* Passive-aggressive step (Crammer and others 2006): the same text is answered with `class` from now on, like texts rather than before.
 * Not while others guess: the caller holds a lock.  False: the class is unknown. */
bool classifier_correct(struct classifier *, const struct gram_count *, size_t n, int class) MUST_CHECK;
size_t classifier_corrections(const struct classifier *);

/* --- how good answers are --------------------------------------------------------------------------------------------------- */
struct verdict { double p; int guess, truth; };         /* p: certainty of the guess; truth: a class */
double verdicts_accuracy(const struct verdict *, size_t n);
double verdicts_macro_f1(const struct verdict *, size_t n, size_t classes, double *of_class);   /* of_class: n classes, or NULL; classes
                                                                                                   that never are the truth do not count */
double verdicts_ece(const struct verdict *, size_t n);  /* expected calibration error in 15 bins of equal width (Guo and others 2017) */
/* The largest share, surest first, of which at least `precision` are right; *threshold: certainty of the last of them, 2 = none. */
double verdicts_coverage(struct verdict *, size_t n, double precision, double *threshold);      /* sorts them, surest first */

/* --- what the training found ------------------------------------------------------------------------------------------------- */
struct training_report {
        int64_t at, examples, made, classes, features, elapsed;         /* elapsed: microseconds */
        double accuracy, macro_f1, ece;         /* of texts unseen; -1 when cold */
        double threshold, coverage;             /* over all classes: certainty and share of texts at the wanted precision */
        double precision;
};
struct training_report classifier_report(const struct classifier *);

/* --- as bytes: version, length, SHA-256 of the rest, then the model.  Reading checks everything; corrections are not written ------ */
void classifier_write(const struct classifier *, struct buf *);
/* ERR_INVALID: damaged, cut, or of another version. */
bool classifier_read(const void *, size_t n, struct classifier **, struct err *) MUST_CHECK;
#endif
