/* search/query.h -- what somebody types to search: words, phrases, what is left out, and fields.  Pure.
 *
 *   噪音 施工          both words
 *   "street light"     one after the other, also with a blank between
 *   -垃圾              not this word
 *   unit:city item:0201 state:closed area:990101  (单位: 事项: 状态: 区域:)    fields, as the parameters of the same name
 *
 * A word of Chinese is found wherever it stands in a text; one of other scripts only whole.
 */
#ifndef SEARCH_QUERY_H
#define SEARCH_QUERY_H
#include "text/tokens.h"
struct fold;

enum { PHRASES_MOST = 12, PHRASE_ATOMS_MOST = 64 };
struct phrase {
        struct atoms words;
        bool without;           /* it must not be there */
        bool number;            /* the number of a case: only the case of that number has it */
        bool exact;             /* the index alone tells whether it is there */
        struct terms needed;    /* of the index */
};
struct asked {                  /* texts are the arena's */
        struct phrase at[PHRASES_MOST]; size_t n;
        const char *unit, *item, *state, *area;         /* NULL = unsaid */
        bool exact;             /* all phrases are */
};
/* text: well-formed UTF-8.  ERR_INVALID names the field "q", in both languages: nothing to look for, a quotation mark that is not closed,
 * an unknown field, one that is said twice, too many words, a telephone number. */
bool asked_parse(const struct fold *, struct arena *, const char *text, struct asked *, struct err *) MUST_CHECK;

/* The term under which a case is found by its number: "_n" and the folded number; NULL when it has no letter and no digit. */
const char *number_term(struct arena *, const struct atoms *number);
#endif
