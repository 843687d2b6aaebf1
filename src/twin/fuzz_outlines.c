/* twin/fuzz_outlines.c -- outlines.geojson: every outline that is stored is a sound polygon, everything else is a fault of
 * the pack. */
#include "base/arena.h"
#include "base/log.h"
#include "pack/pack.h"
#include "store/store.h"
#include "store/testing.h"
#include "twin/twin.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char SQL_OUTLINES[] = "SELECT code, outline FROM area_outline WHERE version = 1";
static struct store *store;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc, (void)argv;
        log_least(LOG_ERROR + 1);
        return test_store_open(&store, false, test_migrations(all_migrations, "pack twin", NULL)) ? 0 : 1;
}

struct input {
        const char *bytes;
        size_t n;
};

static void check_outlines(struct tx *tx, struct arena *a)
{
        struct rows r;
        struct err e;
        bool ok = tx_rows(tx, &r, &e, SQL_OUTLINES, NO_ARGS);
        while (ok && rows_next(&r)) {
                struct point low, high;
                size_t n;
                const void *wkb = rows_blob(&r, a, 1, &n);
                assert(rows_text(&r, a, 0)[0] && wkb_check(wkb, n, &e) && wkb_box(wkb, n, &low, &high, &e));
        }
        ok = ok && rows_done(&r, &e);
        assert(ok);
}

/* Nothing is kept: the function fails at its end. */
static bool stage_input(struct tx *tx, void *ctx, struct err *e)
{
        const struct input *input = ctx;
        struct arena *a = arena_new();
        struct stage s = {.tx = tx, .arena = a, .version = 1, .dir = ".", .faults = fault_list_new(a)};
        const bool ok = twin_pack.documents[0].stage(&s, "outlines.geojson", NULL, input->bytes, input->n, e);
        assert(ok); /* only the store may fail */
        for (size_t i = 0; i < fault_count(s.faults); i++)
                assert(fault_at(s.faults, i)->en[0] && fault_at(s.faults, i)->zh[0]);
        check_outlines(tx, a);
        arena_free(&a);
        return err_set(e, ERR_INVALID, "not to be kept");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
        struct input input = {(const char *)bytes, n};
        struct err e;
        const bool kept = store_write(store, stage_input, &input, &e);
        assert(!kept && e.kind == ERR_INVALID);
        return 0;
}
