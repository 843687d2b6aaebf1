/* base/buf.h -- a growing byte buffer with a mandatory limit that remembers overflow. */
#ifndef BASE_BUF_H
#define BASE_BUF_H
#include "base/base.h"

struct buf {
        char *at;       /* always NUL-terminated once anything was added; owned by the buffer */
        size_t length;
        size_t room;
        size_t limit;   /* bytes; adding beyond it sets `overflow` and adds nothing */
        bool overflow;
};

#define BUF_LIMIT(bytes) ((struct buf){.limit = (bytes)})

void buf_add(struct buf *, const void *, size_t);
void buf_text(struct buf *, const char *);
void buf_byte(struct buf *, char);
void buf_format(struct buf *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_clear(struct buf *);   /* empties it, keeps the memory */
void buf_free(struct buf *);
#endif
