/* proof/timer.c -- new rows into the tree, and checkpoints now and then. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "district/district.h"
#include "ledger/tree.h"
#include "proof/proof.h"
#include "proof/sweep.h"
#include "store/store.h"
#include "task/task.h"

#define RUN (USEC_SECOND / 4) /* then others have their turn */
#define SOON USEC_SECOND
#define NEWS (20 * USEC_SECOND)

/* Keys of the timer: each brings in what there is.  "rows" comes some time after news, "sign" when a checkpoint is due, "walk"
 * daily; so nothing is written while nothing happens. */
static const char rows_key[] = "rows", sign_key[] = "sign", walk_key[] = "walk";

const char *proof_key_file(struct arena *a, const char *data)
{
        return arena_format(a, "%s/ledger.key", data);
}

struct newest {
        struct arena *arena;
        int64_t size, of, at; /* leaves; those of the newest checkpoint, and when it was made */
};

static bool look(struct tx *tx, void *ctx, struct err *e)
{
        struct newest *n = ctx;
        struct checkpoint c = {.size = 0};
        const char *note;
        const int found = checkpoint_newest(tx, n->arena, &c, &note, e);
        n->of = c.size;
        n->at = c.at;
        return found >= 0 && tree_size(tx, &n->size, e);
}

/* *due: when the next one is to be made; 0 = there is nothing to sign. */
static bool make_one(struct district *d, struct arena *a, int64_t now, int64_t *due, struct err *e)
{
        const int64_t pause = d->ledger->minutes * USEC_MINUTE;
        struct newest n = {.arena = a};
        struct signers *signers;
        const char *note;
        *due = now + pause;
        if (!store_read(d->store, look, &n, e))
                return false;
        /* After a clock that was set back one is made at once. */
        const bool early = n.at <= now && now < n.at + pause;
        if (n.size == n.of || early) {
                *due = n.size == n.of ? 0 : n.at + pause;
                return true;
        }
        if (!signers_open(&signers, proof_key_file(a, d->data), true, d->ledger->kind, e))
                return false;
        const bool ok = checkpoint_make(d->store, a, d->ledger->origin, signers, now, &note, e);
        signers_close(&signers);
        if (ok) {
                *due = 0;
                log_event(LOG_INFO, "ledger.checkpoint", "size=%lld", (long long)n.size);
        }
        return ok;
}

/* A tree that must not be signed still takes new rows. */
static int64_t make_checkpoint(struct district *d, int64_t now)
{
        struct err e;
        int64_t due = 0;
        struct arena *a = arena_new();
        if (d->ledger && d->data && !make_one(d, a, now, &due, &e))
                log_err(LOG_ERROR, "ledger.unsigned", &e);
        arena_free(&a);
        return due;
}

struct next {
        int64_t now, sign; /* sign: 0 = no checkpoint waits */
        bool more, walked;
};

static bool set_next(struct tx *tx, void *ctx, struct err *e)
{
        const struct next *n = ctx;
        const char *kind = ledger_sweep_timer.name;
        return (!n->more || timer_set(tx, kind, rows_key, n->now + SOON, NULL, e))
               && (n->sign == 0 || timer_hasten(tx, kind, sign_key, n->sign, e))
               && (!n->walked || timer_set(tx, kind, walk_key, n->now + USEC_DAY, NULL, e));
}

/* While others wait for the store one step is all. */
static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        struct next next = {.walked = text_is(timer->key, walk_key)};
        struct sweep w = {.walk = next.walked};
        const int64_t end = clock_steady() + RUN;
        do {
                if (!sweep_step(d->store, now, &w, e))
                        return false;
        } while (w.more && clock_steady() < end && store_figures(d->store).queue_now == 0);
        /* Only of what is complete: of a case of many rows half may be in. */
        if (!w.more)
                next.sign = make_checkpoint(d, now);
        next.more = w.more;
        next.now = clock_now();
        return (!next.more && next.sign == 0 && !next.walked) || store_write(d->store, set_next, &next, e);
}

const struct timer_kind ledger_sweep_timer = {
        .name = "ledger-sweep",
        .about = "Brings new rows of the history into the ledger's tree, and signs checkpoints.",
        .run = run,
};

static bool start(struct tx *tx, void *ctx, struct err *e)
{
        const int64_t now = *(const int64_t *)ctx;
        return timer_set(tx, ledger_sweep_timer.name, rows_key, now, NULL, e)
               && timer_hasten(tx, ledger_sweep_timer.name, walk_key, now + USEC_DAY, e);
}

bool proof_start(struct district *d, int64_t now, struct err *e)
{
        return store_write(d->store, start, &now, e);
}

static bool hasten(struct tx *tx, void *ctx, struct err *e)
{
        return timer_hasten(tx, ledger_sweep_timer.name, rows_key, *(const int64_t *)ctx, e);
}

void proof_news(struct district *d, int64_t now)
{
        struct err e;
        int64_t due = now + NEWS;
        if (clock_steady() < d->sweep_asked)
                return;
        if (store_write(d->store, hasten, &due, &e))
                d->sweep_asked = clock_steady() + NEWS;
        else
                log_err(LOG_WARN, "ledger.news", &e);
}
