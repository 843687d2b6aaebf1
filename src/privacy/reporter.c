/* privacy/reporter.c -- the row of a reporter: sealed, kept, opened, masked. */
#include "privacy/inside.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "district/district.h"
#include "json/json.h"
#include "privacy/mask.h"
#include "sight/query.h"
#include "store/store.h"

static const char SQL_KEEP[] = "INSERT INTO reporter(report_id, name, phone, email, confidential, sealed_by, phone_index)"
                               " VALUES ($1, $2, $3, $4, $5, $6, $7)";
static const char SQL_OF_CASE[] = "SELECT p.report_id, p.confidential, p.erased_at, p.name, p.phone, p.email"
                                  " FROM cases c JOIN reporter p ON p.report_id = " CASE_REPORT " WHERE c.number = $1";

static const char SQL_UNINDEXED[] = "SELECT 1 FROM reporter WHERE sealed_by = 0 LIMIT 1";

const char *const field_names[FIELDS] = {"name", "phone", "email"};

/* What a sealed field is bound to: the same since the first release. */
static char *context_of(struct arena *a, int64_t report, size_t field)
{
        return arena_format(a, "reporter/%lld/%s", (long long)report, field_names[field]);
}

/* --- sealed ----------------------------------------------------------------------------------------------------------- */
bool phone_indexes_of(struct arena *a, const struct keys *keys, const char *phone, struct phone_indexes *out)
{
        const char *normal = phone_normal(a, phone);
        *out = (struct phone_indexes){.n = normal ? keys_count(keys) : 0};
        for (size_t i = 0; i < out->n; i++)
                blind_index(keys, i, "phone", normal, out->at[i]);
        return normal != NULL;
}

bool phones_indexed(struct tx *tx, bool *all, struct err *e)
{
        int64_t one;
        const bool ok = tx_int(tx, &one, 0, e, SQL_UNINDEXED, NO_ARGS);
        *all = one == 0;
        return ok;
}

static struct sealed index_of(struct arena *a, const struct keys *keys, const char *phone)
{
        const char *normal = phone_normal(a, phone);
        if (!normal)
                return (struct sealed){NULL, 0};
        unsigned char *index = arena_alloc(a, BLIND_SIZE);
        blind_index(keys, keys_count(keys) - 1, "phone", normal, index);
        return (struct sealed){index, BLIND_SIZE};
}

bool reporter_seal_fields(struct arena *a, const struct keys *keys, int64_t report, const char *const texts[FIELDS],
                          struct sealed_reporter *out, struct err *e)
{
        out->report = report;
        out->sealed_by = keys_active(keys);
        out->index = index_of(a, keys, texts[1]);
        for (size_t i = 0; i < FIELDS; i++) {
                unsigned char *bytes = NULL;
                out->fields[i] = (struct sealed){NULL, 0};
                if (text_empty(texts[i]))
                        continue;
                if (!seal(a, keys, context_of(a, report, i), texts[i], &bytes, &out->fields[i].n, e))
                        return false;
                out->fields[i].bytes = bytes;
        }
        return true;
}

bool reporter_seal(struct district *d, struct arena *a, int64_t report, const struct reporter *r, struct sealed_reporter **out,
                   struct err *e)
{
        const char *const texts[FIELDS] = {r->name, r->phone, r->email};
        *out = NULL;
        if (text_empty(r->name) && text_empty(r->phone) && text_empty(r->email))
                return true;
        struct sealed_reporter *s = NEW(a, struct sealed_reporter);
        if (!reporter_seal_fields(a, keyring_now(d->keys), report, texts, s, e))
                return false;
        s->confidential = r->confidential;
        *out = s;
        return true;
}

bool reporter_keep(struct tx *tx, const struct sealed_reporter *s, struct err *e)
{
        return tx_send(tx, e, SQL_KEEP,
                       ARGS(V(s->report), V_BLOB(s->fields[0].bytes, s->fields[0].n), V_BLOB(s->fields[1].bytes, s->fields[1].n),
                            V_BLOB(s->fields[2].bytes, s->fields[2].n), V(s->confidential ? 1 : 0), V(s->sealed_by),
                            V_BLOB(s->index.bytes, s->index.n)));
}

/* --- opened --------------------------------------------------------------------------------------------------------------- */
void sealed_fields_read(const struct rows *r, struct arena *a, int first, struct sealed fields[FIELDS])
{
        for (int i = 0; i < FIELDS; i++) {
                fields[i] = (struct sealed){NULL, 0};
                fields[i].bytes = rows_blob(r, a, first + i, &fields[i].n);
        }
}

bool reporter_open(struct arena *a, const struct keys *keys, int64_t report, const struct sealed fields[FIELDS],
                   const char *out[FIELDS], struct err *e)
{
        for (size_t i = 0; i < FIELDS; i++) {
                char *text = NULL;
                if (fields[i].bytes && !unseal(a, keys, context_of(a, report, i), fields[i].bytes, fields[i].n, &text, e))
                        return false;
                out[i] = text;
        }
        return true;
}

/* --- masked --------------------------------------------------------------------------------------------------------------- */
bool reporter_masked(struct tx *tx, struct district *d, struct arena *a, const char *number, struct masked_reporter *out,
                     struct err *e)
{
        struct sealed fields[FIELDS];
        const char *texts[FIELDS];
        struct rows r;
        *out = (struct masked_reporter){.any = false};
        const int found = tx_first(tx, &r, e, SQL_OF_CASE, ARGS(V(number)));
        if (found <= 0)
                return found == 0;
        const int64_t report = rows_int(&r, 0);
        *out = (struct masked_reporter){.any = true, .confidential = rows_int(&r, 1) != 0, .erased = rows_int(&r, 2)};
        sealed_fields_read(&r, a, 3, fields);
        if (!rows_done(&r, e))
                return false;
        if (out->confidential)
                return true;
        struct err lost;
        if (!reporter_open(a, keyring_now(d->keys), report, fields, texts, &lost)) {
                log_err(LOG_ERROR, "reporter.sealed", &lost);
                return true;
        }
        out->name = mask_name(a, texts[0]);
        out->phone = mask_phone(a, texts[1]);
        out->email = mask_email(a, texts[2]);
        return true;
}

void masked_json(struct json *j, const char *member, const struct masked_reporter *m)
{
        if (!m->any) {
                json_null(j, member);
                return;
        }
        json_object(j, member);
        json_text(j, "name", m->name);
        json_text(j, "phone", m->phone);
        json_text(j, "email", m->email);
        json_bool(j, "confidential", m->confidential);
        json_time(j, "erased", m->erased);
        json_object_end(j);
}
