/* privacy/inside.h -- the row of a reporter, and records of access.  Inside this folder. */
#ifndef PRIVACY_INSIDE_H
#define PRIVACY_INSIDE_H
#include "privacy/privacy.h"
#include "crypto/seal.h"
struct rows;

enum { FIELDS = 3 };
extern const char *const field_names[FIELDS];   /* name, phone, email */
struct sealed { const unsigned char *bytes; size_t n; };        /* NULL = nothing */
struct sealed_reporter {
        int64_t report;
        int64_t sealed_by;
        struct sealed fields[FIELDS], index;    /* index: of the phone number */
        bool confidential;
};
/* Columns from `first` on: name, phone, email. */
void sealed_fields_read(const struct rows *, struct arena *, int first, struct sealed fields[FIELDS]);
/* NULL stays NULL. */
bool reporter_open(struct arena *, const struct keys *, int64_t report, const struct sealed fields[FIELDS], const char *out[FIELDS],
                   struct err *) MUST_CHECK;
bool reporter_seal_fields(struct arena *, const struct keys *, int64_t report, const char *const texts[FIELDS], struct sealed_reporter *,
                          struct err *) MUST_CHECK;
/* The blind index of a number under each key of the file; false when it is no phone number. */
struct phone_indexes { size_t n; unsigned char at[SEAL_KEYS_MOST][BLIND_SIZE]; };
bool phone_indexes_of(struct arena *, const struct keys *, const char *phone, struct phone_indexes *);
/* Whether every reporter with a phone number has its index. */
bool phones_indexed(struct tx *, bool *all, struct err *) MUST_CHECK;

struct access {
        int64_t id, at, found;
        const char *actor, *role, *unit, *action, *number, *fields, *purpose, *note;    /* NULL = "" */
};
bool access_add(struct tx *, const struct access *, struct err *) MUST_CHECK;
/* ERR_DENIED when that actor has been told of `most` reporters within the last hour. */
bool access_allowed(struct tx *, const char *actor, int most, int64_t now, struct err *) MUST_CHECK;
#endif
