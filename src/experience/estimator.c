/* experience/estimator.c -- see experience.h.
 *
 * The score of a unit is the sum over all contexts c of
 *         w(c,0) ln(1 + all N/A) + w(c,1) ln(1 + recent N/A) + w(c,2) [it was the last one] + lean(c,unit)
 * over the cell's faded counts, with N units known and A pseudo-cases; probabilities are its softmax.  Up to a constant this is
 * logistic mixing of the cells' smoothed shares, but a unit that is not in a cell costs nothing.  After each case the weights w,
 * and the leans of the cells it was in, take a step along the gradient of the log-probability of the true unit (AdaGrad:
 * J. Duchi, E. Hazan, Y. Singer, JMLR 12, 2011).
 *
 * A *role* cell counts not units but what they are: a unit nearly all of whose cases lie in one area is "the local unit with that
 * role" for a case there, so that what went to one community's office speaks for the office of another.
 *
 * Certainty is a logistic regression on the first probability and on how often answers of this item and of this unit were right.
 */
#include "base/arena.h"
#include "base/map.h"
#include "experience/inside.h"
#include <math.h>
#include <stdlib.h>

enum { CANDIDATES_MOST = 256, SLOTS = 1024, LIKELY_MOST = 16 };
/* All chosen on the middle of the data, where they hardly matter: a half or a double costs less than 0.5 % of the log-loss. */
static const double PSEUDO_CASES = 2, WEIGHT_FIRST = 0.04, WEIGHT_RATE = 0.02, LEAN_RATE = 0.03, SURE_RATE = 0.02;
static const double HIT_PRIOR = 3, NOVEL_RATE = 0.005;
/* What happened elsewhere is the weaker reason. */
static const double ROLE_SPEAKS = 0.8;

/* --- weighing the units of one case --------------------------------------------------------------------------------------- */

/* From a number to its place in a list, on the stack: many threads answer. */
struct slots {
        uint16_t at[SLOTS];
};

struct weighing {
        const struct circumstance *circumstance;
        uint64_t keys[CONTEXTS], areas[CIRCUMSTANCE_AREAS];
        const struct cell *cells[CONTEXTS];
        double left[CONTEXTS][2];
        float scale[CONTEXTS][2]; /* N / A above, faded; 0 = this feature is left out */
        uint32_t last[CONTEXTS];  /* UINT32_MAX: likewise */
        size_t n, n_roles;
        uint32_t unit[CANDIDATES_MOST], role[CANDIDATES_MOST];
        uint16_t role_at[CANDIDATES_MOST]; /* place of the candidate's role in `role`; only where it is known */
        bool has_role[CANDIDATES_MOST];
        double p[CANDIDATES_MOST], role_p[CANDIDATES_MOST];
        struct slots units, roles;
        size_t order[LIKELY_MOST], n_order; /* the likeliest candidates */
};

/* Where `wanted` stands in the list, or may be put: then the slot is 0. */
static uint16_t *slot(struct slots *s, const uint32_t *numbers, uint32_t wanted)
{
        size_t i = (wanted * 2654435769U) >> 22;
        static_assert(SLOTS == 1 << 10, "the shift above");
        while (s->at[i] && numbers[s->at[i] - 1] != wanted)
                i = (i + 1) & (SLOTS - 1);
        return &s->at[i];
}

/* -1 when it is in none of the lists. */
static int candidate(struct weighing *w, uint32_t unit)
{
        return (int)*slot(&w->units, w->unit, unit) - 1;
}

static int role_place(struct weighing *w, uint32_t role)
{
        return (int)*slot(&w->roles, w->role, role) - 1;
}

