/* archive/restore.c -- a database as it was: the newest full copy before the instant, then every commit up to it. */
#include "archive/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct work {
        struct restore_job *job;
        struct arena *arena;
        struct folder folder;
        const struct copy *copy;
        const char *part; /* the database while it is being made */
        int file;
        bool found;        /* the copy's place was met */
        bool done;         /* a commit after the instant was met */
        const char *chain; /* of the segment in which the copy's place was met */
        struct place at;   /* behind what is in `file` */
        uint32_t pages;    /* of the database after the last commit; 0 = as in the copy */
};

static const char *time_of(struct work *w, int64_t instant)
{
        char text[TIME_TEXT_SIZE];
        return arena_text(w->arena, time_text(text, instant, ZONE_SHANGHAI));
}

/* --- the full copy ------------------------------------------------------------------------------------------------------- */
static bool choose_copy(struct work *w, struct err *e)
{
        for (size_t i = 0; i < w->folder.n_copies && w->folder.copies[i].instant <= w->job->at; i++)
                w->copy = &w->folder.copies[i];
        if (w->copy)
                return true;
        if (w->folder.n_copies == 0)
                return err_both(e, ERR_NOT_FOUND, NULL, "there is no full copy in %s", "%s 中没有完整备份", w->job->folder);
        return err_both(e, ERR_NOT_FOUND, NULL, "the oldest full copy is of %s: nothing before that can be restored",
                        "最早的完整备份为 %s，无法恢复到更早的时刻", time_of(w, w->folder.copies[0].instant));
}

static bool write_all(int f, const void *bytes, size_t n, off_t where)
{
        const char *p = bytes;
        while (n > 0) {
                const ssize_t done = pwrite(f, p, n, where);
                if (done <= 0 && errno != EINTR)
                        return false;
                p += done > 0 ? done : 0;
                n -= done > 0 ? (size_t)done : 0;
                where += done > 0 ? done : 0;
        }
        return true;
}

static bool write_failed(const struct work *w, struct err *e)
{
        return err_both(e, ERR_FAULT, NULL, "cannot write %s: %s", "无法写入 %s：%s", w->part, strerror(errno));
}

static bool copy_file(struct work *w, FILE *from, char hex[65], int64_t *bytes, struct err *e)
{
        unsigned char part[1 << 16], digest[EVP_MAX_MD_SIZE];
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1, written = true;
        *bytes = 0;
        for (size_t n; ok && written && (n = fread(part, 1, sizeof part, from)) > 0; *bytes += (int64_t)n) {
                ok = EVP_DigestUpdate(c, part, n) == 1;
                written = write_all(w->file, part, n, (off_t)*bytes);
        }
        if (!written)
                (void)write_failed(w, e);
        ok = ok && written && !ferror(from) && EVP_DigestFinal_ex(c, digest, NULL) == 1;
        EVP_MD_CTX_free(c);
        if (ok)
                hex_text(digest, SHA256_SIZE, hex);
        return ok || !written || err_set(e, ERR_FAULT, "cannot read the full copy %s", w->copy->name);
}

static bool take_copy(struct work *w, struct err *e)
{
        char hex[65] = "";
        int64_t bytes = 0;
        const char *path = arena_format(w->arena, "%s/%s/yiwang.db", w->job->folder, w->copy->name);
        FILE *from = fopen(path, "re");
        if (!from)
                return err_both(e, ERR_FAULT, NULL, "cannot read %s: %s", "无法读取 %s：%s", path, strerror(errno));
        const bool ok = copy_file(w, from, hex, &bytes, e);
        (void)fclose(from);
        if (!ok || !hex[0])
                return false;
        if (bytes != w->copy->bytes || !text_is(hex, w->copy->sha256))
                return err_both(
                        e, ERR_FAULT, NULL,
                        "the full copy %s is damaged (its SHA-256 is not that of its manifest): remove its folder to use the one "
                        "before it",
                        "完整备份 %s 已损坏（SHA-256 与清单不符），移走该目录即可使用更早的备份", w->copy->name);
        (void)snprintf(w->job->copy, sizeof w->job->copy, "%s", w->copy->name);
        w->job->copied = w->job->instant = w->copy->instant;
        w->at = w->copy->at;
        return true;
}

/* --- the commits --------------------------------------------------------------------------------------------------------- */
static void met(struct work *w, const struct segment_head *h)
{
        w->found = true;
        w->chain = h->chain;
}

