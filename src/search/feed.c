/* search/feed.c -- the index: fed by the outbox, built for what is older, made anew.  Writes only tables "search...".
 *
 * Texts are taken apart outside of any transaction.  The transaction that writes reads the case again, and when it is another by
 * then nothing is written and all begins anew: so an old state never overwrites a newer one, whoever else feeds the index.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/text.h"
#include "district/district.h"
#include "search/inside.h"
#include "task/task.h"

static const char SQL_IDS[] = "SELECT id FROM cases WHERE number IN ";
static const char SQL_NEXT[] = "SELECT id FROM cases WHERE id > $1 ORDER BY id LIMIT $2";
static const char SQL_DIGESTS[] = "SELECT id, digest FROM search_case WHERE id IN ";
static const char SQL_DIGEST[] =
        "INSERT INTO search_case (id, digest) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET digest = excluded.digest";
/* SQLite */
static const char SQL_FORGET[] = "DELETE FROM search_index WHERE rowid = $1";
static const char SQL_ADD[] = "INSERT INTO search_index (rowid, terms) VALUES ($1, $2)";
static const char SQL_EMPTY_SQLITE[] = "INSERT INTO search_index (search_index) VALUES ('delete-all')";
/* PostgreSQL */
static const char SQL_PUT[] =
        "INSERT INTO search_index (id, terms) VALUES ($1, $2::tsvector) ON CONFLICT (id) DO UPDATE SET terms = excluded.terms";
static const char SQL_EMPTY_POSTGRES[] = "DELETE FROM search_index";

static const char SQL_EMPTY_CASES[] = "DELETE FROM search_case";
static const char SQL_BUILD[] = "SELECT after, done FROM search_build WHERE id = 1";
static const char SQL_BEGIN_BUILD[] = "UPDATE search_build SET after = 0, done = 0 WHERE id = 1";
static const char SQL_BUILT[] = "UPDATE search_build SET after = $1, done = $2 WHERE id = 1 AND after = $3";

/* PIECE: cases in one transaction; few enough that reports that wait behind it on SQLite do not notice. */
enum { PIECE = 32, TRIES = 5 };

/* --- some cases ---------------------------------------------------------------------------------------------------------- */

struct entry {
        struct doc doc;
        const char *terms;
        int64_t digest;
        bool known, write;
        int64_t known_digest;
};
struct piece {
        struct district *district;
        const struct fold *fold;
        struct arena *arena;
        const int64_t *ids;
        size_t n_ids;
        struct entry at[PIECE];
        size_t n;
        bool stale;
};

static bool read_digests(struct tx *tx, struct piece *p, struct err *e)
{
        struct query q = query_new(p->arena);
        struct rows r;
        query_text(&q, SQL_DIGESTS);
        query_ints(&q, p->ids, p->n_ids);
        const struct value *args = query_args(&q);
        const bool ok = tx_rows(tx, &r, e, q.text.at, args);
        while (ok && rows_next(&r))
                for (size_t i = 0; i < p->n; i++)
                        if (p->at[i].doc.id == rows_int(&r, 0)) {
                                p->at[i].known = true;
                                p->at[i].known_digest = rows_int(&r, 1);
                        }
        buf_free(&q.text);
        return ok && rows_done(&r, e);
}

static bool read_piece(struct tx *tx, void *ctx, struct err *e)
{
        struct piece *p = ctx;
        struct doc docs[PIECE];
        if (!docs_read(tx, p->arena, p->ids, p->n_ids, docs, &p->n, e))
                return false;
        for (size_t i = 0; i < p->n; i++)
                p->at[i] = (struct entry){.doc = docs[i]};
        return read_digests(tx, p, e);
}

static bool take_apart(struct piece *p, bool always, bool *any, struct err *e)
{
        struct parts *parts = NEW(p->arena, struct parts);
        *any = false;
        for (size_t i = 0; i < p->n; i++) {
                struct entry *x = &p->at[i];
                const struct rulebook *rules = district_rules_of(p->district, x->doc.version, e);
                if (!rules)
                        return false;
                doc_parts(p->fold, p->arena, rules, &x->doc, parts);
                x->terms = doc_terms(p->arena, &x->doc, parts);
                x->digest = (int64_t)hash_bytes(x->terms, strlen(x->terms), 0);
                x->write = always || !x->known || x->known_digest != x->digest;
                *any = *any || x->write;
        }
        return true;
}

