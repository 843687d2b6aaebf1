/* people/ranges.c -- how far people see: names, and what the pack says by role and kind of unit. */
#include "people/ranges.h"
#include "base/arena.h"
#include "base/role.h"
#include "base/text.h"
#include "store/store.h"

static const char SQL_RANGES[] = "SELECT role, COALESCE(kind, ''), sees FROM role_range WHERE version = $1";

static const char *const names[] = {
        [RANGE_PACK] = "",           [RANGE_NONE] = "none", [RANGE_OWN] = "own",          [RANGE_UNIT] = "unit",
        [RANGE_SUBTREE] = "subtree", [RANGE_AREA] = "area", [RANGE_DISTRICT] = "district"};

enum range range_of_name(const char *name)
{
        for (size_t i = 0; i < COUNT_OF(names); i++)
                if (text_is(names[i], name))
                        return (enum range)i;
        return RANGE_PACK;
}

const char *range_name(enum range range)
{
        return names[range];
}

bool ranges_load(struct tx *tx, struct arena *a, int64_t version, struct ranges *out, struct err *e)
{
        struct rows r;
        *out = (struct ranges){.at = NEW_ARRAY(a, struct role_range, RANGES_MOST)};
        if (!tx_rows(tx, &r, e, SQL_RANGES, ARGS(V(version))))
                return false;
        while (out->n < RANGES_MOST && rows_next(&r))
                out->at[out->n++] = (struct role_range){.role = role_of_name(rows_text(&r, a, 0)),
                                                        .kind = rows_text(&r, a, 1),
                                                        .range = range_of_name(rows_text(&r, a, 2))};
        return rows_done(&r, e);
}

enum range ranges_find(const struct ranges *all, int role, const char *kind)
{
        enum range any = role == ROLE_UNIT ? RANGE_SUBTREE : role & ROLE_STAFF ? RANGE_DISTRICT : RANGE_NONE;
        for (size_t i = 0; i < all->n; i++) {
                const struct role_range *r = &all->at[i];
                if (r->role == role && *r->kind && text_is(r->kind, kind))
                        return r->range;
                if (r->role == role && !*r->kind)
                        any = r->range;
        }
        return any;
}
