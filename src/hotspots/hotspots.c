/* hotspots/hotspots.c -- see hotspots.h. */
#include "hotspots/hotspots.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "district/district.h"
#include "json/json.h"
#include "store/store.h"
#include "task/task.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "topics/topics.h"
#include "topictasks/topictasks.h"
#include <pthread.h>
#include <stdlib.h>

static const char SQL_FIRST[] =
        "SELECT COALESCE(MIN(id), 0) - 1 FROM (SELECT id FROM report WHERE received_at > $1 ORDER BY id DESC LIMIT $2) newest";
static const char SQL_PAGE[] =
        "SELECT r.id, r.title, r.text, r.received_at, p.phone_index FROM report r LEFT JOIN reporter p ON p.report_id = r.id"
        " WHERE r.id > $1 AND r.received_at > $2 ORDER BY r.id LIMIT 500";
/* By cases, whose instants have an index; what was split off has no report of its own. */
static const char SQL_YEAR[] =
        "SELECT r.id, r.title, r.text, c.created_at, p.phone_index, c.id FROM cases c JOIN report r ON r.id = c.id"
        " LEFT JOIN reporter p ON p.report_id = r.id WHERE (c.created_at, c.id) > ($1, $2) AND c.created_at <= $3"
        " ORDER BY c.created_at, c.id LIMIT 500";
static const char SQL_CLEAR[] = "DELETE FROM hotspot";
static const char SQL_CLEAR_MEMBERS[] = "DELETE FROM hotspot_member";
static const char SQL_CLEAR_PLACES[] = "DELETE FROM hotspot_place";
static const char SQL_TOPIC[] =
        "INSERT INTO hotspot(n, topic, name, phrases, heat, peak, peak_at, first_at, last_at, reporters, reports, week,"
        " week_before, year_before, surge_p, surges)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
static const char SQL_MEMBER[] = "INSERT INTO hotspot_member(n, k, case_id) VALUES ($1, $2, $3)";
static const char SQL_PLACE[] = "INSERT INTO hotspot_place(n, name, weeks, reporters) VALUES ($1, $2, $3, $4)";
static const char SQL_ROUND[] =
        "INSERT INTO hotspot_round(id, at, reports) VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET at = excluded.at,"
        " reports = excluded.reports";

/* A topic has at least three reporters; places come back in at least four different weeks. */
enum {
        REPORTS_MOST = 20000,
        PAGE = 500,
        TOPICS_MOST = 50,
        MEMBERS_MOST = 200,
        REPORTERS_LEAST = 3,
        WEEKS_LEAST = 4,
        PLACES_MOST = 50
};
static const int64_t window = 90 * USEC_DAY, pause = 5 * USEC_MINUTE, recall_pause = 6 * USEC_HOUR;
static const char key[] = "round";

struct hotspots {
        const struct fold *fold;
        pthread_mutex_t lock; /* one round at a time */
        struct topics *topics;
        int64_t last; /* reports up to this id are in; -1 = none yet */
        int64_t reports;
        int64_t recalled; /* when it was asked what was written a year before; 0 = not yet */
};

bool hotspots_open(struct district *d, struct err *e)
{
        const struct fold *fold = district_fold(d, e);
        if (!fold)
                return false;
        struct hotspots *h = calloc(1, sizeof *h);
        if (!h || pthread_mutex_init(&h->lock, NULL) != 0)
                abort();
        struct rare *rare = rare_new();
        h->fold = fold;
        h->topics = topics_new(&rare, &(struct topics_options){.window = window});
        h->last = -1;
        d->hotspots = h;
        return true;
}

void hotspots_close(struct district *d)
{
        struct hotspots *h = d->hotspots;
        if (!h)
                return;
        topics_free(&h->topics);
        (void)pthread_mutex_destroy(&h->lock);
        free(h);
        d->hotspots = NULL;
}

/* --- reading the reports ---------------------------------------------------------------------------------------------------- */

