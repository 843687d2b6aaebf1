/* http/http.h -- the HTTP server: routes in const tables, a worker pool, problem answers, the OpenAPI page.
 *
 * libmicrohttpd's epoll threads parse and answer; a handler runs on a worker thread, where it may
 * block, while its connection is suspended.  Every queue is bounded: a full one answers 503 with
 * Retry-After.  This folder knows no capability: who the caller is comes from server_options.identify.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H
#include "base/base.h"
#include "base/buf.h"
#include "base/role.h"
#include "json/shape.h"
struct arena;
struct form;
struct membership;
struct store;

struct actor {                  /* who is asking; texts live in the request's arena */
        enum role role;         /* ROLE_PUBLIC when nobody signed in */
        int64_t account;        /* 0 for keys and the public */
        const char *name;       /* login or key name; "public" */
        const char *unit;       /* unit code; NULL when not bound to one */
        const char *area;       /* area code; NULL when not bound to one */
        const char *channel;    /* API keys: the channel they may report for; NULL */
        const struct membership *memberships; size_t n_memberships;    /* of people/; 0: unit and area are all there is */
        const char *csrf;       /* of a session: what changes carry that come by the cookie, and was checked; NULL for keys */
};

struct request {
        struct arena *arena;            /* freed when the answer has been sent */
        struct store *store;            /* read-only for GET */
        void *app;                      /* server_options.app */
        struct actor actor;
        int64_t now;
        const char *id;                 /* request id, also in X-Request-Id and the access log */
        const char *language;           /* "zh" or "en", from ?lang= or Accept-Language; "en" when unsaid */
        const char *address;            /* of the client; the last hop of X-Forwarded-For behind a trusted proxy */
        bool secure;                    /* came encrypted: over TLS to us, or to the trusted proxy (X-Forwarded-Proto) */
        const char *method, *path;
        const struct json_value *body;  /* parsed and checked against the route's shape; NULL without a body */
        const char *raw;                /* the body's bytes, for routes with raw_body */
        size_t raw_n;
        const struct form *form;        /* the parsed body of routes with form_body (form/form.h); else NULL */
        const char *key;                /* the value of route.key_name in query or form; NULL when absent */
        const struct route *route;
        void *inside;                   /* of the server */
};
const char *request_param(const struct request *, const char *name);   /* {name} of the path, decoded; never NULL for a declared one */
const char *request_query(const struct request *, const char *name);   /* NULL when absent; checked UTF-8 */
const char *request_header(const struct request *, const char *name);  /* NULL when absent */
const char *request_cookie(const struct request *, const char *name);  /* NULL when absent */
/* Whether If-Match lets one act on a thing of that version (without quotes): it names it, or any ("*").  W/ in front is overlooked: a
 * proxy that zips an answer puts it there.  Without the header *said is false, and all is allowed. */
bool request_match(const struct request *, const char *version, bool *said);

struct reply {
        int status;                     /* 0 = 200; of 400 and more: that of the refusal, when the handler fails */
        const char *type;               /* NULL = application/json; charset=utf-8 */
        struct buf body;                /* limit 64 MiB */
        struct json json;               /* writes into body */
        const char *etag;               /* without quotes; set before returning: a matching If-None-Match gives 304 */
        /* Writes what a problem says beside its own members, those of route.conflict; NULL = nothing. */
        void (*problem)(const void *ctx, struct json *);
        const void *problem_ctx;
        const struct stream *stream;    /* a live answer (see below) */
        void *stream_ctx;
        void *inside;
};
void reply_header(struct reply *, const char *name, const char *value);        /* both copied; CR, LF and NUL are refused by assert */

typedef bool handler_fn(struct request *, struct reply *, struct err *);
/* Writes a refusal in the form a route's own standard asks for: it sets type and body, and may set another status.  The sentence
 * is in the reader's language and tells nothing of our inside. */
typedef void refuse_fn(const struct request *, struct reply *, int status, const char *sentence);

struct query_param {
        const char *name;
        enum shape_type type;           /* TEXT, INT, REAL, BOOL, TIME: checked before the handler runs */
        bool required;
        double least, most;             /* INT, REAL: value; TEXT: characters (0,0 = at most 200) */
        const char *const *choices;
        const char *about;
};

