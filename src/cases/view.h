/* cases/view.h -- reading cases: one, its history, and pages of many.  Nothing here writes. */
#ifndef CASES_VIEW_H
#define CASES_VIEW_H
#include "cases/cases.h"
#include "ledger/ledger.h"
struct request;
struct rows;
struct sight;
struct store;
struct workflow;

struct case_view {                              /* texts live in the arena */
        int64_t id, version, seq;               /* version: of the pack; seq: of the last row of its history */
        const char *number, *track, *workflow, *state, *channel, *source, *property, *title;
        bool urgent, open, late;
        const char *item; double certainty;     /* item "" = not known yet */
        const char *subdistrict, *community, *grid, *address, *unit;
        bool has_point; double lon, lat;
        int64_t occurred, created, closed, due;
};
struct task_view { const char *kind, *unit, *state; int64_t created, ended; };
struct clock_view { const char *clock, *state, *unit; int64_t round, started, due, ended; };
struct case_detail {
        struct case_view view;
        struct task_view *tasks; size_t n_tasks;
        struct clock_view *clocks; size_t n_clocks;
        struct ledger_row *history; size_t n_history;
};

/* Fail with ERR_NOT_FOUND, and no differently when the case is there but out of sight; sight NULL = all of them.  Those that tell how it
 * stands now leave its history out, which grows with every move.  case_read_track() takes the tracking code, in any case of letters. */
bool case_read_within(struct tx *, struct arena *, const char *number, const struct sight *, struct case_detail *, struct err *) MUST_CHECK; /* now */
bool case_read_now(struct store *, struct arena *, const char *number, const struct sight *, struct case_detail *, struct err *) MUST_CHECK;
bool case_read(struct store *, struct arena *, const char *number, const struct sight *, struct case_detail *, struct err *) MUST_CHECK;
bool case_read_track(struct store *, struct arena *, const char *track, struct case_detail *, struct err *) MUST_CHECK;
/* The case a report was filed as, inside a transaction: 1 found, 0 none, -1 failed. */
int case_of_report(struct tx *, struct arena *, int64_t report, struct case_detail *, struct err *) MUST_CHECK;

/* Who asks, as a mover of that case: of several units he belongs to the one that has the case or the one the body names; with whom he
 * stands in for.  Defined in cases_api.c. */
struct mover mover_of(const struct request *, const struct case_detail *, const struct rulebook *, const struct sight *);

/* A page of cases, newest first, or (by_due) open cases by the instant they are due.  NULL and 0 mean "any". */
struct case_filter {
        const char *state, *unit, *item, *subdistrict, *community, *grid, *channel;
        bool open;                              /* only open ones */
        int64_t late_at;                        /* only open ones that were due before this instant */
        bool by_due;
        int64_t after_id, after_due;            /* where the page before ended; after_id 0 = first page */
        int limit;
        int look;                               /* most cases looked at for one page; 0 = 1000, in order of due instants and out of all 5000 */
        const struct sight *sight;              /* only what is seen; NULL = all */
};
/* A page may hold fewer than `limit` cases, even none, though there are more: it took all it found among the cases it was
 * allowed to look at.  With `more` the search goes on behind after_id (and after_due). */
struct case_page { struct case_view *at; size_t n; bool more; int64_t after_id, after_due; };
bool case_page(struct store *, struct arena *, const struct case_filter *, struct case_page *out, struct err *) MUST_CHECK;
/* The statements such a page runs (for the tests that prepare and explain them); bound: the one that says how far to look, NULL
 * for filters that an index answers alone. */
void case_page_sql(struct arena *, const struct case_filter *, char **bound, char **page);

/* The columns of a case_view, and a row of them read; for this folder. */
#define CASE_COLUMNS \
        "SELECT id, version, number, track, workflow, state, channel, source, property, title, urgent, open, late, item," \
        " certainty," \
        " subdistrict, community, grid, address, unit, lon, lat, occurred_at, created_at, closed_at, due, seq FROM cases c"
void case_view_read(const struct rows *, struct arena *, struct case_view *);

/* What the case has nothing of, in the order of `all`, ended by NULL. */
enum { CASE_PARTS_MOST = 16 };
bool case_parts_missing(struct tx *, struct arena *, const struct case_part *const *all, int64_t id, const struct case_part **missing,
                        struct err *) MUST_CHECK;
/* Where in the history begins what somebody has not seen who read version `seen`: the last CASE_UNSEEN_MOST rows at most; 0 = what he
 * has seen is not known: the last move, and what the program did right behind it. */
enum { CASE_UNSEEN_MOST = 20 };
size_t case_unseen(const struct case_detail *, int64_t seen);
/* The last move but for what the program did right behind it.  There is one: a case begins with its history. */
const struct ledger_entry *case_last_taken(const struct case_detail *);
/* Adds to the sentence of a conflict who took that last move, when, and how the case stands now. */
void case_name_last(const struct case_detail *, const struct rulebook *, struct err *);

/* Writes the members of an answer's object; the caller opens and closes it. */
void case_members_json(const struct case_view *, const struct rulebook *, struct json *);
void case_tasks_json(const struct case_detail *, const struct rulebook *, struct json *);                       /* "tasks" */
void case_clocks_json(const struct case_detail *, const struct workflow *, struct json *);                      /* "clocks" */
void case_history_json(const struct case_detail *, const struct rulebook *, const struct workflow *, struct arena *, struct json *);
/* "case", how it stands now, and "meanwhile", the rows of case_unseen(). */
void case_changes_json(const struct case_detail *, const struct rulebook *, int64_t seen, struct json *);
#endif
