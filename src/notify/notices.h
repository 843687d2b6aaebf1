/* notify/notices.h -- who is told of which event with which text; one pack version in memory. */
#ifndef NOTIFY_NOTICES_H
#define NOTIFY_NOTICES_H
#include "base/base.h"
struct arena;
struct tx;

enum audience { TELL_UNIT, TELL_REPORTER, TELL_WEBHOOK, AUDIENCES };
struct notice {
        const char *topic;              /* a move's name, warning, overdue */
        enum audience audience;
        const char *zh, *en;            /* the text with its holes; NULL = the pack has none in this language */
};
struct notices { struct notice *at; size_t n; };
bool notices_load(struct tx *, struct arena *, int64_t version, struct notices **, struct err *) MUST_CHECK;
#endif
