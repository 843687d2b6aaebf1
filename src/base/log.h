/* base/log.h -- one line per event to stderr: time, level, name=value pairs.  No personal data, no secrets. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_least(enum log_level);                  /* any thread, any time */
void log_named(const char *level);               /* the same by name: "debug", "info", "warn", "error"; others change nothing */
/* `event` is a short constant ("store.reconnect"); fmt gives the pairs: "attempt=%d cause=\"%s\"". */
void log_event(enum log_level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);
void log_err(enum log_level, const char *event, const struct err *);
#endif
