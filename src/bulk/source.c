/* bulk/source.c -- see inside.h: a foreign file as UTF-8 text, of which only a window of a few MiB is in memory. */
#include "bulk/inside.h"
#include "crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The window holds a row of the longest kind and what is read at a time, each at its largest in UTF-8 (1 byte of UTF-16's 2 becomes
 * 1.5) or as it stands (2 bytes of UTF-16 are 1 of UTF-8). */
enum { READ_BYTES = 1 << 20, WINDOW_BYTES = 8 << 20 };

struct source {
        const char *file;
        int fd;
        struct stat seen; /* as it was when it was opened */
        struct fit fit;
        struct decoder *decoder;
        unsigned char sha256[SHA256_SIZE];
        int64_t offset;       /* in the file, of raw.at[0] */
        struct buf raw, text; /* text is what the first `decoded` bytes of raw became; UTF-8 needs only raw */
        size_t decoded;
};

static bool cannot_read(const struct source *s, int why, struct err *e)
{
        return err_both(e, ERR_NOT_FOUND, NULL, "%s cannot be read: %s", "无法读取 %s：%s", s->file, strerror(why));
}

static bool open_file(struct source *s, struct err *e)
{
        s->fd = open(s->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (s->fd < 0 || fstat(s->fd, &s->seen) != 0)
                return cannot_read(s, errno, e);
        return (S_ISREG(s->seen.st_mode) && s->seen.st_size > 0)
               || err_both(e, ERR_INVALID, NULL, "%s is empty or no file", "%s 为空或不是文件", s->file);
}

/* Both times to the nanosecond: who writes within the same one and keeps the size is not seen. */
static bool unchanged(const struct source *s, struct err *e)
{
        struct stat now;
        const bool same = fstat(s->fd, &now) == 0 && now.st_size == s->seen.st_size && now.st_mtim.tv_sec == s->seen.st_mtim.tv_sec
                          && now.st_mtim.tv_nsec == s->seen.st_mtim.tv_nsec;
        return same
               || err_both(e, ERR_CONFLICT, NULL,
                           "%s has changed while it was read; what was stored stays: import the file as it is now once more",
                           "读取过程中 %s 发生变化；已登记的保留，请重新导入该文件", s->file);
}

/* At most n bytes from `offset`; fewer only at the end. */
static bool read_at(const struct source *s, int64_t offset, char *to, size_t n, size_t *got, struct err *e)
{
        for (*got = 0; *got < n;) {
                const ssize_t k = pread(s->fd, to + *got, n - *got, (off_t)(offset + (int64_t)*got));
                if (k < 0 && errno != EINTR)
                        return cannot_read(s, errno, e);
                if (k == 0)
                        break;
                *got += k > 0 ? (size_t)k : 0;
        }
        return true;
}

/* No more than the file can fill: most are small. */
static size_t reading_size(const struct source *s)
{
        return s->seen.st_size < READ_BYTES ? (size_t)s->seen.st_size : READ_BYTES;
}

/* --- what is in it ------------------------------------------------------------------------------------------------------- */

/* All bytes through `fit`, and the first time through the digest. */
struct looking {
        struct source *source;
        struct digest *digest;
        bool digested;
};

static bool pass(void *ctx, struct fit *f, struct err *e)
{
        struct looking *l = ctx;
        const size_t room = reading_size(l->source) + 4; /* a character may be kept from one time to the next */
        char *bytes = malloc(room);
        size_t kept = 0, got = 1;
        bool ok = bytes != NULL;
        if (!bytes)
                abort();
        for (int64_t at = 0; ok && got > 0; at += (int64_t)got) {
                ok = read_at(l->source, at, bytes + kept, room - kept, &got, e);
                if (!ok)
                        break;
                if (!l->digested)
                        digest_add(l->digest, bytes + kept, got);
                const size_t there = kept + got, used = fit_add(f, bytes, there, got == 0);
                kept = there - used;
                memmove(bytes, bytes + used, kept);
        }
        l->digested = true;
        free(bytes);
        return ok;
}

static bool survey(struct source *s, enum encoding wanted, struct err *e)
{
        struct looking l = {.source = s, .digest = digest_new()};
        const bool ok = encoding_find(s->file, wanted, pass, &l, &s->fit, e) && unchanged(s, e);
        digest_now(l.digest, s->sha256);
        digest_free(&l.digest);
        return ok;
}

/* --- opening -------------------------------------------------------------------------------------------------------------- */

bool source_open(struct source **out, const char *file, enum encoding wanted, struct err *e)
{
        struct source *s = calloc(1, sizeof *s);
        if (!s)
                abort();
        *s = (struct source){.file = file, .fd = -1, .raw = BUF_LIMIT(WINDOW_BYTES), .text = BUF_LIMIT(WINDOW_BYTES)};
        *out = s;
        if (!open_file(s, e) || !survey(s, wanted, e)) {
                source_close(out);
                return false;
        }
        s->decoder = decoder_new(s->fit.encoding);
        s->offset = (int64_t)encoding_mark(&s->fit);
        return true;
}

void source_close(struct source **source)
{
        struct source *s = *source;
        if (!s)
                return;
        if (s->fd >= 0)
                (void)close(s->fd);
        if (s->decoder)
                decoder_free(&s->decoder);
        buf_free(&s->raw);
        buf_free(&s->text);
        free(s);
        *source = NULL;
}

const unsigned char *source_sha256(const struct source *s)
{
        return s->sha256;
}

const struct fit *source_fit(const struct source *s)
{
        return &s->fit;
}

/* --- the window ------------------------------------------------------------------------------------------------------------ */

static bool as_it_stands(const struct source *s)
{
        return s->fit.encoding == ENCODING_UTF8;
}

const char *source_text(const struct source *s, size_t *n, bool *more)
{
        const struct buf *b = as_it_stands(s) ? &s->raw : &s->text;
        *n = b->length;
        *more = s->offset + (int64_t)s->raw.length < s->seen.st_size;
        return b->at ? b->at : "";
}

static size_t raw_of(const struct source *s, size_t used)
{
        return decoder_back(s->fit.encoding, s->raw.at, s->decoded, s->text.at, used);
}

int64_t source_offset(const struct source *s, size_t used)
{
        return s->offset + (int64_t)raw_of(s, used);
}

static void forget(struct buf *b, size_t n)
{
        assert(n <= b->length);
        if (n > 0)
                memmove(b->at, b->at + n, b->length - n);
        b->length -= n;
}

/* When it fails nothing has moved: several threads may ask, one after the other. */
bool source_move(struct source *s, size_t used, struct err *e)
{
        const size_t room = reading_size(s);
        char *bytes = malloc(room);
        size_t got;
        if (!bytes)
                abort();
        const bool ok = read_at(s, s->offset + (int64_t)s->raw.length, bytes, room, &got, e) && unchanged(s, e);
        if (ok) {
                const size_t raw = raw_of(s, used);
                forget(&s->raw, raw);
                forget(&s->text, as_it_stands(s) ? 0 : used);
                s->offset += (int64_t)raw;
                s->decoded -= as_it_stands(s) ? 0 : raw;
                buf_add(&s->raw, bytes, got);
        }
        free(bytes);
        if (ok && !as_it_stands(s)) {
                const bool last = s->offset + (int64_t)s->raw.length >= s->seen.st_size;
                s->decoded += decoder_add(s->decoder, s->raw.at + s->decoded, s->raw.length - s->decoded, last, &s->text);
        }
        assert(!s->raw.overflow && !s->text.overflow);
        return ok;
}

void source_seek(struct source *s, int64_t offset)
{
        s->raw.length = s->text.length = s->decoded = 0;
        s->offset = offset;
}
