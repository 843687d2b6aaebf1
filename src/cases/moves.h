/* cases/moves.h -- the machinery of a move: what guards and effects see, and their tables.  For this folder
 * and those that add words of their own (asks, links, dispute). */
#ifndef CASES_MOVES_H
#define CASES_MOVES_H
#include "cases/workflow.h"
#include "ledger/ledger.h"
#include "routing/routing.h"

/* The case's row as a move needs it. */
struct case_row {
        int64_t id, version, created;
        const char *number, *track, *workflow, *state, *unit, *item, *title;
        const char *subdistrict, *community, *grid;
        bool urgent, open, late;
        struct ledger_tip tip;
};

struct moving {
        struct district *district;
        struct arena *arena;
        struct tx *tx;                  /* of the present run of the transaction function */
        const struct rulebook *rules;   /* of the version the case was opened under */
        const struct calendar *calendar;        /* of the active version: a holiday that is moved is moved for every case */
        const struct workflow *workflow;
        const struct move *move;
        const struct mover *mover;
        const struct json_value *form;
        struct case_row row;
        int64_t now;
        /* what effects change; written with the state in one statement */
        const char *unit, *item;
        struct answer answer;           /* of `assign`; answer.lead is NULL when nobody was assigned */
        const struct json_value *found; /* what an effect found out; kept with the move as "found"; NULL = nothing */
        const char *lead;               /* number of the case whose answer or end is passed on to this one, merged into it; NULL */
        const struct move *behind;      /* the move this one follows by itself (struct move.next); NULL = it was asked for */
        /* What guards have read already; forgotten when a move is taken. */
        const struct open_task *tasks; size_t n_tasks;  /* NULL = not read yet */
        const struct ask_view *asks; size_t n_asks;     /* of asks/; NULL = not read yet */
        const struct open_dispute *dispute; bool knows_dispute; /* of dispute/; NULL though known = none is open */
};
struct open_task { const char *kind, *unit, *person; int64_t since; };
/* Reads the open tasks into m->tasks, once. */
bool case_open_tasks(struct moving *, struct err *) MUST_CHECK;

/* A move inside a running transaction, as of another case than the one that moves: district, arena, tx, mover, form, now are given. */
bool case_move_within(struct moving *, const char *number, const char *move, struct err *) MUST_CHECK;
/* A line in the case's history that changes nothing else: `name` (no move of a workflow), m->form; m as for case_move_within().  Sets
 * m->row.tip.  ERR_NOT_FOUND no such case; ERR_CONFLICT somebody was faster. */
bool case_remark_within(struct moving *, const char *number, const char *name, struct err *) MUST_CHECK;
/* The moves this mover could take now, inside a transaction that reads: those whose needs are met but for what a form must give.
 * They live in the rulebook, the list in the arena.  missing: what the case is known to have nothing of, ended by NULL; may be NULL. */
bool cases_offer(struct tx *, struct district *, struct arena *, const char *number, const struct mover *,
                 const struct case_part *const *missing, int64_t now, const struct move ***, size_t *n, struct err *) MUST_CHECK;

/* --- words: what data may name -------------------------------------------------------------------------------------------- */
/* A member of the form handed in with a move. */
enum field_kind { FIELD_TEXT, FIELD_UNIT, FIELD_UNITS, FIELD_ITEM, FIELD_CASE, FIELD_REASON, FIELD_INSTANT, FIELD_YES, FIELD_NUMBER, FIELD_OBJECT };
struct field {
        const char *name;               /* NULL ends a list */
        enum field_kind kind;           /* FIELD_REASON: a code of the move's list in reasons.csv */
        bool wanted;
        const char *zh, *en;
        int least, most;                /* of a FIELD_NUMBER; most 0 = no bounds */
};
/* A condition a move needs.  Says what is missing with ERR_INVALID (a field of the form) or ERR_DENIED, ERR_CONFLICT.  One without
 * fields looks only at the case and the mover: a screen offers the move only when it is met. */
struct guard {
        const char *name;
        bool (*met)(struct moving *, struct err *);
        const struct field *fields;     /* NULL = none */
        const char *about;
};
/* What a move does beside changing the state.  before() may set unit or item, which are written with the state;
 * after() runs once the state is written.  Either may be NULL. */
struct effect {
        const char *name;
        bool (*before)(struct moving *, struct err *);
        bool (*after)(struct moving *, struct err *);
        const struct field *fields;     /* what it takes from the form; NULL = nothing */
        const char *about;
};
/* The words of one capability; each list ends with a NULL name. */
struct vocabulary { const struct guard *guards; const struct effect *effects; };
/* Of all capabilities (src/capabilities.c); ends with NULL. */
extern const struct vocabulary *const all_vocabularies[];
const struct guard *guard_find(const char *name);       /* NULL when unknown */
const struct effect *effect_find(const char *name);
extern const struct vocabulary case_words;              /* of this folder */
extern const struct guard case_guards[];
extern const struct effect case_effects[];
/* The JSON Schema of a move's form, in the value `name`. */
void move_form_json(const struct workflow *, const struct move *, const char *name, struct json *);
bool form_has(const struct moving *, const char *field);        /* a text that is not empty */

