/* server/walk_process_test.c -- random people take random moves with random forms, and random statements of the store fail; after
 * each step the invariants hold.  All state x move x role triples of the pack's workflow are tried: what is not declared is
 * refused.
 *
 * YIWANG_WALK=1000000 is the long walk; unsaid, some thousands of steps for every change.
 */
#include "server/invariants_test.h"

enum { POOL = 16, AT_ONCE = 400, NAMES = 4, SHORT_WALK = 16000, LONGER = 8, ROLES = 6, MANY = 80 };
static const int roles[ROLES] = {0, ROLE_CLERK, ROLE_DISPATCHER, ROLE_UNIT, ROLE_SUPERVISOR, ROLE_ADMIN};
static const char *const units[] = {"pingshan-water", "traffic-police",  "ecology-water",
                                    "pingshan",       "city-management", "power-supply"};
static const char *const items[] = {"c01001", "c01005", "h6.183.830", "m06028", NULL};
static const char *const areas[] = {"440310001001", "440310005001", "440310"};
static const char *const levels[] = {"centre", "office", "leader", "king"};

struct walk {
        struct world *w;
        const struct workflow *workflow;
        const char *numbers[POOL];
        bool tried[MANY][MANY][ROLES]; /* state, move, role */
        size_t taken[MANY], n_taken, n_refused, n_failed;
        uint64_t seed;
        int64_t now;
        size_t seldom; /* one step in so many comes hours after the one before */
};

static uint32_t draw(struct walk *k, size_t below)
{
        return drawn(&k->seed, below);
}

static const char *new_case(struct walk *k)
{
        return case_new(k->w, items[draw(k, COUNT_OF(items))], areas[draw(k, COUNT_OF(areas))], draw(k, 4) == 0, k->now);
}

static size_t state_index(const struct walk *k, const char *name)
{
        const struct state *s = state_find(k->workflow, name);
        assert_non_null(s);
        return (size_t)(s - k->workflow->states);
}

/* A move that was not tried in this state by this role yet, else one that is declared here, rather one that was seldom taken. */
static const struct move *pick(struct walk *k, const char *state, bool new_ground, size_t *role)
{
        const struct workflow *w = k->workflow;
        const struct move *best = NULL;
        const size_t s = state_index(k, state);
        for (size_t i = 0; new_ground && i < w->n_moves; i++)
                for (*role = 0; *role < ROLES; ++*role)
                        if (!k->tried[s][i][*role])
                                return &w->moves[i];
        for (int i = 0; i < 40; i++) {
                const size_t r = draw(k, ROLES), at = draw(k, w->n_moves);
                const struct move *m = &w->moves[at];
                if (!move_starts_at(m, state) || !move_allows(m, roles[r]) || (best && k->taken[at] >= k->taken[best - w->moves]))
                        continue;
                best = m;
                *role = r;
        }
        if (best)
                return best;
        *role = draw(k, ROLES);
        return &w->moves[draw(k, w->n_moves)];
}

static const char *reason_for(struct walk *k, const struct move *m)
{
        const struct workflow *w = k->workflow;
        for (int i = 0; i < 40; i++) {
                const struct reason *r = &w->reasons[draw(k, w->n_reasons)];
                if (text_is(r->move, m->name))
                        return r->code;
        }
        return NULL;
}

static const char *form_for(struct walk *k, const struct move *m)
{
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        const char *code = reason_for(k, m);
        json_object(&j, NULL);
        json_text(&j, "reason", draw(k, 10) ? "because" : "");
        json_text(&j, "result", draw(k, 10) ? "done" : "");
        json_text(&j, "note", "noted");
        if (draw(k, 3) == 0)
                json_text(&j, "facts", "something new");
        if (code && (!text_is(m->name, "call_back") || draw(k, 6) == 0))
                json_text(&j, "reason_code", code);
        json_text(&j, "unit", units[draw(k, COUNT_OF(units))]);
        if (draw(k, 4) == 0)
                json_text(&j, "item", items[draw(k, COUNT_OF(items) - 1)]);
        json_text(&j, "case", k->numbers[draw(k, POOL)]);
        json_time(&j, "until", k->now + (int64_t)(1 + draw(k, 400)) * USEC_DAY);
        json_text(&j, "level", levels[draw(k, COUNT_OF(levels))]);
        json_bool(&j, "solved", draw(k, 3) > 0);
        json_bool(&j, "can_act", draw(k, 2) == 0);
        json_text(&j, "person", draw(k, 3) ? "wang" : "nobody");
        json_array(&j, "units");
        json_text(&j, NULL, units[draw(k, COUNT_OF(units))]);
        json_array_end(&j);
        json_object_end(&j);
        char *text = arena_text(k->w->arena, b.at);
        buf_free(&b);
        return text;
}

