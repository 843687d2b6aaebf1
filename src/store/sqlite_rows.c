/* store/sqlite_rows.c -- statements on one SQLite connection: kept, bound, stepped.
 *
 * Statements are kept per connection and found by the address of their text (checked by its bytes),
 * so a constant costs one comparison.  Parameters are bound by name, since SQLite numbers $n by first appearance.
 */
#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "store/dialect.h"
#include "store/inside.h"
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>

/* --- errors ------------------------------------------------------------------------------ */

static bool no_room(sqlite3 *db)
{
        int cause = sqlite3_system_errno(db);
        return cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
}

static bool not_writable(sqlite3 *db)
{
        int cause = sqlite3_system_errno(db);
        return cause == EROFS || cause == EACCES || cause == EPERM;
}

bool err_unwritable(struct err *e, const char *words)
{
        log_event(LOG_ERROR, "store.readonly", "cause=\"%s\"", words);
        return err_both(e, ERR_FAULT, NULL,
                        "the database or its folder is read-only for this program: make both writable for its user",
                        "数据库文件或所在目录对本程序只读：请使其可写");
}

/* A key that is there already, or one that is missing; the others are faults of the statement. */
static bool is_conflict(int full)
{
        return full != SQLITE_CONSTRAINT_NOTNULL && full != SQLITE_CONSTRAINT_CHECK && full != SQLITE_CONSTRAINT_DATATYPE;
}

bool sqlite_error(struct connection *c, int rc, const char *sql, struct err *e)
{
        const char *words = sqlite3_errmsg(c->db);
        int full = sqlite3_extended_errcode(c->db);
        switch (rc & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_NOMEM:
                return err_busy(e, words);
        case SQLITE_FULL:
                return err_full(e, words);
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
                if (no_room(c->db))
                        return err_full(e, words);
                if (not_writable(c->db))
                        return err_unwritable(e, words);
                break;
        case SQLITE_READONLY:
                return err_unwritable(e, words);
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return err_damaged(e, words);
        case SQLITE_CONSTRAINT:
                if (is_conflict(full))
                        return err_conflict(e, words);
                break;
        default:
                break;
        }
        return err_set(e, ERR_FAULT, "SQLite: %s (%d) in: %.160s", words, full, sql);
}

/* --- kept statements ------------------------------------------------------------------------ */

static void statement_free(struct statement *s)
{
        sqlite3_finalize(s->q);
        free(s->kept.sql);
        free(s->place);
        free(s);
}

/* Notes which of SQLite's numbers each $k has. */
static bool find_places(struct statement *s, struct err *e)
{
        int n = sqlite3_bind_parameter_count(s->q);
        for (int i = 1; i <= n; i++) {
                const char *name = sqlite3_bind_parameter_name(s->q, i);
                int64_t k;
                if (!name || name[0] != '$' || !text_to_int(name + 1, &k) || k < 1 || k > 32766)
                        return err_set(e, ERR_FAULT, "parameters must be $1, $2, ... in: %.160s", s->kept.sql);
                if (k > s->wants) {
                        s->place = realloc(s->place, (size_t)k * sizeof *s->place);
                        if (!s->place)
                                abort();
                        memset(s->place + s->wants, 0, (size_t)(k - s->wants) * sizeof *s->place);
                        s->wants = (int)k;
                }
                s->place[k - 1] = (unsigned short)i;
        }
        return true;
}

static struct statement *statement_new(struct connection *c, const char *sql, struct err *e)
{
        sqlite3_stmt *q = NULL;
        const char *tail = NULL;
        int rc = sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, &tail);
        if (rc != SQLITE_OK) {
                sqlite_error(c, rc, sql, e);
                return NULL;
        }
        if (!q || tail[strspn(tail, " \t\r\n;")]) {
                sqlite3_finalize(q);
                (void)err_set(e, ERR_FAULT, "exactly one statement is wanted in: %.160s", sql);
                return NULL;
        }
        struct statement *s = calloc(1, sizeof *s);
        if (!s || !(s->kept.sql = strdup(sql)))
                abort();
        s->q = q;
        s->readonly = sqlite3_stmt_readonly(q);
        if (!find_places(s, e)) {
                statement_free(s);
                return NULL;
        }
        return s;
}

