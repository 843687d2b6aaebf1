/* matters/find.c -- see matters.h: the index of same matters, asked. */
#include "base/arena.h"
#include "base/text.h"
#include "cases/workflow.h"
#include "district/district.h"
#include "matters/inside.h"
#include "matters/matters.h"
#include "same/same.h"
#include "store/store.h"
#include "text/fold.h"
#include "text/phrases.h"

/* What was merged is told as the case it belongs to. */
static const char SQL_STANDS[] = "SELECT COALESCE(x.id, c.id), COALESCE(x.open, c.open), COALESCE(x.workflow, c.workflow), "
                                 " COALESCE(x.state, c.state) FROM cases c"
                                 " LEFT JOIN case_link l ON l.case_id = c.id AND l.kind = 'merged' AND l.undone_at = 0"
                                 " LEFT JOIN cases x ON x.id = l.target WHERE c.id = $1";

enum { ASKED_MOST = 16 };

struct asking {
        const struct alike *alike;
        size_t n;
        int64_t before; /* only cases of lower ids; 0 = any */
        int64_t follows;
        int64_t belongs[ASKED_MOST]; /* the case that each belongs to; 0 = not to be told */
        int64_t followed;            /* likewise of `follows` */
        const struct rulebook *rules;
        struct arena *arena;
        bool open_only;
};

static bool stands(struct tx *tx, const struct asking *q, int64_t id, int64_t *belongs, struct err *e)
{
        struct rows r;
        *belongs = 0;
        const int found = tx_first(tx, &r, e, SQL_STANDS, ARGS(V(id)));
        if (found <= 0)
                return found == 0;
        const bool open =
                rows_int(&r, 1) != 0 && !state_ended(q->rules->workflows, rows_text(&r, q->arena, 2), rows_text(&r, q->arena, 3));
        if ((!q->open_only || open) && (q->before == 0 || rows_int(&r, 0) < q->before))
                *belongs = rows_int(&r, 0);
        return rows_done(&r, e);
}

/* The index does not know what became of a case. */
static bool look_up(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *q = ctx;
        for (size_t i = 0; i < q->n; i++)
                if (!stands(tx, q, q->alike[i].id, &q->belongs[i], e))
                        return false;
        return q->follows == 0 || stands(tx, q, q->follows, &q->followed, e);
}

static void take_like(struct arena *a, const char *text, const struct alike *from, struct like *to)
{
        *to = (struct like){.id = from->id,
                            .probability = from->probability,
                            .metres = from->parts.metres,
                            .joins = from->outcome == SAME_JOINS};
        for (size_t i = 0; i < from->n_phrases && to->n_phrases < LIKE_PHRASES; i++)
                to->phrases[to->n_phrases++] =
                        arena_copy(a, text + from->phrases[i].from, from->phrases[i].to - from->phrases[i].from);
}

static bool is_in(const struct like *list, size_t n, int64_t id)
{
        for (size_t i = 0; i < n; i++)
                if (list[i].id == id)
                        return true;
        return false;
}

/* The likeliest ones, and in any case the one that the reporter follows: also where the texts do not say so. */
static size_t choose(const struct asking *q, struct arena *a, const char *text, struct like out[LIKE_MOST])
{
        size_t n = 0;
        for (size_t i = 0; i < q->n; i++) {
                const int64_t id = q->belongs[i];
                const bool followed = id != 0 && id == q->followed;
                const size_t room = is_in(out, n, q->followed) || q->followed == 0 ? LIKE_MOST : LIKE_MOST - 1;
                if (id == 0 || is_in(out, n, id) || (!followed && (n >= room || q->alike[i].probability < same_limits().asks)))
                        continue;
                take_like(a, text, &q->alike[i], &out[n]);
                out[n].id = id;
                out[n++].followed = followed;
        }
        if (q->followed != 0 && !is_in(out, n, q->followed))
                out[n++] = (struct like){.id = q->followed, .metres = -1, .followed = true};
        return n;
}

bool matters_find(struct district *d, const struct rulebook *rules, struct arena *a, const struct matter_question *question,
                  bool open_only, struct like out[LIKE_MOST], size_t *n, struct err *e)
{
        struct alike alike[ASKED_MOST];
        struct folded folded;
        struct matter m;
        *n = 0;
        if (!d->matters)
                return true;
        /* What the reporter follows is looked for further down, so that the dispatcher learns how likely it is. */
        const struct same_limits limits = {same_limits().joins, question->follows ? 0 : same_limits().asks};
        matter_make(d->matters, rules, a, question, &folded, &m);
        struct asking q = {.alike = alike,
                           .before = question->id,
                           .follows = question->follows,
                           .open_only = open_only,
                           .rules = rules,
                           .arena = a};
        struct same_index *index = d->matters->index;
        q.n = question->id ? same_find_add(index, a, &m, &limits, alike, ASKED_MOST)
                           : same_find(index, a, &m, &limits, alike, ASKED_MOST);
        if (!store_read(d->store, look_up, &q, e))
                return false;
        *n = choose(&q, a, matter_text(a, question->title, question->text), out);
        return true;
}