static bool put_terms(struct tx *tx, const struct entry *x, struct err *e)
{
        if (tx_is_postgres(tx))
                return tx_send(tx, e, SQL_PUT, ARGS(V(x->doc.id), V(x->terms)));
        return tx_change(tx, e, SQL_FORGET, ARGS(V(x->doc.id))) >= 0 && tx_send(tx, e, SQL_ADD, ARGS(V(x->doc.id), V(x->terms)));
}

static bool write_entry(struct tx *tx, const struct entry *x, struct err *e)
{
        return put_terms(tx, x, e) && tx_send(tx, e, SQL_DIGEST, ARGS(V(x->doc.id), V(x->digest)));
}

static bool write_piece(struct tx *tx, void *ctx, struct err *e)
{
        struct piece *p = ctx;
        struct doc docs[PIECE];
        size_t n;
        p->stale = false;
        if (!docs_read(tx, p->arena, p->ids, p->n_ids, docs, &n, e))
                return false;
        for (size_t i = 0; i < p->n && !p->stale; i++)
                p->stale = n != p->n || docs[i].id != p->at[i].doc.id || docs[i].raw != p->at[i].doc.raw;
        for (size_t i = 0; i < p->n && !p->stale; i++)
                if (p->at[i].write && !write_entry(tx, &p->at[i], e))
                        return false;
        return true;
}

static bool feed_piece(struct piece *p, bool always, struct err *e)
{
        for (int try = 0; try < TRIES; try++) {
                bool any;
                arena_reset(p->arena);
                if (!store_read(p->district->store, read_piece, p, e) || !take_apart(p, always, &any, e))
                        return false;
                if (!any)
                        return true;
                if (!store_write(p->district->store, write_piece, p, e))
                        return false;
                if (!p->stale)
                        return true;
        }
        return err_set(e, ERR_BUSY, "cases change while they are brought into the search index");
}

bool feed_cases(struct district *d, const int64_t *ids, size_t n, bool always, struct err *e)
{
        struct piece p = {.district = d, .fold = district_fold(d, e), .arena = arena_new()};
        bool ok = p.fold != NULL;
        for (size_t i = 0; ok && i < n; i += PIECE) {
                p.ids = ids + i;
                p.n_ids = n - i < PIECE ? n - i : PIECE;
                ok = feed_piece(&p, always, e);
        }
        arena_free(&p.arena);
        return ok;
}

/* --- from the outbox ----------------------------------------------------------------------------------------------------- */

struct found {
        struct arena *arena;
        const char *numbers[DOCS_ONCE];
        size_t n_numbers;
        int64_t ids[DOCS_ONCE];
        size_t n;
};

static bool find_ids(struct tx *tx, void *ctx, struct err *e)
{
        struct found *f = ctx;
        struct query q = query_new(f->arena);
        struct rows r;
        query_text(&q, SQL_IDS);
        query_texts(&q, f->numbers, f->n_numbers);
        const struct value *args = query_args(&q);
        const bool ok = tx_rows(tx, &r, e, q.text.at, args);
        for (f->n = 0; ok && rows_next(&r) && f->n < DOCS_ONCE;)
                f->ids[f->n++] = rows_int(&r, 0);
        buf_free(&q.text);
        return ok && rows_done(&r, e);
}

/* Of all that is told of a case, what may change its texts or whom it belongs to; numbers once each. */
static bool concerns(const struct event *event)
{
        return text_is(event->topic, "case") || text_is(event->topic, "note") || text_is(event->topic, "erased");
}

static bool take(void *ctx, const struct event *events, size_t n, struct err *e)
{
        struct district *d = ctx;
        struct arena *a = arena_new();
        struct found *f = NEW(a, struct found);
        struct map *seen = map_new(a, n);
        f->arena = a;
        assert(n <= DOCS_ONCE);
        for (size_t i = 0; i < n; i++)
                if (concerns(&events[i]) && !map_put(seen, events[i].key, f))
                        f->numbers[f->n_numbers++] = events[i].key;
        const bool ok = f->n_numbers == 0 || (store_read(d->store, find_ids, f, e) && feed_cases(d, f->ids, f->n, false, e));
        arena_free(&a);
        return ok;
}

