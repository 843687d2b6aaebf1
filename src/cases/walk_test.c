/* cases/walk_test.c -- the workflow as a state machine: random people try random moves; a simple model read from the pack's
 * YAML says what must happen.  The model knows states, roles, needs and tasks; it shares no code with the engine. */
#include "cases/world_test.h"
#include "pack/yaml.h"

enum { TASKS_MOST = 600, MOVES_MOST = 32, CASES = 80, STEPS = 120, AFTER_END = 6 };
static const char *const units[] = {"city", "north-law", "south-law", "oak", "housing", "ecology", "telecom-a", "centre"};
static const char *const items[] = {"010101", "010102", "010201", "0201", "0202", "0301", NULL};
static const char *const areas[] = {"990101001001", "990101002", "990102001002", "990102", "990100"};

struct model_task {
        const char *kind, *unit;
        bool open;
};
struct model {
        const struct yaml *workflow;
        const char *state, *unit, *item;
        bool open;
        size_t rows, n_tasks;
        struct model_task tasks[TASKS_MOST];
};
/* What is tried: NULL in the form's fields = not there; n_assists -1 = no such list. */
struct attempt {
        const char *move;
        struct mover mover;
        const char *reason, *result, *unit, *item;
        int n_assists;
        const char *assists[3];
};

