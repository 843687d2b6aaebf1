/* store/testing.h -- fresh databases for the tests of all folders.
 *
 * for (int pg = 0; pg < test_store_engines(); pg++) { test_store_open(&s, pg, migrations); ...; store_close(&s); }
 */
#ifndef STORE_TESTING_H
#define STORE_TESTING_H
#include "base/base.h"
struct store;
struct migration;
struct tx;

/* 2 when YIWANG_TEST_PG names a PostgreSQL database, else 1 (SQLite only). */
int test_store_engines(void);

/* A fresh SQLite database, or a fresh schema in YIWANG_TEST_PG; store_close() removes it.
 * Prints the error and returns false when it cannot.  migrations may be NULL. */
bool test_store_open(struct store **, bool postgres, const struct migration *migrations) MUST_CHECK;

/* The same with the DSN in the caller's hands, for tests that open it twice; not removed at close on PostgreSQL
 * unless test_store_drop() is called on one opening.  Returns dsn. */
char *test_store_dsn(char *dsn, size_t room, bool postgres);
void test_store_drop(struct store *);   /* the coming store_close() removes the schema (PostgreSQL) */

/* Only the schema files of the named folders ("ledger task"), then `extra` (may be NULL); lives until the program ends. */
const struct migration *test_migrations(const struct migration *all, const char *folders, const char *extra);

/* One integer; prints the error and gives INT64_MIN when the statement fails. */
int64_t test_number(struct store *, const char *sql);
/* Statements without parameters.  Prints the error and returns false when one fails. */
bool test_script(struct store *, const char *script) MUST_CHECK;
/* A cmocka test that the file's on_both() runs on each engine: void test(struct world *). */
#define BOTH(test) BOTH_OF(struct world, test)
#define BOTH_OF(type, test) {#test, on_both, NULL, NULL, &(void (*)(type *)){test}}
#endif
