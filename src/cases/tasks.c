/* cases/tasks.c -- what each unit must do on a case: one lead task at a time, any number of assists. */
#include "cases/moves.h"
#include "store/store.h"

static const char SQL_ASSIGN[] = "INSERT INTO case_task(case_id, n, kind, unit, state, created_at, ended_at)"
                                 " SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, 'open', $4, 0 FROM case_task WHERE case_id = $1";
/* '' for kind or unit means any. */
static const char SQL_END[] = "UPDATE case_task SET state = $4, ended_at = $5 WHERE case_id = $1 AND state = 'open'"
                              " AND ($2 = '' OR kind = $2) AND ($3 = '' OR unit = $3)";
static const char SQL_OPEN[] =
        "SELECT COUNT(*) FROM case_task WHERE case_id = $1 AND state = 'open' AND ($2 = '' OR kind = $2) AND ($3 = '' OR unit ="
        " $3)";

bool task_assign(struct tx *tx, int64_t case_id, const char *kind, const char *unit, int64_t now, struct err *e)
{
        return tx_send(tx, e, SQL_ASSIGN, ARGS(V(case_id), V(kind), V(unit), V(now)));
}

bool task_end(struct tx *tx, int64_t case_id, const char *kind, const char *unit, const char *state, int64_t now, struct err *e)
{
        return tx_send(tx, e, SQL_END, ARGS(V(case_id), V(kind), V(unit), V(state), V(now)));
}

bool tasks_open(struct tx *tx, int64_t case_id, const char *kind, const char *unit, int64_t *n, struct err *e)
{
        return tx_int(tx, n, 0, e, SQL_OPEN, ARGS(V(case_id), V(kind), V(unit)));
}