/* xorshift64*: the same walk at every run. */
static uint32_t draw(uint64_t *seed, uint32_t below)
{
        *seed ^= *seed >> 12;
        *seed ^= *seed << 25;
        *seed ^= *seed >> 27;
        return (uint32_t)((*seed * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % below;
}

/* A YAML value that is one word or a list of words. */
static bool lists(const struct yaml *map, const char *key, const char *word)
{
        const struct yaml *v = yaml_get(map, key);
        if (!v || v->kind == YAML_TEXT)
                return v && text_is(v->text, word);
        for (v = v->first; v; v = v->next)
                if (text_is(v->text, word))
                        return true;
        return false;
}

static const struct yaml *move_named(const struct model *m, const char *name)
{
        for (const struct yaml *v = yaml_get(m->workflow, "moves")->first; v; v = v->next)
                if (text_is(yaml_text(v, "name", ""), name))
                        return v;
        return NULL;
}

static bool is_last(const struct model *m, const char *state)
{
        for (const struct yaml *v = yaml_get(m->workflow, "states")->first; v; v = v->next)
                if (text_is(yaml_text(v, "name", ""), state))
                        return text_is(yaml_text(v, "last", ""), "yes");
        return false;
}

static size_t count_open(const struct model *m, const char *kind, const char *unit)
{
        size_t n = 0;
        for (size_t i = 0; i < m->n_tasks; i++)
                n += m->tasks[i].open && text_is(m->tasks[i].kind, kind) && (!unit || text_is(m->tasks[i].unit, unit));
        return n;
}

static void end_tasks(struct model *m, const char *kind, const char *unit)
{
        for (size_t i = 0; i < m->n_tasks; i++)
                if ((!kind || text_is(m->tasks[i].kind, kind)) && (!unit || text_is(m->tasks[i].unit, unit)))
                        m->tasks[i].open = false;
}

static void add_task(struct model *m, const char *kind, const char *unit)
{
        assert_true(m->n_tasks < TASKS_MOST);
        m->tasks[m->n_tasks++] = (struct model_task){kind, unit, true};
}

static bool known_unit(const char *unit)
{
        return unit && !text_is(unit, "nobody");
}

static bool is_given(const struct model *m, const char *need, const struct attempt *a)
{
        const char *item = a->item ? a->item : m->item;
        if (text_is(need, "reason"))
                return a->reason;
        if (text_is(need, "result"))
                return a->result;
        if (text_is(need, "unit"))
                return known_unit(a->unit);
        if (text_is(need, "item"))
                return item && !text_is(item, "99");
        return !text_is(need, "assists_done") || a->reason || !count_open(m, "assist", NULL);
}

/* The kind of the first need that is not met. */
static enum err_kind needs(const struct model *m, const struct yaml *move, const struct attempt *a)
{
        const char *own = a->mover.unit;
        const struct yaml *list = yaml_get(move, "needs");
        for (const struct yaml *v = list ? list->first : NULL; v; v = v->next) {
                if (text_is(v->text, "own_task") && own && !count_open(m, "lead", own))
                        return ERR_DENIED;
                if (text_is(v->text, "own_assist") && own && !count_open(m, "assist", own))
                        return ERR_DENIED;
                if (!is_given(m, v->text, a))
                        return ERR_INVALID;
        }
        return ERR_NONE;
}

static const char *role_word(int role)
{
        return role == 0                 ? "system"
               : role == ROLE_CLERK      ? "clerk"
               : role == ROLE_DISPATCHER ? "dispatcher"
               : role == ROLE_UNIT       ? "unit"
               : role == ROLE_SUPERVISOR ? "supervisor"
               : role == ROLE_ADMIN      ? "admin"
                                         : "citizen";
}

/* Nobody, or somebody twice. */
static bool assigns_badly(const struct attempt *a)
{
        bool badly = a->unit && !known_unit(a->unit);
        for (int i = 0; i < a->n_assists; i++) {
                badly = badly || !known_unit(a->assists[i]);
                for (int k = 0; k < i; k++)
                        badly = badly || text_is(a->assists[i], a->assists[k]);
        }
        return badly;
}

static enum err_kind expected(const struct model *m, const struct attempt *a)
{
        const struct yaml *move = move_named(m, a->move);
        if (!move)
                return ERR_INVALID;
        if (!lists(move, "roles", role_word(a->mover.role)))
                return ERR_DENIED;
        if (!lists(move, "from", m->state))
                return ERR_CONFLICT;
        enum err_kind kind = needs(m, move, a);
        if (kind == ERR_NONE && lists(move, "then", "set_item") && a->item && text_is(a->item, "99"))
                kind = ERR_INVALID;
        if (kind == ERR_NONE && lists(move, "then", "assign") && assigns_badly(a))
                kind = ERR_INVALID;
        return kind;
}

static const struct area *place_of_case(struct world *w, const struct case_detail *d)
{
        const char *codes[] = {d->view.grid, d->view.community, d->view.subdistrict};
        for (size_t i = 0; i < COUNT_OF(codes); i++)
                if (*codes[i])
                        return area_find(w->rules->twin, codes[i]);
        return NULL;
}

static void assign(struct world *w, struct model *m, const struct attempt *a, const struct case_detail *d)
{
        struct answer routed;
        routing_resolve(w->rules->routing,
                        &(struct question){.item = m->item ? item_find(w->rules->catalogue, m->item) : NULL,
                                           .area = place_of_case(w, d),
                                           .turn = arena_format(w->arena, "%lld", (long long)d->view.id)},
                        &routed);
        m->unit = a->unit ? a->unit : routed.lead->code;
        end_tasks(m, "lead", NULL);
        add_task(m, "lead", m->unit);
        if (a->n_assists >= 0)
                end_tasks(m, "assist", NULL);
        for (int i = 0; i < a->n_assists; i++)
                add_task(m, "assist", a->assists[i]);
        for (size_t i = 0; a->n_assists < 0 && i < routed.n_assists && text_is(m->unit, routed.lead->code); i++)
                if (!count_open(m, "assist", routed.assists[i]->code))
                        add_task(m, "assist", routed.assists[i]->code);
}

static void apply(struct world *w, struct model *m, const struct attempt *a, const struct case_detail *d)
{
        const struct yaml *move = move_named(m, a->move), *then = yaml_get(move, "then");
        const char *to = yaml_text(move, "to", "");
        if (!text_is(to, "="))
                m->state = to;
        m->open = !is_last(m, m->state);
        m->rows++;
        for (const struct yaml *v = then ? then->first : NULL; v; v = v->next) {
                if (text_is(v->text, "set_item") && a->item)
                        m->item = a->item;
                else if (text_is(v->text, "assign"))
                        assign(w, m, a, d);
                else if (text_is(v->text, "rework"))
                        add_task(m, "lead", m->unit);
                else if (text_is(v->text, "revoke") || text_is(v->text, "give_back"))
                        end_tasks(m, NULL, NULL);
                else if (text_is(v->text, "lead_done"))
                        end_tasks(m, "lead", NULL);
                else if (text_is(v->text, "assist_done"))
                        end_tasks(m, "assist", a->mover.unit);
        }
}

static void compare(struct world *w, const struct model *m, const char *number, const struct attempt *a, bool taken)
{
        struct case_detail d = read_case(w, number);
        assert_string_equal(d.view.state, m->state);
        assert_string_equal(d.view.unit, m->unit);
        assert_string_equal(d.view.item, m->item ? m->item : "");
        assert_int_equal(d.view.open, m->open);
        assert_int_equal(d.n_history, m->rows);
        assert_int_equal(d.n_tasks, m->n_tasks < 200 ? m->n_tasks : 200);
        for (size_t i = 0; i < d.n_tasks; i++) {
                assert_string_equal(d.tasks[i].unit, m->tasks[i].unit);
                assert_string_equal(d.tasks[i].kind, m->tasks[i].kind);
                assert_int_equal(text_is(d.tasks[i].state, "open"), m->tasks[i].open);
        }
        if (!taken)
                return;
        const struct ledger_entry *last = &d.history[d.n_history - 1].entry;
        assert_string_equal(last->move, a->move);
        assert_string_equal(last->dest, m->state);
        assert_string_equal(last->actor, a->mover.name);
        assert_string_equal(last->role, role_word(a->mover.role));
        assert_string_equal(last->unit, a->mover.unit ? a->mover.unit : "");
        assert_string_equal(last->origin, d.history[d.n_history - 2].entry.dest);
}

/* Half of the attempts are moves that start here; the others are any. */
static const char *any_move(const struct model *m, uint64_t *seed)
{
        const struct yaml *moves = yaml_get(m->workflow, "moves"), *v;
        for (int tries = 0; tries < 40; tries++) {
                v = moves->first;
                for (uint32_t i = draw(seed, (uint32_t)moves->count); i > 0; i--)
                        v = v->next;
                if (tries == 0 && draw(seed, 4) == 0)
                        break;
                /* Ends are walked into rarely, or most walks would be short. */
                if (lists(v, "from", m->state) && (!is_last(m, yaml_text(v, "to", "")) || draw(seed, 8) == 0))
                        break;
        }
        return draw(seed, 60) == 0 ? "fly" : yaml_text(v, "name", "");
}

static const char *any_assist(const struct model *m, uint64_t *seed)
{
        for (size_t i = m->n_tasks; i-- > 0;)
                if (m->tasks[i].open && text_is(m->tasks[i].kind, "assist") && draw(seed, 2))
                        return m->tasks[i].unit;
        return m->unit;
}

static struct mover any_mover(const struct model *m, const char *name, uint64_t *seed)
{
        static const int roles[] = {0, ROLE_CLERK, ROLE_DISPATCHER, ROLE_UNIT, ROLE_SUPERVISOR, ROLE_ADMIN, ROLE_CITIZEN};
        const struct yaml *move = move_named(m, name);
        struct mover by;
        do
                by = (struct mover){.name = "somebody", .role = roles[draw(seed, COUNT_OF(roles))]};
        while (move && draw(seed, 4) && !lists(move, "roles", role_word(by.role)));
        if (by.role == ROLE_UNIT && draw(seed, 5))
                by.unit = text_is(name, "assist_done") && draw(seed, 4) ? any_assist(m, seed)
                          : draw(seed, 3)                               ? m->unit
                                                                        : units[draw(seed, COUNT_OF(units))];
        return by;
}

static struct attempt any_attempt(const struct model *m, uint64_t *seed)
{
        struct attempt a = {.move = any_move(m, seed)};
        a.mover = any_mover(m, a.move, seed);
        a.reason = draw(seed, 3) ? "so it is" : NULL;
        a.result = draw(seed, 3) ? "it is done" : NULL;
        a.unit = draw(seed, 2) ? NULL : draw(seed, 8) ? units[draw(seed, COUNT_OF(units))] : "nobody";
        a.n_assists = (int)draw(seed, 6) - 2 < 0 ? -1 : (int)draw(seed, 4);
        for (int i = 0; i < a.n_assists; i++)
                a.assists[i] = draw(seed, 20) ? units[draw(seed, COUNT_OF(units))] : "nobody";
        a.item = draw(seed, 3) ? NULL : draw(seed, 6) ? items[draw(seed, COUNT_OF(items) - 1)] : "99";
        return a;
}

static char *form_of(struct arena *arena, const struct attempt *a)
{
        struct buf b = BUF_LIMIT(4096);
        struct json j = json_to(&b);
        json_object(&j, NULL);
        const char *const members[][2] = {{"reason", a->reason}, {"result", a->result}, {"unit", a->unit}, {"item", a->item}};
        for (size_t i = 0; i < COUNT_OF(members); i++)
                if (members[i][1])
                        json_text(&j, members[i][0], members[i][1]);
        if (a->n_assists >= 0) {
                json_array(&j, "assists");
                for (int i = 0; i < a->n_assists; i++)
                        json_text(&j, NULL, a->assists[i]);
                json_array_end(&j);
        }
        json_object_end(&j);
        char *text = arena_text(arena, b.at);
        buf_free(&b);
        return text;
}

static struct model model_of(struct world *w, const struct yaml *workflow, const char *number)
{
        struct case_detail d = read_case(w, number);
        struct model m = {.workflow = workflow,
                          .state = d.view.state,
                          .unit = d.view.unit,
                          .open = true,
                          .rows = d.n_history,
                          .item = *d.view.item ? d.view.item : NULL};
        for (size_t i = 0; i < d.n_tasks; i++)
                add_task(&m, d.tasks[i].kind, d.tasks[i].unit);
        return m;
}

static size_t index_of(const struct yaml *workflow, const char *move)
{
        size_t i = 0;
        for (const struct yaml *v = yaml_get(workflow, "moves")->first; v && !text_is(yaml_text(v, "name", ""), move); v = v->next)
                i++;
        assert_true(i < MOVES_MOST);
        return i;
}

/* Walks until a little after the case is closed; counts how often each move was taken. */
static void walk(struct world *w, const struct yaml *workflow, const char *number, uint64_t *seed, size_t taken[MOVES_MOST])
{
        struct model m = model_of(w, workflow, number);
        int64_t now = at("2026-11-23 09:00");
        for (int step = 0, after = 0; step < STEPS && after < AFTER_END; step++) {
                struct attempt a = any_attempt(&m, seed);
                struct case_detail before = read_case(w, number);
                struct err e;
                enum err_kind want = expected(&m, &a);
                now += USEC_MINUTE;
                after += !m.open;
                bool did = try_move(w, number, a.move, &a.mover, form_of(w->arena, &a), now, &e);
                if (did != (want == ERR_NONE) || (!did && e.kind != want))
                        fail_msg("%s in %s by %s of %s: %s, wanted kind %d", a.move, m.state, role_word(a.mover.role),
                                 a.mover.unit ? a.mover.unit : "no unit", did ? "taken" : e.text, (int)want);
                if (did) {
                        apply(w, &m, &a, &before);
                        taken[index_of(workflow, a.move)]++;
                }
                compare(w, &m, number, &a, did);
        }
}

static const struct yaml *workflow_file(struct arena *a)
{
        struct err e;
        size_t room = 1 << 16;
        char *text = arena_alloc(a, room);
        FILE *f = fopen(TEST_PACK "/workflows/standard.yaml", "r");
        assert_non_null(f);
        size_t n = fread(text, 1, room, f);
        assert_int_equal(fclose(f), 0);
        const struct yaml *root = yaml_parse(a, text, n, &e);
        if (!root)
                fail_msg("%s", e.text);
        return root;
}

static void nothing_but_declared_moves(struct world *w)
{
        uint64_t seed = 20261123;
        size_t taken[MOVES_MOST] = {0};
        const struct yaml *workflow = workflow_file(w->arena);
        for (int i = 0; i < CASES; i++) {
                const char *item = items[draw(&seed, COUNT_OF(items))], *area = areas[draw(&seed, COUNT_OF(areas))];
                const char *number = case_new(w, item, area, i % 5 == 0, at("2026-11-23 09:00") + i * USEC_SECOND);
                walk(w, workflow, number, &seed, taken);
        }
        for (const struct yaml *v = yaml_get(workflow, "moves")->first; v; v = v->next) {
                const char *name = yaml_text(v, "name", "");
                const bool by_filing = text_is(name, "receive") || text_is(name, "file");
                if (!by_filing && taken[index_of(workflow, name)] == 0)
                        fail_msg("no walk took the move %s", name);
        }
        ledger_is_whole(w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {BOTH(nothing_but_declared_moves)};
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
