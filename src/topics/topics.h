/* topics/topics.h -- what people write about just now: messages of the same subject gathered as they come.
 *
 * A message joins the topic it is most like (cosine of weighted shingles, places and bodies weigh more) or opens one; topics that grew
 * together are merged.  Messages of one minute are taken in the order of their ids, so their order within the minute changes
 * nothing.  What is older than the window is forgotten.  Pure: no store, no clock.  Not for several threads at once.
 *
 * Heat counts people, not messages: whoever repeats himself counts once, however often.
 */
#ifndef TOPICS_TOPICS_H
#define TOPICS_TOPICS_H
#include "base/base.h"
struct arena;
struct folded;
struct rare;
struct topics;

struct topics_options {
        int64_t window;         /* microseconds; 0: 90 days */
        int64_t half_life;      /* of heat; 0: 30 days */
        double joins, merges;   /* least cosine; 0: 0.28, 0.5 */
        double false_alarms;    /* surges a year that may be chance, over all topics together; 0: 4 */
};
/* `rare`: what is common (rare_learn_text(), so that a young engine knows the usual words); belongs to the engine, which goes on
 * learning from what it is given. */
struct topics *topics_new(struct rare **rare, const struct topics_options *);
void topics_free(struct topics **);     /* sets NULL */

struct topic_message {
        int64_t id;
        const struct folded *text;      /* the subject first */
        size_t subject;                 /* folded characters of the subject; 0: there is none */
        int64_t time;
        uint64_t reporter;              /* a hash of who; 0: unknown, counts as somebody else each time */
        int64_t support, oppose;        /* how many others agreed and disagreed */
};
/* In order of time; one that comes late joins as if it came now. */
void topics_add(struct topics *, const struct topic_message *);

/* The same seven days a year before, for windows that do not reach so far: each message is counted where it would join today, and is
 * not kept.  What topics merge with later keeps its count; what begins or grows greatly later has none, or too low a one, until it is
 * recalled again: meanwhile it waits instead of surging. */
void topics_recall_begin(struct topics *);      /* forgets what was recalled before */
void topics_recall(struct topics *, const struct topic_message *);

struct topic {
        int64_t id;                     /* of its first message */
        const char *name;               /* three phrases; of few reporters the subject that most agreed with */
        const char *const *phrases; size_t n_phrases;   /* in most of its messages and in few others; the weightiest first */
        const int64_t *members; size_t n_members;       /* ids, by time */
        size_t reporters;
        int64_t supporters, from, to;   /* people who agreed; first and last message */
        /* Heat at an instant: the sum over its reporters of 2^(-age / half_life) * (1 + sqrt(support + oppose / 2)), age and
         * support those of the reporter's latest and most supported message.  The root: clicking is cheaper than writing. */
        double heat;                    /* now, at the last message of all */
        double peak; int64_t peak_at;   /* the greatest it ever was, at one of its messages */
        double of_reporters, of_supporters;     /* the two parts of the peak */
        /* Reporters in 7 days; topics_surge().  waits: beyond chance, but more than half of its reporters came after what was written a
         * year before was recalled: whether it is the season shows when it is recalled again. */
        struct surge { size_t now, before, year_before; double p; bool is, waits; } surge;
};
/* All topics with at least `least` reporters, or, of fewer, with a peak of at least that many; the highest peak first, then by id;
 * at most `most`.  Everything lives in the arena. */
size_t topics_list(struct topics *, struct arena *, size_t least, size_t most, struct topic **out);

/* The members of the topic that holds most of these messages: at least half of those that are still in the window; of equals the older
 * topic.  ids ascend.  False: no topic does.  *topic: its id. */
bool topics_holding(struct topics *, struct arena *, const int64_t *ids, size_t n, int64_t *topic, const int64_t **members,
                    size_t *n_members);

/* Places that come back: named by at least 3 reporters in each of at least `weeks` different weeks of the window. */
struct chronic_place { const char *name; size_t weeks, reporters; };
size_t topics_places(struct topics *, struct arena *, size_t weeks, struct chronic_place **out);

/* How likely are `now` events or more if the rate is that of `before`, seen for an equally long time?  Given n = now + before, now is
 * Binomial(n, 1/2) (Przyborowski and Wilenski, "Homogeneity of results in testing samples from Poisson series", Biometrika 31,
 * 1940): the sum over k = now .. n of C(n, k) / 2^n. */
double topics_surge(size_t now, size_t before);
/* How likely is it by chance that so many of the now + before events are of all_now, and not of all_before, if the topic has the same
 * share of both?  Fisher's exact test, one-sided (Fisher, "Statistical Methods for Research Workers", 5th ed., 1934).
 * The topic's own events are among all. */
double topics_surge_share(size_t now, size_t before, size_t all_now, size_t all_before);
#endif
