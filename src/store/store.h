/* store/store.h -- one district's database: SQLite or PostgreSQL behind one interface.
 *
 * A transaction is a function.  store_write() returns true only when its commit is durable;
 * on every failure nothing of it is there.  The function may be run more than once, so it does
 * only SQL and its results go into its ctx.  SQL is written in place as `static const char SQL_X[]`
 * with values as typed parameters $1...; the same text runs on both engines.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "base/base.h"
struct archive_figures;
struct archive_options;
struct arena;
struct histogram;
struct store;
struct tx;

/* --- values --------------------------------------------------------------------------- */
enum value_kind { VALUE_END, VALUE_NULL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB };
struct value {
        enum value_kind kind;
        union { int64_t i; double r; const char *text; const void *blob; } u;
        size_t n;       /* BLOB: bytes */
};
struct value value_int(int64_t);
struct value value_bool(bool);
struct value value_real(double);
struct value value_text(const char *);          /* NULL is SQL NULL */
struct value value_blob(const void *, size_t);  /* NULL is SQL NULL */
#define V(x) _Generic((x), int: value_int, int64_t: value_int, bool: value_bool, double: value_real, \
                           char *: value_text, const char *: value_text)(x)
#define V_NULL ((struct value){.kind = VALUE_NULL})
#define V_BLOB(p, n) value_blob((p), (n))
/* The parameters of one statement, in order $1, $2, ...:  tx_change(tx, e, SQL_X, ARGS(V(id), V(name))) */
#define ARGS(...) ((const struct value[]){__VA_ARGS__, {.kind = VALUE_END}})
#define NO_ARGS NULL

/* --- opening ---------------------------------------------------------------------------- */
struct migration { const char *capability; int number; const char *sql; };  /* schema/NNN.sql, embedded */
extern const struct migration all_migrations[]; /* the program's, in the order of src/LAYERS (tools/embed); ends with a NULL capability */

struct store_options {
        const char *dsn;                /* "sqlite:PATH", "sqlite::memory:", "postgres://user@host:port/db?schema=NAME" */
        const struct migration *migrations;     /* in LAYERS order, ends with a NULL capability; NULL runs none */
        int readers;                    /* reading connections; 0 = 4 */
        int writers;                    /* PostgreSQL writing connections, each for up to 32 functions at a time; 0 = 4.  SQLite always has one */
        int batch;                      /* SQLite: most functions in one commit; 0 = 64 */
        int queue;                      /* most waiting writers before ERR_BUSY; 0 = 1024 */
        int busy_ms;                    /* longest wait for a connection or a lock; 0 = 5000 */
        int silence_ms;                 /* PostgreSQL: a server that sends nothing for so long while one waits is taken for lost
                                         * (its machine may hang); 0 = never, for programs whose statements may run long */
        const struct archive_options *archive;  /* SQLite: every commit is archived (archive/archive.h); NULL = not */
};

/* Opens, makes or migrates (one transaction a file, recorded with its SHA-256; a recorded file whose
 * hash has changed, or a schema newer than this program, is refused with ERR_FAULT). */
bool store_open(struct store **, const struct store_options *, struct err *) MUST_CHECK;
void store_close(struct store **);      /* finishes what was accepted, joins its threads, sets NULL */

/* A view whose store_write() always fails with ERR_FAULT, for handlers that must not write.  Lives as long as the store. */
struct store *store_readonly(struct store *);

int store_node(const struct store *);               /* 0..1023, distinct per opening (see base/id.h) */
bool store_is_postgres(const struct store *);
bool store_alive(struct store *, struct err *) MUST_CHECK;      /* one trivial read */
/* Every page of the database file is whole, as far as SQLite can tell; reads all of it.  PostgreSQL looks after its own pages. */
bool store_whole(struct store *, struct err *) MUST_CHECK;
/* A consistent copy while writes go on.  SQLite: a database file at path.  PostgreSQL: ERR_INVALID, says to use pg_dump. */
bool store_backup(struct store *, const char *path, void (*progress)(void *, double share), void *ctx, struct err *) MUST_CHECK;

bool store_archive(const struct store *, struct archive_figures *out);        /* false: nothing is archived */

