/* ledger/world_test.h -- histories without the folder that owns the cases. */
#ifndef LEDGER_WORLD_TEST_H
#define LEDGER_WORLD_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "store/store.h"
#include "store/testing.h"

/* Stands for the folder that owns the cases. */
static const char OWNER[] = "CREATE TABLE tip (subject INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL);"
                            "CREATE VIEW ledger_tips AS SELECT subject, seq, hash FROM tip;"
                            "CREATE VIEW ledger_numbers AS SELECT subject, 'YW' || subject AS number FROM tip;";
static const char SQL_READ_TIP[] = "SELECT seq, hash FROM tip WHERE subject = $1";
static const char SQL_TIP[] =
        "INSERT INTO tip(subject, seq, hash) VALUES ($1, $2, $3) ON CONFLICT (subject) DO UPDATE SET seq = excluded.seq, hash ="
        " excluded.hash";

struct world {
        struct store *store;
        struct arena *arena;
};
struct job {
        int64_t subject;
        struct ledger_tip tip;
        const char *move, *form;
        bool keep_tip;
        int64_t at; /* 0 = 1000 + subject */
};

static inline void ok(bool good, const struct err *e)
{
        if (!good)
                fail_msg("%s", e->text);
}

static inline bool read_tip(struct tx *tx, int64_t subject, struct ledger_tip *tip, struct err *e)
{
        struct rows r;
        struct arena *a = arena_new();
        size_t n;
        int found = tx_first(tx, &r, e, SQL_READ_TIP, ARGS(V(subject)));
        *tip = (struct ledger_tip){0};
        if (found == 1) {
                tip->seq = rows_int(&r, 0);
                memcpy(tip->hash, rows_blob(&r, a, 1, &n), SHA256_SIZE);
                found = rows_done(&r, e) ? 1 : -1;
        }
        arena_free(&a);
        return found >= 0;
}

static inline bool append(struct tx *tx, void *ctx, struct err *e)
{
        struct job *j = ctx;
        const struct ledger_entry entry = {.subject = j->subject,
                                           .move = j->move,
                                           .origin = "a",
                                           .dest = "b",
                                           .actor = "ana",
                                           .role = "clerk",
                                           .unit = NULL,
                                           .form = j->form,
                                           .at = j->at ? j->at : 1000 + j->subject};
        if (!j->keep_tip && !read_tip(tx, j->subject, &j->tip, e))
                return false;
        struct ledger_tip tip = j->tip; /* the function may run again */
        if (!ledger_append(tx, &tip, &entry, e)
            || tx_change(tx, e, SQL_TIP, ARGS(V(j->subject), V(tip.seq), V_BLOB(tip.hash, SHA256_SIZE))) != 1)
                return false;
        if (!j->keep_tip)
                j->tip = tip;
        return true;
}

static inline void add_rows(struct world *w, int64_t subject, int n)
{
        struct err e;
        for (int i = 0; i < n; i++)
                ok(store_write(w->store, append, &(struct job){.subject = subject, .move = "go", .form = "{\"n\":1}"}, &e), &e);
}

static inline void on_both(void **state)
{
        void (*test)(struct world *) = *(void (**)(struct world *)) * state;
        for (int pg = 0; pg < test_store_engines(); pg++) {
                struct world w = {.arena = arena_new()};
                assert_true(test_store_open(&w.store, pg, test_migrations(all_migrations, "ledger", OWNER)));
                test(&w);
                store_close(&w.store);
                arena_free(&w.arena);
        }
}
#endif
