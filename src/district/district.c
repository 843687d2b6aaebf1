/* district/district.c -- see district.h.  Rulebooks are few (one a pack version), made once and kept until the end. */
#include "district/district.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "pack/pack.h"
#include "routing/routing.h"
#include "store/store.h"
#include "text/fold.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct shelf {
        struct rulebook *rules;
        struct shelf *next;
};
struct inside {
        pthread_mutex_t lock; /* guards the shelf; the active rulebook is read without it */
        struct shelf *shelf;
        _Atomic(const struct rulebook *) active;
        struct rulebook_readers readers;
        struct fold *fold; /* NULL until it is asked for */
};

struct loading {
        const struct rulebook_readers *readers;
        int64_t version; /* 0 = the active one; set to what was found */
        struct rulebook *rules;
};

static bool load(struct tx *tx, void *ctx, struct err *e)
{
        struct loading *l = ctx;
        if (l->version == 0 && !pack_active(tx, &l->version, e))
                return false;
        if (l->version == 0)
                return err_set(e, ERR_FAULT, "no pack is loaded; run: yiwang pack load DIR");
        return rulebook_load(tx, l->version, l->readers, &l->rules, e);
}

/* With the lock held. */
static const struct rulebook *on_shelf(const struct inside *in, int64_t version)
{
        for (const struct shelf *s = in->shelf; s; s = s->next)
                if (s->rules->version == version)
                        return s->rules;
        return NULL;
}

static const struct rulebook *fetch(struct district *d, int64_t version, struct err *e)
{
        struct inside *in = d->inside;
        struct loading l = {.readers = &in->readers, .version = version};
        (void)pthread_mutex_lock(&in->lock);
        const struct rulebook *rules = version ? on_shelf(in, version) : NULL;
        if (!rules && store_read(d->store, load, &l, e)) {
                rules = on_shelf(in, l.version);
                if (rules) {
                        rulebook_free(&l.rules);
                } else {
                        struct shelf *s = malloc(sizeof *s);
                        if (!s)
                                abort();
                        *s = (struct shelf){.rules = l.rules, .next = in->shelf};
                        in->shelf = s;
                        rules = l.rules;
                }
        }
        (void)pthread_mutex_unlock(&in->lock);
        return rules;
}

bool district_open(struct district *d, const struct district_options *options, struct err *e)
{
        *d = (struct district){.store = options->store};
        struct inside *in = calloc(1, sizeof *in);
        if (!in)
                abort();
        if (!keyring_open(&d->keys, options->key_file, true, options->cipher ? options->cipher : SEAL_AES, clock_now(), e)) {
                free(in);
                return false;
        }
        (void)pthread_mutex_init(&in->lock, NULL);
        in->readers = options->readers;
        d->inside = in;
        d->ids = id_source_new(store_node(d->store));
        d->precedents = precedents_new();
        return precedents_refresh(d->precedents, d->store, e) || (district_close(d), false);
}

void district_close(struct district *d)
{
        struct inside *in = d->inside;
        if (!in)
                return;
        while (in->shelf) {
                struct shelf *s = in->shelf;
                in->shelf = s->next;
                rulebook_free(&s->rules);
                free(s);
        }
        fold_free(&in->fold);
        (void)pthread_mutex_destroy(&in->lock);
        free(in);
        id_source_free(&d->ids);
        precedents_free(&d->precedents);
        keyring_close(&d->keys);
        *d = (struct district){0};
}

const struct fold *district_fold(struct district *d, struct err *e)
{
        struct inside *in = d->inside;
        (void)pthread_mutex_lock(&in->lock);
        const bool ok = in->fold || fold_new(&in->fold, e);
        const struct fold *fold = ok ? in->fold : NULL;
        (void)pthread_mutex_unlock(&in->lock);
        return fold;
}

const struct rulebook *district_rules(struct district *d, struct err *e)
{
        struct inside *in = d->inside;
        const struct rulebook *rules = atomic_load(&in->active);
        if (!rules && district_reload(d, e))
                rules = atomic_load(&in->active);
        return rules;
}

const struct rulebook *district_rules_of(struct district *d, int64_t version, struct err *e)
{
        struct inside *in = d->inside;
        const struct rulebook *rules = atomic_load(&in->active);
        return rules && rules->version == version ? rules : fetch(d, version, e);
}

void district_route(struct district *d, const struct rulebook *rules, const struct question *q, struct answer *out)
{
        if (!precedents_answer(d->precedents, rules->units, q, out))
                routing_resolve(rules->routing, q, out);
}

bool district_reload(struct district *d, struct err *e)
{
        struct inside *in = d->inside;
        const struct rulebook *rules = fetch(d, 0, e);
        if (!rules)
                return false;
        if (atomic_exchange(&in->active, rules) != rules)
                log_event(LOG_INFO, "district.rules", "pack=%s version=%lld", rules->name, (long long)rules->version);
        return true;
}
