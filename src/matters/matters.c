/* matters/matters.c -- see matters.h: the index, brought up to date, and asked. */
#include "matters/inside.h"
#include "matters/matters.h"
#include "base/arena.h"
#include "base/text.h"
#include "cases/workflow.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "same/same.h"
#include "store/store.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "text/phrases.h"
#include <pthread.h>
#include <stdlib.h>

static const char SQL_TEXTS[] = "SELECT title, text FROM report ORDER BY id DESC LIMIT 5000";
static const char SQL_FIRST[] = "SELECT COALESCE(MIN(id), 0) - 1 FROM (SELECT id FROM cases ORDER BY id DESC LIMIT $1) newest";
static const char SQL_PAGE[] =
        "SELECT c.id, r.title, r.text, c.lon, c.lat, c.grid, c.community, c.item, c.created_at FROM cases c"
        " JOIN report r ON r.id = CASE WHEN c.report > 0 THEN c.report ELSE c.id END WHERE c.id > $1 ORDER BY c.id LIMIT 500";
/* What was merged is told as the case it belongs to. */
static const char SQL_STANDS[] = "SELECT COALESCE(x.id, c.id), COALESCE(x.open, c.open), COALESCE(x.workflow, c.workflow), "
                                 " COALESCE(x.state, c.state) FROM cases c"
                                 " LEFT JOIN case_link l ON l.case_id = c.id AND l.kind = 'merged' AND l.undone_at = 0"
                                 " LEFT JOIN cases x ON x.id = l.target WHERE c.id = $1";

/* About 57 MB at most.  Ids are given out a little before their commit, by many threads: the last two seconds are read again
 * (an id counts milliseconds above its lowest 22 bits, base/id.h). */
enum { CASES_MOST = 300000, PAGE = 500, OVERLAP_MS = 2000, ID_BITS = 22, ASKED_MOST = 16 };

struct matters {
        const struct fold *fold;
        struct same_index *index;
        pthread_mutex_t feeding;
        int64_t last; /* cases up to this id are in; -1 = none yet */
};

/* --- opening ------------------------------------------------------------------------------------------------------------ */

struct learning {
        const struct fold *fold;
        struct rare *rare;
};

static const char *whole_text(struct arena *a, const char *title, const char *text)
{
        return text_empty(title) || text_starts(text, title) ? text : arena_format(a, "%s\n%s", title, text);
}

static bool learn_texts(struct tx *tx, void *ctx, struct err *e)
{
        struct learning *l = ctx;
        struct arena *a = arena_new();
        struct rows r;
        bool ok = tx_rows(tx, &r, e, SQL_TEXTS, NO_ARGS);
        while (ok && rows_next(&r)) {
                struct folded f;
                const char *text = whole_text(a, rows_text(&r, a, 0), rows_text(&r, a, 1));
                fold_text(l->fold, a, text, strlen(text), &f);
                rare_learn_text(l->rare, &f);
                arena_reset(a);
        }
        arena_free(&a);
        return ok && rows_done(&r, e);
}

bool matters_open(struct district *d, struct err *e)
{
        struct learning l = {.fold = district_fold(d, e)};
        if (!l.fold)
                return false;
        l.rare = rare_new();
        if (!store_read(d->store, learn_texts, &l, e)) {
                rare_free(&l.rare);
                return false;
        }
        struct matters *m = calloc(1, sizeof *m);
        if (!m || pthread_mutex_init(&m->feeding, NULL) != 0)
                abort();
        m->fold = l.fold;
        m->index = same_new(&l.rare, CASES_MOST);
        m->last = -1;
        d->matters = m;
        return true;
}

void matters_close(struct district *d)
{
        struct matters *m = d->matters;
        if (!m)
                return;
        same_free(&m->index);
        (void)pthread_mutex_destroy(&m->feeding);
        free(m);
        d->matters = NULL;
}

/* --- feeding ------------------------------------------------------------------------------------------------------------ */

struct feeding {
        struct matters *matters;
        const struct rulebook *rules;
        struct arena *arena;
        int64_t after;
        size_t n;
};

