/* experience/unit_names.c -- see experience.h: one unit under several names, and what is left of a name without its area. */
#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "experience/experience.h"

/* All units whose names are alike but for the parentheses. */
struct entity;
struct bare {
        const char *name;
        struct entity *plain; /* whom the name without parentheses names */
        size_t forms;         /* how many different parentheses were seen */
};
struct entity {
        const char *key;
        const char *plain, *form; /* its names without and with parentheses; NULL = none seen */
        struct bare *bare;
};
struct unit_names {
        struct arena *arena;
        struct map *names; /* name -> struct entity */
        struct map *bares; /* name without parentheses -> struct bare */
};

struct unit_names *unit_names_new(void)
{
        struct arena *a = arena_new();
        struct unit_names *u = NEW(a, struct unit_names);
        *u = (struct unit_names){.arena = a, .names = map_new(a, 256), .bares = map_new(a, 256)};
        return u;
}

void unit_names_free(struct unit_names **names)
{
        struct arena *a = *names ? (*names)->arena : NULL;
        arena_free(&a);
        *names = NULL;
}

static struct entity *new_entity(struct unit_names *u, const char *name)
{
        struct entity *made = NEW(u->arena, struct entity);
        made->key = arena_text(u->arena, name);
        return made;
}

void unit_names_alias(struct unit_names *u, const char *name, const char *other)
{
        struct entity *of = map_get(u->names, name);
        if (!of) {
                of = new_entity(u, name);
                (void)map_put(u->names, of->key, of);
        }
        (void)map_put(u->names, arena_text(u->arena, other), of);
}

static size_t without_blanks(const char *text, size_t n)
{
        while (n > 1 && text[n - 1] == ' ')
                n--;
        return n;
}

/* Bytes of the name before its closing parenthetical, which ends the name; the whole length when there is none. */
static size_t bare_length(const char *name)
{
        static const char *const pairs[][2] = {{"（", "）"}, {"(", ")"}};
        const size_t n = strlen(name);
        for (size_t i = 0; i < COUNT_OF(pairs); i++) {
                const size_t end = strlen(pairs[i][1]);
                const char *open = strstr(name, pairs[i][0]);
                if (open && open > name && n > end && strcmp(name + n - end, pairs[i][1]) == 0)
                        return without_blanks(name, (size_t)(open - name));
        }
        return n;
}

static struct bare *bare_of(struct unit_names *u, const char *text)
{
        struct bare *found = map_get(u->bares, text);
        if (!found) {
                found = NEW(u->arena, struct bare);
                found->name = text;
                (void)map_put(u->bares, text, found);
        }
        return found;
}

/* The first parentheses of a name, or the first time it stands without any, meet whom the name named so far. */
static struct entity *meet(struct unit_names *u, const char *name)
{
        const size_t n = bare_length(name);
        const bool plain = name[n] == '\0';
        struct bare *b = bare_of(u, arena_copy(u->arena, name, n));
        if (!plain)
                b->forms++;
        struct entity *e = b->plain && b->forms <= 1 ? b->plain : new_entity(u, name);
        /* Behind the second pair of parentheses nobody knows whom the bare name means: then it is a name of its own. */
        if (b->forms <= 1 || plain)
                b->plain = e;
        *(plain ? &e->plain : &e->form) = arena_text(u->arena, name);
        e->bare = b;
        return e;
}

const char *unit_names_key(struct unit_names *u, const char *name)
{
        struct entity *e = map_get(u->names, name);
        if (!e) {
                e = meet(u, name);
                (void)map_put(u->names, arena_text(u->arena, name), e);
        }
        return e->key;
}

const char *unit_names_label(const struct unit_names *u, const char *key)
{
        const struct entity *e = map_get(u->names, key);
        if (!e || !e->bare)
                return key;
        if (e->plain)
                return e->plain;
        return e->bare->forms > 1 ? e->form : e->bare->name;
}

/* --- roles ---------------------------------------------------------------------------------------------------------------- */

/* Takes each `part` out of the text, in place.  Whether there was one. */
static bool take_out(char *text, const char *part)
{
        const size_t n = strlen(part);
        bool any = false;
        for (char *at = n > 0 ? strstr(text, part) : NULL; at; at = strstr(at, part)) {
                memmove(at, at + n, strlen(at + n) + 1);
                any = true;
        }
        return any;
}

/* "龙田街道" is also written "龙田办事处" and "龙田": what is left without the last two characters, when it is two or more. */
static const char *stem(struct arena *a, const char *area)
{
        const size_t characters = text_characters(area);
        if (characters < 4)
                return "";
        size_t n = strlen(area);
        for (size_t left = 2; left > 0; left -= ((unsigned char)area[n] & 0xC0) != 0x80)
                n--;
        return arena_copy(a, area, n);
}

const char *unit_role(struct arena *a, const char *name, const char *const *areas, size_t n)
{
        static const char *const sorts[] = {"街道办事处", "街道", "办事处", "社区", "（", "）", "(", ")"};
        char *role = arena_text(a, name);
        bool any = false;
        for (size_t i = n; i-- > 0;) {
                if (text_empty(areas[i]))
                        continue;
                any |= take_out(role, areas[i]);
                any |= take_out(role, stem(a, areas[i]));
        }
        for (size_t i = 0; any && i < COUNT_OF(sorts); i++)
                (void)take_out(role, sorts[i]);
        return any ? role : NULL;
}
