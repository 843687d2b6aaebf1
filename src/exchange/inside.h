/* exchange/inside.h -- telling the other side, hearing it, and calling it.  Inside this folder. */
#ifndef EXCHANGE_INSIDE_H
#define EXCHANGE_INSIDE_H
#include "exchange/rows.h"
struct buf;
struct cursor;
struct json_value;
struct mover;

/* What one transaction about one peer works with. */
struct work {
        struct district *district;
        const struct rulebook *rules;   /* the active ones */
        const struct peer *peer;
        struct arena *arena;
        struct tx *tx;
        int64_t now;
};
struct case_facts {
        int64_t id, seq, version;
        const char *number, *state, *workflow, *unit, *channel, *area;  /* area: the smallest known */
        const char *external_id;        /* of its report; NULL */
        bool open;
        struct told_case told;
};
/* By our number: 1 found, 0 none, -1 failed. */
int case_facts_read(struct tx *, struct arena *, const char *number, struct case_facts *, struct err *);
/* Whether a case that we sent is no longer with the peer's unit: nothing but a move's own word is told of it then. */
bool case_gone(const struct work *, const struct link *, const struct case_facts *);

/* --- tell.c: the caller saves the link afterwards ---------------------------------------------------------------------------- */
/* Puts a message for each row of the case's history that the other side does not know and has a word for. */
bool tell_news(const struct work *, struct link *, const struct case_facts *, struct err *) MUST_CHECK;
/* Puts one message that the case has this status; whole: with all the receiver needs who does not have the case. */
bool tell_again(const struct work *, struct link *, const struct case_facts *, const char *word, bool whole, struct err *) MUST_CHECK;
/* The message that tell_again() would put, as text; its revision is the last one sent. */
bool tell_preview(const struct link *, const struct case_facts *, struct buf *, struct err *) MUST_CHECK;

/* --- take.c ------------------------------------------------------------------------------------------------------------------ */
struct taken { const char *answer; bool created, held; };       /* JSON text of the answer, in the arena */
/* body: the message's bytes, kept when a person must decide.  ERR_INVALID: an unknown status, something the moves need is missing;
 * ERR_NOT_FOUND: the case is not here and the message does not say what it is, or this peer sends no cases; ERR_CONFLICT: the
 * revision came before with another status, or the numbers belong to others; ERR_BUSY: again later. */
bool exchange_take(struct district *, struct arena *, const struct peer *, const struct exchange_message *, const char *body,
                   int64_t now, struct taken *, struct err *) MUST_CHECK;
/* A person's decision of a conflict: theirs, or else ours.  ERR_NOT_FOUND: there is no such conflict; ERR_CONFLICT: their status cannot
 * be followed. */
struct decision { const char *peer, *number, *reason; bool theirs; };
bool exchange_settle(struct district *, struct arena *, const struct decision *, const struct mover *, int64_t now, struct err *) MUST_CHECK;

/* --- call.c: HTTP to a peer (libcurl) ---------------------------------------------------------------------------------------- */
enum { CALL_SECONDS = 20, CALL_ANSWER_MOST = 4 << 20 };
struct caller;
struct caller *caller_new(const struct exchange_settings *, const struct peer_access *);
void caller_free(struct caller **);
/* body NULL: GET, else a signed POST.  *status 0: nobody answered, *e says why (ERR_BUSY). The answer's text is appended to out. */
bool caller_ask(struct caller *, const char *path, const char *body, int64_t now, long *status, struct buf *out, struct err *) MUST_CHECK;
const struct peer_access *peer_access_find(const struct exchange_settings *, const char *code);        /* NULL; settings may be NULL */
#endif
