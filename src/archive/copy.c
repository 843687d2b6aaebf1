/* archive/copy.c -- a full copy with its manifest, tied to a place in the log. */
#include "archive/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "json/json.h"
#include "crypto/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char SQL_SCHEMA[] = "SELECT capability, max(number) FROM schema_done GROUP BY capability ORDER BY capability";
static const char SQL_PACK[] = "SELECT name, id FROM pack_version WHERE active = 1";

enum { STEP = 256, PIN_TRIES = 100000 }; /* pages */

/* --- the copy ----------------------------------------------------------------------------------------------------------------- */
/* A read transaction of which we know the place: nobody committed while it began. */
static bool pin(sqlite3 *db, struct log_state *at, struct err *e)
{
        struct log_state before;
        for (int i = 0; i < PIN_TRIES; i++) {
                if (!log_begin(db, e) || !log_look(db, &before, e))
                        return false;
                log_end(db);
                if (!log_look(db, &before, e) || !log_begin(db, e) || !log_look(db, at, e))
                        return false;
                if (place_same(&before.end, &at->end))
                        return true;
                log_end(db);
        }
        return err_set(e, ERR_BUSY, "the database is never at rest long enough to begin a copy");
}

static bool stopped(const struct copy_job *job)
{
        return job->stop && atomic_load(job->stop);
}

static bool copy_pages(sqlite3 *from, sqlite3 *to, const struct copy_job *job, struct err *e)
{
        sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
        int rc = b ? SQLITE_OK : SQLITE_ERROR;
        while (rc == SQLITE_OK && !stopped(job)) {
                rc = sqlite3_backup_step(b, STEP);
                const int all = sqlite3_backup_pagecount(b);
                if (job->progress && all > 0)
                        job->progress(job->ctx, 1.0 - (double)sqlite3_backup_remaining(b) / all);
                if (rc == SQLITE_OK && job->pause_usec > 0)
                        (void)nanosleep(&(struct timespec){.tv_nsec = job->pause_usec * 1000L}, NULL);
        }
        if (b)
                (void)sqlite3_backup_finish(b);
        if (rc == SQLITE_OK)
                return err_set(e, ERR_BUSY, "the copy was stopped");
        return rc == SQLITE_DONE
               || err_both(e, ERR_FAULT, NULL, "cannot copy the database: %s", "无法复制数据库：%s", sqlite3_errmsg(to));
}

