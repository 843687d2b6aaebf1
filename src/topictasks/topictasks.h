/* topictasks/topictasks.h -- topics as tasks (类案治理): the cases of one subject, a unit that ends the cause, and how far it has come.
 *
 * A task is made of a hot topic (hotspots/), whose cases become its members; while it is open, cases that join the topic join it too.
 * People add and remove members by hand.  What they do is kept in the task's own history, and on the case in the case's.
 */
#ifndef TOPICTASKS_TOPICTASKS_H
#define TOPICTASKS_TOPICTASKS_H
#include "base/base.h"
#include "json/shape.h"
struct arena;
struct case_part;
struct json;
struct reply;
struct request;
struct route;
struct tx;

struct topic_task_wish {
        int64_t id, act;                /* new ids, of the task and of its first act */
        int64_t topic, due;             /* due 0 = none */
        const char *name, *goal, *owner;
        const char *actor, *unit;       /* who makes it; unit may be NULL */
        const int64_t *cases; size_t n;
        int64_t now;
};
/* ERR_CONFLICT: an open task has that topic. */
bool topic_task_make(struct tx *, const struct topic_task_wish *, struct err *) MUST_CHECK;

/* An open task and its cases, by id: in, and those that were taken out. */
struct topic_task_cases { int64_t id; int64_t *in; size_t n_in; int64_t *out; size_t n_out; };
enum { TOPIC_TASKS_MOST = 200, TOPIC_TASK_MEMBERS_MOST = 2000 };
/* The newest TOPIC_TASKS_MOST of those that are open. */
bool topic_tasks_open(struct tx *, struct arena *, struct topic_task_cases **, size_t *n, struct err *) MUST_CHECK;
/* Cases that are of its topic now; those that were there already, or are full TOPIC_TASK_MEMBERS_MOST, change nothing.  Reports that
 * were not filed are no cases yet, and come again with the next round. */
bool topic_task_join(struct tx *, int64_t id, int64_t topic, const int64_t *cases, size_t n, int64_t now, struct err *) MUST_CHECK;

/* Writes one task as an answer: its members in sight and its history.  Defined in read_api.c, as is the shape. */
bool topic_task_answer(struct request *, struct reply *, int64_t id, struct err *) MUST_CHECK;
extern const struct case_part topic_tasks_part;         /* "topic_tasks" of a case's answer */
extern const struct shape topic_task_shape[];
extern const struct route *const topic_routes;
extern const struct route *const topic_act_routes;     /* what changes one */
#endif
