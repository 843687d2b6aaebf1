/* letter/texts.h -- the texts of notices: a closed list of holes, checked when a pack is loaded, filled when something is told.
 * Pure.  `{name}` is a hole, `{{` a brace.
 */
#ifndef LETTER_TEXTS_H
#define LETTER_TEXTS_H
#include "base/base.h"
struct arena;

struct hole { const char *name, *about; };
/* The closed list; ends with a NULL name.  doc/notify.md documents each (a test compares). */
extern const struct hole text_holes[];

enum medium { MEDIUM_SMS, MEDIUM_MAIL, MEDIUM_WEB, MEDIUM_WEBHOOK, MEDIA };     /* how a message travels */
const char *medium_name(enum medium);
enum { SMS_TEXT_MOST = 300, SMS_VALUE_MOST = 60 };      /* characters: of an SMS text with its holes, of a value in it */
enum { TEXT_MOST = 64 << 10 };                          /* bytes of a filled text */

/* A fault of a pack's text: its line, and the sentence in both languages. */
struct text_fault { int line; char en[200], zh[200]; };
/* The next fault at or behind byte *at, which is moved on; false when there is none. */
bool text_fault_next(const char *text, size_t n, size_t *at, struct text_fault *) MUST_CHECK;
/* A mail's text is `Subject: ...`, an empty line, the letter.  False: it is not. */
bool mail_text_split(struct arena *, const char *text, const char **subject, const char **body);

/* One value of a hole.  value NULL: there is none, and the line that asks for it is left out.  ours: made by us, put in as it is; of
 * others control characters are dropped but for line breaks, and with value_most > 0 they are cut to so many characters, "…" behind,
 * on one line. */
struct fill { const char *name, *value; bool ours; };
/* Fills the holes; names that are not among `values` (ends with a NULL name) stay as they are. */
char *text_fill(struct arena *, const char *text, const struct fill *values, size_t value_most);
bool text_has(const char *text, const char *hole);

/* Stands for the call-back link in a stored message; the link itself is put in when it is sent. */
#define LINK_MARK "\x1a"
/* The text with every LINK_MARK replaced. */
char *text_link(struct arena *, const char *text, const char *link);
#endif