struct feeding {
        struct hotspots *hotspots;
        struct arena *arena;
        int64_t since;
        size_t n;
        int64_t from, from_id, to; /* of a year before: behind from, up to `to` */
};

static bool find_first(struct tx *tx, void *ctx, struct err *e)
{
        struct feeding *f = ctx;
        return tx_int(tx, &f->hotspots->last, 0, e, SQL_FIRST, ARGS(V(f->since), V((int)REPORTS_MOST)));
}

/* The title made of the first words would count them twice. */
static void read_report(struct feeding *f, const struct rows *r, struct topic_message *m)
{
        size_t bytes;
        struct folded *folded = NEW(f->arena, struct folded), subject = {.n = 0};
        const char *title = rows_text(r, f->arena, 1), *text = rows_text(r, f->arena, 2);
        const bool own = !text_empty(title) && !text_starts(text, title);
        const char *whole = own ? arena_format(f->arena, "%s\n%s", title, text) : text;
        const void *phone = rows_blob(r, f->arena, 4, &bytes);
        fold_text(f->hotspots->fold, f->arena, whole, strlen(whole), folded);
        if (own)
                fold_text(f->hotspots->fold, f->arena, title, strlen(title), &subject);
        *m = (struct topic_message){
                .id = rows_int(r, 0),
                .text = folded,
                .subject = subject.n,
                .time = rows_int(r, 3),
                .reporter = phone ? hash_bytes(phone, bytes, 0) | 1 : 0,
        };
}

static void add_report(struct feeding *f, const struct rows *r)
{
        struct topic_message m;
        read_report(f, r, &m);
        topics_add(f->hotspots->topics, &m);
        f->hotspots->last = m.id;
        f->hotspots->reports++;
        f->n++;
}

static bool feed_page(struct tx *tx, void *ctx, struct err *e)
{
        struct feeding *f = ctx;
        struct rows r;
        f->n = 0;
        bool ok = tx_rows(tx, &r, e, SQL_PAGE, ARGS(V(f->hotspots->last), V(f->since)));
        while (ok && rows_next(&r)) {
                add_report(f, &r);
                arena_reset(f->arena);
        }
        return ok && rows_done(&r, e);
}

static bool feed(struct district *d, int64_t now, struct err *e)
{
        struct feeding f = {.hotspots = d->hotspots, .arena = arena_new(), .since = now - window};
        bool ok = d->hotspots->last >= 0 || store_read(d->store, find_first, &f, e);
        do
                ok = ok && store_read(d->store, feed_page, &f, e);
        while (ok && f.n == PAGE);
        arena_free(&f.arena);
        return ok;
}

static bool recall_page(struct tx *tx, void *ctx, struct err *e)
{
        struct feeding *f = ctx;
        struct topic_message m;
        struct rows r;
        f->n = 0;
        bool ok = tx_rows(tx, &r, e, SQL_YEAR, ARGS(V(f->from), V(f->from_id), V(f->to)));
        while (ok && rows_next(&r)) {
                read_report(f, &r, &m);
                topics_recall(f->hotspots->topics, &m);
                f->from = m.time;
                f->from_id = m.id;
                f->n++;
                arena_reset(f->arena);
        }
        return ok && rows_done(&r, e);
}

/* What was written in the same seven days a year before, counted under the topics of now.  The window ends at the newest report,
 * this at the present: where nothing is reported for long, nothing surges either. */
static bool recall_year(struct district *d, int64_t now, struct err *e)
{
        const int64_t year = 365 * USEC_DAY, week = 7 * USEC_DAY;
        struct hotspots *h = d->hotspots;
        if (h->recalled && now - h->recalled < recall_pause)
                return true;
        struct feeding f = {.hotspots = h, .arena = arena_new(), .from = now - year - week, .to = now - year};
        size_t n = 0;
        bool ok;
        topics_recall_begin(h->topics);
        do {
                ok = store_read(d->store, recall_page, &f, e);
                n += f.n;
        } while (ok && f.n == PAGE && n < REPORTS_MOST);
        arena_free(&f.arena);
        h->recalled = ok ? now : 0;
        return ok;
}

