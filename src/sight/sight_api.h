/* sight/sight_api.h -- the sight of who asks over HTTP. */
#ifndef SIGHT_SIGHT_API_H
#define SIGHT_SIGHT_API_H
#include "http/http.h"
#include "sight/sight.h"

/* What the caller may see now, by the active pack; it lives in the request's arena.  NULL: ERR_FAULT, no pack is loaded. */
const struct sight *sight_of(const struct request *, struct err *);
/* Who asks; texts of the request. */
struct viewer sight_viewer(const struct request *);
/* The channel a key without one of its own counts for at the open edges. */
const char *sight_key_channel(const struct request *);
#endif
