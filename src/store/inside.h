/* store/inside.h -- what the files of store/ share; nobody else includes it.
 *
 * A driver is a const struct of functions; `engine` belongs to it.  Statements reach the driver only
 * through store.c, which counts planned faults and remembers that a transaction is broken: after one
 * failed statement nothing more of it runs and it cannot commit, on both engines alike.
 */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H
#include "base/histogram.h"
#include "store/store.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

struct driver {
        bool (*open)(struct store *, struct err *);     /* on failure nothing is left behind */
        void (*close)(struct store *);
        bool (*write)(struct store *, tx_fn *, void *ctx, struct err *);
        bool (*read)(struct store *, tx_fn *, void *ctx, struct err *);
        bool (*backup)(struct store *, const char *path, void (*progress)(void *, double), void *ctx, struct err *);
        bool (*archive)(const struct store *, struct archive_figures *);
        int (*change)(struct tx *, struct err *, const char *sql, const struct value *);
        bool (*send)(struct tx *, struct err *, const char *sql, const struct value *);
        int (*expect)(struct tx *, struct err *, const char *sql, const struct value *, int usual);
        bool (*rows)(struct tx *, struct rows *, struct err *, const char *sql, const struct value *);
        bool (*next)(struct rows *);
        bool (*done)(struct rows *, struct err *);
        bool (*null)(const struct rows *, int i);
        int64_t (*integer)(const struct rows *, int i);
        double (*real)(const struct rows *, int i);
        const char *(*text)(const struct rows *, int i);
        void *(*blob)(const struct rows *, struct arena *, int i, size_t *n);
        bool (*script)(struct tx *, const char *sql, struct err *);
        bool (*prepares)(struct tx *, const char *sql, struct err *);
        bool postgres;
};

extern const struct driver driver_sqlite, driver_postgres;

struct store {
        const struct driver *driver;
        struct store *root;     /* itself, or the store this is the read-only view of */
        struct store *view;     /* of the root only */
        struct store_options is;        /* with the defaults filled in */
        char *dsn;
        bool temporary;         /* tests: what was made is removed by store_close() */
        int node;
        void *engine;
        atomic_llong fail_at;
        atomic_bool failed;
        struct histogram times;
        struct { atomic_llong commits, members, retries, alone, queue_now, queue_most, busy, refused, reconnects; } count;
};

struct tx {
        struct store *store;
        void *connection;       /* the driver's */
        int writer;             /* number of the writing connection among those of this program */
        bool writes;
        bool planned;           /* the failure was a planned one: running again must not hide it */
        bool broken;
        struct err cause;       /* when broken */
};

/* --- store.c ----------------------------------------------------------------------------- */
bool store_fault(struct store *, struct err *) MUST_CHECK;      /* true: the planned fault strikes here; err is set */
void tx_begin(struct tx *, struct store *, void *connection, int number, bool writes);
/* Runs the function; false also when a statement had failed and the function ignored it. */
bool tx_run(struct tx *, tx_fn *, void *ctx, struct err *) MUST_CHECK;
void store_queue_note(struct store *, long long now);
struct timespec time_after(int ms);     /* on CLOCK_MONOTONIC */
void cond_steady(pthread_cond_t *);     /* makes a condition variable that waits by CLOCK_MONOTONIC */

/* Sentences that users may see, with the same words on both engines.  Always false. */
bool err_busy(struct err *, const char *why);           /* why: English, for the log only */
bool err_full(struct err *e, const char *why);           /* ERR_BUSY too: it may help to try again later */
bool err_damaged(struct err *e, const char *why);
bool err_unwritable(struct err *e, const char *why);     /* sqlite_rows.c */
bool err_conflict(struct err *, const char *what);

/* --- statements.c: prepared statements kept per connection ------------------------------------- */

struct kept {                   /* first member of the driver's statement */
        char *sql;
        struct kept *chain;     /* in its bucket */
};

enum { CACHE_BUCKETS = 256, CACHE_NEAR = 512, CACHE_MOST = 1024 };

struct cache {
        int count;
        struct kept *buckets[CACHE_BUCKETS];    /* by text */
        struct { const char *sql; struct kept *found; } near[CACHE_NEAR];       /* by address, checked by text */
};

struct kept *cache_find(struct cache *, const char *sql);       /* NULL: not kept */
void cache_add(struct cache *, struct kept *);                  /* its sql must be set and live as long */
void cache_remove(struct cache *, struct kept *);
void cache_clear(struct cache *, void (*drop)(struct kept *));