static struct mover somebody(struct walk *k, size_t role, const char *unit)
{
        static const char *const names[ROLES][NAMES] = {{"system", "system", "system", "system"},
                                                        {"c1", "c2", "c3", "c4"},
                                                        {"d1", "d2", "d3", "d4"},
                                                        {"wang", "u2", "u3", "u4"},
                                                        {"s1", "s2", "s3", "s4"},
                                                        {"a1", "a2", "a3", "a4"}};
        struct mover m = {.name = names[role][draw(k, NAMES)], .role = roles[role]};
        if (m.role == ROLE_UNIT)
                m.unit = draw(k, 4) ? unit : units[draw(k, COUNT_OF(units))];
        return m;
}

/* --- steps ------------------------------------------------------------------------------------------------------------------- */

static void refused_rightly(struct walk *k, const struct case_detail *before, const struct move *m, const struct mover *mover,
                            const struct err *e, bool fault)
{
        const struct case_detail after = read_case(k->w, before->view.number);
        if (!move_allows(m, mover->role) && !fault)
                assert_int_equal(e->kind, ERR_DENIED);
        else if (!move_starts_at(m, before->view.state) && !fault)
                assert_int_equal(e->kind, ERR_CONFLICT);
        if (e->kind != ERR_DENIED && e->kind != ERR_CONFLICT && e->kind != ERR_INVALID && !fault)
                fail_msg("%s of %s in %s: %s", m->name, before->view.number, before->view.state, e->text);
        assert_int_equal(after.n_history, before->n_history);
        assert_string_equal(after.view.state, before->view.state);
        assert_string_equal(after.view.unit, before->view.unit);
        assert_int_equal(after.n_tasks, before->n_tasks);
        assert_int_equal(after.view.due, before->view.due);
}

static bool untried(const struct walk *k, size_t i)
{
        const size_t s = state_index(k, read_case(k->w, k->numbers[i]).view.state);
        for (size_t m = 0; m < k->workflow->n_moves; m++)
                for (size_t r = 0; r < ROLES; r++)
                        if (!k->tried[s][m][r])
                                return true;
        return false;
}

static void step(struct walk *k, size_t i, bool new_ground)
{
        const char *number = k->numbers[i];
        const struct case_detail before = read_case(k->w, number);
        size_t role;
        const struct move *m = pick(k, before.view.state, new_ground, &role);
        const struct mover mover = somebody(k, role, before.view.unit);
        const bool fault = draw(k, 20) == 0;
        struct err e;
        k->now += draw(k, k->seldom) ? (int64_t)draw(k, 20) * USEC_SECOND : (int64_t)draw(k, 40) * USEC_HOUR;
        if (fault)
                store_fail_at(k->w->district.store, 1 + draw(k, 30));
        const bool did = try_move(k->w, number, m->name, &mover, form_for(k, m), k->now, &e);
        store_fail_at(k->w->district.store, 0);
        k->tried[state_index(k, before.view.state)][m - k->workflow->moves][role] = true;
        if (did) {
                assert_true(move_allows(m, mover.role) && move_starts_at(m, before.view.state));
                const struct case_detail after = read_case(k->w, number);
                assert_true(after.n_history > before.n_history);
                invariants(k->w, k->workflow, &after);
                seen_by_its_units(k->w, &after, units[draw(k, COUNT_OF(units))]);
                k->taken[m - k->workflow->moves]++;
                k->n_taken++;
        } else {
                refused_rightly(k, &before, m, &mover, &e, fault);
                k->n_refused++;
                k->n_failed += e.kind == ERR_FAULT || e.kind == ERR_BUSY;
        }
        if (draw(k, 200) == 0 || (!before.view.open && !untried(k, i)))
                k->numbers[i] = new_case(k);
}

