/* server/invariants_test.h -- what holds of every case after every step, for the tests that walk and that live through a year. */
#ifndef SERVER_INVARIANTS_TEST_H
#define SERVER_INVARIANTS_TEST_H
#include "server/process_test.h"
#include "sight/sight.h"

/* xorshift64*: the same numbers at every run. */
static inline uint32_t drawn(uint64_t *seed, size_t below)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        const uint32_t number = (uint32_t)((*seed * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
        return below ? number % (uint32_t)below : 0;
}

static inline bool works_on(const char *state)
{
        static const char *const working[] = {"dispatched", "signed", "handling", "suspended"};
        for (size_t i = 0; i < COUNT_OF(working); i++)
                if (text_is(working[i], state))
                        return true;
        return false;
}

/* The moves by which a case came where it is. */
static inline const char *way_of(struct world *w, const struct case_detail *d)
{
        struct buf b = BUF_LIMIT(1 << 16);
        for (size_t i = 0; i < d->n_history; i++)
                buf_format(&b, "%s%s", i ? " " : "", d->history[i].entry.move);
        const char *way = arena_text(w->arena, b.at);
        buf_free(&b);
        return way;
}

struct looking_on {
        struct world *w;
        const struct sight *sight;
        int64_t id;
        bool yes;
};

static inline bool look_on(struct tx *tx, void *ctx, struct err *e)
{
        struct looking_on *l = ctx;
        return sight_sees(tx, l->w->arena, l->sight, l->id, &l->yes, e);
}

/* Somebody who sees what is his unit's sees the case when it is or was given to that unit, and else not. */
static inline void seen_by_its_units(struct world *w, const struct case_detail *d, const char *unit)
{
        const struct membership m = {.unit = unit, .range = RANGE_UNIT};
        const struct viewer viewer = {.role = ROLE_UNIT, .login = "nobody", .unit = unit, .memberships = &m, .n_memberships = 1};
        const struct sight sight = sight_make(w->arena, w->rules, &viewer);
        struct looking_on l = {w, &sight, d->view.id, false};
        bool given = text_is(d->view.unit, unit);
        struct err e;
        for (size_t i = 0; i < d->n_tasks; i++)
                given |= text_is(d->tasks[i].unit, unit);
        ok(store_read(w->district.store, look_on, &l, &e), &e);
        if (l.yes != given)
                fail_msg("%s is %sseen by %s (%s)", d->view.number, l.yes ? "" : "not ", unit, way_of(w, d));
}

static inline void invariants(struct world *w, const struct workflow *workflow, const struct case_detail *d)
{
        size_t leads = 0, running = 0;
        const struct state *state = state_find(workflow, d->view.state);
        for (size_t i = 0; i < d->n_tasks; i++)
                leads += text_is(d->tasks[i].kind, "lead") && text_is(d->tasks[i].state, "open");
        for (size_t i = 0; i < d->n_clocks; i++)
                running += text_is(d->clocks[i].state, "running");
        if (leads != (works_on(state->name) ? 1U : 0U))
                fail_msg("%s in %s has %zu open lead tasks (%s)", d->view.number, state->name, leads, way_of(w, d));
        if (!text_is(state->clock, "runs") && running)
                fail_msg("%s in %s has %zu clocks that run (%s)", d->view.number, state->name, running, way_of(w, d));
        assert_int_equal(d->view.open, !state->last);
        assert_true(d->n_history > 0);
        for (size_t i = 0; i < d->n_history; i++) { /* the history replays to the row */
                assert_int_equal(d->history[i].seq, (int64_t)i + 1);
                assert_string_equal(d->history[i].entry.origin, i ? d->history[i - 1].entry.dest : "");
                const struct move *m = move_find(workflow, d->history[i].entry.move);
                assert_non_null(m);
                assert_string_equal(d->history[i].entry.dest, m->dest ? m->dest->name : d->history[i].entry.origin);
                if (i && !move_starts_at(m, d->history[i].entry.origin))
                        fail_msg("%s took %s in %s", d->view.number, m->name, d->history[i].entry.origin);
        }
        assert_string_equal(d->history[d->n_history - 1].entry.dest, d->view.state);
        struct case_replay r; /* and its clocks */
        struct err e;
        ok(replay_case(&w->district, w->arena, d->view.number, &r, &e), &e);
        if (r.n_changes)
                fail_msg("%s in %s: clock %s/%lld is %s, by its history %s", d->view.number, state->name, r.changes[0].clock,
                         (long long)r.changes[0].round, r.changes[0].old_state, r.changes[0].new_state);
}
#endif
