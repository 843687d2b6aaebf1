/* triage/triage.h -- the machine reads a report: which item it is about, how sure that is and why, and whether it is urgent.
 *
 * Nothing here can fail a report: the worst answer is "unsure", and then a person decides among three candidates.  What a person
 * decides is learned at once (a correction), by the next training, and by every process of a PostgreSQL district.
 */
#ifndef TRIAGE_TRIAGE_H
#define TRIAGE_TRIAGE_H
#include "base/base.h"
struct answer;
struct area;
struct arena;
struct buf;
struct consumer;
struct district;
struct item;
struct mention;
struct pack_part;
struct route;
struct json;
struct sight;
struct rulebook;
struct store;
struct timer_kind;
struct triage;
struct tx;
struct unit;

/* Sets district.triage: the active model of the store with all later corrections, and its shadow. */
bool triage_open(struct district *, struct err *) MUST_CHECK;
/* Sets the nightly timer, at once when there is no model yet. */
bool triage_start(struct district *, int64_t now, struct err *) MUST_CHECK;
void triage_stop(struct district *);            /* a training under way ends; before the schedulers stop */
void triage_close(struct district *);
/* Reads what came since: models, corrections.  Cheap when nothing did. */
bool triage_refresh(struct district *, struct err *) MUST_CHECK;

enum { CANDIDATES_MOST = 3, REASONS_MOST = 4 };
/* weight > 0 speaks for the candidate: the best one against the second, the others against the best. */
struct hint { const char *phrase; double weight; };
struct candidate { const struct item *item; double p; struct hint reasons[REASONS_MOST]; size_t n_reasons; };
struct opinion {                                /* texts live in the arena */
        struct candidate at[CANDIDATES_MOST]; size_t n;        /* best first; 0: nothing known */
        bool sure;                              /* the best one may be taken without asking */
        const char *urgent;                     /* the phrase that makes it urgent, as it was written; NULL */
        int64_t model;                          /* 0: none */
        const char *shadow; int64_t shadow_id;  /* what the shadow would have said; "" */
        const char *why, *why_zh;               /* one sentence on the best one; "" when n = 0 */
};
/* Of title (may be NULL) and text.  district.triage NULL: nothing is known.  Items the rulebook does not have are left out.  explained:
 * so many of the candidates get their reasons, which cost more than the answer. */
void triage_read(struct district *, const struct rulebook *, struct arena *, const char *title, const char *text, size_t explained,
                 struct opinion *);
/* What a text names, when the report does not say it otherwise. */
struct entities {
        const struct area *area; const char *area_phrase;       /* the one smallest area that is named; NULL: none, or several */
        int64_t occurred; const char *occurred_phrase;          /* the first certain time of the year before `now`; 0 */
        const struct mention *at; size_t n;                     /* all of it, with bytes of `text` */
        const char *text;                                       /* title and text as they were read */
};
void triage_entities(struct district *, const struct rulebook *, struct arena *, const char *title, const char *text, int64_t now,
                     struct entities *);

/* Who is responsible: the list, or a precedent, always where it has a row.  Where it has none (the fallback) the unit that handled like
 * cases is taken if experience is certain enough.  Where experience contradicts a row strongly the answer is no longer sure: a person
 * decides, and sees both.  The question's item must be known, else nothing is changed.  out->said: experience had something to say. */
struct route_question { const struct item *item; const struct area *area; const char *source, *property; int64_t time; };
struct route_opinion {
        bool said, taken, contradicts;
        const struct unit *listed, *unit;       /* the list's; experience's */
        const char *place;                      /* of the list's row */
        const char *item, *area;
        double certainty;
};
void triage_route(struct district *, const struct rulebook *, struct arena *, const struct route_question *, struct answer *,
                  struct route_opinion *out);
/* Units that handled like cases, likeliest first; of these cases of the item so many were the unit's (faded counts). */
struct unit_guess { const struct unit *unit; double certainty, of, cases; };
size_t triage_units(struct district *, const struct rulebook *, struct arena *, const struct route_question *,
                    struct unit_guess out[CANDIDATES_MOST]);
/* Keep what was said of the case, and of who is responsible, in the transaction that files it. */
bool triage_keep(struct tx *, int64_t case_id, const struct opinion *, int64_t now, struct err *) MUST_CHECK;
bool triage_keep_route(struct tx *, int64_t case_id, const struct route_opinion *, int64_t now, struct err *) MUST_CHECK;

/* Counts a report that was read, for the figures. */
void triage_count(struct district *, const struct opinion *, int64_t usec);
void triage_figures(const struct district *, struct buf *);     /* in Prometheus' text form */

/* Trains on the texts of the district's cases and the words of its pack.  The first model is active at once, later ones run in the
 * shadow of the active one first.  ERR_INVALID: nothing to learn from; ERR_BUSY: stopped. */
struct triage_training {
        void (*progress)(void *ctx, int done, int all); bool (*stop)(void *ctx); void *ctx;     /* may be NULL */
        bool adopt;                             /* active at once */
};
bool triage_train(struct district *, const struct triage_training *, int64_t now, int64_t *model, struct err *) MUST_CHECK;

/* What is known of a model that is in memory (active or shadow); accuracy -1: too few texts to say.  ERR_NOT_FOUND. */
struct triage_summary { const char *state; int64_t examples, made, items; double accuracy, macro_f1, ece, coverage, precision, seconds; };
bool triage_summary(struct district *, int64_t model, struct triage_summary *, struct err *) MUST_CHECK;

/* What another capability adds to each case of the dispatch queue; the list is queue_parts of src/capabilities.c, and ends with NULL. */
struct queue_part {
        const char *name;                       /* of its array in the answer */
        /* Adds the elements of the array; sight: what the reader may see of other cases. */
        bool (*json)(struct tx *, struct arena *, int64_t case_id, const struct rulebook *, const struct sight *, struct json *, struct err *);
};
extern const struct queue_part *const queue_parts[];

extern const struct consumer triage_consumer;   /* learns from what people decide */
extern const struct timer_kind triage_timer;    /* nightly training, on a thread that may be slow */
extern const struct pack_part triage_pack;      /* urgent_words.csv, item_words.csv */
extern const struct route *const triage_routes, *const dispatch_routes;
#endif
