/* district/testing.c -- see testing.h.  Harmless in production: nothing there calls it. */
#include "district/testing.h"
#include "pack/testing.h"
#include "store/store.h"
#include "store/testing.h"
#include <stdio.h>
#include <unistd.h>

static bool no_channels(struct tx *tx, struct arena *a, int64_t version, struct channels **out, struct err *e)
{
        (void)tx;
        (void)a;
        (void)version;
        (void)e;
        *out = NULL;
        return true;
}

static void key_path(char *path, size_t room)
{
        (void)snprintf(path, room, "/tmp/yiwang-test-%d.key", (int)getpid());
}

bool test_district_open(struct district *d, bool postgres, const struct pack_part *const *parts,
                        const struct rulebook_readers *readers, const char *pack)
{
        char key[60];
        struct store *store;
        struct err e;
        int64_t version;
        key_path(key, sizeof key);
        struct district_options o = {.key_file = key, .readers = *readers};
        if (!o.readers.channels)
                o.readers.channels = no_channels;
        if (!test_store_open(&store, postgres, all_migrations))
                return false;
        o.store = store;
        if (test_pack_load(store, parts, pack, &version) && district_open(d, &o, &e))
                return true;
        fprintf(stderr, "test_district_open: the district cannot be opened\n");
        store_close(&store);
        return false;
}

void test_district_close(struct district *d)
{
        struct store *store = d->store;
        char key[60];
        key_path(key, sizeof key);
        district_close(d);
        store_close(&store);
        (void)unlink(key);
}
