/* triage/entities.c -- places and times that a text names become the report's, when it does not say them otherwise. */
#include "base/arena.h"
#include "base/clock.h"
#include "district/district.h"
#include "mention/mention.h"
#include "triage/inside.h"
#include "twin/twin.h"

/* --- the areas' names of a pack version ------------------------------------------------------------------------------------ */

static struct vocabulary *vocabulary_of_twin(const struct fold *fold, const struct twin *twin)
{
        struct arena *a = arena_new();
        const size_t n = area_count(twin);
        size_t aliases = 0, total = 0;
        const char *name;
        while (twin_alias(twin, aliases, &name))
                aliases++;
        struct area_name *names = NEW_ARRAY(a, struct area_name, n + aliases + 1);
        for (size_t i = 0; i < n; i++)
                if (area_at(twin, i)->level != AREA_DISTRICT)
                        names[total++] = (struct area_name){area_at(twin, i)->name, area_at(twin, i)->code};
        for (size_t i = 0; i < aliases; i++) {
                const struct area *area = twin_alias(twin, i, &name);
                if (area->level != AREA_DISTRICT)
                        names[total++] = (struct area_name){name, area->code};
        }
        struct vocabulary *v = vocabulary_new(fold, names, total);
        arena_free(&a);
        return v;
}

static const struct vocabulary *vocabulary_of(struct triage *t, const struct rulebook *rules)
{
        for (const struct area_words *w = atomic_load(&t->areas); w; w = w->next)
                if (w->version == rules->version)
                        return w->vocabulary;
        (void)pthread_mutex_lock(&t->refreshing);
        struct area_words *w = atomic_load(&t->areas);
        while (w && w->version != rules->version)
                w = w->next;
        if (!w) {
                w = NEW(t->arena, struct area_words);
                *w = (struct area_words){rules->version, vocabulary_of_twin(t->fold, rules->twin), atomic_load(&t->areas)};
                atomic_store(&t->areas, w);
        }
        (void)pthread_mutex_unlock(&t->refreshing);
        return w->vocabulary;
}

void entities_close(struct triage *t)
{
        for (struct area_words *w = atomic_load(&t->areas); w; w = w->next)
                vocabulary_free(&w->vocabulary);
}

/* --- what is taken of them ---------------------------------------------------------------------------------------------------- */

static bool lies_in(const struct area *area, const struct area *above)
{
        while (area && area != above)
                area = area->parent;
        return area != NULL;
}

/* 坪山街道办事处 is somebody, not where it is. */
static bool is_somebody(const struct entities *e, const struct mention *place)
{
        for (size_t i = 0; i < e->n; i++)
                if (e->at[i].kind == MENTION_ORGAN && e->at[i].from < place->to && place->from < e->at[i].to)
                        return true;
        return false;
}

static const char *phrase_of(struct arena *a, const struct entities *e, const struct mention *m)
{
        return arena_copy(a, e->text + m->from, m->to - m->from);
}

/* Of several areas the smallest, when it lies in all others; else nobody knows which is meant. */
static void take_place(const struct rulebook *rules, struct arena *a, struct entities *e)
{
        const struct mention *best = NULL;
        for (size_t i = 0; i < e->n; i++) {
                const struct mention *m = &e->at[i];
                const struct area *area = m->kind == MENTION_PLACE && m->code ? area_find(rules->twin, m->code) : NULL;
                if (!area || is_somebody(e, m))
                        continue;
                if (e->area && !lies_in(area, e->area) && !lies_in(e->area, area)) {
                        e->area = NULL;
                        return;
                }
                if (!e->area || (area != e->area && lies_in(area, e->area))) {
                        e->area = area;
                        best = m;
                }
        }
        if (best)
                e->area_phrase = phrase_of(a, e, best);
}

static void take_time(struct arena *a, int64_t now, struct entities *e)
{
        for (size_t i = 0; i < e->n && e->occurred == 0; i++) {
                const struct mention *m = &e->at[i];
                if (m->kind != MENTION_TIME || !m->certain || m->repeats || m->begin > now || m->begin < now - 366 * USEC_DAY)
                        continue;
                e->occurred = m->begin;
                e->occurred_phrase = phrase_of(a, e, m);
        }
}

void triage_entities(struct district *d, const struct rulebook *rules, struct arena *a, const char *title, const char *text,
                     int64_t now, struct entities *out)
{
        struct triage *t = d->triage;
        struct folded f;
        struct mention *found;
        *out = (struct entities){.text = triage_text(a, title, text)};
        if (!t)
                return;
        fold_text(t->fold, a, out->text, strlen(out->text), &f);
        out->n = mentions_find(vocabulary_of(t, rules), &f, out->text, now, ZONE_SHANGHAI, a, &found);
        out->at = found;
        take_place(rules, a, out);
        take_time(a, now, out);
}
