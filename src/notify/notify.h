/* notify/notify.h -- telling people and systems: outbox events become messages by SMS, mail, web page, and webhook.
 *
 * Which event is told to whom with which text is data (notices.csv, texts/).  Messages are rows with tries, last error and fate; a
 * lane of threads for each mail server, gateway and webhook sends what is due, with pauses that grow, until it is sent, refused, or too
 * old: so neither a crash nor a dead receiver loses one.  What was acknowledged is not sent again, unless the program dies in the
 * moment between the acknowledgement and its commit; each message has the same id in every try, so that receivers can tell.
 * Webhooks carry `X-Yiwang-Signature: t=<seconds>,v1=<hex hmac-sha256 of "<seconds>.<body>">`.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H
#include "letter/pace.h"
struct arena;
struct buf;
struct consumer;
struct district;
struct gateway;
struct pack_part;
struct route;
struct store;
struct timer_kind;

struct webhook { const char *url, *secret; };
struct notify_settings {
        const char *smtp_url;                           /* "smtp://host:25", "smtps://host"; NULL: no mail */
        const char *smtp_user, *smtp_password;          /* NULL: none; with a user the connection must be encrypted */
        const char *smtp_tls;                           /* "try" (STARTTLS when the server offers it), "yes" (or nothing is sent), "no" */
        const char *from;                               /* sender's address */
        const char *ca_file;                            /* PEM file of those who sign certificates of gateways; NULL = the system's */
        const struct gateway *sms;                      /* NULL: no SMS */
        const char *sms_secret;                         /* {secret} of the gateway; NULL = none */
        struct quiet quiet;                             /* of SMS */
        int hours;                                      /* after which a message is given up; 0 = 48 */
        int callback_days;                              /* how long a call-back link works; 0 = 30 */
        bool private_addresses;                         /* SMS gateway and webhooks may have addresses of a private network */
        const char *public_url;                         /* for links; NULL: lines with links are left out */
        const struct webhook *webhooks; size_t n_webhooks;
        const char *language;                           /* of texts when the reporter asked for none: "zh" or "en" */
};

/* Gets struct district * as ctx and reads district.notify. */
extern const struct consumer notify_consumer, callback_consumer;
extern const struct timer_kind notify_send_timer;       /* of release 0.1.0: its messages are sent like all others now */
extern const struct pack_part notify_pack;              /* notices.csv, texts/ */
extern const struct route *const notify_routes;

/* The threads that send.  district.notify must stay as it is meanwhile; sets district.sender. */
struct sender;
bool sender_start(struct district *, struct err *) MUST_CHECK;
void sender_nudge(struct sender *);                     /* something was written: look now.  NULL is nobody.  Any thread */
void sender_stop(struct district *);                    /* tries under way end (at most 15 seconds); sets district.sender NULL */

/* Messages waiting, sent, refused and given up, by medium; in Prometheus' text form. */
void notify_figures(struct district *, struct store *, struct buf *);

/* The signature header's value for a body at an instant; out has at least 100 bytes. */
void webhook_signature(const char *secret, const char *body, int64_t now, char out[100]);
#endif
