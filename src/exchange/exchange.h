/* exchange/exchange.h -- cases that another platform has too (市区两级案件交换): city and district, each with its own number.
 *
 * The protocol is ours, JSON over HTTP (doc/exchange.md): no public standard covers the exchange between a city's and a district's
 * platform (GB/T 30428 describes data, not the wire).  Each side numbers what it says of a case 1, 2, 3 ... (revision) and says what it
 * had heard of the other (seen): so the same message twice changes nothing, a late one is known as late, and two sides that changed
 * a case at once are noticed: rules of the pack decide, or a person.
 *
 * Nothing is kept about "events": what is told is read from the case's history behind the row that the other side knows (link.told), in
 * the transaction that writes the message.  So an event read twice tells nothing twice, and a move that came from the other side is never
 * told back to it.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H
#include "base/base.h"
struct arena;
struct case_part;
struct consumer;
struct district;
struct pack_part;
struct peers;
struct route;
struct store;
struct timer_kind;
struct tx;

/* Where a peer is reached and what it and we know each other by; only in the settings, never in pack, store or log. */
struct peer_access {
        const char *code;               /* as in exchange/peers.csv */
        const char *url;                /* "https://district.example/api/v1/exchange/city": "/cases" is added */
        const char *key;                /* API key we got from it; NULL: none is sent */
        const char *secret;             /* signs both ways */
};
struct exchange_settings {
        const struct peer_access *peers; size_t n;
        const char *ca_file;            /* PEM file of those who vouch for their certificates; NULL = the system's */
        bool private_addresses;         /* peers may have addresses of a private network */
};
/* Reads the description of the peers (YAML; secrets are in files it names).  `file` names it in sentences with the line. */
bool exchange_peers_parse(struct arena *, const char *file, const char *bytes, size_t n, struct exchange_settings *, struct err *) MUST_CHECK;

/* The exchange's tables of one pack version in memory (exchange/peers.csv, exchange/statuses.csv). */
bool peers_load(struct tx *, struct arena *, int64_t version, struct peers **, struct err *) MUST_CHECK;

/* Compares what both platforms have of the cases they exchange: number, status, revisions.  fix: what is missing or late there is said
 * again, what is missing or late here is fetched, as far as the rules allow; then both are compared again, and the result is of that.
 * found() is called for each difference, of the second comparison too.  ERR_BUSY: the peer does not answer.  Blocks; for commands. */
enum difference_kind { MISSING_THERE, MISSING_HERE, DIFFERENT };
struct difference {
        enum difference_kind kind;
        const char *number, *peer_number;       /* "" = not known */
        const char *ours, *theirs;              /* statuses; "" = none */
        const struct err *error;                /* why it was not mended; NULL */
};
struct reconcile {
        const char *peer;
        bool fix;
        void (*found)(void *ctx, const struct difference *);
        void (*progress)(void *ctx, int64_t compared);
        void *ctx;
};
struct reconcile_result { int64_t compared, differences, mended; };     /* differences: those that are left */
bool exchange_reconcile(struct district *, const struct reconcile *, struct reconcile_result *, struct err *) MUST_CHECK;

/* Gets struct district * as ctx. */
extern const struct consumer exchange_consumer;         /* writes messages of what happened */
extern const struct timer_kind exchange_send_timer;     /* sends them; slow */
extern const struct pack_part exchange_pack;
extern const struct case_part exchange_part;            /* "exchange" of a case's answer: both numbers, state, last error */
extern const struct route *const exchange_routes;
#endif
