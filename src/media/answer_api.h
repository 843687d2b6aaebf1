/* media/answer_api.h -- a picture as the answer to a request; whether the caller may see it was decided before. */
#ifndef MEDIA_ANSWER_API_H
#define MEDIA_ANSWER_API_H
#include "http/http.h"

/* whole: as it came, for staff; else without what the camera wrote beside it.  ERR_NOT_FOUND: there is no such file, or it is not whole
 * enough for a copy. */
bool media_answer(const struct request *, struct reply *, const char *hash, bool whole, struct err *) MUST_CHECK;
#endif