static void add_candidates(const struct experience *x, struct weighing *w, const struct cell *cell)
{
        for (size_t i = 0; i < cell->n && w->n < CANDIDATES_MOST; i++) {
                const uint32_t unit = cell->counts[i].of;
                uint16_t *at = slot(&w->units, w->unit, unit);
                if (*at || unit >= x->n_units)
                        continue;
                const size_t c = w->n++;
                w->unit[c] = unit;
                *at = (uint16_t)w->n;
                const uint32_t role = unit_role_in(x, unit, w->areas);
                if (role == 0)
                        continue;
                uint16_t *of = slot(&w->roles, w->role, role);
                if (!*of) {
                        w->role[w->n_roles++] = role;
                        *of = (uint16_t)w->n_roles;
                }
                w->has_role[c] = true;
                w->role_at[c] = (uint16_t)(*of - 1);
        }
}

/* ln x of a positive normal x, to seven digits, inline and without a branch: with x = m 2^e and m near 1,
 * ln m = 2 artanh((m - 1) / (m + 1)) as a series.  Most of the time of an answer goes here. */
static inline float ln(float x)
{
        static const float LN2 = 0.69314718F;
        static const uint32_t ROOT_HALF = 0x3F3504F3; /* the bits of sqrt(1/2): m lies between it and sqrt(2) */
        uint32_t bits;
        float m;
        memcpy(&bits, &x, sizeof bits);
        const int32_t e = (int32_t)(bits - ROOT_HALF) >> 23;
        bits -= (uint32_t)e << 23;
        memcpy(&m, &bits, sizeof m);
        const float t = (m - 1) / (m + 1), s = t * t;
        return (float)e * LN2 + 2 * t * (1 + s * (1 / 3.F + s * (1 / 5.F + s / 7)));
}

/* What the cell says of one of its counts: the features above. */
static inline void features(const struct weighing *w, size_t context, const struct count *c, float out[FEATURES])
{
        out[0] = ln(1 + c->all * w->scale[context][0]);
        out[1] = ln(1 + c->recent * w->scale[context][1]);
        out[2] = w->last[context] == c->of ? 1 : 0;
}

static double says(const struct experience *x, const struct weighing *w, size_t context, const struct count *c)
{
        float f[FEATURES];
        double sum = c->lean;
        features(w, context, c, f);
        for (size_t i = 0; i < FEATURES; i++)
                sum += x->weight[context][i] * (double)f[i];
        return sum;
}

static void add_scores(const struct experience *x, struct weighing *w)
{
        for (size_t j = 0; j < CONTEXTS; j++) {
                const bool roles = context_at(j)->roles;
                for (size_t i = 0; w->cells[j] && i < w->cells[j]->n; i++) {
                        const struct count *c = &w->cells[j]->counts[i];
                        const int at = roles ? role_place(w, c->of) : candidate(w, c->of);
                        if (at >= 0)
                                (roles ? w->role_p : w->p)[at] += says(x, w, j, c);
                }
        }
        for (size_t c = 0; c < w->n; c++)
                if (w->has_role[c])
                        w->p[c] += w->role_p[w->role_at[c]];
}

/* Scores become probabilities, also those of the roles. */
static void normalise(struct weighing *w)
{
        double most = -INFINITY, sum = 0;
        for (size_t c = 0; c < w->n; c++)
                most = fmax(most, w->p[c]);
        for (size_t c = 0; c < w->n; c++)
                sum += w->p[c] = exp(w->p[c] - most);
        memset(w->role_p, 0, sizeof w->role_p);
        for (size_t c = 0; c < w->n; c++) {
                w->p[c] /= sum;
                if (w->has_role[c])
                        w->role_p[w->role_at[c]] += w->p[c];
        }
}

static void find_likeliest(struct weighing *w)
{
        for (size_t c = 0; c < w->n; c++) {
                size_t at = w->n_order < LIKELY_MOST ? w->n_order++ : LIKELY_MOST;
                for (; at > 0 && w->p[c] > w->p[w->order[at - 1]]; at--)
                        if (at < LIKELY_MOST)
                                w->order[at] = w->order[at - 1];
                if (at < LIKELY_MOST)
                        w->order[at] = c;
        }
}

