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
        if (!k->room && !(k->room = malloc(KEEP_ROOM)))
                abort();
        hex_text(random, sizeof random, k->head.chain);
        k->head.number = last + 1;
        k->head.page_size = log->page_size;
        k->head.time = later(k, now);
        k->head.from = k->at = log->end;
        k->moved = false;
        return segment_new(k, e) && keeper_sync(k, e);
}

/* --- records -------------------------------------------------------------------------------------------------------------------- */
/* The frames of a commit: its pages and the place behind it. */
static bool look_at(const struct keeper *k, const unsigned char *frames, size_t n, uint32_t *pages, struct err *e)
{
        const size_t step = FRAME_HEAD + k->head.page_size;
        for (size_t i = 0; i < n; i++) {
                const unsigned char *f = frames + i * step;
                if (get32_big(f) == 0 || memcmp(f + 8, k->at.salt, SALT) != 0)
                        return err_set(e, ERR_CONFLICT, "the database's log is not what its index says");
                *pages = get32_big(f + 4);
        }
        return true;
}

/* Copies the body; `keep` bytes stay free at the beginning of the first part for the head. */
static bool copy_frames(const struct keeper *k, int log, struct record *r, uint32_t *crc, struct err *e)
{
        const size_t step = FRAME_HEAD + k->head.page_size, most = (KEEP_ROOM - RECORD_HEAD) / step;
        const bool one = r->frames <= most;
        int64_t to = k->size + RECORD_HEAD;
        for (uint32_t done = 0; done < r->frames;) {
                const size_t n = r->frames - done < most ? r->frames - done : most, bytes = n * step;
                unsigned char *body = k->room + RECORD_HEAD;
                const off_t from = (off_t)LOG_HEAD + (off_t)(r->from.frame + done) * (off_t)step;
                if (pread(log, body, bytes, from) != (ssize_t)bytes)
                        return err_set(e, ERR_FAULT, "cannot read the database's log: %s", strerror(errno));
                if (!look_at(k, body, n, &r->pages, e))
                        return false;
                *crc = record_crc(*crc, body, bytes);
                if (!one && !put(k, body, bytes, to, e))
                        return false;
                to += (int64_t)bytes;
                done += (uint32_t)n;
        }
        return r->pages != 0 || err_set(e, ERR_CONFLICT, "the database's log ends within a commit");
}

bool keeper_commit(struct keeper *k, int log, uint32_t last, int64_t time, struct err *e)
{
        const uint64_t step = FRAME_HEAD + k->head.page_size, n = (last - k->at.frame) * step;
        struct record r = {.kind = RECORD_COMMIT,
                           .time = time > k->time ? time : k->time,
                           .from = k->at,
                           .frames = last - k->at.frame,
                           .n = n};
        uint32_t crc = 0;
        if ((k->size > SEGMENT_MOST || r.time - k->head.time > SEGMENT_LONGEST) && !segment_turn(k, r.time, e))
                return false;
        if (n > UINT32_MAX)
                return err_set(e, ERR_CONFLICT, "a commit of %llu bytes is too large for the archive", (unsigned long long)n);
        if (!copy_frames(k, log, &r, &crc, e))
                return false;
        record_head_put(&r, crc, k->room);
        /* A body that fits is behind its head already: one write for both. */
        if (!put(k, k->room, RECORD_HEAD + (n <= KEEP_ROOM - RECORD_HEAD ? (size_t)n : 0), k->size, e))
                return false;
        k->size += RECORD_HEAD + (int64_t)n;
        k->at.frame = last;
        k->moved = false;
        k->dirty = true;
        (void)later(k, time);
        return true;
}

bool keeper_moved(struct keeper *k, const struct file_state *file, int64_t now, struct err *e)
{
        const struct record r = {.kind = RECORD_MOVED, .time = now, .from = k->at, .n = MOVED_BODY, .file = *file};
        unsigned char bytes[RECORD_HEAD + MOVED_BODY];
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

/* --- the end of the archive ------------------------------------------------------------------------------------------------------- */
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
        for (size_t before = at; (found = record_get(bytes, n, &at, k->head.page_size, &r)) == FOUND_RECORD; before = at) {
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
        const unsigned char *bytes;
        size_t n;
        struct folder f;
        *k = (struct keeper){.folder = folder, .file = -1};
        struct arena *a = arena_new();
        const bool read = archive_list(a, folder, &f, e);
        const uint32_t last = read ? last_number(&f) : 0;
        arena_free(&a);
        if (!read)
                return false;
        if (!(k->room = malloc(KEEP_ROOM)))
                abort();
        segment_name(folder, last, path, sizeof path);
        if (last == 0 || !file_map(path, &bytes, &n, e))
                return last == 0;
        const bool whole = read_end(k, bytes, n);
        file_unmap(bytes, n);
        if (!whole)
                return true;
        k->file = open(path, O_RDWR | O_CLOEXEC);
        return (k->file >= 0 && ftruncate(k->file, (off_t)k->size) == 0) || io_failed(k, e);
}

void keeper_close(struct keeper *k)
{
        if (k->file >= 0)
                (void)close(k->file);
        free(k->room);
        *k = (struct keeper){.folder = k->folder, .file = -1};
}
