/* cases/workflow.c -- loads the workflows of one pack version and answers questions about them; finds the words they name, and
 * describes the form of a move. */
#include "cases/workflow.h"
#include "base/arena.h"
#include "base/role.h"
#include "base/text.h"
#include "cases/moves.h"
#include "catalogue/catalogue.h"
#include "json/json.h"
#include "people/people.h"
#include "store/store.h"

static const char SQL_WORKFLOWS[] =
        "SELECT workflow, COUNT(*) FROM workflow_state WHERE version = $1 GROUP BY workflow ORDER BY workflow";
static const char SQL_STATES[] =
        "SELECT name, zh, en, clock, first, last FROM workflow_state WHERE version = $1 AND workflow = $2 ORDER BY position";
static const char SQL_MOVES[] = "SELECT name, zh, en, dest, roles, needs, effects, next,"
                                " (SELECT COUNT(*) FROM workflow_move n WHERE n.version = m.version AND n.workflow = m.workflow)"
                                " FROM workflow_move m WHERE version = $1 AND workflow = $2 ORDER BY position";
static const char SQL_ORIGINS[] =
        "SELECT state FROM workflow_origin WHERE version = $1 AND workflow = $2 AND move = $3 ORDER BY state";
static const char SQL_CLOCKS[] =
        "SELECT clock, name, name_en, starts, stops, pauses, resumes, limit_of, amount, unit, urgent_amount, urgent_unit, warn,"
        " (SELECT COUNT(*) FROM clock_rule n WHERE n.version = c.version AND n.workflow = c.workflow)"
        " FROM clock_rule c WHERE version = $1 AND workflow = $2 ORDER BY clock";

static const char SQL_STEPS[] = "SELECT percent, recipient, level, again, again_unit, times FROM clock_step"
                                " WHERE version = $1 AND workflow = $2 AND clock = $3 ORDER BY percent, place";

static const char SQL_REASONS[] =
        "SELECT move, code, zh, en,"
        " (SELECT COUNT(*) FROM workflow_reason n WHERE n.version = r.version AND n.workflow = r.workflow)"
        " FROM workflow_reason r WHERE version = $1 AND workflow = $2 ORDER BY move, place";
static const char SQL_RULES[] = "SELECT rule, value FROM workflow_rule WHERE version = $1 AND workflow = $2";

const struct rule_word rule_words[RULE_COUNT] = {
        [RULE_EXTENSIONS] = {"extensions", 2, 0, 10, "At most so many extensions are granted to a case."},
        [RULE_SUSPENSIONS] = {"suspensions", 1, 0, 10, "A case is suspended at most so often."},
        [RULE_SUSPENSION_DAYS] = {"suspension_days", 365, 1, 366, "A suspension ends at most so many days from now."},
        [RULE_APPEALS] = {"appeals", 1, 0, 3, "A unit appeals against overtime at most so often for one case."},
        [RULE_REDOS] = {"redos", 1, 0, 5, "An unsatisfied citizen's case is done again so often; then it is supervised."},
        [RULE_RETURNS] = {"returns", 2, 0, 20, "A case is returned at most so often; then only a dispute is open to the unit."},
        [RULE_RETURN_HOURS] = {"return_hours", 8, 0.5, 80, "Working hours after the dispatch in which a unit may return a case."},
        [RULE_RULINGS] = {"rulings", 1, 1, 20, "After so many rulings on one item and area a change of the list is proposed."},
};

struct load {
        struct tx *tx;
        struct arena *arena;
        int64_t version;
};

static bool load_states(const struct load *l, struct workflow *w, struct err *e)
{
        struct rows r;
        if (!tx_rows(l->tx, &r, e, SQL_STATES, ARGS(V(l->version), V(w->name))))
                return false;
        for (size_t i = 0; i < w->n_states && rows_next(&r); i++)
                w->states[i] = (struct state){
                        .name = rows_text(&r, l->arena, 0),
                        .zh = rows_text(&r, l->arena, 1),
                        .en = rows_text(&r, l->arena, 2),
                        .clock = rows_text(&r, l->arena, 3),
                        .first = rows_int(&r, 4) != 0,
                        .last = rows_int(&r, 5) != 0,
                };
        return rows_done(&r, e);
}

static unsigned role_bits(struct arena *a, const char *list)
{
        char **names;
        unsigned bits = 0;
        for (size_t i = 0, n = text_split(a, list, '|', &names); i < n; i++)
                bits |= text_is(names[i], "system") ? (unsigned)ROLE_SYSTEM : (unsigned)role_of_name(names[i]);
        return bits;
}

