/* pack/inside.h -- what the files of this folder share. */
#ifndef PACK_INSIDE_H
#define PACK_INSIDE_H
#include "pack/pack.h"

struct pack_bytes { char *path; char *at; size_t n; bool used; };      /* path below the pack's folder */
struct pack_folder { struct pack_bytes *files; size_t n; };

/* Reads every regular file below dir (at most 2,000 files, 64 MiB together), sorted by path. */
bool folder_read(struct arena *, const char *dir, struct pack_folder *, struct err *) MUST_CHECK;
struct pack_bytes *folder_file(const struct pack_folder *, const char *path);  /* NULL when absent */

void fault_clear(struct fault_list *);
void fault_sort(struct fault_list *);
void fault_add(struct fault_list *, const char *place, const char *en, const char *zh);

/* Notes what yaml_parse() said of a file; its sentences begin with the number of the line. */
void stage_yaml_fault(struct stage *, const char *file, const struct err *);

/* Stages one CSV file, or one document, of a part. */
bool stage_table(struct stage *, const struct pack_table *, const struct pack_folder *, struct err *) MUST_CHECK;
bool stage_document(struct stage *, const struct pack_document *, const struct pack_folder *, struct err *) MUST_CHECK;
#endif
