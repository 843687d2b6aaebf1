/* cases/cases.h -- a case: one matter from filing to archive.
 *
 * A case changes only through a move: one transaction that tests the state and writes the new one in a single statement,
 * appends one line to the history, and sets tasks, clocks, timer and outbox.  Which states and moves exist is data
 * (workflows/NAME.yaml); guards ("needs") and effects ("then") are names in const tables of moves.c.
 */
#ifndef CASES_CASES_H
#define CASES_CASES_H
#include "base/base.h"
#include "json/shape.h"
struct answer;
struct arena;
struct district;
struct event;
struct json;
struct json_value;
struct item;
struct pack_part;
struct place;
struct route;
struct rulebook;
struct sight;
struct timer_kind;
struct store;
struct tx;
struct workflows;

/* Who moves a case: a person, a key, or the program ("system"). role: enum role of http/; 0 = the program.  sight: a case out of it is
 * not there for him; NULL = he sees all.  instead: login of who is absent and for whom he stands in; the history names both; NULL.
 * seen: the version of the case that he has read (the number of its last history row), if he acts on no other; 0 = he does not say. */
struct mover { const char *name, *unit; int role; const struct sight *sight; const char *instead; int64_t seen; };

/* --- workflows: one pack version in memory -------------------------------------------------------- */
bool workflows_load(struct tx *, struct arena *, int64_t version, struct workflows **, struct err *) MUST_CHECK;
extern const struct pack_part cases_pack;       /* workflows/, clocks.csv */

/* --- filing (called by intake inside its transaction) ----------------------------------------------- */
enum { TRACK_CHARACTERS = 12 };         /* of a tracking code: 60 random bits */
struct filing {
        int64_t id;                     /* also the id of its first report, unless: */
        int64_t report;                 /* the report of another case it is split off; 0 = its own */
        const struct rulebook *rules;
        const char *channel, *source, *property, *title, *track;
        bool urgent;
        const struct item *item;        /* NULL = unknown yet */
        double certainty;               /* of the item, 0..1 */
        const char *item_why, *item_why_zh;     /* why that item, when nobody gave it; NULL */
        const struct place *place;
        const char *place_why, *place_why_zh;   /* likewise of the place */
        const char *address;
        const struct answer *answer;    /* of routing */
        int64_t occurred, now;
        int64_t told;                   /* the present, when `now` is that of a report which came earlier; 0 = now */
        char number[40];                /* "" = give it a new one */
        /* results */
        const char *state;
        int64_t due;                    /* the clock that ends first for the unit in charge; 0 = none */
};
/* What needs no transaction: due instants of all clocks.  Fails only for a calendar without data. */
struct filing_plan;
bool cases_plan(struct arena *, const struct filing *, struct filing_plan **, struct err *) MUST_CHECK;
int64_t filing_plan_due(const struct filing_plan *);    /* the due instant the new case will show; 0 = none */
/* Case, first tasks, clocks, timer, history rows, outbox row.  Receives, files and, when the answer is sure, dispatches. */
bool cases_file(struct tx *, struct district *, struct filing *, const struct filing_plan *, struct err *) MUST_CHECK;

/* --- moving -------------------------------------------------------------------------------------------- */
/* form: the JSON object handed in with the move (unit, reason, result, note, item, ...); NULL = none.
 * ERR_NOT_FOUND no such case; ERR_CONFLICT the move does not start at the present state, or somebody was faster, or the case is not
 * as the mover has seen it;
 * ERR_DENIED role or unit may not; ERR_INVALID a need is not met (names the form's field). */
bool cases_move(struct district *, struct arena *, const char *number, const char *move, const struct mover *,
                const struct json_value *form, int64_t now, struct err *) MUST_CHECK;

/* Does the event tell of a case that has just begun?  (Of topic "case", by cases_file(): "files" is true in its payload; where a move
 * has changed the case's item, "item" stands there.) */
bool case_event_files(struct arena *, const struct event *);

/* --- reading -------------------------------------------------------------------------------------------- */
/* Open cases, and those of them whose deadline has passed; counts end at 100,000. */
bool cases_counts(struct store *, int64_t now, int64_t *open, int64_t *late, struct err *) MUST_CHECK;
struct moving;
struct case_view;                       /* all a reader may know of a case; see cases/view.h */

/* What another capability adds to the answer about one case; the list is case_parts of src/capabilities.c, and ends with NULL. */
struct case_part {
        const char *name;       /* of its array in the answer */
        /* A condition in SQL, true when the case $1 has any of it: of all parts in one statement, since most cases have none of most. */
        const char *some;
        /* Adds the elements of the array.  sight: what the reader may see of other cases. */
        bool (*json)(struct tx *, struct arena *, int64_t case_id, const struct sight *, struct json *, struct err *);
        /* Tells a move's guards that there is none, so that they need not look.  May be NULL. */
        void (*none)(struct moving *);
};
extern const struct case_part *const case_parts[];

extern const struct timer_kind case_clock_timer;        /* warns, marks late */
extern const struct route *const cases_routes;
extern const struct shape case_members_shape[];        /* of the members that case_members_json() writes */
#endif
