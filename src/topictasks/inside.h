/* topictasks/inside.h -- for this folder only. */
#ifndef TOPICTASKS_INSIDE_H
#define TOPICTASKS_INSIDE_H
#include "cases/moves.h"
#include "topictasks/topictasks.h"

struct topic_act { int64_t id, task; const char *act, *actor, *unit, *text; int64_t case_id, at; };
bool topic_act_put(struct tx *, const struct topic_act *, struct err *) MUST_CHECK;

/* Each writes what it is named after, and the act.  ERR_CONFLICT: the task is not open (or not closed). */
bool topic_task_note(struct tx *, const struct topic_act *, struct err *) MUST_CHECK;
bool topic_task_close(struct tx *, const struct topic_act *, struct err *) MUST_CHECK;
/* What was closed in the last 30 days is opened again; later a new task is the honest way. */
bool topic_task_reopen(struct tx *, const struct topic_act *, struct err *) MUST_CHECK;
/* Also a line in the case's history.  m: district, arena, tx, mover, now are given. */
bool topic_task_add(struct moving *m, const struct topic_act *, const char *number, struct err *) MUST_CHECK;
bool topic_task_remove(struct moving *m, const struct topic_act *, const char *number, struct err *) MUST_CHECK;

/* The task named in the path, when the caller may see it: who sees every case, and the people of the owner.  Else ERR_NOT_FOUND. */
bool topic_task_seen(struct request *, int64_t *id, struct err *) MUST_CHECK;
#endif
