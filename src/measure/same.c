/* measure/same.c -- see same.h. */
#include "measure/same.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "measure/fit.h"
#include "json/json.h"
#include "same/same.h"
#include "text/fold.h"
#include "text/shingles.h"
#include "text/phrases.h"
#include <math.h>

enum { DAYS_LATER = 20, EXAMPLES_MOST = 1 << 19, PAIRS_MOST = 1000 };

struct study {
        struct arena *arena, *scratch;
        const struct messages *messages;
        const struct same_options *options;
        struct same_result *result;
        struct fold *fold;
        struct folded *folded;
        struct same_index *index;
        const struct rare *rare; /* the index's */
        size_t *group;           /* of message i: the first message that is the same matter for sure */
        struct draw draw;
        int64_t asked, elapsed; /* finds, and microseconds they took */
        struct example *examples;
        size_t n_examples;
};

/* --- the cases ------------------------------------------------------------------------------------------------------------ */

static size_t group_of(const struct study *s, size_t i)
{
        while (s->group[i] != i)
                i = s->group[i];
        return i;
}

/* Only letters and digits, so that a full stop does not make another matter. */
static const char *essence(const struct study *s, const char *text)
{
        struct folded f;
        struct buf b = BUF_LIMIT(1 << 22);
        fold_text(s->fold, s->arena, text, strlen(text), &f);
        for (size_t i = 0; i < f.n; i++)
                if (letter_kind(f.c[i]) != LETTER_NONE)
                        fold_write(&f, i, i + 1, &b);
        const char *copy = arena_text(s->arena, b.at ? b.at : "");
        buf_free(&b);
        return copy;
}

static void group_by(struct study *s, struct map *seen, const char *text, size_t i)
{
        const char *key = essence(s, text);
        if (text_characters(key) < 8)
                return;
        const size_t *first = map_get(seen, key);
        if (first) {
                const size_t a = group_of(s, *first), b = group_of(s, i);
                s->group[a > b ? a : b] = a > b ? b : a;
        } else
                (void)map_put(seen, key, &s->group[s->messages->n + i]);
}

static struct matter matter_of(size_t i, const struct folded *text, int64_t time)
{
        return (struct matter){.id = (int64_t)i + 1, .text = text, .time = time};
}

static void prepare(struct study *s)
{
        const size_t n = s->messages->n;
        struct rare *rare = rare_new();
        struct map *subjects = map_new(s->arena, n), *details = map_new(s->arena, n);
        s->folded = NEW_ARRAY(s->arena, struct folded, n);
        s->group = NEW_ARRAY(s->arena, size_t, 2 * n); /* the second half: i at n + i, what the maps point at */
        for (size_t i = 0; i < n; i++) {
                s->group[i] = s->group[n + i] = i;
                fold_text(s->fold, s->arena, s->messages->at[i].text, strlen(s->messages->at[i].text), &s->folded[i]);
                rare_learn_text(rare, &s->folded[i]);
        }
        for (size_t i = 0; i < n; i++) {
                group_by(s, subjects, s->messages->at[i].subject, i);
                group_by(s, details, s->messages->at[i].detail, i);
        }
        s->rare = rare;
        s->index = same_new(&rare, n);
        for (size_t i = 0; i < n; i++) {
                const struct matter m = matter_of(i, &s->folded[i], s->messages->at[i].time);
                same_add(s->index, &m);
        }
        const struct same_size size = same_size(s->index);
        s->result->cases = size.cases;
        s->result->bytes_per_case = (double)size.bytes / (double)size.cases;
}

/* --- questions ------------------------------------------------------------------------------------------------------------ */

static size_t ask(struct study *s, const char *text, int64_t time, const struct same_limits *limits, struct alike out[SAME_MOST])
{
        struct folded *f = NEW(s->scratch, struct folded);
        fold_text(s->fold, s->scratch, text, strlen(text), f);
        const struct matter m = matter_of(0, f, time);
        const int64_t began = clock_steady();
        const size_t n = same_find(s->index, s->scratch, &m, limits, out, SAME_MOST);
        s->elapsed += clock_steady() - began;
        s->asked++;
        return n;
}

