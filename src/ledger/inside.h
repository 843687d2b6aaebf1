/* ledger/inside.h -- a check under way, between verify.c (chains) and audit.c (tree). */
#ifndef LEDGER_INSIDE_H
#define LEDGER_INSIDE_H
#include "ledger/ledger.h"
struct arena;
struct store;

struct faults { struct ledger_verdict *verdict; int64_t subject; };     /* subject: of the first fault; 0 = of no case */
void ledger_fault(struct faults *, int64_t subject, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The tree against the rows, its kept nodes and its checkpoints. */
bool ledger_audit(struct store *, const struct ledger_proofs *, struct faults *, struct err *) MUST_CHECK;
#endif
