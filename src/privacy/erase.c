/* privacy/erase.c -- reporters erased: because they asked for it, or because their case was closed long enough ago.
 *
 * What is erased is the values of the reporter's row; the row stays and says when.  The case, its report and its history stay as
 * they are: no form of the history holds a reporter's data, so the chain is not touched.
 */
#include "privacy/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"

/* $3 to $5: 1 = this field. */
static const char SQL_ERASE[] =
        "UPDATE reporter SET name = CASE WHEN $3 = 1 THEN NULL ELSE name END, phone = CASE WHEN $4 = 1 THEN NULL ELSE phone END,"
        " phone_index = CASE WHEN $4 = 1 THEN NULL ELSE phone_index END, email = CASE WHEN $5 = 1 THEN NULL ELSE email END,"
        " erased_at = $2 WHERE report_id = $1"
        " AND ($3 = 1 AND name IS NOT NULL OR $4 = 1 AND phone IS NOT NULL OR $5 = 1 AND email IS NOT NULL)";
static const char SQL_CASE[] = "SELECT id FROM cases WHERE number = $1";
static const char SQL_WITH_PHONE[] =
        "SELECT p.report_id, c.number FROM reporter p LEFT JOIN cases c ON c.id = p.report_id WHERE p.phone_index = $1 LIMIT $2";
static const char SQL_RULE[] = "SELECT years, fields FROM retention WHERE version = $1";
static const char SQL_MARK[] = "SELECT closed_at, case_id, fields FROM retention_mark WHERE id = 1";
static const char SQL_SET_MARK[] =
        "INSERT INTO retention_mark(id, closed_at, case_id, fields) VALUES (1, $1, $2, $3) ON CONFLICT (id) DO UPDATE"
        " SET closed_at = excluded.closed_at, case_id = excluded.case_id, fields = excluded.fields";
static const char SQL_CLOSED[] = "SELECT closed_at, id FROM cases WHERE open = 0 AND (closed_at, id) > ($1, $2) AND closed_at <= $3"
                                 " ORDER BY closed_at, id LIMIT $4";

enum { BATCH = 200 };
static const char ALL_FIELDS[] = "name|phone|email";

static bool has_field(const char *fields, const char *name)
{
        const char *at = strstr(fields, name); /* no name is part of another */
        return at != NULL;
}

/* 1 erased, 0 there was nothing, -1 failed. */
static int erase(struct tx *tx, int64_t report, const char *fields, int64_t now, struct err *e)
{
        return tx_change(tx, e, SQL_ERASE,
                         ARGS(V(report), V(now), V(has_field(fields, "name") ? 1 : 0), V(has_field(fields, "phone") ? 1 : 0),
                              V(has_field(fields, "email") ? 1 : 0)));
}

/* --- because they asked --------------------------------------------------------------------------------------------------- */
struct erasing {
        struct district *district;
        struct arena *arena;
        const char *number, *reason;
        const struct phone_indexes *indexes;
        int64_t now, n, before; /* before: erased by earlier transactions of the same call */
        bool more;
};

/* Whoever keeps something derived of the case looks at it again. */
static bool note(struct tx *tx, const struct erasing *x, const char *number, int found, struct err *e)
{
        const struct access r = {.id = id_new(x->district->ids, x->now),
                                 .at = x->now,
                                 .found = found,
                                 .actor = "command",
                                 .action = "erase",
                                 .number = number,
                                 .fields = ALL_FIELDS,
                                 .purpose = "own_request",
                                 .note = x->reason};
        return access_add(tx, &r, e) && (text_empty(number) || outbox_put(tx, "erased", number, "{}", x->now, e));
}