static void set_scales(const struct experience *x, struct weighing *w)
{
        const double per_case = (w->cells[0] ? (double)w->cells[0]->n : 1.0) / PSEUDO_CASES;
        const bool recent = !(x->options.without & EXPERIENCE_RECENT);
        for (size_t j = 0; j < CONTEXTS; j++) {
                w->scale[j][0] = (float)(w->left[j][0] * per_case);
                w->scale[j][1] = recent ? (float)(w->left[j][1] * per_case) : 0;
                w->last[j] = w->cells[j] && recent && !context_at(j)->roles ? w->cells[j]->last : UINT32_MAX;
        }
}

static void weigh(const struct experience *x, const struct circumstance *c, struct weighing *w)
{
        memset(w, 0, sizeof *w);
        w->circumstance = c;
        const double half_life[2] = {x->options.half_life, x->options.recent_half_life};
        contexts_of(c, x->options.without, w->keys);
        for (size_t level = 0; level < CIRCUMSTANCE_AREAS; level++)
                w->areas[level] = area_key(c, level);
        for (size_t j = 0; j < CONTEXTS; j++) {
                w->cells[j] = w->keys[j] ? cells_find(&x->cells, w->keys[j]) : NULL;
                if (w->cells[j])
                        cell_fade(w->cells[j], c->time, half_life, w->left[j]);
        }
        /* The first context, all cases, comes last: it may fill the list. */
        for (size_t j = CONTEXTS; j-- > 0;)
                if (w->cells[j] && !context_at(j)->roles)
                        add_candidates(x, w, w->cells[j]);
        set_scales(x, w);
        add_scores(x, w);
        normalise(w);
        find_likeliest(w);
}

/* --- certainty ------------------------------------------------------------------------------------------------------------ */

static uint64_t hit_key(uint64_t of)
{
        return hash_bytes(&of, sizeof of, 77) | 1;
}

static uint64_t hit_key_item(const struct weighing *w)
{
        return hit_key(item_key(w->circumstance));
}

static uint64_t hit_key_unit(const struct weighing *w)
{
        return hit_key(UINT64_C(1) << 40 | w->unit[w->order[0]]);
}

/* Log-odds of a right answer among those before, beginning at the probability of this one. */
static double hits(const struct experience *x, uint64_t key, double p)
{
        const struct cell *cell = cells_find(&x->cells, key);
        const struct count *right = cell ? cell_count(cell, 1) : NULL, *wrong = cell ? cell_count(cell, 0) : NULL;
        return log(((right ? right->all : 0) + HIT_PRIOR * p) / ((wrong ? wrong->all : 0) + HIT_PRIOR * (1 - p)));
}

static void sure_features(const struct experience *x, const struct weighing *w, double out[SURE_FEATURES])
{
        const double p = fmin(fmax(w->p[w->order[0]], 1e-4), 1 - 1e-4);
        out[0] = 1;
        out[1] = log(p / (1 - p));
        out[2] = hits(x, hit_key_item(w), p);
        out[3] = hits(x, hit_key_unit(w), p);
}

static double sureness(const struct experience *x, const double f[SURE_FEATURES])
{
        double sum = 0;
        for (size_t i = 0; i < SURE_FEATURES; i++)
                sum += x->sure[i] * f[i];
        return 1 / (1 + exp(-sum));
}

/* --- answering ------------------------------------------------------------------------------------------------------------ */

/* Lower end of the interval for a share of `cases` in `of` (E. B. Wilson, JASA 22, 1927), 80 % two-sided. */
static double surely(double cases, double of)
{
        static const double z = 1.2816;
        const double share = of > 0 ? cases / of : 0, n = of > 0 ? of : 1;
        const double middle = share + z * z / (2 * n), half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
        return (middle - half) / (1 + z * z / n);
}

/* A reason somebody can follow: the context in which the share of the candidate is largest, as far as that can be known from so
 * many cases.  Which context weighs most is another matter, for weights share what several contexts say alike. */
