/* topics/list.c -- topics as others see them: heat, surge, and which places come back. */
#include "topics/inside.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "text/fold.h"
#include <math.h>
#include <stdlib.h>

enum { PLACES_MOST = 100, WEEK_REPORTERS = 3 };
static const double YEAR_DAYS = 365;

/* --- heat ----------------------------------------------------------------------------------------------------------------- */

struct who {
        uint64_t reporter;
        size_t member;
};

static int by_reporter(const void *a, const void *b)
{
        const struct who *x = a, *y = b;
        if (x->reporter != y->reporter)
                return x->reporter < y->reporter ? -1 : 1;
        return (x->member > y->member) - (x->member < y->member);
}

/* What each reporter adds: one for himself and the root of those who agree with him, from his latest message on. */
struct part {
        double people;
        int64_t last;
};
struct heating {
        const struct topics_options *options;
        const struct cluster *cluster;
        size_t *first;      /* of member i: the first member of the same reporter */
        struct part *parts; /* of reporters, at their first member */
        double reporters, all;
        int64_t at;
};

static double left_after(const struct heating *h, int64_t age)
{
        return exp2(-(double)age / (double)h->options->half_life);
}

static void heat_until(struct heating *h, int64_t when)
{
        const double left = left_after(h, when - h->at);
        h->reporters *= left;
        h->all *= left;
        h->at = when;
}

/* Takes back what the reporter had added before, so that he counts once. */
static void heat_add(struct heating *h, size_t i)
{
        const struct member *m = h->cluster->members[i];
        struct part *p = &h->parts[h->first[i]];
        heat_until(h, m->time);
        if (h->first[i] != i) {
                const double left = left_after(h, m->time - p->last);
                h->reporters -= left;
                h->all -= left * (1 + sqrt(p->people));
        }
        p->people = fmax(p->people, (double)m->support + (double)m->oppose / 2);
        p->last = m->time;
        h->reporters += 1;
        h->all += 1 + sqrt(p->people);
}

/* Heat only rises where a message comes, so the peak is at one. */
static void find_peak(const struct topics *t, const struct cluster *c, struct topic *out)
{
        struct arena *a = arena_new();
        struct who *who = NEW_ARRAY(a, struct who, c->n);
        struct heating h = {.options = &t->options, .cluster = c, .at = c->members[0]->time};
        h.first = NEW_ARRAY(a, size_t, c->n);
        h.parts = NEW_ARRAY(a, struct part, c->n);
        for (size_t i = 0; i < c->n; i++)
                who[i] = (struct who){c->members[i]->reporter, i};
        qsort(who, c->n, sizeof *who, by_reporter);
        for (size_t i = 0; i < c->n; i++)
                h.first[who[i].member] =
                        i > 0 && who[i].reporter == who[i - 1].reporter ? h.first[who[i - 1].member] : who[i].member;
        for (size_t i = 0; i < c->n; i++) {
                heat_add(&h, i);
                if (h.all <= out->peak)
                        continue;
                out->peak = h.all;
                out->peak_at = h.at;
                out->of_reporters = h.reporters;
                out->of_supporters = h.all - h.reporters;
        }
        heat_until(&h, t->newest);
        out->heat = h.all;
        arena_free(&a);
}

/* --- surge ---------------------------------------------------------------------------------------------------------------- */

double topics_surge(size_t now, size_t before)
{
        const double n = (double)(now + before);
        double sum = 0;
        for (size_t k = now; k <= now + before; k++)
                sum += exp(lgamma(n + 1) - lgamma((double)k + 1) - lgamma(n - (double)k + 1) - n * log(2));
        return fmin(1, sum);
}

/* Hypergeometric: of all_now + all_before, the topic has now + before; all_now of them are of this week. */
double topics_surge_share(size_t now, size_t before, size_t all_now, size_t all_before)
{
        const double n = (double)(now + before), a = (double)all_now, b = (double)all_before;
        const double all = lgamma(a + b + 1) - lgamma(n + 1) - lgamma(a + b - n + 1);
        double sum = 0;
        for (size_t k = now; k <= now + before && k <= all_now; k++) {
                const double x = (double)k;
                sum += exp(lgamma(a + 1) - lgamma(x + 1) - lgamma(a - x + 1) + lgamma(b + 1) - lgamma(n - x + 1)
                           - lgamma(b - n + x + 1) - all);
        }
        return fmin(1, sum);
}

