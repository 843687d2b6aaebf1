/* server/serve.h -- one running district: store, district, schedulers, HTTP; and the live event stream. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H
#include "base/base.h"
struct arena;
struct capabilities;
struct route;
struct settings;

/* Reads the settings again from where they came; texts live in the arena. */
struct settings_source {
        bool (*read)(void *ctx, struct arena *, struct settings *, struct err *);
        void *ctx;
};

/* Runs until SIGTERM or SIGINT.  SIGHUP reloads the active pack, settings and certificate: what may change while it serves changes,
 * for the rest the log says that a restart is needed; when the settings cannot be read the old ones stay.
 * Prints `listening on http://ADDRESS:PORT` (https with a certificate) to stdout when ready. */
bool serve(const struct settings *, const struct settings_source *, const struct capabilities *, struct err *) MUST_CHECK;
/* Settings, store, pack and key, without starting anything (`serve -n`). */
bool serve_check(const struct settings *, const struct capabilities *, struct err *) MUST_CHECK;

extern const struct route *const events_routes;         /* GET /api/v1/events, /api/v1/track/{code}/events */
extern const struct route *const return_routes;         /* how often units return cases */
extern const struct route *const timer_routes;          /* timers that wait */
extern const struct route *const page_routes;           /* the embedded console */
#endif
