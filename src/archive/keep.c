/* archive/keep.c -- the segment at the end of the archive, being written.
 *
 * A record is written whole behind the last whole one, its head last; `size` grows only then.  What a failed write leaves
 * behind `size` is written over by the next attempt, or cut by the next program.
 */
#include "archive/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SEGMENT_MOST = 64 << 20 };
static const int64_t SEGMENT_LONGEST = USEC_DAY; /* so that old ones can be removed */

static bool io_failed(const struct keeper *k, struct err *e)
{
        return err_set(e, ERR_FAULT, "cannot write the archive in %s: %s", k->folder, strerror(errno));
}

static bool put(const struct keeper *k, const void *bytes, size_t n, int64_t where, struct err *e)
{
        const char *p = bytes;
        while (n > 0) {
                const ssize_t done = pwrite(k->file, p, n, (off_t)where);
                if (done < 0 && errno == EINTR)
                        continue;
                if (done <= 0)
                        return io_failed(k, e);
                p += done;
                n -= (size_t)done;
                where += done;
        }
        return true;
}

enum { LAST_FRAMES = 4096 };
/* The last frame of a page in this chain: of few pages only, those whose number falls on the same place drive each other out. */
struct last_frames {
        uint32_t number[LAST_FRAMES];
        unsigned char pages[];
};

static void forget_pages(struct keeper *k)
{
        if (k->last)
                memset(k->last->number, 0, sizeof k->last->number);
}

static void make_rooms(struct keeper *k)
{
        k->in = k->in ? k->in : malloc(KEEP_ROOM);
        k->out = k->out ? k->out : malloc(KEEP_ROOM);
        free(k->last);
        k->last = malloc(sizeof *k->last + (size_t)LAST_FRAMES * k->head.page_size);
        if (!k->in || !k->out || !k->last)
                abort();
        forget_pages(k);
}

/* --- segments ----------------------------------------------------------------------------------------------------------------- */
static bool segment_new(struct keeper *k, struct err *e)
{
        char path[4096];
        unsigned char head[SEGMENT_HEAD];
        struct keeper made = *k;
        segment_name(k->folder, k->head.number, path, sizeof path);
        made.file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (made.file < 0)
                return io_failed(k, e);
        segment_head_put(&k->head, head);
        if (!put(&made, head, sizeof head, 0, e) || !archive_sync(k->folder, e)) {
                (void)close(made.file);
                (void)unlink(path);
                return false;
        }
        if (k->file >= 0)
                (void)close(k->file);
        k->file = made.file;
        k->size = SEGMENT_HEAD;
        k->dirty = true;
        return true;
}

/* The chain goes on in a new file. */
static bool segment_turn(struct keeper *k, int64_t now, struct err *e)
{
        if (!keeper_sync(k, e))
                return false;
        const struct segment_head before = k->head;
        k->head.number++;
        k->head.time = now;
        k->head.from = k->at;
        if (segment_new(k, e))
                return true;
        k->head = before;
        return false;
}

static int64_t later(struct keeper *k, int64_t time)
{
        if (time > k->time)
                k->time = time;
        return k->time;
}

static uint32_t last_number(const struct folder *f)
{
        return f->n_segments ? f->segments[f->n_segments - 1].number : 0;
}

bool keeper_chain(struct keeper *k, const struct log_state *log, int64_t now, struct err *e)
{
        unsigned char random[CHAIN / 2];
        struct folder f;
        struct arena *a = arena_new();
        const bool read = archive_list(a, k->folder, &f, e);
        const uint32_t last = read ? last_number(&f) : 0;
        arena_free(&a);
        if (!read || !random_bytes(random, sizeof random, e))
                return false;
        hex_text(random, sizeof random, k->head.chain);
        k->head.number = last + 1;
        k->head.page_size = log->page_size;
        k->head.big = log->big;
        make_rooms(k);
        k->head.time = later(k, now);
        k->head.from = k->at = log->end;
        k->moved = false;
        return segment_new(k, e) && keeper_sync(k, e);
}

