/* topics/inside.h -- for this folder only. */
#ifndef TOPICS_INSIDE_H
#define TOPICS_INSIDE_H
#include "topics/topics.h"

enum { FEATURES = 64, CENTRE = 256, HEAD = 120 };       /* of a message, of a topic; characters kept of a message for naming */

struct feature { uint32_t hash; float weight; };        /* vectors are ordered by hash */
struct member {
        int64_t id, time, support, oppose;
        uint64_t reporter;
        bool is_first;                                  /* of this reporter in its topic */
        struct feature at[FEATURES]; uint16_t n_features;       /* of length 1 */
        uint16_t n_head, n_subject, n_places;
        uint32_t head[HEAD];                            /* the first folded characters */
        struct { uint32_t hash; uint16_t from, to; } places[4]; /* named in the head */
};
struct cluster {
        struct member **members; size_t n, room;        /* in the order they came */
        struct feature centre[CENTRE]; size_t n_centre; /* sum of its reporters' vectors, the greatest weights */
        double length;                                  /* of the whole sum, before the small weights were left out */
        uint64_t *year; size_t n_year, year_room;       /* reporters of the same seven days a year before (topics_recall()) */
        size_t year_asked;                              /* reporters it had when the year before was recalled; 0: not since it began */
        size_t reporters, checked;                      /* how many reporters it had when merging was last tried */
        bool gone;
};
struct topics {
        struct topics_options options;
        struct rare *rare;
        struct cluster **clusters; size_t n, room, n_gone;
        struct waiting *waiting; size_t n_waiting, waiting_room;         /* of the minute that is not over */
        int64_t minute, newest, swept;                  /* microseconds */
        bool recalls;                                   /* the year before was recalled */
        size_t year_others;                             /* messages of a year before that are of no topic of now */
        struct post *posts; size_t n_posts, posts_room; /* 1 ...; lists of clusters by feature */
        uint32_t *heads;
};
/* A message as it came; c is a copy of its folded characters. */
struct waiting { struct member *member; uint32_t *c; size_t n, subject; };
struct post { uint32_t hash, cluster, next; };

void *more_room(void *at, size_t *room, size_t n, size_t size);         /* realloc that aborts: room for one more than n */
void member_vector(struct member *, struct arena *, const struct folded *, size_t subject, const struct rare *);
double dot(const struct feature *, size_t, const struct feature *, size_t);
void cluster_measure(struct cluster *);                 /* members by time; then centre, length and reporters */
void topics_settle(struct topics *);                    /* takes what waits, as if its minute were over */
/* The topic most like the vector (of length `length`), but not `but`; on a tie the older one.  SIZE_MAX: none at all. */
size_t most_alike(const struct topics *, const struct feature *, size_t n, double length, size_t but, double *best);
/* name.c: phrases that most heads have and few texts otherwise. */
void cluster_name(const struct topics *, const struct cluster *, struct arena *, struct topic *);
#endif
