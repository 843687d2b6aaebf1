/* people/passwords.h -- which passwords are refused.  Inside this folder and its test. */
#ifndef PEOPLE_PASSWORDS_H
#define PEOPLE_PASSWORDS_H
#include "base/base.h"

/* ERR_INVALID says why not: 10 to 200 characters, not with the login in it (from 3 letters on), none of the most common ones or rows of
 * keys (a short list of our own), at least 5 different characters.  What a password is composed of is not prescribed (NIST SP 800-63B). */
bool password_allowed(const char *login, const char *password, struct err *);
#endif
