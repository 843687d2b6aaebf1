/* mention/mention.c -- see mention.h: asks every finder, makes bytes of characters, masks. */
#include "mention/mention.h"
#include "base/arena.h"
#include "base/buf.h"
#include "mention/inside.h"
#include <stdlib.h>

void find_add(struct finds *f, size_t from, size_t to, const struct mention *m)
{
        if (f->n == f->most)
                return;
        if (f->n == f->room) {
                const size_t room = f->room > 0 ? 2 * f->room : 16;
                struct find *more = NEW_ARRAY(f->arena, struct find, room);
                if (f->n > 0)
                        memcpy(more, f->at, f->n * sizeof *more);
                f->at = more;
                f->room = room;
        }
        f->at[f->n++] = (struct find){from, to, *m};
}

/* Behind a whole character; what folding dropped there does not belong to the mention. */
static uint32_t character_end(const struct folded *f, const char *text, size_t last)
{
        uint32_t at = f->at[last] + 1;
        while (at < f->at[f->n] && ((unsigned char)text[at] & 0xC0) == 0x80)
                at++;
        return at;
}

static int by_place(const void *x, const void *y)
{
        const struct mention *a = x, *b = y;
        if (a->from != b->from)
                return a->from < b->from ? -1 : 1;
        if (a->to != b->to)
                return a->to > b->to ? -1 : 1;
        return (a->kind > b->kind) - (a->kind < b->kind);
}

/* A character that folding made several of ("㍘") may have become two mentions of one kind. */
static size_t apart(struct mention *m, size_t n)
{
        uint32_t end[MENTION_KINDS] = {0};
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
                if (m[i].from >= end[m[i].kind]) {
                        end[m[i].kind] = m[i].to;
                        m[kept++] = m[i];
                }
        return kept;
}

/* In bytes of the text, by place. */
static size_t tell(const struct finds *finds, size_t kinds, const struct folded *f, const char *text, struct arena *a,
                   struct mention **out)
{
        size_t n = 0;
        for (size_t k = 0; k < kinds; k++)
                n += finds[k].n;
        struct mention *m = NEW_ARRAY(a, struct mention, n + 1);
        n = 0;
        for (size_t k = 0; k < kinds; k++)
                for (size_t i = 0; i < finds[k].n; i++) {
                        const struct find *x = &finds[k].at[i];
                        m[n] = x->m;
                        m[n].personal = x->m.kind >= MENTION_PHONE && x->m.kind <= MENTION_PLATE;
                        m[n].from = f->at[x->from];
                        m[n++].to = character_end(f, text, x->to - 1);
                }
        qsort(m, n, sizeof *m, by_place);
        *out = m;
        return apart(m, n);
}

size_t mentions_find(const struct vocabulary *v, const struct folded *f, const char *text, int64_t now, int zone, struct arena *a,
                     struct mention **out)
{
        struct finds finds[] = {
                {.arena = a, .most = MENTIONS_MOST},
                {.arena = a, .most = SIZE_MAX},
                {.arena = a, .most = MENTIONS_MOST},
                {.arena = a, .most = MENTIONS_MOST},
        };
        times_find(v, f, &(struct when){now, zone}, &finds[0]);
        numbers_find(f, &finds[1]);
        places_find(v, f, &finds[2]);
        organs_find(v, f, &finds[3]);
        return tell(finds, COUNT_OF(finds), f, text, a, out);
}

size_t numbers_mentioned(const struct folded *f, const char *text, struct arena *a, struct mention **out)
{
        struct finds found = {.arena = a, .most = SIZE_MAX};
        numbers_find(f, &found);
        return tell(&found, 1, f, text, a, out);
}

const char *mention_kind_name(enum mention_kind kind)
{
        static const char *const names[MENTION_KINDS] = {"time", "phone", "identity", "card",
                                                         "mail", "plate", "place",    "organisation"};
        return names[kind];
}

const char *place_kind_name(enum place_kind kind)
{
        static const char *const names[] = {"", "area", "road", "crossing", "estate", "number", "building"};
        return names[kind];
}
