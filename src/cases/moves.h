/* cases/moves.h -- the machinery of a move: what guards and effects see, and their tables.  Inside this folder. */
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
        const struct workflow *workflow;
        const struct move *move;
        const struct mover *mover;
        const struct json_value *form;
        struct case_row row;
        int64_t now;
        /* what effects change; written with the state in one statement */
        const char *unit, *item;
        struct answer answer;           /* of `assign`; answer.lead is NULL when nobody was assigned */
};

/* A condition a move needs.  Says what is missing with ERR_INVALID (a field of the form) or ERR_DENIED, ERR_CONFLICT. */
struct guard {
        const char *name;
        bool (*met)(struct moving *, struct err *);
        const char *form_field;         /* the form's field it wants, for the console; NULL */
        const char *about;
};
/* What a move does beside changing the state.  before() may set unit or item, which are written with the state;
 * after() runs once the state is written.  Either may be NULL. */
struct effect {
        const char *name;
        bool (*before)(struct moving *, struct err *);
        bool (*after)(struct moving *, struct err *);
        const char *about;
};
const struct guard *guard_find(const char *name);       /* NULL when unknown */
const struct effect *effect_find(const char *name);

/* tasks.c */
bool task_assign(struct tx *, int64_t case_id, const char *kind, const char *unit, int64_t now, struct err *) MUST_CHECK;
bool task_end(struct tx *, int64_t case_id, const char *kind, const char *unit, const char *state, int64_t now, struct err *) MUST_CHECK;
bool tasks_open(struct tx *, int64_t case_id, const char *kind, const char *unit, int64_t *n, struct err *) MUST_CHECK;

/* clocks.c */
struct clock_plan { const struct clock_rule *rule; int64_t started, warn_at, due; enum limit_unit unit; };
/* ERR_INVALID for a due instant in a year without data.  limit LIMIT_NONE gives rule = NULL. */
bool clock_plan(const struct rulebook *, const struct clock_rule *, const struct item *, bool urgent, int64_t start,
                struct clock_plan *, struct err *) MUST_CHECK;
bool clock_put(struct tx *, int64_t case_id, const char *unit, const struct clock_plan *, struct err *) MUST_CHECK;
/* Applies the move to every clock of the case (stop, pause, resume, start) and tells the due instant and lateness. */
bool clocks_turn(struct moving *, int64_t *due, bool *late, struct err *) MUST_CHECK;
/* Sets the case's one timer to the next warning or due instant; none left: clears it. */
bool clocks_set_timer(struct tx *, int64_t case_id, struct err *) MUST_CHECK;
/* The due instant a case shows: of the running clock that follows the item's limit, else of the one that ends first. */
int64_t clocks_shown_due(const struct clock_plan *, size_t n);

/* The outbox row of a move; topic "case".  at: when it happened; told: the present, by which the outbox forgets. */
bool case_tell(struct tx *, const struct case_row *, const char *move, const char *state, const char *unit, int64_t at, int64_t told,
               struct err *) MUST_CHECK;
/* The form of a dispatch's history row: unit, assists, step, row and why of the answer, and the due instant. */
char *answer_form(struct arena *, const struct answer *, const struct item *, double certainty, int64_t due, const char *extra_reason);
#endif
