/* dispute/list.c -- changes of the responsibility list: what is approved comes into routes.csv, and is noted once a pack has it. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "dispute/dispute.h"
#include "pack/csv.h"
#include "pack/pack.h"
#include "store/store.h"
#include <stdio.h>

static const char SQL_APPROVED[] =
        "SELECT p.id, p.item, p.area, p.lead, p.assists FROM list_change l JOIN precedent p ON p.id = l.id"
        " WHERE l.state = 'approved' ORDER BY l.id DESC LIMIT 1000";
/* Published is what the pack in force says, whoever wrote it there. */
static const char SQL_PUBLISHED[] =
        "UPDATE list_change SET state = 'published', version = $1 WHERE state = 'approved' AND id IN (SELECT p.id FROM precedent p"
        " JOIN route r ON r.version = $1 AND r.item = p.item AND r.area = p.area AND r.unit = p.lead"
        " AND COALESCE(r.kind, '*') = '*' AND COALESCE(r.assists, '') = p.assists)";
/* A later approved change of the same pattern took its place before it came into any pack. */
static const char SQL_SUPERSEDED[] =
        "UPDATE list_change SET state = 'superseded', version = $1 WHERE state = 'approved' AND id IN (SELECT p.id FROM precedent p"
        " JOIN precedent q ON q.item = p.item AND q.area = p.area AND q.id > p.id JOIN list_change l ON l.id ="
        " q.id WHERE l.state = 'published' AND l.version = $1)";

enum { CHANGES_MOST = 1000 };

bool list_changes_approved(struct tx *tx, struct arena *a, struct list_change **out, size_t *n, struct err *e)
{
        struct rows r;
        *n = 0;
        if (!tx_rows(tx, &r, e, SQL_APPROVED, NO_ARGS))
                return false;
        *out = NEW_ARRAY(a, struct list_change, CHANGES_MOST);
        while (*n < CHANGES_MOST && rows_next(&r))
                (*out)[(*n)++] = (struct list_change){rows_int(&r, 0), rows_text(&r, a, 1), rows_text(&r, a, 2),
                                                      rows_text(&r, a, 3), rows_text(&r, a, 4)};
        return rows_done(&r, e);
}

/* --- routes.csv -------------------------------------------------------------------------------------------------------------- */

enum { ITEM, AREA, KIND, UNIT, ASSISTS, NOTE, KNOWN };
static const char *const known[KNOWN] = {"item", "area", "kind", "unit", "assists", "note"};

struct amending {
        const struct list_change *changes;
        size_t n_changes;
        char separator;
        size_t n;         /* columns */
        size_t at[KNOWN]; /* where each stands; n = the file has none */
        struct buf *out;
};

static bool read_header(struct amending *m, const struct csv_record *header, struct err *e)
{
        m->n = header->n;
        for (int k = 0; k < KNOWN; k++) {
                m->at[k] = m->n;
                for (size_t c = 0; c < m->n; c++)
                        if (text_is(header->cells[c], known[k]))
                                m->at[k] = c;
        }
        for (int k = ITEM; k <= UNIT; k++)
                if (k != KIND && m->at[k] == m->n)
                        return err_both(e, ERR_INVALID, NULL, "routes.csv has no column %s", "routes.csv 缺少列 %s", known[k]);
        return true;
}

static const char *cell(const struct amending *m, const struct csv_record *r, int column)
{
        return m->at[column] < r->n ? r->cells[m->at[column]] : "";
}

/* Whether the row answers just what one of the changes does. */
static bool replaced(const struct amending *m, const struct csv_record *r)
{
        const char *kind = cell(m, r, KIND);
        for (size_t i = 0; i < m->n_changes; i++)
                if (text_is(cell(m, r, ITEM), m->changes[i].item) && text_is(cell(m, r, AREA), m->changes[i].area)
                    && (!*kind || text_is(kind, "*")))
                        return true;
        return false;
}

static bool is_first_of_pattern(const struct amending *m, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (text_is(m->changes[k].item, m->changes[i].item) && text_is(m->changes[k].area, m->changes[i].area))
                        return false;
        return true;
}

static void add_row(const struct amending *m, const struct list_change *c)
{
        char note[64];
        snprintf(note, sizeof note, "裁决先例%lld", (long long)c->precedent);
        const char *const texts[KNOWN] = {c->item, c->area, "", c->lead, c->assists, note};
        for (size_t i = 0; i < m->n; i++) {
                const char *text = "";
                for (int k = 0; k < KNOWN; k++)
                        if (m->at[k] == i)
                                text = texts[k];
                csv_cell(m->out, i ? m->separator : '\0', text);
        }
        buf_byte(m->out, '\n');
}

static bool amend(struct amending *m, struct csv_reader *reader, const char *routes, struct err *e)
{
        struct csv_record r;
        int64_t line;
        if (csv_next(reader, &r, e) <= 0 || !read_header(m, &r, e))
                return false;
        const char *from = csv_at(reader, &line);
        buf_add(m->out, routes, (size_t)(from - routes)); /* with its byte order mark */
        if (m->out->at[m->out->length - 1] != '\n')
                buf_byte(m->out, '\n');
        for (size_t i = 0; i < m->n_changes; i++)
                if (is_first_of_pattern(m, i))
                        add_row(m, &m->changes[i]);
        int got;
        while ((got = csv_next(reader, &r, e)) > 0) {
                const char *to = csv_at(reader, &line);
                if (!replaced(m, &r))
                        buf_add(m->out, from, (size_t)(to - from));
                from = to;
        }
        return got == 0 && (!m->out->overflow || err_set(e, ERR_INVALID, "routes.csv is too long"));
}

bool list_amend(const char *routes, size_t bytes, const struct list_change *changes, size_t n, struct buf *out, struct err *e)
{
        const char *end = memchr(routes, '\n', bytes);
        const bool tabs = memchr(routes, '\t', end ? (size_t)(end - routes) : bytes) != NULL;
        struct amending m = {.changes = changes, .n_changes = n, .separator = tabs ? '\t' : ',', .out = out};
        (void)err_both(e, ERR_INVALID, NULL, "routes.csv is empty", "routes.csv 为空"); /* unless the reader says another */
        struct csv_reader *reader = csv_open(routes, bytes, m.separator);
        const bool ok = amend(&m, reader, routes, e);
        csv_close(&reader);
        return ok;
}

static const char *const after[] = {SQL_PUBLISHED, SQL_SUPERSEDED, NULL};
const struct pack_part dispute_pack = {.capability = "dispute", .after = after};