/* How many of the record's frames are in the copy already; the copy's place may be within a record that holds several commits. */
static bool meets(struct work *w, const struct segment_head *h, const struct place *from, uint32_t frames, uint32_t *skip)
{
        static const unsigned char none[SALT];
        if (w->found || h->page_size != w->copy->page_size || memcmp(from->salt, w->at.salt, SALT) != 0
            || memcmp(from->salt, none, SALT) == 0 || w->at.frame < from->frame || w->at.frame > from->frame + frames)
                return false;
        *skip = w->at.frame - from->frame;
        met(w, h);
        return true;
}

/* The copy is of a database file into which all of its log had been moved, and so is this record. */
static bool meets_file(struct work *w, const struct segment_head *h, const struct record *r)
{
        if (w->found || r->kind != RECORD_MOVED || h->page_size != w->copy->page_size || w->copy->file.changed == 0
            || r->file.changed != w->copy->file.changed || r->file.size != w->copy->file.size)
                return false;
        w->at = r->from;
        met(w, h);
        return true;
}

/* The page as it is in the file; what is behind its end is made of zeros, and will be whole. */
static bool read_page(const struct work *w, uint32_t number, uint32_t size, unsigned char *page, struct err *e)
{
        const ssize_t n = pread(w->file, page, size, (off_t)(number - 1) * (off_t)size);
        if (n >= 0 && n < (ssize_t)size)
                memset(page + n, 0, size - (size_t)n);
        return n >= 0 || err_set(e, ERR_FAULT, "cannot read %s: %s", w->part, strerror(errno));
}

static bool apply_frame(struct work *w, const struct frame *f, const struct segment_head *h, uint32_t sum[2], struct err *e)
{
        unsigned char page[PAGE_MOST];
        if (!f->page && !read_page(w, f->number, h->page_size, page, e))
                return false;
        frame_apply(f, h->page_size, page);
        if (!frame_sum(f->head, page, h->page_size, h->big, sum))
                return err_both(e, ERR_FAULT, NULL, "segment-%08u does not fit the full copy %s: use an older copy",
                                "segment-%08u 与完整备份 %s 不相符，请使用更早的备份", h->number, w->copy->name);
        return write_all(w->file, page, h->page_size, (off_t)(f->number - 1) * (off_t)h->page_size) || write_failed(w, e);
}

/* The first `skip` frames are in the copy already. */
static bool apply(struct work *w, const struct record *r, uint32_t skip, const struct segment_head *h, struct err *e)
{
        uint32_t sum[2] = {get32_big(r->before), get32_big(r->before + 4)};
        const unsigned char *p = r->body, *end = r->body + r->n;
        struct frame f;
        for (uint32_t i = 0; i < r->frames && frame_get(&p, end, h->page_size, &f); i++) {
                if (i >= skip && !apply_frame(w, &f, h, sum, e))
                        return false;
                sum[0] = get32_big(f.head + 16);
                sum[1] = get32_big(f.head + 20);
        }
        w->at = r->from;
        w->at.frame += r->frames;
        if (skip >= r->frames)
                return true;
        w->pages = r->pages;
        w->job->instant = r->time;
        if (++w->job->commits % 1024 == 0 && w->job->progress)
                w->job->progress(w->job->ctx, w->job->commits);
        return true;
}

/* Before the copy's place nothing is done; behind it every record must begin where the last one ended. */
static bool take_record(struct work *w, const struct segment_head *h, const struct record *r, bool *gap, struct err *e)
{
        uint32_t skip = 0;
        if (!w->found && !meets(w, h, &r->from, r->frames, &skip) && !meets_file(w, h, r))
                return true;
        *gap = skip == 0 && !place_same(&r->from, &w->at) && r->from.frame != 0;
        if (*gap)
                return true;
        if (r->kind != RECORD_COMMIT) {
                w->at = r->from;
                return true;
        }
        if (skip < r->frames && r->time > w->job->at) {
                w->done = true;
                return true;
        }
        return apply(w, r, skip, h, e);
}

/* False with *bad set: the segment is damaged.  `last`: it may be being written. */
static bool take_segment(struct work *w, const struct segment *s, bool last, const char **bad, struct err *e)
{
        char path[4096];
        unsigned char *bytes;
        size_t n, at = SEGMENT_HEAD;
        struct record r;
        enum found found = FOUND_END;
        bool gap = false, ok = true;
        uint32_t skip;
        segment_name(w->job->folder, s->number, path, sizeof path);
        if (!file_map(path, &bytes, &n, e))
                return false;
        if (!w->found)
                (void)meets(w, &s->head, &s->head.from, 0, &skip);
        while (ok && !gap && !w->done && (found = record_get(bytes, n, &at, &s->head, &r)) == FOUND_RECORD)
                ok = take_record(w, &s->head, &r, &gap, e);
        file_unmap(bytes, n);
        if (gap || found == FOUND_DAMAGED || (found == FOUND_TORN && !last))
                *bad = gap ? "does not begin where the one before it ends" : "is damaged";
        return ok && !*bad;
}

