/* topics/name.c -- what a topic is called: the longest phrases that most of its messages begin with and few others have. */
#include "topics/inside.h"
#include "base/arena.h"
#include "base/buf.h"
#include "text/fold.h"
#include "text/phrases.h"
#include "text/shingles.h"
#include <math.h>
#include <stdlib.h>
#include <uchar.h>

enum {
        LONGEST = 12,
        PHRASES = 6,
        MEMBERS = 100,
        NAMED_BY = 3,
        HEAD_SHOWN = 30,
        FEW = 4
}; /* FEW: what three people have in common is half of what they wrote */

struct phrase {
        uint32_t hash, member, from, to; /* units of the member's head; folded characters */
        double score;
        size_t members;
};

static int by_hash(const void *a, const void *b)
{
        const struct phrase *x = a, *y = b;
        if (x->hash != y->hash)
                return x->hash < y->hash ? -1 : 1;
        if (x->member != y->member)
                return x->member < y->member ? -1 : 1;
        return (x->from > y->from) - (x->from < y->from);
}

static int by_score(const void *a, const void *b)
{
        const struct phrase *x = a, *y = b;
        if (x->score > y->score || x->score < y->score)
                return x->score > y->score ? -1 : 1;
        return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Every run of 2 .. LONGEST units without a mark between, of the first message of each reporter. */
static size_t all_runs(const struct cluster *c, struct arena *a, struct phrase **out)
{
        struct phrase *p = NEW_ARRAY(a, struct phrase, (size_t)MEMBERS * HEAD * LONGEST);
        size_t n = 0, used = 0;
        for (size_t i = 0; i < c->n && used < MEMBERS; i++) {
                const struct folded f = {.c = c->members[i]->head, .n = c->members[i]->n_head};
                struct unit *u;
                if (!c->members[i]->is_first)
                        continue;
                const size_t units = text_units(&f, a, &u);
                for (size_t k = 0; k < units; k++) {
                        uint32_t h = u[k].hash;
                        for (size_t j = k + 1; j < units && j < k + LONGEST && u[j].from == u[j - 1].to; j++) {
                                h = hash_mix(h * UINT32_C(0x9e3779b1) + u[j].hash);
                                p[n++] = (struct phrase){.hash = h, .member = (uint32_t)i, .from = u[k].from, .to = u[j].to};
                        }
                }
                used++;
        }
        qsort(p, n, sizeof *p, by_hash);
        *out = p;
        return n;
}

/* How little the phrase says by itself: the mean rarity of its shingles, usual words not counted. */
static double distinction(const struct rare *rare, const struct cluster *c, const struct phrase *p, struct arena *a)
{
        const struct folded f = {.c = c->members[p->member]->head + p->from, .n = p->to - p->from};
        struct shingle *s;
        double sum = 0;
        const size_t n = text_shingles(&f, a, &s);
        const bool *usual = usual_words(&f, a);
        for (size_t i = 0; i < n; i++) {
                size_t plain = 0;
                for (uint32_t k = s[i].from; k < s[i].to; k++)
                        plain += !usual[k];
                if (plain > 0)
                        sum += rare_weight(rare, s[i].hash);
        }
        return n > 0 ? sum / (double)n : 0;
}

/* One for each different run that enough members have; score = share of members ^ 1.5 * rarity ^ 2 * length ^ 0.7. */
static size_t weigh(const struct topics *t, const struct cluster *c, struct phrase *p, size_t n)
{
        struct arena *scratch = arena_new();
        const size_t all = c->reporters < MEMBERS ? c->reporters : MEMBERS;
        size_t kept = 0;
        for (size_t i = 0; i < n;) {
                struct phrase one = p[i];
                size_t k = i;
                for (; k < n && p[k].hash == one.hash; k++)
                        one.members += k == i || p[k].member != p[k - 1].member;
                i = k;
                if (one.members < 2 || one.members * NAMED_BY < all)
                        continue;
                const double rarity = distinction(t->rare, c, &one, scratch);
                one.score = pow((double)one.members / (double)all, 1.5) * rarity * rarity * pow(one.to - one.from, 0.7);
                p[kept++] = one;
                arena_reset(scratch);
        }
        arena_free(&scratch);
        qsort(p, kept, sizeof *p, by_score);
        return kept;
}

/* Two phrases that overlap in a message: they have a run of two characters in common, or one begins with the character the other
 * ends with ("搅拌" and "拌站" out of 搅拌站). */
static bool overlaps(const struct cluster *c, const struct phrase *x, const struct phrase *y)
{
        const uint32_t *a = c->members[x->member]->head + x->from, *b = c->members[y->member]->head + y->from;
        const size_t n = x->to - x->from, m = y->to - y->from;
        if (a[0] == b[m - 1] || b[0] == a[n - 1])
                return true;
        for (size_t i = 0; i + 2 <= n; i++)
                for (size_t k = 0; k + 2 <= m; k++)
                        if (a[i] == b[k] && a[i + 1] == b[k + 1])
                                return true;
        return false;
}

/* A name neither begins nor ends with a particle. */
static bool is_whole(const struct cluster *c, const struct phrase *p)
{
        static const char32_t particles[] = U"的了在是和与有对被把将已从到不也都就我您请这那为一个";
        const uint32_t *at = c->members[p->member]->head;
        for (const char32_t *one = particles; *one; one++)
                if (at[p->from] == *one || at[p->to - 1] == *one)
                        return false;
        return true;
}

static const char *text_of(const struct cluster *c, size_t member, size_t from, size_t to, struct arena *a)
{
        const struct folded f = {.c = c->members[member]->head, .n = c->members[member]->n_head};
        struct buf b = BUF_LIMIT(4096);
        fold_write(&f, from, to, &b);
        const char *copy = arena_text(a, b.at ? b.at : "");
        buf_free(&b);
        return copy;
}

/* The subject, or the beginning, of the message that most people agreed with. */
static const char *subject_of(const struct cluster *c, struct arena *a)
{
        size_t best = 0;
        for (size_t i = 1; i < c->n; i++)
                if (c->members[i]->support > c->members[best]->support)
                        best = i;
        const struct member *m = c->members[best];
        return text_of(c, best, 0, m->n_subject > 0 ? m->n_subject : m->n_head < HEAD_SHOWN ? m->n_head : HEAD_SHOWN, a);
}

void cluster_name(const struct topics *t, const struct cluster *c, struct arena *a, struct topic *out)
{
        struct arena *scratch = arena_new();
        struct phrase *p, chosen[PHRASES];
        const size_t runs = all_runs(c, scratch, &p), n = weigh(t, c, p, runs);
        size_t used = 0;
        for (size_t i = 0; i < n && used < PHRASES; i++) {
                bool fits = is_whole(c, &p[i]);
                for (size_t k = 0; k < used && fits; k++)
                        fits = !overlaps(c, &p[i], &chosen[k]);
                if (fits)
                        chosen[used++] = p[i];
        }
        const char **phrases = NEW_ARRAY(a, const char *, PHRASES);
        for (size_t i = 0; i < used; i++)
                phrases[i] = text_of(c, chosen[i].member, chosen[i].from, chosen[i].to, a);
        out->phrases = phrases;
        out->n_phrases = used;
        if (used == 0 || c->reporters < FEW)
                out->name = subject_of(c, a);
        else if (used == 1)
                out->name = phrases[0];
        else if (used == 2)
                out->name = arena_format(a, "%s, %s", phrases[0], phrases[1]);
        else
                out->name = arena_format(a, "%s, %s, %s", phrases[0], phrases[1], phrases[2]);
        arena_free(&scratch);
}
