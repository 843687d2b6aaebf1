/* notify/notices.h -- who is told of which event with which text; one pack version in memory. */
#ifndef NOTIFY_NOTICES_H
#define NOTIFY_NOTICES_H
#include "letter/texts.h"
struct tx;

enum audience { TELL_UNIT, TELL_REPORTER, TELL_WEBHOOK, AUDIENCES };
enum language { LANGUAGE_ZH, LANGUAGE_EN, LANGUAGES };
extern const char *const language_names[LANGUAGES];

struct notice {
        const char *topic;              /* a move's name, accept, warning, overdue */
        const char *text;               /* name of what is said; two topics may say the same */
        enum audience audience;
        bool media[MEDIA];              /* reporter: web always; of sms and mail the first in `order` that reaches */
        enum medium order[2]; int n_order;
        bool asks;                      /* the reporter is asked how it was */
        bool tells;                     /* a move with the effect `tell`: its event of topic "reporter" has the result */
        /* By language and medium: texts/LANG/NAME.MEDIUM.txt, else NAME.txt; NULL = the pack has none.  [..][MEDIUM_WEBHOOK]: NAME.txt. */
        const char *texts[LANGUAGES][MEDIA];
        bool own_mail[LANGUAGES];       /* the mail's text is NAME.mail.txt, with its subject */
};
struct notices { struct notice *at; size_t n; };
bool notices_load(struct tx *, struct arena *, int64_t version, struct notices **, struct err *) MUST_CHECK;
#endif
