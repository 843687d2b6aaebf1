/* signin/shifts.c -- see shifts.h. */
#include "signin/shifts.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "people/people.h"
#include "store/store.h"

static const char SQL_PERSON[] = "SELECT id, COALESCE(unit, '') FROM account WHERE login = $1 AND disabled = 0";
static const char SQL_ADD[] = "INSERT INTO shift(id, account, from_at, until_at, made_by, made_at, ended_at)"
                              " VALUES ($1, $2, $3, $4, $5, $6, 0)";
static const char SQL_OF[] = "SELECT COALESCE(a.unit, '') FROM shift s JOIN account a ON a.id = s.account WHERE s.id = $1";
static const char SQL_END[] = "UPDATE shift SET ended_at = $2 WHERE id = $1 AND ended_at = 0";
/* No shift is longer than a day, so those that lie in part behind an instant end within a bounded stretch of the index. */
static const char SQL_LIST[] =
        "SELECT s.id, s.from_at, s.until_at, a.login, a.name, COALESCE(a.unit, ''), s.made_by FROM shift s"
        " JOIN account a ON a.id = s.account WHERE s.until_at > $1 AND s.until_at < $2 AND s.from_at < $3 AND s.ended_at = 0"
        " ORDER BY s.until_at, s.id";

static const int64_t LONGEST = USEC_DAY;

static bool in_scope(const struct shift_scope *scope, const char *unit)
{
        return scope->all || (!text_empty(scope->unit) && unit_within(scope->units, unit, scope->unit));
}

struct adding {
        const struct shift_scope *scope;
        const struct shift *first;
        const int64_t *ids;
        int weeks;
        int64_t now;
        struct arena *arena;
};

static bool add_all(struct tx *tx, void *ctx, struct err *e)
{
        const struct adding *x = ctx;
        const struct shift *s = x->first;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_PERSON, ARGS(V(s->login)));
        if (found < 0)
                return false;
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, "login", "%s: there is no such login", "%s：没有此登录名", s->login);
        const int64_t account = rows_int(&r, 0);
        const char *unit = rows_text(&r, x->arena, 1);
        if (!rows_done(&r, e))
                return false;
        if (!in_scope(x->scope, unit))
                return err_both(e, ERR_DENIED, "login", "%s does not belong to your unit", "%s 不属于您的单位", s->login);
        for (int64_t i = 0; i < x->weeks; i++)
                if (tx_change(tx, e, SQL_ADD,
                              ARGS(V(x->ids[i]), V(account), V(s->from + i * 7 * USEC_DAY), V(s->until + i * 7 * USEC_DAY),
                                   V(s->made_by), V(x->now)))
                    != 1)
                        return false;
        return true;
}

bool shifts_add(struct store *store, struct arena *a, const struct shift_scope *scope, const struct shift *first,
                const int64_t *ids, int weeks, int64_t now, struct err *e)
{
        if (first->until <= now || first->until <= first->from || first->until - first->from > LONGEST)
                return err_both(e, ERR_INVALID, "until", "until must lie ahead, behind from, and within a day of it",
                                "结束时间应晚于现在和开始时间，且一班不超过24小时");
        if (weeks < 1 || weeks > SHIFT_WEEKS_MOST)
                return err_both(e, ERR_INVALID, "weeks", "weeks must be 1 to %d", "周数应为1至%d", (int)SHIFT_WEEKS_MOST);
        return store_write(store, add_all, &(struct adding){scope, first, ids, weeks, now, a}, e);
}

struct ending {
        const struct shift_scope *scope;
        int64_t id, now;
        struct arena *arena;
};

static bool end_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct ending *x = ctx;
        struct rows r;
        int found = tx_first(tx, &r, e, SQL_OF, ARGS(V(x->id)));
        if (found < 0)
                return false;
        const bool theirs = found > 0 && in_scope(x->scope, rows_text(&r, x->arena, 0));
        if (found > 0 && !rows_done(&r, e))
                return false;
        found = theirs ? (int)tx_change(tx, e, SQL_END, ARGS(V(x->id), V(x->now))) : 0;
        return found > 0 || (found == 0 && err_both(e, ERR_NOT_FOUND, "id", "there is no such shift", "没有此班次"));
}

bool shift_end(struct store *store, struct arena *a, const struct shift_scope *scope, int64_t id, int64_t now, struct err *e)
{
        return store_write(store, end_once, &(struct ending){scope, id, now, a}, e);
}

struct listing {
        const struct shift_scope *scope;
        int64_t from, until;
        struct arena *arena;
        struct shift *at;
        size_t n;
};

static bool list_once(struct tx *tx, void *ctx, struct err *e)
{
        struct listing *l = ctx;
        struct rows r;
        l->n = 0;
        if (!tx_rows(tx, &r, e, SQL_LIST, ARGS(V(l->from), V(l->until + LONGEST), V(l->until))))
                return false;
        while (l->n < SHIFTS_MOST && rows_next(&r)) {
                const struct shift one = {.id = rows_int(&r, 0),
                                          .from = rows_int(&r, 1),
                                          .until = rows_int(&r, 2),
                                          .login = rows_text(&r, l->arena, 3),
                                          .name = rows_text(&r, l->arena, 4),
                                          .unit = rows_text(&r, l->arena, 5),
                                          .made_by = rows_text(&r, l->arena, 6)};
                if (in_scope(l->scope, one.unit))
                        l->at[l->n++] = one;
        }
        return rows_done(&r, e);
}

bool shifts_list(struct store *store, struct arena *a, const struct shift_scope *scope, int64_t from, int64_t until,
                 struct shift **out, size_t *n, struct err *e)
{
        struct listing l = {
                .scope = scope, .from = from, .until = until, .arena = a, .at = NEW_ARRAY(a, struct shift, SHIFTS_MOST)};
        const bool ok = store_read(store, list_once, &l, e);
        *out = l.at;
        *n = l.n;
        return ok;
}