static void read_move(struct arena *a, const struct workflow *w, const struct rows *r, struct move *m)
{
        char **names;
        *m = (struct move){.name = rows_text(r, a, 0), .zh = rows_text(r, a, 1), .en = rows_text(r, a, 2)};
        const char *dest = rows_text(r, a, 3);
        m->dest = text_is(dest, "=") ? NULL : state_find(w, dest);
        m->roles = role_bits(a, rows_text(r, a, 4));
        size_t n = text_split(a, rows_text(r, a, 5), '|', &names);
        for (size_t i = 0; i < n && i < MOVE_NEEDS_MOST; i++)
                m->needs[i] = guard_find(names[i]);
        n = text_split(a, rows_text(r, a, 6), '|', &names);
        for (size_t i = 0; i < n && i < MOVE_EFFECTS_MOST; i++)
                m->effects[i] = effect_find(names[i]);
}

static void set_next(struct arena *a, const struct workflow *w, struct move *m, const char *list)
{
        char **names;
        size_t n = text_split(a, list, '|', &names), known = 0;
        for (size_t i = 0; i < n && known < MOVE_NEXT_MOST; i++)
                if ((m->next[known] = move_find(w, names[i])))
                        known++;
}

static bool load_origins(const struct load *l, const struct workflow *w, struct move *m, struct err *e)
{
        struct rows r;
        if (!tx_rows(l->tx, &r, e, SQL_ORIGINS, ARGS(V(l->version), V(w->name), V(m->name))))
                return false;
        m->origins = NEW_ARRAY(l->arena, const struct state *, w->n_states);
        while (m->n_origins < w->n_states && rows_next(&r))
                m->origins[m->n_origins++] = state_find(w, rows_text(&r, l->arena, 0));
        return rows_done(&r, e);
}

static bool load_moves(const struct load *l, struct workflow *w, struct err *e)
{
        struct rows r;
        if (!tx_rows(l->tx, &r, e, SQL_MOVES, ARGS(V(l->version), V(w->name))))
                return false;
        const char **next = NULL;
        while (rows_next(&r)) {
                if (!next) {
                        next = NEW_ARRAY(l->arena, const char *, rows_int(&r, 8));
                        w->moves = NEW_ARRAY(l->arena, struct move, rows_int(&r, 8));
                }
                next[w->n_moves] = rows_text(&r, l->arena, 7);
                read_move(l->arena, w, &r, &w->moves[w->n_moves++]);
        }
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; next && i < w->n_moves; i++) {
                set_next(l->arena, w, &w->moves[i], next[i]);
                if (!load_origins(l, w, &w->moves[i], e))
                        return false;
        }
        return true;
}

static bool load_reasons(const struct load *l, struct workflow *w, struct err *e)
{
        struct rows r;
        if (!tx_rows(l->tx, &r, e, SQL_REASONS, ARGS(V(l->version), V(w->name))))
                return false;
        while (rows_next(&r)) {
                if (!w->reasons)
                        w->reasons = NEW_ARRAY(l->arena, struct reason, rows_int(&r, 4));
                w->reasons[w->n_reasons++] = (struct reason){
                        .move = rows_text(&r, l->arena, 0),
                        .code = rows_text(&r, l->arena, 1),
                        .zh = rows_text(&r, l->arena, 2),
                        .en = rows_text(&r, l->arena, 3),
                };
        }
        return rows_done(&r, e);
}

static bool load_rules(const struct load *l, struct workflow *w, struct err *e)
{
        struct rows r;
        for (int i = 0; i < RULE_COUNT; i++)
                w->rules[i] = rule_words[i].usual;
        if (!tx_rows(l->tx, &r, e, SQL_RULES, ARGS(V(l->version), V(w->name))))
                return false;
        while (rows_next(&r)) {
                const char *name = rows_text(&r, l->arena, 0);
                for (int i = 0; i < RULE_COUNT; i++)
                        if (text_is(rule_words[i].name, name))
                                w->rules[i] = rows_real(&r, 1);
        }
        return rows_done(&r, e);
}

