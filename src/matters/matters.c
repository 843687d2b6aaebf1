/* matters/matters.c -- see matters.h: the index of same matters, filled and brought up to date. */
#include "matters/inside.h"
#include "matters/matters.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "same/same.h"
#include "store/store.h"
#include "task/task.h"
#include "text/fold.h"
#include "text/phrases.h"
#include "text/shingles.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char SQL_TEXTS[] = "SELECT title, text FROM report ORDER BY id DESC LIMIT 5000";
static const char SQL_LAST[] = "SELECT COALESCE(MAX(id), 0) FROM cases";
#define MATTER_OF \
        "SELECT c.id, r.title, r.text, c.lon, c.lat, c.grid, c.community, c.item, c.created_at FROM cases c" \
        " JOIN report r ON r.id = CASE WHEN c.report > 0 THEN c.report ELSE c.id END"
static const char SQL_NEWER[] = MATTER_OF " WHERE c.id > $1 AND c.id < $2 ORDER BY c.id LIMIT 500";
static const char SQL_OLDER[] = MATTER_OF " WHERE c.id <= $1 ORDER BY c.id DESC LIMIT 500";
static const char SQL_UNLIKE[] =
        "SELECT l.case_id, c.number FROM matter_look l JOIN cases c ON c.id = l.case_id WHERE l.case_id > $1"
        " AND (NOT EXISTS (SELECT 1 FROM matter_like k WHERE k.case_id = l.case_id)"
        " OR EXISTS (SELECT 1 FROM matter_like k WHERE k.case_id = l.case_id AND k.followed = 1 AND k.probability = 0))"
        " ORDER BY l.case_id DESC LIMIT $2";
static const char SQL_FORGET[] = "DELETE FROM matter_look WHERE case_id = $1";
static const char SQL_FORGET_LIKES[] = "DELETE FROM matter_like WHERE case_id = $1";

/* About 57 MB at most.  Ids are given out a little before their commit, by many threads: the last two seconds are read again
 * (an id counts milliseconds above its lowest 22 bits, base/id.h). */
enum { CASES_MOST = 300000, PAGE = 500, OVERLAP_MS = 2000, ID_BITS = 22, AGAIN_MOST = 2000, WAITED_MS = 600000 };

/* --- a case as the index wants it ---------------------------------------------------------------------------------------- */

const char *matter_text(struct arena *a, const char *title, const char *text)
{
        return text_empty(title) || text_starts(text, title) ? text : arena_format(a, "%s\n%s", title, text);
}

void matter_make(const struct matters *m, const struct rulebook *rules, struct arena *a, const struct matter_question *q,
                 struct folded *folded, struct matter *out)
{
        const char *text = matter_text(a, q->title, q->text);
        const struct item *item = text_empty(q->item) ? NULL : item_find(rules->catalogue, q->item);
        fold_text(m->fold, a, text, strlen(text), folded);
        *out = (struct matter){
                .id = q->id,
                .text = folded,
                .has_point = q->has_point,
                .point = q->point,
                .grid = text_empty(q->grid) ? NULL : q->grid,
                .community = text_empty(q->community) ? NULL : q->community,
                .item = item ? item->code : NULL,
                .item_group = item && item->parent ? item->parent->code : NULL,
                .time = q->time,
        };
}

/* --- opening ------------------------------------------------------------------------------------------------------------ */

struct learning {
        const struct fold *fold;
        struct rare *rare;
};

static bool learn_texts(struct tx *tx, void *ctx, struct err *e)
{
        struct learning *l = ctx;
        struct arena *a = arena_new();
        struct rows r;
        bool ok = tx_rows(tx, &r, e, SQL_TEXTS, NO_ARGS);
        while (ok && rows_next(&r)) {
                struct folded f;
                const char *text = matter_text(a, rows_text(&r, a, 0), rows_text(&r, a, 1));
                fold_text(l->fold, a, text, strlen(text), &f);
                rare_learn_text(l->rare, &f);
                arena_reset(a);
        }
        arena_free(&a);
        return ok && rows_done(&r, e);
}

/* --- feeding ------------------------------------------------------------------------------------------------------------ */

struct feeding {
        struct matters *matters;
        const struct rulebook *rules;
        struct arena *arena, *texts; /* emptied behind each case; of a page */
        int64_t from, before;        /* newer ones up to `before`, which is left out */
        bool older;
        struct matter_question *page;
        size_t n, added;
};

