/* base/base.h -- what every file needs: error values, attributes, small macros.
 *
 * Errors are values with a kind and a sentence.  A function that can fail returns
 * bool and takes a struct err last; err_set() and err_both() return false, so a
 * failure is one `return err_set(...)`.  Broken invariants assert; out of memory aborts.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Mapped once to HTTP: 400, 403, 404, 409, 503, 500. */
enum err_kind {
        ERR_NONE,
        ERR_INVALID,   /* the input is wrong; the sentence names the field and the mend */
        ERR_DENIED,    /* the actor may not */
        ERR_NOT_FOUND,
        ERR_CONFLICT,  /* the thing is not in a state that allows this */
        ERR_BUSY,      /* try again later: full queue, locked or restarting database, full disk */
        ERR_FAULT      /* our own fault or the machine's */
};

struct err {
        enum err_kind kind;
        char field[64];  /* the input field at fault, dotted ("location.lon"); "" when none */
        char text[400];  /* the sentence, English */
        char zh[400];    /* the same sentence in Chinese; "" when the fault is only for operators */
};

/* Sets kind and the English sentence; clears field and zh.  Its value is false, and checkers that read one file see it. */
#define err_set(...) (err_write(__VA_ARGS__), false)
void err_write(struct err *, enum err_kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A sentence a user reads: both languages take the same arguments in the same order.
 * `field` may be NULL.  Its value is false. */
#define err_both(...) (err_write_both(__VA_ARGS__), false)
void err_write_both(struct err *, enum err_kind, const char *field, const char *en, const char *zh, ...)
        PRINTF_LIKE(4, 6) PRINTF_LIKE(5, 6);

/* Puts "prefix." in front of the field, so that nested checks can name the whole path. */
void err_within(struct err *, const char *prefix);
#endif
