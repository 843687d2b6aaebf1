/* base/text.h -- UTF-8 text: checking, trimming, parsing numbers strictly. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include "base/base.h"
struct arena;

/* Byte offset of the first byte that is not well-formed UTF-8 (RFC 3629: no surrogates,
 * no overlong forms, at most U+10FFFF) or of a NUL; n when all is well. */
size_t text_utf8_fault(const char *, size_t n);
/* Drops in place what is not well-formed UTF-8, as a cut leaves it (printf's %.40s, a full buffer).  Returns text. */
char *text_mend(char *text);
size_t text_characters(const char *);                      /* code points of well-formed UTF-8 */
bool text_is(const char *a, const char *b);                /* equal; NULL equals only NULL */
bool text_empty(const char *);                             /* NULL or "" */
bool text_starts(const char *text, const char *prefix);
char *text_trim(struct arena *, const char *);             /* without white space (also U+3000) at both ends */
char *text_upper(struct arena *, const char *);          /* a-z become A-Z, all else stays */
bool text_to_int(const char *, int64_t *out) MUST_CHECK;   /* the whole text, decimal, in range */
bool text_to_real(const char *, double *out) MUST_CHECK;   /* the whole text, finite, '.' whatever the locale */

/* How many bytes must be changed, added or left out to make one name of the other (Levenshtein); SIZE_MAX when one is longer
 * than 120 bytes. */
size_t text_distance(const char *, const char *);

/* %XX decoded, and '+' as a blank when wanted; NULL: a broken escape, a NUL or bytes that are not UTF-8. */
char *text_unescape(struct arena *, const char *, size_t n, bool plus_is_blank);

/* Splits at each `separator`; pieces are trimmed; an empty text has no pieces. */
size_t text_split(struct arena *, const char *, char separator, char ***pieces);
#endif