/* Texts are read first and taken apart afterwards, when the store is free for others. */
static bool read_page(struct tx *tx, void *ctx, struct err *e)
{
        struct feeding *f = ctx;
        struct rows r;
        struct arena *a = f->texts;
        f->n = 0;
        bool ok = f->older ? tx_rows(tx, &r, e, SQL_OLDER, ARGS(V(f->from)))
                           : tx_rows(tx, &r, e, SQL_NEWER, ARGS(V(f->from), V(f->before)));
        while (ok && f->n < PAGE && rows_next(&r))
                f->page[f->n++] = (struct matter_question){
                        .id = rows_int(&r, 0),
                        .title = rows_text(&r, a, 1),
                        .text = rows_text(&r, a, 2),
                        .has_point = !rows_null(&r, 3),
                        .point = {rows_real(&r, 3), rows_real(&r, 4)},
                        .grid = rows_text(&r, a, 5),
                        .community = rows_text(&r, a, 6),
                        .item = rows_text(&r, a, 7),
                        .time = rows_int(&r, 8),
                };
        return ok && rows_done(&r, e);
}

/* *more: there may be more in that direction. */
static bool feed_page(struct district *d, struct feeding *f, bool *more, struct err *e)
{
        f->texts = arena_new();
        f->page = NEW_ARRAY(f->texts, struct matter_question, PAGE);
        const bool ok = store_read(d->store, read_page, f, e);
        *more = f->n == PAGE;
        f->added = 0;
        for (size_t i = 0; ok && i < f->n; i++) {
                struct folded folded;
                struct matter m;
                f->from = f->older ? f->page[i].id - 1 : f->page[i].id;
                if (same_has(f->matters->index, f->page[i].id)) /* of the overlap, or looked at already */
                        continue;
                matter_make(f->matters, f->rules, f->arena, &f->page[i], &folded, &m);
                if (!f->older)
                        same_add(f->matters->index, &m);
                else if (!same_add_before(f->matters->index, &m))
                        *more = false;
                f->added++;
                arena_reset(f->arena);
        }
        arena_free(&f->texts);
        return ok;
}

/* Ids are given out a little before their commit, so it begins below the last one: what comes late is read with what is newer. */
static bool find_last(struct tx *tx, void *ctx, struct err *e)
{
        struct matters *m = ctx;
        if (!tx_int(tx, &m->last, 0, e, SQL_LAST, NO_ARGS))
                return false;
        m->began = m->last;
        m->older = m->last - ((int64_t)OVERLAP_MS << ID_BITS);
        return true;
}

static bool feed_older(struct district *d, const struct rulebook *rules, struct arena *a, struct err *e)
{
        struct matters *m = d->matters;
        struct feeding f = {.matters = m, .rules = rules, .arena = a, .from = m->older, .older = true};
        bool more;
        if (!feed_page(d, &f, &more, e))
                return false;
        m->older = more ? f.from : 0;
        return true;
}

/* Whoever asks first has the newest page at once. */
static bool begin(struct district *d, const struct rulebook *rules, struct err *e)
{
        struct matters *m = d->matters;
        if (m->last >= 0)
                return true;
        struct arena *a = arena_new();
        const bool ok = store_read(d->store, find_last, m, e) && feed_older(d, rules, a, e);
        if (!ok)
                m->last = -1;
        arena_free(&a);
        return ok;
}

bool matters_feed(struct district *d, const struct rulebook *rules, bool whole, int64_t before, struct err *e)
{
        struct matters *m = d->matters;
        if (!m)
                return true;
        struct feeding f = {.matters = m, .rules = rules, .arena = arena_new(), .before = before ? before : INT64_MAX};
        bool more = true;
        /* Who will not wait asks the index as it is, while somebody else is feeding it. */
        if (whole ? pthread_mutex_lock(&m->feeding) != 0 : pthread_mutex_trylock(&m->feeding) != 0) {
                arena_free(&f.arena);
                return true;
        }
        bool ok = begin(d, rules, e);
        f.from = m->last - ((int64_t)OVERLAP_MS << ID_BITS);
        do {
                ok = ok && feed_page(d, &f, &more, e);
                if (ok && f.from > m->last)
                        m->last = f.from;
        } while (ok && more && (whole || f.added == 0));
        (void)pthread_mutex_unlock(&m->feeding);
        arena_free(&f.arena);
        return ok;
}

/* --- filling ------------------------------------------------------------------------------------------------------------ */

static bool fill_some(struct district *d, struct arena *a, struct err *e)
{
        const struct rulebook *rules = district_rules(d, e);
        if (!rules)
                return false;
        (void)pthread_mutex_lock(&d->matters->feeding);
        const bool ok = begin(d, rules, e);
        (void)pthread_mutex_unlock(&d->matters->feeding);
        return ok && (d->matters->older <= 0 || feed_older(d, rules, a, e));
}

