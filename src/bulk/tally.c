/* bulk/tally.c -- see inside.h. */
#include "bulk/inside.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "district/district.h"
#include "people/people.h"
#include <stdlib.h>

enum { PAIRS_MOST = 20000 };

struct tally *tally_new(void)
{
        struct arena *a = arena_new();
        struct tally *t = NEW(a, struct tally);
        *t = (struct tally){.arena = a,
                            .scratch = arena_new(),
                            .pairs = map_new(a, PAIRS_MOST),
                            .all = NEW_ARRAY(a, struct confusion *, PAIRS_MOST)};
        (void)pthread_mutex_init(&t->lock, NULL);
        return t;
}

void tally_free(struct tally **tally)
{
        if (!*tally)
                return;
        struct arena *a = (*tally)->arena;
        (void)pthread_mutex_destroy(&(*tally)->lock);
        arena_free(&(*tally)->scratch);
        *tally = NULL;
        arena_free(&a);
}

/* Beyond the most pairs new ones are not kept: a file of that kind names no units. */
static void count_confusion(struct tally *t, const char *actual, const char *ours, bool known)
{
        arena_reset(t->scratch); /* only the key of a new pair is kept */
        const char *key = arena_format(t->scratch, "%s\x1f%s", actual, ours);
        struct confusion *c = map_get(t->pairs, key);
        if (!c && t->n < PAIRS_MOST) {
                c = NEW(t->arena, struct confusion);
                *c = (struct confusion){arena_text(t->arena, actual), arena_text(t->arena, ours), known, 0};
                (void)map_put(t->pairs, arena_text(t->arena, key), c);
                t->all[t->n++] = c;
        }
        if (c)
                c->count++;
}

static void compare(struct tally *t, const struct rulebook *rules, const char *name, const struct receipt *receipt)
{
        const struct unit *actual = unit_by_name(rules->units, name);
        t->result.compared++;
        t->result.known += actual != NULL;
        if (actual && text_is(actual->code, receipt->unit_code))
                t->result.same++;
        else
                count_confusion(t, actual ? actual->name : name, receipt->unit_name, actual != NULL);
}

void tally_taken(struct tally *t, const struct rulebook *rules, const struct report *r, const struct row_notes *notes,
                 const struct receipt *receipt)
{
        (void)pthread_mutex_lock(&t->lock);
        struct import_result *s = &t->result;
        s->read++;
        s->stored += !receipt->again;
        s->again += receipt->again;
        s->no_item += r->item == NULL;
        s->unknown_item += notes->unknown_item;
        s->no_area += r->area_code == NULL && !r->has_point;
        s->unknown_area += notes->unknown_area;
        s->unknown_property += notes->unknown_property;
        if (notes->unit)
                compare(t, rules, notes->unit, receipt);
        (void)pthread_mutex_unlock(&t->lock);
}

void tally_rejected(struct tally *t)
{
        (void)pthread_mutex_lock(&t->lock);
        t->result.read++;
        t->result.rejected++;
        (void)pthread_mutex_unlock(&t->lock);
}

/* Commonest first; of equals by name, so that two runs print the same. */
static int by_count(const void *a, const void *b)
{
        const struct confusion *x = *(const struct confusion *const *)a, *y = *(const struct confusion *const *)b;
        if (x->count != y->count)
                return x->count < y->count ? 1 : -1;
        int order = strcmp(x->actual, y->actual);
        return order ? order : strcmp(x->ours, y->ours);
}

void tally_result(struct tally *t, struct arena *a, struct import_result *out)
{
        (void)pthread_mutex_lock(&t->lock);
        qsort(t->all, t->n, sizeof *t->all, by_count);
        *out = t->result;
        for (size_t i = 0; i < t->n && i < CONFUSIONS_SHOWN; i++) {
                const struct confusion *c = t->all[i];
                out->confusions[out->n_confusions++] =
                        (struct confusion){arena_text(a, c->actual), arena_text(a, c->ours), c->known, c->count};
        }
        (void)pthread_mutex_unlock(&t->lock);
}