/* --- records ------------------------------------------------------------------------------------------------------------- */
static void put_frame(struct keeper *k, const unsigned char *frame)
{
        const uint32_t number = get32_big(frame), place = number % LAST_FRAMES, size = k->head.page_size;
        unsigned char *last = k->last->pages + (size_t)place * size;
        /* SQLite's backup counts the schema's version in the first page of a full copy up: that page is always written whole. */
        const unsigned char *before = number > 1 && k->last->number[place] == number ? last : NULL;
        k->n_out += frame_put(frame, frame + FRAME_HEAD, before, size, k->out + k->n_out);
        k->last->number[place] = number;
        memcpy(last, frame + FRAME_HEAD, size);
}

struct making { /* a record */
        struct record r;
        uint32_t crc;
        int64_t to;       /* where the next bytes go */
        size_t unwritten; /* of the head: it goes last */
};

/* The head's bytes, at the beginning of the first part, are not of the body. */
static bool flush(struct keeper *k, struct making *m, struct err *e)
{
        const unsigned char *body = k->out + m->unwritten;
        const size_t n = k->n_out - m->unwritten;
        m->crc = record_crc(m->crc, body, n);
        m->r.n += n;
        if (!put(k, body, n, m->to, e))
                return false;
        m->to += (int64_t)n;
        m->unwritten = k->n_out = 0;
        return true;
}

static bool take_frames(struct keeper *k, struct making *m, size_t n, struct err *e)
{
        const size_t step = FRAME_HEAD + k->head.page_size;
        for (size_t i = 0; i < n; i++) {
                const unsigned char *f = k->in + i * step;
                if (get32_big(f) == 0 || memcmp(f + 8, k->at.salt, SALT) != 0)
                        return err_set(e, ERR_CONFLICT, "the database's log is not what its index says");
                m->r.pages = get32_big(f + 4);
                if (k->n_out + FRAME_MOST > KEEP_ROOM && !flush(k, m, e))
                        return false;
                put_frame(k, f);
        }
        return true;
}

static bool make_body(struct keeper *k, int log, struct making *m, struct err *e)
{
        const size_t step = FRAME_HEAD + k->head.page_size, most = KEEP_ROOM / step;
        for (uint32_t done = 0; done < m->r.frames;) {
                const size_t n = m->r.frames - done < most ? m->r.frames - done : most;
                const off_t from = (off_t)LOG_HEAD + (off_t)(m->r.from.frame + done) * (off_t)step;
                if (pread(log, k->in, n * step, from) != (ssize_t)(n * step))
                        return err_set(e, ERR_FAULT, "cannot read the database's log: %s", strerror(errno));
                if (!take_frames(k, m, n, e))
                        return false;
                done += (uint32_t)n;
        }
        return m->r.pages != 0 || err_set(e, ERR_CONFLICT, "the database's log ends within a commit");
}

/* The checksum before the first frame: that of the frame before it, or of the log's head. */
static bool read_sum(const struct keeper *k, int log, struct record *r, struct err *e)
{
        const off_t step = FRAME_HEAD + (off_t)k->head.page_size;
        const off_t from = r->from.frame ? LOG_HEAD + (off_t)(r->from.frame - 1) * step + 16 : LOG_HEAD - SUM;
        return pread(log, r->before, SUM, from) == SUM
               || err_set(e, ERR_FAULT, "cannot read the database's log: %s", strerror(errno));
}

/* A body that fits goes out with its head in one write, otherwise the head is written last. */
static bool make_record(struct keeper *k, int log, struct making *m, struct err *e)
{
        k->n_out = m->unwritten = RECORD_HEAD;
        m->to = k->size + RECORD_HEAD;
        if (!read_sum(k, log, &m->r, e) || !make_body(k, log, m, e))
                return false;
        if (m->unwritten > 0) {
                m->r.n = k->n_out - RECORD_HEAD;
                record_head_put(&m->r, record_crc(0, k->out + RECORD_HEAD, m->r.n), k->out);
                return put(k, k->out, k->n_out, k->size, e);
        }
        if (!flush(k, m, e))
                return false;
        if (m->r.n > UINT32_MAX)
                return err_set(e, ERR_CONFLICT, "a commit of %zu bytes is too large for the archive", m->r.n);
        record_head_put(&m->r, m->crc, k->out);
        return put(k, k->out, RECORD_HEAD, k->size, e);
}