static void take_matter(const struct feeding *f, const struct matter_question *q, struct folded *folded, struct matter *out)
{
        const char *text = whole_text(f->arena, q->title, q->text);
        const struct item *item = text_empty(q->item) ? NULL : item_find(f->rules->catalogue, q->item);
        fold_text(f->matters->fold, f->arena, text, strlen(text), folded);
        *out = (struct matter){
                .id = q->id,
                .text = folded,
                .has_point = q->has_point,
                .point = q->point,
                .grid = text_empty(q->grid) ? NULL : q->grid,
                .community = text_empty(q->community) ? NULL : q->community,
                .item = item ? item->code : NULL,
                .item_group = item && item->parent ? item->parent->code : NULL,
                .time = q->time,
        };
}

static bool feed_page(struct tx *tx, void *ctx, struct err *e)
{
        struct feeding *f = ctx;
        struct rows r;
        f->n = 0;
        bool ok = tx_rows(tx, &r, e, SQL_PAGE, ARGS(V(f->after)));
        while (ok && rows_next(&r)) {
                struct folded folded;
                struct matter m;
                const struct matter_question q = {
                        .id = rows_int(&r, 0),
                        .title = rows_text(&r, f->arena, 1),
                        .text = rows_text(&r, f->arena, 2),
                        .has_point = !rows_null(&r, 3),
                        .point = {rows_real(&r, 3), rows_real(&r, 4)},
                        .grid = rows_text(&r, f->arena, 5),
                        .community = rows_text(&r, f->arena, 6),
                        .item = rows_text(&r, f->arena, 7),
                        .time = rows_int(&r, 8),
                };
                take_matter(f, &q, &folded, &m);
                same_add(f->matters->index, &m);
                f->after = q.id;
                f->n++;
                arena_reset(f->arena);
        }
        return ok && rows_done(&r, e);
}

static bool find_first(struct tx *tx, void *ctx, struct err *e)
{
        struct matters *m = ctx;
        return tx_int(tx, &m->last, 0, e, SQL_FIRST, ARGS(V((int)CASES_MOST)));
}

static bool feed(struct district *d, const struct rulebook *rules, bool whole, struct err *e)
{
        struct matters *m = d->matters;
        struct feeding f = {.matters = m, .rules = rules, .arena = arena_new()};
        (void)pthread_mutex_lock(&m->feeding);
        bool ok = m->last >= 0 || store_read(d->store, find_first, m, e);
        f.after = m->last - ((int64_t)OVERLAP_MS << ID_BITS);
        do {
                ok = ok && store_read(d->store, feed_page, &f, e);
                if (ok && f.after > m->last)
                        m->last = f.after;
        } while (ok && whole && f.n == PAGE);
        (void)pthread_mutex_unlock(&m->feeding);
        arena_free(&f.arena);
        return ok;
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

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

bool matters_joinable(const struct rulebook *rules, const char *workflow, const char *state)
{
        const struct workflow *w = workflow_find(rules->workflows, workflow);
        const struct move *merge = w ? move_find(w, "merge") : NULL;
        return merge && move_starts_at(merge, state);
}

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
                  bool whole, bool open_only, struct like out[LIKE_MOST], size_t *n, struct err *e)
{
        struct alike alike[ASKED_MOST];
        struct folded folded;
        struct matter m;
        *n = 0;
        if (!d->matters)
                return true;
        if (!feed(d, rules, whole, e))
                return false;
        const struct feeding f = {.matters = d->matters, .rules = rules, .arena = a};
        /* What the reporter follows is looked for further down, so that the dispatcher learns how likely it is. */
        const struct same_limits limits = {same_limits().joins, question->follows ? 0 : same_limits().asks};
        take_matter(&f, question, &folded, &m);
        struct asking q = {.alike = alike,
                           .before = question->id,
                           .follows = question->follows,
                           .open_only = open_only,
                           .rules = rules,
                           .arena = a};
        q.n = same_find(d->matters->index, a, &m, &limits, alike, ASKED_MOST);
        if (!store_read(d->store, look_up, &q, e))
                return false;
        *n = choose(&q, a, whole_text(a, question->title, question->text), out);
        return true;
}
