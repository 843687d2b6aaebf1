/* experience/units.c -- see inside.h: the units by name, where each is at home, and what it is there. */
#include "base/map.h"
#include "experience/inside.h"
#include <stdlib.h>

enum { HOME_LEAST = 2, HOME_FULL = 2000 };
/* At home is where this share of a unit's cases lie, unless that share of everybody's lies there. */
static const double HOME_SHARE = 0.75, COMMON_SHARE = 0.5;

/* --- units ---------------------------------------------------------------------------------------------------------------- */

static size_t name_place(const struct experience *x, const char *name)
{
        size_t i = (size_t)hash_bytes(name, strlen(name), 0) & (x->room_names - 1);
        while (x->names[i] && strcmp(x->units[x->names[i] - 1].name, name) != 0)
                i = (i + 1) & (x->room_names - 1);
        return i;
}

uint32_t known_unit(const struct experience *x, const char *name)
{
        const uint32_t found = x->room_names ? x->names[name_place(x, name)] : 0;
        return found ? found - 1 : UINT32_MAX;
}

static void more_names(struct experience *x)
{
        x->room_names = x->room_names ? x->room_names * 2 : 256;
        free(x->names);
        x->names = calloc(x->room_names, sizeof *x->names);
        if (!x->names)
                abort();
        for (size_t i = 0; i < x->n_units; i++)
                x->names[name_place(x, x->units[i].name)] = (uint32_t)i + 1;
}

static char *copied(const char *text)
{
        char *copy = strdup(text);
        if (!copy)
                abort();
        return copy;
}

uint32_t take_unit(struct experience *x, const char *name)
{
        const uint32_t found = known_unit(x, name);
        if (found != UINT32_MAX || x->n_units == UNITS_MOST)
                return found;
        if (x->n_units == x->room_units) {
                x->room_units = x->room_units ? x->room_units * 2 : 64;
                x->units = realloc(x->units, x->room_units * sizeof *x->units);
                if (!x->units)
                        abort();
        }
        x->units[x->n_units++] = (struct unit){.name = copied(name)};
        if (x->n_units * 2 > x->room_names)
                more_names(x);
        else
                x->names[name_place(x, name)] = (uint32_t)x->n_units;
        return (uint32_t)x->n_units - 1;
}

/* A unit is named in many cases; the one in its own area leaves the shortest rest. */
void unit_learn_role(struct unit *u, const char *role)
{
        if (!role || (u->role && strlen(u->role) <= strlen(role)))
                return;
        free(u->role);
        u->role = copied(role);
}

/* --- homes ---------------------------------------------------------------------------------------------------------------- */

void home_add(struct home *h, uint64_t area)
{
        size_t at = 0;
        for (size_t i = 0; i < HOME_SLOTS; i++) {
                if (h->area[i] == area) {
                        at = i;
                        break;
                }
                if (h->cases[i] < h->cases[at])
                        at = i;
        }
        if (h->area[at] != area) {
                h->area[at] = area;
                h->cases[at] = 0;
        }
        h->cases[at] += 1;
        h->total += 1;
        /* So that a unit which moves is at home there some day. */
        if (h->total > HOME_FULL) {
                h->total /= 2;
                for (size_t i = 0; i < HOME_SLOTS; i++)
                        h->cases[i] /= 2;
        }
}

static float home_cases(const struct home *h, uint64_t area)
{
        for (size_t i = 0; i < HOME_SLOTS; i++)
                if (h->area[i] == area)
                        return h->cases[i];
        return 0;
}

/* 0 when it is everywhere, or not known yet.  An area where most of all cases lie is nobody's home. */
static uint64_t home_of(const struct home *h, const struct home *everybody)
{
        if (h->total < HOME_LEAST)
                return 0;
        for (size_t i = 0; i < HOME_SLOTS; i++)
                if (h->cases[i] > HOME_SHARE * h->total)
                        return home_cases(everybody, h->area[i]) < COMMON_SHARE * everybody->total ? h->area[i] : 0;
        return 0;
}

/* 0 = not known.  The finest level where the unit is at home counts. */
uint32_t unit_role_in(const struct experience *x, uint32_t unit, const uint64_t areas[CIRCUMSTANCE_AREAS])
{
        const struct unit *u = &x->units[unit];
        if (u->home[0].total < HOME_LEAST)
                return 0;
        for (size_t level = CIRCUMSTANCE_AREAS; level-- > 0;) {
                const uint64_t home = areas[level] ? home_of(&u->home[level], &x->everybody[level]) : 0;
                if (home == 0)
                        continue;
                const bool here = home == areas[level];
                const char *role = here && u->role ? u->role : "";
                return (uint32_t)hash_bytes(role, strlen(role), 2 * level + here) | 1;
        }
        return (uint32_t)hash_bytes(&(uint64_t){unit}, sizeof(uint64_t), 1000) | 1;
}
