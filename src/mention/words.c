/* mention/words.c -- the rules' words and the areas' names in one table: chains by class and first character, longest first. */
#include "base/arena.h"
#include "mention/inside.h"

struct entry {
        const uint32_t *c;
        size_t n;
        enum word_class class;
        int value;
        int next, next_last; /* of the same class and first, and last, character; -1 */
};
enum { SLOTS = 8192, WORD_MOST = 40 };
_Static_assert(WORD_CLASSES <= 63, "a class is a bit");
struct vocabulary {
        struct arena *arena;
        struct entry *at;
        size_t n, room;
        const char **codes;
        int first[SLOTS], last[SLOTS];
        uint64_t begins[SLOTS], ends[SLOTS]; /* by a character's hash: the classes of words that begin, and end, with it */
};

static size_t slot_of(uint32_t c, enum word_class class)
{
        return (c * UINT32_C(2654435761) + (uint32_t) class * UINT32_C(40503)) >> 7 & (SLOTS - 1);
}

static size_t hash_of(uint32_t c)
{
        return (c * UINT32_C(2654435761)) >> 9 & (SLOTS - 1);
}

/* Chains are kept from the longest to the shortest. */
static void chain_in(struct vocabulary *v, int *head, int new, bool by_last)
{
        int *p = head;
        while (*p >= 0 && v->at[*p].n >= v->at[new].n)
                p = by_last ? &v->at[*p].next_last : &v->at[*p].next;
        *(by_last ? &v->at[new].next_last : &v->at[new].next) = *p;
        *p = new;
}

static void word_put(struct vocabulary *v, const struct fold *fold, const char *text, size_t n, enum word_class class, int value)
{
        struct folded f;
        fold_text(fold, v->arena, text, n, &f);
        if (f.n == 0 || f.n > WORD_MOST)
                return;
        if (v->n == v->room) {
                struct entry *more = NEW_ARRAY(v->arena, struct entry, v->room * 2);
                memcpy(more, v->at, v->n * sizeof *more);
                v->at = more;
                v->room *= 2;
        }
        const int new = (int)v->n++;
        v->at[new] = (struct entry){f.c, f.n, class, value, -1, -1};
        v->begins[hash_of(f.c[0])] |= UINT64_C(1) << class;
        v->ends[hash_of(f.c[f.n - 1])] |= UINT64_C(1) << class;
        chain_in(v, &v->first[slot_of(f.c[0], class)], new, false);
        chain_in(v, &v->last[slot_of(f.c[f.n - 1], class)], new, true);
}

static void rules_put(struct vocabulary *v, const struct fold *fold, const struct rule_word *rule)
{
        for (; rule->words; rule++)
                for (const char *p = rule->words; *p;) {
                        const size_t n = strcspn(p, " ");
                        word_put(v, fold, p, n, rule->class, rule->value);
                        p += n + (p[n] == ' ');
                }
}

struct vocabulary *vocabulary_new(const struct fold *fold, const struct area_name *areas, size_t n)
{
        struct arena *a = arena_new();
        struct vocabulary *v = NEW(a, struct vocabulary);
        v->arena = a;
        v->room = 1024;
        v->at = NEW_ARRAY(a, struct entry, v->room);
        v->codes = NEW_ARRAY(a, const char *, n + 1);
        for (size_t i = 0; i < SLOTS; i++)
                v->first[i] = v->last[i] = -1;
        rules_put(v, fold, time_words);
        rules_put(v, fold, place_words);
        for (size_t i = 0; i < n; i++) {
                v->codes[i] = areas[i].code;
                word_put(v, fold, areas[i].name, strlen(areas[i].name), WORD_AREA, (int)i);
        }
        return v;
}

void vocabulary_free(struct vocabulary **v)
{
        struct arena *a = *v ? (*v)->arena : NULL;
        if (a)
                arena_free(&a);
        *v = NULL;
}

const char *area_code(const struct vocabulary *v, int value)
{
        return v->codes[value];
}

bool word_may_begin(const struct vocabulary *v, uint32_t c, enum word_class first, enum word_class last)
{
        const uint64_t wanted = (UINT64_C(2) << last) - (UINT64_C(1) << first);
        return (v->begins[hash_of(c)] & wanted) != 0;
}

static bool stands(const struct entry *w, enum word_class class, const struct folded *f, size_t i)
{
        return w->class == class && w->n <= f->n - i && memcmp(w->c, f->c + i, w->n * sizeof *w->c) == 0;
}

struct word word_at(const struct vocabulary *v, const struct folded *f, size_t i, enum word_class class)
{
        if (i >= f->n || !(v->begins[hash_of(f->c[i])] & UINT64_C(1) << class))
                return (struct word){0, 0};
        for (int e = v->first[slot_of(f->c[i], class)]; e >= 0; e = v->at[e].next)
                if (stands(&v->at[e], class, f, i))
                        return (struct word){v->at[e].n, v->at[e].value};
        return (struct word){0, 0};
}

struct word word_before(const struct vocabulary *v, const struct folded *f, size_t from, size_t end, enum word_class class)
{
        if (end == 0 || end > f->n || !(v->ends[hash_of(f->c[end - 1])] & UINT64_C(1) << class))
                return (struct word){0, 0};
        for (int e = v->last[slot_of(f->c[end - 1], class)]; e >= 0; e = v->at[e].next_last)
                if (v->at[e].n <= end - from && stands(&v->at[e], class, f, end - v->at[e].n))
                        return (struct word){v->at[e].n, v->at[e].value};
        return (struct word){0, 0};
}
