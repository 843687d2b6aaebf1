/* pack/encoding.h -- in which encoding the bytes of a foreign file are, and UTF-8 made of them piece by piece. */
#ifndef PACK_ENCODING_H
#define PACK_ENCODING_H
#include "base/base.h"
struct buf;

enum encoding { ENCODING_NONE, ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE, ENCODING_GB18030 };
const char *encoding_name(enum encoding);               /* "UTF-16LE" */
/* By a name in any case of letters, with or without hyphens; gbk and gb2312 are parts of GB18030.  ENCODING_NONE: unknown. */
enum encoding encoding_named(const char *);
/* The character at p: its bytes; a negative number: that many bytes are no character; 0: more bytes are needed to tell.
 * UTF-8 as in RFC 3629, UTF-16 with paired surrogates, GB18030-2005 with the four-byte forms of Unicode. */
int encoding_step(enum encoding, const unsigned char *p, size_t n, bool last);

/* --- how well bytes fit ---------------------------------------------------------------------------------------------------- */
struct fit {
        enum encoding encoding;         /* to be set before the first bytes; the rest begins as zeros */
        int64_t bytes, lines;           /* lines: a last one without an end counts too */
        int64_t wide, usual;            /* characters beyond ASCII; of these the usual ones (see encoding.c) */
        int64_t faults, fault_at, fault_line;           /* places that are no characters; where the first stands, from 0; its line */
        unsigned char head[8]; size_t n_head;           /* the first bytes */
        int64_t pairs[2], alone[2];     /* [0] UTF-16LE, [1] UTF-16BE: separators with, and without, their zero byte */
        bool torn, sound;               /* of two-byte UTF-8: a word mixes scripts; a word looks like one */
        struct word { int script, letters; bool alnum, loose; } word;   /* this one and the rest: between two calls */
        unsigned char before; bool after_cr, open_line, damaged;
};
/* Looks at the next bytes and gives how many it used: all when they are the last, else up to 3 may be left for the next call. */
size_t fit_add(struct fit *, const void *bytes, size_t n, bool last);

/* Lets all bytes of the file be looked at, from the first, by fit_add().  False: they could not be read. */
typedef bool fit_pass(void *ctx, struct fit *, struct err *);
/* Finds the encoding by the bytes alone, or checks that they are in the `wanted` one (not ENCODING_NONE); *fit is that encoding's.
 * A file in which some characters are damaged still has an encoding.  `name` stands in the sentences.
 * ERR_INVALID: it is in none, or not in the wanted one; says at which byte. */
bool encoding_find(const char *name, enum encoding wanted, fit_pass *, void *ctx, struct fit *, struct err *) MUST_CHECK;
/* Bytes of the byte order mark that a file of this encoding begins with; 0 = none. */
size_t encoding_mark(const struct fit *);

/* --- UTF-8 of it -------------------------------------------------------------------------------------------------------------- */
struct decoder;
struct decoder *decoder_new(enum encoding);
void decoder_free(struct decoder **);
/* Adds the UTF-8 of the whole characters at the front and gives how many bytes they took (see fit_add).  Bytes that are no character
 * become one byte FF, which is never UTF-8, so the text's reader sees where it is damaged; UTF-8 itself stays as it is. */
size_t decoder_add(struct decoder *, const void *bytes, size_t n, bool last, struct buf *out);
/* How many of `bytes` became the first `used` bytes of text (a whole number of characters). */
size_t decoder_back(enum encoding, const void *bytes, size_t n, const char *text, size_t used);
#endif
