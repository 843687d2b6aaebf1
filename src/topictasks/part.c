/* topictasks/part.c -- what a case's answer says of the tasks it is in. */
#include "base/arena.h"
#include "cases/cases.h"
#include "json/json.h"
#include "sight/sight.h"
#include "store/store.h"
#include "topictasks/topictasks.h"

static const char SQL_OF_CASE[] =
        "SELECT t.id, t.name, t.owner, t.state, m.at FROM topic_task_member m JOIN topic_task t ON t.id = m.task"
        " WHERE m.case_id = $1 AND m.state = 'in' ORDER BY t.id LIMIT $2";
enum { SHOWN_MOST = 20 };

/* A name may come from the texts of all, so only who sees all cases is told it here. */
static bool tasks_json(struct tx *tx, struct arena *a, int64_t case_id, const struct sight *sight, struct json *j, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_OF_CASE, ARGS(V(case_id), V((int)SHOWN_MOST))))
                return false;
        while (rows_next(&r)) {
                json_object(j, NULL);
                json_text(j, "id", arena_format(a, "%lld", (long long)rows_int(&r, 0)));
                json_text(j, "name", !sight || sight->all ? rows_text(&r, a, 1) : NULL);
                json_text(j, "owner", rows_text(&r, a, 2));
                json_text(j, "state", rows_text(&r, a, 3));
                json_time(j, "joined", rows_int(&r, 4));
                json_object_end(j);
        }
        return rows_done(&r, e);
}

const struct case_part topic_tasks_part = {.name = "topic_tasks",
                                           .some = "EXISTS (SELECT 1 FROM topic_task_member k WHERE k.case_id = $1)",
                                           .json = tasks_json};
