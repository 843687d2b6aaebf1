/* notify/notify.h -- telling people and systems: outbox events become messages to the log, by SMTP, or to webhooks.
 *
 * Which event is told to whom with which text is data (notices.csv).  SMTP and webhook messages are rows with state, tries and
 * last error; sending is a timer with backoff, so neither a crash nor a dead receiver loses one.  Webhooks carry
 * `X-Yiwang-Signature: t=<seconds>,v1=<hex hmac-sha256 of "<seconds>.<body>">`.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H
#include "base/base.h"
struct consumer;
struct pack_part;
struct timer_kind;

struct webhook { const char *url, *secret; };
struct notify_settings {
        const char *smtp_url;                           /* "smtp://host:25"; NULL: mail goes to the log */
        const char *smtp_user, *smtp_password;          /* NULL: none */
        const char *from;                               /* sender's address */
        const struct webhook *webhooks; size_t n_webhooks;
        const char *language;                           /* of the texts: "zh" or "en" */
};

/* Both get struct district * as ctx and read district.notify. */
extern const struct consumer notify_consumer;
extern const struct timer_kind notify_send_timer;       /* may block for seconds: give it a scheduler of its own */
extern const struct pack_part notify_pack;              /* notices.csv, texts/ */

/* The signature header's value for a body at an instant; out has at least 100 bytes. */
void webhook_signature(const char *secret, const char *body, int64_t now, char out[100]);
/* Puts values into the holes {name} of a text; unknown holes stay.  pairs: name, value, name, value, ..., NULL. */
struct arena;
char *notice_fill(struct arena *, const char *text, const char *const *pairs);
#endif
