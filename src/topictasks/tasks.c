/* topictasks/tasks.c -- what changes a task. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "json/json.h"
#include "store/store.h"
#include "topictasks/inside.h"

/* Of two who make the same task at the same instant both may succeed; nothing is harmed, one of the two is closed. */
static const char SQL_MAKE[] =
        "INSERT INTO topic_task(id, topic, name, goal, owner, due, state, made_by, made_at, closed_by, closed_at, result)"
        " SELECT $1, $2, $3, $4, $5, $6, 'open', $7, $8, '', 0, ''"
        " WHERE NOT EXISTS (SELECT 1 FROM topic_task t WHERE t.topic = $2 AND t.state = 'open')";
static const char SQL_JOIN[] =
        "INSERT INTO topic_task_member(task, case_id, state, added_by, at) SELECT t.id, c.id, 'in', '', $3"
        " FROM topic_task t, cases c WHERE t.id = $1 AND t.state = 'open' AND c.id = $2 ON CONFLICT (task, case_id) DO NOTHING";
static const char SQL_ADD[] =
        "INSERT INTO topic_task_member(task, case_id, state, added_by, at) SELECT id, $2, 'in', $3, $4"
        " FROM topic_task WHERE id = $1 AND state = 'open' ON CONFLICT (task, case_id) DO UPDATE SET state = 'in',"
        " added_by = excluded.added_by, at = excluded.at WHERE topic_task_member.state = 'out'";
static const char SQL_REMOVE[] = "UPDATE topic_task_member SET state = 'out' WHERE task = $1 AND case_id = $2 AND state = 'in'";
static const char SQL_MEMBERS[] = "SELECT COUNT(*) FROM topic_task_member WHERE task = $1 AND state = 'in'";
static const char SQL_ACT[] =
        "INSERT INTO topic_task_act(id, task, act, actor, unit, text, case_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
static const char SQL_IS_OPEN[] = "SELECT COUNT(*) FROM topic_task WHERE id = $1 AND state = 'open'";
static const char SQL_CLOSE[] =
        "UPDATE topic_task SET state = 'closed', closed_by = $2, closed_at = $3, result = $4 WHERE id = $1 AND state = 'open'";
static const char SQL_REOPEN[] =
        "UPDATE topic_task SET state = 'open', closed_by = '', closed_at = 0, result = '' WHERE id = $1 AND state = 'closed'"
        " AND closed_at > $2";
static const char SQL_OPEN[] = "SELECT id FROM topic_task WHERE state = 'open' ORDER BY id DESC LIMIT $1";
static const char SQL_CASES[] = "SELECT case_id, state FROM topic_task_member WHERE task = $1 ORDER BY case_id LIMIT $2";
static const char SQL_TOPIC[] = "UPDATE topic_task SET topic = $2 WHERE id = $1 AND topic <> $2 AND state = 'open'";

static const int64_t reopens_within = 30 * USEC_DAY;

static bool not_open(const struct topic_act *a, struct err *e)
{
        return err_both(e, ERR_CONFLICT, NULL, "task %lld is closed", "类案治理任务%lld已办结", (long long)a->task);
}

bool topic_act_put(struct tx *tx, const struct topic_act *a, struct err *e)
{
        return tx_send(tx, e, SQL_ACT,
                       ARGS(V(a->id), V(a->task), V(a->act), V(a->actor), V(a->unit ? a->unit : ""), V(a->text ? a->text : ""),
                            V(a->case_id), V(a->at)));
}

/* --- made of a topic, followed by the topic's timer ------------------------------------------------------------------------ */

bool topic_task_join(struct tx *tx, int64_t id, int64_t topic, const int64_t *cases, size_t n, int64_t now, struct err *e)
{
        int64_t members;
        if (tx_change(tx, e, SQL_TOPIC, ARGS(V(id), V(topic))) < 0 || !tx_int(tx, &members, 0, e, SQL_MEMBERS, ARGS(V(id))))
                return false;
        for (size_t i = 0; i < n && members < TOPIC_TASK_MEMBERS_MOST; i++) {
                const int added = tx_change(tx, e, SQL_JOIN, ARGS(V(id), V(cases[i]), V(now)));
                if (added < 0)
                        return false;
                members += added;
        }
        return true;
}

bool topic_task_make(struct tx *tx, const struct topic_task_wish *w, struct err *e)
{
        const struct topic_act act = {
                .id = w->act, .task = w->id, .act = "made", .actor = w->actor, .unit = w->unit, .text = w->goal, .at = w->now};
        const int made =
                tx_change(tx, e, SQL_MAKE,
                          ARGS(V(w->id), V(w->topic), V(w->name), V(w->goal), V(w->owner), V(w->due), V(w->actor), V(w->now)));
        if (made < 0)
                return false;
        if (made == 0)
                return err_both(e, ERR_CONFLICT, NULL, "this topic is an open task already", "该热点已有进行中的类案治理任务");
        return topic_task_join(tx, w->id, w->topic, w->cases, w->n, w->now, e) && topic_act_put(tx, &act, e);
}

static bool read_ids(struct tx *tx, struct arena *a, struct topic_task_cases **out, size_t *n, struct err *e)
{
        struct rows r;
        *n = 0;
        *out = NEW_ARRAY(a, struct topic_task_cases, TOPIC_TASKS_MOST);
        bool ok = tx_rows(tx, &r, e, SQL_OPEN, ARGS(V((int)TOPIC_TASKS_MOST)));
        while (ok && *n < TOPIC_TASKS_MOST && rows_next(&r))
                (*out)[(*n)++].id = rows_int(&r, 0);
        return ok && rows_done(&r, e);
}

