/* store/postgres_tx.c -- transactions on PostgreSQL.
 *
 * Writers run REPEATABLE READ: what a function has read cannot be changed under it, as on SQLite; the loser of two that meet
 * runs again.  Functions that wait while all connections are in use run together in one transaction of the first of them, as on
 * SQLite; when one of them fails, all is rolled back and each runs in a transaction of its own.  No outcome is told before the
 * commit.  When the connection dies in COMMIT the outcome is unknown and reported as ERR_BUSY: callers that try again must be
 * idempotent.
 */
#include "base/clock.h"
#include "base/log.h"
#include "store/inside.h"
#include <libpq-fe.h>
#include <stdio.h>
#include <time.h>

static const char SQL_BEGIN_WRITE[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";
static const char SQL_BEGIN_READ[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
static const char SQL_COMMIT[] = "COMMIT";
static const char SQL_ROLLBACK[] = "ROLLBACK";

enum {
        TRIES = 6,    /* the first run and at most 5 more */
        TOGETHER = 32 /* most functions in one transaction */
};
/* STALE: the connection had died while idle; nothing was run.  LOST: it died later; the outcome may be unknown. */
enum outcome { DONE, FAILED, AGAIN, STALE, LOST };

/* --- one transaction ------------------------------------------------------------------------------ */

/* The statement, with what was sent before it; its command tag. */
static bool finish(struct link *c, const char *sql, char tag[32], struct err *e)
{
        PGresult *r = postgres_queue(c, sql, NULL, e) ? postgres_answer(c, e) : NULL;
        if (!r)
                return false;
        (void)snprintf(tag, 32, "%s", PQcmdStatus(r));
        PQclear(r);
        return true;
}

static bool commit(struct store *s, struct link *c, bool writes, struct err *e)
{
        char tag[32];
        if (writes && store_fault(s, e))
                return false;
        /* A wrong guess must show before the commit is under way, and a connection that died while idle too: later the outcome is
         * unknown. */
        if (writes && (c->guesses || !c->heard) && !postgres_settle(c, e))
                return false;
        if (!finish(c, SQL_COMMIT, tag, e)) {
                if (c->dead && writes)
                        log_event(LOG_ERROR, "store.commit", "outcome=unknown cause=\"connection lost\"");
                return false;
        }
        return strcmp(tag, SQL_COMMIT) == 0 || err_set(e, ERR_FAULT, "the transaction was rolled back by PostgreSQL");
}

/* Statements that were sent and not yet answered may fail and take the first ROLLBACK with them. */
static void roll_back(struct link *c)
{
        char tag[32];
        struct err ignored;
        if (!finish(c, SQL_ROLLBACK, tag, &ignored) && !c->dead && !finish(c, SQL_ROLLBACK, tag, &ignored))
                c->dead = true;
}

/* Runs the functions up to the first that fails; *e says why. */
static bool run_all(struct pool *p, struct link *c, struct call *const *m, int n, struct err *e)
{
        for (int i = 0; i < n; i++) {
                struct tx tx;
                tx_begin(&tx, p->store, c, c->number, p->writes);
                m[i]->ok = tx_run(&tx, m[i]->fn, m[i]->ctx, m[i]->err);
                m[i]->planned |= tx.planned;
                postgres_tidy(c);
                if (!m[i]->ok) {
                        *e = *m[i]->err;
                        return false;
                }
        }
        return true;
}

/* careful: it runs again; no row count is guessed, and a unique key that says no once more is the outcome. */
static enum outcome attempt(struct pool *p, struct link *c, struct call *const *m, int n, bool careful, struct err *e)
{
        c->again = c->clash = c->heard = false;
        c->careful = careful;
        const bool began = postgres_queue(c, p->writes ? SQL_BEGIN_WRITE : SQL_BEGIN_READ, NULL, e);
        if (began && run_all(p, c, m, n, e) && commit(p->store, c, p->writes, e))
                return DONE;
        const bool meets = c->again || (c->clash && !careful);
        if (!c->dead)
                roll_back(c);
        if (c->dead)
                return c->heard ? LOST : STALE;
        return meets ? AGAIN : FAILED;
}

/* On a connection that had died while idle nothing has happened yet: a new one takes its place.  *c NULL: there is none. */
static enum outcome attempt_fresh(struct pool *p, struct link **c, struct call *const *m, int n, bool careful, struct err *e)
{
        enum outcome out = attempt(p, *c, m, n, careful, e);
        if (out != STALE)
                return out;
        *c = pool_renew(p, *c, e);
        out = *c ? attempt(p, *c, m, n, careful, e) : LOST;
        return out == STALE ? LOST : out;
}

/* --- one function alone ------------------------------------------------------------------------------- */

/* The losers wait a little, each another time, and then run one by one. */
static void pause_before(int try)
{
        unsigned chance = (unsigned)(clock_steady() ^ (int64_t)(uintptr_t)&chance);
        int64_t ns = (int64_t)(500000 + (chance * 2654435761U >> 12)) << try;
        nanosleep(&(struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}, NULL);
}

static enum outcome run_again(struct pool *p, struct link **c, struct call *m, int try)
{
        struct postgres *engine = p->store->engine;
        struct err e;
        atomic_fetch_add_explicit(&p->store->count.retries, 1, memory_order_relaxed);
        pause_before(try);
        pthread_mutex_lock(&engine->again);
        enum outcome out = attempt_fresh(p, c, &m, 1, true, &e);
        pthread_mutex_unlock(&engine->again);
        if (out != DONE)
                *m->err = e;
        return out;
}

static void count_commit(struct pool *p, int members)
{
        if (!p->writes)
                return;
        atomic_fetch_add_explicit(&p->store->count.commits, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&p->store->count.members, members, memory_order_relaxed);
}

static void run_alone(struct pool *p, struct link **c, struct call *m)
{
        struct err e;
        enum outcome out = attempt_fresh(p, c, &m, 1, false, &e);
        if (out != DONE)
                *m->err = e;
        for (int try = 1; out == AGAIN && !m->planned && *c && try < TRIES; try++)
                out = run_again(p, c, m, try);
        if (out == AGAIN && !m->planned)
                err_busy(m->err, "other writers were faster each time");
        m->ok = out == DONE;
        if (m->ok)
                count_commit(p, 1);
}

/* --- several together ------------------------------------------------------------------------------------ */

static void fail_all(struct call *const *m, int n, const struct err *e)
{
        for (int i = 0; i < n; i++) {
                m[i]->ok = false;
                *m[i]->err = *e;
        }
}

/* Each in a transaction of its own; one that failed on purpose has failed: running again would hide it. */
static void run_apart(struct pool *p, struct link **c, struct call *const *m, int n)
{
        for (int i = 0; i < n; i++) {
                atomic_fetch_add_explicit(&p->store->count.alone, 1, memory_order_relaxed);
                m[i]->ok = false;
                if (m[i]->planned)
                        continue;
                if (*c && (*c)->dead)
                        *c = pool_renew(p, *c, m[i]->err);
                if (!*c) {
                        err_busy(m[i]->err, "the database server is away");
                        continue;
                }
                run_alone(p, c, m[i]);
        }
}

static void run_together(struct pool *p, struct link **c, struct call *const *m, int n)
{
        struct err e;
        switch (attempt_fresh(p, c, m, n, false, &e)) {
        case DONE:
                count_commit(p, n);
                return;
        case LOST:
        case STALE:
                fail_all(m, n, &e);
                return;
        case FAILED:
        case AGAIN:
                run_apart(p, c, m, n);
        }
}

bool postgres_transact(struct pool *p, tx_fn *fn, void *ctx, struct err *e)
{
        struct call me = {.fn = fn, .ctx = ctx, .err = e};
        struct call *m[TOGETHER] = {&me};
        struct link *c = pool_take(p, &me, e);
        if (!c)
                return me.state == CALL_DECIDED && me.ok;
        const int n = 1 + (p->writes ? pool_followers(p, m + 1, TOGETHER - 1) : 0);
        if (n == 1)
                run_alone(p, &c, &me);
        else
                run_together(p, &c, m, n);
        if (c)
                pool_give(p, c);
        pool_tell(p, m + 1, n - 1);
        return me.ok;
}
