/* measure/fit.h -- logistic regression for a handful of features. */
#ifndef MEASURE_FIT_H
#define MEASURE_FIT_H
#include "base/base.h"

enum { FIT_MOST = 12 };
struct example { double x[FIT_MOST]; bool is; };        /* x[0] is 1 */
/* Finds b so that 1 / (1 + exp(-b.x)) is the share of examples that are, by Newton's method (iteratively reweighted least squares:
 * McCullagh and Nelder, "Generalized Linear Models", 2nd ed., section 2.5) with a ridge of `ridge` on all but the first. */
void fit_logistic(const struct example *all, size_t n, size_t features, double ridge, double b[FIT_MOST]);
#endif
