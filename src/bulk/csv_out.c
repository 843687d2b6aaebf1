/* bulk/csv_out.c -- writing CSV, and the file of rejected rows. */
#include "bulk/inside.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "pack/csv.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES_MOST = 16 << 20 };

void csv_end(struct buf *b)
{
        buf_text(b, "\r\n");
}

bool write_all(FILE *f, struct buf *b, const char *file, struct err *e)
{
        if (b->overflow)
                return err_set(e, ERR_FAULT, "a row for %s is longer than %zu bytes", file, b->limit);
        if (b->length && fwrite(b->at, 1, b->length, f) != b->length)
                return err_both(e, ERR_FAULT, NULL, "%s cannot be written: %s", "无法写入 %s：%s", file, strerror(errno));
        buf_clear(b);
        return true;
}

/* --- rejected rows ------------------------------------------------------------------------------------------------------- */

/* A faulty line may be as long as a batch is. */
enum { REJECTS_BYTES_MOST = 64 << 20 };

struct reject {
        int64_t line;
        size_t from, n; /* in texts */
};

struct rejects {
        pthread_mutex_t lock;
        const char *file;
        int fd; /* -1: only counted */
        struct digest *digest;
        int64_t written;
        struct buf texts; /* of this batch, in the order in which they came */
        struct reject all[BATCH_ROWS];
        size_t n;
};

static bool cannot_write(const struct rejects *r, int why, struct err *e)
{
        return err_both(e, ERR_INVALID, NULL, "the rejects file %s cannot be written: %s; see --rejects",
                        "无法写入拒收文件 %s：%s，可用 --rejects 另行指定", r->file, strerror(why));
}

