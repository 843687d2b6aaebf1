/* topics/stream.c -- messages join topics, topics merge, old messages go. */
#include "topics/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "text/phrases.h"
#include <math.h>
#include <stdlib.h>

/* Features that are in more texts than this do not lead to a topic by themselves. */
static const double LEADS = 0.3;
enum { HEADS = 1 << 18, NOT_CHECKED = 1 };

void *more_room(void *at, size_t *room, size_t n, size_t size)
{
        if (n < *room)
                return at;
        *room = *room * 2 + 16;
        void *more = realloc(at, *room * size);
        if (!more)
                abort();
        return more;
}

static void *zeroed(size_t n, size_t size)
{
        void *p = calloc(n, size);
        if (!p)
                abort();
        return p;
}

struct topics *topics_new(struct rare **rare, const struct topics_options *given)
{
        struct topics *t = zeroed(1, sizeof *t);
        struct topics_options *o = &t->options;
        *o = given ? *given : (struct topics_options){0};
        o->window = o->window > 0 ? o->window : 90 * USEC_DAY;
        o->half_life = o->half_life > 0 ? o->half_life : 30 * USEC_DAY;
        o->joins = o->joins > 0 ? o->joins : 0.28;
        o->merges = o->merges > 0 ? o->merges : 0.5;
        o->false_alarms = o->false_alarms > 0 ? o->false_alarms : 4;
        t->rare = *rare;
        *rare = NULL;
        t->heads = zeroed(HEADS, sizeof *t->heads);
        t->n_posts = 1;
        return t;
}

static void cluster_free(struct cluster *c)
{
        for (size_t i = 0; i < c->n; i++)
                free(c->members[i]);
        free(c->members);
        free(c->year);
        free(c);
}

void topics_free(struct topics **topics)
{
        struct topics *t = *topics;
        if (!t)
                return;
        for (size_t i = 0; i < t->n; i++)
                cluster_free(t->clusters[i]);
        for (size_t i = 0; i < t->n_waiting; i++) {
                free(t->waiting[i].member);
                free(t->waiting[i].c);
        }
        rare_free(&t->rare);
        free(t->clusters);
        free(t->waiting);
        free(t->posts);
        free(t->heads);
        free(t);
        *topics = NULL;
}

/* --- which topics a vector may be like ------------------------------------------------------------------------------------ */

static void post(struct topics *t, uint32_t hash, size_t cluster)
{
        uint32_t *head = &t->heads[hash_mix(hash) % HEADS];
        for (uint32_t i = *head; i != 0; i = t->posts[i].next)
                if (t->posts[i].hash == hash && t->posts[i].cluster == cluster)
                        return;
        t->posts = more_room(t->posts, &t->posts_room, t->n_posts, sizeof *t->posts);
        t->posts[t->n_posts] = (struct post){hash, (uint32_t)cluster, *head};
        *head = (uint32_t)t->n_posts++;
}

static void post_centre(struct topics *t, size_t cluster)
{
        const struct cluster *c = t->clusters[cluster];
        for (size_t i = 0; i < c->n_centre; i++)
                if (rare_weight(t->rare, c->centre[i].hash) >= LEADS)
                        post(t, c->centre[i].hash, cluster);
}

size_t most_alike(const struct topics *t, const struct feature *f, size_t n, double length, size_t but, double *best)
{
        struct arena *a = arena_new();
        bool *seen = NEW_ARRAY(a, bool, t->n + 1);
        size_t found = SIZE_MAX;
        *best = 0;
        for (size_t i = 0; i < n; i++)
                for (uint32_t p = t->heads[hash_mix(f[i].hash) % HEADS]; p != 0; p = t->posts[p].next) {
                        const size_t k = t->posts[p].cluster;
                        const struct cluster *c = t->clusters[k];
                        if (t->posts[p].hash != f[i].hash || seen[k] || k == but || c->gone)
                                continue;
                        seen[k] = true;
                        const double cosine = dot(f, n, c->centre, c->n_centre) / (length * c->length + 1e-12);
                        if (cosine > *best || (found != SIZE_MAX && k < found && cosine >= *best)) {
                                *best = cosine;
                                found = k;
                        }
                }
        arena_free(&a);
        return found;
}

/* --- joining and merging -------------------------------------------------------------------------------------------------- */

static void put_member(struct cluster *c, struct member *m)
{
        c->members = more_room(c->members, &c->room, c->n, sizeof *c->members);
        c->members[c->n++] = m;
}

static size_t open_cluster(struct topics *t)
{
        t->clusters = more_room(t->clusters, &t->room, t->n, sizeof *t->clusters);
        t->clusters[t->n] = zeroed(1, sizeof **t->clusters);
        return t->n++;
}

/* Who wrote of it a year before; each once. */
static void year_add(struct cluster *c, uint64_t reporter)
{
        for (size_t i = 0; i < c->n_year; i++)
                if (c->year[i] == reporter)
                        return;
        c->year = more_room(c->year, &c->year_room, c->n_year, sizeof *c->year);
        c->year[c->n_year++] = reporter;
}

static void swallow(struct topics *t, size_t one, size_t other)
{
        struct cluster *into = t->clusters[one], *from = t->clusters[other];
        for (size_t i = 0; i < from->n; i++)
                put_member(into, from->members[i]);
        from->n = 0;
        for (size_t i = 0; i < from->n_year; i++)
                year_add(into, from->year[i]);
        from->n_year = 0;
        from->gone = true;
        t->n_gone++;
        cluster_measure(into);
        post_centre(t, one);
}

