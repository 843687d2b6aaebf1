/* evaluate/classify.c -- see classify.h. */
#include "evaluate/classify.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "classify/classifier.h"
#include "evaluate/share.h"
#include "json/json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DRAWS = 1000, FOLD_LEAST = 2 };

/* --- labels as classes ---------------------------------------------------------------------------------------------- */

struct tree {
        struct arena *arena;
        struct classes classes;
        struct map *by_code;
        size_t room;
        int *of_label;
};

static int class_of(struct tree *t, const char *code)
{
        const int *known = map_get(t->by_code, code);
        if (known)
                return (int)(known - t->classes.parent);
        const char *slash = strrchr(code, '/');
        const int parent = slash && slash > code ? class_of(t, arena_copy(t->arena, code, (size_t)(slash - code))) : -1;
        const size_t i = t->classes.n++;
        t->classes.code[i] = code;
        t->classes.parent[i] = parent;
        (void)map_put(t->by_code, code, &t->classes.parent[i]);
        return (int)i;
}

static void tree_make(struct tree *t, struct arena *a, const char *const *names, size_t n)
{
        size_t parts = 0;
        for (size_t i = 0; i < n; i++)
                for (const char *p = names[i]; *p; p++)
                        parts += *p == '/';
        *t = (struct tree){.arena = a, .by_code = map_new(a, n + parts), .of_label = NEW_ARRAY(a, int, n + 1)};
        t->classes.code = NEW_ARRAY(a, const char *, n + parts + 1);
        t->classes.parent = NEW_ARRAY(a, int, n + parts + 1);
        for (size_t i = 0; i < n; i++)
                t->of_label[i] = class_of(t, names[i]);
}

static struct example *examples_of(struct arena *a, const struct fold *fold, const struct labelled *l, const struct tree *t)
{
        struct example *out = NEW_ARRAY(a, struct example, l->n + 1);
        struct arena *scratch = arena_new();
        for (size_t i = 0; i < l->n; i++) {
                struct folded f;
                struct gram *grams;
                struct gram_count *counts;
                fold_text(fold, scratch, l->text[i], strlen(l->text[i]), &f);
                const size_t n = grams_list(&f, scratch, &grams), kinds = grams_count(grams, n, scratch, &counts);
                struct gram_count *kept = NEW_ARRAY(a, struct gram_count, kinds + 1);
                memcpy(kept, counts, kinds * sizeof *kept);
                out[i] = (struct example){.grams = kept, .n = kinds, .class = t->of_label[l->label[i]], .group = (uint32_t)i};
                arena_reset(scratch);
        }
        arena_free(&scratch);
        return out;
}

/* --- one machine against texts it has not seen ---------------------------------------------------------------------- */

struct trial {
        const struct fold *fold;
        const struct labelled *texts;
        const struct tree *tree;
        struct verdict *verdicts;
        size_t n;
        int64_t elapsed; /* nanoseconds */
        double automatic, automatic_right;
        struct classify_score *out;
};

