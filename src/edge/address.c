/* edge/address.c -- see address.h. */
#include "edge/address.h"
#include "base/map.h"
#include <arpa/inet.h>

static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_four(const struct address *a)
{
        return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

static struct address four(const struct in_addr *in)
{
        struct address a = {.known = true};
        memcpy(a.bytes, mapped, sizeof mapped);
        memcpy(a.bytes + sizeof mapped, in, sizeof *in);
        return a;
}

struct address address_of(const struct sockaddr *sa)
{
        struct address a = {.known = false};
        if (sa && sa->sa_family == AF_INET)
                return four(&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
        if (sa && sa->sa_family == AF_INET6) {
                memcpy(a.bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, sizeof a.bytes);
                a.known = true;
        }
        return a;
}

/* Cuts spaces, brackets and a port off. */
static bool host_part(const char **text, size_t *n)
{
        while (*n > 0 && ((*text)[0] == ' ' || (*text)[0] == '\t'))
                (*text)++, (*n)--;
        while (*n > 0 && ((*text)[*n - 1] == ' ' || (*text)[*n - 1] == '\t'))
                (*n)--;
        const char *colon = memchr(*text, ':', *n);
        if (*n > 0 && (*text)[0] == '[') {
                const char *end = memchr(*text, ']', *n);
                if (!end || (end + 1 < *text + *n && end[1] != ':'))
                        return false;
                *n = (size_t)(end - *text) - 1;
                (*text)++;
        } else if (colon && !memchr(colon + 1, ':', *n - (size_t)(colon + 1 - *text))) {
                *n = (size_t)(colon - *text); /* one colon: a port; more: IPv6 */
        }
        return true;
}

bool address_parse(const char *text, size_t n, struct address *out)
{
        char copy[ADDRESS_TEXT_SIZE];
        struct in_addr in;
        *out = (struct address){.known = false};
        if (!host_part(&text, &n) || n == 0 || n >= sizeof copy || memchr(text, '\0', n))
                return false;
        memcpy(copy, text, n);
        copy[n] = '\0';
        if (inet_pton(AF_INET, copy, &in) == 1)
                *out = four(&in);
        else
                out->known = inet_pton(AF_INET6, copy, out->bytes) == 1;
        return out->known;
}

bool address_same(const struct address *a, const struct address *b)
{
        return a->known && b->known && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

const char *address_text(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
        const bool v4 = is_four(a);
        if (!a->known || !inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->bytes + sizeof mapped : a->bytes, out, ADDRESS_TEXT_SIZE))
                memcpy(out, "?", 2);
        return out;
}

uint64_t address_key(const struct address *a, uint64_t seed)
{
        return hash_bytes(a->bytes, is_four(a) ? 16 : 8, seed) | 1;
}

bool address_forwarded(const char *value, struct address *out)
{
        const char *comma = strrchr(value, ',');
        const char *last = comma ? comma + 1 : value;
        return address_parse(last, strlen(last), out);
}
