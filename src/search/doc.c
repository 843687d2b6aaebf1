/* search/doc.c -- a case as the index knows it: read, taken apart, and its terms. */
#include "search/inside.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"

static const char SQL_DOCS[] =
        "SELECT c.id, c.version, c.created_at, c.number, c.title, c.address, c.item, c.subdistrict, c.community, c.grid, c.channel,"
        " c.unit, r.text FROM cases c LEFT JOIN report r ON r.id = " CASE_REPORT " WHERE c.id IN ";
static const char SQL_NOTES[] = "SELECT case_id, text, '' FROM report_note WHERE case_id IN ";
static const char SQL_TASKS[] = "SELECT case_id, unit, person FROM case_task WHERE case_id IN ";

/* --- reading ------------------------------------------------------------------------------------------------------------- */

struct reading {
        struct arena *arena;
        const int64_t *ids;
        size_t n_ids;
        struct doc *out;
        size_t n;
};

static const char *or_empty(const char *text)
{
        return text ? text : "";
}

static uint64_t mix(uint64_t seed, const char *text)
{
        return hash_bytes(text, strlen(text) + 1, seed);
}

static void read_doc(const struct rows *r, struct arena *a, struct doc *d)
{
        *d = (struct doc){.id = rows_int(r, 0), .version = rows_int(r, 1), .created = rows_int(r, 2)};
        const char **const texts[] = {&d->number,    &d->title, &d->address, &d->item, &d->subdistrict,
                                      &d->community, &d->grid,  &d->channel, &d->unit, &d->text};
        d->raw = (uint64_t)d->id ^ (uint64_t)d->version << 40;
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
                *texts[i] = or_empty(rows_text(r, a, 3 + (int)i));
                d->raw = mix(d->raw, *texts[i]);
        }
}

static void add_name(struct arena *a, struct names *list, const char *name)
{
        enum { ROOM = 32 }; /* more notes or tasks than so many of one case are not searched */
        if (!list->at)
                list->at = NEW_ARRAY(a, const char *, ROOM);
        if (list->n < ROOM && name && *name)
                list->at[list->n++] = name;
}

/* Rows of the statement that belong to the cases, in the order of both: newest case first. */
static bool read_more(struct tx *tx, struct reading *g, const char *sql, const char *order, bool notes, struct err *e)
{
        struct query q = query_new(g->arena);
        struct rows r;
        size_t i = 0;
        query_text(&q, sql);
        query_ints(&q, g->ids, g->n_ids);
        query_text(&q, order);
        const struct value *args = query_args(&q);
        const bool ok = tx_rows(tx, &r, e, q.text.at, args);
        while (ok && rows_next(&r)) {
                const int64_t id = rows_int(&r, 0);
                while (i < g->n && g->out[i].id > id)
                        i++;
                if (i == g->n || g->out[i].id != id)
                        continue;
                struct doc *d = &g->out[i];
                const char *first = or_empty(rows_text(&r, g->arena, 1)), *second = or_empty(rows_text(&r, g->arena, 2));
                add_name(g->arena, notes ? &d->notes : &d->units, first);
                add_name(g->arena, &d->persons, second);
                d->raw = mix(mix(d->raw, first), second);
        }
        buf_free(&q.text);
        return ok && rows_done(&r, e);
}

bool docs_read(struct tx *tx, struct arena *a, const int64_t *ids, size_t n, struct doc *out, size_t *n_out, struct err *e)
{
        struct reading g = {.arena = a, .ids = ids, .n_ids = n, .out = out};
        struct rows r;
        *n_out = 0;
        assert(n <= DOCS_ONCE);
        if (n == 0)
                return true;
        struct query q = query_new(a);
        query_text(&q, SQL_DOCS);
        query_ints(&q, ids, n);
        query_text(&q, " ORDER BY c.id DESC");
        const struct value *args = query_args(&q);
        bool ok = tx_rows(tx, &r, e, q.text.at, args);
        while (ok && rows_next(&r))
                read_doc(&r, a, &out[g.n++]);
        buf_free(&q.text);
        ok = ok && rows_done(&r, e) && read_more(tx, &g, SQL_NOTES, " ORDER BY case_id DESC, id", true, e)
             && read_more(tx, &g, SQL_TASKS, " ORDER BY case_id DESC, n", false, e);
        *n_out = g.n;
        return ok;
}

