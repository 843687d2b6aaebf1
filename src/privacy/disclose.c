/* privacy/disclose.c -- a reporter opened for a purpose, and cases found by a phone number; both leave a record. */
#include "privacy/inside.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/role.h"
#include "base/text.h"
#include "cases/view.h"
#include "district/district.h"
#include "people/people.h"
#include "sight/sight.h"
#include "store/store.h"

static const char SQL_REPORTER[] = "SELECT confidential, erased_at, name, phone, email FROM reporter WHERE report_id = $1";
static const char BY_PHONE[] =
        "SELECT c.number, c.state, c.title, c.created_at, p.confidential, c.id FROM reporter p JOIN cases c ON (c.id = p.report_id"
        " OR (c.report = p.report_id AND c.report > 0))"
        " WHERE p.phone_index = ";
static const char BY_PHONE_ORDER[] = " ORDER BY p.report_id DESC, c.id LIMIT 100";

const char *const purposes[] = {"verify", "handle", "call_back", "supervise", "legal", "own_request", NULL};
enum { FOUND_MOST = 100, NOTE_LEAST = 2 };

static bool check_purpose(const struct purpose *p, struct err *e)
{
        bool known = false;
        for (size_t i = 0; purposes[i]; i++)
                known = known || text_is(p->purpose, purposes[i]);
        if (!known)
                return err_both(e, ERR_INVALID, "purpose",
                                "say for what purpose: verify, handle, call_back, supervise, legal or own_request",
                                "请选择查询目的：verify、handle、call_back、supervise、legal 或 own_request");
        return (p->note && text_characters(p->note) >= NOTE_LEAST)
               || err_both(e, ERR_INVALID, "note", "say in a few words why", "请用一句话说明原因");
}

/* Confidential reporters are the clerks' and dispatchers' business alone, whoever handles the case. */
static bool may_know_confidential(const struct mover *who)
{
        return who->role == ROLE_CLERK || who->role == ROLE_DISPATCHER;
}

static struct access record_of(struct district *d, const struct mover *who, const struct purpose *p, int64_t now)
{
        return (struct access){.id = id_new(d->ids, now),
                               .at = now,
                               .actor = who->name,
                               .role = role_name(who->role),
                               .unit = who->unit,
                               .purpose = p->purpose,
                               .note = p->note};
}

/* --- one case ------------------------------------------------------------------------------------------------------------ */
struct unmasking {
        struct district *district;
        struct arena *arena;
        const struct mover *who;
        int64_t report, now;
        struct access record;
        struct sealed fields[FIELDS];
        bool confidential;
};

static char *fields_said(struct arena *a, const struct sealed fields[FIELDS])
{
        char *list = arena_text(a, "");
        for (size_t i = 0; i < FIELDS; i++)
                if (fields[i].bytes)
                        list = arena_format(a, "%s%s%s", list, *list ? "|" : "", field_names[i]);
        return list;
}

static bool read_reporter(struct tx *tx, struct unmasking *u, struct err *e)
{
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_REPORTER, ARGS(V(u->report)));
        if (found < 0)
                return false;
        if (found == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "nobody gave a name or number with case %s", "案件%s没有报告人信息",
                                u->record.number);
        u->confidential = rows_int(&r, 0) != 0;
        const bool erased = rows_int(&r, 1) != 0;
        sealed_fields_read(&r, u->arena, 2, u->fields);
        if (!rows_done(&r, e))
                return false;
        u->record.fields = fields_said(u->arena, u->fields);
        return !erased || *u->record.fields
               || err_both(e, ERR_NOT_FOUND, NULL, "the reporter of case %s was erased", "案件%s的报告人信息已删除",
                           u->record.number);
}

static bool unmask_once(struct tx *tx, void *ctx, struct err *e)
{
        struct unmasking *u = ctx;
        if (!access_allowed(tx, u->record.actor, u->district->personal_hourly, u->now, e) || !read_reporter(tx, u, e))
                return false;
        if (u->confidential && !may_know_confidential(u->who))
                return err_both(e, ERR_DENIED, NULL,
                                "the reporter of case %s asked for confidence: a clerk or dispatcher speaks for them",
                                "案件%s的报告人要求保密，请通过受理员或分拨员联系", u->record.number);
        u->record.found = 1;
        return access_add(tx, &u->record, e);
}

