/* ledger/digest.h -- what is hashed for one row of the history; inside this folder only. */
#ifndef LEDGER_DIGEST_H
#define LEDGER_DIGEST_H
#include "ledger/ledger.h"

enum { LEDGER_LANES = 64 };
struct ledger_place { int64_t seq, lane, ordinal; };

/* SHA-256 over: the previous hash (32 zero bytes for the first row), then subject, seq, lane, ordinal and at as eight bytes big
 * endian, then each text as its length (eight bytes big endian) and its bytes, so that no two different rows give the same input.
 * */
void ledger_digest(const unsigned char *previous, const struct ledger_entry *, const struct ledger_place *,
                   unsigned char out[SHA256_SIZE]);
#endif