static void show(struct study *s, const char *one, const struct alike *answer, const char *what)
{
        struct same_result *r = s->result;
        if (r->n_pairs < s->options->show && r->n_pairs < PAIRS_MOST)
                r->pairs[r->n_pairs++] = (struct same_pair){arena_text(s->arena, one), s->messages->at[answer->id - 1].id,
                                                            answer->probability, what};
}

/* What the first answer is worth, when `source` (a message's place, or SIZE_MAX: new) is the right one. */
static void judge(struct study *s, struct same_counts *c, size_t source, const struct alike *first, const char *asked)
{
        c->questions++;
        if (!first)
                return;
        const bool is_right = source != SIZE_MAX && group_of(s, (size_t)first->id - 1) == group_of(s, source);
        if (first->outcome == SAME_ASKS) {
                c->asks++;
                c->asks_right += is_right;
                return;
        }
        c->joins++;
        c->right += is_right;
        if (!is_right)
                show(s, asked, first, source == SIZE_MAX ? "elsewhere" : "retold");
        if (!is_right && source != SIZE_MAX)
                c->unjudged++;
}

static void learn(struct study *s, size_t source, const struct alike *a, size_t n)
{
        for (size_t i = 0; i < n && s->n_examples < EXAMPLES_MOST; i++) {
                const struct same_parts *p = &a[i].parts;
                struct example *x = &s->examples[s->n_examples++];
                const double values[] = {1, log(p->inside + 0.05), p->named > 0 ? p->named : 0, p->named < 0 ? p->named : 0,
                                         p->time};
                memcpy(x->x, values, sizeof values);
                x->is = source != SIZE_MAX && group_of(s, (size_t)a[i].id - 1) == group_of(s, source);
        }
}

static void ask_and_judge(struct study *s, struct same_counts *c, size_t from, bool right, const char *text)
{
        struct alike out[SAME_MOST];
        const struct message *m = &s->messages->at[from];
        const size_t source = right ? from : SIZE_MAX;
        const int64_t time = m->time + (int64_t)draw_below(&s->draw, DAYS_LATER * 24 * 60) * USEC_MINUTE;
        static const struct same_limits all = {.joins = 1, .asks = 0};
        const size_t n = ask(s, text, time, s->options->fit ? &all : NULL, out);
        if (s->options->fit)
                learn(s, source, out, n);
        else
                judge(s, c, source, n > 0 ? &out[0] : NULL, text);
}

static void retold_questions(struct study *s)
{
        const size_t half = s->options->fit ? 0 : 1, all = s->messages->n / 2;
        const size_t n = s->options->retold > 0 && s->options->retold < all ? s->options->retold : all;
        for (size_t i = 0; i < n; i++) {
                const size_t from = 2 * (n < all ? draw_below(&s->draw, all) : i) + half;
                const char *text = s->messages->at[from].text;
                for (enum retelling how = 0; how < RETELLINGS; how++)
                        ask_and_judge(s, &s->result->retold[how], from, true, retell(s->scratch, text, how, &s->draw));
                const char *other = s->messages->at[draw_below(&s->draw, s->messages->n)].text;
                const char *elsewhere = retell_elsewhere(s->scratch, s->fold, s->rare, text, other, &s->draw);
                if (elsewhere)
                        ask_and_judge(s, &s->result->elsewhere, from, false, elsewhere);
                arena_reset(s->scratch);
        }
}

/* Each message, its own case left out. */
static void real_questions(struct study *s)
{
        const size_t n = s->messages->n;
        size_t *sizes = NEW_ARRAY(s->arena, size_t, n);
        for (size_t i = 0; i < n; i++)
                sizes[group_of(s, i)]++;
        for (size_t i = 0; i < n; i++) {
                struct alike out[SAME_MOST];
                const struct message *m = &s->messages->at[i];
                const size_t answers = ask(s, m->text, m->time, NULL, out);
                const struct alike *first = NULL;
                for (size_t k = 0; k < answers && !first; k++)
                        if (out[k].id != (int64_t)i + 1)
                                first = &out[k];
                const bool equal = sizes[group_of(s, i)] > 1;
                if (equal)
                        judge(s, &s->result->real, i, first, m->id);
                else if (first && first->outcome == SAME_JOINS) {
                        s->result->unlike++;
                        show(s, m->id, first, "real");
                }
                arena_reset(s->scratch);
        }
}

