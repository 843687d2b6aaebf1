/* experience/cells.c -- see inside.h: an open-addressed table of cells, each a short list of fading counts. */
#include "base/clock.h"
#include "experience/inside.h"
#include <math.h>
#include <stdlib.h>

enum { ROOM_FIRST = 1024, COUNTS_FIRST = 2 };
/* A count this small is forgotten. */
static const float FADED = 0.01F;

static void *zeroed(size_t n, size_t size)
{
        void *at = calloc(n, size);
        if (!at)
                abort();
        return at;
}

void cells_free(struct cells *c)
{
        for (size_t i = 0; i < c->room; i++)
                free(c->at[i].counts);
        free(c->at);
        *c = (struct cells){.most = c->most};
}

/* The keys are hashes already. */
static size_t place(const struct cells *c, uint64_t key)
{
        size_t i = (size_t)key & (c->room - 1);
        while (c->at[i].key != 0 && c->at[i].key != key)
                i = (i + 1) & (c->room - 1);
        return i;
}

struct cell *cells_find(const struct cells *c, uint64_t key)
{
        if (c->room == 0)
                return NULL;
        struct cell *found = &c->at[place(c, key)];
        return found->key == key ? found : NULL;
}

/* Cells older than `since` are dropped on the way. */
static void rebuild(struct cells *c, size_t room, int64_t since)
{
        struct cells next = {.at = zeroed(room, sizeof *c->at), .room = room, .most = c->most};
        for (size_t i = 0; i < c->room; i++) {
                struct cell *old = &c->at[i];
                if (old->key != 0 && old->at >= since) {
                        next.at[place(&next, old->key)] = *old;
                        next.n++;
                } else {
                        free(old->counts);
                }
        }
        free(c->at);
        *c = next;
}

static int by_time(const void *a, const void *b)
{
        const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
        return (x > y) - (x < y);
}

/* The stalest eighth, so that a drop is paid for by many cases.  When most are of one instant, all of them may go but that one's:
 * then those go too. */
static void drop_stalest(struct cells *c)
{
        int64_t *times = zeroed(c->n, sizeof *times);
        size_t n = 0;
        for (size_t i = 0; i < c->room; i++)
                if (c->at[i].key != 0)
                        times[n++] = c->at[i].at;
        qsort(times, n, sizeof *times, by_time);
        const int64_t since = times[n / 8];
        const bool stuck = times[0] == since;
        free(times);
        rebuild(c, c->room, stuck ? since + 1 : since);
}

struct cell *cells_put(struct cells *c, uint64_t key)
{
        if (c->room == 0 || c->n >= c->room / 2)
                rebuild(c, c->room ? c->room * 2 : ROOM_FIRST, INT64_MIN);
        struct cell *made = &c->at[place(c, key)];
        made->key = key;
        c->n++;
        return made;
}

struct cell *cells_take(struct cells *c, uint64_t key, int64_t now)
{
        struct cell *found = cells_find(c, key);
        if (found)
                return found;
        if (c->n >= c->most)
                drop_stalest(c);
        found = cells_put(c, key);
        found->at = found->since = now;
        return found;
}

void cell_fade(const struct cell *cell, int64_t now, const double half_life[2], double left[2])
{
        const double days = now > cell->at ? (double)(now - cell->at) / (double)USEC_DAY : 0;
        left[0] = exp2(-days / half_life[0]);
        left[1] = exp2(-days / half_life[1]);
}

struct count *cell_count(const struct cell *cell, uint32_t of)
{
        for (size_t i = 0; i < cell->n; i++)
                if (cell->counts[i].of == of)
                        return &cell->counts[i];
        return NULL;
}

static struct count *weakest(const struct cell *cell)
{
        struct count *least = &cell->counts[0];
        for (size_t i = 1; i < cell->n; i++)
                if (cell->counts[i].all < least->all)
                        least = &cell->counts[i];
        return least;
}

static struct count *new_count(struct cell *cell)
{
        if (cell->n == COUNTS_MOST)
                return weakest(cell);
        if (cell->n == cell->room) {
                cell->room = cell->room ? cell->room * 2 : COUNTS_FIRST;
                struct count *more = realloc(cell->counts, cell->room * sizeof *more);
                if (!more)
                        abort();
                cell->counts = more;
        }
        return &cell->counts[cell->n++];
}

void cell_add(struct cell *cell, uint32_t of, int64_t now, const double half_life[2])
{
        double left[2];
        uint32_t kept = 0;
        cell_fade(cell, now, half_life, left);
        for (size_t i = 0; i < cell->n; i++) {
                struct count c = cell->counts[i];
                c.all *= (float)left[0];
                c.recent *= (float)left[1];
                if (c.all >= FADED || c.of == of)
                        cell->counts[kept++] = c;
        }
        cell->n = kept;
        struct count *found = cell_count(cell, of);
        if (!found) {
                found = new_count(cell);
                *found = (struct count){.of = of};
        }
        found->all += 1;
        found->recent += 1;
        cell->last = of;
        cell->at = now > cell->at ? now : cell->at;
}
