/* proof/timer.c -- new rows into the tree, and checkpoints now and then. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "district/district.h"
#include "ledger/tree.h"
#include "proof/proof.h"
#include "proof/sweep.h"
#include "store/store.h"
#include "task/task.h"

#define RUN (USEC_SECOND / 4) /* then others have their turn */
#define SOON USEC_SECOND
#define IDLE (20 * USEC_SECOND)

const char *proof_key_file(struct arena *a, const char *data)
{
        return arena_format(a, "%s/ledger.key", data);
}

static bool set_again(struct tx *tx, void *ctx, struct err *e)
{
        return timer_set(tx, ledger_sweep_timer.name, "all", *(const int64_t *)ctx, NULL, e);
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

static bool make_one(struct district *d, struct arena *a, int64_t now, struct err *e)
{
        struct newest n = {.arena = a};
        struct signers *signers;
        const char *note;
        if (!store_read(d->store, look, &n, e))
                return false;
        /* A clock that was set back makes one at once. */
        if (n.size == n.of || (n.at <= now && now - n.at < d->ledger->minutes * USEC_MINUTE))
                return true;
        if (!signers_open(&signers, proof_key_file(a, d->data), true, d->ledger->kind, e))
                return false;
        const bool ok = checkpoint_make(d->store, a, d->ledger->origin, signers, now, &note, e);
        signers_close(&signers);
        if (ok)
                log_event(LOG_INFO, "ledger.checkpoint", "size=%lld", (long long)n.size);
        return ok;
}

/* A tree that must not be signed still takes new rows. */
static void make_checkpoint(struct district *d, int64_t now)
{
        struct err e;
        struct arena *a = arena_new();
        if (d->ledger && d->data && !make_one(d, a, now, &e))
                log_err(LOG_ERROR, "ledger.unsigned", &e);
        arena_free(&a);
}

/* While others wait for the store one step is all. */
static bool run(void *ctx, const struct timer *timer, int64_t now, struct err *e)
{
        struct district *d = ctx;
        struct sweep w = {.more = true};
        const int64_t end = clock_steady() + RUN;
        (void)timer;
        do {
                if (!sweep_step(d->store, now, &w, e))
                        return false;
        } while (w.more && clock_steady() < end && store_figures(d->store).queue_now == 0);
        /* Only of what is complete: of a case of many rows half may be in. */
        if (!w.more)
                make_checkpoint(d, now);
        int64_t next = clock_now() + (w.more ? SOON : IDLE);
        return store_write(d->store, set_again, &next, e);
}

const struct timer_kind ledger_sweep_timer = {
        .name = "ledger-sweep",
        .about = "Brings new rows of the history into the ledger's tree, and signs checkpoints.",
        .run = run,
};

bool proof_start(struct district *d, int64_t now, struct err *e)
{
        return store_write(d->store, set_again, &now, e);
}