/* --- keeping what was found ------------------------------------------------------------------------------------------------- */

struct found {
        struct arena *arena;
        struct topic *topics;
        size_t n_topics;
        struct chronic_place *places;
        size_t n_places;
        struct joining *joining; /* of each open task */
        size_t n_joining;
        int64_t now, reports;
};
/* What is of the topic of an open task and not in the task yet. */
struct joining {
        int64_t task, topic;
        int64_t *cases;
        size_t n;
};

static char *phrases_json(struct arena *a, const struct topic *t)
{
        struct buf b = BUF_LIMIT(1 << 16);
        struct json j = json_to(&b);
        json_array(&j, NULL);
        for (size_t i = 0; i < t->n_phrases && i < 8; i++)
                json_text(&j, NULL, t->phrases[i]);
        json_array_end(&j);
        char *text = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return text;
}

static bool keep_topic(struct tx *tx, const struct found *f, size_t i, struct err *e)
{
        const struct topic *t = &f->topics[i];
        const int64_t n = (int64_t)i + 1;
        bool ok =
                tx_send(tx, e, SQL_TOPIC,
                        ARGS(V(n), V(t->id), V(t->name), V(phrases_json(f->arena, t)), V(t->heat), V(t->peak), V(t->peak_at),
                             V(t->from), V(t->to), V((int64_t)t->reporters), V((int64_t)t->n_members), V((int64_t)t->surge.now),
                             V((int64_t)t->surge.before), V((int64_t)t->surge.year_before), V(t->surge.p), V(t->surge.is ? 1 : 0)));
        const size_t first = t->n_members > MEMBERS_MOST ? t->n_members - MEMBERS_MOST : 0;
        for (size_t k = first; ok && k < t->n_members; k++)
                ok = tx_send(tx, e, SQL_MEMBER, ARGS(V(n), V((int64_t)(k - first) + 1), V(t->members[k])));
        return ok;
}

static bool keep(struct tx *tx, void *ctx, struct err *e)
{
        const struct found *f = ctx;
        bool ok = tx_change(tx, e, SQL_CLEAR, NO_ARGS) >= 0 && tx_change(tx, e, SQL_CLEAR_MEMBERS, NO_ARGS) >= 0
                  && tx_change(tx, e, SQL_CLEAR_PLACES, NO_ARGS) >= 0 && tx_send(tx, e, SQL_ROUND, ARGS(V(f->now), V(f->reports)));
        for (size_t i = 0; ok && i < f->n_topics; i++)
                ok = keep_topic(tx, f, i, e);
        for (size_t i = 0; ok && i < f->n_places && i < PLACES_MOST; i++)
                ok = tx_send(tx, e, SQL_PLACE,
                             ARGS(V((int64_t)i + 1), V(f->places[i].name), V((int64_t)f->places[i].weeks),
                                  V((int64_t)f->places[i].reporters)));
        for (size_t i = 0; ok && i < f->n_joining; i++)
                ok = topic_task_join(tx, f->joining[i].task, f->joining[i].topic, f->joining[i].cases, f->joining[i].n, f->now, e);
        return ok && timer_set(tx, hotspots_timer.name, key, f->now + pause, NULL, e);
}

/* --- tasks made of topics ----------------------------------------------------------------------------------------------------- */

struct tasks {
        struct arena *arena;
        struct topic_task_cases *at;
        size_t n;
};

static bool read_tasks(struct tx *tx, void *ctx, struct err *e)
{
        struct tasks *t = ctx;
        return topic_tasks_open(tx, t->arena, &t->at, &t->n, e);
}

