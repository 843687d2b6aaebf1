/* evidence/inside.h -- what the files of this folder share. */
#ifndef EVIDENCE_INSIDE_H
#define EVIDENCE_INSIDE_H
#include "evidence/evidence.h"
struct json;

enum { EVIDENCE_MOST = 200 };           /* pieces of one case */
extern const char *const evidence_kinds[];      /* that people add; ends with NULL */
bool evidence_put(struct tx *, int64_t case_id, const struct evidence *, struct err *) MUST_CHECK;
void evidence_json(const struct evidence *, struct json *);
#endif
