/* crypto/totp.h -- one-time codes by counter (RFC 4226) and by time (RFC 6238), HMAC-SHA-1, steps of 30 seconds: what every
 * authenticator app speaks. */
#ifndef CRYPTO_TOTP_H
#define CRYPTO_TOTP_H
#include "base/base.h"

enum { TOTP_SECRET_SIZE = 20, TOTP_DIGITS = 6, TOTP_BASE32_SIZE = 33 };

/* The code of that counter, of 6 to 8 digits; out has digits + 1 bytes. */
void hotp(const unsigned char *secret, size_t n, uint64_t counter, int digits, char *out);
int64_t totp_step(int64_t now);                         /* the counter of an instant (microseconds) */
/* Whether it is the code of the step of `now` or of a neighbour (a clock may be half a minute off), and later than `last`; *step tells
 * which.  Its time does not depend on how much of it is right. */
bool totp_right(const unsigned char secret[TOTP_SECRET_SIZE], const char *code, int64_t now, int64_t last, int64_t *step);
void totp_base32(const unsigned char secret[TOTP_SECRET_SIZE], char out[TOTP_BASE32_SIZE]);     /* RFC 4648, as apps take it by hand */
#endif
