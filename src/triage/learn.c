/* triage/learn.c -- a new model from the texts of the district's cases and the words of its pack. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "catalogue/catalogue.h"
#include "crypto/crypto.h"
#include "district/district.h"
#include "store/store.h"
#include "task/task.h"
#include "triage/inside.h"
#include <stdlib.h>

/* What a person chose, or nobody objected to until the case was closed.  A machine's own answer that nobody has looked at yet
 * teaches nothing. */
static const char SQL_TEXTS[] =
        "SELECT c.id, r.title, r.text, c.item FROM cases c JOIN report r ON r.id = c.id"
        " LEFT JOIN triage_opinion o ON o.case_id = c.id"
        " WHERE c.id < $1 AND c.item <> '' AND (o.case_id IS NULL OR o.sure = 0 OR c.item <> o.guess OR c.open = 0)"
        " ORDER BY c.id DESC LIMIT $2";
static const char SQL_WORDS[] = "SELECT item, words FROM item_words WHERE version = $1 ORDER BY place";
static const char SQL_LAST_FIX[] = "SELECT COALESCE(MAX(id), 0) FROM triage_fix";
static const char SQL_NEXT[] = "SELECT COALESCE(MAX(id), 0) + 1 FROM triage_model";
static const char SQL_HAS_ACTIVE[] = "SELECT COUNT(*) FROM triage_model WHERE state = 'active'";
static const char SQL_RETIRE[] = "UPDATE triage_model SET state = 'retired', state_since = $2 WHERE state = $1";
static const char SQL_STORE[] =
        "INSERT INTO triage_model(id, state, made_at, sha256, bytes, last_fix, examples, accuracy, judged, only_it, only_other,"
        " state_since)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, 0, $3)";
static const char SQL_FORGET[] = "DELETE FROM triage_model WHERE state = 'retired' AND id < $1 - 5";
static const char SQL_TAUGHT[] = "SELECT COUNT(*) FROM triage_fix WHERE id > (SELECT COALESCE(MAX(last_fix), 0) FROM triage_model)";

enum { EXAMPLES_MOST = 100000, PAGE = 500, MODEL_MOST = 1 << 30, NIGHT_HOUR = 3, FIXES_LEAST = 20 };

struct gathering {
        struct district *district;
        const struct rulebook *rules;
        struct arena *arena, *scratch;
        struct classes classes;
        struct example *examples;
        size_t n;
        int64_t before, last_fix;
        size_t page; /* rows of the last page */
};

static void add(struct gathering *g, const char *text, int class, bool made)
{
        struct folded f;
        struct gram_count *grams;
        const size_t n = triage_grams(g->district->triage->fold, g->scratch, text, &f, &grams);
        struct gram_count *kept = NEW_ARRAY(g->arena, struct gram_count, n + 1);
        memcpy(kept, grams, n * sizeof *kept);
        if (n == 0)
                return;
        g->examples[g->n] = (struct example){kept, n, class, (uint32_t)g->n, made};
        g->n++;
}

/* Items stand in the file's order, and so above those below them. */
static void take_classes(struct gathering *g)
{
        const size_t n = item_count(g->rules->catalogue);
        g->classes = (struct classes){n, NEW_ARRAY(g->arena, const char *, n + 1), NEW_ARRAY(g->arena, int, n + 1)};
        for (size_t i = 0; i < n; i++) {
                const struct item *item = item_at(g->rules->catalogue, i);
                g->classes.code[i] = item->code;
                g->classes.parent[i] = item->parent ? item->parent->order : -1;
        }
}

/* Every leaf in its own words: names down to it, scope, what else it is called.  So the first day has answers, though none is
 * sure. */
static void take_catalogue(struct gathering *g)
{
        for (size_t i = 0; i < g->classes.n; i++) {
                const struct item *item = item_at(g->rules->catalogue, i);
                const char *words = item->scope ? item->scope : "";
                for (const struct item *up = item; up; up = up->parent)
                        words = arena_format(g->scratch, "%s %s", up->name, words);
                if (item->aliases)
                        words = arena_format(g->scratch, "%s %s", words, item->aliases);
                if (item->leaf)
                        add(g, words, item->order, true);
                arena_reset(g->scratch);
        }
}

