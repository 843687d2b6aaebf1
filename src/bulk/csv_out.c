/* bulk/csv_out.c -- writing CSV, and the file of rejected rows. */
#include "bulk/inside.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES_MOST = 16 << 20, FLUSH_AT = 1 << 16 };

void csv_cell(struct buf *b, bool first, const char *text)
{
        if (!first)
                buf_byte(b, ',');
        if (!strpbrk(text, "\",\r\n")) {
                buf_text(b, text);
                return;
        }
        buf_byte(b, '"');
        for (; *text; text++) {
                if (*text == '"')
                        buf_byte(b, '"');
                buf_byte(b, *text);
        }
        buf_byte(b, '"');
}

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

struct rejects {
        pthread_mutex_t lock;
        const char *file;
        FILE *out; /* NULL: only counted by the caller */
        struct buf buf;
        int64_t n;
};

static bool is_input(int fd, const char *input)
{
        struct stat a, b;
        return fstat(fd, &a) == 0 && stat(input, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The rows may name people: only the owner may read the file. */
static bool open_file(struct rejects *r, const char *input, struct err *e)
{
        int fd = open(r->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_both(e, ERR_INVALID, NULL, "%s cannot be written: %s", "无法写入 %s：%s", r->file, strerror(errno));
        bool same = is_input(fd, input);
        if (same || ftruncate(fd, 0) != 0 || !(r->out = fdopen(fd, "wb"))) {
                (void)close(fd);
                return same ? err_both(e, ERR_INVALID, NULL, "rejects cannot go into %s, which is being read",
                                       "拒收文件不能是正在读取的 %s", input)
                            : err_both(e, ERR_INVALID, NULL, "%s cannot be written", "无法写入 %s", r->file);
        }
        return true;
}

static void release(struct rejects **r)
{
        buf_free(&(*r)->buf);
        (void)pthread_mutex_destroy(&(*r)->lock);
        free(*r);
        *r = NULL;
}

bool rejects_open(struct rejects **out, const char *file, const char *input, const char *const *header, size_t n, struct err *e)
{
        struct rejects *r = calloc(1, sizeof *r);
        if (!r)
                abort();
        (void)pthread_mutex_init(&r->lock, NULL);
        r->file = file;
        r->buf = BUF_LIMIT(BYTES_MOST);
        *out = r;
        if (file && !open_file(r, input, e)) {
                release(out);
                return false;
        }
        csv_cell(&r->buf, true, "line");
        csv_cell(&r->buf, false, "field");
        csv_cell(&r->buf, false, "reason");
        for (size_t i = 0; i < n; i++)
                csv_cell(&r->buf, false, header[i]);
        if (n == 0)
                csv_cell(&r->buf, false, "row");
        csv_end(&r->buf);
        return true;
}

bool rejects_add(struct rejects *r, const struct table_row *row, const struct err *why, bool chinese, struct err *e)
{
        char line[24];
        bool ok = true;
        if (!r->out)
                return true;
        (void)snprintf(line, sizeof line, "%lld", (long long)row->line);
        (void)pthread_mutex_lock(&r->lock);
        r->n++;
        csv_cell(&r->buf, true, line);
        csv_cell(&r->buf, false, why->field);
        csv_cell(&r->buf, false, chinese && why->zh[0] ? why->zh : why->text);
        for (size_t i = 0; i < row->n; i++)
                csv_cell(&r->buf, false, row->cells[i]);
        csv_end(&r->buf);
        if (r->buf.length >= FLUSH_AT)
                ok = write_all(r->out, &r->buf, r->file, e);
        (void)pthread_mutex_unlock(&r->lock);
        return ok;
}

bool rejects_close(struct rejects **rejects, struct err *e)
{
        struct rejects *r = *rejects;
        bool ok = true;
        if (!r)
                return true;
        if (r->out) {
                const bool broke = ferror(r->out); /* told by rejects_add() */
                ok = broke || write_all(r->out, &r->buf, r->file, e);
                if (fclose(r->out) != 0 && ok && !broke)
                        ok = err_both(e, ERR_FAULT, NULL, "%s cannot be written: %s", "无法写入 %s：%s", r->file, strerror(errno));
                if (r->n == 0 || !ok || broke) /* half a list would look like a whole one */
                        (void)unlink(r->file);
        }
        release(rejects);
        return ok;
}
