/* base/log.c -- see log.h.  One write() a line, so that lines of several threads never mix. */
#include "base/log.h"
#include "base/clock.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* How the process logs, and for whom this thread works. */
static _Atomic int least = LOG_INFO;
static _Atomic int form = LOG_LOGFMT;
static atomic_bool journal;
static atomic_llong lost;
static _Thread_local const char *request;

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char priorities[] = "7643"; /* syslog's debug, info, warning, error */

void log_least(enum log_level level)
{
        atomic_store(&least, (int)level);
}

void log_named(const char *level)
{
        for (size_t i = 0; i < COUNT_OF(level_names); i++)
                if (strcmp(level_names[i], level) == 0)
                        log_least((enum log_level)i);
}

/* systemd names the device and inode of the stream it gave us: sd-daemon(3). */
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        struct stat is;
        char own[64];
        if (!stream || fstat(STDERR_FILENO, &is) != 0)
                return false;
        (void)snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)is.st_dev, (unsigned long long)is.st_ino);
        return strcmp(stream, own) == 0;
}

void log_setup(enum log_format format)
{
        atomic_store(&form, (int)format);
        atomic_store(&journal, stderr_is_journal());
}

const char *log_request(const char *id)
{
        const char *before = request;
        request = id;
        return before;
}

const char *log_request_now(void)
{
        return request;
}

int64_t log_lost(void)
{
        return atomic_load(&lost);
}

/* --- a line being put together: what does not fit is left out --------------------------------------------------------------- */
struct line {
        char *at;
        size_t n, room; /* room: without the end */
        bool json;
};

static void put(struct line *l, const char *text, size_t n)
{
        if (n > l->room - l->n)
                n = l->room - l->n;
        memcpy(l->at + l->n, text, n);
        l->n += n;
}

static void put_text(struct line *l, const char *text)
{
        put(l, text, strlen(text));
}

/* In quotes; both forms take the same escapes. */
static void put_quoted(struct line *l, const char *text)
{
        char escaped[8];
        put(l, "\"", 1);
        for (const char *c = text; *c; c++) {
                if (*c == '"' || *c == '\\') {
                        put(l, "\\", 1);
                        put(l, c, 1);
                } else if ((unsigned char)*c < ' ') {
                        (void)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)*c);
                        put_text(l, escaped);
                } else {
                        put(l, c, 1);
                }
        }
        put(l, "\"", 1);
}

static void put_pair(struct line *l, const char *name, size_t name_n, const char *value, bool number)
{
        if (l->json) {
                put(l, ",\"", 2);
                put(l, name, name_n);
                put(l, "\":", 2);
        } else {
                put(l, " ", 1);
                put(l, name, name_n);
                put(l, "=", 1);
        }
        bool plain = number;
        if (!l->json && !number) {
                plain = *value != '\0';
                for (const char *c = value; *c; c++)
                        plain = plain && (unsigned char)*c > ' ' && *c != '"' && *c != '=' && *c != '\\';
        }
        if (plain)
                put_text(l, value);
        else
                put_quoted(l, value);
}

/* --- pairs --------------------------------------------------------------------------------------------------------------- */
struct spec {
        char text[16]; /* "%.40s"; integers all as "%08lld" */
        int longs;     /* l, ll */
        bool size, star;
        char kind;
};

static const char *read_spec(const char *c, struct spec *s)
{
        size_t n = 1;
        *s = (struct spec){.text = "%"};
        for (c++; *c && n < sizeof s->text - 4; c++) {
                s->longs += *c == 'l';
                s->size |= *c == 'z';
                s->star |= *c == '*';
                if (strchr("dux", *c)) {
                        s->text[n++] = 'l';
                        s->text[n++] = 'l';
                }
                if (*c != 'l' && *c != 'z')
                        s->text[n++] = *c;
                if (strchr("sduxf", *c)) {
                        s->kind = *c++;
                        break;
                }
        }
        return c;
}

/* The types follow from the conversion, as the compiler has checked at the call.  clang-tidy does not follow a va_list into another
 * function, and sees no difference between types. */
