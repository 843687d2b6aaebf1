/* matters/inside.h -- for this folder only. */
#ifndef MATTERS_INSIDE_H
#define MATTERS_INSIDE_H
#include "base/base.h"
#include <pthread.h>
#include <stdatomic.h>
struct arena;
struct district;
struct fold;
struct folded;
struct matter;
struct matter_question;
struct rulebook;
struct same_index;

/* Two ends grow: to newer cases whenever somebody asks, to older ones by a thread of its own, from the newest on. */
struct matters {
        const struct fold *fold;
        struct same_index *index;
        pthread_mutex_t feeding; /* of `last` and `older`, until the thread runs */
        pthread_mutex_t looking; /* held by the consumer from a look until what it found is written */
        int64_t last;            /* cases up to this id, from where it began, are in; -1 = none yet */
        int64_t began;           /* the newest case then */
        int64_t older;           /* cases up to this id may not be in yet; 0 = all are */
        pthread_t thread;
        bool running;
        atomic_bool stop;
};

/* Title and text as one, unless the text begins with the title. */
const char *matter_text(struct arena *, const char *title, const char *text);
/* As the index wants it; *folded is what it points to. */
void matter_make(const struct matters *, const struct rulebook *, struct arena *, const struct matter_question *, struct folded *folded,
                 struct matter *out);

/* By which who reports says "the same as that one".  Sealed, another one each time: it tells nothing of
 * the case, nor that two tokens mean the same one.  It gives no right to anything. */
bool matters_token(struct district *, struct arena *, int64_t case_id, char **out, struct err *) MUST_CHECK;
/* 0: it is none, or of a key that is gone. */
int64_t matters_token_case(struct district *, struct arena *, const char *token);

/* What the consumer finds is looked at again when the index is filled: so it holds that off while it looks and writes. */
void matters_look_begin(struct district *);
void matters_look_end(struct district *);
#endif
