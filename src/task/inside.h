/* task/inside.h -- what the files of task/ share; nobody else includes it. */
#ifndef TASK_INSIDE_H
#define TASK_INSIDE_H
#include "task/task.h"

struct leased {
        struct timer timer;     /* tries: earlier runs */
        int64_t stamp;          /* of this lease */
        bool done;              /* ran well: to be deleted */
        bool parked;
        int64_t wake;           /* when not done */
        char error[200];
};

/* timers.c */
/* Only of these kinds (the list ends with NULL): others belong to another scheduler.  INT64_MAX: none waits. */
bool timers_next(struct store *, const struct timer_kind *const *kinds, int64_t *wake, struct err *) MUST_CHECK;
/* At most `most` of each kind. */
bool timers_lease(struct store *, struct arena *, const struct timer_kind *const *kinds, int64_t now, int64_t until, size_t most,
                  struct leased **, size_t *n, struct err *) MUST_CHECK;
/* The lease goes on to `until`; *held false: somebody has set, cleared or taken it. */
bool timers_hold(struct store *, struct leased *, int64_t until, bool *held, struct err *) MUST_CHECK;
bool timers_settle(struct store *, const struct leased *, size_t n, struct err *) MUST_CHECK;   /* one transaction */

/* outbox.c */
/* PostgreSQL: rows that came from another server (pg_dump) have numbers of its transactions, which are not given out here yet; they
 * are set before all that is to come.  Nothing to do on SQLite. */
bool outbox_adopt(struct store *, struct err *) MUST_CHECK;
int cursor_order(struct cursor a, struct cursor b);     /* < 0, 0, > 0 */
bool cursor_read(struct store *, const char *consumer, struct cursor *, struct err *) MUST_CHECK;
/* *got false: another scheduler feeds the consumer. */
bool cursor_lease(struct store *, const char *consumer, int64_t owner, int64_t now, int64_t until, struct cursor *, bool *got,
                  struct err *) MUST_CHECK;
bool cursor_move(struct store *, const char *consumer, int64_t owner, int64_t until, struct cursor, bool *held,
                 struct err *) MUST_CHECK;
bool cursor_release(struct store *, int64_t owner, struct err *) MUST_CHECK;
/* Deletes some of the oldest rows made before `before` that stand at or before `taken`. */
bool outbox_clean(struct store *, int64_t before, struct cursor taken, int *deleted, struct err *) MUST_CHECK;
#endif
