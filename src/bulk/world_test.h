/* bulk/world_test.h -- what the tests of this folder share: a district with the small pack, and files to read. */
#ifndef BULK_WORLD_TEST_H
#define BULK_WORLD_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "bulk/inside.h"
#include "calendar/calendar.h"
#include "cases/cases.h"
#include "catalogue/catalogue.h"
#include "district/testing.h"
#include "intake/channels.h"
#include "pack/csv.h"
#include "pack/pack.h"
#include "people/people.h"
#include "routing/routing.h"
#include "store/store.h"
#include "store/testing.h"
#include "twin/twin.h"
#include <unistd.h>

struct world { struct district district; struct arena *arena; char dir[40]; };

static inline void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

static inline struct world world_new(bool postgres)
{
        static const struct pack_part *const parts[] = {&people_pack, &calendar_pack, &catalogue_pack, &twin_pack, &routing_pack,
                                                        &cases_pack, &intake_pack, NULL};
        static const struct rulebook_readers readers = {.workflows = workflows_load, .channels = channels_load};
        struct world w = {.arena = arena_new(), .dir = "/tmp/yiwang-bulk-XXXXXX"};
        assert_non_null(mkdtemp(w.dir));
        assert_true(test_district_open(&w.district, postgres, parts, &readers, TEST_PACK));
        return w;
}

static inline const char *path_in(const struct world *w, const char *name)
{
        return arena_format(w->arena, "%s/%s", w->dir, name);
}

static inline void world_end(struct world *w)
{
        static const char *const names[] = {"in", "bad.csv", "other.csv", "cases.csv", "cases.jsonl", "reports.csv", "reports.jsonl"};
        for (size_t i = 0; i < COUNT_OF(names); i++)
                (void)unlink(path_in(w, names[i]));
        assert_int_equal(rmdir(w->dir), 0);
        test_district_close(&w->district);
        arena_free(&w->arena);
}

static inline const char *file_of(const struct world *w, const void *bytes, size_t n)
{
        const char *path = path_in(w, "in");
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(bytes, 1, n, f), n);
        assert_int_equal(fclose(f), 0);
        return path;
}

static inline const char *read_file(const struct world *w, const char *path)
{
        enum { MOST = 4 << 20 };
        char *bytes = arena_alloc(w->arena, MOST);
        FILE *f = fopen(path, "rb");
        if (!f)
                return NULL;
        size_t n = fread(bytes, 1, MOST - 1, f);
        (void)fclose(f);
        bytes[n] = '\0';
        return bytes;
}

struct asking { const char *sql; int64_t number; struct arena *arena; struct buf texts; };

static inline bool ask(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *q = ctx;
        return tx_int(tx, &q->number, -1, e, q->sql, NO_ARGS);
}

static inline int64_t number_of(struct world *w, const char *sql)
{
        struct asking q = {.sql = sql};
        struct err e;
        ok(store_read(w->district.store, ask, &q, &e), &e);
        return q.number;
}

static inline bool ask_texts(struct tx *tx, void *ctx, struct err *e)
{
        struct asking *q = ctx;
        struct rows r;
        buf_clear(&q->texts);
        if (!tx_rows(tx, &r, e, q->sql, NO_ARGS))
                return false;
        while (rows_next(&r)) {
                buf_text(&q->texts, rows_text(&r, q->arena, 0));
                buf_byte(&q->texts, '\n');
        }
        return rows_done(&r, e);
}

/* The first column of all rows, each followed by a line end. */
static inline const char *texts_of(struct world *w, const char *sql)
{
        struct asking q = {.sql = sql, .arena = w->arena, .texts = BUF_LIMIT(16 << 20)};
        struct err e;
        ok(store_read(w->district.store, ask_texts, &q, &e), &e);
        const char *texts = arena_copy(w->arena, q.texts.at ? q.texts.at : "", q.texts.length);
        buf_free(&q.texts);
        return texts;
}
#endif
