/* intake/keep.h -- the rows of a report, the queue of reports that could not be filed, and receipts.  Inside this folder. */
#ifndef INTAKE_KEEP_H
#define INTAKE_KEEP_H
#include "cases/cases.h"
#include "intake/intake.h"
struct tx;

struct sealed_reporter;
struct kept {
        int64_t id, received;
        const struct report *report;
        const char *title;
        struct sealed_reporter *reporter;       /* NULL: nothing was said of a person */
};
/* *stored is false when the same report (channel, external id) is there already; then nothing was written. */
bool keep_report(struct tx *, const struct kept *, bool *stored, struct err *) MUST_CHECK;
bool keep_queued(struct tx *, const struct kept *, const char *number, const char *track, const char *cause, struct err *) MUST_CHECK;

void receipt_new(struct arena *, const struct filing *, bool filed, struct receipt *);
/* The receipt the same report got the first time. */
bool receipt_again(struct tx *, struct district *, struct arena *, const struct report *, struct receipt *, struct err *) MUST_CHECK;
#endif