static int by_value(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

static bool has(const int64_t *ids, size_t n, int64_t id)
{
        return n > 0 && bsearch(&id, ids, n, sizeof *ids, by_value) != NULL;
}

/* A task knows its topic by its cases: ids of topics change as old reports leave the window. */
static bool find_joining(struct topics *topics, const struct topic_task_cases *t, struct arena *a, struct joining *out)
{
        const int64_t *members;
        size_t n;
        if (!topics_holding(topics, a, t->in, t->n_in, &out->topic, &members, &n))
                return false;
        out->task = t->id;
        out->cases = NEW_ARRAY(a, int64_t, n);
        for (size_t i = 0; i < n; i++)
                if (!has(t->in, t->n_in, members[i]) && !has(t->out, t->n_out, members[i]))
                        out->cases[out->n++] = members[i];
        return true;
}

static bool follow_tasks(struct district *d, struct found *f, struct err *e)
{
        struct tasks tasks = {.arena = f->arena};
        if (!store_read(d->store, read_tasks, &tasks, e))
                return false;
        f->joining = NEW_ARRAY(f->arena, struct joining, tasks.n);
        for (size_t i = 0; i < tasks.n; i++)
                f->n_joining += find_joining(d->hotspots->topics, &tasks.at[i], f->arena, &f->joining[f->n_joining]);
        return true;
}

/* --- a round ----------------------------------------------------------------------------------------------------------------- */

static int hottest_first(const void *a, const void *b)
{
        const struct topic *x = a, *y = b;
        if (x->heat != y->heat)
                return x->heat < y->heat ? 1 : -1;
        return (x->id > y->id) - (x->id < y->id);
}

static bool list(struct district *d, struct found *f, struct err *e)
{
        struct hotspots *h = d->hotspots;
        bool waits = false;
        /* topics_list() goes by the peak; here it counts what is hot now. */
        f->n_topics = topics_list(h->topics, f->arena, REPORTERS_LEAST, TOPICS_MOST * 4, &f->topics);
        for (size_t i = 0; i < f->n_topics; i++)
                waits = waits || f->topics[i].surge.waits;
        if (waits) { /* what began since the last recall would look like a surge each season: it is rare enough to ask at once */
                h->recalled = 0;
                if (!recall_year(d, f->now, e))
                        return false;
                f->n_topics = topics_list(h->topics, f->arena, REPORTERS_LEAST, TOPICS_MOST * 4, &f->topics);
        }
        qsort(f->topics, f->n_topics, sizeof *f->topics, hottest_first);
        f->n_topics = f->n_topics > TOPICS_MOST ? TOPICS_MOST : f->n_topics;
        return true;
}

static bool round_of(struct district *d, int64_t now, struct err *e)
{
        struct hotspots *h = d->hotspots;
        if (!feed(d, now, e) || !recall_year(d, now, e))
                return false;
        struct found f = {.arena = arena_new(), .now = now, .reports = h->reports};
        const bool listed = list(d, &f, e);
        f.n_places = topics_places(h->topics, f.arena, WEEKS_LEAST, &f.places);
        const bool ok = listed && follow_tasks(d, &f, e) && store_write(d->store, keep, &f, e);
        arena_free(&f.arena);
        return ok;
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        (void)timer;
        if (!d->hotspots)
                return true;
        (void)pthread_mutex_lock(&d->hotspots->lock);
        const bool ok = round_of(d, now, e);
        (void)pthread_mutex_unlock(&d->hotspots->lock);
        return ok;
}

static bool set_first(struct tx *tx, void *ctx, struct err *e)
{
        const int64_t *now = ctx;
        return timer_hasten(tx, hotspots_timer.name, key, *now, e);
}

bool hotspots_start(struct district *d, int64_t now, struct err *e)
{
        return store_write(d->store, set_first, &now, e);
}

const struct timer_kind hotspots_timer = {
        .name = "hotspots",
        .about = "Finds what many write about just now.",
        .run = run,
};
