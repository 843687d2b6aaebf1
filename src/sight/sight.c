/* sight/sight.c -- see sight.h. */
#include "sight/sight.h"
#include "base/arena.h"
#include "base/role.h"
#include "base/text.h"
#include "district/district.h"
#include "twin/twin.h"

/* --- making ------------------------------------------------------------------------------------------------------- */

static bool has(const struct names *list, const char *name)
{
        for (size_t i = 0; name && i < list->n; i++)
                if (text_is(list->at[i], name))
                        return true;
        return false;
}

static void add(struct arena *a, struct names *list, const char *name, size_t room)
{
        if (!list->at)
                list->at = NEW_ARRAY(a, const char *, room);
        if (list->n < room && !has(list, name))
                list->at[list->n++] = name;
}

static void add_tree(struct arena *a, struct sight *s, const struct units *units, const char *top)
{
        const size_t room = unit_count(units) + 1;
        for (size_t i = 0; i < unit_count(units); i++)
                if (unit_within(units, unit_at(units, i)->code, top))
                        add(a, &s->units, unit_at(units, i)->code, room);
}

static void add_grid(struct arena *a, struct sight *s, const struct area *grid, size_t room)
{
        const size_t before = s->grids.n;
        add(a, &s->grids, grid->code, room);
        if (!s->grid_communities.at)
                s->grid_communities.at = NEW_ARRAY(a, const char *, room);
        if (s->grids.n > before)
                s->grid_communities.at[s->grid_communities.n++] = grid->parent ? grid->parent->code : "";
}

/* A duty layer is no place a case lies in; an area the pack no longer has shows nothing. */
static void add_area(struct arena *a, struct sight *s, const struct twin *twin, const char *code, size_t room)
{
        const struct area *area = area_find(twin, code);
        if (!area)
                return;
        switch (area->level) {
        case AREA_DISTRICT:
                s->all = true;
                break;
        case AREA_SUBDISTRICT:
                add(a, &s->subdistricts, code, room);
                break;
        case AREA_COMMUNITY:
                add(a, &s->communities, code, room);
                break;
        case AREA_GRID:
                add_grid(a, s, area, room);
                break;
        default:
                break;
        }
}

static void add_membership(struct arena *a, struct sight *s, const struct rulebook *rules, const struct viewer *v,
                           const struct membership *m)
{
        const size_t room = v->n_memberships + 1;
        const struct unit *unit = unit_find(rules->units, m->unit);
        const char *area = !text_empty(m->area) ? m->area : unit ? unit->area : NULL;
        switch (m->range != RANGE_PACK ? m->range : range_of(rules->units, v->role, m->unit)) {
        case RANGE_DISTRICT:
                s->all = true;
                break;
        case RANGE_AREA:
                if (!text_empty(area))
                        add_area(a, s, rules->twin, area, room);
                break;
        case RANGE_SUBTREE:
                if (!text_empty(m->unit))
                        add_tree(a, s, rules->units, m->unit);
                break;
        case RANGE_UNIT:
                if (!text_empty(m->unit))
                        add(a, &s->units, m->unit, unit_count(rules->units) + room);
                break;
        case RANGE_OWN:
                add(a, &s->logins, m->login ? m->login : v->login, room);
                break;
        default:
                break;
        }
}

static const char *kept(struct arena *a, const char *text)
{
        return text ? arena_text(a, text) : NULL;
}

struct viewer viewer_copy(struct arena *a, const struct viewer *v)
{
        struct membership *memberships = NEW_ARRAY(a, struct membership, v->n_memberships + 1);
        for (size_t i = 0; i < v->n_memberships; i++) {
                const struct membership *m = &v->memberships[i];
                memberships[i] = (struct membership){
                        .unit = kept(a, m->unit), .area = kept(a, m->area), .login = kept(a, m->login), .range = m->range};
        }
        return (struct viewer){.role = v->role,
                               .login = kept(a, v->login),
                               .unit = kept(a, v->unit),
                               .area = kept(a, v->area),
                               .channel = kept(a, v->channel),
                               .memberships = memberships,
                               .n_memberships = v->n_memberships};
}

