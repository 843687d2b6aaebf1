/* mention/places.c -- places and organisations: a name, and what ends it.
 *
 * The text is gone through once.  Words and marks that no name contains (barriers) move the place where a name may begin; a suffix
 * closes the name.  The pieces found so are then joined: "坪山区" "锦龙大道" "12号" are one place. */
#include "base/arena.h"
#include "mention/inside.h"

enum { HOUSE_ALONE = 16, HOUSE_KIND = 15 };

struct piece {
        size_t from, to;
        enum place_kind kind;
        int area;   /* index of the vocabulary; -1 */
        bool whole; /* of the vocabulary, with its suffix: nothing is added to it */
};
struct pieces {
        const struct vocabulary *v;
        const struct folded *f;
        struct piece *at;
        size_t n;
        size_t name; /* where a name may begin */
};

size_t barrier_at(const struct vocabulary *v, const struct folded *f, size_t i, bool *name_goes_on)
{
        const struct word keep = word_at(v, f, i, WORD_KEEP), stop = word_at(v, f, i, WORD_STOP);
        *name_goes_on = keep.n > 0 && keep.n >= stop.n;
        if (*name_goes_on)
                return keep.n;
        /* Behind a mark there is nothing to join: 、和发路. */
        const bool joins = i > 0 && letter_kind(f->c[i - 1]) != LETTER_NONE;
        if (stop.n > 0 && (joins || stop.n > 1 || !char_in(f->c[i], U"和与同")))
                return stop.n;
        /* 2018年9月, but 月亮湾. */
        if (i > 0 && numeral_like(f->c[i - 1]) && char_in(f->c[i], U"年月日号时点"))
                return 1;
        return letter_kind(f->c[i]) == LETTER_NONE && f->c[i] != U'·' ? 1 : 0;
}

static bool is_digits(const struct folded *f, size_t from, size_t to)
{
        while (from < to && numeral_like(f->c[from]))
                from++;
        return from == to;
}

/* How long a name before such a suffix can be. */
static size_t name_most(enum place_kind kind, const struct word *suffix)
{
        enum { AREA = 6, CITY = 3, ROAD = 8, ESTATE = 12, SHORT = 8 };
        if (kind == PLACE_AREA)
                return suffix->n == 1 ? CITY : AREA;
        return kind == PLACE_ROAD ? ROAD : suffix->n == 1 ? SHORT : ESTATE;
}

/* --- pieces -------------------------------------------------------------------------------------------------------- */

static struct piece *last_at(struct pieces *p, size_t i)
{
        struct piece *last = p->n > 0 ? &p->at[p->n - 1] : NULL;
        return last && skip_blank(p->f, last->to) == skip_blank(p->f, i) ? last : NULL;
}

static struct word suffix_at(const struct pieces *p, size_t i)
{
        const struct word w = word_at(p->v, p->f, i, WORD_PLACE);
        return word_at(p->v, p->f, i, WORD_AFTER_PLACE).n > w.n ? (struct word){0, 0} : w;
}

/* An area of the vocabulary.  Its short name goes on as the beginning of another: 坪山 大道. */
static size_t take_area(struct pieces *p, size_t i)
{
        const struct word w = word_at(p->v, p->f, i, WORD_AREA);
        if (w.n < 2)
                return 0;
        const size_t end = i + w.n;
        const bool whole = word_before(p->v, p->f, i, end, WORD_PLACE).n > 0;
        /* A name within a longer one: nothing stands before it but a barrier or a place. */
        if (!whole && i > p->name)
                return 0;
        p->at[p->n++] = (struct piece){i, end, PLACE_AREA, w.value, whole};
        p->name = whole ? end : i;
        return w.n;
}

static bool generic(const struct pieces *p, size_t from, size_t end, size_t suffix)
{
        const struct word w = word_before(p->v, p->f, from, end, WORD_NOT_PLACE);
        return w.n > suffix || (w.n == suffix && end - from == suffix) || (w.n > 0 && w.n == end - from);
}

