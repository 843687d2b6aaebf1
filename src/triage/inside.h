/* triage/inside.h -- what the files of this folder share. */
#ifndef TRIAGE_INSIDE_H
#define TRIAGE_INSIDE_H
#include "classify/classifier.h"
#include "triage/triage.h"
#include <pthread.h>
#include <stdatomic.h>

struct urgent { uint32_t *c; size_t n; const char *kind; const uint32_t **beside; size_t *n_beside, count; };
struct urgent_list { int64_t version; const struct urgent *at; size_t n; struct urgent_list *next; };
struct machine { struct classifier *classifier; int64_t id, last_fix; };
struct triage {
        struct fold *fold;
        pthread_rwlock_t lock;                  /* guards the machines: guessing reads, refreshing writes */
        struct machine active, shadow;
        pthread_mutex_t refreshing;             /* of the store: one at a time */
        struct arena *arena;                    /* of the lists below */
        _Atomic(struct urgent_list *) urgent;   /* of the pack versions met so far */
        atomic_bool closing;                    /* a training under way ends */
};

/* The features of a report's text; the title counts where it is not just the beginning of the text. */
const char *triage_text(struct arena *, const char *title, const char *text);
size_t triage_grams(const struct fold *, struct arena *, const char *text, struct folded *, struct gram_count **);

/* --- words.c ------------------------------------------------------------------------------------------------------------------ */
/* The first phrase that makes the text urgent: bytes of the text; NULL. */
const struct urgent *urgent_find(struct triage *, struct store *, int64_t version, const struct folded *, uint32_t *from, uint32_t *to);

/* --- learn.c ------------------------------------------------------------------------------------------------------------------ */
enum { SHADOW_TRUTHS = 100 };           /* answers after which a shadow is adopted or dropped */
#endif
