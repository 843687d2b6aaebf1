/* archive/archive_test.c -- segments byte by byte, and a database that is archived, checkpointed, begun anew and restored. */
#include "archive/inside.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include <ftw.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

/* --- frames -------------------------------------------------------------------------------------------------------------- */
enum { SIZE = 4096 };

static void frames_come_back(void **state)
{
        unsigned char head[FRAME_HEAD] = {0, 0, 0, 7}, before[SIZE], page[SIZE], again[SIZE], out[FRAME_MOST];
        (void)state;
        for (int i = 0; i < 2000; i++) {
                for (int k = 0; k < SIZE; k++)
                        before[k] = (unsigned char)(k * i);
                memcpy(page, before, SIZE);
                /* From no byte to all of them, at both ends too. */
                for (int k = 0; k < i % 40; k++)
                        page[(k * 97 + i * 31) % SIZE] ^= (unsigned char)(1 + k);
                if (i % 5 == 0)
                        page[0] ^= 1, page[SIZE - 1] ^= 1;
                if (i % 7 == 0)
                        memset(page, i, SIZE);
                const size_t n = frame_put(head, page, i % 3 ? before : NULL, SIZE, out);
                const unsigned char *p = out;
                struct frame f;
                assert_true(n <= FRAME_MOST);
                assert_true(frame_get(&p, out + n, SIZE, &f));
                assert_ptr_equal(p, out + n);
                assert_int_equal(f.number, 7);
                memcpy(again, before, SIZE);
                frame_apply(&f, SIZE, again);
                assert_memory_equal(again, page, SIZE);
                /* Cut anywhere it is no frame. */
                p = out;
                assert_false(frame_get(&p, out + n - 1, SIZE, &f));
        }
}

static size_t make_segment(unsigned char *out, struct segment_head *h)
{
        struct record r = {.kind = RECORD_MOVED, .time = 5, .n = MOVED_BODY, .file = {4096, 77}};
        unsigned char *p = out + SEGMENT_HEAD;
        *h = (struct segment_head){
                .chain = "0123456789abcdef", .number = 3, .page_size = SIZE, .time = 1, .from = {{1, 2}, 9}, .big = true};
        segment_head_put(h, out);
        for (int i = 0; i < 2; i++, p += RECORD_HEAD + MOVED_BODY) {
                moved_put(&r, p + RECORD_HEAD);
                record_head_put(&r, record_crc(0, p + RECORD_HEAD, MOVED_BODY), p);
        }
        return (size_t)(p - out);
}