/* Nothing but words that say what kind of organisation it is. */
static bool nameless(const struct vocabulary *v, const struct folded *f, size_t from, size_t to)
{
        while (from < to) {
                const struct word w = word_at(v, f, from, WORD_NOT_ORGAN);
                if (w.n == 0 || from + w.n > to)
                        return false;
                from += w.n;
        }
        return true;
}

/* Zones have letters for names (A区), and these no ideographs before them.  No area begins with digits (2019.1.5坪山区). */
static size_t letters_from(const struct folded *f, size_t from, size_t to)
{
        size_t at = to;
        while (at > from && f->c[at - 1] < 128 && letter_kind(f->c[at - 1]) != LETTER_NONE)
                at--;
        if (at < to)
                return at;
        while (from < to && digit_value(f->c[from], false) >= 0)
                from++;
        return from;
}

/* A suffix at i closes the name that began at p->name. */
static size_t take_suffix(struct pieces *p, size_t i)
{
        const struct word w = suffix_at(p, i);
        const enum place_kind kind = (enum place_kind)w.value;
        if (w.n == 0)
                return 0;
        const size_t end = i + w.n, from = kind == PLACE_AREA ? letters_from(p->f, p->name, i) : p->name;
        if (i > from && suffix_at(p, end).n > 0)
                return w.n; /* 花园小区: the last one counts */
        p->name = end;
        if (i <= from || i - from > name_most(kind, &w) || is_digits(p->f, from, i) || generic(p, from, end, w.n)
            || (kind == PLACE_ESTATE && nameless(p->v, p->f, from, i)))
                return w.n;
        struct piece *last = p->n > 0 ? &p->at[p->n - 1] : NULL;
        const bool over = last && last->from == from && !last->whole;
        if (over)
                p->n--;
        p->at[p->n++] = (struct piece){from, end, kind, -1, false};
        return w.n;
}

struct house {
        size_t end;             /* of the number, where 号 begins */
        bool arabic, short_one; /* short_one: one Chinese digit, as 一 of 一楼 */
};

/* 12, b, b-3, 7-9-10; at most two letters.  False: no number. */
static bool house_number(const struct folded *f, size_t i, struct house *h)
{
        enum { LETTERS = 2, MORE = 2 };
        int value;
        size_t at = i;
        while (char_at(f, at) >= 'a' && char_at(f, at) <= 'z' && at < i + LETTERS)
                at++;
        const bool letters = at > i;
        at += letters && char_at(f, at) == '-';
        size_t n = numeral_at(f, at, &value);
        h->arabic = letters || digit_value(char_at(f, at), false) >= 0;
        h->short_one = !h->arabic && n == 1;
        for (int more = 0; n > 0 && more < MORE && char_at(f, at + n) == '-'; more++) {
                const size_t next = numeral_at(f, at + n + 1, &value);
                if (next == 0)
                        break;
                n += 1 + next;
        }
        h->end = at + n;
        return n > 0 || letters;
}

/* 12号, 3栋, b座, 2单元: behind a piece, or, where it can be nothing else, alone. */
static size_t take_house(struct pieces *p, size_t i)
{
        const struct folded *f = p->f;
        struct house h;
        if (!house_number(f, i, &h))
                return 0;
        const struct word w = word_at(p->v, f, h.end, WORD_HOUSE);
        if (w.n == 0)
                return 0;
        const struct piece *last = last_at(p, i);
        const uint32_t before = i > 0 ? f->c[i - 1] : ',';
        const bool begins = !numeral_like(before) && letter_kind(before) != LETTER_WORD && before != '.';
        if (!last && !(h.arabic && begins && (w.value & HOUSE_ALONE)))
                return 0;
        if (last && h.short_one && last->kind != PLACE_BUILDING && !char_in(f->c[h.end], U"期栋号单幢座"))
                return 0;
        p->name = h.end + w.n;
        p->at[p->n++] = (struct piece){i, p->name, (enum place_kind)(w.value & HOUSE_KIND), -1, true};
        return p->name - i;
}

