/* letter/reach.c -- see reach.h. */
#include "letter/reach.h"
#include <netinet/in.h>

struct net {
        unsigned char at[4];
        int bits;
};
static const struct net nets4[] = {
        {{0, 0, 0, 0}, 8},       {{10, 0, 0, 0}, 8},     {{100, 64, 0, 0}, 10}, {{127, 0, 0, 0}, 8},    {{169, 254, 0, 0}, 16},
        {{172, 16, 0, 0}, 12},   {{192, 0, 0, 0}, 24},   {{192, 0, 2, 0}, 24},  {{192, 168, 0, 0}, 16}, {{198, 18, 0, 0}, 15},
        {{198, 51, 100, 0}, 24}, {{203, 0, 113, 0}, 24}, {{224, 0, 0, 0}, 3},
};

static bool within(const unsigned char *at, const unsigned char *net, int bits)
{
        const int whole = bits / 8, rest = bits % 8;
        return memcmp(at, net, (size_t)whole) == 0 && (rest == 0 || (at[whole] ^ net[whole]) >> (8 - rest) == 0);
}

static bool private4(const unsigned char *at)
{
        for (size_t i = 0; i < COUNT_OF(nets4); i++)
                if (within(at, nets4[i].at, nets4[i].bits))
                        return true;
        return false;
}

static bool private6(const unsigned char *at)
{
        static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}, translated[12] = {0, 0x64, 0xff, 0x9b};
        static const unsigned char global[1] = {0x20}, six_to_four[2] = {0x20, 0x02}, teredo[4] = {0x20, 0x01, 0, 0};
        if (memcmp(at, mapped, sizeof mapped) == 0 || memcmp(at, translated, sizeof translated) == 0)
                return private4(at + 12);
        if (within(at, six_to_four, 16))
                return private4(at + 2);
        return !within(at, global, 3) || within(at, teredo, 32);
}

bool address_private(const struct sockaddr *a)
{
        const void *at = a;
        if (a->sa_family == AF_INET)
                return private4((const unsigned char *)&((const struct sockaddr_in *)at)->sin_addr);
        return a->sa_family != AF_INET6 || private6(((const struct sockaddr_in6 *)at)->sin6_addr.s6_addr);
}
