/* same/index.c -- see same.h: where the cases are kept and how the few that may be the same are found.
 *
 * Cases have ascending numbers and stand in a ring, so the one that is overwritten is the oldest.  Each is linked into KEYS + 1
 * lists: of its lowest-ranked grams and of its place.  A list begins at a head (by hash) and leads from newer to older numbers; a
 * number that has left the ring ends it.  So nothing is ever unlinked: a removed case is passed over until it is overwritten or the
 * index is packed anew.  Numbers begin in the middle, so that older cases can get lower ones and stand at the ends of the lists;
 * where these ends are is known only while that goes on.  It does so only while nothing has left the ring since it was packed, so a
 * list never leads to a number that was given away again.
 */
#include "same/inside.h"
#include "base/arena.h"
#include "base/map.h"
#include "text/shingles.h"
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

/* A question looks for LOOKUPS grams, walks at most STEPS links of a list, GRAM_STEPS and PLACE_STEPS in all, and compares COMPARED
 * cases: measured, what more of each would find (doc/triage.md). */
enum { LOOKUPS = 256, STEPS = 256, GRAM_STEPS = 1500, PLACE_STEPS = 500, VOTERS = 16384, COMPARED = 1024, AHEAD = 4, LEAST = 1024 };
enum { VOTE_PLACE = 8, VOTE_RARE = 8, VOTES_MOST = 4096 }; /* a common gram has one vote, a rare one nine */
static const double CELL = 0.0025;                         /* degrees: 278 m north-south, 256 m east-west in Shenzhen */

struct same_index {
        pthread_rwlock_t lock;
        struct rare *rare;
        struct kept *at; /* number n stands at (n - 1) % capacity */
        size_t most, capacity;
        uint32_t newest, floor; /* numbers floor + 1 .. newest are in the ring */
        size_t gone;            /* removed ones among them */
        uint32_t *heads, *ids;  /* by key; by id (open addressing, entries may be stale) */
        uint32_t *ends;         /* of the lists, by key; NULL = not known */
        size_t n_heads, n_ids, ids_used;
};

/* --- memory --------------------------------------------------------------------------------------------------------------- */

static void *new_zeroed(size_t n, size_t size)
{
        void *p = calloc(n, size);
        if (!p)
                abort();
        return p;
}

static size_t power_of_two(size_t least)
{
        size_t n = 64;
        while (n < least)
                n *= 2;
        return n;
}

static struct kept *kept_at(const struct same_index *x, uint32_t number)
{
        return &x->at[(number - 1) % x->capacity];
}

static uint32_t bucket(const struct same_index *x, uint32_t key)
{
        return hash_mix(key) & (uint32_t)(x->n_heads - 1);
}

/* The place in `keys` by which a case stands in the list of bucket b; KEYS + 1: in none. */
static size_t link_in(const struct same_index *x, const struct kept *k, uint32_t b)
{
        size_t i = 0;
        while (i <= KEYS && (k->keys[i] == 0 || bucket(x, k->keys[i]) != b))
                i++;
        return i;
}

static void link_up(struct same_index *x, struct kept *k)
{
        for (size_t i = 0; i <= KEYS; i++) {
                if (k->keys[i] == 0)
                        continue;
                const uint32_t b = bucket(x, k->keys[i]);
                const size_t first = link_in(x, k, b);
                k->links[i] = first < i ? k->links[first] : x->heads[b];
                if (x->ends && x->heads[b] == 0)
                        x->ends[b] = k->number;
                x->heads[b] = k->number;
        }
}

static void find_ends(struct same_index *x)
{
        x->ends = new_zeroed(x->n_heads, sizeof *x->ends);
        for (uint32_t n = x->newest; n > x->floor; n--)
                for (size_t i = 0; i <= KEYS; i++)
                        if (kept_at(x, n)->keys[i] != 0)
                                x->ends[bucket(x, kept_at(x, n)->keys[i])] = n;
}

static void lead_on(const struct same_index *x, struct kept *k, uint32_t b, uint32_t number)
{
        for (size_t i = 0; i <= KEYS; i++)
                if (k->keys[i] != 0 && bucket(x, k->keys[i]) == b)
                        k->links[i] = number;
}

