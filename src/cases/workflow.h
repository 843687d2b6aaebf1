/* cases/workflow.h -- workflows of one pack version in memory: states, moves, clocks.  Inside this folder, and for reading above
 * it. */
#ifndef CASES_WORKFLOW_H
#define CASES_WORKFLOW_H
#include "cases/cases.h"
#include "calendar/calendar.h"

enum { MOVE_NEEDS_MOST = 8, MOVE_EFFECTS_MOST = 8, MOVE_NEXT_MOST = 4, CLOCK_STEPS_MOST = 60, ROLE_SYSTEM = 1 << 30 };
struct guard;
struct effect;

struct state { const char *name, *zh, *en, *clock; bool first, last; };
struct move {
        const char *name, *zh, *en;
        const struct state *dest;               /* NULL = stays where it is */
        const struct state **origins; size_t n_origins;
        unsigned roles;                         /* enum role bits and ROLE_SYSTEM */
        const struct guard *needs[MOVE_NEEDS_MOST + 1];         /* end with NULL */
        const struct effect *effects[MOVE_EFFECTS_MOST + 1];
        /* What the program tries right behind it, in the same transaction: the first of them whose needs are met is taken. */
        const struct move *next[MOVE_NEXT_MOST + 1];
};
struct reason { const char *move, *code, *zh, *en; };           /* reasons.csv */
/* Numbers a city may set (rules.csv); what each means and what it is when unsaid stands in workflow.c. */
enum case_rule {
        RULE_EXTENSIONS, RULE_SUSPENSIONS, RULE_SUSPENSION_DAYS, RULE_APPEALS, RULE_REDOS, RULE_RETURNS, RULE_RETURN_HOURS,
        RULE_RULINGS,
        RULE_COUNT
};
struct rule_word { const char *name; double usual, least, most; const char *about; };
extern const struct rule_word rule_words[RULE_COUNT];
/* A step of the ladder of a clock (escalation.csv): who is told once `percent` of the limit have passed, and `later` more. */
struct clock_step {
        int percent;
        struct limit later;                     /* of a repetition; else LIMIT_NONE */
        const char *to;                         /* unit, or a role */
        const char *level;                      /* the program orders supervision at this level; NULL = it only tells */
};
struct clock_rule {
        const char *clock, *name, *name_en;
        char **starts, **stops, **pauses, **resumes;            /* names of moves */
        size_t n_starts, n_stops, n_pauses, n_resumes;
        bool of_item;
        struct limit ordinary, urgent;
        int warn;                               /* percent */
        struct clock_step *steps; size_t n_steps;       /* at most CLOCK_STEPS_MOST; a repetition stands behind what it repeats */
};
struct workflow {
        const char *name;
        struct state *states; size_t n_states;
        struct move *moves; size_t n_moves;
        struct clock_rule *clocks; size_t n_clocks;
        struct reason *reasons; size_t n_reasons;
        double rules[RULE_COUNT];
};
struct workflows { struct workflow *at; size_t n; };

const struct workflow *workflow_find(const struct workflows *, const char *name);      /* NULL when unknown */
const struct state *state_find(const struct workflow *, const char *name);
const struct state *state_first(const struct workflow *);
/* Its clock is off: closed or rejected, though perhaps not in the archive yet.  Whoever joins such a case is never answered. */
bool state_ended(const struct workflows *, const char *workflow, const char *state);
const struct move *move_find(const struct workflow *, const char *name);
const struct clock_rule *clock_rule_find(const struct workflow *, const char *clock);
/* The reason of that code in the move's list; NULL when unknown. */
const struct reason *reason_find(const struct workflow *, const char *move, const char *code);
bool move_starts_at(const struct move *, const char *state);
bool move_allows(const struct move *, int role);        /* role 0 = the program */
bool move_tells(const struct move *);                   /* the reporter is told of it, with its result or reason */

/* Whether the list names the move. */
bool names_move(char *const *list, size_t n, const char *move);
/* The limit of a clock for this item (may be NULL) and urgency; LIMIT_NONE when it has none. */
struct limit clock_limit(const struct clock_rule *, const struct item *, bool urgent);

void workflows_json(const struct workflows *, struct json *);                                   /* "workflows" */
void names_json(struct json *, const char *name, const char *zh, const char *en);               /* {zh, en}; en NULL = as zh */
#endif
