/* json/shape.h -- the shape of a JSON value as a const table: checks input, and becomes the schema in the OpenAPI page. */
#ifndef JSON_SHAPE_H
#define JSON_SHAPE_H
#include "json/json.h"

enum shape_type { SHAPE_TEXT = 1, SHAPE_INT, SHAPE_REAL, SHAPE_BOOL, SHAPE_TIME, SHAPE_OBJECT, SHAPE_ARRAY, SHAPE_ANY };

/* A table of these ends with {0}. */
struct shape {
        const char *name;               /* member name; for the one element shape of an array NULL is allowed */
        enum shape_type type;
        bool required;                  /* input: must be there and not null.  answer: always there */
        bool nullable;                  /* answer: may be null */
        double least, most;             /* TEXT: characters; INT, REAL: value; ARRAY: elements.  0,0 = free (TEXT then at most 200) */
        const char *const *choices;     /* TEXT: the allowed values, ended by NULL */
        const struct shape *fields;     /* OBJECT: members; ARRAY: one entry, the element */
        bool open;                      /* OBJECT: members that are not named are allowed */
        const char *about;              /* one English sentence for the API page */
};

/* Checks an object against its members.  Unknown members are refused with the nearest known name.
 * ERR_INVALID names the field by its dotted path and says what is expected. */
bool shape_check(const struct json_value *, const struct shape *fields, struct err *) MUST_CHECK;

/* Writes the JSON Schema (2020-12) of an object with these members. */
void shape_schema(const struct shape *fields, struct json *, const char *name);
#endif
