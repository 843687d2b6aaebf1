/* json/json.h -- reading JSON into values that live in an arena, and writing JSON that is always well-formed.
 *
 * Reading is strict: UTF-8 only, no NUL (also not as an escape), no trailing bytes, no bare control
 * characters, numbers by the grammar of RFC 8259, at most 32 levels (the writer has 64: what was read
 * can be written again inside something else), no duplicate names.  Writing escapes; no other code may put JSON together.
 */
#ifndef JSON_JSON_H
#define JSON_JSON_H
#include "base/base.h"
#include "base/buf.h"
struct arena;

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };
struct json_value;

/* Fails with ERR_INVALID and a sentence that names the byte where the text stops being JSON.
 * The values live in the arena. */
const struct json_value *json_parse(struct arena *, const char *, size_t n, struct err *) MUST_CHECK;

enum json_kind json_kind(const struct json_value *);                /* NULL counts as JSON_NULL */
const struct json_value *json_get(const struct json_value *object, const char *name);  /* NULL when absent or not an object */
const struct json_value *json_first(const struct json_value *);     /* first element or member; NULL when none */
const struct json_value *json_next(const struct json_value *);
const char *json_name(const struct json_value *);                   /* of a member; NULL otherwise */
size_t json_count(const struct json_value *);
/* The value when the member exists and has that type; else the given one. */
const char *json_get_text(const struct json_value *object, const char *name, const char *otherwise);
double json_get_real(const struct json_value *object, const char *name, double otherwise);
int64_t json_get_int(const struct json_value *object, const char *name, int64_t otherwise);
bool json_get_bool(const struct json_value *object, const char *name, bool otherwise);
const char *json_text_of(const struct json_value *);                /* "" unless JSON_TEXT */
double json_real_of(const struct json_value *);                     /* 0 unless JSON_NUMBER */
bool json_bool_of(const struct json_value *);

/* The writer.  Inside an object every call names its member; inside an array (and at the top)
 * the name is NULL.  Nesting is checked by assert. */
struct json {
        struct buf *out;
        int depth;
        unsigned char first[64];    /* per level: nothing written yet */
};

struct json json_to(struct buf *);
void json_object(struct json *, const char *name);
void json_object_end(struct json *);
void json_array(struct json *, const char *name);
void json_array_end(struct json *);
void json_text(struct json *, const char *name, const char *);      /* NULL is written as null */
void json_int(struct json *, const char *name, int64_t);
void json_real(struct json *, const char *name, double);            /* shortest form that reads back the same; not finite -> null */
void json_bool(struct json *, const char *name, bool);
void json_null(struct json *, const char *name);
void json_time(struct json *, const char *name, int64_t instant);   /* RFC 3339 +08:00; 0 is written as null */
void json_copy(struct json *, const char *name, const struct json_value *);
void json_written(struct json *, const char *name, const char *);   /* a whole value that another writer has written; nothing checks it */
#endif
