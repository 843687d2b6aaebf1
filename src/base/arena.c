/* base/arena.c -- blocks in a list, newest first; deferred calls in a list of their own. */
#include "base/arena.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Under AddressSanitizer each piece ends at its last byte, as if malloc() had given it: what lies between is forbidden. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(at, n) ((void)(at), (void)(n))
enum { GAP = 0 };
#endif

enum { FIRST_BLOCK = 8 << 10, LARGEST_BLOCK = 1 << 20 };

struct block {
        struct block *next;
        size_t room, used;
        _Alignas(max_align_t) unsigned char at[];
};
struct deferred {
        struct deferred *next;
        void (*release)(void *);
        void *thing;
};
struct arena {
        struct block *blocks;
        struct deferred *deferred;
        struct block *first;
};

static struct block *block_new(size_t room, struct block *next)
{
        struct block *b = malloc(sizeof *b + room);
        if (!b)
                abort();
        b->next = next;
        b->room = room;
        b->used = 0;
        ASAN_POISON_MEMORY_REGION(b->at, room);
        return b;
}

struct arena *arena_new(void)
{
        struct arena *a = malloc(sizeof *a);
        if (!a)
                abort();
        a->first = a->blocks = block_new(FIRST_BLOCK, NULL);
        a->deferred = NULL;
        return a;
}

void arena_reset(struct arena *a)
{
        for (struct deferred *d = a->deferred; d; d = d->next)
                d->release(d->thing);
        a->deferred = NULL;
        while (a->blocks != a->first) {
                struct block *b = a->blocks;
                a->blocks = b->next;
                free(b);
        }
        a->first->used = 0;
        ASAN_POISON_MEMORY_REGION(a->first->at, a->first->room);
}

void arena_free(struct arena **a)
{
        if (!*a)
                return;
        arena_reset(*a);
        free((*a)->first);
        free(*a);
        *a = NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
        const size_t align = _Alignof(max_align_t);
        size_t rounded = (size + GAP + align - 1) & ~(align - 1);
        if (rounded < size)
                abort();
        if (rounded == 0)
                rounded = align;
        struct block *b = a->blocks;
        if (b->room - b->used < rounded) {
                size_t room = b->room * 2 > LARGEST_BLOCK ? LARGEST_BLOCK : b->room * 2;
                b = a->blocks = block_new(room < rounded ? rounded : room, b);
        }
        void *at = b->at + b->used;
        b->used += rounded;
        ASAN_UNPOISON_MEMORY_REGION(at, size);
        return memset(at, 0, size);
}

char *arena_copy(struct arena *a, const void *bytes, size_t n)
{
        char *copy = arena_alloc(a, n + 1);
        if (n)
                memcpy(copy, bytes, n);
        return copy;
}

char *arena_text(struct arena *a, const char *text)
{
        return text ? arena_copy(a, text, strlen(text)) : NULL;
}

char *arena_format(struct arena *a, const char *fmt, ...)
{
        va_list args, again;
        va_start(args, fmt);
        va_copy(again, args);
        int n = vsnprintf(NULL, 0, fmt, args);
        va_end(args);
        if (n < 0)
                abort();
        char *text = arena_alloc(a, (size_t)n + 1);
        (void)vsnprintf(text, (size_t)n + 1, fmt, again);
        va_end(again);
        return text;
}

void arena_defer(struct arena *a, void (*release)(void *), void *thing)
{
        struct deferred *d = NEW(a, struct deferred);
        *d = (struct deferred){.next = a->deferred, .release = release, .thing = thing};
        a->deferred = d;
}
