/* exchange/rows.h -- links and messages: the only writer of exchange_link and exchange_message.  Inside this folder. */
#ifndef EXCHANGE_ROWS_H
#define EXCHANGE_ROWS_H
#include "exchange/message.h"
#include "exchange/table.h"
struct tx;

struct link {                           /* texts live in the arena */
        const char *peer;
        int64_t case_id;
        const char *number, *peer_number;       /* peer_number NULL = not known yet */
        bool ours;                              /* sent by us; else it came from them */
        int64_t sent, acked, received, told;
        const char *word, *received_word, *answer;
        const char *state;                      /* LINK_... */
        bool insisted;
        const char *held, *error;               /* held NULL = nothing waits for a person */
        int64_t changed_at;
};
#define LINK_OPEN "open"
#define LINK_CONFLICT "conflict"
#define LINK_SETTLED "settled"

/* 1 found, 0 none, -1 failed.  By their number, by ours, by the case. */
int link_by_theirs(struct tx *, struct arena *, const char *peer, const char *number, struct link *, struct err *);
int link_by_ours(struct tx *, struct arena *, const char *peer, const char *number, struct link *, struct err *);
/* Links of one case, of any peer; or a page of a peer's behind a case.  In the arena. */
bool links_of_case(struct tx *, struct arena *, int64_t case_id, struct link **, size_t *n, struct err *) MUST_CHECK;
struct link_filter {
        const char *peer;               /* NULL = any, then: */
        const char *number;             /* ours or theirs; NULL = any */
        bool conflicts;
        const char *after_peer; int64_t after;          /* behind this one; "" and 0 = from the first */
        int limit;
};
bool links_page(struct tx *, struct arena *, const struct link_filter *, struct link **, size_t *n, struct err *) MUST_CHECK;
/* ERR_CONFLICT: another case here has their number. */
bool link_add(struct tx *, const struct link *, struct err *) MUST_CHECK;
bool link_save(struct tx *, const struct link *, struct err *) MUST_CHECK;
/* A message was taken by the other side, which calls the case so. */
bool link_acked(struct tx *, const char *peer, int64_t case_id, int64_t revision, const char *peer_number, const char *error,
                struct err *) MUST_CHECK;
bool link_failed(struct tx *, const char *peer, int64_t case_id, const char *error, struct err *) MUST_CHECK;

struct queued { int64_t id, case_id, revision, stamp; const char *body; int tries; };
/* Puts a message and sets the peer's timer. */
bool queue_put(struct tx *, int64_t id, const struct link *, const char *body, int64_t now, struct err *) MUST_CHECK;
/* The next that is due, of a case none of whose earlier ones waits, leased until `until`: 1, 0 none, -1 failed. */
int queue_take(struct tx *, struct arena *, const char *peer, int64_t now, int64_t until, struct queued *, struct err *);
/* What became of it; nothing when the lease was lost (*lost). */
bool queue_settle(struct tx *, const struct queued *, const char *state, const char *error, int64_t now, bool *lost, struct err *) MUST_CHECK;
/* Tried again at `when`, like everything that waits for this peer and was due before. */
bool queue_rest(struct tx *, const char *peer, const struct queued *, const char *error, int64_t when, struct err *) MUST_CHECK;
/* Those that wait for any peer, and links in conflict; counts end at 100,000. */
bool queue_counts(struct store *, int64_t *waiting, int64_t *conflicts, struct err *) MUST_CHECK;
/* Sets the peer's timer to the next that waits; none: does nothing. */
bool queue_wake(struct tx *, const char *peer, struct err *) MUST_CHECK;
/* Deletes what the peer took before that instant. */
bool queue_forget(struct tx *, const char *peer, int64_t before, struct err *) MUST_CHECK;
bool queue_waits(struct tx *, const char *peer, int64_t case_id, int64_t *n, struct err *) MUST_CHECK;
#endif