/* --- taken apart --------------------------------------------------------------------------------------------------------- */

static void add_part(const struct fold *fold, struct arena *a, struct parts *out, const char *field, const char *text, int weight)
{
        if (!text || !*text || out->n == PARTS_MOST)
                return;
        struct part *p = &out->at[out->n++];
        *p = (struct part){.field = field, .text = text, .weight = weight};
        fold_text(fold, a, text, strlen(text), &p->folded);
        atoms_of(a, &p->folded, &p->atoms);
}

void doc_parts(const struct fold *fold, struct arena *a, const struct rulebook *rules, const struct doc *d, struct parts *out)
{
        const struct item *item = rules && *d->item ? item_find(rules->catalogue, d->item) : NULL;
        out->n = 0;
        add_part(fold, a, out, "title", d->title, 3);
        add_part(fold, a, out, "text", d->text, 1);
        add_part(fold, a, out, "address", d->address, 2);
        add_part(fold, a, out, "item", item ? item->name : NULL, 2);
        add_part(fold, a, out, "item", item ? item->name_en : NULL, 2);
        for (size_t i = 0; i < d->notes.n; i++)
                add_part(fold, a, out, "note", d->notes.at[i], 1);
        for (size_t i = 0; i < out->n; i++)
                out->at[i].atoms.text = &out->at[i].folded;
        fold_text(fold, a, d->number, strlen(d->number), &out->number_folded);
        atoms_of(a, &out->number_folded, &out->number);
}

/* --- terms --------------------------------------------------------------------------------------------------------------- */

/* Bytes that mean something to an engine become '_': then two codes may share a term, which only makes it less narrow. */
const char *belonging_term(struct arena *a, enum belonging kind, const char *code)
{
        char *term = arena_format(a, "_%c%s", (int)kind, code);
        for (char *p = term + 2; *p; p++) {
                const char c = *p;
                if (c >= 'A' && c <= 'Z')
                        *p = (char)(c - 'A' + 'a');
                else if ((c >= 0 && c < '0') || (c > '9' && c < 'a') || c > 'z')
                        *p = '_';
        }
        return term;
}

const char *month_term(struct arena *a, int64_t instant)
{
        const struct civil c = civil_of(instant, ZONE_SHANGHAI);
        return arena_format(a, "_m%04d%02d", c.year, c.month);
}

static void put_code(struct terms *t, enum belonging kind, const char *code)
{
        if (!text_empty(code))
                terms_put(t, belonging_term(t->arena, kind, code));
}

const char *doc_terms(struct arena *a, const struct doc *d, const struct parts *parts)
{
        struct terms t = {.arena = a};
        const char *number = number_term(a, &parts->number);
        for (size_t i = 0; i < parts->n; i++)
                terms_add(&t, &parts->at[i].atoms);
        if (number)
                terms_put(&t, number);
        put_code(&t, TO_UNIT, d->unit);
        put_code(&t, TO_ITEM, d->item);
        put_code(&t, TO_SUBDISTRICT, d->subdistrict);
        put_code(&t, TO_COMMUNITY, d->community);
        put_code(&t, TO_GRID, d->grid);
        put_code(&t, TO_CHANNEL, d->channel);
        for (size_t i = 0; i < d->units.n; i++)
                put_code(&t, TO_UNIT, d->units.at[i]);
        for (size_t i = 0; i < d->persons.n; i++)
                put_code(&t, TO_PERSON, d->persons.at[i]);
        terms_put(&t, month_term(a, d->created));
        terms_sort(&t);
        struct buf b = BUF_LIMIT(4 << 20);
        for (size_t i = 0; i < t.n; i++) {
                buf_text(&b, i ? " " : "");
                buf_text(&b, t.at[i]);
        }
        assert(!b.overflow);
        const char *text = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return text;
}