/* --- what is inside, for people: a database of another program has none of it -------------------------------------------- */
static void put_contents(sqlite3 *db, struct json *j)
{
        sqlite3_stmt *q = NULL;
        json_object(j, "schema");
        if (sqlite3_prepare_v2(db, SQL_SCHEMA, -1, &q, NULL) == SQLITE_OK)
                while (sqlite3_step(q) == SQLITE_ROW)
                        json_int(j, (const char *)sqlite3_column_text(q, 0), sqlite3_column_int64(q, 1));
        json_object_end(j);
        sqlite3_finalize(q);
        q = NULL;
        if (sqlite3_prepare_v2(db, SQL_PACK, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
                json_object(j, "pack");
                json_text(j, "name", (const char *)sqlite3_column_text(q, 0));
                json_int(j, "version", sqlite3_column_int64(q, 1));
                json_object_end(j);
        }
        sqlite3_finalize(q);
}

static bool copy_database(struct copy_job *job, const char *path, struct log_state *at, struct file_state *file, struct json *j,
                          struct err *e)
{
        sqlite3 *from = log_open(job->database, e), *to = NULL;
        const int f = from ? open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
        bool ok = f >= 0;
        if (from && !ok)
                (void)err_both(e, ERR_FAULT, NULL, "cannot make %s: %s", "无法创建 %s：%s", path, strerror(errno));
        ok = ok && pin(from, at, e);
        job->instant = clock_now();
        if (ok && at->moved == at->end.frame)
                ok = file_look(job->database, file, e);
        if (ok)
                put_contents(from, j);
        if (ok && sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
                ok = err_set(e, ERR_FAULT, "cannot make %s: %s", path, sqlite3_errmsg(to));
        ok = ok && copy_pages(from, to, job, e);
        sqlite3_close(to);
        if (from)
                log_end(from);
        sqlite3_close(from);
        /* After SQLite has closed it: our close would drop its locks. */
        if (ok && fsync(f) != 0)
                ok = err_set(e, ERR_FAULT, "cannot bring %s to the disk: %s", path, strerror(errno));
        if (f >= 0)
                (void)close(f);
        return ok;
}

/* --- the manifest -------------------------------------------------------------------------------------------------------- */
static bool digest_of(const char *path, char hex[65], int64_t *bytes, struct err *e)
{
        unsigned char part[1 << 16], digest[EVP_MAX_MD_SIZE];
        FILE *f = fopen(path, "re");
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        bool ok = f && c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) == 1;
        *bytes = 0;
        for (size_t n; ok && (n = fread(part, 1, sizeof part, f)) > 0; *bytes += (int64_t)n)
                ok = EVP_DigestUpdate(c, part, n) == 1;
        ok = ok && !ferror(f) && EVP_DigestFinal_ex(c, digest, NULL) == 1;
        EVP_MD_CTX_free(c);
        if (f)
                (void)fclose(f);
        if (ok)
                hex_text(digest, SHA256_SIZE, hex);
        return ok || err_set(e, ERR_FAULT, "cannot read %s", path);
}

static bool write_manifest(const char *folder, const char *database, const struct log_state *at, const struct file_state *file,
                           struct copy_job *job, struct json *j, struct err *e)
{
        char hex[65], salt[2 * SALT + 1], path[4096], changed[24];
        if (!digest_of(database, hex, &job->bytes, e))
                return false;
        hex_text(at->end.salt, SALT, salt);
        json_int(j, "format", 1);
        json_text(j, "program", YIWANG_VERSION);
        json_time(j, "instant", job->instant);
        json_int(j, "bytes", job->bytes);
        json_text(j, "sha256", hex);
        json_int(j, "page_size", at->page_size);
        json_object(j, "log");
        json_text(j, "salt", salt);
        json_int(j, "frame", at->end.frame);
        (void)snprintf(changed, sizeof changed, "%lld", (long long)file->changed); /* a number in JSON is not that exact */
        json_int(j, "file_bytes", file->size);
        json_text(j, "file_changed", changed);
        json_object_end(j);
        json_text(j, "seal_key", "not in this copy: keep DATA/seal.key in another place");
        json_object_end(j);
        buf_byte(j->out, '\n');
        (void)snprintf(path, sizeof path, "%s/manifest.json", folder);
        const int f = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        const bool ok = f >= 0 && write(f, j->out->at, j->out->length) == (ssize_t)j->out->length && fsync(f) == 0;
        if (f >= 0)
                (void)close(f);
        return ok || err_set(e, ERR_FAULT, "cannot write %s: %s", path, strerror(errno));
}

/* --- both ---------------------------------------------------------------------------------------------------------------- */
static void give_up(struct arena *a, const char *part)
{
        (void)unlink(arena_format(a, "%s/manifest.json", part));
        (void)unlink(arena_format(a, "%s/yiwang.db-journal", part));
        (void)unlink(arena_format(a, "%s/yiwang.db", part));
        (void)rmdir(part);
}

bool archive_copy(struct copy_job *job, struct err *e)
{
        struct log_state at;
        struct file_state file = {0};
        if (!archive_make(job->folder, e))
                return false;
        struct arena *a = arena_new();
        /* The name is that of the beginning; the instant in the manifest is that of the snapshot. */
        const int64_t now = clock_now();
        const struct civil c = civil_of(now, ZONE_SHANGHAI);
        (void)snprintf(job->name, sizeof job->name, "copy-%04d%02d%02dT%02d%02d%02d-%06d", c.year, c.month, c.day, c.hour, c.minute,
                       c.second, c.usec);
        const char *whole = arena_format(a, "%s/%s", job->folder, job->name), *part = arena_format(a, "%s.part", whole);
        const char *database = arena_format(a, "%s/yiwang.db", part);
        struct buf manifest = BUF_LIMIT(64 << 10);
        struct json j = json_to(&manifest);
        json_object(&j, NULL);
        bool ok = archive_make(part, e) && copy_database(job, database, &at, &file, &j, e)
                  && write_manifest(part, database, &at, &file, job, &j, e) && archive_sync(part, e);
        buf_free(&manifest);
        if (ok && rename(part, whole) != 0)
                ok = err_set(e, ERR_FAULT, "cannot make %s: %s", whole, strerror(errno));
        ok = ok && archive_sync(job->folder, e);
        if (!ok)
                give_up(a, part);
        arena_free(&a);
        return ok;
}
