/* edge/guests.h -- who is connected: one entry for each open connection, when it must be done with what it is doing, and how many
 * connections one address has.
 *
 * The HTTP library cuts a client that is silent, but would serve one for ever that sends or takes a byte now and then.  Here each
 * step (a head, a body, an answer) has an instant by which it must be over; a thread shuts the sockets of those that are late.
 */
#ifndef EDGE_GUESTS_H
#define EDGE_GUESTS_H
#include "edge/address.h"
struct guests;
struct guest;

/* per_address: most open connections of one address (of IPv6: of one /64); 0 = any number.  `spared` is never counted (the trusted
 * proxy); NULL = nobody. */
struct guests *guests_new(int per_address, const struct address *spared, void *owner);
void *guest_owner(const struct guest *);        /* what guests_new() was given */
void guests_limit(struct guests *, int per_address);    /* for those who come from now on */
void guests_free(struct guests **);             /* when all guests have gone; joins the thread */
/* False: this address has all the connections it may have. */
bool guests_room(struct guests *, const struct address *);
/* Keeps the entry until guest_free(), which must come before the socket is closed.  until: see guest_until(). */
struct guest *guest_new(struct guests *, int socket, const struct address *, int64_t until);
/* The present step must be over at this instant of the steady clock; 0 = it may take any time. */
void guest_until(struct guest *, int64_t until);
void guest_free(struct guests *, struct guest **);
/* Open connections; those cut because they were late, and those not let in, since the start. */
void guests_figures(struct guests *, long long *open, long long *late, long long *refused);
#endif
