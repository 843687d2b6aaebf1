/* crypto/keys.c -- the keys of a key file, and sealing with the right one of them.
 *
 * The file is text: a line of comment, then a line a key: NUMBER CIPHER INSTANT SECRET (64 hexadecimal digits).  One that is
 * exactly 32 bytes long is of a time before keys had numbers, and is key 1.
 */
#include "crypto/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

struct keys {
        size_t n;
        struct seal_key at[SEAL_KEYS_MOST];
};

static const char *const names[] = {[SEAL_AES] = "aes", [SEAL_SM4] = "sm4"};

const char *seal_cipher_name(enum seal_cipher c)
{
        return names[c];
}

bool seal_cipher_named(const char *name, enum seal_cipher *out)
{
        for (size_t i = SEAL_AES; i < COUNT_OF(names); i++)
                if (text_is(name, names[i])) {
                        *out = (enum seal_cipher)i;
                        return true;
                }
        return false;
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */
static bool parse_key(char *line, struct seal_key *k)
{
        char *rest = NULL, *number = strtok_r(line, " \r", &rest), *cipher = strtok_r(NULL, " \r", &rest);
        const char *made = strtok_r(NULL, " \r", &rest), *secret = strtok_r(NULL, " \r", &rest),
                   *more = strtok_r(NULL, " \r", &rest);
        int64_t n;
        if (!secret || more || !text_to_int(number, &n) || n < 1 || n > UINT16_MAX || !seal_cipher_named(cipher, &k->cipher)
            || !time_parse(made, ZONE_SHANGHAI, &k->made) || !hex_bytes(secret, k->secret, sizeof k->secret))
                return false;
        k->number = (int)n;
        seal_key_derive(k);
        return true;
}

static bool parse_line(struct keys *keys, char *line, int at, struct err *e)
{
        if (*line == '\0' || *line == '#')
                return true;
        struct seal_key *k = &keys->at[keys->n];
        if (keys->n == SEAL_KEYS_MOST)
                return err_set(e, ERR_INVALID, "line %d: there are more than %d keys", at, (int)SEAL_KEYS_MOST);
        if (!parse_key(line, k))
                return err_set(e, ERR_INVALID, "line %d is no key", at);
        if (keys->n > 0 && keys->at[keys->n - 1].number >= k->number)
                return err_set(e, ERR_INVALID, "line %d: numbers of keys must grow", at);
        keys->n++;
        return true;
}

static bool parse_text(struct keys *keys, char *text, size_t n, struct err *e)
{
        int at = 0;
        if (strlen(text) != n)
                return err_set(e, ERR_INVALID, "it has a NUL");
        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                if (!parse_line(keys, line, ++at, e))
                        return false;
        }
        return keys->n > 0 || err_set(e, ERR_INVALID, "it has no key");
}

struct keys *keys_parse(const void *bytes, size_t n, struct err *e)
{
        struct keys *keys = calloc(1, sizeof *keys);
        char *text = malloc(n + 1);
        bool ok = true;
        if (!keys || !text)
                abort();
        memcpy(text, bytes, n);
        text[n] = '\0';
        if (n == SEAL_SECRET_SIZE) {
                keys->n = 1;
                keys->at[0] = (struct seal_key){.number = 1, .cipher = SEAL_AES};
                memcpy(keys->at[0].secret, bytes, n);
                seal_key_derive(&keys->at[0]);
        } else {
                ok = parse_text(keys, text, n, e);
        }
        OPENSSL_cleanse(text, n);
        free(text);
        if (!ok)
                keys_free(&keys);
        return keys;
}

void keys_free(struct keys **keys)
{
        if (*keys)
                OPENSSL_cleanse(*keys, sizeof **keys);
        free(*keys);
        *keys = NULL;
}

size_t keys_count(const struct keys *keys)
{
        return keys->n;
}

struct key_about keys_at(const struct keys *keys, size_t i)
{
        assert(i < keys->n);
        return (struct key_about){keys->at[i].number, keys->at[i].cipher, keys->at[i].made};
}

struct key_about keys_secret(const struct keys *keys, size_t i, unsigned char secret[SEAL_SECRET_SIZE])
{
        memcpy(secret, keys->at[i].secret, SEAL_SECRET_SIZE);
        return keys_at(keys, i);
}

int keys_active(const struct keys *keys)
{
        return keys->at[keys->n - 1].number;
}

/* --- sealing -------------------------------------------------------------------------------------------------------------- */
bool seal(struct arena *a, const struct keys *keys, const char *context, const char *text, unsigned char **out, size_t *n,
          struct err *e)
{
        return seal_with(a, &keys->at[keys->n - 1], context, text, out, n, e);
}

static const struct seal_key *key_of(const struct keys *keys, int number)
{
        for (size_t i = 0; i < keys->n; i++)
                if (keys->at[i].number == number)
                        return &keys->at[i];
        return NULL;
}

/* A value without a head begins with random bytes, which may look like one: authentication tells the two apart. */
bool unseal(struct arena *a, const struct keys *keys, const char *context, const void *sealed, size_t n, char **out, struct err *e)
{
        enum seal_cipher cipher = SEAL_AES;
        const int number = seal_head(sealed, n, &cipher);
        const struct seal_key *k = number ? key_of(keys, number) : NULL, *first = key_of(keys, 1);
        if ((k && k->cipher == cipher && unseal_with(a, k, context, sealed, n, out))
            || (first && first->cipher == SEAL_AES && unseal_old(a, first, context, sealed, n, out)))
                return true;
        if (number && !k)
                return err_set(e, ERR_FAULT, "a sealed value needs key %d, which is not in the key file", number);
        return err_set(e, ERR_FAULT, "a sealed value was altered, or the key is another one");
}

void blind_index(const struct keys *keys, size_t i, const char *purpose, const char *text, unsigned char out[BLIND_SIZE])
{
        assert(i < keys->n);
        seal_key_index(&keys->at[i], purpose, text, out);
}
