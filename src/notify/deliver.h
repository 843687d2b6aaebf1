/* notify/deliver.h -- one try of one message: SMTP, the SMS gateway, or a signed POST to a webhook (libcurl).  Inside this folder. */
#ifndef NOTIFY_DELIVER_H
#define NOTIFY_DELIVER_H
#include "letter/wire.h"
#include "notify/contact.h"
#include "notify/queue.h"

enum { SECONDS_IN_ALL = 15 };

enum outcome {
        TRY_TAKEN,      /* acknowledged */
        TRY_LATER,      /* this message was not taken now */
        TRY_DOWN,       /* the other side takes nothing now: not reached, busy, refuses us */
        TRY_NEVER       /* it will never be taken: no usable address any more, or refused for good */
};

/* A connection that is kept between tries; of one thread. */
/* contact: of message.report, NULL = nobody is known.  *e says why when it was not taken; no address of a person is in it. */
enum outcome deliver(struct wire *, const struct district *, struct arena *, const struct message *, const struct contact *, int64_t now,
                     struct err *e);
#endif