static void read_clock(struct arena *a, const struct rows *r, struct clock_rule *c)
{
        *c = (struct clock_rule){.clock = rows_text(r, a, 0), .name = rows_text(r, a, 1), .name_en = rows_text(r, a, 2)};
        c->n_starts = text_split(a, rows_text(r, a, 3), '|', &c->starts);
        c->n_stops = text_split(a, rows_text(r, a, 4), '|', &c->stops);
        c->n_pauses = text_split(a, rows_null(r, 5) ? "" : rows_text(r, a, 5), '|', &c->pauses);
        c->n_resumes = text_split(a, rows_null(r, 6) ? "" : rows_text(r, a, 6), '|', &c->resumes);
        c->of_item = text_is(rows_text(r, a, 7), "item");
        if (!rows_null(r, 8))
                c->ordinary = (struct limit){rows_real(r, 8), limit_unit_of(rows_text(r, a, 9))};
        c->urgent = rows_null(r, 10) ? c->ordinary : (struct limit){rows_real(r, 10), limit_unit_of(rows_text(r, a, 11))};
        c->warn = (int)rows_int(r, 12);
}

/* A step and its repetitions, each behind the one before. */
static void add_step(struct clock_rule *c, const struct clock_step *step, struct limit again, int64_t times)
{
        for (int64_t i = 0; i <= times && c->n_steps < CLOCK_STEPS_MOST; i++) {
                struct clock_step *s = &c->steps[c->n_steps++];
                *s = *step;
                if (i > 0)
                        s->later = (struct limit){again.amount * (double)i, again.unit};
        }
}

static bool load_steps(const struct load *l, const struct workflow *w, struct clock_rule *c, struct err *e)
{
        struct rows r;
        c->steps = NEW_ARRAY(l->arena, struct clock_step, CLOCK_STEPS_MOST);
        if (!tx_rows(l->tx, &r, e, SQL_STEPS, ARGS(V(l->version), V(w->name), V(c->clock))))
                return false;
        while (rows_next(&r)) {
                const struct clock_step step = {
                        .percent = (int)rows_int(&r, 0),
                        .to = rows_text(&r, l->arena, 1),
                        .level = rows_null(&r, 2) ? NULL : rows_text(&r, l->arena, 2),
                };
                const bool again = !rows_null(&r, 3);
                add_step(c, &step,
                         again ? (struct limit){rows_real(&r, 3), limit_unit_of(rows_text(&r, l->arena, 4))} : (struct limit){0},
                         again ? rows_int(&r, 5) : 0);
        }
        return rows_done(&r, e);
}

static bool load_clocks(const struct load *l, struct workflow *w, struct err *e)
{
        struct rows r;
        if (!tx_rows(l->tx, &r, e, SQL_CLOCKS, ARGS(V(l->version), V(w->name))))
                return false;
        while (rows_next(&r)) {
                if (!w->clocks)
                        w->clocks = NEW_ARRAY(l->arena, struct clock_rule, rows_int(&r, 13));
                read_clock(l->arena, &r, &w->clocks[w->n_clocks++]);
        }
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < w->n_clocks; i++)
                if (!load_steps(l, w, &w->clocks[i], e))
                        return false;
        return true;
}

bool workflows_load(struct tx *tx, struct arena *a, int64_t version, struct workflows **out, struct err *e)
{
        const struct load l = {tx, a, version};
        enum { MOST = 64 };
        struct workflows *all = NEW(a, struct workflows);
        struct rows r;
        all->at = NEW_ARRAY(a, struct workflow, MOST);
        if (!tx_rows(tx, &r, e, SQL_WORKFLOWS, ARGS(V(version))))
                return false;
        while (all->n < MOST && rows_next(&r)) {
                struct workflow *w = &all->at[all->n++];
                w->name = rows_text(&r, a, 0);
                w->n_states = (size_t)rows_int(&r, 1);
                w->states = NEW_ARRAY(a, struct state, w->n_states);
        }
        if (!rows_done(&r, e))
                return false;
        for (size_t i = 0; i < all->n; i++) {
                struct workflow *w = &all->at[i];
                if (!load_states(&l, w, e) || !load_moves(&l, w, e) || !load_clocks(&l, w, e) || !load_reasons(&l, w, e)
                    || !load_rules(&l, w, e))
                        return false;
        }
        *out = all;
        return true;
}

const struct workflow *workflow_find(const struct workflows *all, const char *name)
{
        for (size_t i = 0; i < all->n; i++)
                if (text_is(all->at[i].name, name))
                        return &all->at[i];
        return NULL;
}

const struct state *state_find(const struct workflow *w, const char *name)
{
        for (size_t i = 0; i < w->n_states; i++)
                if (text_is(w->states[i].name, name))
                        return &w->states[i];
        return NULL;
}