/* Of this thread: what it has worked, however busy the machine is. */
static int64_t cpu_ms(void)
{
        struct timespec t = {0};
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct again {
        struct arena *arena;
        int64_t after;
        size_t n;
};

/* Cases that came while older ones were still being read, and were like nothing that was there, or follow one that was not yet:
 * they are looked at again. */
static bool look_again(struct tx *tx, void *ctx, struct err *e)
{
        struct again *g = ctx;
        struct rows r;
        int64_t *ids = NEW_ARRAY(g->arena, int64_t, AGAIN_MOST);
        const char **numbers = NEW_ARRAY(g->arena, const char *, AGAIN_MOST);
        g->n = 0;
        bool ok = tx_rows(tx, &r, e, SQL_UNLIKE, ARGS(V(g->after), V((int)AGAIN_MOST)));
        for (; ok && g->n < AGAIN_MOST && rows_next(&r); g->n++) {
                ids[g->n] = rows_int(&r, 0);
                numbers[g->n] = rows_text(&r, g->arena, 1);
        }
        ok = ok && rows_done(&r, e);
        for (size_t i = 0; ok && i < g->n; i++)
                ok = tx_send(tx, e, SQL_FORGET, ARGS(V(ids[i]))) && tx_send(tx, e, SQL_FORGET_LIKES, ARGS(V(ids[i])))
                     && outbox_put(tx, "same", numbers[i], "{}", clock_now(), e);
        return ok;
}

/* Behind the batch that the consumer may be looking at: what it found in the unfinished index is written by then. */
static bool filled(struct district *d, struct arena *a, int64_t began, struct err *e)
{
        struct matters *m = d->matters;
        struct again again = {.arena = a, .after = m->began - ((int64_t)WAITED_MS << ID_BITS)};
        (void)pthread_mutex_lock(&m->looking);
        const bool ok = store_write(d->store, look_again, &again, e);
        (void)pthread_mutex_unlock(&m->looking);
        if (!ok)
                return false;
        log_event(LOG_INFO, "matters.filled", "cases=%zu ms=%lld cpu_ms=%lld again=%zu", same_size(m->index).cases,
                  (long long)((clock_steady() - began) / 1000), (long long)cpu_ms(), again.n);
        return true;
}

void matters_look_begin(struct district *d)
{
        (void)pthread_mutex_lock(&d->matters->looking);
}

void matters_look_end(struct district *d)
{
        (void)pthread_mutex_unlock(&d->matters->looking);
}

static void *fill(void *ctx)
{
        static const struct timespec pause = {.tv_nsec = 100 * 1000 * 1000};
        enum { PAUSES = 50 };
        struct district *d = ctx;
        struct matters *m = d->matters;
        struct arena *a = arena_new();
        const int64_t started = clock_steady();
        int wait = 0;
        (void)pthread_setname_np(pthread_self(), "matters-fill");
        (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10); /* a thread has a priority of its own on Linux */
        bool done = false;
        while (!done && !atomic_load(&m->stop)) {
                struct err e = {.kind = ERR_NONE};
                const bool all = m->last >= 0 && m->older <= 0;
                if (wait > 0) {
                        wait--;
                        (void)nanosleep(&pause, NULL);
                } else if (all ? !filled(d, a, started, &e) : !fill_some(d, a, &e)) {
                        log_err(LOG_WARN, "matters.fill", &e);
                        wait = PAUSES;
                } else {
                        done = all;
                }
                arena_reset(a);
        }
        arena_free(&a);
        return NULL;
}

/* --- opening and closing ------------------------------------------------------------------------------------------------ */

bool matters_open(struct district *d, struct err *e)
{
        struct learning l = {.fold = district_fold(d, e)};
        if (!l.fold)
                return false;
        l.rare = rare_new();
        if (!store_read(d->store, learn_texts, &l, e)) {
                rare_free(&l.rare);
                return false;
        }
        struct matters *m = calloc(1, sizeof *m);
        if (!m || pthread_mutex_init(&m->feeding, NULL) != 0 || pthread_mutex_init(&m->looking, NULL) != 0)
                abort();
        m->fold = l.fold;
        m->index = same_new(&l.rare, CASES_MOST);
        m->last = -1;
        d->matters = m;
        m->running = pthread_create(&m->thread, NULL, fill, d) == 0;
        return m->running || err_set(e, ERR_FAULT, "no thread can be made that fills the index of same matters");
}

void matters_close(struct district *d)
{
        struct matters *m = d->matters;
        if (!m)
                return;
        atomic_store(&m->stop, true);
        if (m->running)
                (void)pthread_join(m->thread, NULL);
        same_free(&m->index);
        (void)pthread_mutex_destroy(&m->feeding);
        (void)pthread_mutex_destroy(&m->looking);
        free(m);
        d->matters = NULL;
}
