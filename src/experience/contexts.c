/* experience/contexts.c -- see inside.h: the one list of contexts, and their keys. */
#include "base/map.h"
#include "base/text.h"
#include "experience/inside.h"

/* Chosen by the log-loss of forward replay over the middle of a year of one district's cases (doc/triage.md); owner, kind and grid,
 * which those cases do not have, by analogy. */
static const struct context list[] = {
        {0},
        {.parts = STREET},
        {.parts = COMMUNITY},
        {.parts = GRID},
        {.parts = SOURCE},
        {.parts = PROPERTY},
        {.parts = ROOT},
        {.parts = ROOT | STREET},
        {.parts = ROOT | COMMUNITY},
        {.parts = PARENT},
        {.parts = PARENT | STREET},
        {.parts = PARENT | COMMUNITY},
        {.parts = PARENT | SOURCE},
        {.parts = LEAF},
        {.parts = LEAF | STREET},
        {.parts = LEAF | COMMUNITY},
        {.parts = LEAF | GRID},
        {.parts = LEAF | SOURCE},
        {.parts = LEAF | STREET | SOURCE},
        {.parts = LEAF | COMMUNITY | SOURCE},
        {.parts = LEAF | PROPERTY},
        {.parts = COMMUNITY | SOURCE},
        {.parts = OWNER},
        {.parts = OWNER | STREET},
        {.parts = OWNER | COMMUNITY},
        {.parts = OWNER | SOURCE},
        {.parts = OWNER | LEAF},
        {.parts = OWNER | LEAF | COMMUNITY},
        {.parts = KIND},
        {.parts = KIND | STREET},
        {.parts = KIND | LEAF},
        {.parts = KIND | COMMUNITY},
        {.roles = true},
        {.parts = LEAF, .roles = true},
        {.parts = LEAF | SOURCE, .roles = true},
        {.parts = LEAF | STREET, .roles = true},
        {.parts = PARENT, .roles = true},
        {.parts = PARENT | SOURCE, .roles = true},
        {.parts = SOURCE, .roles = true},
        {.parts = STREET, .roles = true},
        {.parts = COMMUNITY, .roles = true},
};
static_assert(COUNT_OF(list) == CONTEXTS, "the number of contexts stands in inside.h");

const struct context *context_at(size_t i)
{
        return &list[i];
}

/* Of a path: each text with its length's end, so that "ab","c" is not "a","bc".  0 when one of them is not said. */
static uint64_t path_key(const char *const *texts, size_t n)
{
        uint64_t key = 0x9E3779B97F4A7C15 + n;
        for (size_t i = 0; i < n; i++) {
                if (text_empty(texts[i]))
                        return 0;
                key = hash_bytes(texts[i], strlen(texts[i]) + 1, key);
        }
        return n > 0 ? key | 1 : 0;
}

uint64_t area_key(const struct circumstance *c, size_t level)
{
        return level < c->n_area && level < CIRCUMSTANCE_AREAS ? path_key(c->area, level + 1) : 0;
}

static size_t depth(const struct circumstance *c)
{
        return c->n_item < CIRCUMSTANCE_ITEMS ? c->n_item : CIRCUMSTANCE_ITEMS;
}

uint64_t item_key(const struct circumstance *c)
{
        return path_key(c->item, depth(c));
}

enum { PARTS = 10 };

/* In the order of enum part. */
static void parts_of(const struct circumstance *c, uint64_t out[PARTS])
{
        const size_t n = depth(c);
        out[0] = path_key(c->item, n);
        out[1] = n > 2 ? path_key(c->item, n - 1) : 0;
        out[2] = n > 1 ? path_key(c->item, 1) : 0;
        for (size_t level = 0; level < CIRCUMSTANCE_AREAS; level++)
                out[3 + level] = area_key(c, level);
        out[6] = path_key(&c->source, 1);
        out[7] = path_key(&c->property, 1);
        out[8] = path_key(&c->owner, 1);
        out[9] = path_key(&c->kind, 1);
}

static bool left_out(const struct context *c, unsigned without)
{
        static const struct {
                unsigned part, parts;
        } groups[] = {
                {EXPERIENCE_SOURCE, SOURCE},
                {EXPERIENCE_PROPERTY, PROPERTY},
                {EXPERIENCE_AREA, STREET | COMMUNITY | GRID},
                {EXPERIENCE_COMMUNITY, COMMUNITY | GRID},
                {EXPERIENCE_ITEM, LEAF},
                {EXPERIENCE_OWNER, OWNER},
                {EXPERIENCE_KIND, KIND},
        };
        for (size_t i = 0; i < COUNT_OF(groups); i++)
                if ((without & groups[i].part) && (c->parts & groups[i].parts))
                        return true;
        return c->roles && (without & EXPERIENCE_ROLES);
}

/* SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). */
static uint64_t mixed(uint64_t x)
{
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
}

void contexts_of(const struct circumstance *c, unsigned without, uint64_t keys[CONTEXTS])
{
        uint64_t parts[PARTS];
        parts_of(c, parts);
        for (size_t i = 0; i < CONTEXTS; i++) {
                /* The parts and not the place in the list: a list that grows keeps what was learned. */
                uint64_t key = mixed(UINT64_C(0x632BE59BD9B4E019) + list[i].parts * 2U + (list[i].roles ? 1U : 0U));
                bool said = !left_out(&list[i], without);
                for (size_t p = 0; said && p < PARTS; p++) {
                        if (!(list[i].parts & (1U << p)))
                                continue;
                        said = parts[p] != 0;
                        key = mixed(key ^ parts[p]);
                }
                keys[i] = said ? key | 1 : 0;
        }
}

bool context_is_item(size_t context)
{
        return list[context].parts == LEAF && !list[context].roles;
}

struct ground context_ground(size_t context, const struct circumstance *c)
{
        const unsigned parts = list[context].parts;
        const size_t n = depth(c);
        return (struct ground){
                .item = parts & LEAF     ? n
                        : parts & PARENT ? n - 1
                        : parts & ROOT   ? 1
                                         : 0,
                .area = parts & GRID        ? 3
                        : parts & COMMUNITY ? 2
                        : parts & STREET    ? 1
                                            : 0,
                .source = (parts & SOURCE) != 0,
                .property = (parts & PROPERTY) != 0,
                .owner = (parts & OWNER) != 0,
                .kind = (parts & KIND) != 0,
                .elsewhere = list[context].roles,
        };
}