const struct state *state_first(const struct workflow *w)
{
        for (size_t i = 0; i < w->n_states; i++)
                if (w->states[i].first)
                        return &w->states[i];
        return NULL;
}

const struct move *move_find(const struct workflow *w, const char *name)
{
        for (size_t i = 0; i < w->n_moves; i++)
                if (text_is(w->moves[i].name, name))
                        return &w->moves[i];
        return NULL;
}

const struct clock_rule *clock_rule_find(const struct workflow *w, const char *clock)
{
        for (size_t i = 0; i < w->n_clocks; i++)
                if (text_is(w->clocks[i].clock, clock))
                        return &w->clocks[i];
        return NULL;
}

const struct reason *reason_find(const struct workflow *w, const char *move, const char *code)
{
        for (size_t i = 0; i < w->n_reasons; i++)
                if (text_is(w->reasons[i].move, move) && text_is(w->reasons[i].code, code))
                        return &w->reasons[i];
        return NULL;
}

bool move_starts_at(const struct move *m, const char *state)
{
        for (size_t i = 0; i < m->n_origins; i++)
                if (text_is(m->origins[i]->name, state))
                        return true;
        return false;
}

bool move_allows(const struct move *m, int role)
{
        return (m->roles & (role ? (unsigned)role : (unsigned)ROLE_SYSTEM)) != 0;
}

bool state_ended(const struct workflows *all, const char *workflow, const char *state)
{
        const struct workflow *w = workflow_find(all, workflow);
        const struct state *s = w ? state_find(w, state) : NULL;
        return s && text_is(s->clock, "off");
}

bool move_tells(const struct move *m)
{
        for (const struct effect *const *x = m->effects; *x; x++)
                if (text_is((*x)->name, "tell"))
                        return true;
        return false;
}

bool names_move(char *const *list, size_t n, const char *move)
{
        for (size_t i = 0; i < n; i++)
                if (text_is(list[i], move))
                        return true;
        return false;
}

struct limit clock_limit(const struct clock_rule *c, const struct item *item, bool urgent)
{
        if (!c->of_item)
                return urgent ? c->urgent : c->ordinary;
        if (!item)
                return (struct limit){0};
        return urgent && item->handle_urgent.unit != LIMIT_NONE ? item->handle_urgent : item->handle;
}

/* --- words ------------------------------------------------------------------------------------------------------------------ */

const struct vocabulary case_words = {case_guards, case_effects};
/* Weak: a test that is linked with this folder alone knows no other words and parts; the program's lists are in
 * src/capabilities.c. */
__attribute__((weak)) const struct vocabulary *const all_vocabularies[] = {&case_words, NULL};
__attribute__((weak)) const struct case_part *const case_parts[] = {NULL};

const struct guard *guard_find(const char *name)
{
        for (const struct vocabulary *const *v = all_vocabularies; *v; v++)
                for (const struct guard *g = (*v)->guards; g->name; g++)
                        if (text_is(g->name, name))
                                return g;
        return NULL;
}

const struct effect *effect_find(const char *name)
{
        for (const struct vocabulary *const *v = all_vocabularies; *v; v++)
                for (const struct effect *x = (*v)->effects; x->name; x++)
                        if (text_is(x->name, name))
                                return x;
        return NULL;
}

/* --- the form of a move as JSON Schema ------------------------------------------------------------------------------------ */

static void choices_json(const struct workflow *w, const struct move *m, struct json *j)
{
        json_array(j, "oneOf");
        for (size_t i = 0; i < w->n_reasons; i++) {
                const struct reason *r = &w->reasons[i];
                if (!text_is(r->move, m->name))
                        continue;
                json_object(j, NULL);
                json_text(j, "const", r->code);
                json_text(j, "title", r->zh);
                json_text(j, "x-title-en", r->en);
                json_object_end(j);
        }
        json_array_end(j);
}

