/* notify/queue.h -- the rows of messages: put in once for each event, taken under a lease, settled with a fate.  Inside this folder.
 *
 * A message belongs to a lane (medium, target).  Whoever sends takes a few that are due (index message_due), so the number that
 * wait does not matter.
 */
#ifndef NOTIFY_QUEUE_H
#define NOTIFY_QUEUE_H
#include "letter/texts.h"
#include "task/task.h"
struct district;
struct store;
struct tx;

#define TARGET_REPORTER "reporter"      /* of SMS, mail and web: the address stays sealed where it is */

struct message {
        int64_t id;
        struct cursor event;
        enum medium medium;
        const char *target;             /* a webhook's address */
        const char *number;             /* of the case */
        const char *topic, *language;
        int64_t report;                 /* whose reporter; 0 = nobody's */
        const char *title, *body;       /* title: a mail's subject */
        const char *recipient, *same;   /* digests; "" = of no person */
        bool urgent, asks;
        int64_t created, not_before, expires;
        const void *secret; size_t secret_n;    /* sealed token of the link; NULL */
        int tries;
        int64_t stamp;
};
/* *added false: the event has made it before, or the same was said to the same person a moment ago.  Web messages are sent by
 * being there. */
bool message_put(struct tx *, const struct message *, bool *added, struct err *) MUST_CHECK;

struct lane_name { enum medium medium; const char *target; };
/* Takes up to `most` that are due, until `until`; their texts live in the arena. */
bool messages_take(struct store *, struct arena *, const struct lane_name *, int64_t now, int64_t until, int most,
                   struct message **, size_t *n, struct err *) MUST_CHECK;
/* When the next of the lane is due; INT64_MAX: none waits. */
bool messages_next(struct store *, const struct lane_name *, int64_t *due, struct err *) MUST_CHECK;

enum fate { FATE_SENT, FATE_REFUSED, FATE_GAVE_UP, FATES };
const char *fate_name(enum fate);
/* What a try came to; nothing when the lease was lost. */
bool message_settle(struct store *, const struct message *, enum fate, const char *error, int64_t now, struct err *) MUST_CHECK;
/* Tried again at `when`; tried false: it was not even tried.  error NULL: stays.  message.expires is written too. */
bool message_put_off(struct store *, const struct message *, int64_t when, bool tried, const char *error, struct err *) MUST_CHECK;
/* Gives up what has waited beyond its time, some at once. */
bool messages_expire(struct store *, int64_t now, int *n, struct err *) MUST_CHECK;
/* Those that wait, of a medium, up to 100,000. */
bool messages_waiting(struct store *, enum medium, int64_t *n, struct err *) MUST_CHECK;
#endif