static bool erase_case(struct tx *tx, void *ctx, struct err *e)
{
        struct erasing *x = ctx;
        int64_t id;
        if (!tx_int(tx, &id, 0, e, SQL_CASE, ARGS(V(x->number))))
                return false;
        if (id == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no case %s", "没有编号为%s的案件", x->number);
        const int n = erase(tx, id, ALL_FIELDS, x->now, e);
        x->n = n;
        return n >= 0 && note(tx, x, x->number, n, e);
}

struct holder {
        int64_t report;
        const char *number;
};

static bool erase_under(struct tx *tx, struct erasing *x, const unsigned char index[BLIND_SIZE], struct err *e)
{
        struct holder at[BATCH];
        struct rows r;
        int n = 0;
        if (!tx_rows(tx, &r, e, SQL_WITH_PHONE, ARGS(V_BLOB(index, BLIND_SIZE), V(BATCH))))
                return false;
        while (n < BATCH && rows_next(&r))
                at[n++] = (struct holder){rows_int(&r, 0), rows_text(&r, x->arena, 1)};
        if (!rows_done(&r, e))
                return false;
        for (int i = 0; i < n; i++)
                if (erase(tx, at[i].report, ALL_FIELDS, x->now, e) < 0 || !note(tx, x, at[i].number, 1, e))
                        return false;
        x->n += n;
        x->more = x->more || n == BATCH;
        return true;
}

static bool erase_phone(struct tx *tx, void *ctx, struct err *e)
{
        struct erasing *x = ctx;
        bool all;
        x->n = 0;
        x->more = false;
        if (!phones_indexed(tx, &all, e))
                return false;
        if (!all)
                return err_both(e, ERR_CONFLICT, NULL, "not all reporters can be found by number yet: run yiwang keys reseal first",
                                "部分报告人尚未建立电话索引，请先运行 yiwang keys reseal");
        for (size_t i = 0; i < x->indexes->n; i++)
                if (!erase_under(tx, x, x->indexes->at[i], e))
                        return false;
        /* That nothing was found is an answer to the person too. */
        return x->n + x->before > 0 || note(tx, x, NULL, 0, e);
}

bool reporter_erase(struct district *d, const char *number, const char *phone, const char *reason, int64_t now, int64_t *erased,
                    struct err *e)
{
        struct phone_indexes indexes = {.n = 0};
        struct erasing x = {.district = d,
                            .arena = arena_new(),
                            .number = number,
                            .reason = reason,
                            .indexes = &indexes,
                            .now = now,
                            .more = true};
        bool ok = number || phone_indexes_of(x.arena, keyring_now(d->keys), phone, &indexes)
                  || err_both(e, ERR_INVALID, "phone", "a phone number has 5 to 20 digits", "电话号码应为5至20位数字");
        if (ok && number)
                ok = store_write(d->store, erase_case, &x, e);
        while (ok && !number && x.more) {
                ok = store_write(d->store, erase_phone, &x, e);
                x.before += ok ? x.n : 0;
        }
        *erased = number ? x.n : x.before;
        arena_free(&x.arena);
        return ok;
}

/* --- because their time is over --------------------------------------------------------------------------------------------- */
struct expiring {
        struct district *district;
        struct arena *arena;
        int64_t version, now, n;
        bool more;
};
struct place {
        int64_t closed, id;
};

/* That many calendar years before; of 29 February the 28th. */
static int64_t years_before(int64_t now, int years)
{
        struct civil c = civil_of(now, ZONE_SHANGHAI);
        c.year -= years;
        if (c.month == 2 && c.day == 29)
                c.day = 28;
        return civil_instant(&c, ZONE_SHANGHAI);
}

/* 1 found, 0 there is no rule, -1 failed. */
static int read_rule(struct tx *tx, const struct expiring *x, int64_t *limit, const char **fields, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_RULE, ARGS(V(x->version)));
        if (found <= 0)
                return found;
        *limit = years_before(x->now, (int)rows_int(&r, 0));
        *fields = rows_text(&r, x->arena, 1);
        return rows_done(&r, e) ? 1 : -1;
}

static bool read_mark(struct tx *tx, const struct expiring *x, const char *fields, struct place *out, struct err *e)
{
        struct rows r;
        *out = (struct place){0};
        const int found = tx_first(tx, &r, e, SQL_MARK, NO_ARGS);
        if (found <= 0)
                return found == 0;
        if (text_is(rows_text(&r, x->arena, 2), fields))
                *out = (struct place){rows_int(&r, 0), rows_int(&r, 1)};
        return rows_done(&r, e);
}

static bool expire_cases(struct tx *tx, struct expiring *x, const struct place *at, size_t n, const char *fields, struct err *e)
{
        for (size_t i = 0; i < n; i++) {
                const int erased = erase(tx, at[i].id, fields, x->now, e);
                if (erased < 0)
                        return false;
                x->n += erased;
        }
        const struct access r = {.id = id_new(x->district->ids, x->now),
                                 .at = x->now,
                                 .found = x->n,
                                 .actor = "system",
                                 .action = "expire",
                                 .fields = fields};
        return (x->n == 0 || access_add(tx, &r, e))
               && tx_send(tx, e, SQL_SET_MARK, ARGS(V(at[n - 1].closed), V(at[n - 1].id), V(fields)));
}

static bool expire_once(struct tx *tx, void *ctx, struct err *e)
{
        struct expiring *x = ctx;
        struct place mark, at[BATCH];
        const char *fields = NULL;
        int64_t limit = 0;
        struct rows r;
        size_t n = 0;
        x->n = 0;
        x->more = false;
        const int rule = read_rule(tx, x, &limit, &fields, e);
        if (rule <= 0)
                return rule == 0;
        if (!read_mark(tx, x, fields, &mark, e)
            || !tx_rows(tx, &r, e, SQL_CLOSED, ARGS(V(mark.closed), V(mark.id), V(limit), V(BATCH))))
                return false;
        while (n < BATCH && rows_next(&r))
                at[n++] = (struct place){rows_int(&r, 0), rows_int(&r, 1)};
        x->more = n == BATCH;
        return rows_done(&r, e) && (n == 0 || expire_cases(tx, x, at, n, fields, e));
}

static bool next_day(struct tx *tx, void *ctx, struct err *e)
{
        return timer_set(tx, reporter_expiry_timer.name, "all", *(const int64_t *)ctx + USEC_DAY, NULL, e);
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        const struct rulebook *rules = district_rules(d, e);
        struct expiring x = {.district = d, .now = now, .version = rules ? rules->version : 0, .more = true};
        int64_t all = 0;
        bool ok = rules != NULL;
        (void)timer;
        while (ok && x.more) {
                x.arena = arena_new();
                ok = store_write(d->store, expire_once, &x, e);
                arena_free(&x.arena);
                all += ok ? x.n : 0;
        }
        if (all > 0)
                log_event(LOG_INFO, "reporter.expired", "reporters=%lld", (long long)all);
        return ok && store_write(d->store, next_day, &now, e);
}

const struct timer_kind reporter_expiry_timer = {
        .name = "reporter-expiry",
        .about = "Erases the reporters of cases that were closed as long ago as the pack's privacy.yaml says.",
        .run = run,
};
