/* http/inside.h -- what the files of this folder share.
 *
 * A request is an exchange: made by uri_seen() when its first line is there, filled by MHD's threads while its bytes
 * come in, answered by a worker while its connection is suspended, sent and freed by MHD's threads again.  It is
 * never touched by two threads at once: the queue and MHD's resume hand it over.
 */
#ifndef HTTP_INSIDE_H
#define HTTP_INSIDE_H
#include "base/arena.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "edge/buckets.h"
#include "edge/guests.h"
#include "edge/tls.h"
#include "http/http.h"
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

struct exchange;

/* --- uri.c: a request's first line taken apart (pure; fuzzed) -------------------------------------------- */
struct pair { const char *name, *value; };
struct uri { char **segments; size_t n_segments; struct pair *query; size_t n_query; };
/* "/a/b%20c?x=1&y=2": decoded segments and pairs.  ERR_INVALID: broken escapes, not UTF-8, NUL, a name given twice, more
 * than 32 segments or 64 pairs. */
bool uri_parse(struct arena *, const char *text, struct uri *, struct err *) MUST_CHECK;
/* The value of `name` in a Cookie header; NULL when absent. */
const char *cookie_value(struct arena *, const char *header, const char *name);

/* --- routes.c: route tables compiled once ------------------------------------------------------------------ */
enum { STATUS_CLASSES = 6 };
struct route_figures {
        atomic_llong classes[STATUS_CLASSES];           /* by status / 100 */
        struct histogram times;
};
struct compiled {
        const struct route *route;
        char **segments; size_t n;      /* "{name}" stands for any one segment, "{name}.xml" for one that ends so, a last "{name*}"
                                           for all that follow */
        bool rest;
        struct route_figures figures;
};
struct route_list { struct compiled *at; size_t n; };
struct route_list routes_compile(struct arena *, const struct route *const *first, const struct route *const *then);
/* The route of method and path; NULL: *allow is "" when no route has the path, else the methods it has. */
struct compiled *routes_find(const struct route_list *, const char *method, const struct uri *, char allow[64]);
/* Whose way of refusing holds for an address without route: the first route that has the path, whatever its method; NULL. */
const struct route *routes_near(const struct route_list *, const struct uri *);
const char *route_param(struct arena *, const struct compiled *, const struct uri *, const char *name);

/* --- check.c: what the route table demands of a request ------------------------------------------------------ */
/* Everything before the handler: query, caller, role, rate, body.  False with the status to answer. */
bool exchange_check(struct exchange *, int *status, struct err *) MUST_CHECK;

/* --- pool.c: the workers and their bounded queue ---------------------------------------------------------------- */
struct pool;
struct pool *pool_new(int workers, int queue, int slow_most, void (*run)(struct exchange *));
bool pool_put(struct pool *, struct exchange *, bool slow);     /* false: the queue is full */
void pool_figures(struct pool *, int *waiting, int *running);
void pool_free(struct pool **);                                 /* runs what waits, joins */

/* --- live.c: server-sent events -------------------------------------------------------------------------------- */
struct lives;
struct lives *lives_new(int most);
struct MHD_Response *live_response(struct lives *, struct MHD_Connection *, const struct stream *, void *ctx);    /* NULL: too many */
void lives_wake(struct lives *);
int lives_count(struct lives *);
void lives_end(struct lives *);         /* every stream ends; joins the thread */
void lives_free(struct lives **);       /* after MHD has stopped */

/* --- server ------------------------------------------------------------------------------------------------------ */
struct server {
        struct server_options options;
        struct arena *arena;
        struct route_list routes;
        struct MHD_Daemon *daemon;
        struct pool *pool;
        struct lives *lives;
        struct buckets *buckets;
        struct guests *guests;
        struct tls *tls;                /* NULL: plain HTTP */
        atomic_int rate_reads, rate_writes, rate_key;
        atomic_bool access_log;
        struct address proxy;           /* unknown: none is trusted */
        struct buf openapi;
        char openapi_etag[24];
        int port;
        int64_t started;
        char id_prefix[12];
        atomic_llong ids, in_flight, refused;
        atomic_bool stopping, stranger_told;
};

enum phase { READING, WAITING, ANSWERED };
struct header { const char *name, *value; struct header *next; };
struct exchange {
        struct server *server;
        struct MHD_Connection *connection;
        struct arena *arena;
        enum phase phase;
        bool begun, too_large;
        struct uri uri;
        struct err uri_fault;
        bool uri_ok;
        int head_status;                /* 0 = the head is well-formed; else the answer, with head_fault */
        struct err head_fault;
        bool close;                     /* the connection ends with this answer */
        struct guest *guest;            /* of the connection; NULL in tests without one */
        struct address client;
        struct compiled *compiled;
        char allow[64];
        struct buf body;
        struct request rq;
        struct reply rp;
        struct header *headers;
        struct MHD_Response *response;
        unsigned status;
        size_t sent;
        int64_t started;                /* steady */
        struct exchange *next;          /* in the pool's queue */
};
extern const struct route *const server_routes;         /* /healthz, /readyz, /metrics, /api/openapi.json (own_api.c) */
/* MHD's callbacks (exchange.c). */
void *exchange_new(void *ctx, const char *uri, struct MHD_Connection *);
enum MHD_Result exchange_on(void *ctx, struct MHD_Connection *, const char *url, const char *method, const char *version,
                            const char *bytes, size_t *n, void **cls);
void exchange_connection(void *ctx, struct MHD_Connection *, void **guest, enum MHD_ConnectionNotificationCode);
enum MHD_Result exchange_admit(void *ctx, const struct sockaddr *, socklen_t);
void exchange_done(void *ctx, struct MHD_Connection *, void **cls, enum MHD_RequestTerminationCode);
void exchange_run(struct exchange *);                   /* on a worker: check, handler, response, resume */
void exchange_finish(struct exchange *);                /* rp becomes a response */
void exchange_refuse(struct exchange *, int status, const struct err *);       /* a refusal becomes the response */
void problem_answer(struct reply *, const struct request *, int status, const struct err *);
/* The OpenAPI 3.1 document of the routes. */
void openapi_write(const struct route_list *, const char *title, const char *release, struct buf *out);
void figures_count(struct compiled *, unsigned status, int64_t usec);
void figures_write(struct server *, struct buf *);
#endif
