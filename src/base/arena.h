/* base/arena.h -- memory that lives as long as one request or job and is freed at once.
 *
 * Not safe for use by two threads at the same time.  Out of memory aborts the program.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "base/base.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena **);   /* runs the deferred calls in reverse order; sets NULL */
void arena_reset(struct arena *);   /* as freed and new again, but keeps the first block */

/* Zeroed, aligned for any type.  size 0 gives a valid unique pointer. */
void *arena_alloc(struct arena *, size_t size);
char *arena_copy(struct arena *, const void *bytes, size_t n);  /* adds a NUL after the copy */
char *arena_text(struct arena *, const char *);                 /* NULL stays NULL */
char *arena_format(struct arena *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void arena_defer(struct arena *, void (*release)(void *), void *thing);

#define NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define NEW_ARRAY(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(n)))
#endif
