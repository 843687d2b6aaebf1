/* crypto/sign.h -- keys that sign: Ed25519 (RFC 8032), or SM2 with SM3 (GB/T 32918.2, GB/T 32905).
 *
 * The key file is PEM, one PRIVATE KEY (PKCS #8) after the other, readable by its owner alone; the last one signs, the earlier ones
 * still tell their public keys, so that what they signed can be checked.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H
#include "base/base.h"

enum sign_kind { SIGN_ED25519 = 1, SIGN_SM2 = 2 };
enum { SIGN_PUBLIC_MOST = 65, SIGNATURE_MOST = 80, SIGNERS_MOST = 16 };

const char *sign_kind_name(enum sign_kind);                     /* "ed25519", "sm2" */
bool sign_kind_named(const char *, enum sign_kind *out) MUST_CHECK;

/* Ed25519: the 32 bytes of RFC 8032.  SM2: the point as 04 X Y, 65 bytes. */
struct sign_public { enum sign_kind kind; size_t n; unsigned char at[SIGN_PUBLIC_MOST]; };
/* Ed25519: 64 bytes.  SM2: DER of (r, s); the signer's id is that of GB/T 35276, "1234567812345678". */
struct signature { size_t n; unsigned char at[SIGNATURE_MOST]; };

struct signers;
/* Makes the file, mode 0600, with a key of that kind when it is absent and `make` is set.  ERR_FAULT: it cannot be read or made, is no
 * key file, or others may read it. */
bool signers_open(struct signers **, const char *path, bool make, enum sign_kind, struct err *) MUST_CHECK;
void signers_close(struct signers **);
size_t signers_count(const struct signers *);
const struct sign_public *signers_public(const struct signers *, size_t i);     /* in the order of the file */
/* With the last key. */
bool signers_sign(const struct signers *, const void *, size_t, struct signature *, struct err *) MUST_CHECK;
/* Adds a key, which signs from then on for whoever opens the file.  It is replaced whole and durable, or not at all. */
bool sign_file_add(const char *path, enum sign_kind, struct err *) MUST_CHECK;

/* False also for a key or signature that is none. */
bool sign_verify(const struct sign_public *, const void *, size_t, const struct signature *);
#endif
