/* measure/paraphrase.h -- the same matter in other words, and another matter in the same words; seeded, for measuring and tests. */
#ifndef MEASURE_PARAPHRASE_H
#define MEASURE_PARAPHRASE_H
#include "measure/messages.h"
struct fold;
struct rare;

enum retelling {
        RETOLD_COPY,    /* pasted again: marks and blanks changed, Traditional characters, a greeting less or more, a typo or two */
        RETOLD_LIGHT,   /* besides: other words for the same, sentences in another order, numbers changed, a sentence more */
        RETOLD_STRONG,  /* besides: about half of the sentences are missing, more words changed, more typos */
        RETELLINGS
};
const char *retelling_name(enum retelling);
/* The text lives in the arena and is never empty unless the given one is. */
char *retell(struct arena *, const char *text, enum retelling, struct draw *);

/* The same words about other places: every rare place that `text` names becomes a rare one of `other`, and so do up to three
 * ideographs in front, since the reader of places may have cut the name.  NULL when the first line of `text` names no rare place, or
 * `other` none that `text` does not name. */
char *retell_elsewhere(struct arena *, const struct fold *, const struct rare *, const char *text, const char *other, struct draw *);
#endif