bool reporter_unmask(struct district *d, struct arena *a, const char *number, const struct mover *who, const struct purpose *p,
                     int64_t now, struct reporter *out, struct err *e)
{
        struct case_detail c;
        const char *texts[FIELDS];
        if (!check_purpose(p, e) || !case_read_now(d->store, a, number, who->sight, &c, e))
                return false;
        struct unmasking u = {
                .district = d, .arena = a, .who = who, .report = c.view.id, .now = now, .record = record_of(d, who, p, now)};
        u.record.action = "unmask";
        u.record.number = c.view.number;
        if (!store_write(d->store, unmask_once, &u, e) || !reporter_open(a, keyring_now(d->keys), u.report, u.fields, texts, e))
                return false;
        *out = (struct reporter){texts[0], texts[1], texts[2], u.confidential};
        return true;
}

/* --- by phone number ---------------------------------------------------------------------------------------------------- */
struct searching {
        struct district *district;
        struct arena *arena;
        const struct mover *who;
        const struct phone_indexes *indexes;
        int64_t now;
        struct access record;
        struct found_case at[FOUND_MOST];
        int64_t ids[FOUND_MOST];
        size_t n;
        bool complete;
};

/* In the order of ids: a number may have been sealed under several keys. */
static void put_found(struct searching *s, const struct found_case *c, int64_t id)
{
        size_t i = s->n < FOUND_MOST ? s->n++ : FOUND_MOST - 1;
        if (i == FOUND_MOST - 1 && s->ids[i] > id)
                return;
        for (; i > 0 && s->ids[i - 1] < id; i--) {
                s->ids[i] = s->ids[i - 1];
                s->at[i] = s->at[i - 1];
        }
        s->ids[i] = id;
        s->at[i] = *c;
}

static bool find_under(struct tx *tx, struct searching *s, const unsigned char index[BLIND_SIZE], struct err *e)
{
        struct rows r;
        struct query q = query_new(s->arena);
        query_text(&q, BY_PHONE);
        query_arg(&q, V_BLOB(index, BLIND_SIZE));
        if (s->who->sight) {
                query_text(&q, " AND ");
                sight_seen(&q, s->who->sight);
        }
        query_text(&q, BY_PHONE_ORDER);
        const struct value *args = query_args(&q);
        const bool asked = tx_rows(tx, &r, e, q.text.at, args);
        buf_free(&q.text);
        if (!asked)
                return false;
        while (rows_next(&r)) {
                const struct found_case c = {.number = rows_text(&r, s->arena, 0),
                                             .state = rows_text(&r, s->arena, 1),
                                             .title = rows_text(&r, s->arena, 2),
                                             .created = rows_int(&r, 3),
                                             .confidential = rows_int(&r, 4) != 0};
                if (!c.confidential || may_know_confidential(s->who))
                        put_found(s, &c, rows_int(&r, 5));
        }
        return rows_done(&r, e);
}

static bool search_once(struct tx *tx, void *ctx, struct err *e)
{
        struct searching *s = ctx;
        s->n = 0;
        if (!access_allowed(tx, s->record.actor, s->district->personal_hourly, s->now, e) || !phones_indexed(tx, &s->complete, e))
                return false;
        for (size_t i = 0; i < s->indexes->n; i++)
                if (!find_under(tx, s, s->indexes->at[i], e))
                        return false;
        s->record.found = (int64_t)s->n;
        return access_add(tx, &s->record, e);
}

bool reporter_search(struct district *d, struct arena *a, const char *phone, const struct mover *who, const struct purpose *p,
                     int64_t now, struct found_case **out, size_t *n, bool *complete, struct err *e)
{
        struct phone_indexes indexes;
        if (!check_purpose(p, e))
                return false;
        if (!phone_indexes_of(a, keyring_now(d->keys), phone, &indexes))
                return err_both(e, ERR_INVALID, "phone", "a phone number has 5 to 20 digits", "电话号码应为5至20位数字");
        struct searching *s = NEW(a, struct searching);
        *s = (struct searching){
                .district = d, .arena = a, .who = who, .indexes = &indexes, .now = now, .record = record_of(d, who, p, now)};
        s->record.action = "search";
        s->record.fields = "phone";
        if (!store_write(d->store, search_once, s, e))
                return false;
        *out = s->at;
        *n = s->n;
        *complete = s->complete;
        return true;
}
