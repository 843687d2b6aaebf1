/* crypto/totp.c -- see totp.h. */
#include "crypto/totp.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

enum { SHA1_SIZE = 20, STEP_SECONDS = 30 };

/* RFC 4226, 5.3: four bytes from where the last half byte points, without their sign. */
void hotp(const unsigned char *secret, size_t n, uint64_t counter, int digits, char *out)
{
        unsigned char message[8], mac[EVP_MAX_MD_SIZE];
        unsigned length = 0;
        assert(digits >= 6 && digits <= 8);
        for (int i = 7; i >= 0; i--, counter >>= 8)
                message[i] = (unsigned char)(counter & 0xff);
        if (!HMAC(EVP_sha1(), secret, (int)n, message, sizeof message, mac, &length) || length != SHA1_SIZE)
                abort();
        const unsigned char *at = mac + (mac[SHA1_SIZE - 1] & 0x0f);
        uint32_t number = (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        for (int i = digits; i-- > 0; number /= 10)
                out[i] = (char)('0' + number % 10);
        out[digits] = '\0';
}

int64_t totp_step(int64_t now)
{
        return now / (STEP_SECONDS * USEC_SECOND);
}

bool totp_right(const unsigned char secret[TOTP_SECRET_SIZE], const char *code, int64_t now, int64_t last, int64_t *step)
{
        bool right = false;
        if (strlen(code) != TOTP_DIGITS)
                return false;
        for (int64_t s = totp_step(now) - 1; s <= totp_step(now) + 1; s++) {
                char wanted[TOTP_DIGITS + 1];
                hotp(secret, TOTP_SECRET_SIZE, (uint64_t)s, TOTP_DIGITS, wanted);
                if (secret_same(wanted, code, TOTP_DIGITS) && s > last) {
                        *step = s;
                        right = true;
                }
        }
        return right;
}

void totp_base32(const unsigned char secret[TOTP_SECRET_SIZE], char out[TOTP_BASE32_SIZE])
{
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        for (int i = 0; i < TOTP_SECRET_SIZE / 5; i++) {
                uint64_t five = 0;
                for (int k = 0; k < 5; k++)
                        five = five << 8 | secret[i * 5 + k];
                for (int k = 0; k < 8; k++)
                        out[i * 8 + k] = letters[five >> (35 - 5 * k) & 31];
        }
        out[TOTP_BASE32_SIZE - 1] = '\0';
}