static void link_behind(struct same_index *x, struct kept *k)
{
        for (size_t i = 0; i <= KEYS; i++) {
                if (k->keys[i] == 0)
                        continue;
                const uint32_t b = bucket(x, k->keys[i]);
                k->links[i] = 0;
                if (link_in(x, k, b) != i)
                        continue;
                if (x->heads[b] == 0)
                        x->heads[b] = k->number;
                else
                        lead_on(x, kept_at(x, x->ends[b]), b, k->number);
                x->ends[b] = k->number;
        }
}

static uint32_t id_slot(const struct same_index *x, int64_t id)
{
        return (uint32_t)(hash_bytes(&id, sizeof id, 5) & (x->n_ids - 1));
}

static bool is_live(const struct same_index *x, uint32_t number)
{
        return number > x->floor && !(kept_at(x, number)->flags & KEPT_GONE);
}

static void id_put(struct same_index *x, const struct kept *k)
{
        size_t i = id_slot(x, k->id);
        while (x->ids[i] != 0 && is_live(x, x->ids[i]))
                i = (i + 1) & (x->n_ids - 1);
        x->ids_used += x->ids[i] == 0;
        x->ids[i] = k->number;
}

static struct kept *id_find(const struct same_index *x, int64_t id)
{
        for (size_t i = id_slot(x, id); x->ids[i] != 0; i = (i + 1) & (x->n_ids - 1))
                if (is_live(x, x->ids[i]) && kept_at(x, x->ids[i])->id == id)
                        return kept_at(x, x->ids[i]);
        return NULL;
}

static void ids_again(struct same_index *x)
{
        memset(x->ids, 0, x->n_ids * sizeof *x->ids);
        x->ids_used = 0;
        for (uint32_t n = x->floor + 1; n <= x->newest; n++)
                if (is_live(x, n))
                        id_put(x, kept_at(x, n));
}

/* Moves what lives into a ring of `capacity` under new numbers, and makes the lists anew. */
static void pack_into(struct same_index *x, size_t capacity)
{
        struct kept *at = new_zeroed(capacity, sizeof *at);
        const uint32_t floor = (uint32_t)x->most;
        uint32_t newest = floor;
        for (uint32_t n = x->floor; n < x->newest; n++)
                if (is_live(x, n + 1)) {
                        struct kept *k = &at[newest % capacity];
                        *k = *kept_at(x, n + 1);
                        k->number = ++newest;
                        memset(k->links, 0, sizeof k->links);
                }
        free(x->at);
        free(x->heads);
        free(x->ids);
        free(x->ends);
        x->ends = NULL;
        x->at = at;
        x->capacity = capacity;
        x->newest = newest;
        x->floor = floor;
        x->gone = 0;
        x->n_heads = power_of_two(2 * capacity);
        x->heads = new_zeroed(x->n_heads, sizeof *x->heads);
        x->n_ids = power_of_two(capacity + capacity / 2);
        x->ids = new_zeroed(x->n_ids, sizeof *x->ids);
        for (uint32_t n = floor + 1; n <= newest; n++)
                link_up(x, kept_at(x, n));
        ids_again(x);
}

struct same_index *same_new(struct rare **rare, size_t most)
{
        struct same_index *x = new_zeroed(1, sizeof *x);
        pthread_rwlockattr_t how;
        assert(most > 0 && most < UINT32_MAX / 2);
        (void)pthread_rwlockattr_init(&how);
        /* Else a steady stream of questions keeps the writer out. */
        (void)pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
        (void)pthread_rwlock_init(&x->lock, &how);
        (void)pthread_rwlockattr_destroy(&how);
        if (rare) {
                x->rare = *rare;
                *rare = NULL;
        }
        x->most = most;
        pack_into(x, most < LEAST ? most : LEAST);
        return x;
}

