/* privacy/mask.h -- what of a person is shown without a purpose; and the one form of a phone number.  Pure. */
#ifndef PRIVACY_MASK_H
#define PRIVACY_MASK_H
#include "base/base.h"
struct arena;

/* NULL stays NULL; texts live in the arena.  None shows more than half of what it masks, nor how long a name is.
 * "李小明" -> "李*"; "13900000001" -> "139****0001"; shorter numbers show their last two; "li@example.org" -> "l***@example.org". */
char *mask_name(struct arena *, const char *);
char *mask_phone(struct arena *, const char *);
char *mask_email(struct arena *, const char *);

enum { PHONE_DIGITS_LEAST = 5, PHONE_DIGITS_MOST = 20 };
/* Digits only, also of full-width ones, without China's country code; so that "+86 139-0000-0001" and "１３９０００００００１" are the
 * same number.  NULL: fewer than 5 or more than 20 digits. */
char *phone_normal(struct arena *, const char *);
#endif