static struct ground best_ground(struct weighing *w, size_t c)
{
        struct ground g = {0};
        double most = 0;
        for (size_t j = 0; j < CONTEXTS; j++) {
                const bool roles = context_at(j)->roles;
                if (!w->cells[j] || (roles && !w->has_role[c]))
                        continue;
                const struct count *own = cell_count(w->cells[j], roles ? w->role[w->role_at[c]] : w->unit[c]);
                if (!own)
                        continue;
                double of = 0;
                for (size_t i = 0; i < w->cells[j]->n; i++)
                        of += w->cells[j]->counts[i].all * w->left[j][0];
                const double cases = own->all * w->left[j][0], speaks = surely(cases, of) * (roles ? ROLE_SPEAKS : 1);
                if (speaks <= most)
                        continue;
                most = speaks;
                g = context_ground(j, w->circumstance);
                g.of = of;
                g.cases = cases;
                g.since = w->cells[j]->since;
        }
        return g;
}

/* Of the very item, whatever else. */
static void count_item(const struct weighing *w, size_t c, struct likely *out)
{
        for (size_t j = 0; j < CONTEXTS; j++) {
                if (!context_is_item(j) || !w->cells[j])
                        continue;
                const struct count *own = cell_count(w->cells[j], w->unit[c]);
                for (size_t i = 0; i < w->cells[j]->n; i++)
                        out->item_of += w->cells[j]->counts[i].all * w->left[j][0];
                out->item_cases = own ? own->all * w->left[j][0] : 0;
        }
}

size_t experience_answer(const struct experience *x, const struct circumstance *c, struct arena *a, struct likely *out, size_t room)
{
        struct weighing w;
        /* The lock is the one thing of a const estimator that changes. */
        pthread_rwlock_t *lock = (pthread_rwlock_t *)&x->lock;
        (void)pthread_rwlock_rdlock(lock);
        weigh(x, c, &w);
        const size_t n = w.n_order < room ? w.n_order : room;
        double f[SURE_FEATURES], sure = 0, rest = 1;
        if (n > 0) {
                sure_features(x, &w, f);
                sure = sureness(x, f);
                rest = 1 - w.p[w.order[0]];
        }
        for (size_t i = 0; i < n; i++) {
                const size_t at = w.order[i];
                out[i] = (struct likely){
                        .unit = arena_text(a, x->units[w.unit[at]].name),
                        .probability = w.p[at] * (1 - x->novel),
                        .certainty = i == 0     ? sure
                                     : rest > 0 ? (1 - sure) * w.p[at] / rest * (1 - x->novel)
                                                : 0,
                        .ground = best_ground(&w, at),
                };
                count_item(&w, at, &out[i]);
        }
        (void)pthread_rwlock_unlock(lock);
        return n;
}

/* --- learning ------------------------------------------------------------------------------------------------------------- */

static double step(double gradient, double *slope, double rate)
{
        *slope += gradient * gradient;
        return rate * gradient / sqrt(1 + *slope);
}

/* One context's weights and leans; `truth` is the place of the true candidate, or of its role (-1 = not known). */
static void adjust(struct experience *x, struct weighing *w, size_t j, int truth)
{
        const bool roles = context_at(j)->roles, lean = !(x->options.without & EXPERIENCE_LEAN);
        struct cell *cell = cells_find(&x->cells, w->keys[j]);
        double gradient[FEATURES] = {0};
        for (size_t i = 0; i < cell->n; i++) {
                struct count *c = &cell->counts[i];
                const int at = roles ? role_place(w, c->of) : candidate(w, c->of);
                if (at < 0)
                        continue;
                float f[FEATURES];
                const double missed = (at == truth ? 1 : 0) - (roles ? w->role_p : w->p)[at];
                features(w, j, c, f);
                for (size_t k = 0; k < FEATURES; k++)
                        gradient[k] += missed * (double)f[k];
                if (lean) {
                        double slope = c->slope;
                        c->lean += (float)step(missed, &slope, LEAN_RATE);
                        c->slope = (float)slope;
                }
        }
        for (size_t k = 0; k < FEATURES; k++)
                x->weight[j][k] += step(gradient[k], &x->slope[j][k], WEIGHT_RATE);
}