static size_t reporters_between(const struct cluster *c, int64_t from, int64_t to)
{
        size_t n = 0;
        for (size_t i = 0; i < c->n; i++) {
                bool again = c->members[i]->time < from || c->members[i]->time >= to;
                for (size_t k = i; k-- > 0 && !again && c->members[k]->time >= from;)
                        again = c->members[k]->reporter == c->members[i]->reporter;
                n += !again;
        }
        return n;
}

struct weeks {
        size_t now, before, year_before;
};

static struct weeks count_weeks_of(const struct topics *t, const struct cluster *c)
{
        const int64_t week = 7 * USEC_DAY, end = t->newest + 1, year = (int64_t)YEAR_DAYS * USEC_DAY;
        return (struct weeks){
                .now = reporters_between(c, end - week, end),
                .before = reporters_between(c, end - 2 * week, end - week),
                .year_before = reporters_between(c, end - week - year, end - year) + c->n_year,
        };
}

static struct weeks count_all(const struct topics *t)
{
        struct weeks all = {.year_before = t->year_others};
        for (size_t i = 0; i < t->n; i++) {
                if (t->clusters[i]->gone)
                        continue;
                const struct weeks w = count_weeks_of(t, t->clusters[i]);
                all.now += w.now;
                all.before += w.before;
                all.year_before += w.year_before;
        }
        return all;
}

/* More than before, and a greater share of all than before: when everything rises, no topic surges. */
static double surge_against(size_t now, size_t before, size_t all_now, size_t all_before)
{
        return fmax(topics_surge(now, before), topics_surge_share(now, before, all_now, all_before));
}

/* Beyond chance against the week before, and against a year before where anything is known of it.  All topics are looked at
 * each day, so each look may cry wolf false_alarms / (days of a year * topics) times (Bonferroni). */
static void find_surge(const struct topics *t, const struct cluster *c, const struct weeks *all, struct surge *s)
{
        const struct weeks w = count_weeks_of(t, c);
        const size_t topics = t->n - t->n_gone;
        *s = (struct surge){.now = w.now, .before = w.before, .year_before = w.year_before};
        s->p = surge_against(w.now, w.before, all->now, all->before);
        if (all->year_before > 0)
                s->p = fmax(s->p, surge_against(w.now, w.year_before, all->now, all->year_before));
        const bool beyond_chance = s->p < t->options.false_alarms / (YEAR_DAYS * (double)(topics > 0 ? topics : 1));
        s->waits = beyond_chance && t->recalls && all->year_before > 0 && c->reporters > 2 * c->year_asked;
        s->is = beyond_chance && !s->waits;
}

/* --- the list ------------------------------------------------------------------------------------------------------------- */

static void describe(const struct topics *t, const struct cluster *c, struct arena *a, struct topic *out)
{
        int64_t *ids = NEW_ARRAY(a, int64_t, c->n), supporters = 0;
        for (size_t i = 0; i < c->n; i++) {
                ids[i] = c->members[i]->id;
                supporters += c->members[i]->support;
        }
        *out = (struct topic){
                .id = ids[0],
                .members = ids,
                .n_members = c->n,
                .reporters = c->reporters,
                .supporters = supporters,
                .from = c->members[0]->time,
                .to = c->members[c->n - 1]->time,
        };
        find_peak(t, c, out);
}

struct ranked {
        struct topic topic;
        const struct cluster *cluster;
};

static int by_peak(const void *a, const void *b)
{
        const struct ranked *x = a, *y = b;
        if (x->topic.peak > y->topic.peak || x->topic.peak < y->topic.peak)
                return x->topic.peak > y->topic.peak ? -1 : 1;
        return (x->topic.id > y->topic.id) - (x->topic.id < y->topic.id);
}

