/* base/buf.c -- see buf.h. */
#include "base/buf.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool make_room(struct buf *b, size_t more)
{
        if (b->overflow || more > b->limit || b->length > b->limit - more) {
                b->overflow = true;
                return false;
        }
        size_t wanted = b->length + more + 1;
        if (wanted <= b->room)
                return true;
        size_t room = b->room ? b->room : 256;
        while (room < wanted)
                room *= 2;
        char *at = realloc(b->at, room);
        if (!at)
                abort();
        b->at = at;
        b->room = room;
        return true;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
        if (!make_room(b, n))
                return;
        if (n)
                memcpy(b->at + b->length, bytes, n);
        b->length += n;
        b->at[b->length] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
        buf_add(b, text, strlen(text));
}

void buf_byte(struct buf *b, char c)
{
        if (b->length + 1 < b->room && b->length < b->limit && !b->overflow) {
                b->at[b->length++] = c;
                b->at[b->length] = '\0';
                return;
        }
        buf_add(b, &c, 1);
}

void buf_format(struct buf *b, const char *fmt, ...)
{
        va_list args, again;
        va_start(args, fmt);
        va_copy(again, args);
        int n = vsnprintf(NULL, 0, fmt, args);
        va_end(args);
        if (n < 0)
                abort();
        if (make_room(b, (size_t)n)) {
                (void)vsnprintf(b->at + b->length, (size_t)n + 1, fmt, again);
                b->length += (size_t)n;
        }
        va_end(again);
}

void buf_clear(struct buf *b)
{
        b->length = 0;
        b->overflow = false;
        if (b->at)
                b->at[0] = '\0';
}

void buf_free(struct buf *b)
{
        free(b->at);
        *b = (struct buf){.limit = b->limit};
}