static size_t pieces_of(struct pieces *p)
{
        const struct folded *f = p->f;
        for (size_t i = 0; i < f->n;) {
                size_t n = take_area(p, i);
                n = n > 0 ? n : take_house(p, i);
                if (n == 0 && word_at(p->v, f, i, WORD_AFTER_PLACE).n > 0) {
                        n = word_at(p->v, f, i, WORD_AFTER_PLACE).n;
                        p->name = i + n;
                }
                n = n > 0 ? n : take_suffix(p, i);
                if (n == 0) {
                        bool goes_on;
                        n = barrier_at(p->v, f, i, &goes_on);
                        if (n > 0 && !goes_on)
                                p->name = i + n;
                }
                i += n > 0 ? n : 1;
        }
        return p->n;
}

/* --- pieces joined ------------------------------------------------------------------------------------------------- */

/* Behind 交叉口; 0: it is not there.  口 alone only behind 路 and 街. */
static size_t crossing_end(const struct pieces *p, const struct piece *road)
{
        const size_t at = skip_blank(p->f, road->to);
        const struct word w = word_at(p->v, p->f, at, WORD_CROSSING);
        const bool short_one = w.n == 1 && !char_in(p->f->c[at - 1], U"路街");
        return road->kind != PLACE_ROAD || w.n == 0 || short_one ? 0 : at + w.n;
}

/* "A路与B路交叉口": the other road of the crossing. */
static bool crosses(const struct pieces *p, size_t k)
{
        if (k + 1 >= p->n || p->at[k].kind != PLACE_ROAD)
                return false;
        const size_t at = skip_blank(p->f, p->at[k].to);
        const struct word join = word_at(p->v, p->f, at, WORD_JOIN);
        return join.n > 0 && skip_blank(p->f, at + join.n) == p->at[k + 1].from && crossing_end(p, &p->at[k + 1]) > 0;
}

static void take_piece(const struct pieces *p, const struct piece *x, size_t *to, struct mention *m)
{
        *to = x->to;
        m->place = x->kind > m->place ? x->kind : m->place;
        m->code = x->area >= 0 ? area_code(p->v, x->area) : m->code;
}

void places_find(const struct vocabulary *v, const struct folded *f, struct finds *out)
{
        struct pieces p = {v, f, NEW_ARRAY(out->arena, struct piece, f->n + 1), 0, 0};
        pieces_of(&p);
        for (size_t k = 0; k < p.n; k++) {
                struct mention m = {.kind = MENTION_PLACE};
                const size_t from = p.at[k].from;
                size_t to;
                take_piece(&p, &p.at[k], &to, &m);
                for (;;) {
                        const size_t crossing = crossing_end(&p, &p.at[k]);
                        if (crossing > 0) {
                                m.place = PLACE_CROSSING;
                                to = crossing;
                        }
                        const bool follows = k + 1 < p.n && skip_blank(f, to) == p.at[k + 1].from;
                        if (!follows && !crosses(&p, k))
                                break;
                        take_piece(&p, &p.at[++k], &to, &m);
                }
                m.relation = (enum place_relation)word_at(v, f, skip_blank(f, to), WORD_RELATION).value;
                find_add(out, from, to, &m);
        }
}

/* --- organisations ------------------------------------------------------------------------------------------------- */

void organs_find(const struct vocabulary *v, const struct folded *f, struct finds *out)
{
        enum { NAME_LEAST = 2, NAME_MOST = 24 };
        size_t name = 0;
        for (size_t i = 0; i < f->n;) {
                const struct word w = word_at(v, f, i, WORD_ORGAN);
                const size_t end = i + w.n;
                if (w.n > 0 && i > name && word_at(v, f, end, WORD_ORGAN).n > 0) {
                        i = end; /* 物业公司 */
                        continue;
                }
                if (w.n > 0) {
                        if (i >= name + NAME_LEAST && i - name <= NAME_MOST && !nameless(v, f, name, i) && !is_digits(f, name, i)
                            && !word_at(v, f, i, WORD_AFTER_PLACE).n)
                                find_add(out, name, end, &(struct mention){.kind = MENTION_ORGAN});
                        name = i = end;
                        continue;
                }
                bool goes_on;
                size_t n = word_at(v, f, i, WORD_AREA).n;
                if (n == 0) {
                        n = barrier_at(v, f, i, &goes_on);
                        if (n > 0 && !goes_on)
                                name = i + n;
                }
                i += n > 0 ? n : 1;
        }
}