static void sum_up(struct study *s)
{
        struct same_result *r = s->result;
        int64_t right = 0, joins = r->elsewhere.joins, unjudged = 0, questions = 0;
        for (size_t i = 0; i < RETELLINGS; i++) {
                right += r->retold[i].right;
                joins += r->retold[i].joins;
                unjudged += r->retold[i].unjudged;
                questions += r->retold[i].questions;
        }
        r->precision = joins > unjudged ? (double)right / (double)(joins - unjudged) : 0;
        r->least_precision = joins > 0 ? (double)right / (double)joins : 0;
        r->recall = questions > 0 ? (double)right / (double)questions : 0;
        r->threshold = same_limits().joins;
        r->asks_threshold = same_limits().asks;
        r->us_per_find = s->asked > 0 ? (double)s->elapsed / (double)s->asked : 0;
}

bool evaluate_same(struct arena *a, const struct messages *m, const struct same_options *o, struct same_result *r, struct err *e)
{
        static const char *const names[] = {"one", "text", "named", "elsewhere", "time"};
        struct study s = {.arena = a, .messages = m, .options = o, .result = r, .draw = {(uint64_t)o->seed}};
        *r = (struct same_result){.pairs = NEW_ARRAY(a, struct same_pair, PAIRS_MOST)};
        if (!fold_new(&s.fold, e))
                return false;
        s.scratch = arena_new();
        prepare(&s);
        if (o->fit)
                s.examples = NEW_ARRAY(a, struct example, EXAMPLES_MOST);
        retold_questions(&s);
        if (o->fit) {
                fit_logistic(s.examples, s.n_examples, COUNT_OF(names), 1.0, r->fitted);
                r->n_fitted = COUNT_OF(names);
                r->fitted_names = names;
        } else
                real_questions(&s);
        sum_up(&s);
        same_free(&s.index);
        arena_free(&s.scratch);
        fold_free(&s.fold);
        return true;
}

/* --- as JSON -------------------------------------------------------------------------------------------------------------- */

static void counts_json(struct json *j, const char *name, const struct same_counts *c)
{
        json_object(j, name);
        json_int(j, "questions", c->questions);
        json_int(j, "joins", c->joins);
        json_int(j, "right", c->right);
        json_int(j, "unjudged", c->unjudged);
        json_int(j, "asks", c->asks);
        json_int(j, "asks_right", c->asks_right);
        json_object_end(j);
}

void same_result_json(const struct same_result *r, struct buf *out)
{
        struct json j = json_to(out);
        int64_t questions = r->elsewhere.questions, asks = r->elsewhere.asks;
        for (size_t i = 0; i < RETELLINGS; i++) {
                questions += r->retold[i].questions;
                asks += r->retold[i].asks;
        }
        json_object(&j, NULL);
        json_int(&j, "n", (int64_t)r->cases);
        json_int(&j, "pairs", questions);
        json_real(&j, "precision", r->precision);
        json_real(&j, "least_precision", r->least_precision);
        json_real(&j, "recall", r->recall);
        json_real(&j, "threshold", r->threshold);
        json_real(&j, "asks_threshold", r->asks_threshold);
        json_int(&j, "asks", asks);
        json_real(&j, "us_per_find", r->us_per_find);
        json_real(&j, "bytes_per_case", r->bytes_per_case);
        for (enum retelling i = 0; i < RETELLINGS; i++)
                counts_json(&j, retelling_name(i), &r->retold[i]);
        counts_json(&j, "elsewhere", &r->elsewhere);
        counts_json(&j, "real", &r->real);
        json_int(&j, "unlike", r->unlike);
        if (r->n_fitted > 0) {
                json_object(&j, "fitted");
                for (size_t i = 0; i < r->n_fitted; i++)
                        json_real(&j, r->fitted_names[i], r->fitted[i]);
                json_object_end(&j);
        }
        if (r->n_pairs > 0) {
                json_array(&j, "show");
                for (size_t i = 0; i < r->n_pairs; i++) {
                        json_object(&j, NULL);
                        json_text(&j, "what", r->pairs[i].what);
                        json_text(&j, "one", r->pairs[i].one);
                        json_text(&j, "other", r->pairs[i].other);
                        json_real(&j, "probability", r->pairs[i].probability);
                        json_object_end(&j);
                }
                json_array_end(&j);
        }
        json_object_end(&j);
}