static bool take_words(struct tx *tx, void *ctx, struct err *e)
{
        struct gathering *g = ctx;
        struct rows r;
        bool ok = tx_rows(tx, &r, e, SQL_WORDS, ARGS(V(g->rules->version)));
        while (ok && rows_next(&r)) {
                const struct item *item = item_find(g->rules->catalogue, rows_text(&r, g->scratch, 0));
                if (item && g->n < EXAMPLES_MOST)
                        add(g, rows_text(&r, g->scratch, 1), item->order, true);
        }
        return ok && rows_done(&r, e) && tx_int(tx, &g->last_fix, 0, e, SQL_LAST_FIX, NO_ARGS);
}

static bool take_page(struct tx *tx, void *ctx, struct err *e)
{
        struct gathering *g = ctx;
        struct rows r;
        g->page = 0;
        bool ok = tx_rows(tx, &r, e, SQL_TEXTS, ARGS(V(g->before), V((int)PAGE)));
        while (ok && rows_next(&r)) {
                const struct item *item = item_find(g->rules->catalogue, rows_text(&r, g->scratch, 3));
                g->before = rows_int(&r, 0);
                g->page++;
                if (item)
                        add(g, triage_text(g->scratch, rows_text(&r, g->scratch, 1), rows_text(&r, g->scratch, 2)), item->order,
                            false);
                arena_reset(g->scratch);
        }
        return ok && rows_done(&r, e);
}

static bool gather(struct gathering *g, struct err *e)
{
        struct store *store = g->district->store;
        take_classes(g);
        g->examples = NEW_ARRAY(g->arena, struct example, EXAMPLES_MOST + g->classes.n + PAGE);
        take_catalogue(g);
        if (!store_read(store, take_words, g, e))
                return false;
        const size_t made = g->n;
        g->before = INT64_MAX;
        do
                if (!store_read(store, take_page, g, e))
                        return false;
        while (g->page == PAGE && g->n - made < EXAMPLES_MOST);
        return true;
}

/* --- storing -------------------------------------------------------------------------------------------------------- */

struct storing {
        struct gathering *g;
        const struct classifier *classifier;
        struct buf bytes;
        char sha256[2 * SHA256_SIZE + 1];
        bool adopt;
        int64_t now, id;
};

static bool store_model(struct tx *tx, void *ctx, struct err *e)
{
        struct storing *s = ctx;
        const struct training_report report = classifier_report(s->classifier);
        int64_t active;
        if (!tx_int(tx, &s->id, 1, e, SQL_NEXT, NO_ARGS) || !tx_int(tx, &active, 0, e, SQL_HAS_ACTIVE, NO_ARGS))
                return false;
        const bool adopt = s->adopt || active == 0;
        return tx_change(tx, e, SQL_RETIRE, ARGS(V("shadow"), V(s->now))) >= 0
               && (!adopt || tx_change(tx, e, SQL_RETIRE, ARGS(V("active"), V(s->now))) >= 0)
               && tx_change(tx, e, SQL_STORE,
                            ARGS(V(s->id), V(adopt ? "active" : "shadow"), V(s->now), V(s->sha256),
                                 V_BLOB(s->bytes.at, s->bytes.length), V(s->g->last_fix), V(report.examples), V(report.accuracy)))
                          == 1
               && tx_change(tx, e, SQL_FORGET, ARGS(V(s->id))) >= 0;
}

static bool keep_model(struct storing *s, struct err *e)
{
        unsigned char digest[SHA256_SIZE];
        s->bytes = BUF_LIMIT(MODEL_MOST);
        classifier_write(s->classifier, &s->bytes);
        bool ok = !s->bytes.overflow || err_set(e, ERR_FAULT, "the model is larger than 1 GiB");
        if (ok) {
                sha256(s->bytes.at, s->bytes.length, digest);
                for (size_t i = 0; i < SHA256_SIZE; i++) {
                        static const char digits[] = "0123456789abcdef";
                        s->sha256[2 * i] = digits[digest[i] >> 4];
                        s->sha256[2 * i + 1] = digits[digest[i] & 15];
                }
                ok = store_write(s->g->district->store, store_model, s, e);
        }
        buf_free(&s->bytes);
        return ok;
}