bool keeper_commit(struct keeper *k, int log, uint32_t last, int64_t time, struct err *e)
{
        struct making m = {
                .r = {.kind = RECORD_COMMIT, .time = time > k->time ? time : k->time, .from = k->at, .frames = last - k->at.frame}};
        if ((k->size > SEGMENT_MOST || m.r.time - k->head.time > SEGMENT_LONGEST) && !segment_turn(k, m.r.time, e))
                return false;
        if (!make_record(k, log, &m, e)) {
                forget_pages(k); /* what it holds is not in the archive */
                return false;
        }
        if (m.r.pages < k->pages)
                forget_pages(k); /* a full copy made now does not have the pages that were cut off */
        k->pages = m.r.pages;
        k->size += RECORD_HEAD + (int64_t)m.r.n;
        k->at.frame = last;
        k->moved = false;
        k->dirty = true;
        (void)later(k, time);
        return true;
}

bool keeper_moved(struct keeper *k, const struct file_state *file, int64_t now, struct err *e)
{
        unsigned char bytes[RECORD_HEAD + MOVED_BODY];
        const struct record r = {
                .kind = RECORD_MOVED, .time = now, .from = k->at, .n = MOVED_BODY, .file = *file, .body = bytes + RECORD_HEAD};
        moved_put(&r, bytes + RECORD_HEAD);
        record_head_put(&r, record_crc(0, bytes + RECORD_HEAD, MOVED_BODY), bytes);
        if (!put(k, bytes, sizeof bytes, k->size, e))
                return false;
        k->size += (int64_t)sizeof bytes;
        k->moved = k->dirty = true;
        k->moved_file = *file;
        return true;
}

bool keeper_sync(struct keeper *k, struct err *e)
{
        if (k->dirty && fdatasync(k->file) != 0)
                return io_failed(k, e);
        k->dirty = false;
        return true;
}

/* --- the end of the archive ---------------------------------------------------------------------------------------------- */
/* Whether the segment can be written on: its records up to the end, or up to where a crash tore it. */
static bool read_end(struct keeper *k, const unsigned char *bytes, size_t n)
{
        struct record r;
        size_t at = SEGMENT_HEAD;
        enum found found;
        if (!segment_head_get(bytes, n, &k->head))
                return false;
        k->at = k->head.from;
        k->time = k->head.time;
        k->moved = false;
        for (size_t before = at; (found = record_get(bytes, n, &at, &k->head, &r)) == FOUND_RECORD; before = at) {
                assert(at > before);
                k->at = r.from;
                k->at.frame += r.frames;
                k->moved = r.kind == RECORD_MOVED;
                k->time = k->moved ? k->time : r.time;
                k->moved_file = r.file;
        }
        k->size = (int64_t)at;
        return found != FOUND_DAMAGED;
}

bool keeper_open(struct keeper *k, const char *folder, struct err *e)
{
        char path[4096];
        unsigned char *bytes;
        size_t n;
        struct folder f;
        *k = (struct keeper){.folder = folder, .file = -1};
        struct arena *a = arena_new();
        const bool read = archive_list(a, folder, &f, e);
        const uint32_t last = read ? last_number(&f) : 0;
        arena_free(&a);
        if (!read)
                return false;
        segment_name(folder, last, path, sizeof path);
        if (last == 0 || !file_map(path, &bytes, &n, e))
                return last == 0;
        const bool whole = read_end(k, bytes, n);
        file_unmap(bytes, n);
        if (!whole)
                return true;
        make_rooms(k);
        k->file = open(path, O_RDWR | O_CLOEXEC);
        return (k->file >= 0 && ftruncate(k->file, (off_t)k->size) == 0) || io_failed(k, e);
}

void keeper_close(struct keeper *k)
{
        if (k->file >= 0)
                (void)close(k->file);
        free(k->in);
        free(k->out);
        free(k->last);
        *k = (struct keeper){.folder = k->folder, .file = -1};
}