/* Those taken out do not count against the most, so there may be more rows; of more than twice as many some are overlooked. */
static bool read_cases(struct tx *tx, struct arena *a, struct topic_task_cases *t, struct err *e)
{
        enum { ROWS_MOST = 2 * TOPIC_TASK_MEMBERS_MOST };
        struct rows r;
        size_t n = 0;
        int64_t *in = NEW_ARRAY(a, int64_t, ROWS_MOST), *out = NEW_ARRAY(a, int64_t, ROWS_MOST);
        bool ok = tx_rows(tx, &r, e, SQL_CASES, ARGS(V(t->id), V((int)ROWS_MOST)));
        for (; ok && n < ROWS_MOST && rows_next(&r); n++)
                if (strcmp(rows_text(&r, a, 1), "in") == 0)
                        in[t->n_in++] = rows_int(&r, 0);
                else
                        out[t->n_out++] = rows_int(&r, 0);
        t->in = in;
        t->out = out;
        return ok && rows_done(&r, e);
}

bool topic_tasks_open(struct tx *tx, struct arena *a, struct topic_task_cases **out, size_t *n, struct err *e)
{
        if (!read_ids(tx, a, out, n, e))
                return false;
        for (size_t i = 0; i < *n; i++)
                if (!read_cases(tx, a, &(*out)[i], e))
                        return false;
        return true;
}

/* --- by people ------------------------------------------------------------------------------------------------------------- */

bool topic_task_note(struct tx *tx, const struct topic_act *a, struct err *e)
{
        int64_t is_open;
        if (!tx_int(tx, &is_open, 0, e, SQL_IS_OPEN, ARGS(V(a->task))))
                return false;
        return is_open ? topic_act_put(tx, a, e) : not_open(a, e);
}

bool topic_task_close(struct tx *tx, const struct topic_act *a, struct err *e)
{
        const int n = tx_change(tx, e, SQL_CLOSE, ARGS(V(a->task), V(a->actor), V(a->at), V(a->text)));
        if (n < 0)
                return false;
        return n > 0 ? topic_act_put(tx, a, e) : not_open(a, e);
}

bool topic_task_reopen(struct tx *tx, const struct topic_act *a, struct err *e)
{
        const int n = tx_change(tx, e, SQL_REOPEN, ARGS(V(a->task), V(a->at - reopens_within)));
        if (n < 0)
                return false;
        return n > 0 ? topic_act_put(tx, a, e)
                     : err_both(e, ERR_CONFLICT, NULL,
                                "task %lld is open, or was closed more than 30 days ago; make a new one then",
                                "类案治理任务%lld尚未办结，或办结已超过30天（请新建任务）", (long long)a->task);
}

/* The line in the case's history: which task, and why. */
static bool remark(struct moving *m, const struct topic_act *a, const char *number, const char *name, struct err *e)
{
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        json_text(&j, "topic_task", arena_format(m->arena, "%lld", (long long)a->task));
        if (a->text && a->text[0])
                json_text(&j, "reason", a->text);
        json_object_end(&j);
        const char *text = arena_copy(m->arena, b.at, b.length);
        m->form = json_parse(m->arena, text, strlen(text), e);
        buf_free(&b);
        return m->form && case_remark_within(m, number, name, e);
}

bool topic_task_add(struct moving *m, const struct topic_act *asked, const char *number, struct err *e)
{
        struct topic_act a = *asked;
        int64_t members, is_open;
        if (!tx_int(m->tx, &is_open, 0, e, SQL_IS_OPEN, ARGS(V(a.task)))
            || !tx_int(m->tx, &members, 0, e, SQL_MEMBERS, ARGS(V(a.task))))
                return false;
        if (!is_open)
                return not_open(&a, e);
        if (members >= TOPIC_TASK_MEMBERS_MOST)
                return err_both(e, ERR_CONFLICT, NULL, "a task has at most %d cases", "一个类案治理任务最多包含%d个案件",
                                TOPIC_TASK_MEMBERS_MOST);
        if (!remark(m, &a, number, "join_topic_task", e))
                return false;
        a.case_id = m->row.id;
        const int n = tx_change(m->tx, e, SQL_ADD, ARGS(V(a.task), V(a.case_id), V(a.actor), V(a.at)));
        if (n < 0)
                return false;
        return n > 0 ? topic_act_put(m->tx, &a, e)
                     : err_both(e, ERR_CONFLICT, "number", "case %s is in this task already", "案件%s已在该任务中", number);
}

bool topic_task_remove(struct moving *m, const struct topic_act *asked, const char *number, struct err *e)
{
        struct topic_act a = *asked;
        int64_t is_open;
        if (!tx_int(m->tx, &is_open, 0, e, SQL_IS_OPEN, ARGS(V(a.task))))
                return false;
        if (!is_open)
                return not_open(&a, e);
        if (!remark(m, &a, number, "leave_topic_task", e))
                return false;
        a.case_id = m->row.id;
        const int n = tx_change(m->tx, e, SQL_REMOVE, ARGS(V(a.task), V(a.case_id)));
        if (n < 0)
                return false;
        return n > 0 ? topic_act_put(m->tx, &a, e)
                     : err_both(e, ERR_NOT_FOUND, "number", "case %s is not in this task", "案件%s不在该任务中", number);
}