/* Who holds the lock of a file that was removed meanwhile holds nothing. */
static bool same_file(int fd, const char *path)
{
        struct stat a, b;
        return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The rows may name people: only the owner may read the file. */
static bool lock_file(struct rejects *r, const char *input, struct err *e)
{
        for (;;) {
                r->fd = open(r->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
                if (r->fd < 0)
                        return cannot_write(r, errno, e);
                if (same_file(r->fd, input))
                        return err_both(e, ERR_INVALID, NULL, "rejects cannot go into %s, which is being read",
                                        "拒收文件不能是正在读取的 %s", input);
                if (flock(r->fd, LOCK_EX | LOCK_NB) != 0)
                        return err_both(e, ERR_CONFLICT, NULL,
                                        "another import is writing its rejects to %s; wait for it, or name another with --rejects",
                                        "另一次导入正在写入 %s，请等待其结束，或用 --rejects 指定其他文件", r->file);
                if (same_file(r->fd, r->file))
                        return true;
                (void)close(r->fd);
        }
}

/* Whether the file begins with what an earlier run wrote; the digest has then taken it in. */
static bool stands_there(struct rejects *r, const struct rejects_end *from)
{
        char bytes[1 << 14];
        struct rejects_end now;
        while (r->written < from->bytes) {
                const int64_t left = from->bytes - r->written;
                const size_t most = left < (int64_t)sizeof bytes ? (size_t)left : sizeof bytes;
                const ssize_t n = pread(r->fd, bytes, most, (off_t)r->written);
                if (n <= 0)
                        return false;
                digest_add(r->digest, bytes, (size_t)n);
                r->written += n;
        }
        unsigned char digest[SHA256_SIZE];
        digest_now(r->digest, digest);
        hex_text(digest, sizeof digest, now.sha256);
        return text_is(now.sha256, from->sha256);
}

static bool append(struct rejects *r, const char *bytes, size_t n, struct err *e)
{
        for (size_t done = 0; done < n;) {
                const ssize_t k = pwrite(r->fd, bytes + done, n - done, (off_t)r->written);
                if (k < 0 && errno != EINTR)
                        return cannot_write(r, errno, e);
                if (k > 0) {
                        digest_add(r->digest, bytes + done, (size_t)k);
                        r->written += k;
                        done += (size_t)k;
                }
        }
        return true;
}

/* A device has no length. */
static bool cut_to(const struct rejects *r, int64_t length, struct err *e)
{
        return ftruncate(r->fd, (off_t)length) == 0 || errno == EINVAL || cannot_write(r, errno, e);
}

static bool begin_anew(struct rejects *r, const char *const *header, size_t n, struct err *e)
{
        struct buf b = BUF_LIMIT(BYTES_MOST);
        csv_cell(&b, 0, "line");
        csv_cell(&b, ',', "field");
        csv_cell(&b, ',', "reason");
        for (size_t i = 0; i < n; i++)
                csv_cell(&b, ',', header[i]);
        if (n == 0)
                csv_cell(&b, ',', "row");
        csv_end(&b);
        digest_free(&r->digest);
        r->digest = digest_new();
        r->written = 0;
        const bool ok = cut_to(r, 0, e) && append(r, b.at, b.length, e);
        buf_free(&b);
        return ok;
}

bool rejects_open(struct rejects **out, const char *file, const char *input, struct err *e)
{
        struct rejects *r = calloc(1, sizeof *r);
        if (!r)
                abort();
        (void)pthread_mutex_init(&r->lock, NULL);
        *out = r;
        r->file = file;
        r->fd = -1;
        r->texts = BUF_LIMIT(REJECTS_BYTES_MOST);
        r->digest = digest_new();
        if (!file || lock_file(r, input, e))
                return true;
        rejects_close(out, false);
        return false;
}

bool rejects_begin(struct rejects *r, const char *const *header, size_t n, const struct rejects_end *from, bool *kept,
                   struct err *e)
{
        *kept = r->fd < 0 || (from->bytes > 0 && stands_there(r, from));
        if (r->fd < 0)
                return true;
        return *kept ? cut_to(r, r->written, e) : begin_anew(r, header, n, e);
}

/* Damaged bytes as U+FFFD, so that the file as a whole is UTF-8. */
static void whole_cell(struct buf *b, struct buf *room, const char *text)
{
        buf_clear(room);
        for (size_t n = strlen(text); n > 0;) {
                const size_t good = text_utf8_fault(text, n);
                buf_add(room, text, good);
                if (good < n)
                        buf_text(room, "\xEF\xBF\xBD");
                const size_t used = good < n ? good + 1 : good;
                text += used;
                n -= used;
        }
        csv_cell(b, ',', room->at ? room->at : "");
}

void rejects_add(struct rejects *r, const struct table_row *row, const struct err *why, bool chinese)
{
        char line[24];
        struct buf room = BUF_LIMIT(BYTES_MOST);
        (void)snprintf(line, sizeof line, "%lld", (long long)row->line);
        (void)pthread_mutex_lock(&r->lock);
        assert(r->n < BATCH_ROWS);
        const size_t from = r->texts.length;
        csv_cell(&r->texts, 0, line);
        csv_cell(&r->texts, ',', why->field);
        whole_cell(&r->texts, &room, chinese && why->zh[0] ? why->zh : why->text);
        for (size_t i = 0; i < row->n; i++)
                whole_cell(&r->texts, &room, row->cells[i]);
        csv_end(&r->texts);
        r->all[r->n++] = (struct reject){row->line, from, r->texts.length - from};
        (void)pthread_mutex_unlock(&r->lock);
        buf_free(&room);
}

static int by_line(const void *a, const void *b)
{
        const struct reject *x = a, *y = b;
        return x->line < y->line ? -1 : x->line > y->line;
}

int64_t rejects_count(const struct rejects *r)
{
        return (int64_t)r->n;
}

bool rejects_settle(struct rejects *r, struct rejects_end *out, struct err *e)
{
        unsigned char digest[SHA256_SIZE];
        bool ok = true;
        assert(!r->texts.overflow);
        qsort(r->all, r->n, sizeof r->all[0], by_line);
        for (size_t i = 0; r->fd >= 0 && ok && i < r->n; i++)
                ok = append(r, r->texts.at + r->all[i].from, r->all[i].n, e);
        if (ok && r->fd >= 0 && r->n > 0 && fdatasync(r->fd) != 0)
                ok = cannot_write(r, errno, e);
        r->n = 0;
        buf_clear(&r->texts);
        digest_now(r->digest, digest);
        out->bytes = r->written;
        hex_text(digest, sizeof digest, out->sha256);
        return ok;
}

void rejects_close(struct rejects **rejects, bool remove)
{
        struct rejects *r = *rejects;
        if (!r)
                return;
        if (remove && r->fd >= 0)
                (void)unlink(r->file); /* while it is locked */
        if (r->fd >= 0)
                (void)close(r->fd);
        digest_free(&r->digest);
        buf_free(&r->texts);
        (void)pthread_mutex_destroy(&r->lock);
        free(r);
        *rejects = NULL;
}
