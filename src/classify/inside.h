/* classify/inside.h -- what the files of the classifier share. */
#ifndef CLASSIFY_INSIDE_H
#define CLASSIFY_INSIDE_H
#include "classify/classifier.h"

/* One decision between the children of a class.  Row r of `rows` is {weight of the feature, then one weight a child}. */
struct node {
        int class;                              /* -1 at the top */
        int n_children; int *children;          /* classes */
        uint32_t *keys; uint32_t room;          /* open addressing; a power of two; 0 = free */
        uint32_t *at;                           /* the row of keys[i] */
        uint32_t n_rows; float *rows;
        float *bias;                            /* one a child */
        float slope; float *shift;              /* margins to probabilities */
};
struct recall_key { uint32_t key; float idf; int32_t first; };          /* first: of its posts; -1 = none */
struct recall_post { int32_t text, next; float weight; };
struct recall {
        struct recall_key *keys; uint32_t room, n_keys;
        struct recall_post *posts; uint32_t posts_room, n_posts;
        int *class_of; uint32_t texts_room, n_texts;
        float most_idf;                         /* of grams that no text has */
};
struct fix_cell { uint32_t key, node; float *by; };     /* by: what is added for each child */
struct classifier {
        struct arena *arena;
        struct classes classes;
        int *node_of;                           /* class + 1 -> index of its node; -1: a leaf, or nothing known below */
        struct node *nodes; size_t n_nodes;
        float *line_p, *line_certainty; size_t n_line;          /* the isotonic line; n = 0: cold */
        float *threshold;                       /* of each class */
        struct training_report report;
        struct recall recall;                   /* while cold: of the examples and of every correction */
        struct map *by_code;
        struct fix_cell *fixes; size_t n_fixes, fix_room, corrections;
};

/* --- node.c -------------------------------------------------------------------------------------------------------------------- */
enum { CHILDREN_MOST = 4096, LEARNED_LEAST = 50 };      /* texts below which nothing is certain */
/* Score of each child: margins; returns how many grams were known. */
size_t node_score(const struct classifier *, size_t node, const struct gram_count *, size_t n, double *margin);
void node_chances(const struct node *, const double *margin, double *p);               /* sums to 1 */
float *node_row(const struct node *, uint32_t key);                                    /* NULL */
/* What corrections add for each child of the node; NULL.  A gram that only a correction made known weighs as a common one. */
const float *fix_row(const struct classifier *, uint32_t key, size_t node);
#define UNKNOWN_WEIGHT 1.0
float node_length(const struct node *, const struct gram_count *, size_t n);           /* of the weighted text */

/* --- train.c: one node ------------------------------------------------------------------------------------------------------------- */
struct lesson { const struct example *example; int child; };    /* child: index into the node's children */
void node_train(struct arena *, struct node *, const struct lesson *, size_t n, const struct training *);

/* --- linear.c: liblinear ------------------------------------------------------------------------------------------------------------ */
struct sparse { uint32_t n; uint32_t *feature; float *value; };         /* features ascending, from 0 */
struct linear;
struct linear *linear_new(const struct sparse *, size_t n, size_t n_features);
void linear_free(struct linear **);
/* A machine that tells side 1 from side -1.  weights: n_features, and the constant's behind them. */
void linear_train(const struct linear *, const signed char *side, double cost, double *weights);

/* --- recall.c ----------------------------------------------------------------------------------------------------------------------- */
void recall_make(struct arena *, struct recall *, const struct example *, size_t n);
void recall_key(struct arena *, struct recall *, uint32_t key, float idf);             /* when it is not there yet */
void recall_text(struct arena *, struct recall *, const struct gram_count *, size_t n, int class);
/* p is the similarity, 0..1. */
size_t recall_guess(const struct recall *, const struct gram_count *, size_t n, struct guess *out, size_t most);
void recall_first(struct recall *, uint32_t key, int32_t post);          /* a key that is there */
double recall_says(const struct recall *, uint32_t key, int class);    /* what the gram adds */

/* --- calibrate.c -------------------------------------------------------------------------------------------------------------------- */
/* n margins of `children` each, and the right child of each. */
void scale_fit(const double *margins, const int *right, size_t n, int children, float *slope, float *shift);
/* Fits the line, the thresholds and the report's figures to what was said of texts unseen. */
void certainty_fit(struct classifier *, struct verdict *, size_t n, double precision);
double line_at(const struct classifier *, double p);

/* --- cross.c ------------------------------------------------------------------------------------------------------------------------ */
/* The tree of nodes that the examples need; untrained. */
void nodes_make(struct classifier *, const struct example *, size_t n);
struct part { const struct example *all; size_t n; const unsigned char *fold; int without; };     /* without that fold; -1: all */
bool nodes_train(struct classifier *, const struct part *, const struct training *, int *done, int steps, struct err *) MUST_CHECK;
/* Learns slopes, shifts, line and thresholds from texts that the machines had not seen. */
bool cross_fit(struct classifier *, const struct example *, size_t n, const struct training *, int *done, int steps, struct err *) MUST_CHECK;
/* The likeliest leaves by the raw chances. */
size_t guess_raw(const struct classifier *, const struct gram_count *, size_t n, struct guess *out, size_t most);
int path_child(const struct classifier *, size_t node, int class);     /* which of the node's children is, or is above, the class; -1 */
#endif
