/* media/media.h -- pictures that come with reports: files below DATA/media, named by the SHA-256 of their bytes.
 *
 * The same picture twice is one file.  A file is there whole or not at all: it is written under another name, made durable, and
 * only then gets its own.  What is recognised by its first bytes as JPEG, PNG, WebP or GIF is taken, and nothing else, whatever
 * the sender calls it; the bytes are never changed.  Staff see them as they came; others get a copy without metadata, made on the way.
 */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H
#include "base/base.h"
struct arena;
struct route;

enum { MEDIA_HASH_SIZE = 65, MEDIA_BYTES_MOST = 10 << 20 };
struct media {
        char hash[MEDIA_HASH_SIZE];     /* SHA-256, lower-case hexadecimal */
        const char *type;               /* "image/jpeg", "image/png", "image/webp" or "image/gif" */
        size_t n;                       /* bytes */
        bool has_point; double lon, lat;        /* where and when it was taken, as it says itself (media/picture.h) */
        int64_t taken;
};
/* Where pictures are kept, and who examines them before that (media/scan.h); scan NULL: nobody.  What is infected goes to
 * DATA/quarantine and is refused. */
struct media_place { const char *data, *scan; int scan_seconds; };

/* By the first bytes; NULL when it is none of the four. */
const char *media_type(const void *bytes, size_t n);
/* Type, size and hash, without keeping anything.  ERR_INVALID: empty, over 10 MiB, or no picture. */
bool media_check(const void *bytes, size_t n, struct media *, struct err *) MUST_CHECK;
/* Keeps what media_check() has passed; durable when it returns true.  ERR_INVALID: a virus was found; ERR_BUSY: the disk is full, or the
 * scanner does not answer. */
bool media_keep(const struct media_place *, const void *bytes, const struct media *, struct err *) MUST_CHECK;
/* The bytes of that hash, in the arena.  ERR_NOT_FOUND: none, or no hash at all; ERR_FAULT: the file was altered. */
bool media_read(struct arena *, const char *data, const char *hash, char **bytes, size_t *n, struct err *) MUST_CHECK;

/* Every picture of FROM/media that is not in TO/media yet, read whole first; TO must be there.  A damaged one is logged, counted and left
 * out. */
struct media_copied { int64_t copied, there, damaged; };
bool media_copy(const char *from, const char *to, struct media_copied *, struct err *) MUST_CHECK;

extern const struct route *const media_routes;  /* GET /api/v1/media/{hash} */
#endif
