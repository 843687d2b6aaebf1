/* base/log.c -- see log.h.  One write() a line, so that lines of several threads never mix. */
#include "base/log.h"
#include "base/clock.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic int least = LOG_INFO;

void log_least(enum log_level level)
{
        atomic_store(&least, (int)level);
}

static const char *const names[] = {[LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

void log_named(const char *level)
{
        for (size_t i = 0; i < COUNT_OF(names); i++)
                if (strcmp(names[i], level) == 0)
                        log_least((enum log_level)i);
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
        char line[2048], time[TIME_TEXT_SIZE];
        if ((int)level < atomic_load(&least))
                return;
        int n = snprintf(line, sizeof line - 1, "%s %s %s ", time_text(time, clock_now(), ZONE_SHANGHAI), names[level], event);
        va_list args;
        va_start(args, fmt);
        int more = vsnprintf(line + n, sizeof line - 1 - (size_t)n, fmt, args);
        va_end(args);
        size_t length = (size_t)n + (more < 0 ? 0 : (size_t)more);
        if (length > sizeof line - 2)
                length = sizeof line - 2;
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)line[i] < ' ')
                        line[i] = ' '; /* no foreign line breaks in the log */
        line[length++] = '\n';
        ssize_t written = write(STDERR_FILENO, line, length);
        (void)written;
}

void log_err(enum log_level level, const char *event, const struct err *e)
{
        static const char *const kinds[] = {"none", "invalid", "denied", "not_found", "conflict", "busy", "fault"};
        log_event(level, event, "kind=%s field=\"%s\" cause=\"%s\"", kinds[e->kind], e->field, e->text);
}
