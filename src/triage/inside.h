/* triage/inside.h -- what the files of this folder share. */
#ifndef TRIAGE_INSIDE_H
#define TRIAGE_INSIDE_H
#include "classify/classifier.h"
#include "triage/triage.h"
#include <pthread.h>
#include <stdatomic.h>

struct urgent { uint32_t *c; size_t n; const char *kind; const uint32_t **beside; size_t *n_beside, count; };
/* Numbers a city may set (triage.csv); what each means stands in words.c. */
enum triage_number { NUMBER_PRECISION, NUMBER_ROUTE, NUMBER_CONTRADICTION, NUMBER_CONTRADICTION_CASES, TRIAGE_NUMBERS };
/* What a pack version says. */
struct triage_words { int64_t version; const struct urgent *at; size_t n; double number[TRIAGE_NUMBERS]; struct triage_words *next; };
/* The words by which a pack version's areas are found in texts. */
struct area_words { int64_t version; struct vocabulary *vocabulary; struct area_words *next; };
enum { TIP_PARTS = 4 };
struct machine { struct classifier *classifier; int64_t id, last_fix; };
struct triage {
        const struct fold *fold;                /* the district's */
        pthread_rwlock_t lock;                  /* guards the machines: guessing reads, refreshing writes */
        struct machine active, shadow;
        int64_t tip[TIP_PARTS];                 /* of the store when it was read last */
        pthread_mutex_t refreshing;             /* of the store: one at a time */
        struct arena *arena;                    /* of the lists below */
        _Atomic(struct triage_words *) words;   /* of the pack versions met so far */
        _Atomic(struct area_words *) areas;     /* likewise */
        struct experience *experience; int64_t last_handled;
        atomic_llong read, sure, urgent, usec;  /* reports since the start, and how long they took */
        atomic_bool closing;                    /* a training under way ends */
};

/* The features of a report's text; the title counts where it is not just the beginning of the text. */
const char *triage_text(struct arena *, const char *title, const char *text);
size_t triage_grams(const struct fold *, struct arena *, const char *text, struct folded *, struct gram_count **);

/* --- words.c ------------------------------------------------------------------------------------------------------------------ */
/* What the version says; the usual numbers and no phrase when the store does not answer. */
const struct triage_words *words_of(struct triage *, struct store *, int64_t version);
/* The first phrase that makes the text urgent: bytes of the text; NULL. */
const struct urgent *urgent_find(const struct triage_words *, const struct folded *, uint32_t *from, uint32_t *to);

/* --- entities.c ----------------------------------------------------------------------------------------------------------------- */
void entities_close(struct triage *);

/* --- handlers.c ----------------------------------------------------------------------------------------------------------------- */
/* Learns from cases handled since; the caller holds `refreshing`. */
bool handlers_refresh(struct triage *, struct district *, struct err *) MUST_CHECK;

/* --- learn.c ------------------------------------------------------------------------------------------------------------------ */
enum { SHADOW_TRUTHS = 100 };           /* answers after which a shadow is adopted or dropped */
#endif
