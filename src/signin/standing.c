/* signin/standing.c -- see standing.h. */
#include "signin/standing.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "people/people.h"
#include "store/store.h"

static const char SQL_PERSON[] = "SELECT id, role, COALESCE(unit, '') FROM account WHERE login = $1 AND disabled = 0";
static const char SQL_ADD[] = "INSERT INTO stand_in(id, absent, deputy, from_at, until_at, made_by, made_at, ended_at)"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
static const char SQL_END[] =
        "UPDATE stand_in SET ended_at = $2 WHERE id = $1 AND ended_at = 0 AND ($4 = 1 OR absent = (SELECT id FROM account WHERE"
        " login = $3) OR deputy = (SELECT id FROM account WHERE login = $3))";
static const char SQL_LIST[] =
        "SELECT s.id, a.login, d.login, s.from_at, s.until_at, s.made_by FROM stand_in s JOIN account a ON a.id = s.absent"
        " JOIN account d ON d.id = s.deputy WHERE s.ended_at = 0 AND s.until_at > $1 AND ($3 = 1 OR a.login = $2 OR d.login = $2)"
        " ORDER BY s.until_at, s.id LIMIT $4";

static const int64_t LONGEST = 366 * USEC_DAY;

struct person {
        int64_t id;
        const char *role, *unit;
};

static bool read_person(struct tx *tx, struct arena *a, const char *login, struct person *p, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_PERSON, ARGS(V(login)));
        if (found < 0)
                return false;
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, "login", "%s: there is no such login", "%s：没有此登录名", login);
        *p = (struct person){rows_int(&r, 0), rows_text(&r, a, 1), rows_text(&r, a, 2)};
        return rows_done(&r, e);
}

struct adding {
        struct arena *arena;
        const struct units *units;
        const struct stand_in *wish;
        int64_t now;
};

static bool near(const struct units *units, const struct person *a, const struct person *b)
{
        return text_is(a->unit, b->unit) || (!text_empty(a->unit) && unit_within(units, b->unit, a->unit))
               || (!text_empty(b->unit) && unit_within(units, a->unit, b->unit));
}

/* Nobody gets a right by standing in that his own role does not have. */
static bool fits(const struct adding *x, const struct person *absent, const struct person *deputy, struct err *e)
{
        if (absent->id == deputy->id)
                return err_both(e, ERR_INVALID, "deputy", "nobody stands in for himself", "不能由本人代理");
        if (!text_is(absent->role, deputy->role))
                return err_both(e, ERR_INVALID, "deputy", "%s is a %s, and only a %s can stand in",
                                "%s 的角色是 %s，须由角色为 %s 的人员代理", x->wish->deputy, deputy->role, absent->role);
        return near(x->units, absent, deputy)
               || err_both(e, ERR_INVALID, "deputy", "%s belongs to neither the same unit nor one above or below it",
                           "%s 不属于同一单位或其上下级单位", x->wish->deputy);
}

static bool add_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct adding *x = ctx;
        const struct stand_in *w = x->wish;
        struct person absent, deputy;
        return read_person(tx, x->arena, w->absent, &absent, e) && read_person(tx, x->arena, w->deputy, &deputy, e)
               && fits(x, &absent, &deputy, e)
               && tx_change(tx, e, SQL_ADD,
                            ARGS(V(w->id), V(absent.id), V(deputy.id), V(w->from), V(w->until), V(w->made_by), V(x->now)))
                          == 1;
}

bool stand_in_add(struct store *store, struct arena *a, const struct units *units, const struct stand_in *w, int64_t now,
                  struct err *e)
{
        if (w->until <= now || w->until <= w->from || w->until - w->from > LONGEST)
                return err_both(e, ERR_INVALID, "until", "until must lie ahead, behind from, and within a year of it",
                                "结束时间应晚于现在和开始时间，且不超过一年");
        return store_write(store, add_once, &(struct adding){a, units, w, now}, e);
}

struct ending {
        int64_t id, now;
        const char *login;
        bool all;
};

static bool end_once(struct tx *tx, void *ctx, struct err *e)
{
        const struct ending *x = ctx;
        const int n = tx_change(tx, e, SQL_END, ARGS(V(x->id), V(x->now), V(x->login), V(x->all ? 1 : 0)));
        return n == 1 || (n == 0 && err_both(e, ERR_NOT_FOUND, NULL, "nobody stands in under that number", "没有此代理记录"));
}

bool stand_in_end(struct store *store, int64_t id, const char *login, bool all, int64_t now, struct err *e)
{
        return store_write(store, end_once, &(struct ending){id, now, login, all}, e);
}

struct listing {
        struct arena *arena;
        const char *login;
        bool all;
        int64_t now;
        struct stand_in *at;
        size_t n;
};

static bool list_once(struct tx *tx, void *ctx, struct err *e)
{
        struct listing *l = ctx;
        struct rows r;
        l->n = 0;
        if (!tx_rows(tx, &r, e, SQL_LIST, ARGS(V(l->now), V(l->login), V(l->all ? 1 : 0), V((int)STANDINGS_MOST))))
                return false;
        while (l->n < STANDINGS_MOST && rows_next(&r))
                l->at[l->n++] = (struct stand_in){.id = rows_int(&r, 0),
                                                  .absent = rows_text(&r, l->arena, 1),
                                                  .deputy = rows_text(&r, l->arena, 2),
                                                  .from = rows_int(&r, 3),
                                                  .until = rows_int(&r, 4),
                                                  .made_by = rows_text(&r, l->arena, 5)};
        return rows_done(&r, e);
}

bool stand_in_list(struct store *store, struct arena *a, const char *login, bool all, int64_t now, struct stand_in **out, size_t *n,
                   struct err *e)
{
        struct listing l = {
                .arena = a, .login = login, .all = all, .now = now, .at = NEW_ARRAY(a, struct stand_in, STANDINGS_MOST)};
        const bool ok = store_read(store, list_once, &l, e);
        *out = l.at;
        *n = l.n;
        return ok;
}
