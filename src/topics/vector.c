/* topics/vector.c -- a message as a weighted vector of shingles and places, and a topic as the sum of its reporters' vectors. */
#include "topics/inside.h"
#include "base/arena.h"
#include "text/fold.h"
#include "text/phrases.h"
#include "text/shingles.h"
#include <math.h>
#include <stdlib.h>

static const double PLACE_TIMES = 1.5, SUBJECT_TIMES = 2, USUAL_SHARE = 0.05;

/* Rare words weigh more, but what no other text has joins nothing: a slip of the pen is the rarest word of all. */
static double weight_of(const struct rare *rare, uint32_t hash)
{
        const uint32_t texts = rare_texts(rare, hash);
        const double rarity = rare_weight(rare, hash);
        return rarity * rarity * (texts <= 1 ? 0.15 : texts == 2 ? 0.6 : 1);
}

static int by_weight(const void *a, const void *b)
{
        const struct feature *x = a, *y = b;
        if (x->weight > y->weight || x->weight < y->weight)
                return x->weight > y->weight ? -1 : 1;
        return (x->hash > y->hash) - (x->hash < y->hash);
}

static int by_hash(const void *a, const void *b)
{
        const struct feature *x = a, *y = b;
        return (x->hash > y->hash) - (x->hash < y->hash);
}

static size_t shingle_features(struct feature *out, struct arena *a, const struct folded *text, size_t subject,
                               const struct rare *rare)
{
        struct shingle *s;
        const size_t n = text_shingles(text, a, &s);
        const bool *usual = usual_words(text, a);
        for (size_t i = 0; i < n; i++) {
                size_t plain = 0;
                for (uint32_t k = s[i].from; k < s[i].to; k++)
                        plain += !usual[k];
                const double share = (double)plain / (s[i].to - s[i].from);
                const double times = (1 + log(s[i].times)) * (s[i].from < subject ? SUBJECT_TIMES : 1);
                out[i] = (struct feature){s[i].hash,
                                          (float)(weight_of(rare, s[i].hash) * times * (USUAL_SHARE + (1 - USUAL_SHARE) * share))};
        }
        return n;
}

static size_t place_features(struct feature *out, const struct place_phrase *p, size_t n, size_t subject, const struct rare *rare)
{
        size_t kept = 0;
        for (size_t i = 0; i < n; i++) {
                size_t k = 0, times = 0;
                for (size_t j = 0; j < n; j++)
                        times += p[j].hash == p[i].hash;
                while (p[k].hash != p[i].hash)
                        k++;
                if (k < i)
                        continue;
                const double here = (1 + log((double)times)) * (p[i].from < subject ? SUBJECT_TIMES : 1);
                out[kept++] = (struct feature){p[i].hash, (float)(weight_of(rare, p[i].hash) * here * PLACE_TIMES)};
        }
        return kept;
}

/* Length 1, so that long messages do not weigh more than short ones. */
static void make_unit(struct feature *f, size_t n)
{
        double sum = 0;
        for (size_t i = 0; i < n; i++)
                sum += (double)f[i].weight * f[i].weight;
        for (size_t i = 0; i < n && sum > 0; i++)
                f[i].weight = (float)(f[i].weight / sqrt(sum));
}

void member_vector(struct member *x, struct arena *a, const struct folded *text, size_t subject, const struct rare *rare)
{
        struct place_phrase *p;
        const size_t places = place_phrases(text, a, &p);
        struct feature *all = NEW_ARRAY(a, struct feature, 3 * text->n + places + 2);
        size_t n = shingle_features(all, a, text, subject, rare);
        n += place_features(all + n, p, places, subject, rare);
        qsort(all, n, sizeof *all, by_weight);
        x->n_features = (uint16_t)(n < FEATURES ? n : FEATURES);
        memcpy(x->at, all, x->n_features * sizeof *all);
        make_unit(x->at, x->n_features);
        qsort(x->at, x->n_features, sizeof *x->at, by_hash);
        x->n_head = (uint16_t)(text->n < HEAD ? text->n : HEAD);
        x->n_subject = (uint16_t)(subject < x->n_head ? subject : x->n_head);
        memcpy(x->head, text->c, x->n_head * sizeof *x->head);
        for (size_t i = 0; i < places && x->n_places < COUNT_OF(x->places); i++)
                if (p[i].to <= x->n_head && rare_weight(rare, p[i].hash) >= 0.4) {
                        x->places[x->n_places].hash = p[i].hash;
                        x->places[x->n_places].from = (uint16_t)p[i].from;
                        x->places[x->n_places++].to = (uint16_t)p[i].to;
                }
}

double dot(const struct feature *a, size_t n, const struct feature *b, size_t m)
{
        double sum = 0;
        size_t i = 0, k = 0;
        while (i < n && k < m)
                if (a[i].hash == b[k].hash) {
                        sum += (double)a[i].weight * b[k].weight;
                        i++;
                        k++;
                } else if (a[i].hash < b[k].hash)
                        i++;
                else
                        k++;
        return sum;
}

static int by_time(const void *a, const void *b)
{
        const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;
        if (x->time != y->time)
                return x->time < y->time ? -1 : 1;
        return (x->id > y->id) - (x->id < y->id);
}

static int by_reporter(const void *a, const void *b)
{
        const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;
        if (x->reporter != y->reporter)
                return x->reporter < y->reporter ? -1 : 1;
        return by_time(a, b);
}

static void mark_first(struct cluster *c)
{
        qsort(c->members, c->n, sizeof *c->members, by_reporter);
        c->reporters = 0;
        for (size_t i = 0; i < c->n; i++) {
                c->members[i]->is_first = i == 0 || c->members[i]->reporter != c->members[i - 1]->reporter;
                c->reporters += c->members[i]->is_first;
        }
        qsort(c->members, c->n, sizeof *c->members, by_time);
}

void cluster_measure(struct cluster *c)
{
        struct arena *a = arena_new();
        struct feature *all = NEW_ARRAY(a, struct feature, c->n * FEATURES + 1);
        size_t n = 0, different = 0;
        double sum = 0;
        mark_first(c);
        for (size_t i = 0; i < c->n; i++) {
                if (!c->members[i]->is_first)
                        continue;
                memcpy(all + n, c->members[i]->at, c->members[i]->n_features * sizeof *all);
                n += c->members[i]->n_features;
        }
        qsort(all, n, sizeof *all, by_hash);
        for (size_t i = 0; i < n; i++)
                if (different > 0 && all[different - 1].hash == all[i].hash)
                        all[different - 1].weight += all[i].weight;
                else
                        all[different++] = all[i];
        for (size_t i = 0; i < different; i++)
                sum += (double)all[i].weight * all[i].weight;
        c->length = sqrt(sum);
        qsort(all, different, sizeof *all, by_weight);
        c->n_centre = different < CENTRE ? different : CENTRE;
        memcpy(c->centre, all, c->n_centre * sizeof *all);
        qsort(c->centre, c->n_centre, sizeof *c->centre, by_hash);
        arena_free(&a);
}