static void drop(struct kept *kept)
{
        statement_free((struct statement *)kept);
}

void sqlite_forget(struct connection *c)
{
        assert(!c->open);
        cache_clear(&c->cache, drop);
}

/* A statement that is not in use, or NULL with err set. */
static struct statement *statement_for(struct connection *c, const char *sql, struct err *e)
{
        struct statement *s = (struct statement *)cache_find(&c->cache, sql);
        if (s && !s->open_link)
                return s;
        bool once = s;
        s = statement_new(c, sql, e);
        if (s && once)
                s->once = true;
        else if (s) {
                if (c->cache.count >= CACHE_MOST && !c->open) /* texts made at run time must not pile up */
                        sqlite_forget(c);
                cache_add(&c->cache, &s->kept);
        }
        return s;
}

/* --- binding and stepping --------------------------------------------------------------------- */

static int bind_one(sqlite3_stmt *q, int i, const struct value *v, sqlite3_destructor_type life)
{
        switch (v->kind) {
        case VALUE_INT:
                return sqlite3_bind_int64(q, i, v->u.i);
        case VALUE_REAL:
                return sqlite3_bind_double(q, i, v->u.r);
        case VALUE_TEXT:
                return sqlite3_bind_text(q, i, v->u.text, -1, life);
        case VALUE_BLOB:
                return sqlite3_bind_blob64(q, i, v->u.blob, v->n, life);
        case VALUE_NULL:
        case VALUE_END:
                break;
        }
        return sqlite3_bind_null(q, i);
}

static bool bind_all(struct connection *c, struct statement *s, const struct value *args, sqlite3_destructor_type life,
                     struct err *e)
{
        int n = 0;
        for (; args && args[n].kind != VALUE_END; n++) {
                int i = n < s->wants ? s->place[n] : 0;
                int rc = i ? bind_one(s->q, i, &args[n], life) : SQLITE_OK;
                if (rc != SQLITE_OK)
                        return sqlite_error(c, rc, s->kept.sql, e);
        }
        return n == s->wants || err_set(e, ERR_FAULT, "%d values for %d parameters in: %.160s", n, s->wants, s->kept.sql);
}

static struct statement *ready(struct connection *c, const char *sql, const struct value *args, sqlite3_destructor_type life,
                               struct err *e)
{
        struct statement *s = statement_for(c, sql, e);
        if (!s || bind_all(c, s, args, life, e))
                return s;
        if (s->once)
                statement_free(s);
        return NULL;
}

/* Steps to the end and makes the statement ready for the next use. */
static int run_out(struct statement *s)
{
        while (sqlite3_step(s->q) == SQLITE_ROW)
                ;
        return sqlite3_reset(s->q);
}

int sqlite_change(struct tx *tx, struct err *e, const char *sql, const struct value *args)
{
        struct connection *c = tx->connection;
        struct statement *s = ready(c, sql, args, SQLITE_STATIC, e);
        if (!s)
                return -1;
        int64_t before = sqlite3_total_changes64(c->db);
        int rc = run_out(s);
        if (rc != SQLITE_OK)
                sqlite_error(c, rc, sql, e);
        if (s->once)
                statement_free(s);
        if (rc != SQLITE_OK)
                return -1;
        return sqlite3_total_changes64(c->db) == before ? 0 : sqlite3_changes(c->db);
}

int sqlite_expect(struct tx *tx, struct err *e, const char *sql, const struct value *args, int usual)
{
        (void)usual;
        return sqlite_change(tx, e, sql, args);
}

bool sqlite_send(struct tx *tx, struct err *e, const char *sql, const struct value *args)
{
        return sqlite_change(tx, e, sql, args) >= 0;
}

bool sqlite_run(struct connection *c, const char *sql, struct err *e)
{
        struct statement *s = statement_for(c, sql, e);
        if (!s)
                return false;
        int rc = run_out(s);
        return rc == SQLITE_OK || sqlite_error(c, rc, sql, e);
}

