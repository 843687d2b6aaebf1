/* people/tokens.h -- session tokens and API keys are kept only as SHA-256.  Inside this folder. */
#ifndef PEOPLE_TOKENS_H
#define PEOPLE_TOKENS_H
#include "crypto/crypto.h"

enum { KEY_CHARACTERS = 26 };   /* 130 bits */

static inline void token_hash(const char *token, unsigned char out[SHA256_SIZE])
{
        sha256(token, strlen(token), out);
}
#endif
