/* archive/log.c -- looking at SQLite's log through a connection of our own.
 *
 * The index of the log is shared memory; its layout is part of SQLite's file format (sqlite.org/walformat.html, section 2.2).
 * It is reached through the connection, never by opening the -shm file: closing that would drop SQLite's locks on it.
 */
#include "archive/inside.h"
#include <errno.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* The first 48 bytes of the index, twice; then how many frames are in the database file too. */
struct index_head {
        uint32_t version, unused, change;
        uint8_t is_init, big_endian;
        uint16_t page_size;
        uint32_t frames, pages, checksum[2];
        unsigned char salt[SALT];
        uint32_t own_checksum[2];
};
enum { INDEX_HEAD = 48, INDEX_PART = 32768, LOOKS = 10000 };
_Static_assert(sizeof(struct index_head) == INDEX_HEAD, "as in the file format");

static const char SQL_BEGIN[] = "BEGIN";
static const char SQL_END[] = "COMMIT";
static const char SQL_PAGE_SIZE[] = "PRAGMA page_size";
static const char SQL_LOOK[] = "SELECT count(*) FROM sqlite_schema"; /* takes the snapshot */

bool place_same(const struct place *a, const struct place *b)
{
        return a->frame == b->frame && memcmp(a->salt, b->salt, SALT) == 0;
}

/* Writers change the second copy first: equal copies are one whole head. */
static bool look_once(sqlite3_file *file, const volatile unsigned char *index, struct index_head *h, uint32_t *moved)
{
        struct index_head first, second;
        memcpy(&first, (const unsigned char *)index, INDEX_HEAD);
        file->pMethods->xShmBarrier(file);
        memcpy(&second, (const unsigned char *)index + INDEX_HEAD, INDEX_HEAD);
        memcpy(moved, (const unsigned char *)index + (size_t)2 * INDEX_HEAD, sizeof *moved);
        *h = first;
        return memcmp(&first, &second, INDEX_HEAD) == 0 && first.is_init;
}

/* An empty log does not say it. */
static bool ask_page_size(sqlite3 *db, uint32_t *out, struct err *e)
{
        sqlite3_stmt *q = NULL;
        const bool ok = sqlite3_prepare_v2(db, SQL_PAGE_SIZE, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;
        *out = ok ? (uint32_t)sqlite3_column_int(q, 0) : 0;
        sqlite3_finalize(q);
        return ok || err_set(e, ERR_BUSY, "the archive cannot read the database: %s", sqlite3_errmsg(db));
}

bool log_look(sqlite3 *db, struct log_state *out, struct err *e)
{
        sqlite3_file *file = NULL;
        volatile void *index = NULL;
        struct index_head h;
        if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods
            || file->pMethods->iVersion < 2 || file->pMethods->xShmMap(file, 0, INDEX_PART, 0, &index) != SQLITE_OK || !index)
                return err_set(e, ERR_FAULT, "the archive cannot see the index of the database's log");
        for (int i = 0; !look_once(file, index, &h, &out->moved); i++) {
                if (i == LOOKS)
                        return err_set(e, ERR_BUSY, "the index of the database's log does not come to rest");
                (void)sched_yield();
        }
        memcpy(out->end.salt, h.salt, SALT);
        out->end.frame = h.frames;
        out->big = h.big_endian != 0;
        out->page_size = h.page_size == 1 ? PAGE_MOST : h.page_size;
        return out->page_size > 0 || ask_page_size(db, &out->page_size, e);
}

bool file_look(const char *path, struct file_state *out, struct err *e)
{
        struct stat is;
        if (stat(path, &is) != 0)
                return err_set(e, ERR_FAULT, "cannot see %s: %s", path, strerror(errno));
        *out = (struct file_state){(int64_t)is.st_size, (int64_t)is.st_mtim.tv_sec * 1000000000 + is.st_mtim.tv_nsec};
        return true;
}

sqlite3 *log_open(const char *database, struct err *e)
{
        sqlite3 *db = NULL;
        if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
                (void)err_set(e, ERR_FAULT, "cannot open the database %s: %s", database, sqlite3_errmsg(db));
                sqlite3_close(db);
                return NULL;
        }
        sqlite3_busy_timeout(db, 1000);
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_wal_autocheckpoint(db, 0);
        return db;
}

bool log_begin(sqlite3 *db, struct err *e)
{
        if (sqlite3_exec(db, SQL_BEGIN, NULL, NULL, NULL) == SQLITE_OK && sqlite3_exec(db, SQL_LOOK, NULL, NULL, NULL) == SQLITE_OK)
                return true;
        (void)err_set(e, ERR_BUSY, "the archive cannot read the database: %s", sqlite3_errmsg(db));
        log_end(db);
        return false;
}

void log_end(sqlite3 *db)
{
        if (!sqlite3_get_autocommit(db))
                (void)sqlite3_exec(db, SQL_END, NULL, NULL, NULL);
}
