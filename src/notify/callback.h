/* notify/callback.h -- the citizen says how it was: by a link that works once, or by answering an SMS.
 *
 * Both end in a row and an outbox row (topics `callback_answer` and `sms_reply`, key = case number), of which the case engine makes a
 * move.  Tokens are 130 random bits, stored as SHA-256.
 */
#ifndef NOTIFY_CALLBACK_H
#define NOTIFY_CALLBACK_H
#include "notify/queue.h"

/* A new token for a message, sealed for the row of the message; before the transaction. */
struct callback_token { const char *text; const void *sealed; size_t sealed_n; };
bool callback_token_new(struct district *, struct arena *, int64_t message, struct callback_token *, struct err *) MUST_CHECK;
/* The question behind it; earlier ones of the same reporter and case end. */
bool callback_ask(struct tx *, const struct message *, const struct callback_token *, const char *result, int64_t expires,
                  struct err *) MUST_CHECK;
/* The link of a message taken for sending: its token opened.  NULL: the message has none. */
const char *callback_link(struct arena *, const struct district *, const struct message *);

enum callback_state { CALLBACK_OPEN, CALLBACK_ANSWERED, CALLBACK_EXPIRED };
struct callback_question {
        enum callback_state state;
        const char *number, *title, *unit, *result;     /* unit: code */
        int64_t report, asked, answered;
};
/* The newest question to the reporter with this tracking code: 1 and state, asked, answered; 0 = he was asked nothing; -1 failed. */
int callback_newest(struct tx *, const char *track, int64_t now, struct callback_question *, struct err *) MUST_CHECK;
/* ERR_NOT_FOUND: there is no such token. */
bool callback_find(struct store *, struct arena *, const char *token, int64_t now, struct callback_question *, struct err *) MUST_CHECK;
struct callback_answer { int speed, effect, service, quality; bool solved; const char *comment; };
/* ERR_CONFLICT: answered already, or too late; says which. */
bool callback_give(struct district *, struct arena *, const char *token, const struct callback_answer *, int64_t now,
                   struct err *) MUST_CHECK;

struct sms_reply { const char *gateway, *external_id, *from, *text; };
/* again: the same had come before.  number NULL: nobody was asked at this number lately. */
struct sms_receipt { bool again, understood; const char *number; int rating, solved; };
bool sms_reply_take(struct district *, struct arena *, const struct sms_reply *, int64_t now, struct sms_receipt *, struct err *) MUST_CHECK;
#endif
