/* notify/contact.h -- the reporter's addresses.  They stay sealed in intake's table; a message holds only a keyed digest.  Inside this
 * folder. */
#ifndef NOTIFY_CONTACT_H
#define NOTIFY_CONTACT_H
#include "letter/texts.h"
struct district;
struct rows;
struct tx;

/* As they stand in the row; NULL = none. */
struct contact { int64_t report; const void *phone, *email; size_t phone_n, email_n; bool confidential; };
/* found false: nobody is known for the report. */
bool contact_read(struct tx *, struct arena *, int64_t report, struct contact *, bool *found, struct err *) MUST_CHECK;
/* The address as SMS or mail need it; NULL: the reporter cannot be reached so (none, unusable, or it does not open). */
const char *contact_address(struct arena *, const struct district *, const struct contact *, enum medium);
/* Keyed digest of an address, hexadecimal: the same for the same address, worth nothing without the district's key. */
const char *contact_digest(struct arena *, const struct district *, const char *address);
/* For staff: "*******8000", "z***@example.org". */
const char *contact_masked(struct arena *, const char *address);
#endif
