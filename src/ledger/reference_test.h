/* ledger/reference_test.h -- trees and proofs exactly as RFC 6962, 2.1, defines them, slowly; the tests hold ours against them. */
#ifndef LEDGER_REFERENCE_TEST_H
#define LEDGER_REFERENCE_TEST_H
#include "ledger/merkle.h"

static inline int64_t reference_half(int64_t n)
{
        int64_t k = 1;
        while (k << 1 < n)
                k <<= 1;
        return k;
}

/* MTH(D[n]) from the hashes of leaves. */
static inline struct merkle_hash reference_root(const struct merkle_hash *d, int64_t n)
{
        struct merkle_hash none;
        sha256("", 0, none.at);
        if (n < 2)
                return n == 0 ? none : d[0];
        const int64_t k = reference_half(n);
        const struct merkle_hash left = reference_root(d, k), right = reference_root(d + k, n - k);
        return merkle_node(&left, &right);
}

/* PATH(m, D[n]) */
static inline void reference_path(int64_t m, const struct merkle_hash *d, int64_t n, struct merkle_proof *out)
{
        if (n < 2)
                return;
        const int64_t k = reference_half(n);
        reference_path(m < k ? m : m - k, m < k ? d : d + k, m < k ? k : n - k, out);
        out->at[out->n++] = m < k ? reference_root(d + k, n - k) : reference_root(d, k);
}

/* SUBPROOF(m, D[n], b) */
static inline void reference_growth(int64_t m, const struct merkle_hash *d, int64_t n, bool b, struct merkle_proof *out)
{
        if (m == n) {
                if (!b)
                        out->at[out->n++] = reference_root(d, n);
                return;
        }
        const int64_t k = reference_half(n);
        if (m <= k) {
                reference_growth(m, d, k, b, out);
                out->at[out->n++] = reference_root(d + k, n - k);
        } else {
                reference_growth(m - k, d + k, n - k, false, out);
                out->at[out->n++] = reference_root(d, k);
        }
}
#endif