/* Of the processor, so that what else the machine does is left out. */
static int64_t thread_nanoseconds(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* As it runs for a report: from the bytes of a text to three guesses. */
static void answer(struct trial *t, const struct classifier *c, struct arena *scratch, size_t i)
{
        struct folded f;
        struct gram *grams;
        struct gram_count *counts;
        struct guess best[3];
        const char *text = t->texts->text[i];
        const int64_t began = thread_nanoseconds();
        fold_text(t->fold, scratch, text, strlen(text), &f);
        const size_t n = grams_list(&f, scratch, &grams), kinds = grams_count(grams, n, scratch, &counts);
        if (classifier_guess(c, counts, kinds, best, COUNT_OF(best)) == 0)
                best[0] = (struct guess){-1, 0};
        t->elapsed += thread_nanoseconds() - began;
        const int truth = t->tree->of_label[t->texts->label[i]];
        t->verdicts[t->n++] = (struct verdict){best[0].p, best[0].class, truth};
        if (best[0].class >= 0 && best[0].p >= classifier_threshold(c, best[0].class)) {
                t->automatic++;
                t->automatic_right += best[0].class == truth;
        }
        arena_reset(scratch);
}

static int by_fold(uint32_t group, int folds)
{
        return (int)(((group + 1) * 0x85EBCA6BU >> 13) % (uint32_t)folds);
}

static bool train(struct trial *t, const struct example *all, size_t n, const struct classify_options *o, struct classifier **c,
                  struct err *e)
{
        const struct training how = {.cost = o->cost,
                                     .precision = o->precision,
                                     .plain = o->plain,
                                     .now = clock_now(),
                                     .progress = o->progress,
                                     .ctx = o->ctx};
        if (!classifier_train(&t->tree->classes, all, n, &how, c, e))
                return false;
        t->out->train_seconds += (double)classifier_report(*c).elapsed / (double)USEC_SECOND;
        return true;
}

static bool run_folds(struct trial *t, struct arena *a, struct example *all, const struct classify_options *o,
                      struct classifier **last, struct err *e)
{
        struct arena *scratch = arena_new();
        struct example *part = NEW_ARRAY(a, struct example, t->texts->n + 1);
        bool ok = true;
        for (int k = 0; ok && k < o->folds; k++) {
                size_t n = 0;
                for (size_t i = 0; i < t->texts->n; i++)
                        if (by_fold(all[i].group, o->folds) != k)
                                part[n++] = all[i];
                classifier_free(last);
                ok = train(t, part, n, o, last, e);
                for (size_t i = 0; ok && i < t->texts->n; i++)
                        if (by_fold(all[i].group, o->folds) == k)
                                answer(t, *last, scratch, i);
        }
        arena_free(&scratch);
        return ok;
}

/* --- figures -------------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
        const double x = *(const double *)a, y = *(const double *)b;
        return (x > y) - (x < y);
}

static void redraw(struct arena *a, const struct trial *t, struct classify_score *s)
{
        struct verdict *drawn = NEW_ARRAY(a, struct verdict, t->n + 1);
        double *f1 = NEW_ARRAY(a, double, DRAWS);
        uint64_t random = 88172645463325252U; /* xorshift (Marsaglia 2003), always the same draws */
        for (int d = 0; d < DRAWS; d++) {
                for (size_t i = 0; i < t->n; i++) {
                        random ^= random << 13;
                        random ^= random >> 7;
                        random ^= random << 17;
                        drawn[i] = t->verdicts[random % t->n];
                }
                f1[d] = verdicts_macro_f1(drawn, t->n, t->tree->classes.n, NULL);
        }
        qsort(f1, DRAWS, sizeof *f1, by_value);
        s->macro_f1_low = f1[DRAWS * 25 / 1000];
        s->macro_f1_high = f1[DRAWS * 975 / 1000];
}

static void score_classes(struct arena *a, const struct trial *t, struct classify_score *s)
{
        const size_t n = t->tree->classes.n;
        double *f1 = NEW_ARRAY(a, double, n + 1);
        int64_t *is = NEW_ARRAY(a, int64_t, n + 1), *said = NEW_ARRAY(a, int64_t, n + 1), *hit = NEW_ARRAY(a, int64_t, n + 1);
        s->macro_f1 = verdicts_macro_f1(t->verdicts, t->n, n, f1);
        for (size_t i = 0; i < t->n; i++) {
                const struct verdict *v = &t->verdicts[i];
                is[v->truth]++;
                if (v->guess >= 0)
                        said[v->guess]++;
                hit[v->truth] += v->guess == v->truth;
        }
        s->of = NEW_ARRAY(a, struct class_score, n + 1);
        for (size_t c = 0; c < n; c++)
                if (is[c] > 0 || said[c] > 0)
                        s->of[s->n_of++] = (struct class_score){
                                t->tree->classes.code[c],
                                is[c],
                                said[c],
                                said[c] > 0 ? (double)hit[c] / (double)said[c] : 0,
                                is[c] > 0 ? (double)hit[c] / (double)is[c] : 0,
                                f1[c],
                        };
}

static void score_certainty(const struct trial *t, double precision, struct classify_score *s)
{
        s->ece = verdicts_ece(t->verdicts, t->n);
        for (size_t i = 0; i < t->n; i++) {
                const struct verdict *v = &t->verdicts[i];
                struct reliability *b = &s->bins[v->p >= 1 ? RELIABILITY_BINS - 1 : (int)(v->p * RELIABILITY_BINS)];
                b->n++;
                b->certainty += v->p;
                b->right += v->guess == v->truth;
        }
        for (int i = 0; i < RELIABILITY_BINS; i++) {
                struct reliability *b = &s->bins[i];
                b->low = (double)i / RELIABILITY_BINS;
                b->high = (double)(i + 1) / RELIABILITY_BINS;
                b->certainty = b->n > 0 ? b->certainty / (double)b->n : 0;
                b->right = b->n > 0 ? b->right / (double)b->n : 0;
        }
        s->coverage = verdicts_coverage(t->verdicts, t->n, precision, &s->threshold);
}