/* --- SQLite ----------------------------------------------------------------------------- */

struct statement {
        struct kept kept;
        struct sqlite3_stmt *q;
        struct statement *open_next, **open_link;       /* among those with open rows */
        unsigned short *place;          /* place[k]: SQLite's number of $k+1, 0 = not named */
        int wants;                      /* highest k */
        bool readonly, once;            /* once: made while the kept one was in use; goes when done */
};

/* A connection is used by one thread at a time. */
struct connection {
        struct sqlite3 *db;
        struct statement *open;
        struct cache cache;
};

struct sqlite {
        char *path;
        char *folder;           /* temporary one, removed at close; or NULL */
        struct writer *writer;
        bool archived;
        struct archive *archive;        /* NULL until it is started, and when nothing is archived */
        pthread_mutex_t lock;   /* of the idle readers */
        pthread_cond_t freed;
        struct connection **idle;
        int idle_count;
};

/* sqlite_rows.c */
bool sqlite_error(struct connection *, int rc, const char *sql, struct err *);  /* always false */
bool sqlite_run(struct connection *, const char *sql, struct err *) MUST_CHECK; /* no parameters, no rows wanted */
bool sqlite_finish(struct connection *, const char *sql, struct err *) MUST_CHECK;     /* resets open rows first */
void sqlite_forget(struct connection *);        /* finalizes every statement */
int sqlite_change(struct tx *, struct err *, const char *sql, const struct value *);
int sqlite_expect(struct tx *, struct err *, const char *sql, const struct value *, int usual);
bool sqlite_send(struct tx *, struct err *, const char *sql, const struct value *);
bool sqlite_rows(struct tx *, struct rows *, struct err *, const char *sql, const struct value *);
bool sqlite_next(struct rows *);
bool sqlite_done(struct rows *, struct err *);
bool sqlite_null(const struct rows *, int i);
int64_t sqlite_integer(const struct rows *, int i);
double sqlite_real(const struct rows *, int i);
const char *sqlite_text(const struct rows *, int i);
void *sqlite_blob(const struct rows *, struct arena *, int i, size_t *n);
bool sqlite_script(struct tx *, const char *sql, struct err *);
bool sqlite_prepares(struct tx *, const char *sql, struct err *);

/* sqlite_writer.c */
/* Owns both connections from now on, the second to checkpoint with; tells `archive`, when there is one, of each commit. */
struct writer *writer_start(struct store *, struct connection *, struct connection *beside, struct archive *);
bool writer_submit(struct writer *, tx_fn *, void *ctx, struct err *) MUST_CHECK;
void writer_stop(struct writer **);     /* finishes the queue, checkpoints, closes the connection */
void connection_close(struct connection **);    /* sqlite.c */

/* sqlite_checkpoint.c */
enum checkpoint_state { CHECKPOINT_NONE, CHECKPOINT_RUNS, CHECKPOINT_REST };
/* Moves what is in the log into the database, as SQLite's `how` says; returns how many pages of the log it now holds.
 * `archive`: or NULL. */
int checkpoint(struct connection *, struct archive *, int how);
struct checkpointer;
/* A thread that checkpoints when asked; owns the connection from now on. */
struct checkpointer *checkpointer_start(struct connection *, struct archive *);
bool checkpointer_ask(struct checkpointer *);   /* false: one runs, or its rest was not fetched */
bool checkpointer_rest(struct checkpointer *);  /* true once after each: what came meanwhile is the writer's */
void checkpointer_stop(struct checkpointer **); /* joins the thread, closes the connection */

/* --- PostgreSQL -------------------------------------------------------------------------- */

enum { SENT_MOST = 48 };        /* statements in one pipeline: what their answers need must fit into the sockets' buffers */

struct link {                   /* one connection, always in pipeline mode; used by one thread at a time */
        struct pg_conn *pg;
        struct cache cache;
        int number;             /* in its pool: no other connection there has the same */
        int silence_ms;         /* see struct store_options */
        int made;               /* statements prepared so far: they are named by number */
        bool dead;              /* lost: to be thrown away */
        bool again;             /* the last failure was a serialization failure or a deadlock */
        bool clash;             /* it was a unique key that said no */
        bool heard;             /* the server has answered in this transaction */
        struct { struct kept *what; bool prepares; int usual; } sent[SENT_MOST];        /* whose answers were not read yet, in order */
        int sent_count;
        bool guesses;           /* some of them are taken to have changed as many rows as usual (usual >= 0) */
        bool careful;           /* no more guesses in this transaction: one was wrong */
        struct pg_result **open;        /* results of open rows */
        int open_count, open_room;
        int room;               /* of the parameter arrays below */
        const char **values;
        int *lengths, *formats;
        char (*numbers)[32];
};

