/* letter/reach.h -- which addresses lie in somebody's private network (RFC 6890 and its registries).  Pure. */
#ifndef LETTER_REACH_H
#define LETTER_REACH_H
#include "base/base.h"
#include <sys/socket.h>

/* Loopback, private, link-local, shared, benchmarking, multicast, reserved; IPv4 inside IPv6 counts as IPv4.  Other families: true. */
bool address_private(const struct sockaddr *);
#endif
