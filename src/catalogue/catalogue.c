/* catalogue/catalogue.c -- see catalogue.h. */
#include "catalogue/catalogue.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/text.h"
#include "pack/pack.h"
#include "store/store.h"

static const char SQL_COUNT[] = "SELECT COUNT(*) FROM item WHERE version = $1";
static const char SQL_ITEMS[] =
        "SELECT code, name, name_en, parent, grade, amount, unit, urgent_amount, urgent_unit, workflow, scope, closing, law"
        " FROM item WHERE version = $1 ORDER BY position";
static const char SQL_ALIASES[] = "SELECT path, item FROM item_alias WHERE version = $1 ORDER BY path";
static const char SQL_ATTRIBUTES[] =
        "SELECT item, code, datatype, required, description, datatype_description, position, choices FROM item_attribute"
        " WHERE version = $1 ORDER BY item, position DESC, code DESC";

struct catalogue {
        struct item *items;
        size_t n;
        struct map *by_code, *by_path; /* path: names joined by '/' */
};

static struct limit limit_at(const struct rows *r, struct arena *a, int column)
{
        if (rows_null(r, column))
                return (struct limit){0};
        return (struct limit){rows_real(r, column), limit_unit_of(rows_text(r, a, column + 1))};
}

static void read_item(const struct rows *r, struct arena *a, struct item *i)
{
        i->code = rows_text(r, a, 0);
        i->name = rows_text(r, a, 1);
        i->name_en = rows_text(r, a, 2);
        i->grade = rows_text(r, a, 4);
        i->handle = limit_at(r, a, 5);
        i->handle_urgent = limit_at(r, a, 7);
        i->workflow = rows_text(r, a, 9);
        i->scope = rows_text(r, a, 10);
        i->closing = rows_text(r, a, 11);
        i->law = rows_text(r, a, 12);
}

static char *path_of(struct arena *a, const struct item *i)
{
        return i->parent ? arena_format(a, "%s/%s", path_of(a, i->parent), i->name) : arena_text(a, i->name);
}

/* What a child does not say, its parent says for it. */
static void inherit(struct item *i)
{
        if (i->parent && i->handle.unit == LIMIT_NONE)
                i->handle = i->parent->handle;
        if (i->parent && i->handle_urgent.unit == LIMIT_NONE)
                i->handle_urgent = i->parent->handle_urgent;
        if (!i->workflow)
                i->workflow = i->parent && i->parent->workflow ? i->parent->workflow : "standard";
        i->level = i->parent ? i->parent->level + 1 : 1;
}

static void link_item(struct catalogue *c, struct item *i, const char *const *parents, bool *done)
{
        const size_t at = (size_t)i->order;
        if (done[at])
                return;
        done[at] = true; /* also stops at a cycle, which the checks of the pack refuse */
        struct item *parent = parents[at] ? map_get(c->by_code, parents[at]) : NULL;
        if (parent) {
                link_item(c, parent, parents, done);
                parent->leaf = false;
                i->parent = parent;
        }
        inherit(i);
}

static bool read_items(struct tx *tx, struct arena *a, int64_t version, struct catalogue *c, const char **parents, struct err *e)
{
        struct rows r;
        const size_t room = c->n;
        if (!tx_rows(tx, &r, e, SQL_ITEMS, ARGS(V(version))))
                return false;
        for (c->n = 0; c->n < room && rows_next(&r); c->n++) {
                struct item *i = &c->items[c->n];
                read_item(&r, a, i);
                i->order = (int)c->n;
                i->leaf = true;
                parents[c->n] = rows_text(&r, a, 3);
                (void)map_put(c->by_code, i->code, i);
        }
        return rows_done(&r, e);
}

static bool read_aliases(struct tx *tx, struct arena *a, int64_t version, struct catalogue *c, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_ALIASES, ARGS(V(version))))
                return false;
        while (rows_next(&r)) {
                struct item *i = map_get(c->by_code, rows_text(&r, a, 1));
                if (!i)
                        continue;
                const char *path = rows_text(&r, a, 0);
                i->aliases = i->aliases ? arena_format(a, "%s\n%s", i->aliases, path) : path;
                (void)map_put(c->by_path, path, i);
        }
        return rows_done(&r, e);
}