/* States that a walk seldom comes to: a supervision keeps a satisfied answer from closing the case. */
static const char *seldom(struct walk *k, const char *state)
{
        static const char form[] = "{\"reason\": \"slow\", \"result\": \"done\", \"facts\": \"new\", \"solved\": true}";
        static const struct {
                const char *move;
                int role;
        } way[] = {{"supervise", ROLE_SUPERVISOR}, {"sign", ROLE_ADMIN},        {"handle", ROLE_ADMIN}, {"contest", ROLE_ADMIN},
                   {"hand_over", ROLE_ADMIN},      {"pass_review", ROLE_CLERK}, {"reply", ROLE_CLERK},  {"call_back", ROLE_CLERK}};
        const char *number = case_new(k->w, "c01001", areas[0], false, k->now);
        for (size_t i = 0; i < COUNT_OF(way) && !text_is(read_case(k->w, number).view.state, state); i++)
                must_move(k->w, number, way[i].move, &(struct mover){.name = way[i].move, .role = way[i].role}, form, k->now);
        assert_string_equal(read_case(k->w, number).view.state, state);
        return number;
}

/* Whether a walk has to come to the move: not to those that filing or other moves take along. */
static bool is_walked(const struct workflow *w, const struct move *m)
{
        static const char *const others[] = {"receive", "file", "answer_merged", "close_merged", "recompute"};
        for (size_t i = 0; i < COUNT_OF(others); i++) /* recompute: there is nothing to mend, see invariants() */
                if (text_is(m->name, others[i]))
                        return false;
        for (size_t n = 0; n < w->n_moves; n++)
                for (const struct move *const *next = w->moves[n].next; *next; next++)
                        if (*next == m)
                                return false;
        return true;
}

/* What the walk has still to come to, as a sentence; NULL = nothing. */
static const char *not_tried(const struct walk *k)
{
        const struct workflow *w = k->workflow;
        for (size_t i = 0; i < w->n_moves; i++) {
                if (is_walked(w, &w->moves[i]) && k->taken[i] == 0)
                        return arena_format(k->w->arena, "no walk took the move %s", w->moves[i].name);
        }
        for (size_t s = 0; s < w->n_states; s++)
                for (size_t i = 0; i < w->n_moves && !w->states[s].first; i++) /* filing passes through the first */
                        for (size_t r = 0; r < ROLES; r++)
                                if (!k->tried[s][i][r])
                                        return arena_format(k->w->arena, "never tried: %s in %s by role %d", w->moves[i].name,
                                                            w->states[s].name, roles[r]);
        return NULL;
}

/* What the walk needs no more goes. */
static void let_go(struct walk *k, const struct arena *lasting)
{
        struct arena *fresh = arena_new();
        for (size_t n = 0; n < POOL; n++)
                k->numbers[n] = arena_text(fresh, k->numbers[n]);
        if (k->w->arena != lasting)
                arena_free(&k->w->arena);
        k->w->arena = fresh;
}

static void every_move_and_every_forbidden_move(struct world *w)
{
        const char *said = getenv("YIWANG_WALK");
        int64_t steps = SHORT_WALK;
        struct err e;
        struct walk *k = calloc(1, sizeof *k);
        assert_non_null(k);
        assert_true(!said || text_to_int(said, &steps));
        *k = (struct walk){.w = w, .seed = 20261125, .now = at("2026-11-23 09:00")};
        k->seldom = steps < 60000 ? 300 : (size_t)steps / 200; /* a long walk, too, ends within the calendar's years */
        k->workflow = workflow_find(w->rules->workflows, "standard");
        assert_true(k->workflow->n_moves <= MANY && k->workflow->n_states <= MANY);
        ok(account_add(w->district.store, 1, "wang", "王师傅", ROLE_UNIT, "pingshan-water", NULL, "a long password", k->now, &e),
           &e);
        struct arena *lasting = w->arena;
        for (size_t i = 0; i < POOL; i++)
                k->numbers[i] = i < 6 ? seldom(k, i % 2 ? "called_back" : "replied") : new_case(k);
        for (int64_t i = 0; i < steps || (i < LONGER * steps && not_tried(k)); i++) {
                /* Where a case stays, much can be tried at once. */
                const size_t at = draw(k, POOL);
                step(k, at, false);
                for (int n = 0; n < AT_ONCE && untried(k, at); n++)
                        step(k, at, true);
                if (i % 250 != 249)
                        continue;
                ok(precedents_refresh(w->district.precedents, w->district.store, &e), &e);
                let_go(k, lasting);
        }
        if (w->arena != lasting)
                arena_free(&w->arena);
        w->arena = lasting;
        if (not_tried(k))
                fail_msg("%s", not_tried(k));
        print_message("%lld steps: %zu taken, %zu refused, of them %zu by a fault\n", (long long)steps, k->n_taken, k->n_refused,
                      k->n_failed);
        free(k);
}

int main(void)
{
        const struct CMUnitTest tests[] = {RULE(every_move_and_every_forbidden_move)};
        log_least(LOG_ERROR + 1); /* faults are wanted */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