void same_free(struct same_index **index)
{
        struct same_index *x = *index;
        if (!x)
                return;
        (void)pthread_rwlock_destroy(&x->lock);
        rare_free(&x->rare);
        free(x->at);
        free(x->heads);
        free(x->ids);
        free(x->ends);
        free(x);
        *index = NULL;
}

struct same_size same_size(struct same_index *x)
{
        (void)pthread_rwlock_rdlock(&x->lock);
        const struct same_size s = {
                .cases = x->newest - x->floor - x->gone,
                .bytes = sizeof *x + x->capacity * sizeof *x->at + ((x->ends ? 2 : 1) * x->n_heads + x->n_ids) * sizeof *x->heads
                         + rare_bytes(x->rare),
        };
        (void)pthread_rwlock_unlock(&x->lock);
        return s;
}

/* --- adding and removing -------------------------------------------------------------------------------------------------- */

static uint32_t cell_key(int64_t x, int64_t y, uint32_t item)
{
        const struct {
                int64_t x, y, item;
        } cell = {x, y, item};
        return (uint32_t)hash_bytes(&cell, sizeof cell, 29) | 1;
}

static int64_t cell_of(int32_t degrees)
{
        return (int64_t)floor(degrees * 1e-7 / CELL);
}

static uint32_t area_key(uint32_t area, uint32_t item)
{
        return cell_key(INT64_MIN, area, item);
}

/* Where a case stands: its cell, else its smallest area; both with its item. */
static uint32_t place_key(const struct kept *k)
{
        if (k->flags & KEPT_POINT)
                return cell_key(cell_of(k->lon), cell_of(k->lat), k->item);
        const uint32_t area = k->grid ? k->grid : k->community;
        return area ? area_key(area, k->item) : 0;
}

static void remove_kept(struct same_index *x, struct kept *k)
{
        k->flags |= KEPT_GONE;
        x->gone++;
}

static void grow(struct same_index *x)
{
        if (x->newest - x->floor < x->capacity && x->newest < UINT32_MAX)
                return;
        if (x->gone > x->capacity / 4 || x->newest == UINT32_MAX)
                pack_into(x, x->capacity);
        else if (x->capacity < x->most)
                pack_into(x, x->capacity + x->capacity / 2 < x->most ? x->capacity + x->capacity / 2 : x->most);
}

static void make_room(struct same_index *x)
{
        grow(x);
        if (x->newest - x->floor == x->capacity) {
                x->floor++;
                x->gone -= (kept_at(x, x->floor)->flags & KEPT_GONE) != 0;
        }
}

/* Without its number and its place key. */
static struct kept kept_of(const struct same_index *x, const struct matter *m)
{
        struct arena *a = arena_new();
        struct sketch s;
        struct kept k;
        sketch_make(&s, a, m->text, x->rare);
        kept_make(&k, m, &s);
        arena_free(&a);
        return k;
}

static void put_id(struct same_index *x, const struct kept *k)
{
        if (x->ids_used * 4 > x->n_ids * 3)
                ids_again(x);
        else
                id_put(x, k);
}

static struct kept *put_kept(struct same_index *x, const struct kept *one, uint32_t number)
{
        struct kept *k = kept_at(x, number);
        *k = *one;
        k->number = number;
        k->keys[KEYS] = place_key(k);
        return k;
}

static void add(struct same_index *x, const struct kept *one)
{
        (void)pthread_rwlock_wrlock(&x->lock);
        struct kept *before = id_find(x, one->id);
        if (before)
                remove_kept(x, before);
        make_room(x);
        struct kept *k = put_kept(x, one, ++x->newest);
        link_up(x, k);
        put_id(x, k);
        (void)pthread_rwlock_unlock(&x->lock);
}

void same_add(struct same_index *x, const struct matter *m)
{
        const struct kept one = kept_of(x, m);
        add(x, &one);
}

