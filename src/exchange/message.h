/* exchange/message.h -- what one platform tells another of one case: reading and writing.  Pure.  Inside this folder.
 *
 * The format is this project's own (doc/exchange.md).
 */
#ifndef EXCHANGE_MESSAGE_H
#define EXCHANGE_MESSAGE_H
#include "geo/geo.h"
#include "json/shape.h"

struct told_case {                      /* what a case is, for who does not know it; texts "" or NULL = unsaid */
        const char *title, *text, *property, *address, *area, *item, *source;
        bool urgent, has_point;
        struct point point;
        int64_t occurred;
};
struct exchange_message {
        const char *number;             /* the sender's */
        const char *peer_number;        /* the receiver's; NULL = not known to the sender */
        int64_t revision, seen;
        const char *status;
        int64_t at;                     /* when it got that status */
        const char *result, *reason, *note;     /* NULL = unsaid */
        bool has_case;
        struct told_case told;
};
extern const struct shape exchange_message_shape[];

/* A value that exchange_message_shape has passed; texts stay in its arena.  ERR_INVALID names the field. */
bool exchange_message_read(const struct json_value *, struct exchange_message *, struct err *) MUST_CHECK;
/* Bytes as they came: JSON, shape and values. */
bool exchange_message_parse(struct arena *, const char *, size_t n, struct exchange_message *, struct err *) MUST_CHECK;
void exchange_message_write(const struct exchange_message *, struct json *);

/* The answer to a message. */
struct exchange_answer { const char *result, *number, *status, *detail; int64_t revision; };    /* detail NULL = none */
extern const struct shape exchange_answer_shape[];
void exchange_answer_write(const struct exchange_answer *, struct json *);
/* ERR_INVALID: not such an answer. */
bool exchange_answer_parse(struct arena *, const char *, size_t n, struct exchange_answer *, struct err *) MUST_CHECK;

/* Checks X-Yiwang-Signature: t=SECONDS,v1=HEX, HEX the HMAC-SHA-256 of "SECONDS.BODY" (that of our webhooks).  ERR_DENIED: missing,
 * wrong, or from more than five minutes before or after now. */
bool exchange_signature_check(const char *header, const char *secret, const char *body, int64_t now, struct err *) MUST_CHECK;
#endif
