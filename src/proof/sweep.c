/* proof/sweep.c -- see sweep.h. */
#include "proof/sweep.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "ledger/tree.h"
#include "store/store.h"
#include "task/task.h"

enum { EVENTS = 256, CASES = 1000 };

static const char SQL_SUBJECT[] = "SELECT subject FROM ledger_numbers WHERE number = $1";
static const char SQL_ROWS[] = "SELECT seq, hash FROM history WHERE subject = $1 AND seq > $2 ORDER BY seq LIMIT $3";
static const char SQL_CASES[] =
        "SELECT t.subject, t.seq, (SELECT MAX(l.seq) FROM ledger_leaf l WHERE l.subject = t.subject) FROM ledger_tips t"
        " WHERE t.subject > $1 ORDER BY t.subject LIMIT $2";

struct step {
        struct arena *arena;
        int64_t now;
        struct tree_marks before, marks; /* marks: to be written */
        struct event *events;
        size_t n_events;
        bool walks, walked_on;
        struct tree_growth growth;
        bool more, grown;
};

/* --- rows of one case --------------------------------------------------------------------------------------------------- */
/* Rows 1 to *seq are in the tree or come in with this step. */
static bool known_rows(struct tx *tx, const struct tree_growth *g, int64_t subject, int64_t *seq, struct err *e)
{
        for (size_t i = g->n; i > 0; i--)
                if (g->rows[i - 1].subject == subject) {
                        *seq = g->rows[i - 1].seq;
                        return true;
                }
        return tree_has(tx, subject, seq, e);
}

static bool take_rows(struct tx *tx, struct step *s, int64_t subject, struct err *e)
{
        int64_t known;
        struct rows r;
        if (!known_rows(tx, &s->growth, subject, &known, e)
            || !tx_rows(tx, &r, e, SQL_ROWS, ARGS(V(subject), V(known), V((int64_t)TREE_ROOM))))
                return false;
        while (!tree_full(&s->growth) && rows_next(&r)) {
                struct tree_row row = {.subject = subject, .seq = rows_int(&r, 0)};
                size_t n;
                const void *hash = rows_blob(&r, s->arena, 1, &n);
                if (hash && n == sizeof row.digest)
                        memcpy(row.digest, hash, n);
                tree_add(&s->growth, &row);
        }
        return rows_done(&r, e);
}

/* --- where they are found ------------------------------------------------------------------------------------------------- */
/* A step that becomes full looks at the event again in the next one: some of its rows may be left. */
static bool take_events(struct tx *tx, struct step *s, struct err *e)
{
        for (size_t i = 0; i < s->n_events; i++) {
                const struct event *v = &s->events[i];
                int64_t subject = 0;
                if (text_is(v->topic, "case")
                    && (!tx_int(tx, &subject, 0, e, SQL_SUBJECT, ARGS(V(v->key))) || !take_rows(tx, s, subject, e)))
                        return false;
                if (tree_full(&s->growth)) {
                        s->more = true;
                        return true;
                }
                s->marks.outbox_tx = v->at.tx;
                s->marks.outbox_seq = v->at.seq;
        }
        s->more = s->n_events == EVENTS;
        return true;
}

struct behind {
        int64_t subject;
        bool misses;
};

static bool read_cases(struct tx *tx, const struct step *s, struct behind *at, size_t *n, struct err *e)
{
        struct rows r;
        *n = 0;
        if (!tx_rows(tx, &r, e, SQL_CASES, ARGS(V(s->marks.walked), V(CASES))))
                return false;
        while (*n < CASES && rows_next(&r))
                at[(*n)++] = (struct behind){rows_int(&r, 0), rows_int(&r, 1) > rows_int(&r, 2)};
        return rows_done(&r, e);
}

static bool take_cases(struct tx *tx, struct step *s, struct err *e)
{
        struct behind *at = NEW_ARRAY(s->arena, struct behind, CASES);
        size_t n;
        if (!read_cases(tx, s, at, &n, e))
                return false;
        s->walked_on = true;
        s->more = true;
        for (size_t i = 0; i < n; i++) {
                if (at[i].misses && !take_rows(tx, s, at[i].subject, e))
                        return false;
                if (tree_full(&s->growth))
                        return true;
                s->marks.walked = at[i].subject;
        }
        if (n < CASES) {
                s->marks.walked = 0;
                s->marks.walk_end = s->now;
                s->more = false;
        }
        return true;
}

static bool plan(struct tx *tx, void *ctx, struct err *e)
{
        struct step *s = ctx;
        s->marks = s->before; /* this may run again */
        return tree_plan(tx, &s->growth, e) && take_events(tx, s, e) && (s->more || !s->walks || take_cases(tx, s, e));
}

/* --- a step ------------------------------------------------------------------------------------------------------------------ */
static bool read_marks(struct tx *tx, void *ctx, struct err *e)
{
        struct step *s = ctx;
        return tree_marks(tx, &s->before, e);
}

static bool write(struct tx *tx, void *ctx, struct err *e)
{
        struct step *s = ctx;
        return tree_write(tx, &s->growth, &s->grown, e) && (!s->grown || tree_mark(tx, &s->marks, e));
}

/* Numbers of transactions of another server lie behind the last event there is. */
static bool find_events(struct store *store, struct step *s, struct err *e)
{
        struct cursor last, from;
        if (!outbox_last(store, &last, e))
                return false;
        from = (struct cursor){s->before.outbox_tx, s->before.outbox_seq};
        if (last.tx < from.tx || (last.tx == from.tx && last.seq < from.seq))
                from = (struct cursor){0, 0};
        return (last.tx == from.tx && last.seq == from.seq)
               || outbox_read(store, s->arena, from, EVENTS, &s->events, &s->n_events, e);
}

static bool run_step(struct store *store, struct step *s, struct sweep *w, struct err *e)
{
        if (!store_read(store, read_marks, s, e) || !find_events(store, s, e))
                return false;
        s->walks = w->walk || s->before.walked > 0 || s->before.walk_end == 0 || s->now - s->before.walk_end >= USEC_DAY;
        w->more = false;
        if (s->n_events == 0 && !s->walks)
                return true;
        if (!store_read(store, plan, s, e) || !store_write(store, write, s, e))
                return false;
        w->added += s->grown ? (int64_t)s->growth.n : 0;
        w->more = s->more || !s->grown;
        w->walk = w->walk && (w->more || !s->walked_on);
        return true;
}

bool sweep_step(struct store *store, int64_t now, struct sweep *w, struct err *e)
{
        struct arena *a = arena_new();
        struct step *s = NEW(a, struct step);
        *s = (struct step){.arena = a, .now = now};
        const bool ok = run_step(store, s, w, e);
        arena_free(&a);
        return ok;
}

bool sweep_all(struct store *store, int64_t now, struct sweep *w, struct err *e)
{
        do {
                if (!sweep_step(store, now, w, e))
                        return false;
        } while (w->more);
        return true;
}
