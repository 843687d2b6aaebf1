/* same/sketch.c -- see inside.h: a text as a weighted sample of its shingles, and the places it names. */
#include "same/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "text/fold.h"
#include "text/order.h"
#include "text/phrases.h"
#include "text/shingles.h"
#include <math.h>
#include <stdlib.h>

/* A shingle of nothing but usual words keeps this share of its weight: such words are in every message, whatever it is about. */
static const double USUAL_SHARE = 0.1;
/* Places rarer than this tell one matter from another; "the city" does not. */
static const double PLACE_RARE = 0.5;

double gram_rarity(const struct rare *rare, uint32_t hash)
{
        return rare ? rare_weight(rare, hash) : 1.0;
}

static double gram_weight(const struct rare *rare, const struct shingle *s, const bool *usual)
{
        size_t plain = 0;
        for (uint32_t i = s->from; i < s->to; i++)
                plain += !usual[i];
        const double rarity = gram_rarity(rare, s->hash), own = (double)plain / (double)(s->to - s->from);
        return rarity * rarity * (USUAL_SHARE + (1 - USUAL_SHARE) * own) + 1e-6;
}

/* u in (0, 1): as even as the hash. */
static float rank_of(uint32_t hash, double weight)
{
        const double u = (hash_mix(hash ^ UINT32_C(0x73616d65)) + 0.5) / 4294967296.0;
        return (float)(-log(u) / weight);
}

struct named {
        double weight;
        uint32_t hash;
};

static int by_weight(const void *a, const void *b)
{
        const struct named *x = a, *y = b;
        if (x->weight > y->weight || x->weight < y->weight)
                return x->weight > y->weight ? -1 : 1;
        return (x->hash > y->hash) - (x->hash < y->hash);
}

static void name_places(struct sketch *s, struct arena *a, const struct folded *text, const struct rare *rare)
{
        struct place_phrase *p;
        const size_t n = place_phrases(text, a, &p);
        struct named *all = NEW_ARRAY(a, struct named, n + 1);
        for (size_t i = 0; i < n; i++)
                all[i] = (struct named){gram_rarity(rare, p[i].hash), p[i].hash};
        qsort(all, n, sizeof *all, by_weight);
        for (size_t i = 0; i < n && s->n_places < PLACES; i++)
                if (all[i].weight >= PLACE_RARE && (i == 0 || all[i].hash != all[i - 1].hash))
                        s->places[s->n_places++] = (uint16_t)all[i].hash;
}

void sketch_make(struct sketch *s, struct arena *a, const struct folded *text, const struct rare *rare)
{
        struct shingle *shingles;
        const bool *usual = usual_words(text, a);
        *s = (struct sketch){.n = text_shingles(text, a, &shingles)};
        s->grams = NEW_ARRAY(a, struct gram, s->n + 1);
        for (size_t i = 0; i < s->n; i++) {
                const struct shingle *one = &shingles[i];
                s->grams[i] = (struct gram){rank_of(one->hash, gram_weight(rare, one, usual)), one->hash, one->from, one->to};
        }
        /* Of equal ranks the lower hash comes first: so the shingles stand. */
        order_by_key(a, s->grams, s->n, sizeof *s->grams, offsetof(struct gram, rank));
        name_places(s, a, text, rare);
}

uint16_t gram_mark(uint32_t hash)
{
        return (uint16_t)(hash >> 16);
}

/* 0 means unknown. */
static uint32_t code_hash(const char *code)
{
        const uint32_t h = code && *code ? (uint32_t)hash_bytes(code, strlen(code), 17) : 0;
        return h == 0 && code && *code ? 1 : h;
}

void kept_make(struct kept *k, const struct matter *m, const struct sketch *s)
{
        const size_t n = s->n < KEYS + MARKS ? s->n : KEYS + MARKS;
        *k = (struct kept){
                .id = m->id,
                .minute = m->time > 0 ? (uint32_t)(m->time / USEC_MINUTE) : 0,
                .reporter = (uint32_t)(m->reporter ^ m->reporter >> 32),
                .item = code_hash(m->item),
                .item_group = (uint16_t)code_hash(m->item_group),
                .grid = code_hash(m->grid),
                .community = code_hash(m->community),
                .n_grams = (uint8_t)n,
                .n_places = (uint8_t)s->n_places,
                .last_rank = n > 0 ? s->grams[n - 1].rank : 0,
        };
        if (n == s->n)
                k->flags |= KEPT_ALL;
        if (m->has_point && point_valid(m->point)) {
                k->flags |= KEPT_POINT;
                k->lon = (int32_t)lround(m->point.lon * 1e7);
                k->lat = (int32_t)lround(m->point.lat * 1e7);
        }
        for (size_t i = 0; i < n; i++)
                if (i < KEYS)
                        k->keys[i] = s->grams[i].hash;
                else
                        k->marks[i - KEYS] = gram_mark(s->grams[i].hash);
        memcpy(k->places, s->places, sizeof k->places);
}
