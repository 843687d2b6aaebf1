/* form/form.h -- bodies of forms: application/x-www-form-urlencoded (WHATWG URL, 5.1) and multipart/form-data (RFC 7578).
 *
 * Pure: bytes in, fields and files out, in their order; names may repeat.  Every text is checked UTF-8 without NUL.
 */
#ifndef FORM_FORM_H
#define FORM_FORM_H
#include "base/base.h"
struct arena;

struct form_field { const char *name, *value; };
struct form_file { const char *name, *filename, *type; const char *bytes; size_t n; };      /* type as said by the sender; "" unsaid */
struct form {
        struct form_field *fields; size_t n_fields;
        struct form_file *files; size_t n_files;
};

bool form_is(const char *type);                         /* whether the Content-Type is that of a form; NULL is none */
/* ERR_INVALID: broken escapes or parts, not UTF-8, NUL, more than 256 fields or 16 files.  Texts live in the arena; the files' bytes
 * are the body's own. */
bool form_parse(struct arena *, const char *type, const char *bytes, size_t n, struct form *, struct err *) MUST_CHECK;
const char *form_value(const struct form *, const char *name);          /* of the first field of that name; NULL when absent, or no form */
#endif
