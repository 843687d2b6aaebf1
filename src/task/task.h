/* task/task.h -- the one scheduler: durable timers and the outbox.
 *
 * A timer is a row (kind, key, due, payload), leased with expiry, so a crash loses none and
 * many processes on one PostgreSQL database share the work; a timer fires late rather than never.
 * An outbox row is written in the transaction of the thing it tells of; consumers read rows in
 * commit order, each with a durable cursor, and are idempotent.
 */
#ifndef TASK_TASK_H
#define TASK_TASK_H
#include "base/base.h"
struct arena;
struct store;
struct tx;

struct timer { const char *kind, *key, *payload; int64_t due; int tries; };
struct timer_kind {
        const char *name;
        const char *about;
        /* Runs on a thread of the scheduler, several at a time, each for another timer; may write.  False: tried again after
         * 2^tries seconds (at most an hour), and after most_tries it is parked with its error (visible in timers_parked()). */
        bool (*run)(void *ctx, const struct timer *, int64_t now, struct err *);
        int most_tries;         /* 0 = 20 */
};

/* Sets or moves the timer (kind, key).  payload may be NULL. */
bool timer_set(struct tx *, const char *kind, const char *key, int64_t due, const char *payload, struct err *) MUST_CHECK;
/* Sets the timer, or brings it forward when it would be looked at later, also while it runs: then it runs again. */
bool timer_hasten(struct tx *, const char *kind, const char *key, int64_t due, struct err *) MUST_CHECK;
bool timer_clear(struct tx *, const char *kind, const char *key, struct err *) MUST_CHECK;   /* true also when there is none */
/* Counts end at 100,000.  lag: how long the oldest overdue timer has waited, microseconds. */
struct timer_counts { int64_t waiting, overdue, parked, lag; };
bool timers_counts(struct store *, int64_t now, struct timer_counts *, struct err *) MUST_CHECK;

/* Where a consumer stands.  {0,0} is the beginning. */
struct cursor { int64_t tx, seq; };
struct event { struct cursor at; const char *topic, *key, *payload; int64_t time; };   /* payload: JSON text */
struct consumer {
        const char *name;
        const char *about;
        /* Gets up to 256 events; may write.  False: the same events come again after a pause that grows. */
        bool (*take)(void *ctx, const struct event *, size_t n, struct err *);
};

bool outbox_put(struct tx *, const char *topic, const char *key, const char *payload, int64_t now, struct err *) MUST_CHECK;
/* Settled events after the cursor, oldest first; texts live in the arena. */
bool outbox_read(struct store *, struct arena *, struct cursor after, size_t most,
                 struct event **out, size_t *n, struct err *) MUST_CHECK;
/* What the consumer has not read: how many events, about, and the age of the oldest in microseconds. */
bool outbox_behind(struct store *, const char *consumer, int64_t now, int64_t *events, int64_t *lag, struct err *) MUST_CHECK;
bool outbox_last(struct store *, struct cursor *out, struct err *) MUST_CHECK;

struct scheduler;
struct scheduler_options {
        const char *name;                               /* of its thread, as top -H shows it: at most 15 characters; may be NULL */
        struct store *store;
        const struct timer_kind *const *kinds;          /* ends with NULL; it runs timers of these only */
        const struct consumer *const *consumers;        /* ends with NULL; durable cursor each */
        void *ctx;                                      /* given to run() and take() */
        /* Called from the scheduler's thread whenever new settled events may be there (live updates). May be NULL. */
        void (*news)(void *ctx);
        bool yields;                                    /* its thread runs at low priority (nice 10): what it does may wait */
        /* While it says so, the scheduler rests four times as long as each round took, at most 2 s: low priority does not keep what it
         * writes from the way of others.  May be NULL. */
        bool (*busy)(void *ctx);
        /* Age after which outbox rows are deleted; 0 = 7 days; negative: never, another scheduler does. */
        int64_t keep;
        int64_t lease;                                  /* of what a dead process held, the time until others take it; 0 = 1 min */
};
bool scheduler_start(struct scheduler **, const struct scheduler_options *, struct err *) MUST_CHECK;
void scheduler_nudge(struct scheduler *);               /* something was written: look now.  Cheap, any thread */
void scheduler_stop(struct scheduler **);               /* finishes the running one, joins, sets NULL */
#endif
