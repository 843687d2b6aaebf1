/* measure/topics.h -- the topics of a table of messages, as src/topics finds them when the messages come one by one. */
#ifndef MEASURE_TOPICS_H
#define MEASURE_TOPICS_H
#include "measure/messages.h"
#include "topics/topics.h"
struct buf;

struct topics_run {
        int64_t days;           /* window; 0: 400, so that a year's table is one window */
        int64_t half_life_days; /* 0: the engine's */
        double joins, merges;   /* 0: the engine's */
        bool shuffles;          /* messages of one minute come in another order: of `seed` */
        int64_t seed;
        size_t most;
};
struct found_topic {
        struct topic topic;
        const char **members;           /* msg_id of topic.members */
        const char *why, *why_zh;       /* what the heat is made of, in a sentence */
};
struct topics_found {
        struct found_topic *at; size_t n;
        struct chronic_place *places; size_t n_places;
};
/* Hottest first, by the peak.  The result lives in the arena.  ERR_FAULT: no table of foldings. */
bool evaluate_topics(struct arena *, const struct messages *, const struct topics_run *, struct topics_found *, struct err *) MUST_CHECK;
void topics_found_json(const struct topics_found *, bool chinese, struct buf *);
#endif
