/* text/tokens.h -- what of a text can be found: its atoms, and the terms of an index over them.  Pure.
 *
 * An atom is one ideograph, or one run of letters and digits.  The terms of a text are each ideograph, each two ideographs that
 * follow each other directly, and each word, every term once.  So a word of two characters is one term, one of four characters
 * implies three, and of what an index finds atoms_find() tells the rest.  Telephone, identity and account numbers and mail addresses
 * that somebody wrote into a text are personal: they are never a term, nor found.
 */
#ifndef TEXT_TOKENS_H
#define TEXT_TOKENS_H
#include "base/base.h"
struct arena;
struct buf;
struct folded;

enum {
        TERM_MOST = 40,         /* characters of a word that its term holds; the rest of a longer one is only compared */
        PERSONAL_DIGITS = 7     /* so many digits in a row are taken for a number of somebody's */
};
struct atom {
        uint32_t from, to;      /* characters of the folded text */
        bool han;
        bool joined;            /* follows the atom before it directly */
        bool personal;
};
struct atoms { const struct folded *text; struct atom *at; size_t n; };
void atoms_of(struct arena *, const struct folded *, struct atoms *);   /* the text must live as long */

/* Where in the text, at atom `from` or behind, the words stand one after the other; SIZE_MAX: nowhere.  What the words join must be
 * joined in the text; between others anything but an atom may stand.  No words, or personal ones, are found nowhere. */
size_t atoms_find(const struct atoms *text, const struct atoms *words, size_t from);

/* Terms without doubles, in the order of their bytes once terms_sort() was called. */
struct terms { struct arena *arena; const char **at; size_t n, room; };
void terms_add(struct terms *, const struct atoms *);
void terms_put(struct terms *, const char *term);       /* one more, kept by pointer */
void terms_sort(struct terms *);
/* The least terms that a text has in which these words are found: every two joined ideographs, single ones without such a neighbour,
 * words.  exact: a text with these terms has the words for sure. */
void terms_needed(struct terms *, const struct atoms *words, bool *exact);
#endif
