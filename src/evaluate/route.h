/* evaluate/route.h -- how good the program's guesses are, measured on a foreign table whose rows say what really happened.
 *
 * Everything is *prequential* (A. P. Dawid, JRSS A 147, 1984): each row is answered with what the rows before it taught, then it is
 * learned.  Nothing is stored; no district is needed.
 */
#ifndef EVALUATE_ROUTE_H
#define EVALUATE_ROUTE_H
#include "base/base.h"
#include "evaluate/share.h"
#include "pack/encoding.h"
struct arena;
struct import_map;

/* --- score.c: figures of answers whose truth is known --------------------------------------------------------------------- */
struct verdict { double certainty; bool right, among; };        /* right: the first answer; among: one of the first three */

enum { SCORE_BINS = 10 };
struct reliability_bin { size_t n; double certainty, right; };  /* means over answers whose certainty is in [i/10, (i+1)/10) */
static const double COVERAGE_PRECISIONS[] = {0.90, 0.95, 0.97, 0.99};
enum { COVERAGES = 4 };
struct score {
        size_t n;
        struct share top1, top3;
        double ece;             /* mean distance of certainty and share of right answers over the bins, weighed by their answers */
        double brier;           /* mean square of the same distance for each answer */
        double coverage[COVERAGES];     /* largest share of answers, surest first, that is right as often as COVERAGE_PRECISIONS says */
        struct reliability_bin bins[SCORE_BINS];
};
/* Sorts the verdicts by certainty, surest first. */
void score_verdicts(struct verdict *, size_t n, struct score *);
/* Of verdicts sorted so: the longest beginning of which at least `precision` are right, and the certainty it ends at (2 when there is
 * none: nothing is that sure).  Answers of one certainty are all in or all out. */
size_t coverage_at(const struct verdict *, size_t n, double precision, double *threshold);

/* --- route.c: who handles a case ------------------------------------------------------------------------------------------ */
struct route_question {
        const char *train, *test;       /* files; test NULL = the last part of train */
        double last;                    /* that part, 0 ... 1 */
        const struct import_map *map;   /* must name compare_unit and received */
        enum encoding encoding;
        bool ablate;                    /* also without each group of contexts */
};
struct route_ablation { const char *without; struct score score; };
enum { ROUTE_ABLATIONS_MOST = 12 };
struct route_result {
        size_t train, test;             /* rows learned before the first answer that counts; rows answered */
        size_t unnamed, faulty;         /* rows of both files that name no unit, or cannot be read: left out */
        size_t units;                   /* that were seen */
        size_t earlier;                 /* test rows before the last one of train: learned and answered out of order */
        struct score score;
        double threshold;               /* the certainty from which 95 % were right in the last quarter of train; above 1: none */
        struct share chosen_coverage, chosen_precision;         /* of the test rows at that threshold */
        double us_per_decision, us_per_learning;
        struct route_ablation ablations[ROUTE_ABLATIONS_MOST]; size_t n_ablations;
};
/* ERR_INVALID: the map does not say who handled a row or when it came in, a file has no such row, `last` leaves nothing.
 * ERR_NOT_FOUND: a file cannot be read. */
bool evaluate_route(const struct route_question *, struct arena *, struct route_result *, struct err *) MUST_CHECK;
#endif