static void every_flipped_bit_is_found(void **state)
{
        unsigned char bytes[512];
        struct segment_head h, read;
        struct record r;
        size_t at = SEGMENT_HEAD, n = make_segment(bytes, &h);
        (void)state;
        assert_true(segment_head_get(bytes, n, &read));
        assert_string_equal(read.chain, h.chain);
        assert_true(place_same(&read.from, &h.from) && read.number == 3 && read.big && read.page_size == SIZE);
        assert_int_equal(record_get(bytes, n, &at, &h, &r), FOUND_RECORD);
        assert_int_equal(r.file.changed, 77);
        assert_int_equal(record_get(bytes, n, &at, &h, &r), FOUND_RECORD);
        assert_int_equal(record_get(bytes, n, &at, &h, &r), FOUND_END);
        for (size_t bit = 0; bit < 8 * n; bit++) {
                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
                if (bit / 8 < SEGMENT_HEAD) {
                        assert_false(segment_head_get(bytes, n, &read));
                } else {
                        at = SEGMENT_HEAD;
                        enum found found;
                        while ((found = record_get(bytes, n, &at, &h, &r)) == FOUND_RECORD)
                                ;
                        assert_int_equal(found, FOUND_DAMAGED);
                }
                bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        /* Cut anywhere it is torn; zeros behind the end are what a power failure leaves. */
        for (size_t cut = SEGMENT_HEAD + 1; cut < n; cut++) {
                at = SEGMENT_HEAD;
                enum found found;
                while ((found = record_get(bytes, cut, &at, &h, &r)) == FOUND_RECORD)
                        ;
                assert_true(found == FOUND_TORN || (found == FOUND_END && cut == SEGMENT_HEAD + RECORD_HEAD + MOVED_BODY));
        }
        memset(bytes + n, 0, 100);
        at = n;
        assert_int_equal(record_get(bytes, n + 100, &at, &h, &r), FOUND_TORN);
}

/* --- a database ------------------------------------------------------------------------------------------------------------ */
struct place_of_test {
        char folder[64], database[100], archive[100];
        sqlite3 *db;
        struct archive *keeper;
};

static int noted(void *ctx, sqlite3 *db, const char *name, int frames)
{
        struct place_of_test *t = ctx;
        (void)name;
        if (t->keeper)
                archive_note(t->keeper, db, frames);
        return SQLITE_OK;
}

static void sql(struct place_of_test *t, const char *text)
{
        char *why = NULL;
        if (sqlite3_exec(t->db, text, NULL, NULL, &why) != SQLITE_OK)
                fail_msg("%s: %s", text, why);
}

static void open_database(struct place_of_test *t)
{
        assert_int_equal(sqlite3_open(t->database, &t->db), SQLITE_OK);
        sql(t, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
        sqlite3_wal_autocheckpoint(t->db, 0);
        sqlite3_db_config(t->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        sqlite3_wal_hook(t->db, noted, t);
}

static void begin(struct place_of_test *t)
{
        *t = (struct place_of_test){0};
        (void)snprintf(t->folder, sizeof t->folder, "/tmp/yiwang-archive-XXXXXX");
        assert_non_null(mkdtemp(t->folder));
        (void)snprintf(t->database, sizeof t->database, "%s/yiwang.db", t->folder);
        (void)snprintf(t->archive, sizeof t->archive, "%s/archive", t->folder);
        open_database(t);
        sql(t, "CREATE TABLE thing (n INTEGER PRIMARY KEY, text TEXT)");
}

static void keep(struct place_of_test *t)
{
        const struct archive_options o = {.folder = t->archive, .database = t->database};
        t->keeper = archive_start(&o);
}

static void checkpoint(struct place_of_test *t)
{
        archive_catch_up(t->keeper);
        assert_int_equal(sqlite3_wal_checkpoint_v2(t->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), SQLITE_OK);
        archive_catch_up(t->keeper);
}

static int remove_one(const char *path, const struct stat *is, int kind, struct FTW *where)
{
        (void)is, (void)kind, (void)where;
        return remove(path);
}

static void end(struct place_of_test *t)
{
        if (t->keeper)
                archive_stop(&t->keeper);
        sqlite3_close(t->db);
        assert_int_equal(nftw(t->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int64_t ask(const char *database, const char *question)
{
        sqlite3 *db;
        sqlite3_stmt *q;
        assert_int_equal(sqlite3_open(database, &db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(db, question, -1, &q, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_step(q), SQLITE_ROW);
        const int64_t n = sqlite3_column_int64(q, 0);
        sqlite3_finalize(q);
        sqlite3_close(db);
        return n;
}

/* Rows as of an instant, over a database whose every page is read. */
static int64_t rows_at(struct place_of_test *t, int64_t at, struct err *e)
{
        char to[160];
        (void)snprintf(to, sizeof to, "%s/restored-%lld.db", t->folder, (long long)clock_steady());
        struct restore_job job = {.folder = t->archive, .database = to, .at = at};
        if (!archive_restore(&job, e))
                return -1;
        assert_int_equal(ask(to, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
        return ask(to, "SELECT count(*) FROM thing");
}

static void copy(struct place_of_test *t)
{
        struct copy_job job = {.database = t->database, .folder = t->archive};
        struct err e;
        ok(archive_copy(&job, &e), &e);
}

static void instants_over_many_logs(void **state)
{
        struct place_of_test t;
        struct err e;
        int64_t at[60];
        (void)state;
        begin(&t);
        keep(&t);
        copy(&t);
        for (int i = 0; i < 60; i++) {
                sql(&t, "INSERT INTO thing (text) VALUES (hex(randomblob(3000)))");
                if (i == 20)
                        copy(&t);
                if (i == 30)
                        sql(&t, "DELETE FROM thing; VACUUM"); /* the file becomes shorter, then longer again */
                if (i % 7 == 0)
                        checkpoint(&t);
                if (i % 11 == 0) { /* another program keeps it from here on */
                        archive_stop(&t.keeper);
                        keep(&t);
                }
                (void)usleep(1000);
                at[i] = clock_now();
                (void)usleep(1000);
        }
        archive_catch_up(t.keeper);
        assert_int_equal(archive_figures(t.keeper).failing, false);
        for (int i = 0; i < 60; i++) {
                const int64_t rows = rows_at(&t, at[i], &e);
                if (rows < 0)
                        fail_msg("%d: %s", i, e.text);
                assert_int_equal(rows, i < 30 ? i + 1 : i - 30);
        }
        assert_int_equal(rows_at(&t, INT64_MAX, &e), 29);
        end(&t);
}

static void others_cannot_pass_the_keeper(void **state)
{
        struct place_of_test t;
        struct err e;
        sqlite3 *other;
        (void)state;
        begin(&t);
        keep(&t);
        copy(&t);
        assert_int_equal(sqlite3_open(t.database, &other), SQLITE_OK);
        for (int i = 0; i < 300; i++) {
                assert_int_equal(sqlite3_exec(other, "INSERT INTO thing (text) VALUES (hex(randomblob(800)))", NULL, NULL, NULL),
                                 SQLITE_OK);
                if (i % 3 == 0) /* it tries to move all and to cut the log to nothing */
                        (void)sqlite3_wal_checkpoint_v2(other, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
                if (i % 50 == 0)
                        (void)usleep(300000);
        }
        sqlite3_close(other);
        archive_catch_up(t.keeper);
        assert_int_equal(rows_at(&t, INT64_MAX, &e), 300);
        struct folder f;
        struct arena *a = arena_new();
        ok(archive_list(a, t.archive, &f, &e), &e);
        assert_int_equal(f.n_segments, 1); /* one chain */
        arena_free(&a);
        end(&t);
}

static void what_is_not_needed_is_removed(void **state)
{
        struct place_of_test t;
        struct err e;
        struct folder f;
        (void)state;
        begin(&t);
        keep(&t);
        for (int i = 0; i < 3; i++) {
                sql(&t, "INSERT INTO thing (text) VALUES ('x')");
                archive_catch_up(t.keeper);
                copy(&t);
        }
        archive_prune(t.archive, clock_now());
        struct arena *a = arena_new();
        ok(archive_list(a, t.archive, &f, &e), &e);
        assert_int_equal(f.n_copies, 1);
        assert_int_equal(f.n_segments, 1);
        assert_int_equal(rows_at(&t, INT64_MAX, &e), 3);
        arena_free(&a);
        end(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(frames_come_back),
                cmocka_unit_test(every_flipped_bit_is_found),
                cmocka_unit_test(instants_over_many_logs),
                cmocka_unit_test(others_cannot_pass_the_keeper),
                cmocka_unit_test(what_is_not_needed_is_removed),
        };
        log_least(LOG_ERROR);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
