/* base/err.c -- see base.h. */
#include "base/base.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>

void err_write(struct err *e, enum err_kind kind, const char *fmt, ...)
{
        va_list args;
        e->kind = kind;
        e->field[0] = e->zh[0] = '\0';
        va_start(args, fmt);
        (void)vsnprintf(e->text, sizeof e->text, fmt, args);
        va_end(args);
        (void)text_mend(e->text);
}

void err_write_both(struct err *e, enum err_kind kind, const char *field, const char *en, const char *zh, ...)
{
        va_list args, again;
        e->kind = kind;
        (void)snprintf(e->field, sizeof e->field, "%s", field ? field : "");
        va_start(args, zh);
        va_copy(again, args);
        (void)vsnprintf(e->text, sizeof e->text, en, args);
        (void)vsnprintf(e->zh, sizeof e->zh, zh, again);
        va_end(again);
        va_end(args);
        (void)text_mend(e->field);
        (void)text_mend(e->text);
        (void)text_mend(e->zh);
}

void err_within(struct err *e, const char *prefix)
{
        char field[sizeof e->field];
        (void)snprintf(field, sizeof field, "%.30s%s%.30s", prefix, e->field[0] ? "." : "", e->field);
        memcpy(e->field, text_mend(field), sizeof field);
}
