/* triage/triage.c -- see triage.h: the machines in memory, and what they say of a text. */
#include "triage/triage.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "district/district.h"
#include "experience/experience.h"
#include "json/json.h"
#include "store/store.h"
#include "triage/inside.h"
#include <stdlib.h>

/* A program that is not the whole server, such as a test, has no list.  Not beside the loops over it:
 * the compiler would take its length there for one. */
__attribute__((weak)) const struct queue_part *const queue_parts[] = {NULL};

static const char SQL_MODELS[] = "SELECT id, state, last_fix FROM triage_model WHERE state IN ('active', 'shadow') ORDER BY id";
/* What changes when there is anything new. */
static const char SQL_TIP[] =
        "SELECT COALESCE((SELECT MAX(id) FROM triage_fix), 0), COALESCE((SELECT MAX(id) FROM triage_handled), 0),"
        " COALESCE((SELECT MAX(id) FROM triage_model), 0), COALESCE((SELECT MAX(state_since) FROM triage_model), 0)";
static const char SQL_BYTES[] = "SELECT bytes FROM triage_model WHERE id = $1";
static const char SQL_FIXES[] =
        "SELECT f.id, f.item, r.title, r.text FROM triage_fix f JOIN report r ON r.id = f.case_id WHERE f.id > $1"
        " ORDER BY f.id LIMIT 500";
static const char SQL_KEEP[] =
        "INSERT INTO triage_opinion(case_id, model, at, guess, certainty, sure, others, urgent, shadow, shadow_id, judged, hit,"
        " settled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, '')";

enum { OTHERS_ROOM = 4096 };

/* --- opening -------------------------------------------------------------------------------------------------------- */

bool triage_open(struct district *d, struct err *e)
{
        struct triage *t = calloc(1, sizeof *t);
        if (!t || pthread_rwlock_init(&t->lock, NULL) != 0 || pthread_mutex_init(&t->refreshing, NULL) != 0)
                abort();
        t->arena = arena_new();
        t->experience = experience_new(&(struct experience_options){0});
        d->triage = t;
        t->fold = district_fold(d, e);
        return (t->fold && triage_refresh(d, e)) || (triage_close(d), false);
}

void triage_close(struct district *d)
{
        struct triage *t = d->triage;
        if (!t)
                return;
        classifier_free(&t->active.classifier);
        classifier_free(&t->shadow.classifier);
        experience_free(&t->experience);
        entities_close(t);
        (void)pthread_rwlock_destroy(&t->lock);
        (void)pthread_mutex_destroy(&t->refreshing);
        arena_free(&t->arena);
        free(t);
        d->triage = NULL;
}

/* --- what came since ------------------------------------------------------------------------------------------------ */

struct fresh {
        struct triage *triage;
        struct arena *arena;
        int64_t id[2], last_fix[2]; /* 0 active, 1 shadow */
        int64_t wanted;             /* whose bytes are read */
        void *bytes;
        size_t n;
        int64_t after; /* corrections behind this one */
        struct fix {
                int64_t id;
                const char *item, *text;
        } * fixes;
        size_t n_fixes;
};

static bool read_models(struct tx *tx, void *ctx, struct err *e)
{
        struct fresh *f = ctx;
        struct rows r;
        memset(f->id, 0, sizeof f->id);
        bool ok = tx_rows(tx, &r, e, SQL_MODELS, NO_ARGS);
        while (ok && rows_next(&r)) {
                const int which = text_is(rows_text(&r, f->arena, 1), "shadow");
                f->id[which] = rows_int(&r, 0);
                f->last_fix[which] = rows_int(&r, 2);
        }
        return ok && rows_done(&r, e);
}

static bool read_bytes(struct tx *tx, void *ctx, struct err *e)
{
        struct fresh *f = ctx;
        struct rows r;
        const int found = tx_first(tx, &r, e, SQL_BYTES, ARGS(V(f->wanted)));
        if (found <= 0)
                return found == 0 && err_set(e, ERR_NOT_FOUND, "the model %lld is gone", (long long)f->wanted);
        f->bytes = rows_blob(&r, f->arena, 0, &f->n);
        return rows_done(&r, e);
}

static bool read_fixes(struct tx *tx, void *ctx, struct err *e)
{
        struct fresh *f = ctx;
        struct rows r;
        f->fixes = NEW_ARRAY(f->arena, struct fix, 500);
        f->n_fixes = 0;
        bool ok = tx_rows(tx, &r, e, SQL_FIXES, ARGS(V(f->after)));
        while (ok && rows_next(&r))
                f->fixes[f->n_fixes++] = (struct fix){
                        rows_int(&r, 0),
                        rows_text(&r, f->arena, 1),
                        triage_text(f->arena, rows_text(&r, f->arena, 2), rows_text(&r, f->arena, 3)),
                };
        return ok && rows_done(&r, e);
}