struct route {
        const char *method;             /* "GET", "POST", "DELETE", "PUT" */
        const char *path;               /* "/api/v1/cases/{number}", "/x/{code}.xml"; a last "{rest*}" takes all that follows */
        unsigned roles;                 /* bits of enum role */
        handler_fn *run;
        const char *about;              /* one sentence */
        const struct query_param *query;        /* ends with {0}; unknown query names are refused; NULL = none */
        const struct shape *body;       /* JSON body; NULL = none wanted */
        const struct shape *answer;     /* members of the 200/201 answer; NULL = no JSON */
        size_t body_most;               /* bytes; 0 = 64 KiB; larger bodies get 413 before they are read */
        bool raw_body;
        bool form_body;                 /* a form (urlencoded or multipart) instead of JSON; `body` then only describes its fields */
        bool any_query;                 /* unknown query names are ignored instead of refused */
        const char *key_name;           /* a key may also stand in query or form, under this name; NULL = only in Authorization */
        /* NULL = a problem (RFC 9457).  It holds for every refusal at addresses the path matches, also before the handler: wrong
         * method, too large, busy; of a "{rest*}" path, for all below that no other route matches. */
        refuse_fn *refuse;
        const char *type;               /* for the OpenAPI page: media type of answers and refusals; NULL = JSON and problems */
        bool list;                      /* the answer is an array of `answer` */
        int per_minute;                 /* most requests a minute from one address without a key or session; 0 = as server_options say */
        bool versioned;                 /* answers say the thing's version in ETag; what changes it heeds If-Match (for the OpenAPI page) */
        const struct shape *conflict;   /* members of a 409 and 412 beside those of every problem; NULL = none */
        bool uncounted;                 /* not counted by rate_reads, rate_writes and rate_key: pages, health */
        bool slow;                      /* may take long (password hashing): at most 4 at a time */
};

/* A live answer: server-sent events.  open() once on a worker; next() whenever streams are woken and the client has
 * room: appends whole events to `out` (may append nothing).  close() exactly once.  All streams' next() run on one thread of the
 * server. */
struct stream {
        bool (*next)(void *ctx, struct buf *out, struct err *);
        void (*close)(void *ctx);
};

struct server;
struct server_options {
        const char *address;            /* NULL = 127.0.0.1 */
        int port;                       /* 0 = any free one */
        const struct route *const *routes;      /* tables, each ends with {0}; the list ends with NULL */
        struct store *store;
        void *app;
        /* Who is asking: fills rq->actor from Authorization or the session cookie (and checks X-CSRF-Token for cookie
         * sessions that change something).  False refuses: ERR_DENIED becomes 401 when no credentials were valid. NULL: everybody
         * is public. */
        bool (*identify)(struct request *, struct err *);
        /* Prometheus lines of the rest of the program; appended to /metrics. May be NULL. */
        void (*metrics)(void *app, struct buf *out);
        /* For /readyz: false says in a sentence why not. May be NULL. */
        bool (*ready)(void *app, struct err *);
        int workers;                    /* 0 = 64 */
        int queue;                      /* waiting requests before 503; 0 = 1024 */
        int connections;                /* 0 = 12000 */
        int connections_per_address;    /* 0 = 512; the trusted proxy is not counted */
        int idle_seconds;               /* slow and idle clients are cut; 0 = 30 */
        int streams;                    /* most live answers; 0 = 1000 */
        /* Requests a minute; 0 = any number.  Of one address (IPv6: one /64) without key or session, reading and changing;
         * of one key or account. */
        int rate_reads, rate_writes, rate_key;
        const char *tls_certificate, *tls_key;  /* PEM files; both or none */
        const char *title, *release;    /* for the OpenAPI page */
        const char *trusted_proxy;      /* address whose X-Forwarded-For and -Proto are believed; NULL = none */
        bool access_log;
};

/* Also serves /healthz, /readyz, /metrics and /api/openapi.json. */
bool server_start(struct server **, const struct server_options *, struct err *) MUST_CHECK;
/* What server_start() would refuse of the trusted proxy and the certificate, without starting. */
bool server_check(const struct server_options *, struct err *) MUST_CHECK;
int server_port(const struct server *);
/* Takes over what may change while it runs: rates, connections_per_address, access_log, and certificate and key, whose files are read
 * anew.  False: the files cannot be used; then nothing has changed. */
bool server_reload(struct server *, const struct server_options *, struct err *) MUST_CHECK;
void server_wake_streams(struct server *);      /* cheap, any thread */
int server_requests(struct server *);           /* that are answered or wait just now; cheap, any thread */
void server_stop(struct server **);             /* finishes what was accepted, joins, sets NULL */

/* Static files embedded in the binary (tools/embed): serves `path` with type by its ending, ETag, gzip when stored so,
 * and for paths without a dot index.html. */
struct asset { const char *path; const unsigned char *bytes; size_t n; bool gzip; const char *etag; };
struct assets { const struct asset *at; size_t n; };
bool reply_asset(const struct request *, struct reply *, const struct assets *, const char *path, struct err *) MUST_CHECK;

/* Problem answer (RFC 9457): {"type","title","status","detail","field"?,"request"}; detail in the reader's language. */
int problem_status(enum err_kind);
void problem_write(struct reply *, const struct request *, const struct err *);

/* Keyset paging: ?after= and ?limit=.  `limit` of the request between 1 and most, `otherwise` when unsaid. */
int request_limit(const struct request *, int otherwise, int most);
/* A time that was checked against its shape (SHAPE_TIME); text NULL = otherwise. */
int64_t request_instant(const char *text, int64_t otherwise);
#endif