static void learn_certainty(struct experience *x, const struct weighing *w, bool right, int64_t now)
{
        const double half_life[2] = {x->options.half_life, x->options.recent_half_life};
        const uint64_t keys[] = {hit_key_item(w), hit_key_unit(w)};
        double f[SURE_FEATURES];
        sure_features(x, w, f);
        const double missed = (right ? 1 : 0) - sureness(x, f);
        for (size_t i = 0; i < SURE_FEATURES; i++)
                x->sure[i] += step(missed * f[i], &x->sure_slope[i], SURE_RATE);
        for (size_t i = 0; i < COUNT_OF(keys); i++)
                cell_add(cells_take(&x->cells, keys[i], now), right, now, half_life);
}

/* What the cells would have said without the case. */
static void learn_from_answer(struct experience *x, struct weighing *w, uint32_t unit)
{
        const int truth = candidate(w, unit);
        const double rate = fmax(1.0 / (double)(x->learned + 2), NOVEL_RATE);
        x->novel += rate * ((truth < 0 ? 1 : 0) - x->novel);
        for (size_t j = 0; truth >= 0 && j < CONTEXTS; j++)
                if (w->cells[j])
                        adjust(x, w, j, !context_at(j)->roles ? truth : w->has_role[truth] ? (int)w->role_at[truth] : -1);
        if (w->n > 0)
                learn_certainty(x, w, truth >= 0 && (size_t)truth == w->order[0], w->circumstance->time);
}

void experience_learn(struct experience *x, const struct circumstance *c, const char *unit, const char *role)
{
        struct weighing w;
        const double half_life[2] = {x->options.half_life, x->options.recent_half_life};
        (void)pthread_rwlock_wrlock(&x->lock);
        const uint32_t u = take_unit(x, unit);
        if (u != UINT32_MAX) {
                weigh(x, c, &w);
                learn_from_answer(x, &w, u);
                unit_learn_role(&x->units[u], role);
                for (size_t level = 0; level < CIRCUMSTANCE_AREAS; level++) {
                        if (w.areas[level] == 0)
                                continue;
                        home_add(&x->units[u].home[level], w.areas[level]);
                        home_add(&x->everybody[level], w.areas[level]);
                }
                const uint32_t as = unit_role_in(x, u, w.areas);
                for (size_t j = 0; j < CONTEXTS; j++)
                        if (w.keys[j] && (!context_at(j)->roles || as))
                                cell_add(cells_take(&x->cells, w.keys[j], c->time), context_at(j)->roles ? as : u, c->time,
                                         half_life);
                x->learned++;
        }
        (void)pthread_rwlock_unlock(&x->lock);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------ */

struct experience *experience_new(const struct experience_options *options)
{
        struct experience *x = calloc(1, sizeof *x);
        if (!x || pthread_rwlock_init(&x->lock, NULL) != 0)
                abort();
        x->options = *options;
        x->options.half_life = options->half_life > 0 ? options->half_life : 400;
        x->options.recent_half_life = options->recent_half_life > 0 ? options->recent_half_life : 30;
        x->options.cells_most = options->cells_most > CONTEXTS ? options->cells_most : (size_t)1 << 18;
        x->cells.most = x->options.cells_most;
        for (size_t j = 0; j < CONTEXTS; j++)
                x->weight[j][0] = WEIGHT_FIRST;
        x->sure[1] = 1;
        x->novel = 1;
        return x;
}

void experience_free(struct experience **experience)
{
        struct experience *x = *experience;
        if (!x)
                return;
        cells_free(&x->cells);
        for (size_t i = 0; i < x->n_units; i++) {
                free(x->units[i].name);
                free(x->units[i].role);
        }
        free(x->units);
        free(x->names);
        (void)pthread_rwlock_destroy(&x->lock);
        free(x);
        *experience = NULL;
}

struct experience_size experience_size(const struct experience *x)
{
        pthread_rwlock_t *lock = (pthread_rwlock_t *)&x->lock;
        (void)pthread_rwlock_rdlock(lock);
        const struct experience_size size = {x->cells.n, x->n_units, x->learned};
        (void)pthread_rwlock_unlock(lock);
        return size;
}
