/* people/scopes.h -- what an API key with scopes may ask: report, read, events, move, personal, sms.  Inside this folder. */
#ifndef PEOPLE_SCOPES_H
#define PEOPLE_SCOPES_H
#include "base/base.h"

bool scopes_known(const char *list);    /* names separated by '|'; "" is known */
/* list "": all that the role may.  path: as in the route table.  public: everybody may ask it. */
bool scopes_allow(const char *list, const char *method, const char *path, bool public);
#endif