/* tasks.c */
bool task_assign(struct tx *, int64_t case_id, const char *kind, const char *unit, int64_t now, struct err *) MUST_CHECK;
bool task_end(struct tx *, int64_t case_id, const char *kind, const char *unit, const char *state, int64_t now, struct err *) MUST_CHECK;
bool tasks_open(struct tx *, int64_t case_id, const char *kind, const char *unit, int64_t *n, struct err *) MUST_CHECK;

/* --- clocks: what a move makes of them, without the store ------------------------------------------------------------------- */
enum { CASE_CLOCKS_MOST = 64 };
enum clock_state { CLOCK_RUNNING, CLOCK_PAUSED, CLOCK_MET, CLOCK_MISSED };
extern const char *const clock_states[];
struct case_clock {
        const char *clock; int64_t round;       /* round 0: new, the store numbers it */
        const struct clock_rule *rule;          /* NULL: the workflow knows it no more; it ends with the next move */
        enum clock_state state;
        int64_t started, warn_at, due, ended;   /* warn_at 0 = warned already */
        int64_t remaining;                      /* while paused: microseconds of its own kind of time */
        int64_t told, step_at;                  /* bit set = that step of the ladder was told; when the next one is, 0 = none left */
        enum limit_unit unit;
        bool overdue;                           /* that `due` has passed was told */
        bool changed;
};
struct clock_book { struct case_clock at[CASE_CLOCKS_MOST]; size_t n; };
struct clock_turn {
        const struct calendar *calendar;
        const struct workflow *workflow;
        const char *move;
        const struct state *origin, *dest;
        const struct item *item;                /* NULL = not known */
        bool urgent;
        int64_t now;
};
/* Stops, pauses, resumes and starts clocks as the move says.  *late is set when one was overrun.  Each of these fails only for a
 * calendar without data (ERR_INVALID). */
bool clock_book_turn(struct clock_book *, const struct clock_turn *, bool *late, struct err *) MUST_CHECK;
/* One more of the original limit behind the present deadline of the clock that follows the item (process.md, "Extension"). */
bool clock_book_extend(struct clock_book *, const struct clock_turn *, struct err *) MUST_CHECK;
/* The due instant a case shows: of the running clock that follows the item's limit, else of the one that ends first; 0 = none. */
int64_t clock_book_due(const struct clock_book *);
/* A clock that starts now; rule NULL when it has no limit. */
bool clock_begin(const struct clock_turn *, const struct clock_rule *, struct case_clock *, struct err *) MUST_CHECK;
/* Sets step_at to the first step of the ladder not told; length: of the limit, microseconds of its own kind of time. */
bool clock_next_step(const struct calendar *, const struct clock_rule *, int64_t length, struct case_clock *, int64_t from,
                     struct err *) MUST_CHECK;
/* Marks the steps reached by `now` as told; *due: bits of those to tell.  Then as clock_next_step(). */
bool clock_steps_due(const struct calendar *, const struct clock_rule *, int64_t length, struct case_clock *, int64_t now, int64_t *due,
                     struct err *) MUST_CHECK;

/* --- clocks in the store ---------------------------------------------------------------------------------------------------- */
/* Applies the move to every clock of the case and tells the due instant and lateness. */
bool clocks_turn(struct moving *, int64_t *due, bool *late, struct err *) MUST_CHECK;
/* The deadline of the running clock that follows the item's limit; 0 = none runs.  extend: it gets one original limit more. */
bool clock_of_item(struct moving *, int64_t *due, bool extend, struct err *) MUST_CHECK;
bool case_clock_set(struct tx *, int64_t case_id, const struct case_clock *, struct err *) MUST_CHECK;
/* Sets the case's one timer to the next warning, due instant or step of the ladder; none left: clears it. */
bool clocks_set_timer(struct tx *, int64_t case_id, struct err *) MUST_CHECK;

/* The outbox row of a move; topic "case".  at: when it happened; told: the present, by which the outbox forgets; files: the move is
 * the one with which the case began (case_event_files()); item: the one the move has changed it to, NULL. */
struct case_news { const char *move, *state, *unit, *item; int64_t at, told; bool files; };
bool case_tell(struct tx *, const struct case_row *, const struct case_news *, struct err *) MUST_CHECK;
#endif
