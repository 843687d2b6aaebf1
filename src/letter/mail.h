/* letter/mail.h -- one mail as bytes (RFC 5322, MIME): pure. */
#ifndef LETTER_MAIL_H
#define LETTER_MAIL_H
#include "base/base.h"
struct arena;

struct mail {
        const char *from, *to;          /* bare addresses */
        const char *subject, *body;     /* UTF-8; line breaks in the subject become blanks */
        int64_t id, date;               /* the message's own; when it was made */
};
/* One address, `local@domain`, without anything that could end a header or begin another one. */
bool mail_address_usable(const char *);
/* Subject by RFC 2047 where it is not ASCII, text in base64 (so no line is too long), Message-ID the same for the same id,
 * Auto-Submitted by RFC 3834.  Lines end with CR LF. */
char *mail_bytes(struct arena *, const struct mail *);
#endif
