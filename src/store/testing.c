/* store/testing.c -- see testing.h.  Harmless in production: nothing there calls it. */
#include "store/testing.h"
#include "base/clock.h"
#include "store/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *test_server(void)
{
        const char *dsn = getenv("YIWANG_TEST_PG");
        return dsn && *dsn ? dsn : NULL;
}

int test_store_engines(void)
{
        return test_server() ? 2 : 1;
}

char *test_store_dsn(char *dsn, size_t room, bool postgres)
{
        long long now = (long long)clock_now();
        if (postgres) {
                const char *server = test_server();
                assert(server);
                snprintf(dsn, room, "%s%sschema=test_%d_%lld", server, strchr(server, '?') ? "&" : "?", (int)getpid(), now);
        } else {
                snprintf(dsn, room, "sqlite:/tmp/yiwang-test-%d-%lld.db", (int)getpid(), now);
        }
        return dsn;
}

void test_store_drop(struct store *s)
{
        s->temporary = true;
}

bool test_store_open(struct store **s, bool postgres, const struct migration *migrations)
{
        char dsn[600] = "sqlite::memory:";
        struct err e;
        struct store_options o = {.dsn = dsn, .migrations = migrations};
        if (postgres)
                test_store_dsn(dsn, sizeof dsn, true);
        if (!store_open(s, &o, &e)) {
                fprintf(stderr, "test_store_open: %s\n", e.text);
                return false;
        }
        test_store_drop(*s);
        return true;
}