struct store_figures { int64_t commits, members, retries, alone, queue_now, queue_most, busy, refused, reconnects; };
struct store_figures store_figures(const struct store *);
struct histogram *store_times(struct store *);  /* of writes, from asking to the durable commit */

/* --- transactions ------------------------------------------------------------------------ */
typedef bool tx_fn(struct tx *, void *ctx, struct err *);

/* SQLite: runs on the writer thread, in one commit with its neighbours; a failing member never harms them.
 * PostgreSQL: runs on the calling thread or, together with others that wait, on the thread of one of them; again on a
 * serialization failure or deadlock (at most 5 times), and once when a unique key said no: then it sees who was faster.
 * ERR_BUSY: queue full, locked, disk full, connection lost (the store reconnects by itself); ERR_CONFLICT: a unique
 * or foreign key said no; else what fn reported. */
bool store_write(struct store *, tx_fn *, void *ctx, struct err *) MUST_CHECK;
/* Runs on a reading connection that cannot write, over one snapshot. */
bool store_read(struct store *, tx_fn *, void *ctx, struct err *) MUST_CHECK;

/* --- statements, inside a transaction function ---------------------------------------------- */
/* Rows changed, or -1. */
int tx_change(struct tx *, struct err *, const char *sql, const struct value *) MUST_CHECK;
/* A statement whose count nobody needs, such as an INSERT that adds one row or fails.  On PostgreSQL it travels together with
 * the next one that is waited for, so its failure may be told there, or by the commit; nothing is committed then. */
bool tx_send(struct tx *, struct err *, const char *sql, const struct value *) MUST_CHECK;
/* A statement that changes `usual` rows but for rare cases, such as INSERT ... ON CONFLICT DO NOTHING of something new.  The count, or
 * -1.  On PostgreSQL it travels like tx_send() and `usual` is taken for granted; when it proves wrong, nothing is committed and the
 * function runs again, and then waits for the true count. */
int tx_expect(struct tx *, struct err *, const char *sql, const struct value *, int usual) MUST_CHECK;

/* for (ok = tx_rows(tx, &r, e, SQL, ARGS(...)); ok && rows_next(&r);) ...; ok = ok && rows_done(&r, e);
 * rows_done() must be called after tx_rows() succeeded, also when the loop was left early. */
struct rows { struct tx *tx; void *handle; int row; bool failed; };
bool tx_rows(struct tx *, struct rows *, struct err *, const char *sql, const struct value *) MUST_CHECK;
bool rows_next(struct rows *);
bool rows_done(struct rows *, struct err *) MUST_CHECK;
/* Column i of the present row.  NULL reads as 0, 0.0 and, for texts and blobs, NULL. */
bool rows_null(const struct rows *, int i);
int64_t rows_int(const struct rows *, int i);
double rows_real(const struct rows *, int i);
char *rows_text(const struct rows *, struct arena *, int i);
void *rows_blob(const struct rows *, struct arena *, int i, size_t *n);

/* One row wanted: 1 found (rows_done() must follow), 0 none, -1 failed (for 0 and -1 nothing is open). */
int tx_first(struct tx *, struct rows *, struct err *, const char *sql, const struct value *) MUST_CHECK;
/* One integer wanted; `otherwise` when there is no row or it is NULL. */
bool tx_int(struct tx *, int64_t *out, int64_t otherwise, struct err *, const char *sql, const struct value *) MUST_CHECK;
/* Several statements without parameters, each ended by ';' (migrations and tests only).  Words of the schema
 * dialect are replaced (store/dialect.h). */
bool tx_script(struct tx *, const char *sql, struct err *) MUST_CHECK;
bool tx_is_postgres(const struct tx *);
/* From 0: no other write that is open at the same time in this program has the same number, and seldom one in another program.
 * Who keeps a counter in as many rows as there are writers takes the row of this number, and nobody waits for anybody. */
int tx_writer(const struct tx *);

/* Prepares a statement without running it (the test of every SQL constant). */
bool tx_prepares(struct tx *, const char *sql, struct err *) MUST_CHECK;

/* --- faults on purpose (tests) ----------------------------------------------------------------- */
/* The n-th statement or commit from now fails with ERR_BUSY; 0 = never.  Counts over all threads of this store. */
void store_fail_at(struct store *, int64_t n);
bool store_failed(const struct store *);    /* the planned failure has happened */
#endif
