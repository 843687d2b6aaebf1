/* sight/sight.h -- which cases somebody may see.  The one place where that is decided: every list, every case read alone, every move,
 * picture, notice and live event asks with the condition that is written here.
 *
 * A membership (people/) has a range: own tasks, the unit, the unit with all below it, an area, the whole district.  Who has several
 * sees what any of them shows.  A unit's cases are those it is in charge of and those in which it has or had a task.
 */
#ifndef SIGHT_SIGHT_H
#define SIGHT_SIGHT_H
#include "people/people.h"
#include "sight/query.h"
struct rulebook;

struct names { const char **at; size_t n; };
struct sight {                          /* {0} sees nothing; texts and lists are the arena's */
        bool all;
        const char *channel;            /* a key: the cases its channel recorded; NULL */
        struct names units, logins, subdistricts, communities, grids;
        struct names grid_communities;  /* of each grid the community it lies in */
};

/* Who looks: role and, for people, what they belong to.  Without memberships `unit` and `area` are the only one. */
struct viewer {
        int role;                       /* enum role */
        const char *login, *unit, *area, *channel;
        const struct membership *memberships; size_t n_memberships;
};
struct viewer viewer_copy(struct arena *, const struct viewer *);       /* whole, in that arena */
/* Ranges that a membership leaves open are those of the pack (ranges.csv).  The tree of units is that of `rules`: give the active. */
struct sight sight_make(struct arena *, const struct rulebook *, const struct viewer *);
bool sight_none(const struct sight *);          /* sees no case whatsoever */

/* Appends a condition on the case c (a row of `cases` under that name): it is seen.  sight NULL: nothing is, for it
 * is what is left when a sight could not be made. */
void sight_seen(struct query *, const struct sight *);
/* Likewise, for lists that the public may see: what somebody reported in confidence is shown only to who sees it whole. */
void sight_visible(struct query *, const struct sight *);
/* Whether every case that unit is in charge of, or that lies in that area, is seen; NULL = no such condition.
 * No sight stands for the program, which sees all. */
bool sight_covers(const struct sight *, const char *unit, const char *subdistrict, const char *community, const char *grid);
/* Whether that case is seen, inside a transaction; always without a sight, which is the program's.  Fails only as the store does. */
bool sight_sees(struct tx *, struct arena *, const struct sight *, int64_t case_id, bool *yes, struct err *) MUST_CHECK;
#endif
