/* asks/rows.c -- reading and writing what was asked. */
#include "asks/rows.h"
#include "base/arena.h"
#include "base/role.h"
#include "base/text.h"
#include "district/district.h"
#include "json/json.h"
#include "people/people.h"
#include "store/store.h"
#include "task/task.h"
#include <stdio.h>

static const char SQL_PUT[] =
        "INSERT INTO case_ask(case_id, n, kind, state, level, unit, reason_code, reason, asked_by, asked_at, until, told,"
        " passed_by, decided_by, decided_at, reply)"
        " SELECT $1, COALESCE(MAX(n), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', '', 0, ''"
        " FROM case_ask WHERE case_id = $1";
static const char SQL_ALL[] =
        "SELECT n, kind, state, level, unit, reason_code, reason, asked_by, asked_at, until, passed_by, decided_by, decided_at,"
        " reply FROM case_ask WHERE case_id = $1 ORDER BY n";
static const char SQL_PASS[] = "UPDATE case_ask SET state = 'passed', passed_by = $4 WHERE case_id = $1 AND n = $2 AND state = $3";
static const char SQL_DECIDE[] = "UPDATE case_ask SET state = $4, decided_by = $5, decided_at = $6, reply = $7"
                                 " WHERE case_id = $1 AND n = $2 AND state = $3";
static const char SQL_NEXT[] =
        "SELECT MIN(until) FROM case_ask WHERE case_id = $1 AND state IN ('open', 'passed') AND until > 0 AND told = 0";
static const char SQL_LEVEL[] = "SELECT name, name_en, role, amount, unit FROM supervision_level WHERE version = $1 AND level = $2";

enum { ASKS_MOST = 1000 }; /* a case with more has other troubles */

bool ask_put(struct moving *m, const struct ask *ask, struct err *e)
{
        return tx_send(m->tx, e, SQL_PUT,
                       ARGS(V(m->row.id), V(ask->kind), V(ask->state ? ask->state : "open"), V(ask->level ? ask->level : ""),
                            V(m->row.unit), V(json_get_text(m->form, "reason_code", "")), V(json_get_text(m->form, "reason", "")),
                            V(m->mover->name), V(m->now), V(ask->until)))
               && (ask->until == 0 || ask_set_timer(m->tx, m->row.id, e));
}

static void read_row(const struct rows *r, struct arena *a, struct ask_view *v)
{
        *v = (struct ask_view){
                .n = rows_int(r, 0),
                .kind = rows_text(r, a, 1),
                .state = rows_text(r, a, 2),
                .level = rows_text(r, a, 3),
                .unit = rows_text(r, a, 4),
                .reason_code = rows_text(r, a, 5),
                .reason = rows_text(r, a, 6),
                .asked_by = rows_text(r, a, 7),
                .asked_at = rows_int(r, 8),
                .until = rows_int(r, 9),
                .passed_by = rows_text(r, a, 10),
                .decided_by = rows_text(r, a, 11),
                .decided_at = rows_int(r, 12),
                .reply = rows_text(r, a, 13),
        };
}

bool asks_within(struct tx *tx, struct arena *a, int64_t case_id, const struct ask_view **out, size_t *n, struct err *e)
{
        struct rows r;
        struct ask_view *all = NEW_ARRAY(a, struct ask_view, ASKS_MOST);
        *n = 0;
        if (!tx_rows(tx, &r, e, SQL_ALL, ARGS(V(case_id))))
                return false;
        while (*n < ASKS_MOST && rows_next(&r))
                read_row(&r, a, &all[(*n)++]);
        *out = all;
        return rows_done(&r, e);
}

static bool know(struct moving *m, struct err *e)
{
        return m->asks || asks_within(m->tx, m->arena, m->row.id, &m->asks, &m->n_asks, e);
}

int ask_find(struct moving *m, const char *kind, const char *state, struct ask_view *out, struct err *e)
{
        if (!know(m, e))
                return -1;
        for (size_t i = m->n_asks; i-- > 0;)
                if (text_is(m->asks[i].kind, kind) && text_is(m->asks[i].state, state)) {
                        *out = m->asks[i];
                        return 1;
                }
        return 0;
}

bool ask_count(struct moving *m, const char *kind, const char *state, int64_t *n, struct err *e)
{
        *n = 0;
        if (!know(m, e))
                return false;
        for (size_t i = 0; i < m->n_asks; i++)
                *n += text_is(m->asks[i].kind, kind) && (text_empty(state) || text_is(m->asks[i].state, state));
        return true;
}

bool ask_turn(struct moving *m, const struct ask_view *ask, const char *state, struct err *e)
{
        const char *reply = json_get_text(m->form, "result", json_get_text(m->form, "reason", ""));
        const bool ok =
                text_is(state, "passed")
                        ? tx_send(m->tx, e, SQL_PASS, ARGS(V(m->row.id), V(ask->n), V(ask->state), V(m->mover->name)))
                        : tx_send(m->tx, e, SQL_DECIDE,
                                  ARGS(V(m->row.id), V(ask->n), V(ask->state), V(state), V(m->mover->name), V(m->now), V(reply)));
        return ok && (ask->until == 0 || ask_set_timer(m->tx, m->row.id, e));
}

bool ask_last_by(struct moving *m, const char *kind, int64_t *at, struct err *e)
{
        *at = 0;
        if (!know(m, e))
                return false;
        for (size_t i = 0; i < m->n_asks; i++)
                if (text_is(m->asks[i].kind, kind) && text_is(m->asks[i].asked_by, m->mover->name))
                        *at = m->asks[i].asked_at;
        return true;
}

bool ask_set_timer(struct tx *tx, int64_t case_id, struct err *e)
{
        char key[24];
        int64_t next;
        (void)snprintf(key, sizeof key, "%lld", (long long)case_id);
        if (!tx_int(tx, &next, 0, e, SQL_NEXT, ARGS(V(case_id))))
                return false;
        return next ? timer_set(tx, ask_timer.name, key, next, NULL, e) : timer_clear(tx, ask_timer.name, key, e);
}

int level_find(struct moving *m, const char *name, struct level *out, struct err *e)
{
        struct rows r;
        int found = tx_first(m->tx, &r, e, SQL_LEVEL, ARGS(V(m->row.version), V(name)));
        if (found <= 0)
                return found;
        *out = (struct level){.name = name,
                              .zh = rows_text(&r, m->arena, 0),
                              .en = rows_text(&r, m->arena, 1),
                              .role = role_of_name(rows_text(&r, m->arena, 2)),
                              .limit = {rows_real(&r, 3), limit_unit_of(rows_text(&r, m->arena, 4))}};
        return rows_done(&r, e) ? 1 : -1;
}