const struct consumer search_consumer = {
        .name = "search",
        .about = "Brings new and changed cases into the search index.",
        .take = take,
};

/* --- what is older, and all anew ----------------------------------------------------------------------------------------- */

struct step {
        int64_t after, next;
        bool done, always;
        int64_t ids[DOCS_ONCE];
        size_t n;
};

static bool read_step(struct tx *tx, void *ctx, struct err *e)
{
        struct step *s = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_BUILD, NO_ARGS);
        s->n = 0;
        s->done = found > 0 && rows_int(&r, 1) != 0;
        s->after = found > 0 ? rows_int(&r, 0) : 0;
        if (found < 0 || (found > 0 && !rows_done(&r, e)))
                return false;
        if (s->done)
                return true;
        const bool ok = tx_rows(tx, &r, e, SQL_NEXT, ARGS(V(s->after), V(DOCS_ONCE)));
        while (ok && s->n < DOCS_ONCE && rows_next(&r))
                s->ids[s->n++] = rows_int(&r, 0);
        return ok && rows_done(&r, e);
}

/* Somebody else may have gone on, or begun anew: then the mark is his. */
static bool mark_step(struct tx *tx, void *ctx, struct err *e)
{
        const struct step *s = ctx;
        return tx_change(tx, e, SQL_BUILT, ARGS(V(s->n ? s->ids[s->n - 1] : s->after), V(s->n ? 0 : 1), V(s->after))) >= 0;
}

static bool build_step(struct district *d, struct step *s, struct err *e)
{
        if (!store_read(d->store, read_step, s, e))
                return false;
        return s->done || (feed_cases(d, s->ids, s->n, s->always, e) && store_write(d->store, mark_step, s, e));
}

static bool set_next(struct tx *tx, void *ctx, struct err *e)
{
        return timer_set(tx, search_build_timer.name, "all", *(const int64_t *)ctx, NULL, e);
}

/* A while at a time, so that a server that stops need not wait long. */
static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        enum { WHILE = 2 * USEC_SECOND };
        struct district *d = ctx;
        struct step s = {.done = false};
        const int64_t end = clock_steady() + WHILE;
        int64_t next = now;
        (void)timer;
        while (!s.done && clock_steady() < end)
                if (!build_step(d, &s, e))
                        return false;
        return s.done || store_write(d->store, set_next, &next, e);
}

const struct timer_kind search_build_timer = {
        .name = "search-build",
        .about = "Brings cases from before the search index into it.",
        .run = run,
};

static bool start(struct tx *tx, void *ctx, struct err *e)
{
        return timer_hasten(tx, search_build_timer.name, "all", *(const int64_t *)ctx, e);
}

bool search_start(struct district *d, int64_t now, struct err *e)
{
        return store_write(d->store, start, &now, e);
}

struct beginning {
        bool empty, resumed;
};

static bool begin_build(struct tx *tx, void *ctx, struct err *e)
{
        struct beginning *b = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_BUILD, NO_ARGS);
        b->resumed = found > 0 && rows_int(&r, 0) > 0 && rows_int(&r, 1) == 0;
        if (found < 0 || (found > 0 && !rows_done(&r, e)))
                return false;
        if (b->empty
            && (tx_change(tx, e, tx_is_postgres(tx) ? SQL_EMPTY_POSTGRES : SQL_EMPTY_SQLITE, NO_ARGS) < 0
                || tx_change(tx, e, SQL_EMPTY_CASES, NO_ARGS) < 0))
                return false;
        b->resumed = b->resumed && !b->empty;
        return b->resumed || tx_change(tx, e, SQL_BEGIN_BUILD, NO_ARGS) == 1;
}

bool search_rebuild(struct district *d, const struct rebuild_options *o, struct rebuild_result *out, struct err *e)
{
        struct beginning b = {.empty = o->empty};
        struct step s = {.always = true};
        *out = (struct rebuild_result){0};
        if (!store_write(d->store, begin_build, &b, e))
                return false;
        out->resumed = b.resumed;
        while (!s.done) {
                if (!build_step(d, &s, e))
                        return false;
                out->cases += (int64_t)s.n;
                if (o->progress)
                        o->progress(o->ctx, out->cases);
        }
        return true;
}