static void score(struct arena *a, struct trial *t, const struct classify_options *o, struct classify_score *s)
{
        s->n = (int64_t)t->n;
        size_t right = 0;
        for (size_t i = 0; i < t->n; i++)
                right += t->verdicts[i].guess == t->verdicts[i].truth;
        const struct share accuracy = share_of(right, t->n);
        s->accuracy = accuracy.value;
        s->accuracy_low = accuracy.low;
        s->accuracy_high = accuracy.high;
        score_classes(a, t, s);
        redraw(a, t, s);
        score_certainty(t, o->precision, s);
        s->automatic = t->automatic / (double)t->n;
        s->automatic_right = t->automatic > 0 ? t->automatic_right / t->automatic : 0;
        s->usec_per_text = (double)t->elapsed / 1000 / (double)t->n;
}

static void count_unknown(const struct labelled *train, const struct labelled *test, struct arena *a, struct classify_score *s)
{
        bool *seen = NEW_ARRAY(a, bool, test->n_names + 1);
        for (size_t i = 0; i < train->n; i++)
                seen[train->label[i]] = true;
        for (size_t i = 0; i < test->n; i++)
                s->unknown += !seen[test->label[i]];
}

bool classify_evaluate(struct arena *a, const struct fold *fold, const struct labelled *train_texts, const struct labelled *test,
                       const struct classify_options *asked, struct classify_score *out, struct classifier **last, struct err *e)
{
        struct classify_options o = *asked;
        struct classifier *machine = NULL;
        struct tree tree;
        struct arena *scratch = arena_new();
        o.precision = o.precision > 0 ? o.precision : 0.95;
        *out = (struct classify_score){.n = 0};
        const struct labelled *texts = o.folds >= FOLD_LEAST ? train_texts : test;
        tree_make(&tree, a, texts->names, texts->n_names); /* the test's names begin with those of the training */
        struct trial t = {.fold = fold, .texts = texts, .tree = &tree, .out = out};
        t.verdicts = NEW_ARRAY(a, struct verdict, texts->n + 1);
        struct example *all = examples_of(a, fold, train_texts, &tree);
        near_groups(all, train_texts->n);
        bool ok = o.folds >= FOLD_LEAST ? run_folds(&t, a, all, &o, &machine, e) : train(&t, all, train_texts->n, &o, &machine, e);
        for (size_t i = 0; ok && o.folds < FOLD_LEAST && i < test->n; i++)
                answer(&t, machine, scratch, i);
        arena_free(&scratch);
        if (ok) {
                score(a, &t, &o, out);
                if (o.folds < FOLD_LEAST)
                        count_unknown(train_texts, test, a, out);
        }
        if (ok && last)
                *last = machine;
        else
                classifier_free(&machine);
        return ok;
}

/* "0.95" */
static const char *coverage_name(char *at, size_t room, double precision)
{
        (void)snprintf(at, room, "%.2f", precision);
        return at;
}

void classify_score_json(const struct classify_score *s, double precision, struct json *j)
{
        char at[16];
        json_object(j, NULL);
        json_int(j, "n", s->n);
        json_real(j, "accuracy", s->accuracy);
        json_real(j, "accuracy_low", s->accuracy_low);
        json_real(j, "accuracy_high", s->accuracy_high);
        json_real(j, "macro_f1", s->macro_f1);
        json_real(j, "macro_f1_low", s->macro_f1_low);
        json_real(j, "macro_f1_high", s->macro_f1_high);
        json_object(j, "per_class");
        for (size_t i = 0; i < s->n_of; i++) {
                json_object(j, s->of[i].name);
                json_int(j, "n", s->of[i].n);
                json_int(j, "said", s->of[i].said);
                json_real(j, "precision", s->of[i].precision);
                json_real(j, "recall", s->of[i].recall);
                json_real(j, "f1", s->of[i].f1);
                json_object_end(j);
        }
        json_object_end(j);
        json_real(j, "ece", s->ece);
        json_object(j, "coverage_at_precision");
        json_real(j, coverage_name(at, sizeof at, precision), s->coverage);
        json_object_end(j);
        json_real(j, "automatic", s->automatic);
        json_real(j, "automatic_precision", s->automatic_right);
        json_int(j, "unknown_labels", s->unknown);
        json_real(j, "us_per_text", s->usec_per_text);
        json_real(j, "train_s", s->train_seconds);
        json_array(j, "reliability");
        for (int i = 0; i < RELIABILITY_BINS; i++) {
                json_object(j, NULL);
                json_real(j, "from", s->bins[i].low);
                json_int(j, "n", s->bins[i].n);
                json_real(j, "certainty", s->bins[i].certainty);
                json_real(j, "right", s->bins[i].right);
                json_object_end(j);
        }
        json_array_end(j);
        json_object_end(j);
}
