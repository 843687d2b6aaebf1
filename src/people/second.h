/* people/second.h -- the second factor of an account: codes of an authenticator app (RFC 6238), and recovery codes, each good once.
 * The secret is sealed; recovery codes are kept as hashes. */
#ifndef PEOPLE_SECOND_H
#define PEOPLE_SECOND_H
#include "base/base.h"
struct arena;
struct keys;
struct store;

enum { RECOVERY_CODES = 8 };
/* A new secret, in base32, not in force until confirmed.  ERR_CONFLICT: one is in force. */
bool second_begin(struct store *, struct arena *, const struct keys *, int64_t account, const char **secret, struct err *) MUST_CHECK;
/* ERR_INVALID: not a code of it.  Fills recovery[RECOVERY_CODES]: told this once. */
bool second_confirm(struct store *, struct arena *, const struct keys *, int64_t account, const char *code, int64_t now,
                    const char **recovery, struct err *) MUST_CHECK;
bool second_has(struct store *, struct arena *, const struct keys *, int64_t account, bool *has, struct err *) MUST_CHECK;
/* Takes a code of the app or a recovery code; neither counts twice. */
bool second_take(struct store *, struct arena *, const struct keys *, int64_t account, const char *code, int64_t now, bool *right,
                 struct err *) MUST_CHECK;
bool second_end(struct store *, int64_t account, struct err *) MUST_CHECK;
/* How many secrets need that sealing key; and all of them sealed with the active one (at most 10,000 at a time). */
bool seconds_sealed_by(struct store *, int key, int64_t *n, struct err *) MUST_CHECK;
bool seconds_reseal(struct store *, struct arena *, const struct keys *, struct err *) MUST_CHECK;
#endif
