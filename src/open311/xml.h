/* open311/xml.h -- a writer of XML 1.0 documents that are always well-formed.
 *
 * Any UTF-8 text may go in: markup is escaped, a carriage return is written as a reference (a parser would turn it into a line
 * feed), and what XML 1.0 cannot hold (control characters, U+FFFE, U+FFFF; section 2.2, Char) becomes U+FFFD.
 */
#ifndef OPEN311_XML_H
#define OPEN311_XML_H
#include "base/base.h"
#include "base/buf.h"

enum { XML_DEEPEST = 16 };
struct xml {
        struct buf *out;
        const char *open[XML_DEEPEST];  /* names of the elements that are open; they must live as long as they are */
        int depth;
};

struct xml xml_to(struct buf *);                                /* writes the declaration */
void xml_open(struct xml *, const char *name);                  /* name: letters, digits and _ */
void xml_close(struct xml *);
void xml_text(struct xml *, const char *name, const char *);    /* one element; NULL and "" make it empty */
#endif
