/* privacy/access.c -- records of who looked at or erased personal data.  The only writer of personal_access. */
#include "privacy/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store.h"

static const char SQL_ADD[] = "INSERT INTO personal_access(id, at, actor, role, unit, action, number, fields, purpose, note, found)"
                              " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
static const char SQL_LATELY[] = "SELECT COUNT(*) FROM personal_access WHERE actor = $1 AND at > $2";
#define COLUMNS "SELECT id, at, found, actor, role, unit, action, number, fields, purpose, note FROM personal_access WHERE id < $1"
static const char SQL_PAGE[] = COLUMNS " ORDER BY id DESC LIMIT $2";
static const char SQL_PAGE_NUMBER[] = COLUMNS " AND number = $3 ORDER BY id DESC LIMIT $2";
static const char SQL_PAGE_ACTOR[] = COLUMNS " AND actor = $3 ORDER BY at DESC, id DESC LIMIT $2";
static const char SQL_PAGE_BOTH[] = COLUMNS " AND number = $3 AND actor || '' = $4 ORDER BY id DESC LIMIT $2";

static const char *or_empty(const char *text)
{
        return text ? text : "";
}

bool access_add(struct tx *tx, const struct access *r, struct err *e)
{
        return tx_send(tx, e, SQL_ADD,
                       ARGS(V(r->id), V(r->at), V(or_empty(r->actor)), V(or_empty(r->role)), V(or_empty(r->unit)),
                            V(or_empty(r->action)), V(or_empty(r->number)), V(or_empty(r->fields)), V(or_empty(r->purpose)),
                            V(or_empty(r->note)), V(r->found)));
}

bool access_allowed(struct tx *tx, const char *actor, int most, int64_t now, struct err *e)
{
        int64_t lately;
        if (!tx_int(tx, &lately, 0, e, SQL_LATELY, ARGS(V(actor), V(now - USEC_HOUR))))
                return false;
        return most == 0 || lately < most
               || err_both(e, ERR_DENIED, NULL,
                           "you have looked up %d reporters within an hour, which is the most one person may; go on later",
                           "您一小时内查询报告人已达上限（%d次），请稍后再试", most);
}

struct paging {
        struct arena *arena;
        const struct access_filter *filter;
        struct access_row *at;
        size_t n;
};

static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        struct paging *p = ctx;
        const struct access_filter *f = p->filter;
        struct arena *a = p->arena;
        struct rows r;
        const int64_t before = f->before ? f->before : INT64_MAX, limit = f->limit;
        p->n = 0;
        bool ok = f->number && f->actor ? tx_rows(tx, &r, e, SQL_PAGE_BOTH, ARGS(V(before), V(limit), V(f->number), V(f->actor)))
                  : f->number           ? tx_rows(tx, &r, e, SQL_PAGE_NUMBER, ARGS(V(before), V(limit), V(f->number)))
                  : f->actor            ? tx_rows(tx, &r, e, SQL_PAGE_ACTOR, ARGS(V(before), V(limit), V(f->actor)))
                                        : tx_rows(tx, &r, e, SQL_PAGE, ARGS(V(before), V(limit)));
        while (ok && rows_next(&r))
                p->at[p->n++] = (struct access_row){.id = rows_int(&r, 0),
                                                    .at = rows_int(&r, 1),
                                                    .found = rows_int(&r, 2),
                                                    .actor = rows_text(&r, a, 3),
                                                    .role = rows_text(&r, a, 4),
                                                    .unit = rows_text(&r, a, 5),
                                                    .action = rows_text(&r, a, 6),
                                                    .number = rows_text(&r, a, 7),
                                                    .fields = rows_text(&r, a, 8),
                                                    .purpose = rows_text(&r, a, 9),
                                                    .note = rows_text(&r, a, 10)};
        return ok && rows_done(&r, e);
}

bool access_page(struct store *store, struct arena *a, const struct access_filter *f, struct access_row **out, size_t *n,
                 struct err *e)
{
        struct paging p = {.arena = a, .filter = f, .at = NEW_ARRAY(a, struct access_row, f->limit)};
        if (!store_read(store, read_page, &p, e))
                return false;
        *out = p.at;
        *n = p.n;
        return true;
}