/* One caller's function.  Lives on the caller's stack, who sleeps until it is told. */
enum call_state { CALL_WAITS, CALL_LEADS, CALL_FOLLOWS, CALL_DECIDED, CALL_LATE };
struct call {
        tx_fn *fn;
        void *ctx;
        struct err *err;
        bool ok, planned;       /* planned: it failed on purpose */
        enum call_state state;  /* under the pool's lock, like what follows */
        struct link *link;      /* of one that leads: its connection; NULL = it may make one */
        pthread_cond_t changed;
        struct call *next;
};

struct pool {
        struct store *store;
        pthread_mutex_t lock;
        bool writes;
        int most, made, idle_count, waiting;    /* somebody waits only while `most` are made or being made, and none is idle */
        struct link **idle;
        bool *numbers;          /* taken by a connection */
        int lost;               /* connections lost and not yet replaced */
        int pause;              /* ms, 0 = the server answers */
        int64_t not_before;     /* clock_steady() */
        struct call *first, **last;
};

struct postgres {
        char *conninfo;         /* without our own parameters */
        char schema[64];        /* "" = the server's default */
        struct pool readers, writers;
        pthread_mutex_t again;  /* held by a transaction that runs again, so that the losers do not meet once more */
};

/* postgres.c */
struct link *link_new(struct store *, bool writes, struct err *);      /* NULL: the server is not reached */
void link_free(struct link *);

/* postgres_pool.c */
void pool_open(struct pool *, struct store *, int most, bool writes);
void pool_close(struct pool *);
/* A connection for the call, at once or in its turn.  NULL: somebody else has run it (state CALL_DECIDED), or *e says why not. */
struct link *pool_take(struct pool *, struct call *, struct err *);
/* Takes up to `most` that wait along; they must be told. */
int pool_followers(struct pool *, struct call **out, int most);
void pool_tell(struct pool *, struct call *const *followers, int n);
void pool_give(struct pool *, struct link *);                           /* back, or thrown away when dead */
struct link *pool_renew(struct pool *, struct link *dead, struct err *);       /* another in its place; NULL: none, and the place is free */

/* postgres_tx.c */
bool postgres_transact(struct pool *, tx_fn *, void *ctx, struct err *) MUST_CHECK;

/* postgres_rows.c */
bool postgres_error(struct link *, const struct pg_result *, const char *sql, struct err *);    /* always false */
bool postgres_run(struct link *, const char *sql, struct err *) MUST_CHECK;     /* any number of statements; no rows wanted */
bool postgres_queue(struct link *, const char *sql, const struct value *, struct err *) MUST_CHECK;    /* its answer comes later */
/* Waits for the answers of all that was sent.  The last one's, or NULL with err set by the first that failed. */
struct pg_result *postgres_answer(struct link *, struct err *) MUST_CHECK;
bool postgres_settle(struct link *, struct err *) MUST_CHECK;  /* the same, when anything was sent, and none is wanted */
void postgres_tidy(struct link *);              /* frees the rows a failing function left open */
void postgres_forget(struct link *);            /* frees what is kept on our side */
int postgres_change(struct tx *, struct err *, const char *sql, const struct value *);
int postgres_expect(struct tx *, struct err *, const char *sql, const struct value *, int usual);
bool postgres_send(struct tx *, struct err *, const char *sql, const struct value *);
bool postgres_rows(struct tx *, struct rows *, struct err *, const char *sql, const struct value *);
bool postgres_next(struct rows *);
bool postgres_done(struct rows *, struct err *);
bool postgres_null(const struct rows *, int i);
int64_t postgres_integer(const struct rows *, int i);
double postgres_real(const struct rows *, int i);
const char *postgres_text(const struct rows *, int i);
void *postgres_blob(const struct rows *, struct arena *, int i, size_t *n);
bool postgres_script(struct tx *, const char *sql, struct err *);
bool postgres_prepares(struct tx *, const char *sql, struct err *);

/* --- migrate.c ----------------------------------------------------------------------------- */
bool store_migrate(struct store *, const struct migration *, struct err *) MUST_CHECK;
bool store_take_node(struct store *, struct err *) MUST_CHECK;
#endif
