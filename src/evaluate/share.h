/* evaluate/share.h -- a share with its interval. */
#ifndef EVALUATE_SHARE_H
#define EVALUATE_SHARE_H
#include "base/base.h"

struct share { double value, low, high; };      /* with its 95 % interval (E. B. Wilson, JASA 22, 1927) */
struct share share_of(size_t part, size_t whole);       /* of nothing: 0, from 0 to 1; in score.c */
#endif