static void open_add(struct connection *c, struct statement *s)
{
        s->open_next = c->open;
        s->open_link = &c->open;
        if (c->open)
                c->open->open_link = &s->open_next;
        c->open = s;
}

static void open_remove(struct statement *s)
{
        *s->open_link = s->open_next;
        if (s->open_next)
                s->open_next->open_link = s->open_link;
        s->open_link = NULL;
}

bool sqlite_finish(struct connection *c, const char *sql, struct err *e)
{
        while (c->open) { /* rows that a failing function left open */
                struct statement *s = c->open;
                c->open = s->open_next;
                if (c->open)
                        c->open->open_link = &c->open;
                s->open_link = NULL;
                sqlite3_reset(s->q);
                if (s->once)
                        statement_free(s);
        }
        return !sql || sqlite_run(c, sql, e);
}

bool sqlite_rows(struct tx *tx, struct rows *r, struct err *e, const char *sql, const struct value *args)
{
        struct connection *c = tx->connection;
        struct statement *s = ready(c, sql, args, SQLITE_TRANSIENT, e); /* the caller's texts may go before the rows do */
        if (!s)
                return false;
        open_add(c, s);
        r->handle = s;
        return true;
}

bool sqlite_next(struct rows *r)
{
        struct statement *s = r->handle;
        if (r->failed)
                return false;
        int rc = sqlite3_step(s->q);
        if (rc == SQLITE_ROW)
                return true;
        r->failed = true; /* or at the end: in both cases not to be stepped again */
        return false;
}

bool sqlite_done(struct rows *r, struct err *e)
{
        struct statement *s = r->handle;
        struct connection *c = r->tx->connection;
        if (!s || !s->open_link)
                return true;
        int rc = s->readonly || r->failed ? sqlite3_reset(s->q) : run_out(s);
        bool ok = rc == SQLITE_OK || sqlite_error(c, rc, s->kept.sql, e);
        open_remove(s);
        if (s->once)
                statement_free(s);
        r->handle = NULL;
        return ok;
}

/* --- columns --------------------------------------------------------------------------------------- */

static sqlite3_stmt *query_of(const struct rows *r)
{
        return ((struct statement *)r->handle)->q;
}

bool sqlite_null(const struct rows *r, int i)
{
        return sqlite3_column_type(query_of(r), i) == SQLITE_NULL;
}

int64_t sqlite_integer(const struct rows *r, int i)
{
        return sqlite3_column_int64(query_of(r), i);
}

double sqlite_real(const struct rows *r, int i)
{
        return sqlite3_column_double(query_of(r), i);
}

const char *sqlite_text(const struct rows *r, int i)
{
        const char *text = (const char *)sqlite3_column_text(query_of(r), i);
        if (!text && sqlite3_column_type(query_of(r), i) != SQLITE_NULL)
                abort(); /* memory is out */
        return text;
}

void *sqlite_blob(const struct rows *r, struct arena *a, int i, size_t *n)
{
        sqlite3_stmt *q = query_of(r);
        *n = 0;
        if (sqlite3_column_type(q, i) == SQLITE_NULL)
                return NULL;
        const void *bytes = sqlite3_column_blob(q, i);
        *n = (size_t)sqlite3_column_bytes(q, i);
        if (!bytes && *n > 0)
                abort();
        return arena_copy(a, bytes ? bytes : "", *n);
}

/* --- scripts ------------------------------------------------------------------------------------------ */

bool sqlite_script(struct tx *tx, const char *sql, struct err *e)
{
        struct connection *c = tx->connection;
        struct arena *a = arena_new();
        char *words = NULL;
        int rc = sqlite3_exec(c->db, dialect_schema(a, sql, false), NULL, NULL, &words);
        bool ok = rc == SQLITE_OK || sqlite_error(c, rc, sql, e);
        sqlite3_free(words);
        arena_free(&a);
        return ok;
}

bool sqlite_prepares(struct tx *tx, const char *sql, struct err *e)
{
        struct statement *s = statement_new(tx->connection, sql, e);
        if (s)
                statement_free(s);
        return s;
}