// NOLINTBEGIN(clang-analyzer-valist.Uninitialized, bugprone-branch-clone)
static long long integer(const struct spec *s, va_list *args)
{
        if (s->size)
                return (long long)va_arg(*args, size_t);
        if (s->longs == 2)
                return va_arg(*args, long long);
        if (s->longs == 1)
                return va_arg(*args, long);
        return s->kind == 'd' ? va_arg(*args, int) : (long long)va_arg(*args, unsigned);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void format_one(const struct spec *s, va_list *args, char *out, size_t room)
{
        const int width = s->star ? va_arg(*args, int) : 0;
        if (s->kind == 's' && s->star)
                (void)snprintf(out, room, s->text, width, va_arg(*args, const char *));
        else if (s->kind == 's')
                (void)snprintf(out, room, s->text, va_arg(*args, const char *));
        else if (s->kind == 'f')
                (void)snprintf(out, room, s->text, va_arg(*args, double));
        else if (s->kind)
                (void)snprintf(out, room, s->text, integer(s, args));
        else
                assert(!"a conversion the log does not know");
}
#pragma GCC diagnostic pop
// NOLINTEND(clang-analyzer-valist.Uninitialized, bugprone-branch-clone)

/* One value, up to the next space outside of quotes. */
static const char *read_value(const char *c, va_list *args, char *value, size_t room, bool *number)
{
        size_t n = 0;
        struct spec s;
        const bool quoted = *c == '"';
        int parts = 0;
        c += quoted;
        *number = false;
        for (; *c && *c != (quoted ? '"' : ' '); parts++) {
                if (*c == '%') {
                        c = read_spec(c, &s);
                        format_one(&s, args, value + n, room - n);
                        n += strlen(value + n);
                        *number = parts == 0 && !quoted && (s.kind == 'd' || s.kind == 'u' || s.kind == 'f');
                } else {
                        if (n + 1 < room)
                                value[n++] = *c;
                        c++;
                }
        }
        *number = *number && parts == 1;
        value[n] = '\0';
        (void)text_mend(value);
        return c + (quoted && *c);
}

static void put_pairs(struct line *l, const char *fmt, va_list *args)
{
        char value[1024];
        bool number;
        for (const char *c = fmt; *c;) {
                const char *name = c;
                const size_t n = strcspn(c, "= ");
                c += n;
                if (*c != '=') {
                        c += *c == ' ';
                        continue;
                }
                c = read_value(c + 1, args, value, sizeof value, &number);
                put_pair(l, name, n, value, number);
        }
}

/* `head`: what stands before the event. */
static size_t make_line(char *out, enum log_format format, const char *time, enum log_level level, const char *event,
                        const char *of, const char *fmt, va_list *args)
{
        /* Behind the last pair there is always room for the end. */
        struct line l = {.at = out, .room = LOG_LINE - 8, .json = format == LOG_JSON};
        put_text(&l, l.json ? "{" : "");
        if (l.json && time) {
                put_text(&l, "\"time\":\"");
                put_text(&l, time);
                put_text(&l, "\",");
        } else if (time) {
                put_text(&l, time);
                put_text(&l, " ");
        }
        put_text(&l, l.json ? "\"level\":\"" : "");
        put_text(&l, level_names[level]);
        put_text(&l, l.json ? "\",\"event\":\"" : " ");
        put_text(&l, event);
        put_text(&l, l.json ? "\"" : "");
        if (of)
                put_pair(&l, "request", strlen("request"), of, false);
        const size_t before = l.n;
        put_pairs(&l, fmt, args);
        if (l.n == l.room) { /* cut: the pairs would be broken off within */
                l.n = before;
                put_pair(&l, "cut", strlen("cut"), "yes", false);
        }
        l.room += 7;
        put_text(&l, l.json ? "}" : "");
        out[l.n] = '\0';
        return l.n;
}

size_t log_line(char out[LOG_LINE], enum log_format format, enum log_level level, const char *event, const char *of,
                const char *fmt, ...)
{
        va_list args;
        va_start(args, fmt);
        const size_t n = make_line(out, format, NULL, level, event, of, fmt, &args);
        va_end(args);
        return n;
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
        char line[LOG_LINE + 8], time[TIME_TEXT_SIZE];
        size_t head = 0;
        if ((int)level < atomic_load(&least))
                return;
        if (atomic_load(&journal))
                head = (size_t)snprintf(line, 8, "<%c>", priorities[level]);
        va_list args;
        va_start(args, fmt);
        const enum log_format format = (enum log_format)atomic_load(&form);
        size_t n = make_line(line + head, format, time_text(time, clock_now(), ZONE_SHANGHAI), level, event, request, fmt, &args);
        va_end(args);
        line[head + n++] = '\n';
        if (write(STDERR_FILENO, line, head + n) != (ssize_t)(head + n))
                (void)atomic_fetch_add(&lost, 1);
}

void log_err(enum log_level level, const char *event, const struct err *e)
{
        static const char *const kinds[] = {"none", "invalid", "denied", "not_found", "conflict", "busy", "fault"};
        log_event(level, event, "kind=%s field=\"%s\" cause=\"%s\"", kinds[e->kind], e->field, e->text);
}
