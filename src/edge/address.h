/* edge/address.h -- internet addresses as the edge counts and compares them (pure; fuzzed).
 *
 * An IPv6 customer owns a /64, so limits count its first half; an IPv4 address inside IPv6 (::ffff:192.0.2.1) is the IPv4 address.
 */
#ifndef EDGE_ADDRESS_H
#define EDGE_ADDRESS_H
#include "base/base.h"
#include <netinet/in.h>
#include <sys/socket.h>

struct address { unsigned char bytes[16]; bool known; };        /* IPv4 as ::ffff:a.b.c.d; unknown: all zero */
enum { ADDRESS_TEXT_SIZE = INET6_ADDRSTRLEN };

struct address address_of(const struct sockaddr *);             /* NULL and other families: unknown */
/* "192.0.2.1", "2001:db8::1", also in brackets or with a port behind ("192.0.2.1:80", "[::1]:80"), with spaces around. */
bool address_parse(const char *text, size_t n, struct address *) MUST_CHECK;
bool address_same(const struct address *, const struct address *);      /* unknown ones are never the same */
/* The text form without port: "192.0.2.1"; "?" when unknown.  Returns out. */
const char *address_text(const struct address *, char out[ADDRESS_TEXT_SIZE]);
/* What limits count by: the address, of IPv6 its /64.  Never 0. */
uint64_t address_key(const struct address *, uint64_t seed);
/* The client an X-Forwarded-For value names: the last of its comma separated addresses, which the proxy next to us has written. */
bool address_forwarded(const char *value, struct address *) MUST_CHECK;
#endif