bool triage_train(struct district *d, const struct triage_training *how, int64_t now, int64_t *model, struct err *e)
{
        const struct rulebook *rules = district_rules(d, e);
        if (!rules)
                return false;
        struct gathering g = {.district = d, .rules = rules, .arena = arena_new(), .scratch = arena_new()};
        struct classifier *c = NULL;
        const struct training training = {.precision = words_of(d->triage, d->store, rules->version)->number[NUMBER_PRECISION],
                                          .now = now,
                                          .progress = how->progress,
                                          .stop = how->stop,
                                          .ctx = how->ctx};
        bool ok = gather(&g, e);
        if (ok) {
                near_groups(g.examples, g.n);
                ok = classifier_train(&g.classes, g.examples, g.n, &training, &c, e);
        }
        if (ok) {
                struct storing s = {.g = &g, .classifier = c, .adopt = how->adopt, .now = now};
                ok = keep_model(&s, e);
                *model = s.id;
        }
        classifier_free(&c);
        arena_free(&g.scratch);
        arena_free(&g.arena);
        return ok && triage_refresh(d, e);
}

/* --- every night ---------------------------------------------------------------------------------------------------- */

struct need {
        int64_t active, taught;
};

static bool read_need(struct tx *tx, void *ctx, struct err *e)
{
        struct need *n = ctx;
        return tx_int(tx, &n->active, 0, e, SQL_HAS_ACTIVE, NO_ARGS) && tx_int(tx, &n->taught, 0, e, SQL_TAUGHT, NO_ARGS);
}

static int64_t next_night(int64_t now)
{
        const int64_t midnight = (now + ZONE_SHANGHAI * USEC_MINUTE) / USEC_DAY * USEC_DAY - ZONE_SHANGHAI * USEC_MINUTE;
        const int64_t night = midnight + NIGHT_HOUR * USEC_HOUR;
        return night > now ? night : night + USEC_DAY;
}

static bool set_next(struct tx *tx, void *ctx, struct err *e)
{
        const int64_t *now = ctx;
        return timer_set(tx, triage_timer.name, "night", next_night(*now), NULL, e);
}

static bool set_first(struct tx *tx, void *ctx, struct err *e)
{
        const int64_t *now = ctx;
        int64_t active;
        if (!tx_int(tx, &active, 0, e, SQL_HAS_ACTIVE, NO_ARGS))
                return false;
        return timer_hasten(tx, triage_timer.name, "night", active > 0 ? next_night(*now) : *now, e);
}

bool triage_start(struct district *d, int64_t now, struct err *e)
{
        return store_write(d->store, set_first, &now, e);
}

void triage_stop(struct district *d)
{
        if (d->triage)
                atomic_store(&d->triage->closing, true);
}

static bool closing(void *ctx)
{
        const struct district *d = ctx;
        return atomic_load(&d->triage->closing);
}

static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        struct need need;
        int64_t model;
        (void)timer;
        if (!d->triage)
                return true;
        if (!store_read(d->store, read_need, &need, e))
                return false;
        const struct triage_training how = {.stop = closing, .ctx = d};
        if ((need.active == 0 || need.taught >= FIXES_LEAST) && !triage_train(d, &how, now, &model, e)) {
                if (e->kind == ERR_BUSY)
                        return false;
                log_err(LOG_WARN, "triage.train", e); /* nothing to learn from: tomorrow again */
        }
        return store_write(d->store, set_next, &now, e);
}

const struct timer_kind triage_timer = {
        .name = "triage-train",
        .about = "Trains the machine that reads reports anew, at night, when people have corrected it.",
        .run = run,
};
