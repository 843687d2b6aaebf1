/* text/fold.h -- text as the machine reads it: one spelling for what people write in many.
 *
 * Folding: NFKC with case folding (Unicode 15, by ICU), Traditional to Simplified Chinese character by character, white space
 * to one blank, the same mark repeated to one, and no controls, marks of format, private or unassigned characters, emoji.
 * Every folded character knows the bytes it came from, so what was found can be shown in the text as it was written.
 */
#ifndef TEXT_FOLD_H
#define TEXT_FOLD_H
#include "base/base.h"
struct arena;
struct buf;
struct fold;

/* The table of foldings: about 300 KiB, made from ICU in some 50 ms; immutable, for all threads.  ERR_FAULT: ICU lacks its data. */
bool fold_new(struct fold **, struct err *) MUST_CHECK;
void fold_free(struct fold **);         /* sets NULL */

enum { FOLD_MOST = 16384 };             /* characters that are read of a text */
struct folded {
        uint32_t *c;                    /* n code points; never 0 */
        uint32_t *at;                   /* n + 1 byte offsets into the text: character i is made of at[i] .. at[i + 1] */
        size_t n;
        bool cut;                       /* the text goes on behind what was read */
};
/* Well-formed UTF-8 of n bytes (bytes that are none are left out).  The result lives in the arena. */
void fold_text(const struct fold *, struct arena *, const char *text, size_t n, struct folded *);
void fold_write(const struct folded *, size_t from, size_t to, struct buf *);       /* characters from..to-1 as UTF-8 */

/* What a folded character is. */
enum letter { LETTER_NONE, LETTER_HAN, LETTER_DIGIT, LETTER_WORD };     /* marks and blanks; ideographs; 0-9; letters of other scripts */
enum letter letter_kind(uint32_t c);
#endif
