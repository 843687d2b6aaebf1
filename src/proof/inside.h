/* proof/inside.h -- what document.c and lines.c share. */
#ifndef PROOF_INSIDE_H
#define PROOF_INSIDE_H
#include "proof/proof.h"
struct ledger_row;

/* The member "fields": all that is digested of a row but the digest of the row before. */
void proof_fields_json(struct json *, struct arena *, const struct ledger_row *);
#endif
