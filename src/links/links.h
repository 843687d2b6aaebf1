/* links/links.h -- cases that belong together (并案, 拆分): merged into another, each reporter still answered; or split off. */
#ifndef LINKS_LINKS_H
#define LINKS_LINKS_H
#include "base/base.h"
struct case_part;
struct vocabulary;

extern const struct vocabulary link_words;
extern const struct case_part links_part;       /* "links" of a case's answer */
#endif