bool same_add_before(struct same_index *x, const struct matter *m)
{
        if (same_has(x, m->id)) /* the sketch is most of the work */
                return true;
        const struct kept one = kept_of(x, m);
        (void)pthread_rwlock_wrlock(&x->lock);
        const bool known = id_find(x, m->id) != NULL;
        if (!known)
                grow(x);
        const bool full = !known && x->newest - x->floor == x->capacity;
        if (!known && !full) {
                if (!x->ends)
                        find_ends(x);
                struct kept *k = put_kept(x, &one, x->floor--);
                link_behind(x, k);
                put_id(x, k);
        }
        if (full) {
                free(x->ends);
                x->ends = NULL;
        }
        (void)pthread_rwlock_unlock(&x->lock);
        return !full;
}

bool same_remove(struct same_index *x, int64_t id)
{
        (void)pthread_rwlock_wrlock(&x->lock);
        struct kept *k = id_find(x, id);
        if (k)
                remove_kept(x, k);
        (void)pthread_rwlock_unlock(&x->lock);
        return k != NULL;
}

bool same_has(struct same_index *x, int64_t id)
{
        (void)pthread_rwlock_rdlock(&x->lock);
        const bool has = id_find(x, id) != NULL;
        (void)pthread_rwlock_unlock(&x->lock);
        return has;
}

/* --- finding -------------------------------------------------------------------------------------------------------------- */

struct voter {
        uint32_t number, votes;
};
struct search {
        const struct same_index *index;
        struct voter *voters; /* open addressing by number */
        uint32_t *order;      /* places in voters, in the order they came */
        size_t n, left;       /* steps */
};

static void vote(struct search *s, uint32_t number, uint32_t votes)
{
        size_t i = hash_mix(number) & (VOTERS - 1);
        while (s->voters[i].number != 0 && s->voters[i].number != number)
                i = (i + 1) & (VOTERS - 1);
        if (s->voters[i].number == 0) {
                s->voters[i].number = number;
                s->order[s->n++] = (uint32_t)i;
        }
        s->voters[i].votes += votes;
}

static void walk(struct search *s, uint32_t key, uint32_t votes)
{
        const struct same_index *x = s->index;
        const uint32_t b = bucket(x, key);
        uint32_t number = x->heads[b];
        for (size_t steps = 0; number > x->floor && steps < STEPS && s->left > 0; steps++, s->left--) {
                const struct kept *k = kept_at(x, number);
                size_t i = 0;
                while (i <= KEYS && k->keys[i] != key)
                        i++;
                if (i <= KEYS && !(k->flags & KEPT_GONE))
                        vote(s, number, votes);
                if (i > KEYS) /* another key that shares the bucket */
                        i = link_in(x, k, b);
                number = i <= KEYS ? k->links[i] : 0;
        }
}

static void walk_place(struct search *s, const struct kept *own)
{
        static const struct {
                int64_t x, y;
        } cells[] = {{0, 0}, {0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1}};
        const uint32_t items[] = {own->item, 0};
        s->left = PLACE_STEPS;
        for (size_t i = 0; i < (own->item ? 2 : 1); i++) {
                for (size_t c = 0; own->flags & KEPT_POINT && c < COUNT_OF(cells); c++)
                        walk(s, cell_key(cell_of(own->lon) + cells[c].x, cell_of(own->lat) + cells[c].y, items[i]), VOTE_PLACE);
                if (own->grid)
                        walk(s, area_key(own->grid, items[i]), VOTE_PLACE);
                if (own->community)
                        walk(s, area_key(own->community, items[i]), VOTE_PLACE);
        }
}

struct lookup {
        double rarity;
        uint32_t hash;
};

static int by_rarity(const void *a, const void *b)
{
        const struct lookup *x = a, *y = b;
        if (x->rarity > y->rarity || x->rarity < y->rarity)
                return x->rarity > y->rarity ? -1 : 1;
        return (x->hash > y->hash) - (x->hash < y->hash);
}

/* The lowest-ranked grams are those that a case like this one has as its keys; the rarest have the shortest lists, so they go first
 * and the steps that are left serve the common ones. */
