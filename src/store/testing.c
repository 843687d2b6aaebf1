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

const struct migration *test_migrations(const struct migration *all, const char *folders, const char *extra)
{
        static struct migration list[64];
        char padded[200], wanted[60];
        int n = 0;
        snprintf(padded, sizeof padded, " %s ", folders);
        for (const struct migration *m = all; m->capability; m++) {
                snprintf(wanted, sizeof wanted, " %s ", m->capability);
                if (strstr(padded, wanted))
                        list[n++] = *m;
        }
        if (extra)
                list[n++] = (struct migration){"test", 1, extra};
        list[n] = (struct migration){0};
        return list;
}

struct question {
        const char *sql;
        int64_t answer;
};

static bool ask(struct tx *tx, void *ctx, struct err *e)
{
        struct question *q = ctx;
        return tx_int(tx, &q->answer, -1, e, q->sql, NO_ARGS);
}

int64_t test_number(struct store *s, const char *sql)
{
        struct question q = {sql, 0};
        struct err e;
        if (store_read(s, ask, &q, &e))
                return q.answer;
        fprintf(stderr, "test_number: %s\n", e.text);
        return INT64_MIN;
}

static bool run(struct tx *tx, void *ctx, struct err *e)
{
        return tx_script(tx, ctx, e);
}

bool test_script(struct store *s, const char *script)
{
        char text[4000];
        struct err e;
        snprintf(text, sizeof text, "%s", script);
        if (store_write(s, run, text, &e))
                return true;
        fprintf(stderr, "test_script: %s\n", e.text);
        return false;
}
