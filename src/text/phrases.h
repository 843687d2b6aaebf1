/* text/phrases.h -- two things a reader sees at once: which words every message has, and which place or body it names.
 *
 * Both go by short tables of Chinese and English words in the folded spelling; no dictionary of places is needed.
 */
#ifndef TEXT_PHRASES_H
#define TEXT_PHRASES_H
#include "base/base.h"
struct arena;
struct folded;
struct rare;

/* For each folded character: it belongs to a greeting, a request or another word that says nothing about the matter. */
bool *usual_words(const struct folded *, struct arena *);

/* "东升路", "丽景花园", "b2区", "第二中学": a word for a kind of place or body with what stands before it. */
struct place_phrase {
        uint32_t from, to;      /* folded characters */
        uint32_t hash;          /* of the two units before the word and the word: the same however long the name was cut */
};
/* In order of the text; the same place may come again.  The array lives in the arena. */
size_t place_phrases(const struct folded *, struct arena *, struct place_phrase **out);

/* Teaches the table of what is common (text/shingles.h) the shingles and places of one text. */
void rare_learn_text(struct rare *, const struct folded *);
#endif
