/* server/serve.h -- one running district: store, district, schedulers, HTTP; and the live event stream. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H
#include "base/base.h"
struct capabilities;
struct route;
struct settings;

/* Runs until SIGTERM or SIGINT; SIGHUP reloads the active pack.  Prints `listening on http://ADDRESS:PORT` to stdout when ready. */
bool serve(const struct settings *, const struct capabilities *, struct err *) MUST_CHECK;
/* Settings, store, pack and key, without starting anything (`serve -n`). */
bool serve_check(const struct settings *, const struct capabilities *, struct err *) MUST_CHECK;

extern const struct route *const events_routes;         /* GET /api/v1/events, /api/v1/track/{code}/events */
extern const struct route *const page_routes;           /* the embedded console */
#endif
