/* search/suggest.c -- see suggest.h. */
#include "search/suggest.h"
#include "base/arena.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "people/people.h"
#include "text/fold.h"
#include "twin/twin.h"

struct suggesting {
        const struct fold *fold;
        struct arena *arena;
        struct folded wanted;
        struct suggestion *out;
        size_t places[SUGGEST_MOST]; /* how good each is: less is better */
        size_t n;
};

static size_t place_in(const struct folded *name, const struct folded *wanted)
{
        for (size_t i = 0; i + wanted->n <= name->n; i++)
                if (memcmp(name->c + i, wanted->c, wanted->n * sizeof *name->c) == 0)
                        return i;
        return SIZE_MAX;
}

static bool is_there(const struct suggesting *s, const char *kind, const char *text)
{
        for (size_t i = 0; i < s->n; i++)
                if (text_is(s->out[i].kind, kind) && text_is(s->out[i].text, text))
                        return true;
        return false;
}

static void offer(struct suggesting *s, const char *kind, const char *code, const char *text)
{
        enum { INSIDE = 1 << 20 };
        struct folded name;
        if (text_empty(text) || is_there(s, kind, text))
                return;
        fold_text(s->fold, s->arena, text, strlen(text), &name);
        const size_t at = place_in(&name, &s->wanted);
        if (at == SIZE_MAX)
                return;
        const size_t place = (at == 0 ? 0 : INSIDE) + name.n;
        size_t i = s->n;
        while (i > 0 && s->places[i - 1] > place)
                i--;
        if (i == SUGGEST_MOST)
                return;
        const size_t moved = (s->n < SUGGEST_MOST ? s->n : SUGGEST_MOST - 1) - i;
        memmove(s->out + i + 1, s->out + i, moved * sizeof *s->out);
        memmove(s->places + i + 1, s->places + i, moved * sizeof *s->places);
        s->out[i] = (struct suggestion){kind, code, text};
        s->places[i] = place;
        s->n = i + moved + 1;
}

size_t suggest(const struct fold *fold, struct arena *a, const struct rulebook *rules, const char *text,
               struct suggestion out[SUGGEST_MOST])
{
        struct suggesting s = {.fold = fold, .arena = a, .out = out};
        fold_text(fold, a, text, strlen(text), &s.wanted);
        if (s.wanted.n == 0)
                return 0;
        for (size_t i = 0; i < item_count(rules->catalogue); i++) {
                const struct item *item = item_at(rules->catalogue, i);
                offer(&s, "item", item->code, item->name);
                offer(&s, "item", item->code, item->name_en);
        }
        for (size_t i = 0; i < area_count(rules->twin); i++) {
                const struct area *area = area_at(rules->twin, i);
                offer(&s, "area", area->code, area->name);
                offer(&s, "area", area->code, area->name_en);
        }
        for (size_t i = 0; i < unit_count(rules->units); i++) {
                const struct unit *unit = unit_at(rules->units, i);
                offer(&s, "unit", unit->code, unit->name);
                offer(&s, "unit", unit->code, unit->name_en);
        }
        return s.n;
}
