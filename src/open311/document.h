/* open311/document.h -- one document, written as JSON or as XML by the same calls.
 *
 * The standard's two forms differ in few things, which are known here only: JSON lists are bare arrays where XML has a root and an
 * element for each entry; JSON has types and null where XML has texts and empty elements.
 */
#ifndef OPEN311_DOCUMENT_H
#define OPEN311_DOCUMENT_H
#include "json/json.h"
#include "open311/xml.h"

struct document {
        bool xml;
        struct json json;
        struct xml x;
        const char *entry[XML_DEEPEST]; /* by depth: the name of an array's entries; NULL inside an object */
        int depth;
};

struct document document_to(struct buf *, bool xml);
/* name: of the member; at the top, of XML's root.  entry: the name of each entry in XML. */
void doc_array(struct document *, const char *name, const char *entry);
void doc_array_end(struct document *);
void doc_object(struct document *, const char *name);           /* name NULL: an entry of the array that is open */
void doc_object_end(struct document *);
void doc_text(struct document *, const char *name, const char *);       /* NULL: absent.  name NULL: an entry of the array */
void doc_int(struct document *, const char *name, int64_t);
void doc_real(struct document *, const char *name, double);
void doc_bool(struct document *, const char *name, bool);
void doc_time(struct document *, const char *name, int64_t instant);    /* whole seconds, +08:00; 0: absent */
#endif