/* A topic that has grown by half since it was last tried may have grown into another.  The older one takes the other in. */
static void try_merging(struct topics *t, size_t i)
{
        struct cluster *c = t->clusters[i];
        double cosine;
        if (2 * c->reporters < 3 * (c->checked > 0 ? c->checked : NOT_CHECKED))
                return;
        c->checked = c->reporters;
        const size_t other = most_alike(t, c->centre, c->n_centre, c->length, i, &cosine);
        if (other == SIZE_MAX || cosine < t->options.merges)
                return;
        const size_t into = other < i ? other : i;
        swallow(t, into, other < i ? i : other);
        try_merging(t, into);
}

static void take(struct topics *t, struct member *m)
{
        double cosine;
        size_t i = most_alike(t, m->at, m->n_features, 1, SIZE_MAX, &cosine);
        if (i == SIZE_MAX || cosine < t->options.joins)
                i = open_cluster(t);
        put_member(t->clusters[i], m);
        cluster_measure(t->clusters[i]);
        post_centre(t, i);
        try_merging(t, i);
}

/* --- time ----------------------------------------------------------------------------------------------------------------- */

static bool drop_old(struct cluster *c, int64_t before)
{
        size_t kept = 0;
        for (size_t i = 0; i < c->n; i++)
                if (c->members[i]->time >= before)
                        c->members[kept++] = c->members[i];
                else
                        free(c->members[i]);
        const bool changed = kept < c->n;
        c->n = kept;
        return changed;
}

/* Once a day: what has left the window goes, and with it topics that are empty. */
static void sweep(struct topics *t)
{
        size_t kept = 0;
        for (size_t i = 0; i < t->n; i++) {
                struct cluster *c = t->clusters[i];
                if (drop_old(c, t->minute - t->options.window) && c->n > 0)
                        cluster_measure(c);
                if (c->n == 0)
                        cluster_free(c);
                else
                        t->clusters[kept++] = c;
        }
        t->n = kept;
        t->n_gone = 0;
        t->n_posts = 1;
        memset(t->heads, 0, HEADS * sizeof *t->heads);
        for (size_t i = 0; i < t->n; i++)
                post_centre(t, i);
        t->swept = t->minute;
}

static int by_id(const void *a, const void *b)
{
        const struct member *x = ((const struct waiting *)a)->member, *y = ((const struct waiting *)b)->member;
        if (x->id != y->id)
                return x->id < y->id ? -1 : 1;
        return (x->time > y->time) - (x->time < y->time);
}

/* In the order of ids, so that what came first within the minute does not matter; all are learnt before the first is weighed. */
void topics_settle(struct topics *t)
{
        struct arena *a = arena_new();
        if (t->n_waiting > 0)
                qsort(t->waiting, t->n_waiting, sizeof *t->waiting, by_id);
        for (size_t i = 0; i < t->n_waiting; i++)
                rare_learn_text(t->rare, &(struct folded){.c = t->waiting[i].c, .n = t->waiting[i].n});
        for (size_t i = 0; i < t->n_waiting; i++) {
                struct waiting *w = &t->waiting[i];
                member_vector(w->member, a, &(struct folded){.c = w->c, .n = w->n}, w->subject, t->rare);
                take(t, w->member);
                free(w->c);
                arena_reset(a);
        }
        t->n_waiting = 0;
        arena_free(&a);
}

static int64_t minute_of(int64_t time)
{
        return time - time % USEC_MINUTE;
}

void topics_add(struct topics *t, const struct topic_message *m)
{
        struct member *x = zeroed(1, sizeof *x);
        struct waiting w = {.member = x, .c = zeroed(m->text->n + 1, sizeof *w.c), .n = m->text->n, .subject = m->subject};
        *x = (struct member){.id = m->id, .time = m->time, .support = m->support, .oppose = m->oppose, .reporter = m->reporter};
        if (x->reporter == 0)
                x->reporter = UINT64_C(1) << 63 | (uint64_t)m->id;
        memcpy(w.c, m->text->c, m->text->n * sizeof *w.c);
        if (minute_of(m->time) > t->minute) {
                topics_settle(t);
                t->minute = minute_of(m->time);
                if (t->minute - t->swept >= USEC_DAY)
                        sweep(t);
        }
        t->newest = m->time > t->newest ? m->time : t->newest;
        t->waiting = more_room(t->waiting, &t->waiting_room, t->n_waiting, sizeof *t->waiting);
        t->waiting[t->n_waiting++] = w;
}

/* --- a year before ---------------------------------------------------------------------------------------------------------- */

void topics_recall_begin(struct topics *t)
{
        topics_settle(t);
        for (size_t i = 0; i < t->n; i++) {
                t->clusters[i]->n_year = 0;
                t->clusters[i]->year_asked = t->clusters[i]->reporters;
        }
        t->year_others = 0;
        t->recalls = true;
}

void topics_recall(struct topics *t, const struct topic_message *m)
{
        double cosine;
        struct arena *a = arena_new();
        struct member *x = zeroed(1, sizeof *x);
        member_vector(x, a, m->text, m->subject, t->rare);
        const size_t i = most_alike(t, x->at, x->n_features, 1, SIZE_MAX, &cosine);
        if (i == SIZE_MAX || cosine < t->options.joins)
                t->year_others++;
        else
                year_add(t->clusters[i], m->reporter ? m->reporter : UINT64_C(1) << 63 | (uint64_t)m->id);
        free(x);
        arena_free(&a);
}
