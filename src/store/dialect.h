/* store/dialect.h -- the few words of schema files that differ between the engines.
 *
 * Schema files are written in SQLite's words; for PostgreSQL whole words are replaced:
 *   INTEGER -> BIGINT, REAL -> DOUBLE PRECISION, BLOB -> BYTEA, WITHOUT ROWID -> (nothing).
 * And in both engines:
 *   SERIAL_KEY   -> an integer primary key the database numbers in order of insertion
 *   TX_NUMBER    -> 0, or the number of the present transaction (a default for a column)
 *   TX_SETTLED   -> 1, or the lowest number of a transaction that is still open: rows with a
 *                   TX_NUMBER below it can no longer be joined by others in front of them
 *   ON_SQLITE, ON_POSTGRES -> in front of a statement that only that engine is given
 */
#ifndef STORE_DIALECT_H
#define STORE_DIALECT_H
#include "base/base.h"
struct arena;

/* The text with the words replaced for that engine.  Words inside quotes and comments are left alone. */
char *dialect_schema(struct arena *, const char *sql, bool postgres);
#endif