static void walk_grams(struct search *s, const struct question *q, struct arena *a)
{
        const size_t n = q->sketch.n < LOOKUPS ? q->sketch.n : LOOKUPS;
        struct lookup *all = NEW_ARRAY(a, struct lookup, n + 1);
        for (size_t i = 0; i < n; i++)
                all[i] = (struct lookup){gram_rarity(s->index->rare, q->sketch.grams[i].hash), q->sketch.grams[i].hash};
        qsort(all, n, sizeof *all, by_rarity);
        s->left = GRAM_STEPS;
        for (size_t i = 0; i < n; i++)
                if (all[i].hash != 0)
                        walk(s, all[i].hash, 1 + (uint32_t)(VOTE_RARE * all[i].rarity));
}

/* Moves those with the most votes to the front of `order`; of equals the ones met first, which are the newest of their lists. */
static size_t elect(struct search *s, struct arena *a)
{
        uint32_t *with = NEW_ARRAY(a, uint32_t, VOTES_MOST + 1), least = VOTES_MOST;
        size_t above = 0, kept = 0;
        for (size_t i = 0; i < s->n; i++) {
                struct voter *v = &s->voters[s->order[i]];
                v->votes = v->votes < VOTES_MOST ? v->votes : VOTES_MOST;
                with[v->votes]++;
        }
        while (least > 1 && above + with[least] <= COMPARED)
                above += with[least--];
        /* All above `least` are in; of those with `least` as many as there is room for. */
        size_t room = COMPARED - above;
        for (size_t i = 0; i < s->n; i++) {
                const uint32_t votes = s->voters[s->order[i]].votes;
                if (votes > least || (votes == least && room > 0)) {
                        room -= votes == least;
                        s->order[kept++] = s->order[i];
                }
        }
        return kept;
}

static bool is_before(const struct alike *a, const struct alike *b)
{
        if (a->probability > b->probability || a->probability < b->probability)
                return a->probability > b->probability;
        return a->id < b->id;
}

static size_t keep(struct alike out[], size_t n, size_t most, const struct alike *one)
{
        size_t at = n;
        while (at > 0 && is_before(one, &out[at - 1]))
                at--;
        if (at >= most)
                return n;
        const size_t last = n < most ? n : most - 1;
        memmove(&out[at + 1], &out[at], (last - at) * sizeof *out);
        out[at] = *one;
        return last + 1;
}

static void fetch_early(const struct kept *k)
{
        for (size_t at = 0; at < sizeof *k; at += 64)
                __builtin_prefetch((const char *)k + at);
}

static size_t find(struct same_index *x, struct arena *a, const struct question *q, const struct same_limits *given,
                   struct alike out[], size_t most)
{
        struct search s = {.index = x, .voters = NEW_ARRAY(a, struct voter, VOTERS), .order = NEW_ARRAY(a, uint32_t, VOTERS)};
        const struct same_limits limits = given ? *given : same_limits();
        size_t n = 0;
        (void)pthread_rwlock_rdlock(&x->lock);
        walk_grams(&s, q, a);
        walk_place(&s, &q->as_kept);
        const size_t compared = elect(&s, a);
        for (size_t i = 0; i < compared; i++) {
                const struct kept *k = kept_at(x, s.voters[s.order[i]].number);
                if (i + AHEAD < compared) /* they lie all over the memory */
                        fetch_early(kept_at(x, s.voters[s.order[i + AHEAD]].number));
                struct alike one = {.id = k->id};
                same_compare(q, k, &one.parts);
                one.probability = same_probability(&one.parts);
                if (one.probability < limits.asks)
                        continue;
                one.outcome = one.probability >= limits.joins ? SAME_JOINS : SAME_ASKS;
                same_explain(q, k, &one);
                n = keep(out, n, most, &one);
        }
        (void)pthread_rwlock_unlock(&x->lock);
        return n;
}

size_t same_find(struct same_index *x, struct arena *a, const struct matter *m, const struct same_limits *given, struct alike out[],
                 size_t most)
{
        return find(x, a, question_new(a, m, x->rare), given, out, most);
}

size_t same_find_add(struct same_index *x, struct arena *a, const struct matter *m, const struct same_limits *given,
                     struct alike out[], size_t most)
{
        const struct question *q = question_new(a, m, x->rare);
        const size_t n = find(x, a, q, given, out, most);
        add(x, &q->as_kept);
        return n;
}
