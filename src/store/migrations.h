/* store/migrations.h -- every schema file of the program, in the order of src/LAYERS (generated at build time by tools/embed). */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H
#include "store/store.h"
extern const struct migration all_migrations[];         /* ends with a NULL capability */
#endif
