/* classify/recall.c -- texts remembered as they are, found again by what they share: for the first days, when there is too
 * little to learn from.  A class is as likely as its most similar text (cosine of tf-idf vectors; Salton 1971). */
#include "base/arena.h"
#include "classify/inside.h"
#include <math.h>
#include <stdlib.h>

enum { NONE = -1 };

static uint32_t slot_of(const struct recall *r, uint32_t key)
{
        uint32_t s = key & (r->room - 1);
        while (r->keys[s].key && r->keys[s].key != key)
                s = (s + 1) & (r->room - 1);
        return s;
}

static void grow_keys(struct arena *a, struct recall *r)
{
        const struct recall_key *old = r->keys;
        const uint32_t n = r->room;
        r->room = n > 0 ? 2 * n : 1024;
        r->keys = NEW_ARRAY(a, struct recall_key, r->room);
        for (uint32_t i = 0; i < n; i++)
                if (old[i].key)
                        r->keys[slot_of(r, old[i].key)] = old[i];
}

void recall_key(struct arena *a, struct recall *r, uint32_t key, float idf)
{
        if (2 * (r->n_keys + 1) > r->room)
                grow_keys(a, r);
        const uint32_t s = slot_of(r, key);
        if (!r->keys[s].key) {
                r->keys[s] = (struct recall_key){key, idf, NONE};
                r->n_keys++;
        }
}

static void *doubled(struct arena *a, const void *old, uint32_t n, uint32_t *room, size_t size)
{
        *room = *room > 0 ? 2 * *room : 1024;
        void *p = arena_alloc(a, *room * size);
        if (n > 0)
                memcpy(p, old, n * size);
        return p;
}

void recall_text(struct arena *a, struct recall *r, const struct gram_count *grams, size_t n, int class)
{
        double sum = 0;
        if (r->n_texts == r->texts_room)
                r->class_of = doubled(a, r->class_of, r->n_texts, &r->texts_room, sizeof *r->class_of);
        for (size_t i = 0; i < n; i++) {
                recall_key(a, r, grams[i].key, r->most_idf);
                const double w = (1 + log(grams[i].count)) * (double)r->keys[slot_of(r, grams[i].key)].idf;
                sum += w * w;
        }
        for (size_t i = 0; i < n; i++) {
                struct recall_key *k = &r->keys[slot_of(r, grams[i].key)];
                const double w = (1 + log(grams[i].count)) * (double)k->idf / sqrt(sum);
                if (r->n_posts == r->posts_room)
                        r->posts = doubled(a, r->posts, r->n_posts, &r->posts_room, sizeof *r->posts);
                r->posts[r->n_posts] = (struct recall_post){(int32_t)r->n_texts, k->first, (float)w};
                k->first = (int32_t)r->n_posts++;
        }
        r->class_of[r->n_texts++] = class;
}

void recall_make(struct arena *a, struct recall *r, const struct example *all, size_t n)
{
        struct arena *scratch = arena_new();
        struct recall count = {.room = 0}; /* idf holds in how many texts */
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < all[i].n; k++) {
                        recall_key(scratch, &count, all[i].grams[k].key, 0);
                        count.keys[slot_of(&count, all[i].grams[k].key)].idf++;
                }
        r->most_idf = (float)log(1.0 + (double)n);
        for (uint32_t s = 0; s < count.room; s++)
                if (count.keys[s].key)
                        recall_key(a, r, count.keys[s].key, (float)log((1.0 + (double)n) / (double)count.keys[s].idf));
        for (size_t i = 0; i < n; i++)
                recall_text(a, r, all[i].grams, all[i].n, all[i].class);
        arena_free(&scratch);
}

static int likelier(const void *a, const void *b)
{
        const struct guess *x = a, *y = b;
        if (x->p != y->p)
                return x->p < y->p ? 1 : -1;
        return (x->class > y->class) - (x->class < y->class);
}

size_t recall_guess(const struct recall *r, const struct gram_count *grams, size_t n, struct guess *out, size_t most)
{
        struct arena *a = arena_new();
        float *score = NEW_ARRAY(a, float, r->n_texts + 1);
        double sum = 0;
        for (size_t i = 0; i < n && r->room > 0; i++) {
                const struct recall_key *k = &r->keys[slot_of(r, grams[i].key)];
                const float w = (float)((1 + log(grams[i].count)) * (double)(k->key ? k->idf : r->most_idf));
                sum += (double)(w * w);
                for (int32_t p = k->key ? k->first : NONE; p != NONE; p = r->posts[p].next)
                        score[r->posts[p].text] += w * r->posts[p].weight;
        }
        struct guess *found = NEW_ARRAY(a, struct guess, r->n_texts + 1);
        size_t n_found = 0, kept = 0;
        for (uint32_t t = 0; t < r->n_texts; t++)
                if (score[t] > 0)
                        found[n_found++] = (struct guess){r->class_of[t], fmin(1, (double)score[t] / sqrt(sum))};
        qsort(found, n_found, sizeof *found, likelier);
        for (size_t i = 0; i < n_found && kept < most; i++) {
                bool known = false;
                for (size_t k = 0; k < kept && !known; k++)
                        known = out[k].class == found[i].class;
                if (!known)
                        out[kept++] = found[i];
        }
        arena_free(&a);
        return kept;
}

void recall_first(struct recall *r, uint32_t key, int32_t post)
{
        r->keys[slot_of(r, key)].first = post;
}

double recall_says(const struct recall *r, uint32_t key, int class)
{
        if (r->room == 0)
                return 0;
        const struct recall_key *k = &r->keys[slot_of(r, key)];
        double most = 0;
        for (int32_t p = k->key ? k->first : NONE; p != NONE; p = r->posts[p].next)
                if (r->class_of[r->posts[p].text] == class)
                        most = fmax(most, (double)r->posts[p].weight);
        return most;
}