struct sight sight_make(struct arena *a, const struct rulebook *rules, const struct viewer *v)
{
        struct sight s = {.all = false};
        if (v->role == ROLE_CHANNEL)
                s.channel = v->channel;
        if (!(v->role & ROLE_STAFF))
                return s;
        for (size_t i = 0; i < v->n_memberships; i++)
                add_membership(a, &s, rules, v, &v->memberships[i]);
        if (v->n_memberships == 0)
                add_membership(a, &s, rules, v, &(struct membership){.unit = v->unit, .area = v->area});
        return s;
}

bool sight_none(const struct sight *s)
{
        return !s->all && !s->channel && s->units.n + s->logins.n + s->subdistricts.n + s->communities.n + s->grids.n == 0;
}

/* --- conditions --------------------------------------------------------------------------------------------------- */

struct alternatives {
        struct query *query;
        int n;
};

static void alternative(struct alternatives *x, const char *before, const struct names *list, const char *after)
{
        if (list->n == 0)
                return;
        query_text(x->query, x->n++ ? " OR " : "");
        query_text(x->query, before);
        query_texts(x->query, list->at, list->n);
        query_text(x->query, after);
}

/* Columns as expressions: no planner may take them for a reason to leave the index that leads. */
void sight_seen(struct query *q, const struct sight *s)
{
        struct alternatives x = {.query = q};
        if (!s || s->all) {
                query_text(q, s ? "1 = 1" : "1 = 0");
                return;
        }
        query_text(q, "(");
        if (s->channel) {
                query_text(q, "c.channel || '' = ");
                query_arg(q, V(s->channel));
                x.n++;
        }
        alternative(&x, "c.unit || '' IN ", &s->units, "");
        alternative(&x, "c.subdistrict || '' IN ", &s->subdistricts, "");
        alternative(&x, "c.community || '' IN ", &s->communities, "");
        alternative(&x, "c.grid || '' IN ", &s->grids, "");
        alternative(&x, "EXISTS (SELECT 1 FROM case_task t WHERE t.case_id = c.id AND t.unit || '' IN ", &s->units, ")");
        alternative(&x, "EXISTS (SELECT 1 FROM case_task t WHERE t.case_id = c.id AND t.person || '' IN ", &s->logins, ")");
        query_text(q, x.n ? ")" : "1 = 0)");
}

void sight_visible(struct query *q, const struct sight *s)
{
        if (s && s->all) {
                query_text(q, "1 = 1");
                return;
        }
        /* A scalar subquery, which both engines look up by key for each row they come to, and never turn into a join over all. */
        query_text(q, "(COALESCE((SELECT p.confidential FROM reporter p WHERE p.report_id = c.id),"
                      " (SELECT p.confidential FROM cases s JOIN reporter p ON p.report_id = s.report"
                      " WHERE s.id = c.id AND s.report > 0),"
                      " 0) = 0 OR ");
        sight_seen(q, s);
        query_text(q, ")");
}

bool sight_covers(const struct sight *s, const char *unit, const char *subdistrict, const char *community, const char *grid)
{
        return !s || s->all || has(&s->units, unit) || has(&s->subdistricts, subdistrict) || has(&s->communities, community)
               || has(&s->grids, grid);
}

bool sight_sees(struct tx *tx, struct arena *a, const struct sight *s, int64_t case_id, bool *yes, struct err *e)
{
        int64_t n = 1;
        bool ok = true;
        if (s && !s->all) {
                struct query q = query_new(a);
                query_text(&q, "SELECT COUNT(*) FROM cases c WHERE c.id = ");
                query_arg(&q, V(case_id));
                query_text(&q, " AND ");
                sight_seen(&q, s);
                const struct value *args = query_args(&q);
                ok = tx_int(tx, &n, 0, e, q.text.at, args);
                buf_free(&q.text);
        }
        *yes = n > 0;
        return ok;
}