/* "key=name|key=name" */
static void read_choices(struct arena *a, const char *text, struct attribute *attribute)
{
        char **pieces;
        attribute->n_choices = text ? text_split(a, text, '|', &pieces) : 0;
        attribute->choices = NEW_ARRAY(a, struct choice, attribute->n_choices);
        for (size_t i = 0; i < attribute->n_choices; i++) {
                char *equals = strchr(pieces[i], '=');
                if (equals)
                        *equals = '\0';
                attribute->choices[i] = (struct choice){pieces[i], equals ? equals + 1 : pieces[i]};
        }
}

static bool read_attributes(struct tx *tx, struct arena *a, int64_t version, struct catalogue *c, struct err *e)
{
        struct rows r;
        if (!tx_rows(tx, &r, e, SQL_ATTRIBUTES, ARGS(V(version))))
                return false;
        while (rows_next(&r)) { /* the last of an item comes first, so each goes in front */
                struct item *i = map_get(c->by_code, rows_text(&r, a, 0));
                struct attribute *t = NEW(a, struct attribute);
                if (!i)
                        continue;
                *t = (struct attribute){.code = rows_text(&r, a, 1),
                                        .datatype = rows_text(&r, a, 2),
                                        .required = rows_int(&r, 3) != 0,
                                        .description = rows_text(&r, a, 4),
                                        .datatype_description = rows_text(&r, a, 5),
                                        .order = rows_int(&r, 6),
                                        .next = i->attributes};
                read_choices(a, rows_text(&r, a, 7), t);
                i->attributes = t;
        }
        return rows_done(&r, e);
}

const struct attribute **item_attributes(struct arena *a, const struct item *item, size_t *n)
{
        size_t room = 0;
        for (const struct item *i = item; i; i = i->parent)
                for (const struct attribute *t = i->attributes; t; t = t->next)
                        room++;
        const struct attribute **list = NEW_ARRAY(a, const struct attribute *, room);
        *n = 0;
        for (const struct item *i = item; i; i = i->parent)
                for (const struct attribute *t = i->attributes; t; t = t->next) {
                        size_t at = *n;
                        bool there = false;
                        for (size_t k = 0; k < *n; k++)
                                there = there || text_is(list[k]->code, t->code);
                        if (there)
                                continue;
                        for (; at > 0 && list[at - 1]->order > t->order; at--)
                                list[at] = list[at - 1];
                        list[at] = t;
                        (*n)++;
                }
        return list;
}

bool catalogue_load(struct tx *tx, struct arena *a, int64_t version, struct catalogue **out, struct err *e)
{
        struct catalogue *c = NEW(a, struct catalogue);
        int64_t count;
        if (!tx_int(tx, &count, 0, e, SQL_COUNT, ARGS(V(version))))
                return false;
        c->n = (size_t)count;
        c->items = NEW_ARRAY(a, struct item, c->n);
        c->by_code = map_new(a, c->n);
        c->by_path = map_new(a, c->n);
        const char **parents = NEW_ARRAY(a, const char *, c->n);
        bool *done = NEW_ARRAY(a, bool, c->n);
        if (!read_items(tx, a, version, c, parents, e))
                return false;
        for (size_t i = 0; i < c->n; i++)
                link_item(c, &c->items[i], parents, done);
        for (size_t i = c->n; i-- > 0;) /* of equal paths the first item stays */
                (void)map_put(c->by_path, path_of(a, &c->items[i]), &c->items[i]);
        *out = c;
        return read_aliases(tx, a, version, c, e) && read_attributes(tx, a, version, c, e);
}

const struct item *item_find(const struct catalogue *c, const char *code)
{
        return code ? map_get(c->by_code, code) : NULL;
}

const struct item *item_by_path(const struct catalogue *c, const char *const *names, size_t n)
{
        struct buf b = BUF_LIMIT(4096);
        for (size_t i = 0; i < n; i++) {
                if (i)
                        buf_byte(&b, '/');
                buf_text(&b, names[i]);
        }
        const struct item *i = b.overflow || !b.at ? NULL : map_get(c->by_path, b.at);
        buf_free(&b);
        return i;
}

size_t item_count(const struct catalogue *c)
{
        return c->n;
}

const struct item *item_at(const struct catalogue *c, size_t i)
{
        return &c->items[i];
}

const struct item *item_near(const struct catalogue *c, const char *wrong)
{
        const struct item *best = NULL;
        size_t most = 1;
        for (size_t i = 0; i < c->n; i++) {
                const struct item *it = &c->items[i];
                size_t same = 0;
                if (text_is(it->name, wrong) || text_is(it->name_en, wrong))
                        return it;
                while (it->code[same] && it->code[same] == wrong[same])
                        same++;
                if (same > most) {
                        most = same;
                        best = it;
                }
        }
        return best;
}