/* A model that cannot be read is as good as none: the district goes on without. */
static bool load(struct fresh *f, struct store *store, struct machine *m, int which, struct err *e)
{
        struct classifier *c = NULL;
        f->wanted = f->id[which];
        if (f->wanted > 0) {
                if (!store_read(store, read_bytes, f, e))
                        return e->kind == ERR_NOT_FOUND; /* replaced meanwhile: read again soon */
                if (!classifier_read(f->bytes, f->n, &c, e))
                        log_err(LOG_ERROR, "triage.model", e);
        }
        (void)pthread_rwlock_wrlock(&f->triage->lock);
        struct classifier *old = m->classifier;
        *m = (struct machine){c, f->wanted, f->last_fix[which]};
        (void)pthread_rwlock_unlock(&f->triage->lock);
        classifier_free(&old);
        if (c)
                log_event(LOG_INFO, "triage.model", "id=%lld state=%s", (long long)m->id, which ? "shadow" : "active");
        return true;
}

/* Reports are read meanwhile: they wait only for the steps themselves. */
static void apply(struct fresh *f, struct machine *m)
{
        struct gram_count **grams = NEW_ARRAY(f->arena, struct gram_count *, f->n_fixes + 1);
        size_t *n = NEW_ARRAY(f->arena, size_t, f->n_fixes + 1);
        for (size_t i = 0; i < f->n_fixes; i++) {
                struct folded folded;
                n[i] = triage_grams(f->triage->fold, f->arena, f->fixes[i].text, &folded, &grams[i]);
        }
        (void)pthread_rwlock_wrlock(&f->triage->lock);
        for (size_t i = 0; i < f->n_fixes; i++) {
                const int class = classifier_class(m->classifier, f->fixes[i].item);
                if (class >= 0 && n[i] > 0)
                        (void)!classifier_correct(m->classifier, grams[i], n[i], class);
                m->last_fix = f->fixes[i].id;
        }
        (void)pthread_rwlock_unlock(&f->triage->lock);
}

static bool catch_up(struct fresh *f, struct store *store, struct machine *m, struct err *e)
{
        do {
                arena_reset(f->arena);
                f->after = m->last_fix;
                if (!m->classifier)
                        return true;
                if (!store_read(store, read_fixes, f, e))
                        return false;
                apply(f, m);
        } while (f->n_fixes > 0);
        return true;
}

static bool read_tip(struct tx *tx, void *ctx, struct err *e)
{
        int64_t *tip = ctx;
        struct rows r;
        if (tx_first(tx, &r, e, SQL_TIP, NO_ARGS) != 1)
                return false;
        for (int i = 0; i < TIP_PARTS; i++)
                tip[i] = rows_int(&r, i);
        return rows_done(&r, e);
}

static bool refresh(struct triage *t, struct district *d, struct err *e)
{
        struct fresh f = {.triage = t, .arena = arena_new()};
        bool ok = store_read(d->store, read_models, &f, e);
        if (ok && f.id[0] != t->active.id)
                ok = load(&f, d->store, &t->active, 0, e);
        if (ok && f.id[1] != t->shadow.id)
                ok = load(&f, d->store, &t->shadow, 1, e);
        ok = ok && catch_up(&f, d->store, &t->active, e) && catch_up(&f, d->store, &t->shadow, e) && handlers_refresh(t, d, e);
        arena_free(&f.arena);
        return ok;
}

bool triage_refresh(struct district *d, struct err *e)
{
        struct triage *t = d->triage;
        int64_t tip[TIP_PARTS];
        if (!t)
                return true;
        (void)pthread_mutex_lock(&t->refreshing);
        bool ok = store_read(d->store, read_tip, tip, e);
        if (ok && memcmp(tip, t->tip, sizeof tip) != 0) {
                ok = refresh(t, d, e);
                if (ok)
                        memcpy(t->tip, tip, sizeof tip);
        }
        (void)pthread_mutex_unlock(&t->refreshing);
        return ok;
}

bool triage_summary(struct district *d, int64_t model, struct triage_summary *out, struct err *e)
{
        struct triage *t = d->triage;
        (void)pthread_rwlock_rdlock(&t->lock);
        const struct machine *m = t->active.id == model ? &t->active : t->shadow.id == model ? &t->shadow : NULL;
        const bool known = m && m->classifier;
        if (known) {
                const struct training_report r = classifier_report(m->classifier);
                *out = (struct triage_summary){m == &t->active ? "active" : "shadow",
                                               r.examples,
                                               r.made,
                                               r.classes,
                                               r.accuracy,
                                               r.macro_f1,
                                               r.ece,
                                               r.coverage,
                                               r.precision,
                                               (double)r.elapsed / (double)USEC_SECOND};
        }
        (void)pthread_rwlock_unlock(&t->lock);
        return known || err_set(e, ERR_NOT_FOUND, "the model %lld is neither active nor in the shadow", (long long)model);
}

/* --- reading a text ------------------------------------------------------------------------------------------------- */

const char *triage_text(struct arena *a, const char *title, const char *text)
{
        if (text_empty(title) || text_starts(text, title))
                return text;
        return arena_format(a, "%s\n%s", title, text);
}