/* `format` tells a screen which list to offer: units, items and cases have routes of their own. */
static void kind_json(const struct field *f, struct json *j)
{
        static const char *const types[] = {
                [FIELD_TEXT] = "string",    [FIELD_UNIT] = "string",   [FIELD_UNITS] = "array",    [FIELD_ITEM] = "string",
                [FIELD_CASE] = "string",    [FIELD_REASON] = "string", [FIELD_INSTANT] = "string", [FIELD_YES] = "boolean",
                [FIELD_NUMBER] = "integer", [FIELD_OBJECT] = "object"};
        static const char *const formats[] = {[FIELD_UNIT] = "unit",
                                              [FIELD_ITEM] = "item",
                                              [FIELD_CASE] = "case",
                                              [FIELD_INSTANT] = "date-time",
                                              [FIELD_OBJECT] = NULL};
        json_text(j, "type", types[f->kind]);
        if (formats[f->kind])
                json_text(j, "format", formats[f->kind]);
        if (f->kind == FIELD_TEXT && f->wanted)
                json_int(j, "minLength", 1);
        if (f->kind == FIELD_UNITS) {
                json_object(j, "items");
                json_text(j, "type", "string");
                json_text(j, "format", "unit");
                json_object_end(j);
                json_bool(j, "uniqueItems", true);
        }
        if (f->kind == FIELD_NUMBER && f->most) {
                json_int(j, "minimum", f->least);
                json_int(j, "maximum", f->most);
        }
}

enum { FIELDS_MOST = 24 };
struct fields {
        const struct field *at[FIELDS_MOST];
        size_t n;
};

/* Two words of one move may take the same field; it is wanted when one of them wants it. */
static void collect(struct fields *all, const struct field *f)
{
        for (; f && f->name; f++) {
                size_t i = 0;
                while (i < all->n && !text_is(all->at[i]->name, f->name))
                        i++;
                if (i < all->n) {
                        if (f->wanted)
                                all->at[i] = f;
                } else if (all->n < FIELDS_MOST) {
                        all->at[all->n++] = f;
                }
        }
}

void move_form_json(const struct workflow *w, const struct move *m, const char *name, struct json *j)
{
        struct fields all = {.n = 0};
        for (const struct guard *const *g = m->needs; *g; g++)
                collect(&all, (*g)->fields);
        for (const struct effect *const *x = m->effects; *x; x++)
                collect(&all, (*x)->fields);
        json_object(j, name);
        json_text(j, "type", "object");
        json_array(j, "required");
        for (size_t i = 0; i < all.n; i++)
                if (all.at[i]->wanted)
                        json_text(j, NULL, all.at[i]->name);
        json_array_end(j);
        json_object(j, "properties");
        for (size_t i = 0; i < all.n; i++) {
                json_object(j, all.at[i]->name);
                kind_json(all.at[i], j);
                json_text(j, "title", all.at[i]->zh);
                json_text(j, "x-title-en", all.at[i]->en);
                if (all.at[i]->kind == FIELD_REASON)
                        choices_json(w, m, j);
                json_object_end(j);
        }
        json_object_end(j);
        json_object_end(j);
}

/* --- as JSON ---------------------------------------------------------------------------------------------------- */

void names_json(struct json *j, const char *name, const char *zh, const char *en)
{
        json_object(j, name);
        json_text(j, "zh", zh);
        json_text(j, "en", en ? en : zh);
        json_object_end(j);
}

static void move_json(const struct move *m, struct json *j)
{
        json_object(j, NULL);
        json_text(j, "name", m->name);
        names_json(j, "label", m->zh, m->en);
        json_array(j, "from");
        for (size_t i = 0; i < m->n_origins; i++)
                json_text(j, NULL, m->origins[i]->name);
        json_array_end(j);
        json_text(j, "to", m->dest ? m->dest->name : "=");
        json_array(j, "roles");
        for (int bit = 1; bit <= ROLE_ADMIN; bit <<= 1)
                if (m->roles & (unsigned)bit)
                        json_text(j, NULL, role_name(bit));
        json_array_end(j);
        json_array(j, "needs");
        for (const struct guard *const *g = m->needs; *g; g++)
                json_text(j, NULL, (*g)->name);
        json_array_end(j);
        json_object_end(j);
}

void workflows_json(const struct workflows *all, struct json *j)
{
        json_array(j, "workflows");
        for (size_t i = 0; i < all->n; i++) {
                const struct workflow *w = &all->at[i];
                json_object(j, NULL);
                json_text(j, "name", w->name);
                json_array(j, "states");
                for (size_t k = 0; k < w->n_states; k++) {
                        json_object(j, NULL);
                        json_text(j, "name", w->states[k].name);
                        names_json(j, "label", w->states[k].zh, w->states[k].en);
                        json_text(j, "clock", w->states[k].clock);
                        json_bool(j, "first", w->states[k].first);
                        json_bool(j, "last", w->states[k].last);
                        json_object_end(j);
                }
                json_array_end(j);
                json_array(j, "moves");
                for (size_t k = 0; k < w->n_moves; k++)
                        move_json(&w->moves[k], j);
                json_array_end(j);
                json_object_end(j);
        }
        json_array_end(j);
}
