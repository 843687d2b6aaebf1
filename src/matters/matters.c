/* matters/matters.c -- see matters.h: the index, brought up to date, and asked. */
#include "matters/matters.h"
#include "base/arena.h"
#include "base/text.h"
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
        " JOIN report r ON r.id = CASE WHEN c.report > 0 THEN c.report ELSE c.id END WHERE c.id > $1 AND c.id < $2 ORDER BY c.id LIMIT 500";
static const char SQL_STANDS[] =
        "SELECT open, (SELECT COUNT(*) FROM case_link l WHERE l.case_id = c.id AND l.kind = 'merged' AND l.undone_at = 0)"
        " FROM cases c WHERE id = $1";

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
        int64_t after, before;
        size_t n, added;
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
        f->n = f->added = 0;
        bool ok = tx_rows(tx, &r, e, SQL_PAGE, ARGS(V(f->after), V(f->before)));
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
                f->after = q.id;
                f->n++;
                if (same_has(f->matters->index, q.id)) /* of the overlap */
                        continue;
                take_matter(f, &q, &folded, &m);
                same_add(f->matters->index, &m);
                f->added++;
                arena_reset(f->arena);
        }
        return ok && rows_done(&r, e);
}

static bool find_first(struct tx *tx, void *ctx, struct err *e)
{
        struct matters *m = ctx;
        return tx_int(tx, &m->last, 0, e, SQL_FIRST, ARGS(V((int)CASES_MOST)));
}

bool matters_feed(struct district *d, const struct rulebook *rules, bool whole, int64_t before, struct err *e)
{
        struct matters *m = d->matters;
        if (!m)
                return true;
        struct feeding f = {.matters = m, .rules = rules, .arena = arena_new(), .before = before ? before : INT64_MAX};
        (void)pthread_mutex_lock(&m->feeding);
        bool ok = m->last >= 0 || store_read(d->store, find_first, m, e);
        f.after = m->last - ((int64_t)OVERLAP_MS << ID_BITS);
        do {
                ok = ok && store_read(d->store, feed_page, &f, e);
                if (ok && f.after > m->last)
                        m->last = f.after;
        } while (ok && f.n == PAGE && (whole || f.added == 0));
        (void)pthread_mutex_unlock(&m->feeding);
        arena_free(&f.arena);
        return ok;
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

struct asking {
        const struct alike *alike;
        size_t n;
        bool open_only, keeps[ASKED_MOST];
};

/* The index does not know what became of a case. */
static bool look_up(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *q = ctx;
        for (size_t i = 0; i < q->n; i++) {
                struct rows r;
                const int found = tx_first(tx, &r, e, SQL_STANDS, ARGS(V(q->alike[i].id)));
                q->keeps[i] = found > 0 && rows_int(&r, 1) == 0 && (!q->open_only || rows_int(&r, 0) != 0);
                if (found < 0 || (found > 0 && !rows_done(&r, e)))
                        return false;
        }
        return true;
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

bool matters_find(struct district *d, const struct rulebook *rules, struct arena *a, const struct matter_question *question,
                  bool open_only, struct like out[LIKE_MOST], size_t *n, struct err *e)
{
        struct alike alike[ASKED_MOST];
        struct folded folded;
        struct matter m;
        *n = 0;
        if (!d->matters)
                return true;
        const struct feeding f = {.matters = d->matters, .rules = rules, .arena = a};
        take_matter(&f, question, &folded, &m);
        struct asking q = {.alike = alike, .open_only = open_only};
        struct same_index *index = d->matters->index;
        q.n = question->id ? same_find_add(index, a, &m, NULL, alike, ASKED_MOST)
                           : same_find(index, a, &m, NULL, alike, ASKED_MOST);
        if (!store_read(d->store, look_up, &q, e))
                return false;
        const char *text = whole_text(a, question->title, question->text);
        for (size_t i = 0; i < q.n && *n < LIKE_MOST; i++)
                if (q.keeps[i] && (question->id == 0 || alike[i].id < question->id))
                        take_like(a, text, &alike[i], &out[(*n)++]);
        return true;
}