size_t triage_grams(const struct fold *fold, struct arena *a, const char *text, struct folded *f, struct gram_count **out)
{
        struct gram *grams;
        fold_text(fold, a, text, strlen(text), f);
        const size_t n = grams_list(f, a, &grams);
        return grams_count(grams, n, a, out);
}

/* The best of those items that the rulebook has. */
static void take_known(const struct classifier *c, const struct rulebook *rules, const struct guess *g, size_t n, struct opinion *o)
{
        for (size_t i = 0; i < n && o->n < CANDIDATES_MOST; i++) {
                const struct item *item = item_find(rules->catalogue, classifier_code(c, g[i].class));
                if (!item)
                        continue;
                if (o->n == 0)
                        o->sure = g[i].p >= classifier_threshold(c, g[i].class);
                o->at[o->n++] = (struct candidate){.item = item, .p = g[i].p};
        }
}

static void explain(const struct classifier *c, struct arena *a, const char *text, const struct folded *f, struct opinion *o,
                    size_t i)
{
        struct phrase p[REASONS_MOST];
        const size_t rival = i == 0 ? 1 : 0;
        const int class = classifier_class(c, o->at[i].item->code);
        const int other = rival < o->n ? classifier_class(c, o->at[rival].item->code) : -1;
        o->at[i].n_reasons = classifier_explain(c, a, f, class, other, p, COUNT_OF(p));
        for (size_t k = 0; k < o->at[i].n_reasons; k++)
                o->at[i].reasons[k] = (struct hint){arena_copy(a, text + p[k].from, p[k].to - p[k].from), p[k].weight};
}

static void say_why(struct arena *a, struct opinion *o)
{
        const struct candidate *best = &o->at[0];
        const int percent = (int)(100 * best->p);
        const char *all = "";
        for (size_t i = 0; i < best->n_reasons; i++)
                if (best->reasons[i].weight > 0)
                        all = arena_format(a, "%s%s%s", all, *all ? "、" : "", best->reasons[i].phrase);
        o->why = arena_format(a, "The machine reads the item %s from the text, certain by %d %%: %s.", best->item->name, percent,
                              all);
        o->why_zh = arena_format(a, "系统由内容判断事项为“%s”，把握%d%%，依据：%s。", best->item->name, percent, all);
}

static void guess(struct triage *t, const struct rulebook *rules, struct arena *a, const char *text, const struct folded *f,
                  const struct gram_count *grams, size_t n, size_t explained, struct opinion *o)
{
        struct guess g[2 * CANDIDATES_MOST];
        (void)pthread_rwlock_rdlock(&t->lock);
        const struct classifier *c = t->active.classifier, *s = t->shadow.classifier;
        if (c) {
                o->model = t->active.id;
                take_known(c, rules, g, classifier_guess(c, grams, n, g, COUNT_OF(g)), o);
                for (size_t i = 0; i < o->n && i < explained; i++)
                        explain(c, a, text, f, o, i);
                if (o->n > 0)
                        say_why(a, o);
        }
        if (s && classifier_guess(s, grams, n, g, 1) > 0) {
                o->shadow = arena_text(a, classifier_code(s, g[0].class));
                o->shadow_id = t->shadow.id;
        }
        (void)pthread_rwlock_unlock(&t->lock);
}

void triage_read(struct district *d, const struct rulebook *rules, struct arena *a, const char *title, const char *text,
                 size_t explained, struct opinion *o)
{
        struct triage *t = d->triage;
        struct folded f;
        struct gram_count *grams;
        uint32_t from, to;
        *o = (struct opinion){.shadow = "", .why = "", .why_zh = ""};
        if (!t)
                return;
        const char *whole = triage_text(a, title, text);
        const size_t n = triage_grams(t->fold, a, whole, &f, &grams);
        guess(t, rules, a, whole, &f, grams, n, explained, o);
        if (urgent_find(words_of(t, d->store, rules->version), &f, &from, &to))
                o->urgent = arena_copy(a, whole + from, to - from);
}

static char *others_json(struct arena *a, const struct opinion *o)
{
        struct buf b = BUF_LIMIT(OTHERS_ROOM);
        struct json j = json_to(&b);
        json_array(&j, NULL);
        for (size_t i = 0; i < o->n; i++) {
                json_object(&j, NULL);
                json_text(&j, "item", o->at[i].item->code);
                json_real(&j, "p", o->at[i].p);
                json_object_end(&j);
        }
        json_array_end(&j);
        char *text = arena_copy(a, b.at, b.length);
        buf_free(&b);
        return text;
}

bool triage_keep(struct tx *tx, int64_t case_id, const struct opinion *o, int64_t now, struct err *e)
{
        struct arena *a = arena_new();
        const bool ok = tx_send(tx, e, SQL_KEEP,
                                ARGS(V(case_id), V(o->model), V(now), V(o->n > 0 ? o->at[0].item->code : ""),
                                     V(o->n > 0 ? o->at[0].p : 0.0), V(o->sure ? 1 : 0), V(others_json(a, o)),
                                     V(o->urgent ? o->urgent : ""), V(o->shadow), V(o->shadow_id)));
        arena_free(&a);
        return ok;
}
