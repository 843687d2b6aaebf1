/* pack/faults.c -- the list of what is wrong with a pack. */
#include "pack/inside.h"
#include "base/arena.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAULTS_MOST = 1000 };

struct fault_list {
        struct arena *arena;
        struct fault at[FAULTS_MOST];
        size_t n;
};

static void free_arena(void *arena)
{
        struct arena *a = arena;
        arena_free(&a);
}

struct fault_list *fault_list_new(struct arena *a)
{
        struct fault_list *l = NEW(a, struct fault_list);
        l->arena = arena_new();
        arena_defer(a, free_arena, l->arena);
        return l;
}

void fault_clear(struct fault_list *l)
{
        arena_reset(l->arena);
        l->n = 0;
}

size_t fault_count(const struct fault_list *l)
{
        return l->n;
}

const struct fault *fault_at(const struct fault_list *l, size_t i)
{
        return &l->at[i];
}

void fault_add(struct fault_list *l, const char *place, const char *en, const char *zh)
{
        if (l->n < FAULTS_MOST)
                l->at[l->n++] = (struct fault){arena_text(l->arena, place), arena_text(l->arena, en), arena_text(l->arena, zh)};
}

void stage_fault(struct stage *s, const char *file, int line, const char *en, const char *zh, ...)
{
        char place[300], text[400], text_zh[400];
        va_list args, again;
        va_start(args, zh);
        va_copy(again, args);
        (void)vsnprintf(text, sizeof text, en, args);
        (void)vsnprintf(text_zh, sizeof text_zh, zh, again);
        va_end(again);
        va_end(args);
        if (line > 0)
                (void)snprintf(place, sizeof place, "%.250s:%d", file, line);
        else
                (void)snprintf(place, sizeof place, "%.250s", file);
        fault_add(s->faults, text_mend(place), text_mend(text), text_mend(text_zh));
}

static int by_place(const void *a, const void *b)
{
        const struct fault *x = a, *y = b;
        const char *cx = strrchr(x->place, ':'), *cy = strrchr(y->place, ':');
        size_t nx = cx ? (size_t)(cx - x->place) : strlen(x->place), ny = cy ? (size_t)(cy - y->place) : strlen(y->place);
        int names = strncmp(x->place, y->place, nx < ny ? nx : ny);
        if (names || nx != ny)
                return names ? names : nx < ny ? -1 : 1;
        long lx = cx ? strtol(cx + 1, NULL, 10) : 0, ly = cy ? strtol(cy + 1, NULL, 10) : 0;
        return lx < ly ? -1 : lx > ly ? 1 : strcmp(x->en, y->en);
}

void fault_sort(struct fault_list *l)
{
        qsort(l->at, l->n, sizeof l->at[0], by_place);
}
