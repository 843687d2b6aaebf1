/* base/log.h -- one line per event to stderr: time, level, event, request, name=value pairs; or the same as JSON.
 *
 * doc/operations.md lists every event.  No personal data, no secrets: only what the pairs name.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_least(enum log_level);                  /* any thread, any time */
void log_named(const char *level);               /* the same by name: "debug", "info", "warn", "error"; others change nothing */
/* Set once at start, before threads.  When stderr goes to systemd's journal, each line begins with its priority, <3> to <7>. */
void log_setup(enum log_format);
/* `event` is a short constant ("store.reconnect"); fmt gives the pairs: "attempt=%d cause=\"%s\"".  A value is what stands between
 * `=` and the next space, or in quotes; conversions: %s %.Ns %.*s, and %d %u %x %f with l, ll or z. */
void log_event(enum log_level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);
void log_err(enum log_level, const char *event, const struct err *);

/* The request this thread works for: its id goes into every line.  NULL = none.  The text must live until it is set anew.  Returns
 * what was set before. */
const char *log_request(const char *id);
const char *log_request_now(void);
int64_t log_lost(void);         /* lines that could not be written since the start */

/* --- for tests ---------------------------------------------------------------------------------------------------------- */
enum { LOG_LINE = 4096 };
/* The line without time, `of` a request or NULL; returns its length without the NUL. */
size_t log_line(char out[LOG_LINE], enum log_format, enum log_level, const char *event, const char *of, const char *fmt, ...)
        PRINTF_LIKE(6, 7);
#endif