/* Says what is missing; true when the caller wants what there is. */
static bool fall_short(struct work *w, uint32_t number, const char *why, struct err *e)
{
        const char *until = time_of(w, w->job->instant);
        (void)err_both(e, ERR_FAULT, NULL,
                       "%s/segment-%08u %s; everything up to %s can be restored: --allow-partial, or --at an instant before that",
                       "%s/segment-%08u 有问题（%s）；可恢复到 %s：请使用 --allow-partial，或用 --at 指定更早的时刻",
                       w->job->folder, number, why, until);
        if (!w->job->partial)
                return false;
        w->job->missing = *e;
        w->done = true;
        return true;
}

/* Which segment the copy's place is in is not known before it is met: the first that begins before the copy may already be it. */
static size_t first_segment(const struct work *w)
{
        size_t first = 0;
        for (size_t i = 0; i < w->folder.n_segments; i++)
                if (w->folder.segments[i].readable && w->folder.segments[i].head.time <= w->copy->instant - USEC_HOUR)
                        first = i;
        return first;
}

/* A new chain begins where something was not archived: nobody knows what lies between the end of this one and its full copy. */
static bool chain_ends(struct work *w, const struct segment *next, struct err *e)
{
        if (w->job->at < next->head.time)
                return true;
        return fall_short(w, next->number, "begins a new chain: what was committed just before it was not archived", e);
}

/* The next segment; sets w->done when it is the last one to be read. */
static bool take_next(struct work *w, size_t i, struct err *e)
{
        const struct folder *f = &w->folder;
        const struct segment *s = &f->segments[i];
        const char *bad = NULL;
        if (w->found && i > 0 && s->number != f->segments[i - 1].number + 1)
                return fall_short(w, s->number - 1, "is missing", e);
        if (!s->readable)
                return !w->found || fall_short(w, s->number, "is damaged", e);
        if (w->found && !text_is(w->chain, s->head.chain)) {
                w->done = true;
                return chain_ends(w, s, e);
        }
        if (take_segment(w, s, i + 1 == f->n_segments, &bad, e))
                return true;
        if (!bad)
                return false;
        return !w->found || fall_short(w, s->number, bad, e);
}

static bool take_segments(struct work *w, struct err *e)
{
        const struct folder *f = &w->folder;
        for (size_t i = first_segment(w); i < f->n_segments && !w->done; i++)
                if (!take_next(w, i, e))
                        return false;
        if (w->found || f->n_segments == 0)
                return true;
        return fall_short(w, f->segments[f->n_segments - 1].number, "and those before it do not hold what follows the full copy",
                          e);
}

/* --- the whole ----------------------------------------------------------------------------------------------------------- */
static bool refuse_existing(const struct restore_job *job, struct arena *a, struct err *e)
{
        static const char *const ends[] = {"", "-wal", "-journal"};
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
                const char *path = arena_format(a, "%s%s", job->database, ends[i]);
                if (access(path, F_OK) == 0)
                        return err_both(e, ERR_CONFLICT, NULL, "%s is there already; restore into another folder",
                                        "%s 已存在，请恢复到其他目录", path);
        }
        return true;
}

static bool finish(struct work *w, struct err *e)
{
        const off_t size = (off_t)w->pages * (off_t)w->copy->page_size;
        if ((w->pages > 0 && ftruncate(w->file, size) != 0) || fsync(w->file) != 0 || link(w->part, w->job->database) != 0)
                return write_failed(w, e);
        return true;
}

bool archive_restore(struct restore_job *job, struct err *e)
{
        struct work w = {.job = job, .arena = arena_new(), .file = -1};
        job->missing.kind = ERR_NONE;
        job->commits = 0;
        bool ok = refuse_existing(job, w.arena, e) && archive_list(w.arena, job->folder, &w.folder, e) && choose_copy(&w, e);
        w.part = arena_format(w.arena, "%s.part", job->database);
        if (ok) {
                w.file = open(w.part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                ok = w.file >= 0 || write_failed(&w, e);
        }
        ok = ok && take_copy(&w, e) && take_segments(&w, e) && finish(&w, e);
        if (w.file >= 0) {
                (void)close(w.file);
                (void)unlink(w.part);
        }
        arena_free(&w.arena);
        return ok;
}