size_t topics_list(struct topics *t, struct arena *a, size_t least, size_t most, struct topic **out)
{
        topics_settle(t);
        struct ranked *all = NEW_ARRAY(a, struct ranked, t->n + 1);
        size_t n = 0;
        for (size_t i = 0; i < t->n; i++) {
                if (t->clusters[i]->gone)
                        continue;
                describe(t, t->clusters[i], a, &all[n].topic);
                all[n].cluster = t->clusters[i];
                if (t->clusters[i]->reporters >= least || all[n].topic.peak >= (double)least)
                        n++;
                else
                        all[n] = (struct ranked){0};
        }
        qsort(all, n, sizeof *all, by_peak);
        n = n < most ? n : most;
        *out = NEW_ARRAY(a, struct topic, n + 1);
        const struct weeks weeks = count_all(t);
        for (size_t i = 0; i < n; i++) {
                find_surge(t, all[i].cluster, &weeks, &all[i].topic.surge);
                cluster_name(t, all[i].cluster, a, &all[i].topic);
                (*out)[i] = all[i].topic;
        }
        return n;
}

/* --- places that come back ------------------------------------------------------------------------------------------------ */

struct seen {
        uint32_t place;
        int64_t week;
        uint64_t reporter;
        const struct member *member;
        size_t at;
};

static int by_place(const void *a, const void *b)
{
        const struct seen *x = a, *y = b;
        if (x->place != y->place)
                return x->place < y->place ? -1 : 1;
        if (x->week != y->week)
                return x->week < y->week ? -1 : 1;
        if (x->reporter != y->reporter)
                return x->reporter < y->reporter ? -1 : 1;
        return (x->member->id > y->member->id) - (x->member->id < y->member->id);
}

static int by_weeks(const void *a, const void *b)
{
        const struct chronic_place *x = a, *y = b;
        if (x->weeks != y->weeks)
                return x->weeks > y->weeks ? -1 : 1;
        if (x->reporters != y->reporters)
                return x->reporters > y->reporters ? -1 : 1;
        return strcmp(x->name, y->name);
}

static const char *name_of(const struct seen *s, struct arena *a)
{
        const struct folded f = {.c = (uint32_t *)s->member->head, .n = s->member->n_head};
        struct buf b = BUF_LIMIT(1024);
        fold_write(&f, s->member->places[s->at].from, s->member->places[s->at].to, &b);
        const char *copy = arena_text(a, b.at ? b.at : "");
        buf_free(&b);
        return copy;
}

/* s[0 .. n-1] are of one place. */
static struct chronic_place count_weeks(const struct seen *s, size_t n, struct arena *a)
{
        struct chronic_place p = {.name = name_of(s, a)};
        for (size_t i = 0; i < n;) {
                size_t k = i, reporters = 0;
                for (; k < n && s[k].week == s[i].week; k++)
                        reporters += k == i || s[k].reporter != s[k - 1].reporter;
                p.weeks += reporters >= WEEK_REPORTERS;
                p.reporters += reporters;
                i = k;
        }
        return p;
}

static size_t all_seen(const struct topics *t, struct arena *a, struct seen **out)
{
        size_t most = 0, n = 0;
        for (size_t i = 0; i < t->n; i++)
                most += t->clusters[i]->n;
        struct seen *s = NEW_ARRAY(a, struct seen, most * COUNT_OF(((struct member *)0)->places) + 1);
        for (size_t i = 0; i < t->n; i++)
                for (size_t k = 0; k < t->clusters[i]->n; k++) {
                        const struct member *m = t->clusters[i]->members[k];
                        for (size_t j = 0; j < m->n_places; j++)
                                s[n++] = (struct seen){m->places[j].hash, m->time / (7 * USEC_DAY), m->reporter, m, j};
                }
        qsort(s, n, sizeof *s, by_place);
        *out = s;
        return n;
}

size_t topics_places(struct topics *t, struct arena *a, size_t weeks, struct chronic_place **out)
{
        struct seen *s;
        size_t found = 0;
        topics_settle(t);
        const size_t n = all_seen(t, a, &s);
        struct chronic_place *all = NEW_ARRAY(a, struct chronic_place, n + 1);
        for (size_t i = 0; i < n;) {
                size_t k = i;
                while (k < n && s[k].place == s[i].place)
                        k++;
                all[found] = count_weeks(s + i, k - i, a);
                found += all[found].weeks >= weeks;
                i = k;
        }
        qsort(all, found, sizeof *all, by_weeks);
        *out = all;
        return found < PLACES_MOST ? found : PLACES_MOST;
}
