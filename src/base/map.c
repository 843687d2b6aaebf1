/* base/map.c -- open addressing, a power of two of slots, at most half full; nothing is ever removed. */
#include "base/map.h"
#include "base/arena.h"

struct slot {
        const char *key;
        void *value;
        uint64_t hash;
};
struct map {
        struct arena *arena;
        struct slot *slots;
        size_t room, count;
};

/* FNV-1a, 64 bits, with a final mix (MurmurHash3's) so that the low bits are good. */
uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
        const unsigned char *p = bytes;
        uint64_t h = UINT64_C(14695981039346656037) ^ seed;
        for (size_t i = 0; i < n; i++)
                h = (h ^ p[i]) * UINT64_C(1099511628211);
        h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
        return h ^ (h >> 33);
}

struct map *map_new(struct arena *a, size_t expected)
{
        struct map *m = NEW(a, struct map);
        size_t room = 16;
        while (room < expected * 2)
                room *= 2;
        *m = (struct map){.arena = a, .slots = NEW_ARRAY(a, struct slot, room), .room = room};
        return m;
}

static struct slot *find(const struct map *m, const char *key, uint64_t hash)
{
        size_t i = hash & (m->room - 1);
        while (m->slots[i].key && (m->slots[i].hash != hash || strcmp(m->slots[i].key, key) != 0))
                i = (i + 1) & (m->room - 1);
        return &m->slots[i];
}

static void grow(struct map *m)
{
        struct slot *old = m->slots;
        size_t n = m->room;
        m->room *= 2;
        m->slots = NEW_ARRAY(m->arena, struct slot, m->room);
        for (size_t i = 0; i < n; i++)
                if (old[i].key)
                        *find(m, old[i].key, old[i].hash) = old[i];
}

void *map_put(struct map *m, const char *key, void *value)
{
        const uint64_t hash = hash_bytes(key, strlen(key), 0);
        struct slot *s = find(m, key, hash);
        if (s->key) {
                void *earlier = s->value;
                s->value = value;
                return earlier;
        }
        *s = (struct slot){key, value, hash};
        if (++m->count * 2 > m->room)
                grow(m);
        return NULL;
}

void *map_get(const struct map *m, const char *key)
{
        const struct slot *s = find(m, key, hash_bytes(key, strlen(key), 0));
        return s->key ? s->value : NULL;
}

size_t map_count(const struct map *m)
{
        return m->count;
}
