/* asks/asks.h -- what one side asks of another on a case, and what becomes of it: extension, suspension, urge, supervision, appeal
 * against overtime, leader's note.
 *
 * Each is asked, decided and answered by moves of the case's workflow, so history, rights and clocks are those of any move; this
 * folder adds the words (guards and effects) and one row for each ask, which carries who, why, until when and the outcome.
 */
#ifndef ASKS_ASKS_H
#define ASKS_ASKS_H
#include "base/base.h"
struct arena;
struct case_part;
struct pack_part;
struct tx;
struct timer_kind;
struct vocabulary;

extern const struct vocabulary ask_words;
extern const struct pack_part asks_pack;        /* levels.csv: who may order supervision, and how long an answer may take */
extern const struct timer_kind ask_timer;       /* ends suspensions; tells of supervision that was not answered in time */
extern const struct case_part asks_part;        /* "asks" of a case's answer */

struct ask_view {                               /* texts live in the arena */
        int64_t n, asked_at, until, decided_at; /* until: end of a suspension, deadline of an answer; 0 = none */
        const char *kind, *state, *level, *unit, *reason_code, *reason, *asked_by, *passed_by, *decided_by, *reply;
};
/* All of a case, oldest first, inside a transaction. */
bool asks_within(struct tx *, struct arena *, int64_t case_id, const struct ask_view **, size_t *n, struct err *) MUST_CHECK;
#endif
