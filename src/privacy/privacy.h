/* privacy/privacy.h -- reporters' personal data: kept sealed, shown masked, opened for a purpose only, erased in time.
 *
 * This folder alone writes and opens the table reporter.  Whoever sees more than the masked view, finds a reporter by a phone number
 * or erases one leaves a row in personal_access, in the same transaction; those rows are never changed.
 */
#ifndef PRIVACY_PRIVACY_H
#define PRIVACY_PRIVACY_H
#include "base/base.h"
struct arena;
struct district;
struct json;
struct mover;
struct pack_part;
struct route;
struct store;
struct timer_kind;
struct tx;

/* --- kept ------------------------------------------------------------------------------------------------------------- */
struct reporter { const char *name, *phone, *email; bool confidential; };      /* NULL or "" = unsaid */
struct sealed_reporter;
/* Before the transaction.  *out is NULL when nothing was said of the person. */
bool reporter_seal(struct district *, struct arena *, int64_t report, const struct reporter *, struct sealed_reporter **out,
                   struct err *) MUST_CHECK;
bool reporter_keep(struct tx *, const struct sealed_reporter *, struct err *) MUST_CHECK;

/* --- masked ------------------------------------------------------------------------------------------------------------- */
struct masked_reporter { bool any, confidential; const char *name, *phone, *email; int64_t erased; };  /* erased: 0 = not */
/* Of the case of that number; of a confidential reporter nothing but that.  Inside a reading transaction.  What does not open is
 * missing, and logged: the case itself can be read all the same. */
bool reporter_masked(struct tx *, struct district *, struct arena *, const char *number, struct masked_reporter *, struct err *) MUST_CHECK;
void masked_json(struct json *, const char *member, const struct masked_reporter *);

/* --- opened for a purpose -------------------------------------------------------------------------------------------------- */
extern const char *const purposes[];    /* verify, handle, call_back, supervise, legal, own_request; ends with NULL */
struct purpose { const char *purpose, *note; };
/* The whole of it.  ERR_DENIED: confidential (clerks and dispatchers only), or too many in this hour; ERR_NOT_FOUND:
 * no such case, one out of sight, or nobody named.  True only when the access is recorded. */
bool reporter_unmask(struct district *, struct arena *, const char *number, const struct mover *, const struct purpose *, int64_t now,
                     struct reporter *, struct err *) MUST_CHECK;

/* Cases whose reporter gave that number, newest first, at most 100.  *complete is false while reporters from before numbers were
 * indexed wait to be sealed anew (reporters_reseal()): they are not found. */
struct found_case { const char *number, *state, *title; int64_t created; bool confidential; };
bool reporter_search(struct district *, struct arena *, const char *phone, const struct mover *, const struct purpose *, int64_t now,
                     struct found_case **, size_t *n, bool *complete, struct err *) MUST_CHECK;

/* Newest first; before: id of the last one of the page before, 0 = the first page.  NULL = any. */
struct access_filter { const char *number, *actor; int64_t before; int limit; };
struct access_row { int64_t id, at, found; const char *actor, *role, *unit, *action, *number, *fields, *purpose, *note; };
bool access_page(struct store *, struct arena *, const struct access_filter *, struct access_row **, size_t *n, struct err *) MUST_CHECK;

/* --- erased ---------------------------------------------------------------------------------------------------------------- */
/* Right to erasure (PIPL, article 47): of one case, or of all with that phone number; the other is NULL.  How many were erased.
 * The cases stay, and so does the fact that somebody reported.  ERR_NOT_FOUND: no such case; ERR_CONFLICT: not all reporters can be
 * found by their number yet (see reporter_search()). */
bool reporter_erase(struct district *, const char *number, const char *phone, const char *reason, int64_t now, int64_t *erased,
                    struct err *) MUST_CHECK;

/* --- keys ------------------------------------------------------------------------------------------------------------------- */
/* Seals with the active key what older ones sealed, some at a time from *after on; *done counts them, *failed those that do not open
 * (they stay as they are).  *more: call again.  May be broken off at any time. */
struct resealing { int64_t after_key, after_report, done, failed; bool more; };
bool reporters_reseal(struct district *, struct resealing *, struct err *) MUST_CHECK;
/* Reporters sealed with that key; -1 = with any but the active one.  Ends counting at 1,000,000,000. */
bool reporters_sealed_by(struct district *, int key, int64_t *n, struct err *) MUST_CHECK;

/* --- at start --------------------------------------------------------------------------------------------------------------- */
/* Sets the timers, for resealing when there is something to reseal. */
bool privacy_start(struct district *, int64_t now, struct err *) MUST_CHECK;
extern const struct timer_kind reporter_reseal_timer, reporter_expiry_timer;
extern const struct pack_part privacy_pack;     /* privacy.yaml */
extern const struct route *const privacy_routes;
#endif
