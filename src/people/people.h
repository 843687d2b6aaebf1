/* people/people.h -- units (a tree, from the pack), accounts, sessions, API keys.
 *
 * Passwords are kept as Argon2id, session and API tokens as SHA-256 of 130 random bits.
 */
#ifndef PEOPLE_PEOPLE_H
#define PEOPLE_PEOPLE_H
#include "base/base.h"
struct arena;
struct store;
struct tx;
struct pack_part;
struct request;
struct route;

/* --- units: one pack version in memory, immutable ------------------------------------------- */
struct unit { const char *code, *name, *name_en, *kind, *parent, *area; };     /* kind: department, subdistrict, office, community, firm, centre */
struct units;
bool units_load(struct tx *, struct arena *, int64_t version, struct units **, struct err *) MUST_CHECK;
const struct unit *unit_find(const struct units *, const char *code);          /* NULL when unknown */
const struct unit *unit_by_name(const struct units *, const char *name);       /* by name or alias (unit_aliases.csv); NULL */
size_t unit_count(const struct units *);
const struct unit *unit_at(const struct units *, size_t);
bool unit_within(const struct units *, const char *code, const char *ancestor);        /* itself counts */
/* The community whose area is `area`, else the subdistrict whose area is `wider`; codes may be ""; NULL when neither has one. */
const struct unit *unit_of_area(const struct units *, const char *area, const char *wider);
const struct unit *unit_fallback(const struct units *);                        /* the pack's unit with fallback = yes */

/* --- ranges: what a membership lets see ------------------------------------------------------------ */
/* RANGE_PACK: what the pack says for the role and the kind of unit (ranges.csv), else the default of the role. */
enum range { RANGE_PACK, RANGE_NONE, RANGE_OWN, RANGE_UNIT, RANGE_SUBTREE, RANGE_AREA, RANGE_DISTRICT };
enum range range_of_name(const char *);         /* "own", "unit", "subtree", "area", "district"; RANGE_PACK when unknown, NULL or "" */
const char *range_name(enum range);             /* "" for RANGE_PACK */
/* By role and unit; unit may be NULL.  Unsaid: clerks, dispatchers, supervisors and administrators see the district, people of a unit
 * their unit with all below it, others nothing. */
enum range range_of(const struct units *, int role, const char *unit);
/* What somebody belongs to.  login: in whose place he stands; NULL = his own. */
enum { MEMBERSHIPS_MOST = 16 };
struct membership { const char *unit, *area, *login; enum range range; };

/* --- accounts, sessions, keys ------------------------------------------------------------------- */
struct account { int64_t id; const char *login, *name, *unit, *area; int role; enum range range; bool disabled; };      /* role: enum role */
int role_of_name(const char *);                 /* "dispatcher" -> ROLE_DISPATCHER; 0 when unknown */
const char *role_name(int role);
bool account_add(struct store *, int64_t id, const char *login, const char *name, int role, const char *unit, const char *area,
                 const char *password, int64_t now, struct err *) MUST_CHECK;  /* password: 10 to 200 characters; ERR_CONFLICT: the login is taken */
bool account_password(struct store *, const char *login, const char *password, struct err *) MUST_CHECK; /* ends its sessions */
bool account_disable(struct store *, const char *login, bool disabled, struct err *) MUST_CHECK;         /* ends its sessions */
bool account_list(struct store *, struct arena *, struct account **, size_t *n, struct err *) MUST_CHECK;

struct session { const char *token, *csrf; int64_t expires; struct account account; };
/* What an account's own unit and area let see; RANGE_PACK: what the pack says. */
bool account_range(struct store *, const char *login, enum range, struct err *) MUST_CHECK;
/* It also belongs to that unit (and area; NULL), as far as `range`; there already: changed.  ERR_NOT_FOUND: no such login. */
bool membership_put(struct store *, const char *login, const struct membership *, struct err *) MUST_CHECK;
bool membership_end(struct store *, const char *login, const char *unit, struct err *) MUST_CHECK;

/* The same answer and the same time for a wrong login and a wrong password.  After 10 failures of a login in 15 minutes: ERR_BUSY.
 *  12 hours. */
bool session_open(struct store *, struct arena *, const char *login, const char *password, int64_t now, struct session *, struct err *) MUST_CHECK;
bool session_close(struct store *, const char *token, struct err *) MUST_CHECK;

/* The key's text is returned once and never stored. */
bool key_add(struct store *, struct arena *, int64_t id, const char *name, int role, const char *channel, int64_t now,
             const char **key, struct err *) MUST_CHECK;
bool key_revoke(struct store *, const char *name, int64_t now, struct err *) MUST_CHECK;
struct key_view { const char *name, *channel; int role; int64_t created, revoked; };
bool key_list(struct store *, struct arena *, struct key_view **, size_t *n, struct err *) MUST_CHECK;

/* server_options.identify: `Authorization: Bearer <key or session token>` or the cookie yiwang_session with X-CSRF-Token.
 * Keeps a bounded cache of tokens for 10 seconds (revocation within that time). */
struct identity_cache;
struct identity_cache *identity_cache_new(void);
void identity_cache_free(struct identity_cache **);
bool people_identify(struct identity_cache *, struct request *, struct err *) MUST_CHECK;

extern const struct pack_part people_pack;
extern const struct route *const people_routes;      /* POST/DELETE/GET /api/v1/session, GET /api/v1/units */
#endif
